"""Rubrics: made with a round, written on until the first score hangs on them, copied into the next version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked
from common.text import clean, clean_line
from evaluations.models import Rubric, RubricGrade, RubricItem, RubricLevel
from evaluations.rules.rounds import round_actions

ITEM_FIELDS = (
    "code", "position", "name_ja", "name_en", "guidance", "is_text_only", "weight_percent", "threshold",
    "may_be_not_applicable", "is_comment_required",
)  # fmt: skip
LEVEL_FIELDS = ("code", "points", "anchor_ja", "anchor_en")
#: Addresses beside the criteria.
RESERVED = ("new", "grades")
GRADE_FIELDS = ("code", "name_ja", "name_en", "position", "from_points")


def make_rubric(name_ja: str, name_en: str, *, by: User, at: datetime) -> Rubric:
    """This function will make an empty rubric for a new round; the round's own action is on record."""
    return Rubric.objects.create(name_ja=name_ja, name_en=name_en, made_by=by, made_at=at)


def copy_rubric(rubric: Rubric, *, by: User, at: datetime) -> Rubric:
    """This function will make the next version of a rubric, free to be changed, with everything in it."""
    made = Rubric.objects.create(
        name_ja=rubric.name_ja, name_en=rubric.name_en, number=rubric.number + 1, base=rubric, note=rubric.note,
        made_by=by, made_at=at,
    )  # fmt: skip
    for item in rubric.items.prefetch_related("levels"):
        new = RubricItem.objects.create(rubric=made, **{name: getattr(item, name) for name in ITEM_FIELDS})
        _levels(new, [{name: getattr(level, name) for name in LEVEL_FIELDS} for level in item.levels.all()])
    RubricGrade.objects.bulk_create(
        RubricGrade(rubric=made, **{name: getattr(grade, name) for name in GRADE_FIELDS})
        for grade in rubric.grades.all()
    )
    return made


def _levels(item: RubricItem, levels: Iterable[Mapping[str, Any]]) -> None:
    RubricLevel.objects.bulk_create(RubricLevel(item=item, **level) for level in levels)


@transaction.atomic
def save_item(
    rubric: Rubric, code: str, *, values: Mapping[str, Any], levels: Iterable[Mapping[str, Any]], revision: int,
    by: User, at: datetime,
) -> RubricItem:  # fmt: skip
    """This function will enter or change one criterion with its scale; `code` is the one it had, empty for a new one.

    Raises `NotReady` with what is wrong, `StaleEdit` when the rubric was saved since `revision`, `NotAllowed`.
    """
    row = _locked(rubric, by)
    _refuse_stale(row, revision)
    item = row.items.filter(code=code).first() if code else RubricItem(rubric=row)
    if item is None:
        raise Refused(_("This criterion is no longer there."), "gone")
    typed = _typed_item(values)
    scale = [{name: level.get(name) or "" for name in LEVEL_FIELDS} | {"points": level["points"]} for level in levels]
    _refuse_wrong(row, item, typed, scale)
    for name, value in typed.items():
        setattr(item, name, value)
    item.save()
    item.levels.all().delete()
    _levels(item, () if typed["is_text_only"] else scale)
    _touch(row, "save_rubric_item", by, at, {"criterion": item.code, "weight_percent": str(item.weight_percent)})
    return item


def _typed_item(values: Mapping[str, Any]) -> dict[str, Any]:
    typed = {name: values.get(name) for name in ITEM_FIELDS}
    for name in ("name_ja", "name_en"):
        typed[name] = clean_line(typed[name] or "").strip()
    typed["guidance"] = clean(typed["guidance"] or "").strip()
    if typed["is_text_only"]:
        typed |= {"weight_percent": Decimal(0), "threshold": None}
    typed["weight_percent"] = typed["weight_percent"] or Decimal(0)
    return typed


