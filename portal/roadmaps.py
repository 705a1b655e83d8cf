"""Roadmaps: a Gantt of periods, milestones, gates and reports of a project, an area or a program."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from common.charts import Chart, GanttRow, Mark, gantt
from common.fiscal_year import label as year_label
from portal.access import clock, page
from portal.lists import csv_rows
from portal.projects import find_project
from programs import queries
from programs.drawings import language
from programs.models import Program, Project, ResearchArea
from programs.queries import project_label
from programs.queries.roadmaps import roads_of
from reporting.models import ProgressReport
from reporting.queries import reports_of_projects

ROWS = 40


def _row(project: Project, road: Any, reports: Sequence[ProgressReport]) -> GanttRow:
    marks = [Mark("milestone", one.title, one.planned_on, one.baseline_on, one.reached_on) for one in road.milestones]
    marks += [Mark("gate", one.title, one.held_on) for one in road.gates]
    marks += [
        Mark(
            "report",
            f"{year_label(one.fiscal_year, language())} {one.get_kind_display()}",
            one.due_on,
            None,
            localdate(one.accepted_at) if one.accepted_at else None,
        )
        for one in reports
    ]
    return GanttRow(project_label(project), road.starts_on, road.ends_on, marks)


def roadmap_of(user: Any, projects: Sequence[Project], today: date) -> Chart:
    """This function will draw these projects, which the reader may see, with what of them the reader may see."""
    reports: dict[int, list[ProgressReport]] = {}
    for report in reports_of_projects(user, projects):
        reports.setdefault(report.project_id, []).append(report)
    rows = [_row(road.project, road, reports.get(road.project.pk, [])) for road in roads_of(projects, today)]
    return gantt(rows, today, language())


def _answer(
    request: HttpRequest, projects: Any, *, name: str, home: tuple[str, str], is_sample: bool
) -> HttpResponseBase:
    """One page of a roadmap, or its table as CSV; `after` is the reference of the last project of the page before."""
    found = list(projects.filter(ref__gt=request.GET.get("after", "")).order_by("ref")[: ROWS + 1])
    shown = found[:ROWS]
    chart = roadmap_of(request.user, shown, localdate(clock(request)))
    if request.GET.get("format") == "csv":
        rows = csv_rows(list(chart.head), iter(chart.rows))
        response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = content_disposition_header(True, f"{_('Roadmap')}-{name}.csv")
        return response
    context = {
        "name": name,
        "home": home,
        "chart": chart,
        "count": len(shown),
        "after": request.GET.get("after", ""),
        "next": shown[-1].ref if len(found) > ROWS else "",
        "is_sample": is_sample,
    }
    return render(request, "portal/roadmaps/page.html", context)


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
