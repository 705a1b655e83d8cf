"""One-time sign-in addresses: for sample people, once, within a day, never in production."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actions.sign_in_links import create_sign_in_link, use_sign_in_link
from accounts.models import SignInLink, User
from common.errors import Refused
from common.models import JournalEntry


@pytest.mark.django_db
def test_link_when_opened_then_only_the_post_signs_in_and_only_once(client: Client, cast: dict[str, User]) -> None:
    path = create_sign_in_link("pd1@sample.example", at=timezone.now())
    assert client.get(path).status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.post(path).status_code == 302
    assert client.session["_auth_user_id"] == str(cast["pd1"].pk)
    assert Client().post(path).status_code == 400


@pytest.mark.django_db
def test_link_when_too_old_then_refused(cast: dict[str, User]) -> None:
    made = timezone.now()
    token = create_sign_in_link("pd1@sample.example", at=made).split("/")[2]
    with pytest.raises(Refused):
        use_sign_in_link(token, at=made + timedelta(days=1, seconds=1))


@pytest.mark.django_db
def test_link_when_in_production_then_neither_made_nor_used(cast: dict[str, User], settings: object) -> None:
    token = create_sign_in_link("pd1@sample.example", at=timezone.now()).split("/")[2]
    settings.APP_ENVIRONMENT = "production"  # type: ignore[attr-defined]
    with pytest.raises(Refused):
        create_sign_in_link("pd1@sample.example", at=timezone.now())
    with pytest.raises(Refused):
        use_sign_in_link(token, at=timezone.now())


@pytest.mark.django_db
def test_link_when_for_a_real_person_or_nobody_then_refused(cast: dict[str, User]) -> None:
    User.objects.create_user("real@example.jp")
    for email in ("real@example.jp", "nobody@example.jp"):
        with pytest.raises(Refused):
            create_sign_in_link(email, at=timezone.now())
    assert SignInLink.objects.count() == 0


@pytest.mark.django_db
def test_link_when_made_then_the_journal_has_it_and_the_token_is_not_stored(cast: dict[str, User]) -> None:
    token = create_sign_in_link("pd1@sample.example", at=timezone.now()).split("/")[2]
    assert JournalEntry.objects.filter(action="create_sign_in_link").count() == 1
    assert not SignInLink.objects.filter(token_hash=token).exists()
