"""The chain over the journal: one sealer links the rows in order, so that a change to any of them shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import orjson
from django.db import connection, transaction

from common.models import JournalEntry, JournalSeal

GENESIS = "0" * 64
SEALER_LOCK = 7_301_001


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first link that does not fit: its number and what is wrong."""

    number: int
    problem: str


def link_hash(previous: str, entry: JournalEntry) -> str:
    """This function will hash an entry together with the hash before it (SHA-256, hex)."""
    payload = orjson.dumps(
        [
            previous, entry.pk, entry.at, entry.actor_kind, entry.actor_id, entry.actor_label, entry.action,
            entry.subject_type, entry.subject_id, entry.subject_ref, entry.before, entry.after, entry.reason,
            entry.request_id,
        ],
        option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z,
    )  # fmt: skip
    return hashlib.sha256(payload).hexdigest()


def seal_journal(batch: int = 5000) -> int:
    """This function will link all rows that have no seal yet, in the order of their ids, and return how many.

    Only one sealer works at a time (advisory lock). A row of a transaction that commits late is linked when it shows.
    """
    sealed = 0
    while done := _seal_batch(batch):
        sealed += done
    return sealed


@transaction.atomic
def _seal_batch(batch: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    head = JournalSeal.objects.order_by("-number").first()
    number, previous = (head.number, head.hash) if head else (0, GENESIS)
    seals = []
    for entry in JournalEntry.objects.filter(journalseal__isnull=True).order_by("id")[:batch]:
        number += 1
        seal = JournalSeal(entry=entry, number=number, previous_hash=previous, hash=link_hash(previous, entry))
        previous = seal.hash
        seals.append(seal)
    JournalSeal.objects.bulk_create(seals)
    return len(seals)


def verify_journal(expected_head: str = "") -> ChainBreak | None:
    """This function will walk the whole chain and return the first break, or None.

    `expected_head` is a head hash kept outside (an anchor): it shows a cut tail and a restored old copy.
    """
    previous, expected = GENESIS, 1
    seen_head = not expected_head
    for seal in JournalSeal.objects.select_related("entry").order_by("number").iterator(5000):
        if seal.number != expected:
            return ChainBreak(expected, "missing")
        if seal.previous_hash != previous or seal.hash != link_hash(previous, seal.entry):
            return ChainBreak(seal.number, "changed")
        previous, expected = seal.hash, expected + 1
        seen_head = seen_head or seal.hash == expected_head
    return None if seen_head else ChainBreak(expected, "tail missing")
