"""Who keeps what a project keeps on record beside its plan: risks, collaborations, data sets; and what is in the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.countries import HOME, countries
from common.errors import Blocker
from programs.models import Collaboration, DataManagementPlan, DataSet, Project, Risk
from programs.rules import (
    NOTHING,
    projects_led_by,
    projects_of_headquarters,
    projects_of_member,
    projects_supported_by,
    projects_visible,
)
from programs.states import DATA_PLAN_MOVES, DATA_PLAN_WRITABLE, RISK_MOVES

#: The words of a score, from the largest down; 1 to 25.
GRADES = ((15, "high"), (8, "middle"), (1, "low"))


def grade_of(score: int) -> str:
    """This function will grade likelihood x effect: high from 15, middle from 8, else low."""
    return next(grade for least, grade in GRADES if score >= least)


def of_visible_projects(user: object) -> Q:
    """This function will return the condition for rows of the projects that this user or client may see."""
    return Q(project__in=Project.objects.filter(projects_visible(user)))


def projects_kept_by(user: object) -> Q:
    """This function will return the condition for the projects whose risks and collaborations the user writes.

    The team, its HQ, and the program officer.
    """
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    kept = projects_of_member(me) | projects_of_headquarters(me) | projects_supported_by(user)
    return projects_visible(user) & kept


def may_keep(user: object, project: Project) -> bool:
    """This function will tell whether the user writes the project's risks and collaborations."""
    return Project.objects.filter(projects_kept_by(user), pk=project.pk).exists()


def risk_actions(user: object, risk: Risk) -> set[str]:
    """This function will return what the user may do with the risk now: `risk.edit`, `risk.answer`, ..."""
    kept, led = _roles(user, risk.project_id)
    allowed = set()
    if kept and risk.state != Risk.State.CLOSED:
        allowed.add("risk.edit")
    acts = (["escalate", "close", "reopen"] if kept else []) + (["answer", "close"] if led else [])
    return allowed | {f"risk.{act}" for act in acts if risk.state in RISK_MOVES[act].sources}


def _roles(user: object, project_id: int) -> tuple[bool, bool]:
    me = grants_of(user).person_id
    if me is None:
        return False, False
    columns = [ExpressionWrapper(one, BooleanField()) for one in (projects_kept_by(user), projects_led_by(user))]
    visible = Project.objects.filter(projects_visible(user), pk=project_id)
    found = visible.values_list(*columns).first() or (False, False)
    return bool(found[0]), bool(found[1])


def risks_to_act_on(user: object) -> Q:
    """This function will return the condition for what waits for this person: escalated to the PD, or own and due."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    led = Project.objects.filter(projects_visible(user) & projects_led_by(user))
    seen = Project.objects.filter(projects_visible(user))
    return Q(state=Risk.State.ESCALATED, project__in=led) | Q(state=Risk.State.OPEN, owner=me, project__in=seen)


def data_plans_visible(user: object) -> Q:
    """This function will return the condition for the data management plans this user or client may read.

    The team reads what it writes, everybody else a version from its submission on.
    """
    me = grants_of(user).person_id
    own = NOTHING
    if me is not None:
        team = projects_of_member(me) | projects_of_headquarters(me)
        own = Q(project__in=Project.objects.filter(team))
    return of_visible_projects(user) & (Q(state__in=["submitted", "confirmed"]) | own)


def data_plan_actions(user: object, plan: DataManagementPlan) -> set[str]:
    """This function will return what the user may do with the version now: `data_plan.edit`, `data_plan.confirm`, ..."""
    me = grants_of(user).person_id
    if me is None:
        return set()
    team = projects_of_member(me) | projects_of_headquarters(me)
    heads = projects_led_by(user) | projects_supported_by(user)
    columns = [ExpressionWrapper(one, BooleanField()) for one in (team, heads)]
    found = Project.objects.filter(projects_visible(user), pk=plan.project_id).values_list(*columns).first()
    writes, confirms = found or (False, False)
    allowed = set()
    if writes and plan.state in DATA_PLAN_WRITABLE:
        allowed |= {"data_plan.edit", "data_plan.submit"}
    if confirms and plan.submitted_by_id != getattr(user, "pk", None):
        allowed |= {f"data_plan.{act}" for act in ("confirm", "return") if plan.state in DATA_PLAN_MOVES[act].sources}
    return allowed


def data_plans_to_confirm(user: object) -> Q:
    """This function will return the condition for the data plans that wait for this officer; others confirm on the page."""
    supported = Project.objects.filter(projects_visible(user) & projects_supported_by(user))
    return Q(state="submitted", project__in=supported) & ~Q(submitted_by=getattr(user, "pk", None))


def may_open_data_plan(user: object, project: Project) -> bool:
    """This function will tell whether the user may open the project's next version now."""
    me = grants_of(user).person_id
    if me is None:
        return False
    team = projects_of_member(me) | projects_of_headquarters(me)
    may = Project.objects.filter(projects_visible(user) & team, pk=project.pk).exists()
    return may and not DataManagementPlan.objects.filter(project=project).exclude(state="confirmed").exists()


# What is in the way ---------------------------------------------------------------------------------------------------


