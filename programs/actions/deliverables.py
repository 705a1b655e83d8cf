"""Deliverables: a document the plan asks for is awaited, then delivered once, with its hash and file as evidence."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from common.actors import Actor
from common.audit import record
from common.models import StoredFile
from common.states import locked, move
from programs.models import Deliverable, Project
from programs.states import DELIVERABLE_MOVES


@transaction.atomic
def await_deliverable(
    project: Project, *, kind: str, fiscal_year: int, due_on: date, by: Actor, at: datetime
) -> Deliverable:
    """This function will return the deliverable of this kind and fiscal year, made if it is missing.

    The day it is due follows the schedule as long as it is awaited; what was delivered stays as it is.
    """
    locked(Project, project.pk)
    found = Deliverable.objects.filter(project=project, kind=kind, fiscal_year=fiscal_year).first()
    if found is None:
        found = Deliverable.objects.create(project=project, kind=kind, fiscal_year=fiscal_year, due_on=due_on)
        record("await_deliverable", project, by=by, at=at, after=_told(found))
    elif found.state == Deliverable.State.AWAITED and found.due_on != due_on:
        before = _told(found)
        found.due_on = due_on
        found.save(update_fields=["due_on"])
        record("await_deliverable", project, by=by, at=at, before=before, after=_told(found))
    return found


@transaction.atomic
def mark_delivered(
    deliverable: Deliverable,
    *,
    source_ref: str,
    content_hash: str,
    file: StoredFile | None = None,
    by: Actor,
    at: datetime,
) -> Deliverable:
    """This function will mark a deliverable as delivered by the document `source_ref` with this content (SHA-256).

    Raises `IllegalMove` when it was delivered before: what counts as evidence is never exchanged.
    """
    locked(Project, deliverable.project_id)
    row = locked(Deliverable, deliverable.pk)
    row.source_ref, row.content_hash, row.file, row.delivered_at = source_ref, content_hash, file, at
    before = move(row, "deliver", DELIVERABLE_MOVES, also=("source_ref", "content_hash", "file", "delivered_at"))
    record(
        "mark_delivered",
        row.project,
        by=by,
        at=at,
        before={"state": before},
        after={**_told(row), "state": row.state, "from": source_ref, "hash": content_hash},
    )
    return row


@transaction.atomic
def attach_file(*, source_ref: str, content_hash: str, file: StoredFile, by: Actor, at: datetime) -> Deliverable | None:
    """This function will give a deliverable that was delivered before its PDF was typeset that PDF, once.

    Returns None when no deliverable came from this document with this content, or when it has its file already.
    """
    waiting = Deliverable.objects.filter(source_ref=source_ref, content_hash=content_hash, file__isnull=True).first()
    if waiting is None:
        return None
    locked(Project, waiting.project_id)
    row = locked(Deliverable, waiting.pk)
    if row.file_id is not None:
        return None
    row.file = file
    row.save(update_fields=["file"])
    record("attach_deliverable_file", row.project, by=by, at=at, after={**_told(row), "sha256": file.sha256})
    return row


def _told(deliverable: Deliverable) -> dict[str, object]:
    return {
        "kind": deliverable.kind,
        "fiscal_year": deliverable.fiscal_year,
        "due_on": deliverable.due_on.isoformat(),
    }
