"""The pure core: differences, changes and their inverse, and what does not fit."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs import planning as p

START, END = date(2024, 4, 1), date(2029, 3, 31)
FRAME = p.Frame(p.FRAME_KEY, START, END, "概要")
CELLS = (
    p.BudgetCell("2024/a/goods", 2024, "a", "goods", 70),
    p.BudgetCell("2024/b/travel", 2024, "b", "travel", 30),
)
YEAR = p.YearTotal("2024", 2024, 100)
GATE = p.Gate("G1", "中間", date(2027, 1, 15), date(2024, 4, 1), "忠実度 99.9 以上", evidence_asked="測定記録")
MILESTONE = p.Milestone("M1", "試作", date(2025, 9, 30), "a", threshold=Decimal("99.9"), unit="%", direction="at_least")
PLAN = p.Plan.of([FRAME, *CELLS, YEAR, GATE, MILESTONE])
LIMITS = p.Limits(partners=frozenset({"a", "b"}), today=date(2024, 5, 1))

days = st.dates(START - timedelta(400), END + timedelta(400))
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8)
frames = st.builds(p.Frame, st.just(p.FRAME_KEY), days, days, texts)
milestones = st.builds(
    p.Milestone, st.integers(1, 12).map("M{}".format), texts, days, st.sampled_from(["", "a", "b"]), texts,
    st.none() | st.decimals(-100, 100, places=2), texts, st.sampled_from(["", "at_least", "at_most"]), texts,
)  # fmt: skip
packages = st.builds(p.WorkPackage, st.integers(1, 5).map("WP{}".format), texts, texts, st.just("a"), days, days)


@st.composite
def cells(draw):
    year, where, what = draw(st.integers(2023, 2026)), draw(st.sampled_from("ab")), draw(st.sampled_from(["x", "y"]))
    return p.BudgetCell(f"{year}/{where}/{what}", year, where, what, draw(st.integers(0, 10**12)))


@st.composite
def plans(draw):
    items = {}
    for item in [draw(frames), *draw(st.lists(milestones | packages | cells(), max_size=12))]:
        items[type(item), item.key] = item
    return p.Plan(items)


# Changes --------------------------------------------------------------------------------------------------------------


@given(plans(), plans())
def test_difference_when_applied_then_gives_the_other_plan(before, after):
    assert p.apply(before, p.difference(before, after)) == after


@given(plans(), plans())
def test_change_when_followed_by_its_inverse_then_gives_the_plan_back(before, after):
    changes = p.difference(before, after)
    assert p.apply(p.apply(before, changes), p.inverse(changes)) == before


@given(plans(), plans(), st.randoms())
def test_changes_when_independent_then_their_order_does_not_matter(before, after, random):
    changes = list(p.difference(before, after))
    shuffled = list(changes)
    random.shuffle(shuffled)
    assert p.apply(before, shuffled) == p.apply(before, changes) == after


@given(plans())
def test_difference_when_nothing_differs_then_is_empty(plan):
    assert p.difference(plan, plan) == ()


@given(plans(), plans())
def test_yen_by_year_when_added_then_is_the_difference_of_the_sums(before, after):
    def sums(plan):
        return sum(cell.amount_yen for cell in plan.each(p.BudgetCell))

    assert sum(p.yen_by_year(p.difference(before, after)).values()) == sums(after) - sums(before)


def totals_of(plan):
    return [p.YearTotal(str(year), year, yen) for year, yen in p.money_by_year(plan).items()]


@given(st.lists(cells(), unique_by=lambda cell: cell.key, max_size=12), st.integers(1, 10**12))
def test_years_when_nothing_differs_then_sum_to_the_contract_and_one_yen_off_is_named(found, off):
    period = p.Frame(p.FRAME_KEY, date(2023, 4, 1), date(2027, 3, 31))
    plan = p.Plan.of([period, *found])
    contract = sum(cell.amount_yen for cell in found)
    totals = totals_of(plan)
    assert sum(total.total_yen for total in totals) == contract == sum(p.money_by_year(plan).values())
    limits = p.Limits(partners=frozenset("ab"))
    assert p.conflicts(p.Plan.of([*plan.items.values(), *totals]), limits) == []
    for wrong in totals:
        others = [total for total in totals if total is not wrong]
        changed = p.YearTotal(wrong.key, wrong.fiscal_year, wrong.total_yen + off)
        named = p.conflicts(p.Plan.of([*plan.items.values(), *others, changed]), limits)
        assert [(c.code, c.key) for c in named] == [("parts_differ_from_the_year", wrong.key)]


@given(plans(), plans(), plans())
def test_changes_when_made_to_other_items_then_either_may_come_first(base, one, other):
    first = p.difference(base, one)
    touched = {(change.part, change.key) for change in first}
    second = [change for change in p.difference(base, other) if (change.part, change.key) not in touched]
    assert p.apply(p.apply(base, first), second) == p.apply(p.apply(base, second), first)


@given(plans(), plans(), plans())
def test_changes_when_both_touch_an_item_then_the_second_is_named_and_never_lost(base, one, other):
    first, second = p.difference(base, one), p.difference(base, other)
    both = {(c.part, c.key) for c in first} & {(c.part, c.key) for c in second}
    found = p.apply(p.apply(base, first), second)
    if both:
        assert {(c.part, c.key) for c in found} == both
    else:
        assert isinstance(found, p.Plan)


def test_apply_when_the_item_is_not_as_expected_then_names_it():
    other = p.Change(p.Milestone, "M1", p.Milestone("M1", "別", END), None)
    assert p.apply(PLAN, [other]) == (p.Conflict("changed_meanwhile", p.Milestone, "M1"),)
    assert PLAN.items[p.Milestone, "M1"] == MILESTONE


def test_change_when_described_then_says_kind_and_fields():
    moved = p.Milestone("M1", "試作", date(2026, 9, 30), "a", threshold=Decimal("99.9"), unit="%", direction="at_least")
    after = p.Plan.of([FRAME, *CELLS, YEAR, moved, p.Milestone("M2", "実証", END)])
    changes = p.difference(PLAN, after)
    assert [(c.part, c.key, c.kind) for c in changes] == [
        (p.Milestone, "M1", "changed"), (p.Milestone, "M2", "added"), (p.Gate, "G1", "removed"),
    ]  # fmt: skip
    assert changes[0].changed_fields == ("planned_on",)


def test_each_when_keys_hold_numbers_then_sorts_as_people_count():
    plan = p.Plan.of([FRAME, *(p.Milestone(f"M{n}", "", END) for n in (10, 2, 1, 11))])
    assert [item.key for item in plan.each(p.Milestone)] == ["M1", "M2", "M10", "M11"]


def test_plan_when_two_items_have_one_key_then_is_refused():
    with pytest.raises(ValueError, match="M1"):
        p.Plan.of([MILESTONE, p.Milestone("M1", "別", END)])


# What does not fit ----------------------------------------------------------------------------------------------------


def with_items(*items):
    found = dict(PLAN.items)
    for item in items:
        found[type(item), item.key] = item
    return p.Plan(found)


def codes(plan, limits=LIMITS):
    return [(c.code, c.key) for c in p.conflicts(plan, limits)]


def test_conflicts_when_everything_fits_then_are_none():
    assert codes(PLAN) == []


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (p.Milestone("M2", "", START - timedelta(1)), ("before_the_start", "M2")),
        (p.Milestone("M2", "", END + timedelta(1)), ("after_the_end", "M2")),
        (p.Gate("G2", "", END + timedelta(1), START, "c", evidence_asked="e"), ("after_the_end", "G2")),
        (p.Deliverable("D1", "", START - timedelta(1)), ("before_the_start", "D1")),
        (p.WorkPackage("WP1", "", "", "a", START, END + timedelta(1)), ("outside_the_period", "WP1")),
        (p.WorkPackage("WP1", "", "", "a", END, START), ("ends_before_it_starts", "WP1")),
        (p.WorkPackage("WP1", "", "", "c", START, END), ("partner_without_part", "WP1")),
        (p.Gate("G2", "", END, START, evidence_asked="e"), ("gate_without_criteria", "G2")),
        (p.Gate("G2", "", END, START, "c"), ("gate_without_evidence", "G2")),
        (p.Gate("G2", "", START, START, "c", evidence_asked="e"), ("phase_after_its_gate", "G2")),
        (p.BudgetCell("2024/a/goods", 2024, "a", "goods", 71), ("parts_differ_from_the_year", "2024")),
        (p.YearTotal("2025", 2025, 1), ("parts_differ_from_the_year", "2025")),
        (p.Effort("2024/a/x", "x", "a", 2024, 101), ("effort_above_100", "2024/a/x")),
        (p.Effort("2029/a/x", "x", "a", 2029, 10), ("effort_outside_the_plan", "2029/a/x")),
    ],
)
def test_conflicts_when_one_thing_does_not_fit_then_name_it(item, expected):
    assert codes(with_items(item)) == [expected]


def test_conflicts_when_a_final_report_is_due_after_the_end_then_are_none():
    assert codes(with_items(p.Deliverable("D1", "", END + timedelta(60)))) == []


def test_conflicts_when_money_lies_in_a_year_outside_then_name_year_and_cell():
    late = p.BudgetCell("2030/a/goods", 2030, "a", "goods", 5)
    assert codes(with_items(late, p.YearTotal("2030", 2030, 5))) == [("year_outside_the_plan", "2030/a/goods")]


def test_conflicts_when_the_first_year_starts_after_april_then_it_still_belongs():
    late_start = p.Frame(p.FRAME_KEY, date(2024, 10, 1), END)
    gate = p.Gate("G1", "", date(2027, 1, 15), date(2024, 10, 1), "c", evidence_asked="e")
    assert codes(with_items(late_start, gate)) == []


def test_conflicts_when_above_the_ceiling_then_give_the_figures():
    found = p.conflicts(PLAN, p.Limits({2024: 99}, frozenset("ab")))
    assert [(c.code, dict(c.figures)) for c in found] == [
        ("above_the_ceiling", {"year": 2024, "ceiling": 99, "total": 100})
    ]


def test_conflicts_when_a_year_has_no_ceiling_then_it_is_not_limited():
    assert p.conflicts(PLAN, p.Limits({2023: 1}, frozenset("ab"))) == []


def test_conflicts_when_effort_elsewhere_makes_more_than_100_then_name_the_whole():
    limits = p.Limits(partners=frozenset("ab"), effort_elsewhere={("x", 2024): 60})
    found = p.conflicts(with_items(p.Effort("2024/a/x", "x", "a", 2024, 41)), limits)
    assert [(c.code, c.figures["whole"]) for c in found] == [("effort_above_100", 101)]
    assert p.conflicts(with_items(p.Effort("2024/a/x", "x", "a", 2024, 40)), limits) == []


@pytest.mark.parametrize(("today", "expected"), [(date(2024, 3, 31), []), (START, [("criteria_are_fixed", "G1")])])
def test_conflicts_when_criteria_change_then_only_from_the_start_of_the_phase(today, expected):
    easier = p.Gate("G1", "中間", date(2027, 1, 15), START, "忠実度 90 以上", evidence_asked="測定記録")
    limits = p.Limits(partners=frozenset("ab"), fixed=(GATE,), today=today)
    assert codes(with_items(easier), limits) == expected


@pytest.mark.parametrize(("today", "expected"), [(date(2024, 3, 31), []), (START, [("gate_taken_out", "G1")])])
def test_conflicts_when_a_gate_is_left_out_then_only_before_its_phase_starts(today, expected):
    without = p.Plan({address: item for address, item in PLAN.items.items() if item is not GATE})
    limits = p.Limits(partners=frozenset("ab"), fixed=(GATE,), today=today)
    assert codes(without, limits) == expected
    ends_before_it = p.Plan({**without.items, (p.Frame, p.FRAME_KEY): p.Frame(p.FRAME_KEY, START, date(2026, 3, 31))})
    assert codes(ends_before_it, limits) == []


def test_conflicts_when_a_phase_that_runs_is_moved_ahead_then_its_criteria_do_not_open_again():
    moved = p.Gate("G1", "中間", GATE.held_on, date(2025, 4, 1), GATE.criteria, evidence_asked="測定記録")
    limits = p.Limits(partners=frozenset("ab"), fixed=(GATE,), today=START)
    assert codes(with_items(moved), limits) == [("criteria_are_fixed", "G1")]


def test_conflicts_when_the_period_is_upside_down_then_nothing_else_is_said():
    assert codes(with_items(p.Frame(p.FRAME_KEY, END, START))) == [("ends_before_it_starts", "plan")]


def test_conflicts_when_listed_then_stand_in_the_order_a_plan_is_read():
    order = [p.PARTS.index(c.part) for c in p.conflicts(with_items(p.Milestone("M2", "", END + timedelta(1))), LIMITS)]
    assert all(a <= b for a, b in pairwise(order))
