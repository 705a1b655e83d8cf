"""Rounds: made, written on, opened, closed step by step, cloned, invalidated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.timezone import get_current_timezone, localdate
from django.utils.translation import gettext as _

from accounts.models import Person, User
from common.actors import Actor
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import fiscal_year_of
from common.states import locked, move
from common.text import clean, clean_line
from evaluations.actions.conflict_detection import detect_conflicts
from evaluations.actions.rubrics import copy_rubric, make_rubric
from evaluations.calendar import DECISION, STEPS, computed, from_decision
from evaluations.models import GateReview, Panel, Round, RoundDocument, RoundSecretary
from evaluations.rules.rounds import calendar_blockers, may_make_round, opening_blockers, round_actions, round_days
from evaluations.states import DRAFTING, INVALIDATED, OPEN, RELEASED, ROUND_MOVES
from programs.models import Program

TEMPLATE = Path(__file__).resolve().parent.parent / "data" / "round_calendar.json"
FIELDS = (
    "kind", "subject", "area", "gate", "name_ja", "name_en", "fiscal_year", "chair_source", "readers_per_case",
    "cases_per_reader_min", "cases_per_reader_max", "quorum", "objection_days",
)  # fmt: skip
INSTANTS = ("first_close_at", "final_close_at")
#: Scores close at this hour in Japan unless the round says another.
CLOSING = time(17, 0)
NOT_YOURS = "A round is made by the ministry's staff of its program and run by its secretariat."


@cache
def template_days() -> dict[str, int]:
    """This function will return how many days before the contracts each step is proposed for."""
    return {one["step"]: one["days_before"] for one in json.loads(TEMPLATE.read_text())["steps"]}


def contracts_after(today: date) -> date:
    """This function will return the next 1 April for which a round of the full length can still decide."""
    first = date(today.year, 4, 1)
    while first - timedelta(days=template_days()["calls_on"]) < today:
        first = date(first.year + 1, 4, 1)
    return first


@transaction.atomic
def make_round(program: Program, *, values: Mapping[str, Any], by: User, at: datetime) -> Round:
    """This function will make a round in preparation, with an empty rubric, its panel and the computed calendar."""
    if not may_make_round(by, program.pk):
        raise NotAllowed(_(NOT_YOURS))
    typed = _typed(values)
    _refuse_wrong(program, typed)
    contracts_on = max(contracts_after(localdate(at)), date(typed["fiscal_year"] + 1, 4, 1))
    made = Round(
        program=program, is_sample=program.is_sample, made_by=by, made_at=at, **typed,
        **_as_fields(computed(template_days(), contracts_on)),
        rubric=make_rubric(typed["name_ja"], typed["name_en"], by=by, at=at),
    )  # fmt: skip
    made.save(force_insert=True)
    Panel.objects.create(round=made, is_sample=made.is_sample)
    record("make_round", made, by=by, at=at, after={"kind": made.kind, "contracts_on": contracts_on.isoformat()})
    return made


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    typed = {name: values.get(name) for name in FIELDS}
    for name in ("name_ja", "name_en"):
        typed[name] = clean_line(typed[name] or "").strip()
    return typed


def _refuse_wrong(program: Program, typed: Mapping[str, Any]) -> None:
    found = []
    if not typed["name_ja"]:
        found.append(Blocker("name_ja", "required", _("Enter this.")))
    if typed["area"] is not None and typed["area"].program_id != program.pk:
        found.append(Blocker("area", "foreign", _("Choose an area of this program.")))
    if typed["gate"] is not None and typed["gate"].program_id != program.pk:
        found.append(Blocker("gate", "foreign", _("Choose a gate of this program.")))
    if typed["cases_per_reader_min"] > typed["cases_per_reader_max"]:
        message = _("Enter at most the number of cases that a reader may have.")
        found.append(Blocker("cases_per_reader_min", "loads_out_of_order", message))
    if found:
        raise NotReady(_("Not saved. Correct what is marked."), found)


def _as_fields(days: Mapping[str, date]) -> dict[str, Any]:
    zone = get_current_timezone()
    return {
        step: datetime.combine(day, CLOSING, zone) if step in INSTANTS and not isinstance(day, datetime) else day
        for step, day in days.items()
    }


@transaction.atomic
def save_round(one: Round, *, values: Mapping[str, Any], revision: int, by: User, at: datetime) -> Round:
    """This function will save a round in preparation. Raises `NotAllowed`, `NotReady`, `StaleEdit`, `Refused`."""
    row = _locked_for(one, "round.edit", by)
    if row.state != DRAFTING:
        message = _("The round is open: only its calendar can still be changed.")
        raise Refused(message, "round_is_open")
    typed = _typed(values)
    _refuse_wrong(row.program, typed)
    _save(row, typed, revision, "save_round", by, at)
    return row


@transaction.atomic
def save_calendar(
    one: Round, *, values: Mapping[str, date | datetime | None], revision: int, reason: str = "", by: User, at: datetime
) -> Round:
    """This function will save the days of a round. A running round needs a reason and keeps what has passed.

    Raises `NotReady` with the days out of order or already past, each at its field, `StaleEdit`, `NotAllowed`.
    """
    row = _locked_for(one, "round.edit", by)
    typed = {step: values.get(step) for step in STEPS}
    days = {step: localdate(v) if isinstance(v, datetime) else v for step, v in typed.items() if v is not None}
    blockers = calendar_blockers(days)
    why = clean(reason).strip()
    if row.state != DRAFTING:
        blockers += _running_blockers(row, typed, why, at)
    if blockers:
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    _save(row, typed, revision, "save_calendar", by, at, reason=why)
    return row


def _running_blockers(row: Round, typed: Mapping[str, Any], why: str, at: datetime) -> Iterable[Blocker]:
    today = localdate(at)
    for step, value in typed.items():
        old = getattr(row, step)
        if value == old:
            continue
        if value is None:
            yield Blocker(step, "missing", _("Enter the day. An open round has all of its days."))
        elif step in INSTANTS and (old <= at or value <= at):
            yield Blocker(
                step, "past", _("Keep this. Scores that have closed stay closed, and closing is in the future.")
            )
        elif step not in INSTANTS and old < today:
            yield Blocker(step, "past", _("Keep this day. It has passed."))
    if not why:
        yield Blocker("reason", "required", _("Give the reason: everybody in the round is bound by these days."))


def _save(
    row: Round, typed: Mapping[str, Any], revision: int, act: str, by: User, at: datetime, reason: str = ""
) -> None:
    before = {name: getattr(row, name) for name in typed}
    changed = [name for name in typed if before[name] != typed[name]]
    if not changed:
        return
    if revision != row.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=before, submitted=dict(typed))
    for name in changed:
        setattr(row, name, typed[name])
    row.revision += 1
    row.save(update_fields=[*changed, "revision"])
    told = {name: _plain(before[name]) for name in changed}, {name: _plain(typed[name]) for name in changed}
    record(act, row, by=by, at=at, before=told[0], after=told[1], reason=reason)


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value if isinstance(value, int | str | None) else str(value)


def proposed_days(*, contracts_on: date | None = None, decision_on: date | None = None) -> dict[str, Any]:
    """This function will compute a calendar from the day of the contracts or of the decision; nothing is saved."""
    if decision_on is not None:
        return _as_fields(from_decision(template_days(), decision_on))
    assert contracts_on is not None
    return _as_fields(computed(template_days(), contracts_on))


@transaction.atomic
def save_documents(one: Round, *, documents: Iterable[Mapping[str, Any]], by: User, at: datetime) -> Round:
    """This function will replace the list of documents asked for, in the order given; blank rows are left out."""
    row = _locked_for(one, "round.edit", by)
    if row.state != DRAFTING:
        raise Refused(_("The round is open: what is asked for stands."), "round_is_open")
    names = [{**each, "name_ja": clean_line(each.get("name_ja") or "").strip()} for each in documents]
    kept = [each for each in names if each["name_ja"]]
    before = list(row.documents.values_list("name_ja", flat=True))
    row.documents.all().delete()
    RoundDocument.objects.bulk_create(
        RoundDocument(
            round=row, position=place, name_ja=each["name_ja"], name_en=clean_line(each.get("name_en") or "").strip(),
            is_required=bool(each.get("is_required")), note=clean_line(each.get("note") or "").strip(),
        )
        for place, each in enumerate(kept, 1)
    )  # fmt: skip
    after = [each["name_ja"] for each in kept]
    record("save_round_documents", row, by=by, at=at, before={"documents": before}, after={"documents": after})
    return row


@transaction.atomic
def appoint_secretary(one: Round, *, person: Person, by: User, at: datetime) -> RoundSecretary:
    """This function will propose a person for the round's secretariat; it counts once another officer approves it."""
    row = _locked_for(one, "round.appoint", by)
    if row.secretaries.filter(person=person).exists():
        raise Refused(_("This person is in the round's secretariat already."), "twice", "person")
    if person.is_sample and not row.is_sample:
        raise Refused(_("A sample person cannot hold a role in a real round."), "sample_record", "person")
    made = RoundSecretary.objects.create(round=row, person=person, starts_on=localdate(at), granted_by=by)
    record("appoint_secretary", row, by=by, at=at, after={"person": person.name})
    return made


