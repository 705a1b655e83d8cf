"""What a gate that is not decided yet keeps from flowing: the one place where a paper's money meets the locks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.errors import Blocker
from common.fiscal_year import label as year_label
from common.money import yen
from programs.models import PhaseLock


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that a paper would let flow to one project in one fiscal year, in yen, and what flows there already."""

    project_id: int
    name: str
    fiscal_year: int
    before_yen: int
    yen: int


def locks_on(projects: Iterable[int]) -> dict[int, list[PhaseLock]]:
    """This function will return the locks that hold on these projects, in one query."""
    found: dict[int, list[PhaseLock]] = {}
    for one in PhaseLock.objects.filter(project__in=list(projects), lifted_at__isnull=True).order_by("pk"):
        found.setdefault(one.project_id, []).append(one)
    return found


def lock_blockers(flows: Iterable[Flow], locks: Mapping[int, list[PhaseLock]] | None = None) -> list[Blocker]:
    """This function will list where more would flow than before although a gate is undecided.

    What flows already may go on or be reduced; a bridging allocation may flow in the first locked year, up to its cap.
    """
    wanted = [one for one in flows if one.yen > one.before_yen]
    if not wanted:
        return []
    held = locks_on({one.project_id for one in wanted}) if locks is None else locks
    found = []
    for one in wanted:
        lock = next((lock for lock in held.get(one.project_id, []) if lock.from_fiscal_year <= one.fiscal_year), None)
        if lock is None:
            continue
        cap = lock.bridging_yen if lock.from_fiscal_year == one.fiscal_year else 0
        if one.yen <= cap:
            continue
        found.append(Blocker("amounts", "phase_locked", _message(one, lock, cap)))
    return found


def _message(one: Flow, lock: PhaseLock, cap: int) -> str:
    language = "en" if (get_language() or "ja").startswith("en") else "ja"
    words = {"name": one.name, "year": year_label(one.fiscal_year, language), "ref": lock.source_ref}
    if cap:
        message = _(
            "%(name)s, %(year)s: until the decision on %(ref)s is in force, at most the bridging allocation of %(cap)s flows."
        )
        return message % {**words, "cap": yen(cap, language)}
    message = _("%(name)s, %(year)s: locked until the decision on the gate review %(ref)s is in force. Enter 0 here.")
    return message % words
