"""Conflicts of interest: declared by one person, settled by another; a confirmed one excludes."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Person, User
from common.audit import record
from common.errors import NotAllowed, Refused
from common.states import locked, move
from common.text import clean
from evaluations.models import ConflictOfInterest
from evaluations.rules.conflicts import may_declare, may_settle
from evaluations.states import CONFLICT_MOVES
from programs.actions.recusals import end_recusal, recuse
from programs.models import Project


@transaction.atomic
def declare_conflict(
    person: Person,
    project: Project,
    *,
    kind: str,
    evidence: str,
    starts_on: date,
    ends_on: date | None = None,
    found: str = ConflictOfInterest.Found.DECLARED,
    by: User,
    at: datetime,
) -> ConflictOfInterest:
    """This function will record a conflict; it excludes nobody until another person confirms it.

    Raises `NotAllowed`, `Refused` without evidence, or Django's `ValidationError` for an unknown kind.
    """
    if not may_declare(by, person, project):
        raise NotAllowed(_("You cannot record a conflict of this person with this project."))
    if ends_on is not None and ends_on < starts_on:
        raise Refused(_("The last day cannot be before the first."), "dates_out_of_order", "ends_on")
    conflict = ConflictOfInterest(
        person=person, project=project, kind=kind, found=found, evidence=_written(evidence, "evidence"),
        starts_on=starts_on, ends_on=ends_on, declared_by=by, declared_at=at,
    )  # fmt: skip
    conflict.full_clean()
    conflict.save()
    record("declare_conflict", conflict, by=by, at=at, after={"kind": kind, "found": found, "project": project.ref})
    return conflict


@transaction.atomic
def confirm_conflict(conflict: ConflictOfInterest, *, reason: str = "", by: User, at: datetime) -> ConflictOfInterest:
    """This function will confirm a conflict and exclude the person from the project.

    Raises `NotAllowed` for the declarer, the person concerned and whoever does not settle this program's conflicts.
    """
    row = _settle(conflict, "confirm", reason=reason, by=by, at=at)
    recuse(row.person, row.project, starts_on=row.starts_on, ends_on=row.ends_on, source_ref=row.ref, by=by, at=at)
    return row


def dismiss_conflict(conflict: ConflictOfInterest, *, reason: str, by: User, at: datetime) -> ConflictOfInterest:
    """This function will dismiss a conflict, with the reason. Raises as `confirm_conflict`, `Refused` without one."""
    return _settle(conflict, "dismiss", reason=_written(reason, "reason"), by=by, at=at)


@transaction.atomic
def end_conflict(
    conflict: ConflictOfInterest, *, ends_on: date, reason: str, by: User, at: datetime
) -> ConflictOfInterest:
    """This function will end a confirmed conflict, this being its last day, and the exclusion with it.

    Raises `NotAllowed`, `IllegalMove` when it was never confirmed, `Refused` without a reason.
    """
    text = _written(reason, "reason")
    row = locked(ConflictOfInterest, conflict.pk)
    if not may_settle(by, row):
        raise NotAllowed(_("You cannot settle this conflict."))
    if ends_on < row.starts_on:
        raise Refused(_("The last day cannot be before the first."), "dates_out_of_order", "ends_on")
    before = move(row, "end", CONFLICT_MOVES)
    row.ends_on = ends_on
    row.save(update_fields=["ends_on"])
    end_recusal(row.ref, ends_on=ends_on, by=by, at=at)
    record(
        "end_conflict", row, by=by, at=at, before={"state": before},
        after={"state": row.state, "ends_on": ends_on.isoformat()}, reason=text,
    )  # fmt: skip
    return row


@transaction.atomic
def _settle(conflict: ConflictOfInterest, step: str, *, reason: str, by: User, at: datetime) -> ConflictOfInterest:
    row = locked(ConflictOfInterest, conflict.pk)
    if not may_settle(by, row):
        raise NotAllowed(_("You cannot settle this conflict."))
    if row.declared_by_id == by.pk:
        raise NotAllowed(_("Whoever recorded a conflict does not settle it. Ask a colleague."), "second_person")
    row.settled_by, row.settled_at, row.settled_reason = by, at, reason
    before = move(row, step, CONFLICT_MOVES, also=("settled_by", "settled_at", "settled_reason"))
    record(f"{step}_conflict", row, by=by, at=at, before={"state": before}, after={"state": row.state}, reason=reason)
    return row


def _written(text: str, field: str) -> str:
    cleaned = clean(text).strip()
    if not cleaned:
        raise Refused(_("Give the reason."), "reason_missing", field)
    return cleaned
