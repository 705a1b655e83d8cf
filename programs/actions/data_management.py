"""Data management plans: written by the team, submitted, confirmed by the PO or the PD; then the next version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, clean_line
from programs import notices
from programs.models import DataManagementPlan, DataSet, Project
from programs.queries.plans import participants
from programs.queries.risks import data_sets_of
from programs.rules.risks import data_plan_actions, data_plan_blockers, data_set_blockers, may_open_data_plan
from programs.states import DATA_PLAN_MOVES

LINES = ("name", "reason", "licence", "location")
FIELDS = ("description", "organization", "sharing", "embargo_until", *LINES)
NOT_NOW = "This step is not open to you in the present state of the data management plan."


@transaction.atomic
def open_data_plan(project: Project, *, by: User, at: datetime) -> DataManagementPlan:
    """This function will open the next version: empty the first time, then a copy of the confirmed one."""
    project = locked(Project, project.pk)
    if not may_open_data_plan(by, project):
        raise NotAllowed(_("The project's team opens a version, and only while no other one is open."))
    last = DataManagementPlan.objects.filter(project=project).order_by("-number").first()
    made = DataManagementPlan.objects.create(
        project=project, number=last.number + 1 if last else 1, policy=last.policy if last else "", opened_by=by,
        opened_at=at, is_sample=project.is_sample,
    )  # fmt: skip
    for row in data_sets_of(last) if last else []:
        row.pk, row.plan = None, made
        row.save(force_insert=True)
    record("open_data_plan", project, by=by, at=at, after={"version": made.number})
    return made


@transaction.atomic
def save_data_policy(
    plan: DataManagementPlan, *, policy: str, revision: int, by: User, at: datetime
) -> DataManagementPlan:
    """This function will save how data are kept and shared if nobody saved since. Raises `StaleEdit` or `NotAllowed`."""
    row = _locked_for(plan, "data_plan.edit", by)
    text = clean(policy).strip()
    if text == row.policy:
        return row
    if revision != row.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=row.policy, submitted=text, field="policy")
    row.policy, row.revision = text, row.revision + 1
    row.save(update_fields=["policy", "revision"])
    record("save_data_plan", row.project, by=by, at=at, after={"version": row.number, "characters": len(text)})
    return row


@transaction.atomic
def save_data_set(
    plan: DataManagementPlan, *, values: Mapping[str, Any], key: str = "", by: User, at: datetime
) -> DataSet:
    """This function will save a data set; a new one without `key`. Raises `NotAllowed` or `NotReady`."""
    row = _locked_for(plan, "data_plan.edit", by)
    typed = {name: values.get(name) for name in FIELDS}
    for name in LINES:
        typed[name] = clean_line(typed[name] or "").strip()
    typed["description"] = clean(typed["description"] or "").strip()
    organizations = {one.pk for one in participants(row.project)}
    if blockers := data_set_blockers(typed, organizations=organizations, today=localdate(at)):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    if key:
        made = DataSet.objects.filter(plan=row, key=key).first()
        if made is None:
            raise Refused(_("This data set is not in the plan any more. Open the page again."), "gone")
        for name, value in typed.items():
            setattr(made, name, value)
        made.save(update_fields=list(FIELDS))
    else:
        made = DataSet.objects.create(plan=row, key=_next_key(row), **typed)
    after = {"version": row.number, "data_set": made.name, "sharing": made.sharing}
    record("save_data_set", row.project, by=by, at=at, after=after)
    return made


def _next_key(plan: DataManagementPlan) -> str:
    # Counted over all versions, so that a key never comes back for something else.
    keys = DataSet.objects.filter(plan__project=plan.project_id).values_list("key", flat=True)
    return f"DS{max((int(key[2:]) for key in keys), default=0) + 1}"


@transaction.atomic
def remove_data_set(plan: DataManagementPlan, *, key: str, by: User, at: datetime) -> None:
    """This function will take a data set out of an open version."""
    row = _locked_for(plan, "data_plan.edit", by)
    found = DataSet.objects.filter(plan=row, key=key).first()
    if found is not None:
        record("remove_data_set", row.project, by=by, at=at, after={"version": row.number, "data_set": found.name})
        found.delete()


@transaction.atomic
def submit_data_plan(plan: DataManagementPlan, *, by: User, at: datetime) -> DataManagementPlan:
    """This function will hand a version in. Raises `NotReady` with what is in the way."""
    row = _locked_for(plan, "data_plan.submit", by)
    if blockers := data_plan_blockers(row, data_sets_of(row), localdate(at)):
        raise NotReady(_("Something is still missing."), blockers)
    row.submitted_by, row.submitted_at, row.returned_note = by, at, ""
    move(row, "submit", DATA_PLAN_MOVES, also=("submitted_by", "submitted_at", "returned_note"))
    record("submit_data_plan", row.project, by=by, at=at, after={"version": row.number})
    notices.data_plan_moved(row, "submit", at=at)
    return row


@transaction.atomic
def confirm_data_plan(plan: DataManagementPlan, *, by: User, at: datetime) -> DataManagementPlan:
    """This function will confirm a version, for good; by the PO or the PD, never who submitted it."""
    row = _locked_for(plan, "data_plan.confirm", by)
    row.confirmed_by, row.confirmed_at = by, at
    move(row, "confirm", DATA_PLAN_MOVES, also=("confirmed_by", "confirmed_at"))
    record("confirm_data_plan", row.project, by=by, at=at, after={"version": row.number})
    notices.data_plan_moved(row, "confirm", at=at)
    return row


@transaction.atomic
def return_data_plan(plan: DataManagementPlan, *, comment: str, by: User, at: datetime) -> DataManagementPlan:
    """This function will give a version back to the team, with what to change."""
    row = _locked_for(plan, "data_plan.return", by)
    said = clean(comment).strip()
    if not said:
        raise Refused(_("Say what should be changed, or why not."), "required", "comment")
    row.returned_note = said
    move(row, "return", DATA_PLAN_MOVES, also=("returned_note",))
    record("return_data_plan", row.project, by=by, at=at, after={"version": row.number}, reason=said)
    notices.data_plan_moved(row, "return", at=at)
    return row


def _locked_for(plan: DataManagementPlan, act: str, by: User) -> DataManagementPlan:
    row = locked(DataManagementPlan, plan.pk)
    if act not in data_plan_actions(by, row):
        raise NotAllowed(_(NOT_NOW))
    return row
