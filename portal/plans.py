"""A project's plan: the tab with what is in force, one version, and the difference between any two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import files
from portal.access import BadQuery, clock, not_found, page
from portal.forms.fields import DayField
from portal.forms.plans import ITEM_FORMS, AttachmentForm
from portal.lists import as_download
from portal.projects import find_project, show_tab
from programs import planning
from programs.models import TABLES, PlanComment, PlanRead, PlanVersion, Project, read_plans
from programs.plan_words import Difference, difference_in_words, part_label
from programs.queries import plans as queries
from programs.queries import project_label
from programs.rules.plans import PlanRights, field_of, part_writable, plan_blockers, plan_openable, plan_rights
from programs.states import (
    APPROVED,
    CHECKED,
    CONFIRMED,
    DRAFTING,
    IN_APPROVAL,
    PLAN_OPEN,
    REFUSED,
    RETURNED,
    SUBMITTED,
    WITHDRAWN,
)

#: The core's item type by the word in an address.
PART_OF = {slug: part for part, table in TABLES.items() for slug, (form, _) in ITEM_FORMS.items() if form is table}
NUMBERS = ("ref", "number")


def find_plan(user: Any, ref: str, number: int) -> Any:
    """This function will return this version of a project's plan, if the reader may read it."""
    return queries.plans_in_full(user).filter(project__ref=ref, number=number)


def may(*permissions: str) -> Callable[[Any, Any], bool]:
    """This function will return the lock of a page that needs one of these permissions on a version."""
    return lambda user, version: bool(plan_rights(user, version).actions & set(permissions))


def plan_url(version: PlanVersion, name: str = "plan", *more: Any) -> str:
    """This function will return the address of a version or of one of its pages."""
    return reverse(name, args=[version.project.ref, version.number, *more])


# The tab --------------------------------------------------------------------------------------------------------------


