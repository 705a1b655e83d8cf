"""Filters for money, years and dates, in the language of the page (`{% load sekisho %}`)."""

from datetime import date, datetime

from django import template
from django.utils.translation import get_language

from common import fiscal_year as years
from common import money

register = template.Library()


@register.filter
def million(amount: int | None) -> str:
    """This function will print yen in million yen, without the unit: 5,152."""
    return money.million(_none_if_missing(amount))


@register.filter
def oku(amount: int | None) -> str:
    """This function will print yen in hundred million yen: 639億円 (in English, in million yen)."""
    return money.printed(_none_if_missing(amount), "oku", _language())


@register.filter
def printed(amount: int | None, unit: str) -> str:
    """This function will print yen in the unit of the source (`oku` or `million`): 639億円, 5,152百万円."""
    return money.printed(_none_if_missing(amount), unit, _language())


@register.filter
def yen(amount: int | None) -> str:
    """This function will print yen to the yen: 5,152,000,000円."""
    return money.yen(_none_if_missing(amount), _language())


@register.filter
def plain_yen(amount: int | None) -> str:
    """This function will print yen to the yen without the unit, for a column whose head names it: △ 5,152."""
    return money.plain(_none_if_missing(amount))


@register.filter
def signed_yen(amount: int | None) -> str:
    """This function will print an increase with its sign, for a difference: +5,152円; △ 5,152円."""
    text = money.yen(_none_if_missing(amount), _language())
    return f"+{text}" if amount and amount > 0 else text


@register.filter
def fiscal_year(year: int | None) -> str:
    """This function will name a fiscal year: 令和4(2022)年度, FY2022 (Reiwa 4)."""
    return years.label(int(year), _language()) if year not in (None, "") else ""


@register.filter
def era(day: date | None) -> str:
    """This function will name the calendar year of a day by its era: 令和8年."""
    return years.era_year(day, _language()) if day else ""


@register.filter
def date_text(day: date | None) -> str:
    """This function will print a day: 2026年6月12日(金), 2026-06-12 (Fri)."""
    return years.date_text(day, _language()) if day else ""


@register.filter
def iso_day(text: str | None) -> str:
    """This function will print a day that frozen content keeps as ISO 8601, as `date_text` does."""
    return date_text(date.fromisoformat(text)) if text else ""


@register.filter
def datetime_text(at: datetime | None) -> str:
    """This function will print a time in Japan time: 2026年6月12日(金) 17:00, 2026-06-12 (Fri) 17:00 JST."""
    return years.datetime_text(at, _language()) if at else ""


# Templates of the project name them by what they print in Japanese; the language still decides.
register.filter("date_ja", date_text)
register.filter("datetime_ja", datetime_text)


def _language() -> str:
    return "en" if (get_language() or "ja").startswith("en") else "ja"


def _none_if_missing(amount: int | None) -> int | None:
    """Django hands a filter "" for a variable that does not exist."""
    return None if amount in (None, "") else amount
