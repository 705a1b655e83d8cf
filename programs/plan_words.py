"""A difference between two plan versions in words a reader knows: texts, dates, money by year."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.fiscal_year import date_text
from common.fiscal_year import label as year_label
from common.money import yen
from programs import planning
from programs.models import TABLES, Named, PlanRead, PlanVersion
from programs.rules.plans import field_of

_WORD = re.compile(r"[A-Za-z0-9_.,%-]+|[\u3041-\u3096]+|[\u30a1-\u30ff]+|[\u4e00-\u9fff\u3005]+|\s+|.", re.S)
#: Shorter texts are shown whole, before and after; in longer ones the words that differ are marked.
_MARKED_FROM = 4
_LONGEST_LINE = 40


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text; `differs` when the other side does not have it."""

    text: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """One field before and after, and by how much it moved when that can be said."""

    label: str
    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    note: str = ""

    @property
    def is_long(self) -> bool:
        """Whether the two are better read side by side than in one line."""
        texts = ["".join(piece.text for piece in side) for side in (self.before, self.after)]
        return any(len(text) > _LONGEST_LINE or "\n" in text for text in texts)


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One item that is new, gone or changed."""

    kind: str
    name: str
    anchor: str
    words: tuple[Words, ...]

    @property
    def kind_label(self) -> str:
        """What happened, as a word."""
        return {"added": _("added"), "removed": _("taken out"), "changed": _("changed")}[self.kind]

    @property
    def tone(self) -> str:
        """The tone of its pill."""
        return {"added": "good", "removed": "bad", "changed": "here"}[self.kind]


@dataclass(frozen=True, slots=True)
class PartChange:
    """The changes of one kind of item."""

    label: str
    items: tuple[ItemChange, ...]


@dataclass(frozen=True, slots=True)
class MoneyChange:
    """Yen before and after; `what` is a year or a cell of the budget."""

    what: str
    before_yen: int
    after_yen: int

    @property
    def moved_yen(self) -> int:
        return self.after_yen - self.before_yen


@dataclass(frozen=True, slots=True)
class Difference:
    """A whole difference, ready to be read."""

    parts: tuple[PartChange, ...]
    years: tuple[MoneyChange, ...]
    cells: tuple[MoneyChange, ...]
    dates: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.parts or self.cells)

    @property
    def moved_yen(self) -> int:
        """What happens to the whole money, in yen."""
        return sum(year.moved_yen for year in self.years)


def difference_in_words(before: PlanRead, after: PlanRead) -> Difference:
    """This function will say what differs between two versions, in the order a plan is read."""
    changes = planning.difference(before.plan, after.plan)
    names = _Names(before, after)
    parts = []
    for part in planning.PARTS:
        if part is not planning.BudgetCell:
            found = tuple(_item_change(change, names) for change in changes if change.part is part)
            if found:
                parts.append(PartChange(part_label(part), found))
    return Difference(
        tuple(parts), tuple(_years(before.plan, after.plan, changes)), _cells(changes, names), _moved(changes)
    )


class _Names:
    """Names of both versions, by reference."""

    def __init__(self, *reads: PlanRead) -> None:
        self._known: dict[str, Named] = {}
        for read in reads:
            self._known |= {**read.organizations, **read.people, **read.categories}

    def __call__(self, ref: str) -> str:
        return self._known[ref].name if ref in self._known else ref or _("the whole team")


def part_label(part: type[planning.Item]) -> str:
    """This function will name a kind of item: milestones of the plan, budgets of the plan."""
    return _("period and summary") if part is planning.Frame else str(TABLES[part]._meta.verbose_name_plural)


def item_name(item: planning.Item, name_of: Any) -> str:
    """This function will name an item: its number and title, the person and year of an effort, a fiscal year."""
    if isinstance(item, planning.Frame):
        return _("period and summary")
    if isinstance(item, planning.YearTotal):
        return year_label(item.fiscal_year, _language())
    if isinstance(item, planning.Effort):
        return f"{name_of(item.person)} {year_label(item.fiscal_year, _language())}"
    if isinstance(item, planning.BudgetCell):
        year = year_label(item.fiscal_year, _language())
        return f"{year} {name_of(item.organization)} {name_of(item.category)}"
    return f"{item.key} {getattr(item, 'title', '')}".strip()


def _item_change(change: planning.Change, names: _Names) -> ItemChange:
    item = change.after or change.before
    assert item is not None
    words = [
        _words(change, name, names)
        for name in change.changed_fields
        if getattr(change.before, name, None) or getattr(change.after, name, None)
    ]
    return ItemChange(change.kind, item_name(item, names), field_of(change.part, change.key), tuple(words))


def _words(change: planning.Change, name: str, names: _Names) -> Words:
    old, new = getattr(change.before, name, None), getattr(change.after, name, None)
    before = "" if change.before is None else _text(change.part, name, old, names)
    after = "" if change.after is None else _text(change.part, name, new, names)
    note = ""
    if isinstance(old, date) and isinstance(new, date):
        note = days_moved(old, new)
    elif name.endswith("_yen") and isinstance(old, int) and isinstance(new, int):
        note = signed_yen(new - old)
    if min(len(before), len(after)) < _MARKED_FROM or not isinstance(new, str):
        return Words(field_label(change.part, name), (Piece(before),), (Piece(after),), note)
    return Words(field_label(change.part, name), *marked_pieces(before, after), note)


def field_label(part: type[planning.Item], name: str) -> str:
    """This function will name a field as the forms name it."""
    table = PlanVersion if part is planning.Frame else TABLES[part]
    return str(getattr(table._meta.get_field(name), "verbose_name", name))


def _text(part: type[planning.Item], name: str, value: Any, names: _Names) -> str:
    if value is None or value == "":
        return _("the whole team") if name == "organization" else "-"
    if isinstance(value, date):
        return date_text(value, _language())
    if isinstance(value, Decimal):
        return number_text(value)
    if name.endswith("_yen"):
        return yen(value, _language())
    if name == "fiscal_year":
        return year_label(value, _language())
    if name in ("organization", "person", "category"):
        return names(value)
    choices = dict(getattr(TABLES[part]._meta.get_field(name), "flatchoices", ())) if part in TABLES else {}
    return str(choices.get(value, value))


def number_text(value: Decimal) -> str:
    """This function will print a threshold without idle zeros: 99.9; 3,000."""
    whole = int(value)
    return number_format(whole if value == whole else value.normalize(), force_grouping=True)


def days_moved(old: date, new: date) -> str:
    """This function will say by how many days a date moved."""
    days = (new - old).days
    words = _("%(days)s days later") if days > 0 else _("%(days)s days earlier")
    return words % {"days": abs(days)}


def signed_yen(amount: int) -> str:
    """This function will print an increase with its sign: +5,000円; a decrease with △."""
    return f"+{yen(amount, _language())}" if amount > 0 else yen(amount, _language())


def marked_pieces(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """This function will cut two texts into runs that both have and runs that differ."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if a < b:
            left.append(Piece("".join(old[a:b]), kind != "equal"))
        if c < d:
            right.append(Piece("".join(new[c:d]), kind != "equal"))
    return tuple(left), tuple(right)


