"""The portfolio page: figures exactly as the budget document prints them, remainders as lines of their own."""

import csv
import io
import re

import pytest
from openpyxl import load_workbook

from programs.models import Program, Project

pytestmark = pytest.mark.django_db

REMAINDER = "内訳に記載のない額"


def table_of(response):
    """The rows of the tree as text: name, initial, previous, supplementary."""
    body = re.search(r"<tbody>(.*?)</tbody>", response.content.decode(), re.S)[1]
    rows = []
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.S):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        rows.append([" ".join(re.sub(r"<[^>]*>", "", cell).split()) for cell in cells])
    return rows


def test_tree_when_staff_then_prints_what_the_document_prints(client, cast):
    client.force_login(cast["staff1"])
    rows = [row[:4] for row in table_of(client.get("/portfolio/")) if "見本" not in row[0]]
    assert rows == [
        ["未来社会の実現に向けた先端研究の抜本的強化", "639億円※", "627億円※", "1,366億円"],
        ["マテリアルDXプラットフォーム実現のための取組", "5,152※", "3,809※", "7,134"],
        ["マテリアル先端リサーチインフラ (ARIM)", "1,733", "1,713*", "3,606"],
        ["データ中核拠点の形成", "850※", "1,156※", "2,600"],
        ["データ創出・活用型マテリアル研究開発プロジェクト (DxMT)", "1,361", "43", "-"],
        [REMAINDER, "1,208", "897", "928"],
        ["AI等の活用を推進する研究データエコシステム構築事業", "991", "新規", "-"],
        ["AIP：人工知能/ビッグデータ/IoT/サイバーセキュリティ統合プロジェクト", "10,707※", "10,861※", "320"],
        ["理研・革新知能統合研究センター (AIPセンター)", "3,249", "3,249", "320"],
        ["戦略的創造研究推進事業(一部) / AIPネットワークラボ", "7,458※", "7,612※", "-"],
        ["光・量子飛躍フラッグシッププログラム (Q-LEAP)", "3,650", "3,500", "-"],
        ["経済安全保障重要技術育成プログラム(ビジョン実現型)", "-", "-", "125,000"],
        [REMAINDER, "43,400", "44,530", "4,146"],
    ]


def test_page_names_the_years_the_estimates_and_the_indicators(client, cast):
    client.force_login(cast["auditor1"])
    text = client.get("/portfolio/").content.decode()
    for part in (
        "令和4(2022)年度", "令和3(2021)年度", "当初予算額(案)", "※運営費交付金中の推計額(全額または一部)",
        "* 前年度予算額はナノテクノロジープラットフォームとの合計額", "初期(2022年頃)", "3,000件/年以上",
        "長期(2025年頃)", "1,000,000件/年以上", "1,000台以上", "約500名", "今後のステージゲート評価", "<svg",
    ):  # fmt: skip
        assert part in text, part


def test_amounts_carry_the_full_yen(client, cast):
    client.force_login(cast["staff1"])
    text = client.get("/portfolio/").content.decode()
    assert '<data value="5152000000" title="5,152,000,000円">5,152</data>' in text
    assert '<data value="63900000000" title="63,900,000,000円">639億円</data>' in text


def test_csv_and_xlsx_hold_the_lines_of_the_page(client, cast):
    client.force_login(cast["staff1"])
    content = b"".join(client.get("/portfolio/?format=csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    by_name = {row[0]: row for row in rows}
    assert by_name["未来社会の実現に向けた先端研究の抜本的強化"][4:10] == [
        "639億円", "627億円", "1,366億円", "63900000000", "62700000000", "136600000000",
    ]  # fmt: skip
    assert by_name["AI等の活用を推進する研究データエコシステム構築事業"][5] == "新規"
    assert [row[7:10] for row in rows if row[0] == REMAINDER] == [
        ["1208000000", "897000000", "928000000"], ["43400000000", "44530000000", "4146000000"],
    ]  # fmt: skip
    book = load_workbook(io.BytesIO(b"".join(client.get("/portfolio/?format=xlsx").streaming_content)))
    cells = [["" if cell is None else str(cell) for cell in row] for row in book.active.iter_rows(values_only=True)]
    assert cells == rows


@pytest.mark.parametrize("name", ["staff1", "pd1", "po1", "auditor1", "deputy1"])
def test_portfolio_is_open_to(client, cast, name):
    client.force_login(cast[name])
    assert client.get("/portfolio/").status_code == 200


@pytest.mark.parametrize("name", ["pi1", "hq1", "office1", "jst1", "evaluator1", "secretariat1", "applicant1"])
def test_portfolio_is_closed_to_and_not_in_the_menu(client, cast, name):
    client.force_login(cast[name])
    assert client.get("/portfolio/").status_code == 403
    assert client.get("/portfolio/?format=csv").status_code == 403
    assert 'href="/portfolio/"' not in client.get("/").content.decode()


def test_director_sees_only_the_own_program(client, cast):
    client.force_login(cast["pd1"])
    assert [row[0] for row in table_of(client.get("/portfolio/"))] == [
        "光・量子飛躍フラッグシッププログラム Q-LEAP(見本) 見本"
    ]


def test_page_takes_the_same_queries_however_many_programs(client, cast, twin_program, django_assert_num_queries):
    client.force_login(cast["staff1"])
    with django_assert_num_queries(12):
        client.get("/portfolio/")
    for number in range(3):
        part = Program.objects.create(
            ref=f"part-{number}", parent=twin_program, path=f"{twin_program.path}part-{number}/", is_sample=True,
            kind="rd_centres", name_ja=f"部分{number}",
        )  # fmt: skip
        part.budget_lines.create(fiscal_year=2022, kind="initial_proposal", amount_yen=10**9, printed_unit="million")
        Project.objects.create(ref=f"part-{number}-1", program=part, kind="centre", is_sample=True)
    with django_assert_num_queries(12):
        text = client.get("/portfolio/").content.decode()
    assert "部分2" in text


def test_english_page_prints_million_yen(client, cast):
    client.force_login(cast["staff1"])
    client.cookies["django_language"] = "en"
    text = client.get("/portfolio/").content.decode()
    assert "63,900 million yen" in text
    assert "Amount not itemised" in text
    assert "Materials DX platform" in text
