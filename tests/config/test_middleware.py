"""What every answer carries, and the two health pages."""

import pytest
from django.test import Client


def test_request_when_it_brings_an_id_then_the_answer_has_it(client: Client) -> None:
    assert client.get("/healthz", headers={"x-request-id": "abc-12345678"})["X-Request-ID"] == "abc-12345678"


def test_request_when_the_id_is_malformed_then_a_new_one_is_given(client: Client) -> None:
    assert client.get("/healthz", headers={"x-request-id": "<script>alert(1)"})["X-Request-ID"] != "<script>alert(1)"


@pytest.mark.django_db
def test_readyz_when_all_is_there_then_it_says_so(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "ok", "broker": "ok"}
    assert answer.status_code == 200
