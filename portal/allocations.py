"""Allocations (配分): the list, one allocation with its table to read or to write with live sums, and its acts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.errors import NotAllowed, Refused, StaleEdit
from common.fiscal_year import label as year_label
from common.money import split, yen
from portal.access import BadQuery, clock, page
from portal.acts import Act, ask_once
from portal.forms.money import AllocationTextForm, Amount, ApproveAllocationForm, CommentForm, read_amounts
from portal.journal import readable
from portal.lists import Column, Filter, ListSpec, as_download, csv_rows, export, read_list
from programs.actions import allocations as actions
from programs.drawings import language
from programs.models import Allocation, FundNode
from programs.queries.allocations import (
    AllocationSheet,
    SplitRow,
    allocation_sheet,
    allocation_years,
    allocations_visible_to,
    node_label,
)
from programs.rules.allocations import allocation_actions, may_see_allocations

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This step is not open to you in the allocation's present state. Its page says who acts next.")
NOT_YOURS = gettext_lazy("Allocations are for directors and officers, the ministry, its agencies and auditors.")

ALLOCATIONS = ListSpec(
    name="allocations",
    rows=lambda user, query: allocations_visible_to(user).filter(Q(ref__icontains=query) if query else Q()),
    columns=(
        Column(
            "ref", gettext_lazy("Reference"), lambda one: one.ref, order="ref", is_fixed=True,
            link=lambda one: reverse("allocation", args=[one.ref]),
        ),
        Column("source", gettext_lazy("Money of"), lambda one: node_label(one.source)),
        Column(
            "year", gettext_lazy("Fiscal year"), lambda one: year_label(one.fiscal_year, language()),
            order="fiscal_year",
        ),
        Column("number", gettext_lazy("Version"), lambda one: one.number, order="number", is_number=True),
        Column("total", gettext_lazy("Total (yen)"), lambda one: one.total_yen, order="total_yen", is_number=True),
        Column(
            "state", gettext_lazy("State"), lambda one: str(one.get_state_display()), order="state",
            pill=lambda one: one.state,
        ),
    ),
    filters=(
        Filter(
            "state", gettext_lazy("State"), lambda state: Q(state=state),
            lambda user: [(state, str(label)) for state, label in Allocation.State.choices],
        ),
        Filter(
            "year", gettext_lazy("Fiscal year"), lambda year: Q(fiscal_year=int(year)),
            lambda user: [(str(year), year_label(year, language())) for year in allocation_years(user)],
        ),
    ),
    first_sort="-year",
)  # fmt: skip


@page(
    permission="allocation.list", params=ALLOCATIONS.params, may=lambda user, _none: may_see_allocations(user),
    why=NOT_YOURS,
)  # fmt: skip
def allocations_page(request: HttpRequest) -> HttpResponseBase:
    """This function will list the allocations that the reader may see, or hand the same view out as a file."""
    view = read_list(request, ALLOCATIONS)
    if download := export(view):
        return download
    sample = any(one.is_sample for one in view.items)
    return render(request, "portal/allocations/list.html", {"list": view, "is_sample": sample})


def find_allocation(user: Any, ref: str) -> Any:
    """This function will return the allocation with this reference, if the reader may see it."""
    return allocations_visible_to(user).filter(ref=ref)


# One allocation -------------------------------------------------------------------------------------------------------


@page(permission="allocation.view", find=find_allocation, params=("format",), methods=BOTH)
def allocation_page(request: HttpRequest, allocation: Allocation) -> HttpResponseBase:
    """This function will show one allocation, take amounts from who writes it, or hand the table out as CSV."""
    allowed = allocation_actions(request.user, allocation)
    sheet = allocation_sheet(allocation)
    if request.GET.get("format") == "csv":
        return _csv(sheet)
    may_edit = "allocation.edit" in allowed
    if request.method == "POST" and not may_edit:
        raise NotAllowed(NOT_NOW)
    rows = [(row, _amount(row)) for row in sheet.rows]
    form = AllocationTextForm(
        data=request.POST if request.method == "POST" else None,
        initial={"reason": allocation.reason, "note": allocation.note},
    )
    status, error = 200, ""
    if request.method == "POST":
        answer, error = _written(request, sheet, rows, form)
        if answer is not None:
            return answer
        status = 409 if error else 200 if "fill" in request.POST else 422
    return _show(request, sheet, rows, form, allowed, error, status)


def _amount(row: SplitRow) -> Amount:
    kind, pk = row.target.key
    return Amount.of(f"yen-{kind}-{pk}", row.target.name, row.yen)


def _written(
    request: HttpRequest, sheet: AllocationSheet, rows: list[tuple[SplitRow, Amount]], form: AllocationTextForm
) -> tuple[HttpResponseBase | None, str]:
    """Fill in a proposal without saving, or save; the answer, or what keeps it from being saved."""
    understood = read_amounts((amount for _row, amount in rows), request.POST)
    if "fill" in request.POST:
        _fill(request.POST["fill"], sheet, rows)
        return None, ""
    if not (understood and form.is_valid()):
        return None, ""
    seen = request.POST.get("revision", "")
    if not (seen.isascii() and seen.isdecimal() and len(seen) < 9):
        raise BadQuery(_("The form is incomplete. Open the page again."))
    try:
        actions.save_allocation(
            sheet.allocation,
            amounts={row.target.key: amount.yen for row, amount in rows},
            **form.cleaned_data,
            revision=int(seen),
            by=request.user,  # type: ignore[arg-type]
            at=clock(request),
        )
    except StaleEdit as stale:
        for row, amount in rows:
            if stale.current.get(row.target.key, 0) != amount.yen:
                now = yen(stale.current.get(row.target.key, 0), language())
                amount.error = _("saved by somebody else: %(now)s") % {"now": now}
        return None, str(stale.message)
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return None, ""
    messages.success(request, _("The split is saved."))
    return redirect("allocation", ref=sheet.allocation.ref), ""


def _fill(how: str, sheet: AllocationSheet, rows: list[tuple[SplitRow, Amount]]) -> None:
    """Put a proposal into the fields: as planned, as last year, or the whole money by the amounts that stand there."""
    amounts = [amount for _row, amount in rows]
    if how == "planned":
        for row, amount in rows:
            amount.put(row.planned_yen or 0)
    elif how == "before":
        for row, amount in rows:
            amount.put(row.before_yen or 0)
    elif how == "proportional" and sum(amount.yen for amount in amounts) > 0 and all(a.yen >= 0 for a in amounts):
        parts = split(max(sheet.available_yen, 0), [amount.yen for amount in amounts])
        for amount, part in zip(amounts, parts, strict=True):
            amount.put(part)


def _show(
    request: HttpRequest, sheet: AllocationSheet, rows: list[tuple[SplitRow, Amount]], form: AllocationTextForm,
    allowed: set[str], error: str, status: int,
) -> HttpResponseBase:  # fmt: skip
    allocation = sheet.allocation
    total = sum(amount.yen for _row, amount in rows)
    context = {
        "allocation": allocation,
        "sheet": sheet,
        "rows": rows,
        "total_yen": total,
        "left_yen": sheet.available_yen - total,
        "name": node_label(allocation.source),
        "money_url": money_url(allocation),
        "allowed": {act.removeprefix("allocation.") for act in allowed},
        "form": form if "allocation.edit" in allowed else None,
        "blockers": actions.blockers_of(sheet) if "allocation.edit" in allowed and status == 200 else [],
        "errors": [amount for _row, amount in rows if amount.error],
        "error": error,
        "is_unsaved": "fill" in request.POST,
        "waits_for": _waits_for(allocation),
        "entries": readable(history_of(allocation)[:100]),
        "is_sample": allocation.is_sample,
    }
    return render(request, "portal/allocations/page.html", context, status=status)


def money_url(allocation: Allocation) -> str:
    """This function will return the address of the page on which the source's money stands."""
    node = allocation.source
    if node.kind == FundNode.Kind.AREA and node.area:
        return reverse("area_money", args=[node.area.ref])
    if node.kind == FundNode.Kind.PROJECT and node.project:
        return reverse("project_money", args=[node.project.ref])
    return reverse("program_money", args=[node.program.ref if node.program else ""])


