"""One piece of advice: what was said, who follows it up, what was done; answered, closed, opened again, passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from portal.access import clock, page
from portal.forms.plans import Refusable
from portal.forms.visit import AnswerForm, ClosingForm, PassOnForm, ReopenForm
from portal.visits import done_by_form
from programs.actions import advice as actions
from programs.models import Advice
from programs.queries import project_label
from programs.queries.visits import advice_visible_to, people_around
from programs.rules.visits import advice_actions

ACTS: dict[str, Callable[..., Advice]] = {
    "answer": actions.answer_advice,
    "close": actions.close_advice,
    "reopen": actions.reopen_advice,
    "pass_on": actions.pass_on_advice,
}


def find_advice(user: Any, ref: str) -> Any:
    """This function will return the advice with this reference, if the reader may see its project."""
    return advice_visible_to(user).filter(ref=ref)


def _forms(request: HttpRequest, advice: Advice, allowed: set[str]) -> dict[str, Refusable]:
    act = request.POST.get("act", "")

    def data(name: str) -> Any:
        return request.POST if name == act else None

    forms: dict[str, Refusable] = {}
    if "advice.answer" in allowed:
        forms["answer"] = AnswerForm(data=data("answer"), prefix="answer", initial={"answer": advice.answer})
    if "advice.close" in allowed:
        forms["close"] = ClosingForm(data=data("close"), prefix="close")
    if "advice.reopen" in allowed:
        forms["reopen"] = ReopenForm(data=data("reopen"), prefix="reopen")
    if "advice.pass_on" in allowed:
        people = people_around(advice.project, localdate(clock(request)))
        now = {"owner": str(advice.owner_id), "due_on": advice.due_on}
        forms["pass_on"] = PassOnForm(people, data=data("pass_on"), prefix="pass_on", initial=now)
    return forms


@page(permission="advice.view", find=find_advice, methods=("GET", "HEAD", "POST"))
def advice_page(request: HttpRequest, advice: Advice) -> HttpResponseBase:
    """This function will show one piece of advice and take the act that is open to the reader."""
    act = request.POST.get("act", "")
    forms = _forms(request, advice, advice_actions(request.user, advice))
    how: dict[str, Any] = {"by": request.user, "at": clock(request)}
    bound = forms.get(act)
    if request.method == "POST" and bound is None and act in ACTS:
        # Not open to the reader now: the action says why, and changes nothing.
        blank = {"answer": {"answer": ""}, "close": {}, "reopen": {"reason": ""}}
        ACTS[act](advice, **blank.get(act, {"owner": advice.owner, "due_on": advice.due_on, "reason": ""}), **how)
    if (
        bound is not None
        and bound.is_valid()
        and done_by_form(bound, lambda: ACTS[act](advice, **bound.cleaned_data, **how))
    ):
        messages.success(request, _("Recorded."))
        return redirect("advice", ref=advice.ref)
    today = localdate(clock(request))
    context = {
        "advice": advice,
        "project": advice.project,
        "label": project_label(advice.project),
        "forms": forms,
        "is_late": advice.state == Advice.State.OPEN and advice.due_on < today,
        "is_sample": advice.is_sample,
    }
    return render(request, "portal/visits/advice.html", context, status=422 if bound is not None else 200)
