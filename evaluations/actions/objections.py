"""Objections to decisions: filed by the team within the window, settled by staff; accepted means reviewed anew."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, Refused
from common.states import locked, move
from common.text import clean
from evaluations import notices
from evaluations.actions.cases import add_case
from evaluations.models import GateDecision, GateReview, Objection
from evaluations.rules.decisions import decision_actions, objection_until
from evaluations.states import FILED, GATE_REVIEW_MOVES, OBJECTION_MOVES, RELEASED


@transaction.atomic
def file_objection(review: GateReview, *, reasons: str, by: User, at: datetime) -> Objection:
    """This function will file the team's objection to the decision that stands, with its reasons.

    Raises `NotAllowed` for others and after the last day, `Refused` without reasons.
    """
    row = locked(GateReview, review.pk)
    standing = GateDecision.objects.select_for_update(of=("self",)).filter(gate_review=row, state=RELEASED).first()
    if standing is None or "decision.object" not in decision_actions(by, row, on=objection_until(standing)):
        raise NotAllowed(_("An objection is filed by the principal investigator or the HQ, once, within its window."))
    if localdate(at) > objection_until(standing):
        raise NotAllowed(_("The window for objections has closed."), "window_closed")
    said = clean(reasons).strip()
    if not said:
        raise Refused(_("Write the reasons of the objection."), "required", "reasons")
    made = Objection.objects.create(decision=standing, reasons=said, filed_by=by, filed_at=at)
    record("file_objection", row, by=by, at=at, after={"decision": standing.ref, "objection": made.ref})
    notices.objection_moved(made, "file", at=at)
    return made


@transaction.atomic
def settle_objection(review: GateReview, *, accepts: bool, reason: str, by: User, at: datetime) -> Objection:
    """This function will accept the objection, so that the review goes before the panel anew, or refuse it with reasons.

    The decision stands until a new one takes its place.
    """
    row = locked(GateReview, review.pk)
    found = Objection.objects.select_for_update(of=("self",)).filter(decision__gate_review=row, state=FILED).first()
    if found is None or "decision.settle_objection" not in decision_actions(by, row):
        raise NotAllowed(_("There is no open objection that you settle."))
    said = clean(reason).strip()
    if not said:
        raise Refused(_("Write the reasons of the answer. The team reads them."), "required", "reason")
    found.settled_by, found.settled_at, found.settled_reason = by, at, said
    step = "accept" if accepts else "refuse"
    before = move(found, step, OBJECTION_MOVES, also=("settled_by", "settled_at", "settled_reason"))
    after = {"objection": found.ref, "state": found.state}
    if accepts:
        move(row, "reexamine", GATE_REVIEW_MOVES)
        after["case"] = add_case(row, like=found.decision.case).ref
    record(f"{step}_objection", row, by=by, at=at, before={"state": before}, after=after, reason=said)
    notices.objection_moved(found, step, at=at)
    return found
