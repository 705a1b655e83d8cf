"""Loads what a portfolio file says of programs, areas, projects and indicators. `calls` adds the vision scheme."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db.models import Model, Q, Value
from django.db.models.functions import Concat, Substr
from django.utils.translation import gettext as _

from accounts.models import Organization
from common.errors import Blocker
from common.loading import Ledger, upsert
from programs.models import (
    AwardNumber,
    BudgetLine,
    CostCategory,
    Emphasis,
    Headquarters,
    IndicatorTarget,
    OutcomeIndicator,
    Participation,
    PolicyBasis,
    Program,
    ProgramAgency,
    Project,
    ProjectComplement,
    ResearchArea,
    TrlCriterion,
    TrlLevel,
    TrlScale,
    UnpricedItem,
)
from programs.portfolio_rows import AreaRow, OrganizationRow, Portfolio, ProgramRow, ProjectRow

DATA = Path(__file__).resolve().parent.parent / "data"
SHIPPED_PORTFOLIO = DATA / "portfolio_fy2022.json"

#: The source says that basic research complements the Flagships; it does not say which one which.
COMPLEMENT_NOTE = (
    "資料は基礎基盤研究がFlagshipプロジェクトと相補的であることだけを示し、課題ごとの組合せは示していません。"
    "同じ技術領域のすべてのFlagshipプロジェクトに結んでいます。"
)

Refs = dict[str, Any]


def load_programs(portfolio: Portfolio, ledger: Ledger, agencies: Collection[str]) -> None:
    """This function will bring the records of this app to what the file says; `ledger` gets what was done.

    `agencies` are the ids of the organizations that are funding agencies.
    The caller holds the transaction, has checked `portfolio.problems` and `clashes`, and writes the journal.
    """
    organizations = _load_organizations(portfolio, ledger, agencies)
    programs = _load_tree(portfolio, ledger)
    _load_program_parts(portfolio, programs, ledger)
    add_agencies(
        ((programs[row.ref], organizations[row.operated_by.casefold()], row.source)
         for row in portfolio.programs if row.operated_by),
        ledger,
    )  # fmt: skip
    areas = _load_areas(portfolio, programs, ledger)
    projects = _load_projects(portfolio, programs, areas, ledger)
    _load_project_parts(portfolio, projects, organizations, ledger)
    _load_indicators(portfolio, programs, ledger)
    load_trl_scale(ledger)
    load_cost_categories(ledger)


def clashes(portfolio: Portfolio) -> list[Blocker]:
    """This function will list what the file says that contradicts other records, each with its path in the file."""
    found: list[Blocker] = []
    rows_of: tuple[tuple[type[Model], Sequence[OrganizationRow | ProgramRow | AreaRow | ProjectRow]], ...] = (
        (Organization, portfolio.organizations),
        (Program, portfolio.programs),
        (ResearchArea, portfolio.areas),
        (Project, portfolio.projects),
    )
    message = _("A sample record already has this id. Use another one: sample and real records never mix.")
    for model, rows in rows_of:
        samples = set(model._default_manager.filter(is_sample=True).values_list("ref", flat=True))
        found += [Blocker(f"{row.node.path}.id", "sample_record", message) for row in rows if row.ref in samples]
    taken = _taken_identifiers(portfolio)
    found += [
        Blocker(path, "taken", _("“%(owner)s” already has this number. Correct one of the two.") % {"owner": owner})
        for path, owner in taken
    ]
    return found


def _taken_identifiers(portfolio: Portfolio) -> list[tuple[str, str]]:
    found = []
    organizations = [row for row in portfolio.organizations if row.corporate_number or row.ror]
    for key in ("corporate_number", "ror"):
        wanted = {getattr(row, key): row for row in organizations if getattr(row, key)}
        held = Organization.objects.filter(**{f"{key}__in": list(wanted)}).values_list(key, "ref")
        found += [(f"{wanted[value].node.path}.{key}", ref) for value, ref in held if ref != wanted[value].ref]
    numbers = {
        number: (f"{row.node.path}.award_numbers[{index}]", row.ref)
        for row in portfolio.projects
        for index, number in enumerate(row.award_numbers)
    }
    awarded = AwardNumber.objects.filter(number__in=list(numbers)).values_list("number", "project__ref")
    found += [(numbers[number][0], ref) for number, ref in awarded if ref != numbers[number][1]]
    areas = {(row.program, row.number): row for row in portfolio.areas}
    numbered = ResearchArea.objects.filter(program__ref__in={row.program for row in portfolio.areas})
    for program, number, ref in numbered.values_list("program__ref", "number", "ref"):
        row = areas.get((program, number))
        if row and row.ref != ref:
            found.append((f"{row.node.path}.number", ref))
    return found


def add_agencies(rows: Iterable[tuple[Program, Organization, str]], ledger: Ledger) -> None:
    """This function will enter which agency runs which program: (program, agency, source)."""
    done = upsert(
        ProgramAgency,
        [{"program": program, "organization": agency, "source": source} for program, agency, source in rows],
        key=("program", "organization"),
        created_only=("source",),
    )
    ledger.add(done, owner="program", label=("organization",))


def _load_organizations(portfolio: Portfolio, ledger: Ledger, agencies: Collection[str]) -> Refs:
    rows = [
        {
            "ref": row.ref,
            "name_ja": row.name_ja,
            "name_en": row.name_en or None,
            "name_kana": row.name_kana or None,
            "corporate_number": row.corporate_number or None,
            "ror": row.ror or None,
            "is_funding_agency": row.ref in agencies or None,
        }
        for row in portfolio.organizations
    ]
    done = upsert(Organization, rows, key=("ref",))
    ledger.add(done)
    return {record.ref: record for record in done.records}


def _load_tree(portfolio: Portfolio, ledger: Ledger) -> Refs:
    """Level by level, since a child needs its parent's key."""
    programs: Refs = {}
    levels: dict[int, list[ProgramRow]] = {}
    for row in portfolio.programs:
        levels.setdefault(portfolio.paths[row.ref].count("/"), []).append(row)
    for _depth, rows in sorted(levels.items()):
        done = upsert(
            Program,
            [_program_fields(row, portfolio.paths, programs) for row in rows],
            key=("ref",),
            stated=("parent",),
        )
        for record, before, _after in done.changed:
            if "path" in before:
                _move_below(before["path"], record.path)
        ledger.add(done)
        programs |= {record.ref: record for record in done.records}
    return programs


