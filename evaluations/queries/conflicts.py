"""Every read of this app leaves here, already restricted to what the reader may see."""

from __future__ import annotations

from django.db.models import QuerySet

from evaluations.models import ConflictOfInterest
from evaluations.rules.conflicts import conflicts_visible


def conflicts_visible_to(user: object) -> QuerySet[ConflictOfInterest]:
    """This function will return the conflicts this user may see, newest first."""
    return (
        ConflictOfInterest.objects.filter(conflicts_visible(user))
        .select_related("person", "project")
        .order_by("-declared_at", "-pk")
    )
