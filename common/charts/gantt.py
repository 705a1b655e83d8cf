"""A Gantt of several projects: each with its period as a bar and, on it, milestones with their slip, gates, reports."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from common.charts.svg import (
    BLUE,
    MUTED,
    OCHRE,
    PAPER,
    SIZE,
    WIDTH,
    Chart,
    Words,
    box,
    diamond,
    drawing,
    fitted,
    label,
    line,
    plated,
    triangle,
    width_of,
)
from common.charts.time_axis import TimeAxis
from common.fiscal_year import date_text

MILESTONE, GATE, REPORT = "milestone", "gate", "report"
_TITLE = Words("ロードマップ", "Roadmap")
_TODAY = Words("今日", "today")
_EMPTY = Words("予定はまだ登録されていません。", "Nothing is planned yet.")
_KINDS = {
    MILESTONE: Words("マイルストーン", "milestone"),
    GATE: Words("ゲート", "gate"),
    REPORT: Words("報告書", "report"),
}
_HEAD = (
    Words("課題", "Project"),
    Words("種別", "Kind"),
    Words("名称", "Name"),
    Words("当初の期日", "First planned"),
    Words("期日", "Due"),
    Words("状態", "State"),
)
_PERIOD = Words("期間", "period")
_DONE, _LATE, _OPEN = Words("済", "done"), Words("遅れ", "late"), Words("予定", "planned")
#: Of a gate only its day is known here, not how it ended.
_PAST = Words("期日経過", "day has passed")
_ROW = 46.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Something with a day: `kind` is milestone, gate or report; `first_on` what the first plan said."""

    kind: str
    label: str
    on: date
    first_on: date | None = None
    done_on: date | None = None


@dataclass(frozen=True, slots=True)
class GanttRow:
    """A project: its period, if known, and its marks."""

    label: str
    starts_on: date | None = None
    ends_on: date | None = None
    marks: Sequence[Mark] = field(default_factory=tuple)

    @property
    def days(self) -> list[date]:
        """Every day the row has to show."""
        marked = [day for mark in self.marks for day in (mark.on, mark.first_on, mark.done_on) if day]
        return [*marked, *(day for day in (self.starts_on, self.ends_on) if day)]


def gantt(rows: Sequence[GanttRow], today: date, language: str = "ja", around: Sequence[date] = ()) -> Chart:
    """This function will draw a row a project over the fiscal years; the table has every mark with its dates.

    The years cover the days `around` as well, so that several pictures of one roadmap have the same scale.
    """
    table = [line for row in rows for line in _lines(row, today, language)]
    head = tuple(word(language) for word in _HEAD)
    days = [*around, *(day for row in rows for day in row.days)]
    if not days:
        parts, height = [label(8, 24, fitted(_EMPTY(language), WIDTH - 16), fill=MUTED)], 36.0
    else:
        parts, height = _drawn(rows, TimeAxis(days, 8, WIDTH - 36), today, language)
    desc = _description(rows, today, language) if table else _EMPTY(language)
    return drawing(parts, height=height, title=_TITLE(language), desc=desc, head=head, rows=table)


def _description(rows: Sequence[GanttRow], today: date, language: str) -> str:
    """How many of what there are, and what is late by name: the rest is for the table, not for one breath."""
    marks = [(row, mark) for row in rows for mark in row.marks]
    counts = [f"{_HEAD[0](language)} {len(rows)}"]
    for kind, word in _KINDS.items():
        if count := sum(mark.kind == kind for _, mark in marks):
            counts.append(f"{word(language)} {count}")
    late = [
        f"{_LATE(language)}: {row.label} {mark.label} {date_text(mark.on, language)}"
        for row, mark in marks
        if _state(mark, today) is _LATE
    ]
    return " / ".join([*counts, *late])


def _drawn(rows: Sequence[GanttRow], axis: TimeAxis, today: date, language: str) -> tuple[list[str], float]:
    top = 8.0
    bottom = top + _ROW * len(rows) + 6
    parts = axis.drawn(top, bottom, language)
    height = bottom + 24
    if axis.covers(today):
        x, word = axis.x(today), _TODAY(language)
        place = min(max(x, width_of(word) / 2 + 2), WIDTH - width_of(word) / 2 - 2)
        parts.append(line(x, top, x, bottom, stroke=OCHRE, stroke_width=2))
        parts.append(label(place, bottom + 20 + SIZE, word, fill=OCHRE, text_anchor="middle"))
        height += SIZE
    for index, row in enumerate(rows):
        parts += _row(row, axis, top + index * _ROW, today)
    return parts, height


def _row(row: GanttRow, axis: TimeAxis, top: float, today: date) -> list[str]:
    y = top + 32
    parts = [plated(8, top + 16, fitted(row.label, WIDTH - 16))]
    if row.starts_on and row.ends_on:
        left, right = axis.x(row.starts_on), axis.x(row.ends_on)
        parts.append(box(left, y - 4, max(right - left, 2), 8, fill=PAPER, stroke=MUTED))
    # What is drawn last lies on top: milestones over gates over reports.
    order = {REPORT: 0, GATE: 1, MILESTONE: 2}
    for mark in sorted(row.marks, key=lambda mark: (order[mark.kind], mark.on)):
        parts += _mark(mark, axis, y, today)
    return parts


def _mark(mark: Mark, axis: TimeAxis, y: float, today: date) -> list[str]:
    state = _state(mark, today)
    colour = OCHRE if state is _LATE else MUTED if state is _PAST else BLUE
    fill = colour if state in (_DONE, _PAST) else PAPER
    x = axis.x(mark.done_on or mark.on)
    if mark.kind == GATE:
        return [triangle(x, y + 10, 7, fill=fill, stroke=colour, stroke_width=1.5)]
    if mark.kind == REPORT:
        return [box(x - 4, y - 5, 8, 10, fill=fill, stroke=colour)]
    start = axis.x(mark.first_on) if mark.first_on else x
    trail = [
        line(start, y, x, y, stroke=colour, stroke_width=1.5),
        line(start, y - 5, start, y + 5, stroke=colour, stroke_width=1.5),
    ]
    return [*(trail if start != x else []), diamond(x, y, 6, fill=fill, stroke=colour, stroke_width=2)]


def _state(mark: Mark, today: date) -> Words:
    if mark.done_on:
        return _DONE
    if mark.on >= today:
        return _OPEN
    return _PAST if mark.kind == GATE else _LATE


def _lines(row: GanttRow, today: date, language: str) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    if row.starts_on and row.ends_on:
        period = f"{date_text(row.starts_on, language)} - {date_text(row.ends_on, language)}"
        lines.append((row.label, _PERIOD(language), "", "", period, ""))
    for mark in sorted(row.marks, key=lambda mark: (mark.on, mark.label)):
        state = _state(mark, today)(language)
        if mark.done_on:
            state = f"{state} {date_text(mark.done_on, language)}"
        first = date_text(mark.first_on, language) if mark.first_on else ""
        lines.append((row.label, _KINDS[mark.kind](language), mark.label, first, date_text(mark.on, language), state))
    return lines
