"""Technology readiness levels: claimed by the project, assessed by the director. Two values, never mixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from common import files
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.models import StoredFile
from common.states import locked
from common.text import clean
from programs.models import (
    Project,
    TrlAssessment,
    TrlCriterion,
    TrlEvidence,
    TrlJudgement,
    TrlLevel,
)
from programs.rules import actions_allowed
from programs.rules.trl import (
    Evidence,
    Judgement,
    assessment_blockers,
    claim_blockers,
    criteria_judged,
    last_assessed,
    levels_asked,
    newest_claim,
)

#: Records are kept in Japanese, whoever writes them.
RECORDS = "ja"


@transaction.atomic
def claim_trl(
    project: Project, *, level: TrlLevel, on: date, evidence: Mapping[int, Evidence], by: User, at: datetime
) -> TrlAssessment:
    """This function will record the level that the project says it has reached, with evidence by criterion's key.

    Raises `NotAllowed`, or `NotReady` with what is in the way.
    """
    row = _locked_for("claim_trl", project, by)
    levels = _asked(row, level)
    if blockers := claim_blockers(row, levels, level=level, on=on, evidence=evidence, today=localdate(at)):
        raise NotReady(_("The level was not recorded."), blockers)
    given = [_kept(row, one, evidence[one.pk], at) for asked in levels for one in asked.criteria.all()]
    made = TrlAssessment.objects.create(
        project=row, kind=TrlAssessment.Kind.CLAIMED, level=level, on=on, evidence=_told(given), by=by,
        by_label=by.actor_label,
    )  # fmt: skip
    for one in given:
        one.claim = made
        one.save(force_insert=True)
    _record("claim_trl", made, by, at)
    return made


@transaction.atomic
def assess_trl(
    project: Project,
    *,
    level: TrlLevel,
    on: date,
    evidence: str,
    judgements: Mapping[int, Judgement],
    by: User,
    at: datetime,
) -> TrlAssessment:
    """This function will record the level that the director finds reached, with a judgement by criterion's key.

    It answers the newest claim, which another person has made. Raises `NotAllowed`, or `NotReady` with what is in the
    way.
    """
    row = _locked_for("assess_trl", project, by)
    claim = newest_claim(row)
    if claim is None:
        raise Refused(_("The project has claimed no level yet. It claims first."), "no_claim", "level")
    if claim.by is not None and claim.by.person_id == by.person_id:
        raise NotAllowed(_("You claimed this level yourself. Another person assesses it."))
    text, judged = clean(evidence).strip(), criteria_judged(claim)
    blockers = assessment_blockers(
        claim, judged, level=level, on=on, evidence=text, judgements=judgements, today=localdate(at)
    )
    if blockers:
        raise NotReady(_("The level was not recorded."), blockers)
    made = TrlAssessment.objects.create(
        project=row, kind=TrlAssessment.Kind.ASSESSED, level=level, on=on, evidence=text, by=by,
        by_label=by.actor_label, claim=claim,
    )  # fmt: skip
    _judge(made, judged, judgements)
    _record("assess_trl", made, by, at)
    return made


def _locked_for(act: str, project: Project, by: User) -> Project:
    row = locked(Project, project.pk)
    if f"project.{act}" not in actions_allowed(by, row):
        raise NotAllowed(_("You cannot record this level for this project."))
    return row


def _asked(project: Project, level: TrlLevel) -> list[TrlLevel]:
    numbers = levels_asked(last_assessed(project, level), level.number)
    rows = TrlLevel.objects.filter(scale=level.scale_id, number__in=numbers)
    return list(rows.prefetch_related("criteria").order_by("number"))


def _kept(project: Project, criterion: TrlCriterion, given: Evidence, at: datetime) -> TrlEvidence:
    """The evidence as it will stand; its file is stored."""
    stored: StoredFile | None = None
    if given.file is not None:
        field = f"file_{criterion.pk}"
        try:
            stored = files.store(given.file, given.file_name, at=at, is_sample=project.is_sample)
        except Refused as refusal:
            blockers = [Blocker(field, blocker.code, blocker.message) for blocker in refusal.blockers]
            raise NotReady(_("The level was not recorded."), blockers) from refusal
    return TrlEvidence(
        criterion=criterion, asked=criterion.name_ja, text=clean(given.text).strip(), deliverable=given.deliverable,
        file=stored,
    )  # fmt: skip


def _told(given: Iterable[TrlEvidence]) -> str:
    """All evidence in words, as reports print it; of several criteria each under its level."""
    told = []
    with override(RECORDS):
        for one in given:
            parts = [one.text, str(one.deliverable or ""), one.file.name if one.file else ""]
            told.append((one.criterion.level.number, " / ".join(part for part in parts if part)))
    if len(told) == 1:
        return told[0][1]
    return "\n".join(f"TRL{number}: {text}" for number, text in told)


def _judge(made: TrlAssessment, criteria: Iterable[TrlCriterion], judgements: Mapping[int, Judgement]) -> None:
    TrlJudgement.objects.bulk_create(
        TrlJudgement(
            assessment=made, criterion=criterion, asked=criterion.name_ja,
            is_met=bool(judgements[criterion.pk].is_met), reason=clean(judgements[criterion.pk].reason).strip(),
        )
        for criterion in criteria
    )  # fmt: skip


def _record(act: str, made: TrlAssessment, by: User, at: datetime) -> None:
    same = TrlAssessment.objects.filter(project=made.project_id, kind=made.kind, on__lt=made.on)
    earlier = same.select_related("level").order_by("-on", "-pk").first()
    after = {"level": made.level.number, "on": made.on.isoformat(), "evidence": made.evidence}
    before = {"level": earlier.level.number} if earlier else {}
    record(act, made.project, by=by, at=at, before=before, after=after)
