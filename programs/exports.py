"""A plan's budget and milestones as a workbook to fill in: lists to choose from, checked amounts and dates."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import IO, Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from common.fiscal_year import label as year_label
from common.text import safe_cell
from programs import plan_workbook as layout
from programs import planning
from programs.models import CostCategory, PlanRead, PlanVersion, read_plans
from programs.queries.plans import money_table, participants

_HEAD = PatternFill("solid", fgColor="E8F1FE")
#: Rows below the last filled one that the lists and checks reach.
_SPARE_ROWS = 100


def plan_workbook(version: PlanVersion) -> IO[bytes]:
    """This function will return the version's budget and milestones as XLSX, ready to be filled in and read back."""
    book = Workbook()
    sheet = book.active
    sheet.title = str(layout.BUDGET)
    read, organizations = read_plans([version.pk])[version.pk], participants(version.project)
    lists = book.create_sheet(str(layout.LISTS))
    _lists(lists, [[one.name for one in organizations], [one.name for one in CostCategory.objects.all()]])
    _budget(sheet, version, organizations)
    _milestones(book.create_sheet(str(layout.MILESTONES), 1), read)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def _language() -> str:
    return "en" if (get_language() or "ja").startswith("en") else "ja"


def _head(sheet: Worksheet, labels: Sequence[str], widths: Sequence[int]) -> None:
    sheet.append(list(labels))
    for index, width in enumerate(widths, start=1):
        cell = sheet.cell(layout.HEAD_ROW, index)
        cell.font, cell.fill = Font(bold=True), _HEAD
        sheet.column_dimensions[get_column_letter(index)].width = width


def _lists(sheet: Worksheet, columns: list[list[str]]) -> None:
    columns = [
        [str(layout.TEAM), *columns[0]],
        columns[1],
        [str(label) for label in layout.DIRECTIONS.values() if label],
    ]
    for index, values in enumerate(columns, start=1):
        for row, value in enumerate(values, start=1):
            sheet.cell(row, index, safe_cell(value))
    sheet.sheet_state = "hidden"


def _choice(column: str, count: int) -> DataValidation:
    title = str(layout.LISTS).replace("'", "''")
    return DataValidation(type="list", formula1=f"'{title}'!${column}$1:${column}${max(count, 1)}", allow_blank=True)


def _budget(sheet: Worksheet, version: PlanVersion, organizations: list[Any]) -> None:
    table = money_table(version, organizations)
    years = [year_label(year, _language()) for year in table.years]
    _head(sheet, [str(layout.INSTITUTION), str(layout.CATEGORY), *years], [30, 20, *[18] * len(years)])
    for row in table.rows:
        amounts = [cell.amount_yen if cell else None for cell in row.cells]
        sheet.append([safe_cell(row.organization.name), safe_cell(row.category.name), *amounts])
    sheet.append([str(layout.TOTAL), None, *(year.total_yen if year else None for year in table.stated)])
    last, end = sheet.max_row, get_column_letter(2 + len(years))
    for line in sheet.iter_rows(min_row=layout.HEAD_ROW + 1, max_row=last, min_col=3):
        for cell in line:
            cell.number_format = "#,##0"
    for cell in sheet[last]:
        cell.font = Font(bold=True)
    amount = DataValidation(type="whole", operator="greaterThanOrEqual", formula1="0", allow_blank=True)
    # A warning, not a wall: 5,152百万円 and full-width digits are understood when the file is read back.
    amount.errorStyle, amount.showErrorMessage = "warning", True
    amount.error = _("Enter whole yen, 0 or more.")
    amount.add(f"C2:{end}{last + _SPARE_ROWS}")
    sheet.add_data_validation(amount)
    sheet.freeze_panes = "C2"


def _milestones(sheet: Worksheet, read: PlanRead) -> None:
    _head(sheet, [str(label) for label in layout.MILESTONE_COLUMNS.values()], [10, 40, 28, 16, 40, 14, 12, 12, 40, 12])
    for one in read.plan.each(planning.Milestone):
        owner = read.organizations[one.organization].name if one.organization else str(layout.TEAM)
        values = [
            one.key, one.title, owner, one.planned_on, one.criterion, one.threshold, one.unit,
            str(layout.DIRECTIONS[one.direction]), one.evidence_asked, one.trl_level,
        ]  # fmt: skip
        sheet.append([safe_cell(value) if isinstance(value, str) else value for value in values])
    last = sheet.max_row + _SPARE_ROWS
    for row in range(2, last + 1):
        sheet.cell(row, 4).number_format = "yyyy-mm-dd"
    for column, source in (("C", "A"), ("H", "C")):
        choice = _choice(source, 200 if source == "A" else 2)
        choice.add(f"{column}2:{column}{last}")
        sheet.add_data_validation(choice)
    sheet.freeze_panes = "C2"