def risk_blockers(values: Mapping[str, Any], *, owners: set[int], today: date, is_new: bool) -> list[Blocker]:
    """This function will list what stands in the way of saving a risk."""
    found = [
        Blocker(name, "required", _("Enter this."))
        for name in ("title", "measure")
        if not str(values.get(name) or "").strip()
    ]
    for name in ("likelihood", "effect"):
        if values.get(name) not in range(1, 6):
            found.append(Blocker(name, "grade", _("Choose a grade from 1 to 5.")))
    if values.get("kind") not in Risk.Kind.values:
        found.append(Blocker("kind", "required", _("Choose whether it is a risk or an issue.")))
    if getattr(values.get("owner"), "pk", None) not in owners:
        found.append(Blocker("owner", "no_member", _("Choose somebody who takes part in the project.")))
    if is_new and values["due_on"] < today:
        found.append(Blocker("due_on", "past", _("The day has passed. Enter the day by which the measure is to work.")))
    return found


def collaboration_blockers(values: Mapping[str, Any], *, today: date) -> list[Blocker]:
    """This function will list what stands in the way of saving a collaboration."""
    found = [
        Blocker(name, "required", _("Enter this."))
        for name in ("partner", "subject")
        if not str(values.get(name) or "").strip()
    ]
    if values["country"] not in countries():
        found.append(Blocker("country", "unknown", _("Choose a country of the list.")))
    elif values["kind"] == Collaboration.Kind.ABROAD and values["country"] == HOME:
        found.append(Blocker("country", "not_abroad", _("A collaboration abroad has another country than Japan.")))
    if values.get("ends_on") and values["ends_on"] < values["starts_on"]:
        found.append(Blocker("ends_on", "dates_out_of_order", _("The last day cannot be before the first.")))
    if (values.get("contribution_yen") or 0) < 0:
        found.append(Blocker("contribution_yen", "negative", _("Enter 0 or more.")))
    signed, agreed_on = values["agreement"] == Collaboration.Agreement.SIGNED, values.get("agreed_on")
    if signed and not agreed_on:
        found.append(Blocker("agreed_on", "required", _("Enter the day on which the agreement was signed.")))
    if agreed_on and (agreed_on > today or not signed):
        message = _("Enter a day that has come, and only for an agreement that is signed.")
        found.append(Blocker("agreed_on", "not_signed", message))
    return found + _export_blockers(values, today)


def _export_blockers(values: Mapping[str, Any], today: date) -> list[Blocker]:
    found = []
    if values["export_control"] != Collaboration.ExportControl.OPEN:
        if not values.get("export_checked_on"):
            found.append(Blocker("export_checked_on", "required", _("Enter the day of the check.")))
        elif values["export_checked_on"] > today:
            found.append(Blocker("export_checked_on", "future", _("The day of the check lies in the future.")))
        if not str(values.get("export_checked_by") or "").strip():
            found.append(Blocker("export_checked_by", "required", _("Enter who checked.")))
    return found


def needs_export_check(row: Collaboration, today: date) -> bool:
    """This function will tell whether a collaboration with a partner abroad runs or is signed without a finished check."""
    is_abroad = row.country != HOME or row.kind == Collaboration.Kind.ABROAD
    runs = row.starts_on <= today and (row.ends_on is None or row.ends_on >= today)
    is_open = row.export_control == Collaboration.ExportControl.OPEN
    return is_abroad and is_open and (runs or row.agreement == Collaboration.Agreement.SIGNED)


def data_set_blockers(values: Mapping[str, Any], *, organizations: set[int], today: date) -> list[Blocker]:
    """This function will list what stands in the way of saving a data set."""
    found = []
    if not str(values.get("name") or "").strip():
        found.append(Blocker("name", "required", _("Enter this.")))
    if getattr(values.get("organization"), "pk", None) not in organizations:
        found.append(Blocker("organization", "no_part", _("Choose an institution of the project.")))
    sharing, until = values.get("sharing"), values.get("embargo_until")
    if sharing == DataSet.Sharing.EMBARGO and (not until or until <= today):
        found.append(Blocker("embargo_until", "past", _("Enter the day, still to come, on which the embargo ends.")))
    if sharing != DataSet.Sharing.EMBARGO and until:
        found.append(
            Blocker("embargo_until", "no_embargo", _("Only an embargo has a day. Choose it, or empty the field."))
        )
    if sharing == DataSet.Sharing.CLOSED and not str(values.get("reason") or "").strip():
        found.append(Blocker("reason", "required", _("Say why the data cannot be shared.")))
    if sharing == DataSet.Sharing.OPEN and not str(values.get("licence") or "").strip():
        found.append(
            Blocker("licence", "required", _("Enter the licence under which the data are open, such as CC BY 4.0."))
        )
    return found


def data_plan_blockers(plan: DataManagementPlan, data_sets: list[DataSet], today: date) -> list[Blocker]:
    """This function will list what stands in the way of submitting or confirming a version."""
    found = []
    if not plan.policy.strip():
        found.append(Blocker("policy", "required", _("Write how data are kept and shared.")))
    if not data_sets:
        found.append(Blocker("data-sets", "required", _("Enter at least one data set.")))
    for one in data_sets:
        if one.sharing == DataSet.Sharing.EMBARGO and one.embargo_until and one.embargo_until <= today:
            message = _("The embargo of “%(name)s” is over. Say how it is shared now.") % {"name": one.name}
            found.append(Blocker(f"data-set-{one.key}", "embargo_over", message))
    return found