def _years(before: planning.Plan, after: planning.Plan, changes: Sequence[planning.Change]) -> Iterable[MoneyChange]:
    """Every year whose cells changed, with its sums; a year whose sum stays is shown too, since money moved in it."""
    touched = {
        item.fiscal_year
        for change in changes
        for item in (change.before, change.after)
        if isinstance(item, planning.BudgetCell)
    }
    sums = [_sums(plan) for plan in (before, after)]
    for year in sorted(touched):
        yield MoneyChange(year_label(year, _language()), sums[0].get(year, 0), sums[1].get(year, 0))


def _sums(plan: planning.Plan) -> Mapping[int, int]:
    sums: dict[int, int] = {}
    for cell in plan.each(planning.BudgetCell):
        sums[cell.fiscal_year] = sums.get(cell.fiscal_year, 0) + cell.amount_yen
    return sums


def _cells(changes: Sequence[planning.Change], names: _Names) -> tuple[MoneyChange, ...]:
    found = []
    for change in changes:
        if change.part is planning.BudgetCell:
            item = change.after or change.before
            assert item is not None
            old, new = (getattr(one, "amount_yen", 0) for one in (change.before, change.after))
            found.append(MoneyChange(item_name(item, names), old, new))
    return tuple(found)


def _moved(changes: Sequence[planning.Change]) -> tuple[str, ...]:
    """One line for each date that moved: what, from, to, by how many days."""
    lines = []
    for change in changes:
        if change.before is None or change.after is None:
            continue
        for name in change.changed_fields:
            old, new = getattr(change.before, name), getattr(change.after, name)
            if isinstance(old, date) and isinstance(new, date):
                words = {
                    "item": item_name(change.after, str),
                    "field": field_label(change.part, name),
                    "before": date_text(old, _language()),
                    "after": date_text(new, _language()),
                    "moved": days_moved(old, new),
                }
                lines.append(_("%(item)s, %(field)s: %(before)s → %(after)s (%(moved)s)") % words)
    return tuple(lines)


def _language() -> str:
    return "en" if (get_language() or "ja").startswith("en") else "ja"
