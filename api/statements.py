"""The SQL of a list, built once for each shape and planned once for each connection.

Building a query through the ORM costs as much as answering it, and so does planning it. A shape is everything that the
SQL depends on: the list, who asks, the filters, the order, whether a page continues. Only the key of a cursor changes
from page to page; it is put in where a mark stood when the query was built.

What a client may see is inside the SQL and is looked up anew by every page. That holds because the conditions of
visibility are built without asking the database; a test keeps it so. A shape is kept for a minute at most, for
conditions that hold the present day.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import QuerySet

from api.pagination import Order

#: What no reference and no id ever is. psycopg is told to plan a statement for good when it comes the third time.
_TEXT_MARK, _NUMBER_MARK = "\ue000cursor", -7_301_000_000_000_000_001
_PREPARE_AFTER = 2
_KEPT_SECONDS = 60
_KEPT_SHAPES = 512


class Listing(Protocol):
    """A list of one noun, as the views have it."""

    @classmethod
    def page_query(
        cls, principal: Any, filters: Sequence[tuple[str, Any]], order: Order, key: Sequence[Any] | None, size: int
    ) -> QuerySet[Any, Any]: ...


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that the SQL of a page depends on, but for the key of its cursor."""

    listing: type[Listing]
    principal: Any
    filters: tuple[tuple[str, Any], ...]
    order: Order
    continues: bool
    size: int

    def rows(self, key: Sequence[Any] | None) -> list[tuple[Any, ...]]:
        """This function will fetch the rows of one page: the JSON text of each, and its key."""
        statement = _kept(self, int(time.monotonic() // _KEPT_SECONDS))
        if statement is None:
            return _statement(self, key).rows(())
        return statement.rows(key or ())


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters; `slots` says which of them are which part of the cursor's key."""

    sql: str
    params: tuple[Any, ...]
    slots: tuple[tuple[int, int], ...] = ()

    def rows(self, key: Sequence[Any]) -> list[tuple[Any, ...]]:
        """This function will run the statement with this key and return all rows."""
        if not self.sql:
            return []
        params = list(self.params)
        for slot, part in self.slots:
            params[slot] = key[part]
        return prepared(self.sql, params)


def prepared(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """This function will run SQL that comes again and again, planned once per connection, and return all rows."""
    connection.ensure_connection()
    connection.connection.prepare_threshold = _PREPARE_AFTER
    # Django's own cursor writes the parameters into the text, which can be planned only anew each time.
    with connection._prepare_cursor(ServerBindingCursor(connection.connection)) as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@lru_cache(maxsize=_KEPT_SHAPES)
def _kept(shape: Shape, minute: int) -> Statement | None:
    """The statement to use again for this shape; None when the place of the key cannot be told for certain."""
    if not shape.continues:
        return _statement(shape, None)
    marks = [
        f"{_TEXT_MARK}{part}" if kind is str else _NUMBER_MARK - part for part, kind in enumerate(shape.order.types)
    ]
    statement = _statement(shape, marks)
    slots = tuple((slot, marks.index(value)) for slot, value in enumerate(statement.params) if value in marks)
    if len(slots) != shape.order.mentions:
        return None
    return Statement(statement.sql, statement.params, slots)


def _statement(shape: Shape, key: Sequence[Any] | None) -> Statement:
    query = shape.listing.page_query(shape.principal, shape.filters, shape.order, key, shape.size)
    try:
        sql, params = query.query.sql_with_params()
    except EmptyResultSet:
        return Statement("", ())
    return Statement(sql, tuple(params))
