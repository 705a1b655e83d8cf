"""Area pages: the director over time, projects by kind, TRL board, allocations, gates, complementing links."""

import re
from datetime import date

import pytest
from django.utils import timezone

from programs.actions.recusals import recuse
from programs.models import AreaDirector, Project

pytestmark = pytest.mark.django_db


def text_of(client, ref):
    response = client.get(f"/areas/{ref}/")
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def test_real_area_shows_printed_and_registered_projects_and_no_invented_director(client, cast):
    client.force_login(cast["staff1"])
    text = text_of(client, "ql2")
    for part in (
        "領域2 量子計測・センシング", "現在のPDは未登録です", "記載 2件、閲覧できる登録 2件", "記載 7件、閲覧できる登録 7件",
        "量子もつれ光センサ、量子原子磁力計、量子慣性センサ等の研究", "領域2 基礎基盤研究 電気通信大学 (ql2-b4)",
        "領域2 基礎基盤研究 電気通信大学 (ql2-b5)", "この領域の配分はまだ登録されていません", "ステージゲートは未登録です",
    ):  # fmt: skip
        assert part in text, part
    assert "見本データを表示" not in text


def test_twin_area_shows_director_board_allocations_and_gates(client, cast):
    client.force_login(cast["pd1"])
    text = text_of(client, "sample-ql1")
    for part in (
        "見本 プログラムディレクター1",
        "TRLの状況",
        "年度別の配分",
        "第1回ステージゲート評価(見本)",
        "見本データを表示",
    ):
        assert part in text, part


def test_former_director_stands_in_the_list_with_dates(client, cast, twin):
    area = twin["sample-ql4-h1"].area
    AreaDirector.objects.filter(area=area).update(starts_on=date(2023, 4, 1))
    AreaDirector.objects.create(
        area=area, person=cast["evaluator3"].person, starts_on=date(2018, 4, 1), ends_on=date(2023, 3, 31),
        granted_by=cast["staff1"], approved_by=cast["staff2"],
    )  # fmt: skip
    client.force_login(cast["staff1"])
    text = text_of(client, "sample-ql4")
    assert (
        "歴代のPD 2023年4月1日(土)から 見本 プログラムディレクター4 2018年4月1日(日)～2023年3月31日(金) 見本 評価委員3"
        in text
    )


def test_recused_director_finds_no_trace_of_the_project(client, cast, twin):
    hidden = twin["sample-ql1-f1"]
    client.force_login(cast["pd1"])
    assert hidden.title_ja in text_of(client, "sample-ql1")
    recuse(
        cast["pd1"].person, hidden, starts_on=date(2020, 4, 1), source_ref="COI-T", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    text = text_of(client, "sample-ql1")
    assert hidden.title_ja not in text
    assert "記載 2件、閲覧できる登録 1件" in text


@pytest.mark.parametrize(("name", "status"), [("pi1", 200), ("pi2", 200), ("nedo1", 404), ("evaluator1", 404)])
def test_area_is_shown_to_whom_it_concerns(client, cast, name, status):
    client.force_login(cast[name])
    assert client.get("/areas/sample-ql1/").status_code == status


def test_area_page_takes_the_same_queries_with_more_projects(client, cast, twin, django_assert_num_queries):
    client.force_login(cast["staff1"])
    with django_assert_num_queries(14):
        client.get("/areas/sample-ql1/")
    for number in range(3):
        Project.objects.create(
            ref=f"sample-more-{number}", program=twin["sample-ql1-f1"].program, area=twin["sample-ql1-f1"].area,
            kind="basic", is_sample=True,
        )  # fmt: skip
    with django_assert_num_queries(14):
        client.get("/areas/sample-ql1/")


def test_area_with_many_projects_of_a_kind_lists_some_and_links_to_all(client, cast, twin):
    first = twin["sample-ql1-f1"]
    Project.objects.bulk_create(
        Project(ref=f"sample-many-{n:02}", program=first.program, area=first.area, kind="award", is_sample=True)
        for n in range(60)
    )
    client.force_login(cast["staff1"])
    text = client.get("/areas/sample-ql1/").content.decode()
    assert sum(f"/projects/sample-many-{n:02}/" in text for n in range(60)) == 50
    assert "/projects/?area=sample-ql1&amp;kind=award" in text
    assert "(60)" in text
    assert client.get("/projects/?area=sample-ql1&kind=award").context["list"].count_text == "60件"
