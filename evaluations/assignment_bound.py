"""PURE: what an assignment has to respect, what it is worth, and an upper bound on the worth of every other one.

Only pairs without a conflict can be chosen: no weight can buy a conflict. What cannot be met is taken on as a slack with
a price, so that the answer can say what is missing and by how much. `upper_bound` is the certificate: with any
multipliers it is at least the worth of the best assignment over all pairs, and it is checked without a solver.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Pair = tuple[int, int]

#: Scores are rounded to this before anything is solved, so that what is stored and what is solved are the same.
STEP = 1e-4
WISH_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Weights:
    """What one missing reader, one missing field (or primary reader) and one reading below the least load cost."""

    reader: float = 40.0
    field: float = 12.0
    load: float = 1.5


@dataclass(frozen=True, slots=True)
class Call:
    """Cases, reviewers and the rules. Shapes: P cases, R reviewers, C fields of expertise, G balance groups.

    `scores` P x R in 0 to 1; `allowed` P x R: no conflict; `readers` P: how many each case needs; `load_min`, `load_max`
    R; `fields` R x C and `required` P x C; `leads` P x R: who can be the primary reader, wanted where `leads_wanted`;
    `groups` R x G with `group_weights` G, wanted where `groups_wanted` P x G; `institutions` R, -1 for none;
    `applicants`: (case, reviewer) of reviewers who are applicants: two of them do not review each other.
    """

    scores: Floats
    allowed: Bools
    readers: Ints
    load_min: Ints
    load_max: Ints
    fields: Bools
    required: Bools
    leads: Bools
    leads_wanted: Bools
    groups: Bools
    group_weights: Floats
    groups_wanted: Bools
    institutions: Ints
    applicants: tuple[Pair, ...] = ()
    weights: Weights = field(default_factory=Weights)

    @property
    def shape(self) -> tuple[int, int]:
        """How many cases and reviewers."""
        return self.scores.shape[0], self.scores.shape[1]


def make_call(
    scores: Floats, allowed: Bools, *, readers: int | Ints, load_max: int | Ints, load_min: int | Ints = 0,
    fields: Bools | None = None, required: Bools | None = None, leads: Bools | None = None,
    groups: Bools | None = None, group_weight: float = 0.04, institutions: Ints | None = None,
    applicants: Iterable[Pair] = (),
) -> Call:  # fmt: skip
    """This function will fill in what a call leaves open and round its scores. Without `leads` no primary is wanted."""
    cases, reviewers = scores.shape
    has = np.zeros((reviewers, 0), bool) if fields is None else fields
    sides = np.zeros((reviewers, 0), bool) if groups is None else groups
    return Call(
        np.round(np.clip(scores, 0, 1) / STEP) * STEP, allowed.copy(), _whole(readers, cases),
        _whole(load_min, reviewers), _whole(load_max, reviewers), has,
        np.zeros((cases, has.shape[1]), bool) if required is None else required,
        np.zeros((cases, reviewers), bool) if leads is None else leads,
        np.full(cases, leads is not None), sides, np.full(sides.shape[1], group_weight),
        np.ones((cases, sides.shape[1]), bool),
        np.full(reviewers, -1, np.int64) if institutions is None else institutions, tuple(applicants),
    )  # fmt: skip


def _whole(value: int | Ints, size: int) -> Ints:
    return np.full(size, value, np.int64) if np.isscalar(value) else np.asarray(value, np.int64)


def scores_of(affinity: Floats, wish: Floats | None = None) -> Floats:
    """This function will return scores from affinities and, where there are any, the reviewers' wishes (0 to 1 each)."""
    return affinity if wish is None else (1 - WISH_SHARE) * affinity + WISH_SHARE * wish


def forbidden_at_random(call: Call, *, share: float, seed: int, kept: Iterable[Pair] = ()) -> Bools:
    """This function will return what stays allowed when each pair is forbidden with this probability, against collusion.

    The same seed forbids the same pairs; `kept` (pinned by hand) stay.
    """
    allowed = call.allowed & (np.random.default_rng(seed).random(call.shape) >= share)
    for case, reviewer in kept:
        allowed[case, reviewer] = call.allowed[case, reviewer]
    return allowed


