"""Benchmarks of a project or an area: the list with charts, one benchmark with its values, and adding to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from portal.access import clock, page
from portal.forms.benchmark import BenchmarkForm, BenchmarkValueForm
from portal.lists import csv_rows
from portal.projects import find_project
from programs import queries
from programs.actions.benchmarks import add_benchmark_value, open_benchmark
from programs.drawings import benchmark_chart
from programs.models import Benchmark, Project, ResearchArea
from programs.queries import project_label
from programs.queries.benchmarks import benchmark_sheets, benchmarks_visible_to, values_of
from programs.rules.benchmarks import may_benchmark, may_keep

METHODS = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("Benchmarks are kept by the principal investigator, the HQ and the program director.")


def _home(owner: Project | ResearchArea) -> tuple[str, str]:
    if isinstance(owner, Project):
        return reverse("project", args=[owner.ref]), project_label(owner)
    return reverse("area", args=[owner.ref]), owner.name


def _list(request: HttpRequest, owner: Project | ResearchArea) -> HttpResponseBase:
    may = may_benchmark(request.user, owner)
    form = BenchmarkForm(request.POST or None) if may else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            made = open_benchmark(owner, **form.cleaned_data, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The benchmark is open. Add its first values."))
            return redirect("benchmark", pk=made.pk)
    today = localdate(clock(request))
    context = {
        "owner": owner,
        "home": _home(owner),
        "sheets": [(one, benchmark_chart(one), one.is_stale(today)) for one in benchmark_sheets(owner)],
        "form": form,
        "is_sample": owner.is_sample,
    }
    return render(
        request, "portal/benchmarks/list.html", context, status=422 if form is not None and form.errors else 200
    )


@page(permission="project.view", find=find_project, methods=METHODS)
def project_benchmarks(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show a project's benchmarks; who keeps them may open another."""
    if request.method == "POST" and not may_benchmark(request.user, project):
        raise NotAllowed(NOT_YOURS)
    return _list(request, project)


@page(
    permission="area.view",
    find=lambda user, ref: queries.areas_visible_to(user).filter(ref=ref).select_related("program"),
    methods=METHODS,
)
def area_benchmarks(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will show an area's benchmarks; who keeps them may open another."""
    if request.method == "POST" and not may_benchmark(request.user, area):
        raise NotAllowed(NOT_YOURS)
    return _list(request, area)


def find_benchmark(user: Any, pk: str) -> Any:
    """This function will return the benchmark, if the reader may see its project or area."""
    return benchmarks_visible_to(user).filter(pk=pk)


@page(permission="benchmark.view", find=find_benchmark, key="pk", params=("format",), methods=METHODS)
def benchmark_page(request: HttpRequest, benchmark: Benchmark) -> HttpResponseBase:
    """This function will show one benchmark with every value on record, take a new value, or hand all out as CSV."""
    values = values_of(benchmark)
    may = may_keep(request.user, benchmark)
    if request.method == "POST" and not may:
        raise NotAllowed(NOT_YOURS)
    if request.GET.get("format") == "csv":
        return _csv(benchmark, values)
    form = BenchmarkValueForm(values, data=request.POST or None) if may else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            add_benchmark_value(benchmark, **form.cleaned_data, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The value is recorded."))
            return redirect("benchmark", pk=benchmark.pk)
    owner = benchmark.project or benchmark.area
    assert owner is not None
    sheet = next(one for one in benchmark_sheets(owner) if one.benchmark.pk == benchmark.pk)
    context = {
        "benchmark": benchmark,
        "home": _home(owner),
        "list_url": reverse("project_benchmarks" if benchmark.project else "area_benchmarks", args=[owner.ref]),
        "chart": benchmark_chart(sheet),
        "is_stale": sheet.is_stale(localdate(clock(request))),
        "values": values,
        "form": form,
        "is_sample": owner.is_sample,
    }
    return render(
        request, "portal/benchmarks/page.html", context, status=422 if form is not None and form.errors else 200
    )


def _csv(benchmark: Benchmark, values: list[Any]) -> HttpResponseBase:
    head = [_("Whose value"), _("Date"), _("Value"), _("Unit"), _("Reached by"), _("Source"), _("Note")]

    def rows() -> Iterator[list[Any]]:
        for one in values:
            note = _("corrected later") if hasattr(one, "corrected_by") else ""
            yield [
                str(one.get_holder_display()), one.on.isoformat(), f"{one.value.normalize():f}", benchmark.unit,
                one.holder_name, one.source, note,
            ]  # fmt: skip

    response = StreamingHttpResponse(csv_rows(head, rows()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"benchmark-{benchmark.pk}.csv")
    return response
