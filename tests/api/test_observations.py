"""Sending observations: per-line results, dry run, one effect per key, limits."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection, connections, transaction
from django.test import override_settings
from django.utils import timezone
from oauth2_provider.models import AccessToken

from api import idempotency
from api.tasks import sweep
from common.models import IdempotentReply, JournalEntry
from programs.models import IndicatorObservation, OutcomeIndicator, Program
from tests.api.conftest import Machine


@pytest.fixture
def indicator(twin_program: Program) -> OutcomeIndicator:
    return OutcomeIndicator.objects.create(
        ref="sample-uploads", program=twin_program, name_ja="利用件数", unit="件", direction="at_least"
    )


def row(n: int, **changes: Any) -> dict[str, Any]:
    return {
        "indicator": "sample-uploads", "fiscal_year": 2024, "observed_on": "2024-06-01", "value": n,
        "source": "利用記録", "external_id": f"use-{n}", **changes,
    }  # fmt: skip


def ndjson(*rows: Any) -> bytes:
    return b"".join(each if isinstance(each, bytes) else orjson.dumps(each) + b"\n" for each in rows)


def lines(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/x-ndjson"
    return [orjson.loads(line) for line in response.content.splitlines()]


def problem(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, orjson.loads(response.content)["code"]


def sent() -> int:
    return IndicatorObservation.objects.filter(indicator__ref="sample-uploads").count()


def good(line: int, n: int, status: str = "created") -> dict[str, Any]:
    return {"line": line, "external_id": f"use-{n}", "status": status}


@pytest.mark.usefixtures("indicator")
def test_upload_when_lines_differ_then_each_has_its_result(machine: Machine) -> None:
    body = ndjson(
        row(1), b"\n", b"{not json\n", row(2, value="viel"), b"[1]\n", row(1), row(3, indicator="none"), row(4)
    )
    response = machine.send("observations/", body, key="upload-1")
    results = lines(response)
    assert [(each["line"], each["status"], each.get("field", "")) for each in results] == [
        (1, "created", ""), (3, "error", ""), (4, "error", "value"), (5, "error", ""), (6, "duplicate", ""),
        (7, "error", "indicator"), (8, "created", ""),
    ]  # fmt: skip
    assert results[0] == good(1, 1)
    assert all(each["message"] for each in results if each["status"] == "error")
    assert sent() == 2
    entry = JournalEntry.objects.get(action="record_observations", subject_ref="sample-uploads")
    assert (entry.actor_kind, entry.actor_id) == ("client", machine.record.application.client_id)


@pytest.mark.usefixtures("indicator")
def test_upload_when_read_back_then_is_what_was_sent(machine: Machine) -> None:
    machine.send("observations/", ndjson(row(7, value="12.5", organization=None)), key="k")
    (found,) = machine.json("observations/", {"indicator": "sample-uploads"})["results"]
    assert found.pop("recorded_at").endswith("+09:00")
    assert found == {
        "indicator": "sample-uploads", "organization": None, "fiscal_year": 2024, "observed_on": "2024-06-01",
        "value": "12.5", "source": "利用記録", "sender": "sample-jst", "external_id": "use-7", "corrects": None,
        "is_sample": True,
    }  # fmt: skip


@pytest.mark.usefixtures("indicator")
def test_upload_when_dry_run_then_same_results_and_nothing_is_kept(machine: Machine) -> None:
    body = ndjson(row(1), row(2, fiscal_year="2024"))
    dry = lines(machine.send("observations/?dry_run=1", body, key="k"))
    assert (sent(), IdempotentReply.objects.count()) == (0, 0)
    assert lines(machine.send("observations/", body, key="k")) == dry
    assert sent() == 1


@pytest.mark.usefixtures("indicator")
def test_upload_when_agency_does_not_run_the_program_then_every_line_is_unknown(stranger: Machine) -> None:
    (result,) = lines(stranger.send("observations/", ndjson(row(1)), key="k"))
    assert (result["status"], result["field"], result["code"]) == ("error", "indicator", "unknown")
    assert sent() == 0


# The key --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("indicator")
def test_upload_when_key_is_missing_then_400_says_how_to_make_one(machine: Machine) -> None:
    response = machine.send("observations/", ndjson(row(1)), key=None)
    assert problem(response) == (400, "idempotency_key_missing")
    body = orjson.loads(response.content)
    assert body["blockers"][0]["field"] == "Idempotency-Key"
    assert "UUID" in body["detail"]
    assert sent() == 0


@pytest.mark.parametrize("key", ["a" * 101, "mit leerzeichen", "鍵".encode().decode("latin-1")])
def test_upload_when_key_is_malformed_then_400(key: str, machine: Machine) -> None:
    assert problem(machine.send("observations/", b"{}\n", key=key)) == (400, "idempotency_key_invalid")


@pytest.mark.usefixtures("indicator")
def test_upload_when_sent_again_with_same_key_then_same_answer_and_one_effect(machine: Machine) -> None:
    body = ndjson(row(1), row(2))
    first = machine.send("observations/", body, key="again")
    second = machine.send("observations/", body, key="again")
    assert (second.status_code, second.content, second["Content-Type"]) == (200, first.content, first["Content-Type"])
    assert (first.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")
    assert [each["status"] for each in lines(second)] == ["created", "created"]
    assert sent() == 2
    assert JournalEntry.objects.filter(action="record_observations").count() == 1


@pytest.mark.usefixtures("indicator")
def test_upload_when_key_was_used_for_another_body_then_422_and_nothing_happens(machine: Machine) -> None:
    machine.send("observations/", ndjson(row(1)), key="used")
    response = machine.send("observations/", ndjson(row(2)), key="used")
    assert problem(response) == (422, "idempotency_key_reused")
    assert sent() == 1


@pytest.mark.usefixtures("indicator")
def test_key_when_used_by_another_client_then_is_another_key(machine: Machine, stranger: Machine) -> None:
    machine.send("observations/", ndjson(row(1)), key="shared")
    assert lines(stranger.send("observations/", ndjson(row(2)), key="shared"))[0]["status"] == "error"


@pytest.mark.usefixtures("indicator")
def test_key_when_first_upload_failed_then_is_free_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    body = ndjson(row(1))
    with monkeypatch.context() as broken:
        broken.setattr("api.v1.observations._answer_lines", lambda *args: 1 / 0)
        assert problem(machine.send("observations/", body, key="k")) == (500, "server_error")
    assert (sent(), IdempotentReply.objects.count()) == (0, 0)
    assert lines(machine.send("observations/", body, key="k")) == [good(1, 1)]


@pytest.mark.django_db(transaction=True)
def test_upload_when_50_identical_at_once_then_one_effect_and_same_answer(
    machine: Machine, indicator: OutcomeIndicator
) -> None:
    body = ndjson(*(row(n) for n in range(20)))
    start = threading.Barrier(50)
    answers: list[tuple[int, bytes]] = []

    def send() -> None:
        start.wait()
        response = machine.send("observations/", body, key="storm")
        answers.append((response.status_code, response.content))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    assert set(answers) == {(200, answers[0][1])}
    assert [orjson.loads(line)["status"] for line in answers[0][1].splitlines()] == ["created"] * 20
    assert sent() == 20
    assert IdempotentReply.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_upload_when_first_is_still_running_then_409_tells_when_to_come_back(
    machine: Machine, indicator: OutcomeIndicator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 1)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(idempotency._CLAIM, [machine.record.application.client_id, "busy", "x", "2026-01-01"])
            held.set()
            done.wait(20)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    response = machine.send("observations/", ndjson(row(1)), key="busy")
    done.set()
    holder.join()
    assert problem(response) == (409, "still_running")
    assert response["Retry-After"] == "1"
    assert sent() == 0


# Limits ---------------------------------------------------------------------------------------------------------------


@override_settings(API_UPLOAD_MAX_LINES=3)
@pytest.mark.usefixtures("indicator")
def test_upload_when_it_has_too_many_lines_then_413_says_the_limit(machine: Machine) -> None:
    response = machine.send("observations/", ndjson(*(row(n) for n in range(4))), key="k")
    assert problem(response) == (413, "upload_too_large")
    assert "3" in orjson.loads(response.content)["detail"]
    assert sent() == 0
    assert len(lines(machine.send("observations/", ndjson(*(row(n) for n in range(3))), key="k"))) == 3


@override_settings(API_UPLOAD_MAX_BYTES=200_000)
def test_upload_when_it_is_too_large_then_413_and_is_not_read_to_the_end(machine: Machine) -> None:
    response = machine.send("observations/", b"x" * 3_000_000, key="k")
    assert problem(response) == (413, "upload_too_large")
    assert "200,000" in orjson.loads(response.content)["detail"]


@pytest.mark.parametrize("body", [b"", b"\n  \n\n"])
def test_upload_when_empty_then_400(body: bytes, machine: Machine) -> None:
    assert problem(machine.send("observations/", body, key="k")) == (400, "empty_upload")


@pytest.mark.parametrize("query", ["dry_run=yes", "dryrun=1", "page_size=10"])
def test_upload_when_parameter_is_unknown_then_400(query: str, machine: Machine) -> None:
    assert machine.send(f"observations/?{query}", b"{}\n", key="k").status_code == 400


@pytest.mark.usefixtures("indicator")
def test_sweep_when_run_then_forgets_old_answers_and_expired_tokens_only(machine: Machine, stranger: Machine) -> None:
    for key in ("old", "new"):
        machine.send("observations/", ndjson(row(1)), key=key)
    IdempotentReply.objects.filter(key="old").update(created_at=timezone.now() - timedelta(days=31))
    AccessToken.objects.filter(application=stranger.record.application).update(expires=timezone.now())
    assert sweep() == 1
    assert sweep() == 0
    assert IdempotentReply.objects.get().key == "new"
    assert AccessToken.objects.get().application == machine.record.application
