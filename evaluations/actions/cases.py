"""Cases: documents opened, concluded by a decision, invalidated with a reason and reviewed anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, NotReady, Refused
from common.states import locked, move
from common.text import clean
from evaluations.models import Case, GateDecision, GateReview, Panel, Round
from evaluations.rules.cases import case_actions, case_blockers
from evaluations.rules.rounds import round_actions
from evaluations.states import CASE_LIVE, CASE_MOVES, DECIDED, GATE_REVIEW_MOVES, RECOMMENDED, RELEASED, ROUND_MOVES
from programs.actions.phase_locks import lift_phase_lock

DECIDED_ALREADY = gettext_lazy(
    "This is decided already. A decision is corrected by a new decision, not by an invalid review."
)


def add_case(review: GateReview, *, like: Case | None = None) -> Case:
    """This function will put a review before the round's panel as its next case; the caller records why."""
    panel = Panel.objects.select_for_update().get(round_id=review.round_id)
    last = Case.objects.filter(panel=panel).aggregate(last=Max("number"))["last"] or 0
    made = Case.objects.create(panel=panel, number=last + 1, gate_review=review, is_sample=review.is_sample)
    if like is not None:
        made.expertises.set(like.expertises.all())
    return made


@transaction.atomic
def open_documents(case: Case, *, by: User, at: datetime) -> Case:
    """This function will open a case's documents to whom has no conflict. `NotReady` names what is missing."""
    row = _locked_for(case, "case.open_documents", by)
    if blockers := case_blockers(row, localdate(at)):
        raise NotReady(_("The documents cannot be opened yet."), blockers)
    row.opened_at = at
    before = move(row, "open_documents", CASE_MOVES, also=("opened_at",))
    record("open_documents", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    return row


@transaction.atomic
def invalidate_case(case: Case, *, reason: str, by: User, at: datetime) -> Case:
    """This function will invalidate a case and put its review before the panel anew; the new case is returned.

    What was scored stays frozen and hidden with the old case; a recommendation is taken back. Raises `NotAllowed`, and
    `Refused` without a reason or once it was decided (a decision is corrected by a new decision).
    """
    review = locked(GateReview, case.gate_review_id)
    row = _locked_for(case, "case.invalidate", by)
    why = _written(reason)
    _refuse_decided([review])
    _invalidate(row, why, by, at)
    if review.state == RECOMMENDED:
        before = move(review, "take_back", GATE_REVIEW_MOVES)
        record("take_back_recommendation", review, by=by, at=at, before={"state": before}, reason=why)
    return add_case(review, like=row)


@transaction.atomic
def invalidate_round(one: Round, *, reason: str, by: User, at: datetime) -> Round:
    """This function will invalidate a round with all of its cases and reviews; a clone of it starts anew.

    Raises `NotAllowed`, and `Refused` without a reason or when anything in it was decided.
    """
    row = locked(Round, one.pk)
    if "round.invalidate" not in round_actions(by, row):
        raise NotAllowed(_("This step is not open to you in the present state of the round."))
    why = _written(reason)
    reviews = list(GateReview.objects.select_for_update().filter(round=row).order_by("pk"))
    _refuse_decided(reviews)
    if GateDecision.objects.filter(gate_review__in=reviews, decided_at__isnull=False).exists():
        raise Refused(str(DECIDED_ALREADY), "decided")
    for case in Case.objects.select_for_update().filter(panel__round=row, state__in=CASE_LIVE).order_by("pk"):
        _invalidate(case, why, by, at)
    for review in reviews:
        if review.state in GATE_REVIEW_MOVES["invalidate"].sources:
            review.invalidated_reason = why
            before = move(review, "invalidate", GATE_REVIEW_MOVES, also=("invalidated_reason",))
            record("invalidate_gate_review", review, by=by, at=at, before={"state": before}, reason=why)
            if review.project is not None:
                lift_phase_lock(review.project, source_ref=review.ref, by=by, at=at)
    row.invalidated_reason = why
    before = move(row, "invalidate", ROUND_MOVES, also=("invalidated_reason",))
    record("invalidate_round", row, by=by, at=at, before={"state": before}, reason=why)
    return row


def _invalidate(row: Case, why: str, by: User, at: datetime) -> None:
    row.invalidated_reason = why
    before = move(row, "invalidate", CASE_MOVES, also=("invalidated_reason",))
    record("invalidate_case", row, by=by, at=at, before={"state": before}, reason=why)


def _refuse_decided(reviews: Iterable[GateReview]) -> None:
    if any(review.state in (DECIDED, RELEASED) for review in reviews):
        raise Refused(str(DECIDED_ALREADY), "decided")


def _written(text: str) -> str:
    written = clean(text).strip()
    if not written:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    return written


def _locked_for(case: Case, permission: str, by: User) -> Case:
    row = locked(Case, case.pk)
    if permission not in case_actions(by, row):
        raise NotAllowed(_("This step is not open to you in the present state of the case."))
    return row
