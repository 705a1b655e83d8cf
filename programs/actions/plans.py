"""Plans in versions: open, write, hand in, check, confirm, approve. What is approved never changes: the next version does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from common.audit import record
from common.canonical import content_hash
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import date_text, fiscal_year_of
from common.fiscal_year import ends_on as year_ends_on
from common.fiscal_year import starts_on as year_starts_on
from common.states import locked, move
from common.text import clean, clean_line
from programs import notices
from programs.actions.plan_effects import carry_milestones, carry_project, copy_cut_short, plan_content, refuse_dates
from programs.models import (
    ChangeRequest,
    CostCategory,
    PlanBudget,
    PlanComment,
    PlanItem,
    PlanMilestone,
    PlanVersion,
    PlanYear,
    Project,
)
from programs.rules.plans import (
    PlanRights,
    part_writable,
    plan_actions,
    plan_blockers,
    plan_in_force,
    plan_openable,
    plan_rights,
)
from programs.states import PLAN_MOVES, PLAN_OPEN

#: Fiscal years that a plan can touch; a slip such as 3026 would give it a thousand columns.
PLAN_YEARS = range(1990, 2101)
#: How the keys of new items begin; the tables that are not here make their keys of what they hold.
PREFIXES = {"planworkpackage": "WP", "planmilestone": "M", "plandeliverable": "D", "plangate": "G"}


# Opening --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def open_plan(
    project: Project,
    *,
    kind: str = "",
    reason: str = "",
    wanted_from: date | None = None,
    ends_on: date | None = None,
    by: User,
    at: datetime,
) -> PlanVersion:
    """This function will open the project's next plan version: empty the first time, then a copy of the approved one.

    From the second version on `kind` says what change it asks for (approval, notice, stop); a stop copies what remains
    when the project ends on `ends_on`. Raises `NotAllowed`, or `Refused` while another version is open, a kind is
    missing, or a stop has no last day within the plan.
    """
    project = locked(Project, project.pk)
    if PlanVersion.objects.filter(project=project, state__in=PLAN_OPEN).exists():
        raise Refused(_("There is an open version of the plan already. Finish or withdraw it first."), "already_open")
    if not plan_openable(by, project):
        raise NotAllowed(_("Only the principal investigator and the HQ open a plan."))
    base = plan_in_force(project.pk, date.max)
    if base is not None and kind not in ChangeRequest.Kind.values:
        raise Refused(_("Choose what kind of change this is."), "required", "kind")
    last_day = _last_day(base, kind, ends_on)
    this_year = fiscal_year_of(localdate(at))
    last = PlanVersion.objects.filter(project=project).order_by("-number").first()
    version = PlanVersion.objects.create(
        project=project,
        number=last.number + 1 if last else 1,
        base=base,
        starts_on=base.starts_on if base else year_starts_on(project.start_fiscal_year or this_year),
        ends_on=last_day or year_ends_on(project.end_fiscal_year or project.start_fiscal_year or this_year),
        summary=base.summary if base else "",
        opened_by=by,
        opened_at=at,
        is_sample=project.is_sample,
    )
    if base is not None and last_day is not None:
        copy_cut_short(base, version, last_day)
        ChangeRequest.objects.create(version=version, kind=kind, reason=clean(reason).strip(), wanted_from=wanted_from)
    record("open_plan", project, by=by, at=at, after={"plan": version.ref, "version": version.number, "kind": kind})
    return version


def _last_day(base: PlanVersion | None, kind: str, ends_on: date | None) -> date | None:
    if base is None:
        return None
    if kind != ChangeRequest.Kind.STOP:
        if ends_on is not None:
            message = _("Only a stop ends the project. Leave this empty, or choose the stop.")
            raise Refused(message, "no_stop", "ends_on")
        return base.ends_on
    if ends_on is None:
        raise Refused(_("Enter the last day of the project."), "required", "ends_on")
    if not base.starts_on <= ends_on < base.ends_on:
        message = _("The plan runs from %(start)s to %(end)s. Choose a day before its end.")
        days = {"start": base.starts_on, "end": base.ends_on}
        named = {name: date_text(day, get_language() or "ja") for name, day in days.items()}
        raise Refused(message % named, "outside_the_plan", "ends_on")
    return ends_on


# Writing --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_frame(
    version: PlanVersion, *, starts_on: date, ends_on: date, summary: str, revision: int, by: User, at: datetime
) -> PlanVersion:
    """This function will save the period and the summary if nobody saved since `revision`.

    Raises `StaleEdit`, `NotAllowed`, or `Refused` for a period that ends before it starts.
    """
    row = _locked_for(version, "plan.edit", by, _("You cannot write this part of the plan now. Open the page again."))
    summary = clean(summary).strip()
    typed = {"starts_on": starts_on, "ends_on": ends_on, "summary": summary}
    if ends_on < starts_on:
        raise Refused(_("The last day cannot be before the first."), "dates_out_of_order", "ends_on")
    for field, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if fiscal_year_of(day) not in PLAN_YEARS:
            raise Refused(_("Check the year: a plan lies between 1990 and 2100."), "year", field)
    before = {name: getattr(row, name) for name in typed}
    if before == typed:
        return row
    if revision != row.revision:
        raise _stale(row, typed)
    row.starts_on, row.ends_on, row.summary, row.revision = starts_on, ends_on, summary, row.revision + 1
    row.save(update_fields=[*typed, "revision"])
    record("save_plan", row.project, by=by, at=at, before=_plain(before), after={"plan": row.ref, **_plain(typed)})
    return row


@transaction.atomic
def save_change_reason(
    version: PlanVersion,
    *,
    reason: str,
    wanted_from: date | None,
    revision: int | None = None,
    by: User,
    at: datetime,
) -> ChangeRequest:
    """This function will save why the change is asked for and from when it should hold.

    With `revision`, the version's that the writer saw, raises `StaleEdit` when somebody saved since.
    """
    row = _locked_for(version, "plan.edit", by, _("You cannot write this part of the plan now. Open the page again."))
    request = locked(ChangeRequest, row.change_request.pk)
    before = {"reason": request.reason, "wanted_from": request.wanted_from}
    typed = {"reason": clean(reason).strip(), "wanted_from": wanted_from}
    if before == typed:
        return request
    if revision is not None and revision != row.revision:
        raise _stale(request, typed)
    request.reason, request.wanted_from, row.revision = clean(reason).strip(), wanted_from, row.revision + 1
    request.save(update_fields=["reason", "wanted_from"])
    row.save(update_fields=["revision"])
    after = {"plan": row.ref, **_plain(typed)}
    record("save_change_reason", row.project, by=by, at=at, before=_plain(before), after=after)
    return request


@transaction.atomic
def save_item(
    version: PlanVersion,
    table: type[PlanItem],
    *,
    values: Mapping[str, Any],
    key: str = "",
    revision: int = 0,
    by: User,
    at: datetime,
) -> PlanItem:
    """This function will write one item, a new one without `key`, if nobody saved it since `revision`.

    `values` are the fields of the table. Raises `StaleEdit` with both, `NotAllowed`, `NotReady` with what is wrong in
    which field.
    """
    locked(Project, version.project_id)
    parent = locked(PlanVersion, version.pk)
    row: Any = table._default_manager.select_for_update(of=("self",)).filter(version=parent, key=key).first()
    if key and row is None:
        raise Refused(_("Somebody removed this in the meantime. Open the page again."), "gone", key)
    before, rights = _told(row) if row else {}, plan_rights(by, parent)
    if row is not None:
        _refuse_foreign(rights, row)
    typed = {name: clean(value).strip() if isinstance(value, str) else value for name, value in values.items()}
    if row is not None and revision != row.revision and any(getattr(row, n) != v for n, v in typed.items()):
        raise _stale(row, typed)
    item = row or table(version=parent)
    for name, value in typed.items():
        setattr(item, name, value)
    _refuse_foreign(rights, item)
    item.key = key or _new_key(item)
    if not key and table._default_manager.filter(version=parent, key=item.key).exists():
        raise NotReady(_("Not saved. Correct what is marked."), [_already(item)])
    item.revision += bool(row)
    _check(item)
    item.save()
    record("save_plan_item", parent.project, by=by, at=at, before=before, after={"plan": parent.ref, **_told(item)})
    return item


@transaction.atomic
def remove_item(
    version: PlanVersion, table: type[PlanItem], *, key: str, revision: int, by: User, at: datetime
) -> None:
    """This function will take an item out of the version if nobody saved it since `revision`."""
    locked(Project, version.project_id)
    parent = locked(PlanVersion, version.pk)
    row: Any = table._default_manager.select_for_update(of=("self",)).filter(version=parent, key=key).first()
    if row is None:
        return
    _refuse_foreign(plan_rights(by, parent), row)
    if revision != row.revision:
        raise _stale(row, {})
    before = _told(row)
    row.delete()
    record("remove_plan_item", parent.project, by=by, at=at, before=before, after={"plan": parent.ref})


@transaction.atomic
def save_money(
    version: PlanVersion,
    *,
    cells: Mapping[tuple[int, int, int], int],
    totals: Mapping[int, int] | None = None,
    revisions: Mapping[str, int] | None = None,
    by: User,
    at: datetime,
) -> int:
    """This function will write budget cells (yen by fiscal year, institution's and category's pk) and totals of years.

    A cell of 0 is taken out. `revisions` are those the writer saw, by key (0 for a cell that was not there). All or
    nothing; returns how many changed. Raises `StaleEdit`, `NotAllowed`, `NotReady`.
    """
    locked(Project, version.project_id)
    parent = locked(PlanVersion, version.pk)
    rights, changed = plan_rights(by, parent), 0
    categories = CostCategory.objects.in_bulk({category for _year, _organization, category in cells})
    organizations = Organization.objects.in_bulk({organization for _year, organization, _category in cells})
    items: list[tuple[Any, int]] = [
        (
            PlanBudget(
                version=parent,
                fiscal_year=year,
                organization=organizations[organization_id],
                category=categories[category_id],
            ),
            amount,
        )
        for (year, organization_id, category_id), amount in cells.items()
    ]
    items += [(PlanYear(version=parent, fiscal_year=year), total) for year, total in (totals or {}).items()]
    for item, amount in items:
        _refuse_foreign(rights, item)
        changed += _save_amount(parent, item, amount, revisions)
    if changed:
        after = {"plan": parent.ref, "cells": len(cells), "totals": len(totals or {}), "changed": changed}
        record("save_plan_money", parent.project, by=by, at=at, after=after)
    return changed


def _save_amount(parent: PlanVersion, item: Any, amount: int, revisions: Mapping[str, int] | None) -> bool:
    item.key, name = _new_key(item), "total_yen" if isinstance(item, PlanYear) else "amount_yen"
    rows = type(item)._default_manager.select_for_update(of=("self",))
    row: Any = rows.filter(version=parent, key=item.key).first()
    if (getattr(row, name) if row else 0) == amount:
        return False
    if revisions is not None and revisions.get(item.key, 0) != (row.revision + 1 if row else 0):
        raise _stale(row or item, {name: amount})
    if amount == 0:
        row.delete()
        return True
    if row is not None:
        row.revision += 1
        item = row
    setattr(item, name, amount)
    _check(item)
    item.save()
    return True


def _refuse_foreign(rights: PlanRights, item: Any) -> None:
    if not part_writable(rights, getattr(item, "organization_id", None)):
        raise NotAllowed(_("You can write your own institution's part only, while the plan is being written."))


def _new_key(item: Any) -> str:
    if isinstance(item, PlanYear):
        return str(item.fiscal_year)
    if isinstance(item, PlanBudget):
        return f"{item.fiscal_year}/{item.organization.ref if item.organization else ''}/{item.category.ref}"
    prefix = PREFIXES.get(item._meta.model_name)
    if prefix is None:
        return f"{item.fiscal_year}/{item.organization.ref if item.organization else ''}/{item.person.ref}"
    # A number is never used twice, not even after the item is gone: numbers stand in letters and minutes.
    keys = type(item)._default_manager.filter(version__project=item.version.project, key__startswith=prefix)
    used = keys.values_list("key", flat=True)
    numbers = {int(key.removeprefix(prefix)) for key in used if key[len(prefix) :].isdigit()}
    if isinstance(item, PlanMilestone):
        # The project may have milestones from before its first plan: the same one keeps its number, a new one takes none.
        before = dict(item.version.project.milestones.values_list("title", "number"))
        if before.get(item.title, 0) not in {0, *numbers}:
            return f"{prefix}{before[item.title]}"
        numbers |= set(before.values())
    return f"{prefix}{max(numbers, default=0) + 1}"


def _already(item: Any) -> Blocker:
    # Only an effort names itself by what is typed.
    message = _("%(person)s has an effort of %(percent)s%% in this year already. Change that entry.")
    saved = type(item)._default_manager.get(version=item.version, key=item.key)
    return Blocker("fiscal_year", "already_there", message % {"person": item.person, "percent": saved.effort_percent})


def _check(item: PlanItem) -> None:
    try:
        item.full_clean(exclude=["version"])
    except ValidationError as error:
        blockers = [
            Blocker("" if name == "__all__" else name, "invalid", text)
            for name, texts in error.message_dict.items()
            for text in texts
        ]
        raise NotReady(_("Not saved. Correct what is marked."), blockers) from None


def _stale(row: Any, typed: Mapping[str, Any]) -> StaleEdit:
    return StaleEdit(
        _("Somebody else saved this in the meantime. Both are shown; put them together and save."),
        current=row,
        submitted=dict(typed),
        field=getattr(row, "key", ""),
    )


def _told(item: Any) -> dict[str, Any]:
    skipped = ("id", "version", "revision")
    return {f.name: str(getattr(item, f.name) or "") for f in item._meta.concrete_fields if f.name not in skipped}


def _plain(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in values.items()}


# Handing in, checking, approving --------------------------------------------------------------------------------------


@transaction.atomic
def submit_plan(version: PlanVersion, *, by: User, at: datetime) -> PlanVersion:
    """This function will hand the version to the PO. Raises `NotReady` with everything that is missing."""
    row = _locked_for(version, "plan.submit", by, _("Only the principal investigator submits the plan."))
    if blockers := plan_blockers(row, localdate(at)):
        raise NotReady(_("The plan is not complete yet."), blockers)
    row.submitted_by, row.submitted_at = by, at
    row.checked_by = row.checked_at = row.confirmed_by = row.confirmed_at = None
    row.approval_drafted_by = row.approval_drafted_at = None
    row.decision_number = ""
    row.content_hash = content_hash(plan_content(row))
    also = (
        "submitted_by", "submitted_at", "checked_by", "checked_at", "confirmed_by", "confirmed_at",
        "approval_drafted_by", "approval_drafted_at", "decision_number", "content_hash",
    )  # fmt: skip
    return _moved(row, "submit", by, at, also=also)


@transaction.atomic
def check_plan(version: PlanVersion, *, by: User, at: datetime) -> PlanVersion:
    """This function will record the PO's check; the PD comes next."""
    row = _locked_for(version, "plan.check", by, _("Only the area's program officer checks a submitted plan."))
    row.checked_by, row.checked_at = by, at
    return _moved(row, "check", by, at, also=("checked_by", "checked_at"))


