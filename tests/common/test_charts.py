"""Charts are read as the XML they are: what is drawn, what is said, what stands in the table."""

from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from common.charts import (
    BenchmarkPoint,
    BudgetRow,
    ChangeRow,
    Chart,
    GanttRow,
    Gate,
    IndicatorPoint,
    IndicatorTarget,
    Mark,
    Milestone,
    TrlPoint,
    YearRow,
    as_table,
    benchmark_lines,
    budget_bars,
    change_bars,
    contract_bar,
    gantt,
    indicator_line,
    roadmap,
    trl_staircase,
    yearly_bars,
)
from common.charts.svg import WIDTH, fitted, spread, width_of, wrapped

SVG = "{http://www.w3.org/2000/svg}"
LEVELS = {level: f"水準{level}" for level in range(1, 10)} | {6: "プロトタイプによる実証"}
TODAY = date(2022, 8, 10)
SAMPLES = {
    "stairs": lambda language: trl_staircase([], [], [], 6, [], LEVELS, language),
    "trl": lambda language: trl_staircase(
        [TrlPoint(date(2018, 4, 1), 2), TrlPoint(date(2027, 4, 1), 6)],
        [TrlPoint(date(2019, 3, 31), 3)],
        [TrlPoint(date(2019, 6, 1), 2)],
        6,
        [Gate(date(2022, 11, 1), "5年目"), Gate(date(2022, 12, 1), "臨時")],
        LEVELS,
        language,
    ),
    "budget": lambda language: budget_bars(
        [
            BudgetRow("パッケージ", 63_900_000_000, 136_600_000_000, 62_700_000_000, "oku", is_proposal=True),
            BudgetRow("マテリアルDX", 5_152_000_000, 7_134_000_000, 3_809_000_000),
            BudgetRow("エコシステム", 991_000_000, None, None, is_new=True),
            BudgetRow("K", None, 125_000_000_000, None),
        ],
        language,
    ),
    "years": lambda language: yearly_bars(
        [
            YearRow("令和元(2019)年度", 480_000_000, 470_500_000),
            YearRow("令和6(2024)年度", 336_000_000, None, is_now=True),
            YearRow("令和7(2025)年度", None, None),
        ],
        language=language,
    ),
    "changes": lambda language: change_bars(
        [ChangeRow("令和8(2026)年度", 100_000_000, 100_000_000), ChangeRow("令和9(2027)年度", 50_000_000, 20_000_000)],
        language=language,
    ),
    "contract": lambda language: contract_bar(3_650_000_000, None, 1_234_500_000, language=language),
    "indicator": lambda language: indicator_line(
        "件数",
        [IndicatorPoint(2021, 120_000), IndicatorPoint(2022, 90_000), IndicatorPoint(2023, 612_000.5)],
        IndicatorTarget(1_000_000, 2025, is_approximate=True),
        "件/年",
        language,
    ),
    "roadmap": lambda language: roadmap(
        [
            Milestone("達成済み", date(2021, 9, 30), date(2021, 3, 31), date(2021, 9, 15)),
            Milestone("遅れ", date(2022, 6, 30), date(2022, 3, 31)),
            Milestone("先", date(2024, 3, 31)),
        ],
        [Gate(date(2022, 11, 1), "5年目")],
        TODAY,
        language,
    ),
    "gantt": lambda language: gantt(
        [
            GanttRow(
                "課題A",
                date(2020, 4, 1),
                date(2025, 3, 31),
                [
                    Mark("milestone", "達成済み", date(2021, 9, 30), date(2021, 3, 31), date(2021, 9, 15)),
                    Mark("milestone", "遅れ", date(2022, 6, 30), date(2022, 3, 31)),
                    Mark("gate", "5年目", date(2024, 11, 1)),
                    Mark("report", "年次", date(2022, 5, 31), None, date(2022, 5, 30)),
                ],
            ),
            GanttRow("期間のない課題"),
        ],
        TODAY,
        language,
    ),
    "benchmark": lambda language: benchmark_lines(
        "忠実度",
        [BenchmarkPoint(date(2019, 12, 10), Decimal("95.2")), BenchmarkPoint(date(2023, 10, 5), Decimal("98.9"))],
        [BenchmarkPoint(date(2022, 6, 30), Decimal("99.7"), "海外機関")],
        "%",
        language,
    ),
    "empty benchmark": lambda language: benchmark_lines("忠実度", [], [], language=language),
    "empty gantt": lambda language: gantt([], TODAY, language),
    "empty roadmap": lambda language: roadmap([], [], TODAY, language),
    "empty indicator": lambda language: indicator_line("件数", [], None, language=language),
    "empty budget": lambda language: budget_bars([BudgetRow("なし", None, None, None)], language),
}


