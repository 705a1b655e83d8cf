"""Meetings: called by the secretariat, the agenda item by item, the item that runs, notes by item."""

from __future__ import annotations

from collections.abc import Mapping
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
from evaluations.models import Case, Meeting, MeetingItem, Round
from evaluations.rules.cases import cases_listed
from evaluations.rules.meetings import agenda_blockers, items_visible, may_make_meeting, meeting_actions
from evaluations.states import ROUND_RUNNING

LONGEST_NOTES = 8000


@transaction.atomic
def make_meeting(one: Round, *, kind: str, held_on: date, place: str, by: User, at: datetime) -> Meeting:
    """This function will call a meeting of a running round's panel. Raises `NotAllowed`, `NotReady`, `Refused`."""
    row = locked(Round, one.pk)
    if not may_make_meeting(by, row):
        raise NotAllowed(_("Meetings are called by the round's secretariat."))
    if row.state not in ROUND_RUNNING:
        raise Refused(_("Meetings are called while the round is running."), "not_running")
    where, found = clean_line(place).strip(), []
    if kind not in Meeting.Kind.values:
        found.append(Blocker("kind", "unknown", _("Choose the kind of meeting.")))
    if held_on < localdate(at):
        found.append(Blocker("held_on", "past", _("Choose a day that is not past.")))
    if not where:
        found.append(Blocker("place", "required", _("Enter the place, or that the meeting is online.")))
    if found:
        raise NotReady(_("Not saved. Correct what is marked."), found)
    made = Meeting.objects.create(
        round=row, kind=kind, held_on=held_on, place=where, is_sample=row.is_sample, made_by=by, made_at=at
    )
    record("make_meeting", made, by=by, at=at, after={"kind": kind, "held_on": held_on.isoformat()})
    return made


@transaction.atomic
def save_meeting_item(
    meeting: Meeting, *, values: Mapping[str, Any], item_id: int | None = None, by: User, at: datetime
) -> MeetingItem:
    """This function will put an item on the agenda or change one that has not begun; items stand by their time.

    `values`: starts_at, minutes, and either a case of this panel or a title. Raises `NotAllowed`, `NotReady`, `Refused`.
    """
    row = _locked_for(meeting, by)
    item = _known(row, item_id, by) if item_id is not None else MeetingItem(meeting=row, position=0)
    if item.began_at is not None:
        raise Refused(_("This item has begun. It can no longer be changed."), "begun")
    case: Case | None = values["case"]
    item.starts_at, item.minutes, item.case = values["starts_at"], values["minutes"], case
    item.title = "" if case else clean_line(values.get("title") or "").strip()
    found = _wrong(row, item, by)
    if found:
        raise NotReady(_("Not saved. Correct what is marked."), found)
    item.save()
    _number(row)
    after = {"starts_at": f"{item.starts_at:%H:%M}", "minutes": item.minutes}
    record("save_meeting_item", row, by=by, at=at, after=after)
    return item


def _wrong(row: Meeting, item: MeetingItem, by: User) -> list[Blocker]:
    found = []
    if item.case is None and not item.title:
        found.append(Blocker("title", "required", _("Choose a case, or enter a title.")))
    if item.case is not None:
        known = Case.objects.filter(cases_listed(by), panel__round=row.round_id, pk=item.case.pk)
        if not known.exists():
            found.append(Blocker("case", "foreign", _("Choose a case of this panel.")))
    others = [one for one in MeetingItem.objects.filter(meeting=row) if one.pk != item.pk]
    return found + agenda_blockers(item, others)


def _number(row: Meeting) -> None:
    for place, one in enumerate(MeetingItem.objects.filter(meeting=row).order_by("starts_at", "pk"), 1):
        if one.position != place:
            MeetingItem.objects.filter(pk=one.pk).update(position=place)


@transaction.atomic
def remove_meeting_item(meeting: Meeting, item_id: int, *, by: User, at: datetime) -> None:
    """This function will take an item off the agenda that has not begun."""
    row = _locked_for(meeting, by)
    item = _known(row, item_id, by)
    if item.began_at is not None:
        raise Refused(_("This item has begun. It can no longer be changed."), "begun")
    record("remove_meeting_item", row, by=by, at=at, before={"starts_at": f"{item.starts_at:%H:%M}"})
    item.delete()
    _number(row)


@transaction.atomic
def next_item(meeting: Meeting, *, after: int, by: User, at: datetime) -> MeetingItem | None:
    """This function will end the item that runs and begin the next one; `after` is the number of the one seen running.

    0 stands for none. Returns the item that runs now, None after the last. Raises `StaleEdit` when somebody else was
    faster, so that two presses do not skip an item.
    """
    row = _locked_for(meeting, by)
    items = list(MeetingItem.objects.select_for_update().filter(meeting=row).order_by("position"))
    running = next((one for one in items if one.began_at and not one.ended_at), None)
    if (running.position if running else 0) != after:
        raise StaleEdit(
            _("Somebody else has gone on already. Look at what runs now."), current=running, submitted=after
        )
    if running is not None:
        running.ended_at = at
        running.save(update_fields=["ended_at"])
    following = next((one for one in items if one.began_at is None), None)
    if following is not None:
        following.began_at = at
        following.save(update_fields=["began_at"])
    elif running is None:
        raise Refused(_("No item is left on the agenda."), "over")
    told = {"number": following.position if following else None}
    record("next_meeting_item", row, by=by, at=at, before={"number": after or None}, after=told)
    return following


@transaction.atomic
def save_notes(meeting: Meeting, item_id: int, *, text: str, revision: int, by: User, at: datetime) -> MeetingItem:
    """This function will save the notes on an item. Raises `NotAllowed`, also for an item in conflict, `StaleEdit`."""
    row = _locked_for(meeting, by)
    item = _known(row, item_id, by)
    typed = clean(text).strip()
    count = count_characters(typed)
    if count > LONGEST_NOTES:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        raise Refused(message % {"limit": LONGEST_NOTES, "count": count}, "too_long", "text")
    if typed == item.notes:
        return item
    if revision != item.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=item, submitted=typed)
    item.notes, item.noted_by, item.noted_at, item.revision = typed, by, at, item.revision + 1
    item.save(update_fields=["notes", "noted_by", "noted_at", "revision"])
    record("save_meeting_notes", row, by=by, at=at, after={"number": item.position, "characters": count})
    return item


def _known(row: Meeting, item_id: int, by: User) -> MeetingItem:
    found = MeetingItem.objects.filter(items_visible(by), meeting=row, pk=item_id).first()
    if found is None:
        raise NotAllowed(_("This item is not open to you."))
    return found


def _locked_for(meeting: Meeting, by: User) -> Meeting:
    row = locked(Meeting, meeting.pk)
    if "meeting.run" not in meeting_actions(by, row):
        raise NotAllowed(_("The meeting is prepared and run by the round's secretariat."))
    return row
