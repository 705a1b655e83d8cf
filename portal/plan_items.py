"""Writing a plan that is open: its frame, its items, its change request; in part of the page with htmx, else with a reload."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused, StaleEdit
from portal.access import BadQuery, clock, not_found, page
from portal.forms.plans import ITEM_FORMS, AttachmentForm, Choices, FrameForm, ItemForm, ReasonForm
from portal.plans import (
    NUMBERS,
    PART_OF,
    find_plan,
    may,
    part_shown,
    plan_head,
    plan_url,
    show_plan,
)
from programs.actions import plan_attachments, plans
from programs.models import PlanRead, PlanVersion, read_plans
from programs.plan_words import item_name
from programs.queries import plans as queries
from programs.rules.plans import PlanRights, part_writable, plan_blockers, plan_rights

NOT_NOW = gettext_lazy("The plan is not open to you for writing now. Its page says who acts next.")
_FOREIGN = gettext_lazy("This is another institution's part of the plan. You can read it, its own people write it.")
BOTH = ("GET", "HEAD", "POST")


def seen_revision(request: HttpRequest) -> int:
    """This function will return the revision the writer saw; the button "save mine" names the one it was shown."""
    value = request.POST.get("over") or request.POST.get("revision") or "0"
    if not value.isdecimal() or len(value) > 9:
        raise BadQuery(_("The form is incomplete. Open the plan again."))
    return int(value)


# Items ----------------------------------------------------------------------------------------------------------------


@page(
    permission="plan.edit",
    find=find_plan,
    key=NUMBERS,
    may=may("plan.edit", "plan.edit_part"),
    why=NOT_NOW,
    methods=BOTH,
)
def plan_item(request: HttpRequest, version: PlanVersion, part: str, key: str = "") -> HttpResponseBase:
    """This function will show the form of one item, new or there already, and save what is typed."""
    if part not in ITEM_FORMS:
        return not_found(request)
    table, form_class = ITEM_FORMS[part]
    row = queries.item_of(version, table, key) if key else None
    if key and row is None:
        return not_found(request)
    rights = plan_rights(request.user, version)
    if row is not None and not part_writable(rights, getattr(row, "organization_id", None)):
        raise NotAllowed(str(_FOREIGN))
    if row is None and part == "gate" and "plan.edit" not in rights.actions:
        raise NotAllowed(str(_FOREIGN))
    form = _form(request, version, rights, form_class, row)
    if request.method != "POST" or not form.is_valid():
        return _show_form(request, version, rights, part, form, row, status=422 if form.is_bound else 200)
    try:
        plans.save_item(
            version, table, values=form.values(), key=key, revision=seen_revision(request),
            by=request.user, at=clock(request),  # type: ignore[arg-type]
        )  # fmt: skip
    except StaleEdit as stale:
        return _show_form(request, version, rights, part, form, row, status=409, stale=stale)
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return _show_form(request, version, rights, part, form, row, status=422)
    return _saved(request, version, part, _("Saved."))


def _form(
    request: HttpRequest, version: PlanVersion, rights: PlanRights, form_class: type[ItemForm], row: Any
) -> ItemForm:
    whole = "plan.edit" in rights.actions
    offered = [one for one in queries.participants(version.project) if whole or one.pk in rights.parts]
    mine = getattr(row, "organization", None)
    if mine is not None and mine not in offered:
        offered.append(mine)  # an institution that left the project stays chosen until somebody changes it
    fields = form_class.base_fields
    choices = Choices(
        organizations=offered,
        people=queries.plan_people(version.project, localdate(clock(request))) if "person" in fields else (),
        years=queries.fiscal_years(version) if "fiscal_year" in fields else (),
        gates=queries.program_gates(version.project) if "gate" in fields else (),
        is_whole=whole,
    )
    initial = {name: getattr(row, f"{name}_id", getattr(row, name)) for name in fields} if row is not None else {}
    slug = next(slug for slug, (_table, known) in ITEM_FORMS.items() if known is form_class)
    data = request.POST if request.method == "POST" else None
    return form_class(choices, is_new=row is None, data=data, initial=initial, auto_id=f"id_{slug}_%s")


def _show_form(
    request: HttpRequest,
    version: PlanVersion,
    rights: PlanRights,
    part: str,
    form: ItemForm,
    row: Any,
    *,
    status: int,
    stale: StaleEdit | None = None,
) -> HttpResponse:
    read = read_plans([version.pk])[version.pk]
    shown = part_shown(version, read, part, rights)
    shown.form, shown.form_key = form, row.key if row is not None else ""
    context = {
        **plan_head(version),
        "part": shown,
        "name": _name(read, part, shown.form_key),
        "action": plan_url(version, "plan_item", part, row.key) if row else plan_url(version, "plan_item_new", part),
        "remove_url": plan_url(version, "plan_item_remove", part, row.key) if row else "",
        "revision": request.POST.get("revision") or (row.revision if row is not None else 0),
        "over": stale.current.revision if stale else "",
        "stale": _both(form, stale) if stale else [],
    }
    template = "portal/plans/part.html" if request.htmx else "portal/plans/item.html"  # type: ignore[attr-defined]
    return render(request, template, context, status=status)


def _name(read: PlanRead, part: str, key: str) -> str:
    item = read.plan.items.get((PART_OF[part], key))
    known = {**read.organizations, **read.people}
    return item_name(item, lambda ref: known[ref].name if ref in known else ref) if item is not None else ""


def _both(form: ItemForm, stale: StaleEdit) -> list[tuple[str, str, str]]:
    """The fields that differ: label, what is saved now, what was typed."""
    found = []
    for field in form:
        saved, typed = getattr(stale.current, field.name, None), stale.submitted.get(field.name)
        if saved != typed:
            found.append((str(field.label), _plain(form, field.name, saved), _plain(form, field.name, typed)))
    return found


def _plain(form: Any, name: str, value: Any) -> str:
    if value is None or value == "":
        return "-"
    shown = form.fields[name].prepare_value(getattr(value, "pk", value))
    return str(dict(getattr(form.fields[name], "choices", ())).get(str(shown), shown))


def _saved(request: HttpRequest, version: PlanVersion, part: str, done: str) -> HttpResponseBase:
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, done)
        return HttpResponseRedirect(f"{plan_url(version)}#{part}-")
    read, rights = read_plans([version.pk])[version.pk], plan_rights(request.user, version)
    shown = part_shown(version, read, part, rights, queries.comments_of(version))
    blockers = plan_blockers(version, localdate(clock(request)), read)
    context = {**plan_head(version), "part": shown, "blockers": blockers, "is_swap": True, "done": done}
    return render(request, "portal/plans/part.html", context)


@page(
    permission="plan.edit",
    find=find_plan,
    key=NUMBERS,
    may=may("plan.edit", "plan.edit_part"),
    why=NOT_NOW,
    methods=BOTH,
)
def plan_item_remove(request: HttpRequest, version: PlanVersion, part: str, key: str) -> HttpResponseBase:
    """This function will ask once, then take an item out of the version."""
    if part not in ITEM_FORMS:
        return not_found(request)
    table, _form_class = ITEM_FORMS[part]
    row = queries.item_of(version, table, key)
    if row is None:
        return not_found(request)
    if not part_writable(plan_rights(request.user, version), getattr(row, "organization_id", None)):
        raise NotAllowed(str(_FOREIGN))
    error = ""
    if request.method == "POST":
        try:
            plans.remove_item(
                version,
                table,
                key=key,
                revision=seen_revision(request),
                by=request.user,
                at=clock(request),  # type: ignore[arg-type]
            )
        except StaleEdit:
            error = _("Somebody changed it in the meantime. Look at it again before you take it out.")
        else:
            messages.success(request, _("Taken out of this version."))
            return HttpResponseRedirect(f"{plan_url(version)}#{part}-")
    read = read_plans([version.pk])[version.pk]
    context = {**plan_head(version), "name": _name(read, part, key), "revision": row.revision, "error": error}
    return render(request, "portal/plans/remove.html", context, status=409 if error else 200)


# Frame and reason -----------------------------------------------------------------------------------------------------


@page(permission="plan.edit", find=find_plan, key=NUMBERS, may=may("plan.edit"), why=NOT_NOW, methods=BOTH)
def plan_frame(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will show the period and the summary to write, and save them."""
    initial = {name: getattr(version, name) for name in FrameForm.base_fields}
    return _write(request, version, FrameForm, initial, plans.save_frame, _("Period and summary"), "frame-plan")


