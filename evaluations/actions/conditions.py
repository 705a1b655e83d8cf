"""Conditions of decisions, reported on and found met or not; steps of a wind-down, done."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, Refused
from common.states import locked, move
from common.text import clean
from evaluations import notices
from evaluations.models import Condition, WindDownItem
from evaluations.rules.decisions import condition_actions, owners_held
from evaluations.states import CONDITION_MOVES, DECISION_STANDS


@transaction.atomic
def report_condition(condition: Condition, *, report: str, by: User, at: datetime) -> Condition:
    """This function will record what was done for a condition; somebody else finds whether it is met."""
    row = _locked_for(condition, "condition.report", by)
    said = clean(report).strip()
    if not said:
        raise Refused(_("Write what has been done."), "required", "report")
    row.report, row.reported_by, row.reported_at = said, by, at
    row.settled_by = row.settled_at = None
    also = ("report", "reported_by", "reported_at", "settled_by", "settled_at")
    return _moved(row, "report", by, at, also)


@transaction.atomic
def settle_condition(condition: Condition, *, is_met: bool, note: str, by: User, at: datetime) -> Condition:
    """This function will find a reported condition met, or not met with what is still asked for."""
    row = _locked_for(condition, "condition.settle", by)
    said = clean(note).strip()
    if not is_met and not said:
        raise Refused(_("Write what is still missing."), "required", "note")
    row.settled_note, row.settled_by, row.settled_at = said, by, at
    return _moved(row, "confirm" if is_met else "refuse", by, at, ("settled_note", "settled_by", "settled_at"))


@transaction.atomic
def finish_wind_down_item(item: WindDownItem, *, note: str = "", by: User, at: datetime) -> WindDownItem:
    """This function will mark a step of the wind-down as done, once, by who owes it or by the ministry's staff."""
    row = locked(WindDownItem, item.pk)
    held = owners_held(by, row.decision.gate_review)
    if row.decision.state not in DECISION_STANDS or not held & {row.owner, WindDownItem.Owner.STAFF.value}:
        raise NotAllowed(_("This step is done by who owes it, once the decision is released."))
    if row.done_at is not None:
        raise Refused(_("This is done already."), "twice")
    row.done_by, row.done_at, row.done_note = by, at, clean(note).strip()
    row.save(update_fields=["done_by", "done_at", "done_note"])
    after = {"decision": row.decision.ref, "step": row.text[:80]}
    record("finish_wind_down_item", row.decision.gate_review, by=by, at=at, after=after)
    return row


def _locked_for(condition: Condition, permission: str, by: User) -> Condition:
    row = locked(Condition, condition.pk)
    if permission not in condition_actions(by, row):
        raise NotAllowed(_("This step is not open to you in the present state of the condition."))
    return row


def _moved(row: Condition, step: str, by: User, at: datetime, also: tuple[str, ...]) -> Condition:
    before = move(row, step, CONDITION_MOVES, also=also)
    after = {"condition": row.ref, "state": row.state}
    record(f"{step}_condition", row.decision.gate_review, by=by, at=at, before={"state": before}, after=after)
    notices.condition_moved(row, step, at=at)
    return row
