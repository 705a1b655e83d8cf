"""Pictures and rows from a project's frozen facts (`programs.contents`): the same bytes for the same content."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from common.charts import (
    BenchmarkPoint,
    Chart,
    Gate,
    Milestone,
    TrlPoint,
    YearRow,
    benchmark_lines,
    roadmap,
    trl_staircase,
    yearly_bars,
)
from common.fiscal_year import label as year_label
from programs.models import Benchmark, BenchmarkValue, TrlAssessment

LANGUAGE = "ja"


def benchmark_pictures(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Each benchmark with its picture and values; versions of before there were benchmarks have none."""

    def points(rows: list[dict[str, Any]]) -> list[BenchmarkPoint]:
        return [BenchmarkPoint(day_of(row["on"]), Decimal(row["value"]), row["who"]) for row in rows]

    found = []
    for one in content.get("benchmarks", []):
        name = f"{one['name_ja']} ({Benchmark.Direction(one['direction']).label})"
        chart = benchmark_lines(name, points(one["own"]), points(one["world"]), one["unit"], LANGUAGE)
        rows = [
            {**row, "on": day_of(row["on"]), "whose": str(BenchmarkValue.Holder(whose).label)}
            for whose in ("own", "world")
            for row in one[whose]
        ]
        found.append({**one, "chart": chart, "rows": rows})
    return found


def trl_rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a level: when it was planned, claimed and assessed, and the evidence that was given."""
    rows = []
    for level in sorted({row["level"] for row in content["trl"]}):
        here = [row for row in content["trl"] if row["level"] == level]
        days = {
            str(kind): [parse_date(row["on"]) for row in here if row["kind"] == kind] for kind in TrlAssessment.Kind
        }
        evidence = [(str(TrlAssessment.Kind(row["kind"]).label), row["evidence"]) for row in here if row["evidence"]]
        evidence += [
            (_("Criterion not met"), f"TRL{one['level']} {one['asked']}: {one['reason']}")
            for row in here
            for one in row.get("not_met", [])
        ]
        name = content["trl_levels"].get(str(level), "")
        rows.append({"level": level, "name": name, "days": days, "evidence": evidence})
    return rows


def milestone_rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    """This function will return the milestones with their days read and their slip in days."""
    rows = []
    for row in content["milestones"]:
        planned, reached = parse_date(row["planned_on"]), parse_date(row["reached_on"] or "")
        slip = str((reached - planned).days).replace("-", "△ ") if planned and reached else "-"
        rows.append({**row, "planned_on": planned, "reached_on": reached, "slip": slip})
    return rows


def trl_picture(content: dict[str, Any]) -> Chart | None:
    """This function will draw the staircase; None where there is neither a level nor a target."""
    if not content["trl"] and not content["project"]["target_trl"]:
        return None
    points: dict[str, list[TrlPoint]] = {"planned": [], "claimed": [], "assessed": []}
    for row in content["trl"]:
        points[row["kind"]].append(TrlPoint(day_of(row["on"]), row["level"]))
    levels = {int(number): name for number, name in content["trl_levels"].items()}
    target = content["project"]["target_trl"]
    return trl_staircase(
        points["planned"], points["claimed"], points["assessed"], target, _gates(content), levels, LANGUAGE
    )


def roadmap_picture(content: dict[str, Any], on: date) -> Chart | None:
    """This function will draw the roadmap with `on` as today; None without a milestone."""
    if not content["milestones"]:
        return None
    milestones = [
        Milestone(row["title"], day_of(row["planned_on"]), None, parse_date(row["reached_on"] or ""))
        for row in content["milestones"]
    ]
    return roadmap(milestones, _gates(content), on, LANGUAGE)


def money_picture(content: dict[str, Any], year: int) -> Chart | None:
    """This function will draw the money by fiscal year with `year` filled; None without money."""
    rows = [
        YearRow(
            year_label(row["fiscal_year"], LANGUAGE),
            row["allocated_yen"],
            row["contracted_yen"],
            row["fiscal_year"] == year,
        )
        for row in sorted(content["money"], key=lambda row: row["fiscal_year"])
    ]
    return yearly_bars(rows, "million", LANGUAGE) if rows else None


def _gates(content: dict[str, Any]) -> list[Gate]:
    return [Gate(day_of(gate["held_on"]), gate["name_ja"]) for gate in content["gates"]]


def day_of(text: str) -> date:
    """This function will read a day that the content holds."""
    found = parse_date(text)
    assert found is not None, text
    return found
