"""The journal: every action leaves one row; the database refuses to change or delete it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from structlog.contextvars import get_contextvars

from common.actors import SYSTEM, Actor
from common.models import JournalEntry

__all__ = ["SYSTEM", "history_of", "record"]


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
    return JournalEntry.objects.create(
        at=at,
        actor_kind=by.actor_kind,
        actor_id=by.actor_id,
        actor_label=by.actor_label,
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        subject_ref=str(getattr(subject, "ref", "") or subject.pk),
        before=before or {},
        after=after or {},
        reason=reason,
        request_id=str(get_contextvars().get("request_id", "")),
    )


def history_of(*subjects: models.Model) -> models.QuerySet[JournalEntry]:
    """This function will return the rows of these subjects, newest first."""
    wanted = models.Q(pk__in=[])
    for subject in subjects:
        wanted |= models.Q(subject_type=subject._meta.label_lower, subject_id=subject.pk)
    return JournalEntry.objects.filter(wanted).order_by("-at", "-id")
