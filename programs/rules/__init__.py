"""Who may see and do what with programs, areas and projects. The only place for this app's visibility.

Visibility is a condition for SQL; a predicate on one object is `.filter(condition, pk=pk).exists()`. A confirmed
conflict (`ProjectRecusal`) beats every role, the auditor's too.
"""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils import timezone

from accounts.queries import Grants, grants_of, in_force
from common.subselects import daily
from programs.models import HQMember, Participation, Program, Project, ProjectMember, ResearchArea
from programs.rules.scope import programs_run_by, projects_excluded, scope_of

OFFICE_ROLES = ("institution_office", "institution_accountant")
EVERYTHING = Q(pk__isnull=False)
NOTHING = Q(pk__in=[])


# Projects -------------------------------------------------------------------------------------------------------------


def projects_led_by(user: object) -> Q:
    """This function will return the condition: projects of areas or programs that the user directs today."""
    scope = scope_of(user)
    return Q(area__in=scope.directed) | Q(program__in=scope.program_director)


def projects_supported_by(user: object) -> Q:
    """This function will return the condition: projects of areas or programs where the user is PO today."""
    scope = scope_of(user)
    return Q(area__in=scope.supported) | Q(program__in=scope.program_officer)


def projects_of_member(person_id: int, *roles: str) -> Q:
    """This function will return the condition: projects of which the person is a member today."""
    return Q(pk__in=_of_member(person_id, *roles))


@daily
def _of_member(person_id: int, *roles: str) -> QuerySet[Any, Any]:
    held = ProjectMember.objects.filter(in_force(timezone.localdate()), person_id=person_id)
    return (held.filter(role__in=roles) if roles else held).values("project_id")


def projects_of_headquarters(person_id: int) -> Q:
    """This function will return the condition: projects at whose HQ the person works today."""
    return Q(pk__in=_of_headquarters(person_id))


@daily
def _of_headquarters(person_id: int) -> QuerySet[Any, Any]:
    held = HQMember.objects.filter(in_force(timezone.localdate()), person_id=person_id)
    return held.values("headquarters__project_id")


def projects_of_organizations(organization_ids: list[int]) -> Q:
    """This function will return the condition: projects in which one of these institutions takes part."""
    return Q(pk__in=Participation.objects.filter(organization_id__in=organization_ids).values("project_id"))


def not_recused(person_id: int) -> Q:
    """This function will return the condition: no confirmed conflict of this person with the project today."""
    return ~Q(pk__in=projects_excluded(person_id))


def projects_visible(user: object) -> Q:
    """This function will return the condition for the projects that this user or client may see."""
    grants = grants_of(user)
    if grants.client_organization_id is not None:
        return Q(program__in=programs_run_by([grants.client_organization_id]))
    if grants.person_id is None:
        return NOTHING
    return _projects_by_role(user, grants) & ~Q(pk__in=scope_of(user).recused)


def _projects_by_role(user: object, grants: Grants) -> Q:
    visible = projects_seen_whole(user)
    if offices := grants.organizations(*OFFICE_ROLES):
        visible |= projects_of_organizations(offices)
    return visible


def projects_seen_whole(user: object) -> Q:
    """This function will return the condition: projects of which the user sees more than the own institution's part."""
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    if grants.has("auditor"):
        return EVERYTHING
    scope = scope_of(user)
    return Q(program__in=scope.programs) | Q(area__in=scope.directed | scope.supported) | Q(pk__in=scope.teams)


# Programs and areas ---------------------------------------------------------------------------------------------------


def programs_visible(user: object) -> Q:
    """This function will return the condition for the programs that this user or client may see."""
    grants = grants_of(user)
    if grants.client_organization_id is not None:
        return Q(pk__in=programs_run_by([grants.client_organization_id]))
    if grants.person_id is None:
        return NOTHING
    if grants.has("auditor"):
        return EVERYTHING
    return _programs_of_offices(user) | Q(
        pk__in=Project.objects.filter(_projects_by_role(user, grants)).values("program_id")
    )


def _programs_of_offices(user: object) -> Q:
    scope = scope_of(user)
    areas = ResearchArea.objects.filter(pk__in=scope.directed | scope.supported)
    return Q(pk__in=scope.programs) | Q(pk__in=areas.values("program_id"))


def areas_visible(user: object) -> Q:
    """This function will return the condition for the areas that this user or client may see: those of the program."""
    return Q(program__in=Program.objects.filter(programs_visible(user)))


def may_see_portfolio(user: object) -> bool:
    """This function will tell whether `/portfolio/` is for this user: ministry staff, PDs, POs and auditors.

    Kept on the user like the grants, for one request: the frame of every page asks.
    """
    known = getattr(user, "_sees_portfolio", None)
    if known is None:
        known = _sees_portfolio(user)
        if hasattr(user, "_grants"):
            user._sees_portfolio = known  # type: ignore[attr-defined]
    return bool(known)


def _sees_portfolio(user: object) -> bool:
    grants = grants_of(user)
    if grants.person_id is None:
        return False
    scope = scope_of(user)
    offices = scope.ministry | scope.program_director | scope.program_officer | scope.directed | scope.supported
    return grants.has("auditor") or bool(offices)


# Acts -----------------------------------------------------------------------------------------------------------------


def actions_allowed(user: object, obj: Program | ResearchArea | Project) -> set[str]:
    """This function will return what the user may do with the object: names such as `project.view`.

    Pages, API and actions ask this same set. What is not visible allows nothing.
    """
    if isinstance(obj, Project):
        return _project_actions(user, obj)
    visible = programs_visible(user)
    program_id = obj.pk if isinstance(obj, Program) else obj.program_id
    if not Program.objects.filter(visible, pk=program_id).exists():
        return set()
    noun = "program" if isinstance(obj, Program) else "area"
    allowed = {f"{noun}.view"}
    if may_see_portfolio(user):
        allowed.add(f"{noun}.export")
    if noun == "area" and _staffs(user, program_id):
        allowed.add("area.appoint_director")
    return allowed


def _staffs(user: object, program_id: int) -> bool:
    return program_id in scope_of(user).ministry


def _project_actions(user: object, project: Project) -> set[str]:
    visible = Project.objects.filter(projects_visible(user), pk=project.pk)
    grants = grants_of(user)
    if grants.person_id is None:
        return {"project.view"} if visible.exists() else set()
    me = grants.person_id
    roles = {
        "as_staff": Q(program__in=scope_of(user).ministry),
        "as_director": projects_led_by(user),
        "as_officer": projects_supported_by(user),
        "as_team": projects_of_member(me, "principal_investigator") | projects_of_headquarters(me),
    }
    columns = {name: ExpressionWrapper(role, BooleanField()) for name, role in roles.items()}
    found = visible.values_list(*columns.values()).first()
    if found is None:
        return set()
    held = dict(zip(roles, found, strict=True))
    allowed = {"project.view"}
    if grants.has("auditor") or any(held.values()):
        allowed |= {"project.history", "project.network"}
    if held["as_director"]:
        allowed.add("project.assess_trl")
    if held["as_team"]:
        allowed.add("project.claim_trl")
    return allowed


def indicators_writable(user: object) -> Q:
    """This function will return the condition for the indicators to which the user or client may send observations."""
    grants = grants_of(user)
    if grants.client_organization_id is not None:
        return Q(program__in=programs_run_by([grants.client_organization_id]))
    return Q(program__in=scope_of(user).ministry)
