"""Observations of indicators in bulk: validated row by row, written with COPY, only ever added.

A sender gives each observation an id of its own. The same id with the same content is a duplicate and harmless; with
other content it is refused: a correction is a new observation that names the id it corrects.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from accounts.models import Organization
from accounts.queries import AgencyClient
from common.actors import Actor
from common.audit import Change, record_many
from common.errors import Blocker
from common.fiscal_year import fiscal_year_of
from common.text import clean_line
from programs.models import IndicatorObservation, OutcomeIndicator, Participation, Program
from programs.rules import indicators_writable, programs_visible

FIELDS = frozenset(
    {"indicator", "organization", "fiscal_year", "observed_on", "value", "source", "external_id", "corrects"}
)
REQUIRED = ("indicator", "fiscal_year", "observed_on", "value", "source", "external_id")
SOURCE_LENGTH = 200
FIRST_YEAR = 1950
#: numeric(20, 4): sixteen digits before the point.
LIMIT = 10**16
_EXTERNAL_ID = re.compile(r"[!-\[\]-~]{1,64}")
_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,20})?")
_LINES_AT_ONCE = 5000
_SENDER_LOCK = 7_301_003

_BACKSLASH, _NULL = "\\", "\\N"
_COPY = f"""
    COPY {IndicatorObservation._meta.db_table}
    (indicator_id, organization_id, fiscal_year, observed_on, value, source, external_id, corrects_id, sender,
     recorded_at)
    FROM STDIN
"""

CREATED, DUPLICATE, ERROR = "created", "duplicate", "error"


class RowResult(NamedTuple):
    """What became of one row: `created`, `duplicate` or `error` with the problem. `position` counts from 0."""

    position: int
    external_id: str
    status: str
    problem: Blocker | None = None


class _Row(NamedTuple):
    """A checked row: references as keys, the value as the text that COPY reads."""

    indicator_id: int
    organization_id: int | None
    fiscal_year: int
    observed_on: str
    value: str
    source: str
    corrects: str


class _RowError(Exception):
    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.blocker = Blocker(field, code, message)


@dataclass(slots=True)
class _Known:
    """Everything a row is checked against, read once for the batch."""

    today: date
    fiscal_year: int
    indicators: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
    visible: set[str] = field(default_factory=set)
    organizations: dict[str, tuple[int, bool]] = field(default_factory=dict)
    members: dict[int, set[int]] = field(default_factory=dict)
    days: dict[str, bool] = field(default_factory=dict)
    sources: dict[str, bool] = field(default_factory=dict)


def sender_of(by: Actor) -> str:
    """This function will name the sender within whose ids each is unique: the agency of a client, or a person."""
    return by.organization_ref if isinstance(by, AgencyClient) else f"{by.actor_kind}-{by.actor_id}"


def sender_at(indicator: OutcomeIndicator) -> str:
    """This function will name the sender of what people record at an indicator's page.

    All of them together, so that nothing counts twice when two record it, and a successor can correct it.
    """
    return f"portal-{indicator.pk}"


@transaction.atomic
def record_value(indicator: OutcomeIndicator, row: dict[str, Any], *, by: Actor, at: datetime) -> RowResult:
    """This function will add one value typed by hand; `row` is as for `record_observations`, without an id.

    Whoever types the same day of the same institution from the same source means a correction, or has pressed twice.
    """
    sender = sender_at(indicator)
    _one_after_the_other(sender)
    there = IndicatorObservation.objects.filter(
        indicator=indicator, sender=sender, corrected_by=None, fiscal_year=row["fiscal_year"],
        observed_on=row["observed_on"], source=row["source"],
    ).exclude(external_id=row["corrects"] or "")  # fmt: skip
    named = Q(organization__ref=row["organization"]) if row["organization"] else Q(organization=None)
    if (same := there.filter(named).first()) is not None:
        message = _(
            "A value of this day and source is on record already: %(value)s. Choose it here to correct it; "
            "if yours is another one, say in the source which."
        )
        problem = Blocker("corrects", "there_already", message % {"value": f"{same.value.normalize():,f}"})
        return RowResult(0, "", ERROR, problem)
    (result,) = record_observations([{**row, "external_id": f"hand-{uuid.uuid4()}"}], by=by, at=at, sender=sender)
    return result


@transaction.atomic
def record_observations(
    rows: Iterable[dict[str, Any]], *, by: Actor, at: datetime, dry_run: bool = False, sender: str = ""
) -> list[RowResult]:
    """This function will add observations and tell for each row, in order, what became of it.

    A row has `indicator` (reference), `fiscal_year` (integer), `observed_on` (YYYY-MM-DD), `value` (number, or text
    such as "12.5"), `source`, `external_id`, and may have `organization` (reference) and `corrects` (an `external_id`
    of the same sender). A wrong row does not hinder the others. A dry run writes nothing. `sender` is the one within
    whose ids each is unique, if it is not `by` alone.
    """
    batch = list(rows)
    sender = sender or sender_of(by)
    known = _read_known(batch, by, localdate(at))
    results: list[RowResult] = []
    checked: dict[str, tuple[int, _Row]] = {}
    for index, row in enumerate(batch):
        try:
            external_id, good = _checked(row, known)
        except _RowError as error:
            results.append(RowResult(index, _shown_id(row), ERROR, error.blocker))
            continue
        if external_id in checked:
            results.append(_again(index, external_id, checked[external_id][1], good))
        else:
            checked[external_id] = (index, good)
    _one_after_the_other(sender)
    added = _add_all_new(checked, sender, at, results) if not dry_run else None
    if added is None:
        added = _add(_without_known(checked, sender, results), sender, at, results, dry_run)
    if added and not dry_run:
        _tell(added, sender, by, at)
    results.sort()
    return results


def _one_after_the_other(sender: str) -> None:
    """One batch of a sender after the other: so what is read here is what COPY will meet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_SENDER_LOCK, sender])


