"""A real browser (Debian's Chromium) on a live server with the standing cast."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from reporting.sample_cast import cast_users

# Playwright's loop runs in this thread; Django would refuse the database because of it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield from _launched(playwright)


def _launched(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


def session_cookie(user: User, address: str) -> dict[str, Any]:
    """This function will sign the user in and return the browser's cookie."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": address}


OpenAs = Callable[..., Page]


@pytest.fixture(scope="session")
def site(django_db_setup: None, django_db_blocker: Any) -> Iterator[LiveServer]:
    """One server for the session on the session's database: pages are read, nothing has to be rolled back."""
    with django_db_blocker.unblock():
        server = LiveServer("127.0.0.1")
        yield server
        server.stop()


@pytest.fixture
def open_as(chromium: Browser, site: LiveServer, standing: None, django_db_blocker: Any) -> Iterator[OpenAs]:
    """`open_as("pi1", "/projects/", width=360, language="ja")` opens a page; a script error fails the test."""
    cast = cast_users()
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def opened(name: str, path: str, *, width: int = 1280, language: str = "ja") -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, locale="ja-JP")
        contexts.append(context)
        cookies = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site.url}]
        if name:
            cookies.append(session_cookie(cast[name], site.url))
        context.add_cookies(cookies)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda m: problems.append(m.text) if "Content Security Policy" in m.text else None)
        page.goto(site.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def violations(page: Page) -> list[str]:
    """This function will run axe on the page and return what it finds: rule and the first place."""
    page.evaluate(AXE.read_text())
    # Without preloading: axe would write imported stylesheets into the page, which the content policy forbids.
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], preload: false})"
    )
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found["violations"]]
