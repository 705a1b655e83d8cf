"""Reads of plans: versions a reader may see, what is in force on a day, what differs, and the money as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, CharField, Q, QuerySet, Value, When

from accounts.models import Organization, Person
from accounts.queries import in_force
from common.fiscal_year import fiscal_year_of
from common.models import JournalEntry
from programs import planning
from programs.models import (
    ChangeAttachment,
    CostCategory,
    HQMember,
    Named,
    Participation,
    PlanBudget,
    PlanComment,
    PlanItem,
    PlanRead,
    PlanVersion,
    PlanYear,
    Project,
    ProjectMember,
    StageGate,
    plan_of,
)
from programs.queries import lead_institutions
from programs.rules.plans import plan_in_force, plans_to_act_on, plans_visible
from programs.states import CHECKED, CONFIRMED, IN_APPROVAL, SUBMITTED

PEOPLE = ("opened_by", "submitted_by", "checked_by", "confirmed_by", "approval_drafted_by", "approved_by")


def plans_visible_to(user: object) -> QuerySet[PlanVersion]:
    """This function will return the plan versions this user or client may read, newest first."""
    people = [f"{name}__person" for name in PEOPLE]
    versions = PlanVersion.objects.filter(plans_visible(user)).select_related("project", "change_request", *people)
    return versions.order_by("project__ref", "-number")


def plans_in_full(user: object) -> QuerySet[PlanVersion]:
    """This function will return the same with what a page names: program, area, lead institution, the version before."""
    related = ("project__program", "project__area", "base")
    leads = lead_institutions("project__participations")
    return plans_visible_to(user).select_related(*related).prefetch_related(leads)


def plans_awaiting(user: object) -> QuerySet[PlanVersion]:
    """This function will return the versions for which this person acts next, longest waiting first.

    `awaits` tells what: write, check, confirm, propose_approval or approve.
    """
    steps = {
        SUBMITTED: "check",
        CHECKED: "confirm",
        CONFIRMED: "propose_approval",
        IN_APPROVAL: "approve",
    }
    return (
        plans_in_full(user)
        .filter(plans_to_act_on(user))
        .annotate(
            awaits=Case(
                *(When(state=state, then=Value(step)) for state, step in steps.items()),
                default=Value("write"),
                output_field=CharField(),
            )
        )
        .order_by("opened_at", "ref")
    )


def entries_to_show(user: object, project: Project, entries: QuerySet[JournalEntry]) -> QuerySet[JournalEntry]:
    """This function will leave out of a project's journal what was done in versions that the reader may not read yet."""
    seen = list(plan_history(user, project).order_by().values_list("ref", flat=True))
    return entries.filter(Q(after__plan__isnull=True) | Q(after__plan__in=seen))


def plan_history(user: object, project: Project) -> QuerySet[PlanVersion]:
    """This function will return the project's versions that the reader may read, newest first."""
    return plans_visible_to(user).filter(project=project)


def plan_to_change(project: Project) -> PlanVersion | None:
    """This function will return the approved version that the next one is made from: the newest, in force or ahead."""
    return plan_in_force(project.pk, date.max)


def plan_as_of(user: object, project: Project, on: date) -> PlanVersion | None:
    """This function will return the version that was in force on this day, if the reader may read it."""
    approved = plan_history(user, project).filter(state=PlanVersion.State.APPROVED, effective_on__lte=on)
    return approved.order_by("-effective_on").first()


# What differs ---------------------------------------------------------------------------------------------------------


def plan_difference(before: PlanVersion, after: PlanVersion) -> tuple[planning.Change, ...]:
    """This function will return the changes from one version to the other, in the order a plan is read."""
    return planning.difference(plan_of(before), plan_of(after))


def comments_of(version: PlanVersion) -> list[PlanComment]:
    """This function will return what was said when the version was returned or refused, in the order it was said."""
    return list(PlanComment.objects.filter(version=version).select_related("by__person"))


def attachments_of(version: PlanVersion) -> QuerySet[ChangeAttachment]:
    """This function will return the files of the version's change request."""
    return ChangeAttachment.objects.filter(request__version=version).select_related("file", "added_by__person")


def item_of(version: PlanVersion, table: type[PlanItem], key: str) -> Any:
    """This function will return one item of the version to write, or None."""
    related = [name for name in ("organization", "person") if hasattr(table, name)]
    return table._default_manager.filter(version=version, key=key).select_related(*related).first()


