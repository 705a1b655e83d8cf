"""The rubric of a round: criteria with weights and scales, the legend, all fixed once a score hangs on them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from evaluations.actions import rubrics as actions
from evaluations.models import Round, RubricItem
from evaluations.rules.rounds import round_actions, rubric_blockers
from portal.access import clock, page
from portal.acts import Act, ask_once
from portal.forms.round import CriterionForm, RowsForm
from portal.risks import seen_revision
from portal.rounds import NOT_NOW, find_round

BOTH = ("GET", "HEAD", "POST")
LEVELS = ("code", "points", "anchor_ja", "anchor_en")


def _may_write(user: Any, one: Round) -> bool:
    return "round.edit_rubric" in round_actions(user, one)


def _trail(one: Round) -> list[tuple[str, str]]:
    return [
        (reverse("rounds"), _("Evaluation rounds")), (reverse("round", args=[one.ref]), one.name),
        (reverse("rubric", args=[one.ref]), _("Rubric")),
    ]  # fmt: skip


@page(permission="round.view", find=find_round)
def rubric_page(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will show the criteria with their scales and the legend of the overall grades."""
    items = list(one.rubric.items.prefetch_related("levels")) if one.rubric else []
    context = {
        "round": one, "rubric": one.rubric, "items": items,
        "grades": list(one.rubric.grades.all()) if one.rubric else [],
        "total": sum((item.weight_percent for item in items), Decimal(0)),
        "may_write": _may_write(request.user, one), "is_sample": one.is_sample,
        "blockers": rubric_blockers(one.rubric) if one.rubric is not None and one.rubric.fixed_at is None else [],
    }  # fmt: skip
    return render(request, "portal/rounds/rubric.html", context)


@page(permission="round.edit_rubric", find=find_round, may=_may_write, why=NOT_NOW, methods=BOTH)
def rubric_item_new(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will take a new criterion."""
    return _item(request, one, None)


@page(permission="round.edit_rubric", find=find_round, may=_may_write, why=NOT_NOW, methods=BOTH)
def rubric_item(request: HttpRequest, one: Round, code: str) -> HttpResponseBase:
    """This function will take a change of a criterion."""
    return _item(request, one, _found(one, code))


def _found(one: Round, code: str) -> RubricItem:
    item = one.rubric.items.filter(code=code).first() if one.rubric else None
    if item is None:
        raise Http404
    return item


def _item(request: HttpRequest, one: Round, item: RubricItem | None) -> HttpResponseBase:
    assert one.rubric is not None
    data = request.POST if request.method == "POST" else None
    if item is None:
        place = one.rubric.items.count() + 1
        initial: dict[str, Any] = {"position": place, "may_be_not_applicable": True, "code": f"c{place}"}
        saved: list[dict[str, Any]] = []
    else:
        initial = {name: getattr(item, name) for name in actions.ITEM_FIELDS}
        saved = [{name: getattr(level, name) for name in LEVELS} for level in item.levels.all()]
    form = CriterionForm(data=data, initial=initial)
    columns = {
        "code": _("Grade"), "points": _("Points"), "anchor_ja": _("Anchor (ja)"), "anchor_en": _("Anchor (en)")
    }  # fmt: skip
    levels = RowsForm("level", columns, saved, numbers=("points",), spare=2 if saved else 4, data=data, longest=300)
    status = 200
    if data is not None:
        status = 422
        typed = levels.read()
        for row in levels.rows:
            if row[0].value.strip() and not row[1].value.strip():
                row[1].error = _("Enter the points of this grade.")
        if form.is_valid() and levels.is_good:
            try:
                actions.save_item(
                    one.rubric, item.code if item else "", values=form.cleaned_data, levels=typed,
                    revision=seen_revision(request), by=request.user, at=clock(request),  # type: ignore[arg-type]
                )  # fmt: skip
            except NotAllowed:
                raise
            except StaleEdit as stale:
                form.refuse(stale)
                status = 409
            except NotReady as refusal:
                levels.problem = " ".join(str(one.message) for one in refusal.blockers if one.field == "levels")
                form.refuse(_without(refusal, "levels"))
            except Refused as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("The criterion is saved."))
                return redirect("rubric", ref=one.ref)
    context = {
        "form": form, "table": levels, "columns": list(columns.values()), "round": one, "item": item,
        "trail": _trail(one), "revision": one.rubric.revision, "is_sample": one.is_sample,
        "heading": item.name if item else _("Enter a criterion"),
    }  # fmt: skip
    return render(request, "portal/rounds/criterion.html", context, status=status)


def _without(refusal: NotReady, field: str) -> NotReady:
    return NotReady(refusal.message, [one for one in refusal.blockers if one.field != field])


@page(permission="round.edit_rubric", find=find_round, may=_may_write, why=NOT_NOW, methods=BOTH)
def rubric_item_remove(request: HttpRequest, one: Round, code: str) -> HttpResponseBase:
    """This function will ask, then remove a criterion."""
    item = _found(one, code)
    assert one.rubric is not None
    revision = one.rubric.revision

    def action(row: Round, **rest: Any) -> Any:
        return actions.remove_item(row.rubric, code, revision=revision, **rest)  # type: ignore[arg-type]

    act = Act(
        heading=_("Remove “%(name)s” from the rubric?") % {"name": item.name}, button=_("Remove the criterion"),
        done=_("The criterion is removed."), is_danger=True, home=reverse("rubric", args=[one.ref]),
        effects=[_("Its weight goes with it: correct the others so that they add up to 100%.")], trail=_trail(one),
    )  # fmt: skip
    return ask_once(request, one, action, act)


@page(permission="round.edit_rubric", find=find_round, may=_may_write, why=NOT_NOW, methods=BOTH)
def rubric_grades(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will take the legend: which total means which overall grade."""
    assert one.rubric is not None
    saved = [
        {"code": each.code, "from_points": each.from_points, "name_ja": each.name_ja, "name_en": each.name_en}
        for each in one.rubric.grades.all()
    ]
    columns = {
        "code": _("Grade"), "from_points": _("From (points)"), "name_ja": _("Meaning (ja)"), "name_en": _("Meaning (en)")
    }  # fmt: skip
    data = request.POST if request.method == "POST" else None
    table = RowsForm("grade", columns, saved, numbers=("from_points",), spare=2 if saved else 5, data=data)
    status = 200
    if data is not None:
        status = 422
        typed = table.read()
        for each, row in zip(typed, [row for row in table.rows if any(c.value.strip() for c in row)], strict=True):
            if not each["name_ja"]:
                row[2].error = _("Enter what this grade means.")
        if table.is_good:
            try:
                actions.save_grades(
                    one.rubric,
                    grades=typed,
                    revision=seen_revision(request),
                    by=request.user,
                    at=clock(request),  # type: ignore[arg-type]
                )
            except NotAllowed:
                raise
            except Refused as refusal:
                table.problem = " ".join(str(each.message) for each in refusal.blockers)
                status = 409 if isinstance(refusal, StaleEdit) else 422
            else:
                messages.success(request, _("The legend is saved."))
                return redirect("rubric", ref=one.ref)
    context = {
        "table": table, "columns": list(columns.values()), "round": one, "trail": _trail(one),
        "revision": one.rubric.revision, "is_sample": one.is_sample,
    }  # fmt: skip
    return render(request, "portal/rounds/grades.html", context, status=status)
