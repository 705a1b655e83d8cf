"""The sample twin's plans: a first version for each Flagship carried to its approval, and two requests to change one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from accounts.models import Organization, Person, User
from programs.actions import plans
from programs.models import (
    CostCategory,
    FundEdge,
    Participation,
    PlanDeliverable,
    PlanEffort,
    PlanGate,
    PlanMilestone,
    PlanVersion,
    PlanWorkPackage,
    Project,
    ProjectMember,
    StageGate,
)
from reporting.sample_records import sample_data

#: Of the direct costs; the others get what is left, so that nothing is lost. Indirect costs are 30% of the direct ones.
SHARES = {"goods": 45, "personnel": 35, "travel": 5}
EFFORT = {"principal_investigator": 40, "co_investigator": 30}


def open_versions(projects: Iterable[Project], state: str) -> list[PlanVersion]:
    """This function will return the versions of these projects that are in this state."""
    rows = PlanVersion.objects.filter(project__in=list(projects), state=state).select_related("project")
    return list(rows.order_by("project__ref"))


def write_first_plan(project: Project, *, by: User, at: datetime) -> bool:
    """This function will write a project's first plan from what the twin holds, once; tells whether it did."""
    if PlanVersion.objects.filter(project=project).exists():
        return False
    texts = sample_data("sample_plans.json")
    version = plans.open_plan(project, by=by, at=at)
    how: dict[str, Any] = {"by": by, "at": at}
    period = {"starts_on": version.starts_on, "ends_on": max(version.ends_on, _last_day(project))}
    summary = texts["summary"][project.ref.removeprefix("sample-")]
    version = plans.save_frame(version, **period, summary=summary, revision=0, **how)
    parts = Participation.objects.filter(project=project, role__in=["lead", "partner"]).select_related("organization")
    for part in parts.order_by("role"):
        package = {**texts["work_packages"][part.role], **period, "organization": part.organization}
        plans.save_item(version, PlanWorkPackage, values=package, **how)
    _write_goals(version, texts, how)
    _write_money(version, how)
    _write_efforts(version, how)
    return True


def _last_day(project: Project) -> date:
    last = project.milestones.order_by("-planned_on").first()
    gate = StageGate.objects.filter(program=project.program_id).order_by("-held_on").first()
    days = [last.planned_on if last else date.min, gate.held_on if gate else date.min]
    # To the end of the fiscal year in which the last of them lies.
    newest = max(days)
    return date(newest.year + (newest.month >= 4), 3, 31)


def _write_goals(version: PlanVersion, texts: dict[str, Any], how: dict[str, Any]) -> None:
    climbs = dict(version.project.trl_assessments.filter(kind="planned").values_list("on", "level__number"))
    for one in version.project.milestones.order_by("number"):
        values = {
            "trl_level": climbs.get(one.planned_on),
            "title": one.title,
            "planned_on": one.planned_on,
            "criterion": one.criterion,
            "evidence_asked": texts["evidence"],
        }
        plans.save_item(version, PlanMilestone, values=values, **how)
    starts_on = version.starts_on
    for gate in StageGate.objects.filter(program=version.project.program_id).order_by("held_on"):
        values = {"gate": gate, "title": gate.name_ja, "held_on": gate.held_on, "phase_starts_on": starts_on}
        values |= {"criteria": gate.criteria, "evidence_asked": texts["gate_evidence"]}
        plans.save_item(version, PlanGate, values=values, **how)
        starts_on = gate.held_on + timedelta(days=1)
    due_on = date(version.ends_on.year, 5, 31)
    plans.save_item(version, PlanDeliverable, values={"title": texts["final_report"], "due_on": due_on}, **how)


def _write_money(version: PlanVersion, how: dict[str, Any]) -> None:
    """What flows to each institution by year, split over the cost categories; the parts add up to the yen."""
    categories = {category.ref: category.pk for category in CostCategory.objects.all()}
    cells: dict[tuple[int, int, int], int] = {}
    totals: dict[int, int] = {}
    for edge in _edges(version.project):
        totals[edge.fiscal_year] = totals.get(edge.fiscal_year, 0) + edge.amount_yen
        for ref, amount in _split(edge.amount_yen).items():
            cells[edge.fiscal_year, edge.target.organization_id or 0, categories[ref]] = amount
    plans.save_money(version, cells=cells, totals=totals, **how)


def _edges(project: Project) -> list[FundEdge]:
    rows = FundEdge.objects.filter(
        target__kind="organization", target__project=project, kind="allocation", status="in_force"
    ).select_related("target")
    return list(rows.order_by("fiscal_year", "target_id"))


def _split(amount: int) -> dict[str, int]:
    indirect = amount * 30 // 130
    direct = amount - indirect
    parts = {ref: direct * percent // 100 for ref, percent in SHARES.items()}
    return {**parts, "other": direct - sum(parts.values()), "indirect": indirect}


def _write_efforts(version: PlanVersion, how: dict[str, Any]) -> None:
    years = sorted({edge.fiscal_year for edge in _edges(version.project)})
    members = ProjectMember.objects.filter(project=version.project).select_related("person", "organization")
    for member in members.order_by("role", "pk"):
        for year in years:
            plans.save_item(
                version, PlanEffort, values=_effort(member.person, member.organization, member, year), **how
            )


def _effort(person: Person, organization: Organization, member: ProjectMember, year: int) -> dict[str, Any]:
    return {
        "person": person,
        "organization": organization,
        "fiscal_year": year,
        "effort_percent": EFFORT[member.role],
        "role": str(member.get_role_display()),
    }


def request_change(
    project: Project, *, kind: str, days: int, by: User, at: datetime, again: bool = False
) -> PlanVersion | None:
    """This function will ask to move the last milestone by these days; returns the submitted version.

    Once, unless it is asked for `again`.
    """
    if PlanVersion.objects.filter(project=project).count() != 1 and not again:
        return None
    reason = sample_data("sample_plans.json")["change"][kind]
    version = plans.open_plan(project, kind=kind, reason=reason, by=by, at=at)
    last = PlanMilestone.objects.filter(version=version).order_by("-planned_on", "-key").first()
    if last is not None:
        values = {"title": last.title, "planned_on": last.planned_on + timedelta(days=days)}
        plans.save_item(version, PlanMilestone, values=values, key=last.key, by=by, at=at)
    return plans.submit_plan(version, by=by, at=at)
