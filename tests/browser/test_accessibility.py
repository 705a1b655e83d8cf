"""axe finds nothing on any page, in both widths; nothing scrolls sideways at 320 px; pages are read by keyboard."""

import pytest

from tests.browser.conftest import OpenAs, violations
from tests.browser.pages import PAGES


@pytest.mark.parametrize(("who", "path"), [p[1:] for p in PAGES], ids=[p[0] for p in PAGES])
def test_page_when_checked_by_axe_then_nothing_is_found(open_as: OpenAs, who: str, path: str) -> None:
    page = open_as(who, path)
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []


def test_page_when_tabbed_then_the_first_stop_skips_to_the_content(open_as: OpenAs) -> None:
    page = open_as("pd1", "/portfolio/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_text_when_measured_then_nothing_is_under_14_px_and_buttons_are_44(open_as: OpenAs) -> None:
    page = open_as("pi1", "/projects/sample-ql1-f1/")
    small = page.evaluate(
        "[...document.querySelectorAll('main *, header *, footer *')].filter(e => !e.closest('svg') && e.children.length"
        " === 0 && e.textContent.trim() && parseFloat(getComputedStyle(e).fontSize) < 14).map(e => e.outerHTML)"
    )
    assert small == []
    low = page.evaluate(
        "[...document.querySelectorAll('button, .button')].filter(e => e.getBoundingClientRect().height > 0 &&"
        " e.getBoundingClientRect().height < 43.9).map(e => e.outerHTML)"
    )
    assert low == []
