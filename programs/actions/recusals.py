"""Recusals: written from above when a conflict of interest is confirmed; from then on the person sees nothing."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from accounts.models import Person
from common.actors import Actor
from common.audit import record
from programs.models import Project, ProjectRecusal


@transaction.atomic
def recuse(
    person: Person,
    project: Project,
    *,
    starts_on: date,
    ends_on: date | None = None,
    source_ref: str,
    by: Actor,
    at: datetime,
) -> ProjectRecusal:
    """This function will exclude the person from everything of the project that is not public, whatever the roles.

    `source_ref` names the conflict it comes from. The journal row hangs on the recusal, not on the project, so that
    the project's history does not tell who is in conflict.
    """
    recusal = ProjectRecusal.objects.create(
        person=person, project=project, starts_on=starts_on, ends_on=ends_on, source_ref=source_ref
    )
    record("recuse", recusal, by=by, at=at, after={"project": project.ref, "person": person.ref, "from": source_ref})
    return recusal


@transaction.atomic
def end_recusal(source_ref: str, *, ends_on: date, by: Actor, at: datetime) -> int:
    """This function will end the recusals that came from this conflict, this being the last day; returns how many."""
    ended = 0
    for recusal in ProjectRecusal.objects.select_for_update().filter(source_ref=source_ref):
        recusal.ends_on = ends_on
        recusal.save(update_fields=["ends_on"])
        record("end_recusal", recusal, by=by, at=at, after={"ends_on": ends_on.isoformat()})
        ended += 1
    return ended
