"""Bringing records to what a file says: what is missing is created, what differs is changed, the rest is left.

Nothing is ever deleted, and what the file does not know (null) never overwrites what is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.models import Q

from common.audit import Change

ModelT = TypeVar("ModelT", bound=models.Model)
Row = Mapping[str, Any]


@dataclass(slots=True)
class Upserted(Generic[ModelT]):
    """The records of the rows, in the order of the rows, and what became of each."""

    records: list[ModelT] = field(default_factory=list)
    created: list[tuple[ModelT, dict[str, Any]]] = field(default_factory=list)
    changed: list[tuple[ModelT, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    left: int = 0


def upsert(
    model: type[ModelT],
    rows: Iterable[Row],
    *,
    key: tuple[str, ...],
    among: Q | None = None,
    created_only: Collection[str] = (),
    stated: Collection[str] = (),
) -> Upserted[ModelT]:
    """This function will create or change one record for each row, found by `key`, in three statements at most.

    A row maps field names to values (a related record as itself); a value of None says nothing about its field.
    `created_only` names fields that are set when a record is created and never touched again; `stated` names those
    whose None is a statement (a root has no parent).
    """
    wanted = [{name: value for name, value in row.items() if value is not None or name in stated} for row in rows]
    result: Upserted[ModelT] = Upserted()
    if not wanted:
        return result
    existing = {
        _key_of(record, key): record
        for record in model._default_manager.select_for_update(of=("self",)).filter(
            among or Q(), **{f"{key[0]}__in": [row[key[0]] for row in wanted]}
        )
    }
    touched: set[str] = set()
    for row in wanted:
        record = existing.get(tuple(_plain(row[name]) for name in key))
        if record is None:
            record = model(**row)
            result.created.append((record, {name: readable(value) for name, value in row.items()}))
        else:
            for name in key:
                setattr(record, name, row[name])  # the same value, but a related record comes with it
            before, after = _differences(record, row, {*key, *created_only})
            touched |= after.keys()
            if after:
                result.changed.append((record, before, after))
            else:
                result.left += 1
        result.records.append(record)
    model._default_manager.bulk_create([record for record, _after in result.created])
    if touched:
        model._default_manager.bulk_update([record for record, _before, _after in result.changed], sorted(touched))
    return result


def _differences(record: models.Model, row: Row, skipped: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sets what differs on the record and returns it before and after, in a form for the journal."""
    before, after = {}, {}
    for name, value in row.items():
        if name in skipped or _plain(getattr(record, _attname(record, name))) == _plain(value):
            continue
        before[name], after[name] = readable(getattr(record, name)), readable(value)
        setattr(record, name, value)
    return before, after


def readable(value: Any) -> Any:
    """This function will return a value as the journal keeps it: a record by its reference, decimals, dates as text."""
    if isinstance(value, models.Model):
        return str(getattr(value, "ref", "") or value.pk)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _attname(record: models.Model, name: str) -> str:
    return str(record._meta.get_field(name).attname)  # type: ignore[union-attr]


def _key_of(record: models.Model, key: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(_plain(getattr(record, _attname(record, name))) for name in key)


def _plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        return value.pk
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Line:
    """One record that was created or changed."""

    verb: str
    noun: str
    label: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(slots=True)
class Counts:
    """How many records of one noun were created, changed and left."""

    created: int = 0
    changed: int = 0
    left: int = 0


@dataclass(slots=True)
class Ledger:
    """What a load did: counts per noun, a line per record, and one journal row for each owner of what was touched."""

    counts: dict[str, Counts] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    _owners: dict[tuple[str, int], Change] = field(default_factory=dict)

    @property
    def has_changes(self) -> bool:
        return bool(self.lines)

    @property
    def left(self) -> int:
        return sum(counts.left for counts in self.counts.values())

    def add(self, done: Upserted[Any], *, owner: str = "", label: tuple[str, ...] = ("ref",)) -> None:
        """This function will enter what became of some records; `owner` names the field of the record they belong to.

        In the journal a part stands within its owner's row, under the name of its table and its `label`.
        """
        if not done.records:
            return
        noun = str(done.records[0]._meta.verbose_name)
        counts = self.counts.setdefault(noun, Counts())
        counts.created += len(done.created)
        counts.changed += len(done.changed)
        counts.left += done.left
        for record, after in done.created:
            self._enter("created", noun, record, owner, label, {}, after)
        for record, before, after in done.changed:
            self._enter("changed", noun, record, owner, label, before, after)

    def _enter(
        self,
        verb: str,
        noun: str,
        record: models.Model,
        owner: str,
        label: tuple[str, ...],
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> None:
        name = " ".join(str(readable(getattr(record, part))) for part in label)
        subject: models.Model = getattr(record, owner) if owner else record
        shown = f"{readable(subject)} {name}" if owner else name
        self.lines.append(Line(verb, noun, shown, before, after))
        change = self._owners.setdefault((subject._meta.label, subject.pk), Change(subject))
        if owner:
            part_name = record._meta.model_name or noun
            if before:
                change.before.setdefault(part_name, {})[name] = before
            change.after.setdefault(part_name, {})[name] = {k: v for k, v in after.items() if k != owner}
        else:
            change.before.update(before)
            change.after.update(after)

    def changes(self) -> list[Change]:
        """This function will return what goes into the journal: one change for each owner."""
        return list(self._owners.values())
