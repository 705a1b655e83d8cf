"""Every error has one shape, in the caller's language."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api import views
from common.errors import Blocker, NotAllowed, NotReady
from tests.api.conftest import Machine

SHAPE = {"code", "title", "status", "detail", "blockers"}


def problem(response: Any) -> dict[str, Any]:
    body = orjson.loads(response.content)
    assert response["Content-Type"] == "application/problem+json"
    assert set(body) == SHAPE
    assert body["status"] == response.status_code
    assert "no-store" in response["Cache-Control"]
    return body


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/projects/", "/api/v1/projects"])
def test_address_when_there_is_none_then_404_problem(path: str, machine: Machine) -> None:
    response = machine.client.get(path, headers=machine.headers)
    assert (response.status_code, problem(response)["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "POST"])
def test_method_when_not_taken_then_405_with_allow(method: str, machine: Machine) -> None:
    response = machine.client.generic(method, "/api/v1/projects/", headers=machine.headers)
    assert (response.status_code, problem(response)["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/x-ndjson"])
def test_format_when_not_json_then_406(accept: str, machine: Machine) -> None:
    response = machine.get("projects/", accept=accept)
    assert (response.status_code, problem(response)["code"]) == (406, "not_acceptable")


def test_format_when_asked_by_parameter_then_400(machine: Machine) -> None:
    assert problem(machine.get("projects/?format=html"))["code"] == "unknown_parameter"


@pytest.mark.parametrize("content_type", ["application/json", "text/csv", "multipart/form-data; boundary=x"])
def test_body_when_not_ndjson_then_415(content_type: str, machine: Machine) -> None:
    response = machine.send("observations/", b"{}", key="k", content_type=content_type)
    assert (response.status_code, problem(response)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("accept", "language", "title"),
    [
        ("ja", "ja", "見つかりません"), ("en", "en", "Not found"), ("", "ja", "見つかりません"),
        ("fr, en;q=0.5", "en", "Not found"), ("de", "ja", "見つかりません"), ("en-GB", "en", "Not found"),
        ("ja-JP, en;q=0.9", "ja", "見つかりません"),
    ],
)  # fmt: skip
def test_problem_when_language_is_accepted_then_is_in_it(
    accept: str, language: str, title: str, machine: Machine
) -> None:
    response = machine.get("projects/none/", accept_language=accept)
    assert response["Content-Language"] == language
    assert "Accept-Language" in response["Vary"]
    assert problem(response)["title"] == title


def test_view_when_it_breaks_then_500_problem_that_tells_nothing_inside(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(views, "page_of", broken)
    response = machine.get("projects/")
    assert (response.status_code, problem(response)["code"]) == (500, "server_error")
    assert b"secret" not in response.content


@pytest.mark.parametrize(
    ("refusal", "status", "blockers"),
    [
        (NotAllowed("まだです"), 403, [{"field": "", "code": "not_allowed", "message": "まだです"}]),
        (
            NotReady("足りません", [Blocker("title", "missing", "題名"), Blocker("plan", "missing", "計画")]),
            409,
            [
                {"field": "title", "code": "missing", "message": "題名"},
                {"field": "plan", "code": "missing", "message": "計画"},
            ],
        ),
    ],
)
def test_refusal_of_an_action_when_raised_then_problem_lists_its_blockers(
    refusal: Exception, status: int, blockers: list[Any], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*args: Any) -> None:
        raise refusal

    monkeypatch.setattr(views, "page_of", refusing)
    response = machine.get("projects/")
    assert (response.status_code, problem(response)["blockers"]) == (status, blockers)


@pytest.mark.parametrize("path", ["projects/", "projects/none/", "nothing/"])
def test_answer_when_given_then_may_load_nothing(path: str, machine: Machine) -> None:
    assert machine.get(path)["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_head_when_asked_then_headers_without_body(machine: Machine) -> None:
    response = machine.client.head("/api/v1/projects/", headers=machine.headers)
    assert (response.status_code, response.content, response["ETag"]) == (200, b"", machine.get("projects/")["ETag"])
