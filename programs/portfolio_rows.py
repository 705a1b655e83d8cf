"""What a portfolio file says, as plain rows: ids refer within the file, amounts are integer yen, None: not sourced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from common.errors import Blocker
from common.reading import Node


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    node: Node
    ref: str
    name_ja: str
    name_en: str
    name_kana: str
    corporate_number: str
    ror: str


@dataclass(frozen=True, slots=True)
class BudgetRow:
    fiscal_year: int
    kind: str
    amount_yen: int
    note: str
    is_estimate: bool
    includes_predecessor: bool
    is_new: bool
    is_reduction: bool
    tax_included: bool | None
    printed_unit: str
    source: str
    management_grant: str


@dataclass(frozen=True, slots=True)
class PolicyRow:
    document_ja: str
    decided_by_ja: str
    decided_on: str
    quotation_ja: str


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    ref: str
    program: str
    kind: str
    name_ja: str
    unit: str
    direction: str
    period: str
    source: str
    term_ja: str
    value: int
    calendar_year: int | None
    is_approximate: bool


@dataclass(frozen=True, slots=True)
class ProgramRow:
    node: Node
    ref: str
    parent: str
    position: int
    name_ja: str
    name_en: str
    kind: str
    start_fiscal_year: int | None
    end_fiscal_year: int | None
    max_duration_years: int | None
    attributes: dict[str, Any]
    area_scale: tuple[int | None, int | None]
    operated_by: str
    source: str
    budget_lines: list[BudgetRow]
    policy_basis: list[PolicyRow]
    unpriced_items: list[str]
    emphases: list[tuple[int, str]]
    capacity: list[IndicatorRow]


@dataclass(frozen=True, slots=True)
class AreaRow:
    node: Node
    ref: str
    program: str
    number: int
    name_ja: str
    name_en: str
    flagship_count: int | None
    basic_count: int | None
    human_resources_count: int | None
    themes_ja: dict[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class ProjectRow:
    node: Node
    ref: str
    program: str
    area: str
    kind: str
    lead_institution: str
    title_ja: str
    theme_ja: str
    theme_note: str
    target_trl: int | None
    start_fiscal_year: int | None
    end_fiscal_year: int | None
    award_numbers: list[str]
    source: str


@dataclass(slots=True)
class Portfolio:
    """What the file says. `paths` holds each program's refs from the root, each followed by a slash."""

    problems: list[Blocker] = field(default_factory=list)
    organizations: list[OrganizationRow] = field(default_factory=list)
    programs: list[ProgramRow] = field(default_factory=list)
    areas: list[AreaRow] = field(default_factory=list)
    projects: list[ProjectRow] = field(default_factory=list)
    indicators: list[IndicatorRow] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    vision_scheme: Node | None = None

    def agency(self, node: Node, printed: str) -> str:
        """This function will return the id of the organization that the file prints as JST or NEDO."""
        ref = printed.casefold()
        if printed and ref not in {row.ref for row in self.organizations}:
            node.report(
                "unknown_reference",
                _("There is no organization “%(ref)s” in this file. Correct the name or add the organization.")
                % {"ref": ref},
            )
        return ref
