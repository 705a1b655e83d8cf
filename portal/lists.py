"""One tool for every list page: filters, search, sort, columns, count, cursor paging, and the same view as CSV or XLSX.

A page declares its list as a `ListSpec`; everything chosen is kept in the address, and whatever the spec does not name
is a 400. The rows come restricted from `queries`: filter, sort, count and export never see more than the reader may.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.formats import number_format
from django.utils.http import content_disposition_header
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from common.fiscal_year import date_text
from common.text import clean_line, safe_cell
from portal.access import BadQuery, clock
from programs.drawings import language

PAGE_ROWS = 50
COUNTED_TO = 10_000
EXPORT_CHUNK = 2_000
LONGEST_SEARCH = 100
OWN_PARAMS = ("q", "sort", "columns", "after", "before", "end", "format")

Cell = str | int | date | None
Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `value` is what is shown and exported; `order` a field or expression without nulls, to sort by."""

    key: str
    label: Any
    value: Callable[[Any], Cell]
    order: Any = None
    link: Callable[[Any], str] | None = None
    pill: Callable[[Any], str] | None = None
    is_number: bool = False
    is_fixed: bool = False
    is_shown: bool = True
    #: How much of how much, drawn as a bar beside the text.
    bar: Callable[[Any], tuple[int, int]] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A select above the list; its value is one of the reader's own choices."""

    key: str
    label: Any
    condition: Callable[[str], Q]
    choices: Callable[[Any], Sequence[Choice]]


@dataclass(frozen=True, slots=True)
class ListSpec:
    """What a list can show. `rows(user, query)` is the visible queryset, searched.

    Sorted by `first_sort` (a column's key, "-" before it for descending) unless the reader chooses; else by the column
    that orders by `unique`.
    """

    name: str
    rows: Callable[[Any, str], QuerySet[Any]]
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...] = ()
    unique: str = "ref"
    first_sort: str = ""
    #: What is read for many rows at once and kept on them, before their columns are asked.
    fill: Callable[[Any, list[Any]], None] | None = None

    @property
    def params(self) -> frozenset[str]:
        """The query parameters the page accepts."""
        return frozenset(OWN_PARAMS) | {item.key for item in self.filters}


@dataclass(frozen=True, slots=True)
class FilterShown:
    """A filter with what may be chosen and what is."""

    key: str
    label: Any
    choices: Sequence[Choice]
    chosen: str


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A column's head: its address sorts by it; `sorted` is "", "ascending" or "descending"."""

    key: str
    label: Any
    is_number: bool
    url: str
    sorted: str


@dataclass(frozen=True, slots=True)
class BodyCell:
    """One cell as the page prints it."""

    label: Any
    text: str
    url: str
    pill: str
    is_number: bool
    bar: tuple[int, int] | None = None


