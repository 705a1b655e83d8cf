"""The score sheet as a workbook to fill in without a network: grades to choose from, everything else locked."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from common.text import safe_cell
from evaluations import sheet_workbook as layout
from evaluations.scoring import Answer, Item

_HEAD = PatternFill("solid", fgColor="E8F1FE")
_OPEN = PatternFill("solid", fgColor="FFFDE7")
_WIDTHS = {"code": 12, "name": 36, "weight": 10, "grade": 14, "comment": 70, "saved_grade": 10, "saved_comment": 10}


def sheet_form(form: layout.Form, names: Mapping[str, str], answers: Mapping[str, Answer]) -> IO[bytes]:
    """This function will return the form of one case as XLSX; `names` are the criteria's, `answers` what is saved."""
    book = Workbook()
    sheet = book.active
    sheet.title = str(layout.SHEET)
    head = ((layout.CASE, form.case), (layout.VERSION, form.version), (layout.RUBRIC, form.rubric_ref))
    for row, (label, value) in enumerate(head, start=1):
        sheet.cell(row, 1, str(label)).font = Font(bold=True)
        sheet.cell(row, 2, value)
    hint = _("Fill in the yellow cells only and bring the file back to the page of the case.")
    sheet.cell(layout.HEAD_ROW - 1, 1, hint)
    _columns(sheet)
    whole = Item(layout.OVERALL, is_text_only=True)
    for row, item in enumerate((*form.rubric.items, whole), start=layout.HEAD_ROW + 1):
        name = names.get(item.key, "") or (_("Comment on the whole") if item is whole else item.key)
        _row(sheet, row, item, name, answers.get(item.key, Answer(item.key)))
    sheet.freeze_panes = f"D{layout.HEAD_ROW + 1}"
    sheet.protection.sheet = True
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def _columns(sheet: Worksheet) -> None:
    for column, (name, label) in enumerate(layout.COLUMNS.items(), start=1):
        cell = sheet.cell(layout.HEAD_ROW, column, str(label))
        cell.font, cell.fill = Font(bold=True), _HEAD
        letter = sheet.column_dimensions[get_column_letter(column)]
        letter.width, letter.hidden = _WIDTHS[name], name.startswith("saved")


def _row(sheet: Worksheet, row: int, item: Item, name: str, answer: Answer) -> None:
    grade = str(layout.NOT_APPLICABLE) if answer.is_not_applicable else answer.level
    weight = None if item.is_text_only else float(item.weight)
    values: list[Any] = [item.key, name, weight, _typed(grade), answer.comment, _typed(grade), answer.comment]
    for column, value in enumerate(values, start=1):
        cell = sheet.cell(row, column, safe_cell(value) if isinstance(value, str) else value)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for column in (5,) if item.is_text_only else (4, 5):
        cell = sheet.cell(row, column)
        cell.fill, cell.protection = _OPEN, Protection(locked=False)
    if not item.is_text_only:
        marks = [level.code for level in item.levels] + [str(layout.NOT_APPLICABLE)] * item.may_be_not_applicable
        choice = DataValidation(type="list", formula1=f'"{",".join(marks)}"', allow_blank=True)
        choice.add(f"D{row}")
        sheet.add_data_validation(choice)


def _typed(grade: str) -> int | str:
    return int(grade) if grade.isdecimal() else grade
