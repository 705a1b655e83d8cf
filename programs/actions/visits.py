"""Site visits: entered, described in a memo that saves itself, shared with the team, or cancelled."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked
from common.text import clean, clean_line, count_characters
from programs.models import Project, SiteVisit
from programs.rules.visits import LONGEST_MEMO, may_visit, visit_blockers


@transaction.atomic
def open_visit(project: Project, *, on: date, place: str, participants: str = "", by: User, at: datetime) -> SiteVisit:
    """This function will enter a visit, past or planned. Raises `NotAllowed`, `NotReady` with what is wrong where."""
    row = locked(Project, project.pk)
    _refuse_unless_keeping(by, row)
    visit = SiteVisit(project=row, is_sample=row.is_sample, opened_by=by, opened_at=at)
    _described(visit, on, place, participants, localdate(at))
    visit.save(force_insert=True)
    record("open_visit", row, by=by, at=at, after={"visit": visit.ref, "on": on.isoformat(), "place": visit.place})
    return visit


@transaction.atomic
def change_visit(
    visit: SiteVisit, *, on: date, place: str, participants: str = "", by: User, at: datetime
) -> SiteVisit:
    """This function will correct day, place and participants. Raises as `open_visit`, and `Refused` once shared."""
    row = _locked_open(visit, by)
    before = {"on": row.on.isoformat(), "place": row.place, "participants": row.participants}
    _described(row, on, place, participants, localdate(at))
    row.save(update_fields=["on", "place", "participants"])
    after = {"visit": row.ref, "on": on.isoformat(), "place": row.place, "participants": row.participants}
    record("change_visit", row.project, by=by, at=at, before=before, after=after)
    return row


def _described(visit: SiteVisit, on: date, place: str, participants: str, today: date) -> None:
    visit.on, visit.place, visit.participants = on, clean_line(place), clean(participants).strip()
    if blockers := visit_blockers(visit, today):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)


def _refuse_unless_keeping(by: User, project: Project) -> None:
    if not may_visit(by, project):
        raise NotAllowed(
            _("Visits and advice are kept by the program director, the officers and the ministry's staff.")
        )


def _locked_open(visit: SiteVisit, by: User) -> SiteVisit:
    project = locked(Project, visit.project_id)
    row = locked(SiteVisit, visit.pk)
    row.project = project
    _refuse_unless_keeping(by, project)
    if row.is_shared:
        raise Refused(_("The memo has been shared with the team and stands. Give advice instead."), "shared", "text")
    if row.is_cancelled:
        raise Refused(_("This visit was cancelled. Enter another one."), "cancelled", "text")
    return row


@transaction.atomic
def save_memo(visit: SiteVisit, *, text: str, revision: int, by: User, at: datetime) -> SiteVisit:
    """This function will save the memo if nobody saved since `revision`, and return it with the new revision.

    Raises `StaleEdit` with both texts, `Refused` for a visit that lies ahead and for a text beyond its limit,
    `NotAllowed`.
    """
    row = _locked_open(visit, by)
    text = clean(text)
    if row.on > localdate(at):
        raise Refused(
            _("The visit lies ahead. The memo can be written from the day of the visit on."), "future", "text"
        )
    if revision != row.revision:
        if text == row.memo:
            return row
        message = _("Somebody else saved the memo in the meantime. Both texts are shown; put them together and save.")
        raise StaleEdit(message, current=row, submitted=text, field="text")
    _not_too_long(text)
    if text == row.memo:
        return row
    row.memo, row.memo_on, row.revision = text, localdate(at), row.revision + 1
    row.saved_by, row.saved_at = by, at
    row.save(update_fields=["memo", "memo_on", "revision", "saved_by", "saved_at"])
    # How long, not what: the memo is not for everybody who reads the history.
    after: dict[str, Any] = {"visit": row.ref, "characters": count_characters(text)}
    record("save_memo", row.project, by=by, at=at, after=after)
    return row


def _not_too_long(text: str) -> None:
    used = count_characters(text)
    if used > LONGEST_MEMO:
        message = _("The memo has %(used)s characters; %(limit)s are allowed. Shorten it by %(over)s.") % {
            "used": f"{used:,}", "limit": f"{LONGEST_MEMO:,}", "over": f"{used - LONGEST_MEMO:,}",
        }  # fmt: skip
        raise Refused(message, "too_long", "text")


@transaction.atomic
def share_memo(visit: SiteVisit, *, by: User, at: datetime) -> SiteVisit:
    """This function will share the memo with everybody who sees the project; from then on it never changes.

    Raises `NotAllowed`, or `NotReady` while there is no memo.
    """
    row = _locked_open(visit, by)
    if not row.memo.strip():
        raise NotReady(_("There is no memo to share."), [Blocker("text", "required", _("Write the memo first."))])
    row.shared_by, row.shared_at = by, at
    row.save(update_fields=["shared_by", "shared_at"])
    record("share_memo", row.project, by=by, at=at, after={"visit": row.ref})
    return row


@transaction.atomic
def cancel_visit(visit: SiteVisit, *, reason: str, by: User, at: datetime) -> SiteVisit:
    """This function will cancel a visit that has no memo. Raises `NotAllowed`, or `Refused` without a reason."""
    row = _locked_open(visit, by)
    said = clean_line(reason)[:300]
    if not said:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    if row.memo.strip():
        raise Refused(_("The visit has a memo, so it took place."), "has_memo", "reason")
    row.memo, row.cancelled_because = "", said
    row.save(update_fields=["memo", "cancelled_because"])
    record("cancel_visit", row.project, by=by, at=at, after={"visit": row.ref}, reason=said)
    return row