@dataclass
class ListPage:
    """One view of a list: what the reader chose, and lazily its rows, count, choices and exports."""

    spec: ListSpec
    request: HttpRequest
    query: str
    chosen: dict[str, str]
    choices: dict[str, Sequence[Choice]]
    sort: str
    columns: tuple[Column, ...]
    cursor: tuple[str, list[Any]] | None
    at_end: bool
    _rest: dict[str, str] = field(default_factory=dict)

    # Rows

    @cached_property
    def matching(self) -> QuerySet[Any]:
        """Every row of the view, in no particular order."""
        rows = self.spec.rows(self.request.user, self.query)
        for item in self.spec.filters:
            if value := self.chosen.get(item.key):
                rows = rows.filter(item.condition(value))
        return rows

    def ordered(self, backwards: bool = False) -> QuerySet[Any]:
        """This function will return every row in the chosen order; ties fall to the unique column."""
        descending = self.sort.startswith("-") != backwards
        rows, order = self._keyed(self.matching)
        return rows.order_by(*(("-" if descending else "") + name for name in order))

    def _keyed(self, rows: QuerySet[Any]) -> tuple[QuerySet[Any], list[str]]:
        expression = self._column.order
        if expression == self.spec.unique:
            return rows, [self.spec.unique]
        return rows.annotate(sort_key=F(expression) if isinstance(expression, str) else expression), [
            "sort_key",
            self.spec.unique,
        ]

    @cached_property
    def _column(self) -> Column:
        wanted = self.sort.removeprefix("-")
        return next(column for column in self.spec.columns if column.key == wanted)

    @cached_property
    def _window(self) -> tuple[list[Any], bool, bool]:
        """The rows of this page, and whether there are rows before and after them."""
        backwards = self.at_end or (self.cursor is not None and self.cursor[0] == "before")
        rows = self.ordered(backwards)
        if self.cursor:
            rows = rows.filter(self._beyond(self.cursor[1], backwards))
        # Which rows first, then the rows: the database sorts narrow keys, not every joined column of every row.
        keys = list(rows.values_list("pk", flat=True)[: PAGE_ROWS + 1])
        more, keys = len(keys) > PAGE_ROWS, keys[:PAGE_ROWS]
        by_key = {row.pk: row for row in self._keyed(self.matching)[0].filter(pk__in=keys)} if keys else {}
        found = [by_key[key] for key in keys if key in by_key]
        if backwards:
            return found[::-1], more, not self.at_end
        return found, self.cursor is not None, more

    def _beyond(self, values: list[Any], backwards: bool) -> Q:
        comparison = "lt" if self.sort.startswith("-") != backwards else "gt"
        unique = Q(**{f"{self.spec.unique}__{comparison}": values[-1]})
        if len(values) == 1:
            return unique
        return Q(**{f"sort_key__{comparison}": values[0]}) | (Q(sort_key=values[0]) & unique)

    @cached_property
    def items(self) -> list[Any]:
        found = self._window[0]
        if self.spec.fill is not None:
            self.spec.fill(self.request.user, found)
        return found

    @property
    def body(self) -> Iterator[list[BodyCell]]:
        for item in self.items:
            yield [_body_cell(column, item) for column in self.columns]

    # Count

    @cached_property
    def _counted(self) -> int:
        return self.matching.order_by().values("pk")[: COUNTED_TO + 1].count()

    @property
    def count_text(self) -> str:
        """The count as it is said: exact to 10,000, then "10,000 or more"."""
        shown = number_format(min(self._counted, COUNTED_TO), force_grouping=True)
        if self.is_long:
            return _("%(count)s or more") % {"count": shown}
        return _("%(count)s found") % {"count": shown}

    @property
    def is_long(self) -> bool:
        return self._counted > COUNTED_TO

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query or self.chosen)

    # Addresses

    def url(self, **changes: str | None) -> str:
        """This function will return the address of this view with some parameters changed; paging starts over."""
        kept: dict[str, Any] = {**self.chosen, **self._rest}
        kept.update(changes)
        return "?" + urlencode({name: value for name, value in kept.items() if value}, doseq=True)

    @property
    def previous_url(self) -> str:
        return self.url(before=self._mark(self.items[0])) if self._window[1] and self.items else ""

    @property
    def next_url(self) -> str:
        return self.url(after=self._mark(self.items[-1])) if self._window[2] and self.items else ""

    @property
    def first_url(self) -> str:
        return self.url()

    @property
    def last_url(self) -> str:
        return self.url(end="1")

    @property
    def csv_url(self) -> str:
        return self.url(format="csv")

    @property
    def xlsx_url(self) -> str:
        return "" if self.is_long else self.url(format="xlsx")

    def _mark(self, item: Any) -> str:
        _, order = self._keyed(self.matching)
        return signing.dumps([_plain(_attribute(item, name)) for name in order], salt=self._salt)

    @property
    def _salt(self) -> str:
        return f"list.{self.spec.name}.{self.sort}"

    # What stands above and in the head

    @property
    def filters(self) -> list[FilterShown]:
        return [
            FilterShown(item.key, item.label, self.choices[item.key], self.chosen.get(item.key, ""))
            for item in self.spec.filters
        ]

    @property
    def head(self) -> list[HeadCell]:
        return [self._head_cell(column) for column in self.columns]

    def _head_cell(self, column: Column) -> HeadCell:
        if column.order is None:
            return HeadCell(column.key, column.label, column.is_number, "", "")
        state = {column.key: "ascending", f"-{column.key}": "descending"}.get(self.sort, "")
        turned = f"-{column.key}" if state == "ascending" else column.key
        return HeadCell(column.key, column.label, column.is_number, self.url(sort=turned), state)

    @property
    def column_choices(self) -> list[tuple[str, Any, bool, bool]]:
        """Key, label, whether shown, whether it always is."""
        shown = {column.key for column in self.columns}
        return [(c.key, c.label, c.key in shown, c.is_fixed) for c in self.spec.columns]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a filter form carries along unseen: the sort order."""
        return [(name, value) for name, value in self._rest.items() if name == "sort"]


def read_list(request: HttpRequest, spec: ListSpec) -> ListPage:
    """This function will read a list's address. Raises `BadQuery` for a value that the list does not know."""
    given = request.GET
    choices = {item.key: item.choices(request.user) for item in spec.filters}
    chosen = {item.key: _choice(given.get(item.key, ""), choices[item.key], item.label) for item in spec.filters}
    keys = {column.key for column in spec.columns if column.order is not None}
    by_unique = (column.key for column in spec.columns if column.order == spec.unique)
    sort = given.get("sort") or spec.first_sort or next(by_unique)
    if sort.removeprefix("-") not in keys:
        raise BadQuery(_("This list cannot be sorted by “%(name)s”.") % {"name": sort[:40]})
    columns = [key for key in given.getlist("columns") if key]
    query = clean_line(given.get("q", ""))[:LONGEST_SEARCH]
    rest: dict[str, Any] = {"q": query, "columns": columns}
    if given.get("sort"):
        rest["sort"] = sort
    view = ListPage(
        spec, request, query, {k: v for k, v in chosen.items() if v}, choices, sort,
        _columns(spec, columns), None, given.get("end") == "1", rest,
    )  # fmt: skip
    view.cursor = _cursor(view)
    return view


