"""Conditions of decisions, reported on and found met or not; steps of a wind-down, done; a project's decided gates."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evaluations.actions import conditions as actions
from evaluations.models import Condition, GateReview, WindDownItem
from evaluations.queries.decisions import conditions_visible_to, decided_gates, wind_down_visible_to
from evaluations.rules.decisions import condition_actions, wind_down_doable
from portal.access import page
from portal.acts import Act, ask_once
from portal.forms.decision import FoundForm, NoteForm, ReportForm
from portal.projects import find_project, show_tab
from portal.rounds import subject_name
from programs.models import Project

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the condition.")


def find_condition(user: Any, ref: str) -> Any:
    """This function will return the condition with this reference, if the reader may read its decision."""
    return conditions_visible_to(user).filter(ref=ref)


def find_step(user: Any, pk: int) -> Any:
    """This function will return this step of a wind-down, if the reader may read its decision."""
    return wind_down_visible_to(user).filter(pk=pk)


def _may(act: str) -> Any:
    return lambda user, condition: f"condition.{act}" in condition_actions(user, condition)


def _ask(request: HttpRequest, subject: Any, action: Any, form: Any, **words: Any) -> HttpResponseBase:
    review: GateReview = subject.decision.gate_review
    home = reverse("decision", args=[review.ref])
    trail = [
        (reverse("gates"), _("Gate reviews")), (reverse("gate_review", args=[review.ref]), subject_name(review)),
        (home, _("Decision on the gate")),
    ]  # fmt: skip
    return ask_once(request, subject, action, Act(home=home, trail=trail, **words), form=form)


@page(permission="condition.report", find=find_condition, may=_may("report"), why=NOT_NOW, methods=BOTH)
def condition_report(request: HttpRequest, condition: Condition) -> HttpResponseBase:
    """This function will take what was done for a condition."""
    data = request.POST if request.method == "POST" else None
    return _ask(
        request, condition, actions.report_condition, ReportForm(data=data, initial={"report": condition.report}),
        heading=_("Report on this condition?"), button=_("Hand the report in"), done=_("The report is handed in."),
        effects=[condition.text, _("The program officer finds whether it is met.")],
    )  # fmt: skip


@page(permission="condition.settle", find=find_condition, may=_may("settle"), why=NOT_NOW, methods=BOTH)
def condition_settle(request: HttpRequest, condition: Condition) -> HttpResponseBase:
    """This function will take whether a reported condition is met."""
    data = request.POST if request.method == "POST" else None
    return _ask(
        request, condition, actions.settle_condition, FoundForm(data=data),
        heading=_("Is this condition met?"), button=_("Record the result"), done=_("The result is on record."),
        effects=[condition.text, condition.report, _("What is not met is asked again at the next gate.")],
    )  # fmt: skip


@page(
    permission="wind_down.finish", find=find_step, key="step", may=wind_down_doable, why=NOT_NOW, methods=BOTH
)  # fmt: skip
def wind_down_finish(request: HttpRequest, item: WindDownItem) -> HttpResponseBase:
    """This function will take that a step of a wind-down is done."""
    data = request.POST if request.method == "POST" else None
    return _ask(
        request, item, actions.finish_wind_down_item, NoteForm(data=data),
        heading=_("Is this step done?"), button=_("Mark it as done"), done=_("The step is done."),
        effects=[item.text, _("It is recorded with your name and the time.")],
    )  # fmt: skip


@page(permission="project.view", find=find_project)
def project_gates(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show the decided gates of a project with what they ask for."""
    rows = decided_gates(request.user, project)
    return show_tab(request, project, "project_gates", {"decisions": rows}, template="portal/decisions/project.html")
