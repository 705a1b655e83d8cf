"""Japanese first, English by a switch; no English message left on a Japanese page."""

import re

from tests.browser.conftest import OpenAs

JAPANESE = re.compile(r"[぀-ヿ一-鿿]")


def test_language_when_switched_then_the_page_is_english_and_stays_so(open_as: OpenAs) -> None:
    page = open_as("pd1", "/portfolio/")
    assert JAPANESE.search(page.inner_text("h1"))
    page.click("button[name=language]")
    assert page.inner_text("h1") == "Portfolio"
    assert page.get_attribute("html", "lang") == "en"
    page.click("nav.site-nav a[href='/projects/']")
    assert page.get_attribute("html", "lang") == "en"
