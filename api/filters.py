"""What a list may be asked: an allow-list per noun. Anything else is a 400 that says what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Choices
from django.http import QueryDict
from django.utils.translation import gettext as _

from api.problems import bad_request

_TEXT_LIMIT = 100
FIRST_YEAR, LAST_YEAR = 1950, 2199


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter: where it looks and what its value may be."""

    path: str
    description: str

    def read(self, name: str, text: str) -> Any:
        """This function will return the value for the query, or raise a 400 that names the parameter."""
        if not 0 < len(text) <= _TEXT_LIMIT or not text.isprintable():
            raise bad_request(
                "invalid_value",
                _("“%(name)s” must be 1 to %(limit)s printable characters.") % {"name": name, "limit": _TEXT_LIMIT},
                name,
            )
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": _TEXT_LIMIT}


@dataclass(frozen=True, slots=True)
class RefFilter(Filter):
    """The reference of another record; one that this client may not see finds nothing, as if it did not exist."""


@dataclass(frozen=True, slots=True)
class ChoiceFilter(Filter):
    """One of a model's values."""

    choices: type[Choices]

    def read(self, name: str, text: str) -> str:
        if text not in self.choices.values:
            raise bad_request(
                "invalid_value",
                _("“%(name)s” must be one of: %(known)s.") % {"name": name, "known": ", ".join(self.choices.values)},
                name,
            )
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.choices.values)}


@dataclass(frozen=True, slots=True)
class YearFilter(Filter):
    """A fiscal year: the calendar year of its April."""

    def read(self, name: str, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) == 4 and FIRST_YEAR <= int(text) <= LAST_YEAR):
            raise bad_request(
                "invalid_value",
                _("“%(name)s” must be a fiscal year between %(first)s and %(last)s, such as 2022.")
                % {"name": name, "first": FIRST_YEAR, "last": LAST_YEAR},
                name,
            )
        return int(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}


@dataclass(frozen=True, slots=True)
class FlagFilter(Filter):
    """`true` or `false`."""

    def read(self, name: str, text: str) -> bool:
        if text not in ("true", "false"):
            raise bad_request("invalid_value", _("“%(name)s” must be true or false.") % {"name": name}, name)
        return text == "true"

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class SwitchFilter(Filter):
    """`1` or `0`."""

    def read(self, name: str, text: str) -> bool:
        if text not in ("0", "1"):
            raise bad_request("invalid_value", _("“%(name)s” must be 1 or 0.") % {"name": name}, name)
        return text == "1"

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "enum": [0, 1]}


def known_parameters(query: QueryDict, known: Mapping[str, Any] | frozenset[str]) -> None:
    """This function will refuse a parameter that this address does not know, and one that is given twice."""
    for name, values in query.lists():
        if name not in known:
            raise bad_request(
                "unknown_parameter",
                _("“%(name)s” is not a parameter of this address. Parameters: %(known)s")
                % {"name": name[:60], "known": ", ".join(sorted(known)) or "-"},
                name[:60],
            )
        if len(values) > 1:
            raise bad_request("repeated_parameter", _("“%(name)s” is given twice.") % {"name": name}, name)
