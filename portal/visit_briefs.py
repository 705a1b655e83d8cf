"""The one-page brief for a visit, as a page that prints to one A4 and as PDF."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.timezone import localdate

from portal.access import clock, page
from portal.lists import as_download
from programs.models import Project
from programs.queries import project_label
from reporting.documents import visit_brief_pdf
from reporting.visit_briefs import projects_to_brief, visit_brief_of


def _find(user: Any, ref: str) -> Any:
    return projects_to_brief(user, localdate()).filter(ref=ref)


@page(permission="project.view", find=_find)
def visit_brief(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show what happened since the last visit."""
    brief = visit_brief_of(request.user, project, localdate(clock(request)))
    context = {
        "brief": brief,
        "project": project,
        "label": project_label(project),
        "today": brief.today,
        "is_sample": project.is_sample,
    }
    return render(request, "portal/visits/brief.html", context)


@page(permission="project.view", find=_find)
def visit_brief_document(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will hand the same out as PDF in Japanese."""
    today = localdate(clock(request))
    content = visit_brief_pdf(visit_brief_of(request.user, project, today))
    response = HttpResponse(content, content_type="application/pdf")
    return as_download(response, f"visit_brief_{project.ref}_{today:%Y%m%d}.pdf")
