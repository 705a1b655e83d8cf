"""The portfolio: the tree of programs with its money as printed, gates ahead and indicators against their targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.charts import Chart
from common.fiscal_year import label as year_label
from common.money import printed
from portal.access import BadQuery, clock, page
from portal.lists import Cell, as_download, csv_rows, workbook
from programs import queries
from programs.drawings import budget_chart, language
from programs.figures import (
    PrintedYear,
    combined_notes,
    indicator_sheets,
    initial_heading,
    printed_remainder,
    printed_year,
)
from programs.models import Program
from programs.queries import TreeRow
from programs.rules import may_see_portfolio
from reporting.documents import portfolio_brief_pdf

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the tree: a program, or what its parts leave without a figure of their own (`program` is None)."""

    program: Program | None
    depth: int
    initial: int | None
    previous: int | None
    supplementary: int | None
    unit: str
    year: PrintedYear | None = None
    project_count: int | None = None

    @property
    def name(self) -> str:
        return self.program.name if self.program else _("Amount not itemised")


@page(
    permission="portfolio.view",
    may=lambda user, _found: may_see_portfolio(user),
    why=gettext_lazy("The portfolio is for ministry staff, program directors and officers, and auditors."),
    params=("format",),
)
def portfolio_page(request: HttpRequest) -> HttpResponseBase:
    """This function will show the tree, or hand the same lines out as CSV or XLSX."""
    tree = queries.portfolio_tree(request.user)
    lines = list(tree_lines(tree))
    if wanted := request.GET.get("format"):
        return _export(request, lines, wanted)
    today = localdate(clock(request))
    programs = [row.program for row in tree]
    return render(
        request,
        "portal/portfolio/page.html",
        {
            "lines": lines,
            "years": table_years(lines),
            "charts": _charts(tree),
            "gates": queries.gates_ahead((program.pk for program in programs), today).select_related("program"),
            "indicators": [one for one in indicator_sheets(programs) if one.targets],
            "is_sample": any(program.is_sample for program in programs),
            "initial_heading": initial_heading(line.year for line in lines),
            "combined_notes": combined_notes(line.year for line in lines),
            "has_estimates": any(line.year and line.year.is_estimate for line in lines),
        },
    )


def tree_lines(tree: list[TreeRow]) -> Iterator[Line]:
    """This function will return the tree in order; each remainder follows the parts it belongs to."""
    open_rows: list[TreeRow] = []
    for row in tree:
        while open_rows and open_rows[-1].depth >= row.depth:
            yield from _remainder_line(open_rows.pop())
        yield _program_line(row)
        open_rows.append(row)
    while open_rows:
        yield from _remainder_line(open_rows.pop())


def _program_line(row: TreeRow) -> Line:
    year = printed_year(row.lines)
    return Line(
        row.program,
        row.depth,
        year.initial.amount_yen if year.initial else None,
        year.previous.amount_yen if year.previous else None,
        year.supplementary.amount_yen if year.supplementary else None,
        year.unit,
        year,
        row.project_count,
    )


def _remainder_line(row: TreeRow) -> Iterator[Line]:
    if rest := printed_remainder(row.lines, row.remainders):
        yield Line(None, row.depth + 1, rest.initial, rest.previous, rest.supplementary, "million")


def table_years(lines: list[Line]) -> dict[str, str]:
    """This function will name the fiscal years of the three money columns, as long as all lines agree."""
    found: dict[str, set[int]] = {"initial": set(), "previous": set(), "supplementary": set()}
    for line in lines:
        for column, years in found.items():
            if line.year and (figure := getattr(line.year, column)):
                years.add(figure.fiscal_year)
    return {
        column: year_label(next(iter(years)), language()) if len(years) == 1 else "" for column, years in found.items()
    }


def _charts(tree: list[TreeRow]) -> list[tuple[Program, Chart]]:
    """One picture a parent: its own figures on one scale with those of its parts."""
    charts = []
    for row in tree:
        parts = [other.program for other in tree if other.program.parent_id == row.program.pk]
        if parts and (chart := budget_chart(parts)):
            charts.append((row.program, chart))
    return charts


def _export(request: HttpRequest, lines: list[Line], wanted: str) -> HttpResponseBase:
    head = [
        _("Program"), _("Reference"), _("Part of"), _("Kind"),
        _("Initial budget (printed)"), _("Previous year (printed)"), _("Supplementary budget (printed)"),
        _("Initial budget (yen)"), _("Previous year (yen)"), _("Supplementary budget (yen)"),
        _("Includes estimates"), _("Projects"),
    ]  # fmt: skip
    name = f"portfolio_{localdate(clock(request)):%Y%m%d}"
    if wanted == "csv":
        content = csv_rows(head, map(_cells, lines))
        return as_download(StreamingHttpResponse(content, content_type="text/csv; charset=utf-8"), f"{name}.csv")
    if wanted == "xlsx":
        file = workbook("portfolio", head, map(_cells, lines))
        return as_download(FileResponse(file, content_type=XLSX), f"{name}.xlsx")
    raise BadQuery(_("Choose CSV or XLSX."))


def _cells(line: Line) -> list[Cell]:
    program = line.program
    parent = program.path.rstrip("/").split("/")[-2:-1] if program else []
    return [
        line.name,
        program.ref if program else None,
        parent[0] if parent else None,
        str(program.get_kind_display()) if program else None,
        printed(line.initial, line.unit, language()) if line.initial is not None else None,
        _previous_words(line),
        printed(line.supplementary, line.unit, language()) if line.supplementary is not None else None,
        line.initial,
        line.previous,
        line.supplementary,
        _("yes") if line.year and line.year.is_estimate else None,
        line.project_count,
    ]


def _previous_words(line: Line) -> str | None:
    if line.year and line.year.is_new:
        return _("new")
    return printed(line.previous, line.unit, language()) if line.previous is not None else None


@page(
    permission="portfolio.export",
    may=lambda user, _found: may_see_portfolio(user),
    why=gettext_lazy("The portfolio is for ministry staff, program directors and officers, and auditors."),
)
def portfolio_brief(request: HttpRequest) -> HttpResponseBase:
    """This function will hand out the portfolio brief as PDF: one page a program that the reader may see."""
    on = localdate(clock(request))
    content = portfolio_brief_pdf(request.user, on=on, language=language())
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Security-Policy"] = "sandbox"
    return as_download(response, f"portfolio_brief_{on:%Y%m%d}.pdf")
