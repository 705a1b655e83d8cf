"""Detection of conflicts: what is on record is searched, and each hit waits for a person who confirms or dismisses it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.actors import SYSTEM, Actor
from common.audit import Change, record, record_many
from common.errors import NotAllowed
from evaluations.conflict_detection import Hit, detect
from evaluations.models import ConflictOfInterest, Panel, PanelMember, Round
from evaluations.queries.conflict_facts import evidence_texts, examined
from evaluations.rules.conflict_windows import windows_of
from evaluations.rules.declarations import may_chase
from evaluations.states import CONFIRMED, DECLARED

DETECTED = ConflictOfInterest.Found.DETECTED


@dataclass(slots=True)
class _Known:
    """What is on record of one person, project and kind."""

    open: ConflictOfInterest | None = None
    is_declared: bool = False
    keys: set[str] = field(default_factory=set)


def find_conflicts(one: Round, *, by: User, at: datetime) -> int:
    """This function will search by hand; returns how many hits are new. Raises `NotAllowed`."""
    if not may_chase(by, one):
        raise NotAllowed(_("Conflicts are searched for by the ministry, the agency and the round's secretariat."))
    return detect_conflicts(one, by=by, at=at)


@transaction.atomic
def detect_conflicts(
    one: Round, *, members: Iterable[PanelMember] | None = None, by: Actor = SYSTEM, at: datetime
) -> int:
    """This function will search a round's panel (or these members) and live cases; returns how many hits are new.

    A hit that is open takes up new facts; one that was dismissed comes back only with a fact that it did not have; an
    excluded person is not searched for again. Twice the same makes nothing new. A constant number of queries.
    """
    Panel.objects.select_for_update().get(round=one)
    read = examined(one, members)
    hits = detect(read.people, read.projects, read.facts, windows_of(one), localdate(at)) if read.projects else []
    known, excluded = _known(hits)
    new, grown = [], []
    for hit, text in zip(hits, evidence_texts(hits), strict=True):
        there = known.get((hit.person, hit.project, hit.kind), _Known())
        if (hit.person, hit.project) in excluded or there.is_declared or not set(hit.keys) - there.keys:
            continue
        if there.open is not None:
            there.open.evidence, there.open.evidence_items = text, hit.keys
            grown.append(there.open)
        else:
            new.append(_hit(hit, text, at))
    ConflictOfInterest.objects.bulk_create(new)
    ConflictOfInterest.objects.bulk_update(grown, ["evidence", "evidence_items"])
    record_many("detect_conflict", [Change(row, after={"kind": row.kind}) for row in (*new, *grown)], by=by, at=at)
    record("search_conflicts", one, by=by, at=at)
    return len(new)


def _hit(hit: Hit, text: str, at: datetime) -> ConflictOfInterest:
    return ConflictOfInterest(
        person_id=hit.person, project_id=hit.project, kind=hit.kind, found=DETECTED, evidence=text,
        evidence_items=hit.keys, starts_on=localdate(at), declared_at=at,
    )  # fmt: skip


def _known(hits: list[Hit]) -> tuple[dict[tuple[int, int, str], _Known], set[tuple[int, int]]]:
    """What is on record of these people and projects, and which of them are in a confirmed conflict."""
    rows = ConflictOfInterest.objects.filter(
        person__in={hit.person for hit in hits}, project__in={hit.project for hit in hits}
    )
    known: dict[tuple[int, int, str], _Known] = {}
    excluded = set()
    for row in rows.order_by("pk"):
        there = known.setdefault((row.person_id, row.project_id, row.kind), _Known())
        there.keys |= set(row.evidence_items)
        if row.state == CONFIRMED:
            excluded.add((row.person_id, row.project_id))
        elif row.state == DECLARED and row.found == DETECTED:
            there.open = row
        elif row.state == DECLARED:
            # The person has declared as much: somebody settles that first.
            there.is_declared = True
    return known, excluded