# Checking -------------------------------------------------------------------------------------------------------------


def _read_known(batch: Sequence[Any], by: Actor, today: date) -> _Known:
    known = _Known(today, fiscal_year_of(today))
    indicator_refs = _texts(batch, "indicator")
    indicators = OutcomeIndicator.objects.filter(ref__in=indicator_refs)
    known.visible = set(
        indicators.filter(program__in=Program.objects.filter(programs_visible(by))).values_list("ref", flat=True)
    )
    paths: dict[int, str] = {}
    for ref, pk, program_id, is_sample, path in indicators.filter(indicators_writable(by)).values_list(
        "ref", "pk", "program_id", "program__is_sample", "program__path"
    ):
        known.indicators[ref] = (pk, program_id, is_sample)
        paths[program_id] = path
    organizations = Organization.objects.filter(ref__in=_texts(batch, "organization"))
    known.organizations = {
        ref: (pk, is_sample) for ref, pk, is_sample in organizations.values_list("ref", "pk", "is_sample")
    }
    # The institutions of a component, and of its projects, report to the indicators of the programs above it.
    below = Q(pk__in=[])
    for path in paths.values():
        below |= Q(program__path__startswith=path) | Q(project__program__path__startswith=path)
    parts = Participation.objects.filter(below).annotate(place=Coalesce("program__path", "project__program__path"))
    for place, organization_id in parts.values_list("place", "organization_id").distinct():
        for program_id, path in paths.items():
            if place.startswith(path):
                known.members.setdefault(program_id, set()).add(organization_id)
    return known


def _texts(batch: Sequence[Any], key: str) -> set[str]:
    return {value for row in batch if type(row) is dict and type(value := row.get(key)) is str}


def _shown_id(row: Any) -> str:
    value = row.get("external_id") if isinstance(row, dict) else None
    return value[:64] if isinstance(value, str) else ""


def _checked(row: Any, known: _Known) -> tuple[str, _Row]:
    if type(row) is not dict:
        raise _RowError("", "wrong_type", _("Each line must be an object with the fields of an observation."))
    if not row.keys() <= FIELDS:
        unknown = ", ".join(sorted(str(key) for key in row.keys() - FIELDS))
        raise _RowError("", "unknown_field", _("Remove the unknown fields: %(fields)s.") % {"fields": unknown})
    try:
        return _read(row, known)
    except _RowError:
        for name in REQUIRED:
            if row.get(name) is None:
                raise _RowError(name, "required", _("This field is missing. Add it.")) from None
        raise


def _read(row: dict[str, Any], known: _Known) -> tuple[str, _Row]:
    get = row.get
    external_id = get("external_id")
    if type(external_id) is not str or not _EXTERNAL_ID.fullmatch(external_id):
        message = _("Use 1 to 64 visible ASCII characters, without spaces and backslashes, as the sender's id.")
        raise _RowError("external_id", "bad_id", message)
    indicator_id, organization_id = _references(get("indicator"), get("organization"), known)
    fiscal_year = get("fiscal_year")
    if type(fiscal_year) is not int or not FIRST_YEAR <= fiscal_year <= known.fiscal_year:
        message = _("Write the fiscal year as the number of its first year, from %(first)s to %(last)s.")
        values = {"first": FIRST_YEAR, "last": known.fiscal_year}
        raise _RowError("fiscal_year", "bad_year", message % values)
    corrects = get("corrects")
    return external_id, _Row(
        indicator_id,
        organization_id,
        fiscal_year,
        _day(get("observed_on"), known),
        _value(get("value")),
        _source(get("source"), known),
        "" if corrects is None else _corrected_id(corrects, external_id),
    )


