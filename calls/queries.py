"""Every read of this app leaves here, already restricted to what the reader may see."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from calls.models import Concept, SupportedTechnology, Vision
from common.search import matches
from programs.models import Program
from programs.rules import programs_visible


@dataclass(frozen=True, slots=True)
class VisionScheme:
    """What a vision-driven program shows: its visions, the technologies they support, the concepts with their items."""

    visions: list[Vision]
    technologies: list[SupportedTechnology]
    concepts: list[Concept]


def vision_scheme(program: Program) -> VisionScheme:
    """This function will read the scheme of a program; visions and concepts are open to whoever sees the program."""
    return VisionScheme(
        list(Vision.objects.filter(program=program).order_by("decided_month", "ref")),
        list(
            SupportedTechnology.objects.filter(program=program)
            .select_related("vision")
            .order_by("domain_ja", "name_ja")
        ),
        list(
            Concept.objects.filter(program=program)
            .select_related("agency")
            .prefetch_related("items")
            .order_by("agency__ref", "name_ja")
        ),
    )


def search_concepts(user: object, query: str) -> QuerySet[Concept]:
    """This function will return the concepts of visible programs whose names contain every word of the query."""
    return (
        Concept.objects.filter(matches(query), program__in=Program.objects.filter(programs_visible(user)))
        .select_related("program", "agency")
        .order_by("ref")
    )
