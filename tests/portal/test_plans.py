"""Plan pages: what is in force, versions with their difference, writing together, the acts, the change request's files."""

import io
import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import localdate
from openpyxl import load_workbook

from portal.home import tasks_of
from programs.actions import plans
from programs.actions.recusals import recuse
from programs.models import (
    TABLES,
    ChangeAttachment,
    CostCategory,
    PlanBudget,
    PlanComment,
    PlanEffort,
    PlanMilestone,
    PlanVersion,
    PlanWorkPackage,
)
from programs.queries.plans import participants
from tests.cast import again
from tests.programs.test_plans import AT, TODAY, again_version, handed_on, written

pytestmark = pytest.mark.django_db
BASE = "/projects/sample-ql1-f1/plan/"


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def as_(client, cast):
    """`as_("pi1")` is the browser of pi1, in English."""

    def signed_in(name):
        client.force_login(cast[name])
        client.cookies["django_language"] = "en"
        return client

    return signed_in


def text_of(response, status=200):
    assert response.status_code == status
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


# The tab --------------------------------------------------------------------------------------------------------------


def test_tab_when_no_plan_is_there_then_says_so_and_offers_to_open_one_to_whom_may(as_):
    assert "Open the first plan" in text_of(as_("pi1").get(BASE))
    text = text_of(as_("pd1").get(BASE))
    assert "No plan is there to be read yet." in text
    assert "Open the first plan" not in text


def test_tab_when_asked_for_a_day_then_shows_the_version_of_that_day(as_, cast, project):
    first = handed_on(written(project, cast), cast)
    second = handed_on(written(project, cast, kind="approval"), cast, to="in_approval")
    plans.approve_plan(second, decided_on=TODAY, effective_on=date(2026, 10, 1), by=cast["staff2"], at=AT)
    client = as_("auditor1")
    for day, number in (("2026-09-30", 1), ("令和8年10月1日", 2), ("２０２６/１０/０２", 2)):
        assert client.get(BASE, {"as_of": day}).context["in_force"].number == number
    assert client.get(BASE, {"as_of": "2026-06-03"}).context["in_force"] is None
    assert "Enter a date such as" in text_of(client.get(BASE, {"as_of": "2026-13-01"}))
    assert first.number == 1


def test_versions_when_listed_then_each_with_its_people_and_decision(as_, cast, project):
    handed_on(written(project, cast), cast)
    text = text_of(as_("pd1").get(BASE))
    for part in ("Version 1", "approved", "見本第1号", "2026-06-04", "checked by the PO"):
        assert part in text, part
    for name in ("pi1", "po1", "pd1", "staff1", "staff2"):
        assert str(cast[name]) in text, name


def test_draft_when_asked_for_by_who_may_not_read_it_then_it_is_not_there(as_, cast, project):
    version = written(project, cast)
    for name, status in (("pi1", 200), ("hq1", 200), ("office2", 200), ("pd1", 404), ("staff1", 404), ("jst1", 404)):
        assert as_(name).get(f"{BASE}{version.number}/").status_code == status, name
    assert "Version 1" not in text_of(as_("pd1").get(BASE))
    assert as_("pi1").get(f"{BASE}99999999999/").status_code == 404
    assert as_("pi1").get("/projects/sample-ql1-f2/plan/1/").status_code == 404


def test_history_when_a_draft_is_hidden_then_nothing_of_it_is_told(as_, cast, project):
    version = written(project, cast)
    assert "saved an item of the plan" in text_of(as_("pi1").get("/projects/sample-ql1-f1/history/"))
    assert (
        "plan"
        not in text_of(as_("auditor1").get("/projects/sample-ql1-f1/history/"))
        .partition("What happened")[2]
        .lower()
        .replace("planned", "")
        .partition("Questions")[0]
    )
    handed_on(version, cast, to="submitted")
    text = text_of(as_("auditor1").get("/projects/sample-ql1-f1/history/"))
    assert "submitted the plan" in text
    assert "忠実度の達成" in text