def _waits_for(allocation: Allocation) -> str:
    if allocation.state in (Allocation.State.DRAFTING, Allocation.State.RETURNED):
        return _("Whoever splits this money writes and proposes it.")
    if allocation.state == Allocation.State.PROPOSED:
        return _("The ministry or the agency decides; not %(name)s, who proposed it.") % {
            "name": allocation.proposed_by
        }
    return ""


def _csv(sheet: AllocationSheet) -> HttpResponseBase:
    unit = _("yen")
    head = [
        _("Reference"), _("Name"), f"{_('As planned')} ({unit})", f"{_('Year before')} ({unit})", f"{_('In force')} ({unit})",
        f"{_('This allocation')} ({unit})", f"{_('Passed on')} ({unit})",
    ]  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        for row in sheet.rows:
            ref = getattr(row.target.owner, "ref", "")
            yield [ref, row.target.name, row.planned_yen, row.before_yen, row.in_force_yen, row.yen, row.passed_on_yen]
        yield ["", _("Total"), sheet.planned_yen, sheet.before_yen, sheet.in_force_yen, sheet.total_yen, ""]

    response = StreamingHttpResponse(csv_rows(head, rows()), content_type="text/csv; charset=utf-8")
    return as_download(response, f"{sheet.allocation.ref}.csv")


