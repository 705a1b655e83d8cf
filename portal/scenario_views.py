"""What the pages of a scenario show of its outlook: tables, the chart, the levels, two scenarios side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from common.charts import Chart, StackedRow, stacked_bars
from common.fiscal_year import label as year_label
from evaluations import portfolio
from evaluations.models import GateReview
from evaluations.queries.scenarios import ScenarioRead
from portal.forms.scenario import words_of
from portal.rounds import subject_name
from programs.drawings import language


def labels_of(reviews: Mapping[str, GateReview]) -> dict[str, str]:
    """This function will name the projects of the reviews."""
    return {ref: subject_name(one) for ref, one in reviews.items()}


def area_names(reviews: Mapping[str, GateReview]) -> dict[str, str]:
    """This function will name the areas under which the projects are summed up."""
    found = {}
    for one in reviews.values():
        area = one.project.area if one.project else None
        found[area.ref if area else ""] = area.name if area else _("No area")
    return found


def tenths(part: int) -> str:
    """This function will print tenths of a percent: 42.9%."""
    return f"{part // 10}.{part % 10}%"


def chart_of(outlook: portfolio.Outlook, names: Mapping[str, str]) -> Chart | None:
    """This function will draw the money by year, stacked by area; None where there is none."""
    if not outlook.planned_yen and not outlook.given_yen:
        return None
    rows = [
        StackedRow(
            year_label(one.year, language()), tuple(area.given.get(one.year, 0) for area in outlook.areas), one.planned
        )
        for one in outlook.years
    ]
    areas = [names.get(area.area, area.area) for area in outlook.areas]
    return stacked_bars(_("Money by fiscal year and area"), areas, rows, "million", language())


@dataclass(frozen=True, slots=True)
class ProjectShown:
    """One project of the results."""

    ref: str
    name: str
    outcome: str
    is_changed: bool
    cells: list[tuple[int, int]]
    given_yen: int
    planned_yen: int
    levels: list[str]

    @property
    def difference(self) -> int:
        return self.given_yen - self.planned_yen


@dataclass(frozen=True, slots=True)
class Released:
    """What one project's outcome frees in a year, and what became of it."""

    name: str
    year: int
    released: int
    moved: int

    @property
    def left(self) -> int:
        return self.released - self.moved


def results(read: ScenarioRead) -> dict[str, Any]:
    """This function will lay out what a scenario comes to; amounts that are typed only in part are left out."""
    years_known = range(read.scenario.from_year, read.scenario.from_year + 20)
    moves = [
        one for one in read.moves if one.move.yen > 0 and one.move.target_year in years_known and one.move.source_year
    ]
    read = replace(read, moves=[one for one in moves if {one.move.source, one.move.target} <= set(read.reviews)])
    outlook = read.outlook()
    labels, names = labels_of(read.reviews), area_names(read.reviews)
    years = [one.year for one in outlook.years]
    changes = [
        (
            names.get(one.area, one.area),
            one,
            tenths(one.planned_part),
            tenths(one.given_part),
            one.given_yen - one.planned_yen,
        )
        for one in outlook.areas
    ]
    released = [
        Released(labels[line.project.key], year, line.released(year), line.moved_out.get(year, 0))
        for line in outlook.lines
        for year in years
        if line.released(year) or line.moved_out.get(year)
    ]
    return {
        "outlook": outlook,
        "chart": chart_of(outlook, names),
        "years": years,
        "areas": changes,
        "projects": [_project(line, labels[line.project.key], years) for line in outlook.lines],
        "released": released,
        "moved": [(labels[one.move.source], labels[one.move.target], one) for one in read.moves],
        "level_years": [(year, *outlook.levels(year)) for year in level_years(outlook)],
        "overdrawn": [(labels[ref], year, yen) for ref, year, yen in outlook.overdrawn],
        "has_levels": any(line.levels for line in outlook.lines),
    }


def level_years(outlook: portfolio.Outlook) -> list[int]:
    """This function will return the fiscal years in which levels are planned or come, from the first to the last."""
    levels = [one for line in outlook.lines for one in line.levels]
    seen = {year for one in levels for year in (one.planned_year, one.year) if year is not None}
    return [*range(min(seen), max(seen) + 1)] if seen else []


