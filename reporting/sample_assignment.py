"""Who reads what in the sample twin's rounds: the chair has readers proposed and confirms them, one declines late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from accounts.models import User
from evaluations.actions.assignment_runs import ask_for_run, run_assignment
from evaluations.actions.assignments import confirm_assignments, decline_assignment, fingerprint_of, proposals_of
from evaluations.models import Assignment, AssignmentRun, Panel
from evaluations.queries.assignments import cases_to_assign, seating_of
from evaluations.states import CONFIRMED, OPEN

if TYPE_CHECKING:
    from reporting.sample_rounds import RoundPlan


def assign_readers(plan: RoundPlan) -> int:
    """This function will have the readers proposed and confirm them, and return how many there are."""
    panel, chair = _panel(plan), plan.users["chair1"]
    if panel is None or Assignment.objects.filter(case__panel=panel).exists():
        return 0
    return _settled(panel, chair, AssignmentRun.Kind.PROPOSE, plan.at("declarations_due_on", before=-1))


def decline_late(plan: RoundPlan) -> int:
    """This function will let the secondary reader of the first case decline after the documents were opened."""
    panel = _panel(plan)
    rows = Assignment.objects.filter(case__panel=panel, case__state=OPEN)
    if panel is None or rows.filter(state="declined").exists():
        return 0
    first = rows.filter(state=CONFIRMED, role="secondary", sheet__isnull=True).order_by("case__number").first()
    if first is None:
        return 0
    reader = User.objects.get(person=first.member.person_id)
    decline_assignment(first, reason="海外出張が決まったため(見本)", by=reader, at=plan.at("seals_on", before=-2))
    return 1


def replace_reader(plan: RoundPlan) -> int:
    """This function will have a replacement proposed for who declined, and confirm it."""
    panel = _panel(plan)
    if panel is None or not Assignment.objects.filter(case__panel=panel, state="declined").exists():
        return 0
    if Assignment.objects.filter(case__panel=panel, replaces__state="declined").exists():
        return 0
    return _settled(panel, plan.users["chair1"], AssignmentRun.Kind.REPAIR, plan.at("seals_on", before=-3))


def _panel(plan: RoundPlan) -> Panel | None:
    """The round's panel, once somebody serves on it and the round is open."""
    one = plan.found
    if one is None or one.state != OPEN:
        return None
    return Panel.objects.filter(round=one, members__state="accepted").select_related("round").first()


def _settled(panel: Panel, chair: User, kind: str, at: datetime) -> int:
    run = ask_for_run(panel, kind=kind, by=chair, at=at)
    run_assignment(run.pk, clock=_ticking(at))
    seating = seating_of(panel, cases_to_assign(chair, panel))
    if not proposals_of(seating):
        return 0
    return confirm_assignments(panel, seen=fingerprint_of(seating), by=chair, at=at)


def _ticking(at: datetime) -> Callable[[], datetime]:
    return lambda: at
