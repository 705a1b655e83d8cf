"""Who reads what: hard rules always hold, the certificate bounds the dense optimum, repairs change only what they must."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.assignment import greedy, propose, repair, residual, roles_of
from evaluations.assignment_bound import (
    Call,
    Multipliers,
    broken_institutions,
    broken_mutuals,
    case_worth,
    forbidden_at_random,
    load_worth,
    make_call,
    scores_of,
    shortfalls,
    upper_bound,
    worth,
)
from evaluations.assignment_solver import FEW_PAIRS, first_pool
from evaluations.solver import program

NEAR = 2e-5  # the seed's noise and the solver's tolerance


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """A small call with conflicts, fields, institutions, balance, applicants and loads that often cannot be met."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cases, reviewers = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    most = rng.integers(0, 4, reviewers)
    allowed = rng.random((cases, reviewers)) >= draw(st.sampled_from([0.0, 0.2, 0.6]))
    applicants = [(int(rng.integers(cases)), int(one)) for one in range(reviewers) if rng.random() < 0.3]
    for pair in applicants:
        allowed[pair] = False
    fields = rng.random((reviewers, 3)) < 0.4
    return make_call(
        rng.random((cases, reviewers)), allowed, readers=rng.integers(0, 4, cases), load_max=most,
        load_min=np.minimum(rng.integers(0, 2, reviewers), most), fields=fields,
        required=rng.random((cases, 3)) < 0.4, leads=rng.random((cases, reviewers)) < 0.5,
        groups=rng.random((reviewers, 2)) < 0.5, institutions=rng.integers(-1, 3, reviewers), applicants=applicants,
    )  # fmt: skip


def dense_optimum(call: Call) -> float:
    """The best worth over all pairs with every rule written out at once, by the solver alone."""
    cases, reviewers = call.shape
    highs = program()
    x = {(p, r): highs.addBinary() for p in range(cases) for r in range(reviewers) if call.allowed[p, r]}
    none = highs.addVariable(0, 0)
    aim = none + 0

    def chosen(pairs):  # type: ignore[no-untyped-def]
        return sum((x[pair] for pair in pairs if pair in x), none + 0)

    for (p, r), one in x.items():
        aim += float(call.scores[p, r]) * one
    for p in range(cases):
        missing = highs.addVariable(0, float(call.readers[p]))
        aim -= call.weights.reader * missing
        highs.addConstr(chosen((p, r) for r in range(reviewers)) + missing == int(call.readers[p]))
        wanted = [(call.fields[:, c], call.weights.field) for c in np.flatnonzero(call.required[p])]
        wanted += [(call.leads[p], call.weights.field)] if call.leads_wanted[p] else []
        wanted += [(call.groups[:, g], float(call.group_weights[g])) for g in np.flatnonzero(call.groups_wanted[p])]
        for able, price in wanted:
            short = highs.addVariable(0, 1)
            aim -= price * short
            highs.addConstr(chosen((p, r) for r in np.flatnonzero(able)) + short >= 1)
        for institution in set(call.institutions.tolist()) - {-1}:
            highs.addConstr(chosen((p, r) for r in np.flatnonzero(call.institutions == institution)) <= 1)
    for r in range(reviewers):
        below = highs.addVariable(0, float(call.load_min[r]))
        aim -= call.weights.load * below
        highs.addConstr(chosen((p, r) for p in range(cases)) + below >= int(call.load_min[r]))
        highs.addConstr(chosen((p, r) for p in range(cases)) <= int(call.load_max[r]))
    for own, a in call.applicants:
        for other, b in call.applicants:
            if a != b:
                highs.addConstr(chosen([(other, a), (own, b)]) <= 1)
    highs.maximize(aim)
    return float(highs.getObjectiveValue())


def as_readers(pairs):  # type: ignore[no-untyped-def]
    return dict.fromkeys(pairs, "reader")


def assert_hard_rules(call: Call, pairs: list[tuple[int, int]]) -> None:
    value = dict.fromkeys(pairs, 1.0)
    loads, readers = np.zeros(call.shape[1], int), np.zeros(call.shape[0], int)
    for case, reviewer in pairs:
        assert call.allowed[case, reviewer]
        loads[reviewer] += 1
        readers[case] += 1
    assert len(value) == len(pairs)
    assert (loads <= call.load_max).all()
    assert (readers <= call.readers).all()
    assert broken_institutions(call, value) == []
    assert broken_mutuals(call, value) == []


