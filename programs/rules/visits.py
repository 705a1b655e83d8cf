"""Who sees site visits and advice, who keeps them, who reads a memo, and who answers advice.

Visits and advice are seen with their project; machines of an agency do not see them. A memo is the directors', officers'
and ministry's until it is shared with the team.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from programs.models import Advice, Project, SiteVisit
from programs.rules import (
    NOTHING,
    projects_led_by,
    projects_supported_by,
    projects_visible,
)
from programs.rules.scope import scope_of

LONGEST_MEMO = 8000
LONGEST_ADVICE = 2000


def _of(condition: Q) -> Q:
    return Q(project__in=Project.objects.filter(condition))


def visits_visible(user: object) -> Q:
    """This function will return the condition for the site visits that this user may see."""
    return NOTHING if grants_of(user).person_id is None else _of(projects_visible(user))


def advice_visible(user: object) -> Q:
    """This function will return the condition for the advice that this user may see."""
    return visits_visible(user)


def projects_visited_by(user: object) -> Q:
    """This function will return the condition for the projects whose visits and advice the user keeps: PD, PO, staff."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    keeps = projects_led_by(user) | projects_supported_by(user) | Q(program__in=scope_of(user).ministry)
    return projects_visible(user) & keeps


def memos_readable(user: object) -> Q:
    """This function will return the condition for the visits whose memo the user reads."""
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    readable = Q(shared_at__isnull=False) | _of(projects_visited_by(user))
    if grants.has("auditor"):
        readable |= ~Q(memo="")
    return visits_visible(user) & readable


def may_visit(user: object, project: Project) -> bool:
    """This function will tell whether the user keeps the visits and the advice of this project."""
    return Project.objects.filter(projects_visited_by(user), pk=project.pk).exists()


def may_read_memo(user: object, visit: SiteVisit) -> bool:
    """This function will tell whether the user reads the memo of this visit now."""
    return SiteVisit.objects.filter(memos_readable(user), pk=visit.pk).exists()


def advice_actions(user: object, advice: Advice) -> set[str]:
    """This function will return what the user may do with the advice now: `advice.answer`, ..."""
    found = Advice.objects.filter(advice_visible(user), pk=advice.pk)
    if not found.exists():
        return set()
    allowed = {"advice.view"}
    keeps = found.filter(_of(projects_visited_by(user))).exists()
    if advice.state == Advice.State.OPEN and advice.owner_id == grants_of(user).person_id:
        allowed.add("advice.answer")
    if keeps and advice.state != Advice.State.CLOSED:
        allowed |= {"advice.close", "advice.pass_on"}
    if keeps and advice.state == Advice.State.ANSWERED:
        allowed.add("advice.reopen")
    return allowed


def advice_to_act_on(user: object) -> Q:
    """This function will return the condition for the advice that waits for this person.

    Open advice waits for its owner, answered advice for whoever gave it and for the project's director.
    """
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    keeps = _of(projects_visited_by(user))
    answer = Q(state=Advice.State.OPEN, owner=me)
    close = Q(state=Advice.State.ANSWERED) & keeps & (Q(given_by__person=me) | _of(projects_led_by(user)))
    return advice_visible(user) & (answer | close)


def visit_blockers(visit: SiteVisit, today: date) -> list[Blocker]:
    """This function will list what is wrong with the day, place and participants of a visit."""
    found = []
    if not visit.place:
        found.append(Blocker("place", "required", _("Enter the place: institution, building, or online.")))
    if visit.on.year < 2000 or visit.on.year > today.year + 5:
        message = _("Check the year of the visit.")
        found.append(Blocker("on", "out_of_range", message))
    if visit.memo and visit.on > today:
        message = _("The visit has a memo, so it cannot lie in the future.")
        found.append(Blocker("on", "future", message))
    if visit.on <= today and not visit.participants:
        message = _("Enter who took part, one person a line.")
        found.append(Blocker("participants", "required", message))
    return found
