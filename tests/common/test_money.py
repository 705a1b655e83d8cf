import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from common.money import LARGEST_YEN, MILLION, OKU, million, oku, parse_yen, printed, split, yen

amounts = st.integers(min_value=-LARGEST_YEN, max_value=LARGEST_YEN)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (5_152_000_000, "5,152"),
        (43_000_000, "43"),
        (-26_000_000_000, "△ 26,000"),
        (None, "-"),
        (0, "0"),
        (499_999, "0"),
        (500_000, "1"),
        (1_499_999, "1"),
        (1_500_000, "2"),
        (-499_999, "0"),
        (-500_000, "△ 1"),
        (2_500_000, "3"),
    ],
)
def test_million_when_printed_then_as_the_budget_papers_do(amount, shown):
    assert million(amount) == shown


@pytest.mark.parametrize(
    ("amount", "unit", "shown"),
    [
        (63_900_000_000, "oku", "639億円"),
        (62_700_000_000, "oku", "627億円"),
        (136_600_000_000, "oku", "1,366億円"),
        (5_152_000_000, "million", "5,152百万円"),
        (125_000_000_000, "million", "125,000百万円"),
        (-2_600_000_000, "oku", "△ 26億円"),
        (None, "oku", "-"),
        (None, "million", "-"),
        (0, "million", "0百万円"),
    ],
)
def test_printed_when_a_figure_of_the_source_then_exactly_as_there(amount, unit, shown):
    assert printed(amount, unit) == shown


def test_printed_when_in_english_then_million_yen_rounded_to_the_source_unit():
    assert printed(63_912_345_678, "oku", "en") == "63,900 million yen"
    assert printed(5_152_000_000, "million", "en") == "5,152 million yen"
    assert printed(None, "oku", "en") == "-"


def test_printed_when_the_unit_is_unknown_then_an_error():
    with pytest.raises(KeyError):
        printed(1, "dollar")


def test_oku_and_yen_when_printed_then_with_their_unit():
    assert oku(63_900_000_000) == "639億円"
    assert yen(5_152_000_000) == "5,152,000,000円"
    assert yen(-5, "en") == "△ 5 yen"
    assert yen(None) == "-"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("639億円", 63_900_000_000),
        ("5,152百万円", 5_152_000_000),
        ("５，１５２百万円", 5_152_000_000),
        ("１２億３，４５６万円", 1_234_560_000),
        ("3億5千万円", 350_000_000),
        ("1兆2億", 1_000_200_000_000),
        ("1.5億", 150_000_000),
        ("△ 26,000", -26_000),
        ("▲26,000円", -26_000),
        ("−5", -5),
        ("-5", -5),
        ("¥1,000", 1_000),
        ("￥１，０００", 1_000),
        ("  1000 ", 1_000),
        ("0", 0),
        ("5,152 million yen", 5_152_000_000),
        ("12,345,678", 12_345_678),
    ],
)
def test_parse_yen_when_written_as_people_do_then_understood(text, amount):
    assert parse_yen(text) == amount


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(627億円)", "money_brackets"),
        ("（3,809）", "money_brackets"),
        ("[43]", "money_brackets"),
        ("〔43〕百万円", "money_brackets"),
        ("1.5", "money_fraction"),
        ("0.00001万円", "money_fraction"),
        ("1,2345", "money_not_understood"),
        ("12,34", "money_not_understood"),
        (",123", "money_not_understood"),
        ("5億3億", "money_not_understood"),
        ("3万5億", "money_not_understood"),
        ("1億20,000万", "money_not_understood"),
        ("1.5億2万", "money_not_understood"),
        ("1 2", "money_not_understood"),
        ("", "money_not_understood"),
        ("-", "money_not_understood"),
        ("億円", "money_not_understood"),
        ("百", "money_not_understood"),
        ("約639億円", "money_not_understood"),
        ("1e9", "money_not_understood"),
        ("٣", "money_not_understood"),
        ("①億円", "money_not_understood"),
        ("1001兆", "money_too_large"),
    ],
)
def test_parse_yen_when_it_is_no_amount_then_refused_with_its_code(text, code):
    with pytest.raises(ValidationError) as refusal:
        parse_yen(text)
    assert refusal.value.code == code


@given(amounts)
def test_parse_yen_when_given_what_yen_printed_then_the_same_amount(amount):
    assert parse_yen(yen(amount)) == amount
    assert parse_yen(yen(amount).translate(str.maketrans("0123456789,", "０１２３４５６７８９，"))) == amount


@given(amounts)
def test_million_when_read_back_then_within_half_a_unit_and_half_goes_away_from_zero(amount):
    shown = parse_yen(million(amount)) * MILLION
    assert abs(shown - amount) <= MILLION // 2
    if abs(amount) % MILLION == MILLION // 2:
        assert abs(shown) > abs(amount)


@given(amounts)
def test_printed_when_the_sign_is_turned_then_only_the_mark_changes(amount):
    plain, turned = printed(abs(amount), "oku"), printed(-abs(amount), "oku")
    assert turned in (plain, "△ " + plain)
    assert (turned == plain) == (abs(amount) * 2 < OKU)


@given(st.text(max_size=12))
def test_parse_yen_when_given_anything_then_an_amount_or_a_refusal(text):
    try:
        amount = parse_yen(text)
    except ValidationError:
        return
    assert abs(amount) <= LARGEST_YEN


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any))
def test_split_when_whatever_is_split_then_the_parts_sum_to_the_whole_and_none_is_a_yen_off(total, weights):
    parts = split(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [-1]])
def test_split_when_there_is_nothing_to_split_by_then_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        split(100, weights)


def test_split_when_division_leaves_something_then_the_largest_remainders_get_it():
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(1, [1, 2, 2]) == [0, 1, 0]
    assert split(-100, [1, 1, 1]) == [-33, -33, -34]
