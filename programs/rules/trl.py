"""What stands in the way of a level: what a claim has to show, and what an assessment has to answer.

A level is climbed to: a claim shows evidence for every criterion of each level above the last assessed one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import IO

from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.errors import Blocker
from common.fiscal_year import date_text
from programs.models import Deliverable, Project, TrlAssessment, TrlCriterion, TrlLevel
from programs.rules import projects_visible

LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is offered for one criterion: words, something delivered, a file; at least one of them."""

    text: str = ""
    deliverable: Deliverable | None = None
    file: IO[bytes] | None = None
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the director finds of one criterion; None: nothing said yet."""

    is_met: bool | None = None
    reason: str = ""


def trl_visible(user: object) -> Q:
    """This function will return the condition for the levels on record that this user or client may see."""
    return Q(project__in=Project.objects.filter(projects_visible(user)))


def last_assessed(project: Project, level: TrlLevel) -> int:
    """This function will return the level last assessed on the scale of this level; 0 before the first."""
    rows = TrlAssessment.objects.filter(project=project, kind="assessed", level__scale=level.scale_id)
    return rows.order_by("-on", "-pk").values_list("level__number", flat=True).first() or 0


def levels_asked(assessed: int, claimed: int) -> range:
    """This function will return the levels for which a claim shows evidence: from the last assessed one up, or its own."""
    return range(min(assessed + 1, claimed), claimed + 1)


def criteria_of(levels: Iterable[TrlLevel], assessed: int, claimed: int) -> list[TrlCriterion]:
    """This function will return what a claim of a level has to show; `levels` are those of its scale."""
    asked = levels_asked(assessed, claimed)
    return [criterion for level in levels if level.number in asked for criterion in level.criteria.all()]


def newest_claim(project: Project) -> TrlAssessment | None:
    """This function will return the claim that an assessment answers."""
    claims = TrlAssessment.objects.filter(project=project, kind="claimed").select_related("project", "level", "by")
    return claims.prefetch_related("evidence_given__criterion__level").order_by("-on", "-pk").first()


def criteria_judged(claim: TrlAssessment) -> list[TrlCriterion]:
    """This function will return the criteria of a claim; one from before there was evidence by criterion: its level's."""
    shown = [one.criterion for one in claim.evidence_given.all()]
    found = shown or list(claim.level.criteria.select_related("level"))
    return sorted(found, key=lambda one: (one.level.number, one.position))


def claim_blockers(
    project: Project,
    levels: Collection[TrlLevel],
    *,
    level: TrlLevel,
    on: date,
    evidence: Mapping[int, Evidence],
    today: date,
) -> list[Blocker]:
    """This function will list what stands in the way of a claim, evidence by its criterion's `text_<key>`.

    `levels` are those for which it shows evidence.
    """
    found = list(_of_the_day(project, "claimed", on, today))
    last = newest_claim(project)
    if not found and last is not None and on < last.on:
        message = _("The last claim is of %(day)s. Enter a later day.")
        found.append(
            Blocker("on", "before_the_last_claim", message % {"day": date_text(last.on, get_language() or "ja")})
        )
    if not level.scale.is_default:
        found.append(Blocker("level", "other_scale", _("Choose a level of the scale in force.")))
    elif missing := [one.number for one in levels if not one.criteria.all()]:
        message = _("No criterion is on record for TRL%(level)s. The ministry's staff enter it in the admin.")
        found.append(Blocker("level", "no_criteria", message % {"level": min(missing)}))
    for criterion in (criterion for one in levels for criterion in one.criteria.all()):
        found += _of_evidence(project, criterion, evidence.get(criterion.pk, Evidence()))
    return found


def _of_the_day(project: Project, kind: str, on: date, today: date) -> Iterator[Blocker]:
    if on > today:
        message = _("Enter today or an earlier day: a level is recorded when it is reached.")
        yield Blocker("on", "future", message)
    elif TrlAssessment.objects.filter(project=project, kind=kind, on=on).exists():
        message = _("A level is already on record for this day. Records are never changed: enter a later day.")
        yield Blocker("on", "already_recorded", message)


def _of_evidence(project: Project, criterion: TrlCriterion, given: Evidence) -> Iterator[Blocker]:
    if not given.text.strip() and given.deliverable is None and given.file is None:
        message = _("Say what was shown for TRL%(level)s “%(asked)s”, or choose a deliverable or a file.")
        yield Blocker(
            f"text_{criterion.pk}", "required", message % {"level": criterion.level.number, "asked": criterion.name}
        )
    if given.deliverable is not None and (
        given.deliverable.project_id != project.pk or given.deliverable.state != Deliverable.State.DELIVERED
    ):
        message = _("Choose something that this project has delivered.")
        yield Blocker(f"deliverable_{criterion.pk}", "not_delivered", message)


def assessment_blockers(
    claim: TrlAssessment,
    criteria: Iterable[TrlCriterion],
    *,
    level: TrlLevel,
    on: date,
    evidence: str,
    judgements: Mapping[int, Judgement],
    today: date,
) -> list[Blocker]:
    """This function will list what stands in the way of an assessment, judgements by `met_<key>` and `reason_<key>`."""
    found = list(_of_the_day(claim.project, "assessed", on, today))
    if on < claim.on:
        found.append(Blocker("on", "before_the_claim", _("Enter the day of the claim or a later one.")))
    failed = []
    for criterion in criteria:
        said = judgements.get(criterion.pk, Judgement())
        if said.is_met is None:
            found.append(Blocker(f"met_{criterion.pk}", "required", _("Choose whether the criterion is met.")))
        elif not said.is_met:
            failed.append(criterion.level.number)
            if not said.reason.strip():
                found.append(Blocker(f"reason_{criterion.pk}", "required", _("Say why the criterion is not met.")))
    found += _of_level(claim, level, failed)
    if not evidence.strip():
        found.append(Blocker("evidence", "required", _("Say on what the assessment rests.")))
    return found


def _of_level(claim: TrlAssessment, level: TrlLevel, failed: list[int]) -> Iterator[Blocker]:
    if level.scale_id != claim.level.scale_id:
        yield Blocker("level", "other_scale", _("Choose a level of the scale of the claim."))
    elif level.number > claim.level.number:
        message = _("The claim is TRL%(level)s. Choose this level or a lower one.")
        yield Blocker("level", "above_the_claim", message % {"level": claim.level.number})
    elif failed and level.number >= min(failed):
        message = _("A criterion of TRL%(level)s is not met. Choose a lower level.")
        yield Blocker("level", "not_met", message % {"level": min(failed)})
