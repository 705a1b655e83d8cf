"""One indicator: targets, values by year and institution rolled up over the tree, and recording by hand or by CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.errors import Refused
from common.files import opened, store, stored_file
from common.fiscal_year import label as year_label
from portal.access import clock, page
from portal.forms.observation import ObservationForm, SheetForm
from portal.journal import readable
from portal.lists import csv_rows
from programs.actions.indicators import ERROR, record_value, sender_at
from programs.actions.observation_sheets import COLUMNS, SheetResult, record_sheet
from programs.drawings import indicator_chart, language
from programs.figures import indicator_sheets
from programs.models import OutcomeIndicator
from programs.queries import indicators_visible_to
from programs.queries.indicators import indicator_writable, institutions_below, newest_observations, rolled_up

SHOWN, HISTORY_ROWS = 50, 50
#: A checked sheet waits this long for its confirmation.
WAITS_SECONDS = 3600
SALT = "observation-sheet"
NOT_YOURS = gettext_lazy("Values are recorded by the ministry's staff of the program, and by its agency over the API.")


def find_indicator(user: Any, ref: str) -> Any:
    """This function will return the indicator with this reference, if the reader may see its program."""
    return indicators_visible_to(user).filter(ref=ref)


@page(permission="indicator.view", find=find_indicator)
def indicator_page(request: HttpRequest, indicator: OutcomeIndicator) -> HttpResponseBase:
    """This function will show one indicator."""
    return _shown(request, indicator)


def _shown(
    request: HttpRequest,
    indicator: OutcomeIndicator,
    *,
    form: ObservationForm | None = None,
    sheet_form: SheetForm | None = None,
    preview: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    sheet = next(one for one in indicator_sheets([indicator.program]) if one.indicator.pk == indicator.pk)
    newest = list(newest_observations(request.user, indicator)[:SHOWN])
    may_record = indicator_writable(request.user, indicator)
    context = {
        "indicator": indicator,
        "sheet": sheet,
        "chart": indicator_chart(sheet),
        "rolled": rolled_up(indicator),
        "newest": newest,
        "shown": SHOWN,
        "may_record": may_record,
        "entries": readable(history_of(indicator)[:HISTORY_ROWS]) if may_record else [],
        "preview": preview,
        "is_sample": indicator.program.is_sample,
    }
    if may_record:
        context["form"] = form or _empty_form(request, indicator, newest)
        context["sheet_form"] = sheet_form or SheetForm()
    return render(request, "portal/indicators/page.html", context, status=status)


def _empty_form(request: HttpRequest, indicator: OutcomeIndicator, newest: list[Any], **data: Any) -> ObservationForm:
    own = [one for one in newest if one.sender == sender_at(indicator) and not hasattr(one, "corrected_by")]
    return ObservationForm(list(institutions_below(indicator.program)), own, **data)


@page(
    permission="indicator.record",
    find=find_indicator,
    may=indicator_writable,
    why=NOT_YOURS,
    methods=("POST",),
)
def indicator_record(request: HttpRequest, indicator: OutcomeIndicator) -> HttpResponseBase:
    """This function will add one value by hand; a correction is a new value that names the old one."""
    newest = list(newest_observations(request.user, indicator)[:SHOWN])
    form = _empty_form(request, indicator, newest, data=request.POST)
    if form.is_valid():
        result = record_value(indicator, form.row(indicator.ref), by=request.user, at=clock(request))  # type: ignore[arg-type]
        if result.status != ERROR:
            messages.success(request, _("The value is recorded."))
            return redirect("indicator", ref=indicator.ref)
        assert result.problem is not None
        field = result.problem.field if result.problem.field in form.fields else None
        form.add_error(field, result.problem.message)
    return _shown(request, indicator, form=form, status=422)


@page(
    permission="indicator.record",
    find=find_indicator,
    may=indicator_writable,
    why=NOT_YOURS,
    methods=("POST",),
)
def indicator_sheet(request: HttpRequest, indicator: OutcomeIndicator) -> HttpResponseBase:
    """This function will check a CSV file and show what it would do, then write it on confirmation."""
    if token := request.POST.get("checked"):
        return _confirmed(request, indicator, token)
    form = SheetForm(request.POST, request.FILES)
    if form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            content = upload.read()
            result = record_sheet(indicator, content, by=request.user, at=clock(request), dry_run=True)  # type: ignore[arg-type]
            kept = store(content, upload.name, at=clock(request), is_sample=indicator.program.is_sample)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            token = signing.dumps([indicator.pk, kept.pk, request.user.pk], salt=SALT)
            return _shown(request, indicator, sheet_form=form, preview=_preview(result, kept.name, token))
    return _shown(request, indicator, sheet_form=form, status=422)


def _preview(result: SheetResult, name: str, token: str) -> dict[str, Any]:
    years = [(year_label(year, language()), value) for year, value in result.added_by_year.items()]
    return {"name": name, "created": result.created, "duplicates": result.duplicates, "years": years, "token": token}


def _confirmed(request: HttpRequest, indicator: OutcomeIndicator, token: str) -> HttpResponseBase:
    try:
        known, kept, user = signing.loads(token, salt=SALT, max_age=WAITS_SECONDS)
    except signing.BadSignature:
        known = kept = user = None
    if (known, user) != (indicator.pk, request.user.pk):
        messages.error(request, _("The check is too old. Choose the file again."))
        return redirect("indicator", ref=indicator.ref)
    with opened(stored_file(kept)) as file:
        result = record_sheet(indicator, file.read(), by=request.user, at=clock(request))  # type: ignore[arg-type]
    told = {"created": f"{result.created:,}", "duplicates": f"{result.duplicates:,}"}
    messages.success(request, _("%(created)s values are recorded; %(duplicates)s were there already.") % told)
    return redirect("indicator", ref=indicator.ref)


@page(permission="indicator.view", find=find_indicator, params=("template",))
def indicator_csv(request: HttpRequest, indicator: OutcomeIndicator) -> HttpResponseBase:
    """This function will hand out the observations as CSV in the columns that an upload takes, or those alone."""
    rows = iter(()) if request.GET.get("template") else _rows(request, indicator)
    response = StreamingHttpResponse(csv_rows(list(COLUMNS), rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{indicator.ref}.csv")
    return response


def _rows(request: HttpRequest, indicator: OutcomeIndicator) -> Iterator[list[Any]]:
    for one in newest_observations(request.user, indicator).iterator(2000):
        yield [
            one.organization.ref if one.organization else None, one.fiscal_year, one.observed_on.isoformat(),
            f"{one.value.normalize():f}", one.source, one.external_id, one.corrects.external_id if one.corrects else None,
        ]  # fmt: skip
