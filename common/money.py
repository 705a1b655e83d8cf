"""Money is integer yen. Shown in the unit it was printed in, elsewhere in million yen; rounded half away from zero.

`△` stands before a negative amount, `-` for no value, `0` for an amount that rounds to nothing. A figure in brackets
is the previous year's, never a negative one; so brackets are refused where an amount is typed.
"""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from common.text import half_width

MILLION = 1_000_000
OKU = 100_000_000
NO_VALUE = "-"
NEGATIVE = "△ "

#: Above this (1,000 trillion yen, several national budgets) a typed amount is a slip of the unit.
LARGEST_YEN = 10**15

_PRINTED: Mapping[str, tuple[int, str]] = MappingProxyType({"oku": (OKU, "億円"), "million": (MILLION, "百万円")})

_UNITS: Mapping[str, int] = MappingProxyType(
    {
        "兆": 10**12, "十億": 10**9, "億": 10**8, "千万": 10**7, "百万": 10**6, "十万": 10**5, "万": 10**4, "千": 10**3,
        "billion": 10**9, "million": 10**6, "": 1,
    }
)  # fmt: skip
_PART = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?)\s*(兆|十億|億|千万|百万|十万|万|千|billion|million|)\s*")
_GROUPED = re.compile(r"[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+")
_SIGN = re.compile(r"[△▲▵\-−]\s*")
_BRACKETS = re.compile(r"[()\[\]〔〕【】〈〉<>]")


def million(amount: int | None) -> str:
    """This function will print an amount in million yen without the unit: 5,152; △ 26,000; - for no value."""
    return _number(amount, MILLION)


def oku(amount: int | None) -> str:
    """This function will print an amount in hundred million yen with the unit: 639億円."""
    return printed(amount, "oku")


def yen(amount: int | None, language: str = "ja") -> str:
    """This function will print an amount to the yen with the unit: 5,152,000,000円."""
    number = _number(amount, 1)
    if amount is None:
        return number
    return f"{number} yen" if language == "en" else f"{number}円"


def plain(amount: int | None) -> str:
    """This function will print an amount to the yen without the unit: 5,152,000,000."""
    return _number(amount, 1)


def printed(amount: int | None, unit: str, language: str = "ja") -> str:
    """This function will print an amount in the unit of its source: `oku` (639億円) or `million` (5,152百万円).

    In English both come out in million yen, rounded to the unit of the source: 63,900 million yen.
    """
    if amount is None:
        return NO_VALUE
    return f"{figure(amount, unit, language)}{' ' if language == 'en' else ''}{unit_name(unit, language)}"


def figure(amount: int | None, unit: str, language: str = "ja") -> str:
    """This function will print what `printed` does without the unit, for a column whose head names it."""
    size, _name = _PRINTED[unit]
    if amount is not None and language == "en":
        return _number(_rounded(amount, size) * size, MILLION)
    return _number(amount, size)


def unit_name(unit: str, language: str = "ja") -> str:
    """This function will name the unit `figure` counts in: 億円, 百万円, million yen."""
    return "million yen" if language == "en" else _PRINTED[unit][1]


def parse_yen(text: str) -> int:
    """This function will read an amount as people write it and return yen.

    Understood: 639億円, 5,152百万円, 12億3,456万円 (full-width as well), △ 26,000, 5,152 million yen.
    A number without a unit is yen. Raises ValidationError, with a message that says what to do, for brackets,
    misplaced commas, fractions of a yen, units out of order and anything that is no amount.
    """
    plain = half_width(text).strip().casefold()
    if _BRACKETS.search(plain):
        raise ValidationError(
            _("Enter the amount without brackets: a figure in brackets is the previous year's and has its own field."),
            code="money_brackets",
        )
    sign = _SIGN.match(plain)
    body = plain[sign.end() :] if sign else plain
    body = body.removeprefix("¥").strip()
    body = body.removesuffix("円").removesuffix("yen").strip()
    total = _sum_of_parts(body)
    if total > LARGEST_YEN:
        raise ValidationError(_("Check the unit: the amount is above 1,000 trillion yen."), code="money_too_large")
    return -total if sign else total


def _sum_of_parts(body: str) -> int:
    total, position, smallest = Fraction(0), 0, 0
    while position < len(body):
        part = _PART.match(body, position)
        if not part or not _GROUPED.fullmatch(part[1].partition(".")[0]):
            raise _not_understood()
        value, unit = Fraction(part[1].replace(",", "")) * _UNITS[part[2]], _UNITS[part[2]]
        if smallest and (unit >= smallest or value >= smallest):
            raise _not_understood()
        if "." in part[1] and part.end() < len(body):
            raise _not_understood()
        total, position, smallest = total + value, part.end(), unit
    if not body:
        raise _not_understood()
    if total.denominator != 1:
        raise ValidationError(_("Enter the amount in whole yen."), code="money_fraction")
    return int(total)


def _not_understood() -> ValidationError:
    return ValidationError(
        _("Enter an amount in yen, such as 5,152百万円, 639億円 or 12,345,678; △ stands for a negative amount."),
        code="money_not_understood",
    )


def _number(amount: int | None, unit: int) -> str:
    if amount is None:
        return NO_VALUE
    value = _rounded(amount, unit)
    return f"{NEGATIVE}{-value:,}" if value < 0 else f"{value:,}"


def _rounded(amount: int, unit: int) -> int:
    """Half up on the absolute amount, in integers: a float would lose yen above 9,007 trillion."""
    value = (2 * abs(amount) + unit) // (2 * unit)
    return -value if amount < 0 else value


def split(total: int, weights: Sequence[int]) -> list[int]:
    """This function will split yen by weights so that the parts add up to the total to the yen (largest remainder).

    `total` may be negative; weights are whole numbers from 0, not all 0. What division leaves goes, yen by yen, to the
    largest remainders, the first of equals. Raises `ValueError` for weights that are negative or all 0.
    """
    whole = sum(weights)
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights have to be 0 or more, and not all 0")
    parts = [total * weight // whole for weight in weights]
    rest = total - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in by_remainder[:rest]:
        parts[n] += 1
    return parts
