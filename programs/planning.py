"""The thinking about plans, without a database: what differs, what a change does, and what does not fit together.

A plan is a set of items, each with a key of its own: the frame (period, summary), work packages, milestones,
deliverables, gates, the total of each year, budget cells and efforts. A change puts one item in another's place, so that
a difference, its application and its inverse are the same few lines for all of them. Dates, integer yen and percent only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a plan. `key` tells it from others of its type, in all versions: "M1", "2026/org/goods"."""

    key: str


@dataclass(frozen=True, slots=True)
class Frame(Item):
    """The period of the plan and what it is about; every plan has one, with the key "plan"."""

    starts_on: date
    ends_on: date
    summary: str = ""


@dataclass(frozen=True, slots=True)
class WorkPackage(Item):
    """A part of the work, done by one institution."""

    title: str
    goal: str
    organization: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Milestone(Item):
    """Something to reach by a date: a threshold with its unit, or in words why none can be given."""

    title: str
    planned_on: date
    organization: str = ""
    criterion: str = ""
    threshold: Decimal | None = None
    unit: str = ""
    direction: str = ""
    evidence_asked: str = ""
    trl_level: int | None = None


@dataclass(frozen=True, slots=True)
class Deliverable(Item):
    """Something to hand in by a date."""

    title: str
    due_on: date
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Gate(Item):
    """A stage gate: its criteria are fixed before the phase that leads to it starts."""

    title: str
    held_on: date
    phase_starts_on: date
    criteria: str = ""
    threshold: Decimal | None = None
    unit: str = ""
    direction: str = ""
    evidence_asked: str = ""


@dataclass(frozen=True, slots=True)
class YearTotal(Item):
    """The money of one fiscal year as the plan states it, in yen; the cells of the year have to add up to it."""

    fiscal_year: int
    total_yen: int


@dataclass(frozen=True, slots=True)
class BudgetCell(Item):
    """Money of one fiscal year, institution and cost category, in yen."""

    fiscal_year: int
    organization: str
    category: str
    amount_yen: int


@dataclass(frozen=True, slots=True)
class Effort(Item):
    """A person's share of working time in one fiscal year, in percent."""

    person: str
    organization: str
    fiscal_year: int
    effort_percent: int
    role: str = ""


#: In the order in which a plan is read.
PARTS: tuple[type[Item], ...] = (Frame, WorkPackage, Milestone, Deliverable, Gate, YearTotal, BudgetCell, Effort)
FRAME_KEY = "plan"

Address = tuple[type[Item], str]
ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan. Two plans are equal when their items are, in whatever order they came."""

    items: Mapping[Address, Item]

    @staticmethod
    def of(items: Iterable[Item]) -> Plan:
        """This function will make a plan of items. Raises `ValueError` when two have one key."""
        listed = list(items)
        by_address = {(type(item), item.key): item for item in listed}
        if len(by_address) != len(listed):
            twice = Counter((type(item).__name__, item.key) for item in listed)
            raise ValueError(f"two items with one key: {[key for key, count in twice.items() if count > 1]}")
        return Plan(by_address)

    @property
    def frame(self) -> Frame:
        """The period and the summary."""
        return self.items[Frame, FRAME_KEY]  # type: ignore[return-value]

    def each(self, part: type[ItemT]) -> list[ItemT]:
        """This function will return the items of one type, by key."""
        found = [item for (kind, _key), item in self.items.items() if kind is part]
        return sorted(found, key=lambda item: _natural(item.key))  # type: ignore[arg-type]


def _natural(key: str) -> tuple[tuple[int, str], ...]:
    # M2 before M10.
    pieces, digits = [], ""
    for letter in key + "\0":
        if letter.isdigit():
            digits += letter
        else:
            if digits:
                pieces.append((int(digits), ""))
                digits = ""
            pieces.append((-1, letter))
    return tuple(pieces)


# Changes --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One item before and after: None before is an addition, None after a removal."""

    part: type[Item]
    key: str
    before: Item | None
    after: Item | None

    @property
    def kind(self) -> str:
        """What happens: added, removed or changed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def changed_fields(self) -> tuple[str, ...]:
        """The names of the fields that differ; of an item that is new or gone, all but the key."""
        some = self.before or self.after
        names = [f.name for f in fields(some) if f.name != "key"]  # type: ignore[arg-type]
        if self.before is None or self.after is None:
            return tuple(names)
        return tuple(name for name in names if getattr(self.before, name) != getattr(self.after, name))


def difference(before: Plan, after: Plan) -> tuple[Change, ...]:
    """This function will return the changes that lead from one plan to the other, in the order a plan is read."""
    changes = []
    for part in PARTS:
        keys = {key for kind, key in (*before.items, *after.items) if kind is part}
        for key in sorted(keys, key=_natural):
            old, new = before.items.get((part, key)), after.items.get((part, key))
            if old != new:
                changes.append(Change(part, key, old, new))
    return tuple(changes)


def inverse(changes: Iterable[Change]) -> tuple[Change, ...]:
    """This function will return the changes that undo these, last first."""
    return tuple(Change(c.part, c.key, c.after, c.before) for c in reversed(tuple(changes)))


def apply(plan: Plan, changes: Iterable[Change]) -> Plan | tuple[Conflict, ...]:
    """This function will return the plan with the changes, or the conflicts where the plan is not as they expect it."""
    items = dict(plan.items)
    conflicts = []
    for change in changes:
        address = (change.part, change.key)
        if items.get(address) != change.before:
            conflicts.append(Conflict("changed_meanwhile", change.part, change.key))
        elif change.after is None:
            del items[address]
        else:
            items[address] = change.after
    return tuple(conflicts) if conflicts else Plan(items)


def yen_by_year(changes: Iterable[Change]) -> dict[int, int]:
    """This function will return what changes do to the money of each fiscal year, in yen; years without effect are left out."""
    moved: defaultdict[int, int] = defaultdict(int)
    for change in changes:
        if change.part is BudgetCell:
            for item, sign in ((change.before, -1), (change.after, 1)):
                if isinstance(item, BudgetCell):
                    moved[item.fiscal_year] += sign * item.amount_yen
    return {year: yen for year, yen in sorted(moved.items()) if yen}


def money_by_year(plan: Plan) -> dict[int, int]:
    """This function will return the yen of each fiscal year that a plan's cells add up to."""
    moved: defaultdict[int, int] = defaultdict(int)
    for cell in plan.each(BudgetCell):
        moved[cell.fiscal_year] += cell.amount_yen
    return dict(sorted(moved.items()))


