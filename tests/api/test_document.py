"""The committed OpenAPI document is fresh, is served, and the API keeps what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client, override_settings
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.scopes import SCOPES
from tests.api.conftest import Machine

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
COMMITTED = json.loads(DOCUMENT.read_text())
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
OPERATIONS = sorted((path, method) for path, item in COMMITTED["paths"].items() for method in item)


@schemathesis.serializer("application/x-ndjson")
def one_line(ctx: Any, value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer("application/x-ndjson")
def first_line(ctx: Any, response: Any) -> Any:
    return orjson.loads(response.content.splitlines()[0])


@pytest.mark.parametrize("language", ["ja", "en"])
def test_document_when_drawn_again_then_is_the_committed_one(language: str) -> None:
    with translation.override(language):
        drawn = SchemaGenerator().get_schema(request=None, public=True)
    assert OpenApiJsonRenderer().render(drawn).decode().strip() == DOCUMENT.read_text().strip(), "run `make docs`"


def test_document_when_served_then_is_the_committed_one_for_everybody(client: Client) -> None:
    response = client.get("/api/v1/openapi.json")
    assert (response.status_code, orjson.loads(response.content)) == (200, COMMITTED)


def test_document_when_read_then_every_operation_names_a_known_scope() -> None:
    named = {
        scope
        for path, method in OPERATIONS
        for requirement in COMMITTED["paths"][path][method]["security"]
        for scope in requirement["oauth2"]
    }
    assert named == set(SCOPES)
    flow = COMMITTED["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert flow == {"tokenUrl": "/api/oauth/token/", "scopes": SCOPES}


@pytest.fixture
def wsgi(machine: Machine) -> Iterator[Any]:
    """The application over WSGI, on the connection of the test."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield get_wsgi_application()
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@override_settings(API_REQUESTS_AT_ONCE=100_000)
def test_operation_when_called_with_generated_input_then_answers_as_the_document_says(
    path: str, method: str, machine: Machine, wsgi: Any
) -> None:
    operation = schemathesis.openapi.from_dict(COMMITTED)[path][method.upper()]
    seen: list[int] = []

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        response = case.call(app=wsgi, headers={**machine.headers, **(case.headers or {})})
        case.validate_response(response, checks=CHECKS)
        seen.append(response.status_code)

    holds()
    assert 200 in seen or 404 in seen
