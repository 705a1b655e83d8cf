"""A visit's memo on a phone: one field that saves itself, two phones at once, and no accessibility trouble."""

import pytest
from django.core.management import call_command
from django.utils.timezone import localdate, now
from playwright.sync_api import expect

from accounts.models import User
from programs.actions.advice import give_advice
from programs.actions.visits import open_visit
from programs.models import Advice, Project, SiteVisit
from tests.browser.conftest import OpenAs, violations

TEXT = "試作機の動作を確認した。"


@pytest.fixture
def visit(site, standing, django_db_blocker):
    """A visit of today with advice, committed for the server to see; taken away afterwards."""
    with django_db_blocker.unblock():
        pd1 = User.objects.get(email="pd1@sample.example")
        project = Project.objects.get(ref="sample-ql1-f1")
        how = {"by": pd1, "at": now()}
        made = open_visit(project, on=localdate(), place="見本機関A", participants="見本 PD1", **how)
        owner = User.objects.get(email="pi1@sample.example").person
        give_advice(project, text="手順を見直すこと。", owner=owner, due_on=localdate(), visit=made, **how)
        yield made
        # Journal and visits are never deleted: the tables are emptied, as tests with transactions do.
        call_command("flush", verbosity=0, interactive=False)


def test_memo_when_typed_on_a_phone_then_saved_by_itself_and_a_second_phone_sees_both_texts(
    open_as: OpenAs, visit: SiteVisit
) -> None:
    first, second = (open_as(name, f"/visits/{visit.ref}/", width=360) for name in ("pd1", "po1"))
    assert violations(first) == []
    assert first.evaluate("document.documentElement.scrollWidth") <= 360
    first.fill(f"#text-{visit.ref}", TEXT)
    expect(first.locator(f"#line-{visit.ref} .save-state")).to_contain_text(
        "見本 プログラムディレクター1", timeout=10_000
    )
    second.fill(f"#text-{visit.ref}", "POの記録")
    expect(second.locator(f"#line-{visit.ref}")).to_contain_text(TEXT, timeout=10_000)
    expect(second.locator(f"#text-{visit.ref}")).to_have_value("POの記録")
    first.reload()
    expect(first.locator(f"#text-{visit.ref}")).to_have_value(TEXT)


def test_advice_when_opened_on_a_phone_then_axe_finds_nothing(
    open_as: OpenAs, visit: SiteVisit, django_db_blocker
) -> None:
    with django_db_blocker.unblock():
        ref = Advice.objects.get(visit=visit).ref
    for name in ("pi1", "pd1"):
        page = open_as(name, f"/advice/{ref}/", width=360)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
