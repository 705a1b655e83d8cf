"""The admin in a browser: forms and histories are accessible, people are found by typing, nothing breaks the policy."""

from playwright.sync_api import Page

from tests.browser.conftest import OpenAs, violations


def accessible(page: Page) -> None:
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})


def test_record_when_opened_from_the_list_then_form_and_history_are_accessible(open_as: OpenAs) -> None:
    page = open_as("staff1", "/admin/accounts/rolegrant/")
    page.click("#result_list tbody tr:first-child th a")
    assert page.locator("h1").inner_text() == "役割の付与 を変更"
    accessible(page)
    page.click(".historylink")
    assert page.locator(".history li").count() > 0
    accessible(page)


def test_person_when_searched_for_in_a_form_then_found_by_keyboard(open_as: OpenAs) -> None:
    page = open_as("staff1", "/admin/accounts/affiliation/add/")
    box = page.get_by_role("combobox", name="人")
    box.focus()
    box.press("Enter")
    page.keyboard.type("主査")
    page.wait_for_selector(".select2-results__option--highlighted:has-text('主査')")
    assert violations(page) == []
    page.keyboard.press("Enter")
    assert "主査" in page.locator("#select2-id_person-container").inner_text()


def test_form_when_refused_then_says_why_at_the_field(open_as: OpenAs) -> None:
    page = open_as("staff1", "/admin/accounts/organization/add/")
    page.fill("#id_ref", "sample-jst")
    page.fill("#id_name_ja", "二つ目")
    page.fill("#id_corporate_number", "1000000000000")
    page.click("input[name=_save]")
    page.wait_for_selector(".errornote")
    assert page.locator(".field-ref .errorlist").count() == 1
    assert page.locator(".field-corporate_number .errorlist").count() == 1
    assert violations(page) == []
