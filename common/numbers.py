"""Numbers as people write them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from common.text import half_width


def parse_number(text: str) -> str:
    """This function will return a number as plain text: full-width digits, grouping commas and △ are understood.

    Raises `ValidationError` for what is no number, `1,2` and `3,00` included.
    """
    plain = half_width(text).replace(" ", "")
    negative = plain[:1] in ("△", "▲", "-", "−")
    body = plain[1:] if negative else plain
    whole, _dot, rest = body.partition(".")
    groups = whole.split(",")
    grouped = len(groups) == 1 or (1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]))
    if not grouped or not all(group.isascii() and group.isdigit() for group in groups) or (rest and not rest.isdigit()):
        raise ValidationError(_("Write a number such as 3,000 or 12.5; negative ones as △ 5."), code="bad_number")
    return f"{'-' if negative else ''}{''.join(groups)}{'.' + rest if rest else ''}"
