"""Scenarios of a round: the list, one with its form and figures, two side by side, and what is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.errors import NotAllowed, Refused, StaleEdit
from evaluations import portfolio
from evaluations.actions import scenarios as actions
from evaluations.models import Round, Scenario
from evaluations.queries.scenarios import (
    ScenarioRead,
    first_year,
    first_years,
    read_scenario,
    read_scenarios,
    rounds_to_weigh,
    scenarios_visible_to,
)
from evaluations.rules.scenarios import may_make_scenario, scenario_actions
from portal.access import BadQuery, clock, not_found, page
from portal.acts import Act, ask_once
from portal.forms.scenario import NameForm, NewScenarioForm, ProposalForm, ScenarioForm, outcome_choices
from portal.journal import readable
from portal.lists import as_download, csv_rows
from portal.risks import seen_revision
from portal.scenario_views import (
    ProposalShown,
    compared,
    compared_head,
    compared_lines,
    csv_head,
    csv_lines,
    labels_of,
    proposal_shown,
    results,
)

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("Scenarios are made by the ministry's staff of the program and its directors.")
NOT_NOW = gettext_lazy("Only its owner changes a scenario, while it is a draft. Make a copy to go on from it.")
#: Larger rounds are not worked out while somebody waits.
LARGEST_PROPOSAL = 60
MOST_LISTED = 200


def find_round(user: Any, ref: str) -> Any:
    """This function will return the round with this reference, if its scenarios are the reader's matter."""
    return rounds_to_weigh(user).filter(ref=ref)


def find_scenario(user: Any, ref: str) -> Any:
    """This function will return the scenario with this reference, if the reader may see it."""
    return scenarios_visible_to(user).filter(ref=ref)


def _may(act: str) -> Any:
    return lambda user, scenario: f"scenario.{act}" in scenario_actions(user, scenario)


def _list_url(one: Round) -> str:
    return reverse("scenarios", args=[one.ref])


def _trail(one: Round) -> list[tuple[str, str]]:
    return [
        (reverse("rounds"), _("Evaluation rounds")), (reverse("round", args=[one.ref]), one.name),
        (_list_url(one), _("Scenarios")),
    ]  # fmt: skip