def test_plan_when_somebody_is_in_conflict_then_every_address_is_not_there(as_, cast, project):
    version = handed_on(written(project, cast), cast, to="submitted")
    recuse(cast["po1"].person, project, starts_on=date(2020, 4, 1), source_ref="COI-T", by=cast["staff1"], at=AT)
    client = as_("po1")
    for more in ("", f"{version.number}/", f"{version.number}/check/", "difference/", "open/"):
        assert client.get(f"{BASE}{more}").status_code == 404
    assert client.post(f"{BASE}{version.number}/check/").status_code == 404
    assert again_version(version).state == "submitted"
    assert [task.url for task in tasks_of(again(cast["po1"]), TODAY) if "/plan/" in task.url] == []


# One version ----------------------------------------------------------------------------------------------------------


def test_version_when_shown_then_all_it_holds_is_there_with_sums(as_, cast, project):
    version = written(project, cast)
    text = text_of(as_("hq1").get(f"{BASE}{version.number}/"))
    for part in (
        "WP1 試作", "M6 忠実度の達成", "99.9 % or more", "D1 成果報告書", "G1 中間評価", "測定記録", "60,000,001",
        "39,999,999", "100,000,000", "60%", "量子計算機の試作",
    ):  # fmt: skip
        assert part in text, part
    assert "Still missing" not in text


def test_version_when_something_does_not_fit_then_named_and_linked_to_its_place(as_, cast, project):
    version = written(project, cast)
    plans.save_money(version, cells={}, totals={2026: 5}, by=cast["pi1"], at=AT)
    late = {"title": "最終実証", "planned_on": date(2029, 4, 1)}
    plans.save_item(version, PlanMilestone, values=late, by=cast["pi1"], at=AT)
    response = as_("pi1").get(f"{BASE}{version.number}/")
    page = response.content.decode()
    for anchor in ("milestone-M7", "yeartotal-2026"):
        assert f'href="#{anchor}"' in page
        assert f'id="{anchor}"' in page
    assert "the total is 5 yen, the parts add up to 100,000,000 yen" in text_of(response)


@pytest.mark.parametrize("items", [1, 3])
def test_version_page_takes_at_most_fifteen_queries_whatever_it_holds(
    as_, cast, project, items, django_assert_max_num_queries
):
    handed_on(written(project, cast), cast)
    change = written(project, cast, kind="approval")
    for number in range(items):
        values = {"title": f"追加{number}", "planned_on": date(2030, 1, 1)}
        plans.save_item(change, PlanMilestone, values=values, by=cast["pi1"], at=AT)
        PlanWorkPackage.objects.filter(version=change).update(goal=f"{number}")
    for name in ("pi1", "coinvestigator1"):
        client = as_(name)
        with django_assert_max_num_queries(15):
            assert client.get(f"{BASE}{change.number}/").status_code == 200
    client = as_("pi1")
    for more in ("", "difference/", f"{change.number}/money/", f"{change.number}/items/milestone/M6/"):
        with django_assert_max_num_queries(15):
            assert client.get(f"{BASE}{more}").status_code == 200


# What differs ---------------------------------------------------------------------------------------------------------


def changed(project, cast):
    """Two versions: in the second a date is later, a title other, money moved between years, a deliverable gone."""
    first = handed_on(written(project, cast), cast)
    change = written(project, cast, kind="approval")
    how = {"by": cast["pi1"], "at": AT}
    values = {"title": "忠実度の達成", "planned_on": date(2027, 12, 28)}
    plans.save_item(change, PlanMilestone, values=values, key="M6", **how)
    plans.save_frame(
        change,
        starts_on=date(2026, 4, 1),
        ends_on=date(2028, 3, 31),
        summary="量子計算機の試作と公開",
        revision=0,
        **how,
    )
    goods = CostCategory.objects.get(ref="goods")
    lead = participants(project)[0]
    cells = {(2026, lead.pk, goods.pk): 50_000_001, (2027, lead.pk, goods.pk): 4_000_000}
    plans.save_money(change, cells=cells, totals={2026: 90_000_000, 2027: 4_000_000}, **how)
    plans.remove_item(
        change, TABLES[next(t for t in TABLES if t.__name__ == "Deliverable")], key="D1", revision=0, **how
    )
    return first, again_version(change)


