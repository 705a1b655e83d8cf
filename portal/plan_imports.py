"""A plan's budget and milestones as a workbook: out to be filled in, and in again, first as a dry run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from common.errors import NotAllowed, NotReady, Refused
from common.workbooks import XLSX
from portal.access import BadQuery, clock, page
from portal.forms.plans import WorkbookForm
from portal.lists import as_download
from portal.plan_items import BOTH, NOT_NOW
from portal.plans import NUMBERS, find_plan, may, plan_head, plan_url
from programs.actions.plan_imports import PlanImport, import_plan, preview_plan_import
from programs.exports import plan_workbook
from programs.models import PlanVersion

#: A dry run can be carried out for so long, in seconds.
GOOD_FOR = 3600


@page(permission="plan.view", find=find_plan, key=NUMBERS)
def plan_workbook_out(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will hand out the version's budget and milestones as a workbook."""
    response = FileResponse(plan_workbook(version), content_type=XLSX)
    return as_download(response, f"{version.project.ref}_plan_{version.number}.xlsx")


@page(
    permission="plan.edit",
    find=find_plan,
    key=NUMBERS,
    may=may("plan.edit", "plan.edit_part"),
    why=NOT_NOW,
    methods=BOTH,
)
def plan_import(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will take a workbook, show row by row what it would change, and do it once that is confirmed."""
    if request.method == "POST" and "steps" in request.POST:
        return _carry_out(request, version)
    form = WorkbookForm(request.POST, request.FILES) if request.method == "POST" else WorkbookForm()
    found = None
    if form.is_bound and form.is_valid():
        chosen = form.cleaned_data["file"]
        try:
            found = preview_plan_import(version, chosen.file, chosen.name, by=request.user)  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
    refused = form.is_bound and (found is None or bool(found.errors))
    return _show(request, version, form, found, status=422 if refused else 200)


def _salt(request: HttpRequest, version: PlanVersion) -> str:
    return f"plan-import:{version.pk}:{request.user.pk}"


def _show(
    request: HttpRequest, version: PlanVersion, form: WorkbookForm, found: PlanImport | None, *, status: int = 200,
    error: str = "",
) -> HttpResponse:  # fmt: skip
    steps = ""
    if found is not None and found.rows and not found.errors:
        steps = signing.dumps(found.steps, salt=_salt(request, version), compress=True)
    context: dict[str, Any] = {**plan_head(version), "form": form, "found": found, "steps": steps, "error": error}
    return render(request, "portal/plans/import.html", context, status=status)


def _carry_out(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    try:
        steps = signing.loads(request.POST["steps"], salt=_salt(request, version), max_age=GOOD_FOR)
    except signing.BadSignature:
        raise BadQuery(_("This dry run is no longer known. Choose the file again.")) from None
    try:
        count = import_plan(version, steps, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        message = refusal.blockers[0].message if isinstance(refusal, NotReady) else str(refusal.message)
        error = _("Nothing was written. %(why)s Choose the file again.") % {"why": message}
        return _show(request, version, WorkbookForm(), None, status=409, error=error)
    messages.success(request, _("%(count)s rows were taken from the workbook.") % {"count": count})
    return HttpResponseRedirect(plan_url(version))
