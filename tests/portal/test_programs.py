# ruff: noqa: E501
"""Program pages: each kind shows what the source says of it, and nothing that it does not have."""

import re

import pytest

from programs.models import Participation, Program, ResearchArea

pytestmark = pytest.mark.django_db


def text_of(client, ref):
    response = client.get(f"/programs/{ref}/")
    assert response.status_code == 200
    text = re.sub(r"<svg.*?</svg>", "", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


SAID = {
    "advanced-research-package": [
        "639億円", "627億円", "1,366億円", "内訳に記載のない額 43,400 44,530 4,146", "新規", "125,000",
        "※運営費交付金中の推計額含む",
    ],
    "materials-dx": [
        "アウトカム(成果目標)", "初期(2022年頃) 3,000件/年以上", "長期(2025年頃) 1,000,000件/年以上",
        "内訳に記載のない額 1,208 897 928", "材料の社会実装に向けたプロセスサイエンス構築事業",
        "NIMSにおけるスマートラボラトリ化の推進", "共用設備の更新整備", "成長戦略フォローアップ (2021年6月 閣議決定)",
        "統合イノベーション戦略2021 (2021年6月 閣議決定)", "5,152百万円", "3,809百万円", "7,134百万円",
    ],
    "arim": [
        "大学・独法等 25機関", "センターハブ 1 0 未登録", "ハブ 5 0 未登録", "スポーク 19 0 未登録", "1,000台以上", "約500名",
        "※前年度予算額はナノテクノロジープラットフォームとの合計額", "令和3(2021)年度", "最大10年間",
    ],
    "materials-data-core": [
        "物質・材料研究機構 (NIMS)", "オープン・クロス領域ごとにセキュアな環境で共有・活用", "※NIMS運営費交付金中の推計額",
        "850百万円", "1,156百万円", "2,600百万円",
    ],
    "dxmt": [
        "3～5拠点程度", "登録済みの拠点数 5", "研究開発拠点 東北大学 (dxmt-1)", "研究開発拠点 京都大学 (dxmt-5)", "バイオ・高分子マテリアル",
        "https://www.mext.go.jp/b_menu/boshu/detail/data-driven_fs_00001.html", "1,361百万円", "43百万円",
    ],
    "research-data-ecosystem": [
        "全国的な研究データ基盤の構築・高度化・実装", "研究データ基盤の活用に係る環境の整備", "令和4(2022)年度の新規事業です",
        "991百万円", "新規", "参画機関は未登録です", "令和4(2022)年度～令和8(2026)年度",
    ],
    "aip": ["10,707百万円", "10,861百万円", "320百万円", "3,249 3,249 320", "7,458 ※ 7,612 ※ -", "AI戦略2021 (2021年6月11日"],
    "aip-center": ["深層学習の原理の解明", "AIと人間の関係としての倫理の明確化", "※AI研究用計算機の改修・増強", "3,249百万円"],
    "aip-netlab": ["科学技術振興機構", "※運営費交付金中の推計額(進行中の領域のみ)", "構成領域はまだ登録されていません", "7,458百万円", "7,612百万円"],
    "q-leap": [
        "令和4(2022)年度予算案のポイント", "産学官連携や海外との共同研究等の国際連携を通じた研究開発の加速",
        "量子技術を活用して社会課題解決や新産業創出等を担う人材の育成強化", "領域1 量子情報処理", "未登録 2 6 -",
        "未登録 2 7 -", "未登録 1 4 -", "未登録 - - 4", "6億円～12億円程度", "TRL6 (プロトタイプによる実証)",
        "変更、中止", "計 記載 26件、閲覧できる登録 26件", "3,650百万円", "3,500百万円", "2,200百万円", "ステージゲートは未登録です",
    ],
    "k-program": [
        "研究開発ビジョン(第一次) (2022年9月) ・ 27技術", "海洋、宇宙・航空、領域横断・サイバー空間、バイオ", "研究開発ビジョン(第二次) (2023年8月) ・ 23技術",
        "自律型無人探査機(AUV)の無人・省人による運搬・投入・回収技術", "科学技術振興機構 プロジェクト型 6,000", "約5年間", "2024年～2027年頃", "※文部科学省分(科学技術振興機構の基金)", "(1・2・3) 29,000 (4) 3,000",
        "高度な金属積層造形システム技術の開発・実証", "24,000", "125,000百万円", "判明するまで空欄にしています",
    ],
}  # fmt: skip


@pytest.mark.parametrize("ref", SAID)
def test_program_of_the_seed_shows_its_own_facts(client, cast, ref):
    client.force_login(cast["staff1"])
    text = text_of(client, ref)
    assert [part for part in SAID[ref] if part not in text] == []
    assert "令和4年度予算案資料(文部科学省)" in text


def test_every_real_program_is_in_the_table_above(cast):
    assert set(Program.objects.filter(is_sample=False).values_list("ref", flat=True)) == set(SAID)


def test_real_program_carries_no_sample_banner_and_the_twin_does(client, cast):
    client.force_login(cast["staff1"])
    assert "見本データを表示" not in text_of(client, "q-leap")
    assert "見本データを表示" in text_of(client, "q-leap-sample")


def test_hub_on_record_is_counted_beside_the_printed_number(client, cast):
    arim = Program.objects.get(ref="arim")
    nims = Participation.objects.get(project__ref="dxmt-2", role="lead").organization
    Participation.objects.create(program=arim, organization=nims, role="centre_hub")
    client.force_login(cast["staff1"])
    assert f"センターハブ 1 1 {nims.name_ja}" in text_of(client, "arim")


def test_network_lab_area_shows_since_when_it_belongs_and_that_nobody_is_on_record(client, cast):
    lab = Program.objects.get(ref="aip-netlab")
    ResearchArea.objects.create(ref="netlab-1", program=lab, number=1, name_ja="ある領域", joined_on="2021-04-01")
    client.force_login(cast["staff1"])
    assert "ある領域 2021年4月1日(木)から 未登録 未登録 0" in text_of(client, "aip-netlab")


def test_twin_shows_its_directors_and_stage_gates(client, cast):
    client.force_login(cast["pd1"])
    text = text_of(client, "q-leap-sample")
    assert "見本 プログラムディレクター1 2 6 -" in text
    assert "第1回ステージゲート評価(見本)" in text


def test_recused_director_counts_no_hidden_project_and_keeps_the_printed_number(client, cast, twin):
    from django.utils import timezone

    from programs.actions.recusals import recuse

    recuse(
        cast["pd1"].person, twin["sample-ql1-f1"], starts_on="2020-04-01", source_ref="COI-T", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    client.force_login(cast["pd1"])
    text = text_of(client, "q-leap-sample")
    assert "見本 プログラムディレクター1 記載 2件、閲覧できる登録 1件 6 -" in text
    assert "計 記載 26件、閲覧できる登録 7件" in text


@pytest.mark.parametrize(
    ("name", "ref", "status"),
    [
        ("pi1", "q-leap-sample", 200), ("pi1", "q-leap", 404), ("jst1", "q-leap-sample", 200), ("nedo1", "q-leap-sample", 404),
        ("evaluator1", "q-leap-sample", 404), ("auditor1", "k-program", 200), ("pd1", "advanced-research-package", 404),
    ],
)  # fmt: skip
def test_program_is_shown_to_whom_it_concerns(client, cast, name, ref, status):
    client.force_login(cast[name])
    assert client.get(f"/programs/{ref}/").status_code == status


@pytest.mark.parametrize("ref", [*SAID, "q-leap-sample"])
def test_program_page_takes_at_most_fifteen_queries(client, cast, ref, django_assert_max_num_queries):
    client.force_login(cast["staff1"])
    with django_assert_max_num_queries(15):
        client.get(f"/programs/{ref}/")


def test_program_page_takes_the_same_queries_with_more_areas(client, cast, twin_program, django_assert_num_queries):
    client.force_login(cast["staff1"])
    with django_assert_num_queries(15):
        client.get("/programs/q-leap-sample/")
    for number in (5, 6):
        ResearchArea.objects.create(
            ref=f"sample-ql{number}", program=twin_program, number=number, name_ja=f"領域{number}(見本)", is_sample=True
        )
    with django_assert_num_queries(15):
        client.get("/programs/q-leap-sample/")


def test_english_program_page_uses_english_names(client, cast):
    client.force_login(cast["staff1"])
    client.cookies["django_language"] = "en"
    text = text_of(client, "q-leap")
    assert "MEXT Quantum Leap Flagship Program" in text
    assert "3,650 million yen" in text
    assert "FY2022 (Reiwa 4)" in text
