"""PURE: the readers' leniency taken out of the scores: a ranking with its uncertainty, always beside the raw mean.

`y_ij = mu + theta_i + b_j + e_ij`: quality of case i and leniency of reader j are crossed random effects. Their shares of
the variance are estimated by REML over two log ratios; everything else follows from one dense Cholesky of the smaller
side. Same scores and seed, same answer, in whatever order the scores come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Below this median number of sheets per reader, standardising each reader's scores does harm: on real scores it took
#: the agreement with the panel from 0.605 to 0.174.
FEWEST_FOR_STANDARD_SCORES = 8
#: Draws from the posterior for the intervals of the ranks.
DRAWS = 1000
#: The log variance ratios stay within this; below it a share is as good as none.
_LARGEST_LOG = 9.0
_LOG_TOLERANCE = 0.005
_BLOCK = 512


class NotComparable(ValueError):
    """The scores do not allow it; `code` says why: too_few_cases, too_few_readers, single_readers, all_equal, ..."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Score:
    """One reader's total for one case."""

    case: str
    reviewer: str
    points: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One case: raw mean and rank by it, calibrated mean and its deviation, expected rank and intervals of the rank."""

    case: str
    readers: int
    raw_mean: float
    raw_rank: int
    mean: float
    deviation: float
    expected_rank: float
    rank: int
    half: tuple[int, int]
    ninety: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Leniency:
    """How many points one reader gives above (or below) the others, other things equal."""

    reviewer: str
    sheets: int
    points: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The ranking (best first), the readers, the three variances, and what to mind.

    `icc`: the share of a single score's variance that is the case; `reliability`: the same for the mean of as many
    readers as a case has on average. `parts`: cases that share readers, directly or over others; with more than one,
    leniency and quality cannot be told apart between them, and the raw mean is the better guide.
    """

    standings: tuple[Standing, ...]
    leniencies: tuple[Leniency, ...]
    mean: float
    case_variance: float
    reader_variance: float
    residual_variance: float
    alpha: float | None
    parts: tuple[tuple[str, ...], ...]

    @property
    def icc(self) -> float:
        """The share of one score's variance that is the case itself."""
        return self.reliability_at(1)

    @property
    def is_disconnected(self) -> bool:
        """Whether some cases share no reader with the others, not even over others."""
        return len(self.parts) > 1

    @property
    def readers_per_case(self) -> float:
        """The mean number of readers."""
        return sum(one.readers for one in self.standings) / len(self.standings)

    def reliability_at(self, readers: float) -> float:
        """This method will return the reliability of the raw mean of so many readers, 0 to 1."""
        noise = (self.reader_variance + self.residual_variance) / readers
        return self.case_variance / (self.case_variance + noise)

    @property
    def reliability(self) -> float:
        """The reliability at the mean number of readers."""
        return self.reliability_at(self.readers_per_case)


def grey_zone(standings: Sequence[Standing], fundable: int) -> tuple[str, ...]:
    """This function will return the cases around the line, best first: fund or not is not decided by the scores.

    Their 50% interval of the rank contains the expected rank of the last fundable case.
    """
    if not 0 < fundable < len(standings):
        return ()
    ranked = sorted(standings, key=lambda one: one.rank)
    line = ranked[fundable - 1].expected_rank
    return tuple(one.case for one in ranked if one.half[0] <= line <= one.half[1])


def standard_scores(scores: Iterable[Score]) -> dict[tuple[str, str], float]:
    """This function will return each reader's z scores by (case, reviewer).

    Raises `NotComparable` ("too_few_sheets") when the median reader has fewer than 8 sheets.
    """
    by_reader: dict[str, list[Score]] = {}
    for score in sorted(scores, key=lambda one: (one.reviewer, one.case)):
        by_reader.setdefault(score.reviewer, []).append(score)
    if not by_reader or median(len(one) for one in by_reader.values()) < FEWEST_FOR_STANDARD_SCORES:
        raise NotComparable("too_few_sheets")
    found = {}
    for reader, own in by_reader.items():
        points = np.array([score.points for score in own])
        deviation = float(points.std(ddof=1)) if len(own) > 1 else 0.0
        for score in own:
            off = score.points - float(points.mean())
            found[score.case, reader] = off / deviation if deviation > 0 else 0.0
    return found


