"""Reads the `vision_scheme` part of a portfolio file into plain rows; what is wrong joins the portfolio's problems.

The pattern of award numbers and the note are facts about the scheme: they stand with the program's printed facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from common.money import LARGEST_YEN
from common.reading import Node
from programs.portfolio import known, once
from programs.portfolio_rows import Portfolio, ProgramRow

_MONTH = r"[0-9]{4}-(0[1-9]|1[0-2])"
_YEAR_OR_MONTH = r"[0-9]{4}(-(0[1-9]|1[0-2]))?"
_SOURCE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class VisionRow:
    node: Node
    ref: str
    name_ja: str
    decided_month: str
    technology_count: int | None
    domains_ja: list[str]
    sources: list[str]


@dataclass(frozen=True, slots=True)
class TechnologyRow:
    node: Node
    ref: str
    vision: str
    domain_ja: str
    name_ja: str
    sources: list[str]


@dataclass(frozen=True, slots=True)
class ItemRow:
    numbers: list[int]
    ceiling_yen: int | None
    period_from: str
    period_to: str


@dataclass(frozen=True, slots=True)
class ConceptRow:
    node: Node
    ref: str
    name_ja: str
    agency: str
    type_ja: str
    ceiling_yen: int | None
    ceiling_scope: str
    period_from: str
    period_to: str
    period_years: int | None
    period_is_approximate: bool
    items: list[ItemRow]
    sources: list[str]
    technologies: list[str]


@dataclass(slots=True)
class VisionScheme:
    """The scheme belongs to the file's one program of the kind `vision_driven`."""

    program: str
    visions: list[VisionRow] = field(default_factory=list)
    technologies: list[TechnologyRow] = field(default_factory=list)
    concepts: list[ConceptRow] = field(default_factory=list)


def read_vision_scheme(portfolio: Portfolio) -> VisionScheme | None:
    """This function will read the scheme of a portfolio that has one; problems go to `portfolio.problems`."""
    root = portfolio.vision_scheme
    if root is None or not root.keys(("visions", "technologies", "concepts"), ("award_number_pattern", "note")):
        return None
    program = _program_of(portfolio, root)
    for key in ("award_number_pattern", "note"):
        if program and root.has(key):
            program.attributes[f"vision_scheme_{key}"] = root.text(key, 300)
    scheme = VisionScheme(
        program.ref if program else "",
        [_vision(node) for node in root.rows("visions")],
        [_technology(node) for node in root.rows("technologies")],
        [_concept(node, portfolio) for node in root.rows("concepts")],
    )
    for rows in (scheme.visions, scheme.technologies, scheme.concepts):
        once((row.node.child("id"), row.ref) for row in rows)
    visions = {row.ref for row in scheme.visions}
    for technology in scheme.technologies:
        known(technology.node, "vision", visions, _("vision"))
    _check_technologies(scheme)
    return scheme


def _check_technologies(scheme: VisionScheme) -> None:
    technologies = {row.ref for row in scheme.technologies}
    for concept in scheme.concepts:
        for index, ref in enumerate(concept.technologies):
            if ref and ref not in technologies:
                concept.node.report(
                    "unknown_reference",
                    _("There is no %(noun)s “%(ref)s” in this file. Correct the id or add it.")
                    % {"noun": _("supported technology"), "ref": ref},
                    f"technologies[{index}]",
                )


def _program_of(portfolio: Portfolio, root: Node) -> ProgramRow | None:
    programs = [row for row in portfolio.programs if row.kind == "vision_driven"]
    if len(programs) == 1:
        return programs[0]
    root.report(
        "vision_program",
        _("The scheme needs exactly one program of the kind vision_driven; the file has %(count)s.")
        % {"count": len(programs)},
    )
    return None


def _vision(node: Node) -> VisionRow:
    node.keys(("id", "name_ja", "decided_month", "technology_count", "domains_ja", "source"))
    return VisionRow(
        node=node,
        ref=node.slug("id"),
        name_ja=node.text("name_ja", 200),
        decided_month=node.matching("decided_month", _MONTH, "2022-09"),
        technology_count=node.integer("technology_count", 0, 1000, required=False),
        domains_ja=node.texts("domains_ja", 60),
        sources=node.texts("source", _SOURCE_LENGTH),
    )


def _technology(node: Node) -> TechnologyRow:
    node.keys(("id", "vision", "domain_ja", "name_ja", "source"))
    return TechnologyRow(
        node=node,
        ref=node.slug("id"),
        vision=node.slug("vision", required=False),
        domain_ja=node.text("domain_ja", 60, required=False),
        name_ja=node.text("name_ja", 200),
        sources=node.texts("source", _SOURCE_LENGTH),
    )


def _concept(node: Node, portfolio: Portfolio) -> ConceptRow:
    node.keys(
        ("id", "name_ja", "agency", "type_ja", "ceiling_yen", "ceiling_scope", "period", "items", "source",
         "technologies"),
    )  # fmt: skip
    period = node.child("period")
    if period.value is not None:
        period.keys(("from", "to", "years", "approximate"))
    items = [(item, _item(item)) for item in node.rows("items")]
    once((item.child("numbers"), str(number)) for item, row in items for number in row.numbers)
    return ConceptRow(
        node=node,
        ref=node.slug("id"),
        name_ja=node.text("name_ja", 200),
        agency=portfolio.agency(node.child("agency"), node.text("agency", 64)),
        type_ja=node.text("type_ja", 60, required=False),
        ceiling_yen=node.integer("ceiling_yen", 0, LARGEST_YEN, required=False),
        ceiling_scope=node.text("ceiling_scope", 60, required=False),
        period_from=period.matching("from", _YEAR_OR_MONTH, "2024, 2024-04", required=False),
        period_to=period.matching("to", _YEAR_OR_MONTH, "2024, 2024-04", required=False),
        period_years=period.integer("years", 1, 100, required=False),
        period_is_approximate=period.flag("approximate", required=False),
        items=[row for _item_node, row in items],
        sources=node.texts("source", _SOURCE_LENGTH),
        technologies=node.texts("technologies", 64),
    )


def _item(node: Node) -> ItemRow:
    node.keys(("numbers", "ceiling_yen", "from", "to"))
    return ItemRow(
        numbers=[number for place in node.rows("numbers") if (number := place.own_integer(1, 1000)) is not None],
        ceiling_yen=node.integer("ceiling_yen", 0, LARGEST_YEN, required=False),
        period_from=node.matching("from", _YEAR_OR_MONTH, "2024, 2024-04", required=False),
        period_to=node.matching("to", _YEAR_OR_MONTH, "2024, 2024-04", required=False),
    )
