"""What only one kind of project has: education of human resources projects, goals of basic ones; kept by the team."""

from __future__ import annotations

from django.db.models import Q

from accounts.queries import grants_of
from programs.models import ChallengeGoal, Project, TrainingProgram
from programs.rules import projects_of_member, projects_visible

EDUCATION, BASIC = Project.Kind.HUMAN_RESOURCES, Project.Kind.BASIC


def trainings_visible(user: object) -> Q:
    """This function will return the condition for the education programs that this user or client may see."""
    return Q(project__in=Project.objects.filter(projects_visible(user)))


def goals_visible(user: object) -> Q:
    """This function will return the condition for the challenge goals that this user or client may see."""
    return Q(project__in=Project.objects.filter(projects_visible(user)))


def may_keep_kind(user: object, project: Project) -> bool:
    """This function will tell whether the user writes what this kind of project has: its team does."""
    me = grants_of(user).person_id
    if me is None or project.kind not in (EDUCATION, BASIC):
        return False
    return Project.objects.filter(projects_visible(user) & projects_of_member(me), pk=project.pk).exists()


def kind_of(table: type) -> str:
    """This function will return the kind of project that has such records."""
    return BASIC if table is ChallengeGoal else EDUCATION


def path_to_project(table: type) -> str:
    """This function will return the path from a record to its project."""
    return "project" if table in (ChallengeGoal, TrainingProgram) else "training__project"
