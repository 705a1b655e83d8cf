"""Rates per client: refused with the seconds to wait, counted over all web hosts."""

from __future__ import annotations

import threading
from datetime import timedelta

import orjson
import pytest
from django.db import connections
from django.db.models import F
from django.test import override_settings

from api.models import Allowance
from api.throttling import spend
from tests.api.conftest import Machine


@override_settings(API_REQUESTS_AT_ONCE=3, API_REQUESTS_PER_MINUTE=2)
def test_request_when_rate_is_used_up_then_429_with_retry_after_and_others_go_on(
    machine: Machine, stranger: Machine
) -> None:
    assert [machine.get("projects/").status_code for _ in range(3)] == [200, 200, 200]
    refused = machine.get("projects/", accept_language="en")
    problem = orjson.loads(refused.content)
    assert (refused.status_code, refused["Content-Type"], problem["code"]) == (
        429, "application/problem+json", "too_many_requests",
    )  # fmt: skip
    assert 1 <= int(refused["Retry-After"]) <= 30
    assert refused["Retry-After"] in problem["detail"]
    assert stranger.get("projects/").status_code == 200


def test_rate_when_time_passes_then_fills_again(db: None) -> None:
    def ask() -> int:
        return spend("t", per_minute=1, at_once=2)

    assert [ask(), ask()] == [0, 0]
    assert 58 <= ask() <= 60
    Allowance.objects.filter(bucket="t").update(paid_off_at=F("paid_off_at") - timedelta(seconds=61))
    assert (ask() == 0, ask() > 0) == (True, True)
    assert spend("other", per_minute=1, at_once=2) == 0


@pytest.mark.django_db(transaction=True)
def test_rate_when_many_ask_at_once_then_exactly_the_allowed_number_passes() -> None:
    passed: list[int] = []
    start = threading.Barrier(20)

    def ask() -> None:
        start.wait()
        passed.append(spend("storm", per_minute=1, at_once=5))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed.count(0) == 5