def krippendorff_alpha(scores: Iterable[Score]) -> float | None:
    """This function will return Krippendorff's alpha for interval data: 1 is full agreement, 0 chance; None if undefined.

    Only cases with two readers or more count.
    """
    by_case: dict[str, list[float]] = {}
    for score in scores:
        by_case.setdefault(score.case, []).append(score.points)
    units = [np.sort(np.array(values)) for _, values in sorted(by_case.items()) if len(values) > 1]
    if not units:
        return None
    every = np.concatenate(units)
    expected = float(every.var(ddof=1))
    if expected <= 0:
        return None
    observed = sum(float(unit.var(ddof=1)) * len(unit) for unit in units) / len(every)
    return 1 - observed / expected


def connected_parts(scores: Iterable[Score]) -> tuple[tuple[str, ...], ...]:
    """This function will return the groups of cases that hang together by readers, largest first."""
    root: dict[tuple[str, str], tuple[str, str]] = {}

    def find(node: tuple[str, str]) -> tuple[str, str]:
        root.setdefault(node, node)
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for score in scores:
        root[find(("reviewer", score.reviewer))] = find(("case", score.case))
    parts: dict[tuple[str, str], list[str]] = {}
    for kind, name in sorted(root):
        if kind == "case":
            parts.setdefault(find((kind, name)), []).append(name)
    return tuple(sorted((tuple(part) for part in parts.values()), key=lambda part: (-len(part), part)))


def fields_apart(scores: Iterable[Score], field_of: dict[str, str]) -> list[tuple[str, str]]:
    """This function will return the pairs of fields that share no reader: between them leniency is a guess."""
    readers: dict[str, set[str]] = {}
    for score in scores:
        if score.case in field_of:
            readers.setdefault(field_of[score.case], set()).add(score.reviewer)
    fields = sorted(readers)
    return [(a, b) for at, a in enumerate(fields) for b in fields[at + 1 :] if not readers[a] & readers[b]]


def calibrate(scores: Iterable[Score], *, seed: int, draws: int = DRAWS) -> Calibration:
    """This function will fit the model and rank the cases.

    Raises `NotComparable`: fewer than three cases or two readers, no case with two readers, fewer scores than the model
    has to tell apart, all scores equal, a reader twice on one case, or a score that is no number.
    """
    ordered = sorted(scores, key=lambda one: (one.case, one.reviewer))
    _refuse(ordered)
    table = _Table.of(ordered)
    first, second = _minimum(lambda at: table.deviance(*at))
    return _Posterior(table, first, second).calibration(ordered, np.random.default_rng(seed), draws)


def _refuse(scores: Sequence[Score]) -> None:
    cases, readers = {score.case for score in scores}, {score.reviewer for score in scores}
    if not all(np.isfinite(score.points) for score in scores):
        raise NotComparable("no_number")
    if len({(score.case, score.reviewer) for score in scores}) < len(scores):
        raise NotComparable("reader_twice")
    if len(cases) < 3:
        raise NotComparable("too_few_cases")
    if len(readers) < 2:
        raise NotComparable("too_few_readers")
    if len(scores) == len(cases):
        raise NotComparable("single_readers")
    if len(scores) <= len(cases) + len(readers) - 1:
        raise NotComparable("too_few_scores")
    if len({score.points for score in scores}) < 2:
        raise NotComparable("all_equal")


