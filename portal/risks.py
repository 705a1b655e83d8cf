"""Risks and issues of a project: the list by score, one of them with what was said, and its acts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused, StaleEdit
from portal.access import BadQuery, clock, page
from portal.acts import Act, ask_once
from portal.forms.risk import RiskForm, TextForm
from portal.lists import as_download, csv_rows
from portal.projects import find_project, show_tab
from programs.actions import risks as actions
from programs.models import Project, Risk
from programs.queries import project_label
from programs.queries.risks import notes_of, risk_owners, risks_of, risks_visible_to
from programs.rules.risks import grade_of, may_keep, risk_actions

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("Risks and collaborations are kept by the project's team, its HQ and the program officer.")
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the risk.")
#: Grade of a score > its word and the tone of its pill.
GRADES = {
    "high": (gettext_lazy("high"), "bad"),
    "middle": (gettext_lazy("middle"), "warn"),
    "low": (gettext_lazy("low"), "good"),
}


def graded(risk: Risk) -> tuple[str, str]:
    """This function will return the word for a risk's score and the tone of its pill."""
    word, tone = GRADES[grade_of(risk.score)]
    return f"{word} ({risk.score})", tone


@page(permission="project.view", find=find_project, params=("format",), methods=BOTH)
def project_risks(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show a project's risks and issues, take another one, or hand them out as CSV."""
    rows = list(risks_of(request.user, project))
    if request.GET.get("format") == "csv":
        return _csv(project, rows)
    today = localdate(clock(request))
    may = may_keep(request.user, project)
    if request.method == "POST" and not may:
        raise NotAllowed(NOT_YOURS)
    form = RiskForm(risk_owners(project, today), data=request.POST or None) if may else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            actions.open_risk(project, values=form.cleaned_data, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("It is on record."))
            return redirect("project_risks", ref=project.ref)
    context = {
        "rows": [(one, graded(one), one.state != Risk.State.CLOSED and one.due_on < today) for one in rows],
        "form": form,
    }
    return show_tab(request, project, "project_risks", context, template="portal/risks/list.html")


def _csv(project: Project, rows: list[Risk]) -> HttpResponseBase:
    head = [
        _("Reference"), _("Kind"), _("Title"), _("Likelihood (1 to 5)"), _("Effect (1 to 5)"), _("Score"), _("Owner"),
        _("Measure"), _("To be done by"), _("State"), _("Description"),
    ]  # fmt: skip

    def lines() -> Iterator[list[Any]]:
        for one in rows:
            yield [
                one.ref, str(one.get_kind_display()), one.title, one.likelihood, one.effect, one.score, one.owner.name,
                one.measure, one.due_on.isoformat(), str(one.get_state_display()), one.description,
            ]  # fmt: skip

    response = StreamingHttpResponse(csv_rows(head, lines()), content_type="text/csv; charset=utf-8")
    return as_download(response, f"risks-{project.ref}.csv")


# One risk -------------------------------------------------------------------------------------------------------------


def find_risk(user: Any, ref: str) -> Any:
    """This function will return the risk with this reference, if the reader may see its project."""
    return risks_visible_to(user).filter(ref=ref)


@page(permission="risk.view", find=find_risk, methods=BOTH)
def risk_page(request: HttpRequest, risk: Risk) -> HttpResponseBase:
    """This function will show a risk with what was said about it; who keeps it writes on."""
    allowed = risk_actions(request.user, risk)
    if request.method == "POST" and "risk.edit" not in allowed:
        raise NotAllowed(NOT_NOW)
    today = localdate(clock(request))
    form, status = None, 200
    if "risk.edit" in allowed:
        initial = {name: getattr(risk, name) for name in actions.FIELDS} | {"owner": str(risk.owner_id)}
        form = RiskForm(risk_owners(risk.project, today), data=request.POST or None, initial=initial)
    if request.method == "POST" and form is not None:
        status = 422
        if form.is_valid():
            try:
                actions.save_risk(
                    risk, values=form.cleaned_data, revision=seen_revision(request), by=request.user,  # type: ignore[arg-type]
                    at=clock(request),
                )  # fmt: skip
            except NotAllowed:
                raise
            except StaleEdit as stale:
                form.refuse(stale)
                status = 409
            except Refused as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("It is saved."))
                return redirect("risk", ref=risk.ref)
    context = {
        "risk": risk,
        "graded": graded(risk),
        "is_overdue": risk.state != Risk.State.CLOSED and risk.due_on < today,
        "notes": notes_of(risk),
        "allowed": {act.removeprefix("risk.") for act in allowed},
        "form": form,
        "project": risk.project,
        "label": project_label(risk.project),
        "is_sample": risk.project.is_sample,
    }
    return render(request, "portal/risks/page.html", context, status=status)