def test_difference_when_read_then_words_dates_and_money_by_year(as_, cast, project):
    changed(project, cast)
    text = text_of(as_("pi1").get(f"{BASE}difference/", {"before": 1, "after": 2}))
    for part in (
        "(89 days later)", "2027-12-28 (Tue)", "FY2026 (Reiwa 8) 100,000,000 90,000,000 △ 10,000,000 yen",
        "FY2027 (Reiwa 9) 0 4,000,000 +4,000,000 yen", "All years △ 6,000,000 yen", "taken out D1 成果報告書",
    ):  # fmt: skip
        assert part in text, part
    page = as_("pi1").get(f"{BASE}difference/", {"before": 1, "after": 2}).content.decode()
    assert "量子計算機の試作<mark>と公開</mark>" in page
    back = text_of(as_("pi1").get(f"{BASE}difference/", {"before": 2, "after": 1}))
    assert "(89 days earlier)" in back
    assert "All years +6,000,000 yen" in back
    assert "Nothing differs." in text_of(as_("pi1").get(f"{BASE}difference/", {"before": 1, "after": 1}))


def test_difference_when_a_version_is_not_there_or_hidden_then_404_and_nonsense_400(as_, cast, project):
    changed(project, cast)
    assert as_("pi1").get(f"{BASE}difference/", {"before": 1, "after": 7}).status_code == 404
    assert as_("pd1").get(f"{BASE}difference/", {"before": 1, "after": 2}).status_code == 404
    assert as_("pi1").get(f"{BASE}difference/", {"before": "x"}).status_code == 400


def test_change_when_open_then_its_page_previews_dates_yen_and_conflicts(as_, cast, project):
    _first, change = changed(project, cast)
    lead = participants(project)[0]
    other = CostCategory.objects.get(ref="other")
    plans.save_money(change, cells={(2030, lead.pk, other.pk): 1}, by=cast["pi1"], at=AT)
    text = text_of(as_("pi1").get(f"{BASE}2/"))
    assert "What changes against version 1" in text
    assert "2027-09-30 (Thu) → 2027-12-28 (Tue) (89 days later)" in text
    assert "FY2030 (Reiwa 12) lies outside the period of the plan" in text
    assert "FY2030 (Reiwa 12): the total is 0 yen, the parts add up to 1 yen" in text


# Writing --------------------------------------------------------------------------------------------------------------


def test_item_when_typed_as_people_type_then_is_kept(as_, cast, project):
    version = written(project, cast)
    typed = {
        "title": "９９量子ビット", "planned_on": "令和９年１０月１日", "threshold": "１，０００．５", "unit": "量子ビット",
        "direction": "at_least", "organization": "", "criterion": "", "evidence_asked": "試験記録", "revision": "0",
    }  # fmt: skip
    response = as_("pi1").post(f"{BASE}{version.number}/items/milestone/new/", typed)
    assert (response.status_code, response["Location"]) == (302, f"{BASE}{version.number}/#milestone-")
    row = PlanMilestone.objects.get(version=version, key="M7")
    assert (row.title, row.planned_on, str(row.threshold)) == ("９９量子ビット", date(2027, 10, 1), "1000.500000")
    assert row.organization is None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "", "This field is required"),
        ("title", "長" * 201, "Shorten this to 200 characters; it has 201."),
        ("planned_on", "来年", "Enter a date such as"),
        ("threshold", "約10", "Enter a number such as"),
        ("threshold", "1.0000001", "at most 14 digits"),
        ("direction", "", "the least or the most"),
        ("organization", "999999", "Select a valid choice"),
    ],
)
def test_item_when_wrong_then_the_field_says_so_and_what_was_typed_stays(as_, cast, project, field, value, words):
    version = written(project, cast)
    typed = {"title": "節目", "planned_on": "2027-01-01", "threshold": "5", "direction": "at_least", "unit": "件"}
    response = as_("pi1").post(
        f"{BASE}{version.number}/items/milestone/new/", typed | {field: value, "criterion": "基準文"}
    )
    page = response.content.decode()
    assert response.status_code == 422
    error = re.search(rf'id="id_milestone_{field}_error">(.*?)</p>', page)
    assert error, "no error beside the field"
    assert words in error[1]
    assert f'href="#id_milestone_{field}"' in page
    assert "基準文" in page
    assert PlanMilestone.objects.filter(version=version).count() == 1


