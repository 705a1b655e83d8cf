"""What stands in the way of a term of a director, an officer or a deputy, and for whom terms wait."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeAlias

from django.db.models import Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from common.fiscal_year import date_text
from programs.models import AreaDirector, AreaOfficer, Deputy, ResearchArea
from programs.rules import NOTHING, actions_allowed
from programs.rules.scope import scope_of

Term: TypeAlias = AreaDirector | AreaOfficer | Deputy
#: Each kind of term and the path from it to its area's program.
TO_AREA: dict[type[Term], tuple[str, ...]] = {
    AreaDirector: ("area",),
    AreaOfficer: ("area",),
    Deputy: ("director__area", "officer__area"),
}


def area_of(term: Term) -> ResearchArea:
    """This function will return the area in which a term is held."""
    if not isinstance(term, Deputy):
        return term.area
    role = term.director or term.officer
    assert role is not None  # the database asks for one of the two
    return role.area


def may_appoint(user: object, area: ResearchArea) -> bool:
    """This function will tell whether the user proposes, approves and ends the terms of this area."""
    return "area.appoint_director" in actions_allowed(user, area)


def terms_to_approve(user: object, kind: type[Term]) -> Q:
    """This function will return the condition for the proposed terms that wait for this person as the second one."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    staffed = scope_of(user).ministry
    mine = Q()
    for path in TO_AREA[kind]:
        mine |= Q(**{f"{path}__program__in": staffed})
    others = ~Q(granted_by__person=me) & ~Q(person=me)
    return mine & others & Q(approved_by__isnull=True, granted_by__isnull=False)


def term_blockers(term: Term) -> list[Blocker]:
    """This function will list what stands in the way of proposing this term, each with the field it is about."""
    found = []
    if term.ends_on is not None and term.ends_on < term.starts_on:
        found.append(Blocker("ends_on", "dates_out_of_order", _("The last day cannot be before the first.")))
    if term.person.is_sample and not area_of(term).is_sample:
        message = _("A sample person cannot hold a role in a real area.")
        found.append(Blocker("person", "sample_record", message))
    if isinstance(term, Deputy):
        found += _deputy_blockers(term)
    if not found and (there := _in_the_way(term)):
        found.append(Blocker("starts_on", "overlap", _there(there, term)))
    return found


def _deputy_blockers(deputy: Deputy) -> list[Blocker]:
    role = deputy.director or deputy.officer
    assert role is not None
    found = []
    if role.person_id == deputy.person_id:
        message = _("Nobody stands in for himself or herself. Choose another person.")
        found.append(Blocker("person", "own_deputy", message))
    if deputy.ends_on is None:
        found.append(Blocker("ends_on", "required", _("Enter the last day: somebody stands in for a time.")))
    outside = deputy.starts_on < role.starts_on or (
        role.ends_on is not None and deputy.ends_on is not None and deputy.ends_on > role.ends_on
    )
    if outside:
        last = _day(role.ends_on) if role.ends_on else _("no end yet")
        message = _("These days lie outside the term that is stood in for (%(start)s to %(end)s).") % {
            "start": _day(role.starts_on), "end": last,
        }  # fmt: skip
        found.append(Blocker("starts_on", "outside_the_term", message))
    return found


def _in_the_way(term: Term) -> Term | None:
    """Another term of these days: anybody's for a director, the same person's for an officer and a deputy."""
    rows: QuerySet[Any] = type(term)._default_manager.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=term.starts_on))
    if isinstance(term, Deputy):
        rows = rows.filter(director=term.director, officer=term.officer, person=term.person)
    else:
        rows = rows.filter(area=term.area)
        rows = rows.filter(person=term.person) if isinstance(term, AreaOfficer) else rows
    if term.ends_on is not None:
        rows = rows.filter(starts_on__lte=term.ends_on)
    found: Term | None = rows.select_related("person").order_by("starts_on").first()
    return found


def _there(other: Term, term: Term) -> str:
    words = {
        "name": other.person.name,
        "start": _day(other.starts_on),
        "end": _day(other.ends_on) if other.ends_on else "",
    }
    if not isinstance(term, AreaDirector):
        return _("%(name)s holds this role from %(start)s already. Choose other dates or end that term.") % words
    if not other.is_approved:
        return _("%(name)s is proposed from %(start)s on. Approve or take back that proposal first.") % words
    if other.ends_on is None:
        return _("%(name)s directs this area from %(start)s on. End that term first.") % words
    return _("%(name)s directs this area from %(start)s to %(end)s. Choose other dates or end that term.") % words


def _day(day: date) -> str:
    return date_text(day, get_language() or "ja")


def is_removable(term: Term, today: date) -> bool:
    """This function will tell whether a term may still be taken back: it was never approved or has not begun."""
    return not term.is_approved or term.starts_on > today
