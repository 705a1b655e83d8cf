"""What every part of the sample needs: where it is refused, its tables, and one way to make its records."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from common.loading import Ledger, Row, upsert

ModelT = TypeVar("ModelT", bound=models.Model)
DATA = Path(__file__).parent / "data"


class SampleRefused(Exception):
    """Sample data is not for this place; the text says why."""


def refuse_in_production() -> None:
    """This function will raise `SampleRefused` in production: a sample database is dropped, not cleaned."""
    if settings.APP_ENVIRONMENT == "production":
        raise SampleRefused(
            _("Sample data cannot be taken out again, so production refuses it. Use a database of its own for it.")
        )


def sample_data(name: str) -> dict[str, Any]:
    """This function will read one of the sample tables that ship beside this module."""
    table: dict[str, Any] = json.loads((DATA / name).read_text(encoding="utf-8"))
    return table


def keep(
    ledger: Ledger,
    model: type[ModelT],
    rows: Iterable[Row],
    *,
    key: tuple[str, ...] = ("ref",),
    owner: str = "",
    among: Q | None = None,
    only_once: bool = False,
    made_with: tuple[str, ...] = (),
) -> list[ModelT]:
    """This function will bring sample records to what the rows say and return them in the order of the rows.

    `owner` names the field of the record in whose history the rows stand. `only_once` leaves what people have changed
    since (and what the database never changes) as it is; `made_with` does so for these fields.
    """
    wanted = list(rows)
    fixed = {name for row in wanted for name in row} - set(key) if only_once else made_with
    done = upsert(model, wanted, key=key, among=among, created_only=fixed)
    ledger.add(done, owner=owner, label=tuple(name for name in key if name != owner) or key)
    return done.records