def _program_fields(row: ProgramRow, paths: Mapping[str, str], programs: Refs) -> dict[str, Any]:
    return {
        "ref": row.ref,
        "parent": programs[row.parent] if row.parent else None,
        "path": paths[row.ref],
        "position": row.position,
        "name_ja": row.name_ja,
        "name_en": row.name_en or None,
        "kind": row.kind,
        "start_fiscal_year": row.start_fiscal_year,
        "end_fiscal_year": row.end_fiscal_year,
        "max_duration_years": row.max_duration_years,
        "area_scale_min_yen": row.area_scale[0],
        "area_scale_max_yen": row.area_scale[1],
        "attributes": row.attributes or None,
        "source": row.source,
    }


def _move_below(old: str, new: str) -> None:
    # Programs that the file does not know, but that hang below a moved one, go along.
    Program.objects.filter(path__startswith=old).update(path=Concat(Value(new), Substr("path", len(old) + 1)))


def _load_program_parts(portfolio: Portfolio, programs: Refs, ledger: Ledger) -> None:
    quotations = _quotations()
    lines, bases, items, emphases = [], [], [], []
    for row in portfolio.programs:
        program = programs[row.ref]
        for line in row.budget_lines:
            fields = {name: getattr(line, name) for name in line.__slots__}
            lines.append({"program": program, **fields, "note": line.note or None})
        for basis in row.policy_basis:
            quotation = basis.quotation_ja or quotations.get((row.ref, basis.document_ja, basis.decided_on))
            bases.append(
                {
                    "program": program,
                    "document_ja": basis.document_ja,
                    "decided_on": basis.decided_on,
                    "decided_by_ja": basis.decided_by_ja or None,
                    "quotation_ja": quotation,
                }
            )
        for position, name in enumerate(row.unpriced_items, start=1):
            items.append({"program": program, "name_ja": name, "position": position})
        for position, (year, text) in enumerate(row.emphases, start=1):
            emphases.append({"program": program, "fiscal_year": year, "text_ja": text, "position": position})
    ledger.add(
        upsert(BudgetLine, lines, key=("program", "fiscal_year", "kind")),
        owner="program",
        label=("fiscal_year", "kind"),
    )
    ledger.add(
        upsert(PolicyBasis, bases, key=("program", "document_ja", "decided_on")),
        owner="program",
        label=("document_ja", "decided_on"),
    )
    ledger.add(upsert(UnpricedItem, items, key=("program", "name_ja")), owner="program", label=("name_ja",))
    ledger.add(
        upsert(Emphasis, emphases, key=("program", "fiscal_year", "text_ja")),
        owner="program",
        label=("fiscal_year", "position"),
    )


def _quotations() -> dict[tuple[str, str, str], str]:
    # The portfolio file names the decisions; their words, as the budget document quotes them, are kept beside it.
    rows = json.loads((DATA / "quotations_fy2022.json").read_text("utf-8"))["quotations"]
    return {(row["program"], row["document_ja"], row["date"]): row["quotation_ja"] for row in rows}


def _load_areas(portfolio: Portfolio, programs: Refs, ledger: Ledger) -> Refs:
    rows = [
        {
            "ref": row.ref,
            "program": programs[row.program],
            "number": row.number,
            "name_ja": row.name_ja,
            "name_en": row.name_en or None,
            "flagship_count": row.flagship_count,
            "basic_count": row.basic_count,
            "human_resources_count": row.human_resources_count,
            "themes_ja": row.themes_ja or None,
            "source": row.source,
        }
        for row in portfolio.areas
    ]
    done = upsert(ResearchArea, rows, key=("ref",))
    ledger.add(done)
    return {record.ref: record for record in done.records}


