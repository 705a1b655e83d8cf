"""Project pages: each kind shows what matters to it; levels are claimed and assessed here; history in words."""

import re
from datetime import date

import pytest
from django.utils import timezone

from programs.actions.trl import claim_trl
from programs.models import AwardNumber, Milestone, Project
from tests.factories.levels import level_of, shown

pytestmark = pytest.mark.django_db


def text_of(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def test_untitled_project_is_named_by_area_kind_and_institution(client, cast):
    client.force_login(cast["staff1"])
    assert "領域1 基礎基盤研究 大阪大学 (ql1-b2)" in text_of(client, "/projects/ql1-b2/")


def test_flagship_shows_staircase_roadmap_money_gate_and_complements(client, cast):
    client.force_login(cast["pd1"])
    text = text_of(client, "/projects/sample-ql1-f1/")
    for part in (
        "超伝導量子計算機プロトタイプの開発とクラウド公開(見本)", "TRLの階段", "ロードマップ", "目標 TRL6", "次のステージゲート",
        "このプロジェクトを補う基礎基盤研究", "冷却原子による大規模量子シミュレータの研究(見本)", "見本 研究代表者1", "実施中",
        "TRLを評価する", "百万円",
    ):  # fmt: skip
        assert part in text, part


def test_basic_project_shows_goals_and_flagships_but_no_target_trl(client, cast):
    client.force_login(cast["staff1"])
    text = text_of(client, "/projects/ql1-b2/")
    for part in ("挑戦的な目標", "補う対象のFlagshipプロジェクト", "領域1 Flagshipプロジェクト 理化学研究所 (ql1-f1)",
                 "領域1 Flagshipプロジェクト 大阪大学 (ql1-f2)", "量子シミュレータ、量子ソフトウェア等の研究"):  # fmt: skip
        assert part in text, part
    assert "TRL6" not in text
    assert "TRLの階段" not in text


def test_human_resources_project_shows_theme_and_partner_institutions(client, cast):
    client.force_login(cast["staff1"])
    text = text_of(client, "/projects/ql4-h1/")
    assert "量子技術に関する共通的な教育プログラムの開発" in text
    assert "参画機関は登録されていません" in text
    assert "TRLの階段" not in text


def test_centre_shows_institutions_and_indicators(client, cast):
    client.force_login(cast["staff1"])
    text = text_of(client, "/projects/dxmt-1/")
    assert "参画機関 東北大学 (代表機関)" in text
    assert "事業の指標" in text


def test_real_flagship_says_what_is_missing_and_who_owes_it(client, cast):
    client.force_login(cast["staff1"])
    text = text_of(client, "/projects/ql1-f1/")
    for part in (
        "根拠を付けたTRLの申告 ・ 課題の研究チームの対応を待っています", "HQの構成員 ・ 文部科学省の担当官の対応を待っています",
        "研究代表者の登録", "課題名の登録", "体系的番号の登録", "テーマと代表機関は記載順に対応させています", "TRL6",
    ):  # fmt: skip
        assert part in text, part


def test_overdue_milestone_is_owed_by_the_team_with_its_date(client, cast, twin):
    project = twin["sample-ql1-f1"]
    Milestone.objects.create(project=project, number=90, title="遅れた課題", planned_on=date(2025, 3, 31))
    AwardNumber.objects.create(project=project, number="JPMXS0118067394")
    client.force_login(cast["pi1"])
    text = text_of(client, "/projects/sample-ql1-f1/")
    assert (
        "マイルストーン「遅れた課題」の達成 ・ 課題の研究チームの対応を待っています ・ 期限 2025年3月31日(月)" in text
    )
    assert "JPMXS0118067394" in text
    assert "体系的番号の登録" not in text


@pytest.mark.parametrize("tab", ["", "trl/", "money/", "people/", "history/"])
def test_project_page_takes_at_most_fifteen_queries(client, cast, tab, django_assert_max_num_queries):
    client.force_login(cast["pd1"])
    with django_assert_max_num_queries(15):
        assert client.get(f"/projects/sample-ql1-f1/{tab}").status_code == 200


def test_project_page_takes_the_same_queries_with_more_rows(client, cast, twin, django_assert_num_queries):
    client.force_login(cast["pd1"])
    with django_assert_num_queries(15):
        client.get("/projects/sample-ql1-f1/")
    for number in range(91, 94):
        Milestone.objects.create(
            project=twin["sample-ql1-f1"], number=number, title=f"節目{number}", planned_on=date(2027, 3, 1)
        )
        AwardNumber.objects.create(project=twin["sample-ql1-f1"], number=f"JPMXS01180673{number}")
    with django_assert_num_queries(15):
        client.get("/projects/sample-ql1-f1/")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("pi1", 200), ("hq1", 200), ("coinvestigator1", 200), ("office1", 200), ("office2", 200), ("accountant1", 200),
        ("pd1", 200), ("deputy1", 200), ("po1", 200), ("staff1", 200), ("auditor1", 200), ("jst1", 200),
        ("pi2", 404), ("pd2", 404), ("po2", 404), ("nedo1", 404), ("evaluator1", 404), ("evaluator2", 404),
        ("secretariat1", 404), ("applicant1", 404), ("cabinet1", 404), ("user_ministry1", 404), ("security1", 404),
    ],
)  # fmt: skip
def test_project_is_shown_to_whom_it_concerns(client, cast, name, status):
    client.force_login(cast[name])
    assert client.get("/projects/sample-ql1-f1/").status_code == status


