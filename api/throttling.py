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

#: `{bucket}` is where the name comes from; a row comes back when the request is within the rate.
SPEND = """
    INSERT INTO api_allowance AS a (bucket, paid_off_at)
    {bucket}
    ON CONFLICT (bucket) DO UPDATE
    SET paid_off_at = greatest(a.paid_off_at, clock_timestamp()) + %(cost)s * interval '1 second'
    WHERE a.paid_off_at <= clock_timestamp() + %(allowed)s * interval '1 second'
    RETURNING a.bucket
"""
_SPEND_ONE = SPEND.format(bucket="VALUES (%(bucket)s, clock_timestamp() + %(cost)s * interval '1 second')")
_WAIT = """
    SELECT extract(epoch FROM paid_off_at - clock_timestamp()) - %(allowed)s
    FROM api_allowance WHERE bucket = %(bucket)s
"""


def terms(per_minute: int, at_once: int) -> dict[str, float]:
    """This function will return what a request costs and by how much a client may be ahead of it, in seconds."""
    cost = 60 / per_minute
    return {"cost": cost, "allowed": cost * (at_once - 1)}


def request_terms() -> dict[str, float]:
    """This function will return the terms of requests with a token."""
    return terms(settings.API_REQUESTS_PER_MINUTE, settings.API_REQUESTS_AT_ONCE)


def spend(bucket: str, *, per_minute: int, at_once: int) -> int:
    """This function will count one request and return 0, or the whole seconds to wait when nothing is left."""
    values = terms(per_minute, at_once)
    if prepared(_SPEND_ONE, {"bucket": bucket, **values}):
        return 0
    return seconds_to_wait(bucket, values["allowed"])


def seconds_to_wait(bucket: str, allowed: float) -> int:
    """This function will return the whole seconds until the next request of this bucket is within the rate."""
    rows = prepared(_WAIT, {"bucket": bucket, "allowed": allowed})
    return max(1, math.ceil(rows[0][0])) if rows else 1


class ClientAllowance(BaseThrottle):
    """Every request with a valid token counts; it was counted when the token was looked up."""

    seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.auth.within_rate:
            return True
        self.seconds = seconds_to_wait(request.auth.bucket, request_terms()["allowed"])
        return False

    def wait(self) -> int:
        return self.seconds