def tree(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(str(chart))


def shown(chart: Chart) -> list[str]:
    return [element.text or "" for element in tree(chart).iter(f"{SVG}text")]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("name", SAMPLES)
def test_chart_when_drawn_then_titled_described_and_fit_for_the_policy(name, language):
    chart = SAMPLES[name](language)
    root = tree(chart)
    assert root.attrib["role"] == "img"
    assert root.attrib["font-family"]
    assert root.attrib["viewBox"].startswith(f"0 0 {WIDTH} ")
    title, desc = list(root)[:2]
    assert (title.tag, desc.tag) == (f"{SVG}title", f"{SVG}desc")
    assert title.text
    assert desc.text
    assert root.attrib["aria-labelledby"].split() == [title.attrib["id"], desc.attrib["id"]]
    for element in root.iter():
        assert element.tag not in (f"{SVG}script", f"{SVG}style", f"{SVG}foreignObject", f"{SVG}image")
        assert not [key for key in element.attrib if key == "style" or key.startswith("on") or "href" in key]
    assert SAMPLES[name](language) == chart


def test_chart_when_different_then_its_ids_are_different():
    ids = [tree(draw(language)).attrib["aria-labelledby"] for draw in SAMPLES.values() for language in ("ja", "en")]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("name", SAMPLES)
def test_chart_when_drawn_then_every_text_stays_inside_the_picture(name, language):
    root = tree(SAMPLES[name](language))
    height = float(root.attrib["viewBox"].split()[3])
    for text in root.iter(f"{SVG}text"):
        width = width_of(text.text)
        start = float(text.attrib["x"]) - width * {"middle": 0.5, "end": 1}.get(text.attrib.get("text-anchor"), 0)
        assert 0 <= start <= WIDTH + 0.5 - width, text.text
        assert 10 <= float(text.attrib["y"]) <= height, text.text


def test_chart_when_printed_in_a_template_then_not_escaped_and_its_table_is():
    chart = budget_bars([BudgetRow("<b>甲&乙</b>", 1_000_000, None, None)])
    page = Template("{{ chart }}{% for row in chart.rows %}{{ row.0 }}{% endfor %}").render(Context({"chart": chart}))
    assert page == f"{chart}&lt;b&gt;甲&amp;乙&lt;/b&gt;"
    assert "<b>" not in chart


def test_trl_staircase_when_nothing_is_recorded_then_the_scale_with_its_target():
    chart = trl_staircase([], [], [], 6, [], LEVELS)
    assert [text for text in shown(chart) if text.isdigit()] == [str(level) for level in range(1, 10)]
    assert chart.heading == "TRL(技術成熟度)の階段: 目標 TRL6 プロトタイプによる実証"
    assert ("目標", "", "TRL6", "プロトタイプによる実証") in chart.rows
    assert len(chart.rows) == 9


def test_trl_staircase_when_recorded_then_claimed_and_assessed_are_two_things():
    chart = SAMPLES["trl"]("ja")
    root = tree(chart)
    assert len(root.findall(f"{SVG}circle")) == 1
    assert len(root.findall(f"{SVG}rect")) == 1
    assert len(root.findall(f"{SVG}polygon")) == 2
    assert {"計画", "申告", "評価", "目標", "5年目", "臨時"} <= set(shown(chart))
    assert ("申告", "2019年3月31日(日)", "TRL3", "水準3") in chart.rows
    assert ("ゲート", "2022年11月1日(火)", "", "5年目") in chart.rows


def test_trl_staircase_when_a_level_is_higher_then_its_mark_is_higher():
    chart = trl_staircase([], [TrlPoint(date(2019, 3, 31), 2), TrlPoint(date(2021, 3, 31), 5)], [], None, [], LEVELS)
    first, second = tree(chart).findall(f"{SVG}circle")
    assert float(first.attrib["cx"]) < float(second.attrib["cx"])
    assert float(first.attrib["cy"]) - float(second.attrib["cy"]) == 3 * 24


def test_budget_bars_when_the_source_is_drawn_then_its_figures_as_printed():
    chart = SAMPLES["budget"]("ja")
    texts = shown(chart)
    for text in (
        "予算案 639",
        "補正 1,366",
        "前年度 627",
        "億円",
        "当初 5,152",
        "補正 7,134",
        "前年度 3,809",
        "前年度 新規",
    ):
        assert text in texts
    assert chart.rows == (
        ("パッケージ", "639億円", "1,366億円", "627億円"),
        ("マテリアルDX", "5,152百万円", "7,134百万円", "3,809百万円"),
        ("エコシステム", "991百万円", "-", "新規"),
        ("K", "-", "125,000百万円", "-"),
    )
    assert as_table(chart)[0] == ("事業", "予算案", "補正", "前年度")


def test_budget_bars_when_one_is_double_then_its_bar_is_double():
    chart = budget_bars([BudgetRow("甲", 200_000_000, None, None), BudgetRow("乙", 100_000_000, None, None)])
    bars = [float(box.attrib["width"]) for box in tree(chart).findall(f"{SVG}rect") if box.attrib["height"] == "20"]
    assert bars == [WIDTH - 16, (WIDTH - 16) / 2]


def test_budget_bars_when_an_amount_is_negative_then_the_figure_says_it_and_no_bar_is_drawn():
    chart = budget_bars([BudgetRow("減額", -26_000_000_000, None, 1_000_000)])
    assert "当初 △ 26,000" in shown(chart)
    assert [box.attrib["width"] for box in tree(chart).findall(f"{SVG}rect") if box.attrib["height"] == "20"] == ["1"]


def test_yearly_bars_when_nothing_is_on_record_then_a_dash_and_no_bar_and_the_year_in_question_is_filled():
    chart = SAMPLES["years"]("ja")
    boxes = ElementTree.fromstring(chart).findall(f"{SVG}rect")
    assert [one.get("fill") for one in boxes] == ["#dbe4ff", "#ffffff", "#0017c1"]
    assert chart.rows == (
        ("令和元(2019)年度", "480百万円", "471百万円"),
        ("令和6(2024)年度", "336百万円", "-"),
        ("令和7(2025)年度", "-", "-"),
    )


def test_contract_bar_when_an_amount_is_unknown_then_a_dash_and_no_bar():
    chart = SAMPLES["contract"]("ja")
    assert chart.rows == (("配分", "3,650百万円"), ("契約", "-"), ("執行", "1,235百万円"))
    assert len(tree(chart).findall(f"{SVG}rect")) == 2


def test_indicator_line_when_the_target_is_approximate_then_said_as_in_the_source():
    chart = SAMPLES["indicator"]("ja")
    assert "目標 1,000,000件/年以上 (2025年頃)" in shown(chart)
    assert chart.rows[-1] == ("目標", "2025年頃", "1,000,000件/年以上")
    assert chart.rows[2] == ("実績", "2023", "612,000.5件/年")
    assert SAMPLES["indicator"]("en").rows[-1] == ("target", "about 2025", "at least 1,000,000件/年")


def test_roadmap_when_late_then_word_shape_and_trail_say_so():
    chart = SAMPLES["roadmap"]("ja")
    texts = shown(chart)
    assert "2022/6/30 遅れ" in texts
    assert "2021/9/15 達成" in texts
    assert "2024/3/31" in texts
    assert "今日" in texts
    diamonds = [shape for shape in tree(chart).findall(f"{SVG}polygon") if shape.attrib["points"].count(",") == 4]
    assert [shape.attrib["fill"] == shape.attrib["stroke"] for shape in diamonds] == [True, False, False]
    assert chart.rows[0] == ("達成済み", "2021年3月31日(水)", "2021年9月30日(木)", "達成 2021年9月15日(水)")


def test_roadmap_when_today_is_far_off_then_no_line_for_it():
    chart = roadmap([Milestone("甲", date(2015, 5, 1))], [], TODAY)
    assert "今日" not in shown(chart)
    assert "2015/5/1 遅れ" in shown(chart)


days = st.dates(date(2010, 1, 1), date(2040, 12, 31))
words = st.text(max_size=60)
points = st.lists(st.builds(TrlPoint, days, st.integers(1, 9)), max_size=8)
gates = st.lists(st.builds(Gate, days, words), max_size=6)
milestones = st.lists(st.builds(Milestone, words, days, st.none() | days, st.none() | days), max_size=8)
yens = st.none() | st.integers(-(10**13), 10**13)


@settings(max_examples=60, deadline=None)
@given(points, points, points, st.none() | st.integers(1, 9), gates, milestones, days)
def test_time_charts_when_given_anything_then_valid_and_marks_stay_inside(
    planned, claimed, assessed, target, gates, stones, today
):
    for chart in (trl_staircase(planned, claimed, assessed, target, gates, LEVELS), roadmap(stones, gates, today)):
        for shape in tree(chart).iter():
            for key in ("x1", "x2", "cx"):
                assert 0 <= float(shape.attrib.get(key, 0)) <= WIDTH + 2
    assert len(roadmap(stones, gates, today).rows) == len(stones) + len(gates)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(BudgetRow, words, yens, yens, yens, st.sampled_from(["oku", "million"]), st.booleans()),
        min_size=1,
        max_size=6,
    )
)
def test_budget_bars_when_given_anything_then_valid_and_bars_stay_inside(rows):
    for shape in tree(budget_bars(rows)).iter(f"{SVG}rect"):
        assert float(shape.attrib["x"]) + float(shape.attrib["width"]) <= WIDTH - 6


