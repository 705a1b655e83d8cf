"""The team keeps what only its kind of project has: education programs with their parts, challenge goals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max, ProtectedError
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.states import locked
from common.text import clean
from programs.models import (
    AdoptingInstitution,
    ChallengeGoal,
    LearnerCount,
    Project,
    TrainingModule,
    TrainingProgram,
)
from programs.rules.kinds import kind_of, may_keep_kind, path_to_project

#: The field beside which stands that there is such a record already.
TWICE = {
    TrainingProgram: "name_ja",
    TrainingModule: "name_ja",
    LearnerCount: "kind",
    AdoptingInstitution: "organization",
}
Kept = TrainingProgram | TrainingModule | LearnerCount | AdoptingInstitution | ChallengeGoal


@transaction.atomic
def save_of_kind(
    project: Project, table: type[Kept], *, values: Mapping[str, Any], pk: int | None = None, by: User, at: datetime
) -> Kept:
    """This function will write one record of a project's kind, a new one without `pk`. `values` are its fields.

    Raises `NotAllowed`, `Refused` for a record that is gone, or `NotReady` with what is wrong in which field.
    """
    row = _locked_for(project, table, by)
    item: Any = table() if pk is None else _find(row, table, pk)
    before = {} if pk is None else _told(item)
    links = {name: list(value) for name, value in values.items() if name == "modules"}
    for name, value in values.items():
        if name not in links:
            setattr(item, name, clean(value).strip() if isinstance(value, str) else value)
    if "project" in {field.name for field in table._meta.concrete_fields}:
        item.project = row
    _complete(item, row)
    blockers = [*_wrong(item), *_out_of_place(item, row, links, localdate(at))]
    if blockers:
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    item.save()
    for name, found in links.items():
        getattr(item, name).set(found)
    noun = str(table._meta.model_name)
    record(f"save_{noun}", row, by=by, at=at, before=before, after=_told(item, links))
    return item


@transaction.atomic
def remove_of_kind(project: Project, table: type[Kept], *, pk: int, by: User, at: datetime) -> None:
    """This function will take a record out. Raises `NotAllowed`, or `Refused` while something hangs on it."""
    row = _locked_for(project, table, by)
    item: Any = _find(row, table, pk)
    before = _told(item)
    message = _("Something still hangs on this. Take out what belongs to it first: modules, learners, institutions.")
    if isinstance(item, TrainingModule) and item.adopters.exists():
        raise Refused(message, "in_use")
    try:
        item.delete()
    except ProtectedError:
        raise Refused(message, "in_use") from None
    record(f"remove_{table._meta.model_name}", row, by=by, at=at, before=before)


def _locked_for(project: Project, table: type[Kept], by: User) -> Project:
    row = locked(Project, project.pk)
    if row.kind != kind_of(table) or not may_keep_kind(by, row):
        raise NotAllowed(_("This is written by the project's team: its investigators."))
    return row


def _find(project: Project, table: type[Kept], pk: int) -> Kept:
    rows: Any = table._default_manager.select_for_update(of=("self",))
    found = rows.filter(**{path_to_project(table): project}, pk=pk).first()
    if found is None:
        raise Refused(_("Somebody removed this in the meantime. Open the page again."), "gone")
    return found


def _complete(item: Kept, project: Project) -> None:
    if isinstance(item, TrainingProgram):
        item.is_sample = project.is_sample
    if isinstance(item, ChallengeGoal) and not item.number:
        last = ChallengeGoal.objects.filter(project=project).aggregate(last=Max("number"))["last"]
        item.number = (last or 0) + 1


def _wrong(item: Kept) -> list[Blocker]:
    """What the fields themselves refuse, and what is there already."""
    found = []
    try:
        item.clean_fields()
    except ValidationError as problem:
        for name, texts in problem.message_dict.items():
            found += [Blocker(name, "invalid", text) for text in texts]
    if not found:
        try:
            item.validate_unique()
            item.validate_constraints()
        except ValidationError:
            if isinstance(item, AdoptingInstitution) and bool(item.organization_id) == bool(item.name):
                message = _("Choose an institution of the list, or write its name; not both.")
                found.append(Blocker("organization", "one_of_two", message))
            elif isinstance(item, ChallengeGoal) and item.achieved_on and not item.shown_by:
                found.append(Blocker("shown_by", "required", _("Say what shows that the goal is achieved.")))
            else:
                message = _("This is on record already. Change that entry instead.")
                found.append(Blocker(TWICE.get(type(item), ""), "twice", message))
    return found


def _out_of_place(item: Kept, project: Project, links: Mapping[str, Iterable[Any]], today: date) -> Iterable[Blocker]:
    """What belongs to another project, lies ahead, or is no sample where it has to be."""
    if not isinstance(item, TrainingProgram | ChallengeGoal) and item.training.project_id != project.pk:
        yield Blocker("training", "foreign", _("Choose an education program of this project."))
    if any(one.training_id != item.training_id for one in links.get("modules", ())):  # type: ignore[union-attr]
        yield Blocker("modules", "foreign", _("Choose modules of this education program."))
    if isinstance(item, LearnerCount) and item.fiscal_year > (today.year if today.month >= 4 else today.year - 1):
        yield Blocker("fiscal_year", "future", _("This fiscal year has not begun. Enter learners when they have come."))
    if isinstance(item, ChallengeGoal) and item.achieved_on and item.achieved_on > today:
        yield Blocker("achieved_on", "future", _("The day lies in the future. Enter the day of the achievement."))


def _told(item: Any, links: Mapping[str, Iterable[models.Model]] | None = None) -> dict[str, Any]:
    skipped = ("id", "project", "is_sample")
    told = {f.name: str(getattr(item, f.name) or "") for f in item._meta.concrete_fields if f.name not in skipped}
    return told | {name: [str(one) for one in rows] for name, rows in (links or {}).items() if rows}