def _references(ref: Any, organization: Any, known: _Known) -> tuple[int, int | None]:
    found = known.indicators.get(ref) if isinstance(ref, str) else None
    if found is None:
        if isinstance(ref, str) and ref in known.visible:
            raise _RowError("indicator", "not_writable", _("You cannot send observations of this indicator."))
        raise _RowError("indicator", "unknown", _("There is no such indicator. Check the reference."))
    indicator_id, program_id, is_sample = found
    if organization is None:
        return indicator_id, None
    place = known.organizations.get(organization) if isinstance(organization, str) else None
    if place is None:
        raise _RowError("organization", "unknown", _("There is no such organization. Check the reference."))
    if place[1] != is_sample or place[0] not in known.members.get(program_id, ()):
        message = _("This organization takes no part in the indicator's program.")
        raise _RowError("organization", "foreign", message)
    return indicator_id, place[0]


def _day(value: Any, known: _Known) -> str:
    if isinstance(value, str):
        if value in known.days:
            return value
        if len(value) == 10:
            try:
                day = date.fromisoformat(value)
            except ValueError:
                day = None
            if day is not None and day.isoformat() != value:
                day = None  # 2026-W24-5 is ISO too, but not what the database reads
            if day is not None and day > known.today:
                raise _RowError("observed_on", "future", _("The day lies in the future. Send it when it has passed."))
            if day is not None:
                known.days[value] = True
                return value
    raise _RowError("observed_on", "bad_date", _("Write the day as 2026-06-12."))


