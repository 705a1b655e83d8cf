"""Decisions on gates: drafted, taken by another than recommended and drafted, typeset. The effect comes with the release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from common import files
from common.actors import SYSTEM
from common.audit import record
from common.background import run_later
from common.canonical import content_hash
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.models import StoredFile
from common.states import locked, move
from common.text import clean, clean_line
from evaluations.actions.cases import add_case
from evaluations.documents import decision_file_name, decision_file_pdf, decision_letter_name, decision_letter_pdf
from evaluations.models import Case, Condition, GateDecision, GateReview, WindDownItem
from evaluations.queries.decision_contents import decision_content
from evaluations.queries.decisions import (
    case_to_decide,
    decision_to_correct,
    draft_of,
    finding_of,
    missing_for,
    preview_of,
)
from evaluations.rules.decisions import decision_actions, reason_called, review_blockers, reviews_decided_by
from evaluations.states import CASE_LIVE, CASE_MOVES, DECIDED, DECISION_MOVES, GATE_REVIEW_MOVES, RECOMMENDED
from programs.models import PlanVersion
from programs.queries import projects_visible_to

FIELDS = ("outcome", "reason_code", "reason", "effective_on", "ends_on", "plan_change", "bridging_yen")
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the review. Its page says who acts next.")
NOT_STAFF = gettext_lazy("Decisions are drafted by the ministry's staff of the program.")
MOST_ROWS = 40


@transaction.atomic
def draft_decision(
    review: GateReview,
    *,
    values: Mapping[str, Any],
    conditions: Iterable[Mapping[str, Any]] = (),
    wind_down: Iterable[Mapping[str, Any]] = (),
    revision: int = 0,
    by: User,
    at: datetime,
) -> GateDecision:
    """This function will draft the review's decision, or write the draft anew if nobody saved it since `revision`.

    `values` has the outcome, reason, days, change of the plan and bridging money; `conditions` and `wind_down` replace
    what the draft had. A draft may lack things; deciding names them. Raises `NotAllowed`, `NotReady` for a review that
    cannot be decided on yet (its dossier is not sealed, nobody recommends), `StaleEdit`.
    """
    row = locked(GateReview, review.pk)
    if not GateReview.objects.filter(reviews_decided_by(by), pk=row.pk).exists():
        raise NotAllowed(str(NOT_STAFF))
    case, corrects = case_to_decide(row), decision_to_correct(row)
    if blockers := review_blockers(row, finding_of(case), corrects):
        raise NotReady(_("No decision can be drafted yet."), blockers)
    assert case is not None
    typed = _typed(values)
    _refuse_conflict(typed["plan_change"], by)
    draft = _open_draft(row, case, corrects, typed, revision, by, at)
    asked = [_asked(one, place) for place, one in enumerate(conditions, 1)]
    steps = [_asked(one, place) for place, one in enumerate(wind_down, 1)]
    if len(asked) > MOST_ROWS or len(steps) > MOST_ROWS:
        raise Refused(_("Enter at most %(count)s rows.") % {"count": MOST_ROWS}, "too_many", "conditions")
    Condition.objects.filter(decision=draft).delete()
    WindDownItem.objects.filter(decision=draft).delete()
    for one in asked:
        Condition.objects.create(decision=draft, **one)
    for one in steps:
        WindDownItem.objects.create(decision=draft, **one)
    after = {"outcome": draft.outcome, "conditions": len(asked)}
    # On the decision itself: the review's history is read by more people than may know what is drafted.
    record("draft_decision", draft, by=by, at=at, after=after)
    return draft


def _refuse_conflict(change: PlanVersion | None, by: User) -> None:
    """Of the project itself the review has told; here it is about the one that takes the project in."""
    if change is not None and not projects_visible_to(by).filter(pk=change.project_id).exists():
        raise NotAllowed(_("You do not decide on the project that takes this one in. Ask a colleague."), "conflict")


def _open_draft(
    review: GateReview, case: Case, corrects: GateDecision | None, typed: Mapping[str, Any], revision: int, by: User, at: datetime
) -> GateDecision:  # fmt: skip
    draft = draft_of(review)
    if draft is not None and draft.case_id != case.pk:
        # The case it was drafted for has been reviewed anew since.
        move(draft, "withdraw", DECISION_MOVES)
        draft = None
    if draft is None:
        return GateDecision.objects.create(
            gate_review=review, case=case, corrects=corrects, is_sample=review.is_sample, drafted_by=by, drafted_at=at,
            **typed,
        )  # fmt: skip
    if revision != draft.revision:
        message = _("Somebody else saved this draft in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=draft, submitted=dict(typed))
    for name, value in typed.items():
        setattr(draft, name, value)
    # Whoever writes the draft answers for it as its drafter.
    draft.corrects, draft.drafted_by, draft.drafted_at, draft.revision = corrects, by, at, draft.revision + 1
    draft.save(update_fields=[*typed, "corrects", "drafted_by", "drafted_at", "revision"])
    return draft


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    typed = {name: values.get(name) for name in FIELDS}
    typed["reason"] = clean(typed["reason"] or "").strip()
    found = []
    if typed["outcome"] not in GateDecision.Outcome.values:
        found.append(Blocker("outcome", "required", _("Choose the outcome.")))
    if reason_called(typed["reason_code"] or "") is None:
        found.append(Blocker("reason_code", "required", _("Choose the reason.")))
    if typed["effective_on"] is None:
        found.append(Blocker("effective_on", "required", _("Enter the day from which it holds.")))
    if typed["bridging_yen"] is not None and typed["bridging_yen"] <= 0:
        found.append(Blocker("bridging_yen", "not_positive", _("Enter more than 0, or leave it empty.")))
    if typed["bridging_yen"] is not None and typed["outcome"] != GateDecision.Outcome.DEFER:
        message = _("A bridging allocation goes only with a re-examination. Take it out.")
        found.append(Blocker("bridging_yen", "not_deferred", message))
    if found:
        raise NotReady(_("Not saved. Correct what is marked."), found)
    return typed


def _asked(given: Mapping[str, Any], place: int) -> dict[str, Any]:
    row = {**given, "number": place, "text": clean(given.get("text") or "").strip()}
    if not row["text"] or row.get("due_on") is None:
        message = _("Row %(number)s: enter both what is asked for and by when.") % {"number": place}
        raise Refused(message, "row_incomplete", "wind_down" if "kind" in row else "conditions")
    if (row.get("released_yen") or 0) < 0:
        raise Refused(
            _("Step %(number)s: enter 0 yen or more, or leave it empty.") % {"number": place}, "negative", "wind_down"
        )
    return row


@transaction.atomic
def withdraw_draft(review: GateReview, *, by: User, at: datetime) -> GateDecision:
    """This function will take the draft back for good; a new one can be written."""
    _row, draft = _locked_draft(review, "decision.withdraw", by)
    move(draft, "withdraw", DECISION_MOVES)
    record("withdraw_decision", draft, by=by, at=at)
    return draft


@transaction.atomic
def decide(review: GateReview, *, number: str, decided_on: date, revision: int, by: User, at: datetime) -> GateDecision:
    """This function will take the drafted decision under its number (決裁番号): by another than drafted and recommended.

    `revision` is the draft whose effect was looked at; one saved anew since is not signed unseen (`StaleEdit`).

    The decision is frozen with its content and hash, its case is concluded; a re-examination gets its new case. Nothing
    of it shows before the release, which carries it into plan and project. Raises `NotAllowed`, `NotReady` with
    everything that is missing or does not fit, `Refused` for a number or a day that cannot be.
    """
    row, draft = _locked_draft(review, "decision.decide", by)
    if revision != draft.revision:
        message = _(
            "The draft was saved anew since this page was opened. Go back, look at what it does now, then sign."
        )
        raise StaleEdit(message, current=draft, submitted=revision)
    signed = clean_line(number).strip()
    if not signed:
        raise Refused(_("Enter the number of the decision (決裁番号)."), "required", "number")
    if decided_on > localdate(at):
        raise Refused(_("The day of the decision lies in the future."), "future", "decided_on")
    preview = preview_of(draft, localdate(at))
    if blockers := missing_for(draft, preview):
        raise NotReady(_("The decision cannot be taken yet."), blockers)
    _conclude(row, draft, at)
    draft.content = decision_content(draft, preview, number=signed, decided_on=decided_on, by=by, at=at)
    draft.content_hash = content_hash(draft.content)
    draft.number, draft.decided_by, draft.decided_at, draft.decided_on = signed, by, at, decided_on
    if draft.corrects is not None and draft.corrects.state == DECIDED:
        move(locked(GateDecision, draft.corrects.pk), "replace", DECISION_MOVES)
    also = ("content", "content_hash", "number", "decided_by", "decided_at", "decided_on", "new_case")
    move(draft, "decide", DECISION_MOVES, also=also)
    if row.state == RECOMMENDED:
        move(row, "decide", GATE_REVIEW_MOVES)
    after = {"state": draft.state, "outcome": draft.outcome, "decision_number": signed}
    record("decide_gate_review", draft, by=by, at=at, before={"state": "drafted"}, after=after, reason=draft.reason)
    run_later("evaluations.render_decision", decision_id=draft.pk)
    return draft


def _conclude(review: GateReview, draft: GateDecision, at: datetime) -> None:
    draft.case = case = locked(Case, draft.case_id)
    if case.state in CASE_LIVE:
        if case.state != Case.State.OPEN:
            blocker = Blocker("case", "documents_closed", _("The documents of the case have not been opened."))
            raise NotReady(_("The decision cannot be taken yet."), [blocker])
        case.concluded_at = at
        move(case, "conclude", CASE_MOVES, also=("concluded_at",))
    former = draft.corrects.new_case if draft.corrects is not None and draft.corrects.released_at is None else None
    if draft.outcome == GateDecision.Outcome.DEFER:
        draft.new_case = former or add_case(review, like=case)
    elif former is not None and former.state in CASE_LIVE:
        former.invalidated_reason = draft.reason
        move(former, "invalidate", CASE_MOVES, also=("invalidated_reason",))


def attach_decision_papers(decision_id: int, *, at: datetime) -> list[StoredFile]:
    """This function will typeset the decision file, and once it is released the letter; each is kept once."""
    decision = GateDecision.objects.select_related("letter", "file").get(pk=decision_id)
    wanted = [("file", decision_file_pdf, decision_file_name)]
    if decision.released_at is not None:
        wanted.append(("letter", decision_letter_pdf, decision_letter_name))
    kept = []
    for field, draw, name in wanted:
        if getattr(decision, field) is None:
            made = draw(decision)
            with transaction.atomic():
                row = locked(GateDecision, decision.pk)
                if getattr(row, field) is None:
                    setattr(row, field, files.store(made, name(decision), at=at, is_sample=decision.is_sample))
                    row.save(update_fields=[field])
                    after = {"sha256": getattr(row, field).sha256}
                    record("attach_decision_paper", row, by=SYSTEM, at=at, after=after)
                setattr(decision, field, getattr(row, field))
        kept.append(getattr(decision, field))
    return kept


def _locked_draft(review: GateReview, permission: str, by: User) -> tuple[GateReview, GateDecision]:
    """The review and its draft under lock, if this person may do this now."""
    row = locked(GateReview, review.pk)
    allowed, draft = decision_actions(by, row), draft_of(row)
    if permission not in allowed or draft is None:
        if draft is not None and draft.drafted_by_id == by.pk and "decision.preview" in allowed:
            raise NotAllowed(_("Whoever drafted the decision does not take it. Ask a colleague."), "second_person")
        if draft is not None and finding_of(draft.case) is not None and "decision.preview" in allowed:
            raise NotAllowed(_("Whoever recommends does not decide. Ask a colleague."), "recommender")
        raise NotAllowed(str(NOT_NOW))
    locked(GateDecision, draft.pk)
    return row, draft