# The model ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Table:
    """The scores as arrays, ordered by the larger side, whose effects are eliminated one by one.

    `big`, `small`: who each score belongs to; the bordered matrix has the small side first, then the mean, then y.
    """

    big: Ints
    small: Ints
    y: Floats
    big_names: tuple[str, ...]
    small_names: tuple[str, ...]
    cases_are_big: bool
    centre: float
    left: Ints
    right: Ints
    owner: Ints

    @classmethod
    def of(cls, scores: Sequence[Score]) -> _Table:
        """This method will sort the scores into the larger and the smaller side."""
        cases = tuple(sorted({score.case for score in scores}))
        readers = tuple(sorted({score.reviewer for score in scores}))
        cases_are_big = len(cases) >= len(readers)
        names = (cases, readers) if cases_are_big else (readers, cases)
        places = [{name: at for at, name in enumerate(side)} for side in names]
        pairs = [(one.case, one.reviewer) if cases_are_big else (one.reviewer, one.case) for one in scores]
        big = np.array([places[0][one] for one, _ in pairs], dtype=np.int64)
        small = np.array([places[1][two] for _, two in pairs], dtype=np.int64)
        order = np.lexsort((small, big))
        y = np.array([score.points for score in scores])[order]
        big, small = big[order], small[order]
        left, right, owner = _pairs(big, small)
        return cls(big, small, y - y.mean(), *names, cases_are_big, float(y.mean()), left, right, owner)

    def bordered(self, big_ratio: float, small_ratio: float) -> tuple[Floats, Floats]:
        """This method will return the equations of (small side, mean, y) with the big side eliminated, and its weights."""
        size, count = len(self.small_names), np.bincount(self.big).astype(float)
        weight = 1 / (count + 1 / big_ratio)
        sums = np.bincount(self.big, weights=self.y)
        spot = np.arange(size)
        matrix = np.empty((size + 2, size + 2))
        flat = np.bincount(self.left * size + self.right, weights=weight[self.owner], minlength=size * size)
        matrix[:size, :size] = -flat.reshape(size, size)
        matrix[spot, spot] += np.bincount(self.small, minlength=size) + 1 / small_ratio
        for column, own, total in ((size, np.ones_like(self.y), count), (size + 1, self.y, sums)):
            eliminated = (weight * total)[self.big]
            matrix[:size, column] = np.bincount(self.small, weights=own - eliminated, minlength=size)
        matrix[size, size] = len(self.y) - weight @ (count * count)
        matrix[size, size + 1] = self.y.sum() - weight @ (count * sums)
        matrix[size + 1, size + 1] = self.y @ self.y - weight @ (sums * sums)
        matrix[size, :size], matrix[size + 1, : size + 1] = matrix[:size, size], matrix[: size + 1, size + 1]
        return matrix, weight

    def deviance(self, log_big: float, log_small: float) -> float:
        """This method will return minus twice the restricted log likelihood, the scale profiled out.

        The last row of the bordered matrix's Cholesky factor holds y'Py: one factorisation gives all of it.
        """
        big_ratio, small_ratio = np.exp(log_big), np.exp(log_small)
        matrix, weight = self.bordered(big_ratio, small_ratio)
        diagonal = np.diag(np.linalg.cholesky(matrix))
        return float(
            2 * np.log(diagonal[:-1]).sum()
            - np.log(weight).sum()
            + len(weight) * log_big
            + len(self.small_names) * log_small
            + 2 * (len(self.y) - 1) * np.log(diagonal[-1])
        )


def _pairs(big: Ints, small: Ints) -> tuple[Ints, Ints, Ints]:
    """Every pair of scores of one unit of the larger side: both units of the smaller side, and the unit itself."""
    starts = np.flatnonzero(np.r_[True, big[1:] != big[:-1]])
    counts = np.diff(np.r_[starts, len(big)])
    partners = np.repeat(counts, counts)
    left = np.repeat(np.arange(len(big)), partners)
    within = np.arange(partners.sum()) - np.repeat(np.cumsum(partners) - partners, partners)
    right = np.repeat(np.repeat(starts, counts), partners) + within
    return small[left], small[right], big[left]


