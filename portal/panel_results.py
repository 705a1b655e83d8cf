"""The results of a panel: first and final scores with spread, raw mean and calibrated rank, and what to mind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evaluations.models import Panel
from evaluations.queries.panel_results import PanelResults, may_see_results, panel_results, panels_visible_to
from evaluations.rules.score_sheets import must_give_reason
from portal.access import BadQuery, page
from portal.lists import Cell, as_download, csv_rows
from portal.rounds import subject_name

NOT_YET = gettext_lazy(
    "The results open to the chair from the first close of the scores, to the panel, directors and officers from the "
    "final close."
)
#: Why no calibrated rank stands in the table.
REASONS = {
    "no_scores": gettext_lazy("No sheet is in yet."),
    "too_few_cases": gettext_lazy("Readers of different leniency can be compared over three cases or more."),
    "too_few_readers": gettext_lazy("Only one reader has scored: leniency and quality cannot be told apart."),
    "single_readers": gettext_lazy("No case has two readers: leniency and quality cannot be told apart."),
    "too_few_scores": gettext_lazy("There are too few scores to tell leniency and quality apart."),
    "all_equal": gettext_lazy("All totals are equal: there is nothing to rank."),
}
HEAD = (
    gettext_lazy("Case"), gettext_lazy("Reference"), gettext_lazy("Sheets in"), gettext_lazy("Readers"),
    gettext_lazy("First mean"), gettext_lazy("Mean of the totals"), gettext_lazy("Lowest"), gettext_lazy("Highest"),
    gettext_lazy("Standard deviation"), gettext_lazy("Grade by the legend"), gettext_lazy("Rank by the mean"),
    gettext_lazy("Calibrated rank"), gettext_lazy("Rank (interval of 90%)"),
)  # fmt: skip


def find_panel(user: Any, ref: str) -> Any:
    """This function will return the panel with this reference, if the reader may see its round."""
    return panels_visible_to(user).filter(ref=ref)


def _opens(user: Any, panel: Panel) -> bool:
    return may_see_results(user, panel) or must_give_reason(user, panel.round)


@page(permission="panel_result.view", find=find_panel, may=_opens, why=NOT_YET, params=("format",))
def panel_results_page(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will show the table of the panel's cases, or hand it out as CSV."""
    found = panel_results(request.user, panel)
    wanted = request.GET.get("format")
    if wanted not in (None, "csv"):
        raise BadQuery(_("This table can be saved as CSV only."))
    if wanted:
        response = StreamingHttpResponse(csv_rows(HEAD, _cells(found)), content_type="text/csv; charset=utf-8")
        return as_download(response, f"{panel.ref}_results.csv")
    rows = [(row, subject_name(row.case.gate_review)) for row in found.rows]
    context = {
        "panel": panel,
        "round": panel.round,
        "rows": rows,
        "names": {row.case.ref: name for row, name in rows},
        "found": found,
        "reason": REASONS.get(found.reason, _("The scores cannot be compared.")) if found.reason else "",
        "asks_reason": not rows and must_give_reason(request.user, panel.round),
        "is_sample": panel.is_sample,
    }
    return render(request, "portal/panels/results.html", context)


def _cells(found: PanelResults) -> Iterator[list[Cell]]:
    for row in found.rows:
        first = row.first.total if row.first else None
        total, at = row.final.total if row.final else None, row.standing
        yield [
            subject_name(row.case.gate_review), row.case.ref, row.handed_in, row.readers,
            str(first.mean) if first else None, str(total.mean) if total else None, str(total.lowest) if total else None,
            str(total.highest) if total else None,
            str(total.deviation) if total and total.deviation is not None else None,
            row.final.grade if row.final else None, at.raw_rank if at else None, at.rank if at else None,
            f"{at.ninety[0]} - {at.ninety[1]}" if at else None,
        ]  # fmt: skip
