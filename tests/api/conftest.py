"""A client of the sample agency that runs the twin, and one of an agency that runs nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from api.actions import create_client
from api.models import ApiClient
from api.scopes import SCOPES
from common.actors import SYSTEM


@dataclass
class Machine:
    """A test client that carries a bearer token."""

    client: Client
    token: str
    record: ApiClient

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(f"/api/v1/{path}", query, headers={**self.headers, **names})

    def json(self, path: str, query: dict[str, Any] | None = None) -> Any:
        response = self.get(path, query)
        assert response.status_code == 200, response.content
        return orjson.loads(response.content)

    def send(self, path: str, body: bytes, *, key: str | None, content_type: str = "application/x-ndjson") -> Any:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        return self.client.post(f"/api/v1/{path}", body, content_type=content_type, headers=headers)


def machine_of(agency: str, scopes: list[str] | None = None) -> Machine:
    """This function will make a client of the agency with these scopes (all by default) and a token for it."""
    created = create_client(agency, scopes or list(SCOPES), by=SYSTEM, at=timezone.now())
    token = secrets.token_urlsafe(32)
    row = AccessToken(
        application=created.client.application,
        expires=timezone.now() + timedelta(hours=1),
        scope=" ".join(created.client.scopes),
        token=token,
    )
    row.save()
    return Machine(Client(raise_request_exception=False), token, created.client)


@pytest.fixture
def machine(cast: Any) -> Machine:
    """All scopes, of the agency that runs the twin."""
    return machine_of("sample-jst")


@pytest.fixture
def stranger(cast: Any) -> Machine:
    """All scopes, of an agency that runs no program."""
    return machine_of("sample-nedo")


@pytest.fixture
def make_machine(cast: Any) -> Callable[..., Machine]:
    return machine_of