@transaction.atomic
def confirm_plan(version: PlanVersion, *, by: User, at: datetime) -> PlanVersion:
    """This function will record the PD's confirmation; the contracting party comes next."""
    row = _locked_for(version, "plan.confirm", by, _("Only the area's program director confirms a checked plan."))
    row.confirmed_by, row.confirmed_at = by, at
    return _moved(row, "confirm", by, at, also=("confirmed_by", "confirmed_at"))


@transaction.atomic
def propose_plan_approval(version: PlanVersion, *, decision_number: str, by: User, at: datetime) -> PlanVersion:
    """This function will draft the approval (起案) under its number (決裁番号); somebody else approves."""
    why = _("Only the contracting party drafts the approval of a confirmed plan.")
    row = _locked_for(version, "plan.propose_approval", by, why)
    number = clean_line(decision_number).strip()
    if not number:
        raise Refused(_("Enter the number of the decision."), "required", "decision_number")
    row.approval_drafted_by, row.approval_drafted_at, row.decision_number = by, at, number
    also = ("approval_drafted_by", "approval_drafted_at", "decision_number")
    return _moved(row, "propose_approval", by, at, also=also)


@transaction.atomic
def approve_plan(version: PlanVersion, *, decided_on: date, effective_on: date, by: User, at: datetime) -> PlanVersion:
    """This function will approve the version: in force from `effective_on`, frozen, its milestones the project's own.

    The approver is never who drafted the approval; the database checks it too. An approved stop stops the project.
    Raises `NotAllowed`, `NotReady` when the plan no longer fits, `Refused` for dates that cannot be.
    """
    why = _("Another officer of the contracting party than the one who drafted it approves.")
    row = _locked_for(version, "plan.approve", by, why)
    refuse_dates(row, decided_on, effective_on, localdate(at))
    # Gates are asked about the day from which the plan holds: by then their phase may have started.
    if blockers := plan_blockers(row, max(localdate(at), effective_on)):
        raise NotReady(_("The plan no longer fits. Return it to the team."), blockers)
    row.approved_by, row.approved_at, row.decided_on, row.effective_on = by, at, decided_on, effective_on
    row = _moved(row, "approve", by, at, also=("approved_by", "approved_at", "decided_on", "effective_on"))
    carry_milestones(row, by, at)
    carry_project(row, by, at)
    return row