def test_item_when_two_save_then_the_second_is_shown_both_and_can_put_them_together(as_, cast, project):
    version = written(project, cast)
    path = f"{BASE}{version.number}/items/deliverable/D1/"
    first = {"title": "先の題", "due_on": "2028-05-31", "revision": "0"}
    assert as_("pi1").post(path, first).status_code == 302
    second = {"title": "後の題", "due_on": "2028-05-31", "revision": "0"}
    text = text_of(as_("hq1").post(path, second), 409)
    assert "Saved now: 先の題" in text
    assert "You typed: 後の題" in text
    assert as_("hq1").post(path, second | {"title": "両方の題", "over": "1"}).status_code == 302
    assert [row.title for row in version.plandeliverable_set.all()] == ["両方の題"]


def test_item_when_asked_for_with_htmx_then_only_its_section_comes_and_the_missing_box_with_it(as_, cast, project):
    version = written(project, cast)
    client, htmx = as_("pi1"), {"HTTP_HX_REQUEST": "true"}
    path = f"{BASE}{version.number}/items/workpackage/new/"
    page = client.get(path, **htmx).content.decode()
    assert "<html" not in page
    assert page.count('<section id="workpackage-"') == 1
    typed = {"title": "公開", "starts_on": "2020-04-01", "ends_on": "2027-03-31", "organization": ""}
    saved = client.post(path, typed, **htmx)
    text = text_of(saved)
    assert "WP2 公開" in text
    assert "lies outside the period of the plan" in text
    assert 'id="blockers" hx-swap-oob="true"' in saved.content.decode()
    wrong = client.post(path, typed | {"title": ""}, **htmx)
    assert wrong.status_code == 422
    assert "<html" not in wrong.content.decode()


def test_part_when_written_by_a_partner_then_only_the_own_institution_is_offered(as_, cast, project):
    version = written(project, cast)
    lead, partner = participants(project)[:2]
    client = as_("coinvestigator1")
    page = client.get(f"{BASE}{version.number}/items/milestone/new/").content.decode()
    assert partner.name in page
    assert f'value="{lead.pk}"' not in page
    typed = {"title": "分担の節目", "planned_on": "2027-01-01", "organization": str(lead.pk)}
    assert client.post(f"{BASE}{version.number}/items/milestone/new/", typed).status_code == 422
    typed["organization"] = str(partner.pk)
    assert client.post(f"{BASE}{version.number}/items/milestone/new/", typed).status_code == 302
    assert PlanMilestone.objects.get(version=version, key="M7").organization == partner
    for path in ("items/milestone/M6/", "items/milestone/M6/remove/", "items/gate/new/", "items/gate/G1/", "frame/"):
        assert client.get(f"{BASE}{version.number}/{path}").status_code == 403, path
    assert client.get(f"{BASE}{version.number}/items/milestone/M7/").status_code == 200
    assert client.get(f"{BASE}{version.number}/money/", {"institution": lead.ref}).status_code == 404


def test_item_when_taken_out_then_asks_once_and_is_gone_from_this_version(as_, cast, project):
    version = written(project, cast)
    client, path = as_("pi1"), f"{BASE}{version.number}/items/deliverable/D1/remove/"
    assert "Take “D1 成果報告書” out of this version?" in text_of(client.get(path))
    assert version.plandeliverable_set.count() == 1
    assert client.post(path, {"revision": "0"}).status_code == 302
    assert version.plandeliverable_set.count() == 0
    assert client.get(path).status_code == 404


def test_effort_when_changed_then_person_and_year_stay(as_, cast, project):
    version = written(project, cast)
    row = PlanEffort.objects.get(version=version)
    path = f"{BASE}{version.number}/items/effort/{row.key}/"
    page = as_("pi1").get(path).content.decode()
    assert 'name="person"' not in page
    assert as_("pi1").post(path, {"effort_percent": "５５％", "role": "総括", "revision": "0"}).status_code == 302
    row.refresh_from_db()
    assert (row.effort_percent, row.role, row.person) == (55, "総括", cast["pi1"].person)
    assert "whole number from 0 to 100" in text_of(
        as_("pi1").post(path, {"effort_percent": "101", "revision": "1"}), 422
    )


def test_effort_when_entered_twice_then_said_beside_the_year(as_, cast, project):
    version = written(project, cast)
    row = PlanEffort.objects.get(version=version)
    typed = {"person": row.person_id, "organization": row.organization_id, "fiscal_year": 2026, "effort_percent": "20"}
    text = text_of(as_("pi1").post(f"{BASE}{version.number}/items/effort/new/", typed), 422)
    assert "has an effort of 60% in this year already" in text


