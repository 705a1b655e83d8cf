"""Fiscal years, Japanese eras and dates as they are printed and typed.

A fiscal year runs from 1 April to 31 March and is the integer of its first year; it is named after the era of that
year's last day, so that 2019 is 令和元年度 as the government's own papers have it, although it began in 平成31年.
Old papers count an era past its end: 平成37年 means 2025.
"""

import re
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from common.text import half_width

JAPAN = ZoneInfo("Asia/Tokyo")
WEEKDAYS_JA = "月火水木金土日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Era(NamedTuple):
    name: str
    roman: str
    letter: str
    first_day: date


ERAS = (
    Era("令和", "Reiwa", "r", date(2019, 5, 1)),
    Era("平成", "Heisei", "h", date(1989, 1, 8)),
    Era("昭和", "Showa", "s", date(1926, 12, 25)),
    Era("大正", "Taisho", "t", date(1912, 7, 30)),
    Era("明治", "Meiji", "m", date(1868, 1, 25)),
)
_SQUARE_ERAS = str.maketrans({"㋿": "令和", "㍻": "平成", "㍼": "昭和", "㍽": "大正", "㍾": "明治"})
_ERA_BY_WORD = {word: era for era in ERAS for word in (era.name, era.name[0], era.letter, era.roman.lower())}
_ERA_WORD = "令和|平成|昭和|大正|明治|reiwa|heisei|showa|taisho|meiji|[令平昭大明rhstm]"
_ERA_YEAR = rf"(?P<era>{_ERA_WORD})\s*(?P<of_era>元|[0-9]{{1,3}})"
_YEAR_END = r"(?:\s*年度?)?"
_YEAR_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_ERA_YEAR}\s*年?\s*(?:\(\s*(?P<year>[0-9]{{4}})\s*年?\s*\))?{_YEAR_END}",
        rf"(?:fy\s*)?(?P<year>[0-9]{{4}}){_YEAR_END}\s*(?:\(\s*{_ERA_YEAR}{_YEAR_END}\s*\))?",
    )
)
_DAY = (
    rf"(?:{_ERA_YEAR}|(?P<year>[0-9]{{4}}))\s*[年./-]\s*(?P<month>[0-9]{{1,2}})\s*[月./-]\s*(?P<day>[0-9]{{1,2}})\s*日?"
)
_DATE_FORM = re.compile(rf"{_DAY}\s*(?:\(\s*(?P<weekday>[月火水木金土日])曜?日?\s*\))?")


def fiscal_year_of(day: date | datetime) -> int:
    """This function will return the fiscal year a day lies in; an aware time counts by its day in Japan."""
    local = _japan(day)
    return local.year if local.month >= 4 else local.year - 1


def starts_on(fiscal_year: int) -> date:
    """This function will return the first day of a fiscal year."""
    return date(fiscal_year, 4, 1)


def ends_on(fiscal_year: int) -> date:
    """This function will return the last day of a fiscal year."""
    return date(fiscal_year + 1, 3, 31)


def label(fiscal_year: int, language: str = "ja") -> str:
    """This function will name a fiscal year: 令和4(2022)年度, FY2022 (Reiwa 4)."""
    era, number = _era_of(date(fiscal_year, 12, 31))
    if language == "en":
        return f"FY{fiscal_year} ({era.roman} {number})"
    return f"{era.name}{_ordinal(number)}({fiscal_year})年度"


def era_year(day: date | datetime, language: str = "ja") -> str:
    """This function will name the calendar year of a day by its era: 令和元年, 平成31年, Reiwa 1."""
    era, number = _era_of(_japan(day))
    return f"{era.roman} {number}" if language == "en" else f"{era.name}{_ordinal(number)}年"


def parse_era(text: str) -> int:
    """This function will read a year or fiscal year as people write it.

    Understood: 平成37年 (2025), R4年度, 令和元年度, 令和4(2022)年度, 2022年度, FY2022 (Reiwa 4).
    Raises ValidationError when it is no year or when the two years in it contradict each other.
    """
    plain = _plain(text)
    for form in _YEAR_FORMS:
        found = form.fullmatch(plain)
        if found:
            return _agreed_year(found)
    raise ValidationError(_("Enter a year such as 令和4年度, R4 or 2022."), code="year_not_understood")


def parse_date(text: str) -> date:
    """This function will read a day as people write it.

    Understood: 令和8年6月12日, R8.6.12, 2026-06-12, 2026/6/12, 2026年6月12日(金).
    Raises ValidationError when there is no such day or when the weekday in brackets is not that day's.
    """
    found = _DATE_FORM.fullmatch(_plain(text))
    if not found:
        raise _no_date()
    try:
        day = date(_agreed_year(found), int(found["month"]), int(found["day"]))
    except ValueError:
        raise _no_date() from None
    if found["weekday"] and WEEKDAYS_JA[day.weekday()] != found["weekday"]:
        raise ValidationError(
            _("Check the date: %(day)s is a different day of the week."),
            code="date_weekday",
            params={"day": date_ja(day)},
        )
    return day


def date_ja(day: date | datetime) -> str:
    """This function will print a day as 2026年6月12日(金); an aware time by its day in Japan."""
    local = _japan(day)
    return f"{local.year}年{local.month}月{local.day}日({WEEKDAYS_JA[local.weekday()]})"


def datetime_ja(at: datetime) -> str:
    """This function will print a time as 2026年6月12日(金) 17:00, in Japan time."""
    return f"{date_ja(at)} {_japan_time(at):%H:%M}"


def date_text(day: date | datetime, language: str = "ja") -> str:
    """This function will print a day for a reader: 2026年6月12日(金), 2026-06-12 (Fri)."""
    if language != "en":
        return date_ja(day)
    local = _japan(day)
    return f"{local.year:04}-{local.month:02}-{local.day:02} ({WEEKDAYS_EN[local.weekday()]})"


def datetime_text(at: datetime, language: str = "ja") -> str:
    """This function will print a time for a reader: 2026年6月12日(金) 17:00, 2026-06-12 (Fri) 17:00 JST."""
    return f"{date_text(at, language)} {_japan_time(at):%H:%M} JST" if language == "en" else datetime_ja(at)


def _plain(text: str) -> str:
    return half_width(text.translate(_SQUARE_ERAS)).strip().lower()


def _agreed_year(found: re.Match[str]) -> int:
    by_era = None
    if found["era"]:
        number = 1 if found["of_era"] == "元" else int(found["of_era"])
        if number < 1:
            raise ValidationError(_("Enter a year such as 令和4年度, R4 or 2022."), code="year_not_understood")
        by_era = _ERA_BY_WORD[found["era"]].first_day.year + number - 1
    year = int(found["year"]) if found["year"] else by_era
    if year is None or (by_era is not None and by_era != year):
        raise ValidationError(
            _("Check the year: the era and the year in brackets are not the same year."), code="year_contradiction"
        )
    return year


def _no_date() -> ValidationError:
    return ValidationError(
        _("Enter a date such as 2026-06-12, 2026年6月12日 or 令和8年6月12日."), code="date_not_understood"
    )


def _era_of(day: date) -> tuple[Era, int]:
    for era in ERAS:
        if day >= era.first_day:
            return era, day.year - era.first_day.year + 1
    raise ValueError(f"no era is known for {day}")


def _ordinal(number: int) -> str:
    return "元" if number == 1 else str(number)


def _japan_time(at: datetime) -> datetime:
    return at.astimezone(JAPAN) if at.tzinfo else at


def _japan(day: date | datetime) -> date:
    return _japan_time(day).date() if isinstance(day, datetime) else day
