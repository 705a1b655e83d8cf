"""Who reads what: the proposal with its certificate, how far its computation is, replacements, the confirmation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from evaluations.actions import assignments as actions
from evaluations.actions.assignment_runs import ask_for_run, holes
from evaluations.models import AssignmentRun, Panel
from evaluations.queries.assignment_checks import thin_cases
from evaluations.queries.assignment_tables import (
    bound_now,
    case_lines,
    counts_of,
    member_lines,
    worth_now,
)
from evaluations.queries.assignments import (
    Seating,
    cases_overseen_by,
    cases_to_assign,
    hides_cases,
    latest_run,
    panels_visible_to,
    seating_of,
)
from evaluations.rules.assignments import may_assign
from portal.access import BadQuery, page
from portal.acts import Act, ask_once
from portal.assignment_words import RunTold, run_told, shortfalls_told, thin_told
from portal.forms.assignment import RunForm, SeenForm
from portal.journal import readable

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("The readers are settled by the chair or the vice chair while the round is open.")
CASES_A_PAGE, ENTRIES = 50, 15


def find_panel(user: Any, ref: str) -> Any:
    """This function will return the panel with this reference, if the reader may look at its assignment."""
    return panels_visible_to(user).filter(ref=ref)


def trail(panel: Panel) -> list[tuple[str, str]]:
    """This function will return the pages above a page of the assignment."""
    return [
        (reverse("rounds"), _("Evaluation rounds")), (reverse("round", args=[panel.round.ref]), panel.round.name),
        (reverse("assignment", args=[panel.ref]), _("Who reads what")),
    ]  # fmt: skip


def _may(user: Any, panel: Panel) -> bool:
    return may_assign(user, panel)


# The whole ------------------------------------------------------------------------------------------------------------


@page(permission="assignment.view", find=find_panel, params=("from",))
def assignment_page(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will show who reads what, what the proposal is worth and what cannot be met."""
    seating = seating_of(panel, cases_overseen_by(request.user, panel))
    run, run_cases = latest_run(request.user, panel) or (None, set())
    lines = case_lines(seating)
    start = _start(request.GET.get("from", "1"), len(lines))
    proposed, confirmed = counts_of(seating)
    allowed = may_assign(request.user, panel)
    compared = run_cases == {one.pk for one in seating.cases}
    context = {
        "panel": panel,
        "round": panel.round,
        "seating": seating,
        "lines": lines[start - 1 : start - 1 + CASES_A_PAGE],
        "pages": [at + 1 for at in range(0, len(lines), CASES_A_PAGE)] if len(lines) > CASES_A_PAGE else [],
        "start": start,
        "members": member_lines(seating),
        "short": shortfalls_told(seating),
        "run": run,
        "told": _told(run, seating, compared=compared) if run else None,
        "proposed": proposed,
        "confirmed": confirmed,
        "declined": [one for one in seating.declined if one.pk not in {row.replaces_id for row in seating.standing}],
        "barred": [
            one for one in actions.barred(seating) if one.pk not in {row.replaces_id for row in seating.standing}
        ],
        "may_assign": allowed,
        "may_repair": allowed and bool(confirmed) and bool(holes(seating)),
        "closed_words": actions.reasons(),
        # Its figures would tell of a case that is hidden.
        "entries": [] if hides_cases(request.user, panel) else readable(history_of(panel)[:ENTRIES]),
        "is_sample": panel.is_sample,
    }
    return render(request, "portal/assignments/page.html", context)


def _told(run: AssignmentRun, seating: Seating, *, compared: bool) -> RunTold:
    if not compared:
        return run_told(run, seating, None, None)
    return run_told(run, seating, worth_now(seating), bound_now(run, seating))


def _start(value: str, count: int) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 7) or not 1 <= int(value) <= max(1, count):
        raise BadQuery(_("There is no such page of cases."))
    return int(value)


@page(permission="assignment.view", find=find_panel)
def assignment_progress(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will show how far the computation is; once it is over, the page is loaded again."""
    run, _cases = latest_run(request.user, panel) or (None, set())
    if request.htmx and (run is None or run.finished_at is not None):  # type: ignore[attr-defined]
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("assignment", args=[panel.ref]))
    return render(request, "portal/assignments/progress.html", {"run": run, "panel": panel})


@page(permission="assignment.propose", find=find_panel, may=_may, why=NOT_YOURS, methods=BOTH)
def assignment_propose(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will ask, then have a proposal computed in the background."""
    act = Act(
        heading=_("Have a proposal computed?"), button=_("Compute the proposal"),
        done=_("The proposal is being computed. It appears here by itself."),
        home=reverse("assignment", args=[panel.ref]), trail=trail(panel),
        effects=[
            _("Readers who are proposed and not fixed can change. Confirmed and fixed ones stay."),
            _("Whoever has a conflict with a case, declared or confirmed, is not proposed for it, whatever it costs."),
            _("Nothing counts before it is confirmed."),
        ],
    )  # fmt: skip
    form = RunForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, panel, ask_for_run, act, form=form)


@page(permission="assignment.repair", find=find_panel, may=_may, why=NOT_YOURS, methods=BOTH)
def assignment_repair(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will ask, then have replacements computed with the fewest changes."""
    seating = seating_of(panel, cases_to_assign(request.user, panel))
    empty = holes(seating)
    missing = sum(int(seating.call.readers[case]) - sum(p == case for p, _m in seating.pairs()) for case in empty)
    act = Act(
        heading=_("Have replacements proposed?"), button=_("Compute the replacements"),
        done=_("The replacements are being computed. They appear here by themselves."),
        home=reverse("assignment", args=[panel.ref]), trail=trail(panel),
        effects=[
            _("%(missing)s readers are missing on %(cases)s cases.") % {"missing": missing, "cases": len(empty)},
            _("Only these places are filled. Another reader moves only if a place cannot be filled otherwise."),
            _("Who has handed a sheet in or is fixed stays. Nothing counts before it is confirmed."),
        ],
    )  # fmt: skip
    return ask_once(request, panel, _ask_for_repair, act)


def _ask_for_repair(panel: Panel, **who: Any) -> AssignmentRun:
    return ask_for_run(panel, kind=AssignmentRun.Kind.REPAIR, **who)


@page(permission="assignment.confirm", find=find_panel, may=_may, why=NOT_YOURS, methods=BOTH)
def assignment_confirm(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will show what will count, then confirm it."""
    seating = seating_of(panel, cases_to_assign(request.user, panel))
    waiting, thin = actions.proposals_of(seating), thin_cases(seating)
    names = sorted({one.member.person.name for one in waiting})
    act = Act(
        heading=_("Confirm who reads what?"), button=_("Confirm the assignment"),
        done=_("The assignment is confirmed. The readers find the cases on their desks once the documents are open."),
        home=reverse("assignment", args=[panel.ref]), trail=trail(panel),
        effects=[
            _("%(readers)s readers of %(cases)s cases will count.")
            % {"readers": len(waiting), "cases": len({one.case_id for one in waiting})},
            _("They are: %(names)s") % {"names": "、".join(names)} if len(names) <= 30 else _("%(count)s members read.")
            % {"count": len(names)},
            *(_("Not met: %(what)s") % {"what": one} for one in shortfalls_told(seating, 20)),
        ],
        blockers=actions.confirmation_blockers(seating), warnings=[thin_told(one) for one in thin],
    )  # fmt: skip
    data = request.POST if request.method == "POST" else None
    form = SeenForm(is_thin=bool(thin), data=data, initial={"seen": actions.fingerprint_of(seating)})
    return ask_once(request, panel, actions.confirm_assignments, act, form=form)