def test_frame_when_two_save_then_the_second_is_shown_both(as_, cast, project):
    version = written(project, cast)
    path, seen = f"{BASE}{version.number}/frame/", str(version.revision)
    typed = {"starts_on": "2026-04-01", "ends_on": "令和10年3月31日", "summary": "一人目", "revision": seen}
    assert as_("pi1").post(path, typed).status_code == 302
    text = text_of(as_("hq1").post(path, typed | {"summary": "二人目"}), 409)
    assert "Saved now: 一人目" in text
    assert "You typed: 二人目" in text
    now = str(again_version(version).revision)
    assert as_("hq1").post(path, typed | {"summary": "二人目", "over": now}).status_code == 302
    assert again_version(version).summary == "二人目"
    backwards = typed | {"ends_on": "2026-03-31", "revision": str(again_version(version).revision)}
    assert "The last day cannot be before the first." in text_of(as_("pi1").post(path, backwards), 422)


# Money ----------------------------------------------------------------------------------------------------------------


def money_form(client, version, organization):
    """What the form would send back unchanged."""
    response = client.get(f"{BASE}{version.number}/money/", {"institution": organization.ref})
    assert response.status_code == 200
    cells = [cell for row in response.context["rows"] for cell in (*row.cells, *([row.total] if row.total else []))]
    return {c.name: c.typed for c in cells} | {f"seen-{c.name}": c.seen for c in cells}


def money_path(version, organization):
    return f"{BASE}{version.number}/money/?institution={organization.ref}"


def test_money_when_typed_with_units_and_full_width_then_is_whole_yen(as_, cast, project):
    version = written(project, cast)
    lead = participants(project)[0]
    client = as_("pi1")
    typed = money_form(client, version, lead) | {
        "cell-2026-goods": "６０，０００，０００", "cell-2027-goods": "1億2,345万6,789円", "total-2027": "123,456,789",
        "cell-2026-other": "",
    }  # fmt: skip
    assert client.post(money_path(version, lead), typed).status_code == 302
    cells = PlanBudget.objects.filter(version=version)
    assert {(c.fiscal_year, c.category.ref): c.amount_yen for c in cells} == {
        (2026, "goods"): 60_000_000, (2027, "goods"): 123_456_789,
    }  # fmt: skip
    assert {y.fiscal_year: y.total_yen for y in version.planyear_set.all()} == {2026: 100_000_000, 2027: 123_456_789}


def test_money_when_one_amount_is_wrong_then_named_by_its_cell_and_nothing_is_written(as_, cast, project):
    version = written(project, cast)
    lead = participants(project)[0]
    client = as_("pi1")
    typed = money_form(client, version, lead) | {
        "cell-2027-goods": "5", "cell-2026-travel": "（5）", "cell-2027-travel": "△5",
    }  # fmt: skip
    response = client.post(money_path(version, lead), typed)
    text = text_of(response, 422)
    assert "FY2026 (Reiwa 8) travel: Enter the amount without brackets" in text
    assert "Enter 0 or more." in text
    assert 'value="（5）"' in response.content.decode()
    assert PlanBudget.objects.filter(version=version).count() == 2


def test_money_when_two_write_other_cells_then_both_stay_and_the_same_cell_shows_both(as_, cast, project):
    version = written(project, cast)
    lead = participants(project)[0]
    seen = money_form(as_("pi1"), version, lead)
    assert as_("pi1").post(money_path(version, lead), seen | {"cell-2026-goods": "1"}).status_code == 302
    assert as_("hq1").post(money_path(version, lead), seen | {"cell-2027-goods": "2"}).status_code == 302
    amounts = {c.fiscal_year: c.amount_yen for c in PlanBudget.objects.filter(version=version, category__ref="goods")}
    assert amounts == {2026: 1, 2027: 2}
    response = as_("hq1").post(money_path(version, lead), seen | {"cell-2026-goods": "3"})
    page = response.content.decode()
    assert "saved by somebody else: 1" in text_of(response, 409)
    assert re.search(r'name="cell-2026-goods" value="3"', page)
    again_seen = dict(re.findall(r'name="(seen-[^"]+)" value="([^"]+)"', page))
    assert (
        as_("hq1")
        .post(money_path(version, lead), seen | again_seen | {"cell-2026-goods": "3", "cell-2027-goods": "2"})
        .status_code
        == 302
    )
    assert PlanBudget.objects.get(version=version, fiscal_year=2026, category__ref="goods").amount_yen == 3


