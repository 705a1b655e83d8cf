"""Cursor paging: a page begins after the last row that was seen, so the thousandth page costs what the first does.

A cursor is opaque to clients: the order it belongs to, its direction, and the key of the row beside it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from api.problems import Problem, bad_request

PAGE_SIZE = 50
MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Order:
    """A total order of a noun's rows: columns that together are unique, and the type of each."""

    columns: tuple[str, ...]
    types: tuple[type, ...]
    descending: bool = False

    def backwards(self, flip: bool) -> Order:
        return Order(self.columns, self.types, self.descending != flip)

    @property
    def mentions(self) -> int:
        """How many values the condition `after` holds."""
        count = len(self.columns)
        return count * (count + 1) // 2 + (1 if count > 1 else 0)

    def order_by(self) -> list[str]:
        return [f"-{column}" if self.descending else column for column in self.columns]

    def after(self, key: Sequence[Any]) -> Q:
        """This function will return the condition for the rows after this key."""
        beyond, equal = Q(), Q()
        for column, value in zip(self.columns, key, strict=True):
            beyond |= equal & Q(**{f"{column}__{'lt' if self.descending else 'gt'}": value})
            equal &= Q(**{column: value})
        if len(self.columns) > 1:
            # Redundant, but it is what the index on the first column can use.
            beyond &= Q(**{f"{self.columns[0]}__{'lte' if self.descending else 'gte'}": key[0]})
        return beyond


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: beside this key, onwards or back."""

    order: str
    back: bool
    key: tuple[Any, ...]

    def text(self) -> str:
        packed = orjson.dumps([self.order, self.back, *self.key])
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What the query says about paging."""

    size: int
    order_name: str
    cursor: Cursor | None
    #: The order in which rows are fetched: turned round for the page before.
    order: Order


@dataclass(frozen=True, slots=True)
class Page:
    """Finished JSON texts of the rows, and the cursors on either side."""

    rows: list[str]
    next: str | None
    previous: str | None

    def body(self) -> bytes:
        return b'{"results":[%s],"next":%s,"previous":%s}' % (
            ",".join(self.rows).encode(),
            orjson.dumps(self.next),
            orjson.dumps(self.previous),
        )


def read_page(query: QueryDict, orders: dict[str, Order]) -> PageRequest:
    """This function will read `page_size`, `order` and `cursor`; the first of `orders` is the default."""
    name = query.get("order", next(iter(orders)))
    if name not in orders:
        raise bad_request(
            "invalid_order",
            _("This list cannot be ordered by “%(name)s”. Orders: %(known)s")
            % {"name": name[:60], "known": ", ".join(orders)},
            "order",
        )
    cursor = _cursor(query["cursor"], name, orders[name]) if "cursor" in query else None
    order = orders[name].backwards(cursor is not None and cursor.back)
    return PageRequest(_size(query.get("page_size")), name, cursor, order)


def page_of(found: Sequence[tuple[Any, ...]], asked: PageRequest) -> Page:
    """This function will make the page of the rows that were found: one more than asked for when there are more."""
    back = asked.cursor is not None and asked.cursor.back
    more = len(found) > asked.size
    found = found[: asked.size]
    if back:
        found = found[::-1]
    has_next, has_previous = (True, more) if back else (more, asked.cursor is not None)
    return Page(
        [row[0] for row in found],
        Cursor(asked.order_name, False, found[-1][1:]).text() if found and has_next else None,
        Cursor(asked.order_name, True, found[0][1:]).text() if found and has_previous else None,
    )


def _size(text: str | None) -> int:
    if text is None:
        return PAGE_SIZE
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_PAGE_SIZE):
        raise bad_request(
            "invalid_page_size",
            _("“page_size” must be a whole number from 1 to %(limit)s. Follow “next” for more.")
            % {"limit": MAX_PAGE_SIZE},
            "page_size",
        )
    return int(text)


def _cursor(text: str, order_name: str, order: Order) -> Cursor:
    try:
        name, back, *key = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise _bad_cursor() from None
    # Exact types: True is no number here.
    if name != order_name or type(back) is not bool or tuple(type(part) for part in key) != order.types:
        raise _bad_cursor()
    if any("\x00" in part if isinstance(part, str) else abs(part) >= 2**63 for part in key):
        raise _bad_cursor()
    return Cursor(name, back, tuple(key))


def _bad_cursor() -> Problem:
    return bad_request(
        "invalid_cursor",
        _("This cursor is not one of this list in this order. Take it from “next” or “previous” of an answer."),
        "cursor",
    )