def revision_of(version: PlanVersion) -> int:
    """This function will return the version's revision as it is now."""
    return PlanVersion.objects.values_list("revision", flat=True).get(pk=version.pk)


def plan_people(project: Project, on: date) -> list[Person]:
    """This function will return who can be planned with effort: the project's members and its headquarters."""
    members = ProjectMember.objects.filter(in_force(on), project=project)
    headquarters = HQMember.objects.filter(in_force(on), headquarters__project=project)
    return list(Person.objects.filter(Q(pk__in=members.values("person")) | Q(pk__in=headquarters.values("person"))))


def program_gates(project: Project) -> list[StageGate]:
    """This function will return the stage gates of the project's program."""
    return list(StageGate.objects.filter(program=project.program_id))


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


@dataclass(frozen=True, slots=True)
class MoneyCell:
    """Yen of one fiscal year; None where nothing is planned. `key` is the budget cell's, or the year."""

    fiscal_year: int
    key: str
    yen: int | None


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One cost category of an institution, year by year."""

    category: Named
    cells: tuple[MoneyCell, ...]

    @property
    def total_yen(self) -> int:
        return _total(self.cells)


@dataclass(frozen=True, slots=True)
class MoneyPart:
    """One institution's budget, and its sums by year."""

    organization: Named
    lines: tuple[MoneyLine, ...]
    sums: tuple[MoneyCell, ...]

    @property
    def total_yen(self) -> int:
        return _total(self.sums)


@dataclass(frozen=True, slots=True)
class MoneyGrid:
    """A budget to read: years across, institutions and their categories down; the totals stated beside the sums."""

    years: tuple[int, ...]
    parts: tuple[MoneyPart, ...]
    sums: tuple[MoneyCell, ...]
    stated: tuple[MoneyCell, ...]

    @property
    def total_yen(self) -> int:
        return _total(self.sums)

    @property
    def stated_yen(self) -> int:
        return _total(self.stated)

    @property
    def agrees(self) -> bool:
        """Whether every year's stated total is what its cells add up to."""
        return all((one.yen or 0) == (two.yen or 0) for one, two in zip(self.sums, self.stated, strict=True))


def _total(cells: Iterable[MoneyCell]) -> int:
    return sum(cell.yen or 0 for cell in cells)


def _sums(years: Iterable[int], lines: Iterable[tuple[MoneyCell, ...]]) -> tuple[MoneyCell, ...]:
    columns = list(zip(*lines, strict=True))
    return tuple(
        MoneyCell(year, str(year), _total(columns[index]) if columns else 0) for index, year in enumerate(years)
    )


def money_grid(read: PlanRead) -> MoneyGrid:
    """This function will lay out the budget of a version that has been read."""
    cells = {(c.organization, c.category, c.fiscal_year): c for c in read.plan.each(planning.BudgetCell)}
    stated = {year.fiscal_year: year.total_yen for year in read.plan.each(planning.YearTotal)}
    years = tuple(sorted({year for _, _, year in cells} | set(stated) | set(_years_of(read.plan.frame))))
    filled: dict[str, set[str]] = {}
    for organization, category, _year in cells:
        filled.setdefault(organization, set()).add(category)
    parts = []
    for organization, held in filled.items():
        lines = []
        for named in sorted((read.categories[ref] for ref in held), key=lambda one: (one.position, one.ref)):
            found = (cells.get((organization, named.ref, year)) for year in years)
            row = zip(years, found, strict=True)
            key = f"/{organization}/{named.ref}"
            lines.append(
                MoneyLine(
                    named,
                    tuple(MoneyCell(year, f"{year}{key}", cell.amount_yen if cell else None) for year, cell in row),
                )
            )
        sums = _sums(years, (line.cells for line in lines))
        parts.append(MoneyPart(read.organizations[organization], tuple(lines), sums))
    return MoneyGrid(
        years,
        tuple(parts),
        _sums(years, (part.sums for part in parts)),
        tuple(MoneyCell(year, str(year), stated.get(year)) for year in years),
    )


def _years_of(frame: planning.Frame) -> range:
    return range(fiscal_year_of(frame.starts_on), fiscal_year_of(frame.ends_on) + 1)


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
