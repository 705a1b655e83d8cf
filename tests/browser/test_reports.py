"""A report in a real browser: written with autosave, a conflict of two windows, handed in, checked, accepted."""

from urllib.parse import urljoin

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from accounts.models import User
from programs.models import Project
from reporting.models import ProgressReport, ReportSection
from tests.browser.conftest import OpenAs, violations
from tests.reporting.conftest import opened

TEXT = "量子ビットの試作を終え、性能を確かめた。"


@pytest.fixture
def report(site, standing, django_db_blocker):
    """An open report of the twin's first Flagship, committed for the server to see; taken away afterwards."""
    with django_db_blocker.unblock():
        staff = User.objects.get(email="staff1@sample.example")
        made = opened(Project.objects.get(ref="sample-ql1-f1"), staff, fiscal_year=2024)
        yield made
        # Journal and frozen versions are never deleted: the tables are emptied, as tests with transactions do.
        call_command("flush", verbosity=0, interactive=False)


def _section(report: ProgressReport, key: str) -> ReportSection:
    return report.sections.get(key=key)


def _write(page: Page, section: ReportSection, text: str) -> None:
    page.fill(f"#text-{section.pk}", text)


def test_section_when_typed_then_counted_and_saved_by_itself_and_offered_again_when_it_failed(
    open_as: OpenAs, report: ProgressReport
) -> None:
    page = open_as("pi1", f"/reports/{report.ref}/")
    summary = _section(report, "summary")
    _write(page, summary, TEXT)
    expect(page.locator(f"#count-{summary.pk}")).to_contain_text(f"{len(TEXT)}")
    expect(page.locator(f"#line-{summary.pk} .save-state")).to_contain_text("見本 研究代表者1", timeout=10_000)
    page.reload()
    expect(page.locator(f"#text-{summary.pk}")).to_have_value(TEXT)
    page.context.set_offline(True)
    _write(page, summary, TEXT + "追記")
    expect(page.locator(f"#line-{summary.pk} .save-state")).to_contain_text("保存できませんでした", timeout=10_000)
    page.context.set_offline(False)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator(f"#text-{summary.pk}")).to_have_value(TEXT)
    page.locator(f"#section-{summary.pk} [data-draft-offer] button").click()
    expect(page.locator(f"#text-{summary.pk}")).to_have_value(TEXT + "追記")


def test_section_when_two_windows_save_it_then_both_texts_are_shown(open_as: OpenAs, report: ProgressReport) -> None:
    summary = _section(report, "summary")
    first, second = (open_as(name, f"/reports/{report.ref}/") for name in ("pi1", "hq1"))
    for page, text in ((first, "先の文"), (second, "後の文")):
        _write(page, summary, text)
        page.locator(f"#section-{summary.pk} .button-row button").click()
        page.wait_for_load_state("networkidle")
    expect(second.locator(f"#line-{summary.pk}")).to_contain_text("先の文")
    expect(second.locator(f"#text-{summary.pk}")).to_have_value("後の文")
    assert violations(second) == []
    second.locator(f"#line-{summary.pk} button[name=over]").click()
    expect(second.locator(f"#line-{summary.pk} .save-state")).to_be_visible()
    assert _section(report, "summary").text == "後の文"


def test_report_when_carried_on_by_three_people_then_ends_accepted(open_as: OpenAs, report: ProgressReport) -> None:
    pi = open_as("pi1", f"/reports/{report.ref}/", width=360)
    for section in report.sections.all():
        _write(pi, section, TEXT)
        pi.locator(f"#section-{section.pk} .button-row button").click()
        expect(pi.locator(f"#line-{section.pk} .save-state")).to_contain_text("見本", timeout=10_000)
    pi.reload()
    for page, act in ((pi, "submit"), (open_as("po1", "/"), "check"), (open_as("pd1", "/"), "accept")):
        page.goto(urljoin(page.url, f"/reports/{report.ref}/{act}/"))
        assert violations(page) == []
        # By keyboard alone: the button of the question is reached and pressed.
        button = page.locator("main form button.primary, main form button.danger").first
        button.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/reports/{report.ref}/")
    assert ProgressReport.objects.get(pk=report.pk).state == "accepted"
