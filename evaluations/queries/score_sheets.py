"""Reads of score sheets: the reader's desk, a sheet with its criteria, a panel's progress and scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q, QuerySet

from evaluations import scoring
from evaluations.models import Assignment, Case, Rubric, RubricItem, ScoreSheet, SheetScore
from evaluations.rules.score_sheets import assignments_own, sheets_listed, sheets_visible
from evaluations.sheet_workbook import OVERALL, Form
from evaluations.states import CONFIRMED

#: A comment has at most so many characters.
LONGEST_COMMENT = 2000
_SUBJECT = ("gate_review__project", "gate_review__area", "gate_review__program")


def sheets_visible_to(user: object) -> QuerySet[ScoreSheet]:
    """This function will return the sheets whose scores and comments the user may read."""
    return _with_case(ScoreSheet.objects.filter(sheets_visible(user)))


def sheets_listed_to(user: object) -> QuerySet[ScoreSheet]:
    """This function will return the sheets of which the user may know that they exist and where they stand."""
    return _with_case(ScoreSheet.objects.filter(sheets_listed(user)))


def _with_case(rows: QuerySet[ScoreSheet]) -> QuerySet[ScoreSheet]:
    return rows.select_related("assignment__case__panel__round", "assignment__member__person").order_by(
        "assignment__case_id", "assignment_id"
    )


def assignments_visible_to(user: object) -> QuerySet[Assignment]:
    """This function will return the user's own assignments whose documents are open, the next to close first."""
    return (
        Assignment.objects.filter(assignments_own(user))
        .select_related(
            "sheet", "member", "case__panel__round__rubric", "case__panel__round__program",
            *(f"case__{name}" for name in _SUBJECT),
        )
        .order_by("case__panel__round__final_close_at", "case__panel_id", "case__number")
    )  # fmt: skip


# The rubric and its answers -------------------------------------------------------------------------------------------


def items_of(rubric: Rubric) -> list[RubricItem]:
    """This function will return the criteria of a rubric with their scales."""
    return list(rubric.items.prefetch_related("levels"))


def rubric_of(rubric: Rubric, items: Iterable[RubricItem]) -> scoring.Rubric:
    """This function will return a rubric as the pure core reads it; `items` as of `items_of`."""
    return scoring.Rubric(
        tuple(_item(one) for one in items),
        tuple(scoring.Grade(grade.code, grade.from_points) for grade in rubric.grades.all()),
    )


def _item(one: RubricItem) -> scoring.Item:
    levels = tuple(
        scoring.Level(level.code, level.points, level.anchor_ja or level.anchor_en) for level in one.levels.all()
    )
    return scoring.Item(
        one.code, one.weight_percent, levels, one.threshold, one.is_text_only, one.may_be_not_applicable,
        one.is_comment_required,
    )  # fmt: skip


def scores_of(sheets: Iterable[ScoreSheet]) -> dict[int, list[SheetScore]]:
    """This function will return the rows of these sheets by sheet, in one query."""
    found: dict[int, list[SheetScore]] = {}
    rows = SheetScore.objects.filter(sheet__in=[one.pk for one in sheets])
    for row in rows.select_related("item", "level", "first_level"):
        found.setdefault(row.sheet_id, []).append(row)
    return found


def answers_of(rows: Iterable[SheetScore], *, first: bool = False) -> dict[str, scoring.Answer]:
    """This function will return a sheet's answers by criterion, as they stand or as they stood at the first close."""
    return {row.item.code: _first(row) if first else _answer(row) for row in rows}


def _answer(row: SheetScore) -> scoring.Answer:
    return scoring.Answer(row.item.code, row.level.code if row.level else "", row.is_not_applicable, row.comment)


def _first(row: SheetScore) -> scoring.Answer:
    code = row.first_level.code if row.first_level else ""
    return scoring.Answer(row.item.code, code, row.first_is_not_applicable, row.first_comment)


def as_sheet(case: Case, reviewer: str, answers: dict[str, scoring.Answer]) -> scoring.Sheet:
    """This function will return answers as a sheet of the pure core."""
    return scoring.Sheet(case.ref, reviewer, tuple(answers.values()))


# One sheet ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class SheetRead:
    """One reader's sheet with everything the page and the form need; without a sheet nothing is written yet."""

    assignment: Assignment
    sheet: ScoreSheet | None
    items: list[RubricItem]
    rubric: scoring.Rubric
    answers: dict[str, scoring.Answer]
    first: dict[str, scoring.Answer] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        """The version that a save or a form stands on."""
        return self.sheet.revision if self.sheet else 0

    @property
    def as_sheet(self) -> scoring.Sheet:
        """The sheet as the pure core reads it."""
        return as_sheet(self.assignment.case, str(self.assignment.pk), self.answers)

    @property
    def total(self) -> Decimal | None:
        """The weighted mean of the points."""
        return scoring.sheet_total(self.rubric, self.as_sheet)

    @property
    def done(self) -> int:
        """How many criteria are answered."""
        left = {problem.item for problem in scoring.sheet_problems(self.rubric, self.as_sheet)}
        return len([item for item in self.items if item.code not in left])

    @property
    def form(self) -> Form:
        """What an offline form of this sheet is about."""
        rubric = self.assignment.case.panel.round.rubric
        return Form(self.assignment.case.ref, self.revision, rubric.ref if rubric else "", self.rubric, LONGEST_COMMENT)

    @property
    def all_answers(self) -> dict[str, scoring.Answer]:
        """The answers with the comment on the whole."""
        whole = scoring.Answer(OVERALL, comment=self.sheet.comment if self.sheet else "")
        return self.answers | {OVERALL: whole}


def read_sheet(assignment: Assignment) -> SheetRead:
    """This function will read an assignment's sheet with its criteria and answers."""
    rubric = assignment.case.panel.round.rubric
    assert rubric is not None  # an open round has one
    sheet = ScoreSheet.objects.filter(assignment=assignment).first()
    rows = scores_of([sheet]).get(sheet.pk, []) if sheet else []
    items = items_of(rubric)
    first = answers_of(rows, first=True) if sheet and sheet.frozen_at else {}
    return SheetRead(assignment, sheet, items, rubric_of(rubric, items), answers_of(rows), first)


def neighbours(user: object, assignment: Assignment) -> tuple[Assignment | None, Assignment | None]:
    """This function will return the reader's case before and after this one, in the same round."""
    rows = list(
        assignments_visible_to(user).filter(case__panel=assignment.case.panel_id).order_by("case__number", "pk")
    )
    at = next((place for place, one in enumerate(rows) if one.pk == assignment.pk), None)
    if at is None:
        return None, None
    return (rows[at - 1] if at else None), (rows[at + 1] if at + 1 < len(rows) else None)


def sheets_awaiting(user: object) -> QuerySet[Assignment]:
    """This function will return the user's assignments whose sheet has not been handed in and still can be."""
    rows = assignments_visible_to(user).filter(case__panel__round__state="open", case__state="open")
    return rows.filter(Q(sheet__isnull=True) | ~Q(sheet__state="submitted"))


def confirmed_of(cases: Iterable[Case]) -> list[Assignment]:
    """This function will return the confirmed assignments of these cases with reader and sheet, by case and role."""
    return list(
        Assignment.objects.filter(case__in=[one.pk for one in cases], state=CONFIRMED)
        .select_related("member__person", "sheet")
        .order_by("case_id", "role", "pk")
    )
