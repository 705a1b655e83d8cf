"""The sample twin's claim of a level with evidence, and the director's assessment; everything in them is made up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.timezone import localdate

from accounts.models import User
from programs.actions.trl import assess_trl, claim_trl
from programs.models import Project, TrlAssessment, TrlLevel
from programs.queries.trl import delivered, latest_assessed, levels_in_full, trl_records
from programs.rules.trl import Evidence, Judgement, criteria_judged, criteria_of, newest_claim


def claim_level(project: Project, row: Mapping[str, Any], *, by: User, at: datetime) -> int:
    """This function will claim the level of this row with words and a deliverable, once; returns how many claims."""
    if TrlAssessment.objects.filter(project=project, kind="claimed", level__number__gte=row["level"]).exists():
        return 0
    levels = levels_in_full()
    level = next(one for one in levels if one.number == row["level"])
    asked = criteria_of(levels, latest_assessed(trl_records(project), level.scale_id), level.number)
    document = next(iter(delivered(project)), None)
    evidence = {criterion.pk: Evidence(row["shown"], document) for criterion in asked}
    claim_trl(project, level=level, on=localdate(at), evidence=evidence, by=by, at=at)
    return 1


def assess_level(project: Project, row: Mapping[str, Any], *, by: User, at: datetime) -> int:
    """This function will assess the newest claim as this row says, once; returns how many assessments."""
    claim = newest_claim(project)
    if claim is None or claim.answers.exists():
        return 0
    level = TrlLevel.objects.get(scale=claim.level.scale_id, number=row["found_level"])
    judgements = {
        one.pk: Judgement(one.level.number <= level.number, "" if one.level.number <= level.number else row["not_met"])
        for one in criteria_judged(claim)
    }
    found = {"level": level, "evidence": row["rests_on"], "judgements": judgements}
    assess_trl(project, on=localdate(at), **found, by=by, at=at)
    return 1
