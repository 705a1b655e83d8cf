"""Which records of the journal belong to projects from which a reader is excluded, whatever they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, reduce
from operator import or_

from django.apps import apps
from django.db.models import Model, Q

from common.models import JournalEntry
from programs.models import Project
from programs.rules.scope import scope_of

APPS = ("programs", "calls", "evaluations", "reporting")
#: No record is further away from its project than this: a sheet of an assignment of a case of a review.
FARTHEST = 4


def hidden_entries(user: object, entries: Iterable[JournalEntry]) -> set[int]:
    """This function will return the ids of the entries about projects from which the reader is excluded."""
    by_type: dict[str, dict[int, list[int]]] = {}
    for one in entries:
        by_type.setdefault(one.subject_type, {}).setdefault(one.subject_id, []).append(one.pk)
    found: set[int] = set()
    recused = scope_of(user).recused if by_type else frozenset()
    if not recused:
        return found
    for label, rows in by_type.items():
        about = [Q(**{f"{way}__in": recused}) for way in ways_to_project(label)]
        if about:
            hidden = apps.get_model(label)._base_manager.filter(reduce(or_, about), pk__in=list(rows))
            found.update(pk for subject in hidden.values_list("pk", flat=True) for pk in rows[subject])
    return found


@cache
def ways_to_project(label: str) -> tuple[str, ...]:
    """This function will return the ways of foreign keys from a record to the projects that it is about."""
    if label.partition(".")[0] not in APPS:
        return ()
    return tuple("__".join(way) or "pk" for way in _ways(apps.get_model(label), (), frozenset()))


def _ways(model: type[Model], way: tuple[str, ...], seen: frozenset[type[Model]]) -> Iterator[tuple[str, ...]]:
    if model is Project:
        yield way
    elif len(way) < FARTHEST:
        for field in model._meta.concrete_fields:
            target = field.related_model
            if isinstance(target, type) and target not in seen and target._meta.app_label in APPS:  # type: ignore[union-attr]
                yield from _ways(target, (*way, field.name), seen | {model})  # type: ignore[arg-type]