# Acts -----------------------------------------------------------------------------------------------------------------


def _may(act: str) -> Any:
    return lambda user, allocation: f"allocation.{act}" in allocation_actions(user, allocation)


def _act(allocation: Allocation, **words: Any) -> Act:
    url = reverse("allocation", args=[allocation.ref])
    trail = [(money_url(allocation), node_label(allocation.source)), (url, allocation.ref)]
    return Act(home=url, trail=trail, **words)


def _figures(sheet: AllocationSheet) -> str:
    return _("%(total)s are split over %(count)s; %(left)s of %(available)s are left.") % {
        "total": yen(sheet.total_yen, language()),
        "count": sum(1 for row in sheet.rows if row.yen),
        "left": yen(sheet.left_yen, language()),
        "available": yen(sheet.available_yen, language()),
    }


def _differences(sheet: AllocationSheet) -> list[str]:
    """What changes against what is in force, line by line."""
    words = _("%(name)s: %(before)s becomes %(after)s")
    return [
        words
        % {
            "name": row.target.name,
            "before": yen(row.in_force_yen or 0, language()),
            "after": yen(row.yen, language()),
        }
        for row in sheet.rows
        if (row.in_force_yen or 0) != row.yen
    ]


@page(permission="allocation.propose", find=find_allocation, may=_may("propose"), why=NOT_NOW, methods=BOTH)
def allocation_propose(request: HttpRequest, allocation: Allocation) -> HttpResponseBase:
    """This function will ask once, then hand the split in."""
    sheet = allocation_sheet(allocation)
    act = _act(
        allocation,
        heading=_("Propose this allocation?"),
        button=_("Propose the allocation"),
        done=_("The allocation is proposed. The ministry's staff are told."),
        effects=[_figures(sheet), _("Nobody can write in it until it comes back."), *_differences(sheet)],
        blockers=actions.blockers_of(sheet),
    )
    return ask_once(request, allocation, actions.propose_allocation, act)


@page(permission="allocation.approve", find=find_allocation, may=_may("approve"), why=NOT_NOW, methods=BOTH)
def allocation_approve(request: HttpRequest, allocation: Allocation) -> HttpResponseBase:
    """This function will ask once, then bring the split in force."""
    sheet = allocation_sheet(allocation)
    act = _act(
        allocation,
        heading=_("Approve this allocation?"),
        button=_("Approve the allocation"),
        done=_("The allocation is in force. Its proposer and the projects' directors and officers are told."),
        effects=[
            _figures(sheet),
            _("It takes the place of what is in force for this year and can only be changed by the next version."),
            *_differences(sheet),
        ],
        blockers=actions.blockers_of(sheet),
    )
    form = ApproveAllocationForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, allocation, actions.approve_allocation, act, form=form)


@page(permission="allocation.return", find=find_allocation, may=_may("return"), why=NOT_NOW, methods=BOTH)
def allocation_return(request: HttpRequest, allocation: Allocation) -> HttpResponseBase:
    """This function will ask what to change, then give the split back."""
    act = _act(
        allocation,
        heading=_("Return this allocation?"),
        button=_("Return the allocation"),
        done=_("The allocation was returned. Its proposer is told."),
        effects=[_("Whoever split the money writes on and proposes it again.")],
    )
    form = CommentForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, allocation, actions.return_allocation, act, form=form)


@page(permission="allocation.refuse", find=find_allocation, may=_may("refuse"), why=NOT_NOW, methods=BOTH)
def allocation_refuse(request: HttpRequest, allocation: Allocation) -> HttpResponseBase:
    """This function will ask why, then refuse the split."""
    act = _act(
        allocation,
        heading=_("Refuse this allocation?"),
        button=_("Refuse the allocation"),
        done=_("The allocation was refused. Its proposer is told."),
        effects=[_("What was in force before stays so. This cannot be undone; a new allocation can be opened.")],
        is_danger=True,
    )
    form = CommentForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, allocation, actions.refuse_allocation, act, form=form)


@page(permission="allocation.withdraw", find=find_allocation, may=_may("withdraw"), why=NOT_NOW, methods=BOTH)
def allocation_withdraw(request: HttpRequest, allocation: Allocation) -> HttpResponseBase:
    """This function will ask once, then take the open split back."""
    act = _act(
        allocation,
        heading=_("Withdraw this allocation?"),
        button=_("Withdraw the allocation"),
        done=_("The allocation was withdrawn."),
        effects=[_("What was in force before stays so. This cannot be undone; a new allocation can be opened.")],
        is_danger=True,
    )
    return ask_once(request, allocation, actions.withdraw_allocation, act)
