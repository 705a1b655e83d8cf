"""Stacked bars: a whole by year, made of parts; beside it, as an outline, what it was before."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.charts.svg import (
    BLUE,
    INK,
    MUTED,
    OCHRE,
    PALE,
    PAPER,
    SIZE,
    WIDTH,
    Chart,
    Words,
    box,
    drawing,
    fitted,
    hatched,
    label,
)
from common.money import figure, printed, unit_name

_YEAR, _BEFORE, _SUM = Words("年度", "Fiscal year"), Words("計画", "Plan"), Words("計", "Sum")
_LEFT, _BARS_LEFT, _RIGHT, _HEIGHT = 8.0, 122.0, 68.0, 16.0
_OUTLINE: dict[str, str | float] = {"fill": "none", "stroke": MUTED, "stroke_width": 1.5, "stroke_dasharray": "4 3"}


@dataclass(frozen=True, slots=True)
class StackedRow:
    """One year: its parts in the order of their names, and what was planned, in yen."""

    label: str
    parts: tuple[int, ...]
    before: int


def stacked_bars(
    title: str, names: Sequence[str], rows: Sequence[StackedRow], unit: str = "million", language: str = "ja"
) -> Chart:
    """This function will draw one bar a year, stacked in the order of the names; a dashed outline is what was planned."""
    scale = (WIDTH - _BARS_LEFT - _RIGHT) / max([1, *(max(sum(row.parts), row.before) for row in rows)])
    parts: list[str] = []
    y = 4.0
    for row in rows:
        parts.append(label(_LEFT, y + SIZE, row.label))
        x = _BARS_LEFT
        for place, amount in enumerate(row.parts):
            if amount > 0:
                parts.append(_fill(place, x, y + 1, amount * scale, _HEIGHT))
                x += amount * scale
        if row.before > 0:
            parts.append(box(_BARS_LEFT, y - 1, row.before * scale, _HEIGHT + 4, **_OUTLINE))
        shown = figure(sum(row.parts), unit, language)
        parts.append(label(WIDTH - _LEFT, y + SIZE, shown, text_anchor="end", font_weight="700"))
        y += _HEIGHT + 12
    for place, name in enumerate([*names, _BEFORE(language)]):
        swatch = box(_LEFT, y, 11, 11, **_OUTLINE) if place == len(names) else _fill(place, _LEFT, y, 11, 11)
        parts += [swatch, label(_LEFT + 18, y + 10, fitted(name, WIDTH - 40))]
        y += SIZE + 7
    head = (_YEAR(language), *names, _SUM(language), _BEFORE(language))
    table = [
        (row.label, *(printed(one, unit, language) for one in (*row.parts, sum(row.parts), row.before))) for row in rows
    ]
    desc = " / ".join(f"{row[0]}: {head[-2]} {row[-2]}, {head[-1]} {row[-1]}" for row in table)
    whole = f"{title} ({unit_name(unit, language)})"
    return drawing(parts, height=y, title=whole, desc=desc, head=head, rows=table)


def _fill(place: int, x: float, y: float, width: float, height: float) -> str:
    """Six fillings that differ in grey print as well; a seventh part looks like the first again."""
    match place % 6:
        case 0:
            return box(x, y, width, height, fill=BLUE)
        case 1:
            return hatched(x, y, width, height, OCHRE)
        case 2:
            return box(x, y, width, height, fill=PALE, stroke=BLUE, stroke_width=0.8)
        case 3:
            return box(x, y, width, height, fill=MUTED)
        case 4:
            return hatched(x, y, width, height, BLUE)
        case _:
            return box(x, y, width, height, fill=PAPER, stroke=INK, stroke_width=1.2)