@settings(max_examples=60, deadline=None)
@given(calls())
def test_proposal_when_made_then_hard_rules_hold_and_it_is_the_dense_optimum(call):
    found = propose(call, seed=3)
    assert_hard_rules(call, found.pairs)
    best = dense_optimum(call)
    assert found.certificate.worth == pytest.approx(best, abs=NEAR)
    assert found.certificate.bound >= best - NEAR
    assert found.certificate.is_proved
    assert found.certificate.worth == pytest.approx(
        sum(one.score for one in found.chosen) + worth(replace(call, scores=np.zeros(call.shape)), found.pairs),
        abs=NEAR,
    )


@settings(max_examples=40, deadline=None)
@given(calls(), st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 50.0]))
def test_certificate_when_multipliers_are_perturbed_then_still_bounds_the_dense_optimum(call, seed, by):
    y, rng = propose(call).multipliers, np.random.default_rng(seed)
    arrays = [one + rng.normal(0, by, one.shape) for one in (y.cover, y.load, y.field, y.lead, y.group)]
    other = Multipliers(
        *arrays, tuple((case, one, v + rng.normal(0, by)) for case, one, v in y.institution),
        tuple((one, two, v + rng.normal(0, by)) for one, two, v in y.mutual),
    )  # fmt: skip
    assert upper_bound(call, other) >= dense_optimum(call) - NEAR


@settings(max_examples=20, deadline=None)
@given(calls(), st.integers(0, 1000))
def test_proposal_when_made_twice_then_the_same_pairs_and_multipliers(call, seed):
    first, second = propose(call, seed=seed), propose(call, seed=seed)
    assert first.chosen == second.chosen
    assert (first.multipliers.cover == second.multipliers.cover).all()
    assert first.certificate == second.certificate


@settings(max_examples=30, deadline=None)
@given(calls(), st.integers(0, 2**32 - 1))
def test_proposal_when_conflicts_come_or_a_slot_more_then_never_better_and_never_worse(call, seed):
    rng = np.random.default_rng(seed)
    now = propose(call).certificate.worth
    fewer = replace(call, allowed=call.allowed & (rng.random(call.shape) >= 0.3))
    assert propose(fewer).certificate.worth <= now + NEAR
    more = call.load_max.copy()
    more[rng.integers(call.shape[1])] += 1
    assert propose(replace(call, load_max=more)).certificate.worth >= now - NEAR


@settings(max_examples=30, deadline=None)
@given(calls())
def test_proposal_when_nobody_is_left_in_a_field_then_missing_is_exactly_the_need(call):
    fields = call.fields.copy()
    fields[:, 0] = False
    found = propose(replace(call, fields=fields))
    missing = [one for one in found.short if one.kind == "field" and one.field == 0]
    assert sum(one.missing for one in missing) == int(call.required[:, 0].sum())
    assert {one.free for one in missing} <= {0}


@settings(max_examples=40, deadline=None)
@given(calls(), st.integers(0, 2**32 - 1))
def test_repair_when_readers_decline_then_hard_rules_hold_and_a_second_repair_changes_nothing(call, seed):
    rng = np.random.default_rng(seed)
    pairs = propose(call).pairs
    standing = [pair for pair in pairs if rng.random() < 0.7]
    without = replace(call, allowed=call.allowed.copy())
    for pair in set(pairs) - set(standing):
        without.allowed[pair] = False
    first = repair(without, as_readers(standing))
    after = [(one.case, one.reviewer) for one in first.chosen]
    assert_hard_rules(without, after)
    assert set(after) == (set(standing) - set(first.gone)) | set(first.come)
    assert len(after) >= len(standing)
    again = repair(without, as_readers(after))
    assert (again.gone, again.come) == ((), ())


