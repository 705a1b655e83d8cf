"""The score sheet as a workbook: out to be filled in without a network, and in again, first as a dry run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, NotReady, Refused
from common.workbooks import XLSX
from evaluations.actions.sheet_imports import SheetImport, import_sheet, preview_sheet_import
from evaluations.exports import sheet_form
from evaluations.models import Assignment
from evaluations.queries.score_sheets import read_sheet
from evaluations.rules.score_sheets import may_write
from portal.access import BadQuery, clock, page
from portal.forms.plans import WorkbookForm
from portal.lists import as_download
from portal.reviews import find_review
from portal.rounds import subject_name

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("The sheet is not open for writing now. The page of the case says until when it was.")
#: A dry run can be carried out for so long, in seconds.
GOOD_FOR = 3600


@page(permission="review.view", find=find_review)
def review_form_out(request: HttpRequest, assignment: Assignment) -> HttpResponseBase:
    """This function will hand out the sheet as a workbook, as it stands."""
    read = read_sheet(assignment)
    names = {item.code: item.name for item in read.items}
    response = FileResponse(sheet_form(read.form, names, read.all_answers), content_type=XLSX)
    return as_download(response, f"{assignment.case.ref}_sheet_{read.revision}.xlsx")


@page(permission="review.view", find=find_review, methods=BOTH)
def review_form(request: HttpRequest, assignment: Assignment) -> HttpResponseBase:
    """This function will take a workbook, show what it would change, and do it once that is confirmed."""
    if request.method == "POST" and not may_write(assignment, getattr(assignment, "sheet", None), clock(request)):
        raise NotAllowed(NOT_NOW)
    if request.method == "POST" and "steps" in request.POST:
        return _carry_out(request, assignment)
    form = WorkbookForm(request.POST, request.FILES) if request.method == "POST" else WorkbookForm()
    found = None
    if form.is_bound and form.is_valid():
        chosen = form.cleaned_data["file"]
        try:
            found = preview_sheet_import(assignment, chosen.file, chosen.name, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
    refused = form.is_bound and (found is None or bool(found.errors))
    return _show(request, assignment, form, found, status=422 if refused else 200)


def _salt(request: HttpRequest, assignment: Assignment) -> str:
    return f"sheet-import:{assignment.pk}:{request.user.pk}"


def _show(
    request: HttpRequest, assignment: Assignment, form: WorkbookForm, found: SheetImport | None, *, status: int = 200,
    error: str = "",
) -> HttpResponse:  # fmt: skip
    steps = ""
    if found is not None and found.rows and not found.errors:
        steps = signing.dumps(found.steps, salt=_salt(request, assignment), compress=True)
    context: dict[str, Any] = {
        "case": assignment.case,
        "name": subject_name(assignment.case.gate_review),
        "is_editable": may_write(assignment, getattr(assignment, "sheet", None), clock(request)),
        "form": form,
        "found": found,
        "steps": steps,
        "error": error,
        "is_sample": assignment.case.is_sample,
    }
    return render(request, "portal/reviews/form.html", context, status=status)


def _carry_out(request: HttpRequest, assignment: Assignment) -> HttpResponseBase:
    try:
        steps = signing.loads(request.POST["steps"], salt=_salt(request, assignment), max_age=GOOD_FOR)
    except signing.BadSignature:
        raise BadQuery(_("This dry run is no longer known. Choose the file again.")) from None
    try:
        count = import_sheet(assignment, steps, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        message = refusal.blockers[0].message if isinstance(refusal, NotReady) else str(refusal.message)
        error = _("Nothing was written. %(why)s Choose the file again.") % {"why": message}
        return _show(request, assignment, WorkbookForm(), None, status=409, error=error)
    messages.success(request, _("%(count)s rows were taken from the workbook.") % {"count": count})
    return HttpResponseRedirect(reverse("review", args=[assignment.case.ref]))
