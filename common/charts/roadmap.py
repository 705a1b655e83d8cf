"""The roadmap: milestones with their slip, gates and today's line over the fiscal years."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    diamond,
    drawing,
    fitted,
    label,
    line,
    plated,
    width_of,
)
from common.charts.time_axis import Gate, TimeAxis, gate_rows, gates_drawn
from common.fiscal_year import date_text

_TITLE = Words("ロードマップ", "Roadmap")
_TODAY = Words("今日", "today")
_EMPTY = Words("マイルストーンはまだありません。", "No milestone is planned yet.")
_HEAD = (
    Words("マイルストーン・ゲート", "Milestone or gate"),
    Words("当初の期日", "First planned"),
    Words("期日", "Due"),
    Words("状態", "State"),
)
_DONE, _LATE, _OPEN = Words("達成", "done"), Words("遅れ", "late"), Words("予定", "planned")
_GATE = Words("ゲート", "gate")
_ROW = 44.0


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone of the plan in force; `first_due_on` is what the first plan said."""

    label: str
    due_on: date
    first_due_on: date | None = None
    done_on: date | None = None


def roadmap(milestones: Sequence[Milestone], gates: Sequence[Gate], today: date, language: str = "ja") -> Chart:
    """This function will draw one line a milestone: a diamond at its day, filled when done; slip is a trail."""
    ordered = sorted(milestones, key=lambda milestone: (milestone.due_on, milestone.label))
    table = [_row(milestone, today, language) for milestone in ordered]
    table += [(gate.label, "", date_text(gate.on, language), _GATE(language)) for gate in gates]
    head = tuple(word(language) for word in _HEAD)
    desc = " / ".join(f"{row[0]} {row[2]} {row[3]}" for row in table) or _EMPTY(language)
    if not table:
        parts, height = [label(8, 24, _EMPTY(language), fill=MUTED)], 36.0
    else:
        parts, height = _drawn(ordered, gates, today, language)
    return drawing(parts, height=height, title=_TITLE(language), desc=desc, head=head, rows=table)


def _drawn(ordered: Sequence[Milestone], gates: Sequence[Gate], today: date, language: str) -> tuple[list[str], float]:
    days = [day for one in ordered for day in (one.due_on, one.first_due_on, one.done_on) if day]
    axis = TimeAxis([*days, *(gate.on for gate in gates)], 8, WIDTH - 36)
    names = gate_rows(gates, axis, WIDTH - 4)
    top = 12.0 + (SIZE + 4) * (1 + max((row for *_, row in names), default=-1))
    bottom = top + _ROW * max(1, len(ordered)) + 14
    parts = axis.drawn(top, bottom, language) + gates_drawn(names, axis, top, bottom)
    height = bottom + 24
    if axis.covers(today):
        x = axis.x(today)
        parts.append(line(x, top, x, bottom, stroke=OCHRE, stroke_width=2))
        word = _TODAY(language)
        place = min(max(x, width_of(word) / 2 + 2), WIDTH - width_of(word) / 2 - 2)
        parts.append(label(place, bottom + 20 + SIZE, word, fill=OCHRE, text_anchor="middle"))
        height += SIZE
    for index, milestone in enumerate(ordered):
        parts += _milestone(milestone, axis, top + index * _ROW, today, language)
    return parts, height


def _milestone(milestone: Milestone, axis: TimeAxis, top: float, today: date, language: str) -> list[str]:
    state, day = _state(milestone, today), milestone.done_on or milestone.due_on
    colour = OCHRE if state is _LATE else BLUE
    x, y = axis.x(day), top + 32
    start = axis.x(milestone.first_due_on) if milestone.first_due_on else x
    when = _short(day) + ("" if state is _OPEN else f" {state(language)}")
    room = WIDTH - 4 - width_of(when)
    place = max(x, start) + 12 if max(x, start) + 12 <= room else min(x, start) - 12 - width_of(when)
    trail = [
        line(start, y, x, y, stroke=MUTED, stroke_width=1.5),
        line(start, y - 4, start, y + 4, stroke=MUTED, stroke_width=1.5),
    ]
    return [
        plated(8, top + 17, fitted(milestone.label, WIDTH - 16)),
        *(trail if start != x else []),
        diamond(x, y, 7, fill=colour if state is _DONE else PAPER, stroke=colour, stroke_width=2),
        plated(max(place, 4), y + 5, when, fill=colour if state is _LATE else MUTED),
    ]


def _state(milestone: Milestone, today: date) -> Words:
    if milestone.done_on:
        return _DONE
    return _LATE if milestone.due_on < today else _OPEN


def _row(milestone: Milestone, today: date, language: str) -> tuple[str, str, str, str]:
    first = date_text(milestone.first_due_on, language) if milestone.first_due_on else ""
    state = _state(milestone, today)(language)
    if milestone.done_on:
        state = f"{state} {date_text(milestone.done_on, language)}"
    return (milestone.label, first, date_text(milestone.due_on, language), state)


def _short(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"