@page(permission="plan.edit", find=find_plan, key=NUMBERS, may=may("plan.edit"), why=NOT_NOW, methods=BOTH)
def plan_reason(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will show the reason for the change to write, and save it."""
    change = getattr(version, "change_request", None)
    if change is None:
        return not_found(request)
    initial = {"reason": change.reason, "wanted_from": change.wanted_from}
    return _write(request, version, ReasonForm, initial, plans.save_change_reason, _("Reason for the change"), "reason")


def _write(
    request: HttpRequest, version: PlanVersion, form_class: Any, initial: dict[str, Any], action: Any, heading: str,
    anchor: str,
) -> HttpResponseBase:  # fmt: skip
    form = form_class(data=request.POST if request.method == "POST" else None, initial=initial)
    status, stale = 200, None
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                action(
                    version, **form.cleaned_data, revision=seen_revision(request), by=request.user, at=clock(request)
                )
            except StaleEdit as found:
                stale, status = found, 409
            except NotAllowed:
                raise
            except Refused as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(f"{plan_url(version)}#{anchor}")
    context = {
        **plan_head(version),
        "form": form,
        "heading": heading,
        "anchor": anchor,
        "revision": request.POST.get("revision") or version.revision,
        "over": queries.revision_of(version) if stale else "",
        "stale": _both(form, stale) if stale else [],
    }
    return render(request, "portal/plans/write.html", context, status=status)


# Attachments ----------------------------------------------------------------------------------------------------------


@page(permission="plan.edit", find=find_plan, key=NUMBERS, may=may("plan.edit"), why=NOT_NOW, methods=("POST",))
def plan_attach(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will put a file to the change request."""
    form = AttachmentForm(request.POST, request.FILES)
    if form.is_valid():
        chosen = form.cleaned_data["file"]
        try:
            plan_attachments.attach_file(version, chosen.file, chosen.name, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The file was added."))
            return HttpResponseRedirect(f"{plan_url(version)}#reason")
    return show_plan(request, version, attachment_form=form, status=422)


@page(permission="plan.edit", find=find_plan, key=NUMBERS, may=may("plan.edit"), why=NOT_NOW, methods=("POST",))
def plan_detach(request: HttpRequest, version: PlanVersion, attachment: int) -> HttpResponseBase:
    """This function will take a file out of the change request."""
    plan_attachments.remove_attachment(version, attachment, by=request.user, at=clock(request))  # type: ignore[arg-type]
    messages.success(request, _("The file was taken out."))
    return HttpResponseRedirect(f"{plan_url(version)}#reason")
