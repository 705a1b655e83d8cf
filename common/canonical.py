"""One way to write data down, so that the same facts always have the same hash."""

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise


def canonical_json(data: Any) -> bytes:
    """This function will write data as JSON with sorted keys and no spare spaces, in UTF-8.

    Beside JSON's own types it takes dates, aware times (as UTC), decimals, sets, dataclasses and lazy texts.
    Raises TypeError for anything else and ValueError for NaN and infinity.
    """
    return json.dumps(_plain(data), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def content_hash(data: Any) -> str:
    """This function will return the SHA-256 of the data's canonical JSON as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(data)).hexdigest()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | Promise):
        return str(value)
    if isinstance(value, dict):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(inner) for inner in value), key=canonical_json)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"a time without a zone has no canonical form: {value!r}")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    raise TypeError(f"no canonical form for {type(value).__name__}")


def _key(key: Any) -> str:
    """Text and whole numbers only: a mixed order of keys would not be the same everywhere."""
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise TypeError(f"no canonical form for the key {key!r}")
    return str(key)
