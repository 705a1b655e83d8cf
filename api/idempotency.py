"""A machine may send its POST again: the same key gives one effect and the same answer.

The key is inserted first, in the transaction of the effect. A second request with the key waits at the unique index
until the first is done, then replays its answer; when the first failed, its row is gone and the second takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable

from api.problems import Problem, bad_request
from common.models import IdempotentReply

WAIT_SECONDS = 5
KEPT_FOR = timedelta(days=30)
_KEY = re.compile(r"[\x21-\x7e]{1,100}")
_CLAIM = """
    INSERT INTO common_idempotentreply (client, key, request_hash, status, body, content_type, created_at)
    VALUES (%s, %s, %s, 0, '', '', %s) ON CONFLICT (client, key) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that can be given again: status, body and its type."""

    status: int
    body: bytes
    content_type: str
    replayed: bool = False


def read_key(text: str | None) -> str:
    """This function will return the Idempotency-Key, or raise a 400 that says how to make one."""
    if not text:
        raise bad_request(
            "idempotency_key_missing",
            _(
                "Send an Idempotency-Key header, such as a new UUID for each upload: repeated with it, nothing is doubled."
            ),
            "Idempotency-Key",
        )
    if not _KEY.fullmatch(text):
        raise bad_request(
            "idempotency_key_invalid",
            _("The Idempotency-Key must be 1 to 100 visible ASCII characters, such as a UUID."),
            "Idempotency-Key",
        )
    return text


def answered_once(*, client: str, key: str, request_hash: str, at: datetime, effect: Callable[[], Reply]) -> Reply:
    """This function will run the effect and keep its answer, or replay the answer kept under (client, key).

    Raises a 422 problem when the key belongs to another request, and a 409 when the first is still running after
    five seconds. `request_hash` is the SHA-256 of everything that makes the request what it is.
    """
    try:
        with transaction.atomic():
            if not _claimed(client, key, request_hash, at):
                return _kept(client, key, request_hash)
            reply = effect()
            IdempotentReply.objects.filter(client=client, key=key).update(
                status=reply.status, body=reply.body, content_type=reply.content_type
            )
            return reply
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Problem(
                409,
                "still_running",
                _("The first request with this Idempotency-Key is still running. Send it again in a few seconds."),
                headers={"Retry-After": str(WAIT_SECONDS)},
            ) from None
        raise


def forget_replies(before: datetime) -> int:
    """This function will delete answers older than this instant and return how many."""
    deleted, _by_model = IdempotentReply.objects.filter(created_at__lt=before).delete()
    return deleted


def _claimed(client: str, key: str, request_hash: str, at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_SECONDS}s"])
        cursor.execute(_CLAIM, [client, key, request_hash, at])
        won = cursor.rowcount == 1
        # The wait was for the key only; the effect waits as long as it needs.
        cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    return won


def _kept(client: str, key: str, request_hash: str) -> Reply:
    kept = IdempotentReply.objects.get(client=client, key=key)
    if kept.request_hash != request_hash:
        raise Problem(
            422,
            "idempotency_key_reused",
            _("This Idempotency-Key was used for another request. Send a new key with a new body."),
            field="Idempotency-Key",
        )
    return Reply(kept.status, bytes(kept.body), kept.content_type, replayed=True)
