"""Change orders (変更命令): a plan changed, or a project ended, by a decision of two officers on a gate.

The decision has been taken elsewhere, with its own checks of who may take it; here it is carried into plan and project.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.actors import Actor
from common.audit import record
from common.canonical import content_hash
from common.errors import NotReady, Refused
from common.states import locked, move
from programs import notices
from programs.actions.plan_effects import carry_milestones, carry_project, copy_cut_short, plan_content, refuse_dates
from programs.models import ChangeRequest, PlanVersion, Project
from programs.queries.revisions import APPROVABLE
from programs.rules.plans import plan_blockers, plan_in_force
from programs.states import PLAN_MOVES, PLAN_OPEN, PLAN_WRITABLE, PROJECT_MOVES, RUNNING, STOPPED


@dataclass(frozen=True, slots=True)
class Order:
    """Who drafted and who decided what is ordered, under which number, from when, and why."""

    drafted_by: User
    decided_by: User
    number: str
    decided_on: date
    effective_on: date
    reason: str


@transaction.atomic
def approve_by_order(version: PlanVersion, order: Order, *, at: datetime) -> PlanVersion:
    """This function will approve a version that the director has confirmed, as the decision says.

    Raises `Refused` for a version in another state or dates that cannot be, `NotReady` when the plan does not fit.
    """
    locked(Project, version.project_id)
    row = locked(PlanVersion, version.pk)
    if row.state not in APPROVABLE:
        raise Refused(_("The plan version is not confirmed by the program director, or is withdrawn."), "not_confirmed")
    refuse_dates(row, order.decided_on, order.effective_on, localdate(at))
    if blockers := plan_blockers(row, max(localdate(at), order.effective_on)):
        raise NotReady(_("The plan no longer fits. Return it to the team."), blockers)
    also = _signed(row, order, at)
    if row.state != PlanVersion.State.IN_APPROVAL:
        move(row, "propose_approval", PLAN_MOVES, also=also)
    before = move(row, "approve", PLAN_MOVES, also=also)
    _tell(row, "approve_plan", order, at, before)
    carry_milestones(row, order.decided_by, at)
    carry_project(row, order.decided_by, at)
    return row


@transaction.atomic
def end_by_order(project: Project, order: Order, *, ends_on: date, at: datetime) -> PlanVersion | None:
    """This function will end a project on a day: its plan cut short in a version of its own, the project stopped.

    An open version of the team's is closed first. Returns the version, or None for a project without a plan.
    """
    row = locked(Project, project.pk)
    base = plan_in_force(row.pk, date.max)
    if base is None:
        _stop(row, order, at)
        return None
    refuse_dates(base, order.decided_on, order.effective_on, localdate(at))
    _close_open_version(row, order, at)
    last = PlanVersion.objects.filter(project=row).order_by("-number").first()
    assert last is not None
    version = PlanVersion.objects.create(
        project=row, number=last.number + 1, base=base, starts_on=base.starts_on, ends_on=min(base.ends_on, ends_on),
        summary=base.summary, opened_by=order.drafted_by, opened_at=at, is_sample=row.is_sample,
    )  # fmt: skip
    copy_cut_short(base, version, ends_on)
    ChangeRequest.objects.create(version=version, kind=ChangeRequest.Kind.STOP, reason=order.reason)
    version.content_hash = content_hash(plan_content(version))
    also = (*_signed(version, order, at), "content_hash")
    before = move(version, "order", PLAN_MOVES, also=also)
    _tell(version, "order_plan", order, at, before)
    carry_milestones(version, order.decided_by, at)
    carry_project(version, order.decided_by, at)
    return version


def _close_open_version(project: Project, order: Order, at: datetime) -> None:
    open_one = PlanVersion.objects.select_for_update().filter(project=project, state__in=PLAN_OPEN).first()
    if open_one is None:
        return
    step = "withdraw" if open_one.state in PLAN_WRITABLE else "refuse"
    before = move(open_one, step, PLAN_MOVES)
    _tell(open_one, f"{step}_plan", order, at, before)


@transaction.atomic
def resume_by_order(project: Project, *, reason: str, by: Actor, at: datetime) -> None:
    """This function will let a project run again that a decision had stopped and a newer one does not."""
    row = locked(Project, project.pk)
    if row.state == STOPPED:
        before = move(row, "resume", PROJECT_MOVES)
        record("resume_project", row, by=by, at=at, before={"state": before}, after={"state": RUNNING}, reason=reason)


def _stop(project: Project, order: Order, at: datetime) -> None:
    before = move(project, "stop", PROJECT_MOVES)
    after = {"state": project.state}
    record(
        "stop_project", project, by=order.decided_by, at=at, before={"state": before}, after=after, reason=order.reason
    )


def _signed(row: PlanVersion, order: Order, at: datetime) -> tuple[str, ...]:
    row.approval_drafted_by, row.approval_drafted_at, row.decision_number = order.drafted_by, at, order.number
    row.approved_by, row.approved_at = order.decided_by, at
    row.decided_on, row.effective_on = order.decided_on, order.effective_on
    return (
        "approval_drafted_by", "approval_drafted_at", "decision_number", "approved_by", "approved_at", "decided_on",
        "effective_on",
    )  # fmt: skip


def _tell(row: PlanVersion, act: str, order: Order, at: datetime, before: str) -> None:
    after = {"plan": row.ref, "version": row.number, "state": row.state, "decision_number": order.number}
    record(act, row.project, by=order.decided_by, at=at, before={"state": before}, after=after, reason=order.reason)
    notices.plan_moved(row, "approve" if row.state == PlanVersion.State.APPROVED else "refuse", at=at)
