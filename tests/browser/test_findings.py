"""A finding in a real browser, by keyboard: drafted, checked by the project for its facts, given by the chair."""

from datetime import timedelta
from urllib.parse import urljoin

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page

from evaluations.models import Finding, GateReview, Round
from programs.models import Project
from reporting.sample_cast import cast_users
from tests.browser.conftest import OpenAs, violations
from tests.factories.findings import F1, scored
from tests.factories.rounds import FLAGSHIPS, RoundSet


@pytest.fixture
def made(site, standing, django_db_blocker):
    """A round whose scores are closed, committed for the server to see; taken away afterwards."""
    with django_db_blocker.unblock():
        whole = scored(cast_users(), {one.ref: one for one in Project.objects.filter(ref__in=FLAGSHIPS)})
        today = timezone.localdate()
        Round.objects.filter(pk=whole.round.pk).update(fact_check_due_on=today + timedelta(days=7))
        yield whole
        call_command("flush", verbosity=0, interactive=False)


def _press(page: Page) -> None:
    """The button of the page is pressed without a mouse."""
    assert violations(page) == []
    page.locator("main form button.primary").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_finding_when_carried_on_by_three_people_by_keyboard_then_the_review_is_recommended(
    open_as: OpenAs, made: RoundSet
) -> None:
    page = f"/cases/{made.cases[F1].ref}/finding/"
    secretary = open_as("secretariat1", f"{page}edit/")
    secretary.fill("[name=overall]", "計画を上回る成果であり、次の段階に進むことが適当である。")
    secretary.select_option("[name=grade]", label="A")
    secretary.check("[name=recommendation][value=continue]")
    _press(secretary)
    secretary.goto(urljoin(secretary.url, f"{page}send/"))
    _press(secretary)
    assert Finding.objects.get().state == "checking"
    team = open_as("pi1", f"/gates/{made.reviews[F1].ref}/fact-check/", width=360)
    team.check("[name=has_no_errors]")
    _press(team)
    assert Finding.objects.get().state == "drafting"
    chair = open_as("chair1", page)
    assert violations(chair) == []
    chair.goto(urljoin(chair.url, f"{page}give/"))
    _press(chair)
    assert GateReview.objects.get(pk=made.reviews[F1].pk).state == "recommended"