def _project(line: portfolio.Line, name: str, years: list[int]) -> ProjectShown:
    return ProjectShown(
        line.project.key, name, words_of(line.outcome), line.outcome != portfolio.Outcome(),
        [(year, line.given(year)) for year in years], line.given_yen, line.planned_yen,
        [level_words(one) for one in line.levels],
    )  # fmt: skip


def level_words(one: portfolio.Level) -> str:
    """This function will say what becomes of a planned level."""
    planned = year_label(one.planned_year, language())
    if one.year is None:
        return _("TRL %(level)s: %(year)s, ends with the project") % {"level": one.level, "year": planned}
    if one.year != one.planned_year:
        return _("TRL %(level)s: %(year)s instead of %(planned)s") % {
            "level": one.level, "year": year_label(one.year, language()), "planned": planned,
        }  # fmt: skip
    return _("TRL %(level)s: %(year)s as planned") % {"level": one.level, "year": planned}


# A proposal -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProposalYear:
    """One year of a proposal: what was asked for, what there is, what is proposed, and what more would be worth."""

    year: int
    asked: int
    budget: int
    spent: int
    carried: int
    missing: int
    price: int


@dataclass(frozen=True, slots=True)
class ProposalShown:
    """What the system proposes, what it would change, and why."""

    changed: list[tuple[str, str, str, int]]
    years: list[ProposalYear]
    short: list[tuple[str, int]]
    worth: int
    bound: int


def proposal_shown(
    read: ScenarioRead,
    before: Mapping[str, portfolio.Outcome],
    chosen: Mapping[str, portfolio.Outcome],
    rules: portfolio.Rules,
    found: portfolio.Proposal,
) -> ProposalShown:
    """This function will put a proposal into words and figures."""
    labels, projects = labels_of(read.reviews), read.by_key

    def yen(ref: str, outcomes: Mapping[str, portfolio.Outcome]) -> int:
        return sum(portfolio.amounts(projects[ref], outcomes[ref]).values())

    asked: dict[int, int] = {}
    for ref, project in projects.items():
        for year, amount in portfolio.amounts(project, before[ref]).items():
            asked[year] = asked.get(year, 0) + amount
    years = [
        ProposalYear(
            year, asked.get(year, 0), rules.budgets.get(year, 0), found.spent[year], found.carried.get(year, 0),
            found.missing.get(year, 0), found.price.get(year, 0),
        )
        for year in sorted(found.spent)
        if asked.get(year) or found.spent[year] or year in rules.budgets
    ]  # fmt: skip
    changed = [
        (labels[ref], words_of(before[ref]), words_of(chosen[ref]), yen(ref, chosen) - yen(ref, before))
        for ref in found.changed
    ]
    names = area_names(read.reviews)
    short = [(names.get(area, area), amount) for area, amount in found.short.items()]
    return ProposalShown(changed, years, short, found.worth, found.bound)


# Two side by side -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a comparison: the same figure in the first scenario and in the second."""

    name: str
    first: int
    second: int

    @property
    def difference(self) -> int:
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class ProjectPair:
    """One project in both scenarios."""

    name: str
    first: str
    second: str
    money: Pair
    levels: list[tuple[str, str]]

    @property
    def differs(self) -> bool:
        return self.first != self.second or bool(self.money.difference)


