"""PURE: who reads what: a proposed assignment with a certificate, and the repair of one after a reader has declined.

Hard: conflicts, each reviewer's greatest load, so many readers a case, no two readers of a case from one institution, no
two applicants who review each other. Asked for, and named when it cannot be met: all readers, required fields, a primary
reader, least loads. Soft: balance. Pinned pairs stand: they reduce what is still to be filled. Same call and seed, same
answer, unless the time limit cuts it short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np

from evaluations.assignment_bound import (
    Bools,
    Call,
    Floats,
    Ints,
    Multipliers,
    Pair,
    Shortfall,
    Weights,
    broken_mutuals,
    prices,
    shortfalls,
    upper_bound,
    worth,
)
from evaluations.assignment_solver import FEW_PAIRS, Clock, OutOfTime, Step, Tell, chosen, relaxed

PRIMARY, SECONDARY, READER = "primary", "secondary", "reader"
NEAR, NEAR_WIDE, GAP = 0.02, 0.13, 1e-4
#: Ties between equal pairs are broken by chance from the seed; far below a step of the scores.
NOISE = 1e-7
#: A repair moves a standing pair only if that fills a hole: filling weighs more than any number of moves, a move more
#: than anything that a better score or a least load could bring.
REPAIR_WEIGHTS = Weights(reader=4000.0, field=400.0, load=1.5)
STAYS = 3.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """One reader of one case."""

    case: int
    reviewer: int
    role: str
    score: float
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Certificate:
    """How good a proposal is: its worth, what no other can exceed, and how its load and its scores lie.

    `gap`: share of the bound; `is_proved`: the solver showed that no better one exists; `weakest`: the case with the
    lowest mean score and that mean; `price`: share of the score that the rules cost, None where it was not computed.
    """

    worth: float
    bound: float
    score: float
    is_proved: bool
    weakest: int
    weakest_mean: float
    load_least: int
    load_most: int
    load_mean: float
    price: float | None = None

    @property
    def gap(self) -> float:
        """How far the worth may be below the best, as a share of the bound."""
        return max(0.0, self.bound - self.worth) / max(1.0, abs(self.bound))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed assignment. `is_cut`: the time limit came first, the answer respects every hard rule all the same."""

    chosen: tuple[Chosen, ...]
    short: tuple[Shortfall, ...]
    certificate: Certificate
    multipliers: Multipliers
    is_cut: bool = False

    @property
    def pairs(self) -> list[Pair]:
        """The pairs (case, reviewer), sorted."""
        return [(one.case, one.reviewer) for one in self.chosen]


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair changes: pairs that go, pairs that come, the whole afterwards, and what is still missing."""

    gone: tuple[Pair, ...]
    come: tuple[Pair, ...]
    chosen: tuple[Chosen, ...]
    short: tuple[Shortfall, ...]
    is_cut: bool = False


def solver_version() -> str:
    """This function will name the solver and its version, for the record."""
    return f"HiGHS (highspy {version('highspy')})"


def _quiet(step: Step) -> None:
    """Nobody listens."""


# Proposing ------------------------------------------------------------------------------------------------------------


def propose(
    call: Call, *, pinned: Mapping[Pair, str] | None = None, seed: int = 0, time_limit: float = 60.0, tell: Tell = _quiet,
    with_price: bool = False,
) -> Proposal:  # fmt: skip
    """This function will propose who reads what; `pinned` pairs stand in their roles. Raises ValueError for one in conflict."""
    fixed = sorted(pinned or {})
    rest = residual(call, fixed)
    clock = Clock(time_limit)
    pairs, y, is_proved, is_cut = _solved(rest, seed, clock, tell)
    y = rounded(y)
    pairs = sorted({*pairs, *fixed})
    pinned_score = float(sum(call.scores[pair] for pair in fixed))
    bound = upper_bound(rest, y) + pinned_score
    price = price_of_rules(call, pairs, seed=seed, time_limit=clock.left) if with_price else None
    certificate = _certificate(call, pairs, bound, is_proved=is_proved, price=price)
    return Proposal(
        roles_of(call, pairs, pinned), tuple(shortfalls(call, pairs)), certificate, y, is_cut,
    )  # fmt: skip


def residual(call: Call, pinned: Sequence[Pair]) -> Call:
    """This function will return what is still to be filled once these pairs stand."""
    allowed, readers = call.allowed.copy(), call.readers.copy()
    least, most = call.load_min.copy(), call.load_max.copy()
    required, leads_wanted, groups_wanted = call.required.copy(), call.leads_wanted.copy(), call.groups_wanted.copy()
    for case, reviewer in pinned:
        if not call.allowed[case, reviewer]:
            raise ValueError(f"the pinned pair {case, reviewer} is in conflict")
        allowed[case, reviewer] = False
        readers[case] -= 1
        least[reviewer] -= 1
        most[reviewer] -= 1
        required[case] &= ~call.fields[reviewer]
        leads_wanted[case] &= ~call.leads[case, reviewer]
        groups_wanted[case] &= ~call.groups[reviewer]
        if call.institutions[reviewer] >= 0:
            allowed[case, call.institutions == call.institutions[reviewer]] = False
    _without_mutual(call, allowed, pinned)
    most = np.maximum(most, 0)
    return replace(
        call, allowed=allowed, readers=np.maximum(readers, 0), load_min=np.minimum(np.maximum(least, 0), most),
        load_max=most, required=required, leads_wanted=leads_wanted, groups_wanted=groups_wanted,
    )  # fmt: skip


def _without_mutual(call: Call, allowed: Bools, pinned: Sequence[Pair]) -> None:
    owners: dict[int, list[int]] = {}
    owned: dict[int, list[int]] = {}
    for case, reviewer in call.applicants:
        owners.setdefault(case, []).append(reviewer)
        owned.setdefault(reviewer, []).append(case)
    for case, reviewer in pinned:
        for owner in owners.get(case, ()):
            for own in owned.get(reviewer, ()):
                allowed[own, owner] = False


def _solved(rest: Call, seed: int, clock: Clock, tell: Tell) -> tuple[list[Pair], Multipliers, bool, bool]:
    """The pairs, the multipliers, whether proved the best, whether cut short by the time limit."""
    noise = np.random.default_rng(seed).uniform(0, NOISE, rest.shape)
    try:
        linear = relaxed(rest, noise, seed, clock, tell)
    except OutOfTime:
        return greedy(rest, rest.scores), no_multipliers(rest), False, True
    y = linear.multipliers()
    gain, bound = prices(rest, y), upper_bound(rest, y)
    is_small = rest.scores.size <= FEW_PAIRS
    near, pairs = (
        NEAR_WIDE if is_small else NEAR,
        greedy(rest, _as_table(linear.case, linear.reviewer, linear.value, rest)),
    )
    while True:
        try:
            found, is_best = chosen(linear, gain, near, gap=0.0 if is_small else GAP, tell=tell)
        except OutOfTime:
            return pairs, y, False, True
        pairs = max(pairs, found, key=lambda one: worth(rest, one))
        left = bound - worth(rest, pairs)
        if is_small and left > near and is_best:
            near = left + 1e-6
        elif not is_small and left > GAP * max(1.0, abs(bound)) and near < NEAR_WIDE:
            near = NEAR_WIDE
        else:
            return pairs, y, (is_small and is_best) or left < 1e-6, clock.left <= 0


def _as_table(case: Ints, reviewer: Ints, value: Floats, call: Call) -> Floats:
    table = np.zeros(call.shape)
    table[case, reviewer] = value
    return table + 1e-3 * call.scores


def greedy(call: Call, order: Floats) -> list[Pair]:
    """This function will take pairs by descending order as long as every hard rule holds: an answer in any time."""
    case, reviewer = np.nonzero(call.allowed)
    by = np.lexsort((reviewer, case, -order[case, reviewer]))
    left, room = call.readers.copy(), call.load_max.copy()
    taken: dict[Pair, float] = {}
    seated: set[Pair] = set()
    for one in by:
        p, r = int(case[one]), int(reviewer[one])
        institution = int(call.institutions[r])
        if not left[p] or not room[r] or (institution >= 0 and (p, institution) in seated):
            continue
        if call.applicants and broken_mutuals(call, {**taken, (p, r): 1.0}):
            continue
        taken[p, r] = 1.0
        left[p] -= 1
        room[r] -= 1
        seated.add((p, institution))
    return sorted(taken)


def no_multipliers(call: Call) -> Multipliers:
    """This function will return multipliers that say nothing: their bound takes each case's and pair's best."""
    cases, reviewers = call.shape
    return Multipliers(
        np.zeros(cases), np.zeros(reviewers), np.zeros(call.required.shape), np.zeros(cases),
        np.zeros(call.groups_wanted.shape),
    )  # fmt: skip


def rounded(y: Multipliers) -> Multipliers:
    """This function will round multipliers as they are kept; the bound holds for them as for any others."""
    return Multipliers(
        np.round(y.cover, 6),
        np.round(y.load, 6),
        np.round(y.field, 6),
        np.round(y.lead, 6),
        np.round(y.group, 6),
        tuple((case, institution, round(value, 6)) for case, institution, value in y.institution),
        tuple((one, other, round(value, 6)) for one, other, value in y.mutual),
    )


def price_of_rules(call: Call, pairs: Sequence[Pair], *, seed: int = 0, time_limit: float = 60.0) -> float | None:
    """This function will return which share of the best score under conflicts and loads alone the other rules cost."""
    free = replace(
        call, required=np.zeros_like(call.required), leads_wanted=np.zeros_like(call.leads_wanted),
        groups_wanted=np.zeros_like(call.groups_wanted), institutions=np.full_like(call.institutions, -1),
        applicants=(), load_min=np.zeros_like(call.load_min),
    )  # fmt: skip
    try:
        best = relaxed(free, np.zeros(call.shape), seed, Clock(time_limit), _quiet)
    except OutOfTime:
        return None
    most = float((call.scores[best.case, best.reviewer] * best.value).sum())
    score = float(sum(call.scores[pair] for pair in pairs))
    return max(0.0, 1 - score / most) if most > 0 else None


# Roles and the certificate --------------------------------------------------------------------------------------------


def roles_of(call: Call, pairs: Iterable[Pair], given: Mapping[Pair, str] | None = None) -> tuple[Chosen, ...]:
    """This function will give each case its primary and secondary reader, the primaries spread over the reviewers.

    Cases with the fewest who could lead come first; of those who can, the one with the fewest primaries, then the best
    score. Roles that are `given` (pinned, standing) stay, and only what they leave open is given to the others.
    """
    roles = dict(given or {})
    by_case: dict[int, list[int]] = {}
    for case, reviewer in sorted(set(pairs)):
        by_case.setdefault(case, []).append(reviewer)
    led = np.zeros(call.shape[1], np.int64)
    for case, readers in sorted(by_case.items(), key=lambda item: (int(call.leads[item[0], item[1]].sum()), item[0])):
        left = [one for one in readers if (case, one) not in roles]
        taken = {roles[case, one] for one in readers if (case, one) in roles}
        left.sort(key=lambda one: (-call.scores[case, one], one))
        if PRIMARY not in taken and left:
            able = [one for one in left if call.leads[case, one]] or left
            first = min(able, key=lambda one: (led[one], -call.scores[case, one], one))
            led[first] += 1
            roles[case, first] = PRIMARY
            left.remove(first)
        if SECONDARY not in taken and left:
            roles[case, left.pop(0)] = SECONDARY
        roles.update(dict.fromkeys(((case, one) for one in left), READER))
    fixed = set(given or {})
    return tuple(
        Chosen(*pair, roles[pair], round(float(call.scores[pair]), 4), pair in fixed) for pair in sorted(set(pairs))
    )


def _certificate(
    call: Call, pairs: Sequence[Pair], bound: float, *, is_proved: bool, price: float | None
) -> Certificate:
    cases, reviewers = call.shape
    sums, counts, loads = np.zeros(cases), np.zeros(cases), np.zeros(reviewers, np.int64)
    for case, reviewer in pairs:
        sums[case] += call.scores[case, reviewer]
        counts[case] += 1
        loads[reviewer] += 1
    means = sums / np.maximum(1, np.maximum(counts, call.readers))
    weakest = int(means.argmin()) if cases else -1
    return Certificate(
        round(worth(call, pairs), 6), round(bound, 6), round(float(sums.sum()), 4), is_proved, weakest,
        round(float(means[weakest]), 4) if cases else 0.0, int(loads.min(initial=10**6)) if reviewers else 0,
        int(loads.max(initial=0)), round(float(loads.mean()), 4) if reviewers else 0.0, price,
    )  # fmt: skip


# Repairing ------------------------------------------------------------------------------------------------------------


def repair(
    call: Call, standing: Mapping[Pair, str], *, fixed: Iterable[Pair] = (), seed: int = 0, time_limit: float = 60.0,
    tell: Tell = _quiet,
) -> Repair:  # fmt: skip
    """This function will fill the holes of an assignment; everything that stands stays if the holes can be filled so.

    `standing`: pairs with their roles. Only when the holes cannot be filled so do neighbours move, as few as possible,
    and only for a hole that this fills; `fixed` of the standing pairs never move. Repairing again changes nothing.
    """
    now = sorted(standing)
    clock = Clock(time_limit)
    wanted = _as_it_stands(call, now)
    rest = residual(wanted, now)
    holes = np.flatnonzero(rest.readers > 0)
    if not len(holes):
        return _repaired(call, standing, now, is_cut=False)
    some = _only(rest, holes)
    filled, _y, _proved, is_cut = _solved(some, seed, clock, tell)
    after = sorted({*now, *((int(holes[case]), reviewer) for case, reviewer in filled)})
    if _missing(wanted, after) != (0, 0) and not is_cut:
        moved = _with_moves(wanted, now, sorted(set(fixed)), seed, clock, tell)
        if moved is not None and _missing(wanted, moved) < _missing(wanted, after):
            after = moved
    return _repaired(call, standing, after, is_cut=is_cut)


def _as_it_stands(call: Call, now: Sequence[Pair]) -> Call:
    """The call without what the chair has already accepted as unmet: only cases with a hole still ask for anything."""
    seated = np.zeros(call.shape, bool)
    for pair in now:
        seated[pair] = True
    readers, loads = seated.sum(axis=1), seated.sum(axis=0)
    required, leads_wanted = call.required.copy(), call.leads_wanted.copy()
    for case in np.flatnonzero(readers >= call.readers):
        required[case] &= call.fields[seated[case]].any(axis=0)
        leads_wanted[case] &= bool((call.leads[case] & seated[case]).any())
    return replace(
        call, readers=np.maximum(call.readers, readers), load_max=np.maximum(call.load_max, loads), required=required,
        leads_wanted=leads_wanted, weights=REPAIR_WEIGHTS,
    )  # fmt: skip


def _only(call: Call, cases: Ints) -> Call:
    """The same reviewers, these cases alone; applicants among the others do not matter any more."""
    place = {int(case): at for at, case in enumerate(cases)}
    return replace(
        call, scores=call.scores[cases], allowed=call.allowed[cases], readers=call.readers[cases],
        required=call.required[cases], leads=call.leads[cases], leads_wanted=call.leads_wanted[cases],
        groups_wanted=call.groups_wanted[cases],
        applicants=tuple((place[case], reviewer) for case, reviewer in call.applicants if case in place),
    )  # fmt: skip


def _missing(call: Call, pairs: Sequence[Pair]) -> tuple[int, int]:
    found = shortfalls(call, pairs)
    readers = sum(one.missing for one in found if one.kind == "readers")
    return readers, sum(one.missing for one in found if one.kind in ("field", "lead"))


def _with_moves(
    call: Call, now: Sequence[Pair], fixed: Sequence[Pair], seed: int, clock: Clock, tell: Tell
) -> list[Pair] | None:
    scores = call.scores.copy()
    for pair in now:
        scores[pair] += STAYS
    rest = residual(replace(call, scores=scores), fixed)
    pairs, _y, _proved, is_cut = _solved(rest, seed, clock, tell)
    return None if is_cut else sorted({*pairs, *fixed})


def _repaired(call: Call, standing: Mapping[Pair, str], after: Sequence[Pair], *, is_cut: bool) -> Repair:
    gone, come = sorted(set(standing) - set(after)), sorted(set(after) - set(standing))
    kept = {pair: role for pair, role in standing.items() if pair in set(after)}
    return Repair(tuple(gone), tuple(come), roles_of(call, after, kept), tuple(shortfalls(call, after)), is_cut)
