"""The release of decisions: one transaction and one timestamp on all channels, in which they take effect.

Before it nothing that the team, its institutions or machines can see has changed: not the plan, not the project's state.
The money of the next phase is unlocked once the window for objections has closed and the decision is in force.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.actors import Actor
from common.audit import record
from common.background import run_later
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.states import locked, move
from evaluations import notices
from evaluations.models import GateDecision, GateReview
from evaluations.rules.decisions import decision_actions, decisions_coming_into_force, is_carried_already
from evaluations.states import DECIDED, DECISION_MOVES, DECISION_STANDS, GATE_REVIEW_MOVES
from programs.actions.change_orders import Order, approve_by_order, end_by_order, resume_by_order
from programs.actions.phase_locks import allow_bridging, lift_phase_lock

Outcome = GateDecision.Outcome


@transaction.atomic
def release_decisions(decisions: Iterable[GateDecision], *, by: User, at: datetime) -> list[GateDecision]:
    """This function will release decisions together: by another than took them, all of them or none, at one instant.

    Raises `NotAllowed`, or `NotReady` naming each decision that cannot be carried out any more (a change of the plan
    that was withdrawn, a plan that no longer fits): such a one is corrected by a new decision.
    """
    wanted = sorted({one.pk: one for one in decisions}.values(), key=lambda one: (one.gate_review_id, one.pk))
    if not wanted:
        raise Refused(_("Choose at least one decision."), "required", "decisions")
    reviews = {one.gate_review_id: locked(GateReview, one.gate_review_id) for one in wanted}
    released, blockers = [], []
    for one in wanted:
        row = _locked_for(one, reviews[one.gate_review_id], by)
        try:
            with transaction.atomic():
                _release(row, reviews[one.gate_review_id], by, at)
        except NotReady as refusal:
            blockers += [
                Blocker("decisions", each.code, f"{row.gate_review}: {each.message}") for each in refusal.blockers
            ]
        except NotAllowed:
            raise
        except Refused as refusal:
            blockers.append(Blocker("decisions", refusal.code, f"{row.gate_review}: {refusal.message}"))
        else:
            released.append(row)
    if blockers:
        raise NotReady(_("Nothing was released."), blockers)
    return released


def _locked_for(decision: GateDecision, review: GateReview, by: User) -> GateDecision:
    row = locked(GateDecision, decision.pk)
    if "decision.release" not in decision_actions(by, review) or row.state != DECIDED:
        if row.decided_by_id == by.pk:
            raise NotAllowed(_("Whoever took a decision does not release it. Ask a colleague."), "second_person")
        raise NotAllowed(
            _("This step is not open to you in the present state of the review. Its page says who acts next.")
        )
    return row


def _release(row: GateDecision, review: GateReview, by: User, at: datetime) -> None:
    _carry_out(row, review, at)
    if (former := row.corrects) is not None and former.state in DECISION_STANDS:
        move(locked(GateDecision, former.pk), "replace", DECISION_MOVES)
    row.released_by, row.released_at = by, at
    move(row, "release", DECISION_MOVES, also=("released_by", "released_at"))
    before = review.state
    if review.state == GateReview.State.DECIDED:
        move(review, "release", GATE_REVIEW_MOVES)
    if row.outcome == Outcome.DEFER and review.state == GateReview.State.RELEASED:
        move(review, "reexamine", GATE_REVIEW_MOVES)
    after = {"state": review.state, "decision": row.ref, "outcome": row.outcome}
    record("release_decision", review, by=by, at=at, before={"state": before}, after=after)
    notices.decision_released(row, at=at)
    run_later("evaluations.render_decision", decision_id=row.pk)
    if not review.round.objection_days:
        put_in_force(row, by=by, at=at)


def _carry_out(row: GateDecision, review: GateReview, at: datetime) -> None:
    """What the decision makes of plan and project, unless the one that it corrects has made just that."""
    project = review.project
    assert project is not None
    assert row.decided_by is not None
    assert row.decided_on is not None
    if is_carried_already(row):
        return
    order = Order(row.drafted_by, row.decided_by, row.number, row.decided_on, row.effective_on, row.reason)
    if (former := row.corrects) is not None and former.released_at is not None and former.ends_the_project:
        resume_by_order(project, reason=row.reason, by=row.decided_by, at=at)
    if row.outcome == Outcome.MODIFY and row.plan_change is not None:
        approve_by_order(row.plan_change, order, at=at)
    if row.ends_the_project:
        end_by_order(project, order, ends_on=_end(row), at=at)
    if row.outcome == Outcome.DEFER and row.bridging_yen:
        allow_bridging(project, source_ref=review.ref, bridging_yen=row.bridging_yen, by=row.decided_by, at=at)


def _end(row: GateDecision) -> date:
    assert row.ends_on is not None
    return row.ends_on


def put_in_force(decision: GateDecision, *, by: Actor, at: datetime) -> GateDecision:
    """This function will put a released decision in force and unlock the money of the phase that it opens."""
    row = locked(GateDecision, decision.pk)
    row.in_force_at = at
    move(row, "put_in_force", DECISION_MOVES, also=("in_force_at",))
    review = row.gate_review
    if row.outcome in (Outcome.CONTINUE, Outcome.MODIFY) and review.project is not None and not row.merges:
        lift_phase_lock(review.project, source_ref=review.ref, by=by, at=at)
    record("put_decision_in_force", review, by=by, at=at, after={"decision": row.ref})
    return row


def put_due_decisions_in_force(*, by: Actor, at: datetime) -> int:
    """This function will put in force every decision whose window has closed without an objection left open."""
    count = 0
    for one in decisions_coming_into_force(localdate(at)):
        with transaction.atomic():
            if locked(GateDecision, one.pk).state == GateDecision.State.RELEASED:
                put_in_force(one, by=by, at=at)
                count += 1
    return count
