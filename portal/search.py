"""Search over programs, areas, projects and concepts; only what the reader may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from calls.queries import search_concepts
from common.text import clean_line
from portal.access import page
from portal.lists import LONGEST_SEARCH
from programs import queries

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: where it leads, what it is called, what it is."""

    url: str
    title: str
    kind: str
    under: str
    is_sample: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind; `has_more` when there are more than are shown."""

    label: str
    hits: list[Hit]
    has_more: bool
    more_url: str = ""


@page(permission="search.view", params=("q",))
def search_page(request: HttpRequest) -> HttpResponseBase:
    """This function will show what contains every word of `q`, grouped by kind."""
    query = clean_line(request.GET.get("q", ""))[:LONGEST_SEARCH]
    groups = [group for group in find(request.user, query) if group.hits] if query else []
    sample = any(hit.is_sample for group in groups for hit in group.hits)
    context = {"query": query, "groups": groups, "is_sample": sample, "total": sum(len(one.hits) for one in groups)}
    return render(request, "portal/search/page.html", context)


def find(user: Any, query: str) -> list[Group]:
    """This function will search each kind once."""
    programs = list(queries.search_programs(user, query)[: SHOWN + 1])
    areas = list(queries.search_areas(user, query).select_related("program")[: SHOWN + 1])
    projects = list(queries.search_projects(user, query)[: SHOWN + 1])
    concepts = list(search_concepts(user, query)[: SHOWN + 1])
    return [
        _group(_("Programs"), [_program_hit(one) for one in programs]),
        _group(_("Research areas"), [_area_hit(one) for one in areas]),
        _group(
            _("Projects"), [_project_hit(one) for one in projects], f"{reverse('projects')}?{urlencode({'q': query})}"
        ),
        _group(_("Concepts"), [_concept_hit(one) for one in concepts]),
    ]


def _group(label: str, hits: list[Hit], more_url: str = "") -> Group:
    return Group(label, hits[:SHOWN], len(hits) > SHOWN, more_url)


def _program_hit(program: Any) -> Hit:
    url = reverse("program", args=[program.ref])
    return Hit(url, program.name, str(program.get_kind_display()), "", program.is_sample)


def _area_hit(area: Any) -> Hit:
    number = _("Area %(number)s") % {"number": area.number}
    return Hit(reverse("area", args=[area.ref]), area.name, number, area.program.name, area.is_sample)


def _project_hit(project: Any) -> Hit:
    under = project.theme_ja or project.program.name
    return Hit(
        reverse("project", args=[project.ref]),
        queries.project_label(project),
        str(project.get_kind_display()),
        under,
        project.is_sample,
    )


def _concept_hit(concept: Any) -> Hit:
    url = reverse("program", args=[concept.program.ref]) + f"#{concept.ref}"
    return Hit(url, concept.name, concept.agency.name, concept.program.name, concept.is_sample)