def test_repair_when_a_hole_can_be_filled_then_nothing_else_moves():
    call = make_call(np.full((3, 6), 0.5), np.ones((3, 6), bool), readers=2, load_max=2)
    pairs = propose(call).pairs
    gone = pairs[0]
    call.allowed[gone] = False
    found = repair(call, as_readers(pair for pair in pairs if pair != gone))
    assert (found.gone, len(found.come), found.short) == ((), 1, ())


def test_repair_when_only_a_neighbour_can_fill_the_hole_then_one_moves():
    # Case 0 can only be read by reviewer 0, who reads case 1; reviewer 1 has room and can read case 1.
    allowed = np.array([[True, False, False], [True, True, False]])
    call = make_call(np.full((2, 3), 0.5), allowed, readers=1, load_max=1)
    found = repair(call, {(1, 0): "primary"})
    assert (found.gone, found.come, found.short) == (((1, 0),), ((0, 0), (1, 1)), ())
    kept = repair(call, {(1, 0): "primary"}, fixed=[(1, 0)])
    assert (kept.gone, kept.come, [(one.kind, one.case) for one in kept.short]) == ((), (), [("readers", 0)])


@settings(max_examples=30, deadline=None)
@given(calls(), st.integers(0, 2**32 - 1))
def test_pins_when_set_then_stand_and_count(call, seed):
    rng = np.random.default_rng(seed)
    pinned = [pair for pair in propose(call).pairs if rng.random() < 0.4]
    found = propose(call, pinned=as_readers(pinned))
    assert set(pinned) <= set(found.pairs)
    assert {(one.case, one.reviewer) for one in found.chosen if one.is_pinned} == set(pinned)
    assert_hard_rules(call, found.pairs)
    assert found.certificate.worth == pytest.approx(propose(call).certificate.worth, abs=NEAR)


def test_pin_when_in_conflict_then_refused():
    call = make_call(np.ones((1, 2)), np.array([[False, True]]), readers=1, load_max=1)
    with pytest.raises(ValueError, match="in conflict"):
        residual(call, [(0, 0)])


def test_shortfalls_when_readers_are_missing_then_say_by_how_much_and_why():
    allowed = np.array([[True, True, False, False], [True, True, True, True]])
    call = make_call(np.full((2, 4), 0.5), allowed, readers=3, load_max=1)
    found = propose(call).short
    assert sum(one.missing for one in found if one.kind == "readers") == 2
    first = next(one for one in found if one.case == 0)
    assert (first.free, first.missing >= 1) == (2, True)
    assert propose(replace(call, load_max=call.load_max + 1)).short[0].missing == 1


def test_shortfalls_when_all_are_of_one_institution_then_the_institution_is_the_reason_and_not_the_load():
    call = make_call(np.full((2, 4), 0.5), np.ones((2, 4), bool), readers=3, load_max=9, institutions=np.zeros(4, int))
    found = propose(call)
    assert [(one.kind, one.missing) for one in found.short] == [("readers", 2), ("readers", 2)]
    for one in found.short:
        assert (one.free, one.reads, one.alike, one.full, one.open, one.places) == (4, 1, 3, 0, 0, 1)
    assert len(propose(replace(call, institutions=np.array([0, 0, 1, -1]))).short) == 0


def test_shortfalls_when_full_alike_or_mutual_then_each_reader_is_counted_once():
    allowed = np.ones((3, 6), bool)
    allowed[0, 5] = allowed[2, 4] = False  # 5 applies with case 0, 4 with case 2
    call = make_call(
        np.full((3, 6), 0.5), allowed, readers=np.array([4, 0, 0]), load_max=np.array([1, 1, 1, 0, 1, 1]),
        institutions=np.array([0, 0, 1, 2, 3, 4]), applicants=[(0, 5), (2, 4)],
    )  # fmt: skip
    one = shortfalls(call, [(0, 0), (0, 2), (2, 5)])[0]
    assert (one.missing, one.free, one.reads, one.alike, one.mutual, one.full, one.open) == (2, 5, 2, 1, 1, 1, 0)
    assert one.places == 4


@settings(max_examples=40, deadline=None)
@given(calls())
def test_shortfalls_when_readers_are_missing_then_nobody_could_simply_be_added(call):
    """Whoever is counted as open for a missing reader could be added at once, so a proposal leaves none."""
    for one in propose(call).short:
        if one.kind == "readers":
            assert (one.open, one.missing >= int(call.readers[one.case]) - one.places) == (0, True)


