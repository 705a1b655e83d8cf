"""Who sees a round's meetings, what of each item of the agenda, who writes the agenda and the notes."""

from __future__ import annotations

from datetime import datetime as instant
from datetime import time, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from evaluations.models import Case, Meeting, MeetingItem, PanelMember, Round
from evaluations.rules.cases import cases_listed
from evaluations.rules.rounds import CHAIRS, rounds_evaluated_by, rounds_kept_by, rounds_visible
from evaluations.states import ACCEPTED


def meetings_visible(user: object) -> Q:
    """This function will return the condition for the meetings that this user may see: those of the rounds seen."""
    return Q(round__in=Round.objects.filter(rounds_visible(user)))


def items_visible(user: object) -> Q:
    """This function will return the condition for the items whose title this user may read.

    Of a case that excludes the reader nothing is shown but that there is an item.
    """
    known = Case.objects.filter(cases_listed(user))
    return Q(meeting__in=Meeting.objects.filter(meetings_visible(user))) & (Q(case__isnull=True) | Q(case__in=known))


def keeps(user: object, meeting: Meeting) -> bool:
    """This function will tell whether the user is of the secretariat that prepares and runs the meeting."""
    return Round.objects.filter(rounds_kept_by(user), pk=meeting.round_id).exists()


def chairs(user: object, meeting: Meeting) -> bool:
    """This function will tell whether the user is chair or vice chair of the meeting's panel."""
    me = grants_of(user).person_id
    if me is None:
        return False
    seat = PanelMember.objects.filter(panel__round=meeting.round_id, person_id=me, state=ACCEPTED, role__in=CHAIRS)
    return seat.exists() and Round.objects.filter(rounds_evaluated_by(user, ACCEPTED), pk=meeting.round_id).exists()


def meeting_actions(user: object, meeting: Meeting) -> set[str]:
    """This function will return what the user may do with the meeting: `meeting.run`, `meeting.follow`."""
    if not Meeting.objects.filter(meetings_visible(user), pk=meeting.pk).exists():
        return set()
    allowed = {"meeting.view"}
    if keeps(user, meeting):
        allowed |= {"meeting.run", "meeting.follow"}
    elif chairs(user, meeting):
        allowed.add("meeting.follow")
    return allowed


def may_make_meeting(user: object, one: Round) -> bool:
    """This function will tell whether the user calls the round's meetings: its secretariat."""
    return Round.objects.filter(rounds_kept_by(user), pk=one.pk).exists()


def ends_at(item: MeetingItem) -> time:
    """This function will return when an item is planned to end."""
    return (instant.combine(instant.min, item.starts_at) + timedelta(minutes=item.minutes)).time()


def agenda_blockers(item: MeetingItem, others: list[MeetingItem]) -> list[Blocker]:
    """This function will list what is wrong with an item: over midnight, or at the same time as another one."""
    if ends_at(item) <= item.starts_at:
        return [Blocker("minutes", "over_midnight", _("Let the item end on the same day."))]
    for other in others:
        if item.starts_at < ends_at(other) and other.starts_at < ends_at(item):
            message = _("Another item runs from %(start)s to %(end)s. Choose another time.")
            words = {"start": f"{other.starts_at:%H:%M}", "end": f"{ends_at(other):%H:%M}"}
            return [Blocker("starts_at", "overlaps", message % words)]
    return []
