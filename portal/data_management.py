"""Data management plans of a project: the versions, one version with its data sets, and its acts."""

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
from portal.access import clock, not_found, page
from portal.acts import Act, ask_once
from portal.forms.money import CommentForm
from portal.forms.risk import DataSetForm, PolicyForm
from portal.lists import as_download, csv_rows
from portal.projects import find_project, show_tab
from portal.risks import seen_revision
from programs.actions import data_management as actions
from programs.models import DataManagementPlan, DataSet, Project
from programs.queries import project_label
from programs.queries.plans import participants
from programs.queries.risks import confirmed_before, data_plans_visible_to, data_set_changes, data_sets_of
from programs.rules.risks import data_plan_actions, data_plan_blockers, may_open_data_plan

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the data management plan.")
NOT_OPENABLE = gettext_lazy("The project's team opens a version, and only while no other one is open.")


@page(permission="project.view", find=find_project, methods=BOTH)
def project_data(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show the versions of a project's data management plan; its team opens the next one."""
    may = may_open_data_plan(request.user, project)
    if request.method == "POST":
        if not may:
            raise NotAllowed(NOT_OPENABLE)
        made = actions.open_data_plan(project, by=request.user, at=clock(request))  # type: ignore[arg-type]
        messages.success(request, _("Version %(number)s is open for writing.") % {"number": made.number})
        return redirect("data_plan", ref=made.ref)
    versions = list(data_plans_visible_to(request.user).filter(project=project))
    standing = next((one for one in versions if one.state == DataManagementPlan.State.CONFIRMED), None)
    context = {
        "versions": versions,
        "standing": standing,
        "data_sets": data_sets_of(standing) if standing else [],
        "may_open": may,
    }
    return show_tab(request, project, "project_data", context, template="portal/data/list.html")


def find_data_plan(user: Any, ref: str) -> Any:
    """This function will return the version with this reference, if the reader may read it."""
    return data_plans_visible_to(user).filter(ref=ref)


def _head(plan: DataManagementPlan) -> dict[str, Any]:
    return {
        "plan": plan,
        "project": plan.project,
        "label": project_label(plan.project),
        "is_sample": plan.is_sample,
    }


@page(permission="data_plan.view", find=find_data_plan, params=("format",), methods=BOTH)
def data_plan_page(request: HttpRequest, plan: DataManagementPlan) -> HttpResponseBase:
    """This function will show one version with its data sets and what changed, or hand them out as CSV."""
    data_sets = data_sets_of(plan)
    if request.GET.get("format") == "csv":
        return _csv(plan, data_sets)
    allowed = data_plan_actions(request.user, plan)
    may_edit = "data_plan.edit" in allowed
    if request.method == "POST" and not may_edit:
        raise NotAllowed(NOT_NOW)
    form, status = PolicyForm(data=request.POST or None, initial={"policy": plan.policy}) if may_edit else None, 200
    if request.method == "POST" and form is not None:
        status = 422
        if form.is_valid():
            try:
                actions.save_data_policy(
                    plan,
                    **form.cleaned_data,
                    revision=seen_revision(request),
                    by=request.user,
                    at=clock(request),  # type: ignore[arg-type]
                )
            except StaleEdit as stale:
                form.refuse(stale)
                status = 409
            else:
                messages.success(request, _("It is saved."))
                return redirect("data_plan", ref=plan.ref)
    before = confirmed_before(plan)
    context = {
        **_head(plan),
        "data_sets": data_sets,
        "allowed": {act.removeprefix("data_plan.") for act in allowed},
        "form": form,
        "blockers": data_plan_blockers(plan, data_sets, localdate(clock(request))) if may_edit else [],
        "before": before,
        "changes": _changes(data_sets_of(before), data_sets) if before else [],
    }
    return render(request, "portal/data/page.html", context, status=status)


def _changes(before: list[DataSet], after: list[DataSet]) -> list[dict[str, Any]]:
    """What became of each data set, in words."""
    found = []
    for one in data_set_changes(before, after):
        row = one.after or one.before
        assert row is not None
        kind = _("new") if one.before is None else _("taken out") if one.after is None else _("changed")
        fields = [(_label(name), _said(one.before, name), _said(one.after, name)) for name in one.fields]
        found.append({"name": row.name, "kind": kind, "fields": fields})
    return found


def _label(name: str) -> str:
    return str(DataSet._meta.get_field(name).verbose_name)


def _said(row: DataSet | None, name: str) -> str:
    if name == "organization_id":
        return str(row.organization.name) if row else "-"
    if name == "sharing":
        return str(row.get_sharing_display()) if row else "-"
    value = getattr(row, name)
    return str(value) if value else "-"


def _csv(plan: DataManagementPlan, rows: list[DataSet]) -> HttpResponseBase:
    names = ("name", "organization_id", "sharing", "embargo_until", "reason", "licence", "location", "description")
    head = [_("Key"), *(_label(name) for name in names)]

    def lines() -> Iterator[list[Any]]:
        for one in rows:
            yield [one.key, *("" if (said := _said(one, name)) == "-" else said for name in names)]

    response = StreamingHttpResponse(csv_rows(head, lines()), content_type="text/csv; charset=utf-8")
    return as_download(response, f"{plan.ref}.csv")


# Data sets ------------------------------------------------------------------------------------------------------------


def _may(act: str) -> Any:
    return lambda user, plan: f"data_plan.{act}" in data_plan_actions(user, plan)


@page(permission="data_plan.edit", find=find_data_plan, may=_may("edit"), why=NOT_NOW, methods=BOTH)
def data_set_form(request: HttpRequest, plan: DataManagementPlan, key: str = "") -> HttpResponseBase:
    """This function will take a new data set, or write on one."""
    row = next((one for one in data_sets_of(plan) if one.key == key), None)
    if key and row is None:
        return not_found(request)
    initial = {name: getattr(row, name) for name in actions.FIELDS} if row else {}
    if row:
        initial["organization"] = str(row.organization_id)
    form = DataSetForm(participants(plan.project), data=request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_data_set(plan, values=form.cleaned_data, key=key, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("It is saved."))
            return redirect("data_plan", ref=plan.ref)
    context = {**_head(plan), "form": form, "data_set": row}
    return render(request, "portal/data/form.html", context, status=422 if form.errors else 200)


@page(permission="data_plan.edit", find=find_data_plan, may=_may("edit"), why=NOT_NOW, methods=BOTH)
def data_set_remove(request: HttpRequest, plan: DataManagementPlan, key: str) -> HttpResponseBase:
    """This function will ask once, then take a data set out of the version."""
    row = next((one for one in data_sets_of(plan) if one.key == key), None)
    if row is None:
        return not_found(request)
    act = _act(
        plan,
        heading=_("Take this data set out?"),
        button=_("Take it out"),
        done=_("The data set was taken out of this version."),
        effects=[_("“%(name)s” leaves this version; confirmed versions keep it.") % {"name": row.name}],
        is_danger=True,
    )
    return ask_once(request, plan, lambda subject, **how: actions.remove_data_set(subject, key=key, **how), act)


# Acts -----------------------------------------------------------------------------------------------------------------


def _act(plan: DataManagementPlan, **words: Any) -> Act:
    url = reverse("data_plan", args=[plan.ref])
    trail = [(reverse("project_data", args=[plan.project.ref]), project_label(plan.project)), (url, plan.ref)]
    return Act(home=url, trail=trail, **words)


@page(permission="data_plan.submit", find=find_data_plan, may=_may("submit"), why=NOT_NOW, methods=BOTH)
def data_plan_submit(request: HttpRequest, plan: DataManagementPlan) -> HttpResponseBase:
    """This function will ask once, then hand the version in."""
    act = _act(
        plan,
        heading=_("Submit this data management plan?"),
        button=_("Submit the data management plan"),
        done=_("It is submitted. The program officer or director confirms it."),
        effects=[_("Nobody can write in it until it comes back.")],
        blockers=data_plan_blockers(plan, data_sets_of(plan), localdate(clock(request))),
    )
    return ask_once(request, plan, actions.submit_data_plan, act)


@page(permission="data_plan.confirm", find=find_data_plan, may=_may("confirm"), why=NOT_NOW, methods=BOTH)
def data_plan_confirm(request: HttpRequest, plan: DataManagementPlan) -> HttpResponseBase:
    """This function will ask once, then confirm the version."""
    act = _act(
        plan,
        heading=_("Confirm this data management plan?"),
        button=_("Confirm the data management plan"),
        done=_("It is confirmed."),
        effects=[_("It can no longer be changed; the next version can.")],
    )
    return ask_once(request, plan, actions.confirm_data_plan, act)


@page(permission="data_plan.return", find=find_data_plan, may=_may("return"), why=NOT_NOW, methods=BOTH)
def data_plan_return(request: HttpRequest, plan: DataManagementPlan) -> HttpResponseBase:
    """This function will ask what to change, then give the version back."""
    act = _act(
        plan,
        heading=_("Return this data management plan?"),
        button=_("Return the data management plan"),
        done=_("It was returned to the team."),
        effects=[_("The team writes on and submits it again.")],
    )
    form = CommentForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, plan, actions.return_data_plan, act, form=form)