@transaction.atomic
def approve_secretary(secretary: RoundSecretary, *, by: User, at: datetime) -> RoundSecretary:
    """This function will approve an appointment. Raises `NotAllowed` for whoever proposed it and for the person."""
    row = locked(RoundSecretary, secretary.pk)
    _locked_for(row.round, "round.appoint", by)
    if by.pk == row.granted_by_id or by.person_id == row.person_id:
        raise NotAllowed(_("Whoever proposed this does not approve it. Ask a colleague."), "second_person")
    if row.approved_by_id is not None:
        raise Refused(_("This is approved already."), "twice")
    row.approved_by = by
    row.save(update_fields=["approved_by"])
    record("approve_secretary", row.round, by=by, at=at, after={"person": row.person.name})
    return row


# The round's life -----------------------------------------------------------------------------------------------------


@transaction.atomic
def open_round(one: Round, *, by: User, at: datetime) -> Round:
    """This function will open a round. Raises `NotAllowed`, or `NotReady` with everything that is missing."""
    row = _locked_for(one, "round.open", by)
    if blockers := opening_blockers(row, at):
        raise NotReady(_("The round cannot be opened yet."), blockers)
    row.opened_by, row.opened_at = by, at
    before = move(row, "open", ROUND_MOVES, also=("opened_by", "opened_at"))
    record("open_round", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    detect_conflicts(row, at=at)
    return row


@transaction.atomic
def close_scores(one: Round, *, final: bool = False, by: Actor, at: datetime) -> Round:
    """This function will close the first or the final scores, at their instant and not before.

    By the timetable, or by hand when the timetable stood still. Raises `NotReady` before the instant.
    """
    act, limit = ("close_final", "final_close_at") if final else ("close_first", "first_close_at")
    row = _locked_for(one, f"round.{act}", by) if isinstance(by, User) else locked(Round, one.pk)
    closes_at = getattr(row, limit)
    if closes_at is None or at < closes_at:
        blocker = Blocker(limit, "too_early", _("Scores are open until their closing time."))
        raise NotReady(_("Scores cannot be closed before their time."), [blocker])
    field = "final_closed_at" if final else "first_closed_at"
    setattr(row, field, at)
    before = move(row, act, ROUND_MOVES, also=(field,))
    record(f"{act}_scores", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    return row


def close_due_scores(*, by: Actor, at: datetime) -> int:
    """This function will close the scores of every round whose time has come, and return how many were closed."""
    closed = 0
    for state, limit, final in ((OPEN, "first_close_at", False), ("first_closed", "final_close_at", True)):
        for row in Round.objects.filter(state=state, **{f"{limit}__lte": at}).order_by("pk"):
            close_scores(row, final=final, by=by, at=at)
            closed += 1
    return closed


@transaction.atomic
def close_round(one: Round, *, by: User, at: datetime) -> Round:
    """This function will close a round once each of its reviews is released or invalid; `NotReady` names the others."""
    row = _locked_for(one, "round.close", by)
    left = GateReview.objects.filter(round=row).exclude(state__in=(RELEASED, INVALIDATED)).order_by("ref")
    if blockers := [Blocker(review.ref, "not_released", _("Its decision is not released.")) for review in left]:
        raise NotReady(_("The round cannot be closed yet."), blockers)
    row.closed_at = at
    before = move(row, "close", ROUND_MOVES, also=("closed_at",))
    record("close_round", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    return row


def first_clone_year(one: Round) -> int:
    """This function will return the first fiscal year for a round like this one: an invalid one is run anew in its own."""
    return one.fiscal_year if one.state == INVALIDATED else one.fiscal_year + 1


@transaction.atomic
def clone_round(one: Round, *, fiscal_year: int, by: User, at: datetime) -> Round:
    """This function will make a new round like a former one: rubric, documents and spacing of the days; no people."""
    if not may_make_round(by, one.program_id) or "round.clone" not in round_actions(by, one):
        raise NotAllowed(_(NOT_YOURS))
    if fiscal_year < first_clone_year(one):
        raise Refused(_("Choose a fiscal year after the former round's."), "not_after", "fiscal_year")
    kept = {name: getattr(one, name) for name in FIELDS} | {"fiscal_year": fiscal_year}
    rubric = (
        copy_rubric(one.rubric, by=by, at=at) if one.rubric else make_rubric(one.name_ja, one.name_en, by=by, at=at)
    )
    made = Round.objects.create(
        program=one.program, is_sample=one.is_sample, cloned_from=one, rubric=rubric, made_by=by, made_at=at,
        **kept, **_as_fields(_shifted_days(one, fiscal_year)),
    )  # fmt: skip
    Panel.objects.create(round=made, is_sample=made.is_sample)
    RoundDocument.objects.bulk_create(
        RoundDocument(
            round=made, position=each.position, name_ja=each.name_ja, name_en=each.name_en,
            is_required=each.is_required, note=each.note,
        )
        for each in one.documents.all()
    )  # fmt: skip
    record("clone_round", made, by=by, at=at, after={"from": one.ref, "fiscal_year": fiscal_year})
    return made


def _shifted_days(one: Round, fiscal_year: int) -> dict[str, date]:
    """The same number of days before 1 April as in the former round, on business days."""
    days = round_days(one)
    if DECISION not in days:
        return computed(template_days(), date(fiscal_year + 1, 4, 1))
    anchor = date(fiscal_year_of(days[DECISION]) + 1, 4, 1)
    years = fiscal_year - one.fiscal_year
    return computed({step: (anchor - day).days for step, day in days.items()}, date(anchor.year + years, 4, 1))


def _locked_for(one: Round, permission: str, by: User) -> Round:
    row = locked(Round, one.pk)
    if permission not in round_actions(by, row):
        raise NotAllowed(_("This step is not open to you in the present state of the round."))
    return row
