"""State machines as tables: `"submit": Move({DRAFTING, RETURNED}, SUBMITTED)`.

`move()` is the only writer of a state. The same table makes the trigger that refuses an illegal edge even in raw SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext as _

from common.errors import IllegalMove

ModelT = TypeVar("ModelT", bound=models.Model)


@dataclass(frozen=True, slots=True, init=False)
class Move:
    """A legal step: from any of `sources` to `target`."""

    sources: frozenset[str]
    target: str

    def __init__(self, sources: Iterable[str], target: str) -> None:
        object.__setattr__(self, "sources", frozenset(sources))
        object.__setattr__(self, "target", target)


MoveTable = Mapping[str, Move]


def locked(model: type[ModelT], pk: int) -> ModelT:
    """This function will read the row again under `SELECT ... FOR UPDATE`; call it inside the action's transaction."""
    # Only the row itself: a manager may join a nullable side, which PostgreSQL cannot lock.
    return model._default_manager.select_for_update(of=("self",)).get(pk=pk)


def can_move(obj: models.Model, name: str, table: MoveTable, field: str = "state") -> bool:
    """This function will tell whether the step `name` starts from the state the object is in."""
    return getattr(obj, field) in table[name].sources


def move(obj: models.Model, name: str, table: MoveTable, field: str = "state", *, also: Iterable[str] = ()) -> str:
    """This function will check the step against the table, write the new state and return the old one.

    `also` names fields the caller has set on `obj` and that belong to the step (when, by whom, which hash): they are
    written in the same statement, since the database checks them together with the state.
    The caller has locked the row and records the step. Raises `IllegalMove`.
    """
    before: str = getattr(obj, field)
    step = table[name]
    if before not in step.sources:
        label = dict(obj._meta.get_field(field).flatchoices).get(before, before)  # type: ignore[union-attr]
        raise IllegalMove(
            _("This is not possible in the state “%(state)s”. Open the page again to see where it stands now.")
            % {"state": label}
        )
    setattr(obj, field, step.target)
    obj.save(update_fields=[field, *also])
    return before


def edges(table: MoveTable) -> list[tuple[str, str]]:
    """This function will list the legal edges (from, to) of a table, sorted."""
    return sorted({(source, step.target) for step in table.values() for source in step.sources})


def fsm_trigger(name: str, table: MoveTable, field: str = "state") -> pgtrigger.FSM:
    """This function will make the trigger that refuses, also in raw SQL, every edge the table does not have."""
    return pgtrigger.FSM(name=name, field=field, transitions=edges(table))
