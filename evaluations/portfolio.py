"""PURE: what outcomes for the projects of a round come to in money by year, area and TRL, and a proposal under budgets.

All money is whole yen, and parts always add up to their whole. A project's plan is its money from the first fiscal
year in which the outcomes take effect; what is contracted already can't be released by any outcome. The proposal is a
small integer program: it proposes, people decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np

from evaluations.solver import program

CONTINUE, MODIFY, LATER, STOP = "continue", "modify", "later", "stop"
OUTCOMES = (CONTINUE, MODIFY, LATER, STOP)
KEPT, SHIFTED, ENDED = "kept", "shifted", "ended"
#: More than this share of the plan is a slip of the pen.
LARGEST_SHARE = 200
Yen = dict[int, int]


@dataclass(frozen=True, slots=True)
class Project:
    """One project: its plan and what is contracted of it, in yen by fiscal year, and the levels planned by year."""

    key: str
    area: str = ""
    planned: Mapping[int, int] = field(default_factory=dict)
    committed: Mapping[int, int] = field(default_factory=dict)
    levels: tuple[tuple[int, int], ...] = ()

    @property
    def base(self) -> Yen:
        """What the project gets if nothing is decided: its plan, and never less than what is contracted."""
        years = sorted({*self.planned, *self.committed})
        return {year: max(self.planned.get(year, 0), self.committed.get(year, 0)) for year in years}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is set for one project. A modification has either a share of the plan or yen by year."""

    kind: str = CONTINUE
    share_percent: int | None = None
    yen_by_year: Mapping[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Released yen of one project and year that another project gets in a year."""

    source: str
    source_year: int
    target: str
    target_year: int
    yen: int


@dataclass(frozen=True, slots=True)
class Level:
    """One planned TRL: the year in the plan, and the year it has under the outcome (None: it ends with the project)."""

    level: int
    planned_year: int
    year: int | None
    fate: str


@dataclass(slots=True)
class Line:
    """One project under its outcome, by year."""

    project: Project
    outcome: Outcome
    planned: Yen
    #: What the outcome alone gives, before anything is moved.
    amounts: Yen
    levels: list[Level]
    moved_in: Yen = field(default_factory=dict)
    moved_out: Yen = field(default_factory=dict)

    def given(self, year: int) -> int:
        """This method will return what the project gets in a year, with what was moved to it."""
        return self.amounts.get(year, 0) + self.moved_in.get(year, 0)

    def released(self, year: int) -> int:
        """This method will return what the outcome frees of a year's plan."""
        return max(0, self.planned.get(year, 0) - self.amounts.get(year, 0))

    def left(self, year: int) -> int:
        """This method will return what was freed and not moved; below 0, more was moved than there is."""
        return self.released(year) - self.moved_out.get(year, 0)

    @property
    def given_yen(self) -> int:
        return sum(self.amounts.values()) + sum(self.moved_in.values())

    @property
    def planned_yen(self) -> int:
        return sum(self.planned.values())


@dataclass(frozen=True, slots=True)
class Year:
    """One fiscal year of the whole: `balance` is what the plans leave; below 0, more is given than was planned."""

    year: int
    planned: int
    given: int
    released: int
    moved: int

    @property
    def balance(self) -> int:
        return self.planned - self.given


@dataclass(frozen=True, slots=True)
class Area:
    """One area: yen by year, and its part of the whole in tenths of a percent, which add up to 1,000."""

    area: str
    planned: Yen
    given: Yen
    planned_part: int
    given_part: int

    @property
    def planned_yen(self) -> int:
        return sum(self.planned.values())

    @property
    def given_yen(self) -> int:
        return sum(self.given.values())


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the outcomes come to."""

    years: list[Year]
    areas: list[Area]
    lines: list[Line]

    @property
    def planned_yen(self) -> int:
        return sum(one.planned for one in self.years)

    @property
    def given_yen(self) -> int:
        return sum(one.given for one in self.years)

    @property
    def released_yen(self) -> int:
        return sum(one.released for one in self.years)

    @property
    def moved_yen(self) -> int:
        return sum(one.moved for one in self.years)

    @property
    def balance_yen(self) -> int:
        return self.planned_yen - self.given_yen

    @property
    def overdrawn(self) -> list[tuple[str, int, int]]:
        """Key, year and yen wherever more is moved away than the outcome frees."""
        return [
            (line.project.key, year, -line.left(year))
            for line in self.lines
            for year in sorted(line.moved_out)
            if line.left(year) < 0
        ]

    def levels(self, year: int) -> tuple[int, int]:
        """This method will return how many planned levels are reached by the end of a year: planned, and so."""
        every = [one for line in self.lines for one in line.levels]
        so = sum(1 for one in every if one.year is not None and one.year <= year)
        return sum(1 for one in every if one.planned_year <= year), so


def outlook(projects: Sequence[Project], outcomes: Mapping[str, Outcome], moves: Iterable[Move] = ()) -> Outlook:
    """This function will work out money by year and area, what is released and moved, and the planned levels.

    A project without an outcome continues. A move of which one end is not among the projects is left out.
    """
    lines = {one.key: _line(one, outcomes.get(one.key, Outcome())) for one in projects}
    for move in moves:
        if move.source in lines and move.target in lines:
            _add(lines[move.source].moved_out, move.source_year, move.yen)
            _add(lines[move.target].moved_in, move.target_year, move.yen)
    every = list(lines.values())
    seen = {year for line in every for part in (line.planned, line.amounts, line.moved_in) for year in part}
    span = range(min(seen), max(seen) + 1) if seen else range(0)
    return Outlook([_year(year, every) for year in span], _areas(every, span), every)


def _line(project: Project, outcome: Outcome) -> Line:
    return Line(project, outcome, project.base, amounts(project, outcome), levels_of(project, outcome))


def _add(table: Yen, year: int, yen: int) -> None:
    table[year] = table.get(year, 0) + yen


def _year(year: int, lines: Sequence[Line]) -> Year:
    return Year(
        year,
        sum(line.planned.get(year, 0) for line in lines),
        sum(line.given(year) for line in lines),
        sum(line.released(year) for line in lines),
        sum(line.moved_out.get(year, 0) for line in lines),
    )


def _areas(lines: Sequence[Line], years: Iterable[int]) -> list[Area]:
    by_area: dict[str, list[Line]] = {}
    for line in lines:
        by_area.setdefault(line.project.area, []).append(line)
    planned = split(1000, [sum(line.planned_yen for line in group) for group in by_area.values()])
    given = split(1000, [sum(line.given_yen for line in group) for group in by_area.values()])
    return [
        Area(
            area,
            {year: sum(line.planned.get(year, 0) for line in group) for year in years},
            {year: sum(line.given(year) for line in group) for year in years},
            planned[place],
            given[place],
        )
        for place, (area, group) in enumerate(by_area.items())
    ]


def amounts(project: Project, outcome: Outcome) -> Yen:
    """This function will return the yen by year that an outcome gives; never less than what is contracted."""
    base, committed = project.base, project.committed
    match outcome.kind:
        case "continue":
            return base
        case "stop":
            found = {year: committed.get(year, 0) for year in base}
        case "later":
            found = {year: committed.get(year, 0) for year in base}
            for year, yen in base.items():
                _add(found, year + 1, yen - committed.get(year, 0))
        case _:
            wanted = _modified(base, outcome)
            found = {year: max(yen, committed.get(year, 0)) for year, yen in wanted.items()}
    return {year: yen for year, yen in sorted(found.items()) if yen or year in base}


def _modified(base: Yen, outcome: Outcome) -> Yen:
    if outcome.yen_by_year is not None:
        years = sorted({*base, *outcome.yen_by_year})
        return {year: outcome.yen_by_year.get(year, 0) for year in years}
    share = 100 if outcome.share_percent is None else outcome.share_percent
    whole = (2 * sum(base.values()) * share + 100) // 200
    return dict(zip(base, split(whole, list(base.values())), strict=True))


def levels_of(project: Project, outcome: Outcome) -> list[Level]:
    """This function will tell which planned levels stay, come a year later or end with the project."""
    found = []
    for year, level in sorted(project.levels):
        if outcome.kind == STOP:
            found.append(Level(level, year, None, ENDED))
        elif outcome.kind == LATER:
            found.append(Level(level, year, year + 1, SHIFTED))
        else:
            found.append(Level(level, year, year, KEPT))
    return found


def split(total: int, weights: Sequence[int]) -> list[int]:
    """This function will split a whole number by weights so that the parts add up to it; nothing where all are 0.

    What division leaves goes, one by one, to the largest remainders, the first of equals.
    """
    whole = sum(weights)
    if whole <= 0:
        return [0 for _ in weights]
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in order[: total - sum(parts)]:
        parts[n] += 1
    return parts


def problems(project: Project, outcome: Outcome) -> list[str]:
    """This function will name what is wrong with an outcome: `kind`, `share`, `yen`, `year`, `both`, `neither`."""
    if outcome.kind not in OUTCOMES:
        return ["kind"]
    share, by_year = outcome.share_percent, outcome.yen_by_year
    if outcome.kind != MODIFY:
        return ["not_modified"] if share is not None or by_year is not None else []
    if share is not None and by_year is not None:
        return ["both"]
    if by_year is not None:
        years = set(offered_years(project))
        return ["year"] * bool(set(by_year) - years) + ["yen"] * any(yen < 0 for yen in by_year.values())
    if share is None:
        return ["neither"]
    return [] if 0 < share <= LARGEST_SHARE else ["share"]


def offered_years(project: Project) -> list[int]:
    """This function will return the years in which a modification may give money: the plan's and the one after."""
    base = project.base
    return [*range(min(base), max(base) + 2)] if base else []


# A proposal under budgets ---------------------------------------------------------------------------------------------

#: The solver counts in million yen; a missing yen weighs more than an area that falls short by one.
UNIT = 1_000_000
MISSING_WEIGHS = 10
PRICED_YEN = 100_000_000
SECONDS = 10.0
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Option:
    """One outcome that a project may get: its yen by year, and what it is worth, in yen as well."""

    outcome: Outcome
    money: Mapping[int, int]
    worth: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A project of the proposal: its options, and which of them stands now."""

    key: str
    options: tuple[Option, ...]
    now: int = 0
    area: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the proposal keeps to: yen a year, what a changed decision costs, and yen that an area gets at least."""

    budgets: Mapping[int, int]
    change_yen: int = 0
    may_carry: bool = True
    area_floors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed. `missing` and `short` say by how many yen the rules can't be met, even so.

    `bound` is what no choice can exceed, `relaxed` the same if projects could be divided; `price` is about what 100
    million yen more in a year are worth.
    """

    chosen: dict[str, int]
    changed: list[str]
    worth: int
    bound: int
    relaxed: int
    spent: Yen
    carried: Yen
    missing: Yen
    short: dict[str, int]
    price: Yen


@dataclass(frozen=True, slots=True)
class Weights:
    """What the options are worth: percent of a project's plan for the smaller share and for a year's delay."""

    share_percent: int = 80
    worth_of_share: int = 85
    worth_of_delay: int = 90


def candidate(
    project: Project, now: Outcome, weights: Weights, priority: int = 3, *, is_fixed: bool = False
) -> Candidate:
    """This function will lay out a project's options: as planned, a smaller share, a year later, stop, and what stands.

    `priority` (1 to 5) makes a yen of the plan worth a third to five thirds of a yen.
    """
    wanted = [now] if is_fixed else [Outcome(), Outcome(MODIFY, weights.share_percent), Outcome(LATER), Outcome(STOP)]
    if now not in wanted:
        wanted.append(now)
    whole = sum(project.base.values())
    options = []
    for outcome in wanted:
        money = amounts(project, outcome)
        percent = weights.worth_of_delay if outcome.kind == LATER else _worth(sum(money.values()), whole, weights)
        if outcome.kind == STOP:
            percent = 0
        options.append(Option(outcome, money, whole * priority * percent // 300))
    return Candidate(project.key, tuple(options), wanted.index(now), project.area)


def _worth(yen: int, whole: int, weights: Weights) -> int:
    """Percent of a plan's worth for so much of its money: straight from nothing over the smaller share to the whole."""
    percent = 100 * yen / whole if whole else 100.0
    share, worth = weights.share_percent, weights.worth_of_share
    if percent >= 100 or share >= 100:
        return 100 if percent >= 100 else round(percent)
    if percent <= share:
        return round(worth * percent / share)
    return round(worth + (100 - worth) * (percent - share) / (100 - share))


def propose(candidates: Sequence[Candidate], rules: Rules) -> Proposal:
    """This function will choose one option a project, worth the most within the budgets and floors.

    Where they can't all be met, as little as possible is missing. Raises `TimeoutError` when no answer comes in time.
    """
    if not candidates:
        return Proposal({}, [], 0, 0, 0, {}, {}, {}, {}, {})
    model = _Model(candidates, rules)
    least = model.solve(model.slack_costs, minimize=True).objective
    limit = max(0.0, least) + TOLERANCE * 10
    best = model.solve(model.gains, minimize=False, slack_limit=limit)
    relaxed = model.solve(model.gains, minimize=False, slack_limit=limit, is_relaxed=True)
    return model.proposal(best, relaxed)


@dataclass(frozen=True, slots=True)
class _Solved:
    objective: float
    bound: float
    values: np.ndarray
    duals: np.ndarray


class _Model:
    """Columns: one for each option, then the yen carried over and missing by year, then what areas fall short by."""

    def __init__(self, candidates: Sequence[Candidate], rules: Rules) -> None:
        self.candidates, self.rules = candidates, rules
        used = {year for one in candidates for option in one.options for year in option.money}
        self.years = sorted({*used, *rules.budgets})
        self.areas = [area for area, yen in sorted(rules.area_floors.items()) if yen > 0]
        self.options = [(n, place) for n, one in enumerate(candidates) for place in range(len(one.options))]
        self.count = len(self.options) + 2 * len(self.years) + len(self.areas)
        first_slack = len(self.options) + len(self.years)
        self.slack_costs = np.zeros(self.count)
        self.slack_costs[first_slack : first_slack + len(self.years)] = MISSING_WEIGHS
        self.slack_costs[first_slack + len(self.years) :] = 1
        self.gains = np.zeros(self.count)
        for column, (n, place) in enumerate(self.options):
            one = candidates[n]
            self.gains[column] = (one.options[place].worth - rules.change_yen * (place != one.now)) / UNIT

    def _rows(self, slack_limit: float | None) -> list[tuple[float, float, dict[int, float]]]:
        """Lower bound, upper bound and entries of every row; the budgets come first, in the order of the years."""
        rows: list[tuple[float, float, dict[int, float]]] = []
        carry, missing = len(self.options), len(self.options) + len(self.years)
        for place, year in enumerate(self.years):
            entries = {carry + place: 1.0, missing + place: -1.0}
            if place:
                entries[carry + place - 1] = -1.0
            for column, (n, option) in enumerate(self.options):
                if yen := self.candidates[n].options[option].money.get(year, 0):
                    entries[column] = yen / UNIT
            rows.append((-highspy.kHighsInf, self.rules.budgets.get(year, 0) / UNIT, entries))
        for n in range(len(self.candidates)):
            rows.append((1, 1, {column: 1.0 for column, (owner, _) in enumerate(self.options) if owner == n}))
        for place, area in enumerate(self.areas):
            entries = {missing + len(self.years) + place: 1.0}
            for column, (n, option) in enumerate(self.options):
                if self.candidates[n].area == area:
                    entries[column] = sum(self.candidates[n].options[option].money.values()) / UNIT
            rows.append((self.rules.area_floors[area] / UNIT, highspy.kHighsInf, entries))
        if slack_limit is not None:
            entries = {column: float(cost) for column, cost in enumerate(self.slack_costs) if cost}
            rows.append((-highspy.kHighsInf, slack_limit, entries))
        return rows

    def solve(
        self, costs: np.ndarray, *, minimize: bool, slack_limit: float | None = None, is_relaxed: bool = False
    ) -> _Solved:
        """This method will solve it for these costs. Raises `TimeoutError` without an optimum."""
        rows = self._rows(slack_limit)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.count, len(rows)
        lp.sense_ = highspy.ObjSense.kMinimize if minimize else highspy.ObjSense.kMaximize
        lp.col_cost_, lp.col_lower_ = costs, np.zeros(self.count)
        upper = np.full(self.count, highspy.kHighsInf)
        upper[: len(self.options)] = 1
        if not self.rules.may_carry:
            upper[len(self.options) : len(self.options) + len(self.years)] = 0
        lp.col_upper_ = upper
        lp.row_lower_ = np.array([low for low, _high, _entries in rows], dtype=float)
        lp.row_upper_ = np.array([high for _low, high, _entries in rows], dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0, *(len(entries) for *_bounds, entries in rows)])
        lp.a_matrix_.index_ = np.array([column for *_bounds, entries in rows for column in entries])
        lp.a_matrix_.value_ = np.array([value for *_bounds, entries in rows for value in entries.values()])
        if not is_relaxed:
            whole, real = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
            lp.integrality_ = [whole if n < len(self.options) else real for n in range(self.count)]
        return _run(lp)

    def proposal(self, best: _Solved, relaxed: _Solved) -> Proposal:
        """This method will read the answer, and count it anew in whole yen."""
        chosen = {
            self.candidates[n].key: option
            for column, (n, option) in enumerate(self.options)
            if best.values[column] > 0.5
        }
        taken = {one.key: one.options[chosen[one.key]] for one in self.candidates}
        changed = [one.key for one in self.candidates if chosen[one.key] != one.now]
        spent = {year: sum(option.money.get(year, 0) for option in taken.values()) for year in self.years}
        carried, missing, purse = {}, {}, 0
        for year in self.years:
            left = self.rules.budgets.get(year, 0) + purse - spent[year]
            purse = max(0, left) if self.rules.may_carry else 0
            if purse:
                carried[year] = purse
            if left < 0:
                missing[year] = -left
        by_area = {
            area: sum(sum(taken[one.key].money.values()) for one in self.candidates if one.area == area)
            for area in self.areas
        }
        worth = sum(option.worth for option in taken.values()) - self.rules.change_yen * len(changed)
        prices = zip(self.years, relaxed.duals, strict=False)
        return Proposal(
            chosen, changed, worth, max(worth, round(best.bound * UNIT)),
            max(worth, round(relaxed.objective * UNIT)), spent, carried, missing,
            {area: self.rules.area_floors[area] - yen for area, yen in by_area.items() if yen < self.rules.area_floors[area]},
            {year: round(abs(dual) * PRICED_YEN) for year, dual in prices},
        )  # fmt: skip


def _run(lp: highspy.HighsLp) -> _Solved:
    solver = program(
        time_limit=SECONDS, mip_rel_gap=1e-9, mip_feasibility_tolerance=TOLERANCE, primal_feasibility_tolerance=TOLERANCE
    )  # fmt: skip
    solver.passModel(lp)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise TimeoutError(solver.modelStatusToString(solver.getModelStatus()))
    found = solver.getSolution()
    info = solver.getInfo()
    bound = info.mip_dual_bound if lp.integrality_ else info.objective_function_value
    return _Solved(info.objective_function_value, bound, np.array(found.col_value), np.array(found.row_dual))
