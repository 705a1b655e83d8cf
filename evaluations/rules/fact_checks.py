"""Who of the project reads a draft's factual parts and answers on them, and until when."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from accounts.queries import grants_of
from evaluations.models import FactCheck
from evaluations.rules.findings import is_over
from evaluations.rules.rounds import not_excluded
from evaluations.states import INVALIDATED
from programs.models import Project, ProjectMember
from programs.rules import NOTHING, projects_of_headquarters, projects_of_member

PRINCIPAL = ProjectMember.Role.PRINCIPAL_INVESTIGATOR
_PROJECT = "finding__case__gate_review__project"


def fact_checks_visible(user: object) -> Q:
    """This function will return the condition for the fact checks shown to the user as the project's.

    The principal investigator and the HQ of the project; they read the parts as sent, never grade or recommendation.
    """
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    team = projects_of_member(me, PRINCIPAL) | projects_of_headquarters(me)
    return (
        Q(**{f"{_PROJECT}__in": Project.objects.filter(team)})
        & ~Q(finding__case__state=INVALIDATED)
        & not_excluded(me, _PROJECT)
    )


def may_answer(user: object, check: FactCheck, at: datetime) -> bool:
    """This function will tell whether the user may answer the check now: the team, until the end of its day."""
    is_open = check.closed_at is None and not is_over(check, at)
    return is_open and FactCheck.objects.filter(fact_checks_visible(user), pk=check.pk).exists()
