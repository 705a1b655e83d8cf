"""What lies on the road of projects: the period of the plan in force, milestones with their first date, gates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from common.fiscal_year import ends_on as year_ends_on
from common.fiscal_year import starts_on as year_starts_on
from programs.models import Milestone, PlanGate, PlanVersion, Project, StageGate
from programs.states import APPROVED


@dataclass(frozen=True, slots=True)
class RoadGate:
    """A gate on a project's road: of its plan in force, else of its program."""

    title: str
    held_on: date


@dataclass(slots=True)
class Road:
    """One project's road. The period is the plan's, else the project's fiscal years; None where neither is known."""

    project: Project
    starts_on: date | None = None
    ends_on: date | None = None
    milestones: list[Milestone] = field(default_factory=list)
    gates: list[RoadGate] = field(default_factory=list)


def roads_of(projects: Iterable[Project], on: date) -> list[Road]:
    """This function will read the roads of these projects, in their order, in four queries."""
    roads = {project.pk: _by_years(project) for project in projects}
    in_force = PlanVersion.objects.filter(project__in=roads, state=APPROVED, effective_on__lte=on)
    versions = {
        version.pk: version for version in in_force.order_by("project_id", "-effective_on").distinct("project_id")
    }
    for version in versions.values():
        road = roads[version.project_id]
        road.starts_on, road.ends_on = version.starts_on, version.ends_on
    for gate in PlanGate.objects.filter(version__in=versions).order_by("held_on", "key"):
        roads[versions[gate.version_id].project_id].gates.append(RoadGate(gate.title, gate.held_on))
    planned = {version.project_id for version in versions.values()}
    programs = {road.project.program_id for road in roads.values()}
    of_program: dict[int, list[StageGate]] = {}
    for rule in StageGate.objects.filter(program__in=programs).order_by("held_on", "ref"):
        of_program.setdefault(rule.program_id, []).append(rule)
    for pk, road in roads.items():
        if pk not in planned:
            road.gates = [RoadGate(rule.name, rule.held_on) for rule in of_program.get(road.project.program_id, ())]
    for milestone in Milestone.objects.filter(project__in=roads, is_dropped=False).order_by("planned_on", "number"):
        roads[milestone.project_id].milestones.append(milestone)
    return list(roads.values())


def _by_years(project: Project) -> Road:
    first, last = project.start_fiscal_year, project.end_fiscal_year
    return Road(project, year_starts_on(first) if first else None, year_ends_on(last) if last else None)
