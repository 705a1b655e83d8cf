"""PURE: rules and today's date in, what is due out. No framework, no database, no clock."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from common.business_days import shifted

#: A step that was missed (the machine stood still) is made up for at most this many days later.
CATCH_UP_DAYS = 7


@dataclass(frozen=True, slots=True)
class DueRule:
    """When a report opens and is due: month and day, `years_after` the first calendar year of the fiscal year."""

    opens_month: int
    opens_day: int
    due_month: int
    due_day: int
    years_after: int
    shift: str
    first_fiscal_year: int


@dataclass(frozen=True, slots=True)
class DuePeriod:
    """One fiscal year's report: when its writing opens and the (shifted) day it is due."""

    fiscal_year: int
    opens_on: date
    due_on: date


def day_of(year: int, month: int, day: int) -> date:
    """This function will return the day, or the month's last one where the month is shorter (31 means the last)."""
    return date(year, month, min(day, monthrange(year, month)[1]))


def due_periods(rule: DueRule, today: date, *, last_fiscal_year: int | None = None) -> list[DuePeriod]:
    """This function will return every fiscal year whose report has opened by today, oldest first.

    `last_fiscal_year` is the project's; no report is asked for beyond it.
    """
    periods = []
    fiscal_year = rule.first_fiscal_year
    while last_fiscal_year is None or fiscal_year <= last_fiscal_year:
        calendar_year = fiscal_year + rule.years_after
        opens_on = day_of(calendar_year, rule.opens_month, rule.opens_day)
        if opens_on > today:
            break
        due_on = shifted(day_of(calendar_year, rule.due_month, rule.due_day), rule.shift)
        periods.append(DuePeriod(fiscal_year, opens_on, due_on))
        fiscal_year += 1
    return periods


def step_day(due_on: date, offset: int, shift: str) -> date:
    """This function will return the day on which the reminder of this offset goes out (offset < 0: before)."""
    return shifted(due_on + timedelta(days=offset), shift)


def reminder_step(due_on: date, today: date, offsets: Iterable[int], shift: str) -> int | None:
    """This function will return the offset whose reminder goes out today, or None.

    The latest step reached wins: after an outage one mail is sent for the last step, not one for each missed. A step
    older than a week is not made up for.
    """
    reached = [offset for offset in offsets if step_day(due_on, offset, shift) <= today]
    if not reached:
        return None
    latest = max(reached, key=lambda offset: (step_day(due_on, offset, shift), offset))
    return latest if (today - step_day(due_on, latest, shift)).days <= CATCH_UP_DAYS else None
