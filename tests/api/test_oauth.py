"""Client credentials against a token, and nothing else."""

from __future__ import annotations

import base64
from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone
from oauth2_provider.models import AccessToken

from api.actions import NewClient, create_client
from api.models import ApiClient
from common.actors import SYSTEM
from common.admin import site
from common.models import JournalEntry

pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture
def known(cast: Any) -> NewClient:
    return create_client("sample-jst", ["projects:read", "programs:read"], by=SYSTEM, at=timezone.now())


def ask(known: NewClient, client: Client, **form: str) -> tuple[int, dict[str, Any]]:
    form = {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": known.secret, **form}
    response = client.post("/api/oauth/token/", form)
    assert "no-store" in response["Cache-Control"]
    return response.status_code, orjson.loads(response.content)


def test_token_when_credentials_are_right_then_opens_what_its_scopes_say(known: NewClient, client: Client) -> None:
    status, answer = ask(known, client)
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    assert set(answer["scope"].split()) == {"projects:read", "programs:read"}
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert client.get("/api/v1/projects/", headers=bearer).status_code == 200
    assert client.get("/api/v1/areas/", headers=bearer).status_code == 403


def test_token_when_basic_authentication_is_used_then_works_too(known: NewClient, client: Client) -> None:
    basic = base64.b64encode(f"{known.client_id}:{known.secret}".encode()).decode()
    response = client.post(
        "/api/oauth/token/", {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"}
    )
    assert response.status_code == 200


def test_token_when_given_then_only_its_hash_is_stored(known: NewClient, client: Client) -> None:
    _status, answer = ask(known, client)
    stored = AccessToken.objects.get(application=known.client.application)
    assert answer["access_token"] not in (stored.token, stored.token_checksum)
    known.client.application.refresh_from_db()
    assert known.secret not in known.client.application.client_secret


def test_token_when_one_scope_is_asked_for_then_carries_only_that(known: NewClient, client: Client) -> None:
    assert ask(known, client, scope="projects:read")[1]["scope"] == "projects:read"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "\x00"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"scope": "areas:read"}, 400, "invalid_scope"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"grant_type": "password", "username": "staff1@sample.example", "password": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "unsupported_grant_type"),
    ],
)  # fmt: skip
def test_token_when_request_is_wrong_then_refused(
    form: dict[str, str], status: int, error: str, known: NewClient, client: Client
) -> None:
    answered, body = ask(known, client, **form)
    assert (answered, body["error"]) == (status, error)
    assert AccessToken.objects.filter(application=known.client.application).count() == 0


def test_token_when_client_is_off_then_refused(known: NewClient, client: Client) -> None:
    call_command("deactivate_api_client", known.client_id, stdout=StringIO())
    assert ask(known, client)[1]["error"] == "invalid_client"
    with pytest.raises(CommandError, match="有効なAPIクライアントはありません"):
        call_command("deactivate_api_client", known.client_id)
    entry = JournalEntry.objects.get(action="deactivate_api_client")
    assert (entry.before, entry.after) == ({"is_active": True}, {"is_active": False})


@override_settings(API_TOKENS_AT_ONCE=2, API_TOKENS_PER_MINUTE=1)
def test_token_when_guessed_too_often_then_429_with_retry_after(known: NewClient, client: Client) -> None:
    for _ in range(2):
        assert ask(known, client, client_secret="wrong")[0] == 401
    response = client.post(
        "/api/oauth/token/",
        {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": "wrong"},
    )
    assert (response.status_code, response["Content-Type"]) == (429, "application/problem+json")
    assert 0 < int(response["Retry-After"]) <= 60


def test_token_endpoint_when_read_then_405(client: Client) -> None:
    assert client.get("/api/oauth/token/").status_code == 405


# The command ----------------------------------------------------------------------------------------------------------


def test_command_when_agency_and_scopes_are_known_then_prints_id_and_secret_once(client: Client) -> None:
    out = StringIO()
    call_command("create_api_client", "--agency", "SAMPLE-JST", "--scopes", "projects:read areas:read", stdout=out)
    printed = dict(line.split(":", 1) for line in out.getvalue().splitlines()[:2])
    made = ApiClient.objects.get(application__client_id=printed["client_id"].strip())
    assert (made.organization.ref, made.scopes) == ("sample-jst", ["areas:read", "projects:read"])
    form = {
        "grant_type": "client_credentials",
        "client_id": printed["client_id"].strip(),
        "client_secret": printed["client_secret"].strip(),
    }
    assert client.post("/api/oauth/token/", form).status_code == 200
    entry = JournalEntry.objects.get(action="create_api_client")
    assert entry.after["agency"] == "sample-jst"
    assert printed["client_secret"].strip() not in str(entry.after)


@pytest.mark.parametrize(
    ("agency", "scopes", "says"),
    [
        ("nobody", "projects:read", "sample-jst, sample-nedo"),
        ("sample-inst-a", "projects:read", "sample-jst, sample-nedo"),
        ("sample-jst", "projects:read projects:write", "projects:write.*programs:read areas:read"),
        ("sample-jst", " ", "programs:read areas:read"),
    ],
)
def test_command_when_agency_or_scope_is_unknown_then_lists_the_valid_ones(agency: str, scopes: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("create_api_client", "--agency", agency, "--scopes", scopes)
    assert ApiClient.objects.count() == 0


def test_admin_when_listed_then_holds_no_table_of_oauth() -> None:
    assert [model.__name__ for model in site._registry if model._meta.app_label == "oauth2_provider"] == []
