"""PURE: the calendar of a round, computed back from the day of the contracts. No framework, no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from common.business_days import BEFORE, is_business_day, shifted

DECISION = "decision_due_on"
#: The steps in their order. Two of them are instants; the rest are whole days.
STEPS = (
    "calls_on", "declarations_due_on", "dossier_due_on", "seals_on", "first_close_at", "questions_due_on",
    "answers_due_on", "hearing_on", "final_close_at", "finding_due_on", "fact_check_due_on", DECISION,
    "roster_release_on",
)  # fmt: skip
#: These may fall on the same day as, but never before, the step to the left. Questions run beside the first scores.
_ORDER = (
    ("calls_on", "declarations_due_on"), ("declarations_due_on", "seals_on"), ("calls_on", "dossier_due_on"),
    ("dossier_due_on", "seals_on"), ("seals_on", "first_close_at"), ("questions_due_on", "answers_due_on"),
    ("answers_due_on", "hearing_on"), ("first_close_at", "hearing_on"), ("hearing_on", "final_close_at"),
    ("final_close_at", "finding_due_on"), ("finding_due_on", "fact_check_due_on"), ("fact_check_due_on", DECISION),
    (DECISION, "roster_release_on"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Disorder:
    """A step that stands before one that it has to follow."""

    step: str
    follows: str


def computed(days_before: Mapping[str, int], contracts_on: date) -> dict[str, date]:
    """This function will return each step's day: so many days before the contracts, or the business day before that."""
    return {
        step: shifted(contracts_on - timedelta(days=days_before[step]), BEFORE) for step in STEPS if step in days_before
    }


def from_decision(days_before: Mapping[str, int], decision_on: date) -> dict[str, date]:
    """This function will return the days with the decision on exactly this day and all others counted from it."""
    days = computed(days_before, decision_on + timedelta(days=days_before[DECISION]))
    return {**days, DECISION: decision_on}


def in_force_on(decision_on: date, objection_days: int) -> date:
    """This function will return the first day on which a decision released on its day can be in force.

    An objection can be filed until the last day of the window; without a window it is in force at once.
    """
    return decision_on + timedelta(days=objection_days + 1) if objection_days else decision_on


def disorders(days: Mapping[str, date]) -> list[Disorder]:
    """This function will list the steps that stand before one they have to follow; steps without a day are no matter."""
    return [Disorder(after, before) for before, after in _ORDER if _is_before(days, after, before)]


def days_off(days: Mapping[str, date], steps: Iterable[str] = STEPS) -> list[str]:
    """This function will list the steps that fall on a day on which offices do not work."""
    return [step for step in steps if step in days and not is_business_day(days[step])]


def _is_before(days: Mapping[str, date], after: str, before: str) -> bool:
    return after in days and before in days and days[after] < days[before]