# What a set of pairs is worth -----------------------------------------------------------------------------------------


def case_worth(call: Call, case: int, readers: list[int]) -> float:
    """This function will return what these readers of a case are worth: their scores less what is missing."""
    here = np.asarray(readers, np.int64)
    worth = float(call.scores[case, here].sum())
    worth -= call.weights.reader * max(0, int(call.readers[case]) - len(readers))
    worth -= call.weights.field * int((call.required[case] & ~call.fields[here].any(axis=0)).sum())
    if call.leads_wanted[case] and not call.leads[case, here].any():
        worth -= call.weights.field
    missing = call.groups_wanted[case] & ~call.groups[here].any(axis=0)
    return worth - float(call.group_weights[missing].sum())


def load_worth(call: Call, reviewer: int, load: int) -> float:
    """This function will return what a reviewer's load costs, as a negative: each reading below the least."""
    return -call.weights.load * max(0, int(call.load_min[reviewer]) - load)


def worth(call: Call, pairs: Iterable[Pair]) -> float:
    """This function will return what a whole assignment is worth."""
    by_case: dict[int, list[int]] = {}
    loads = np.zeros(call.shape[1], np.int64)
    for case, reviewer in pairs:
        by_case.setdefault(case, []).append(reviewer)
        loads[reviewer] += 1
    cases = sum(case_worth(call, case, by_case.get(case, [])) for case in range(call.shape[0]))
    return cases + sum(load_worth(call, one, int(load)) for one, load in enumerate(loads))


# The certificate ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Multipliers:
    """What each rule is worth at the margin. `institution`: (case, institution, value); `mutual`: (pair, pair, value)."""

    cover: Floats
    load: Floats
    field: Floats
    lead: Floats
    group: Floats
    institution: tuple[tuple[int, int, float], ...] = ()
    mutual: tuple[tuple[Pair, Pair, float], ...] = ()


def prices(call: Call, y: Multipliers) -> Floats:
    """This function will return for every pair what choosing it would add over its share of the rules' values."""
    role = np.where(call.required, np.maximum(y.field, 0), 0)
    lead = np.where(call.leads_wanted, np.maximum(y.lead, 0), 0)
    group = np.where(call.groups_wanted, np.maximum(y.group, 0), 0)
    found = call.scores - y.cover[:, None] - y.load[None, :] + lead[:, None] * call.leads
    found += role @ call.fields.T.astype(float) + group @ call.groups.T.astype(float)
    for case, institution, value in y.institution:
        found[case, call.institutions == institution] -= max(value, 0.0)
    for one, other, value in y.mutual:
        found[one] -= max(value, 0.0)
        found[other] -= max(value, 0.0)
    return found


def upper_bound(call: Call, y: Multipliers) -> float:
    """This function will return a bound that no assignment over all pairs exceeds, whatever the multipliers are.

    Weak duality: each rule's value at its best, each slack where it pays, each pair where it pays.
    """
    w = call.weights
    low, high = call.load_min, call.load_max
    total = float((call.readers * (y.cover + np.maximum(0, -w.reader - y.cover))).sum())
    total += float((np.maximum(y.load * high, y.load * low) + low * np.maximum(0, -w.load - y.load)).sum())
    for values, wanted, price in (
        (y.field, call.required, w.field),
        (y.lead, call.leads_wanted, w.field),
        (y.group, call.groups_wanted, call.group_weights[None, :]),
    ):
        counted = np.maximum(values, 0)
        total += float(((np.maximum(0, counted - price) - counted) * wanted).sum())
    total += sum(max(value, 0.0) for *_rule, value in y.institution)
    total += sum(max(value, 0.0) for *_rule, value in y.mutual)
    return total + float(np.maximum(prices(call, y), 0)[call.allowed].sum())