def test_money_when_written_by_a_partner_then_only_the_own_cells_and_no_totals(as_, cast, project):
    version = written(project, cast)
    partner = participants(project)[1]
    client = as_("office2")
    typed = money_form(client, version, partner)
    assert not any(name.startswith("total-") for name in typed)
    assert (
        client.post(money_path(version, partner), typed | {"cell-2026-goods": "7", "total-2026": "7"}).status_code
        == 302
    )
    assert PlanBudget.objects.get(version=version, organization=partner).amount_yen == 7
    assert version.planyear_set.get().total_yen == 100_000_000


def test_money_when_shown_then_sums_are_those_of_the_database(as_, cast, project):
    version = written(project, cast)
    _lead, partner = participants(project)[:2]
    goods = CostCategory.objects.get(ref="goods")
    plans.save_money(version, cells={(2027, partner.pk, goods.pk): 123}, by=cast["pi1"], at=AT)
    grid = as_("pi1").get(f"{BASE}{version.number}/").context["money"]
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fiscal_year, sum(amount_yen) FROM programs_planbudget WHERE version_id = %s GROUP BY 1 ORDER BY 1",
            [version.pk],
        )
        rows = cursor.fetchall()
    assert [(cell.fiscal_year, cell.yen) for cell in grid.sums] == rows == [(2026, 100_000_000), (2027, 123)]
    assert grid.total_yen == sum(yen for _, yen in rows)
    assert sum(part.total_yen for part in grid.parts) == grid.total_yen


# Acts -----------------------------------------------------------------------------------------------------------------


def test_plan_when_carried_on_by_its_pages_then_is_approved_and_each_step_is_told_at_home(as_, cast, project):
    assert as_("pi1").post(f"{BASE}open/").status_code == 302
    PlanVersion.objects.get(project=project)
    plans.withdraw_plan(PlanVersion.objects.get(project=project), by=cast["pi1"], at=AT)
    version = written(project, cast)
    path = f"{BASE}{version.number}/"
    steps = [
        ("pi1", "submit/", {}, "Write version 2 of the plan"),
        ("po1", "check/", {}, "Check version 2 of the plan"),
        ("pd1", "confirm/", {}, "Confirm or return version 2 of the plan"),
        (
            "staff1",
            "propose-approval/",
            {"decision_number": "７文科第1号"},
            "Draft the approval of version 2 of the plan",
        ),
        (
            "staff2",
            "approve/",
            {"decided_on": "令和8年6月4日", "effective_on": "2026-06-04"},
            "Approve or return version 2",
        ),
    ]
    for name, act, typed, task in steps:
        client = as_(name)
        assert task in text_of(client.get("/")), name
        assert client.get(path + act).status_code == 200
        assert client.post(path + act, typed).status_code == 302, name
        assert f"plan/{version.number}/" not in client.get("/").content.decode().partition("Done today")[0], name
    assert again_version(version).state == "approved"


def test_act_when_not_theirs_then_403_with_the_reason_and_nothing_happens(as_, cast, project):
    version = handed_on(written(project, cast), cast, to="in_approval")
    for name, act in (
        ("staff1", "approve"),
        ("pi1", "withdraw"),
        ("pd1", "confirm"),
        ("po1", "return"),
        ("jst1", "submit"),
    ):
        response = as_(name).post(f"{BASE}{version.number}/{act}/", {"comment": "x", "reason": "x"})
        assert response.status_code == 403, name
        assert "present state" in text_of(response, 403)
    assert again_version(version).state == "in_approval"


def test_submission_when_something_is_missing_then_its_page_lists_it_instead_of_a_button(as_, cast, project):
    version = plans.open_plan(project, by=cast["pi1"], at=AT)
    response = as_("pi1").get(f"{BASE}{version.number}/submit/")
    assert "Write the summary of the plan." in text_of(response)
    assert f'href="{BASE}{version.number}/#frame-plan"' in response.content.decode()
    assert "Write the summary of the plan." in text_of(as_("pi1").post(f"{BASE}{version.number}/submit/"), 422)
    assert again_version(version).state == "drafting"


