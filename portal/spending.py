"""The form in which an institution's office or accountant states what was spent in a fiscal year."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from common.errors import NotAllowed, Refused
from common.fiscal_year import fiscal_year_of
from portal.access import BadQuery, clock, not_found, page
from portal.forms.money import Amount, SpendingForm, read_amounts
from portal.projects import find_project
from programs.actions.spending import state_spending
from programs.models import Project
from programs.queries import project_label
from programs.queries.contracts import cost_categories, granted, newest_lines, parts_to_state
from programs.rules.contracts import parts_stated_by

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("The institution's office and accountant state its spending.")
#: A cost category with its granted yen, and the two amounts to write: spent, carried over.
Row = tuple[int, str, int, Amount, Amount]


@page(
    permission="spending.state", find=find_project,
    may=lambda user, project: bool(parts_stated_by(user, project)), why=NOT_YOURS,
    params=("institution", "year"), methods=BOTH,
)  # fmt: skip
def spending(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will take a statement of what the own institution spent in a fiscal year."""
    mine = parts_to_state(request.user, project)
    asked = request.GET.get("institution") or mine[0].ref
    chosen = next((one for one in mine if one.ref == asked), None)
    if chosen is None:
        return not_found(request)
    now = fiscal_year_of(localdate(clock(request)))
    year = _year(request, now)
    rows = _rows(project, chosen, year)
    form = SpendingForm(data=request.POST if request.method == "POST" else None)
    if request.method == "POST":
        understood = read_amounts((one for row in rows for one in row[3:]), request.POST)  # type: ignore[misc]
        if form.is_valid() and understood and _stated(request, project, chosen, year, rows, form):
            return redirect("project_money", ref=project.ref)
    context = {
        "project": project,
        "label": project_label(project),
        "institutions": mine,
        "chosen": chosen,
        "year": year,
        "years": [now - 1, now],
        "rows": rows,
        "sums": [sum(row[2] for row in rows), sum(row[3].yen for row in rows), sum(row[4].yen for row in rows)],
        "errors": [one for row in rows for one in row[3:] if one.error],  # type: ignore[attr-defined]
        "form": form,
        "is_sample": project.is_sample,
    }
    return render(request, "portal/money/spending.html", context, status=422 if request.method == "POST" else 200)


def _year(request: HttpRequest, now: int) -> int:
    asked = request.GET.get("year", "")
    if not asked:
        return now
    if asked not in (str(now - 1), str(now)):
        raise BadQuery(_("Choose a fiscal year from the list."))
    return int(asked)


def _rows(project: Project, organization: Organization, year: int) -> list[Row]:
    had, before = granted(project, organization, year), newest_lines(project, organization, year)
    rows: list[Row] = []
    for one in cost_categories():
        spent, carried = before.get(one.pk, (0, 0))
        rows.append(
            (
                one.pk,
                one.name,
                had.by_category.get(one.pk, 0) + had.carried_in.get(one.pk, 0),
                Amount.of(f"spent-{one.pk}", f"{one.name}: {_('Spent')}", spent),
                Amount.of(f"carried-{one.pk}", f"{one.name}: {_('Carried over')}", carried),
            )
        )
    return rows


def _stated(
    request: HttpRequest, project: Project, organization: Organization, year: int, rows: list[Row], form: SpendingForm
) -> bool:
    typed: dict[str, Any] = form.cleaned_data
    try:
        state_spending(
            project,
            organization,
            fiscal_year=year,
            lines={category: (spent.yen, carried.yen) for category, _name, _granted, spent, carried in rows},
            **typed,
            by=request.user,  # type: ignore[arg-type]
            at=clock(request),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return False
    messages.success(request, _("The statement is on record."))
    return True