def lines_of(own, world):
    """Where the newest own value and the world's best are drawn."""
    points = [[BenchmarkPoint(date(2024, 6, 1), Decimal(value))] for value in (own, world)]
    root = tree(benchmark_lines("忠実度", *points))
    mark = root.find(f"{SVG}circle")
    corners = next(root.iter(f"{SVG}polygon")).attrib["points"].split()
    return float(mark.attrib["cy"]), float(corners[1].split(",")[1]), [one.text for one in root.iter(f"{SVG}text")]


def test_benchmark_when_values_lie_close_together_then_the_scale_shows_how_far_apart():
    own, world, words = lines_of("98.9", "99.7")
    assert own - world > 40
    assert {"98.9", "99.7"} < set(words)
    assert "0" not in words
    own, world, words = lines_of("310", "140")
    assert world > own
    assert "0" in words


@given(st.lists(st.decimals(-(10**9), 10**9, places=3), min_size=1, max_size=8), st.integers(1, 7))
def test_benchmark_when_given_anything_then_every_mark_lies_within_the_plot(values, cut):
    points = [BenchmarkPoint(date(2015 + n, 5, 1), value) for n, value in enumerate(values)]
    root = tree(benchmark_lines("値", points[:cut], points[cut:]))
    for mark in root.iter(f"{SVG}circle"):
        assert 66 <= float(mark.attrib["cy"]) <= 190
    for word in root.iter(f"{SVG}text"):
        assert float(word.attrib["y"]) <= 216


