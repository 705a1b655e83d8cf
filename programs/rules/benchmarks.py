"""Who may see and keep benchmarks: seen with their project or area; kept by the team, its HQ and the director."""

from __future__ import annotations

from django.db.models import Q

from accounts.queries import grants_of
from programs.models import Benchmark, Project, ProjectMember, ResearchArea
from programs.rules import (
    NOTHING,
    areas_visible,
    projects_led_by,
    projects_of_headquarters,
    projects_of_member,
    projects_visible,
)
from programs.rules.scope import scope_of


def benchmarks_visible(user: object) -> Q:
    """This function will return the condition for the benchmarks that this user or client may see."""
    return Q(project__in=Project.objects.filter(projects_visible(user))) | Q(
        area__in=ResearchArea.objects.filter(areas_visible(user))
    )


def projects_benchmarked_by(user: object) -> Q:
    """This function will return the condition for the projects whose benchmarks the user keeps: as PI, HQ or PD."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    team = projects_of_member(me, ProjectMember.Role.PRINCIPAL_INVESTIGATOR) | projects_of_headquarters(me)
    return projects_visible(user) & (team | projects_led_by(user))


def areas_benchmarked_by(user: object) -> Q:
    """This function will return the condition for the areas whose benchmarks the user keeps: as PD or deputy."""
    return Q(pk__in=scope_of(user).directed)


def benchmarks_kept_by(user: object) -> Q:
    """This function will return the condition for the benchmarks that the user keeps."""
    return Q(project__in=Project.objects.filter(projects_benchmarked_by(user))) | Q(
        area__in=ResearchArea.objects.filter(areas_benchmarked_by(user))
    )


def may_benchmark(user: object, owner: Project | ResearchArea) -> bool:
    """This function will tell whether the user keeps the benchmarks of this project or area."""
    if isinstance(owner, Project):
        return Project.objects.filter(projects_benchmarked_by(user), pk=owner.pk).exists()
    return ResearchArea.objects.filter(areas_benchmarked_by(user), pk=owner.pk).exists()


def may_keep(user: object, benchmark: Benchmark) -> bool:
    """This function will tell whether the user keeps this benchmark."""
    return Benchmark.objects.filter(benchmarks_kept_by(user), pk=benchmark.pk).exists()
