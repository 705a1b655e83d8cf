"""Reading JSON that people or other systems wrote: every problem is named by its path, and all of them at once.

A `Node` is a place in the document. Its accessors check what stands there and, when it does not fit, add a problem
and return an empty value; so a reader goes on to the end, and whoever asked refuses the whole by `problems`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from django.utils.translation import gettext as _

from common.errors import Blocker, Refused
from common.text import clean_line

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG_LENGTH = 64


class _Object(dict[str, Any]):
    """A JSON object that remembers which keys stood in it twice; `dict` alone would keep the last in silence."""

    repeated: list[str]


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    found.repeated = sorted({name for name, _value in pairs if [n for n, _v in pairs].count(name) > 1})
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(_("“%(name)s” is not a number in JSON. Write null where there is no value.") % {"name": name})


def parse_json(data: bytes) -> Node:
    """This function will parse a JSON document and return its root. Raises `Refused`, naming line and column."""
    try:
        return Node(json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_constant), "")
    except json.JSONDecodeError as error:
        raise Refused(
            _("This is not valid JSON: line %(line)s, column %(column)s. Correct the file there.")
            % {"line": error.lineno, "column": error.colno},
            "invalid_json",
        ) from None
    except UnicodeDecodeError as error:
        raise Refused(
            _("The file is not UTF-8: line %(line)s. Save it as UTF-8.")
            % {"line": data.count(b"\n", 0, error.start) + 1},
            "invalid_json",
        ) from None
    except RecursionError:
        raise Refused(_("The file is nested too deeply. Check its brackets."), "invalid_json") from None
    except ValueError as error:
        raise Refused(str(error), "invalid_json") from None


class Node:
    """A value in the document, with its path: `programs[3].budget_lines[0]`."""

    __slots__ = ("path", "problems", "value")

    def __init__(self, value: Any, path: str, problems: list[Blocker] | None = None) -> None:
        self.value = value
        self.path = path
        self.problems: list[Blocker] = [] if problems is None else problems

    def report(self, code: str, message: str, key: str | None = None) -> None:
        """This function will add a problem at this place, or at a key of it."""
        self.problems.append(Blocker(self._path_of(key) if key else self.path, code, message))

    def has(self, key: str) -> bool:
        """This function will tell whether there is a value: an absent key and null both say "not known"."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def keys(self, required: Collection[str], optional: Collection[str] = (), pattern: str = "") -> bool:
        """This function will check that this is an object with these keys and no others."""
        if not isinstance(self.value, dict):
            self._wrong(_("an object"), self.value)
            return False
        for key in getattr(self.value, "repeated", ()):
            self.report("repeated_key", _("This key stands twice in the same object. Keep one of them."), key)
        for key in required:
            if key not in self.value:
                self.report("missing_key", _("This key is missing. Add it."), key)
        for key in self.value:
            if key not in required and key not in optional and not (pattern and re.fullmatch(pattern, key)):
                self.report(
                    "unknown_key",
                    _("This key is not known here. Remove it or correct its spelling. Known keys: %(known)s.")
                    % {"known": ", ".join([*required, *optional])},
                    key,
                )
        return True

    def child(self, key: str) -> Node:
        """This function will return the value of a key as a place of its own."""
        return Node(self._get(key), self._path_of(key), self.problems)

    def rows(self, key: str) -> Iterator[Node]:
        """This function will return the members of a list; none when the key is absent or null."""
        value = self._get(key)
        if value is None:
            return
        if not isinstance(value, list):
            self._wrong(_("a list"), value, key)
            return
        for index, member in enumerate(value):
            yield Node(member, f"{self._path_of(key)}[{index}]", self.problems)

    def texts(self, key: str, max_length: int) -> list[str]:
        """This function will return a list of texts; a single text counts as a list of one."""
        if isinstance(self._get(key), str):
            return [self.text(key, max_length)]
        return [member.own_text(max_length) for member in self.rows(key)]

    def text(self, key: str, max_length: int, *, required: bool = True) -> str:
        """This function will return one line of text, or the empty string where it is not known."""
        if not required and not self.has(key):
            return ""
        return self.child(key).own_text(max_length)

    def own_text(self, max_length: int) -> str:
        """This function will return the value at this place as one line of text."""
        if not isinstance(self.value, str):
            self._wrong(_("a text"), self.value)
        elif not self.value:
            self.report("empty", _("Fill this in, or write null where nothing is known."))
        elif self.value != clean_line(self.value):
            self.report(
                "unclean", _("Remove line breaks, control characters and superfluous spaces, and write it as NFC.")
            )
        elif len(self.value) > max_length:
            self.report(
                "too_long",
                _("Shorten this to %(limit)s characters; it has %(count)s.")
                % {"limit": max_length, "count": len(self.value)},
            )
        else:
            return self.value
        return ""

    def slug(self, key: str, *, required: bool = True) -> str:
        """This function will return an id: lower-case letters, digits and single hyphens."""
        value = self.text(key, SLUG_LENGTH, required=required)
        if value and not _SLUG.fullmatch(value):
            self.report("bad_id", _("Write an id with small letters, digits and single hyphens, such as q-leap."), key)
        return value

    def choice(self, key: str, known: Collection[str]) -> str:
        """This function will return one of the known words."""
        value = self._get(key)
        if isinstance(value, str) and value in known:
            return value
        if isinstance(value, str):
            self.report(
                "unknown_value",
                _("“%(value)s” is not known here. Use one of: %(known)s.")
                % {"value": value, "known": ", ".join(known)},
                key,
            )
        else:
            self._wrong(_("a text"), value, key)
        return ""

    def matching(self, key: str, pattern: str, example: str, *, required: bool = True) -> str:
        """This function will return a short text of a fixed form, such as a month."""
        value = self.text(key, 20, required=required)
        if value and not re.fullmatch(pattern, value):
            self.report("bad_form", _("Write it in the form %(example)s.") % {"example": example}, key)
        return value

    def integer(self, key: str, low: int, high: int, *, required: bool = True) -> int | None:
        """This function will return a whole number within the bounds, or None where it is not known."""
        if not required and not self.has(key):
            return None
        return self.child(key).own_integer(low, high)

    def own_integer(self, low: int, high: int) -> int | None:
        """This function will return the value at this place as a whole number within the bounds."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._wrong(_("a whole number without quotation marks and commas"), self.value)
            return None
        if not low <= self.value <= high:
            self.report(
                "out_of_range",
                _("Write a whole number from %(low)s to %(high)s.") % {"low": f"{low:,}", "high": f"{high:,}"},
            )
            return None
        return self.value

    def flag(self, key: str, *, required: bool = True) -> bool:
        """This function will return true or false; an absent optional flag is false."""
        if not required and not self.has(key):
            return False
        value = self._get(key)
        if not isinstance(value, bool):
            self._wrong(_("true or false"), value, key)
            return False
        return value

    def _get(self, key: str) -> Any:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def _path_of(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _wrong(self, wanted: str, found: Any, key: str | None = None) -> None:
        path = self._path_of(key) if key else self.path
        if found is None and any(problem.field == path for problem in self.problems):
            return  # its key is missing, and that has been told
        self.report(
            "wrong_type",
            _("Write %(wanted)s here, not %(found)s.") % {"wanted": wanted, "found": _name_of(found)},
            key,
        )


def _name_of(value: Any) -> str:
    if value is None:
        return _("null")
    if isinstance(value, bool):
        return _("true or false")
    if isinstance(value, int | float):
        return _("the number %(number)s") % {"number": value}
    if isinstance(value, str):
        return _("the text “%(text)s”") % {"text": value[:40]}
    return _("a list") if isinstance(value, list) else _("an object")