def test_return_when_about_an_item_then_the_comment_stands_beside_it(as_, cast, project):
    version = handed_on(written(project, cast), cast, to="submitted")
    path = f"{BASE}{version.number}/return/"
    assert "This field is required" in text_of(as_("po1").post(path, {"comment": "  "}), 422)
    assert as_("po1").post(path, {"comment": "期日の根拠を示してください。", "item_key": "M6"}).status_code == 302
    assert PlanComment.objects.get(version=version).item_key == "M6"
    text = text_of(as_("pi1").get(f"{BASE}{version.number}/"))
    assert text.count("期日の根拠を示してください。") == 2
    assert "About “M6 忠実度の達成”" in text


def test_approval_when_dates_cannot_be_then_said_beside_the_field(as_, cast, project):
    version = handed_on(written(project, cast), cast, to="in_approval")
    path = f"{BASE}{version.number}/approve/"
    response = as_("staff2").post(path, {"decided_on": "2099-01-01", "effective_on": "2026-06-04"})
    assert 'id="id_decided_on_error"' in response.content.decode()
    assert "The day of the decision cannot lie ahead." in text_of(response, 422)
    number = as_("staff1").post(f"{BASE}{version.number}/refuse/", {"reason": ""})
    assert number.status_code == 422
    assert as_("staff1").post(f"{BASE}{version.number}/refuse/", {"reason": "予算の見直し"}).status_code == 302
    assert again_version(version).state == "refused"


# Change requests ------------------------------------------------------------------------------------------------------


def test_next_version_when_opened_then_asks_for_its_kind_and_copies_the_one_in_force(as_, cast, project):
    handed_on(written(project, cast), cast)
    client = as_("pi1")
    assert "This field is required" in text_of(client.post(f"{BASE}open/", {"reason": "遅延"}), 200)
    typed = {"kind": "approval", "reason": "装置の納入遅延", "wanted_from": "令和8年10月1日"}
    response = client.post(f"{BASE}open/", typed)
    assert response["Location"] == f"{BASE}2/"
    text = text_of(client.get(f"{BASE}2/"))
    for part in (
        "Application for approval of a change",
        "装置の納入遅延",
        "2026-10-01",
        "Nothing differs.",
        "M6 忠実度の達成",
    ):
        assert part in text, part
    assert client.get(f"{BASE}open/").status_code == 403
    assert as_("office1").get(f"{BASE}open/").status_code == 403


def test_stop_when_opened_then_asks_for_its_last_day_and_shows_what_it_does_to_dates_and_yen(as_, cast, project):
    first = written(project, cast)
    lead, goods = participants(project)[0], CostCategory.objects.get(ref="goods")
    money = {"cells": {(2027, lead.pk, goods.pk): 7_000_000}, "totals": {2027: 7_000_000}}
    plans.save_money(first, **money, by=cast["pi1"], at=AT)
    handed_on(again_version(first), cast)
    client, typed = as_("pi1"), {"kind": "stop", "reason": "転出のため"}
    assert "Enter the last day of the project." in text_of(client.post(f"{BASE}open/", typed))
    late = text_of(client.post(f"{BASE}open/", typed | {"ends_on": "令和20年1月1日"}))
    assert "Choose a day before its end." in late
    response = client.post(f"{BASE}open/", typed | {"ends_on": "令和8年9月30日"})
    text = text_of(client.get(response["Location"]))
    for part in ("2026-09-30 (Wed) (548 days earlier)", "FY2027 (Reiwa 9) 7,000,000 0 △ 7,000,000 yen", "taken out M6"):
        assert part in text, part


def test_attachment_when_added_then_who_reads_the_version_gets_it_and_nobody_else(as_, cast, project):
    handed_on(written(project, cast), cast)
    change = written(project, cast, kind="approval")
    path = f"{BASE}{change.number}/files/"
    document = SimpleUploadedFile("理由書.txt", "納入が遅れました。".encode(), content_type="text/plain")
    assert as_("pi1").post(path, {"file": document}).status_code == 302
    attachment = ChangeAttachment.objects.get(request=change.change_request)
    own = f"{path}{attachment.pk}/"
    response = as_("office2").get(own)
    assert response.getvalue().decode() == "納入が遅れました。"
    assert "attachment" in response["Content-Disposition"]
    assert response["Content-Security-Policy"] == "sandbox"
    assert as_("pd1").get(own).status_code == 404
    handed_on(again_version(change), cast, to="submitted")
    response = as_("po1").get(own)
    assert (response.status_code, response.getvalue().decode()) == (200, "納入が遅れました。")
    assert as_("pi1").post(f"{own}remove/").status_code == 403
    assert ChangeAttachment.objects.filter(pk=attachment.pk).exists()


