"""Reads of terms: who directs, supports and stands in in an area over time, and the proposals that wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, JSONObject
from django.utils.translation import get_language

from accounts.queries import grants_of, in_force
from programs.models import AreaDirector, AreaOfficer, Deputy, ResearchArea
from programs.queries import areas_visible_to
from programs.rules.directors import TO_AREA, Term, is_removable, terms_to_approve

_ALONG = ("person", "granted_by__person", "approved_by__person")
_DEPUTY_ALONG = ("director__person", "director__area__program", "officer__person", "officer__area__program")
#: The name of each kind of term in addresses.
KINDS: dict[str, type[Term]] = {"director": AreaDirector, "officer": AreaOfficer, "deputy": Deputy}


@dataclass(frozen=True, slots=True)
class TermRow:
    """A term as pages show it: of which kind, where it stands today, whom a deputy stands in for."""

    term: Term
    kind: str
    standing: str
    is_removable: bool

    @property
    def stands_in_for(self) -> Any:
        """The person a deputy stands in for; None for the others."""
        role = (self.term.director or self.term.officer) if isinstance(self.term, Deputy) else None
        return role.person if role else None

    @property
    def key(self) -> str:
        """The kind and number by which addresses name the term."""
        return f"{self.kind}-{self.term.pk}"


@dataclass(frozen=True, slots=True)
class AreaTerms:
    """All terms of an area, newest first within each kind; proposals only for those who appoint."""

    directors: list[TermRow]
    officers: list[TermRow]
    deputies: list[TermRow]

    def __iter__(self) -> Iterator[TermRow]:
        return iter([*self.directors, *self.officers, *self.deputies])

    @property
    def to_stand_in_for(self) -> list[TermRow]:
        """The terms for which a deputy may be proposed: approved ones that have not ended."""
        return [row for row in (*self.directors, *self.officers) if row.standing in ("in_force", "ahead")]


def areas_with_people(user: object, on: date) -> QuerySet[ResearchArea]:
    """This function will return the visible areas, each with `officers_now` and `deputies_now` of this day as names."""
    names = {"name_ja": "person__name_ja", "name_en": "person__name_en", "starts_on": "starts_on", "ends_on": "ends_on"}
    officers = AreaOfficer.objects.filter(in_force(on), area=OuterRef("pk")).order_by("starts_on", "pk")
    holds = Q(in_force(on, "director__"), director__area=OuterRef("pk")) | Q(
        in_force(on, "officer__"), officer__area=OuterRef("pk")
    )
    deputies = Deputy.objects.filter(holds, in_force(on)).order_by("starts_on", "pk")
    whom = {
        "director_ja": "director__person__name_ja", "director_en": "director__person__name_en",
        "officer_ja": "officer__person__name_ja", "officer_en": "officer__person__name_en",
    }  # fmt: skip
    return (
        areas_visible_to(user)
        .select_related("program")
        .annotate(
            officers_now=ArraySubquery(officers.values(json=JSONObject(**names))),
            deputies_now=ArraySubquery(deputies.values(json=JSONObject(**names, **whom))),
        )
    )


def terms_of_area(area: ResearchArea, today: date, *, appoints: bool) -> AreaTerms:
    """This function will read the terms of an area that the reader was found to see, in three queries.

    `appoints`: the reader appoints in this area and so sees proposals as well.
    """
    known = Q() if appoints else Q(approved_by__isnull=False)

    def rows(kind: str, condition: Q) -> list[TermRow]:
        along = (*_ALONG, *_DEPUTY_ALONG) if kind == "deputy" else _ALONG
        found = KINDS[kind]._default_manager.filter(known, condition).select_related(*along)
        return [term_row(kind, term, today) for term in found.order_by("-starts_on", "-pk")]

    here = Q(area=area)
    return AreaTerms(
        rows("director", here), rows("officer", here), rows("deputy", Q(director__area=area) | Q(officer__area=area))
    )


def term_row(kind: str, term: Term, today: date) -> TermRow:
    """This function will say where a term stands today: proposed, ahead, in_force or ended."""
    if not term.is_approved:
        standing = "proposed"
    elif term.ends_on is not None and term.ends_on < today:
        standing = "ended"
    else:
        standing = "in_force" if term.starts_on <= today else "ahead"
    return TermRow(term, kind, standing, is_removable(term, today))


def term_of_area(area: ResearchArea, kind: str, pk: int) -> Term | None:
    """This function will return one term of the area, or None."""
    model = KINDS.get(kind)
    if model is None:
        return None
    here = Q()
    for path in TO_AREA[model]:
        here |= Q(**{path: area})
    along = (*_ALONG, *_DEPUTY_ALONG) if model is Deputy else (*_ALONG, "area")
    return model._default_manager.filter(here, pk=pk).select_related(*along).first()


@dataclass(frozen=True, slots=True)
class WaitingTerm:
    """A proposed term that waits for its approval."""

    kind: str
    pk: int
    person: str
    area: ResearchArea


def terms_awaiting(user: object) -> list[WaitingTerm]:
    """This function will return the proposed terms that wait for this person's approval, in two queries.

    Only ministry staff approve terms, so nobody else is asked about.
    """
    if not grants_of(user).has("ministry_staff"):
        return []
    found: list[tuple[int, str, int, str, str]] = []
    columns = ("kind", "pk", "person__name_ja", "person__name_en")
    rows = [
        model._default_manager.filter(terms_to_approve(user, model))
        .annotate(kind=Value(kind), at=Coalesce(*paths) if len(paths) > 1 else F(paths[0]))
        .order_by()
        .values_list("at", *columns)
        for kind, model, paths in (
            ("director", AreaDirector, ("area_id",)),
            ("officer", AreaOfficer, ("area_id",)),
            ("deputy", Deputy, ("director__area_id", "officer__area_id")),
        )
    ]
    found = list(rows[0].union(rows[1], rows[2], all=True))
    areas = ResearchArea.objects.in_bulk([row[0] for row in found]) if found else {}
    english = get_language() == "en"
    return [
        WaitingTerm(kind, pk, (english and name_en) or name_ja, areas[at])
        for at, kind, pk, name_ja, name_en in sorted(found)
    ]
