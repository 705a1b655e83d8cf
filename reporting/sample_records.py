"""How sample records come to be: looked up by their key, made when missing, changed when different, never doubled."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import models

from common.actors import SYSTEM, Actor
from common.audit import Change, record_many

ModelT = TypeVar("ModelT", bound=models.Model)
DATA = Path(__file__).parent / "data"


class SampleRefused(Exception):
    """Sample data is not for this place; the text says why."""


def refuse_in_production() -> None:
    """This function will raise `SampleRefused` in production: a sample database is dropped, not cleaned."""
    if settings.APP_ENVIRONMENT == "production":
        raise SampleRefused(
            "Sample data cannot be taken out again, so production refuses it. Use a database of its own for the sample."
        )


def sample_data(name: str) -> dict[str, Any]:
    """This function will read one of the sample tables that ship beside this module."""
    table: dict[str, Any] = json.loads((DATA / name).read_text(encoding="utf-8"))
    return table


class Ledger:
    """Keeps the sample records of one run: counts what was made, changed and left, and journals it at the end."""

    def __init__(self, *, at: datetime, by: Actor = SYSTEM) -> None:
        self.at, self.by = at, by
        self.made: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        self._journal: dict[str, list[Change]] = {"create_sample": [], "change_sample": []}

    def keep(self, model: type[ModelT], where: dict[str, Any], values: dict[str, Any] | None = None) -> ModelT:
        """This function will return the row found by `where`, made or changed so that it has these values."""
        wanted = values or {}
        row = model._default_manager.filter(**where).first()
        if row is None:
            row = model(**where, **wanted)
            row.save(force_insert=True)
            self.note_made(row)
            return row
        different = {name: value for name, value in wanted.items() if getattr(row, name) != value}
        if different:
            before = {name: _plain(getattr(row, name)) for name in different}
            for name, value in different.items():
                setattr(row, name, value)
            row.save(update_fields=list(different))
            self.changed[model._meta.model_name or ""] += 1
            after = {name: _plain(value) for name, value in different.items()}
            self._journal["change_sample"].append(Change(row, before, after))
        return row

    def add_all(self, rows: list[ModelT]) -> None:
        """This function will insert rows of one model that are known to be missing, in one statement."""
        if rows:
            type(rows[0])._default_manager.bulk_create(rows)
            self.made[type(rows[0])._meta.model_name or ""] += len(rows)

    def note_made(self, row: models.Model) -> None:
        """This function will count a row as made and journal it when the run ends."""
        self.made[row._meta.model_name or ""] += 1
        self._journal["create_sample"].append(Change(row, after={"what": str(row)}))

    def close(self) -> None:
        """This function will write the journal rows of the run."""
        for action, changes in self._journal.items():
            record_many(action, changes, by=self.by, at=self.at)
            changes.clear()

    @property
    def total(self) -> int:
        return self.made.total() + self.changed.total()


def _plain(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float, str, list, dict)):
        return value
    return str(value)
