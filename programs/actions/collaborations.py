"""Collaborations of a project: entered and kept by its team, its HQ and the program officer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, NotReady, StaleEdit
from common.states import locked
from common.text import clean, clean_line
from programs.models import Collaboration, Project
from programs.rules.risks import collaboration_blockers, may_keep

LINES = ("partner", "contribution", "export_checked_by")
FIELDS = (
    "kind", "sector", "country", "subject", "starts_on", "ends_on", "contribution_yen", "agreement", "agreed_on",
    "export_control", "export_checked_on", *LINES,
)  # fmt: skip
NOT_YOURS = "Risks and collaborations are kept by the project's team, its HQ and the program officer."


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    typed = {name: values.get(name) for name in FIELDS}
    for name in LINES:
        typed[name] = clean_line(typed[name] or "").strip()
    typed["subject"] = clean(typed["subject"] or "").strip()
    return typed


@transaction.atomic
def enter_collaboration(project: Project, *, values: Mapping[str, Any], by: User, at: datetime) -> Collaboration:
    """This function will put a collaboration on record. Raises `NotAllowed`, or `NotReady` with what is wrong."""
    project = locked(Project, project.pk)
    if not may_keep(by, project):
        raise NotAllowed(_(NOT_YOURS))
    typed = _typed(values)
    _refuse_wrong(typed, at)
    made = Collaboration.objects.create(project=project, entered_by=by, entered_at=at, **typed)
    after = {"collaboration": made.partner, "kind": made.kind, "country": made.country}
    record("enter_collaboration", project, by=by, at=at, after=after)
    return made


@transaction.atomic
def save_collaboration(
    collaboration: Collaboration, *, values: Mapping[str, Any], revision: int, by: User, at: datetime
) -> Collaboration:
    """This function will save a collaboration if nobody saved since. Raises `StaleEdit`, `NotAllowed`, `NotReady`."""
    row = locked(Collaboration, collaboration.pk)
    if not may_keep(by, row.project):
        raise NotAllowed(_(NOT_YOURS))
    typed = _typed(values)
    before = {name: getattr(row, name) for name in FIELDS}
    if before == typed:
        return row
    if revision != row.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=before, submitted=typed)
    _refuse_wrong(typed, at)
    for name, value in typed.items():
        setattr(row, name, value)
    row.revision += 1
    row.save(update_fields=[*FIELDS, "revision"])
    changed = [name for name in FIELDS if before[name] != typed[name]]
    record(
        "save_collaboration", row.project, by=by, at=at, before={name: _plain(before[name]) for name in changed},
        after={"collaboration": row.partner, **{name: _plain(typed[name]) for name in changed}},
    )  # fmt: skip
    return row


def _refuse_wrong(typed: Mapping[str, Any], at: datetime) -> None:
    if blockers := collaboration_blockers(typed, today=localdate(at)):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str | None) else str(value)
