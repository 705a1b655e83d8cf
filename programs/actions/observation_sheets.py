"""Observations from a CSV file: read as people write, checked as a whole, written all or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from common.actors import Actor
from common.csv_tables import is_formula, problem, read_table
from common.errors import Blocker, NotReady, Refused
from common.fiscal_year import parse_date, parse_era
from common.text import clean_line, half_width
from programs.actions.indicators import CREATED, DUPLICATE, ERROR, record_observations
from programs.models import OutcomeIndicator

#: The columns by their Japanese heads; the English heads are the fields of the API.
COLUMNS = {
    "機関": "organization",
    "年度": "fiscal_year",
    "観測日": "observed_on",
    "値": "value",
    "出典": "source",
    "整理番号": "external_id",
    "訂正する整理番号": "corrects",
}
NEEDED = ("fiscal_year", "observed_on", "value", "source")
SHOWN_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class SheetResult:
    """What a sheet would do or did: new rows, rows that are there already, and the sum of the new values by year."""

    created: int
    duplicates: int
    added_by_year: dict[int, Decimal]


@transaction.atomic
def record_sheet(
    indicator: OutcomeIndicator, content: bytes, *, by: Actor, at: datetime, dry_run: bool = False
) -> SheetResult:
    """This function will add the observations of a CSV file to one indicator, or none of them.

    Heads are Japanese (機関, 年度, 観測日, 値, 出典, 整理番号, 訂正する整理番号) or those of the API. Full-width digits,
    和暦 and △ are understood. A row without a number of its own gets one from the file, so that the same file twice adds
    nothing. Raises `Refused` for a file that cannot be read, `NotReady` with every problem named by line and column.
    """
    heads, lines = read_table(content, COLUMNS, NEEDED)
    problems: list[Blocker] = []
    rows, numbers = [], []
    own = hashlib.sha256(content).hexdigest()[:16]
    for number, line in lines:
        found = _row(heads, line, number, problems)
        if found is not None:
            found.setdefault("external_id", f"csv-{own}-{number}")
            rows.append({"indicator": indicator.ref, **found})
            numbers.append(number)
    results = record_observations(rows, by=by, at=at, dry_run=True)
    names = {field: head for head, field in heads.items()}
    for result in results:
        if result.status == ERROR and result.problem is not None:
            place = names.get(result.problem.field, "")
            problems.append(problem(numbers[result.position], place, result.problem.code, result.problem.message))
    if not rows and not problems:
        raise Refused(_("The file has no rows under its heads."), "empty", "file")
    if problems:
        raise NotReady(_("Nothing was written. Correct the file and choose it again."), problems[:SHOWN_PROBLEMS])
    if not dry_run:
        record_observations(rows, by=by, at=at)
    added: dict[int, Decimal] = {}
    for result in results:
        if result.status == CREATED:
            year = rows[result.position]["fiscal_year"]
            added[year] = added.get(year, Decimal(0)) + Decimal(rows[result.position]["value"])
    duplicates = sum(result.status == DUPLICATE for result in results)
    return SheetResult(len(results) - duplicates, duplicates, dict(sorted(added.items())))


def _row(heads: dict[str, str], line: list[str], number: int, problems: list[Blocker]) -> dict[str, Any] | None:
    if len(line) > len(heads):
        problems.append(problem(number, "", "too_many", _("There are more cells than columns.")))
        return None
    found: dict[str, Any] = {}
    before = len(problems)
    for (head, field), cell in zip(heads.items(), [*line, *[""] * (len(heads) - len(line))], strict=True):
        text = clean_line(cell).strip()
        if not text:
            if field in NEEDED:
                problems.append(problem(number, head, "required", _("The cell is empty. Fill it in.")))
            continue
        try:
            found[field] = _value(field, text)
        except ValidationError as error:
            problems.append(problem(number, head, str(error.code or "invalid"), "".join(error.messages)))
    return found if len(problems) == before else None


def _value(field: str, text: str) -> Any:
    if is_formula(text):
        raise ValidationError(_("This is a formula. Put its value instead."), code="formula")
    if field == "fiscal_year":
        return parse_era(text)
    if field == "observed_on":
        return parse_date(text).isoformat()
    if field == "value":
        return _number(text)
    return half_width(text) if field in ("external_id", "corrects", "organization") else text


def _number(text: str) -> str:
    plain = half_width(text).replace(" ", "")
    negative = plain[:1] in ("△", "▲", "-", "−")
    body = plain[1:] if negative else plain
    whole, _dot, rest = body.partition(".")
    groups = whole.split(",")
    grouped = len(groups) == 1 or (1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]))
    if not grouped or not all(group.isascii() and group.isdigit() for group in groups) or (rest and not rest.isdigit()):
        raise ValidationError(_("Write a number such as 3,000 or 12.5; negative ones as △ 5."), code="bad_number")
    return f"{'-' if negative else ''}{''.join(groups)}{'.' + rest if rest else ''}"
