"""Fiscal years from left to right, and the gates that cut through them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from common.charts.svg import MUTED, SIZE, Words, fitted, label, line, plated, triangle, width_of
from common.fiscal_year import ends_on, fiscal_year_of, starts_on

_FISCAL_YEAR = Words("年度", "FY")


@dataclass(frozen=True, slots=True)
class Gate:
    """A stage gate of the plan: its day and its short name."""

    on: date
    label: str


class TimeAxis:
    """Whole fiscal years around the given days, between two edges."""

    def __init__(self, days: Iterable[date], left: float, right: float) -> None:
        known = list(days)
        self.first = starts_on(fiscal_year_of(min(known)))
        self.last = ends_on(fiscal_year_of(max(known)))
        self.left, self.right = left, right

    def x(self, day: date) -> float:
        """This function will return where a day lies."""
        share = (day - self.first).days / ((self.last - self.first).days + 1)
        return self.left + share * (self.right - self.left)

    def covers(self, day: date) -> bool:
        """This function will tell whether a day lies on the axis."""
        return self.first <= day <= self.last

    def drawn(self, top: float, bottom: float, language: str) -> list[str]:
        """This function will draw a faint line at the start of each year and its number beneath, as room allows."""
        years = list(range(self.first.year, self.last.year))
        per_year = (self.right - self.left) / len(years)
        step = next(step for step in (1, 2, 5, 10, 20, 50, 1000) if step * per_year >= 40 or step == 1000)
        parts = []
        for index, year in enumerate(years):
            x = self.x(starts_on(year))
            parts.append(line(x, top, x, bottom))
            if index % step == 0:
                parts.append(label(x + 2, bottom + SIZE + 2, str(year), fill=MUTED))
        parts.append(line(self.right, top, self.right, bottom))
        parts.append(line(self.left, bottom, self.right, bottom, stroke=MUTED))
        return [*parts, label(self.right + 4, bottom + SIZE + 2, _FISCAL_YEAR(language), fill=MUTED)]


def gate_rows(gates: Sequence[Gate], axis: TimeAxis, edge: float) -> list[tuple[Gate, str, float, int]]:
    """This function will place the names of the gates above the plot: (gate, name, left end, row), without overlap."""
    ends: list[float] = []
    placed = []
    for gate in sorted(gates, key=lambda gate: (gate.on, gate.label)):
        name = fitted(gate.label, 240)
        width = width_of(name)
        left = max(4.0, min(axis.x(gate.on) - width / 2, edge - width))
        row = next((row for row, end in enumerate(ends) if left > end + 6), len(ends))
        ends[row : row + 1] = [left + width]
        placed.append((gate, name, left, row))
    return placed


def gates_drawn(placed: Sequence[tuple[Gate, str, float, int]], axis: TimeAxis, top: float, bottom: float) -> list[str]:
    """This function will draw each gate as a broken line with its mark on the axis and its name above."""
    rows = 1 + max((row for *_, row in placed), default=-1)
    lines, names = [], []
    for gate, name, left, row in placed:
        x, base = axis.x(gate.on), top - (rows - row - 1) * (SIZE + 4) - 6
        lines.append(line(x, base + 3, x, bottom, stroke=MUTED, stroke_dasharray="2 3"))
        lines.append(triangle(x, bottom, 6, fill=MUTED))
        names.append(plated(left, base, name, fill=MUTED))
    return [*lines, *names]
