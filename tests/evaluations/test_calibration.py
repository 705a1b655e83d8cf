"""The ranking: known parameters come back, intervals cover, and what must not matter does not."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations import calibration as c


def simulate(cases, readers, each, seed, *, quality=1.0, leniency=0.6, noise=0.8):
    """Scores of the model itself, with what is true of each case and reader."""
    rng = np.random.default_rng(seed)
    theta, lenient = rng.normal(0, quality, cases), rng.normal(0, leniency, readers)
    scores = [
        c.Score(f"c{case:04}", f"r{reader:04}", float(5 + theta[case] + lenient[reader] + rng.normal(0, noise)))
        for case in range(cases)
        for reader in rng.choice(readers, each, replace=False)
    ]
    return scores, theta, lenient


def ranks(calibration):
    return {one.case: one.rank for one in calibration.standings}


def agreement(one, other):
    """Spearman's correlation of two rankings."""
    names = sorted(one)
    return float(np.corrcoef([one[name] for name in names], [other[name] for name in names])[0, 1])


# Recovery -------------------------------------------------------------------------------------------------------------


def test_calibration_when_parameters_are_known_then_finds_them():
    scores, theta, lenient = simulate(600, 90, 5, 3)
    found = c.calibrate(scores, seed=1)
    assert found.mean == pytest.approx(5, abs=0.25)
    assert found.case_variance == pytest.approx(1, rel=0.2)
    assert found.reader_variance == pytest.approx(0.36, rel=0.4)
    assert found.residual_variance == pytest.approx(0.64, rel=0.1)
    assert np.corrcoef([one.points for one in found.leniencies], lenient)[0, 1] > 0.95
    means = {one.case: one.mean for one in found.standings}
    assert np.corrcoef([means[f"c{at:04}"] for at in range(600)], theta)[0, 1] > 0.9


def test_calibration_when_more_readers_than_cases_then_finds_the_same_parameters():
    scores, _, _ = simulate(90, 600, 40, 4)
    found = c.calibrate(scores, seed=1)
    assert found.case_variance == pytest.approx(1, rel=0.4)
    assert found.reader_variance == pytest.approx(0.36, rel=0.25)
    assert found.residual_variance == pytest.approx(0.64, rel=0.1)


def test_calibration_when_solved_by_the_textbook_then_gives_the_same_means_and_variances():
    scores, _, _ = simulate(12, 7, 4, 5)
    found = c.calibrate(scores, seed=1)
    ordered = sorted(scores, key=lambda one: (one.case, one.reviewer))
    cases, readers = sorted({one.case for one in ordered}), sorted({one.reviewer for one in ordered})
    of_case = np.array([[one.case == name for name in cases] for one in ordered], dtype=float)
    of_reader = np.array([[one.reviewer == name for name in readers] for one in ordered], dtype=float)
    y, ones = np.array([one.points for one in ordered]), np.ones((len(ordered), 1))
    inverse = np.linalg.inv(
        found.case_variance * of_case @ of_case.T
        + found.reader_variance * of_reader @ of_reader.T
        + found.residual_variance * np.eye(len(ordered))
    )
    middle = inverse - inverse @ ones @ np.linalg.inv(ones.T @ inverse @ ones) @ ones.T @ inverse
    theta = found.case_variance * of_case.T @ middle @ y
    variance = found.case_variance - found.case_variance**2 * np.diag(of_case.T @ middle @ of_case)
    by_case = {one.case: one for one in found.standings}
    assert [by_case[name].mean - found.mean for name in cases] == pytest.approx(theta, abs=1e-8)
    assert [by_case[name].deviation ** 2 for name in cases] == pytest.approx(variance, abs=1e-8)


def test_calibration_when_intervals_are_drawn_then_ninety_cover_about_ninety():
    inside = half = total = 0
    for seed in range(30):
        scores, theta, _ = simulate(60, 20, 4, 100 + seed)
        found = c.calibrate(scores, seed=seed, draws=400)
        true = {f"c{case:04}": rank for rank, case in enumerate(np.argsort(-theta), 1)}
        for one in found.standings:
            total += 1
            inside += one.ninety[0] <= true[one.case] <= one.ninety[1]
            half += one.half[0] <= true[one.case] <= one.half[1]
    assert 0.85 <= inside / total <= 0.935
    assert 0.45 <= half / total <= 0.62


def test_calibration_when_readers_differ_much_then_ranks_better_than_the_raw_mean():
    closer = 0
    for seed in range(10):
        scores, theta, _ = simulate(80, 20, 4, 300 + seed, leniency=1.2)
        found = c.calibrate(scores, seed=1)
        true = {f"c{case:04}": rank for rank, case in enumerate(np.argsort(-theta), 1)}
        raw = {one.case: one.raw_rank for one in found.standings}
        closer += agreement(ranks(found), true) > agreement(raw, true)
    assert closer >= 9


# What does not matter -------------------------------------------------------------------------------------------------


def test_calibration_when_scores_come_in_another_order_then_is_the_same_to_the_last_bit():
    scores, _, _ = simulate(40, 12, 4, 6)
    shuffled = list(scores)
    random.Random(1).shuffle(shuffled)
    assert c.calibrate(shuffled, seed=7) == c.calibrate(scores, seed=7)


def test_calibration_when_one_reader_is_far_more_lenient_then_ranks_hardly_move():
    scores, _, _ = simulate(80, 20, 4, 8)
    shifted = [replace(one, points=one.points + 3) if one.reviewer == "r0003" else one for one in scores]
    before, after = c.calibrate(scores, seed=1), c.calibrate(shifted, seed=1)
    raw = ({one.case: one.raw_rank for one in found.standings} for found in (before, after))
    assert agreement(ranks(before), ranks(after)) > 0.98
    assert agreement(ranks(before), ranks(after)) > agreement(*raw)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-100, 100))
