"""The acts that carry a plan version on: opened, submitted, checked, confirmed, drafted for approval, approved, or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, NotReady, Refused
from portal.access import clock, page
from portal.forms.plans import ApprovalForm, CommentForm, DecisionNumberForm, OpenForm, Refusable, RefusalForm
from portal.plans import NUMBERS, changes_of, find_plan, items_to_name, may, plan_head, plan_url
from portal.projects import find_project, show_tab
from programs.actions import plans
from programs.models import PlanVersion, Project, read_plans
from programs.queries import plans as queries
from programs.rules.plans import plan_blockers, plan_openable

_NOT_NOW = gettext_lazy("This step is not open to you in the plan's present state. The plan's page says who acts next.")
_NOT_OPENABLE = gettext_lazy(
    "The principal investigator and the HQ open a version, and only while no other one is open."
)
BOTH = ("GET", "HEAD", "POST")


# Opening --------------------------------------------------------------------------------------------------------------


@page(permission="plan.open", find=find_project, may=plan_openable, why=_NOT_OPENABLE, methods=BOTH)
def plan_open(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will open the first plan, or the next version with its kind of change and reason."""
    base = queries.plan_to_change(project)
    data = request.POST if request.method == "POST" else None
    form = OpenForm(data=data) if base else Refusable(data=data)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data if base else {}
        try:
            version = plans.open_plan(project, **typed, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Version %(number)s is open for writing.") % {"number": version.number})
            return HttpResponseRedirect(plan_url(version))
    context = {"form": form if base else None, "base": base}
    return show_tab(request, project, "project_plan", context, template="portal/plans/open.html")


# Acts -----------------------------------------------------------------------------------------------------------------


def _act(
    request: HttpRequest,
    version: PlanVersion,
    act: Callable[..., PlanVersion],
    *,
    words: dict[str, str],
    effects: list[str],
    form: Refusable | None = None,
    is_danger: bool = False,
    shows_blockers: bool = False,
) -> HttpResponseBase:
    """Ask once, saying what it does; then do it. What is refused stands on the same page, beside its field."""
    blockers = plan_blockers(version, localdate(clock(request))) if shows_blockers else []
    error = ""
    if request.method == "POST" and (form is None or form.is_valid()):
        typed = form.cleaned_data if form else {}
        try:
            act(version, **typed, by=request.user, at=clock(request))
        except NotAllowed:
            raise
        except NotReady as refusal:
            blockers = refusal.blockers
        except Refused as refusal:
            error = "" if form and refusal.field in form.fields else str(refusal.message)
            if form:
                form.refuse(refusal)
        else:
            messages.success(request, words["done"])
            return redirect(plan_url(version))
    status = 422 if request.method == "POST" else 200
    return _confirmation(request, version, words, effects, form, is_danger, blockers, error, status)


def _confirmation(
    request: HttpRequest, version: PlanVersion, words: dict[str, str], effects: list[str], form: Any, is_danger: bool,
    blockers: list[Any], error: str, status: int,
) -> HttpResponse:  # fmt: skip
    reads = read_plans([version.pk, *([version.base_id] if version.base_id else [])])
    context = {
        **plan_head(version),
        "heading": words["ask"],
        "button": words["button"],
        "effects": effects,
        "form": form,
        "is_danger": is_danger,
        "blockers": blockers,
        "error": error if not form else "",
        "difference": changes_of(reads, version),
        "base": version.base,
    }
    return render(request, "portal/plans/act.html", context, status=status)


@page(permission="plan.submit", find=find_plan, key=NUMBERS, may=may("plan.submit"), why=_NOT_NOW, methods=BOTH)
def plan_submit(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will ask once, then hand the version in."""
    effects = [
        _("The content is frozen with a content hash; nobody can write in it until it is returned."),
        _("The program officer reads it from now on and is told by mail."),
    ]
    words = {
        "ask": _("Submit this plan?"),
        "button": _("Submit the plan"),
        "done": _("The plan was submitted. The program officer is told."),
    }
    return _act(request, version, plans.submit_plan, words=words, effects=effects, shows_blockers=True)


@page(permission="plan.check", find=find_plan, key=NUMBERS, may=may("plan.check"), why=_NOT_NOW, methods=BOTH)
def plan_check(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will record the PO's check."""
    effects = [
        _("The program director is asked to confirm and is told by mail."),
        _("To send it back to the team, return it instead."),
    ]
    words = {
        "ask": _("Record the check of this plan?"),
        "button": _("Record the check"),
        "done": _("The check was recorded. The program director is told."),
    }
    return _act(request, version, plans.check_plan, words=words, effects=effects)


@page(permission="plan.confirm", find=find_plan, key=NUMBERS, may=may("plan.confirm"), why=_NOT_NOW, methods=BOTH)
def plan_confirm(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will record the PD's confirmation."""
    effects = [
        _("The contracting party reads it from now on and is asked to draft the approval."),
        _("To send it back to the team, return it instead."),
    ]
    words = {
        "ask": _("Confirm this plan?"),
        "button": _("Confirm the plan"),
        "done": _("The confirmation was recorded. The contracting party is told."),
    }
    return _act(request, version, plans.confirm_plan, words=words, effects=effects)


@page(
    permission="plan.propose_approval", find=find_plan, key=NUMBERS, may=may("plan.propose_approval"), why=_NOT_NOW,
    methods=BOTH,
)  # fmt: skip
def plan_propose_approval(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will draft the approval under the number of the decision."""
    effects = [
        _("Another officer than you approves; you cannot approve what you drafted."),
        _("From now on the team can no longer withdraw the version."),
    ]
    words = {
        "ask": _("Draft the approval of this plan?"),
        "button": _("Draft the approval"),
        "done": _("The approval was drafted. Another officer approves."),
    }
    form = DecisionNumberForm(data=request.POST if request.method == "POST" else None)
    return _act(request, version, plans.propose_plan_approval, words=words, effects=effects, form=form)


@page(permission="plan.approve", find=find_plan, key=NUMBERS, may=may("plan.approve"), why=_NOT_NOW, methods=BOTH)
def plan_approve(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will ask once, with what it does, then approve for good."""
    change, today = getattr(version, "change_request", None), localdate(clock(request))
    effects = [
        _("The version is approved under the number %(number)s and never changes again; the next version does.")
        % {"number": version.decision_number},
        _("Its milestones become the project's; a milestone that is no longer planned is marked as dropped."),
        _("The team, the program officer and the program director are told by mail."),
    ]
    if change is not None and change.kind == "stop":
        effects.insert(0, _("The project is stopped. This cannot be undone."))
    words = {
        "ask": _("Approve this plan?"),
        "button": _("Approve the plan"),
        "done": _("The plan was approved."),
    }
    wanted = change.wanted_from if change is not None and change.wanted_from else today
    form = ApprovalForm(
        data=request.POST if request.method == "POST" else None, initial={"decided_on": today, "effective_on": wanted}
    )
    return _act(request, version, plans.approve_plan, words=words, effects=effects, form=form, shows_blockers=True)


@page(permission="plan.return", find=find_plan, key=NUMBERS, may=may("plan.return"), why=_NOT_NOW, methods=BOTH)
def plan_return(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will hand the version back to the team with a comment."""
    effects = [_("The team can write again and has to submit again; checks and confirmations begin anew.")]
    words = {
        "ask": _("Return this plan to the team?"),
        "button": _("Return the plan with this comment"),
        "done": _("The plan was returned to the team with your comment."),
    }
    items = items_to_name(read_plans([version.pk])[version.pk])
    form = CommentForm(items, data=request.POST if request.method == "POST" else None)
    return _act(request, version, plans.return_plan, words=words, effects=effects, form=form, is_danger=True)


@page(permission="plan.refuse", find=find_plan, key=NUMBERS, may=may("plan.refuse"), why=_NOT_NOW, methods=BOTH)
def plan_refuse(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will refuse the version for good."""
    effects = [
        _("The version is refused for good; it cannot be changed or submitted again."),
        _stays(version),
        _("The team, the program officer and the program director are told by mail."),
    ]
    words = {
        "ask": _("Refuse this plan?"),
        "button": _("Refuse the plan"),
        "done": _("The plan was refused."),
    }
    form = RefusalForm(data=request.POST if request.method == "POST" else None)
    return _act(request, version, plans.refuse_plan, words=words, effects=effects, form=form, is_danger=True)


@page(permission="plan.withdraw", find=find_plan, key=NUMBERS, may=may("plan.withdraw"), why=_NOT_NOW, methods=BOTH)
def plan_withdraw(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will ask once, then withdraw the version."""
    effects = [_("The version is closed for good; what is written in it stays readable to the team."), _stays(version)]
    words = {
        "ask": _("Withdraw this version?"),
        "button": _("Withdraw the version"),
        "done": _("The version was withdrawn."),
    }
    return _act(request, version, plans.withdraw_plan, words=words, effects=effects, is_danger=True)


def _stays(version: PlanVersion) -> str:
    if version.base is None:
        return _("No plan is in force; a new version can be opened.")
    return _("Version %(number)s stays in force; a new version can be opened.") % {"number": version.base.number}
