"""Reads of plans: versions a reader may see, what is in force on a day, what differs, and the money as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from accounts.models import Organization
from common.fiscal_year import fiscal_year_of
from programs import planning
from programs.models import CostCategory, Participation, PlanBudget, PlanVersion, PlanYear, Project, plan_of
from programs.rules.plans import plans_visible

PEOPLE = ("opened_by", "submitted_by", "checked_by", "confirmed_by", "approval_drafted_by", "approved_by")


def plans_visible_to(user: object) -> QuerySet[PlanVersion]:
    """This function will return the plan versions this user or client may read, newest first."""
    people = [f"{name}__person" for name in PEOPLE]
    versions = PlanVersion.objects.filter(plans_visible(user)).select_related("project", "change_request", *people)
    return versions.order_by("project__ref", "-number")


def plan_history(user: object, project: Project) -> QuerySet[PlanVersion]:
    """This function will return the project's versions that the reader may read, newest first."""
    return plans_visible_to(user).filter(project=project)


def plan_as_of(user: object, project: Project, on: date) -> PlanVersion | None:
    """This function will return the version that was in force on this day, if the reader may read it."""
    approved = plan_history(user, project).filter(state=PlanVersion.State.APPROVED, effective_on__lte=on)
    return approved.order_by("-effective_on").first()


# What differs ---------------------------------------------------------------------------------------------------------


def plan_difference(before: PlanVersion, after: PlanVersion) -> tuple[planning.Change, ...]:
    """This function will return the changes from one version to the other, in the order a plan is read."""
    return planning.difference(plan_of(before), plan_of(after))


# Money as a table -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """One institution and cost category: yen by year, in the order of the table's years, and their sum."""

    organization: Organization
    category: CostCategory
    cells: tuple[PlanBudget | None, ...]

    @property
    def total_yen(self) -> int:
        return sum(cell.amount_yen for cell in self.cells if cell)


@dataclass(frozen=True, slots=True)
class MoneyTable:
    """A version's budget: years across, institutions and categories down; stated totals beside the sums of the parts."""

    years: tuple[int, ...]
    rows: tuple[MoneyRow, ...]
    stated: tuple[PlanYear | None, ...]

    @property
    def sums(self) -> tuple[int, ...]:
        """The yen of each year, added up from the cells."""
        columns = zip(*(row.cells for row in self.rows), strict=True) if self.rows else ((),) * len(self.years)
        return tuple(sum(cell.amount_yen for cell in column if cell) for column in columns)

    @property
    def total_yen(self) -> int:
        return sum(self.sums)


def money_table(version: PlanVersion, organizations: Iterable[Organization] | None = None) -> MoneyTable:
    """This function will lay a version's budget out by year, institution and category.

    With `organizations`, every one of them has its rows, filled or not, to write into; else only what is filled.
    """
    cells: dict[tuple[int, int, int], PlanBudget] = {}
    for cell in PlanBudget.objects.filter(version=version).select_related("organization", "category"):
        assert cell.organization_id is not None
        cells[cell.organization_id, cell.category_id, cell.fiscal_year] = cell
    stated = {year.fiscal_year: year for year in PlanYear.objects.filter(version=version)}
    years = tuple(sorted({year for _, _, year in cells} | set(stated) | set(fiscal_years(version))))
    named: dict[int, Organization] = {}
    for cell in cells.values():
        assert cell.organization is not None
        named[cell.organization.pk] = cell.organization
    for organization in organizations or ():
        named.setdefault(organization.pk, organization)
    rows, categories = [], list(CostCategory.objects.all())
    filled = defaultdict(set)
    for organization_id, category_id, _year in cells:
        filled[organization_id].add(category_id)
    for organization in named.values():
        for category in categories:
            if organizations is None and category.pk not in filled[organization.pk]:
                continue
            found = tuple(cells.get((organization.pk, category.pk, year)) for year in years)
            rows.append(MoneyRow(organization, category, found))
    return MoneyTable(years, tuple(rows), tuple(stated.get(year) for year in years))


def fiscal_years(version: PlanVersion) -> range:
    """This function will return the fiscal years that the version's period touches."""
    return range(fiscal_year_of(version.starts_on), fiscal_year_of(version.ends_on) + 1)


def participants(project: Project) -> list[Organization]:
    """This function will return the institutions that take part today: the lead first."""
    rows = Participation.objects.filter(project=project, ends_on__isnull=True).select_related("organization")
    order = {"lead": 0, "partner": 1, "subcontractor": 2}
    return [row.organization for row in sorted(rows, key=lambda row: (order[row.role], row.organization.name_kana))]
