"""Reads of a panel's results: first and final totals of each case with spread, raw mean and calibrated rank, warnings."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import QuerySet

from evaluations import scoring
from evaluations.calibration import Calibration, NotComparable, Score, Standing, calibrate, fields_apart
from evaluations.models import Case, Panel, Round
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.score_sheets import answers_of, as_sheet, confirmed_of, items_of, rubric_of, scores_of
from evaluations.rules.findings import cases_ranked, panels_ranked
from evaluations.rules.rounds import rounds_visible
from programs.queries import lead_institutions


def panels_visible_to(user: object) -> QuerySet[Panel]:
    """This function will return the panels of the rounds that this user may see."""

    rounds = Round.objects.filter(rounds_visible(user))
    return Panel.objects.filter(round__in=rounds).select_related("round__program", "round__rubric").order_by("pk")


def may_see_results(user: object, panel: Panel) -> bool:
    """This function will tell whether the user reads the ranking of any case of this panel."""
    return Panel.objects.filter(panels_ranked(user), pk=panel.pk).exists()


@dataclass(slots=True)
class ResultRow:
    """One case: readers, sheets that are in, first and final totals, and where it stands among the others."""

    case: Case
    readers: int
    handed_in: int
    first: scoring.CaseScore | None = None
    final: scoring.CaseScore | None = None
    standing: Standing | None = None

    @property
    def moved(self) -> str:
        """How far the mean moved from the first to the final scores, with its sign; "" where either is missing."""
        if not (self.first and self.first.total and self.final and self.final.total):
            return ""
        return f"{self.final.total.mean - self.first.total.mean:+f}"


@dataclass(slots=True)
class PanelResults:
    """The table of a panel over the cases that its reader may see, best first, and what to mind."""

    rows: list[ResultRow]
    calibration: Calibration | None = None
    #: Why there is no calibrated rank: a code of `calibration.NotComparable`; "" where there is one.
    reason: str = ""
    apart: list[tuple[str, str]] = field(default_factory=list)


def panel_results(user: object, panel: Panel) -> PanelResults:
    """This function will return the results of the panel's cases that this user may read, as far as sheets are in.

    A case in conflict with the reader is not in it, nor in any count or rank.
    """
    cases = list(
        cases_visible_to(user)
        .filter(cases_ranked(user), panel=panel)
        .select_related("gate_review__project__area")
        .prefetch_related(lead_institutions("gate_review__project__participations"))
    )
    rows = {case.pk: ResultRow(case, 0, 0) for case in cases}
    assignments = confirmed_of(cases)
    sheets = {one.pk: one.sheet for one in assignments if getattr(one, "sheet", None) and one.sheet.submitted_at}
    for one in assignments:
        rows[one.case_id].readers += 1
        rows[one.case_id].handed_in += one.pk in sheets
    rubric_row = panel.round.rubric
    if rubric_row is None or not sheets:
        return PanelResults(list(rows.values()), reason="no_scores")
    rubric, kept = rubric_of(rubric_row, items_of(rubric_row)), scores_of(sheets.values())
    final, first, points = {}, {}, []
    for one in assignments:
        if one.pk not in sheets:
            continue
        scored = kept.get(sheets[one.pk].pk, [])
        now = as_sheet(one.case, str(one.member_id), answers_of(scored))
        then = as_sheet(one.case, str(one.member_id), answers_of(scored, first=sheets[one.pk].frozen_at is not None))
        final.setdefault(one.case_id, []).append(now)
        first.setdefault(one.case_id, []).append(then)
        total = scoring.sheet_total(rubric, now)
        if total is not None:
            points.append(Score(one.case.ref, str(one.member_id), float(total)))
    for pk, row in rows.items():
        row.final = scoring.case_score(rubric, row.case.ref, final.get(pk, []))
        row.first = scoring.case_score(rubric, row.case.ref, first.get(pk, []))
    return _ranked(panel, list(rows.values()), points)


def _ranked(panel: Panel, rows: list[ResultRow], points: list[Score]) -> PanelResults:
    areas = {row.case.ref: _field_of(row.case) for row in rows}
    found = PanelResults(rows, apart=fields_apart(points, areas))
    try:
        # The same scores give the same intervals every time: the draws are seeded by the panel.
        found.calibration = calibrate(points, seed=panel.pk)
    except NotComparable as problem:
        found.reason = problem.code
    else:
        standings = {one.case: one for one in found.calibration.standings}
        for row in rows:
            row.standing = standings.get(row.case.ref)
    rows.sort(key=_place)
    return found


def _place(row: ResultRow) -> tuple[bool, float, float, int]:
    mean = row.final.total.mean if row.final and row.final.total else None
    rank = row.standing.expected_rank if row.standing else 0.0
    return mean is None, rank, -float(mean or 0), row.case.number


def _field_of(case: Case) -> str:
    project = case.gate_review.project
    return project.area.name if project and project.area else ""
