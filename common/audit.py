"""The journal: every action leaves one row; the database refuses to change or delete it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from structlog.contextvars import get_contextvars

from common.actors import SYSTEM, Actor
from common.models import JournalEntry

__all__ = ["SYSTEM", "Change", "done_by", "history_of", "record", "record_many"]


def record(
    action: str,
    subject: models.Model,
    *,
    by: Actor,
    at: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> JournalEntry:
    """This function will append one row: who did what to which subject, when, and what changed."""
    entry = _entry(action, Change(subject, before or {}, after or {}), by, at, reason)
    entry.save(force_insert=True)
    return entry


@dataclass(frozen=True, slots=True)
class Change:
    """One subject of a bulk action, with what it was and what it became."""

    subject: models.Model
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def record_many(action: str, changes: Iterable[Change], *, by: Actor, at: datetime, reason: str = "") -> int:
    """This function will append one row for each change, in one statement per thousand, and return how many."""
    entries = [_entry(action, change, by, at, reason) for change in changes]
    return len(JournalEntry.objects.bulk_create(entries, batch_size=1000))


def _entry(action: str, change: Change, by: Actor, at: datetime, reason: str) -> JournalEntry:
    subject = change.subject
    return JournalEntry(
        at=at,
        actor_kind=by.actor_kind,
        actor_id=by.actor_id,
        actor_label=by.actor_label,
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        subject_ref=str(getattr(subject, "ref", "") or subject.pk),
        before=change.before,
        after=change.after,
        reason=reason,
        request_id=str(get_contextvars().get("request_id", "")),
    )


def history_of(*subjects: models.Model) -> models.QuerySet[JournalEntry]:
    """This function will return the rows of these subjects, newest first."""
    wanted = models.Q(pk__in=[])
    for subject in subjects:
        wanted |= models.Q(subject_type=subject._meta.label_lower, subject_id=subject.pk)
    return JournalEntry.objects.filter(wanted).order_by("-at", "-id")


def done_by(actor: Actor, since: datetime) -> models.QuerySet[JournalEntry]:
    """This function will return what this actor has done since then, newest first."""
    mine = JournalEntry.objects.filter(actor_kind=actor.actor_kind, actor_id=actor.actor_id, at__gte=since)
    return mine.order_by("-at", "-id")
