"""Signing in as people do: password, authenticator app, passkey; all under the pages' policy without inline script."""

import re
from urllib.parse import urljoin

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.hashers import make_password
from playwright.sync_api import Page

from accounts.models import User
from tests.browser.conftest import OpenAs, violations

PASSWORD = "correct horse battery staple"


@pytest.fixture
def with_password(django_db_blocker):
    """Somebody gets a password for this test; afterwards nobody has one, nor an app or a key."""

    def give(name: str = "pi2") -> User:
        with django_db_blocker.unblock():
            _forget()
            user = User.objects.get(email=f"{name}@sample.example")
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
            return user

    yield give
    with django_db_blocker.unblock():
        _forget()


def _forget() -> None:
    Authenticator.objects.all().delete()
    User.objects.exclude(password__startswith="!").update(password=make_password(None))


def _sign_in(page: Page, email: str, *, then: str = r"//[^/]+/$") -> None:
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(then))


def _open_confirmed(page: Page, path: str) -> None:
    # What secures the account asks for the password once more.
    page.goto(urljoin(page.url, path))
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"{path}$"))


def test_sign_in_when_the_password_is_wrong_then_the_page_says_so_beside_the_form(
    open_as: OpenAs, with_password
) -> None:
    user = with_password()
    page = open_as("", "/accounts/login/")
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    assert page.locator("#error-summary").inner_text() != ""
    assert violations(page) == []


def test_sign_in_when_an_authenticator_app_is_set_up_then_its_code_is_asked(open_as: OpenAs, with_password) -> None:
    user = with_password("pi3")
    page = open_as("", "/accounts/login/")
    _sign_in(page, user.email)
    _open_confirmed(page, "/accounts/2fa/totp/activate/")
    secret = page.locator("#authenticator_secret").input_value()
    assert re.fullmatch(r"[A-Z2-7]+", secret)
    assert violations(page) == []
    page.fill("input[name=code]", _code(secret))
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(re.compile("/2fa/recovery-codes/"))
    again = open_as("", "/accounts/login/")
    _sign_in(again, user.email, then="/2fa/authenticate/")
    assert again.locator("input[name=code]").count() == 1
    assert violations(again) == []
    again.fill("input[name=code]", _code(secret, later=1))
    again.keyboard.press("Enter")
    again.wait_for_url(re.compile(r"/$"))


def _code(secret: str, later: int = 0) -> str:
    # The code of the moment was used up by the set-up; the next one is accepted as well (clock tolerance).
    counter = next(iter(yield_hotp_counters_from_time())) + later
    return format_hotp_value(hotp_value(secret, counter))


def test_sign_in_when_a_passkey_is_registered_then_it_opens_the_portal_without_a_password(
    open_as: OpenAs, with_password
) -> None:
    user = with_password("pi4")
    page = open_as("", "/accounts/login/")
    # A passkey belongs to a name, not to an IP address.
    named = page.url.replace("127.0.0.1", "localhost")
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip
    page.goto(named)
    _sign_in(page, user.email)
    _open_confirmed(page, "/accounts/2fa/webauthn/add/")
    assert page.locator("label[for=id_name]").inner_text() == "この鍵の名前"
    page.fill("input[name=name]", "鍵")
    page.check("input[name=passwordless]")
    assert violations(page) == []
    page.click("#mfa_webauthn_add")
    page.wait_for_url(re.compile(r"/2fa/(?!webauthn/add)"))
    page.context.clear_cookies(name="sessionid")
    page.goto(named)
    page.click("#passkey_login")
    page.wait_for_url(re.compile(r"localhost:\d+/$"))
    assert page.locator("details.menu").count() == 1
