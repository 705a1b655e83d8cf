"""Score sheets: saved while they are written, handed in, revised after the hearing with the first kept, returned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, count_characters
from evaluations import scoring
from evaluations.actions.rubrics import fix_rubric
from evaluations.models import Assignment, Round, ScoreSheet, SheetScore
from evaluations.queries.score_sheets import LONGEST_COMMENT, SheetRead, read_sheet
from evaluations.rules.rounds import rubric_blockers
from evaluations.rules.score_sheets import (
    FIRST,
    READ_WITH_REASON,
    must_give_reason,
    sheet_actions,
    sheet_blockers,
    window,
)
from evaluations.sheet_workbook import OVERALL
from evaluations.states import DRAFT, SHEET_MOVES, SUBMITTED


@transaction.atomic
def save_sheet(
    assignment: Assignment, *, answers: Mapping[str, scoring.Answer], revision: int, by: User, at: datetime
) -> ScoreSheet:
    """This function will save what the reader answered; criteria that `answers` does not name stay as they are.

    The comment on the whole has the key "*". A sheet that was handed in is only ever saved whole. From the first save
    after the first close on, the first scores are kept beside it. Raises `NotAllowed` outside the windows, `StaleEdit`
    when it was saved since `revision` elsewhere, `NotReady` with what is wrong.
    """
    row = _locked_for(assignment, "sheet.edit", by, at)
    read = read_sheet(row)
    wanted = {key: _cleaned(one) for key, one in answers.items()}
    changed = {key: one for key, one in wanted.items() if one != read.all_answers.get(key, scoring.Answer(key))}
    if read.sheet is not None and not changed:
        return read.sheet
    if revision != read.revision:
        message = _("This sheet was saved elsewhere in the meantime, in another tab or by a form. Both are shown.")
        raise StaleEdit(message, current=read, submitted=wanted)
    _refuse_wrong(read, changed)
    _refuse_unfinished_rubric(row.case.panel.round)
    sheet = read.sheet or ScoreSheet.objects.create(assignment=row)
    if window(row.case.panel.round, at) != FIRST and sheet.frozen_at is None:
        _keep_first(sheet, at)
    _write(sheet, read, changed, at)
    fix_rubric(row.case.panel.round.rubric, at=at)  # type: ignore[arg-type]
    record("save_sheet", sheet, by=by, at=at, after={"revision": sheet.revision, "criteria": sorted(changed)})
    return sheet


def _cleaned(answer: scoring.Answer) -> scoring.Answer:
    return scoring.Answer(answer.item, answer.level.strip(), answer.is_not_applicable, clean(answer.comment).strip())


def _refuse_unfinished_rubric(one: Round) -> None:
    """Until the first score the rubric of an open round is still written on: nothing hangs on weights that do not add up."""
    if one.rubric is not None and one.rubric.fixed_at is None and rubric_blockers(one.rubric):
        message = _("The rubric is being changed. The secretariat finishes it first; then you can score.")
        raise Refused(message, "rubric_unfinished")


def _refuse_wrong(read: SheetRead, changed: Mapping[str, scoring.Answer]) -> None:
    """Refuse what cannot be saved at all; what is only missing stands in the way of handing in alone."""
    after = read.answers | {key: one for key, one in changed.items() if key != OVERALL}
    problems = scoring.sheet_problems(read.rubric, scoring.Sheet("", "", tuple(after.values())))
    if read.sheet is None or read.sheet.state != SUBMITTED:
        problems = [one for one in problems if one.code not in ("missing", "comment_missing")]
    blockers = sheet_blockers(problems, {item.code: item for item in read.items})
    for key, answer in changed.items():
        used = count_characters(answer.comment)
        if used > LONGEST_COMMENT:
            message = _("Shorten the comment to %(most)s characters (now %(used)s).")
            blockers.append(Blocker(key, "too_long", message % {"most": LONGEST_COMMENT, "used": used}))
    if blockers:
        raise NotReady(_("Not saved. Correct what is marked."), blockers)


def _keep_first(sheet: ScoreSheet, at: datetime) -> None:
    SheetScore.objects.filter(sheet=sheet).update(
        first_level=F("level"), first_is_not_applicable=F("is_not_applicable"), first_comment=F("comment")
    )
    sheet.first_comment, sheet.frozen_at = sheet.comment, at
    sheet.save(update_fields=["first_comment", "frozen_at"])


def _write(sheet: ScoreSheet, read: SheetRead, changed: Mapping[str, scoring.Answer], at: datetime) -> None:
    items = {item.code: item for item in read.items}
    for key, answer in changed.items():
        if key == OVERALL:
            sheet.comment = answer.comment
            continue
        level = next((one for one in items[key].levels.all() if one.code == answer.level), None)
        values = {"level": level, "is_not_applicable": answer.is_not_applicable, "comment": answer.comment}
        SheetScore.objects.update_or_create(sheet=sheet, item=items[key], defaults=values)
    sheet.revision, sheet.saved_at = sheet.revision + 1, at
    if sheet.frozen_at is not None:
        sheet.revised_at = at
    sheet.save(update_fields=["comment", "revision", "saved_at", "revised_at"])


@transaction.atomic
def submit_sheet(assignment: Assignment, *, by: User, at: datetime) -> ScoreSheet:
    """This function will hand a sheet in. Raises `NotAllowed` after the close, `NotReady` with what is missing."""
    row = _locked_for(assignment, "sheet.submit", by, at)
    read = read_sheet(row)
    if blockers := submission_blockers(read):
        raise NotReady(_("The sheet is not complete yet."), blockers)
    sheet = read.sheet
    assert sheet is not None  # an empty sheet is not complete
    sheet.submitted_at = at
    before = move(sheet, "submit", SHEET_MOVES, also=("submitted_at",))
    record("submit_sheet", sheet, by=by, at=at, before={"state": before}, after={"state": sheet.state})
    return sheet


def submission_blockers(read: SheetRead) -> list[Blocker]:
    """This function will list what is missing before a sheet can be handed in."""
    problems = scoring.sheet_problems(read.rubric, read.as_sheet)
    return sheet_blockers(problems, {item.code: item for item in read.items})


@transaction.atomic
def return_sheet(sheet: ScoreSheet, *, reason: str, by: User, at: datetime) -> ScoreSheet:
    """This function will send a sheet back to its reader with a reason; what was scored stays until it is changed."""
    assignment = locked(Assignment, sheet.assignment_id)
    row = locked(ScoreSheet, sheet.pk)
    if "sheet.return" not in sheet_actions(by, assignment, row, at):
        raise NotAllowed(_("A sheet that is in is returned by the chair or the secretariat, until the scores close."))
    why = clean(reason).strip()
    if not why:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    row.returned_by, row.returned_at, row.return_reason = by, at, why
    before = move(row, "return", SHEET_MOVES, also=("returned_by", "returned_at", "return_reason"))
    record("return_sheet", row, by=by, at=at, before={"state": before}, after={"state": row.state}, reason=why)
    return row


@transaction.atomic
def give_reading_reason(one: Round, *, reason: str, by: User, at: datetime) -> Round:
    """This function will put on record why somebody reads the sheets of a round; without it they stay closed."""
    if not must_give_reason(by, one):
        raise NotAllowed(_("No reason is asked of you here."))
    why = clean(reason).strip()
    if not why:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    record(READ_WITH_REASON, one, by=by, at=at, reason=why)
    return one


def _locked_for(assignment: Assignment, permission: str, by: User, at: datetime) -> Assignment:
    row = locked(Assignment, assignment.pk)
    sheet = ScoreSheet.objects.filter(assignment=row).first()
    allowed = sheet_actions(by, row, sheet, at)
    if permission not in allowed:
        raise NotAllowed(_why_not(row, sheet, allowed, at))
    return row


def _why_not(row: Assignment, sheet: ScoreSheet | None, allowed: set[str], at: datetime) -> str:
    if "sheet.view" not in allowed:
        return _("Only the reader of the case writes its sheet.")
    if "sheet.edit" in allowed:
        return _("The sheet is in already. What you save counts at once.")
    now = window(row.case.panel.round, at)
    if now == "waiting":
        return _("The first scores are closed. You can revise yours from the hearing on.")
    if now == "final" and (sheet is None or sheet.state == DRAFT):
        return _("The first scores are closed, and no sheet of yours was in by then.")
    return _("The scores are closed. Nothing can be changed any more.")
