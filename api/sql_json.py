"""Fields that are defined once and used twice: the OpenAPI document reads them, and PostgreSQL writes the JSON from them.

A list of 100 rows leaves the database as 100 finished JSON texts; nothing is turned into Python objects and back, which
costs twenty times as much. Every field says itself in SQL (`sql`) beside the plain `to_representation`; a test compares
the two for every noun.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    CharField,
    DecimalField,
    F,
    Func,
    JSONField,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.expressions import Expression
from django.db.models.functions import Cast, NullIf
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import get_attribute

JAPAN = ZoneInfo("Asia/Tokyo")
_INSTANT = "%Y-%m-%dT%H:%M:%S+09:00"
SqlExpression = Expression | F


class JsonObject(Func):
    """`json_build_object` with its keys as literals: they are names of fields, never input."""

    def __init__(self, members: dict[str, Any]) -> None:
        super().__init__(*members.values(), output_field=JSONField())
        self.keys = tuple(members)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        parts, params = [], []
        for key, expression in zip(self.keys, self.source_expressions, strict=True):
            sql, values = compiler.compile(expression)
            parts.append(f"'{key}', {sql}")
            params.extend(values)
        return f"json_build_object({', '.join(parts)})", params


class OrNull(Func):
    """The JSON object where the key is there, else null."""

    arity = 2
    output_field = JSONField()

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        (key, key_params), (item, params) = (compiler.compile(part) for part in self.source_expressions)
        return f"CASE WHEN {key} IS NOT NULL THEN {item} END", [*key_params, *params]


class JsonRows(Subquery):
    """The rows of a one-column query as a JSON array, in the query's order."""

    template = "(SELECT coalesce(json_agg(rows.item), '[]'::json) FROM (%(subquery)s) AS rows(item))"


class SqlField:
    """What a field adds to the framework's own: how it is said in SQL. `prefix` is the path to the object."""

    source: str

    def sql(self, prefix: str) -> SqlExpression:
        return F(self.path(prefix))

    def path(self, prefix: str) -> str:
        return prefix + self.source.replace(".", "__")


class SqlSerializer(serializers.Serializer):
    """A serializer all of whose fields can be said in SQL. Only ever read."""

    def sql(self, prefix: str = "") -> JsonObject:
        """This function will return the JSON object of one row as an expression."""
        return JsonObject({name: field.sql(prefix) for name, field in self.fields.items()})

    @classmethod
    @cache
    def json_text(cls) -> Expression:
        """This function will return the same as text, so that the driver hands it over unparsed."""
        # Made once a class: queries copy an expression before they change it.
        return Cast(cls().sql(), TextField())


class Text(SqlField, serializers.CharField):
    """Text that is always there."""


class OptionalText(SqlField, serializers.CharField):
    """Text that may be unknown: null, never an empty string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> str | None:
        return super().to_representation(value) or None

    def sql(self, prefix: str) -> SqlExpression:
        return NullIf(F(self.path(prefix)), Value(""), output_field=TextField())


class Choice(SqlField, serializers.ChoiceField):
    """One of a model's values."""


class Integer(SqlField, serializers.IntegerField):
    """A whole number: a fiscal year, a count."""


@extend_schema_field({"type": "integer", "format": "int64"})
class Yen(SqlField, serializers.IntegerField):
    """Integer yen."""


@extend_schema_field({"type": ["integer", "null"], "format": "int64"})
class OptionalYen(Yen):
    """Integer yen, or null when nothing is printed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)


class Flag(SqlField, serializers.BooleanField):
    """True, false, or null when unknown."""


class Day(SqlField, serializers.DateField):
    """A calendar day, ISO 8601."""


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d+)?$"})
class Decimal(SqlField, serializers.DecimalField):
    """A decimal number as text, without trailing zeros: no digit is lost on the way."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=20, decimal_places=4, **kwargs)

    def to_representation(self, value: Any) -> str:
        return format(value.normalize(), "f")

    def sql(self, prefix: str) -> SqlExpression:
        return Cast(Func(F(self.path(prefix)), function="trim_scale", output_field=DecimalField()), TextField())


