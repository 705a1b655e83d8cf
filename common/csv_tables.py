"""A CSV file as people save it: heads checked against the columns that are known, rows with their line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from common.errors import Blocker, Refused
from common.text import clean_line, half_width

LARGEST = 20_000_000


def read_table(
    content: bytes, columns: Mapping[str, str], needed: Collection[str]
) -> tuple[dict[str, str], Iterator[tuple[int, list[str]]]]:
    """This function will return the columns of a file (head > field, in order) and its rows with their line numbers.

    `columns` leads from the Japanese heads to the fields; the fields themselves are understood as heads too. Raises
    `Refused` for a file that cannot be read, an unknown, doubled or missing column.
    """
    if len(content) > LARGEST:
        raise Refused(_("The file is larger than 20 MB. Split it."), "too_large", "file")
    reader = csv.reader(io.StringIO(_decoded(content), newline=""), strict=True)
    try:
        heads = [clean_line(half_width(cell)).strip() for cell in next(reader)]
    except (StopIteration, csv.Error):
        raise Refused(_("The file is empty or no CSV. Save the sheet as CSV."), "not_csv", "file") from None
    fields = {head: columns.get(head, head) for head in heads}
    unknown = [head for head, field in fields.items() if field not in columns.values()]
    if unknown:
        message = _("There is no column “%(name)s”. The columns are: %(names)s.")
        raise Refused(message % {"name": unknown[0][:40], "names": "、".join(columns)}, "unknown_column", "file")
    if len(set(fields.values())) != len(heads):
        raise Refused(_("A column stands in the file twice. Remove one."), "column_twice", "file")
    missing = [head for head, field in columns.items() if field in needed and field not in fields.values()]
    if missing:
        message = _("The column “%(name)s” is missing. Add it.") % {"name": missing[0]}
        raise Refused(message, "missing_column", "file")
    return fields, _lines(reader)


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused(_("The letters cannot be read. Save the file as CSV in UTF-8."), "encoding", "file")


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    try:
        for line in reader:
            if any(cell.strip() for cell in line):
                yield reader.line_num, line
    except csv.Error:
        message = _("Line %(line)s is no CSV. Check its quotation marks.") % {"line": reader.line_num}
        raise Refused(message, "not_csv", "file") from None


def is_formula(text: str) -> bool:
    """This function will tell whether a spreadsheet would run this cell."""
    return text[:1] in ("=", "@") or (text[:1] == "+" and not text[1:2].isdigit())


def problem(number: int, column: str, code: str, message: str) -> Blocker:
    """This function will name what is wrong by line and column."""
    where = _("Line %(line)s, column “%(column)s”: %(message)s") if column else _("Line %(line)s: %(message)s")
    return Blocker("file", code, where % {"line": number, "column": column, "message": message})
