"""An outcome indicator over the years against its target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.charts.svg import (
    BLUE,
    MUTED,
    OCHRE,
    PAPER,
    SIZE,
    WIDTH,
    Chart,
    Words,
    drawing,
    element,
    fitted,
    label,
    line,
    polyline,
    width_of,
)

_YEAR, _VALUE, _KIND = Words("年", "Year"), Words("値", "Value"), Words("区分", "Kind")
_MEASURED, _TARGET = Words("実績", "measured"), Words("目標", "target")
_ABOUT = Words("年頃", "about ")
_IN_YEAR = Words("年", "")
_NONE_YET = Words("実績値はまだありません。", "No value is on record yet.")
_AT_LEAST, _AT_MOST = Words("以上", "at least "), Words("以下", "at most ")
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, WIDTH - 40.0, 66.0, 210.0

Value = int | float | Decimal


@dataclass(frozen=True, slots=True)
class IndicatorPoint:
    """A measured value of a year."""

    year: int
    value: Value


@dataclass(frozen=True, slots=True)
class IndicatorTarget:
    """The value aimed at; `year` may be unknown or only approximate (2022年頃)."""

    value: Value
    year: int | None = None
    is_approximate: bool = False
    at_least: bool = True


def indicator_line(
    name: str,
    points: Sequence[IndicatorPoint],
    target: IndicatorTarget | None,
    unit: str = "",
    language: str = "ja",
) -> Chart:
    """This function will draw the values of an indicator by year, from zero, with the target as a broken line."""
    measured = sorted(points, key=lambda point: point.year)
    years = [point.year for point in measured] + ([target.year] if target and target.year else [])
    first, last = (min(years), max(years)) if years else (0, 0)
    highest = max([1e-9, *(float(point.value) for point in measured), *([float(target.value)] if target else [])])

    def x(year: int) -> float:
        if first == last:
            return (_LEFT + _RIGHT) / 2
        return _LEFT + 20 + (year - first) / (last - first) * (_RIGHT - _LEFT - 40)

    def y(value: Value) -> float:
        return _BOTTOM - max(0.0, float(value)) / highest * (_BOTTOM - _TOP)

    parts = [label(_LEFT, SIZE + 3, fitted(name, WIDTH - 16), font_weight="700")]
    parts.append(line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, stroke=MUTED))
    parts += _years(years, x)
    if target:
        parts += _target(target, unit, y(target.value), x, language)
    places = [(x(point.year), y(point.value)) for point in measured]
    if len(places) > 1:
        parts.append(polyline(places, stroke=BLUE, stroke_width=2.5))
    parts += [element("circle", cx=px, cy=py, r=4.5, fill=BLUE) for px, py in places]
    parts += _values(measured, places)
    if not measured:
        parts.append(label(_LEFT, _BOTTOM - 10, _NONE_YET(language), fill=MUTED))
    table = [(_MEASURED(language), str(point.year), f"{_plain(point.value)}{unit}") for point in measured]
    if target:
        table.append((_TARGET(language), _when(target, language), _aim(target, unit, language)))
    desc = " / ".join(" ".join(cell for cell in row if cell) for row in table) or _NONE_YET(language)
    head = (_KIND(language), _YEAR(language), _VALUE(language))
    return drawing(parts, height=_BOTTOM + 24, title=name, desc=desc, head=head, rows=table)


def _years(years: Sequence[int], x: Callable[[int], float]) -> list[str]:
    """Every year if there is room, else some of them; always the last."""
    distinct = sorted(set(years))
    kept: list[int] = []
    for year in reversed(distinct):
        if not kept or x(kept[-1]) - x(year) >= 40:
            kept.append(year)
    ticks = [line(x(year), _BOTTOM, x(year), _BOTTOM + 4, stroke=MUTED) for year in distinct]
    middle = {"text_anchor": "middle", "fill": MUTED}
    return ticks + [label(x(year), _BOTTOM + SIZE + 6, str(year), **middle) for year in reversed(kept)]


def _target(target: IndicatorTarget, unit: str, height: float, x: Callable[[int], float], language: str) -> list[str]:
    when = _when(target, language)
    words = f"{_TARGET(language)} {_aim(target, unit, language)}" + (f" ({when})" if when else "")
    parts = [line(_LEFT, height, _RIGHT, height, stroke=OCHRE, stroke_width=2, stroke_dasharray="7 4")]
    if target.year is not None:
        parts.append(element("circle", cx=x(target.year), cy=height, r=5, fill=PAPER, stroke=OCHRE, stroke_width=2))
    # The words stand in the head, where no value and no line can run into them.
    sample = line(_LEFT, 2 * SIZE + 5, _LEFT + 22, 2 * SIZE + 5, stroke=OCHRE, stroke_width=2, stroke_dasharray="7 4")
    return [*parts, sample, label(_LEFT + 28, 2 * SIZE + 10, fitted(words, WIDTH - 44), fill=OCHRE)]


def _values(measured: Sequence[IndicatorPoint], places: Sequence[tuple[float, float]]) -> list[str]:
    """The figure beside each point, dropped where it would touch the next one; the last always stands."""
    parts: list[str] = []
    edge = float(WIDTH)
    for index in reversed(range(len(places))):
        text = _plain(measured[index].value)
        half = width_of(text) / 2
        aside, height = _free_side(places, index)
        middle = min(max(places[index][0] + aside * (half + 2), half + 2), WIDTH - half - 2)
        if middle + half <= edge:
            parts.insert(0, label(middle, height, text, text_anchor="middle", fill=BLUE))
            edge = middle - half - 6
    return parts


def _free_side(places: Sequence[tuple[float, float]], index: int) -> tuple[int, float]:
    """Where the line leaves room for a figure: left of a rise, right of a fall, over a peak, under a valley."""
    y = places[index][1]
    before = places[index - 1][1] if index else None
    after = places[index + 1][1] if index + 1 < len(places) else None
    comes_up = before is not None and before > y
    comes_down = before is not None and before < y
    goes_up = after is not None and after < y
    goes_down = after is not None and after > y
    if comes_down and (goes_up or after is None):
        return 0, min(y + 20, _BOTTOM - 4)
    return (1 if goes_down and not comes_up else -1 if goes_up else 0), y - 9


def _when(target: IndicatorTarget, language: str) -> str:
    if target.year is None:
        return ""
    if language == "en":
        return f"{_ABOUT.en if target.is_approximate else ''}{target.year}"
    return f"{target.year}{(_ABOUT if target.is_approximate else _IN_YEAR).ja}"


def _aim(target: IndicatorTarget, unit: str, language: str) -> str:
    bound = (_AT_LEAST if target.at_least else _AT_MOST)(language)
    amount = f"{_plain(target.value)}{unit}"
    return bound + amount if language == "en" else amount + bound


def _plain(value: Value) -> str:
    """3,000; 12.5: no spare zeros, no exponent."""
    text = f"{Decimal(str(value)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
