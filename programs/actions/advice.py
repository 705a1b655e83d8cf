"""Advice: given with an owner and a day, answered with what was done, closed, opened again or passed on."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import Person, User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.states import locked, move
from common.text import clean, count_characters
from programs.models import Advice, Project, SiteVisit
from programs.queries.visits import people_around
from programs.rules.visits import LONGEST_ADVICE, advice_actions, may_visit
from programs.states import ADVICE_MOVES


@transaction.atomic
def give_advice(
    project: Project, *, text: str, owner: Person, due_on: date, visit: SiteVisit | None = None, by: User, at: datetime
) -> Advice:
    """This function will put advice on record, at a visit or apart from one; it waits for its owner until the day.

    Raises `NotAllowed`, or `NotReady` with what is wrong in which field.
    """
    row = locked(Project, project.pk)
    if not may_visit(by, row):
        raise NotAllowed(
            _("Visits and advice are kept by the program director, the officers and the ministry's staff.")
        )
    said = clean(text).strip()
    blockers = [
        *_text_blockers("text", said, _("Write the advice.")),
        *_owner_blockers(row, owner, due_on, localdate(at)),
    ]
    if visit is not None and (visit.project_id != row.pk or visit.is_cancelled):
        blockers.append(Blocker("", "other_visit", _("This visit was cancelled or belongs to another project.")))
    if blockers:
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    made = Advice.objects.create(
        project=row, visit=visit, text=said, owner=owner, due_on=due_on, given_by=by, given_at=at,
        is_sample=row.is_sample,
    )  # fmt: skip
    after = {"advice": made.ref, "owner": owner.ref, "due_on": due_on.isoformat()}
    record("give_advice", row, by=by, at=at, after=after)
    return made


def _text_blockers(field: str, text: str, missing: str) -> list[Blocker]:
    if not text:
        return [Blocker(field, "required", missing)]
    if (used := count_characters(text)) > LONGEST_ADVICE:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        return [Blocker(field, "too_long", message % {"limit": LONGEST_ADVICE, "count": used})]
    return []


def _owner_blockers(project: Project, owner: Person, due_on: date, today: date) -> list[Blocker]:
    found = []
    if owner.pk not in {person.pk for person in people_around(project, today)}:
        message = _("Choose somebody who works in or for the project today.")
        found.append(Blocker("owner", "not_around", message))
    if due_on < today:
        found.append(Blocker("due_on", "past", _("Enter today or a later day.")))
    return found


def _locked_for(advice: Advice, act: str, by: User, why: str) -> Advice:
    project = locked(Project, advice.project_id)
    row = locked(Advice, advice.pk)
    row.project = project
    if f"advice.{act}" not in advice_actions(by, row):
        raise NotAllowed(why)
    return row


@transaction.atomic
def answer_advice(advice: Advice, *, answer: str, by: User, at: datetime) -> Advice:
    """This function will record what its owner did about the advice. Raises `NotAllowed`, `NotReady` without a text."""
    row = _locked_for(advice, "answer", by, _("Open advice is answered by the person who follows it up."))
    said = clean(answer).strip()
    if blockers := _text_blockers("answer", said, _("Write what was done.")):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    row.answer, row.answered_by, row.answered_at = said, by, at
    before = move(row, "answer", ADVICE_MOVES, also=("answer", "answered_by", "answered_at"))
    _record("answer_advice", row, before, by, at)
    return row


@transaction.atomic
def reopen_advice(advice: Advice, *, reason: str, by: User, at: datetime) -> Advice:
    """This function will open answered advice again, with the reason; the answer stays to be continued.

    Raises `NotAllowed`, or `Refused` without a reason.
    """
    row = _locked_for(advice, "reopen", by, _not_yours())
    said = clean(reason).strip()
    if not said:
        raise Refused(_("Say what is still missing."), "reason_missing", "reason")
    row.answered_by = row.answered_at = None
    before = move(row, "reopen", ADVICE_MOVES, also=("answered_by", "answered_at"))
    _record("reopen_advice", row, before, by, at, said)
    return row


@transaction.atomic
def close_advice(advice: Advice, *, closing: str = "", by: User, at: datetime) -> Advice:
    """This function will close the advice for good; without an answer a note has to say what was done.

    Raises `NotAllowed`, or `NotReady`.
    """
    row = _locked_for(advice, "close", by, _not_yours())
    said = clean(closing).strip()
    if not said and not row.answer:
        message = _("Nobody has answered. Say what was done, or why nothing has to be done.")
        raise NotReady(_("Not saved. Correct what is marked."), [Blocker("closing", "required", message)])
    row.closing, row.closed_by, row.closed_at = said, by, at
    before = move(row, "close", ADVICE_MOVES, also=("closing", "closed_by", "closed_at"))
    _record("close_advice", row, before, by, at, said)
    return row


@transaction.atomic
def pass_on_advice(advice: Advice, *, owner: Person, due_on: date, reason: str, by: User, at: datetime) -> Advice:
    """This function will give the advice another owner or another day, as when somebody moves on.

    Raises `NotAllowed`, or `NotReady` with what is wrong in which field.
    """
    row = _locked_for(advice, "pass_on", by, _not_yours())
    said = clean(reason).strip()
    blockers = _owner_blockers(row.project, owner, due_on, localdate(at))
    if not said:
        blockers.append(Blocker("reason", "reason_missing", _("Give the reason.")))
    if blockers:
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    before = {"owner": row.owner.ref, "due_on": row.due_on.isoformat()}
    row.owner, row.due_on = owner, due_on
    row.save(update_fields=["owner", "due_on"])
    after = {"advice": row.ref, "owner": owner.ref, "due_on": due_on.isoformat()}
    record("pass_on_advice", row.project, by=by, at=at, before=before, after=after, reason=said)
    return row


def _not_yours() -> str:
    return _("Advice is closed, opened again and passed on by the director, the officers and the ministry's staff.")


def _record(action: str, advice: Advice, before: str, by: User, at: datetime, reason: str = "") -> None:
    after = {"advice": advice.ref, "state": advice.state}
    record(action, advice.project, by=by, at=at, before={"state": before}, after=after, reason=reason)
