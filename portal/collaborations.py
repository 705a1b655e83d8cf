"""Collaborations of a project: the list with warnings, one of them to read or to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.countries import HOME, country_name
from common.errors import NotAllowed, Refused, StaleEdit
from portal.access import clock, page
from portal.forms.risk import CollaborationForm
from portal.lists import as_download, csv_rows
from portal.projects import find_project, show_tab
from portal.risks import seen_revision
from programs.actions import collaborations as actions
from programs.drawings import language
from programs.models import Collaboration, Project
from programs.queries import project_label
from programs.queries.risks import collaborations_visible_to
from programs.rules.risks import may_keep, needs_export_check

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("Risks and collaborations are kept by the project's team, its HQ and the program officer.")


@page(permission="project.view", find=find_project, params=("format",), methods=BOTH)
def project_collaborations(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show a project's collaborations, take another one, or hand them out as CSV."""
    rows = list(collaborations_visible_to(request.user).filter(project=project))
    if request.GET.get("format") == "csv":
        return _csv(project, rows)
    today = localdate(clock(request))
    may = may_keep(request.user, project)
    if request.method == "POST" and not may:
        raise NotAllowed(NOT_YOURS)
    initial = {"country": HOME, "export_control": Collaboration.ExportControl.OPEN}
    form = CollaborationForm(data=request.POST or None, initial=initial) if may else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            actions.enter_collaboration(
                project,
                values=form.cleaned_data,
                by=request.user,
                at=clock(request),  # type: ignore[arg-type]
            )
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("It is on record."))
            return redirect("project_collaborations", ref=project.ref)
    context = {
        "rows": [(one, country_name(one.country, language()), needs_export_check(one, today)) for one in rows],
        "unchecked": sum(needs_export_check(one, today) for one in rows),
        "form": form,
    }
    return show_tab(request, project, "project_collaborations", context, template="portal/collaborations/list.html")


def _csv(project: Project, rows: list[Collaboration]) -> HttpResponseBase:
    head = [
        _("Reference"), _("Kind"), _("Partner"), _("Sector"), _("Country"), _("What is done together"), _("From"),
        _("Until"), _("Own contribution of the partner (yen)"), _("Own contribution in words"), _("Agreement"),
        _("Signed on"), _("Export-control check"), _("Checked on"), _("Checked by"),
    ]  # fmt: skip

    def lines() -> Iterator[list[Any]]:
        for one in rows:
            yield [
                one.ref, str(one.get_kind_display()), one.partner, str(one.get_sector_display()),
                country_name(one.country, language()), one.subject, one.starts_on.isoformat(), _day(one.ends_on),
                one.contribution_yen, one.contribution, str(one.get_agreement_display()), _day(one.agreed_on),
                str(one.get_export_control_display()), _day(one.export_checked_on), one.export_checked_by,
            ]  # fmt: skip

    response = StreamingHttpResponse(csv_rows(head, lines()), content_type="text/csv; charset=utf-8")
    return as_download(response, f"collaborations-{project.ref}.csv")


def _day(day: Any) -> str:
    return day.isoformat() if day else ""


def find_collaboration(user: Any, ref: str) -> Any:
    """This function will return the collaboration with this reference, if the reader may see its project."""
    return collaborations_visible_to(user).filter(ref=ref)


@page(permission="collaboration.view", find=find_collaboration, methods=BOTH)
def collaboration_page(request: HttpRequest, collaboration: Collaboration) -> HttpResponseBase:
    """This function will show a collaboration; who keeps it writes on."""
    may = may_keep(request.user, collaboration.project)
    if request.method == "POST" and not may:
        raise NotAllowed(NOT_YOURS)
    initial = {name: getattr(collaboration, name) for name in actions.FIELDS}
    form, status = CollaborationForm(data=request.POST or None, initial=initial) if may else None, 200
    if request.method == "POST" and form is not None:
        status = 422
        if form.is_valid():
            try:
                actions.save_collaboration(
                    collaboration, values=form.cleaned_data, revision=seen_revision(request), by=request.user,  # type: ignore[arg-type]
                    at=clock(request),
                )  # fmt: skip
            except NotAllowed:
                raise
            except StaleEdit as stale:
                form.refuse(stale)
                status = 409
            except Refused as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("It is saved."))
                return redirect("collaboration", ref=collaboration.ref)
    context = {
        "collaboration": collaboration,
        "country": country_name(collaboration.country, language()),
        "needs_check": needs_export_check(collaboration, localdate(clock(request))),
        "form": form,
        "project": collaboration.project,
        "label": project_label(collaboration.project),
        "is_sample": collaboration.project.is_sample,
    }
    return render(request, "portal/collaborations/page.html", context, status=status)