def compared(first: ScenarioRead, second: ScenarioRead) -> dict[str, Any]:
    """This function will lay two scenarios side by side: whatever the reader sees in both or in one of them."""
    one, two = first.outlook(), second.outlook()
    labels = labels_of({**first.reviews, **second.reviews})
    names = area_names({**first.reviews, **second.reviews})
    years = sorted({year.year for outlook in (one, two) for year in outlook.years})
    given = [{year.year: year.given for year in outlook.years} for outlook in (one, two)]
    areas = [{area.area: area for area in outlook.areas} for outlook in (one, two)]
    lines = [{line.project.key: line for line in outlook.lines} for outlook in (one, two)]
    totals = [
        (_("Planned money"), one.planned_yen, two.planned_yen), (_("Given"), one.given_yen, two.given_yen),
        (_("Released money"), one.released_yen, two.released_yen), (_("Moved money"), one.moved_yen, two.moved_yen),
        (_("Balance"), one.balance_yen, two.balance_yen),
    ]  # fmt: skip
    level_span = sorted({*level_years(one), *level_years(two)})
    return {
        "totals": [Pair(*row) for row in totals],
        "by_year": [(year, Pair(str(year), given[0].get(year, 0), given[1].get(year, 0))) for year in years],
        "by_area": [
            (
                Pair(names.get(key, key), *(side[key].given_yen if key in side else 0 for side in areas)),
                *(tenths(side[key].given_part) if key in side else "-" for side in areas),
            )
            for key in dict.fromkeys([*areas[0], *areas[1]])
        ],
        "projects": [_pair(labels[ref], lines[0].get(ref), lines[1].get(ref)) for ref in dict.fromkeys([*lines[0], *lines[1]])],
        "level_years": [(year, Pair(str(year), one.levels(year)[1], two.levels(year)[1])) for year in level_span],
        "charts": [chart_of(one, names), chart_of(two, names)],
    }  # fmt: skip


def _pair(name: str, first: portfolio.Line | None, second: portfolio.Line | None) -> ProjectPair:
    words = [words_of(line.outcome) if line else "-" for line in (first, second)]
    money = Pair(name, *(line.given_yen if line else 0 for line in (first, second)))
    levels = [
        (level_words(a), level_words(b))
        for a, b in zip(first.levels if first else [], second.levels if second else [], strict=False)
        if a != b
    ]
    return ProjectPair(name, words[0], words[1], money, levels)


# Files ----------------------------------------------------------------------------------------------------------------


def csv_head() -> list[str]:
    """This function will name the columns of a scenario's file."""
    return [
        _("Project"), _("Name"), _("Area"), _("Outcome"), _("Fiscal year"), _("Plan (yen)"), _("Contracted (yen)"),
        _("By the outcome (yen)"), _("Moved in (yen)"), _("Given (yen)"), _("Released (yen)"), _("Moved away (yen)"),
    ]  # fmt: skip


def csv_lines(read: ScenarioRead) -> Iterator[list[Any]]:
    """This function will yield a scenario by project and fiscal year, in yen."""
    labels, names, outlook = labels_of(read.reviews), area_names(read.reviews), read.outlook()
    for line in outlook.lines:
        project = read.reviews[line.project.key].project
        for year in (one.year for one in outlook.years):
            yield [
                project.ref if project else "", labels[line.project.key], names.get(line.project.area, ""),
                words_of(line.outcome), year, line.planned.get(year, 0), line.project.committed.get(year, 0),
                line.amounts.get(year, 0), line.moved_in.get(year, 0), line.given(year), line.released(year),
                line.moved_out.get(year, 0),
            ]  # fmt: skip


def compared_head(first: str, second: str) -> list[str]:
    """This function will name the columns of a comparison's file."""
    outcome, given = _("Outcome"), _("Given (yen)")
    return [
        _("Project"), _("Name"), _("Fiscal year"), f"{outcome}: {first}", f"{outcome}: {second}", f"{given}: {first}",
        f"{given}: {second}", _("Difference (yen)"),
    ]  # fmt: skip


def compared_lines(first: ScenarioRead, second: ScenarioRead) -> Iterator[list[Any]]:
    """This function will yield two scenarios by project and fiscal year, in yen."""
    reviews = {**first.reviews, **second.reviews}
    labels, outlooks = labels_of(reviews), [first.outlook(), second.outlook()]
    lines = [{line.project.key: line for line in outlook.lines} for outlook in outlooks]
    years = sorted({year.year for outlook in outlooks for year in outlook.years})
    for ref, review in reviews.items():
        sides = [side.get(ref) for side in lines]
        words = [words_of(line.outcome) if line else "" for line in sides]
        for year in years:
            given = [line.given(year) if line else 0 for line in sides]
            yield [
                review.project.ref if review.project else "", labels[ref], year, *words, *given, given[1] - given[0],
            ]  # fmt: skip
