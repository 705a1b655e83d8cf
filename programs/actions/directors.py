"""Program directors (PD): one per area at a time, appointed by one officer and approved by another."""

from __future__ import annotations

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Person, User
from common.audit import record
from common.errors import NotAllowed, Refused
from common.states import locked
from programs.models import AreaDirector, ResearchArea
from programs.rules import actions_allowed

_ONE_AT_A_TIME = "one_director_at_a_time"


@transaction.atomic
def appoint_director(
    area: ResearchArea,
    person: Person,
    *,
    starts_on: date,
    ends_on: date | None = None,
    by: User,
    approved_by: User,
    at: datetime,
) -> AreaDirector:
    """This function will appoint an area's director from a day to a day (both included; None: until ended).

    Raises `NotAllowed` unless both officers staff the program, `Refused` for one person in both roles, for dates out of
    order and while somebody else's term holds.
    """
    row = locked(ResearchArea, area.pk)
    for officer in (by, approved_by):
        if "area.appoint_director" not in actions_allowed(officer, row):
            raise NotAllowed(_("Only ministry staff of the program appoint its directors."))
    _refuse_what_cannot_be(row, person, starts_on, ends_on, by, approved_by)
    try:
        with transaction.atomic():
            term = AreaDirector.objects.create(
                area=row, person=person, starts_on=starts_on, ends_on=ends_on, granted_by=by, approved_by=approved_by
            )
    except IntegrityError as error:
        # A term entered in the same moment: the area is locked here, but only against this action.
        if _ONE_AT_A_TIME not in str(error):
            raise
        raise _somebody_is_there(None) from error
    record(
        "appoint_director",
        row,
        by=by,
        at=at,
        after={
            "person": person.ref,
            "starts_on": starts_on.isoformat(),
            "ends_on": ends_on.isoformat() if ends_on else None,
            "approved_by": approved_by.actor_label,
        },
    )
    return term


def _refuse_what_cannot_be(
    area: ResearchArea, person: Person, starts_on: date, ends_on: date | None, by: User, approved_by: User
) -> None:
    if by.pk == approved_by.pk:
        raise Refused(_("Somebody else has to approve the appointment."), "second_person", "approved_by")
    if ends_on is not None and ends_on < starts_on:
        raise Refused(_("The last day cannot be before the first."), "dates_out_of_order", "ends_on")
    if person.is_sample and not area.is_sample:
        raise Refused(_("A sample person cannot direct a real area."), "sample_record", "person")
    overlapping = AreaDirector.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on), area=area)
    if ends_on is not None:
        overlapping = overlapping.filter(starts_on__lte=ends_on)
    if there := overlapping.select_related("person").order_by("starts_on").first():
        raise _somebody_is_there(there)


def _somebody_is_there(term: AreaDirector | None) -> Refused:
    if term is None:
        message = _("There is already somebody in this role during these dates. End that term first.")
    elif term.ends_on is None:
        message = _("%(name)s directs this area from %(start)s on. End that term first.") % {
            "name": term.person.name, "start": term.starts_on.isoformat(),
        }  # fmt: skip
    else:
        message = _("%(name)s directs this area from %(start)s to %(end)s. Choose other dates or end that term.") % {
            "name": term.person.name, "start": term.starts_on.isoformat(), "end": term.ends_on.isoformat(),
        }  # fmt: skip
    return Refused(message, "overlap", "starts_on")
