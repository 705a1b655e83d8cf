"""Joint publications from a CSV file, by ORCID: checked as a whole, written all or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.csv_tables import is_formula, problem, read_table
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.fiscal_year import parse_era
from common.identifiers import normalise_orcid, validate_orcid
from common.text import clean_line, half_width
from evaluations.models import Coauthorship
from evaluations.rules.conflicts import may_import_coauthorships

#: The columns by their Japanese heads; the English heads are the fields.
COLUMNS = {
    "ORCID 1": "orcid_a", "ORCID 2": "orcid_b", "発行年": "year", "題名": "title", "DOI": "doi", "出典": "source",
}  # fmt: skip
NEEDED = ("orcid_a", "orcid_b", "year", "source")
LONGEST = {"title": 300, "doi": 200, "source": 300}
SHOWN_PROBLEMS = 200
FIRST_YEAR, LAST_YEAR = 1950, 2100
Key = tuple[str, str, int, str, str]


@dataclass(frozen=True, slots=True)
class CoauthorshipImport:
    """What a file would do or did: new rows, rows that are there already."""

    created: int
    duplicates: int
    first: list[Coauthorship]


@transaction.atomic
def import_coauthorships(content: bytes, *, by: User, at: datetime, dry_run: bool = False) -> CoauthorshipImport:
    """This function will add the joint publications of a CSV file, or none of them; the same file twice adds nothing.

    Raises `NotAllowed`, `Refused` for a file that cannot be read, `NotReady` with every problem by line and column.
    """
    if not may_import_coauthorships(by):
        raise NotAllowed(_("Joint publications are imported by the ministry, the agency and the secretariat."))
    heads, lines = read_table(content, COLUMNS, NEEDED)
    problems: list[Blocker] = []
    rows: dict[Key, str] = {}
    count = 0
    for number, line in lines:
        found = _row(heads, line, number, problems)
        if found is not None:
            count += 1
            first, second = sorted((found["orcid_a"], found["orcid_b"]))
            rows[first, second, found["year"], found.get("title", ""), found.get("doi", "")] = found["source"]
    if not count and not problems:
        raise Refused(_("The file has no rows under its heads."), "empty", "file")
    if problems:
        raise NotReady(_("Nothing was written. Correct the file and choose it again."), problems[:SHOWN_PROBLEMS])
    there = _there(rows)
    made = [
        Coauthorship(
            orcid_a=key[0], orcid_b=key[1], year=key[2], title=key[3], doi=key[4], source=source,
            is_sample=by.is_sample, imported_by=by, imported_at=at,
        )
        for key, source in rows.items()
        if key not in there
    ]  # fmt: skip
    if not dry_run and made:
        Coauthorship.objects.bulk_create(made, batch_size=1000, ignore_conflicts=True)
        record("import_coauthorships", by, by=by, at=at, after={"created": len(made)})
    return CoauthorshipImport(len(made), count - len(made), made[:10])


def _there(rows: dict[Key, str]) -> set[Any]:
    names = ("orcid_a", "orcid_b", "year", "title", "doi")
    wanted = {key[0] for key in rows}
    return set(Coauthorship.objects.filter(orcid_a__in=wanted).values_list(*names))


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
    if len(problems) == before and found["orcid_a"] == found["orcid_b"]:
        problems.append(problem(number, "", "same_person", _("Both ORCID iDs are the same. Enter two people.")))
    if len(problems) == before and not (found.get("title") or found.get("doi")):
        problems.append(problem(number, "", "unnamed", _("Enter the title or the DOI of the publication.")))
    return found if len(problems) == before else None


def _value(field: str, text: str) -> Any:
    if is_formula(text):
        raise ValidationError(_("This is a formula. Put its value instead."), code="formula")
    if field in ("orcid_a", "orcid_b"):
        value = normalise_orcid(text)
        validate_orcid(value)
        return value
    if field == "year":
        year = parse_era(text)
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValidationError(_("Enter the year as 2024 or 令和6年."), code="year")
        return year
    value = half_width(text).removeprefix("https://doi.org/") if field == "doi" else text
    if len(value) > LONGEST[field]:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        raise ValidationError(message % {"limit": LONGEST[field], "count": len(value)}, code="too_long")
    return value