def _refuse_wrong(rubric: Rubric, item: RubricItem, typed: Mapping[str, Any], scale: list[dict[str, Any]]) -> None:
    found = []
    if not typed["name_ja"]:
        found.append(Blocker("name_ja", "required", _("Enter this.")))
    if typed["code"] in RESERVED:
        found.append(
            Blocker("code", "reserved", _("Choose another code. This one is an address of the rubric's pages."))
        )
    if rubric.items.filter(code=typed["code"]).exclude(pk=item.pk).exists():
        found.append(Blocker("code", "twice", _("Choose another code. This one is taken.")))
    if not 0 <= typed["weight_percent"] <= 100:
        found.append(Blocker("weight_percent", "range", _("Enter a weight from 0 to 100.")))
    if not typed["is_text_only"]:
        codes, points = [level["code"] for level in scale], [level["points"] for level in scale]
        if len(scale) < 2:
            found.append(Blocker("levels", "too_few", _("Enter at least two grades of the scale.")))
        if len(set(codes)) != len(codes) or len(set(points)) != len(points):
            found.append(Blocker("levels", "twice", _("Give each grade its own letter and its own points.")))
        if scale and typed["threshold"] is not None and not min(points) <= typed["threshold"] <= max(points):
            found.append(Blocker("threshold", "range", _("Enter a threshold within the points of the scale.")))
    if found:
        raise NotReady(_("Not saved. Correct what is marked."), found)


@transaction.atomic
def remove_item(rubric: Rubric, code: str, *, revision: int, by: User, at: datetime) -> Rubric:
    """This function will remove a criterion."""
    row = _locked(rubric, by)
    _refuse_stale(row, revision)
    item = row.items.filter(code=code).first()
    if item is None:
        raise Refused(_("This criterion is no longer there."), "gone")
    item.delete()
    _touch(row, "remove_rubric_item", by, at, {"criterion": code})
    return row


@transaction.atomic
def save_grades(
    rubric: Rubric, *, grades: Iterable[Mapping[str, Any]], revision: int, by: User, at: datetime
) -> Rubric:
    """This function will replace the legend. `from_points` falls from grade to grade, or is empty in all of them."""
    row = _locked(rubric, by)
    _refuse_stale(row, revision)
    wanted = list(grades)
    codes, bounds = [one["code"] for one in wanted], [one.get("from_points") for one in wanted]
    given = [bound for bound in bounds if bound is not None]
    if len(set(codes)) != len(codes):
        raise NotReady(_("Not saved."), [Blocker("grades", "twice", _("Give each overall grade its own letter."))])
    if given and (len(given) != len(bounds) or any(a <= b for a, b in pairwise(given))):
        message = _("Enter the lowest points of every grade, falling from the best to the last, or none at all.")
        raise NotReady(_("Not saved."), [Blocker("grades", "order", message)])
    row.grades.all().delete()
    RubricGrade.objects.bulk_create(
        RubricGrade(rubric=row, **{name: one.get(name) or "" for name in ("code", "name_ja", "name_en")},
                    position=place, from_points=one.get("from_points"))
        for place, one in enumerate(wanted, 1)
    )  # fmt: skip
    _touch(row, "save_rubric_grades", by, at, {"grades": codes})
    return row


def fix_rubric(rubric: Rubric, *, at: datetime) -> None:
    """This function will fix a rubric: the first score hangs on it from now on. A second call changes nothing."""
    Rubric.objects.filter(pk=rubric.pk, fixed_at__isnull=True).update(fixed_at=at)


def _locked(rubric: Rubric, by: User) -> Rubric:
    row = locked(Rubric, rubric.pk)
    if row.fixed_at is not None:
        message = _("The rubric is fixed: scores hang on it. Clone the round to work with another version.")
        raise Refused(message, "rubric_is_fixed")
    if "round.edit_rubric" not in round_actions(by, row.round):
        raise NotAllowed(_("The rubric is written by the ministry's staff and the round's secretariat."))
    return row


def _refuse_stale(row: Rubric, revision: int) -> None:
    if revision != row.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current={}, submitted={})


def _touch(row: Rubric, act: str, by: User, at: datetime, after: dict[str, Any]) -> None:
    row.revision += 1
    row.save(update_fields=["revision"])
    record(act, row.round, by=by, at=at, after=after)