@page(permission="project.view", find=find_project, params=("as_of",))
def project_plan(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show the plan in force, today or on the day asked for, and all versions."""
    versions = list(queries.plan_history(request.user, project))
    today, error = localdate(clock(request)), ""
    asked, on = request.GET.get("as_of", ""), today
    try:
        on = DayField(required=False).clean(asked) or today
    except ValidationError as problem:
        error = problem.messages[0]
    current = None if error else _in_force(versions, on)
    open_version = next((one for one in versions if one.state in PLAN_OPEN), None)
    context = {
        "versions": [(one, way_of(one)) for one in versions],
        "in_force": current,
        "on": on,
        "as_of": asked or today.isoformat(),
        "error": error,
        "is_today": on == today,
        "may_open": plan_openable(request.user, project),
        "open_version": open_version,
        "compared": _pair(versions),
        **(sections(current, read_plans([current.pk])[current.pk]) if current else {}),
    }
    return show_tab(request, project, "project_plan", context)


def _in_force(versions: Iterable[PlanVersion], on: date) -> PlanVersion | None:
    held = [one for one in versions if one.state == APPROVED and one.effective_on and one.effective_on <= on]
    return max(held, key=lambda one: one.effective_on or date.min, default=None)


def _pair(versions: Sequence[PlanVersion]) -> tuple[PlanVersion, PlanVersion] | None:
    """The two versions that the choice of a difference begins with: the newest and the one before it."""
    return (versions[1], versions[0]) if len(versions) > 1 else None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a version's way that is behind it."""

    what: str
    who: str
    at: datetime


#: Step > what the list of versions says about it.
WAY = {
    "opened": gettext_lazy("opened"),
    "submitted": gettext_lazy("submitted"),
    "checked": gettext_lazy("checked by the PO"),
    "confirmed": gettext_lazy("confirmed by the PD"),
    "approval_drafted": gettext_lazy("approval drafted"),
    "approved": gettext_lazy("approved"),
}


def way_of(version: PlanVersion) -> list[Step]:
    """This function will list who did what with a version, and when."""
    return [
        Step(str(what), str(getattr(version, f"{name}_by")), getattr(version, f"{name}_at"))
        for name, what in WAY.items()
        if getattr(version, f"{name}_at") is not None
    ]


# What a version holds -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ItemShown:
    """One item as a page shows it."""

    item: Any
    anchor: str
    organization: str
    edit_url: str = ""
    comments: list[PlanComment] = field(default_factory=list)


@dataclass(slots=True)
class EffortRow:
    """One person at one institution: the share of each year."""

    name: str
    organization: str
    roles: str
    cells: list[ItemShown | None]


@dataclass(slots=True)
class PartShown:
    """One kind of item with its section of the page; `form` is open in it when it was asked for."""

    slug: str
    label: str
    items: list[ItemShown]
    add_url: str = ""
    years: tuple[int, ...] = ()
    rows: list[EffortRow] = field(default_factory=list)
    form: Any = None
    form_key: str = ""
    stale: Any = None

    @property
    def template(self) -> str:
        return f"portal/plans/parts/{self.slug}.html"


def part_shown(
    version: PlanVersion, read: PlanRead, slug: str, rights: PlanRights, comments: Sequence[PlanComment] = ()
) -> PartShown:
    """This function will lay out one kind of item, with links to write where the reader may write."""
    part = PART_OF[slug]
    said: dict[str, list[PlanComment]] = {}
    for comment in comments:
        said.setdefault(comment.item_key, []).append(comment)
    shown = []
    for item in read.plan.each(part):
        owner = read.organizations.get(getattr(item, "organization", ""))
        one = ItemShown(item, field_of(part, item.key), owner.name if owner else "", "", said.get(item.key, []))
        if part_writable(rights, owner.pk if owner else None):
            one.edit_url = plan_url(version, "plan_item", slug, item.key)
        shown.append(one)
    found = PartShown(slug, part_label(part), shown)
    if "plan.edit" in rights.actions or (rights.parts and slug != "gate"):
        found.add_url = plan_url(version, "plan_item_new", slug)
    if slug == "effort":
        _lay_out_efforts(found, read)
    return found


def _lay_out_efforts(part: PartShown, read: PlanRead) -> None:
    part.years = tuple(sorted({one.item.fiscal_year for one in part.items}))
    by_person: dict[tuple[str, str], dict[int, ItemShown]] = {}
    for one in part.items:
        by_person.setdefault((one.item.person, one.item.organization), {})[one.item.fiscal_year] = one
    for (person, organization), years in by_person.items():
        roles = "、".join(dict.fromkeys(one.item.role for one in years.values() if one.item.role))
        cells = [years.get(year) for year in part.years]
        part.rows.append(EffortRow(read.people[person].name, read.organizations[organization].name, roles, cells))


def sections(
    version: PlanVersion,
    read: PlanRead,
    rights: PlanRights | None = None,
    comments: Sequence[PlanComment] = (),
) -> dict[str, Any]:
    """This function will lay out everything a version holds; without `rights` to read only."""
    rights = rights or PlanRights()
    parts = [part_shown(version, read, slug, rights, comments) for slug in ITEM_FORMS]
    writes = bool(rights.actions & {"plan.edit", "plan.edit_part"})
    return {
        "version": version,
        "parts": [part for part in parts if part.slug != "effort"],
        "effort": parts[-1],
        "money": queries.money_grid(read),
        "money_url": plan_url(version, "plan_money") if writes else "",
        "frame_url": plan_url(version, "plan_frame") if "plan.edit" in rights.actions else "",
    }


# One version ----------------------------------------------------------------------------------------------------------

WAITING = {
    DRAFTING: gettext_lazy("Waiting for the team to write and the principal investigator to submit."),
    RETURNED: gettext_lazy("Waiting for the team to revise and submit again."),
    SUBMITTED: gettext_lazy("Waiting for the program officer's check."),
    CHECKED: gettext_lazy("Waiting for the program director's confirmation."),
    CONFIRMED: gettext_lazy("Waiting for the contracting party to draft the approval."),
    IN_APPROVAL: gettext_lazy("Waiting for another officer of the contracting party to approve."),
    APPROVED: gettext_lazy("Nothing is open: the version is approved and never changes."),
    REFUSED: gettext_lazy("Refused: the plan before stays in force."),
    WITHDRAWN: gettext_lazy("Withdrawn: the plan before stays in force."),
}


def plan_steps(version: PlanVersion) -> list[dict[str, Any]]:
    """This function will draw the version's way as steps with people."""
    labels = {
        "opened": _("Write (team)"),
        "submitted": _("Submit (principal investigator)"),
        "checked": _("Check (PO)"),
        "confirmed": _("Confirm (PD)"),
        "approval_drafted": _("Draft the approval (contracting party)"),
        "approved": _("Approve (another officer)"),
    }
    order = [DRAFTING, None, SUBMITTED, CHECKED, CONFIRMED, IN_APPROVAL, APPROVED]
    closed = version.state in (REFUSED, WITHDRAWN)
    here = 0 if version.state == RETURNED else len(order) if closed else order.index(version.state)
    steps = []
    for index, (name, label) in enumerate(labels.items()):
        is_done = getattr(version, f"{name}_at") is not None if closed else index < here
        who = getattr(version, f"{name}_by") if is_done else None
        state = "done" if is_done else "here" if index == here else "next"
        steps.append({"label": label, "state": state, "note": str(who) if who and index else ""})
    return steps


@page(permission="plan.view", find=find_plan, key=NUMBERS)
def plan_page(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will show one version: where it stands, what is missing, what it changes, and all it holds."""
    return show_plan(request, version)


def show_plan(
    request: HttpRequest, version: PlanVersion, *, attachment_form: AttachmentForm | None = None, status: int = 200
) -> HttpResponse:
    """This function will draw the page of one version."""
    rights = plan_rights(request.user, version)
    reads = read_plans([version.pk, *([version.base_id] if version.base_id else [])])
    read, comments = reads[version.pk], queries.comments_of(version)
    change = getattr(version, "change_request", None)
    allowed = {name.removeprefix("plan.").replace("_", "-") for name in rights.actions}
    context = {
        **plan_head(version),
        **sections(version, read, rights, comments),
        "allowed": allowed,
        "steps": plan_steps(version),
        "waiting_for": WAITING[version.state],
        "blockers": plan_blockers(version, localdate(clock(request)), read) if version.state in PLAN_OPEN else [],
        "comments": [(one, name_of_item(read, one.item_key)) for one in comments],
        "change": change,
        "attachments": list(queries.attachments_of(version)) if change else [],
        "attachment_form": attachment_form or (AttachmentForm() if change and "edit" in allowed else None),
        "difference": changes_of(reads, version),
        "base": version.base,
    }
    return render(request, "portal/plans/page.html", context, status=status)


def changes_of(reads: dict[int, PlanRead], version: PlanVersion) -> Difference | None:
    """This function will say what a version changes against the one it was made from; None for a first plan."""
    if version.base_id is None or version.base_id not in reads:
        return None
    return difference_in_words(reads[version.base_id], reads[version.pk])


def plan_head(version: PlanVersion) -> dict[str, Any]:
    """This function will return what every page of a version has in its head."""
    return {
        "version": version,
        "project": version.project,
        "label": project_label(version.project),
        "plan_url": plan_url(version),
        "is_sample": version.is_sample,
    }


def name_of_item(read: PlanRead, key: str) -> str:
    """This function will name the item a comment is about."""
    if not key:
        return ""
    for part in PART_OF.values():
        item = read.plan.items.get((part, key))
        if item is not None:
            return f"{key} {getattr(item, 'title', '')}".strip()
    return key


def items_to_name(read: PlanRead) -> list[tuple[str, str]]:
    """This function will list the items that a comment can be about."""
    parts = (planning.WorkPackage, planning.Milestone, planning.Deliverable, planning.Gate)
    return [(item.key, f"{item.key} {getattr(item, 'title', '')}") for part in parts for item in read.plan.each(part)]


# The difference between two versions ----------------------------------------------------------------------------------


@page(permission="project.view", find=find_project, params=("before", "after"))
def plan_difference(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show the difference between any two versions that the reader may read."""
    versions = list(queries.plan_history(request.user, project))
    by_number = {str(one.number): one for one in versions}
    pair = _pair(versions)
    if pair is None:
        return not_found(request)
    before = _chosen(request, "before", by_number, pair[0])
    after = _chosen(request, "after", by_number, pair[1])
    if before is None or after is None:
        return not_found(request)
    reads = read_plans([before.pk, after.pk])
    context = {
        "versions": versions,
        "before": before,
        "after": after,
        "difference": difference_in_words(reads[before.pk], reads[after.pk]),
    }
    return show_tab(request, project, "project_plan", context, template="portal/plans/difference_page.html")


def _chosen(
    request: HttpRequest, name: str, versions: dict[str, PlanVersion], otherwise: PlanVersion
) -> PlanVersion | None:
    number = request.GET.get(name)
    if number is not None and not number.isdecimal():
        raise BadQuery(_("“%(number)s” is not the number of a version.") % {"number": number[:20]})
    return otherwise if number is None else versions.get(str(int(number)))


# Files ----------------------------------------------------------------------------------------------------------------


@page(permission="plan.view", find=find_plan, key=NUMBERS)
def plan_attachment(request: HttpRequest, version: PlanVersion, attachment: int) -> HttpResponseBase:
    """This function will hand out a file of the version's change request."""
    found = queries.attachments_of(version).filter(pk=attachment).first()
    if found is None:
        return not_found(request)
    response = FileResponse(files.opened(found.file), content_type=found.file.content_type)
    return as_download(response, found.file.name)