def _value(value: Any) -> str:
    if type(value) is int and -LIMIT < value < LIMIT:
        return str(value)
    if isinstance(value, float | Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        number = Decimal(str(value))
        if number.is_finite() and abs(number) < LIMIT and number == number.quantize(Decimal("0.0001")):
            return f"{number:f}"
    raise _RowError(
        "value", "bad_number", _("Write a number with up to 16 digits and up to 4 decimals, without commas.")
    )


def _source(value: Any, known: _Known) -> str:
    if isinstance(value, str):
        if value in known.sources:
            return value
        if value and len(value) <= SOURCE_LENGTH and value == clean_line(value):
            known.sources[value] = True
            return value
    message = _("Say in one line of up to %(limit)s characters where the figure comes from.") % {"limit": SOURCE_LENGTH}
    raise _RowError("source", "bad_source", message)


def _corrected_id(value: Any, own_id: str) -> str:
    if not isinstance(value, str) or not value:
        raise _RowError("corrects", "unknown", _("Write the sender's id of the observation to correct."))
    if value == own_id:
        raise _RowError("corrects", "itself", _("An observation cannot correct itself. Give it an id of its own."))
    return value


def _again(index: int, external_id: str, there: _Row, sent: _Row) -> RowResult:
    same = there._replace(value="") == sent._replace(value="") and Decimal(there.value) == Decimal(sent.value)
    if same:
        return RowResult(index, external_id, DUPLICATE)
    message = _("This id was sent before with other content. Send a new id that names this one in “corrects”.")
    return RowResult(index, external_id, ERROR, Blocker("external_id", "other_content", message))


# Writing --------------------------------------------------------------------------------------------------------------


def _add_all_new(
    checked: dict[str, tuple[int, _Row]], sender: str, at: datetime, results: list[RowResult]
) -> list[_Row] | None:
    """Adds a batch in which, as usually, nothing was sent before; None when the database knows an id already.

    To look for the ids first costs every batch what only a repeated one needs.
    """
    if any(row.corrects for _index, row in checked.values()):
        return None
    try:
        with transaction.atomic():
            _copy(checked, sender, at, {})
    except UniqueViolation:
        return None
    results += [RowResult(index, external_id, CREATED) for external_id, (index, _row) in checked.items()]
    return [row for _index, row in checked.values()]


def _without_known(
    checked: dict[str, tuple[int, _Row]], sender: str, results: list[RowResult]
) -> dict[str, tuple[int, _Row]]:
    """What was sent before goes into the results; the rest is returned."""
    known = _existing(sender, list(checked))
    results += [
        _again(index, external_id, known[external_id], row)
        for external_id, (index, row) in checked.items()
        if external_id in known
    ]
    return {external_id: place for external_id, place in checked.items() if external_id not in known}


_EXISTING = f"""
    SELECT o.external_id, o.indicator_id, o.organization_id, o.fiscal_year, o.observed_on, o.value, o.source,
           target.external_id
    FROM {IndicatorObservation._meta.db_table} o
    LEFT JOIN {IndicatorObservation._meta.db_table} target ON target.id = o.corrects_id
    WHERE o.sender = %s AND o.external_id = ANY(%s)
"""


def _existing(sender: str, external_ids: list[str]) -> dict[str, _Row]:
    # One array, since thousands of parameters of an IN take longer than the rows themselves.
    with connection.cursor() as cursor:
        cursor.execute(_EXISTING, [sender, external_ids])
        return {
            external_id: _Row(indicator, organization, year, day.isoformat(), str(value), source, corrects or "")
            for external_id, indicator, organization, year, day, value, source, corrects in cursor.fetchall()
        }


class _Target(NamedTuple):
    pk: int
    indicator_id: int
    is_corrected: bool


def _add(
    new: dict[str, tuple[int, _Row]], sender: str, at: datetime, results: list[RowResult], dry_run: bool
) -> list[_Row]:
    """Adds what corrects nothing, then in waves what corrects something that is there by then."""
    added: list[_Row] = []
    waiting = {external_id: place for external_id, place in new.items() if place[1].corrects}
    wave = {external_id: place for external_id, place in new.items() if not place[1].corrects}
    planned: dict[str, _Target] = {}
    targets: dict[str, _Target] = {}
    taken: set[str] = set()
    while True:
        if dry_run:
            planned |= {external_id: _Target(0, row.indicator_id, False) for external_id, (_i, row) in wave.items()}
        elif wave:
            _copy(wave, sender, at, targets)
        added += [row for _index, row in wave.values()]
        results += [RowResult(index, external_id, CREATED) for external_id, (index, _row) in wave.items()]
        if not waiting:
            return added
        targets = planned | _targets(sender, waiting)
        wave = _ready(waiting, targets, taken, results)


def _ready(
    waiting: dict[str, tuple[int, _Row]], targets: dict[str, _Target], taken: set[str], results: list[RowResult]
) -> dict[str, tuple[int, _Row]]:
    """Takes from `waiting` what can be added now, and what never can be, with the reason, into the results.

    `taken` holds what this batch has corrected so far.
    """
    ready: dict[str, tuple[int, _Row]] = {}
    problems: dict[str, tuple[str, str]] = {}
    for external_id, (_index, row) in waiting.items():
        target = targets.get(row.corrects)
        if target is None:
            if row.corrects not in waiting:
                problems[external_id] = ("unknown", _("There is no observation of yours with the id to correct."))
        elif target.is_corrected or row.corrects in taken:
            message = _("That observation has been corrected already. Correct the newer one.")
            problems[external_id] = ("corrected", message)
        elif target.indicator_id != row.indicator_id:
            message = _("A correction is of the same indicator as the observation it corrects.")
            problems[external_id] = ("other_indicator", message)
        else:
            ready[external_id] = waiting[external_id]
            taken.add(row.corrects)
    if not ready and not problems:  # what is left only corrects each other
        message = _("There is no observation of yours with the id to correct.")
        problems = dict.fromkeys(waiting, ("unknown", message))
    for external_id, (code, message) in problems.items():
        results.append(RowResult(waiting[external_id][0], external_id, ERROR, Blocker("corrects", code, message)))
    for external_id in [*ready, *problems]:
        del waiting[external_id]
    return ready


def _targets(sender: str, waiting: dict[str, tuple[int, _Row]]) -> dict[str, _Target]:
    found = IndicatorObservation.objects.filter(
        sender=sender, external_id__in={row.corrects for _index, row in waiting.values()}
    ).values_list("external_id", "pk", "indicator_id", "corrected_by__pk")
    return {
        external_id: _Target(pk, indicator_id, corrected_by is not None)
        for external_id, pk, indicator_id, corrected_by in found
    }


def _copy(wave: dict[str, tuple[int, _Row]], sender: str, at: datetime, targets: dict[str, _Target]) -> None:
    """In COPY's text form: of all that was checked, only a source can hold what must be escaped, a backslash."""
    end = f"{sender}\t{at.isoformat()}\n"
    lines = [
        f"{row.indicator_id}\t{row.organization_id or _NULL}\t{row.fiscal_year}\t{row.observed_on}\t{row.value}\t"
        f"{row.source.replace(_BACKSLASH, _BACKSLASH * 2)}\t{external_id}\t"
        f"{targets[row.corrects].pk if row.corrects else _NULL}\t{end}"
        for external_id, (_index, row) in wave.items()
    ]
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for start in range(0, len(lines), _LINES_AT_ONCE):
            copy.write("".join(lines[start : start + _LINES_AT_ONCE]))


def _tell(added: list[_Row], sender: str, by: Actor, at: datetime) -> None:
    """One journal row for each indicator: the observations themselves are never changed and tell the rest."""
    counts: dict[int, int] = {}
    for row in added:
        counts[row.indicator_id] = counts.get(row.indicator_id, 0) + 1
    indicators = OutcomeIndicator.objects.in_bulk(counts)
    record_many(
        "record_observations",
        [Change(indicators[pk], after={"added": count, "sender": sender}) for pk, count in counts.items()],
        by=by,
        at=at,
    )
