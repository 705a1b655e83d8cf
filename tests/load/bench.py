"""`make bench`: the budgets of this version, measured side by side in one run on a database of its own.

Prints a table and writes `var/bench.json`: a list of {name, value, unit, limit, ratio, budget, ok}. Exits 1 when a budget
is missed. `--quick` takes a tenth of the rows, to try the measuring itself; `--no-start` leaves a running server alone.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import psycopg

from config import postgres

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "sekisho_bench"
PROJECTS, OBSERVATIONS, REMINDERS, CASES, PROPOSALS = 10_000, 1_000_000, 10_000, 10_000, 1_000

Row = dict[str, Any]


def prepare() -> None:
    """This function will make a fresh database, point Django at it and migrate."""
    at = postgres.ensure_running()
    with psycopg.connect(at.url(postgres.OWNER, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    os.environ["DATABASE_OWNER_URL"] = at.url(postgres.OWNER, DATABASE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def drop() -> None:
    """This function will remove the database again."""
    from django.db import connections

    connections.close_all()
    at = postgres.ensure_running()  # the measured `make run` stopped it at its end
    with psycopg.connect(at.url(postgres.OWNER, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def show(rows: list[Row]) -> None:
    """This function will print the table."""
    print(f"\n{'figure':<58} {'value':>12} {'limit':>12} {'ratio':>8} {'budget':>8}")
    for row in rows:
        mark = "" if row["ok"] else "   MISSED"
        cells = [_number(row[key]) for key in ("value", "limit", "ratio", "budget")]
        print(f"{row['name']:<58} {cells[0]:>9} {row['unit']:<3} {cells[1]:>11} {cells[2]:>8} {cells[3]:>8}{mark}")


def _number(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def main() -> int:
    """This function will measure everything, print the table and say by its exit code whether all budgets hold."""
    part = 10 if "--quick" in sys.argv else 1
    prepare()
    from tests.load import (
        bench_api,
        bench_assignment,
        bench_documents,
        bench_pages,
        bench_reminders,
        bench_scoring,
        bench_start,
    )

    rows: list[Row] = []
    try:
        for measure, scale in (
            (bench_pages.run, PROJECTS // part),
            (bench_api.run, PROJECTS // part),
            (bench_pages.run_observations, OBSERVATIONS // part),
            (bench_documents.run, 1),
            (bench_reminders.run, REMINDERS // part),
            (bench_scoring.run, CASES // part),
            (bench_assignment.run, PROPOSALS // part),
            *(() if "--no-start" in sys.argv else ((bench_start.run, 1),)),
        ):
            rows += measure(scale)
            print(f"{measure.__module__.rsplit('.', 1)[1]}: {len(rows)} figures so far", flush=True)
    finally:
        drop()
    show(rows)
    target = ROOT / "var" / "bench.json"
    target.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
