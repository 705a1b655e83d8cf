"""Who weighs the outcomes of a round: ministry staff and PDs make scenarios, POs and auditors read what is shown them.

A scenario shows money and plans, so nobody else sees that there are any. A conflict takes its project out of every row
and every sum.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from accounts.queries import grants_of
from common.states import can_move
from evaluations.models import GateReview, Round, Scenario
from evaluations.rules.rounds import not_excluded
from evaluations.states import DRAFT, INVALIDATED, SCENARIO_MOVES
from programs.rules import EVERYTHING, NOTHING
from programs.rules.scope import scope_of


def rounds_planned_by(user: object) -> Q:
    """This function will return the condition for the rounds of which the user makes scenarios: ministry staff, PDs."""
    if grants_of(user).person_id is None:
        return NOTHING
    scope = scope_of(user)
    return _rounds(scope.ministry | scope.program_director, scope.directed)


def rounds_weighed_by(user: object) -> Q:
    """This function will return the condition for the rounds whose scenarios are this user's matter: POs read too."""
    grants, scope = grants_of(user), scope_of(user)
    if grants.person_id is None:
        return NOTHING
    if grants.has("auditor"):
        return EVERYTHING
    programs = scope.ministry | scope.program_director | scope.program_officer
    return _rounds(programs, scope.directed | scope.supported)


def _rounds(programs: frozenset[int], areas: frozenset[int]) -> Q:
    if not programs and not areas:
        return NOTHING
    reviews = GateReview.objects.filter(project__area__in=areas)
    return Q(program__in=programs) | Q(area__in=areas) | Q(pk__in=reviews.values("round_id"))


def reviews_weighed_by(user: object) -> Q:
    """This function will return the condition for the gate reviews that the user's scenarios show: never in conflict."""
    grants, scope = grants_of(user), scope_of(user)
    if grants.person_id is None:
        return NOTHING
    projects = Q(project__isnull=False) & ~Q(state=INVALIDATED) & not_excluded(grants.person_id)
    if grants.has("auditor"):
        return projects
    programs = scope.ministry | scope.program_director | scope.program_officer
    return projects & (Q(round__program__in=programs) | Q(project__area__in=scope.directed | scope.supported))


def scenarios_visible(user: object) -> Q:
    """This function will return the condition for the scenarios that this user may see: the own ones and shared ones.

    An auditor sees what was kept; drafts are thoughts.
    """
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    weighed = Q(round__in=Round.objects.filter(rounds_weighed_by(user)))
    if grants.has("auditor"):
        return ~Q(state=DRAFT)
    own = Q(owner=getattr(user, "pk", None), round__in=Round.objects.filter(rounds_planned_by(user)))
    return own | (Q(is_shared=True) & weighed)


def may_make_scenario(user: object, one: Round) -> bool:
    """This function will tell whether the user may make a scenario of this round."""
    return one.state != INVALIDATED and Round.objects.filter(rounds_planned_by(user), pk=one.pk).exists()


def weighs(user: object, one: Round, reviews: Iterable[GateReview]) -> bool:
    """This function will tell without a query whether the round's scenarios are this user's matter.

    `reviews` are the round's reviews that the user sees, with their projects.
    """
    grants, scope = grants_of(user), scope_of(user)
    if grants.person_id is None:
        return False
    areas = {one.area_id, *(review.project.area_id for review in reviews if review.project is not None)}
    programs = scope.ministry | scope.program_director | scope.program_officer
    return grants.has("auditor") or one.program_id in programs or bool(areas & (scope.directed | scope.supported))


def scenario_actions(user: object, scenario: Scenario) -> set[str]:
    """This function will return what the user may do with the scenario: names such as `scenario.keep`."""
    planned = Exists(Round.objects.filter(rounds_planned_by(user), pk=OuterRef("round_id")))
    found = Scenario.objects.filter(scenarios_visible(user), pk=scenario.pk).values_list(planned).first()
    if found is None:
        return set()
    allowed = {"scenario.view"}
    if found[0] and scenario.round.state != INVALIDATED:
        allowed.add("scenario.clone")
    if scenario.owner_id != getattr(user, "pk", None):
        return allowed
    allowed |= {f"scenario.{act}" for act in SCENARIO_MOVES if can_move(scenario, act, SCENARIO_MOVES)}
    if scenario.state == DRAFT:
        allowed |= {"scenario.edit", "scenario.delete"}
    if scenario.state != Scenario.State.ARCHIVED:
        allowed.add("scenario.share")
    return allowed
