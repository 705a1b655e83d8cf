"""Assignment: 1,000 proposals x 300 reviewers x 3 readers with every rule on, and its certificate checked without a solver."""

from __future__ import annotations

import numpy as np

from evaluations.assignment import Proposal, propose, repair
from evaluations.assignment_bound import (
    Call,
    broken_institutions,
    broken_mutuals,
    make_call,
    upper_bound,
)
from tests.load.measure import Row, at_most, seconds

READERS, REVIEWERS_PER_CASE = 3, 0.3
SECONDS, GAP_PERCENT = 5.0, 0.1
FIELDS, ASKED, INSTITUTIONS = 12, 2, 60


def run(scale: int) -> list[Row]:
    """This function will propose readers for `scale` cases, check the bound anew, and repair it after 5% declined."""
    call = _call(scale, round(scale * REVIEWERS_PER_CASE), np.random.default_rng(20_220_112))
    cases, reviewers = call.shape
    name = f"assignment, {cases:,} x {reviewers} x {READERS}"
    found: list[Proposal] = []
    taken = seconds(lambda: found.append(propose(call, seed=1, time_limit=60.0)))
    proposal = found[0]
    bound = upper_bound(call, proposal.multipliers)
    assert abs(bound - proposal.certificate.bound) < 1e-3, (bound, proposal.certificate.bound)
    gap = 100 * max(0.0, bound - proposal.certificate.worth) / abs(bound)
    return [
        at_most(name, taken, "s", SECONDS),
        at_most(f"{name}: gap to the certificate", gap, "%", GAP_PERCENT),
        at_most(f"{name}: conflicts and other hard rules broken", _broken(call, proposal.pairs), "", 0),
        at_most(f"{name}: repair after 5% declined", _repair_seconds(call, proposal), "s", SECONDS),
    ]


def _call(cases: int, reviewers: int, rng: np.random.Generator) -> Call:
    """Topics that lie near or far, two fields asked for a case, 2% conflicts, applicants among the reviewers."""
    near = rng.normal(size=(cases, 16)) @ rng.normal(size=(16, reviewers))
    fields = rng.random((reviewers, FIELDS)) < 0.15
    required = np.zeros((cases, FIELDS), bool)
    for case in range(cases):
        required[case, rng.choice(FIELDS, ASKED, replace=False)] = True
    share = (required.astype(float) @ fields.T) / ASKED
    scores = 0.5 * (near - near.min()) / (near.max() - near.min()) + 0.5 * share
    allowed = rng.random((cases, reviewers)) >= 0.02
    own = rng.choice(cases, reviewers // 5, replace=False), rng.choice(reviewers, reviewers // 5, replace=False)
    applicants = [(int(case), int(reviewer)) for case, reviewer in zip(*own, strict=True)]
    for pair in applicants:
        allowed[pair] = False
    mean = cases * READERS / reviewers
    return make_call(
        scores, allowed, readers=READERS, load_min=int(mean * 0.5), load_max=int(np.ceil(mean * 1.25)), fields=fields,
        required=required, leads=(share > 0) & allowed, groups=rng.random((reviewers, 2)) < 0.3,
        institutions=rng.integers(0, INSTITUTIONS, reviewers), applicants=applicants,
    )  # fmt: skip


def _broken(call: Call, pairs: list[tuple[int, int]]) -> int:
    """How many pairs are in conflict or twice, readers above their load, institutions and applicants that clash."""
    value = dict.fromkeys(pairs, 1.0)
    loads = np.bincount([reviewer for _case, reviewer in pairs], minlength=call.shape[1])
    return (
        sum(not call.allowed[pair] for pair in pairs)
        + len(pairs) - len(value) + int((loads > call.load_max).sum())
        + len(broken_institutions(call, value)) + len(broken_mutuals(call, value))
    )  # fmt: skip


def _repair_seconds(call: Call, proposal: Proposal) -> float:
    gone = np.random.default_rng(1).random(len(proposal.chosen)) < 0.05
    standing = {}
    for one, is_gone in zip(proposal.chosen, gone, strict=True):
        if is_gone:
            call.allowed[one.case, one.reviewer] = False
        else:
            standing[one.case, one.reviewer] = one.role
    return seconds(lambda: repair(call, standing, seed=1))
