"""Reads a portfolio file (the shape of `data/portfolio_fy2022.json`) into plain rows, or lists all that is wrong in it.

No database here. An unknown key is a problem like a wrong value, so that nothing in the file is passed over in
silence; only `about` describes the file itself and is not loaded. Amounts are integer yen; null means not sourced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from common.identifiers import validate_award_number, validate_corporate_number, validate_ror
from common.money import LARGEST_YEN
from common.reading import Node
from programs.portfolio_rows import (
    AreaRow,
    BudgetRow,
    IndicatorRow,
    OrganizationRow,
    PolicyRow,
    Portfolio,
    ProgramRow,
    ProjectRow,
)

#: The words of the model's choices; a test keeps them the same.
PROGRAM_KINDS = (
    "package", "umbrella", "infrastructure", "data_hub", "data_ecosystem", "rd_centres", "research_centre",
    "strategic_basic", "flagship_basic", "vision_driven",
)  # fmt: skip
PROJECT_KINDS = ("flagship", "basic", "human_resources", "centre", "network_node", "award")
BUDGET_KINDS = ("initial_proposal", "initial", "supplementary", "carry_over")
PRINTED_UNITS = ("oku", "million")
DIRECTIONS = ("at_least", "at_most", "about")
PERIODS = ("fiscal_year", "none")

FIRST_YEAR, LAST_YEAR = 1950, 2100
PATH_LENGTH = 300
_MONTH = r"[0-9]{4}-(0[1-9]|1[0-2])"
_DAY_OR_MONTH = _MONTH + r"(-(0[1-9]|[12][0-9]|3[01]))?"
_EMPHASIS = r"emphasis_fy([0-9]{4})_ja"


def read_portfolio(root: Node) -> Portfolio:
    """This function will read the whole file; what is wrong is in `problems`, each with its path."""
    found = Portfolio(problems=root.problems)
    if not root.keys(
        ("organizations", "programs", "areas", "projects", "indicator_targets"), ("about", "vision_scheme")
    ):
        return found
    found.organizations = [_organization(node) for node in root.rows("organizations")]
    found.programs = [_program(node, position) for position, node in enumerate(root.rows("programs"), start=1)]
    found.areas = [_area(node) for node in root.rows("areas")]
    found.projects = [_project(node) for node in root.rows("projects")]
    found.indicators = [row for program in found.programs for row in program.capacity]
    targets = [(node, _target(node)) for node in root.rows("indicator_targets")]
    found.indicators += [row for _node, row in targets]
    if root.has("vision_scheme"):
        found.vision_scheme = root.child("vision_scheme")
    for rows in (found.organizations, found.programs, found.areas, found.projects):
        once((row.node.child("id"), row.ref) for row in rows)
    once((node.child("id"), row.ref) for node, row in targets)
    _check_identifiers(found)
    _check_references(found, targets)
    found.paths = _paths(found.programs)
    return found


def once(places: Iterable[tuple[Node, str]]) -> None:
    """This function will report every value that already stood at an earlier place."""
    seen: dict[str, str] = {}
    for node, value in places:
        if value and value in seen:
            node.report(
                "duplicate",
                _("“%(value)s” already stands at %(first)s. Give each its own.")
                % {"value": value, "first": seen[value]},
            )
        seen.setdefault(value, node.path)


def known(node: Node, key: str, refs: Iterable[str], noun: str) -> None:
    """This function will report a reference to something that is not in the file."""
    value = node.child(key).value
    if isinstance(value, str) and value and value not in refs:
        node.report(
            "unknown_reference",
            _("There is no %(noun)s “%(ref)s” in this file. Correct the id or add it.") % {"noun": noun, "ref": value},
            key,
        )


# The nouns ------------------------------------------------------------------------------------------------------------


def _organization(node: Node) -> OrganizationRow:
    node.keys(("id", "name_ja"), ("name_en", "name_kana", "corporate_number", "ror"))
    row = OrganizationRow(
        node=node,
        ref=node.slug("id"),
        name_ja=node.text("name_ja", 200),
        name_en=node.text("name_en", 200, required=False),
        name_kana=node.text("name_kana", 200, required=False),
        corporate_number=node.text("corporate_number", 20, required=False),
        ror=node.text("ror", 40, required=False),
    )
    _validated(node.child("corporate_number"), row.corporate_number, validate_corporate_number)
    _validated(node.child("ror"), row.ror, validate_ror)
    return row


def _program(node: Node, position: int) -> ProgramRow:
    node.keys(
        ("id", "parent", "name_ja", "name_en", "kind", "start_fiscal_year", "end_fiscal_year", "max_duration_years",
         "budget_lines", "source"),
        ("attributes", "policy_basis", "unpriced_items_ja", "capacity"),
        _EMPHASIS,
    )  # fmt: skip
    ref, source = node.slug("id"), node.text("source", 300)
    start, end = _years(node)
    lines = [(line, _budget_line(line, source)) for line in node.rows("budget_lines")]
    once((line, f"{row.fiscal_year} {row.kind}") for line, row in lines)
    attributes = node.child("attributes")
    if node.has("attributes"):
        attributes.keys((), (), ".+")
    bases = [(basis, _policy(basis)) for basis in node.rows("policy_basis")]
    once((basis, f"{row.document_ja} {row.decided_on}") for basis, row in bases)
    return ProgramRow(
        node=node,
        ref=ref,
        parent=node.slug("parent", required=False),
        position=position,
        name_ja=node.text("name_ja", 200),
        name_en=node.text("name_en", 200, required=False),
        kind=node.choice("kind", PROGRAM_KINDS),
        start_fiscal_year=start,
        end_fiscal_year=end,
        max_duration_years=node.integer("max_duration_years", 1, 100, required=False),
        attributes=dict(attributes.value) if isinstance(attributes.value, dict) else {},
        area_scale=_area_scale(attributes),
        operated_by=attributes.text("operated_by", 64, required=False),
        source=source,
        budget_lines=[row for _line, row in lines],
        policy_basis=[row for _basis, row in bases],
        unpriced_items=_different_texts(node.child("unpriced_items_ja"), 200),
        emphases=list(_emphases(node)),
        capacity=[_capacity(item, ref, n, source) for n, item in enumerate(node.rows("capacity"), start=1)],
    )


def _budget_line(node: Node, source: str) -> BudgetRow:
    node.keys(
        ("fiscal_year", "kind", "amount_yen", "note", "is_estimate", "includes_predecessor", "is_new", "tax_included",
         "printed_unit"),
        ("is_reduction", "source"),
    )  # fmt: skip
    amount = node.integer("amount_yen", -LARGEST_YEN, LARGEST_YEN) or 0
    is_reduction = node.flag("is_reduction", required=False)
    if amount < 0 and not is_reduction:
        node.report(
            "negative_amount",
            _("A negative amount needs is_reduction: true. Add it, or remove the minus sign."),
            "amount_yen",
        )
    note, is_estimate = node.text("note", 300, required=False), node.flag("is_estimate")
    return BudgetRow(
        fiscal_year=node.integer("fiscal_year", FIRST_YEAR, LAST_YEAR) or 0,
        kind=node.choice("kind", BUDGET_KINDS),
        amount_yen=amount,
        note=note,
        is_estimate=is_estimate,
        includes_predecessor=node.flag("includes_predecessor"),
        is_new=node.flag("is_new"),
        is_reduction=is_reduction,
        tax_included=node.flag("tax_included") if node.has("tax_included") else None,
        printed_unit=node.choice("printed_unit", PRINTED_UNITS),
        source=node.text("source", 300, required=False) or source,
        management_grant=_grant(note, is_estimate=is_estimate),
    )


def _grant(note: str, *, is_estimate: bool) -> str:
    """How much of a figure is a management grant, as its note says: 運営費交付金中の推計額, or one that 含む such.

    The papers print no estimates but of management grants: one without a note includes some.
    """
    named = "運営費交付金" in note
    if named and not note.endswith("含む"):
        return "whole"
    return "part" if named or is_estimate else "none"


def _policy(node: Node) -> PolicyRow:
    node.keys(("document_ja", "decided_by_ja", "date"), ("quotation_ja",))
    return PolicyRow(
        document_ja=node.text("document_ja", 200),
        decided_by_ja=node.text("decided_by_ja", 200, required=False),
        decided_on=node.matching("date", _DAY_OR_MONTH, "2021-06, 2021-06-18"),
        quotation_ja=node.text("quotation_ja", 2000, required=False),
    )


def _capacity(node: Node, program: str, number: int, source: str) -> IndicatorRow:
    node.keys(("indicator_ja", "value", "unit", "direction"))
    return IndicatorRow(
        ref=f"{program}-capacity-{number}",
        program=program,
        kind="capacity",
        name_ja=node.text("indicator_ja", 200),
        unit=node.text("unit", 20),
        direction=node.choice("direction", DIRECTIONS),
        period="none",
        source=source,
        term_ja="",
        value=node.integer("value", 0, LARGEST_YEN) or 0,
        calendar_year=None,
        is_approximate=False,
    )


def _target(node: Node) -> IndicatorRow:
    node.keys(
        ("id", "program", "term_ja", "indicator_ja", "target", "unit", "direction", "source", "target_calendar_year",
         "target_year_is_approximate", "period"),
    )  # fmt: skip
    return IndicatorRow(
        ref=node.slug("id"),
        program=node.slug("program"),
        kind="outcome",
        name_ja=node.text("indicator_ja", 200),
        unit=node.text("unit", 20),
        direction=node.choice("direction", DIRECTIONS),
        period=node.choice("period", PERIODS),
        source=node.text("source", 300),
        term_ja=node.text("term_ja", 60, required=False),
        value=node.integer("target", 0, LARGEST_YEN) or 0,
        calendar_year=node.integer("target_calendar_year", FIRST_YEAR, LAST_YEAR, required=False),
        is_approximate=node.flag("target_year_is_approximate"),
    )


def _area(node: Node) -> AreaRow:
    counts = ("flagship_count", "basic_count", "human_resources_count")
    node.keys(("id", "program", "number", "name_ja", *counts, "source"), ("name_en", "themes_ja"))
    flagship, basic, human_resources = (node.integer(key, 0, 1000, required=False) for key in counts)
    themes = node.child("themes_ja")
    if node.has("themes_ja"):
        themes.keys((), PROJECT_KINDS)
    return AreaRow(
        node=node,
        ref=node.slug("id"),
        program=node.slug("program"),
        number=node.integer("number", 1, 1000) or 0,
        name_ja=node.text("name_ja", 200),
        name_en=node.text("name_en", 200, required=False),
        flagship_count=flagship,
        basic_count=basic,
        human_resources_count=human_resources,
        themes_ja={kind: themes.text(kind, 300) for kind in PROJECT_KINDS if themes.has(kind)},
        source=node.text("source", 300),
    )


def _project(node: Node) -> ProjectRow:
    node.keys(
        ("id", "program", "area", "kind", "lead_institution", "theme_ja", "title_ja", "target_trl",
         "start_fiscal_year", "end_fiscal_year", "award_numbers", "source"),
        ("theme_note",),
    )  # fmt: skip
    start, end = _years(node)
    return ProjectRow(
        node=node,
        ref=node.slug("id"),
        program=node.slug("program"),
        area=node.slug("area", required=False),
        kind=node.choice("kind", PROJECT_KINDS),
        lead_institution=node.slug("lead_institution", required=False),
        title_ja=node.text("title_ja", 300, required=False),
        theme_ja=node.text("theme_ja", 1000, required=False),
        theme_note=node.text("theme_note", 300, required=False),
        target_trl=node.integer("target_trl", 1, 9, required=False),
        start_fiscal_year=start,
        end_fiscal_year=end,
        award_numbers=[_award_number(number) for number in node.rows("award_numbers")],
        source=node.text("source", 300),
    )


def _award_number(node: Node) -> str:
    number = node.own_text(40)
    _validated(node, number, validate_award_number)
    return number


# Parts ----------------------------------------------------------------------------------------------------------------


def _years(node: Node) -> tuple[int | None, int | None]:
    start = node.integer("start_fiscal_year", FIRST_YEAR, LAST_YEAR, required=False)
    end = node.integer("end_fiscal_year", FIRST_YEAR, LAST_YEAR, required=False)
    if start is not None and end is not None and end < start:
        node.report("years_in_order", _("The last fiscal year lies before the first. Correct one."), "end_fiscal_year")
    return start, end


def _area_scale(attributes: Node) -> tuple[int | None, int | None]:
    if not attributes.has("area_annual_scale_yen"):
        return None, None
    bounds = [bound.own_integer(0, LARGEST_YEN) for bound in attributes.rows("area_annual_scale_yen")]
    if len(bounds) != 2 or (None not in bounds and bounds[0] > bounds[1]):  # type: ignore[operator]
        attributes.report("out_of_range", _("Write two amounts in yen, the smaller first."), "area_annual_scale_yen")
        return None, None
    return bounds[0], bounds[1]


def _emphases(node: Node) -> Iterator[tuple[int, str]]:
    for key in node.value if isinstance(node.value, dict) else ():
        if year := re.fullmatch(_EMPHASIS, key):
            for text in _different_texts(node.child(key), 300):
                yield int(year[1]), text


def _different_texts(node: Node, max_length: int) -> list[str]:
    if node.value is None:
        return []
    if not isinstance(node.value, list):
        node.report("wrong_type", _("Write a list of texts here."))
        return []
    members = [Node(value, f"{node.path}[{index}]", node.problems) for index, value in enumerate(node.value)]
    texts = [(member, member.own_text(max_length)) for member in members]
    once(texts)
    return [text for _member, text in texts]


def _validated(node: Node, value: str, validate: Callable[[str], None]) -> None:
    if value:
        try:
            validate(value)
        except ValidationError as error:
            node.report(error.code or "invalid", error.messages[0])


# The whole ------------------------------------------------------------------------------------------------------------


def _check_identifiers(found: Portfolio) -> None:
    for key in ("corporate_number", "ror"):
        once((row.node.child(key), getattr(row, key)) for row in found.organizations)
    once(
        (Node(number, f"{row.node.path}.award_numbers[{index}]", found.problems), number)
        for row in found.projects
        for index, number in enumerate(row.award_numbers)
    )
    once((row.node.child("number"), f"{row.program} {row.number}") for row in found.areas if row.number)


def _check_references(found: Portfolio, targets: list[tuple[Node, IndicatorRow]]) -> None:
    organizations = {row.ref for row in found.organizations}
    programs = {row.ref for row in found.programs}
    areas = {row.ref: row.program for row in found.areas}
    for program in found.programs:
        known(program.node, "parent", programs, _("program"))
        found.agency(program.node.child("attributes").child("operated_by"), program.operated_by)
    for node in [*(row.node for row in found.areas), *(node for node, _row in targets)]:
        known(node, "program", programs, _("program"))
    for project in found.projects:
        known(project.node, "program", programs, _("program"))
        known(project.node, "area", areas, _("research area"))
        known(project.node, "lead_institution", organizations, _("organization"))
        if project.area in areas and areas[project.area] != project.program:
            project.node.report(
                "other_program",
                _("The area “%(area)s” belongs to the program “%(program)s”. Correct the area or the program.")
                % {"area": project.area, "program": areas[project.area]},
                "area",
            )


def _paths(programs: list[ProgramRow]) -> dict[str, str]:
    """Each program's refs from the root; a program that is part of itself is a problem at its parent."""
    parents = {row.ref: row.parent for row in programs}
    paths: dict[str, str] = {}
    for row in programs:
        chain = [row.ref]
        while (parent := parents.get(chain[-1], "")) and parent not in chain:
            chain.append(parent)
        if parent == row.ref:
            row.node.report(
                "cycle",
                _("These programs are part of each other: %(chain)s. Correct one parent.")
                % {"chain": " > ".join([*chain, row.ref])},
                "parent",
            )
        paths[row.ref] = "".join(f"{ref}/" for ref in reversed(chain))
        if len(paths[row.ref]) > PATH_LENGTH:
            row.node.report("too_deep", _("The tree is too deep here. Shorten the ids or the tree."), "parent")
    return paths