def ended(plan: Plan, on: date) -> Plan:
    """This function will return the plan as it becomes when the project ends on this day.

    What begins or falls due later is gone, with the money and efforts of the fiscal years after it; what runs on that
    day ends with it. Deliverables of the year after the end stay: a final report is due then.
    """
    last_year = on.year if on.month >= 4 else on.year - 1
    kept: list[Item] = []
    for item in plan.items.values():
        if isinstance(item, Frame | WorkPackage):
            if item.starts_on <= on or isinstance(item, Frame):
                kept.append(replace(item, ends_on=min(item.ends_on, on)))
        elif _falls_on(item) is not None:
            longest = on + timedelta(days=365) if isinstance(item, Deliverable) else on
            kept += [item] if _falls_on(item) <= longest else []  # type: ignore[operator]
        elif getattr(item, "fiscal_year", last_year) <= last_year:
            kept.append(item)
    return Plan.of(kept)


def _falls_on(item: Item) -> date | None:
    for name in ("planned_on", "due_on", "held_on"):
        if (day := getattr(item, name, None)) is not None:
            return day
    return None


# What does not fit together -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that does not fit: what, at which item, and the figures to name in a message."""

    code: str
    part: type[Item]
    key: str
    figures: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan has to fit, from outside of it.

    `ceilings`: yen by fiscal year (a year without one is not limited). `partners`: institutions with a part in the
    project. `effort_elsewhere`: percent by (person, fiscal year) in the plans of other projects. `fixed`: the gates of
    the plan in force; they and their criteria stand from the start of their phase. `today`: decides which phases have
    started.
    """

    ceilings: Mapping[int, int] = field(default_factory=dict)
    partners: frozenset[str] = frozenset()
    effort_elsewhere: Mapping[tuple[str, int], int] = field(default_factory=dict)
    fixed: tuple[Gate, ...] = ()
    today: date = date.min


def conflicts(plan: Plan, limits: Limits) -> list[Conflict]:
    """This function will list everything that does not fit, in the order a plan is read."""
    if plan.frame.ends_on < plan.frame.starts_on:
        return [Conflict("ends_before_it_starts", Frame, FRAME_KEY)]
    return [
        *_dates(plan),
        *_gates(plan, limits),
        *_partners(plan, limits),
        *_years(plan),
        *_ceilings(plan, limits),
        *_efforts(plan, limits),
    ]


def _dates(plan: Plan) -> Iterable[Conflict]:
    frame = plan.frame
    for package in plan.each(WorkPackage):
        if package.ends_on < package.starts_on:
            yield Conflict("ends_before_it_starts", WorkPackage, package.key)
        elif package.starts_on < frame.starts_on or package.ends_on > frame.ends_on:
            yield Conflict("outside_the_period", WorkPackage, package.key)
    dated: list[tuple[Item, date]] = [
        *((item, item.planned_on) for item in plan.each(Milestone)),
        *((item, item.due_on) for item in plan.each(Deliverable)),
        *((item, item.held_on) for item in plan.each(Gate)),
    ]
    for item, day in dated:
        if day < frame.starts_on:
            yield Conflict("before_the_start", type(item), item.key, {"on": day, "start": frame.starts_on})
        elif day > frame.ends_on and not isinstance(item, Deliverable):
            # A final report is due after the end.
            yield Conflict("after_the_end", type(item), item.key, {"on": day, "end": frame.ends_on})


def _gates(plan: Plan, limits: Limits) -> Iterable[Conflict]:
    fixed = {gate.key: gate for gate in limits.fixed if gate.phase_starts_on <= limits.today}
    for key, before in fixed.items():
        # A plan that ends before a gate has no use for it; any other one cannot leave it out.
        if (Gate, key) not in plan.items and before.held_on <= plan.frame.ends_on:
            yield Conflict("gate_taken_out", Gate, key, {"gate": before.title, "since": before.phase_starts_on})
    for gate in plan.each(Gate):
        if gate.phase_starts_on >= gate.held_on:
            yield Conflict("phase_after_its_gate", Gate, gate.key)
        if not gate.criteria and gate.threshold is None:
            yield Conflict("gate_without_criteria", Gate, gate.key)
        if not gate.evidence_asked:
            yield Conflict("gate_without_evidence", Gate, gate.key)
        standing = fixed.get(gate.key)
        if standing and _measure(standing) != _measure(gate):
            yield Conflict("criteria_are_fixed", Gate, gate.key, {"since": standing.phase_starts_on})


def _measure(gate: Gate) -> tuple[object, ...]:
    # The start of the phase stands with the criteria: moved, it would open them again.
    return gate.phase_starts_on, gate.criteria, gate.threshold, gate.unit, gate.direction


def _partners(plan: Plan, limits: Limits) -> Iterable[Conflict]:
    named: dict[str, Item] = {}
    for part in (WorkPackage, Milestone, Deliverable, BudgetCell, Effort):
        for item in plan.each(part):
            if organization := getattr(item, "organization", ""):
                named.setdefault(organization, item)
    for organization, item in named.items():
        if organization not in limits.partners:
            yield Conflict("partner_without_part", type(item), item.key, {"organization": organization})


def _years(plan: Plan) -> Iterable[Conflict]:
    cells: defaultdict[int, int] = defaultdict(int)
    for cell in plan.each(BudgetCell):
        cells[cell.fiscal_year] += cell.amount_yen
        if cell.amount_yen < 0:
            yield Conflict("negative_amount", BudgetCell, cell.key)
        if _is_outside(plan.frame, cell.fiscal_year):
            yield Conflict("year_outside_the_plan", BudgetCell, cell.key, {"year": cell.fiscal_year})
    totals = {year.fiscal_year: year for year in plan.each(YearTotal)}
    for fiscal_year in sorted({*cells, *totals}):
        stated = totals[fiscal_year].total_yen if fiscal_year in totals else 0
        if stated != cells[fiscal_year]:
            figures = {"year": fiscal_year, "stated": stated, "parts": cells[fiscal_year]}
            yield Conflict("parts_differ_from_the_year", YearTotal, str(fiscal_year), figures)


def _is_outside(frame: Frame, fiscal_year: int) -> bool:
    # A fiscal year lasts from 1 April to 31 March.
    return date(fiscal_year + 1, 3, 31) < frame.starts_on or date(fiscal_year, 4, 1) > frame.ends_on


def _ceilings(plan: Plan, limits: Limits) -> Iterable[Conflict]:
    for year in plan.each(YearTotal):
        ceiling = limits.ceilings.get(year.fiscal_year)
        if ceiling is not None and year.total_yen > ceiling:
            figures = {"year": year.fiscal_year, "ceiling": ceiling, "total": year.total_yen}
            yield Conflict("above_the_ceiling", YearTotal, year.key, figures)


def _efforts(plan: Plan, limits: Limits) -> Iterable[Conflict]:
    here: defaultdict[tuple[str, int], int] = defaultdict(int)
    keys: dict[tuple[str, int], str] = {}
    for effort in plan.each(Effort):
        here[effort.person, effort.fiscal_year] += effort.effort_percent
        keys[effort.person, effort.fiscal_year] = effort.key
        if _is_outside(plan.frame, effort.fiscal_year):
            yield Conflict("effort_outside_the_plan", Effort, effort.key, {"year": effort.fiscal_year})
    for (person, fiscal_year), percent in here.items():
        whole = percent + limits.effort_elsewhere.get((person, fiscal_year), 0)
        if whole > 100:
            figures = {"year": fiscal_year, "here": percent, "whole": whole}
            yield Conflict("effort_above_100", Effort, keys[person, fiscal_year], figures)
