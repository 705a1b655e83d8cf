"""Contracts of a project: drafted, written, proposed, concluded, changed; with their subcontracts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused, StaleEdit
from common.fiscal_year import date_text, fiscal_year_of
from common.fiscal_year import label as year_label
from common.money import yen
from portal.access import BadQuery, clock, page
from portal.acts import Act, ask_once
from portal.forms.money import Amount, CommentForm, ConcludeForm, ContractForm, read_amounts
from portal.projects import find_project
from programs.actions import contracts as actions
from programs.drawings import language
from programs.models import Contract, Project
from programs.queries import project_label
from programs.queries.contracts import (
    agencies_of,
    contract_cells,
    contracts_visible_to,
    cost_categories,
    institutions_to_contract,
    prime_contracts,
)
from programs.rules.contracts import contract_actions, may_contract

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This step is not open to you in the contract's present state. Its page says who acts next.")
NOT_YOURS = gettext_lazy("Contracts are drafted by the program's ministry staff and the agency that runs it.")
#: (year, its amounts by category)
Grid = list[tuple[int, list[Amount]]]


def find_contract(user: Any, ref: str) -> Any:
    """This function will return the contract with this reference, if the reader may see it."""
    return contracts_visible_to(user).filter(ref=ref)


def _may(act: str) -> Any:
    return lambda user, contract: f"contract.{act}" in contract_actions(user, contract)


# Opening --------------------------------------------------------------------------------------------------------------


@page(permission="contract.open", find=find_project, may=may_contract, why=NOT_YOURS, methods=BOTH)
def contract_new(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will open a contract or a subcontract with an institution of the project."""
    year = fiscal_year_of(localdate(clock(request)))
    form = ContractForm(
        institutions=institutions_to_contract(project),
        primes=prime_contracts(project),
        agencies=agencies_of(project.program),
        data=request.POST if request.method == "POST" else None,
        initial={"starts_on": f"{year}-04-01", "ends_on": f"{year + 1}-03-31"},
    )
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            made = actions.open_contract(
                project, organization=typed["organization"], prime=typed.get("prime"), party=typed["party"],
                head=form.head, by=request.user, at=clock(request),  # type: ignore[arg-type]
            )  # fmt: skip
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The contract is open. Enter its amounts."))
            return redirect("contract", ref=made.ref)
    context = {"project": project, "label": project_label(project), "form": form, "is_sample": project.is_sample}
    return render(request, "portal/contracts/new.html", context, status=422 if form.errors else 200)


# One contract ---------------------------------------------------------------------------------------------------------


@page(permission="contract.view", find=find_contract, methods=BOTH)
def contract_page(request: HttpRequest, contract: Contract) -> HttpResponseBase:
    """This function will show a contract; who drafts it writes its head and amounts here."""
    allowed = contract_actions(request.user, contract)
    may_edit = "contract.edit" in allowed
    if request.method == "POST" and not may_edit:
        raise NotAllowed(NOT_NOW)
    grid = _grid(contract)
    form = ContractForm(data=request.POST if request.method == "POST" else None, initial=_initial(contract))
    error, status = "", 200
    if request.method == "POST":
        understood = read_amounts((one for _year, row in grid for one in row), request.POST)
        if understood and form.is_valid():
            answer, error = _saved(request, contract, grid, form)
            if answer is not None:
                return answer
        status = 409 if error else 422
    context = {
        "contract": contract,
        "project": contract.project,
        "label": project_label(contract.project),
        "allowed": {act.removeprefix("contract.") for act in allowed},
        "form": form if may_edit else None,
        "grid": [(year, row, sum(one.yen for one in row)) for year, row in grid],
        "categories": [one.label for one in grid[0][1]] if grid else [],
        "total_yen": sum(one.yen for _year, row in grid for one in row),
        "errors": [(year, one) for year, row in grid for one in row if one.error],
        "error": error,
        "blockers": actions.blockers_of(contract, _cells(grid)) if may_edit and status == 200 else [],
        "waits_for": _waits_for(contract),
        "is_sample": contract.is_sample,
    }
    return render(request, "portal/contracts/page.html", context, status=status)


def _initial(contract: Contract) -> dict[str, Any]:
    flag = {True: "yes", False: "no", None: ""}[contract.tax_included]
    return {**{name: getattr(contract, name) for name in actions.HEAD}, "tax_included": flag}


def _grid(contract: Contract) -> Grid:
    saved, categories = contract_cells(contract), cost_categories()
    inside = range(fiscal_year_of(contract.starts_on), fiscal_year_of(contract.ends_on) + 1)
    years = sorted({*inside, *(year for year, _category in saved)})
    return [
        (year, [Amount.of(f"yen-{year}-{one.pk}", one.name, saved.get((year, one.pk), 0)) for one in categories])
        for year in years
    ]


def _cells(grid: Grid) -> dict[tuple[int, int], int]:
    return {(year, int(one.name.rpartition("-")[2])): one.yen for year, row in grid for one in row}


