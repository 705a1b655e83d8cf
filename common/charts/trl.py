"""The TRL staircase: planned, claimed by the project, assessed by the PD or the panel, and the target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from common.charts.svg import (
    BLUE,
    INK,
    LINE,
    MUTED,
    OCHRE,
    PALE,
    PAPER,
    SIZE,
    WIDTH,
    Chart,
    Row,
    Words,
    box,
    drawing,
    element,
    label,
    line,
    polyline,
    spread,
    width_of,
    wrapped,
)
from common.charts.time_axis import Gate, TimeAxis, gate_rows, gates_drawn
from common.fiscal_year import date_text

_TITLE = Words("TRL(技術成熟度)の階段", "TRL staircase")
_TARGET = Words("目標", "target")
_NOTHING = Words("計画・申告・評価の記録はまだありません。", "No plan, claim or assessment is on record yet.")
_HEAD = (Words("区分", "Kind"), Words("日付", "Date"), Words("TRL", "TRL"), Words("水準", "Level"))
_KINDS = {
    "planned": Words("計画", "planned"),
    "claimed": Words("申告", "claimed"),
    "assessed": Words("評価", "assessed"),
    "gate": Words("ゲート", "gate"),
}
_COLOURS = {"planned": MUTED, "claimed": OCHRE, "assessed": BLUE}
_STEP = 24


@dataclass(frozen=True, slots=True)
class TrlPoint:
    """A level planned for, claimed at or assessed at a day."""

    on: date
    level: int


def trl_staircase(
    planned: Sequence[TrlPoint],
    claimed: Sequence[TrlPoint],
    assessed: Sequence[TrlPoint],
    target: int | None,
    gates: Sequence[Gate],
    levels: Mapping[int, str],
    language: str = "ja",
) -> Chart:
    """This function will draw the levels of a project over the fiscal years, with target and gates.

    `levels` are the numbers and wordings of the scale. While nothing is planned, claimed or assessed it draws the
    scale itself as stairs with the target on it.
    """
    series = {
        kind: sorted(points, key=lambda point: (point.on, point.level))
        for kind, points in (("planned", planned), ("claimed", claimed), ("assessed", assessed))
    }
    title = _TITLE(language) + _target_words(target, levels, language)
    head: Row = tuple(word(language) for word in _HEAD)
    rows = [
        (_KINDS[kind](language), date_text(point.on, language), f"TRL{point.level}", levels.get(point.level, ""))
        for kind, points in series.items()
        for point in points
    ]
    if not rows:
        scale = [("", "", f"TRL{level}", levels[level]) for level in sorted(levels)]
        if target is not None:
            scale = [(_TARGET(language), *row[1:]) if row[2] == f"TRL{target}" else row for row in scale]
        parts, height = _stairs(target, levels, language)
        return drawing(parts, height=height, title=title, desc=_NOTHING(language), head=head, rows=scale)
    gate_lines = [(_KINDS["gate"](language), date_text(gate.on, language), "", gate.label) for gate in gates]
    desc = _description(series, language)
    parts, height = _over_time(series, target, gates, levels, language)
    return drawing(parts, height=height, title=title, desc=desc, head=head, rows=[*rows, *gate_lines])


def _target_words(target: int | None, levels: Mapping[int, str], language: str) -> str:
    if target is None:
        return ""
    return f": {_TARGET(language)} TRL{target} {levels.get(target, '')}".rstrip()


def _description(series: Mapping[str, Sequence[TrlPoint]], language: str) -> str:
    latest = [
        f"{_KINDS[kind](language)} TRL{points[-1].level} {date_text(points[-1].on, language)}"
        for kind, points in series.items()
        if points
    ]
    return " / ".join(latest)


def _stairs(target: int | None, levels: Mapping[int, str], language: str) -> tuple[list[str], float]:
    numbers = sorted(levels)
    bottom, left, width = 34 + _STEP * len(numbers), 8.0, (WIDTH - 16) / max(1, len(numbers))
    parts = []
    for index, level in enumerate(numbers):
        x, top = left + index * width, bottom - _STEP * (index + 1)
        is_target = level == target
        colours = {"fill": BLUE if is_target else PALE, "stroke": MUTED}
        parts.append(box(x, top, width, bottom - top, **colours))
        ink = PAPER if is_target else INK
        parts.append(label(x + width / 2, top + 17, str(level), text_anchor="middle", fill=ink))
        if is_target:
            words = wrapped(f"{_TARGET(language)} TRL{target} {levels[level]}", max(x - 12, 120), 4)
            parts += [label(8, 18 + 17 * row, text, fill=BLUE, font_weight="700") for row, text in enumerate(words)]
            height, end = 13 + 17 * (len(words) - 1), 14 + width_of(words[-1])
            parts.append(polyline([(end, height), (x + width / 2, height), (x + width / 2, top)], stroke=BLUE))
    parts.append(label(WIDTH - 8, bottom + SIZE + 4, "TRL", text_anchor="end", fill=MUTED))
    return parts, bottom + 24


def _over_time(
    series: Mapping[str, Sequence[TrlPoint]],
    target: int | None,
    gates: Sequence[Gate],
    levels: Mapping[int, str],
    language: str,
) -> tuple[list[str], float]:
    days = [point.on for points in series.values() for point in points] + [gate.on for gate in gates]
    right = WIDTH - (72 if language == "en" else 46)
    axis = TimeAxis(days, 46, right)
    names = gate_rows(gates, axis, WIDTH - 4)
    top = 16.0 + (SIZE + 4) * (1 + max((row for *_, row in names), default=-1))
    highest = max([*levels, *(point.level for points in series.values() for point in points), target or 1])
    bottom = top + _STEP * highest

    def y(level: int) -> float:
        return bottom - _STEP * (level - 0.5)

    parts = axis.drawn(top, bottom, language)
    for level in range(1, highest + 1):
        is_target = level == target
        weight = {"font_weight": "700", "fill": BLUE} if is_target else {"fill": MUTED}
        parts.append(label(4, y(level) + 5, f"TRL{level}", **weight))
        parts.append(line(46, y(level), right, y(level), stroke=LINE, stroke_width=0.5))
    if target is not None:
        parts.append(line(46, y(target), right, y(target), stroke=BLUE, stroke_width=2, stroke_dasharray="7 4"))
    parts += gates_drawn(names, axis, top, bottom)
    for kind, points in series.items():
        parts += _series(kind, [(axis.x(point.on), y(point.level)) for point in points], right)
    return [*parts, *_ends(series, target, right, y, (top, bottom), language)], bottom + 24


def _series(kind: str, places: Sequence[tuple[float, float]], right: float) -> list[str]:
    """A step up at each day, then level; the plan goes on to the edge, facts end with the last one."""
    path: list[tuple[float, float]] = []
    for x, y in places:
        if path:
            path.append((x, path[-1][1]))
        path.append((x, y))
    if kind == "planned":
        if path:
            path.append((right, path[-1][1]))
        return [polyline(path, stroke=MUTED, stroke_width=2)] if path else []
    colour, width = _COLOURS[kind], 1.5 if kind == "claimed" else 3.0
    parts = [polyline(path, stroke=colour, stroke_width=width)] if len(path) > 1 else []
    for x, y in places:
        if kind == "claimed":
            parts.append(element("circle", cx=x, cy=y, r=5, fill=PAPER, stroke=colour, stroke_width=2))
        else:
            parts.append(box(x - 4.5, y - 4.5, 9, 9, fill=colour))
    return parts


def _ends(
    series: Mapping[str, Sequence[TrlPoint]],
    target: int | None,
    right: float,
    y: Callable[[int], float],
    bounds: tuple[float, float],
    language: str,
) -> list[str]:
    """The name of each line beside its end, instead of a legend."""
    named = [(_KINDS[kind](language), points[-1].level, _COLOURS[kind]) for kind, points in series.items() if points]
    if target is not None:
        named.append((_TARGET(language), target, BLUE))
    heights = spread([y(level) + 5 for _, level, _ in named], SIZE + 3, bounds[0] + SIZE, bounds[1])
    return [
        label(right + 5, height, name, fill=colour) for (name, _, colour), height in zip(named, heights, strict=True)
    ]
