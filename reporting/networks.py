"""A project's network of partners: what each institution does, gets, owes and last entered, as its HQ looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.queries import in_force
from programs import planning
from programs.models import (
    HQMember,
    Milestone,
    Participation,
    PlanRead,
    PlanVersion,
    Project,
    ProjectMember,
    read_plans,
)
from programs.queries.plans import MoneyGrid, money_grid, plan_history
from programs.states import APPROVED, PLAN_OPEN, PLAN_WRITABLE
from reporting.models import ProgressReport, ReportSection
from reporting.rules import WRITABLE, reports_visible


@dataclass(frozen=True, slots=True)
class MilestoneShown:
    """A milestone for which an institution is responsible."""

    key: str
    title: str
    planned_on: date
    reached_on: date | None

    def is_late(self, today: date) -> bool:
        """This function will tell whether its day has passed without its being reached."""
        return self.reached_on is None and self.planned_on < today


@dataclass(slots=True)
class PartnerRow:
    """One participating institution."""

    participation: Participation
    members: list[ProjectMember] = field(default_factory=list)
    years: list[int | None] = field(default_factory=list)
    milestones: list[MilestoneShown] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    last_at: datetime | None = None
    last_by: Any = None

    @property
    def total_yen(self) -> int:
        return sum(yen or 0 for yen in self.years)


@dataclass(frozen=True, slots=True)
class Network:
    """Everything the page shows. `plan` is the version whose money and milestones stand in it."""

    rows: list[PartnerRow]
    headquarters: list[HQMember]
    plan: PlanVersion | None
    grid: MoneyGrid | None
    team_milestones: list[MilestoneShown]
    report: ProgressReport | None

    @property
    def sums(self) -> list[int]:
        """The yen of each year over all institutions of the plan, those without a part today among them."""
        return [cell.yen or 0 for cell in self.grid.sums] if self.grid else []


def network_of(user: object, project: Project, today: date) -> Network:
    """This function will read the network of a project that the reader was found to see, in constant queries."""
    parts = Participation.objects.filter(project=project, ends_on__isnull=True).select_related("organization")
    order = {"lead": 0, "partner": 1, "subcontractor": 2}
    rows = {
        one.organization_id: PartnerRow(one)
        for one in sorted(parts, key=lambda one: (order[one.role], one.organization.name_kana, one.pk))
    }
    members = ProjectMember.objects.filter(in_force(today), project=project).select_related("person")
    for member in members.order_by("-role", "person__name_kana", "pk"):
        if member.organization_id in rows:
            rows[member.organization_id].members.append(member)
    plan, draft, reads = _plans(user, project, today)
    grid = money_grid(reads[plan.pk]) if plan else None
    reached = dict(Milestone.objects.filter(project=project).values_list("number", "reached_on"))
    team = _milestones(rows, reads[plan.pk], reached) if plan else []
    if grid:
        _money(rows, grid)
    report = _report(user, project)
    if report is not None:
        _read_report(rows, report)
    if draft is not None:
        _missing_in_plan(rows, draft, reads[draft.pk])
    headquarters = HQMember.objects.filter(in_force(today), headquarters__project=project).select_related("person")
    return Network(list(rows.values()), list(headquarters), plan, grid, team, report)


def _plans(
    user: object, project: Project, today: date
) -> tuple[PlanVersion | None, PlanVersion | None, dict[int, PlanRead]]:
    """The version in force, else the one under way; and the one being written: as far as the reader may read them."""
    versions = list(plan_history(user, project).filter(state__in=sorted([*PLAN_OPEN, APPROVED])))
    approved = [one for one in versions if one.state == APPROVED and one.effective_on and one.effective_on <= today]
    under_way = next((one for one in versions if one.state in PLAN_OPEN), None)
    plan = max(approved, key=lambda one: one.effective_on or date.min, default=under_way)
    draft = under_way if under_way is not None and under_way.state in PLAN_WRITABLE else None
    wanted = {one.pk for one in (plan, draft) if one is not None}
    return plan, draft, read_plans(wanted) if wanted else {}


def _milestones(rows: dict[int, PartnerRow], read: PlanRead, reached: dict[int, date | None]) -> list[MilestoneShown]:
    """Give each institution its milestones; return those of the whole team."""
    by_ref = {row.participation.organization.ref: row for row in rows.values()}
    team = []
    for one in sorted(read.plan.each(planning.Milestone), key=lambda one: (one.planned_on, one.key)):
        number = one.key.removeprefix("M")
        on = reached.get(int(number)) if number.isdecimal() else None
        shown = MilestoneShown(one.key, one.title, one.planned_on, on)
        (by_ref[one.organization].milestones if one.organization in by_ref else team).append(shown)
    return team


def _money(rows: dict[int, PartnerRow], grid: MoneyGrid) -> None:
    for row in rows.values():
        row.years = [None] * len(grid.years)
    for part in grid.parts:
        if part.organization.pk in rows:
            rows[part.organization.pk].years = [cell.yen or None for cell in part.sums]


def _report(user: object, project: Project) -> ProgressReport | None:
    """The report that is being written now, soonest due first."""
    rows = ProgressReport.objects.filter(reports_visible(user), project=project)
    return rows.order_by("-fiscal_year", "due_on", "pk").first()


def _read_report(rows: dict[int, PartnerRow], report: ProgressReport) -> None:
    """Who last entered something in the newest report, and what is missing while it is being written.

    The team's sections count for the lead institution. Only whether there is text is looked at, not the text.
    """
    lead = next((row for row in rows.values() if row.participation.role == Participation.Role.LEAD), None)
    sections = ReportSection.objects.filter(report=report).select_related("saved_by__person").order_by("position")
    for section in sections:
        row = rows.get(section.organization_id) if section.organization_id else lead
        if row is None:
            continue
        if section.saved_at and (row.last_at is None or section.saved_at > row.last_at):
            row.last_at, row.last_by = section.saved_at, section.saved_by
        if report.state in WRITABLE and not section.text.strip():
            row.missing.append(_("report: %(section)s") % {"section": section.get_key_display()})


def _missing_in_plan(rows: dict[int, PartnerRow], draft: PlanVersion, read: PlanRead) -> None:
    for row in rows.values():
        if row.participation.role == Participation.Role.SUBCONTRACTOR:
            continue
        ref = row.participation.organization.ref
        for part, words in (
            (planning.WorkPackage, _("plan, version %(number)s: a work package")),
            (planning.BudgetCell, _("plan, version %(number)s: the budget")),
        ):
            if not any(one.organization == ref for one in read.plan.each(part)):  # type: ignore[attr-defined]
                row.missing.append(words % {"number": draft.number})
