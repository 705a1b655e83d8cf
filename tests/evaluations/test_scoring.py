"""The pure core: sheets to totals, spread, thresholds, grades, warnings, first against final."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluations import scoring as s

D = Decimal
ABCD = tuple(s.Level(code, D(points)) for code, points in (("a", 4), ("b", 3), ("c", 2), ("d", 1)))
GOAL = s.Item("goal", D(50), ABCD, threshold=D(2))
PLAN = s.Item("plan", D(30), ABCD)
TEAM = s.Item("team", D(20), ABCD, may_be_not_applicable=False)
NOTE = s.Item("note", is_text_only=True, is_comment_required=True)
LEGEND = (s.Grade("S", D("3.5")), s.Grade("A", D(3)), s.Grade("B", D(2)), s.Grade("C", D(0)))
RUBRIC = s.Rubric((GOAL, PLAN, TEAM, NOTE), LEGEND)
LONG = "目標を上回る成果が国際的にも認められている。根拠は資料3の測定値である。"


def sheet(goal="b", plan="b", team="b", note="所見", case="C1", reviewer="r1", **comments):
    """A sheet; "-" is not applicable, "" no answer."""
    answers = [
        s.Answer(key, "" if level == "-" else level, level == "-", comments.get(key, ""))
        for key, level in (("goal", goal), ("plan", plan), ("team", team))
    ]
    return s.Sheet(case, reviewer, (*answers, s.Answer("note", comment=note)))


levels = st.sampled_from("abcd")
marks = st.sampled_from(["a", "b", "c", "d", "-", ""])
sheets = st.builds(sheet, marks, marks, marks, case=st.sampled_from(["C1", "C2", "C3"]), reviewer=st.text(max_size=3))


def codes(problems):
    return [(problem.code, problem.item) for problem in problems]


# Totals ---------------------------------------------------------------------------------------------------------------


def test_total_when_all_is_scored_then_is_the_weighted_mean():
    assert s.sheet_total(RUBRIC, sheet("a", "b", "d")) == D("3.10")


def test_total_when_an_item_is_not_applicable_then_the_other_weights_are_the_whole():
    assert s.sheet_total(RUBRIC, sheet("-", "b", "d")) == D("2.20")
    assert s.sheet_total(RUBRIC, sheet("-", "-", "-")) is None


@given(marks, marks, levels)
def test_total_when_not_applicable_then_never_counts_as_zero(goal, plan, team):
    total = s.sheet_total(RUBRIC, sheet(goal, plan, team))
    given_points = [4 - "abcd".index(mark) for mark in (goal, plan, team) if mark in set("abcd")]
    assert min(given_points) <= total <= max(given_points)


@given(levels)
def test_total_when_all_grades_are_the_same_then_is_its_points_whatever_is_left_out(level):
    points = D(4 - "abcd".index(level))
    assert s.sheet_total(RUBRIC, sheet(level, level, level)) == points
    assert s.sheet_total(RUBRIC, sheet(level, "-", level)) == points


@given(levels, levels, levels)
def test_total_when_one_grade_rises_then_does_not_fall(goal, plan, team):
    low = s.sheet_total(RUBRIC, sheet("d", plan, team))
    assert low <= s.sheet_total(RUBRIC, sheet(goal, plan, team)) <= s.sheet_total(RUBRIC, sheet("a", plan, team))


def test_total_when_scale_is_of_numbers_then_counts_its_points():
    rubric = s.Rubric((s.Item("x", D(100), tuple(s.Level(str(n), D(n)) for n in range(6))),))
    assert s.sheet_total(rubric, s.Sheet("C1", "r", (s.Answer("x", "5"),))) == D(5)
    assert s.rubric_problems(rubric) == []


# Cases ----------------------------------------------------------------------------------------------------------------


def test_case_when_three_sheets_then_mean_spread_and_range():
    found = s.case_score(RUBRIC, "C1", [sheet("a", "a", "a"), sheet("b", "b", "b"), sheet("d", "d", "d")])
    assert found.total == s.Spread(3, D("2.67"), D("1.53"), D("1.00"), D("4.00"))
    assert found.total.range == D("3.00")
    assert found.grade == "B"


def test_case_when_one_sheet_then_has_no_deviation():
    assert s.case_score(RUBRIC, "C1", [sheet()]).total.deviation is None


def test_case_when_nothing_is_scored_then_has_no_total_and_no_grade():
    found = s.case_score(RUBRIC, "C1", [sheet("-", "-", "-")])
    assert (found.total, found.grade, found.failures, found.sheets) == (None, "", (), 1)
    assert [one.not_applicable for one in found.items] == [1, 1, 1]


def test_case_when_mean_lies_below_the_threshold_then_fails_on_it_and_at_it_does_not():
    assert s.case_score(RUBRIC, "C1", [sheet("d"), sheet("c")]).failures == ("goal",)
    assert s.case_score(RUBRIC, "C1", [sheet("c"), sheet("c")]).failures == ()
    assert s.case_score(RUBRIC, "C1", [sheet("-"), sheet("-")]).failures == ()


@given(st.lists(sheets, max_size=8), st.randoms(use_true_random=False))
def test_cases_when_sheets_come_in_another_order_then_are_the_same(given_sheets, random):
    shuffled = list(given_sheets)
    random.shuffle(shuffled)
    assert s.case_scores(RUBRIC, shuffled) == s.case_scores(RUBRIC, given_sheets)


@given(st.lists(sheets, min_size=1, max_size=8))
def test_cases_when_put_together_then_count_each_sheet_and_keep_the_mean_within_the_range(given_sheets):
    found = s.case_scores(RUBRIC, given_sheets)
    assert sum(one.sheets for one in found.values()) == len(given_sheets)
    for one in found.values():
        assert one.total is None or one.total.lowest <= one.total.mean <= one.total.highest


@pytest.mark.parametrize(
    ("total", "grade"), [("4", "S"), ("3.5", "S"), ("3.49", "A"), ("3", "A"), ("2.99", "B"), ("0", "C"), (None, "")]
)
def test_grade_when_total_reaches_a_step_then_is_that_one(total, grade):
    assert s.grade_of(RUBRIC, None if total is None else D(total)) == grade


def test_grade_when_legend_is_words_only_then_is_none():
    assert s.grade_of(replace(RUBRIC, grades=(s.Grade("S"), s.Grade("A"))), D(4)) == ""


# What is wrong --------------------------------------------------------------------------------------------------------


def test_rubric_when_whole_then_has_no_problems():
    assert s.rubric_problems(RUBRIC) == []


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ((replace(GOAL, weight=D(40)), PLAN, TEAM), ("weights_do_not_sum", "")),
        ((GOAL, PLAN, TEAM, PLAN), ("item_twice", "plan")),
        ((GOAL, PLAN, replace(TEAM, levels=ABCD[:1])), ("scale_too_short", "team")),
        ((GOAL, PLAN, replace(TEAM, levels=(*ABCD, ABCD[0]))), ("level_twice", "team")),
        ((GOAL, PLAN, replace(TEAM, levels=(*ABCD, s.Level("E", D(0))))), ("level_not_lower_case", "team")),
        ((replace(GOAL, threshold=D(5)), PLAN, TEAM), ("threshold_off_scale", "goal")),
        ((GOAL, PLAN, TEAM, replace(NOTE, weight=D(5))), ("text_only_with_weight", "note")),
        ((), ("no_items", "")),
    ],
)
def test_rubric_when_something_is_wrong_then_says_what_and_where(items, found):
    assert found in codes(s.rubric_problems(s.Rubric(items, LEGEND)))


def test_rubric_when_weights_do_not_sum_then_says_to_what():
    problem = s.rubric_problems(s.Rubric((replace(GOAL, weight=D(40)), PLAN, TEAM)))[0]
    assert problem.figure == D(90)


@pytest.mark.parametrize(
    ("grades", "found"),
    [
        ((s.Grade("s"),), ("grade_not_upper_case", "s")),
        ((s.Grade("S"), s.Grade("S")), ("grade_twice", "S")),
        ((s.Grade("S", D(2)), s.Grade("A", D(3))), ("grades_do_not_fall", "")),
    ],
)
def test_legend_when_something_is_wrong_then_says_what(grades, found):
    assert found in codes(s.rubric_problems(replace(RUBRIC, grades=grades)))


@pytest.mark.parametrize(
    ("given_sheet", "found"),
    [
        (sheet(), []),
        (sheet("-"), []),
        (sheet(""), [("missing", "goal")]),
        (sheet("e"), [("off_scale", "goal")]),
        (sheet("A"), [("off_scale", "goal")]),
        (sheet(team="-"), [("not_applicable_not_allowed", "team")]),
        (sheet(note=" "), [("comment_missing", "note")]),
        (s.Sheet("C1", "r", (*sheet().answers, s.Answer("x", "a"))), [("unknown_item", "x")]),
        (s.Sheet("C1", "r", (s.Answer("goal", "a", True), *sheet().answers[1:])), [("grade_and_not_applicable", "goal")]),
        (s.Sheet("C1", "r", (*sheet().answers[:3], s.Answer("note", "a", comment="所見"))), [("text_only", "note")]),
    ],
)  # fmt: skip
def test_sheet_when_looked_at_then_says_what_is_in_the_way(given_sheet, found):
    assert codes(s.sheet_problems(RUBRIC, given_sheet)) == found


@pytest.mark.parametrize(
    ("given_sheet", "found"),
    [
        (sheet(), []),
        (sheet("a"), [("extreme_without_comment", "goal")]),
        (sheet("c"), []),
        (sheet(plan="-"), [("not_applicable_unexplained", "plan")]),
    ],
)
def test_disagreements_when_no_comment_is_given_then_name_the_extremes(given_sheet, found):
    assert codes(s.disagreements(RUBRIC, given_sheet)) == found


def test_disagreements_when_comment_of_an_extreme_is_short_then_say_how_long_it_is():
    answers = (s.Answer("goal", "a", comment="良い。"), *sheet().answers[1:])
    assert s.disagreements(RUBRIC, s.Sheet("C1", "r", answers)) == [s.Problem("extreme_comment_short", "goal", 3)]
    answers = (s.Answer("goal", "a", comment=LONG), *sheet().answers[1:])
    assert s.disagreements(RUBRIC, s.Sheet("C1", "r", answers)) == []


def test_disagreements_when_below_the_threshold_without_a_word_then_say_so():
    rubric = s.Rubric((replace(GOAL, threshold=D(3)), PLAN, TEAM, NOTE))
    assert codes(s.disagreements(rubric, sheet("c"))) == [("below_threshold_without_comment", "goal")]


def test_disagreements_when_one_comment_stands_under_two_grades_then_name_the_second():
    answers = (s.Answer("goal", "b", comment=LONG), s.Answer("plan", "c", comment=LONG), *sheet().answers[2:])
    assert codes(s.disagreements(RUBRIC, s.Sheet("C1", "r", answers))) == [("same_comment", "plan")]


# First and final ------------------------------------------------------------------------------------------------------


def test_differences_when_a_score_and_a_comment_change_then_name_both():
    first, final = sheet("c"), sheet("a", note="新しい所見")
    score, comment = s.differences(RUBRIC, first, final)
    assert (score.item, score.points, score.is_score) == ("goal", D(2), True)
    assert (comment.item, comment.points, comment.is_score) == ("note", None, False)


@given(sheets)
def test_differences_when_nothing_changed_then_are_none(given_sheet):
    assert s.differences(RUBRIC, given_sheet, given_sheet) == []
