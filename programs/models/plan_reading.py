"""Plan versions as the pure core reads them: all items of any number of versions in one query, with the names in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, TextField
from django.db.models.functions import Cast, JSONObject
from django.utils.translation import get_language

from programs import planning
from programs.models.plan import (
    PlanBudget,
    PlanDeliverable,
    PlanEffort,
    PlanGate,
    PlanItem,
    PlanMilestone,
    PlanVersion,
    PlanWorkPackage,
    PlanYear,
)

#: The tables of a plan by the core's item types.
TABLES: dict[type[planning.Item], type[PlanItem]] = {
    planning.WorkPackage: PlanWorkPackage,
    planning.Milestone: PlanMilestone,
    planning.Deliverable: PlanDeliverable,
    planning.Gate: PlanGate,
    planning.YearTotal: PlanYear,
    planning.BudgetCell: PlanBudget,
    planning.Effort: PlanEffort,
}

_MEASURE = ("unit", "direction", "evidence_asked")
_COLUMNS: dict[type[planning.Item], tuple[str, ...]] = {
    planning.WorkPackage: ("key", "title", "goal", "starts_on", "ends_on"),
    planning.Milestone: ("key", "title", "planned_on", "criterion", "trl_level", *_MEASURE),
    planning.Deliverable: ("key", "title", "due_on"),
    planning.Gate: ("key", "title", "held_on", "phase_starts_on", "criteria", *_MEASURE),
    planning.YearTotal: ("key", "fiscal_year", "total_yen"),
    planning.BudgetCell: ("key", "fiscal_year", "amount_yen"),
    planning.Effort: ("key", "fiscal_year", "effort_percent", "role"),
}
_OWNED = (planning.WorkPackage, planning.Milestone, planning.Deliverable, planning.BudgetCell, planning.Effort)
_NAMED = ("pk", "ref", "name_ja", "name_en")


@dataclass(frozen=True, slots=True)
class Named:
    """An institution, person or cost category that stands in a plan."""

    pk: int
    ref: str
    name_ja: str
    name_en: str
    position: int = 0

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if self.name_en and get_language() == "en" else self.name_ja


@dataclass(frozen=True, slots=True)
class PlanRead:
    """A version's items, and whoever is named in them by reference."""

    plan: planning.Plan
    organizations: Mapping[str, Named] = field(default_factory=dict)
    people: Mapping[str, Named] = field(default_factory=dict)
    categories: Mapping[str, Named] = field(default_factory=dict)


def plan_of(version: PlanVersion) -> planning.Plan:
    """This function will return a version as the pure core reads it; organizations, people and categories by ref."""
    return read_plans([version.pk])[version.pk].plan


def read_plans(versions: Iterable[int]) -> dict[int, PlanRead]:
    """This function will read versions with all their items in one query, by primary key."""
    columns = {part.__name__: _rows(part) for part in TABLES}
    found = PlanVersion._default_manager.filter(pk__in=list(versions)).order_by()
    return {row["pk"]: _plan_read(row) for row in found.values("pk", "starts_on", "ends_on", "summary", **columns)}


def _rows(part: type[planning.Item]) -> ArraySubquery:
    shown: dict[str, Any] = {name: name for name in _COLUMNS[part]}
    if part in (planning.Milestone, planning.Gate):
        # As text: a JSON number would come back as a float.
        shown["threshold"] = Cast("threshold", TextField())
    if part in _OWNED:
        shown |= {f"organization__{name}": f"organization__{name}" for name in _NAMED}
    if part is planning.BudgetCell:
        shown |= {f"category__{name}": f"category__{name}" for name in (*_NAMED, "position")}
    if part is planning.Effort:
        shown |= {f"person__{name}": f"person__{name}" for name in _NAMED}
    rows = TABLES[part]._default_manager.filter(version=OuterRef("pk")).order_by("pk")
    return ArraySubquery(rows.values(json=JSONObject(**shown)))


def _plan_read(row: Mapping[str, Any]) -> PlanRead:
    items: list[planning.Item] = [planning.Frame(planning.FRAME_KEY, row["starts_on"], row["ends_on"], row["summary"])]
    names: dict[str, dict[str, Named]] = {"organization": {}, "person": {}, "category": {}}
    for part in TABLES:
        for one in row[part.__name__]:
            for kind, known in names.items():
                if one.get(f"{kind}__ref"):
                    named = {name: one[f"{kind}__{name}"] for name in _NAMED}
                    known[named["ref"]] = Named(**named, position=one.get(f"{kind}__position") or 0)
            items.append(_BUILD[part](one))
    return PlanRead(planning.Plan.of(items), names["organization"], names["person"], names["category"])


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _threshold(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _organization(one: Mapping[str, Any]) -> str:
    return str(one["organization__ref"] or "")


def _work_package(one: Mapping[str, Any]) -> planning.Item:
    return planning.WorkPackage(
        one["key"], one["title"], one["goal"], _organization(one), _day(one["starts_on"]), _day(one["ends_on"])
    )


def _milestone(one: Mapping[str, Any]) -> planning.Item:
    return planning.Milestone(
        one["key"], one["title"], _day(one["planned_on"]), _organization(one), one["criterion"],
        _threshold(one["threshold"]), one["unit"], one["direction"], one["evidence_asked"], one["trl_level"],
    )  # fmt: skip


def _deliverable(one: Mapping[str, Any]) -> planning.Item:
    return planning.Deliverable(one["key"], one["title"], _day(one["due_on"]), _organization(one))


def _gate(one: Mapping[str, Any]) -> planning.Item:
    return planning.Gate(
        one["key"], one["title"], _day(one["held_on"]), _day(one["phase_starts_on"]), one["criteria"],
        _threshold(one["threshold"]), one["unit"], one["direction"], one["evidence_asked"],
    )  # fmt: skip


def _year(one: Mapping[str, Any]) -> planning.Item:
    return planning.YearTotal(one["key"], one["fiscal_year"], one["total_yen"])


def _cell(one: Mapping[str, Any]) -> planning.Item:
    return planning.BudgetCell(
        one["key"], one["fiscal_year"], _organization(one), one["category__ref"], one["amount_yen"]
    )


def _effort(one: Mapping[str, Any]) -> planning.Item:
    return planning.Effort(
        one["key"], one["person__ref"], _organization(one), one["fiscal_year"], one["effort_percent"], one["role"]
    )


_BUILD: dict[type[planning.Item], Callable[[Mapping[str, Any]], planning.Item]] = {
    planning.WorkPackage: _work_package,
    planning.Milestone: _milestone,
    planning.Deliverable: _deliverable,
    planning.Gate: _gate,
    planning.YearTotal: _year,
    planning.BudgetCell: _cell,
    planning.Effort: _effort,
}