@transaction.atomic
def return_plan(version: PlanVersion, *, comment: str, item_key: str = "", by: User, at: datetime) -> PlanVersion:
    """This function will hand the version back to the team with a comment, for the whole or about one item."""
    row = _locked_for(version, "plan.return", by, _("Only who checks, confirms or approves the plan can return it."))
    _comment(row, comment, item_key, by, at, _("Write what the team should change."))
    return _moved(row, "return", by, at, reason=comment)


@transaction.atomic
def refuse_plan(version: PlanVersion, *, reason: str, by: User, at: datetime) -> PlanVersion:
    """This function will refuse the version for good; the plan before stays in force."""
    row = _locked_for(version, "plan.refuse", by, _("Only the contracting party refuses a confirmed plan."))
    _comment(row, reason, "", by, at, _("Write the reason."))
    return _moved(row, "refuse", by, at, reason=reason)


@transaction.atomic
def withdraw_plan(version: PlanVersion, *, by: User, at: datetime) -> PlanVersion:
    """This function will withdraw an open version; the plan before stays in force."""
    row = _locked_for(version, "plan.withdraw", by, _("Only the principal investigator withdraws a plan."))
    return _moved(row, "withdraw", by, at)


def _comment(row: PlanVersion, text: str, item_key: str, by: User, at: datetime, ask: str) -> None:
    said = clean(text).strip()
    if not said:
        raise Refused(ask, "required", "comment")
    PlanComment.objects.create(version=row, item_key=item_key, text=said, by=by, at=at)


def _moved(
    row: PlanVersion, step: str, by: User, at: datetime, *, also: tuple[str, ...] = (), reason: str = ""
) -> PlanVersion:
    before = move(row, step, PLAN_MOVES, also=also)
    after = {"plan": row.ref, "version": row.number, "state": row.state}
    if row.decision_number:
        after["decision_number"] = row.decision_number
    record(f"{step}_plan", row.project, by=by, at=at, before={"state": before}, after=after, reason=reason)
    notices.plan_moved(row, step, at=at)
    return row


def _locked_for(version: PlanVersion, permission: str, by: User, why: str) -> PlanVersion:
    """The version under lock, project first, if this person may do this now; else the reason as a refusal."""
    locked(Project, version.project_id)
    row = locked(PlanVersion, version.pk)
    if permission not in plan_actions(by, row):
        step = permission.removeprefix("plan.")
        if step in PLAN_MOVES and row.state not in PLAN_MOVES[step].sources:
            move(row, step, PLAN_MOVES)  # says that the state does not allow it
        raise NotAllowed(why)
    return row
