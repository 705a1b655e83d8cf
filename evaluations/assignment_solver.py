"""PURE: the linear program of an assignment over a growing pool of pairs, and the small whole-number program at its end.

Columns come when they pay, institution and mutual rows when they are broken. HiGHS minimises; the signs of the
multipliers are turned into those of `assignment_bound`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import NDArray

from evaluations.assignment_bound import (
    Bools,
    Call,
    Floats,
    Ints,
    Multipliers,
    Pair,
    broken_institutions,
    broken_mutuals,
    prices,
)
from evaluations.solver import program

TOP_PAIRS, TOP_OF_FIELD, TOP_OF_GROUP = 14, 5, 3
#: Up to so many pairs all of them are taken at once, and the answer is proved to be the best.
FEW_PAIRS = 20_000
PAYS = 1e-7
NEW_PER_CASE = 12


class OutOfTime(Exception):
    """The time limit came before the linear program was solved."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of progress: stage (pool, price, choose), round, pairs looked at and worth so far."""

    stage: str
    round: int
    pairs: int
    rules: int
    worth: float


Tell = Callable[[Step], None]


@dataclass
class Clock:
    """How much time is left of a limit in seconds."""

    limit: float
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.limit - (time.monotonic() - self.started))


@dataclass
class Rules:
    """The rows of the program by what they are about; -1 where a rule is not wanted."""

    call: Call
    role: Ints
    lead: Ints
    group: Ints
    count: int
    institution: Ints
    institutions: list[tuple[int, int]] = field(default_factory=list)
    mutuals: list[tuple[Pair, Pair]] = field(default_factory=list)
    mutual_rows: list[int] = field(default_factory=list)

    def of(self, case: Ints, reviewer: Ints) -> tuple[Ints, Ints]:
        """This method will return the rows of these pairs: starts and indices of a matrix by columns."""
        call, cases = self.call, self.call.shape[0]
        institution = call.institutions[reviewer]
        rows = [
            case[:, None], cases + reviewer[:, None],
            np.where(call.fields[reviewer], self.role[case], -1),
            np.where(call.leads[case, reviewer], self.lead[case], -1)[:, None],
            np.where(call.groups[reviewer], self.group[case], -1),
            np.where(institution >= 0, self.institution[case, institution], -1)[:, None],
        ]  # fmt: skip
        for row, (one, other) in zip(self.mutual_rows, self.mutuals, strict=True):
            hit = ((case == one[0]) & (reviewer == one[1])) | ((case == other[0]) & (reviewer == other[1]))
            rows.append(np.where(hit, row, -1)[:, None])
        table = np.concatenate(rows, axis=1)
        starts = np.concatenate([[0], np.cumsum((table >= 0).sum(axis=1))])
        return starts.astype(np.int32), table[table >= 0].astype(np.int32)


def rules_of(call: Call) -> Rules:
    """This function will number the rows that every program of this call has."""
    cases, reviewers = call.shape
    at = cases + reviewers
    numbered = []
    for wanted in (call.required, call.leads_wanted[:, None], call.groups_wanted):
        rows = np.full(wanted.shape, -1, np.int64)
        rows[wanted] = at + np.arange(int(wanted.sum()))
        at += int(wanted.sum())
        numbered.append(rows)
    institutions = np.full((cases, int(call.institutions.max(initial=-1)) + 2), -1, np.int64)
    return Rules(call, numbered[0], numbered[1][:, 0], numbered[2], at, institutions)


def first_pool(call: Call) -> Bools:
    """This function will choose the pairs to begin with: the best of each case, field, group and reviewer."""
    if call.scores.size <= FEW_PAIRS:
        return call.allowed.copy()
    masked = np.where(call.allowed, call.scores, -1.0)
    pool = _best(masked, TOP_PAIRS)
    for wanted, has in ((call.required, call.fields), (call.groups_wanted, call.groups)):
        size = TOP_OF_FIELD if wanted is call.required else TOP_OF_GROUP
        for one in range(has.shape[1]):
            cases, people = np.flatnonzero(wanted[:, one]), np.flatnonzero(has[:, one])
            if len(cases) and len(people):
                pool[np.ix_(cases, people)] |= _best(masked[np.ix_(cases, people)], size)
    pool |= _best(np.where(call.leads, masked, -1.0), TOP_OF_FIELD) & call.leads_wanted[:, None]
    most = int(call.load_max.max(initial=0))
    if most:
        pool |= _best(masked.T, most).T
    return pool & call.allowed


def _best(values: Floats, size: int) -> Bools:
    size = min(size, values.shape[1])
    found = np.zeros(values.shape, bool)
    if size:
        np.put_along_axis(found, np.argpartition(-values, size - 1, axis=1)[:, :size], True, axis=1)
    return found


