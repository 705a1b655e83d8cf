"""What the pages' templates need beyond money and dates (`{% load pages %}`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from common.templatetags.sekisho import date_text, fiscal_year
from programs.models import Project
from programs.queries import project_label as label_of

register = template.Library()
_JAPANESE = re.compile("[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]+")


@register.filter
def project_label(project: Project) -> str:
    """This function will name a project: its title, else 「領域1 基礎基盤研究 大阪大学 (ql1-b2)」."""
    return label_of(project)


@register.filter
def marked(text: object) -> SafeString:
    """This function will mark Japanese words on an English page as Japanese, so that they are read out rightly."""
    escaped = conditional_escape(text)
    if get_language() != "en":
        return escaped
    return mark_safe(_JAPANESE.sub(r'<span lang="ja">\g<0></span>', escaped))


@register.filter
def in_language(names: Mapping[str, Any], stem: str) -> str:
    """This function will choose a name read as `<stem>_ja` and `<stem>_en` in the reader's language."""
    english = names.get(f"{stem}_en")
    return str(english if english and get_language() == "en" else names.get(f"{stem}_ja") or "")


@register.filter
def day(text: str | None) -> date | None:
    """This function will read a day that came out of the database as text."""
    return date.fromisoformat(text) if text else None


@register.filter
def item(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """This function will look a key up; None when it is not there."""
    return mapping.get(key) if mapping else None


@register.filter
def quantity(value: Decimal | int | None) -> str:
    """This function will print a measured value: 3,000; 12.5; - for no value."""
    if value is None or value == "":
        return "-"
    whole = int(value)
    return number_format(whole if value == whole else Decimal(value).normalize(), force_grouping=True)


@register.filter
def month(text: str) -> str:
    """This function will print a date that may be only a month or a year: 2021年6月18日, 2021年6月, 2021年."""
    if not text or get_language() == "en":
        return text or ""
    names = ("年", "月", "日")
    return "".join(f"{int(part)}{name}" for part, name in zip(text.split("-"), names, strict=False))


#: Notes of the source that are not printed in Japanese there; the catalogue has them.
SOURCE_NOTES = (gettext_noop("MEXT part; agency fund at JST"),)


@register.filter
def source_note(text: str) -> str:
    """This function will print a note of the source, in the reader's language where the catalogue has it."""
    return _(text) if text in SOURCE_NOTES else text


@register.filter
def until(first: Any, last: Any) -> str:
    """This function will print a span of days, fiscal years or months (2024-07): 令和3(2021)年度～令和12(2030)年度.

    An open end reads 令和4(2022)年度から, an open beginning 令和9(2027)年度まで.
    """
    words = {"first": _moment(first), "last": _moment(last)}
    if first and last:
        return _("%(first)s to %(last)s") % words
    if first:
        return _("from %(first)s") % words
    return _("until %(last)s") % words if last else ""


def _moment(value: Any) -> str:
    if isinstance(value, date):
        return date_text(value)
    return month(value) if isinstance(value, str) else fiscal_year(value)


@register.filter
def measured(value: Decimal | int | None, indicator: Any) -> str:
    """This function will print a measured value with its unit, as the language spaces them: 231件, 231 件."""
    return _("%(value)s %(unit)s") % {"value": quantity(value), "unit": indicator.unit}


@register.filter
def target_words(target: Any, indicator: Any) -> str:
    """This function will print a target as a sentence has it: 3,000件/年以上."""
    words = {
        "at_least": _("%(value)s %(unit)s or more"),
        "at_most": _("%(value)s %(unit)s or less"),
        "about": _("about %(value)s %(unit)s"),
    }
    return words[indicator.direction] % {"value": quantity(target.value), "unit": indicator.unit}


#: State > tone of its pill; the word stands beside it.
TONES = {
    "running": "here",
    "finished": "good",
    "stopped": "bad",
    "drafting": "here",
    "submitted": "here",
    "checked": "here",
    "returned": "warn",
    "accepted": "good",
    "confirmed": "here",
    "in_approval": "here",
    "approved": "good",
    "refused": "bad",
    "escalated": "warn",
    "proposed": "here",
    "concluded": "good",
    "open": "warn",
    "answered": "here",
    "closed": "good",
    "in_force": "good",
    "first_closed": "here",
    "final_closed": "here",
    "invalidated": "bad",
    "called": "here",
    "sealed": "here",
    "recommended": "here",
    "decided": "warn",
    "released": "good",
    "drafted": "here",
    "replaced": "",
    "reported": "here",
    "met": "good",
    "not_met": "bad",
    "filed": "warn",
    "preparing": "here",
    "invited": "here",
    "declined": "bad",
    "none": "good",
    "conflict": "warn",
    "stale": "warn",
    "excluded": "bad",
    "admitted": "here",
    "declared": "warn",
    "kept": "good",
}


@register.filter
def tone(state: str) -> str:
    """This function will choose the tone of a state's pill."""
    return TONES.get(state, "")
