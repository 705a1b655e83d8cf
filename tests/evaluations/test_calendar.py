"""The calendar of a round: computed back from the contracts, on business days, in order."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from common.business_days import is_business_day
from evaluations.actions.rounds import template_days
from evaluations.calendar import DECISION, STEPS, computed, days_off, disorders, from_decision

YEARS = st.integers(2020, 2045)


@given(YEARS)
def test_calendar_when_computed_from_the_contracts_then_every_step_in_order_and_on_a_business_day(year):
    days = computed(template_days(), date(year, 4, 1))
    assert list(days) == list(STEPS)
    assert disorders(days) == []
    assert days_off(days) == []
    asked = date(year, 4, 1) - timedelta(days=120)
    assert days["calls_on"] <= asked
    assert not any(is_business_day(day) for day in _between(days["calls_on"], asked))


def _between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]


@given(st.dates(date(2020, 1, 1), date(2045, 12, 31)))
def test_calendar_when_computed_from_the_decision_then_that_day_stands(day):
    days = from_decision(template_days(), day)
    assert days[DECISION] == day
    assert days["calls_on"] < days["first_close_at"] < days["final_close_at"] < day


def test_calendar_when_a_step_stands_before_what_it_follows_then_named():
    days = computed(template_days(), date(2027, 4, 1)) | {"hearing_on": date(2026, 12, 1)}
    assert [(one.step, one.follows) for one in disorders(days)] == [
        ("hearing_on", "answers_due_on"), ("hearing_on", "first_close_at"),
    ]  # fmt: skip


def test_calendar_when_worked_out_by_hand_for_2027_then_the_same():
    days = computed(template_days(), date(2027, 4, 1))
    # 120 days before is Wednesday 2 December 2026; 46 days before is 14 February 2027, a Sunday after Thursday's holiday.
    assert days["calls_on"] == date(2026, 12, 2)
    assert days["final_close_at"] == date(2027, 2, 12)
    assert days[DECISION] == date(2027, 3, 11)
