"""Reads of what only one kind of project has: education programs with their parts, challenge goals; and their counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import Organization
from programs.models import (
    AdoptingInstitution,
    ChallengeGoal,
    LearnerCount,
    Project,
    TrainingModule,
    TrainingProgram,
)
from programs.rules.kinds import goals_visible, trainings_visible


@dataclass(frozen=True, slots=True)
class LearnerYear:
    """The learners of a fiscal year by kind, and all of them."""

    fiscal_year: int
    counts: list[LearnerCount]

    @property
    def total(self) -> int:
        return sum(one.number for one in self.counts)


@dataclass(frozen=True, slots=True)
class TrainingSheet:
    """An education program with its modules, learners by year (newest first) and who adopted it."""

    training: TrainingProgram
    modules: list[TrainingModule]
    years: list[LearnerYear]
    adopters: list[AdoptingInstitution]


def trainings_visible_to(user: object) -> QuerySet[TrainingProgram]:
    """This function will return the education programs this user or client may see."""
    return TrainingProgram.objects.filter(trainings_visible(user)).select_related("project").order_by("pk")


def goals_visible_to(user: object) -> QuerySet[ChallengeGoal]:
    """This function will return the challenge goals this user or client may see."""
    return ChallengeGoal.objects.filter(goals_visible(user)).select_related("project").order_by("pk")


def training_sheets(project: Project) -> list[TrainingSheet]:
    """This function will read the education programs of a project that the reader was found to see."""
    adopters = AdoptingInstitution.objects.select_related("organization").prefetch_related("modules")
    rows = TrainingProgram.objects.filter(project=project).prefetch_related(
        "modules", "learners", Prefetch("adopters", adopters)
    )
    return [_sheet(training) for training in rows.order_by("pk")]


def _sheet(training: TrainingProgram) -> TrainingSheet:
    years: dict[int, list[LearnerCount]] = {}
    for count in training.learners.all():
        years.setdefault(count.fiscal_year, []).append(count)
    by_year = [LearnerYear(year, years[year]) for year in sorted(years, reverse=True)]
    return TrainingSheet(training, list(training.modules.all()), by_year, list(training.adopters.all()))


def goals_of(project: Project) -> list[ChallengeGoal]:
    """This function will return the challenge goals of a project that the reader was found to see."""
    return list(ChallengeGoal.objects.filter(project=project).order_by("number"))


def institutions_for(project: Project) -> list[Organization]:
    """This function will return the institutions on record that may be named for this project."""
    return list(Organization.objects.filter(is_sample=project.is_sample).order_by("name_kana", "name_ja"))


# Counts ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class KindFigures:
    """Projects by kind, and what only some kinds have: modules, learners, adopting institutions, challenge goals."""

    NAMES: ClassVar = ("modules", "learners", "adopters", "goals", "achieved")

    counts: dict[str, int] = field(default_factory=dict)
    modules: int = 0
    learners: int = 0
    adopters: int = 0
    goals: int = 0
    achieved: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """This function will add the figures of one kind."""
        self.counts[row["kind"]] = self.counts.get(row["kind"], 0) + row["projects"]
        for name in self.NAMES:
            setattr(self, name, getattr(self, name) + row[name])


def figures_by_area(projects: QuerySet[Project]) -> dict[int, KindFigures]:
    """This function will count visible projects by area and kind, and what hangs on them, in one query."""
    found: dict[int, KindFigures] = {}
    rows = projects.filter(area__isnull=False).prefetch_related(None).order_by("area_id", "kind")
    for row in rows.alias(**_ofs()).values("area_id", "kind").annotate(projects=Count("pk"), **_sums()):
        found.setdefault(row["area_id"], KindFigures()).add(row)
    return found


def figures_of(project: Project) -> KindFigures:
    """This function will count what hangs on one project."""
    figures = KindFigures()
    rows = Project.objects.filter(pk=project.pk).order_by()
    for row in rows.alias(**_ofs()).values("kind").annotate(projects=Count("pk"), **_sums()):
        figures.add(row)
    return figures


def all_figures(parts: Iterable[KindFigures]) -> KindFigures:
    """This function will add up the figures of several areas."""
    whole = KindFigures()
    for part in parts:
        for name in KindFigures.NAMES:
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        for kind, count in part.counts.items():
            whole.counts[kind] = whole.counts.get(kind, 0) + count
    return whole


def _ofs() -> dict[str, Any]:
    """Per project: how many modules, learners, adopting institutions and goals."""
    mine = {"training__project": OuterRef("pk")}
    goals = ChallengeGoal.objects.filter(project=OuterRef("pk")).order_by()
    counted = {
        "modules": TrainingModule.objects.filter(**mine).order_by().values("training__project").annotate(n=Count("pk")),
        "learners": LearnerCount.objects.filter(**mine)
        .order_by()
        .values("training__project")
        .annotate(n=Sum("number")),
        "adopters": AdoptingInstitution.objects.filter(**mine)
        .order_by()
        .values("training__project")
        .annotate(n=Count("pk")),
        "goals": goals.values("project").annotate(n=Count("pk")),
        "achieved": goals.filter(achieved_on__isnull=False).values("project").annotate(n=Count("pk")),
    }
    return {f"of_{name}": Coalesce(Subquery(rows.values("n")), 0) for name, rows in counted.items()}


def _sums() -> dict[str, Any]:
    return {name: Sum(f"of_{name}") for name in KindFigures.NAMES}
