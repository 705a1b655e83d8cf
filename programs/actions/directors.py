"""Program directors (PD), officers (PO) and their deputies: proposed by one officer, approved by another, ended early."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.actions.roles import approve_tenure, end_tenure, propose_tenure
from accounts.models import Person, User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.states import locked
from programs.models import AreaDirector, AreaOfficer, Deputy, ResearchArea
from programs.rules.directors import Term, area_of, is_removable, may_appoint, term_blockers

_ONE_AT_A_TIME = "one_director_at_a_time"
TermT = TypeVar("TermT", AreaDirector, AreaOfficer, Deputy)


@transaction.atomic
def propose_director(
    area: ResearchArea, person: Person, *, starts_on: date, ends_on: date | None = None, by: User, at: datetime
) -> AreaDirector:
    """This function will propose an area's director from a day to a day (both included; None: until ended).

    Raises `NotAllowed` unless the officer staffs the program, `NotReady` with what is wrong in which field.
    """
    return _proposed(AreaDirector(area=area, person=person, starts_on=starts_on, ends_on=ends_on), by, at)


@transaction.atomic
def propose_officer(
    area: ResearchArea, person: Person, *, starts_on: date, ends_on: date | None = None, by: User, at: datetime
) -> AreaOfficer:
    """This function will propose a program officer of an area. Raises as `propose_director`."""
    return _proposed(AreaOfficer(area=area, person=person, starts_on=starts_on, ends_on=ends_on), by, at)


@transaction.atomic
def propose_deputy(
    role: AreaDirector | AreaOfficer, person: Person, *, starts_on: date, ends_on: date, by: User, at: datetime
) -> Deputy:
    """This function will propose somebody who stands in for a director or an officer. Raises as `propose_director`."""
    stands_in = {"director": role} if isinstance(role, AreaDirector) else {"officer": role}
    return _proposed(Deputy(**stands_in, person=person, starts_on=starts_on, ends_on=ends_on), by, at)


def _proposed(term: TermT, by: User, at: datetime) -> TermT:
    area = locked(ResearchArea, area_of(term).pk)
    _refuse_unless_appointing(by, area)
    if blockers := term_blockers(term):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    try:
        return propose_tenure(term, by=by, at=at)
    except Refused as refusal:
        # A term entered in the same moment: the area is locked here, but only against these actions.
        raise NotReady(refusal.message, [Blocker("starts_on", "overlap", str(refusal.message))]) from refusal


def _refuse_unless_appointing(by: User, area: ResearchArea) -> None:
    if not may_appoint(by, area):
        raise NotAllowed(_("Only ministry staff of the program appoint its directors."))


@transaction.atomic
def approve_term(term: TermT, *, by: User, at: datetime) -> TermT:
    """This function will approve a proposed term as the second person; it counts from then on.

    Raises `NotAllowed`, or `NotReady` for one's own proposal, one's own role and a role approved already.
    """
    locked(ResearchArea, area_of(term).pk)
    _refuse_unless_appointing(by, area_of(term))
    return approve_tenure(term, by=by, at=at)


@transaction.atomic
def end_term(term: TermT, *, ends_on: date, reason: str, by: User, at: datetime) -> TermT:
    """This function will end a term early, and with it what its deputies hold beyond that day.

    Raises `NotAllowed`, or `Refused` without a reason, for a day before the first or one that makes the term longer.
    """
    locked(ResearchArea, area_of(term).pk)
    _refuse_unless_appointing(by, area_of(term))
    ended = end_tenure(term, ends_on=ends_on, reason=reason, by=by, at=at)
    for deputy in _deputies_beyond(ended, ends_on):
        if deputy.starts_on > ends_on:
            _take_out(deputy, reason, by, at)
        else:
            end_tenure(deputy, ends_on=ends_on, reason=reason, by=by, at=at)
    return ended


@transaction.atomic
def take_back_term(term: Term, *, reason: str, by: User, at: datetime) -> None:
    """This function will take back a term that was never approved or has not begun; the journal keeps it.

    Raises `NotAllowed`, or `Refused` without a reason and for a term that has begun.
    """
    locked(ResearchArea, area_of(term).pk)
    _refuse_unless_appointing(by, area_of(term))
    if not reason.strip():
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    row = locked(type(term), term.pk)
    if not is_removable(row, localdate(at)):
        raise Refused(_("This term has begun. End it instead."), "has_begun", "reason")
    for deputy in _deputies_beyond(row, date.min):
        _take_out(deputy, reason, by, at)
    _take_out(row, reason, by, at)


def _deputies_beyond(term: Term, day: date) -> list[Deputy]:
    if isinstance(term, Deputy):
        return []
    rows = (
        Deputy.objects.filter(director=term) if isinstance(term, AreaDirector) else Deputy.objects.filter(officer=term)
    )
    return list(rows.filter(ends_on__gt=day).select_related("person"))


def _take_out(term: Term, reason: str, by: User, at: datetime) -> None:
    before = {"person": term.person.ref, "starts_on": term.starts_on.isoformat()}
    before["ends_on"] = term.ends_on.isoformat() if term.ends_on else ""
    record("take_back_role", term, by=by, at=at, before=before, reason=reason.strip())
    term.delete()


# Both at once ---------------------------------------------------------------------------------------------------------


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
    """This function will appoint an area's director from a day to a day, with both officers' acts at once.

    Raises `NotAllowed` unless both officers staff the program, `Refused` for one person in both roles, for dates out of
    order and while somebody else's term holds.
    """
    row = locked(ResearchArea, area.pk)
    for officer in (by, approved_by):
        _refuse_unless_appointing(officer, row)
    if by.pk == approved_by.pk:
        raise Refused(_("Somebody else has to approve the appointment."), "second_person", "approved_by")
    term = AreaDirector(
        area=row, person=person, starts_on=starts_on, ends_on=ends_on, granted_by=by, approved_by=approved_by
    )
    for blocker in term_blockers(term):
        raise Refused(blocker.message, blocker.code, blocker.field)
    _saved(term)
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


def _saved(term: AreaDirector) -> None:
    try:
        with transaction.atomic():
            term.save(force_insert=True)
    except IntegrityError as error:
        # A term entered in the same moment: the area is locked here, but only against these actions.
        if _ONE_AT_A_TIME not in str(error):
            raise
        message = _("There is already somebody in this role during these dates. End that term first.")
        raise Refused(message, "overlap", "starts_on") from error
