"""Who may see and run rounds, panels and gate reviews, and what stands in the way of opening a round."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.queries import grants_of, in_force
from evaluations.models import GateReview, PanelMember, Round, RoundSecretary
from evaluations.states import ACCEPTED, INVITED, RELEASED
from programs.models import Project
from programs.rules import (
    EVERYTHING,
    NOTHING,
    OFFICE_ROLES,
    not_recused,
    projects_of_headquarters,
    projects_of_member,
    projects_of_organizations,
)
from programs.rules.scope import scope_of

#: So long after a round's end the people of its panel and its secretariat may still read (trust.md 1.10).
DAYS_AFTER = 30


def rounds_staffed_by(user: object) -> Q:
    """This function will return the condition for the rounds of programs that this ministry officer staffs."""
    return Q(program__in=scope_of(user).ministry)


def rounds_kept_by(user: object) -> Q:
    """This function will return the condition for the rounds whose secretariat the user is today."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    held = RoundSecretary.objects.filter(in_force(timezone.localdate()), person_id=me, approved_by__isnull=False)
    return Q(pk__in=held.values("round_id")) & _not_over("")


def rounds_evaluated_by(user: object, *states: str) -> Q:
    """This function will return the condition for the rounds on whose panel the user sits (invited or appointed)."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    held = PanelMember.objects.filter(
        in_force(timezone.localdate()), person_id=me, approved_by__isnull=False, state__in=states or (INVITED, ACCEPTED)
    )
    return Q(pk__in=held.values("panel__round_id")) & _not_over("")


def rounds_directed_by(user: object) -> Q:
    """This function will return the condition: rounds of a program or area that the user directs or serves as PO."""
    scope = scope_of(user)
    areas = scope.directed | scope.supported
    heads = Q(program__in=scope.program_director | scope.program_officer) | Q(area__in=areas)
    reviews = GateReview.objects.filter(Q(project__area__in=areas) | Q(area__in=areas))
    return heads | Q(pk__in=reviews.values("round_id"))


def rounds_visible(user: object) -> Q:
    """This function will return the condition for the rounds that this user may see as such: name, calendar, rubric."""
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    if grants.has("auditor"):
        return EVERYTHING
    return (
        Q(program__in=scope_of(user).party)
        | rounds_kept_by(user)
        | rounds_evaluated_by(user)
        | rounds_directed_by(user)
    )


def _not_over(prefix: str) -> Q:
    limit = timezone.now() - timedelta(days=DAYS_AFTER)
    return Q(**{f"{prefix}closed_at__isnull": True}) | Q(**{f"{prefix}closed_at__gte": limit})


# Gate reviews ---------------------------------------------------------------------------------------------------------


def not_excluded(person_id: int, to_project: str = "project") -> Q:
    """This function will return the condition: no exclusion of this person from the project that the row is about."""
    excluded = Project.objects.filter(~not_recused(person_id), pk=OuterRef(to_project))
    return ~Q(Exists(excluded))


def gate_reviews_visible(user: object) -> Q:
    """This function will return the condition for the gate reviews that this user or client may see at all.

    Ministry and agency, secretariat, panel, PD and PO, the project's people; machines once released. A conflict
    beats every role.
    """
    grants = grants_of(user)
    scope = scope_of(user)
    if grants.client_organization_id is not None:
        return Q(state=RELEASED, round__program__in=scope.agency)
    if grants.person_id is None:
        return NOTHING
    me = grants.person_id
    if grants.has("auditor"):
        return not_excluded(me)
    rounds = Round.objects.filter(rounds_kept_by(user) | rounds_evaluated_by(user))
    areas = scope.directed | scope.supported
    team = projects_of_member(me) | projects_of_headquarters(me)
    if offices := grants.organizations(*OFFICE_ROLES):
        team |= projects_of_organizations(offices)
    seen = (
        Q(round__program__in=scope.programs)
        | Q(round__in=rounds)
        | Q(project__area__in=areas)
        | Q(area__in=areas)
        | Q(project__in=Project.objects.filter(team))
    )
    return seen & not_excluded(me)