def export(view: ListPage) -> HttpResponseBase | None:
    """This function will answer `format=csv` or `format=xlsx` with exactly the view's rows and columns, else None."""
    wanted = view.request.GET.get("format", "")
    if not wanted:
        return None
    if wanted == "csv":
        return _as_download(
            StreamingHttpResponse(_csv_lines(view), content_type="text/csv; charset=utf-8"), view, "csv"
        )
    if wanted == "xlsx" and not view.is_long:
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return _as_download(FileResponse(_workbook(view), content_type=content_type), view, "xlsx")
    raise BadQuery(_("Choose CSV, or narrow the list to 10,000 rows for XLSX."))


def csv_rows(head: Sequence[Any], rows: Iterator[Sequence[Cell]]) -> Iterator[bytes]:
    """This function will yield CSV lines in UTF-8 with a byte order mark, so that spreadsheets read Japanese."""
    writer = csv.writer(_Echo())
    yield b"\xef\xbb\xbf" + writer.writerow([safe_cell(str(label)) for label in head]).encode()
    for row in rows:
        yield writer.writerow(["" if cell is None else safe_cell(cell) for cell in row]).encode()


class _Echo:
    """A file that hands every line straight back."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(view: ListPage) -> Iterator[bytes]:
    return csv_rows([column.label for column in view.columns], _exported(view))


def _exported(view: ListPage) -> Iterator[list[Cell]]:
    for rows in _batched(view.ordered().iterator(EXPORT_CHUNK), EXPORT_CHUNK):
        if view.spec.fill is not None:
            view.spec.fill(view.request.user, rows)
        for item in rows:
            yield [column.value(item) for column in view.columns]


def _batched(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def _workbook(view: ListPage) -> Any:
    return workbook(view.spec.name, [column.label for column in view.columns], _exported(view))


def workbook(title: str, head: Sequence[Any], rows: Iterator[Sequence[Cell]]) -> Any:
    """This function will return an open temporary file with one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "B2"
    for number in range(1, len(head) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = 44 if number == 1 else 22
    sheet.append([str(label) for label in head])
    for row in rows:
        sheet.append([safe_cell(cell) for cell in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    return file


def _as_download(response: Any, view: ListPage, suffix: str) -> HttpResponseBase:
    return as_download(response, f"{view.spec.name}_{localdate(clock(view.request)):%Y%m%d}.{suffix}")


def as_download(response: Any, file_name: str) -> HttpResponseBase:
    """This function will mark a response as a file to keep, which no browser opens as a page."""
    response["Content-Disposition"] = content_disposition_header(True, file_name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox"
    return response


def _choice(value: str, choices: Sequence[Choice], label: Any) -> str:
    if value and value not in {key for key, _label in choices}:
        raise BadQuery(_("Choose “%(label)s” from the options of the list.") % {"label": label})
    return value


def _columns(spec: ListSpec, wanted: Sequence[str]) -> tuple[Column, ...]:
    if not wanted:
        return tuple(column for column in spec.columns if column.is_shown)
    unknown = set(wanted) - {column.key for column in spec.columns}
    if unknown:
        raise BadQuery(_("This list has no column “%(name)s”.") % {"name": sorted(unknown)[0][:40]})
    return tuple(column for column in spec.columns if column.is_fixed or column.key in wanted)


def _cursor(view: ListPage) -> tuple[str, list[Any]] | None:
    for side in ("after", "before"):
        if token := view.request.GET.get(side):
            try:
                return side, signing.loads(token, salt=view._salt)
            except signing.BadSignature:
                raise BadQuery(_("This place in the list is no longer known. Open the list from its start.")) from None
    return None


def _body_cell(column: Column, item: Any) -> BodyCell:
    value = column.value(item)
    text = "" if value is None else str(value)
    if isinstance(value, date):
        text = date_text(value, language())
    if isinstance(value, int) and column.is_number:
        text = number_format(value, force_grouping=True)
    url = column.link(item) if column.link else ""
    pill, bar = column.pill(item) if column.pill else "", column.bar(item) if column.bar else None
    return BodyCell(column.label, text, url, pill, column.is_number, bar)


def _attribute(item: Any, path: str) -> Any:
    for name in path.split("__"):
        item = getattr(item, name)
    return item


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
