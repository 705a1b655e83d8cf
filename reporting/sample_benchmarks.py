"""The sample twin's benchmarks; every figure in them is made up and says so."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from programs.actions.benchmarks import add_benchmark_value, open_benchmark
from programs.models import Benchmark, Project

SOURCE = "見本データ"


def record_benchmarks(project: Project, rows: list[dict[str, Any]], *, by: User, at: datetime) -> int:
    """This function will open a project's benchmarks with their values, once; returns how many values it added."""
    if Benchmark.objects.filter(project=project).exists():
        return 0
    added = 0
    for row in rows:
        names = {name: row[name] for name in ("name_ja", "name_en", "unit", "direction")}
        benchmark = open_benchmark(project, **names, by=by, at=at)
        for holder, on, value, who in row["values"]:
            measured = {"holder": holder, "on": date.fromisoformat(on), "value": Decimal(value), "holder_name": who}
            add_benchmark_value(benchmark, **measured, source=SOURCE, by=by, at=at)
            added += 1
    return added
