"""PURE: score sheets in; totals, spread, failed thresholds, grades, first against final, and odd sheets out.

Points and weights are `Decimal`: a total that a person can check by hand is exact, and stands against a threshold as it
is printed. "Not applicable" is no score: its weight is shared among the criteria that were scored. The ranking over
readers of different leniency is `evaluations.calibration`'s.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

#: Totals and means are rounded half up to this, and read against thresholds and the legend as rounded: what is shown
#: is what counts.
CENT = Decimal("0.01")
HUNDRED = Decimal(100)
#: A best or worst grade with a shorter comment is worth a second look (characters without spaces).
SHORT_COMMENT = 20


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a scale: a lower-case letter or a number, its points, and the anchor that explains it."""

    code: str
    points: Decimal
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One criterion: weight in percent and scale, or text only. Below the threshold (points) the case fails on it."""

    key: str
    weight: Decimal = Decimal(0)
    levels: tuple[Level, ...] = ()
    threshold: Decimal | None = None
    is_text_only: bool = False
    may_be_not_applicable: bool = True
    is_comment_required: bool = False

    def level(self, code: str) -> Level | None:
        """This method will return the step of the scale with this code, None when it is off the scale."""
        return next((level for level in self.levels if level.code == code), None)

    @property
    def best(self) -> Decimal:
        """The points of the best step."""
        return max(level.points for level in self.levels)

    @property
    def worst(self) -> Decimal:
        """The points of the worst step."""
        return min(level.points for level in self.levels)


@dataclass(frozen=True, slots=True)
class Grade:
    """One overall grade of the legend: upper case, from so many points of the total; without points in words only."""

    code: str
    from_points: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rubric:
    """The criteria in their order, and the legend of the overall grade."""

    items: tuple[Item, ...]
    grades: tuple[Grade, ...] = ()

    def item(self, key: str) -> Item | None:
        """This method will return the criterion with this key."""
        return next((item for item in self.items if item.key == key), None)

    @property
    def scored(self) -> tuple[Item, ...]:
        """The criteria that carry points."""
        return tuple(item for item in self.items if not item.is_text_only)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one sheet says on one criterion: a grade, or not applicable, or nothing yet; and a comment."""

    item: str
    level: str = ""
    is_not_applicable: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One reader's sheet of one case."""

    case: str
    reviewer: str
    answers: tuple[Answer, ...] = ()

    def answer(self, item: str) -> Answer:
        """This method will return the answer on a criterion; an empty one where there is none."""
        return next((answer for answer in self.answers if answer.item == item), Answer(item))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong or worth a look: a code, the criterion it is about ("" for the whole), and the figure that shows it."""

    code: str
    item: str = ""
    figure: Decimal | int | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """How far scores lie apart: number, mean, sample standard deviation (None for one), lowest and highest."""

    count: int
    mean: Decimal
    deviation: Decimal | None
    lowest: Decimal
    highest: Decimal

    @property
    def range(self) -> Decimal:
        """Highest minus lowest."""
        return self.highest - self.lowest


@dataclass(frozen=True, slots=True)
class ItemScore:
    """One criterion over the sheets of a case; `spread` is None where nobody scored it."""

    item: str
    spread: Spread | None
    not_applicable: int
    is_below_threshold: bool


@dataclass(frozen=True, slots=True)
class CaseScore:
    """One case: the total over its sheets, each criterion, the grade by the legend, and the thresholds it misses."""

    case: str
    sheets: int
    total: Spread | None
    items: tuple[ItemScore, ...]
    grade: str

    @property
    def failures(self) -> tuple[str, ...]:
        """The criteria on which the case lies below the threshold."""
        return tuple(one.item for one in self.items if one.is_below_threshold)


@dataclass(frozen=True, slots=True)
class Change:
    """What a revision changed on one criterion; `points`: final minus first, None where either is no score."""

    item: str
    before: Answer
    after: Answer
    points: Decimal | None

    @property
    def is_score(self) -> bool:
        """Whether the score itself changed, not only its comment."""
        return (self.before.level, self.before.is_not_applicable) != (self.after.level, self.after.is_not_applicable)


def rounded(value: Decimal) -> Decimal:
    """This function will round half up to two decimals."""
    return value.quantize(CENT, ROUND_HALF_UP)


# The rubric -----------------------------------------------------------------------------------------------------------


def rubric_problems(rubric: Rubric) -> list[Problem]:
    """This function will return what keeps a rubric from being used.

    Weights that do not sum to 100 (`figure`: their sum), scales of fewer than two steps or with upper-case letters, codes
    given twice, thresholds outside the scale, overall grades in lower case or not falling from grade to grade.
    """
    found = []
    total = sum((item.weight for item in rubric.scored), Decimal(0))
    if not rubric.scored and not rubric.items:
        found.append(Problem("no_items"))
    if rubric.scored and total != HUNDRED:
        found.append(Problem("weights_do_not_sum", figure=total))
    found += [Problem("item_twice", key) for key in _repeated(item.key for item in rubric.items)]
    for item in rubric.items:
        found += _item_problems(item)
    found += [Problem("grade_twice", code) for code in _repeated(grade.code for grade in rubric.grades)]
    found += [
        Problem("grade_not_upper_case", grade.code) for grade in rubric.grades if grade.code != grade.code.upper()
    ]
    points = [grade.from_points for grade in rubric.grades if grade.from_points is not None]
    if points != sorted(set(points), reverse=True):
        found.append(Problem("grades_do_not_fall"))
    return found


def _item_problems(item: Item) -> list[Problem]:
    if item.is_text_only:
        return [Problem("text_only_with_weight", item.key, item.weight)] if item.weight else []
    if len({level.points for level in item.levels}) < 2:
        return [Problem("scale_too_short", item.key, len(item.levels))]
    found = [Problem("level_twice", item.key) for _ in _repeated(level.code for level in item.levels)]
    if any(level.code != level.code.lower() for level in item.levels):
        found.append(Problem("level_not_lower_case", item.key))
    if item.threshold is not None and not item.worst <= item.threshold <= item.best:
        found.append(Problem("threshold_off_scale", item.key, item.threshold))
    return found


def _repeated(codes: Iterable[str]) -> list[str]:
    return sorted(code for code, times in Counter(codes).items() if times > 1)


# One sheet ------------------------------------------------------------------------------------------------------------


def sheet_problems(rubric: Rubric, sheet: Sheet) -> list[Problem]:
    """This function will return what keeps a sheet from being handed in, in the order of the criteria.

    A criterion without an answer, a grade off its scale, "not applicable" where that is not allowed or beside a grade,
    a comment that is asked for and missing, an answer to a criterion that is not in the rubric.
    """
    known = {item.key for item in rubric.items}
    found = [Problem("unknown_item", answer.item) for answer in sheet.answers if answer.item not in known]
    for item in rubric.items:
        answer = sheet.answer(item.key)
        written = bool(answer.comment.strip())
        if item.is_text_only:
            if answer.level or answer.is_not_applicable:
                found.append(Problem("text_only", item.key))
        elif answer.level and answer.is_not_applicable:
            found.append(Problem("grade_and_not_applicable", item.key))
        elif answer.level and item.level(answer.level) is None:
            found.append(Problem("off_scale", item.key))
        elif answer.is_not_applicable and not item.may_be_not_applicable:
            found.append(Problem("not_applicable_not_allowed", item.key))
        elif not answer.level and not answer.is_not_applicable:
            found.append(Problem("missing", item.key))
        if item.is_comment_required and not written:
            found.append(Problem("comment_missing", item.key))
    return found


def points_of(item: Item, answer: Answer) -> Decimal | None:
    """This function will return the points of an answer; None for not applicable, no answer or off the scale."""
    level = None if item.is_text_only or answer.is_not_applicable else item.level(answer.level)
    return None if level is None else level.points


def sheet_total(rubric: Rubric, sheet: Sheet) -> Decimal | None:
    """This function will return the weighted mean of the points, rounded; None when nothing with a weight was scored.

    Not applicable is not 0: the weights of the criteria that were scored are taken as the whole.
    """
    weights = total = Decimal(0)
    for item in rubric.scored:
        points = points_of(item, sheet.answer(item.key))
        if points is not None:
            weights += item.weight
            total += item.weight * points
    return rounded(total / weights) if weights else None


def grade_of(rubric: Rubric, total: Decimal | None) -> str:
    """This function will return the overall grade of a total: the first of the legend that it reaches; "" without one."""
    if total is None:
        return ""
    reached = [grade for grade in rubric.grades if grade.from_points is not None and total >= grade.from_points]
    return max(reached, key=lambda grade: grade.from_points or Decimal(0)).code if reached else ""


def disagreements(rubric: Rubric, sheet: Sheet) -> list[Problem]:
    """This function will name where score and comment do not go together. It warns and never refuses.

    Exactly four things are looked at, by length and equality; the sense of a comment is never guessed:
    the best or worst grade with no comment, or with one shorter than `SHORT_COMMENT` characters (spaces not counted);
    a score below the criterion's threshold with no comment; "not applicable" with no comment; and the same comment,
    word for word, under criteria with different points.
    """
    found = []
    for item in rubric.scored:
        answer = sheet.answer(item.key)
        points, length = points_of(item, answer), len("".join(answer.comment.split()))
        if points is None:
            if answer.is_not_applicable and not length:
                found.append(Problem("not_applicable_unexplained", item.key))
        elif points in (item.best, item.worst) and item.best != item.worst and length < SHORT_COMMENT:
            found.append(Problem("extreme_comment_short" if length else "extreme_without_comment", item.key, length))
        elif item.threshold is not None and points < item.threshold and not length:
            found.append(Problem("below_threshold_without_comment", item.key))
    return found + _same_comments(rubric, sheet)


def _same_comments(rubric: Rubric, sheet: Sheet) -> list[Problem]:
    first: dict[str, Decimal] = {}
    found = []
    for item in rubric.scored:
        answer = sheet.answer(item.key)
        points, words = points_of(item, answer), " ".join(answer.comment.split())
        if points is not None and words and first.setdefault(words, points) != points:
            found.append(Problem("same_comment", item.key))
    return found


# Cases ----------------------------------------------------------------------------------------------------------------


def spread_of(values: Sequence[Decimal]) -> Spread | None:
    """This function will return number, mean, standard deviation (n - 1), lowest and highest; None for no values."""
    if not values:
        return None
    mean = sum(values, Decimal(0)) / len(values)
    deviation = None
    if len(values) > 1:
        squares = sum(((value - mean) ** 2 for value in values), Decimal(0))
        deviation = rounded(Decimal(math.sqrt(squares / (len(values) - 1))))
    return Spread(len(values), rounded(mean), deviation, min(values), max(values))


def case_score(rubric: Rubric, case: str, sheets: Sequence[Sheet]) -> CaseScore:
    """This function will put the sheets of one case together: the mean of their totals, each criterion, the grade."""
    totals = [total for total in (sheet_total(rubric, sheet) for sheet in sheets) if total is not None]
    spread = spread_of(totals)
    items = tuple(_item_score(item, sheets) for item in rubric.scored)
    return CaseScore(case, len(sheets), spread, items, grade_of(rubric, spread.mean if spread else None))


def _item_score(item: Item, sheets: Sequence[Sheet]) -> ItemScore:
    answers = [sheet.answer(item.key) for sheet in sheets]
    spread = spread_of([points for points in (points_of(item, answer) for answer in answers) if points is not None])
    below = spread is not None and item.threshold is not None and spread.mean < item.threshold
    return ItemScore(item.key, spread, sum(answer.is_not_applicable for answer in answers), below)


def case_scores(rubric: Rubric, sheets: Iterable[Sheet]) -> dict[str, CaseScore]:
    """This function will return the score of each case that has a sheet, by case."""
    by_case: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        by_case.setdefault(sheet.case, []).append(sheet)
    return {case: case_score(rubric, case, by_case[case]) for case in sorted(by_case)}


def differences(rubric: Rubric, first: Sheet, final: Sheet) -> list[Change]:
    """This function will return what changed from the first sheet to the final one, criterion by criterion."""
    found = []
    for item in rubric.items:
        before, after = first.answer(item.key), final.answer(item.key)
        if before != after:
            old, new = points_of(item, before), points_of(item, after)
            found.append(Change(item.key, before, after, None if old is None or new is None else new - old))
    return found
