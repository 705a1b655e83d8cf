"""Reads of technology readiness: what is on record of a project, with evidence and judgements; the board of an area."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Exists, IntegerField, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from programs.models import (
    Deliverable,
    Milestone,
    Program,
    Project,
    ResearchArea,
    TrlAssessment,
    TrlCriterion,
    TrlEvidence,
    TrlJudgement,
    TrlLevel,
)
from programs.queries import projects_visible_to, search_projects
from programs.rules.trl import trl_visible

KINDS = ("planned", "claimed", "assessed")


def trl_visible_to(user: object) -> QuerySet[TrlAssessment]:
    """This function will return the levels on record of the projects this user or client may see."""
    return TrlAssessment.objects.filter(trl_visible(user)).select_related("project", "level__scale").order_by("pk")


def evidence_visible_to(user: object) -> QuerySet[TrlEvidence]:
    """This function will return the evidence of the claims this user may see."""
    claims = TrlAssessment.objects.filter(trl_visible(user)).values("pk")
    return TrlEvidence.objects.filter(claim__in=claims).select_related("claim__project", "file").order_by("pk")


def trl_records(project: Project) -> list[TrlAssessment]:
    """This function will return every level on record, oldest first, with what was shown and what was found of it."""
    evidence = TrlEvidence.objects.select_related("criterion__level", "deliverable", "file")
    judgements = TrlJudgement.objects.select_related("criterion__level")
    rows = TrlAssessment.objects.filter(project=project).select_related("level")
    return list(
        rows.prefetch_related(Prefetch("evidence_given", evidence), Prefetch("judgements", judgements)).order_by(
            "on", "pk"
        )
    )


def latest_assessed(records: Iterable[TrlAssessment], scale_id: int) -> int:
    """This function will return the level last assessed among records, oldest first, on a scale; 0 before the first."""
    found = [one for one in records if one.kind == "assessed" and one.level.scale_id == scale_id]
    return found[-1].level.number if found else 0


def latest_claim(records: Iterable[TrlAssessment]) -> TrlAssessment | None:
    """This function will return the newest claim among records, oldest first."""
    return next((one for one in reversed(list(records)) if one.kind == "claimed"), None)


def unanswered() -> Q:
    """This function will return the condition for the newest claim of a project that nobody has assessed.

    An assessment names the claim it answers; one from before there were such links answers those on record till then.
    """
    answers = Q(claim=OuterRef("pk")) | Q(claim__isnull=True, on__gte=OuterRef("on"), pk__gt=OuterRef("pk"))
    after = Q(kind="assessed") & answers | Q(kind="claimed", on__gt=OuterRef("on"))
    return Q(~Exists(TrlAssessment.objects.filter(after, project=OuterRef("project"))), kind="claimed")


def delivered(project: Project) -> list[Deliverable]:
    """This function will return what a claim may name as evidence: what the project has delivered."""
    rows = Deliverable.objects.filter(project=project, state=Deliverable.State.DELIVERED)
    return list(rows.order_by("-fiscal_year", "kind"))


def levels_in_full() -> list[TrlLevel]:
    """This function will return the levels of the default scale with their criteria."""
    criteria = Prefetch("criteria", TrlCriterion.objects.order_by("position"))
    rows = TrlLevel.objects.filter(scale__is_default=True).select_related("scale")
    return list(rows.prefetch_related(criteria).order_by("number"))


def planned_levels(rows: Iterable[TrlAssessment], milestones: Iterable[Milestone]) -> list[tuple[date, int]]:
    """This function will return the days for which levels are planned, in their order.

    A level that a milestone of the plan carries is planned for the milestone's day; another one for its day on record.
    """
    carried = [(one.planned_on, one.trl_level) for one in milestones if one.trl_level and not one.is_dropped]
    levels = {level for _, level in carried}
    recorded = [(one.on, one.level.number) for one in rows if one.kind == "planned" and one.level.number not in levels]
    return sorted([*carried, *recorded])


# The board of an area -------------------------------------------------------------------------------------------------


def projects_on_board(user: object, area: ResearchArea, on: date, query: str = "") -> QuerySet[Project]:
    """This function will return the visible projects of an area that climb, with the levels of the board.

    `planned` is what the plan expects by this day, `claimed` and `assessed` the latest on record; 0 for none.
    """
    rows = search_projects(user, query) if query else projects_visible_to(user)
    return _climbing(rows.filter(area=area), on)


def projects_climbing(user: object, program: Program, on: date) -> QuerySet[Project]:
    """This function will return the visible projects of a program that climb, with the same levels, by reference."""
    return _climbing(projects_visible_to(user).filter(program=program), on)


def _climbing(rows: QuerySet[Project], on: date) -> QuerySet[Project]:
    on_record = TrlAssessment.objects.filter(project=OuterRef("pk"))
    levels = rows.annotate(planned=_planned_by(on), claimed=_latest("claimed"), assessed=_latest("assessed"))
    return levels.filter(Q(target_trl__isnull=False) | Exists(on_record))


def _latest(kind: str) -> Coalesce:
    rows = TrlAssessment.objects.filter(project=OuterRef("pk"), kind=kind).order_by("-on", "-pk")
    return Coalesce(Subquery(rows.values("level__number")[:1]), 0, output_field=IntegerField())


def _planned_by(on: date) -> Greatest:
    """The same rule as `planned_levels`, in SQL."""
    kept = Milestone.objects.filter(is_dropped=False, trl_level__isnull=False)
    carried = kept.filter(project=OuterRef("pk"), planned_on__lte=on).order_by()
    same = kept.filter(project=OuterRef("project"), trl_level=OuterRef("level__number"))
    recorded = TrlAssessment.objects.filter(
        ~Exists(same), project=OuterRef("pk"), kind="planned", on__lte=on
    ).order_by()
    highest = [
        carried.values("project").annotate(top=Max("trl_level")).values("top"),
        recorded.values("project").annotate(top=Max("level__number")).values("top"),
    ]
    return Greatest(*(Coalesce(Subquery(one), 0, output_field=IntegerField()) for one in highest))
