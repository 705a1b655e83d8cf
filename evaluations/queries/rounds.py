"""Reads of rounds, panels and gate reviews, already restricted to what the reader may see."""

from __future__ import annotations

from django.db.models import QuerySet

from evaluations.models import GateReview, Round
from evaluations.rules.rounds import gate_reviews_visible, rounds_visible


def rounds_visible_to(user: object) -> QuerySet[Round]:
    """This function will return the rounds this user may see, newest first."""
    return (
        Round.objects.filter(rounds_visible(user))
        .select_related("program", "area", "gate", "rubric")
        .order_by("-made_at", "-pk")
    )


def gate_reviews_visible_to(user: object) -> QuerySet[GateReview]:
    """This function will return the gate reviews this user or client may see, newest first."""
    return (
        GateReview.objects.filter(gate_reviews_visible(user))
        .select_related("round", "project", "area", "program")
        .order_by("-called_at", "-pk")
    )