@page(permission="scenario.list", find=find_round, methods=BOTH, may=lambda user, one: True)
def scenarios_page(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will list the scenarios of a round that the reader sees, make one, and choose two to compare."""
    may_make = may_make_scenario(request.user, one)
    if request.method == "POST" and not may_make:
        raise NotAllowed(NOT_YOURS)
    data = request.POST if request.method == "POST" else None
    form = NewScenarioForm(first_years(one), data=data, initial={"from_year": first_year(one)}) if may_make else None
    if data is not None and form is not None and form.is_valid():
        try:
            made = actions.make_scenario(one, **form.cleaned_data, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The scenario is made: everything continues. Set the outcomes and save."))
            return redirect("scenario", ref=made.ref)
    rows = list(scenarios_visible_to(request.user).filter(round=one)[:MOST_LISTED])
    context = {
        "round": one, "trail": _trail(one)[:-1], "form": form, "is_sample": one.is_sample,
        "rows": [row for row in rows if row.state != Scenario.State.ARCHIVED],
        "archived": [row for row in rows if row.state == Scenario.State.ARCHIVED],
        "all": rows,
    }  # fmt: skip
    return render(request, "portal/scenarios/list.html", context, status=422 if data is not None else 200)


# One scenario ---------------------------------------------------------------------------------------------------------


@page(permission="scenario.view", find=find_scenario, params=("format",), methods=BOTH)
def scenario_page(request: HttpRequest, scenario: Scenario) -> HttpResponseBase:
    """This function will show what a scenario comes to; its owner sets outcomes, recalculates, asks for a proposal, saves."""
    allowed = scenario_actions(request.user, scenario)
    if request.method == "POST" and "scenario.edit" not in allowed:
        raise NotAllowed(NOT_NOW)
    read = read_scenario(request.user, scenario)
    if request.GET.get("format") == "csv":
        return _csv(csv_head(), csv_lines(read), f"scenario-{scenario.ref}.csv")
    if "format" in request.GET:
        raise BadQuery(_("Choose “%(label)s” from the options of the list.") % {"label": _("Format")})
    if "scenario.edit" not in allowed:
        return _show(request, read, allowed)
    form = ScenarioForm(read, labels_of(read.reviews), request.POST if request.method == "POST" else None)
    prices = _prices(request, read)
    if request.method != "POST":
        return _show(request, read, allowed, form, prices)
    form.revision = seen_revision(request)
    act = request.POST.get("act", "save")
    if act == "propose":
        return _propose(request, read, allowed, form, prices)
    typed = replace(read, outcomes=form.outcomes(), moves=form.moved())
    if act == "save" and not form.errors:
        return _save(request, typed, allowed, form, prices)
    _say_wrong(form, read, typed)
    return _show(request, typed, allowed, form, prices, status=422 if form.errors else 200, is_unsaved=True)


def _say_wrong(form: ScenarioForm, read: ScenarioRead, typed: ScenarioRead) -> None:
    if not form.errors and (found := actions.scenario_blockers(read, typed.outcomes, typed.moves)):
        form.refuse(actions.NotReady(_("Not saved. Correct what is marked."), found))


def _prices(request: HttpRequest, read: ScenarioRead) -> ProposalForm:
    planned: dict[int, int] = {}
    for project in read.projects:
        for year, yen in project.base.items():
            planned[year] = planned.get(year, 0) + yen
    span = {year: planned.get(year, 0) for year in range(min(planned), max(planned) + 2)} if planned else {}
    return ProposalForm(span, data=request.POST if request.method == "POST" else None)


def _save(
    request: HttpRequest, typed: ScenarioRead, allowed: set[str], form: ScenarioForm, prices: ProposalForm
) -> HttpResponseBase:
    status = 422
    try:
        actions.save_scenario(
            typed.scenario, name=form.name.value, note=form.note.value.replace("\r\n", "\n"), outcomes=typed.outcomes,
            moves=typed.moves, revision=form.revision, by=request.user, at=clock(request),  # type: ignore[arg-type]
        )  # fmt: skip
    except NotAllowed:
        raise
    except StaleEdit as stale:
        form.show_both(stale.current)
        form.problem, status = str(stale.message), 409
    except Refused as refusal:
        form.refuse(refusal)
    else:
        messages.success(request, _("The scenario is saved."))
        return redirect("scenario", ref=typed.scenario.ref)
    return _show(request, typed, allowed, form, prices, status=status, is_unsaved=True)


def _propose(
    request: HttpRequest, read: ScenarioRead, allowed: set[str], form: ScenarioForm, prices: ProposalForm
) -> HttpResponseBase:
    """Work a proposal out and fill it into the form; it is saved by the person or not at all."""
    typed = replace(read, outcomes=form.outcomes(), moves=form.moved())
    _say_wrong(form, read, replace(typed, moves=[]))
    if not read.projects or not prices.is_valid() or form.errors:
        return _show(request, typed, allowed, form, prices, status=422, is_unsaved=True)
    if len(read.projects) > LARGEST_PROPOSAL:
        form.problem = _("Proposals are worked out for at most %(most)s projects.") % {"most": LARGEST_PROPOSAL}
        return _show(request, typed, allowed, form, prices, status=422, is_unsaved=True)
    outlook = typed.outlook()
    moved = {year.year: sum(line.moved_in.get(year.year, 0) for line in outlook.lines) for year in outlook.years}
    rules = prices.rules({one.area: one.planned_yen for one in outlook.areas}, moved)
    candidates = [
        portfolio.candidate(
            row.project, typed.outcomes[row.ref], prices.weights, int(row.priority), is_fixed=row.is_fixed
        )
        for row in form.rows
    ]
    try:
        found = portfolio.propose(candidates, rules)
    except TimeoutError:
        form.problem = _("No proposal was found in time. Leave more projects as they are and ask again.")
        return _show(request, typed, allowed, form, prices, status=422, is_unsaved=True)
    chosen = {one.key: one.options[found.chosen[one.key]].outcome for one in candidates}
    shown = proposal_shown(read, typed.outcomes, chosen, rules, found)
    form.take_over(chosen)
    return _show(request, replace(typed, outcomes=chosen), allowed, form, prices, is_unsaved=True, proposal=shown)


def _show(
    request: HttpRequest, read: ScenarioRead, allowed: set[str], form: ScenarioForm | None = None,
    prices: ProposalForm | None = None, *, status: int = 200, is_unsaved: bool = False,
    proposal: ProposalShown | None = None,
) -> HttpResponse:  # fmt: skip
    scenario = read.scenario
    context: dict[str, Any] = {
        "scenario": scenario, "round": scenario.round, "trail": _trail(scenario.round), "form": form, "prices": prices,
        "allowed": {act.removeprefix("scenario.") for act in allowed}, "is_unsaved": is_unsaved, "proposal": proposal,
        "choices": outcome_choices(), "labels": labels_of(read.reviews), "is_sample": scenario.is_sample,
        "priorities": ["1", "2", "3", "4", "5"],
        "entries": readable(history_of(scenario)) if scenario.owner_id == request.user.pk else [],
        **results(read),
    }  # fmt: skip
    return render(request, "portal/scenarios/page.html", context, status=status)


def _csv(head: list[str], lines: Any, name: str) -> HttpResponseBase:
    response = StreamingHttpResponse(csv_rows(head, lines), content_type="text/csv; charset=utf-8")
    return as_download(response, name)


# Two side by side -----------------------------------------------------------------------------------------------------


@page(permission="scenario.list", find=find_round, params=("a", "b", "format"), may=lambda user, one: True)
def scenarios_compare(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will show two scenarios of a round side by side with their differences, or hand them out as CSV."""
    wanted = [request.GET.get("a", ""), request.GET.get("b", "")]
    found = {row.ref: row for row in scenarios_visible_to(request.user).filter(round=one, ref__in=wanted)}
    if wanted[0] == wanted[1]:
        raise BadQuery(_("Choose two different scenarios."))
    if any(ref not in found for ref in wanted):
        return not_found(request)
    first, second = read_scenarios(request.user, [found[ref] for ref in wanted])
    if request.GET.get("format") == "csv":
        head = compared_head(first.scenario.name, second.scenario.name)
        return _csv(head, compared_lines(first, second), f"scenarios-{wanted[0]}-{wanted[1]}.csv")
    context = {
        "round": one, "trail": _trail(one), "first": first.scenario, "second": second.scenario,
        "is_sample": one.is_sample, **compared(first, second),
    }  # fmt: skip
    return render(request, "portal/scenarios/compare.html", context)


# Acts -----------------------------------------------------------------------------------------------------------------


def _act(
    request: HttpRequest, scenario: Scenario, action: Any, words: Mapping[str, Any], **more: Any
) -> HttpResponseBase:
    home = reverse("scenario", args=[scenario.ref])
    act = Act(home=words.get("home", home), trail=[*_trail(scenario.round), (home, scenario.name)],
              **{key: value for key, value in words.items() if key != "home"})  # fmt: skip
    return ask_once(request, scenario, action, act, **more)


@page(permission="scenario.keep", find=find_scenario, may=_may("keep"), why=NOT_NOW, methods=BOTH)
def scenario_keep(request: HttpRequest, scenario: Scenario) -> HttpResponseBase:
    """This function will keep a scenario with the figures of the day."""
    words = {
        "heading": _("Keep the scenario “%(name)s”?") % {"name": scenario.name}, "button": _("Keep the scenario"),
        "done": _("The scenario is kept."),
        "effects": [
            _("It stands still from now on, with the plans and contracts of today, even when they change later."),
            _("To go on from it, make a copy. Nothing outside the scenario changes."),
        ],
    }  # fmt: skip
    return _act(request, scenario, actions.keep_scenario, words)


@page(permission="scenario.archive", find=find_scenario, may=_may("archive"), why=NOT_NOW, methods=BOTH)
def scenario_archive(request: HttpRequest, scenario: Scenario) -> HttpResponseBase:
    """This function will put a kept scenario away."""
    words = {
        "heading": _("Put the scenario “%(name)s” away?") % {"name": scenario.name}, "button": _("Put it away"),
        "done": _("The scenario is put away."),
        "effects": [_("It stays readable below the list, and can still be compared and copied.")],
    }  # fmt: skip
    return _act(request, scenario, actions.archive_scenario, words)


@page(permission="scenario.delete", find=find_scenario, may=_may("delete"), why=NOT_NOW, methods=BOTH)
def scenario_delete(request: HttpRequest, scenario: Scenario) -> HttpResponseBase:
    """This function will throw a draft away."""
    words = {
        "heading": _("Throw the draft “%(name)s” away?") % {"name": scenario.name}, "button": _("Throw it away"),
        "done": _("The draft is gone."), "home": _list_url(scenario.round), "is_danger": True,
        "effects": [_("What it sets is lost. This can't be undone.")],
    }  # fmt: skip
    return _act(request, scenario, actions.delete_scenario, words)


@page(permission="scenario.clone", find=find_scenario, may=_may("clone"), why=NOT_YOURS, methods=BOTH)
def scenario_clone(request: HttpRequest, scenario: Scenario) -> HttpResponseBase:
    """This function will copy a scenario into a draft of one's own."""
    name = _("%(name)s (copy)") % {"name": scenario.name}
    form = NameForm(data=request.POST if request.method == "POST" else None, initial={"name": name[:200]})
    words = {
        "heading": _("Copy the scenario “%(name)s”?") % {"name": scenario.name}, "button": _("Make the copy"),
        "done": _("The copy is made."),
        "effects": [_("The copy is a draft of your own, with the plans and contracts as they stand now.")],
    }  # fmt: skip
    return _act(
        request,
        scenario,
        actions.clone_scenario,
        words,
        form=form,
        to=lambda made: reverse("scenario", args=[made.ref]),
    )


@page(permission="scenario.share", find=find_scenario, may=_may("share"), why=NOT_NOW, methods=("POST",))
def scenario_share(request: HttpRequest, scenario: Scenario) -> HttpResponseBase:
    """This function will show a scenario to the program's staff, PDs and POs, or take it back."""
    is_shared = request.POST.get("shared") == "yes"
    actions.share_scenario(scenario, is_shared=is_shared, by=request.user, at=clock(request))  # type: ignore[arg-type]
    done = _("The scenario is shared.") if is_shared else _("Only you see the scenario now.")
    messages.success(request, done)
    return redirect("scenario", ref=scenario.ref)
