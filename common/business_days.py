"""The days on which Japanese offices work."""

from __future__ import annotations

from datetime import date, timedelta

import jpholiday

NONE, BEFORE, AFTER = "none", "before", "after"
ONE_DAY = timedelta(days=1)


def is_business_day(day: date) -> bool:
    """This function will tell whether Japanese offices work: no Saturday, Sunday, holiday, nor 29 Dec to 3 Jan."""
    if day.weekday() >= 5 or (day.month, day.day) in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}:
        return False
    return not jpholiday.is_holiday(day)


def shifted(day: date, shift: str) -> date:
    """This function will move a day that is no business day to the one before or after, as the rule says."""
    if shift not in (NONE, BEFORE, AFTER):
        raise ValueError(f"unknown shift {shift!r}: use none, before or after")
    step = {NONE: timedelta(0), BEFORE: -ONE_DAY, AFTER: ONE_DAY}[shift]
    while step and not is_business_day(day):
        day += step
    return day
