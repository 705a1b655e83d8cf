"""One research area: who directs it, its projects, the TRL board, allocations, gates and complementing links."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.timezone import localdate

from portal.access import clock, page
from programs.models import Project, ResearchArea
from programs.overviews import AreaSheet, area_sheet
from programs.queries.directors import areas_with_people


@page(
    permission="area.view",
    find=lambda user, ref: areas_with_people(user, localdate()).filter(ref=ref),
)
def area_page(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will show one area."""
    today = localdate(clock(request))
    sheet = area_sheet(request.user, area)
    return render(
        request,
        "portal/areas/page.html",
        {
            "area": area,
            "sheet": sheet,
            "today": today,
            "director": next((one for one in sheet.directors if _holds(one.starts_on, one.ends_on, today)), None),
            "groups": project_groups(sheet),
            "board": [one for one in sheet.projects if one.project.target_trl or one.claimed or one.assessed],
            "printed": area.flagship_count is not None or area.basic_count is not None,
            "is_sample": area.is_sample,
        },
    )


def project_groups(sheet: AreaSheet) -> list[dict[str, object]]:
    """This function will group the visible projects by kind beside the numbers the source prints."""
    area = sheet.area
    printed = {
        "flagship": area.flagship_count,
        "basic": area.basic_count,
        "human_resources": area.human_resources_count,
    }
    groups = []
    for kind in dict.fromkeys([*printed, *sheet.figures.counts]):
        count = sheet.figures.counts.get(kind, 0)
        if count or printed.get(kind):
            groups.append(
                {
                    "kind": kind,
                    "label": Project.Kind(kind).label,
                    "printed": printed.get(kind),
                    "count": count,
                    "projects": [one.project for one in sheet.projects if one.project.kind == kind],
                    "theme": area.themes_ja.get(kind, ""),
                }
            )
    return groups


def _holds(starts_on: date, ends_on: date | None, today: date) -> bool:
    return starts_on <= today and (ends_on is None or ends_on >= today)
