"""Substring search that works in Japanese: a stored column of 2-grams with a GIN index, no extension.

The grams narrow the rows by index; `position()` checks each hit, so that the answer is exact.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db.models import CharField, F, Func, GeneratedField, Q, TextField, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from common.text import fold

__all__ = ["GinIndex", "columns_of_search", "folded_column", "grams_column", "matches"]

#: Installed by common's first migration. IMMUTABLE with a fixed search path, so that a generated column may use them.
FUNCTIONS_SQL = """
CREATE OR REPLACE FUNCTION sekisho_fold(VARIADIC parts text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS
$$ SELECT lower(normalize(array_to_string(parts, ' '), NFKC)) $$;

CREATE OR REPLACE FUNCTION sekisho_grams(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS
$$
  SELECT coalesce(array_agg(DISTINCT gram), '{}'::text[]) FROM (
    SELECT substr(value, i, n) AS gram
    FROM generate_series(1, length(value)) AS i, generate_series(1, 2) AS n
    WHERE i + n - 1 <= length(value)
  ) AS grams
$$;
"""
DROP_FUNCTIONS_SQL = """
DROP FUNCTION IF EXISTS sekisho_grams(text);
DROP FUNCTION IF EXISTS sekisho_fold(text[]);
"""


def _folded(fields: tuple[str, ...]) -> Func:
    return Func(*(F(name) for name in fields), function="sekisho_fold", output_field=TextField())


def folded_column(*fields: str) -> GeneratedField:
    """This function will make the stored text that search compares: the fields joined, NFKC, lower case."""
    return GeneratedField(expression=_folded(fields), output_field=TextField(), db_persist=True)


def grams_column(*fields: str) -> GeneratedField:
    """This function will make the stored 1- and 2-grams of the same text."""
    return GeneratedField(
        expression=Func(_folded(fields), function="sekisho_grams"),
        output_field=ArrayField(CharField(max_length=2)),
        db_persist=True,
    )


def columns_of_search(*paths: str) -> list[str]:
    """This function will name the search columns of a model and of these relations, for `defer`: nothing shows them."""
    return [
        prefix + name for prefix in ("", *(f"{path}__" for path in paths)) for name in ("search_text", "search_grams")
    ]


def matches(query: str, *, folded: str = "search_text", grams: str = "search_grams") -> Q:
    """This function will return the condition that every word of the query occurs as a substring."""
    wanted = Q()
    for word in fold(query).split():
        pieces = {word} if len(word) == 1 else {word[i : i + 2] for i in range(len(word) - 1)}
        wanted &= Q(**{f"{grams}__contains": sorted(pieces)})
        wanted &= Q(GreaterThan(StrIndex(F(folded), Value(word)), 0))
    return wanted