def test_calibration_when_the_scale_is_stretched_or_moved_then_ranks_stay(seed, stretch, shift):
    scores, _, _ = simulate(12, 5, 3, seed)
    moved = [replace(one, points=one.points * stretch + shift) for one in scores]
    before, after = c.calibrate(scores, seed=1, draws=200), c.calibrate(moved, seed=1, draws=200)
    assert agreement(ranks(before), ranks(after)) > 0.97
    assert before.icc == pytest.approx(after.icc, abs=0.01)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_calibration_when_ranked_then_ranks_are_a_whole_ranking_and_intervals_lie_within(seed):
    scores, _, _ = simulate(15, 6, 3, seed)
    found = c.calibrate(scores, seed=seed, draws=200)
    assert [one.rank for one in found.standings] == list(range(1, 16))
    assert sum(one.expected_rank for one in found.standings) == pytest.approx(15 * 16 / 2, abs=1e-3)
    for one in found.standings:
        assert 1 <= one.ninety[0] <= one.half[0] <= one.half[1] <= one.ninety[1] <= 15
    assert 0 <= found.icc <= found.reliability <= 1


def test_calibration_when_the_seed_is_another_then_means_and_ranks_are_the_same():
    scores, _, _ = simulate(40, 12, 4, 9)
    one, two = c.calibrate(scores, seed=1), c.calibrate(scores, seed=2)
    assert ranks(one) == ranks(two)
    assert (one.mean, one.leniencies) == (two.mean, two.leniencies)


# What it refuses and warns of -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "too_few_cases"),
        ([("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "y", 2)], "too_few_cases"),
        ([("a", "x", 1), ("b", "x", 2), ("c", "x", 3)], "too_few_readers"),
        ([("a", "x", 1), ("b", "y", 2), ("c", "x", 3)], "single_readers"),
        ([("a", "x", 1), ("a", "y", 2), ("b", "y", 2), ("c", "x", 3)], "too_few_scores"),
        ([(case, reader, 3) for case in "abc" for reader in "xyz"], "all_equal"),
        ([("a", "x", 1), ("a", "x", 2)], "reader_twice"),
        ([("a", "x", float("nan"))], "no_number"),
    ],
)
def test_calibration_when_scores_do_not_allow_it_then_says_why(rows, code):
    with pytest.raises(c.NotComparable) as refusal:
        c.calibrate([c.Score(*row) for row in rows], seed=1)
    assert refusal.value.code == code


def test_calibration_when_readers_agree_to_the_point_then_still_ranks():
    scores = [c.Score(f"c{case}", f"r{reader}", float(case)) for case in range(5) for reader in range(3)]
    found = c.calibrate(scores, seed=1)
    assert [one.case for one in found.standings] == ["c4", "c3", "c2", "c1", "c0"]
    assert found.icc > 0.99
    assert found.alpha == pytest.approx(1)


def test_calibration_when_groups_share_no_reader_then_names_the_parts():
    left, _, _ = simulate(10, 4, 3, 1)
    right = [replace(one, case=f"z{one.case}", reviewer=f"z{one.reviewer}") for one in left[:15]]
    found = c.calibrate([*left, *right], seed=1)
    assert found.is_disconnected
    assert [len(part) for part in found.parts] == [10, 5]
    assert not c.calibrate(left, seed=1).is_disconnected


def test_fields_apart_when_two_fields_share_no_reader_then_names_the_pair():
    scores = [c.Score("1", "x", 1), c.Score("2", "x", 1), c.Score("2", "y", 1), c.Score("3", "y", 1)]
    assert c.fields_apart(scores, {"1": "理論", "2": "実験", "3": "産業"}) == [("理論", "産業")]


def test_standard_scores_when_the_median_reader_has_seven_sheets_then_are_refused_and_with_eight_given():
    scores, _, _ = simulate(7, 4, 4, 2)
    with pytest.raises(c.NotComparable) as refusal:
        c.standard_scores(scores)
    assert refusal.value.code == "too_few_sheets"
    scores, _, _ = simulate(8, 4, 4, 2)
    found = c.standard_scores(scores)
    assert sum(value for (_, reader), value in found.items() if reader == "r0001") == pytest.approx(0)


def test_alpha_when_computed_on_krippendorffs_example_then_is_the_printed_figure():
    # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), data of section C with interval metric: 0.849
    table = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    scores = [
        c.Score(str(unit), coder, value)
        for coder, values in table.items()
        for unit, value in enumerate(values)
        if value is not None
    ]
    assert c.krippendorff_alpha(scores) == pytest.approx(0.849, abs=0.0005)


def test_alpha_when_nobody_shares_a_case_then_is_not_defined():
    assert c.krippendorff_alpha([c.Score("a", "x", 1), c.Score("b", "x", 2)]) is None


def test_grey_zone_when_a_line_is_drawn_then_holds_the_last_fundable_case_and_no_sure_one():
    scores, _, _ = simulate(60, 20, 4, 12)
    found = c.calibrate(scores, seed=1)
    grey = c.grey_zone(found.standings, 15)
    assert found.standings[14].case in grey
    assert found.standings[0].case not in grey
    assert found.standings[-1].case not in grey
    assert c.grey_zone(found.standings, 0) == c.grey_zone(found.standings, 60) == ()
