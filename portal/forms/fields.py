"""Form fields that read what people type: days and eras, full-width digits, yen with units, percent."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.fiscal_year import parse_date, parse_era
from common.money import parse_yen
from common.text import clean, clean_line, count_characters, half_width

DAY_HELP = gettext_lazy("For example 2026-06-12 or 令和8年6月12日.")


class LineField(forms.CharField):
    """One line, cleaned; counted as the product counts."""

    def to_python(self, value: Any) -> str:
        """This function will clean the line and refuse one that is too long, saying by how much."""
        text = clean_line(value or "")
        _not_longer(text, self.longest)
        return text

    def __init__(self, *, longest: int = 200, **kwargs: Any) -> None:
        self.longest = longest
        super().__init__(**kwargs)


class TextField(forms.CharField):
    """Text of several lines, cleaned."""

    def __init__(self, *, longest: int = 4000, **kwargs: Any) -> None:
        self.longest = longest
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """This function will clean the text and refuse one that is too long, saying by how much."""
        text = clean(value or "").strip()
        _not_longer(text, self.longest)
        return text


def _not_longer(text: str, longest: int) -> None:
    count = count_characters(text)
    if count > longest:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        raise ValidationError(message % {"limit": longest, "count": count}, code="too_long")


class DayField(forms.CharField):
    """A day as people write it, eras and full-width digits included."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", DAY_HELP)
        super().__init__(max_length=40, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """This function will show a day as it can be typed again."""
        return value.isoformat() if isinstance(value, date) else value

    def clean(self, value: Any) -> date | None:  # type: ignore[override]
        """This function will return the day; None for nothing where nothing is allowed."""
        text = clean_line(super().clean(value) or "")
        return parse_date(text) if text else None


class YearField(forms.CharField):
    """A fiscal year as people write it: 令和8年度, R8, ２０２６."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", gettext_lazy("For example 令和4年度 or 2022."))
        super().__init__(max_length=20, **kwargs)

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        """This function will return the year; None for nothing where nothing is allowed."""
        text = clean_line(super().clean(value) or "")
        return parse_era(text) if text else None


class NumberField(forms.CharField):
    """A measured value: 99.9, 3,000, ９９．９."""

    def prepare_value(self, value: Any) -> Any:
        """This function will show a value without idle zeros."""
        if isinstance(value, Decimal):
            return f"{int(value)}" if value == int(value) else f"{value.normalize():f}"
        return value

    def clean(self, value: Any) -> Decimal | None:  # type: ignore[override]
        """This function will return the value; None for nothing where nothing is allowed."""
        text = half_width(clean_line(super().clean(value) or "")).replace(",", "")
        for sign in "△▲−":
            text = text.replace(sign, "-")
        if not text:
            return None
        try:
            number = Decimal(text.replace(" ", ""))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise ValidationError(_("Enter a number such as 99.9 or 3,000."), code="number")
        if number != round(number, 6) or abs(number) >= Decimal(10) ** 14:
            message = _("Enter at most 14 digits before and 6 behind the point.")
            raise ValidationError(message, code="number")
        return number


class PercentField(NumberField):
    """Whole percent from 0 to 100."""

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        """This function will return the percent."""
        number = super().clean((value or "").rstrip("%％ "))
        if number is None:
            return None
        if number != int(number) or not 0 <= number <= 100:
            raise ValidationError(_("Enter a whole number from 0 to 100."), code="percent")
        return int(number)


def read_yen(text: str) -> int:
    """This function will read an amount of a budget cell: nothing is 0. Raises `ValidationError`."""
    line = clean_line(text)
    return parse_yen(line) if line and line not in ("-", "－") else 0


class InstantField(forms.CharField):
    """A day and an hour in Japan as people write them: 2026-06-12 17:00 or 令和8年6月12日 17:00."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", gettext_lazy("For example 2026-06-12 17:00 or 令和8年6月12日 17:00."))
        super().__init__(max_length=40, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """This function will show an instant as it can be typed again, in Japan's time."""
        return f"{localtime(value):%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value

    def clean(self, value: Any) -> datetime | None:  # type: ignore[override]
        """This function will return the instant; None for nothing where nothing is allowed."""
        text = half_width(clean_line(super().clean(value) or "")).strip()
        if not text:
            return None
        day, _space, hour = text.rpartition(" ")
        if not day:
            raise ValidationError(_("Enter the hour too, such as 17:00."), code="hour")
        try:
            at = time.fromisoformat(hour)
        except ValueError:
            raise ValidationError(_("Enter the hour as 17:00."), code="hour") from None
        return make_aware(datetime.combine(parse_date(day), at.replace(tzinfo=None)))
