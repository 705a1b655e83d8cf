"""One way to write down a figure and to time a page, shared by the benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

Row = dict[str, Any]


def at_most(name: str, value: float, unit: str, budget: float, *, limit: float | None = None) -> Row:
    """This function will write down a figure that must not exceed its budget (the ratio, when there is a limit)."""
    ratio = value / limit if limit else None
    held = ratio if ratio is not None else value
    return {
        "name": name, "value": value, "unit": unit, "limit": limit, "ratio": ratio, "budget": budget,
        "ok": held <= budget,
    }  # fmt: skip


def page_times(client: Client, path: str, turns: int = 9) -> tuple[float, int]:
    """This function will return the median milliseconds of a page and its number of queries; the first is a warm-up."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    count = len(queries)  # now: the next request clears the log
    assert answer.status_code == 200, (path, answer.status_code)
    times = [seconds(lambda: _whole(client, path)) for _ in range(turns)]
    return 1000 * median(times), count


def _whole(client: Client, path: str) -> None:
    answer = client.get(path)
    b"".join(answer.streaming_content) if answer.streaming else answer.content


def seconds(work: Callable[[], object]) -> float:
    """This function will time one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