def test_attachment_when_not_accepted_then_said_beside_the_field_and_nothing_is_kept(as_, cast, project):
    handed_on(written(project, cast), cast)
    change = written(project, cast, kind="approval")
    program = SimpleUploadedFile("setup.exe", b"MZ\x90\x00" + b"\x00" * 100, content_type="application/pdf")
    response = as_("pi1").post(f"{BASE}{change.number}/files/", {"file": program})
    assert response.status_code == 422
    assert 'id="id_file_error"' in response.content.decode()
    assert ChangeAttachment.objects.count() == 0
    assert as_("coinvestigator1").post(f"{BASE}{change.number}/files/", {"file": program}).status_code == 403


def waiting_for(version, cast):
    near = ("pi1", "hq1", "po1", "pd1", "deputy1", "staff1", "staff2", "jst1", "jst2", "auditor1", "evaluator1")
    tasks = {name: tasks_of(again(cast[name]), localdate()) for name in near}
    return {name for name, found in tasks.items() if any(f"/plan/{version.number}/" in task.url for task in found)}


def test_tasks_when_a_plan_waits_then_for_those_who_act_next_only(cast, project):
    version = handed_on(written(project, cast), cast, to="confirmed")
    assert waiting_for(version, cast) == {"staff1", "staff2", "jst1", "jst2"}
    plans.propose_plan_approval(version, decision_number="1", by=cast["staff1"], at=AT)
    assert waiting_for(version, cast) == {"staff2", "jst1", "jst2"}


# The workbook ---------------------------------------------------------------------------------------------------------


def uploaded(book):
    file = io.BytesIO()
    book.save(file)
    return SimpleUploadedFile("plan.xlsx", file.getvalue())


def test_workbook_when_taken_in_then_dry_run_first_and_written_once_confirmed(as_, cast, project):
    version = written(project, cast)
    path, client = f"{BASE}{version.number}/", as_("pi1")
    response = client.get(f"{path}workbook/")
    assert "sample-ql1-f1_plan_1.xlsx" in response["Content-Disposition"]
    book = load_workbook(io.BytesIO(response.getvalue()))
    book.worksheets[1]["D2"].value = "令和9年12月1日"
    response = client.post(f"{path}import/", {"file": uploaded(book)})
    assert "2027-12-01 (Wed)" in text_of(response)
    assert PlanMilestone.objects.get(version=version).planned_on == date(2027, 9, 30)
    steps = re.search(r'name="steps" value="([^"]+)"', response.content.decode())[1]
    assert as_("hq1").post(f"{path}import/", {"steps": steps}).status_code == 400
    assert as_("pi1").post(f"{path}import/", {"steps": steps}).status_code == 302
    assert PlanMilestone.objects.get(version=version).planned_on == date(2027, 12, 1)
    values = {"title": "別の題", "planned_on": date(2027, 11, 1)}
    plans.save_item(version, PlanMilestone, values=values, key="M6", revision=1, by=cast["hq1"], at=AT)
    late = as_("pi1").post(f"{path}import/", {"steps": steps})
    assert "Nothing was written. Somebody else saved this" in text_of(late, 409)


def test_workbook_when_a_cell_is_wrong_then_the_page_names_it_and_offers_no_button(as_, cast, project):
    version = written(project, cast)
    path, client = f"{BASE}{version.number}/", as_("pi1")
    book = load_workbook(io.BytesIO(client.get(f"{path}workbook/").getvalue()))
    book.worksheets[0]["C2"].value = "=SUM(A1)"
    book.worksheets[1]["B2"].value = "別の題"
    response = client.post(f"{path}import/", {"file": uploaded(book)})
    assert "Budget sheet!C2 There is a formula here." in text_of(response, 422)
    assert 'name="steps"' not in response.content.decode()
    wrong = client.post(f"{path}import/", {"file": SimpleUploadedFile("plan.xlsx", b"PK no zip")})
    assert wrong.status_code == 422
    assert as_("auditor1").get(f"{path}import/").status_code == 404
