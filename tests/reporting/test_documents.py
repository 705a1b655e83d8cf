"""The documents are read back: what is printed, in which fonts, on how many pages, and the same bytes again."""

import copy
import io
import re
import subprocess
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pypdf import PdfReader

from common.canonical import content_hash
from common.models import StoredFile
from programs.actions.benchmarks import add_benchmark_value, open_benchmark
from programs.models import AwardNumber, Milestone, StageGate, TrlAssessment
from reporting import tasks
from reporting.actions.reports import open_report
from reporting.contents import report_content
from reporting.documents import portfolio_brief_pdf, report_file_name, report_pdf
from reporting.models import ReportComment, ReportSection, ReportVersion
from reporting.schedules import DuePeriod
from tests.cast import again
from tests.reporting.conftest import AT

pytestmark = pytest.mark.django_db
ON = date(2026, 6, 10)


def run(tmp_path, tool, pdf, *options):
    path = tmp_path / "document.pdf"
    path.write_bytes(pdf)
    done = subprocess.run([tool, *options, str(path), *(["-"] if tool == "pdftotext" else [])], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def pages_of(tmp_path, pdf):
    """The text of each page as it lies on the paper, without spaces inside lines."""
    text = run(tmp_path, "pdftotext", pdf, "-layout")
    return [re.sub(r"[ \t]+", " ", page) for page in text.split("\f")[:-1]]


def marked_as_sample(pdf):
    """For each page, whether the watermark is on it (it stands askew, so pdftotext takes it apart)."""
    return ["SAMPLE 見本" in page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def benchmarked(project, cast):
    """A benchmark with an own value and the world's best; what a document has to print of it."""
    how = {"by": cast["pi1"], "at": AT}
    made = open_benchmark(project, name_ja="単一光子検出効率(試験)", unit="%", direction="higher", **how)
    for holder, who, value in (("own", "", "93.125"), ("world", "海外計量機関", "97.5")):
        add_benchmark_value(
            made,
            holder=holder,
            holder_name=who,
            value=Decimal(value),
            on=date(2026, 2, 3),
            source=f"出典{value}",
            **how,
        )
    return [made.name_ja, "高いほど良い", "93.125", "97.5", "海外計量機関", "出典93.125", "出典97.5", "2026年2月3日"]


@pytest.fixture
def version(report_at):
    """A submitted version, as a report's page names it."""
    report_at("submitted")
    return ReportVersion.objects.select_related("report").get()


# The progress report --------------------------------------------------------------------------------------------------


def test_report_when_typeset_then_cover_contents_sections_and_figures_are_there(version, tmp_path):
    pages = pages_of(tmp_path, report_pdf(version))
    cover, whole = pages[0], "\n".join(pages)
    report, project = version.report, version.report.project
    for text in (
        "令和7(2025)年度 年次報告書", report.ref, "第1版", project.title_ja, project.program.name_ja, "見本機関A", "見本機関F",
        "平成30(2018)年度", "2026年6月1日(月) 05:30", "見本 研究代表者1", "未登録", "5 / 6", "目次",
    ):  # fmt: skip
        assert text in cover, text
    assert whole.count("量子ビットの試作を終え、性能を確かめた。") == 6
    for row in version.content["milestones"]:
        assert row["title"][:8] in whole
    assert "令和4(2022)年度 330 -" in whole
    assert "△ 18" in whole  # reached eighteen days early
    assert "TRL6" in whole
    assert 4 <= len(pages) <= 8


def test_report_when_the_project_has_a_benchmark_then_own_values_stand_beside_the_best_with_sources(
    report_at, cast, twin, tmp_path
):
    bests = benchmarked(twin["sample-ql1-f1"], cast)
    report = report_at("submitted")
    version = ReportVersion.objects.select_related("report").get(report=report)
    whole = squeezed("".join(pages_of(tmp_path, report_pdf(version))))
    for text in bests:
        assert squeezed(text) in whole, text
    assert "ロードマップ" in whole


def test_report_when_typeset_then_every_page_has_number_case_and_hash(version, tmp_path):
    pages = pages_of(tmp_path, report_pdf(version))
    for number, page in enumerate(pages, 1):
        assert f"{number} / {len(pages)}" in page
        assert version.report.ref in page
        assert f"SHA-256 {version.content_hash}" in page


def test_report_when_contents_name_a_page_then_the_chapter_is_there(version, tmp_path):
    pages = pages_of(tmp_path, report_pdf(version))
    entries = re.findall(r"^ ?(\d+)\. (\S.*?) ?\.{3,} ?(\d+)$", pages[0], re.MULTILINE)
    assert [int(number) for number, _name, _page in entries] == list(range(1, 12))
    for number, name, page in entries:
        assert re.search(rf"^ ?{number} {re.escape(name)}", pages[int(page) - 1], re.MULTILINE), (number, name)


def test_report_when_typeset_then_fonts_are_embedded_japanese_ones(version, tmp_path):
    fonts = run(tmp_path, "pdffonts", report_pdf(version)).splitlines()[2:]
    assert fonts
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts)
    assert any("BIZ" in line for line in fonts)


def test_report_when_typeset_again_then_the_same_bytes_whatever_has_changed_since(version, cast):
    first = report_pdf(version)
    project = version.report.project
    Milestone.objects.filter(project=project).update(title="あとで変わった名前")
    project.title_ja = "あとで変わった題名(見本)"
    project.save()
    ReportSection.objects.filter(report=version.report).update(text="あとで変わった文")
    again_read = ReportVersion.objects.select_related("report").get(pk=version.pk)
    assert content_hash(again_read.content) == version.content_hash
    assert report_pdf(again_read) == first


def test_report_when_returned_with_comments_then_they_are_not_in_the_document(report_at, tmp_path):
    report = report_at("returned")
    assert ReportComment.objects.get(report=report).text == "図を足してください。"
    version = ReportVersion.objects.select_related("report").get(report=report)
    assert "図を足して" not in "".join(pages_of(tmp_path, report_pdf(version)))


def test_report_when_sample_then_every_page_is_marked_and_when_not_then_none(version):
    assert all(marked_as_sample(report_pdf(version)))
    version.content = {**copy.deepcopy(version.content), "is_sample": False}
    assert not any(marked_as_sample(report_pdf(version)))


def test_report_when_hostile_text_was_written_then_it_is_printed_and_nothing_is_read(version, tmp_path):
    content = copy.deepcopy(version.content)
    content["sections"][0]["text"] = "<img src='file:///etc/passwd'><script>alert(1)</script>&amp;\n髙﨑𠮷①㈱～"
    version.content = content
    text = "".join(pages_of(tmp_path, report_pdf(version)))
    assert "<img src='file:///etc/passwd'><script>alert(1)</script>&amp;" in text
    assert "root:" not in text
    assert "髙﨑𠮷①㈱" in text


def test_report_when_nothing_is_on_record_then_says_so(report_at, cast, twin, tmp_path):
    basic = next(project for project in twin.values() if project.kind == "basic")
    TrlAssessment.objects.filter(project=basic).delete()
    Milestone.objects.filter(project=basic).delete()
    assert not AwardNumber.objects.filter(project=basic).exists()
    period = DuePeriod(2025, date(2026, 4, 1), date(2026, 6, 1))
    report = open_report(basic, kind="annual", period=period, by=cast["staff1"], at=AT)
    content = report_content(report, by=cast["staff1"], at=AT)
    version = ReportVersion(report=report, number=1, content=content, content_hash=content_hash(content))
    text = "".join(pages_of(tmp_path, report_pdf(version)))
    assert "- / -" in text
    assert "登録されたマイルストーンはありません。" in text


def test_report_when_named_then_by_case_year_and_version(version):
    assert report_file_name(version) == f"{version.report.ref}_FY2025_v1.pdf"


def test_task_when_run_twice_then_one_file(version):
    for _ in range(2):
        tasks.render_report(version.pk)
    version.refresh_from_db()
    assert StoredFile.objects.filter(name=report_file_name(version)).get() == version.pdf


# The brief ------------------------------------------------------------------------------------------------------------

PRINTED = {
    "未来社会の実現に向けた先端研究の抜本的強化": [
        "639億円", "627億円", "1,366億円", "43,400百万円", "44,530百万円", "4,146百万円",
    ],
    "マテリアルDXプラットフォーム実現のための取組": [
        "5,152百万円", "3,809百万円", "7,134百万円", "1,208百万円", "897百万円", "928百万円", "3,000件/年以上",
    ],
    "マテリアル先端リサーチインフラ(ARIM)": [
        "1,733百万円", "3,606百万円", "1,000台", "500名", "25機関", "センターハブ 1", "ハブ 5", "スポーク 19",
    ],
    "データ中核拠点の形成": ["850百万円", "2,600百万円", "1,156百万円"],
    "AI等の活用を推進する研究データエコシステム構築事業": ["991百万円", "新規"],
    "光・量子飛躍フラッグシッププログラム(Q-LEAP)": [
        "3,650百万円", "3,500百万円", "6億円～12億円程度", "TRL6", "未登録", "最大10年間",
    ],
    "経済安全保障重要技術育成プログラム(ビジョン実現型)": ["125,000百万円", "ビジョン 2件", "構想 14件"],
}  # fmt: skip


def squeezed(text):
    return re.sub(r"\s+", "", text).translate(str.maketrans("（）", "()"))


def test_brief_when_typeset_then_one_page_a_program_with_the_figures_as_printed(cast, tmp_path):
    pages = [squeezed(page) for page in pages_of(tmp_path, portfolio_brief_pdf(cast["staff1"], on=ON))]
    assert len(pages) == 11
    for name, figures in PRINTED.items():
        found = [page for page in pages if squeezed(name) in page.split("令和")[0]]
        assert len(found) == 1, name
        for figure in figures:
            assert squeezed(figure) in found[0], (name, figure)


def test_brief_when_typeset_then_only_real_programs_and_no_watermark(cast, tmp_path):
    pdf = portfolio_brief_pdf(cast["staff1"], on=ON)
    assert marked_as_sample(pdf) == [False] * 11
    text = "".join(pages_of(tmp_path, pdf))
    assert "見本" not in text
    assert "2026年6月10日(水)現在" in text
    assert "内訳に記載のない額" in text


def test_brief_when_typeset_again_then_the_same_bytes_and_another_day_another_hash(cast, tmp_path):
    first = portfolio_brief_pdf(cast["staff1"], on=ON)
    assert portfolio_brief_pdf(again(cast["staff1"]), on=ON) == first
    hashes = {
        re.search(r"SHA-256 ([0-9a-f]{64})", run(tmp_path, "pdftotext", pdf)).group(1)
        for pdf in (first, portfolio_brief_pdf(cast["staff1"], on=ON + timedelta(days=1)))
    }
    assert len(hashes) == 2


def test_brief_when_in_english_then_english_words_and_million_yen(cast, tmp_path):
    pages = pages_of(tmp_path, portfolio_brief_pdf(cast["staff1"], on=ON, language="en"))
    assert len(pages) == 11
    assert "63,900 million yen" in pages[0]
    assert "Budget as printed" in pages[0]
    assert all("Source" in page for page in pages)


def test_brief_when_of_one_program_then_it_and_what_is_below(cast, tmp_path):
    pages = [squeezed(page) for page in pages_of(tmp_path, portfolio_brief_pdf(cast["staff1"], on=ON, root="aip"))]
    assert len(pages) == 3
    for page, name in zip(pages, ("AIP：人工知能", "AIPセンター", "AIPネットワークラボ"), strict=True):
        assert name in page.split("現在")[0]


def test_brief_when_the_reader_sees_only_the_sample_then_the_sample_marked(cast, tmp_path):
    pdf = portfolio_brief_pdf(cast["pd1"], on=ON)
    assert marked_as_sample(pdf) == [True]
    text = run(tmp_path, "pdftotext", pdf)
    assert "Q-LEAP(見本)" in text
    assert "未来社会の実現" not in text


def test_brief_when_projects_climb_then_levels_and_gates_stand_on_the_one_page(cast, tmp_path):
    (page,) = pages_of(tmp_path, portfolio_brief_pdf(cast["staff2"], on=ON, root="q-leap-sample"))
    text = squeezed(page)
    for part in (
        "課題のTRL",
        "今日までの計画",
        "超伝導量子計算機プロトタイプの開発とクラウド公開(見本)",
        "今後のステージゲート評価:",
    ):
        assert squeezed(part) in text, part
    assert "予算案のポイント:" in text


def test_brief_when_a_gate_is_past_then_only_those_ahead_are_named(cast, twin_program, tmp_path):
    for ref, name, day in (("past", "過ぎた関門", ON - timedelta(days=1)), ("ahead", "今日の関門", ON)):
        StageGate.objects.create(program=twin_program, ref=f"brief-{ref}", name_ja=name, held_on=day)
    (page,) = pages_of(tmp_path, portfolio_brief_pdf(cast["staff2"], on=ON, root="q-leap-sample"))
    assert "今日の関門" in squeezed(page)
    assert "過ぎた関門" not in squeezed(page)
