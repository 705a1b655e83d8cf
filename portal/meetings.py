"""Meetings of a round's panel: called, their agenda, the item that runs, who is out of the room, notes, papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from evaluations.actions import meetings as actions
from evaluations.documents import meeting_papers_file_name, meeting_papers_pdf
from evaluations.models import Case, Meeting, MeetingItem, Round
from evaluations.queries.meetings import (
    agenda_of,
    cases_of_round,
    meeting_items_visible_to,
    meeting_papers,
    meetings_visible_to,
)
from evaluations.rules.meetings import may_make_meeting, meeting_actions
from portal.access import BadQuery, clock, not_found, page
from portal.acts import Act, ask_once
from portal.forms.fields import DayField, LineField
from portal.forms.plans import Refusable
from portal.lists import as_download
from portal.rounds import find_round, subject_name
from portal.texts import SavedText, TextState, save_text

BOTH = ("GET", "HEAD", "POST")
NOT_SECRETARY = gettext_lazy("The meeting is prepared and run by the round's secretariat.")


class MeetingForm(Refusable):
    """When and where the panel meets."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of meeting"), choices=Meeting.Kind.choices)
    held_on = DayField(label=gettext_lazy("Day"))
    place = LineField(label=gettext_lazy("Place, or online"))


class ItemForm(Refusable):
    """An item of the agenda: a case, or something plain."""

    starts_at = forms.TimeField(
        label=gettext_lazy("From"), input_formats=["%H:%M"], widget=forms.TimeInput(format="%H:%M"),
        help_text=gettext_lazy("For example 13:30."),
        error_messages={"invalid": gettext_lazy("Enter the time as 13:30.")},
    )  # fmt: skip
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), min_value=1, max_value=600)
    case = forms.ChoiceField(label=gettext_lazy("Case"), required=False)
    title = LineField(label=gettext_lazy("Title, if it is no case"), required=False)

    def __init__(self, cases: Sequence[Case], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._cases = {str(one.pk): one for one in cases}
        choose: Any = self.fields["case"]
        choose.choices = [
            ("", _("No case")), *((key, subject_name(one.gate_review)) for key, one in self._cases.items())
        ]  # fmt: skip

    def clean_case(self) -> Case | None:
        """This function will return the case itself; None for none."""
        return self._cases.get(self.cleaned_data["case"])


def find_meeting(user: Any, ref: str) -> Any:
    """This function will return the meeting with this reference, if the reader may see it."""
    return meetings_visible_to(user).filter(ref=ref).select_related("round__program")


def _runs(user: Any, meeting: Meeting) -> bool:
    return "meeting.run" in meeting_actions(user, meeting)


@page(permission="round.view", find=find_round)
def round_meetings(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will list the meetings of a round."""
    context = {
        "round": one,
        "meetings": list(meetings_visible_to(request.user).filter(round=one)),
        "may_make": may_make_meeting(request.user, one),
        "is_sample": one.is_sample,
    }
    return render(request, "portal/meetings/list.html", context)


@page(permission="meeting.make", find=find_round, may=may_make_meeting, why=NOT_SECRETARY, methods=BOTH)
def meeting_new(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will take a new meeting."""
    data = request.POST if request.method == "POST" else None
    form = MeetingForm(data=data, initial={"kind": Meeting.Kind.HEARING, "held_on": one.hearing_on})
    home = reverse("round_meetings", args=[one.ref])
    act = Act(
        heading=_("Call a meeting?"), button=_("Call the meeting"), done=_("The meeting stands. Write its agenda next."),
        home=home, trail=[(reverse("round", args=[one.ref]), one.name), (home, _("Meetings"))],
        effects=[_("Members, officers and directors see the day and the agenda.")],
    )  # fmt: skip
    return ask_once(request, one, actions.make_meeting, act, form=form, to=lambda made: _url(made))


def _url(meeting: Meeting) -> str:
    return reverse("meeting", args=[meeting.ref])


@page(permission="meeting.view", find=find_meeting)
def meeting_page(request: HttpRequest, meeting: Meeting) -> HttpResponseBase:
    """This function will show the agenda as its reader may know it, and what runs now."""
    return _show(request, meeting)


def _show(request: HttpRequest, meeting: Meeting, text: SavedText | None = None, status: int = 200) -> HttpResponse:
    allowed = meeting_actions(request.user, meeting)
    follows = "meeting.follow" in allowed
    lines = agenda_of(request.user, meeting, with_people=follows)
    running = next((one for one in lines if one.is_running), None)
    notes = None
    if running and running.item and "meeting.run" in allowed:
        notes = text or _notes(meeting, running.item)
    context = {
        "meeting": meeting,
        "round": meeting.round,
        "lines": lines,
        "running": running,
        "next": next((one for one in lines if not one.is_running and not one.is_over), None),
        "runs": "meeting.run" in allowed,
        "follows": follows,
        "notes": notes,
        "is_sample": meeting.is_sample,
    }
    return render(request, "portal/meetings/page.html", context, status=status)


@page(permission="meeting.run", find=find_meeting, may=_runs, why=NOT_SECRETARY, methods=("POST",))
def meeting_next(request: HttpRequest, meeting: Meeting) -> HttpResponseBase:
    """This function will go on to the next item."""
    value = request.POST.get("after", "")
    if not (value.isascii() and value.isdecimal()) or len(value) > 4:
        raise BadQuery(_("The form is incomplete. Open the page again."))
    try:
        actions.next_item(meeting, after=int(value), by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect(_url(meeting))


def _item_of(request: HttpRequest, meeting: Meeting, pk: int) -> MeetingItem | None:
    found: MeetingItem | None = meeting_items_visible_to(request.user).filter(meeting=meeting, pk=pk).first()
    return found


def _trail(meeting: Meeting) -> list[tuple[str, str]]:
    one = meeting.round
    return [
        (reverse("round", args=[one.ref]), one.name), (reverse("round_meetings", args=[one.ref]), _("Meetings")),
        (_url(meeting), meeting.ref),
    ]  # fmt: skip


@page(permission="meeting.run", find=find_meeting, may=_runs, why=NOT_SECRETARY, methods=BOTH)
def meeting_item(request: HttpRequest, meeting: Meeting, item: int = 0) -> HttpResponseBase:
    """This function will take one item of the agenda, new or not begun yet."""
    found = _item_of(request, meeting, item) if item else None
    if item and found is None:
        return not_found(request)
    initial: dict[str, Any] = {}
    if found is not None:
        initial = {"starts_at": found.starts_at, "minutes": found.minutes, "case": str(found.case_id or ""),
                   "title": found.title}  # fmt: skip
    form = ItemForm(
        cases_of_round(request.user, meeting), data=request.POST if request.method == "POST" else None, initial=initial
    )

    def save(row: Meeting, **typed: Any) -> Any:
        how = {name: typed.pop(name) for name in ("by", "at")}
        return actions.save_meeting_item(row, values=typed, item_id=item or None, **how)

    act = Act(
        heading=_("Write an item of the agenda"), button=_("Save the item"), done=_("The item stands on the agenda."),
        home=_url(meeting), trail=_trail(meeting),
        effects=[_("Items stand in the order of their times. Whoever is in conflict with a case sees no title.")],
    )  # fmt: skip
    return ask_once(request, meeting, save, act, form=form)


@page(permission="meeting.run", find=find_meeting, may=_runs, why=NOT_SECRETARY, methods=("POST",))
def meeting_item_remove(request: HttpRequest, meeting: Meeting, item: int) -> HttpResponseBase:
    """This function will take an item off the agenda."""
    if _item_of(request, meeting, item) is None:
        return not_found(request)
    try:
        actions.remove_meeting_item(meeting, item, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("The item was taken off the agenda."))
    return redirect(_url(meeting))


def _note_state(item: MeetingItem) -> TextState:
    return TextState(item.notes, item.revision, item.noted_at, item.noted_by)


def _notes(meeting: Meeting, item: MeetingItem) -> SavedText:
    return SavedText(
        url=reverse("meeting_notes", args=[meeting.ref, item.pk]), key=f"notes-{item.pk}", label=_("Notes on this item"),
        limit=actions.LONGEST_NOTES, state=_note_state(item), rows=8,
    )  # fmt: skip


@page(permission="meeting.run", find=find_meeting, may=_runs, why=NOT_SECRETARY, methods=("POST",))
def meeting_notes(request: HttpRequest, meeting: Meeting, item: int) -> HttpResponseBase:
    """This function will save the notes on an item; in part of the page with htmx, else with a reload."""
    found = _item_of(request, meeting, item)
    if found is None:
        return not_found(request)

    def save(text: str, revision: int) -> TextState:
        how: dict[str, Any] = {"by": request.user, "at": clock(request)}
        return _note_state(actions.save_notes(meeting, item, text=text, revision=revision, **how))

    return save_text(
        request, _notes(meeting, found), save, _note_state, lambda one, status: _show(request, meeting, one, status),
        back_to=_url(meeting),
    )  # fmt: skip


@page(permission="meeting.view", find=find_meeting)
def meeting_papers_document(request: HttpRequest, meeting: Meeting) -> HttpResponseBase:
    """This function will hand out the papers of the meeting, made with the rights of whoever asks."""
    content = meeting_papers(request.user, meeting, str(request.user))
    response = HttpResponse(meeting_papers_pdf(content), content_type="application/pdf")
    return as_download(response, meeting_papers_file_name(meeting))
