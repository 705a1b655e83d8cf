"""Reads of panels, their members and their public rosters, already restricted to what the reader may see."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from accounts.models import Affiliation, Person
from accounts.queries import grants_of
from evaluations.models import Case, Expertise, Panel, PanelMember, RosterRelease, Round
from evaluations.rules.members import LIVE, may_evaluate
from evaluations.rules.panels import appointments_own, members_named, on_roster, panels_visible, rosters_public
from evaluations.states import ACCEPTED, CASE_LIVE, INVITED
from programs.rules.scope import scope_of

PLEDGE = Path(__file__).resolve().parent.parent / "data" / "member_pledge.json"
#: So many people a search offers; who has more hits types more.
CANDIDATES = 50


def panels_visible_to(user: object) -> QuerySet[Panel]:
    """This function will return the panels whose page this user may open, newest round first."""
    return (
        Panel.objects.filter(panels_visible(user))
        .select_related("round__program", "round__area", "roster_release__proposed_by", "roster_release__approved_by")
        .order_by("-round__made_at", "-pk")
    )


def members_visible_to(user: object) -> QuerySet[PanelMember]:
    """This function will return the members whose identity this user may know, the chair first, by name."""
    return _whole(PanelMember.objects.filter(members_named(user)))


def members_of(panel: Panel, user: object) -> list[PanelMember]:
    """This function will return all memberships of a panel, the chair first; `is_named`: the reader knows who it is."""
    rows = _whole(PanelMember.objects.filter(panel=panel))
    named = ExpressionWrapper(members_named(user), output_field=BooleanField())
    return sorted(rows.annotate(is_named=named), key=_by_office)


def appointments_of(user: object) -> QuerySet[PanelMember]:
    """This function will return the user's own invitations and appointments, the latest first."""
    rows = PanelMember.objects.filter(appointments_own(user)).order_by("-pk")
    return rows.select_related("person", "organization", "panel__round__program", "panel__round__area")


def appointments_listed(user: object) -> list[PanelMember]:
    """This function will return the own invitations that wait and the appointments that count, for the desk."""
    return list(appointments_of(user).filter(state__in=(INVITED, ACCEPTED)))


def _whole(rows: QuerySet[PanelMember]) -> QuerySet[PanelMember]:
    return (
        rows.select_related("person", "organization", "granted_by__person", "approved_by__person", "panel__round__program")
        .prefetch_related("expertises")
        .order_by("panel_id", "person__name_kana", "person__name_ja", "pk")
    )  # fmt: skip


def _by_office(member: PanelMember) -> int:
    return list(PanelMember.Role).index(PanelMember.Role(member.role))


# Putting a panel together ---------------------------------------------------------------------------------------------


def candidates(one: Round, panel: Panel, words: str, on: date) -> list[Person]:
    """This function will return who can be proposed: evaluators by role with a sign-in who are not on the panel.

    `words` is found in names, reference, mail address and institution. At most `CANDIDATES`.
    """
    people = Person.objects.filter(may_evaluate(one, on)).exclude(
        pk__in=PanelMember.objects.filter(panel=panel, state__in=LIVE).values("person_id")
    )
    if text := words.strip():
        works = Affiliation.objects.filter(_today(on)).filter(
            Q(organization__name_ja__icontains=text) | Q(organization__name_en__icontains=text)
        )
        people = people.filter(
            Q(name_ja__icontains=text) | Q(name_kana__icontains=text) | Q(name_en__icontains=text)
            | Q(ref__iexact=text) | Q(user__email__iexact=text) | Q(pk__in=works.values("person_id"))
        )  # fmt: skip
    return list(people.order_by("name_kana", "name_ja", "pk")[:CANDIDATES])


def affiliations_of(people: list[Person], on: date) -> dict[int, Affiliation]:
    """This function will return where each of these people works on this day, by person; the latest if several."""
    rows = Affiliation.objects.filter(_today(on), person__in=people).select_related("organization")
    return {row.person_id: row for row in rows.order_by("starts_on", "pk")}


def _today(on: date) -> Q:
    return Q(Q(ends_on__isnull=True) | Q(ends_on__gte=on), starts_on__lte=on)


def expertises_of(panel: Panel) -> list[Expertise]:
    """This function will return the panel's fields of expertise in their order."""
    return list(panel.expertises.all())


def live_cases(user: object, panel: Panel) -> list[Case]:
    """This function will return the panel's cases under review that the reader may know, with what they ask for."""
    from evaluations.queries.cases import cases_visible_to

    rows = cases_visible_to(user).filter(panel=panel, state__in=CASE_LIVE)
    return list(rows.prefetch_related("expertises"))


@cache
def _shipped_pledge() -> dict[str, str]:
    return dict(json.loads(PLEDGE.read_text()))


def pledge_of(panel: Panel) -> str:
    """This function will return what a member of this panel pledges: its own text, or the one that comes along."""
    return panel.pledge_text or _shipped_pledge()["text_ja"]


def pledge_in_english(panel: Panel) -> str:
    """This function will return the translation of the text that comes along; nothing for a text of one's own."""
    return "" if panel.pledge_text else _shipped_pledge()["text_en"]


# What waits -----------------------------------------------------------------------------------------------------------


def invitations_awaiting(user: object, on: date) -> list[PanelMember]:
    """This function will return the invitations that wait for this person's answer."""
    rows = appointments_of(user).filter(Q(ends_on__isnull=True) | Q(ends_on__gte=on), state=INVITED)
    return [row for row in rows if row.panel.round.state not in ("closed", "invalidated")]


def members_awaiting(user: object) -> QuerySet[PanelMember]:
    """This function will return the proposed members that this officer can approve as the second person."""
    return (
        PanelMember.objects.filter(
            members_named(user), panel__round__program__in=scope_of(user).ministry, state=INVITED,
            approved_by__isnull=True,
        )
        .exclude(panel__round__state__in=("closed", "invalidated"))
        .exclude(granted_by_id=getattr(user, "pk", None))
        .exclude(person_id=grants_of(user).person_id)
        .select_related("panel__round")
        .order_by("panel_id", "pk")
    )  # fmt: skip


def rosters_awaiting(user: object) -> QuerySet[RosterRelease]:
    """This function will return the releases of rosters that this officer can approve as the second person."""
    return (
        RosterRelease.objects.filter(panel__round__program__in=scope_of(user).ministry, approved_by__isnull=True)
        .exclude(panel__round__state="invalidated")
        .exclude(proposed_by_id=getattr(user, "pk", None))
        .select_related("panel__round")
        .order_by("release_on", "pk")
    )


# The public roster ----------------------------------------------------------------------------------------------------


def rounds_with_public_roster(on: date) -> QuerySet[Round]:
    """This function will return the rounds whose roster anybody may read on this day."""
    return Round.objects.filter(rosters_public(on)).select_related("program", "area", "panel__roster_release")


def roster_of(one: Round) -> list[PanelMember]:
    """This function will return who is named on a round's roster, the chair first; never who read what."""
    rows = PanelMember.objects.filter(on_roster(), panel__round=one).select_related("person", "organization")
    return sorted(rows.order_by("person__name_kana", "person__name_ja", "pk"), key=_by_office)
