"""A score sheet from its offline form: first what it would change, row by row; then all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common import files
from common.audit import record
from common.errors import NotAllowed, Refused
from common.workbooks import MOST_BYTES, XLSX, CellError
from evaluations import scoring
from evaluations.actions.score_sheets import save_sheet
from evaluations.models import Assignment
from evaluations.queries.score_sheets import SheetRead, read_sheet
from evaluations.rules.score_sheets import sheet_actions
from evaluations.sheet_workbook import NOT_APPLICABLE, OVERALL, merged, read_form


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of what a form would change: its cell, the criterion, before and after."""

    place: str
    about: str
    before: str
    after: str


@dataclass(slots=True)
class SheetImport:
    """What a form would change. `steps` can be kept as text and carried out later."""

    rows: list[RowChange] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    steps: dict[str, Any] = field(default_factory=dict)


def preview_sheet_import(
    assignment: Assignment, content: IO[bytes], name: str, *, by: User, at: datetime
) -> SheetImport:
    """This function will say what a form would change; nothing is written.

    A form of an older version is put together with what was saved since. Raises `NotAllowed` outside the windows, and
    `Refused` for a file that is no workbook.
    """
    read = read_sheet(assignment)
    if "sheet.edit" not in sheet_actions(by, assignment, read.sheet, at):
        raise NotAllowed(_("The sheet is not open for writing now."))
    checked = files.check(content, name)
    if checked.content_type != XLSX or checked.size > MOST_BYTES:
        raise Refused(
            _("Choose a workbook (XLSX) of at most 5 MB, best the one saved from here."), "no_workbook", files.FIELD
        )
    content.seek(0)
    form = read_form(content, read.form)
    taken = merged(form, read.all_answers) if not form.errors else {}
    rows = [
        RowChange(form.rows[key].place, _about(read, key), _words(read.all_answers.get(key)), _words(answer))
        for key, answer in taken.items()
    ]
    answers = [[one.item, one.level, one.is_not_applicable, one.comment] for one in taken.values()]
    return SheetImport(rows, form.errors, {"revision": read.revision, "version": form.version, "answers": answers})


def _about(read: SheetRead, key: str) -> str:
    if key == OVERALL:
        return _("Comment on the whole")
    return next(item.name for item in read.items if item.code == key)


def _words(answer: scoring.Answer | None) -> str:
    if answer is None:
        return "-"
    grade = str(NOT_APPLICABLE) if answer.is_not_applicable else answer.level
    return " ".join(part for part in (grade, answer.comment) if part) or "-"


@transaction.atomic
def import_sheet(assignment: Assignment, steps: Mapping[str, Any], *, by: User, at: datetime) -> int:
    """This function will carry out a dry run, and return how many rows were taken. Raises as `save_sheet`."""
    answers = {key: scoring.Answer(key, level, out, comment) for key, level, out, comment in steps["answers"]}
    sheet = save_sheet(assignment, answers=answers, revision=steps["revision"], by=by, at=at)
    record("import_sheet", sheet, by=by, at=at, after={"version": steps["version"], "criteria": sorted(answers)})
    return len(answers)
