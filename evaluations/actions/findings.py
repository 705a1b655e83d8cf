"""Findings: drafted, given by the chair (which recommends), countersigned where a director chairs, taken back; opinions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, count_characters
from evaluations.models import Assignment, Case, DirectorOpinion, Finding, GateReview, MinorityOpinion, RubricGrade
from evaluations.queries.findings import proposed_grade
from evaluations.rules.findings import finding_actions, giving_blockers, is_over, why_not_giver
from evaluations.states import CHECKING, CONFIRMED, FINDING_MOVES, GATE_REVIEW_MOVES

LONGEST_PART = 8000
LONGEST_OPINION = 8000
TEXTS = ("overall", "strengths", "remarks", "conditions", "grade_reason")
FIELDS = (*TEXTS, "grade", "recommendation")


@transaction.atomic
def save_finding(case: Case, *, values: Mapping[str, Any], revision: int, by: User, at: datetime) -> Finding:
    """This function will save what of a draft is named in `values`, if nobody saved it since `revision`.

    Texts, `grade` (of the round's legend, or None) and `recommendation`; grade and recommendation are two fields.
    Raises `NotAllowed`, `StaleEdit` with both versions, `NotReady` with each wrong value at its field.
    """
    row, finding = _locked_for(case, "finding.edit", by)
    typed = {name: clean(values[name]).strip() if name in TEXTS else values[name] for name in FIELDS if name in values}
    if blockers := _wrong(row, typed):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    there = finding or Finding(case=row)
    changed = {name: value for name, value in typed.items() if getattr(there, name) != value}
    if finding is not None and not changed:
        return finding
    if revision != there.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=there, submitted=typed)
    before: dict[str, Any] = {
        name: str(getattr(there, name) or "") for name in ("grade", "recommendation") if name in changed
    }
    for name, value in changed.items():
        setattr(there, name, value)
    there.revision, there.edited_by, there.edited_at = there.revision + 1, by, at
    there.save()
    after: dict[str, Any] = {name: str(changed[name] or "") for name in before} | {"revision": there.revision}
    record(
        "save_finding", there, by=by, at=at, before=before, after=after, reason=changed.get("grade_reason", "")
    )  # fmt: skip
    return there


def _wrong(case: Case, typed: Mapping[str, Any]) -> list[Blocker]:
    found = []
    for name in TEXTS:
        count = count_characters(typed.get(name, ""))
        if count > LONGEST_PART:
            message = _("Shorten this to %(limit)s characters; it has %(count)s.")
            found.append(Blocker(name, "too_long", message % {"limit": LONGEST_PART, "count": count}))
    grade: RubricGrade | None = typed.get("grade")
    if grade is not None and grade.rubric_id != case.panel.round.rubric_id:
        found.append(Blocker("grade", "foreign", _("Choose a grade of the round's legend.")))
    if typed.get("recommendation", "") not in ("", *Finding.Recommendation.values):
        found.append(Blocker("recommendation", "unknown", _("Choose what the panel recommends.")))
    return found


@transaction.atomic
def give_finding(case: Case, *, revision: int, by: User, at: datetime) -> Finding:
    """This function will give the finding of a case: the chair answers for it, and the review counts as recommended.

    `revision`: the version that the chair has read. Raises `NotAllowed` with the reason, `NotReady` with what is
    missing (the quorum with its numbers), `StaleEdit` when the text was changed since.
    """
    review = locked(GateReview, case.gate_review_id)
    row, finding = _locked_for(case, "finding.give", by)
    assert finding is not None  # without a draft nobody gives it
    if revision != finding.revision:
        message = _("The draft was changed since you opened it. Read it again, then give it.")
        raise StaleEdit(message, current=finding, submitted={})
    proposed = proposed_grade(row)
    if blockers := giving_blockers(finding, proposed, at):
        raise NotReady(_("The finding cannot be given yet."), blockers)
    _close_lapsed(finding, at)
    finding.recommended_by, finding.recommended_at, finding.proposed_grade = by, at, proposed
    before = move(finding, "give", FINDING_MOVES, also=("recommended_by", "recommended_at", "proposed_grade"))
    after = {
        "state": finding.state, "grade": str(finding.grade or ""), "proposed_grade": str(proposed or ""),
        "recommendation": finding.recommendation, "revision": finding.revision,
    }  # fmt: skip
    record("give_finding", finding, by=by, at=at, before={"state": before}, after=after, reason=finding.grade_reason)
    stood = move(review, "recommend", GATE_REVIEW_MOVES)
    record("recommend_gate_review", review, by=by, at=at, before={"state": stood}, after={"state": review.state})
    return finding


def _close_lapsed(finding: Finding, at: datetime) -> None:
    """A fact check that nobody answered ends with its day."""
    if finding.state == CHECKING:
        for check in finding.fact_checks.filter(closed_at__isnull=True):
            if is_over(check, at):
                check.closed_at = at
                check.save(update_fields=["closed_at"])


@transaction.atomic
def take_back_finding(case: Case, *, reason: str, by: User, at: datetime) -> Finding:
    """This function will take a given finding back to be drafted anew, while nothing is decided; with the reason."""
    review = locked(GateReview, case.gate_review_id)
    _row, finding = _locked_for(case, "finding.take_back", by)
    assert finding is not None  # a finding that was given
    why = clean(reason).strip()
    if not why:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    finding.recommended_by = finding.recommended_at = None
    before = move(finding, "take_back", FINDING_MOVES, also=("recommended_by", "recommended_at"))
    record(
        "take_back_finding", finding, by=by, at=at, before={"state": before}, after={"state": finding.state}, reason=why
    )  # fmt: skip
    stood = move(review, "take_back", GATE_REVIEW_MOVES)
    record("take_back_recommendation", review, by=by, at=at, before={"state": stood}, after={"state": review.state})
    return finding


@transaction.atomic
def countersign_finding(case: Case, *, revision: int, by: User, at: datetime) -> Finding:
    """This function will countersign this version of the draft, as vice chair beside a program director in the chair."""
    _row, finding = _locked_for(case, "finding.countersign", by)
    assert finding is not None  # without a draft there is nothing to sign
    if revision != finding.revision:
        message = _("The draft was changed since you opened it. Read it again, then countersign.")
        raise StaleEdit(message, current=finding, submitted={})
    finding.countersigned_by, finding.countersigned_at, finding.countersigned_revision = by, at, finding.revision
    finding.save(update_fields=["countersigned_by", "countersigned_at", "countersigned_revision"])
    record("countersign_finding", finding, by=by, at=at, after={"revision": finding.revision})
    return finding


def _locked_for(case: Case, permission: str, by: User) -> tuple[Case, Finding | None]:
    row = locked(Case, case.pk)
    finding = Finding.objects.select_for_update(of=("self",)).filter(case=row).first()
    allowed = finding_actions(by, row, finding)
    if permission not in allowed:
        if permission in ("finding.give", "finding.take_back"):
            raise NotAllowed(why_not_giver(by, row))
        raise NotAllowed(_("This step is not open to you in the present state of the finding."))
    return row, finding


# Opinions -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_director_opinion(case: Case, *, text: str, revision: int, by: User, at: datetime) -> DirectorOpinion:
    """This function will save the program director's own opinion (PD所見). Raises `NotAllowed`, `StaleEdit`, `Refused`."""
    row, _finding = _locked_for(case, "opinion.write", by)
    there = DirectorOpinion.objects.filter(case=row, author=by).first() or DirectorOpinion(case=row, author=by)
    if _written(there, text, revision, at):
        record("save_director_opinion", row, by=by, at=at, after={"characters": count_characters(there.text)})
    return there


@transaction.atomic
def save_minority_opinion(
    case: Case, *, text: str, revision: int, is_named: bool, by: User, at: datetime
) -> MinorityOpinion:
    """This function will save a reader's minority opinion; `is_named`: the panel may read whose it is."""
    row, _finding = _locked_for(case, "minority_opinion.write", by)
    member = Assignment.objects.get(case=row, member__person=by.person, state=CONFIRMED).member
    there = MinorityOpinion.objects.filter(case=row, member=member).first()
    there = there or MinorityOpinion(case=row, member=member)
    was_named, there.is_named = there.is_named, is_named
    changed = _written(there, text, revision, at)
    if changed or was_named != is_named:
        there.save()
        record("save_minority_opinion", row, by=by, at=at, after={"characters": count_characters(there.text)})
    return there


def _written(there: DirectorOpinion | MinorityOpinion, text: str, revision: int, at: datetime) -> bool:
    typed = clean(text).strip()
    count = count_characters(typed)
    if count > LONGEST_OPINION:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        raise Refused(message % {"limit": LONGEST_OPINION, "count": count}, "too_long", "text")
    if there.pk and typed == there.text:
        return False
    if revision != there.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=there, submitted=typed)
    there.text, there.revision, there.saved_at = typed, there.revision + 1, at
    there.save()
    return True