# Tabs -------------------------------------------------------------------------------------------------------------------


def test_money_and_people_tabs_show_years_and_institutions(client, cast):
    client.force_login(cast["office1"])
    money = text_of(client, "/projects/sample-ql1-f1/money/")
    assert "平成30(2018)年度" in money
    people = text_of(client, "/projects/sample-ql1-f1/people/")
    for part in ("見本機関A", "見本 研究代表者1", "見本 研究分担者1", "見本 HQ担当1", "見本 プログラムディレクター1"):
        assert part in people, part


def test_history_says_in_words_who_did_what(client, cast, twin):
    level = level_of(6)
    evidence = shown(twin["sample-ql1-f1"], 6)
    claim_trl(
        twin["sample-ql1-f1"], level=level, on=date(2026, 6, 1), evidence=evidence, by=cast["pi1"], at=timezone.now()
    )
    client.force_login(cast["auditor1"])
    text = text_of(client, "/projects/sample-ql1-f1/history/")
    assert "見本 研究代表者1: TRLを申告しました" in text
    assert "→ 6" in text
    assert "2026年6月1日(月)" in text


def test_history_never_tells_who_is_in_conflict(client, cast, twin):
    from programs.actions.recusals import recuse

    recuse(
        cast["evaluator5"].person, twin["sample-ql1-f1"], starts_on=date(2020, 4, 1), source_ref="COI-T",
        by=cast["staff1"], at=timezone.now(),
    )  # fmt: skip
    for name in ("pi1", "pd1", "staff1", "auditor1"):
        client.force_login(cast[name])
        text = text_of(client, "/projects/sample-ql1-f1/history/")
        assert "評価委員5" not in text
        assert cast["evaluator5"].person.ref not in text


def test_state_is_a_pill_with_a_word_for_each_state(client, cast, twin):
    client.force_login(cast["staff1"])
    Project.objects.filter(ref="sample-ql1-b1").update(state="stopped")
    text = client.get("/projects/sample-ql1-b1/").content.decode()
    assert re.search(r'<span class="pill bad"><span aria-hidden="true">✕</span>中止</span>', text)


def test_japanese_words_on_an_english_page_are_marked_as_japanese(client, cast):
    client.force_login(cast["staff1"])
    client.cookies["django_language"] = "en"
    text = client.get("/projects/ql1-b2/").content.decode()
    assert 'Area 1 basic research <span lang="ja">大阪大学</span> (ql1-b2)' in text
    client.cookies["django_language"] = "ja"
    assert "領域1 基礎基盤研究 大阪大学 (ql1-b2)</h1>" in client.get("/projects/ql1-b2/").content.decode()
