"""Money side by side: a project's tab, and the pages of an area's and a program's money with their allocations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from common.errors import NotAllowed, Refused
from common.fiscal_year import fiscal_year_of
from common.fiscal_year import label as year_label
from portal.access import BadQuery, clock, page
from portal.forms.money import OpenAllocationForm, OpenFundForm
from portal.lists import as_download, csv_rows
from portal.projects import find_project, show_tab
from programs import queries
from programs.actions.allocations import node_for, open_allocation, open_fund
from programs.drawings import language, money_chart
from programs.models import FundNode, Program, Project, ResearchArea
from programs.queries.allocations import allocations_of, given_lines, node_label, nodes_of
from programs.queries.contracts import contracts_of, statements_of
from programs.queries.money import (
    FundSheet,
    Money,
    ProjectMoneySheet,
    fund_sheets,
    funding_agencies,
    money_of,
    project_money_sheet,
)
from programs.rules.allocations import splits_owner
from programs.rules.contracts import funding_rule, money_rights, parts_stated_by
from programs.rules.scope import scope_of

BOTH = ("GET", "HEAD", "POST")


def columns() -> list[tuple[str, str]]:
    """This function will name the columns that stand side by side, by the field of `Money`."""
    return [
        ("planned_yen", _("Plan (ceiling)")),
        ("allocated_yen", _("Allocated")),
        ("contracted_yen", _("Contracted")),
        ("carried_in_yen", _("Carried in")),
        ("spent_yen", _("Spent")),
        ("carried_over_yen", _("Carried over")),
        ("left_yen", _("Left")),
    ]


def cells(money: Money) -> list[tuple[str, int | None]]:
    """This function will return each column's name and yen."""
    return [(label, getattr(money, name)) for name, label in columns()]


# A project ------------------------------------------------------------------------------------------------------------


@page(permission="project.view", find=find_project, params=("year", "format"), methods=BOTH)
def project_money_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show a project's money by year, and one year by institution and by cost category."""
    rights = money_rights(request.user, project)
    sheet = project_money_sheet(project, rights.parts)
    years = sheet.years
    today = localdate(clock(request))
    if request.GET.get("format") == "csv":
        return _project_csv(project, sheet)
    chosen = _chosen_year(request, [one.fiscal_year for one in years], fiscal_year_of(today))
    form = _open_form(request, project, today, splits=rights.may_split)
    if request.method == "POST" and (answer := _opened(request, form)):
        return answer
    year = next((one for one in years if one.fiscal_year == chosen), None)
    context = {
        "years": [(one.fiscal_year, cells(one.money)) for one in years],
        "columns": [label for _name, label in columns()],
        "chosen": chosen,
        "chart": money_chart(year) if year else None,
        "institutions": [(one, cells(money)) for one, money in sheet.institutions(chosen)],
        "categories": [(one, cells(money)) for one, money in sheet.by_category(chosen)],
        "contracts": list(contracts_of(request.user, project, rights)),
        "statements": list(statements_of(project, rights)[:50]),
        "allocations": list(allocations_of(request.user, project).prefetch_related(None)[:20]),
        "stated_parts": parts_stated_by(request.user, project),
        "may_contract": rights.may_contract,
        "rule": funding_rule(project.program, chosen),
        "form": form,
    }
    return show_tab(request, project, "project_money", context)


def _chosen_year(request: HttpRequest, known: list[int], now: int) -> int:
    asked = request.GET.get("year", "")
    if asked and not (asked.isascii() and asked.isdecimal() and len(asked) == 4):
        raise BadQuery(_("Choose a fiscal year from the list."))
    if asked:
        return int(asked)
    return now if now in known or not known else known[0]


def _project_csv(project: Project, sheet: ProjectMoneySheet) -> HttpResponseBase:
    head = [
        _("Fiscal year"),
        _("Institution"),
        _("Cost category"),
        *(f"{label} ({_('yen')})" for _n, label in columns()),
    ]

    def rows() -> Iterator[list[Any]]:
        for year in sheet.years:
            name = year_label(year.fiscal_year, language())
            yield [
                name,
                _("whole project") if sheet.parts is None else "",
                "",
                *(yen for _label, yen in cells(year.money)),
            ]
            for organization, money in sheet.institutions(year.fiscal_year):
                yield [name, organization.name, "", *(yen for _label, yen in cells(money))]
                for category, part in sheet.by_category(year.fiscal_year, organization.pk):
                    yield [name, organization.name, category.name, *(yen for _label, yen in cells(part))]

    response = StreamingHttpResponse(csv_rows(head, rows()), content_type="text/csv; charset=utf-8")
    return as_download(response, f"money-{project.ref}.csv")


# Opening an allocation ------------------------------------------------------------------------------------------------


