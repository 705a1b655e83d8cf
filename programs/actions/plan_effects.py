"""What a plan that is approved does to the project, and what its hash is made of: for every way of approving one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Refused
from common.fiscal_year import date_text
from common.states import locked, move
from programs import planning
from programs.models import TABLES, ChangeRequest, Milestone, PlanMilestone, PlanVersion, Project, plan_of
from programs.rules.plans import plan_in_force
from programs.states import PROJECT_MOVES


def refuse_dates(row: PlanVersion, decided_on: date, effective_on: date, today: date) -> None:
    """This function will refuse a decision that lies ahead and a plan that would begin before the one in force."""
    if decided_on > today:
        raise Refused(_("The day of the decision cannot lie ahead."), "future", "decided_on")
    base = plan_in_force(row.project_id, date.max)
    if base is not None and base.effective_on is not None and effective_on <= base.effective_on:
        day = date_text(base.effective_on, get_language() or "ja")
        message = _("The plan before is in force from %(day)s. Choose a later day.") % {"day": day}
        raise Refused(message, "before_the_last", "effective_on")


def carry_milestones(version: PlanVersion, by: User, at: datetime) -> None:
    """This function will let the project's milestones follow the plan.

    What was reached stays, what left the plan is dropped with a mark.
    """
    project = version.project
    have = {milestone.number: milestone for milestone in project.milestones.select_for_update(of=("self",))}
    planned = {int(row.key.removeprefix("M")): row for row in PlanMilestone.objects.filter(version=version)}
    for number, row in planned.items():
        milestone = have.get(number) or Milestone(project=project, number=number, baseline_on=row.planned_on)
        milestone.title, milestone.planned_on, milestone.is_dropped = row.title, row.planned_on, False
        milestone.criterion, milestone.trl_level = row.criterion[:300], row.trl_level
        milestone.baseline_on = milestone.baseline_on or row.planned_on
        milestone.save()
    for number, milestone in have.items():
        if number not in planned and milestone.reached_on is None and not milestone.is_dropped:
            milestone.is_dropped = True
            milestone.save(update_fields=["is_dropped"])
            record("drop_milestone", project, by=by, at=at, after={"number": number, "title": milestone.title})


def carry_project(version: PlanVersion, by: User, at: datetime) -> None:
    """This function will start a planned project with its first plan, and stop one whose change asks for it."""
    project = locked(Project, version.project_id)
    request = getattr(version, "change_request", None)
    if request is not None and request.kind == ChangeRequest.Kind.STOP:
        before = move(project, "stop", PROJECT_MOVES)
        after = {"state": project.state, "plan": version.ref}
        record("stop_project", project, by=by, at=at, before={"state": before}, after=after, reason=request.reason)
    elif project.state == Project.State.PLANNED:
        before = move(project, "start", PROJECT_MOVES)
        record("start_project", project, by=by, at=at, before={"state": before}, after={"state": project.state})


def plan_content(version: PlanVersion) -> list[Any]:
    """This function will return what a version's hash is made of: its items, in a fixed order."""
    items = plan_of(version).items
    return [[part.__name__, key, items[part, key]] for part, key in sorted(items, key=lambda a: (a[0].__name__, a[1]))]


def copy_items(base: PlanVersion, version: PlanVersion) -> None:
    """This function will copy all items of a version into a new one."""
    for table in TABLES.values():
        rows = list(table._default_manager.filter(version=base).order_by("pk"))
        for row in rows:
            row.pk, row.version, row.revision = None, version, 0
        table._default_manager.bulk_create(rows)


def copy_cut_short(base: PlanVersion, version: PlanVersion, ends_on: date) -> None:
    """This function will copy of a version what remains of it when the project ends on this day."""
    copy_items(base, version)
    before = plan_of(base)
    for change in planning.difference(before, planning.ended(before, ends_on)):
        table = TABLES.get(change.part)
        if table is None:  # the frame, which is the version itself
            continue
        rows: Any = table._default_manager.filter(version=version, key=change.key)
        if change.after is None:
            rows.delete()
        elif isinstance(change.after, planning.WorkPackage):
            rows.update(ends_on=change.after.ends_on)