def _saved(
    request: HttpRequest, contract: Contract, grid: Grid, form: ContractForm
) -> tuple[HttpResponseBase | None, str]:
    seen = request.POST.get("revision", "")
    if not (seen.isascii() and seen.isdecimal() and len(seen) < 9):
        raise BadQuery(_("The form is incomplete. Open the page again."))
    try:
        actions.save_contract(
            contract,
            head=form.head,
            cells=_cells(grid),
            revision=int(seen),
            by=request.user,
            at=clock(request),  # type: ignore[arg-type]
        )
    except StaleEdit as stale:
        for year, row in grid:
            for one in row:
                now = stale.current["cells"].get((year, int(one.name.rpartition("-")[2])), 0)
                if now != one.yen:
                    one.error = _("saved by somebody else: %(now)s") % {"now": yen(now, language())}
        return None, str(stale.message)
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return None, ""
    messages.success(request, _("The contract is saved."))
    return redirect("contract", ref=contract.ref), ""


def _waits_for(contract: Contract) -> str:
    if contract.state in (Contract.State.DRAFTING, Contract.State.RETURNED):
        return _("The contracting party writes and proposes it.")
    if contract.state == Contract.State.PROPOSED:
        return _("Another person of the contracting party than %(name)s concludes it.") % {"name": contract.proposed_by}
    return ""


# Acts -----------------------------------------------------------------------------------------------------------------


def _act(contract: Contract, **words: Any) -> Act:
    url = reverse("contract", args=[contract.ref])
    trail = [
        (reverse("project_money", args=[contract.project.ref]), project_label(contract.project)),
        (url, contract.ref),
    ]
    return Act(home=url, trail=trail, **words)


def _figures(contract: Contract) -> list[str]:
    """Whom the contract is with, and its yen by year."""
    by_year: dict[int, int] = {}
    for (year, _category), amount in contract_cells(contract).items():
        by_year[year] = by_year.get(year, 0) + amount
    period = {
        "institution": contract.organization.name,
        "first": date_text(contract.starts_on, language()),
        "last": date_text(contract.ends_on, language()),
    }
    return [
        _("With %(institution)s, from %(first)s to %(last)s") % period,
        *(f"{year_label(year, language())}: {yen(by_year[year], language())}" for year in sorted(by_year)),
    ]


@page(permission="contract.propose", find=find_contract, may=_may("propose"), why=NOT_NOW, methods=BOTH)
def contract_propose(request: HttpRequest, contract: Contract) -> HttpResponseBase:
    """This function will ask once, then hand the contract in to be concluded."""
    act = _act(
        contract,
        heading=_("Propose this contract?"),
        button=_("Propose the contract"),
        done=_("The contract is proposed. Another person of the contracting party concludes it."),
        effects=[*_figures(contract), _("Nobody can write in it until it comes back.")],
        blockers=actions.blockers_of(contract),
    )
    return ask_once(request, contract, actions.propose_contract, act)


@page(permission="contract.conclude", find=find_contract, may=_may("conclude"), why=NOT_NOW, methods=BOTH)
def contract_conclude(request: HttpRequest, contract: Contract) -> HttpResponseBase:
    """This function will ask for the day, then put the contract in force."""
    effects = [*_figures(contract), _("It can no longer be changed; a change is a new contract in its place.")]
    if contract.replaces is not None:
        effects.append(_("It takes the place of %(ref)s.") % {"ref": contract.replaces.ref})
    act = _act(
        contract,
        heading=_("Conclude this contract?"),
        button=_("Conclude the contract"),
        done=_("The contract is concluded. The project's team, director and officer are told."),
        effects=effects,
        blockers=actions.blockers_of(contract),
    )
    form = ConcludeForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, contract, actions.conclude_contract, act, form=form)


@page(permission="contract.return", find=find_contract, may=_may("return"), why=NOT_NOW, methods=BOTH)
def contract_return(request: HttpRequest, contract: Contract) -> HttpResponseBase:
    """This function will ask what to change, then give the contract back."""
    act = _act(
        contract,
        heading=_("Return this contract?"),
        button=_("Return the contract"),
        done=_("The contract was returned. Its drafter is told."),
        effects=[_("Its drafter writes on and proposes it again.")],
    )
    form = CommentForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, contract, actions.return_contract, act, form=form)


@page(permission="contract.withdraw", find=find_contract, may=_may("withdraw"), why=NOT_NOW, methods=BOTH)
def contract_withdraw(request: HttpRequest, contract: Contract) -> HttpResponseBase:
    """This function will ask once, then take the open contract back."""
    act = _act(
        contract,
        heading=_("Withdraw this contract?"),
        button=_("Withdraw the contract"),
        done=_("The contract was withdrawn."),
        effects=[_("What was in force before stays so. This cannot be undone; a new contract can be drafted.")],
        is_danger=True,
    )
    return ask_once(request, contract, actions.withdraw_contract, act)


@page(permission="contract.change", find=find_contract, may=_may("change"), why=NOT_NOW, methods=BOTH)
def contract_change(request: HttpRequest, contract: Contract) -> HttpResponseBase:
    """This function will ask once, then open the contract that is to take this one's place."""
    act = _act(
        contract,
        heading=_("Draft a change of this contract?"),
        button=_("Draft the change"),
        done=_("The change is open. Enter what is to be different."),
        effects=[
            _("A copy opens to be written on. This contract stays in force until the change is concluded."),
            *_figures(contract),
        ],
    )
    return ask_once(
        request, contract, actions.change_contract, act, to=lambda made: reverse("contract", args=[made.ref])
    )
