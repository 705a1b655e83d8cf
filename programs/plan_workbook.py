"""The workbook of a plan's budget and milestones: how its sheets look, and reading one back cell by cell.

Full-width digits, Japanese eras and △ are understood; whatever else is not as it should be is named by its cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from common.fiscal_year import label as year_label
from common.fiscal_year import parse_date, parse_era
from common.money import LARGEST_YEN, parse_yen
from common.text import clean_line, half_width
from common.workbooks import CellError, in_both, is_plain, opened, place_of, sheet_of, text_of

BUDGET, MILESTONES, LISTS = gettext_lazy("Budget sheet"), gettext_lazy("Milestone sheet"), gettext_lazy("Lists")
INSTITUTION, CATEGORY = gettext_lazy("Institution"), gettext_lazy("Cost category")
TOTAL = gettext_lazy("Total of the year as stated")
TEAM = gettext_lazy("the whole team")
#: The columns of the milestones by the field they hold.
MILESTONE_COLUMNS: dict[str, Any] = {
    "key": gettext_lazy("Number"),
    "title": gettext_lazy("Title"),
    "organization": INSTITUTION,
    "planned_on": gettext_lazy("Planned for"),
    "criterion": gettext_lazy("Criterion"),
    "threshold": gettext_lazy("Threshold"),
    "unit": gettext_lazy("Unit"),
    "direction": gettext_lazy("Direction"),
    "evidence_asked": gettext_lazy("Evidence asked for"),
    "trl_level": gettext_lazy("TRL planned"),
}
HEAD_ROW = 1


@dataclass(frozen=True, slots=True)
class MoneyRead:
    """One amount of the budget sheet; without institution and category it is a year's total."""

    place: str
    organization: str
    category: str
    fiscal_year: int
    yen: int


@dataclass(frozen=True, slots=True)
class MilestoneRead:
    """One row of the milestone sheet; `places` names the cell of each field."""

    place: str
    key: str
    values: dict[str, Any]
    places: dict[str, str]


@dataclass(slots=True)
class WorkbookRead:
    """What a workbook says, and what of it could not be read."""

    money: list[MoneyRead] = field(default_factory=list)
    milestones: list[MilestoneRead] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)

    def refuse(self, place: str, message: object) -> None:
        """This function will note what is wrong with a cell."""
        self.errors.append(CellError(place, str(message)))


def read_workbook(content: IO[bytes], years: Iterable[int]) -> WorkbookRead:
    """This function will read a workbook; `years` are the fiscal years its budget has to have a column for."""
    read = WorkbookRead()
    book = opened(content, read)
    if book is None:
        return read
    for label, reader in (
        (BUDGET, lambda sheet: _budget(sheet, read, years)),
        (MILESTONES, lambda sheet: _milestones(sheet, read)),
    ):
        sheet = sheet_of(book, label, read)
        if sheet is not None:
            reader(sheet)
    return read


def _filled(sheet: Worksheet) -> Iterable[tuple[Any, ...]]:
    for row in sheet.iter_rows(min_row=HEAD_ROW + 1):
        if any(cell.value not in (None, "") for cell in row):
            yield row


# The budget -----------------------------------------------------------------------------------------------------------


def _budget(sheet: Worksheet, read: WorkbookRead, years: Iterable[int]) -> None:
    named: dict[str, int] = {}
    columns: dict[int, int] = {}
    for cell in sheet[HEAD_ROW]:
        text = clean_line(text_of(cell))
        if not text:
            continue
        for name, label in (("organization", INSTITUTION), ("category", CATEGORY)):
            if text.casefold() in in_both(label):
                named[name] = cell.column
                break
        else:
            _year_column(cell, text, columns, read)
    missing = [
        str(label) for name, label in (("organization", INSTITUTION), ("category", CATEGORY)) if name not in named
    ]
    language = "en" if (get_language() or "ja").startswith("en") else "ja"
    missing += [year_label(year, language) for year in years if year not in columns]
    for name in missing:
        _column_missing(sheet, name, read)
    if not missing:
        for row in _filled(sheet):
            _budget_row(row, named, columns, read)


def _year_column(cell: Any, text: str, columns: dict[int, int], read: WorkbookRead) -> None:
    try:
        year = parse_era(text)
    except ValidationError:
        read.refuse(
            place_of(cell),
            _("“%(text)s” is no column of this sheet. Delete it or name it rightly.") % {"text": text[:40]},
        )
        return
    if year in columns:
        read.refuse(place_of(cell), _("This column is there twice."))
    columns[year] = cell.column


def _column_missing(sheet: Worksheet, name: str, read: WorkbookRead) -> None:
    place = f"{sheet.title}!{get_column_letter(sheet.max_column + 1)}{HEAD_ROW}"
    read.refuse(place, _("The column “%(name)s” is missing. Put it back.") % {"name": name})


