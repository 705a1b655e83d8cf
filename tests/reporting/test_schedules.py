"""Dates of reports and reminders: plain values, and what holds for all of them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.business_days import AFTER, BEFORE, NONE, is_business_day, shifted
from reporting.schedules import CATCH_UP_DAYS, DuePeriod, DueRule, day_of, due_periods, reminder_step, step_day

ANNUAL = DueRule(
    opens_month=4, opens_day=1, due_month=5, due_day=31, years_after=1, shift=AFTER, first_fiscal_year=2022
)  # fmt: skip
DAYS = st.dates(date(2018, 1, 1), date(2049, 12, 31))
SHIFTS = st.sampled_from([NONE, BEFORE, AFTER])
OFFSETS = st.lists(st.integers(-60, 60), min_size=1, max_size=6, unique=True)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 23), False),  # Labour Thanksgiving Day, a Monday
        (date(2026, 5, 6), False),  # the holiday that makes up for Constitution Day on a Sunday
        (date(2026, 9, 22), False),  # between two holidays
        (date(2019, 5, 1), False),  # the enthronement, once
        (date(2026, 12, 29), False),  # the offices' year end
        (date(2027, 1, 4), True),
        (date(2026, 5, 30), False),  # a Saturday
        (date(2026, 6, 1), True),
    ],
)
def test_business_day_when_asked_then_as_japanese_offices_work(day, works):
    assert is_business_day(day) is works


@pytest.mark.parametrize(
    ("day", "shift", "expected"),
    [
        (date(2026, 5, 31), AFTER, date(2026, 6, 1)),  # a Sunday
        (date(2026, 5, 31), BEFORE, date(2026, 5, 29)),
        (date(2026, 5, 31), NONE, date(2026, 5, 31)),
        (date(2026, 5, 3), AFTER, date(2026, 5, 7)),  # across the whole Golden Week
        (date(2027, 1, 1), BEFORE, date(2026, 12, 28)),
        (date(2027, 1, 1), AFTER, date(2027, 1, 4)),
        (date(2026, 6, 2), AFTER, date(2026, 6, 2)),  # a business day stays
    ],
)
def test_day_when_shifted_then_lands_on_the_business_day_the_rule_says(day, shift, expected):
    assert shifted(day, shift) == expected


def test_shift_when_unknown_then_refused_with_what_is_known():
    with pytest.raises(ValueError, match="use none, before or after"):
        shifted(date(2026, 5, 31), "later")


@pytest.mark.parametrize(
    ("year", "month", "day", "expected"),
    [
        (2026, 2, 31, date(2026, 2, 28)),
        (2028, 2, 31, date(2028, 2, 29)),
        (2026, 6, 31, date(2026, 6, 30)),
        (2026, 5, 31, date(2026, 5, 31)),
    ],
)
def test_day_when_31_then_the_last_of_the_month(year, month, day, expected):
    assert day_of(year, month, day) == expected


def test_periods_when_the_day_before_opening_then_not_yet():
    assert due_periods(ANNUAL, date(2023, 3, 31)) == []
    assert due_periods(ANNUAL, date(2023, 4, 1)) == [DuePeriod(2022, date(2023, 4, 1), date(2023, 5, 31))]


def test_periods_when_years_have_passed_then_each_year_once_and_none_beyond_the_project():
    found = due_periods(ANNUAL, date(2026, 4, 1), last_fiscal_year=2024)
    assert [(period.fiscal_year, period.due_on) for period in found] == [
        (2022, date(2023, 5, 31)),
        (2023, date(2024, 5, 31)),
        (2024, date(2025, 6, 2)),  # 31 May 2025 was a Saturday
    ]


@pytest.mark.parametrize(
    ("today", "step"),
    [
        (date(2026, 5, 17), None),  # one day too early
        (date(2026, 5, 18), -14),
        (date(2026, 5, 25), -14),  # a week late: made up for
        (date(2026, 5, 26), None),  # later than that it would only confuse
        (date(2026, 5, 29), -3),  # the Friday before
        (date(2026, 6, 1), 0),
        (date(2026, 6, 4), 3),
        (date(2026, 6, 11), 3),
        (date(2026, 6, 12), None),
    ],
)
def test_reminder_when_due_on_1_june_2026_then_this_step_goes_out(today, step):
    assert reminder_step(date(2026, 6, 1), today, [-14, -3, 0, 3], BEFORE) == step


def test_reminder_when_three_steps_were_missed_then_only_the_last_goes_out():
    assert reminder_step(date(2026, 6, 1), date(2026, 6, 2), [-14, -3, -1, 0], NONE) == 0


# What holds for all ---------------------------------------------------------------------------------------------------


@given(day=DAYS, shift=st.sampled_from([BEFORE, AFTER]))
def test_any_day_when_shifted_then_the_nearest_business_day_on_that_side(day, shift):
    there = shifted(day, shift)
    assert is_business_day(there)
    assert shifted(there, shift) == there
    step = timedelta(days=1 if shift == AFTER else -1)
    passed = day
    while passed != there:
        assert not is_business_day(passed)
        passed += step


@given(due_on=DAYS, today=DAYS, offsets=OFFSETS, shift=SHIFTS)
def test_any_step_when_it_goes_out_then_its_day_has_come_and_no_later_one_has(due_on, today, offsets, shift):
    step = reminder_step(due_on, today, offsets, shift)
    if step is None:
        return
    assert step in offsets
    day = step_day(due_on, step, shift)
    assert today - timedelta(days=CATCH_UP_DAYS) <= day <= today
    assert all(not day < step_day(due_on, other, shift) <= today for other in offsets)


@given(due_on=DAYS, offsets=OFFSETS, shift=SHIFTS)
def test_any_rule_when_run_every_morning_then_each_day_of_a_step_has_one(due_on, offsets, shift):
    days = {step_day(due_on, offset, shift) for offset in offsets}
    assert all(reminder_step(due_on, day, offsets, shift) is not None for day in days)


@given(due_on=DAYS, today=DAYS, offsets=OFFSETS, shift=SHIFTS)
def test_any_rule_when_its_offsets_are_in_another_order_then_the_same_step(due_on, today, offsets, shift):
    assert reminder_step(due_on, today, offsets, shift) == reminder_step(due_on, today, sorted(offsets), shift)


@given(
    rule=st.builds(
        DueRule,
        opens_month=st.integers(1, 12),
        opens_day=st.integers(1, 31),
        due_month=st.integers(1, 12),
        due_day=st.integers(1, 31),
        years_after=st.integers(0, 5),
        shift=SHIFTS,
        first_fiscal_year=st.integers(2015, 2030),
    ),
    today=DAYS,
    days=st.integers(0, 800),
)
def test_any_schedule_when_days_pass_then_periods_are_only_added(rule, today, days):
    now = due_periods(rule, today)
    later = due_periods(rule, today + timedelta(days=days))
    assert later[: len(now)] == now
    years = [period.fiscal_year for period in later]
    assert years == list(range(rule.first_fiscal_year, rule.first_fiscal_year + len(years)))
    assert all(period.opens_on <= today + timedelta(days=days) for period in later)
    assert all(rule.shift == NONE or is_business_day(period.due_on) for period in later)