def _open_form(
    request: HttpRequest,
    owner: Project | ResearchArea | Program,
    today: Any,
    *,
    splits: bool,
    funds: Sequence[FundNode] = (),
) -> OpenAllocationForm | None:
    sources = []
    if splits:
        sources.append(("", _("the whole") if not isinstance(owner, Program) else owner.name))
    sources += [(str(fund.pk), node_label(fund)) for fund in funds]
    if not sources:
        return None
    now = fiscal_year_of(today)
    posted = request.POST if request.method == "POST" and "agency" not in request.POST else None
    form = OpenAllocationForm(sources, [now - 1, now, now + 1], data=posted)
    form.fields["source"].required = False
    form.owner = owner  # type: ignore[attr-defined]
    return form


def _opened(request: HttpRequest, form: OpenAllocationForm | None) -> HttpResponseBase | None:
    if form is None:
        raise NotAllowed(_("You do not split this money."))
    if not form.is_valid():
        return None
    chosen, owner = form.cleaned_data["source"], form.owner  # type: ignore[attr-defined]
    node = nodes_of(owner).get(pk=chosen) if chosen else node_for(owner)
    try:
        made = open_allocation(
            node,
            int(form.cleaned_data["fiscal_year"]),
            by=request.user,
            at=clock(request),  # type: ignore[arg-type]
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return None
    messages.success(request, _("The allocation is open. Enter the amounts."))
    return redirect("allocation", ref=made.ref)


# Areas and programs ---------------------------------------------------------------------------------------------------


@page(
    permission="area.view",
    find=lambda user, ref: queries.areas_visible_to(user).filter(ref=ref).select_related("program"),
    params=("format",),
    methods=BOTH,
)
def area_money(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will show an area's money by year, and its allocations."""
    return _owner_page(request, area)


@page(
    permission="program.view",
    find=lambda user, ref: queries.programs_visible_to(user).filter(ref=ref),
    params=("format",),
    methods=BOTH,
)
def program_money(request: HttpRequest, program: Program) -> HttpResponseBase:
    """This function will show a program's money by year, its allocations and its funds."""
    return _owner_page(request, program)


def _owner_page(request: HttpRequest, owner: ResearchArea | Program) -> HttpResponseBase:
    today = localdate(clock(request))
    years = money_of(request.user, owner)
    if request.GET.get("format") == "csv":
        return _owner_csv(owner, years)
    is_program = isinstance(owner, Program)
    splits = splits_owner(request.user, owner)
    funds = fund_sheets(request.user, owner) if isinstance(owner, Program) else []
    own = [one.fund for one in funds if one.fund.organization_id in scope_of(request.user).agencies]
    fund_form = _fund_form(request, owner, funds) if isinstance(owner, Program) and splits else None
    form = _open_form(request, owner, today, splits=splits, funds=own)
    if request.method == "POST":
        answer = _fund_opened(request, owner, fund_form) if "agency" in request.POST else _opened(request, form)
        if answer:
            return answer
    context = {
        "owner": owner,
        "is_program": is_program,
        "years": [(one.fiscal_year, one.given_yen, cells(one.projects)) for one in years],
        "columns": [label for _name, label in columns()],
        "lines": given_lines(owner.pk) if isinstance(owner, Program) else [],
        "allocations": list(allocations_of(request.user, owner)[:50]),
        "funds": funds,
        "form": form,
        "fund_form": fund_form,
        "is_sample": owner.is_sample,
    }
    refused = any(one is not None and one.errors for one in (form, fund_form))
    return render(request, "portal/money/page.html", context, status=422 if refused else 200)


def _fund_form(request: HttpRequest, program: Program, funds: Sequence[FundSheet]) -> OpenFundForm | None:
    agencies = funding_agencies(program, funds)
    if not agencies:
        return None
    return OpenFundForm(agencies, data=request.POST if "agency" in request.POST else None)


def _fund_opened(request: HttpRequest, program: Any, form: OpenFundForm | None) -> HttpResponseBase | None:
    if form is None:
        raise NotAllowed(_("The program's ministry staff open its funds."))
    if not form.is_valid():
        return None
    try:
        open_fund(program, form.cleaned_data["agency"], by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return None
    messages.success(request, _("The fund is open. Give it its tranche by an allocation of the program's money."))
    return redirect(reverse("program_money", args=[program.ref]))


def _owner_csv(owner: ResearchArea | Program, years: list[Any]) -> HttpResponseBase:
    head = [_("Fiscal year"), f"{_('Given')} ({_('yen')})", *(f"{label} ({_('yen')})" for _name, label in columns())]
    rows = (
        [year_label(one.fiscal_year, language()), one.given_yen, *(yen for _label, yen in cells(one.projects))]
        for one in years
    )
    response = StreamingHttpResponse(csv_rows(head, rows), content_type="text/csv; charset=utf-8")
    return as_download(response, f"money-{owner.ref}.csv")
