"""Reads of score sheets: the reader's desk, a sheet with its criteria, a panel's progress and scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, Q, QuerySet

from evaluations import scoring
from evaluations.models import Assignment, Case, Round, Rubric, RubricItem, ScoreSheet, SheetScore
from evaluations.rules.score_sheets import (
    assignments_own,
    assignments_watched,
    hides_names,
    is_evaluator,
    sheets_listed,
    sheets_visible,
)
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
    def asked(self) -> list[str]:
        """The criteria that have to be answered; words alone are asked for only where they are required."""
        return [item.code for item in self.items if not item.is_text_only or item.is_comment_required]

    @property
    def done(self) -> int:
        """How many of those are answered."""
        left = {problem.item for problem in scoring.sheet_problems(self.rubric, self.as_sheet)}
        return len([code for code in self.asked if code not in left])

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
    sheet = getattr(assignment, "sheet", None)
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
    if not is_evaluator(user):
        return Assignment.objects.none()
    rows = assignments_visible_to(user).filter(case__panel__round__state="open", case__state="open")
    return rows.filter(Q(sheet__isnull=True) | ~Q(sheet__state="submitted"))


def confirmed_of(cases: Iterable[Case]) -> list[Assignment]:
    """This function will return the confirmed assignments of these cases with reader and sheet, by case and role."""
    return list(
        Assignment.objects.filter(case__in=[one.pk for one in cases], state=CONFIRMED)
        .select_related("member__person", "sheet", "case")
        .order_by("case_id", "role", "pk")
    )


def done_of(assignments: Iterable[Assignment]) -> dict[int, int]:
    """This function will return how many criteria of each assignment's sheet have a grade, or count as not applicable."""
    rows = SheetScore.objects.filter(sheet__assignment__in=[one.pk for one in assignments])
    answered = rows.filter(Q(level__isnull=False) | Q(is_not_applicable=True))
    return dict(answered.values_list("sheet__assignment_id").annotate(done=Count("pk")))


def scored_items(rounds: Iterable[Round]) -> dict[int, int]:
    """This function will return how many criteria are scored in each of these rounds."""
    rows = RubricItem.objects.filter(rubric__round__in=[one.pk for one in rounds], is_text_only=False)
    return dict(rows.values_list("rubric__round").annotate(count=Count("pk")))


@dataclass(slots=True)
class PanelProgress:
    """How far the readers of one case are: confirmed readers, sheets in."""

    case: Case
    readers: int
    handed_in: int


def progress_visible_to(user: object) -> list[PanelProgress]:
    """This function will return the progress of the cases whose panel the user chairs or whose round the user runs."""
    seen = Q(assignments__in=Assignment.objects.filter(assignments_watched(user)))
    cases = (
        Case.objects.filter(seen, state="open")
        .select_related("panel__round", *_SUBJECT)
        .annotate(
            readers=Count("assignments", filter=Q(assignments__state=CONFIRMED), distinct=True),
            handed_in=Count(
                "assignments",
                filter=Q(assignments__state=CONFIRMED, assignments__sheet__state="submitted"), distinct=True,
            ),
        )
        .order_by("panel_id", "number")
    )  # fmt: skip
    return [PanelProgress(case, case.readers, case.handed_in) for case in cases]


# All sheets of a case -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ReaderRow:
    """One reader of a case: name (or number, where names stay hidden), the sheet's state, and what of it may be read."""

    name: str
    assignment: Assignment
    sheet: ScoreSheet | None
    answers: dict[str, scoring.Answer] = field(default_factory=dict)
    first: dict[str, scoring.Answer] = field(default_factory=dict)
    total: Decimal | None = None
    first_total: Decimal | None = None
    is_shown: bool = False


@dataclass(slots=True)
class CaseSheets:
    """A case's readers, and over the sheets that may be read: criteria, totals, spread, missed thresholds, grade."""

    rows: list[ReaderRow]
    items: list[RubricItem] = field(default_factory=list)
    score: scoring.CaseScore | None = None
    first: scoring.CaseScore | None = None

    @property
    def shown(self) -> list[ReaderRow]:
        """The readers whose sheets may be read."""
        return [row for row in self.rows if row.is_shown]

    @property
    def table(self) -> list[tuple[RubricItem, scoring.ItemScore | None, list[Said]]]:
        """A line for each criterion: its mean and spread, and what each shown reader says on it."""
        scores = {one.item: one for one in self.score.items} if self.score else {}
        return [(item, scores.get(item.code), [_said(row, item.code) for row in self.shown]) for item in self.items]


@dataclass(frozen=True, slots=True)
class Said:
    """What a reader says on a criterion, and what stood there at the first close if that was something else."""

    reader: str
    now: scoring.Answer
    first: scoring.Answer | None


def _said(row: ReaderRow, key: str) -> Said:
    now, first = row.answers.get(key, scoring.Answer(key)), row.first.get(key)
    return Said(row.name, now, first if first is not None and first != now else None)


def case_sheets(user: object, case: Case) -> CaseSheets:
    """This function will return the readers of a case and what this user may read of their sheets."""
    assignments = confirmed_of([case])
    readable = {one.pk for one in ScoreSheet.objects.filter(sheets_visible(user), assignment__case=case)}
    nameless = hides_names(user, case)
    rows = [
        ReaderRow(str(number) if nameless else one.member.person.name, one, getattr(one, "sheet", None))
        for number, one in enumerate(assignments, 1)
    ]
    rubric_row = case.panel.round.rubric
    if not readable or rubric_row is None:
        return CaseSheets(rows)
    items = items_of(rubric_row)
    rubric = rubric_of(rubric_row, items)
    kept = scores_of([row.sheet for row in rows if row.sheet is not None and row.sheet.pk in readable])
    for row in rows:
        if row.sheet is not None and row.sheet.pk in readable:
            _fill(row, rubric, kept.get(row.sheet.pk, []))
    shown = [row for row in rows if row.is_shown]
    final = scoring.case_score(rubric, case.ref, [as_sheet(case, row.name, row.answers) for row in shown])
    first = scoring.case_score(rubric, case.ref, [as_sheet(case, row.name, row.first or row.answers) for row in shown])
    return CaseSheets(rows, items, final, first)


def _fill(row: ReaderRow, rubric: scoring.Rubric, kept: list[SheetScore]) -> None:
    row.is_shown, row.answers = True, answers_of(kept)
    if row.sheet is not None and row.sheet.frozen_at is not None:
        row.first = answers_of(kept, first=True)
    row.total = scoring.sheet_total(rubric, scoring.Sheet("", "", tuple(row.answers.values())))
    first = scoring.Sheet("", "", tuple((row.first or row.answers).values()))
    row.first_total = scoring.sheet_total(rubric, first)
