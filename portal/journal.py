"""Journal rows in words a reader knows: what was done, by whom, and what changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext_lazy as _

from common.models import JournalEntry

#: What the actions write > what a page says.
DONE: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history page."""

    at: datetime
    who: str
    what: str
    reason: str
    changes: list[Change]


def readable(entries: Iterable[JournalEntry]) -> list[Line]:
    """This function will put journal rows into words; an action without words shows its own name."""
    return [
        Line(
            entry.at,
            _actor(entry),
            str(DONE.get(entry.action) or entry.action.replace("_", " ").replace(".", " ")),
            entry.reason,
            list(_changes(entry)),
        )
        for entry in entries
    ]


def _actor(entry: JournalEntry) -> str:
    return str(_("the system")) if entry.actor_kind == "system" else entry.actor_label


def _changes(entry: JournalEntry) -> Iterable[Change]:
    for name in dict.fromkeys([*entry.before, *entry.after]):
        before, after = entry.before.get(name), entry.after.get(name)
        if before != after:
            yield Change(_label(entry.subject_type, name), _text(before), _text(after))


def _label(subject_type: str, name: str) -> str:
    try:
        return str(apps.get_model(subject_type)._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    except (LookupError, FieldDoesNotExist, AttributeError, ValueError):
        return name.replace("_", " ")


def _text(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return "、".join(_text(one) for one in value)
    if isinstance(value, dict):
        return "、".join(f"{name}: {_text(one)}" for name, one in value.items())
    return str(value)
