"""Who may declare, see and settle conflicts of interest."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from accounts.models import Person
from accounts.queries import grants_of
from common.states import can_move
from evaluations.models import Case, ConflictOfInterest, PanelMember, Round
from evaluations.rules.declarations import cases_declarable, rounds_chaired_by
from evaluations.rules.rounds import rounds_kept_by
from evaluations.states import CONFLICT_MOVES
from programs.models import Project
from programs.rules import EVERYTHING, NOTHING, not_recused, projects_visible
from programs.rules.scope import scope_of


def conflicts_visible(user: object) -> Q:
    """This function will return the condition for the conflicts that this user may see.

    One's own; those of the projects of which one is ministry staff or agency staff; the secretariat and the chair those
    of the panel's members with its cases; all for the auditor. Machines see none. Whoever is in conflict with a project
    sees only the own conflict of it.
    """
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    own = Q(person_id=grants.person_id)
    projects = Project.objects.filter(not_recused(grants.person_id))
    if grants.has("auditor"):
        return own | Q(project__in=projects)
    return (
        own | Q(project__in=projects.filter(_projects_settled_by(user))) | (_of_panels(user) & Q(project__in=projects))
    )


def _of_panels(user: object) -> Q:
    """Conflicts between the members and the cases of the panels that the user runs or chairs."""
    members = PanelMember.objects.filter(
        panel__round__in=Round.objects.filter(rounds_kept_by(user) | rounds_chaired_by(user)),
        person_id=OuterRef("person_id"), panel__cases__gate_review__project_id=OuterRef("project_id"),
    )  # fmt: skip
    return Q(Exists(members))


def may_see_conflicts(user: object) -> bool:
    """This function will tell whether the list of conflicts is for this user: who settles, runs, chairs, audits, declares."""
    grants = grants_of(user)
    if grants.person_id is None:
        return False
    roles = ("auditor", "secretariat", "evaluator", "panel_chair", "agency_staff")
    return bool(scope_of(user).party) or any(grants.has(role) for role in roles)


def _projects_settled_by(user: object) -> Q:
    return NOTHING if grants_of(user).person_id is None else Q(program__in=scope_of(user).party)


def may_import_coauthorships(user: object) -> bool:
    """This function will tell whether the user imports joint publications: ministry, agency and secretariats."""
    grants = grants_of(user)
    return grants.person_id is not None and bool(scope_of(user).party or grants.has("secretariat"))


def may_declare(user: object, person: Person, project: Project) -> bool:
    """This function will tell whether the user may record a conflict of this person with this project.

    Everybody declares the own conflicts; an evaluator with a project not shown to them as well. The secretariat and
    whoever settles the project's conflicts record what was reported or detected about others.
    """
    grants = grants_of(user)
    if grants.person_id is None:
        return False
    if grants.person_id == person.pk:
        return (
            grants.has("evaluator")
            or grants.has("panel_chair")
            or Project.objects.filter(projects_visible(user), pk=project.pk).exists()
            or Case.objects.filter(cases_declarable(user), gate_review__project=project).exists()
        )
    if grants.has("secretariat"):
        return Project.objects.filter(EVERYTHING & not_recused(grants.person_id), pk=project.pk).exists()
    return _settles(user, project)


def may_settle(user: object, conflict: ConflictOfInterest) -> bool:
    """This function will tell whether the user may confirm, dismiss or end this conflict.

    Ministry staff of the program or people of the agency that runs it; never the declarer, never the person in
    conflict, never somebody who is recused from the project themselves.
    """
    grants = grants_of(user)
    if grants.person_id is None or grants.person_id == conflict.person_id:
        return False
    return _settles(user, conflict.project)


def _settles(user: object, project: Project) -> bool:
    person_id = grants_of(user).person_id
    if person_id is None:
        return False
    return Project.objects.filter(_projects_settled_by(user) & not_recused(person_id), pk=project.pk).exists()


def conflict_actions(user: object, conflict: ConflictOfInterest) -> set[str]:
    """This function will return what the user may do with the conflict: names such as `conflict.confirm`."""
    if not ConflictOfInterest.objects.filter(conflicts_visible(user), pk=conflict.pk).exists():
        return set()
    steps = set(CONFLICT_MOVES) if may_settle(user, conflict) else set()
    if conflict.declared_by_id == getattr(user, "pk", None):
        steps -= {"confirm", "dismiss"}
    return {"conflict.view"} | {f"conflict.{step}" for step in steps if can_move(conflict, step, CONFLICT_MOVES)}