def _minimum(function: Callable[[tuple[float, float]], float]) -> tuple[float, float]:
    """The lowest point of a function of two numbers within the bounds, by the simplex of Nelder and Mead."""

    def at(x: float, y: float) -> tuple[float, float, float]:
        x, y = (min(max(value, -_LARGEST_LOG), _LARGEST_LOG) for value in (x, y))
        return function((x, y)), x, y

    points = sorted([at(0, -1), at(1, -1), at(0, 0)])
    for _ in range(200):
        (low, bx, by), (middle, gx, gy), (high, wx, wy) = points
        if max(abs(bx - wx), abs(by - wy), abs(bx - gx), abs(by - gy)) < _LOG_TOLERANCE:
            break
        mx, my = (bx + gx) / 2, (by + gy) / 2
        new = at(2 * mx - wx, 2 * my - wy)
        if new[0] < low:
            new = min(new, at(3 * mx - 2 * wx, 3 * my - 2 * wy))
        elif new[0] >= middle:
            part = 0.5 if new[0] < high else -0.5
            new = min(new, at(mx + part * (mx - wx), my + part * (my - wy)))
        if new[0] < high:
            points = sorted([points[0], points[1], new])
        else:
            points = sorted([points[0], at((bx + gx) / 2, (by + gy) / 2), at((bx + wx) / 2, (by + wy) / 2)])
    return points[0][1], points[0][2]


class _Posterior:
    """Means, variances and draws of all effects, given the two ratios."""

    def __init__(self, table: _Table, log_big: float, log_small: float) -> None:
        self.table = table
        size = len(table.small_names)
        self.ratios = float(np.exp(log_big)), float(np.exp(log_small))
        matrix, self.weight = table.bordered(*self.ratios)
        self.inverse = np.linalg.inv(matrix[:-1, :-1])
        self.inverse = (self.inverse + self.inverse.T) / 2
        self.solved = self.inverse @ matrix[:-1, -1]
        left_over = float(matrix[-1, -1] - matrix[:-1, -1] @ self.solved)
        self.scale = max(left_over / (len(table.y) - 1), 1e-12)
        self.count = np.bincount(table.big).astype(float)
        self.sums = np.bincount(table.big, weights=table.y)
        self.big_mean = self._big(self.solved[None, :])[0]
        self.small_mean = self.solved[:size]
        self.small_variance = self.scale * np.diag(self.inverse)[:size]
        self.big_variance = self._big_variance(size)

    def _big(self, solved: Floats) -> Floats:
        """The big side's effects given the small side's and the mean: a row for each row of `solved`."""
        starts = np.flatnonzero(np.r_[True, self.table.big[1:] != self.table.big[:-1]])
        taken = np.add.reduceat(solved[:, self.table.small], starts, axis=1)
        given: Floats = self.weight * (self.sums - taken - self.count * solved[:, -1:])
        return given

    def _big_variance(self, size: int) -> Floats:
        table, inverse = self.table, self.inverse
        spread = np.bincount(table.owner, weights=inverse[table.left, table.right])
        spread += 2 * self.count * np.bincount(table.big, weights=inverse[table.small, size])
        spread += self.count**2 * inverse[size, size]
        variance: Floats = self.scale * (self.weight + self.weight**2 * spread)
        return variance

    def ranks(self, rng: np.random.Generator, draws: int) -> NDArray[np.int32]:
        """This method will draw all effects together, `draws` times, and rank the cases in each draw: (case, draw)."""
        factor = np.linalg.cholesky(self.inverse + 1e-12 * np.diag(np.diag(self.inverse)))
        size = len(self.table.small_names)
        count = len(self.weight) if self.table.cases_are_big else size
        ranks = np.empty((draws, count), dtype=np.int32)
        for start in range(0, draws, 100):
            rows = min(100, draws - start)
            solved = self.solved + np.sqrt(self.scale) * rng.standard_normal((rows, size + 1)) @ factor.T
            effects = solved[:, :size]
            if self.table.cases_are_big:
                noise = rng.standard_normal((rows, count))
                effects = self._big(solved) + np.sqrt(self.scale * self.weight) * noise
            order = np.argsort(-effects, axis=1, kind="stable")
            np.put_along_axis(ranks[start : start + rows], order, np.arange(1, count + 1, dtype=np.int32)[None, :], 1)
        return np.ascontiguousarray(ranks.T)

    def calibration(self, scores: Sequence[Score], rng: np.random.Generator, draws: int) -> Calibration:
        """This method will put everything together, best case first."""
        table = self.table
        sides = [(self.big_mean, self.big_variance), (self.small_mean, self.small_variance)]
        (quality, variance), (leniency, reader_variance) = sides if table.cases_are_big else sides[::-1]
        own = table.big if table.cases_are_big else table.small
        reader = table.small if table.cases_are_big else table.big
        names = table.big_names if table.cases_are_big else table.small_names
        reviewers = table.small_names if table.cases_are_big else table.big_names
        ratio, reader_ratio = self.ratios if table.cases_are_big else self.ratios[::-1]
        mean = table.centre + float(self.solved[-1])
        readers = np.bincount(own)
        raw = np.round(np.bincount(own, weights=table.y) / readers + table.centre, 9)
        expected = np.round(_expected_ranks(quality, variance), 6)
        drawn = np.sort(self.ranks(rng, draws), axis=1)
        low, q1, q3, high = (drawn[:, _place(share, draws)] for share in (0.05, 0.25, 0.75, 0.95))
        rank = _ranks_of(expected)
        raw_rank = 1 + np.searchsorted(np.sort(-raw), -raw)
        standings = [
            Standing(
                name, int(readers[at]), float(raw[at]), int(raw_rank[at]), mean + float(quality[at]),
                float(np.sqrt(variance[at])), float(expected[at]), int(rank[at]),
                (int(q1[at]), int(q3[at])), (int(low[at]), int(high[at])),
            )
            for at, name in enumerate(names)
        ]  # fmt: skip
        sheets = np.bincount(reader)
        return Calibration(
            tuple(sorted(standings, key=lambda one: one.rank)),
            tuple(
                Leniency(name, int(sheets[at]), float(leniency[at]), float(np.sqrt(reader_variance[at])))
                for at, name in enumerate(reviewers)
            ),
            mean, ratio * self.scale, reader_ratio * self.scale, self.scale,
            krippendorff_alpha(scores), connected_parts(scores),
        )  # fmt: skip


