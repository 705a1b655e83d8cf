"""Fact checks: a draft's factual parts sent to the project with a day, answered by its team, each correction settled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, NotReady, Refused
from common.fiscal_year import date_text
from common.states import locked, move
from common.text import clean, count_characters
from evaluations.models import Case, FactCheck, FactCorrection, Finding
from evaluations.rules.fact_checks import fact_checks_visible
from evaluations.rules.findings import finding_actions, is_over, sending_blockers
from evaluations.states import CHECKING, FINDING_MOVES
from programs.drawings import language

LONGEST_CORRECTION = 4000
PARTS = tuple(FactCorrection.Part.values)


@transaction.atomic
def send_fact_check(case: Case, *, due_on: date, by: User, at: datetime) -> FactCheck:
    """This function will show overall finding, strengths and remarks as they stand to the project until the end of a day.

    Grade and recommendation are never sent. Raises `NotAllowed`, `NotReady`, `Refused` for a day that has passed.
    """
    row, finding = _locked_for(case, "finding.send", by)
    if blockers := sending_blockers(finding):
        raise NotReady(_("The draft cannot be sent yet."), blockers)
    assert finding is not None  # an empty finding has blockers
    if due_on < localdate(at):
        raise Refused(_("Choose a day that is not past."), "past", "due_on")
    decision_on = row.panel.round.decision_due_on
    if decision_on is not None and due_on > max(decision_on, localdate(at)):
        raise Refused(_("Choose a day not after the decision."), "after_decision", "due_on")
    made = FactCheck.objects.create(
        finding=finding, due_on=due_on, overall=finding.overall, strengths=finding.strengths, remarks=finding.remarks,
        sent_by=by, sent_at=at,
    )  # fmt: skip
    before = move(finding, "send", FINDING_MOVES)
    after = {"state": finding.state, "due_on": due_on.isoformat()}
    record("send_fact_check", finding, by=by, at=at, before={"state": before}, after=after)
    return made


@transaction.atomic
def answer_fact_check(
    check: FactCheck, *, has_no_errors: bool, corrections: Mapping[str, str], by: User, at: datetime
) -> FactCheck:
    """This function will keep the project's answer: corrections by part, or that there are no errors. Once, in time.

    Raises `NotAllowed`, or `Refused` after the day, a second time, and for an answer that says nothing or both.
    """
    finding = locked(Finding, check.finding_id)
    row = locked(FactCheck, check.pk)
    if not FactCheck.objects.filter(fact_checks_visible(by), pk=row.pk).exists():
        raise NotAllowed(_("The project's principal investigator and its HQ answer on the facts."))
    if row.answered_at is not None:
        raise Refused(_("This is answered already. The answer stays on record."), "twice")
    if row.closed_at is not None or is_over(row, at):
        message = _("Answers on the facts could be given until the end of %(day)s. Ask the secretariat.")
        raise Refused(message % {"day": date_text(row.due_on, language())}, "late")
    typed = _corrections(corrections, has_no_errors)
    row.has_no_errors, row.answered_by, row.answered_at, row.closed_at = has_no_errors, by, at, at
    row.save(update_fields=["has_no_errors", "answered_by", "answered_at", "closed_at"])
    FactCorrection.objects.bulk_create(
        FactCorrection(fact_check=row, part=part, text=text) for part, text in typed.items()
    )
    before = move(finding, "resume", FINDING_MOVES) if finding.state == CHECKING else finding.state
    after = {"state": finding.state, "corrections": len(typed)}
    record("answer_fact_check", finding, by=by, at=at, before={"state": before}, after=after)
    return row


def _corrections(corrections: Mapping[str, str], has_no_errors: bool) -> dict[str, str]:
    typed = {part: clean(corrections.get(part, "")).strip() for part in PARTS}
    typed = {part: text for part, text in typed.items() if text}
    if has_no_errors and typed:
        message = _("Either say that there are no errors, or write corrections.")
        raise Refused(message, "both", "has_no_errors")
    if not has_no_errors and not typed:
        message = _("Write what is wrong in fact, or say that there are no errors.")
        raise Refused(message, "empty", "has_no_errors")
    for part, text in typed.items():
        count = count_characters(text)
        if count > LONGEST_CORRECTION:
            message = _("Shorten this to %(limit)s characters; it has %(count)s.")
            raise Refused(message % {"limit": LONGEST_CORRECTION, "count": count}, "too_long", part)
    return typed


@transaction.atomic
def resume_finding(case: Case, *, by: User, at: datetime) -> Finding:
    """This function will take the draft up again once the day for the project's answer has passed without one."""
    _row, finding = _locked_for(case, "finding.resume", by)
    assert finding is not None  # a finding that is with the project
    for check in finding.fact_checks.select_for_update().filter(closed_at__isnull=True):
        if not is_over(check, at):
            message = _("The project can still answer on the facts until %(day)s.")
            raise Refused(message % {"day": date_text(check.due_on, language())}, "awaited")
        check.closed_at = at
        check.save(update_fields=["closed_at"])
    before = move(finding, "resume", FINDING_MOVES)
    record("resume_finding", finding, by=by, at=at, before={"state": before}, after={"state": finding.state})
    return finding


@transaction.atomic
def settle_correction(
    correction: FactCorrection, *, outcome: str, reason: str, by: User, at: datetime
) -> FactCorrection:
    """This function will mark a correction as taken over or not, with the reason; it can be marked anew while drafting."""
    _row, finding = _locked_for(correction.fact_check.finding.case, "finding.settle", by)
    row = locked(FactCorrection, correction.pk)
    if outcome not in FactCorrection.Outcome.values:
        raise Refused(_("Say whether the correction is taken over."), "unknown", "outcome")
    why = clean(reason).strip()
    if not why:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    before = row.outcome
    row.outcome, row.reason, row.settled_by, row.settled_at = outcome, why, by, at
    row.save(update_fields=["outcome", "reason", "settled_by", "settled_at"])
    assert finding is not None  # a correction hangs on one
    record(
        "settle_correction", finding, by=by, at=at, before={"outcome": before},
        after={"outcome": outcome, "part": row.part}, reason=why,
    )  # fmt: skip
    return row


def _locked_for(case: Case, permission: str, by: User) -> tuple[Case, Finding | None]:
    row = locked(Case, case.pk)
    finding = Finding.objects.select_for_update(of=("self",)).filter(case=row).first()
    if permission not in finding_actions(by, row, finding):
        raise NotAllowed(_("This step is not open to you in the present state of the finding."))
    return row, finding