@pytest.mark.parametrize("limit", [0.0])
def test_proposal_when_time_is_up_then_hard_rules_hold_and_it_says_so(limit):
    rng = np.random.default_rng(1)
    call = make_call(rng.random((8, 10)), rng.random((8, 10)) > 0.2, readers=3, load_max=3)
    found = propose(call, time_limit=limit)
    assert found.is_cut
    assert_hard_rules(call, found.pairs)
    assert found.certificate.bound >= found.certificate.worth - NEAR


def test_worth_when_put_together_then_the_sum_of_cases_and_loads():
    rng = np.random.default_rng(5)
    call = make_call(rng.random((3, 4)), np.ones((3, 4), bool), readers=2, load_max=2, load_min=1)
    pairs = greedy(call, call.scores)
    cases = sum(case_worth(call, p, [r for q, r in pairs if q == p]) for p in range(3))
    loads = sum(load_worth(call, r, sum(s == r for _p, s in pairs)) for r in range(4))
    assert worth(call, pairs) == pytest.approx(cases + loads)


def test_roles_when_given_then_one_primary_who_can_lead_and_primaries_are_spread():
    leads = np.array([[False, True, True]] * 3)
    call = make_call(np.full((3, 3), 0.5), np.ones((3, 3), bool), readers=3, load_max=3, leads=leads)
    found = roles_of(call, [(p, r) for p in range(3) for r in range(3)])
    primaries = [one.reviewer for one in found if one.role == "primary"]
    assert (len(primaries), set(primaries)) == (3, {1, 2})
    assert sorted(one.role for one in found if one.case == 0) == ["primary", "reader", "secondary"]


def test_roles_when_some_are_given_then_they_stay_and_the_others_fill_what_is_open():
    call = make_call(np.full((1, 3), 0.5), np.ones((1, 3), bool), readers=3, load_max=3)
    found = roles_of(call, [(0, 0), (0, 1), (0, 2)], {(0, 2): "primary"})
    assert [(one.role, one.is_pinned) for one in found] == [("secondary", False), ("reader", False), ("primary", True)]


def test_random_forbidding_when_the_seed_is_the_same_then_the_same_and_pins_stay():
    call = make_call(np.ones((20, 20)), np.ones((20, 20), bool), readers=3, load_max=5)
    first = forbidden_at_random(call, share=0.05, seed=7, kept=[(0, 0)])
    assert (first == forbidden_at_random(call, share=0.05, seed=7, kept=[(0, 0)])).all()
    assert first[0, 0]
    assert 0 < (~first).sum() < 60
    assert (forbidden_at_random(call, share=0.0, seed=7) == call.allowed).all()


def test_scores_when_there_are_no_wishes_then_the_affinity_alone():
    affinity = np.array([[0.5]])
    assert scores_of(affinity)[0, 0] == 0.5
    assert scores_of(affinity, np.array([[1.0]]))[0, 0] == pytest.approx(0.65)


def test_large_call_when_begun_then_the_pool_is_a_part_and_the_bound_holds_over_all_pairs():
    rng = np.random.default_rng(2)
    cases, reviewers = 150, 150
    assert cases * reviewers > FEW_PAIRS
    fields = rng.random((reviewers, 6)) < 0.2
    required = np.zeros((cases, 6), bool)
    required[np.arange(cases), rng.integers(0, 6, cases)] = True
    call = make_call(
        rng.random((cases, reviewers)), rng.random((cases, reviewers)) > 0.03, readers=3, load_max=4, load_min=1,
        fields=fields, required=required, leads=rng.random((cases, reviewers)) < 0.5,
        institutions=rng.integers(0, 30, reviewers),
    )  # fmt: skip
    assert first_pool(call).sum() < call.allowed.sum() / 2
    found = propose(call, seed=1)
    assert_hard_rules(call, found.pairs)
    assert found.short == tuple(shortfalls(call, found.pairs)) == ()
    assert found.certificate.gap < 0.001
    assert found.certificate.bound == pytest.approx(upper_bound(call, found.multipliers), abs=1e-5)
