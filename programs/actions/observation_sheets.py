"""Observations from a CSV file: read as people write, checked as a whole, written all or not at all."""

from __future__ import annotations

import hashlib
from collections import Counter
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
from common.numbers import parse_number
from common.text import clean_line, half_width
from programs.actions.indicators import CREATED, DUPLICATE, ERROR, record_observations, sender_at
from programs.models import IndicatorObservation, OutcomeIndicator

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
    和暦 and △ are understood. A row without a number of its own gets one from what it says, so that the same row twice, in
    this file or a longer one, by the same person or another, adds nothing; rows alike within one file stay as many.
    Raises `Refused` for a file that cannot be read, `NotReady` with every problem named by line and column.
    """
    heads, lines = read_table(content, COLUMNS, NEEDED)
    problems: list[Blocker] = []
    rows, numbers = [], []
    alike: Counter[str] = Counter()
    for number, line in lines:
        found = _row(heads, line, number, problems)
        if found is not None:
            if "external_id" not in found:
                own = hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:32]
                alike[own] += 1
                found["external_id"] = f"csv-{own}-{alike[own]}"
            rows.append({"indicator": indicator.ref, **found})
            numbers.append(number)
    sender = sender_at(indicator)
    elsewhere = _sent_elsewhere(indicator, rows, sender)
    kept, there = [], 0
    for row, number in zip(rows, numbers, strict=True):
        known = elsewhere.get(row["external_id"])
        if known is None:
            kept.append((row, number))
        elif known == (row["fiscal_year"], row["observed_on"], Decimal(row["value"])):
            there += 1
        else:
            message = _("This id was sent by somebody else with other content. Its sender corrects it.")
            problems.append(problem(number, "", "other_sender", message))
    rows, numbers = [row for row, _number in kept], [number for _row, number in kept]
    results = record_observations(rows, by=by, at=at, dry_run=True, sender=sender)
    names = {field: head for head, field in heads.items()}
    for result in results:
        if result.status == ERROR and result.problem is not None:
            place = names.get(result.problem.field, "")
            problems.append(problem(numbers[result.position], place, result.problem.code, result.problem.message))
    if not rows and not there and not problems:
        raise Refused(_("The file has no rows under its heads."), "empty", "file")
    if problems:
        raise NotReady(_("Nothing was written. Correct the file and choose it again."), problems[:SHOWN_PROBLEMS])
    if not dry_run:
        record_observations(rows, by=by, at=at, sender=sender)
    added: dict[int, Decimal] = {}
    for result in results:
        if result.status == CREATED:
            year = rows[result.position]["fiscal_year"]
            added[year] = added.get(year, Decimal(0)) + Decimal(rows[result.position]["value"])
    duplicates = sum(result.status == DUPLICATE for result in results)
    return SheetResult(len(results) - duplicates, duplicates + there, dict(sorted(added.items())))


def _sent_elsewhere(
    indicator: OutcomeIndicator, rows: list[dict[str, Any]], sender: str
) -> dict[str, tuple[int, str, Decimal]]:
    """What others, such as an agency over the API, sent under these ids: year, day and value.

    The CSV of all values holds their rows too; read back, they must not count a second time.
    """
    sent = IndicatorObservation.objects.filter(
        indicator=indicator, external_id__in=[row["external_id"] for row in rows]
    )
    return {
        external_id: (year, day.isoformat(), value)
        for external_id, year, day, value in sent.exclude(sender=sender).values_list(
            "external_id", "fiscal_year", "observed_on", "value"
        )
    }


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
        return parse_number(text)
    return half_width(text) if field in ("external_id", "corrects", "organization") else text