class Relaxation:
    """The linear program: solved, given the columns that pay and the rows that are broken, until neither is left."""

    def __init__(self, call: Call, noise: Floats, seed: int, clock: Clock) -> None:
        self.call, self.noise, self.seed, self.clock = call, noise, seed, clock
        self.rules = rules_of(call)
        self.case: Ints = np.zeros(0, np.int64)
        self.reviewer: Ints = np.zeros(0, np.int64)
        self.known = np.zeros(call.shape, bool)
        self.highs = program(seed)
        self._lay()

    def _lay(self) -> None:
        call, rules = self.call, self.rules
        cases, _reviewers = call.shape
        low = np.ones(rules.count)
        high = np.full(rules.count, highspy.kHighsInf)
        low[:cases] = high[:cases] = call.readers
        low[cases : rules.count - self._soft], high[cases : rules.count - self._soft] = call.load_min, call.load_max
        none = np.zeros(0, np.int32)
        self.highs.addRows(rules.count, low, high, 0, np.zeros(rules.count, np.int32), none, np.zeros(0))
        cost, top, row = self._slacks()
        self.highs.addCols(
            len(cost), cost, np.zeros(len(cost)), top, len(row), np.arange(len(row), dtype=np.int32), row, np.ones(len(row))
        )  # fmt: skip
        self.slacks = len(cost)

    @property
    def _soft(self) -> int:
        call = self.call
        return int(call.required.sum() + call.leads_wanted.sum() + call.groups_wanted.sum())

    def _slacks(self) -> tuple[Floats, Floats, NDArray[np.int32]]:
        """One slack for each reader wanted, field, primary, group and least load: its cost, bound and row."""
        call, w = self.call, self.call.weights
        cases = call.shape[0]
        below = np.flatnonzero(call.load_min > 0)
        soft = np.arange(self.rules.count - self._soft, self.rules.count)
        group = np.broadcast_to(call.group_weights, call.groups_wanted.shape)[call.groups_wanted]
        named = np.full(int(call.required.sum() + call.leads_wanted.sum()), w.field)
        cost = np.concatenate([np.full(cases, w.reader), np.full(len(below), w.load), named, group])
        top = np.concatenate([call.readers, call.load_min[below], np.ones(len(soft))]).astype(float)
        row = np.concatenate([np.arange(cases), cases + below, soft]).astype(np.int32)
        return cost, top, row

    def add(self, pool: Bools) -> int:
        """This method will take these pairs in, and return how many there were."""
        case, reviewer = np.nonzero(pool & ~self.known)
        if not len(case):
            return 0
        starts, rows = self.rules.of(case, reviewer)
        worth = self.call.scores[case, reviewer] + self.noise[case, reviewer]
        count = len(case)
        self.highs.addCols(
            count, -worth, np.zeros(count), np.ones(count), len(rows), starts[:-1], rows, np.ones(len(rows))
        )
        self.case, self.reviewer = np.concatenate([self.case, case]), np.concatenate([self.reviewer, reviewer])
        self.known[case, reviewer] = True
        return count

    def solve(self) -> Floats:
        """This method will solve the program as it is and return what it takes of each pair. Raises `OutOfTime`."""
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + self.clock.left)
        self.highs.run()
        if self.highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise OutOfTime
        solution = self.highs.getSolution()
        self.value = np.asarray(solution.col_value)[self.slacks :]
        self.dual = np.asarray(solution.row_dual)
        return self.value

    @property
    def worth(self) -> float:
        """The worth of the last solution."""
        return -float(self.highs.getInfo().objective_function_value)

    def multipliers(self) -> Multipliers:
        """This method will return the rules' values in the signs of the certificate."""
        call, rules, dual = self.call, self.rules, self.dual
        cases, reviewers = call.shape
        take = np.append(dual, 0.0)  # row -1 is worth nothing
        return Multipliers(
            -dual[:cases], -dual[cases : cases + reviewers], take[rules.role], take[rules.lead], take[rules.group],
            tuple((*rule, -float(dual[rules.institution[rule]])) for rule in rules.institutions),
            tuple(
                (*rule, -float(dual[row])) for row, rule in zip(rules.mutual_rows, rules.mutuals, strict=True)
            ),
        )  # fmt: skip

    def add_broken(self) -> int:
        """This method will add the rows that the last solution breaks, and return how many."""
        used = np.flatnonzero(self.value > 1e-9)
        value = {
            (int(self.case[one]), int(self.reviewer[one])): float(self.value[one]) for one in used
        }  # fmt: skip
        return add_rows(self.highs, self.rules, self.slacks, self.case, self.reviewer, value)

    def paying(self) -> Bools:
        """This method will return the best pairs not yet in the pool whose price is above what the rules ask."""
        gain = prices(self.call, self.multipliers()) + self.noise
        gain[~self.call.allowed | self.known] = -1.0
        found = gain > PAYS
        if found.sum(axis=1).max(initial=0) > NEW_PER_CASE:
            found &= _best(gain, NEW_PER_CASE)
        return found


