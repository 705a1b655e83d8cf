"""Technology readiness levels: claimed by the project, assessed by the director. Two values, never mixed."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, NotReady
from common.states import locked
from common.text import clean
from programs.models import Project, TrlAssessment, TrlLevel
from programs.rules import actions_allowed, trl_blockers


def claim_trl(project: Project, *, level: TrlLevel, on: date, evidence: str, by: User, at: datetime) -> TrlAssessment:
    """This function will record the level that the project says it has reached, with its evidence.

    Raises `NotAllowed`, or `NotReady` with what is in the way.
    """
    return _record_level(project, TrlAssessment.Kind.CLAIMED, level, on, evidence, by, at)


def assess_trl(project: Project, *, level: TrlLevel, on: date, evidence: str, by: User, at: datetime) -> TrlAssessment:
    """This function will record the level that the director finds reached, with the evidence.

    Raises `NotAllowed`, or `NotReady` with what is in the way.
    """
    return _record_level(project, TrlAssessment.Kind.ASSESSED, level, on, evidence, by, at)


_ACTS = {TrlAssessment.Kind.CLAIMED: "claim_trl", TrlAssessment.Kind.ASSESSED: "assess_trl"}


@transaction.atomic
def _record_level(
    project: Project, kind: TrlAssessment.Kind, level: TrlLevel, on: date, evidence: str, by: User, at: datetime
) -> TrlAssessment:
    act = _ACTS[kind]
    row = locked(Project, project.pk)
    if f"project.{act}" not in actions_allowed(by, row):
        raise NotAllowed(_("You cannot record this level for this project."))
    text = clean(evidence).strip()
    blockers = trl_blockers(row, kind=kind, level=level, on=on, evidence=text, today=localdate(at))
    if blockers:
        raise NotReady(_("The level was not recorded."), blockers)
    earlier = row.trl_assessments.filter(kind=kind, on__lt=on).select_related("level").order_by("-on").first()
    assessment = TrlAssessment.objects.create(
        project=row, kind=kind, level=level, on=on, evidence=text, by_label=by.actor_label
    )
    record(
        act,
        row,
        by=by,
        at=at,
        before={"level": earlier.level.number} if earlier else {},
        after={"level": level.number, "on": on.isoformat(), "evidence": text},
    )
    return assessment