def _budget_row(row: tuple[Any, ...], named: dict[str, int], columns: dict[int, int], read: WorkbookRead) -> None:
    organization, category = (clean_line(text_of(row[named[name] - 1])) for name in ("organization", "category"))
    is_total = organization.casefold() in in_both(TOTAL)
    for name, text in (("organization", organization), ("category", category)):
        if not text and not is_total:
            read.refuse(
                place_of(row[named[name] - 1]), _("Fill this in: the row has to say whose money it is and for what.")
            )
            return
    for year, column in columns.items():
        cell = row[column - 1]
        yen = _yen(cell, read)
        if yen is not None:
            read.money.append(
                MoneyRead(place_of(cell), "" if is_total else organization, "" if is_total else category, year, yen)
            )


def _yen(cell: Any, read: WorkbookRead) -> int | None:
    if not is_plain(cell, read):
        return None
    value = cell.value
    try:
        if isinstance(value, bool | date):
            raise ValidationError(_("Enter an amount in yen."))
        if isinstance(value, int | float):
            if value != int(value):
                raise ValidationError(_("Enter the amount in whole yen."))
            yen = int(value)
            if yen > LARGEST_YEN:
                raise ValidationError(_("Check the unit: the amount is above 1,000 trillion yen."))
        else:
            text = clean_line(text_of(cell))
            yen = parse_yen(text) if text and text not in ("-", "－") else 0
        if yen < 0:
            raise ValidationError(_("Enter 0 or more."))
    except ValidationError as problem:
        read.refuse(place_of(cell), problem.messages[0])
        return None
    return yen


# Milestones -----------------------------------------------------------------------------------------------------------


def _milestones(sheet: Worksheet, read: WorkbookRead) -> None:
    columns: dict[str, int] = {}
    known = {text: name for name, label in MILESTONE_COLUMNS.items() for text in in_both(label)}
    for cell in sheet[HEAD_ROW]:
        text = clean_line(text_of(cell))
        name = known.get(text.casefold())
        if text and name is None:
            message = _("“%(text)s” is no column of this sheet. Delete it or name it rightly.")
            read.refuse(place_of(cell), message % {"text": text[:40]})
        elif name in columns:
            read.refuse(place_of(cell), _("This column is there twice."))
        elif name is not None:
            columns[name] = cell.column
    missing = [name for name in MILESTONE_COLUMNS if name not in columns]
    for name in missing:
        _column_missing(sheet, str(MILESTONE_COLUMNS[name]), read)
    if not missing:
        for row in _filled(sheet):
            _milestone_row({name: row[column - 1] for name, column in columns.items()}, read)


def _milestone_row(cells: dict[str, Any], read: WorkbookRead) -> None:
    errors = len(read.errors)
    values = {name: READERS.get(name, _line)(cell, read) for name, cell in cells.items() if is_plain(cell, read)}
    if len(read.errors) == errors:
        key = values.pop("key")
        places = {name: place_of(cell) for name, cell in cells.items()}
        read.milestones.append(MilestoneRead(places["title"], key, values, places))


def _line(cell: Any, read: WorkbookRead) -> str:
    return clean_line(text_of(cell))


def _paragraphs(cell: Any, read: WorkbookRead) -> str:
    return text_of(cell)


def _day(cell: Any, read: WorkbookRead) -> date | None:
    value = cell.value
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return parse_date(clean_line(text_of(cell)))
    except ValidationError as problem:
        read.refuse(place_of(cell), problem.messages[0])
        return None


def _number(cell: Any, read: WorkbookRead) -> Decimal | None:
    text = half_width(clean_line(text_of(cell))).replace(",", "")
    for sign in "△▲−":
        text = text.replace(sign, "-")
    if not text:
        return None
    try:
        number = Decimal(text.replace(" ", ""))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(cell.value, bool | date) or not number.is_finite():
        read.refuse(place_of(cell), _("Enter a number such as 99.9 or 3,000."))
        return None
    if abs(number) >= Decimal(10) ** 14:
        read.refuse(place_of(cell), _("Enter at most 14 digits before and 6 behind the point."))
        return None
    return round(number, 6)


def _level(cell: Any, read: WorkbookRead) -> int | None:
    text = half_width(clean_line(text_of(cell))).upper().removeprefix("TRL").strip()
    if not text:
        return None
    if text not in {str(level) for level in range(1, 10)}:
        read.refuse(place_of(cell), _("Enter a TRL from 1 to 9, or nothing."))
        return None
    return int(text)


def _direction(cell: Any, read: WorkbookRead) -> str:
    text = clean_line(text_of(cell)).casefold()
    for value, label in DIRECTIONS.items():
        if text in {value, *in_both(label)}:
            return value
    read.refuse(place_of(cell), _("Choose one of the list: at least, at most, or nothing."))
    return ""


DIRECTIONS: dict[str, Any] = {"": "", "at_least": gettext_lazy("at least"), "at_most": gettext_lazy("at most")}
READERS: dict[str, Callable[[Any, WorkbookRead], Any]] = {
    "planned_on": _day,
    "threshold": _number,
    "direction": _direction,
    "trl_level": _level,
    "criterion": _paragraphs,
    "evidence_asked": _paragraphs,
}
