"""Locks of the next phase's money: set when a gate opens, opened a little for bridging, lifted for good."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.actors import Actor
from common.audit import record
from common.states import locked
from programs.models import PhaseLock, Project


@transaction.atomic
def lock_phase(project: Project, *, source_ref: str, from_fiscal_year: int, by: User, at: datetime) -> PhaseLock:
    """This function will lock the project's money from this fiscal year on; a second call returns the lock there is."""
    row = locked(Project, project.pk)
    there = PhaseLock.objects.filter(project=row, source_ref=source_ref, lifted_at__isnull=True).first()
    if there is not None:
        return there
    made = PhaseLock.objects.create(
        project=row, source_ref=source_ref, from_fiscal_year=from_fiscal_year, locked_by=by, locked_at=at
    )
    after = {"source_ref": source_ref, "from_fiscal_year": from_fiscal_year}
    record("lock_phase", row, by=by, at=at, after=after)
    return made


@transaction.atomic
def allow_bridging(project: Project, *, source_ref: str, bridging_yen: int, by: Actor, at: datetime) -> None:
    """This function will let so many yen flow in the first locked year although the gate is undecided (つなぎ)."""
    rows = PhaseLock.objects.select_for_update().filter(project=project, source_ref=source_ref, lifted_at__isnull=True)
    for row in rows:
        before, row.bridging_yen = row.bridging_yen, bridging_yen
        row.save(update_fields=["bridging_yen"])
        told = {"bridging_yen": before}, {"bridging_yen": bridging_yen, "source_ref": source_ref}
        record("allow_bridging", project, by=by, at=at, before=told[0], after=told[1])


@transaction.atomic
def lift_phase_lock(project: Project, *, source_ref: str, by: Actor, at: datetime) -> int:
    """This function will lift the lock that this gate review holds; returns how many were lifted."""
    rows = PhaseLock.objects.select_for_update().filter(project=project, source_ref=source_ref, lifted_at__isnull=True)
    lifted = rows.update(lifted_at=at)
    if lifted:
        record("lift_phase_lock", project, by=by, at=at, after={"source_ref": source_ref})
    return lifted
