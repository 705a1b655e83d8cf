"""The assignment as a CSV file: out as it stands, and in again, first as a dry run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from common.errors import NotAllowed, Refused
from evaluations.actions.assignment_sheets import COLUMNS, SheetRead, import_sheet, preview_sheet, sheet_rows
from evaluations.models import Panel
from evaluations.queries.assignments import cases_overseen_by, seating_of
from evaluations.rules.assignments import may_assign
from portal.access import BadQuery, clock, page
from portal.assignments import NOT_YOURS, find_panel, trail
from portal.forms.assignment import SheetForm
from portal.lists import as_download, csv_rows

BOTH = ("GET", "HEAD", "POST")
#: A dry run can be carried out for so long, in seconds.
GOOD_FOR = 3600


@page(permission="assignment.view", find=find_panel)
def assignment_csv(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will hand out who reads what as a CSV file."""
    seating = seating_of(panel, cases_overseen_by(request.user, panel))
    lines = csv_rows(list(COLUMNS), iter(list(sheet_rows(seating))))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    return as_download(response, f"{panel.ref}_assignment.csv")


@page(
    permission="assignment.import", find=find_panel, may=lambda user, panel: may_assign(user, panel), why=NOT_YOURS,
    methods=BOTH,
)  # fmt: skip
def assignment_sheet(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will take a file, show what it would change, and do it once that is confirmed."""
    if request.method == "POST" and "steps" in request.POST:
        return _carry_out(request, panel)
    form = SheetForm(request.POST, request.FILES) if request.method == "POST" else SheetForm()
    found = None
    if form.is_bound and form.is_valid():
        try:
            found = preview_sheet(panel, form.cleaned_data["file"].read(), by=request.user)  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
    refused = form.is_bound and (found is None or bool(found.errors))
    return _show(request, panel, form, found, status=422 if refused else 200)


def _salt(request: HttpRequest, panel: Panel) -> str:
    return f"assignment-import:{panel.pk}:{request.user.pk}"


def _show(
    request: HttpRequest, panel: Panel, form: SheetForm, found: SheetRead | None, *, status: int = 200, error: str = ""
) -> HttpResponse:
    steps = ""
    if found is not None and found.changes and not found.errors:
        steps = signing.dumps(found.steps, salt=_salt(request, panel), compress=True)
    context: dict[str, Any] = {
        "panel": panel,
        "trail": trail(panel),
        "form": form,
        "found": found,
        "steps": steps,
        "error": error,
        "columns": "、".join(list(COLUMNS)[:3]),
        "is_sample": panel.is_sample,
    }
    return render(request, "portal/assignments/sheet.html", context, status=status)


def _carry_out(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    try:
        steps = signing.loads(request.POST["steps"], salt=_salt(request, panel), max_age=GOOD_FOR)
    except signing.BadSignature:
        raise BadQuery(_("This dry run is no longer known. Choose the file again.")) from None
    try:
        count = import_sheet(panel, steps, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        error = _("Nothing was written. %(why)s") % {"why": refusal.message}
        return _show(request, panel, SheetForm(), None, status=409, error=error)
    messages.success(request, _("%(count)s changes were taken from the file.") % {"count": count})
    return HttpResponseRedirect(reverse("assignment", args=[panel.ref]))