def _place(share: float, draws: int) -> int:
    return min(max(round(share * (draws - 1)), 0), draws - 1)


def _ranks_of(expected: Floats) -> Ints:
    order = np.argsort(expected, kind="stable")
    ranks = np.empty(len(expected), dtype=np.int64)
    ranks[order] = np.arange(1, len(expected) + 1)
    return ranks


def _expected_ranks(means: Floats, variances: Floats) -> Floats:
    """`1/2 + sum_k Phi((m_k - m_i) / sqrt(v_k + v_i))`, the case itself being one half of it.

    In blocks, and each pair once: the chance of one above the other is 1 less that of the other above the one.
    """
    found = np.full(len(means), 0.5)
    for start in range(0, len(means), _BLOCK):
        block, rest = slice(start, start + _BLOCK), slice(start, None)
        off = (means[None, rest] - means[block, None]) / np.sqrt(
            variances[None, rest] + variances[block, None] + 1e-300
        )
        above = _normal(off)
        found[block] += above.sum(axis=1)
        found[start + _BLOCK :] += len(above) - above[:, _BLOCK:].sum(axis=0)
    return found


def _normal(x: Floats) -> Floats:
    """The standard normal distribution function, to 7.5e-8 (Abramowitz and Stegun 26.2.17)."""
    t = 1 / (1 + 0.2316419 * np.abs(x))
    tail = np.exp(-0.5 * x * x) * 0.3989422804014327
    tail *= t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    return np.where(x > 0, 1 - tail, tail)