@pytest.mark.parametrize("name", SAMPLES)
def test_table_of_a_chart_when_on_the_page_then_every_cell_says_what_it_is(name):
    chart = SAMPLES[name]("ja")
    page = render_to_string("portal/chart.html", {"chart": chart})
    assert page.count('<td data-label="') == page.count("<td") == len(chart.rows) * (len(chart.head) - 1)
    assert all(f'data-label="{word}"' in page for word in chart.head[1:] if chart.rows)


def test_gantt_when_read_aloud_then_counts_and_what_is_late_and_the_rest_in_the_table():
    chart = SAMPLES["gantt"]("ja")
    said = tree(chart).find(f"{SVG}desc").text
    assert said == ("課題 2 / マイルストーン 2 / ゲート 1 / 報告書 1 / 遅れ: 課題A 遅れ 2022年6月30日(木)")
    assert len(chart.rows) == 5


@settings(max_examples=60, deadline=None)
@given(
    words,
    st.lists(st.builds(IndicatorPoint, st.integers(1990, 2050), st.floats(-1e9, 1e12)), max_size=10),
    st.builds(IndicatorTarget, st.integers(0, 10**9), st.none() | st.integers(1990, 2050)),
)
def test_indicator_line_when_given_anything_then_valid_and_points_stay_inside(name, values, target):
    for shape in tree(indicator_line(name, values, target)).iter(f"{SVG}circle"):
        assert 0 <= float(shape.attrib["cx"]) <= WIDTH
        assert 0 <= float(shape.attrib["cy"]) <= 240


@given(st.text(max_size=80), st.integers(30, 300), st.integers(1, 4))
def test_wrapped_when_given_anything_then_within_its_room(text, room, lines):
    broken = wrapped(text, room, lines)
    assert len(broken) <= lines
    assert all(width_of(part) <= room for part in broken)
    assert width_of(fitted(text, room)) <= room


def test_wrapped_when_a_line_would_begin_with_a_closing_mark_then_broken_earlier():
    assert wrapped("あいうえお、かきくけこ", 13 * 5, 3) == ["あいうえ", "お、かきく", "けこ"]


@given(st.lists(st.floats(0, 100), max_size=6))
def test_spread_when_there_is_room_then_apart_and_in_order(positions):
    placed = spread(positions, 16, 0, 100)
    for one, other in zip(sorted(placed), sorted(placed)[1:], strict=False):
        assert other - one >= 16 - 1e-6
    assert not placed or max(placed) <= 100


def test_gate_names_when_close_together_then_on_different_rows():
    first = date(2022, 11, 1)
    chart = trl_staircase(
        [TrlPoint(first, 1)], [], [], None, [Gate(first + timedelta(n), f"ゲート{n}号") for n in range(3)], LEVELS
    )
    heights = [text.attrib["y"] for text in tree(chart).iter(f"{SVG}text") if (text.text or "").startswith("ゲート")]
    assert len(heights) == 3
    assert len(set(heights)) == 3
