from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from common.fiscal_year import (
    ERAS,
    date_ja,
    date_text,
    datetime_ja,
    datetime_text,
    ends_on,
    era_year,
    fiscal_year_of,
    label,
    parse_date,
    parse_era,
    starts_on,
)

years = st.integers(min_value=1869, max_value=2400)
days = st.dates(min_value=date(1868, 1, 25), max_value=date(2400, 1, 1))


def test_fiscal_year_of_when_march_ends_then_a_new_year_begins():
    assert fiscal_year_of(date(2022, 3, 31)) == 2021
    assert fiscal_year_of(date(2022, 4, 1)) == 2022


def test_fiscal_year_of_when_an_aware_time_then_the_day_in_japan_counts():
    assert fiscal_year_of(datetime(2022, 3, 31, 14, 59, tzinfo=UTC)) == 2021
    assert fiscal_year_of(datetime(2022, 3, 31, 15, 0, tzinfo=UTC)) == 2022


@pytest.mark.parametrize(
    ("year", "japanese", "english"),
    [
        (2022, "令和4(2022)年度", "FY2022 (Reiwa 4)"),
        (2021, "令和3(2021)年度", "FY2021 (Reiwa 3)"),
        (2019, "令和元(2019)年度", "FY2019 (Reiwa 1)"),
        (2018, "平成30(2018)年度", "FY2018 (Heisei 30)"),
        (1989, "平成元(1989)年度", "FY1989 (Heisei 1)"),
        (1988, "昭和63(1988)年度", "FY1988 (Showa 63)"),
    ],
)
def test_label_when_a_fiscal_year_then_with_era_and_western_year(year, japanese, english):
    assert label(year) == japanese
    assert label(year, "en") == english


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2019, 4, 30), "平成31年"),
        (date(2019, 5, 1), "令和元年"),
        (date(1989, 1, 7), "昭和64年"),
        (date(1989, 1, 8), "平成元年"),
        (date(1926, 12, 24), "大正15年"),
        (date(1926, 12, 25), "昭和元年"),
        (date(1912, 7, 29), "明治45年"),
        (date(1912, 7, 30), "大正元年"),
    ],
)
def test_era_year_when_at_a_change_of_era_then_by_the_day(day, name):
    assert era_year(day) == name


def test_era_year_when_before_meiji_then_an_error():
    with pytest.raises(ValueError, match="no era"):
        era_year(date(1867, 12, 31))


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("平成37年", 2025),
        ("R4年度", 2022),
        ("令和元年度", 2019),
        ("令和4(2022)年度", 2022),
        ("令和４（２０２２）年度", 2022),
        ("令和4年(2022年)", 2022),
        ("FY2022 (Reiwa 4)", 2022),
        ("FY2022", 2022),
        ("2022年度", 2022),
        ("2022", 2022),
        ("２０２２", 2022),
        ("㋿4年", 2022),
        ("㍻30年度", 2018),
        ("令4", 2022),
        ("H30", 2018),
        ("S64", 1989),
        ("昭和 64 年", 1989),
        (" r 4 ", 2022),
    ],
)
def test_parse_era_when_written_as_people_do_then_understood(text, year):
    assert parse_era(text) == year


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("令和4(2021)年度", "year_contradiction"),
        ("FY2022 (Reiwa 5)", "year_contradiction"),
        ("令和0年", "year_not_understood"),
        ("令和", "year_not_understood"),
        ("22", "year_not_understood"),
        ("", "year_not_understood"),
        ("令和4年6月", "year_not_understood"),
        ("X4", "year_not_understood"),
        ("２０２２年度予算", "year_not_understood"),
    ],
)
def test_parse_era_when_it_is_no_year_then_refused(text, code):
    with pytest.raises(ValidationError) as refusal:
        parse_era(text)
    assert refusal.value.code == code


@given(years)
def test_parse_era_when_given_a_label_then_the_same_year(year):
    assert parse_era(label(year)) == year
    assert parse_era(label(year, "en")) == year


@given(years)
def test_fiscal_year_when_its_first_and_last_day_then_it_is_whole_and_borders_the_next(year):
    assert fiscal_year_of(starts_on(year)) == fiscal_year_of(ends_on(year)) == year
    assert ends_on(year) + timedelta(days=1) == starts_on(year + 1)


@given(days)
def test_era_year_when_read_back_then_the_same_calendar_year(day):
    assert parse_era(era_year(day)) == day.year
    assert parse_date(f"{era_year(day)}{day.month}月{day.day}日") == day


def test_eras_when_listed_then_newest_first():
    assert [era.first_day for era in ERAS] == sorted((era.first_day for era in ERAS), reverse=True)


@pytest.mark.parametrize(
    "text",
    [
        "2026年6月12日(金)",
        "2026年6月12日",
        "令和8年6月12日",
        "R8.6.12",
        "2026-06-12",
        "2026/6/12",
        "２０２６．６．１２",
        "令和8年6月12日（金曜日）",
    ],
)
def test_parse_date_when_written_as_people_do_then_understood(text):
    assert parse_date(text) == date(2026, 6, 12)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026年6月12日(木)", "date_weekday"),
        ("2026-02-29", "date_not_understood"),
        ("2026-13-01", "date_not_understood"),
        ("6月12日", "date_not_understood"),
        ("0000-01-01", "date_not_understood"),
        ("", "date_not_understood"),
    ],
)
def test_parse_date_when_there_is_no_such_day_then_refused(text, code):
    with pytest.raises(ValidationError) as refusal:
        parse_date(text)
    assert refusal.value.code == code


@given(days)
def test_parse_date_when_given_a_printed_day_then_the_same_day(day):
    assert parse_date(date_ja(day)) == day
    assert parse_date(day.isoformat()) == day


def test_date_and_time_when_printed_then_in_japan_time_and_the_readers_form():
    at = datetime(2026, 6, 12, 8, 0, tzinfo=UTC)
    assert datetime_ja(at) == "2026年6月12日(金) 17:00"
    assert datetime_text(at, "en") == "2026-06-12 (Fri) 17:00 JST"
    assert datetime_text(at) == datetime_ja(at)
    assert date_text(date(2026, 6, 12)) == "2026年6月12日(金)"
    assert date_text(date(2026, 6, 12), "en") == "2026-06-12 (Fri)"
    assert date_ja(datetime(2026, 6, 12, 15, 0, tzinfo=UTC)) == "2026年6月13日(土)"