def seen_revision(request: HttpRequest) -> int:
    """This function will read which version the writer saw. Raises `BadQuery` when the form does not say."""
    seen = request.POST.get("revision", "")
    if not (seen.isascii() and seen.isdecimal() and len(seen) < 9):
        raise BadQuery(_("The form is incomplete. Open the page again."))
    return int(seen)


def _may(act: str) -> Any:
    return lambda user, risk: f"risk.{act}" in risk_actions(user, risk)


def _ask(request: HttpRequest, risk: Risk, action: Any, label: str, **words: Any) -> HttpResponseBase:
    url = reverse("risk", args=[risk.ref])
    trail = [(reverse("project_risks", args=[risk.project.ref]), project_label(risk.project)), (url, risk.title)]
    form = TextForm(label, data=request.POST if request.method == "POST" else None)
    return ask_once(request, risk, action, Act(home=url, trail=trail, **words), form=form)


@page(permission="risk.escalate", find=find_risk, may=_may("escalate"), why=NOT_NOW, methods=BOTH)
def risk_escalate(request: HttpRequest, risk: Risk) -> HttpResponseBase:
    """This function will ask why, then escalate the risk to the director."""
    return _ask(
        request, risk, actions.escalate_risk, _("What the director should decide or know"),
        heading=_("Escalate this to the program director?"), button=_("Escalate to the PD"),
        done=_("It is escalated. It stands at the director's home page until it is answered."),
        effects=[_("It waits at the home page of the program director and the deputy until they answer.")],
    )  # fmt: skip


@page(permission="risk.answer", find=find_risk, may=_may("answer"), why=NOT_NOW, methods=BOTH)
def risk_answer(request: HttpRequest, risk: Risk) -> HttpResponseBase:
    """This function will take the director's answer."""
    return _ask(
        request, risk, actions.answer_risk, _("Answer to the team"),
        heading=_("Answer the team?"), button=_("Record the answer"), done=_("The answer is on record."),
        effects=[_("The team reads the answer and goes on with the risk.")],
    )  # fmt: skip


@page(permission="risk.close", find=find_risk, may=_may("close"), why=NOT_NOW, methods=BOTH)
def risk_close(request: HttpRequest, risk: Risk) -> HttpResponseBase:
    """This function will ask what happened, then close the risk."""
    return _ask(
        request, risk, actions.close_risk, _("What happened"),
        heading=_("Close this?"), button=_("Close it"), done=_("It is closed."),
        effects=[_("It counts no longer; it stays on record and can be opened again.")],
    )  # fmt: skip


@page(permission="risk.reopen", find=find_risk, may=_may("reopen"), why=NOT_NOW, methods=BOTH)
def risk_reopen(request: HttpRequest, risk: Risk) -> HttpResponseBase:
    """This function will ask why, then open a closed risk again."""
    return _ask(
        request, risk, actions.reopen_risk, _("Why it is open again"),
        heading=_("Open this again?"), button=_("Open it again"), done=_("It is open again."),
        effects=[_("It counts again as open.")],
    )  # fmt: skip
