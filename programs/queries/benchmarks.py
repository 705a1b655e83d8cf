"""Reads of benchmarks: each with its values over time, what stands corrected left out, and whether it is stale."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from programs.models import Benchmark, BenchmarkValue, Project, ResearchArea
from programs.rules.benchmarks import benchmarks_kept_by, benchmarks_visible

#: Without a newer value for so long a benchmark asks for an update.
STALE_AFTER = timedelta(days=365)


@dataclass(slots=True)
class BenchmarkSheet:
    """A benchmark with its values that stand, oldest first."""

    benchmark: Benchmark
    own: list[BenchmarkValue] = field(default_factory=list)
    world: list[BenchmarkValue] = field(default_factory=list)

    @property
    def newest_on(self) -> date | None:
        """The day of the newest value of either kind."""
        return max((value.on for value in (*self.own, *self.world)), default=None)

    def is_stale(self, today: date) -> bool:
        """Whether it asks for an update: nothing newer than a year, the own value and the world's best each."""
        return any(not values or values[-1].on < today - STALE_AFTER for values in (self.own, self.world))


def benchmarks_visible_to(user: object) -> QuerySet[Benchmark]:
    """This function will return the benchmarks this user or client may see."""
    return Benchmark.objects.filter(benchmarks_visible(user)).select_related("project", "area").order_by("pk")


def benchmark_sheets(owner: Project | ResearchArea) -> list[BenchmarkSheet]:
    """This function will read the benchmarks of a project or area that the reader was found to see, in two queries."""
    condition = Q(project=owner) if isinstance(owner, Project) else Q(area=owner)
    sheets = {one.pk: BenchmarkSheet(one) for one in Benchmark.objects.filter(condition).order_by("pk")}
    for value in BenchmarkValue.objects.filter(benchmark__in=sheets, corrected_by__isnull=True).order_by("on", "pk"):
        sheet = sheets[value.benchmark_id]
        (sheet.own if value.holder == BenchmarkValue.Holder.OWN else sheet.world).append(value)
    return list(sheets.values())


def values_of(benchmark: Benchmark) -> list[BenchmarkValue]:
    """This function will return every value on record, those corrected since among them, newest first."""
    rows = BenchmarkValue.objects.filter(benchmark=benchmark).select_related("corrected_by", "corrects")
    return list(rows.order_by("-on", "-pk"))


def stale_benchmarks(user: object, today: date) -> QuerySet[Benchmark]:
    """This function will return the benchmarks of running projects that this person keeps and that ask for an update."""
    fresh = BenchmarkValue.objects.filter(benchmark=OuterRef("pk"), on__gte=today - STALE_AFTER)
    running = Q(project__isnull=True) | Q(project__state=Project.State.RUNNING)
    return (
        Benchmark.objects.filter(benchmarks_kept_by(user), running)
        .exclude(Exists(fresh.filter(holder="own")) & Exists(fresh.filter(holder="world")))
        .annotate(newest_on=Max("values_on_record__on"))
        .select_related("project__program", "project__area", "area")
        .order_by("newest_on", "pk")
    )