# Broken rules and what is missing -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One thing that cannot be met: `kind` readers, field, lead or load; by how much; out of how many; and why.

    `free`: reviewers without a conflict who could fill it. Those of them who do not: `alike`, an institution of theirs
    reads the case already; `mutual`, they and an applicant would review each other; `full`, they read as much as they
    may. `places`: so many of the free could read the case together, one from each institution. Of a load: `free` cases.
    """

    kind: str
    missing: int
    case: int = -1
    reviewer: int = -1
    field: int = -1
    free: int = 0
    alike: int = 0
    mutual: int = 0
    full: int = 0
    places: int = 0
    reads: int = 0

    @property
    def open(self) -> int:
        """How many could still be added without moving anybody."""
        return self.free - self.reads - self.alike - self.mutual - self.full


def shortfalls(call: Call, pairs: Iterable[Pair]) -> list[Shortfall]:
    """This function will list what an assignment leaves unmet, the readers first."""
    chosen = np.zeros(call.shape, bool)
    for pair in pairs:
        chosen[pair] = True
    loads = chosen.sum(axis=0)
    found = []
    for case in range(call.shape[0]):
        everybody = np.ones(call.shape[1], bool)
        if (missing := int(call.readers[case]) - int(chosen[case].sum())) > 0:
            found.append(_short(call, chosen, "readers", missing, case, everybody))
        for one in np.flatnonzero(call.required[case] & ~call.fields[chosen[case]].any(axis=0)):
            found.append(_short(call, chosen, "field", 1, case, call.fields[:, one], int(one)))
        if call.leads_wanted[case] and not (call.leads[case] & chosen[case]).any():
            found.append(_short(call, chosen, "lead", 1, case, call.leads[case]))
    below = np.maximum(0, call.load_min - loads)
    found += [
        Shortfall("load", int(below[one]), reviewer=int(one), free=int(call.allowed[:, one].sum()))
        for one in np.flatnonzero(below)
    ]
    order = ("readers", "field", "lead", "load")
    return sorted(found, key=lambda one: order.index(one.kind))


def _short(call: Call, chosen: Bools, kind: str, missing: int, case: int, able: Bools, one: int = -1) -> Shortfall:
    could = call.allowed[case] & able
    here = call.institutions[could]
    left = could & ~chosen[case]
    alike = left & (call.institutions >= 0) & np.isin(call.institutions, call.institutions[chosen[case]])
    mutual = left & ~alike & _mutual_with(call, chosen, case)
    full = left & ~alike & ~mutual & (chosen.sum(axis=0) >= call.load_max)
    return Shortfall(
        kind, missing, case, field=one, free=int(could.sum()), alike=int(alike.sum()), mutual=int(mutual.sum()),
        full=int(full.sum()), places=len(set(here[here >= 0].tolist())) + int((here < 0).sum()),
        reads=int((could & chosen[case]).sum()),
    )  # fmt: skip


def _mutual_with(call: Call, chosen: Bools, case: int) -> Bools:
    """Who cannot read a case because one of its applicants reads a case of theirs."""
    found = np.zeros(call.shape[1], bool)
    owners = [reviewer for own, reviewer in call.applicants if own == case]
    for own, reviewer in call.applicants:
        found[reviewer] |= own != case and bool(chosen[own, owners].any())
    return found


def broken_institutions(call: Call, value: dict[Pair, float]) -> list[Pair]:
    """This function will list (case, institution) whose readers from one institution count more than one together."""
    sums: dict[Pair, float] = {}
    for (case, reviewer), amount in value.items():
        if (institution := int(call.institutions[reviewer])) >= 0:
            sums[case, institution] = sums.get((case, institution), 0.0) + amount
    return [rule for rule, amount in sums.items() if amount > 1 + 1e-6]


def broken_mutuals(call: Call, value: dict[Pair, float]) -> list[tuple[Pair, Pair]]:
    """This function will list the pairs in which two applicants review each other's case."""
    owners: dict[int, list[int]] = {}
    owned: dict[int, list[int]] = {}
    for case, reviewer in call.applicants:
        owners.setdefault(case, []).append(reviewer)
        owned.setdefault(reviewer, []).append(case)
    found = set()
    for (case, reviewer), amount in value.items():
        for owner in owners.get(case, ()):
            for own in owned.get(reviewer, ()):
                other = (own, owner)
                if other != (case, reviewer) and amount + value.get(other, 0.0) > 1 + 1e-6:
                    found.add((min((case, reviewer), other), max((case, reviewer), other)))
    return sorted(found)
