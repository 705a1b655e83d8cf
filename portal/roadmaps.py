"""Roadmaps: a Gantt of periods, milestones, gates and reports of a project, an area or a program."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from portal.access import BadQuery, clock, page
from portal.lists import as_download, csv_rows
from portal.projects import find_project
from programs import queries
from programs.drawings import language
from programs.models import Program, Project, ResearchArea
from programs.queries import project_label
from reporting.documents import roadmap_pdf
from reporting.roadmaps import Roadmap, roadmap_of

ROWS = 40


def _answer(
    request: HttpRequest, projects: Any, *, name: str, home: tuple[str, str], is_sample: bool
) -> HttpResponseBase:
    """One page of a roadmap, its table as CSV or the same as PDF; `after` is the last project of the page before."""
    found = list(projects.filter(ref__gt=request.GET.get("after", "")).order_by("ref")[: ROWS + 1])
    shown = found[:ROWS]
    road = roadmap_of(request.user, shown, localdate(clock(request)))
    if "format" in request.GET:
        return _download(request, road, name, is_sample=is_sample)
    context = {
        "name": name,
        "home": home,
        "chart": road.chart,
        "count": len(shown),
        "after": request.GET.get("after", ""),
        "next": shown[-1].ref if len(found) > ROWS else "",
        "is_sample": is_sample,
    }
    return render(request, "portal/roadmaps/page.html", context)


def _download(request: HttpRequest, road: Roadmap, name: str, *, is_sample: bool) -> HttpResponseBase:
    match request.GET["format"]:
        case "csv":
            rows = csv_rows(list(road.chart.head), iter(road.chart.rows))
            response: HttpResponseBase = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
            return as_download(response, f"{_('Roadmap')}-{name}.csv")
        case "pdf":
            content = roadmap_pdf(road, name=name, language=language(), is_sample=is_sample)
            return as_download(HttpResponse(content, content_type="application/pdf"), f"{_('Roadmap')}-{name}.pdf")
    raise BadQuery(_("Choose CSV or PDF."))


PARAMS = ("after", "format")


@page(permission="project.view", find=find_project, params=PARAMS)
def project_roadmap(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show one project's road."""
    mine = queries.projects_visible_to(request.user).filter(pk=project.pk)
    home = (reverse("project", args=[project.ref]), project_label(project))
    return _answer(request, mine, name=project_label(project), home=home, is_sample=project.is_sample)


@page(
    permission="area.view",
    find=lambda user, ref: queries.areas_visible_to(user).filter(ref=ref).select_related("program"),
    params=PARAMS,
)
def area_roadmap(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will show the roads of an area's projects."""
    projects = queries.projects_visible_to(request.user).filter(area=area)
    home = (reverse("area", args=[area.ref]), area.name)
    return _answer(request, projects, name=area.name, home=home, is_sample=area.is_sample)


@page(
    permission="program.view",
    find=lambda user, ref: queries.programs_visible_to(user).filter(ref=ref),
    params=PARAMS,
)
def program_roadmap(request: HttpRequest, program: Program) -> HttpResponseBase:
    """This function will show the roads of a program's projects, those of its components among them."""
    projects = queries.projects_visible_to(request.user).filter(program__path__startswith=program.path)
    home = (reverse("program", args=[program.ref]), program.name)
    return _answer(request, projects, name=program.name, home=home, is_sample=program.is_sample)
