"""Reading a workbook cell by cell: opened safely, understood kindly, and every refusal named by its cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any, Protocol
from zipfile import ZipFile

from django.utils import translation
from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from common.text import clean, clean_line, unquoted_cell

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_BYTES = 5_000_000
MOST_ROWS, MOST_COLUMNS = 2000, 80
MOST_UNPACKED_BYTES = 30_000_000


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong with one cell, named as a spreadsheet names it: 経費計画!C5."""

    place: str
    message: str


class Refusing(Protocol):
    """Whatever takes down what is wrong with a cell."""

    def refuse(self, place: str, message: object) -> None:
        """This method will note what is wrong with a cell."""


def in_both(label: Any) -> set[str]:
    """This function will return a label in both languages: a file made in one is read in the other."""
    found = set()
    for language in ("ja", "en"):
        with translation.override(language):
            found.add(clean_line(str(label)).casefold())
    return found


def opened(content: IO[bytes], read: Refusing) -> Workbook | None:
    """This function will open a workbook; one that is damaged or unpacks to far too much is refused."""
    try:
        with ZipFile(content) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MOST_UNPACKED_BYTES:
            read.refuse("-", _("The workbook holds far more than it should. Start from the one saved from here."))
            return None
        content.seek(0)
        return load_workbook(content, keep_links=False)
    except Exception:  # whatever a damaged file makes the reader raise, the answer is the same
        read.refuse("-", _("The file cannot be read as a workbook (XLSX). Save it again as XLSX."))
        return None


def sheet_of(book: Workbook, label: Any, read: Refusing) -> Worksheet | None:
    """This function will return the sheet of this name in either language, if it is there and can be read."""
    sheet = next((one for one in book.worksheets if clean_line(one.title).casefold() in in_both(label)), None)
    if sheet is None:
        names = "、".join(one.title for one in book.worksheets)
        message = _("The sheet “%(name)s” is missing (there are: %(names)s). Give it this name again.")
        read.refuse(str(label), message % {"name": label, "names": names})
        return None
    return sheet if _is_sound(sheet, read) else None


def _is_sound(sheet: Worksheet, read: Refusing) -> bool:
    if sheet.max_row > MOST_ROWS or sheet.max_column > MOST_COLUMNS:
        message = _(
            "The sheet is larger than %(rows)s rows and %(columns)s columns. Delete what lies outside the table."
        )
        read.refuse(sheet.title, message % {"rows": MOST_ROWS, "columns": MOST_COLUMNS})
        return False
    for merged in sheet.merged_cells.ranges:
        read.refuse(f"{sheet.title}!{merged.coord}", _("Cells are merged here. Split them and fill each in."))
    return not sheet.merged_cells.ranges


def place_of(cell: Any) -> str:
    """This function will name a cell as a spreadsheet does."""
    return f"{cell.parent.title}!{cell.coordinate}"


def text_of(cell: Any) -> str:
    """This function will return what a cell says, without what a spreadsheet put around it."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unquoted_cell(clean(str(value)).strip())


def is_plain(cell: Any, read: Refusing) -> bool:
    """This function will tell whether a cell holds a value as such; a formula or an error value is refused by name."""
    if cell.data_type == "f":
        read.refuse(place_of(cell), _("There is a formula here. Put its value in its place."))
        return False
    if cell.data_type == "e":
        read.refuse(place_of(cell), _("There is an error value (%(value)s) here.") % {"value": cell.value})
        return False
    return True
