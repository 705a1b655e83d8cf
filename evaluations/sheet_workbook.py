"""The score sheet as a workbook for work without a network: how it looks, reading one back, and putting two together.

Each row also carries, in two hidden columns, what was saved when the form was made. So a form of an older version can
still be taken: what only the form changed is taken, what only the portal changed stays, what both changed is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl.worksheet.worksheet import Worksheet

from common.text import clean_line, count_characters, half_width
from common.workbooks import CellError, in_both, is_plain, opened, place_of, sheet_of, text_of
from evaluations.scoring import Answer, Item, Rubric

SHEET = gettext_lazy("Score sheet")
NOT_APPLICABLE = gettext_lazy("not applicable")
#: The lines above the table: whose form it is, and of which version.
CASE, VERSION, RUBRIC = gettext_lazy("Case"), gettext_lazy("Version of the form"), gettext_lazy("Rubric")
HEAD_ROW = 5
CODE, NAME, WEIGHT = gettext_lazy("Code"), gettext_lazy("Criterion of the rubric"), gettext_lazy("Weight (%)")
GRADE, COMMENT = gettext_lazy("Grade"), gettext_lazy("Comment")
SAVED_GRADE, SAVED_COMMENT = gettext_lazy("Saved grade"), gettext_lazy("Saved comment")
COLUMNS: dict[str, Any] = {
    "code": CODE, "name": NAME, "weight": WEIGHT, "grade": GRADE, "comment": COMMENT, "saved_grade": SAVED_GRADE,
    "saved_comment": SAVED_COMMENT,
}  # fmt: skip
#: The key of the line for the comment on the whole.
OVERALL = "*"


@dataclass(frozen=True, slots=True)
class Form:
    """What a form is about: the case, the version it was made from, the rubric, and how long comments may be."""

    case: str
    version: int
    rubric_ref: str
    rubric: Rubric
    longest: int


@dataclass(frozen=True, slots=True)
class RowRead:
    """One criterion of a form: what it says now, and what was saved when it was made; `places` name the cells."""

    typed: Answer
    saved: Answer
    place: str


@dataclass(slots=True)
class FormRead:
    """What a form says, and what of it could not be read."""

    version: int = 0
    rows: dict[str, RowRead] = field(default_factory=dict)
    errors: list[CellError] = field(default_factory=list)

    def refuse(self, place: str, message: object) -> None:
        """This method will note what is wrong with a cell."""
        self.errors.append(CellError(place, str(message)))


def merged(read: FormRead, current: Mapping[str, Answer]) -> dict[str, Answer]:
    """This function will return the answers to take from a form, by criterion; what both sides changed is refused.

    Grade and comment go together: a grade without the comment written for it would say something nobody meant.
    """
    taken = {}
    for key, row in read.rows.items():
        here = current.get(key, Answer(key))
        if row.typed in (row.saved, here):
            continue
        if here != row.saved:
            message = _(
                "This criterion was also changed here since the form was made. Put both together on the page, and take "
                "the row's old text back in the form."
            )
            read.refuse(row.place, message)
        else:
            taken[key] = row.typed
    return taken


# Reading --------------------------------------------------------------------------------------------------------------


def read_form(content: IO[bytes], form: Form) -> FormRead:
    """This function will read a form of this case; one of another case or rubric, or with other rows, is refused."""
    read = FormRead()
    book = opened(content, read)
    sheet = sheet_of(book, SHEET, read) if book is not None else None
    if sheet is not None and _is_the_form_of(sheet, form, read):
        columns = _columns(sheet, read)
        if not read.errors:
            _rows(sheet, columns, form, read)
    return read


def _is_the_form_of(sheet: Worksheet, form: Form, read: FormRead) -> bool:
    case, version, rubric = (clean_line(text_of(sheet.cell(row, 2))) for row in (1, 2, 3))
    if case != form.case:
        message = _("This is the form of another case (%(other)s). Choose the one of %(case)s.")
        read.refuse(place_of(sheet.cell(1, 2)), message % {"other": case[:40] or "-", "case": form.case})
    elif rubric != form.rubric_ref:
        message = _("This form belongs to another version of the rubric. Save a new one from here.")
        read.refuse(place_of(sheet.cell(3, 2)), message)
    elif not half_width(version).isdecimal() or int(half_width(version)[:9]) > form.version:
        message = _("This version of the form is not known. Put the number back or save a new form from here.")
        read.refuse(place_of(sheet.cell(2, 2)), message)
    else:
        read.version = int(half_width(version))
    return not read.errors


def _columns(sheet: Worksheet, read: FormRead) -> dict[str, int]:
    known = {text: name for name, label in COLUMNS.items() for text in in_both(label)}
    columns: dict[str, int] = {}
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
    for name, label in COLUMNS.items():
        if name not in columns and not read.errors:
            message = _("The column “%(name)s” is missing. Put it back.") % {"name": label}
            read.refuse(f"{sheet.title}!{HEAD_ROW}", message)
    return columns


def _rows(sheet: Worksheet, columns: Mapping[str, int], form: Form, read: FormRead) -> None:
    wanted = {item.key: item for item in form.rubric.items} | {OVERALL: Item(OVERALL, is_text_only=True)}
    for line in sheet.iter_rows(min_row=HEAD_ROW + 1):
        if all(cell.value in (None, "") for cell in line):
            continue
        cells = {name: line[column - 1] for name, column in columns.items()}
        key = clean_line(text_of(cells["code"]))
        item = wanted.get(key)
        if item is None:
            message = _("“%(code)s” is no criterion of this rubric. Delete the row; rows cannot be added.")
            read.refuse(place_of(cells["code"]), message % {"code": key[:40]})
        elif key in read.rows:
            read.refuse(place_of(cells["code"]), _("This row is there twice. Keep one of the two."))
        else:
            read.rows[key] = _row(item, cells, form, read)
    for key in wanted:
        if key not in read.rows and not read.errors:
            message = _("The row “%(code)s” is missing. Put it back or save a new form from here.") % {"code": key}
            read.refuse(sheet.title, message)


def _row(item: Item, cells: Mapping[str, Any], form: Form, read: FormRead) -> RowRead:
    typed = _answer(item, cells["grade"], cells["comment"], read)
    used = count_characters(typed.comment)
    if used > form.longest:
        message = _("The comment has %(used)s characters. Shorten it to %(most)s.")
        read.refuse(place_of(cells["comment"]), message % {"used": used, "most": form.longest})
    saved = _answer(item, cells["saved_grade"], cells["saved_comment"], FormRead())
    return RowRead(typed, saved, place_of(cells["grade"]))


def _answer(item: Item, grade: Any, comment: Any, read: FormRead) -> Answer:
    words = text_of(comment) if is_plain(comment, read) else ""
    mark = half_width(clean_line(text_of(grade))).casefold() if is_plain(grade, read) else ""
    if not mark:
        return Answer(item.key, comment=words)
    if item.is_text_only:
        read.refuse(place_of(grade), _("Only a comment is asked for here. Delete the grade."))
    elif mark in in_both(NOT_APPLICABLE) or mark in ("n/a", "na"):
        if item.may_be_not_applicable:
            return Answer(item.key, is_not_applicable=True, comment=words)
        read.refuse(place_of(grade), _("This criterion has to be scored: “not applicable” is not open to it."))
    elif item.level(mark) is None:
        grades = "、".join(level.code for level in item.levels)
        message = _("“%(mark)s” is not on the scale. Enter one of: %(grades)s.")
        read.refuse(place_of(grade), message % {"mark": mark[:20], "grades": grades})
    else:
        return Answer(item.key, mark, comment=words)
    return Answer(item.key, comment=words)