def _load_projects(portfolio: Portfolio, programs: Refs, areas: Refs, ledger: Ledger) -> Refs:
    rows = [
        {
            "ref": row.ref,
            "program": programs[row.program],
            "area": areas[row.area] if row.area else None,
            "kind": row.kind,
            "title_ja": row.title_ja or None,
            "theme_ja": row.theme_ja or None,
            "theme_note": row.theme_note or None,
            "target_trl": row.target_trl,
            "start_fiscal_year": row.start_fiscal_year,
            "end_fiscal_year": row.end_fiscal_year,
            "source": row.source,
        }
        for row in portfolio.projects
    ]
    done = upsert(Project, rows, key=("ref",))
    ledger.add(done)
    return {record.ref: record for record in done.records}


def _load_project_parts(portfolio: Portfolio, projects: Refs, organizations: Refs, ledger: Ledger) -> None:
    # Where people have ended a lead's part, the institutions of the project are theirs to keep.
    handed_over = set(
        Participation.objects.filter(
            project__in=list(projects.values()), role=Participation.Role.LEAD, ends_on__isnull=False
        ).values_list("project__ref", flat=True)
    )
    leads = [
        {"project": projects[row.ref], "role": "lead", "organization": organizations[row.lead_institution]}
        for row in portfolio.projects
        if row.lead_institution and row.ref not in handed_over
    ]
    flagships = [row for row in portfolio.projects if row.kind == "flagship"]
    numbers = [
        {"project": projects[row.ref], "number": number} for row in portfolio.projects for number in row.award_numbers
    ]
    links = [
        {"basic": projects[row.ref], "flagship": projects[flagship.ref], "note": COMPLEMENT_NOTE}
        for row in portfolio.projects
        for flagship in flagships
        if row.kind == "basic" and row.area and row.area == flagship.area
    ]
    ledger.add(
        upsert(Participation, leads, key=("project", "role"), among=Q(ends_on__isnull=True)),
        owner="project",
        label=("role",),
    )
    ledger.add(
        upsert(Headquarters, [{"project": projects[row.ref]} for row in flagships], key=("project",)),
        owner="project",
        label=("project",),
    )
    ledger.add(upsert(AwardNumber, numbers, key=("project", "number")), owner="project", label=("number",))
    ledger.add(
        upsert(ProjectComplement, links, key=("basic", "flagship"), created_only=("note",)),
        owner="basic",
        label=("flagship",),
    )


def _load_indicators(portfolio: Portfolio, programs: Refs, ledger: Ledger) -> None:
    same = ("ref", "kind", "name_ja", "unit", "direction", "period", "source")
    rows = [
        {"program": programs[row.program], **{name: getattr(row, name) for name in same}}
        for row in portfolio.indicators
    ]
    done = upsert(OutcomeIndicator, rows, key=("ref",))
    ledger.add(done)
    targets = [
        {
            "indicator": indicator,
            "calendar_year": row.calendar_year,
            "term_ja": row.term_ja or None,
            "value": row.value,
            "is_approximate": row.is_approximate,
        }
        for indicator, row in zip(done.records, portfolio.indicators, strict=True)
    ]
    dated = [target for target in targets if target["calendar_year"] is not None]
    undated = [target for target in targets if target["calendar_year"] is None]
    ledger.add(
        upsert(IndicatorTarget, dated, key=("indicator", "calendar_year")),
        owner="indicator",
        label=("calendar_year",),
    )
    ledger.add(
        upsert(IndicatorTarget, undated, key=("indicator",), among=Q(calendar_year__isnull=True)),
        owner="indicator",
        label=("value",),
    )


def load_trl_scale(ledger: Ledger) -> None:
    """The nine levels are a look-up: created once, then people's to word."""
    data = json.loads((DATA / "trl_horizon.json").read_text("utf-8"))
    has_default = TrlScale.objects.filter(is_default=True).exists()
    names = ("name_ja", "name_en", "source")
    scale = upsert(
        TrlScale,
        [{"ref": data["id"], **{name: data[name] for name in names}, "is_default": not has_default}],
        key=("ref",),
        created_only=(*names, "is_default"),
    )
    ledger.add(scale)
    wording = ("name_ja", "name_en", "is_provisional_translation")
    levels = [{"scale": scale.records[0], **row} for row in data["levels"]]
    made = upsert(TrlLevel, levels, key=("scale", "number"), created_only=wording)
    ledger.add(made, owner="scale", label=("number",))
    # The scale prints nothing below its levels: what a level asks for is the level's own wording.
    asked = [{"level": one, "position": 1, "name_ja": one.name_ja, "name_en": one.name_en} for one in made.records]
    criteria = upsert(TrlCriterion, asked, key=("level", "position"), created_only=("name_ja", "name_en"))
    ledger.add(criteria, owner="level", label=("position",))


def load_cost_categories(ledger: Ledger) -> None:
    """The cost categories of sibling schemes are a look-up: created once, then people's to word."""
    rows = json.loads((DATA / "cost_categories.json").read_text("utf-8"))["categories"]
    made = upsert(CostCategory, rows, key=("ref",), created_only=("position", "name_ja", "name_en", "is_direct"))
    ledger.add(made)
