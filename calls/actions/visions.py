"""Loads the vision scheme of a portfolio file: visions, supported technologies, concepts with their items."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Organization
from calls.models import Concept, ConceptItem, SupportedTechnology, Vision
from calls.vision_scheme import ConceptRow, VisionScheme
from common.errors import Blocker
from common.loading import Ledger, upsert
from programs.actions.portfolio import add_agencies
from programs.models import Program

Refs = dict[str, Any]


def load_vision_scheme(scheme: VisionScheme, ledger: Ledger) -> None:
    """This function will bring the records of this app to what the file says; `ledger` gets what was done.

    The caller holds the transaction and has loaded the programs and organizations of the same file.
    """
    program = Program.objects.get(ref=scheme.program)
    agencies = Organization.objects.in_bulk({row.agency for row in scheme.concepts}, field_name="ref")
    first_sources: dict[str, str] = {}
    for row in scheme.concepts:
        first_sources.setdefault(row.agency, row.sources[0] if row.sources else "")
    add_agencies(((program, agencies[ref], source) for ref, source in first_sources.items()), ledger)
    visions = _load_visions(scheme, program, ledger)
    technologies = _load_technologies(scheme, program, visions, ledger)
    concepts = _load_concepts(scheme, program, agencies, ledger)
    _load_concept_parts(scheme.concepts, concepts, technologies, ledger)


def scheme_clashes(scheme: VisionScheme) -> list[Blocker]:
    """This function will list the ids that sample records already have, each with its path in the file."""
    found = []
    message = _("A sample record already has this id. Use another one: sample and real records never mix.")
    for model, rows in (
        (Vision, scheme.visions),
        (SupportedTechnology, scheme.technologies),
        (Concept, scheme.concepts),
    ):
        samples = set(model._default_manager.filter(is_sample=True).values_list("ref", flat=True))
        found += [Blocker(f"{row.node.path}.id", "sample_record", message) for row in rows if row.ref in samples]
    return found


def _load_visions(scheme: VisionScheme, program: Program, ledger: Ledger) -> Refs:
    rows = [
        {
            "ref": row.ref,
            "program": program,
            "name_ja": row.name_ja,
            "decided_month": row.decided_month,
            "technology_count": row.technology_count,
            "domains_ja": row.domains_ja or None,
            "sources": row.sources or None,
        }
        for row in scheme.visions
    ]
    done = upsert(Vision, rows, key=("ref",))
    ledger.add(done)
    return {record.ref: record for record in done.records}


def _load_technologies(scheme: VisionScheme, program: Program, visions: Refs, ledger: Ledger) -> Refs:
    rows = [
        {
            "ref": row.ref,
            "program": program,
            "vision": visions[row.vision] if row.vision else None,
            "domain_ja": row.domain_ja or None,
            "name_ja": row.name_ja,
            "sources": row.sources or None,
        }
        for row in scheme.technologies
    ]
    done = upsert(SupportedTechnology, rows, key=("ref",))
    ledger.add(done)
    return {record.ref: record for record in done.records}


def _load_concepts(scheme: VisionScheme, program: Program, agencies: Refs, ledger: Ledger) -> Refs:
    rows = [
        {
            "ref": row.ref,
            "program": program,
            "name_ja": row.name_ja,
            "agency": agencies[row.agency],
            "type_ja": row.type_ja or None,
            "ceiling_yen": row.ceiling_yen,
            "ceiling_scope": row.ceiling_scope or None,
            "period_from": row.period_from or None,
            "period_to": row.period_to or None,
            "period_years": row.period_years,
            "period_is_approximate": row.period_is_approximate,
            "sources": row.sources or None,
        }
        for row in scheme.concepts
    ]
    done = upsert(Concept, rows, key=("ref",))
    ledger.add(done)
    return {record.ref: record for record in done.records}


def _load_concept_parts(rows: list[ConceptRow], concepts: Refs, technologies: Refs, ledger: Ledger) -> None:
    items = [
        {
            "concept": concepts[row.ref],
            "numbers": item.numbers,
            "ceiling_yen": item.ceiling_yen,
            "period_from": item.period_from or None,
            "period_to": item.period_to or None,
        }
        for row in rows
        for item in row.items
    ]
    links = [
        {"concept": concepts[row.ref], "supportedtechnology": technologies[ref]}
        for row in rows
        for ref in row.technologies
    ]
    ledger.add(upsert(ConceptItem, items, key=("concept", "numbers")), owner="concept", label=("numbers",))
    ledger.add(
        upsert(Concept.technologies.through, links, key=("concept", "supportedtechnology")),
        owner="concept",
        label=("supportedtechnology",),
    )
