"""From what was read to pictures: which figures a chart shows; how it looks is the charts' own matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.utils.translation import get_language

from common.charts import (
    BenchmarkPoint,
    BudgetRow,
    ChangeRow,
    Chart,
    Gate,
    IndicatorPoint,
    IndicatorTarget,
    Milestone,
    TrlPoint,
    benchmark_lines,
    budget_bars,
    change_bars,
    contract_bar,
    indicator_line,
    roadmap,
    trl_staircase,
)
from common.fiscal_year import label as year_label
from programs import planning
from programs.figures import IndicatorSheet, PrintedYear, printed_year
from programs.models import BenchmarkValue, Program, StageGate, TrlLevel
from programs.overviews import ProjectSheet
from programs.queries.benchmarks import BenchmarkSheet
from programs.queries.money import MoneyByYear
from programs.queries.revisions import Revision
from programs.queries.trl import planned_levels


def language() -> str:
    """This function will return the language of the page as the charts know it."""
    return "en" if (get_language() or "ja").startswith("en") else "ja"


def budget_row(name: str, year: PrintedYear) -> BudgetRow:
    """This function will return one program's bar."""
    return BudgetRow(
        name,
        year.initial.amount_yen if year.initial else None,
        year.supplementary.amount_yen if year.supplementary else None,
        year.previous.amount_yen if year.previous else None,
        year.unit,
        year.is_new,
        bool(year.initial and year.initial.kind == "initial_proposal"),
    )


def budget_chart(programs: Iterable[Program]) -> Chart | None:
    """This function will draw the programs' printed figures on one scale; None when nothing is printed."""
    rows = []
    for program in programs:
        year = printed_year(program.budget_lines.all())
        if year.initial or year.supplementary:
            rows.append(budget_row(program.name, year))
    return budget_bars(rows, language()) if rows else None


def indicator_chart(sheet: IndicatorSheet) -> Chart:
    """This function will draw an indicator's values against the target it is heading for; the last one when all passed."""
    latest = sheet.latest[0] if sheet.latest else 0
    ahead = [one for one in sheet.targets if (one.calendar_year or latest) >= latest]
    target = next(iter(ahead or sheet.targets[-1:]), None)
    return indicator_line(
        sheet.indicator.name,
        [IndicatorPoint(year, value) for year, value in sheet.years],
        IndicatorTarget(
            target.value, target.calendar_year, target.is_approximate, sheet.indicator.direction != "at_most"
        )
        if target
        else None,
        sheet.indicator.unit,
        language(),
    )


def trl_chart(sheet: ProjectSheet, levels: Sequence[TrlLevel]) -> Chart:
    """This function will draw the staircase of a project."""
    points = {
        kind: [TrlPoint(one.on, one.level.number) for one in sheet.points(kind)] for kind in ("claimed", "assessed")
    }
    return trl_staircase(
        [TrlPoint(on, level) for on, level in planned_levels(sheet.trl, sheet.milestones)],
        points["claimed"],
        points["assessed"],
        sheet.project.target_trl,
        gate_marks(sheet.gates),
        {level.number: level.name for level in levels},
        language(),
    )


def roadmap_chart(sheet: ProjectSheet, today: date) -> Chart:
    """This function will draw the milestones and gates of a project."""
    return roadmap(
        [
            Milestone(one.title, one.planned_on, one.baseline_on, one.reached_on)
            for one in sheet.milestones
            if not one.is_dropped
        ],
        gate_marks(sheet.gates),
        today,
        language(),
    )


def money_chart(year: MoneyByYear) -> Chart:
    """This function will draw what was planned, allocated, contracted, spent and carried over in one year."""
    money = year.money
    return contract_bar(
        money.allocated_yen,
        money.contracted_yen,
        money.spent_yen,
        "million",
        language(),
        planned=money.planned_yen,
        carried_over=money.carried_over_yen,
    )


def gate_marks(gates: Iterable[StageGate]) -> list[Gate]:
    """This function will return the gates as charts mark them."""
    return [Gate(gate.held_on, gate.name) for gate in gates]


def benchmark_chart(sheet: BenchmarkSheet) -> Chart:
    """This function will draw the own value of a benchmark against the world's best."""

    def points(values: list[BenchmarkValue]) -> list[BenchmarkPoint]:
        return [BenchmarkPoint(one.on, one.value, one.holder_name) for one in values]

    name = f"{sheet.benchmark.name} ({sheet.benchmark.get_direction_display()})"
    return benchmark_lines(name, points(sheet.own), points(sheet.world), sheet.benchmark.unit, language())


def revision_charts(revision: Revision, today: date) -> tuple[Chart | None, Chart | None]:
    """This function will draw a revision: money by year before and after, and the milestones with how far they move."""
    rows = [
        ChangeRow(year_label(one.fiscal_year, language()), one.before_yen, one.after_yen)
        for one in revision.years
        if one.before_yen or one.after_yen
    ]
    money = change_bars(rows, "million", language()) if rows else None
    if revision.after is None:
        return money, None
    plan = revision.after.plan
    before = (
        {}
        if revision.before is None
        else {one.key: one.planned_on for one in revision.before.plan.each(planning.Milestone)}
    )
    milestones = [Milestone(one.title, one.planned_on, before.get(one.key)) for one in plan.each(planning.Milestone)]
    gates = [Gate(one.held_on, one.title) for one in plan.each(planning.Gate)]
    return money, roadmap(milestones, gates, today, language()) if milestones else None