@extend_schema_field({"type": ["string", "null"], "pattern": r"^-?\d+(\.\d+)?$"})
class OptionalDecimal(Decimal):
    """A decimal number as text, or null when there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)


class Instant(SqlField, serializers.DateTimeField):
    """An instant in Japan time, to the second: 2022-04-01T09:00:00+09:00."""

    def to_representation(self, value: Any) -> str:
        return value.astimezone(JAPAN).strftime(_INSTANT)

    def sql(self, prefix: str) -> SqlExpression:
        return Func(
            F(self.path(prefix)),
            template="""to_char(%(expressions)s AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD"T"HH24:MI:SS"+09:00"')""",
            output_field=CharField(),
        )


@extend_schema_field({"type": "object", "additionalProperties": True})
class Facts(SqlField, serializers.JSONField):
    """A JSON object as the source prints it."""


@extend_schema_field(
    {
        "type": "object",
        "properties": {"ja": {"type": ["string", "null"]}, "en": {"type": ["string", "null"]}},
        "required": ["ja", "en"],
        "additionalProperties": False,
    }
)
class Names(SqlField, serializers.Field):
    """A pair of texts, Japanese and English; null where there is none."""

    def __init__(self, stem: str = "name", **kwargs: Any) -> None:
        self.stem = stem
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Any) -> dict[str, str | None]:
        *steps, stem = self.stem.split(".")
        value = get_attribute(value, steps)
        return {lang: getattr(value, f"{stem}_{lang}") or None for lang in ("ja", "en")}

    def sql(self, prefix: str) -> SqlExpression:
        path = prefix + self.stem.replace(".", "__")
        return JsonObject(
            {lang: NullIf(F(f"{path}_{lang}"), Value(""), output_field=TextField()) for lang in ("ja", "en")}
        )


class Joined(SqlField, serializers.CharField):
    """A reference made of several columns with dots between: `q-leap.2022.initial`."""

    def __init__(self, *parts: str, **kwargs: Any) -> None:
        self.parts = parts
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return ".".join(str(get_attribute(value, part.split("."))) for part in self.parts)

    def sql(self, prefix: str) -> SqlExpression:
        columns = [F(prefix + part.replace(".", "__")) for part in self.parts]
        return Func(Value("."), *columns, function="concat_ws", output_field=TextField())


class Part(SqlSerializer):
    """An object inside an object: `source` is the relation; `allow_null=True` where it may be empty."""

    def sql(self, prefix: str = "") -> JsonObject | OrNull:
        relation = self.source.replace(".", "__") if self.source else ""
        whole = super().sql(f"{prefix}{relation}__" if relation else prefix)
        return OrNull(F(f"{prefix}{relation}__pk"), whole) if self.allow_null else whole


class Rows(SqlField, serializers.ListField):
    """The rows of a reverse relation in a stated order, each as a part, or as the text in one `column`."""

    def __init__(
        self, model: type[Model], *, order_by: Sequence[str], child: Part | None = None, column: str = "", **kwargs: Any
    ) -> None:
        self.model = model
        self.order_by = tuple(order_by)
        self.column = column
        super().__init__(read_only=True, child=child or serializers.CharField(), **kwargs)

    def to_representation(self, data: Any) -> list[Any]:
        rows = data.order_by(*self.order_by)
        if self.column:
            return [get_attribute(row, self.column.split(".")) for row in rows]
        return [self.child.to_representation(row) for row in rows]

    def sql(self, prefix: str) -> SqlExpression:
        return JsonRows(self.items(prefix), output_field=JSONField())

    def items(self, prefix: str) -> QuerySet[Any, Any]:
        """This function will return the query of the rows of one object, one JSON item each."""
        relation = self.model._meta.get_field(self.source)
        item = F(self.column.replace(".", "__")) if self.column else self.child.sql()
        rows = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef(f"{prefix}pk")})
        return rows.order_by(*self.order_by).values_list(item, flat=True)


class First(Rows):
    """The first row of a reverse relation in a stated order, as a part; null when there is none."""

    def to_representation(self, data: Any) -> Any:
        return next(iter(super().to_representation(data)), None)

    def sql(self, prefix: str) -> SqlExpression:
        return Subquery(self.items(prefix)[:1], output_field=JSONField())
