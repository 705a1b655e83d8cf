"""Subqueries that say the same the whole day, written as SQL once.

Who may read what is built from conditions inside conditions, and the ORM works through a nested condition again at each
level it is part of: a query took a third of a second to write before the database saw it. A subquery that refers to
nothing around it is a leaf instead: its SQL depends on the person and the day alone and is kept; what it finds is asked
of the database every time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache, wraps
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.timezone import localdate

#: Some for each person of a day.
_KEPT = 20_000


def daily(build: Callable[..., QuerySet[Any, Any]]) -> Callable[..., RawSQL]:
    """This function will make a leaf for `__in` of a function that returns rows of one column.

    What it returns may depend on its arguments (hashable) and on the date in Japan, on nothing else.
    """

    @lru_cache(maxsize=_KEPT)
    def kept(day: date, *args: Any, **how: Any) -> RawSQL:
        try:
            sql, params = build(*args, **how).order_by().query.sql_with_params()
        except EmptyResultSet:
            return RawSQL("SELECT NULL::bigint WHERE FALSE", ())
        return RawSQL(sql, params)

    @wraps(build)
    def leaf(*args: Any, **how: Any) -> RawSQL:
        return kept(localdate(), *args, **how)

    return leaf
