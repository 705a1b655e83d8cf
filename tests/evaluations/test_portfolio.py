"""Outcomes in money and levels: whole yen, parts that add up; proposals against every combination tried out."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.portfolio import (
    CONTINUE,
    LATER,
    MISSING_WEIGHS,
    MODIFY,
    PRICED_YEN,
    STOP,
    UNIT,
    Candidate,
    Move,
    Option,
    Outcome,
    Project,
    Rules,
    Weights,
    amounts,
    candidate,
    offered_years,
    outlook,
    problems,
    propose,
    split,
)

YEARS = (2027, 2028, 2029)
yen = st.integers(0, 5 * 10**9)
plans = st.dictionaries(st.sampled_from(YEARS), yen, max_size=3)
outcomes = st.one_of(
    st.just(Outcome()),
    st.just(Outcome(LATER)),
    st.just(Outcome(STOP)),
    st.integers(1, 200).map(lambda share: Outcome(MODIFY, share)),
    st.dictionaries(st.sampled_from(YEARS), yen, max_size=3).map(lambda years: Outcome(MODIFY, None, years)),
)


@st.composite
def rounds(draw):
    """Projects of three areas, an outcome for some of them, and moves between them."""
    projects = [
        Project(f"p{n}", draw(st.sampled_from("abc")), draw(plans), draw(plans), tuple(draw(st.lists(
            st.tuples(st.sampled_from(YEARS), st.integers(1, 9)), max_size=3))))
        for n in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    chosen = {one.key: draw(outcomes) for one in projects if draw(st.booleans())}
    keys = st.sampled_from([one.key for one in projects] + ["elsewhere"])
    moves = draw(st.lists(st.builds(Move, keys, st.sampled_from(YEARS), keys, st.sampled_from(YEARS), yen), max_size=4))
    return projects, chosen, moves


@given(rounds())
def test_outlook_when_summed_any_way_then_every_yen_is_there_once(made):
    projects, chosen, moves = made
    found = outlook(projects, chosen, moves)
    assert found.planned_yen == sum(sum(one.base.values()) for one in projects)
    assert found.given_yen == sum(line.given_yen for line in found.lines) == sum(one.given_yen for one in found.areas)
    assert found.planned_yen == sum(one.planned_yen for one in found.areas)
    for year in found.years:
        assert year.given == sum(area.given[year.year] for area in found.areas)
        assert year.balance == year.planned - year.given
    moved = sum(one.yen for one in moves if "elsewhere" not in (one.source, one.target))
    more = sum(
        max(0, line.amounts.get(y.year, 0) - line.planned.get(y.year, 0)) for line in found.lines for y in found.years
    )
    assert found.balance_yen == found.released_yen - more - moved
    for parts in ([one.planned_part for one in found.areas], [one.given_part for one in found.areas]):
        assert sum(parts) in (0, 1000)


@given(rounds())
def test_outlook_when_all_continue_then_nothing_is_released_and_all_levels_stay(made):
    projects, _chosen, _moves = made
    found = outlook(projects, {})
    assert (found.released_yen, found.balance_yen, found.overdrawn) == (0, 0, [])
    assert all(one.year == one.planned_year for line in found.lines for one in line.levels)


@given(plans, plans, outcomes)
def test_amounts_when_something_is_contracted_then_it_is_never_below(planned, committed, outcome):
    project = Project("p", "a", planned, committed)
    found = amounts(project, outcome)
    assert all(found.get(year, 0) >= amount for year, amount in committed.items())
    if outcome.kind == LATER:
        assert sum(found.values()) == sum(project.base.values())
    if outcome.kind == STOP:
        assert sum(found.values()) == sum(committed.values())
    if not committed and outcome.share_percent is not None:
        whole = sum(planned.values())
        assert sum(found.values()) == (2 * whole * outcome.share_percent + 100) // 200


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_split_when_anything_is_split_then_the_parts_are_the_whole(total, weights):
    assert sum(split(total, weights)) == (total if sum(weights) else 0)


def test_outlook_when_a_project_stops_and_another_waits_then_money_levels_and_areas_say_so():
    projects = [
        Project("a1", "a", {2027: 100, 2028: 50}, {2027: 30}, ((2027, 4), (2028, 5))),
        Project("b1", "b", {2027: 200}, {}, ((2028, 6),)),
    ]
    found = outlook(projects, {"a1": Outcome(STOP), "b1": Outcome(LATER)}, [Move("a1", 2027, "b1", 2027, 80)])
    assert [(one.year, one.planned, one.given, one.balance) for one in found.years] == [
        (2027, 300, 110, 190), (2028, 50, 200, -150),
    ]  # fmt: skip
    assert found.overdrawn == [("a1", 2027, 10)]
    assert [(one.fate, one.year) for line in found.lines for one in line.levels] == [
        ("ended", None), ("ended", None), ("shifted", 2029),
    ]  # fmt: skip
    assert found.levels(2028) == (3, 0)
    assert [(one.area, one.planned_part, one.given_part) for one in found.areas] == [("a", 429, 97), ("b", 571, 903)]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(), []), (Outcome(STOP, 50), ["not_modified"]), (Outcome(MODIFY), ["neither"]),
        (Outcome(MODIFY, 0), ["share"]), (Outcome(MODIFY, 201), ["share"]), (Outcome(MODIFY, 80), []),
        (Outcome(MODIFY, 80, {2027: 1}), ["both"]), (Outcome(MODIFY, None, {2026: 1}), ["year"]),
        (Outcome(MODIFY, None, {2028: 1}), []), (Outcome(MODIFY, None, {2027: -1}), ["yen"]), (Outcome("merge"), ["kind"]),
    ],
)  # fmt: skip
def test_outcome_when_wrong_then_named(outcome, said):
    project = Project("p", "a", {2027: 100})
    assert (problems(project, outcome), offered_years(project)) == (said, [2027, 2028])


# Proposals ------------------------------------------------------------------------------------------------------------

millions = st.integers(0, 300).map(lambda n: n * UNIT)


@st.composite
def calls(draw):
    """A few candidates with two to four options each, and rules they may or may not fit."""
    made = []
    for n in range(draw(st.integers(1, 4))):
        options = tuple(
            Option(Outcome(), draw(st.dictionaries(st.sampled_from(YEARS[:2]), millions, max_size=2)), draw(millions))
            for _ in range(draw(st.integers(2, 4)))
        )
        made.append(Candidate(f"p{n}", options, draw(st.integers(0, len(options) - 1)), draw(st.sampled_from("ab"))))
    rules = Rules(
        {year: draw(millions) for year in YEARS[:2]}, draw(millions), draw(st.booleans()),
        {"a": draw(millions)} if draw(st.booleans()) else {},
    )  # fmt: skip
    return made, rules


def _measure(candidates, rules, choice):
    """What is missing and short (weighed), and what the choice is worth."""
    taken = [one.options[place] for one, place in zip(candidates, choice, strict=True)]
    purse = missing = 0
    for year in sorted(rules.budgets):
        left = rules.budgets[year] + purse - sum(option.money.get(year, 0) for option in taken)
        purse, missing = (max(0, left) if rules.may_carry else 0), missing + max(0, -left)
    short = 0
    for area, floor in rules.area_floors.items():
        given_yen = sum(
            sum(option.money.values()) for one, option in zip(candidates, taken, strict=True) if one.area == area
        )
        short += max(0, floor - given_yen)
    changes = sum(place != one.now for one, place in zip(candidates, choice, strict=True))
    return MISSING_WEIGHS * missing + short, -(sum(option.worth for option in taken) - rules.change_yen * changes)


@settings(deadline=None, max_examples=60)
@given(calls())
def test_proposal_when_every_combination_is_tried_then_none_is_better(made):
    candidates, rules = made
    found = propose(candidates, rules)
    best = min(
        _measure(candidates, rules, choice)
        for choice in itertools.product(*(range(len(one.options)) for one in candidates))
    )
    chosen = [found.chosen[one.key] for one in candidates]
    assert _measure(candidates, rules, chosen) == best
    assert found.worth == -best[1]
    assert found.relaxed + 1 >= found.bound >= found.worth
    assert found.bound - found.worth <= 1
    assert MISSING_WEIGHS * sum(found.missing.values()) + sum(found.short.values()) == best[0]
    assert found.changed == [one.key for one in candidates if found.chosen[one.key] != one.now]
    assert propose(candidates, rules) == found


def _four(budget, **more):
    projects = [Project(f"p{n}", "ab"[n % 2], {2027: 100 * UNIT, 2028: 100 * UNIT}) for n in range(4)]
    made = [
        candidate(one, Outcome(), Weights(), priority) for one, priority in zip(projects, (1, 3, 3, 5), strict=True)
    ]
    return made, propose(made, Rules({2027: budget * UNIT, 2028: budget * UNIT}, **more))


def test_proposal_when_all_fits_then_nothing_changes_and_more_money_is_worth_nothing():
    _made, found = _four(400)
    assert (found.changed, found.missing, set(found.price.values())) == ([], {}, {0})


def test_proposal_when_money_is_short_then_the_least_wanted_gives_and_the_price_says_what_more_is_worth():
    made, found = _four(380, may_carry=False, change_yen=UNIT)
    assert found.changed == ["p0"]
    more = propose(made, Rules({2027: 480 * UNIT, 2028: 480 * UNIT}, UNIT, False))
    assert all(price > 0 for price in list(found.price.values())[:1])
    # Two more years of 100 million yen are never worth more than their prices together (the relaxed worth is concave).
    assert more.relaxed - found.relaxed <= sum(found.price.values()) + 1


def test_proposal_when_changes_cost_more_then_fewer_change():
    assert len(_four(330, change_yen=0)[1].changed) >= len(_four(330, change_yen=40 * UNIT)[1].changed)


def test_proposal_when_even_stopping_all_is_too_dear_then_it_says_by_how_much():
    project = Project("p", "a", {2027: 10 * UNIT}, {2027: 7 * UNIT})
    found = propose([candidate(project, Outcome(), Weights())], Rules({2027: 2 * UNIT}, area_floors={"a": 9 * UNIT}))
    assert (found.missing, found.short) == ({2027: 5 * UNIT}, {"a": 2 * UNIT})


def test_proposal_when_a_project_is_fixed_or_stands_as_something_else_then_that_is_an_option():
    project = Project("p", "a", {2027: 10 * UNIT})
    assert [one.outcome.kind for one in candidate(project, Outcome(STOP), Weights(), is_fixed=True).options] == [STOP]
    made = candidate(project, Outcome(MODIFY, 60), Weights())
    assert [one.outcome.kind for one in made.options] == [CONTINUE, MODIFY, LATER, STOP, MODIFY]
    assert (made.now, made.options[4].worth) == (4, 10 * UNIT * 64 // 100)
    assert PRICED_YEN == 100 * UNIT
    assert propose([], Rules({})).chosen == {}
