"""Rate limits per client, kept in PostgreSQL: several web hosts share one count and nothing else must be run for it.

The rule is the generic cell rate algorithm: each request costs 1/rate seconds, and a client may be ahead by the cost of
`at_once` requests. One row a client, one statement a request, nothing to sweep, and the wait is known exactly. The
table is unlogged: a count that a crash loses is harmless, and no request waits for a disk.
"""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.statements import prepared

_SPEND = """
    INSERT INTO api_allowance AS a (bucket, paid_off_at)
    VALUES (%(bucket)s, clock_timestamp() + %(cost)s * interval '1 second')
    ON CONFLICT (bucket) DO UPDATE
    SET paid_off_at = greatest(a.paid_off_at, clock_timestamp()) + %(cost)s * interval '1 second'
    WHERE a.paid_off_at <= clock_timestamp() + (%(ahead)s - %(cost)s) * interval '1 second'
    RETURNING paid_off_at
"""
_WAIT = """
    SELECT extract(epoch FROM paid_off_at - clock_timestamp()) - %(allowed)s
    FROM api_allowance WHERE bucket = %(bucket)s
"""


def spend(bucket: str, *, per_minute: int, at_once: int) -> int:
    """This function will count one request and return 0, or the whole seconds to wait when nothing is left."""
    cost = 60 / per_minute
    values = {"bucket": bucket, "cost": cost, "ahead": cost * at_once}
    if prepared(_SPEND, values):
        return 0
    wait = prepared(_WAIT, {"bucket": bucket, "allowed": values["ahead"] - cost})
    return max(1, math.ceil(wait[0][0])) if wait else 1


class ClientAllowance(BaseThrottle):
    """Every request of a client with a valid token counts."""

    seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        self.seconds = spend(
            f"requests:{request.user.pk}",
            per_minute=settings.API_REQUESTS_PER_MINUTE,
            at_once=settings.API_REQUESTS_AT_ONCE,
        )
        return self.seconds == 0

    def wait(self) -> int:
        return self.seconds
