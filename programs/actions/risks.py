"""Risks and issues: opened, written on, escalated to the director, answered, closed with what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, clean_line
from programs.models import Project, Risk, RiskNote
from programs.queries.risks import risk_owners
from programs.rules.risks import may_keep, risk_actions, risk_blockers
from programs.states import RISK_MOVES

FIELDS = ("kind", "title", "description", "likelihood", "effect", "owner", "measure", "due_on")
NOT_YOURS = "Risks and collaborations are kept by the project's team, its HQ and the program officer."
NOTES = {
    "escalate": RiskNote.Kind.ESCALATION,
    "answer": RiskNote.Kind.ANSWER,
    "close": RiskNote.Kind.CLOSING,
    "reopen": RiskNote.Kind.REOPENING,
}


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    typed = {name: values.get(name) for name in FIELDS}
    typed["title"] = clean_line(typed["title"] or "").strip()
    for name in ("description", "measure"):
        typed[name] = clean(typed[name] or "").strip()
    return typed


@transaction.atomic
def open_risk(project: Project, *, values: Mapping[str, Any], by: User, at: datetime) -> Risk:
    """This function will put a risk or an issue on record. Raises `NotAllowed`, or `NotReady` with what is wrong."""
    project = locked(Project, project.pk)
    if not may_keep(by, project):
        raise NotAllowed(_(NOT_YOURS))
    typed = _typed(values)
    _refuse_wrong(project, typed, at, is_new=True)
    made = Risk.objects.create(project=project, opened_by=by, opened_at=at, **typed)
    record(
        "open_risk", project, by=by, at=at, after={"risk": made.title, "score": typed["likelihood"] * typed["effect"]}
    )
    return made


@transaction.atomic
def save_risk(risk: Risk, *, values: Mapping[str, Any], revision: int, by: User, at: datetime) -> Risk:
    """This function will save a risk if nobody saved since `revision`. Raises `StaleEdit`, `NotAllowed`, `NotReady`."""
    row = _locked_for(risk, "risk.edit", by)
    typed = _typed(values)
    before = {name: getattr(row, name) for name in FIELDS}
    if before == typed:
        return row
    if revision != row.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=before, submitted=typed)
    _refuse_wrong(row.project, typed, at, is_new=False)
    for name, value in typed.items():
        setattr(row, name, value)
    row.revision += 1
    row.save(update_fields=[*FIELDS, "revision"])
    changed = [name for name in FIELDS if before[name] != typed[name]]
    record(
        "save_risk", row.project, by=by, at=at, before={name: _plain(before[name]) for name in changed},
        after={"risk": row.title, **{name: _plain(typed[name]) for name in changed}},
    )  # fmt: skip
    return row


def _refuse_wrong(project: Project, typed: Mapping[str, Any], at: datetime, *, is_new: bool) -> None:
    today = localdate(at)
    owners = {person.pk for person in risk_owners(project, today)}
    if blockers := risk_blockers(typed, owners=owners, today=today, is_new=is_new):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str | None) else str(value)


@transaction.atomic
def escalate_risk(risk: Risk, *, text: str, by: User, at: datetime) -> Risk:
    """This function will ask the director for an answer, with the reason."""
    return _moved(risk, "escalate", text, by, at)


@transaction.atomic
def answer_risk(risk: Risk, *, text: str, by: User, at: datetime) -> Risk:
    """This function will record the director's answer; the risk is the team's again."""
    return _moved(risk, "answer", text, by, at)


@transaction.atomic
def close_risk(risk: Risk, *, text: str, by: User, at: datetime) -> Risk:
    """This function will close a risk with what happened."""
    return _moved(risk, "close", text, by, at)


@transaction.atomic
def reopen_risk(risk: Risk, *, text: str, by: User, at: datetime) -> Risk:
    """This function will open a closed risk again, with the reason."""
    return _moved(risk, "reopen", text, by, at)


def _moved(risk: Risk, act: str, text: str, by: User, at: datetime) -> Risk:
    row = _locked_for(risk, f"risk.{act}", by)
    said = clean(text).strip()
    if not said:
        raise Refused(_("Enter this."), "required", "text")
    move(row, act, RISK_MOVES)
    RiskNote.objects.create(risk=row, kind=NOTES[act], text=said, by=by, at=at)
    record(f"{act}_risk", row.project, by=by, at=at, after={"risk": row.title}, reason=said)
    return row


def _locked_for(risk: Risk, act: str, by: User) -> Risk:
    row = locked(Risk, risk.pk)
    if act not in risk_actions(by, row):
        raise NotAllowed(_("This step is not open to you in the present state of the risk."))
    return row
