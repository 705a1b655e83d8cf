"""A benchmark over time: the own value against the world's best, each a line that holds until the next value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from common.charts.svg import (
    BLUE,
    MUTED,
    OCHRE,
    SIZE,
    WIDTH,
    Chart,
    Words,
    diamond,
    drawing,
    element,
    fitted,
    label,
    line,
    plated,
    polyline,
    spread,
    width_of,
)
from common.charts.time_axis import TimeAxis
from common.fiscal_year import date_text

_OWN, _WORLD = Words("自らの値", "own value"), Words("世界最高値", "world's best")
_HEAD = (Words("区分", "Whose"), Words("日付", "Date"), Words("値", "Value"), Words("達成者", "Reached by"))
_NONE_YET = Words("値はまだありません。", "No value is on record yet.")
_TOP, _BOTTOM, _LEFT = 66.0, 190.0, 46.0
#: Values whose distance is less than this part of the highest are drawn without the zero.
_CLOSE = 4


@dataclass(frozen=True, slots=True)
class BenchmarkPoint:
    """A value of a day and who reached it."""

    on: date
    value: Decimal
    who: str = ""


def benchmark_lines(
    name: str, own: Sequence[BenchmarkPoint], world: Sequence[BenchmarkPoint], unit: str = "", language: str = "ja"
) -> Chart:
    """This function will draw both lines over the fiscal years; marks differ by shape, lines by dashes."""
    rows = [
        (kind(language), date_text(point.on, language), f"{_plain(point.value)}{unit}", point.who)
        for kind, points in ((_OWN, own), (_WORLD, world))
        for point in points
    ]
    head = tuple(word(language) for word in _HEAD)
    desc = " / ".join(" ".join(cell for cell in row if cell) for row in rows) or _NONE_YET(language)
    parts = [label(8, SIZE + 3, fitted(name, WIDTH - 16), font_weight="700")]
    points = [*own, *world]
    if not points:
        parts.append(label(8, 44, _NONE_YET(language), fill=MUTED))
        return drawing(parts, height=56, title=name, desc=desc, head=head, rows=rows)
    axis = TimeAxis([point.on for point in points], _LEFT, WIDTH - 36)
    low, high = _bounds([point.value for point in points])

    def y(value: Decimal) -> float:
        return _BOTTOM - float((value - low) / (high - low)) * (_BOTTOM - _TOP)

    parts += _legend(language) + axis.drawn(_TOP - 8, _BOTTOM, language)
    for end in (low, high):
        parts.append(label(_LEFT - 4, y(end) + 5, fitted(_plain(end), _LEFT - 6), fill=MUTED, text_anchor="end"))
    parts += _line([(axis.x(point.on), y(point.value)) for point in world], axis.right, OCHRE, "6 4")
    parts += _line([(axis.x(point.on), y(point.value)) for point in own], axis.right, BLUE, "")
    parts += _newest(
        [(points_of[-1], colour) for points_of, colour in ((world, OCHRE), (own, BLUE)) if points_of], axis, y
    )
    return drawing(parts, height=_BOTTOM + 26, title=name, desc=desc, head=head, rows=rows)


def _bounds(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The scale: from zero, unless the values lie so close together that nobody could tell them apart then."""
    low, high = min(values), max(values)
    spread_of = high - low
    if not spread_of or low < 0 or spread_of * _CLOSE > high:
        return min(low, Decimal(0)), max(high, Decimal(0)) or Decimal(1)
    step = Decimal(10) ** spread_of.adjusted()
    return (low / step).to_integral_value(ROUND_FLOOR) * step, (high / step).to_integral_value(ROUND_CEILING) * step


def _newest(points: Sequence[tuple[BenchmarkPoint, str]], axis: TimeAxis, y: Callable[[Decimal], float]) -> list[str]:
    """The newest value of each line beside its mark, apart from each other."""
    heights = spread([y(point.value) - 8 for point, _colour in points], SIZE + 3, _TOP - 10, _BOTTOM)
    parts = []
    for (point, colour), height in zip(points, heights, strict=True):
        text = _plain(point.value)
        parts.append(plated(min(axis.x(point.on) + 8, WIDTH - 4 - width_of(text)), height, text, fill=colour))
    return parts


def _legend(language: str) -> list[str]:
    base = 2.0 * SIZE + 10
    own = _OWN(language)
    left = 8 + 30 + width_of(own) + 16
    return [
        line(8, base - 5, 30, base - 5, stroke=BLUE, stroke_width=2.5),
        label(36, base, own, fill=BLUE),
        line(left, base - 5, left + 22, base - 5, stroke=OCHRE, stroke_width=2.5, stroke_dasharray="6 4"),
        label(left + 28, base, _WORLD(language), fill=OCHRE),
    ]


def _line(places: Sequence[tuple[float, float]], right: float, colour: str, dashes: str) -> list[str]:
    """Steps: a best value stands until somebody beats it."""
    if not places:
        return []
    steps = [places[0]]
    for x, y in places[1:]:
        steps += [(x, steps[-1][1]), (x, y)]
    steps.append((right, steps[-1][1]))
    style = {"stroke_dasharray": dashes} if dashes else {}
    marks = [
        diamond(x, y, 5, fill=colour) if dashes else element("circle", cx=x, cy=y, r=4.5, fill=colour)
        for x, y in places
    ]
    return [polyline(steps, stroke=colour, stroke_width=2.5, **style), *marks]


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
