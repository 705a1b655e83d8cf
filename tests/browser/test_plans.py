"""Plan pages in a real browser: axe finds nothing, sums live, an item is written in part of the page."""

from datetime import date

import pytest
from django.utils import timezone

from programs.actions import plans
from programs.models import (
    TABLES,
    CostCategory,
    PlanDeliverable,
    PlanEffort,
    PlanGate,
    PlanMilestone,
    PlanVersion,
    PlanWorkPackage,
    Project,
)
from programs.queries.plans import participants
from reporting.sample_cast import cast_users
from tests.browser.conftest import OpenAs, violations
from tests.cast import make_sample

REF = "sample-ql2-f1"
BASE = f"/projects/{REF}/plan/"


@pytest.fixture
def draft(site, django_db_blocker):
    """A plan that is being written, with something of each kind in it; gone again after the test."""
    with django_db_blocker.unblock():
        if not cast_users():
            make_sample()
        by = cast_users()["pi3"]
        project = Project.objects.get(ref=REF)
        version = plans.open_plan(project, by=by, at=timezone.now())
        how, lead = {"by": by, "at": timezone.now()}, participants(project)[0]
        period = {"starts_on": date(2026, 4, 1), "ends_on": date(2028, 3, 31)}
        plans.save_frame(version, **period, summary="量子センサの試作", revision=0, **how)
        values = {
            PlanWorkPackage: {"title": "試作", "organization": lead, **period},
            PlanMilestone: {
                "title": "感度の達成",
                "planned_on": date(2027, 9, 30),
                "threshold": 5,
                "direction": "at_most",
            },
            PlanDeliverable: {"title": "成果報告書", "due_on": date(2028, 5, 31)},
            PlanGate: {"title": "中間評価", "held_on": date(2027, 12, 1), "phase_starts_on": date(2026, 4, 1)},
            PlanEffort: {"person": by.person, "organization": lead, "fiscal_year": 2026, "effort_percent": 40},
        }
        for table, fields in values.items():
            plans.save_item(version, table, values=fields, **how)
        goods = CostCategory.objects.get(ref="goods")
        plans.save_money(version, cells={(2026, lead.pk, goods.pk): 1_000_000}, totals={2026: 2_000_000}, **how)
        yield version
        for table in TABLES.values():
            table.objects.filter(version=version).delete()
        PlanVersion.objects.filter(pk=version.pk).delete()


@pytest.mark.parametrize(
    "path",
    ["", "1/", "1/frame/", "1/money/", "1/items/milestone/new/", "1/items/workpackage/WP1/", "1/items/gate/G1/remove/",
     "1/submit/", "1/withdraw/", "1/import/"],
)  # fmt: skip
def test_plan_page_when_checked_by_axe_then_nothing_is_found(open_as: OpenAs, draft: PlanVersion, path: str) -> None:
    page = open_as("pi3", BASE + path)
    assert page.locator("h1").count() == 1
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []


def test_sums_when_an_amount_is_typed_then_follow_at_once(open_as: OpenAs, draft: PlanVersion) -> None:
    page = open_as("pi3", f"{BASE}1/money/", language="en")
    row = page.locator("tr", has=page.locator("#cell-2026-goods"))
    assert row.locator("[data-differs]").is_visible()
    page.fill("#cell-2026-other", "１百万円")
    assert row.locator("[data-own]").inner_text() == "2,000,000"
    assert row.locator("[data-differs]").is_hidden()
    page.fill("#cell-2026-other", "まだ")
    assert row.locator("[data-own]").inner_text() == "-"


def test_item_when_added_in_part_of_the_page_then_stands_there_with_the_focus_kept(
    open_as: OpenAs, draft: PlanVersion
) -> None:
    page = open_as("pi3", f"{BASE}1/", language="en")
    page.click("text=Add a deliverable")
    page.wait_for_selector("#id_deliverable_title")
    assert page.evaluate("document.activeElement.tagName") == "H3"
    page.fill("#id_deliverable_title", "設計書")
    page.fill("#id_deliverable_due_on", "令和20年1月1日")
    page.click("text=Save this item")
    page.wait_for_selector("#deliverable-D2")
    assert page.url.endswith(f"{BASE}1/")
    milestone = f"#milestone-{draft.planmilestone_set.get().key}"
    page.click(f"{milestone} >> text=Change")
    page.fill("#id_milestone_planned_on", "いつか")
    page.click("text=Save this item")
    page.wait_for_selector("#id_milestone_planned_on_error")
    page.fill("#id_milestone_planned_on", "2030-01-01")
    page.click("text=Save this item")
    page.wait_for_selector(f"#blockers a[href='{milestone}']")
    assert violations(page) == []


def test_item_when_its_form_is_a_page_of_its_own_then_saved_as_well(open_as: OpenAs, draft: PlanVersion) -> None:
    page = open_as("pi3", f"{BASE}1/items/deliverable/new/", language="en")
    page.click("text=Save this item")
    page.wait_for_selector("#id_deliverable_title_error")
    page.fill("#id_deliverable_title", "設計書")
    page.fill("#id_deliverable_due_on", "令和20年1月1日")
    page.click("text=Save this item")
    page.wait_for_selector("#deliverable-D2")
    assert page.url.endswith(f"{BASE}1/#deliverable-")
