"""Reads of cases, already restricted to what the reader may see."""

from __future__ import annotations

from django.db.models import QuerySet

from evaluations.models import Case
from evaluations.rules.cases import cases_listed


def cases_visible_to(user: object) -> QuerySet[Case]:
    """This function will return the cases whose title and members this user may know, by panel and number."""
    return (
        Case.objects.filter(cases_listed(user))
        .select_related("panel__round", "gate_review__project", "gate_review__area", "gate_review__program")
        .order_by("panel_id", "number")
    )
