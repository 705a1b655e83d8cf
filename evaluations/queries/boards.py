"""Reads of the gate board: of each review conflicts, sheets, spread, recommendation, decision and money at stake."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, JSONArray, JSONObject
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localdate

from evaluations import scoring
from evaluations.models import (
    Assignment,
    Case,
    ConflictOfInterest,
    Declaration,
    Finding,
    GateDecision,
    GateReview,
    PanelMember,
    SheetScore,
)
from evaluations.queries.score_sheets import answers_of
from evaluations.rules.conflicts import conflicts_visible
from evaluations.rules.decisions import decisions_visible, reviews_decided_by
from evaluations.rules.declarations import cases_overseen, fingerprint_now
from evaluations.rules.dossiers import Progress
from evaluations.rules.findings import cases_ranked
from evaluations.rules.rounds import first_locked_year
from evaluations.rules.score_sheets import AFTER_FIRST
from evaluations.states import (
    ACCEPTED,
    CASE_LIVE,
    CONFIRMED,
    DECLARED,
    GIVEN,
    INVALIDATED,
    REPLACED,
    SUBMITTED,
    WITHDRAWN,
)
from programs.models import Project, ProjectRecusal
from programs.queries.money import plans_of
from programs.rules import projects_seen_whole


def progress_of(user: object, reviews: Sequence[GateReview]) -> dict[int, Progress]:
    """This function will read how far these reviews are, which the user was found to see, in three queries for all."""
    rows = list(_annotated(user, reviews)) if reviews else []
    spreads = _spreads([row["pk"] for row in rows if row["is_ranked"]])
    stakes = _at_stake([one for one in reviews if one.pk in {r["gate_review"] for r in rows if r["sees_money"]}])
    return {one.pk: Progress() for one in reviews} | {
        row["gate_review"]: _facts(row, spreads.get(row["pk"]), stakes.get(row["gate_review"])) for row in rows
    }


def _facts(row: dict[str, Any], spread: scoring.Spread | None, at_stake_yen: int | None) -> Progress:
    overseen, finding, decision = row["is_overseen"], row["given"] or {}, row["taken"] or {}
    conflicts = [since for state, since in row["found"] if state == CONFIRMED]
    unsettled = [parse_datetime(since) for state, since in row["found"] if state == DECLARED]
    if not (row["is_ranked"] or row["decides"]):
        finding = {}
    return Progress(
        conflicts=len(conflicts), unsettled=len(unsettled), unsettled_since=min(unsettled, default=None),  # type: ignore[type-var]
        case_state=row["state"], opened_at=row["opened_at"],
        declarations_owed=max(0, row["asked"] - row["declared"]) if overseen and row["state"] in CASE_LIVE else None,
        readers=row["readers"] if overseen else None, sheets_in=row["sheets_in"] if overseen else None,
        spread=spread, recommendation=finding.get("recommendation", ""), grade=finding.get("grade") or "",
        recommended_at=parse_datetime(finding["at"]) if finding else None, outcome=decision.get("outcome", ""),
        decision_state=decision.get("state", ""),
        decided_at=parse_datetime(decision["at"]) if decision.get("at") else None, at_stake_yen=at_stake_yen,
    )  # fmt: skip


def _annotated(user: object, reviews: Sequence[GateReview]) -> Any:
    """The last valid case of each review, what the reader has to do with it, and everything that is counted from it."""
    today = localdate()
    excluded = ProjectRecusal.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today), starts_on__lte=today)
    members = PanelMember.objects.filter(panel=OuterRef("panel"), state=ACCEPTED)
    of_member = excluded.filter(person=OuterRef("person"), project=OuterRef(OuterRef("gate_review__project")))
    of_declarer = excluded.filter(person=OuterRef("member__person"), project=OuterRef("case__gate_review__project"))
    declared = Declaration.objects.filter(
        ~Exists(of_declarer), replaced_at__isnull=True, member__state=ACCEPTED, case=OuterRef("pk"),
        fingerprint=OuterRef("now_fingerprint"),
    )  # fmt: skip
    conflicts = ConflictOfInterest.objects.filter(
        conflicts_visible(user), project=OuterRef("gate_review__project"), state__in=(DECLARED, CONFIRMED),
        person__in=PanelMember.objects.filter(panel=OuterRef(OuterRef("panel")), state=ACCEPTED).values("person"),
    )  # fmt: skip
    readers = Assignment.objects.filter(case=OuterRef("pk"), state=CONFIRMED)
    finding = Finding.objects.filter(state=GIVEN, case=OuterRef("pk"))
    decisions = GateDecision.objects.filter(decisions_visible(user), gate_review=OuterRef("gate_review"))
    decision = decisions.exclude(state__in=(WITHDRAWN, REPLACED)).order_by("-pk")
    # Nobody reads totals while first scores come in; then the condition, a long one, is not even asked.
    is_scored = any(one.round.state in AFTER_FIRST for one in reviews)
    columns: dict[str, Any] = {
        "is_overseen": _held(cases_overseen(user)),
        "is_ranked": _held(cases_ranked(user)) if is_scored else Value(False),
        # Whoever decides knows what is recommended; others where they read the totals.
        "decides": Exists(GateReview.objects.filter(reviews_decided_by(user), pk=OuterRef("gate_review"))),
        "sees_money": Exists(Project.objects.filter(projects_seen_whole(user), pk=OuterRef("gate_review__project"))),
        "asked": _counted(members.filter(~Exists(of_member))),
        "declared": _counted(declared),
        "found": ArraySubquery(conflicts.order_by("pk").values(json=JSONArray("state", "declared_at"))),
        "readers": _counted(readers),
        "sheets_in": _counted(readers.filter(sheet__state=SUBMITTED)),
        "given": Subquery(
            finding.values(json=JSONObject(recommendation="recommendation", grade="grade__code", at="recommended_at"))[
                :1
            ]
        ),
        "taken": Subquery(decision.values(json=JSONObject(outcome="outcome", state="state", at="decided_at"))[:1]),
    }
    cases = Case.objects.filter(gate_review__in=[one.pk for one in reviews]).exclude(state=INVALIDATED)
    newest = cases.order_by("gate_review_id", "-number").distinct("gate_review_id").values("pk")
    rows = Case.objects.filter(pk__in=newest).order_by().annotate(now_fingerprint=fingerprint_now("gate_review"))
    return rows.annotate(**columns).values("pk", "gate_review", "state", "opened_at", *columns)


def _held(condition: Q) -> Exists:
    return Exists(Case.objects.filter(condition, pk=OuterRef("pk")).order_by())


def _counted(rows: QuerySet[Any]) -> Coalesce:
    """The number of these rows, as a column."""
    counted = rows.order_by().annotate(all_rows=Value(1)).values("all_rows").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _spreads(cases: Sequence[int]) -> dict[int, scoring.Spread]:
    """How far the totals of each case's sheets lie apart, over the sheets that are in, in one query."""
    rows = SheetScore.objects.filter(
        sheet__assignment__case__in=cases, sheet__assignment__state=CONFIRMED, sheet__submitted_at__isnull=False,
        level__isnull=False,
    ).select_related("item", "level", "sheet__assignment")  # fmt: skip
    by_sheet: dict[tuple[int, int], list[SheetScore]] = {}
    for row in rows.order_by("sheet_id", "pk") if cases else ():
        by_sheet.setdefault((row.sheet.assignment.case_id, row.sheet_id), []).append(row)
    totals: dict[int, list[Decimal]] = {}
    for (case, _sheet), kept in by_sheet.items():
        # A total knows only the criteria with a grade: no more of the rubric is needed than those and their grades.
        rubric = scoring.Rubric(tuple(_graded(row) for row in kept), ())
        total = scoring.sheet_total(rubric, scoring.Sheet("", "", tuple(answers_of(kept).values())))
        if total is not None:
            totals.setdefault(case, []).append(total)
    return {case: spread for case, values in totals.items() if (spread := scoring.spread_of(values)) is not None}


def _graded(row: SheetScore) -> scoring.Item:
    assert row.level is not None
    level = scoring.Level(row.level.code, row.level.points, "")
    return scoring.Item(row.item.code, row.item.weight_percent, (level,), None, row.item.is_text_only)


def _at_stake(reviews: Sequence[GateReview]) -> dict[int, int]:
    """What the plan foresees for the phase that a review opens: the years whose money waits for its decision."""
    first = {one.pk: year for one in reviews if one.project_id and (year := first_locked_year(one.round)) is not None}
    if not first:
        return {}
    plans = plans_of([one.project_id for one in reviews if one.pk in first and one.project_id], min(first.values()))
    found = {}
    for one in reviews:
        if one.pk in first and one.project_id in plans:
            years = plans[one.project_id].planned
            found[one.pk] = sum(yen for year, yen in years.items() if year >= first[one.pk])
    return found