def add_rows(
    highs: highspy.Highs, rules: Rules, first: int, case: Ints, reviewer: Ints, value: dict[Pair, float]
) -> int:
    """This function will add the institution and mutual rows that these values break; `first`: the first pair's column."""
    call = rules.call
    broken = broken_institutions(call, value)
    mutual = broken_mutuals(call, value)
    for rule in broken:
        here = np.flatnonzero((case == rule[0]) & (call.institutions[reviewer] == rule[1]))
        rules.institution[rule] = _at_most_one(highs, first + here)
        rules.institutions.append(rule)
    for one, other in mutual:
        here = np.flatnonzero(((case == one[0]) & (reviewer == one[1])) | ((case == other[0]) & (reviewer == other[1])))
        rules.mutual_rows.append(_at_most_one(highs, first + here))
        rules.mutuals.append((one, other))
    return len(broken) + len(mutual)


def _at_most_one(highs: highspy.Highs, columns: Ints) -> int:
    row = highs.getNumRow()
    highs.addRow(-highspy.kHighsInf, 1.0, len(columns), columns.astype(np.int32), np.ones(len(columns)))
    return int(row)


def relaxed(call: Call, noise: Floats, seed: int, clock: Clock, tell: Tell) -> Relaxation:
    """This function will solve the linear program over all pairs. Raises `OutOfTime`."""
    linear = Relaxation(call, noise, seed, clock)
    linear.add(first_pool(call))
    turn = 0
    while True:
        turn += 1
        linear.solve()
        tell(Step("price", turn, len(linear.case), len(linear.rules.institutions), linear.worth))
        if linear.add_broken():
            continue
        if not linear.add(linear.paying()):
            return linear


def chosen(linear: Relaxation, gain: Floats, near: float, *, gap: float, tell: Tell) -> tuple[list[Pair], bool]:
    """This function will choose whole pairs among those whose price is within `near` of paying.

    `gain`: every pair's price. Returns the pairs and whether the solver proved them the best of these. Raises
    `OutOfTime` when it found nothing in time.
    """
    call = linear.call
    keep = (gain[linear.case, linear.reviewer] >= -near) | (linear.value > 1e-9)
    small = Relaxation(call, linear.noise, linear.seed, linear.clock)
    small.highs.setOptionValue("mip_rel_gap", gap)
    pool = np.zeros(call.shape, bool)
    pool[linear.case[keep], linear.reviewer[keep]] = True
    small.add(pool)
    _copy_rows(linear.rules, small)
    whole = np.arange(small.slacks, small.slacks + len(small.case), dtype=np.int32)
    if gap:
        _take_certain(small, linear, gain, near)
    small.highs.changeColsIntegrality(len(whole), whole, np.full(len(whole), highspy.HighsVarType.kInteger))
    turn = 0
    while True:
        turn += 1
        value, is_proved = _run_whole(small)
        picked = np.flatnonzero(value > 0.5)
        pairs = [(int(small.case[one]), int(small.reviewer[one])) for one in picked]
        tell(Step("choose", turn, len(small.case), len(small.rules.institutions), small.worth))
        exact = dict.fromkeys(pairs, 1.0)
        if not add_rows(small.highs, small.rules, small.slacks, small.case, small.reviewer, exact):
            return pairs, is_proved


def _take_certain(small: Relaxation, linear: Relaxation, gain: Floats, near: float) -> None:
    """Pairs that the linear program takes whole, and that pay by more than `near`, are taken: the rest is smaller."""
    certain = np.zeros(small.call.shape, bool)
    taken = np.flatnonzero(linear.value > 1 - 1e-7)
    certain[linear.case[taken], linear.reviewer[taken]] = True
    certain &= gain > near
    columns = np.flatnonzero(certain[small.case, small.reviewer])
    ones = np.ones(len(columns))
    small.highs.changeColsBounds(len(columns), (small.slacks + columns).astype(np.int32), ones, ones)


def _copy_rows(rules: Rules, small: Relaxation) -> None:
    call, case, reviewer = small.call, small.case, small.reviewer
    for rule in rules.institutions:
        here = np.flatnonzero((case == rule[0]) & (call.institutions[reviewer] == rule[1]))
        small.rules.institution[rule] = _at_most_one(small.highs, small.slacks + here)
        small.rules.institutions.append(rule)
    for one, other in rules.mutuals:
        here = np.flatnonzero(((case == one[0]) & (reviewer == one[1])) | ((case == other[0]) & (reviewer == other[1])))
        small.rules.mutual_rows.append(_at_most_one(small.highs, small.slacks + here))
        small.rules.mutuals.append((one, other))


def _run_whole(small: Relaxation) -> tuple[Floats, bool]:
    highs = small.highs
    highs.setOptionValue("time_limit", highs.getRunTime() + small.clock.left)
    highs.run()
    status = highs.getModelStatus()
    info = highs.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        raise OutOfTime
    small.value = np.asarray(highs.getSolution().col_value)[small.slacks :]
    return small.value, status == highspy.HighsModelStatus.kOptimal
