"""Money as bars: a year's budget beside the previous one, and what was allocated, contracted and spent."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.charts.svg import (
    BLUE,
    MUTED,
    OCHRE,
    PALE,
    SIZE,
    WIDTH,
    Chart,
    Words,
    box,
    drawing,
    hatched,
    label,
    width_of,
    wrapped,
)
from common.money import figure, printed, unit_name

_BUDGET_TITLE = Words("予算額", "Budget")
_PROGRAM = Words("事業", "Program")
_INITIAL = Words("当初", "Initial")
_PROPOSAL = Words("予算案", "Proposed")
_SUPPLEMENTARY = Words("補正", "Suppl.")
_PREVIOUS = Words("前年度", "Previous")
_NEW = Words("新規", "new")
_STAND_TITLE = Words("配分・契約・執行", "Allocated, contracted, spent")
_STAND = (Words("配分", "Allocated"), Words("契約", "Contracted"), Words("執行", "Spent"))
_CEILING, _CARRIED = Words("計画", "Planned"), Words("繰越", "Carried over")
_YEARLY_TITLE = Words("年度別の配分と契約", "Allocated and contracted by year")
_CHANGE_TITLE = Words("年度別の計画額の変更前後", "Planned money by year, before and after")
_BEFORE, _AFTER = Words("変更前", "Before"), Words("変更後", "After")
_YEAR = Words("年度", "Fiscal year")
_YEAR_LEFT, _YEAR_RIGHT = 122.0, 62.0
_KIND, _AMOUNT = Words("区分", "Kind"), Words("金額", "Amount")
_LEFT, _ROOM, _BAR = 8.0, WIDTH - 16.0, 20.0
_OUTLINE: dict[str, str | float] = {"fill": "none", "stroke": MUTED, "stroke_width": 1.5, "stroke_dasharray": "4 3"}


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One program's money in yen; None where the source has no figure. `unit` is the one printed in the source."""

    label: str
    initial: int | None
    supplementary: int | None
    previous: int | None
    unit: str = "million"
    is_new: bool = False
    is_proposal: bool = False


def budget_bars(rows: Sequence[BudgetRow], language: str = "ja") -> Chart:
    """This function will draw one bar a program: initial filled, supplementary hatched, previous year as an outline.

    All bars share one scale, so that they can be compared; each prints its figures in its own unit.
    """
    this_year = [_positive(row.initial) + _positive(row.supplementary) for row in rows]
    largest = max([1, *this_year, *(_positive(row.previous) for row in rows)])
    parts: list[str] = []
    y = 4.0
    for row in rows:
        unit = unit_name(row.unit, language)
        for index, text in enumerate(wrapped(row.label, _ROOM - width_of(unit) - 10, 2)):
            y += SIZE + 4
            parts.append(label(_LEFT, y, text, font_weight="700"))
            if index == 0:
                parts.append(label(WIDTH - _LEFT, y, unit, text_anchor="end", fill=MUTED))
        parts += _bar(row, y + 8, _ROOM / largest)
        figures, lines = _figures(row, y + _BAR + SIZE + 14, language)
        parts += figures
        y += _BAR + SIZE + 30 + (lines - 1) * (SIZE + 5)
    table = [_budget_line(row, language) for row in rows]
    head = tuple(word(language) for word in (_PROGRAM, _main_word(rows), _SUPPLEMENTARY, _PREVIOUS))
    desc = " / ".join(
        f"{name}: {head[1]} {initial}, {head[2]} {extra}, {head[3]} {before}" for name, initial, extra, before in table
    )
    title = f"{_BUDGET_TITLE(language)}: {rows[0].label}" if len(rows) == 1 else _BUDGET_TITLE(language)
    return drawing(parts, height=y, title=title, desc=desc, head=head, rows=table)


def contract_bar(
    allocated: int | None,
    contracted: int | None,
    spent: int | None,
    unit: str = "million",
    language: str = "ja",
    *,
    planned: int | None = None,
    carried_over: int | None = None,
) -> Chart:
    """This function will draw what was allocated (outline), contracted (hatched) and spent (filled) on one scale.

    Above them the plan's ceiling (dashed) and beneath them what was carried over (pale), where there is any.
    """
    bars = [(_STAND[n], amount, n) for n, amount in enumerate((allocated, contracted, spent))]
    if planned is not None:
        bars.insert(0, (_CEILING, planned, 3))
    if carried_over is not None:
        bars.append((_CARRIED, carried_over, 4))
    scale = _ROOM / max([1, *(_positive(amount) for _word, amount, _fill in bars)])
    parts: list[str] = []
    for index, (word, amount, fill) in enumerate(bars):
        y = 8.0 + index * 50
        shown = printed(amount, unit, language)
        parts.append(label(_LEFT, y + SIZE, word(language)))
        parts.append(label(WIDTH - _LEFT, y + SIZE, shown, text_anchor="end", font_weight="700"))
        if amount and amount > 0:
            parts.append(_filling(fill, _LEFT, y + SIZE + 5, amount * scale, _BAR - 4))
    table = [(word(language), printed(amount, unit, language)) for word, amount, _fill in bars]
    desc = ", ".join(" ".join(row) for row in table)
    head = (_KIND(language), _AMOUNT(language))
    height = 4 + 50 * len(bars)
    return drawing(parts, height=height, title=_STAND_TITLE(language), desc=desc, head=head, rows=table)


@dataclass(frozen=True, slots=True)
class YearRow:
    """What was allocated and contracted for one year, in yen; None where nothing is on record."""

    label: str
    allocated: int | None
    contracted: int | None
    is_now: bool = False


def yearly_bars(rows: Sequence[YearRow], unit: str = "million", language: str = "ja") -> Chart:
    """This function will draw one bar a year: allocated filled for the year in question, pale for the others.

    What was contracted lies hatched beneath; where nothing is on record there is no bar.
    """
    amounts = [amount for row in rows for amount in (row.allocated, row.contracted)]
    scale = (WIDTH - _YEAR_LEFT - _YEAR_RIGHT) / max([1, *(_positive(amount) for amount in amounts)])
    parts: list[str] = []
    y = 4.0
    for row in rows:
        weight = "700" if row.is_now else "400"
        parts.append(label(_LEFT, y + SIZE, row.label, font_weight=weight))
        figures = figure(row.allocated, unit, language)
        parts.append(label(WIDTH - _LEFT, y + SIZE, figures, text_anchor="end", font_weight=weight))
        if row.allocated and row.allocated > 0:
            fill = BLUE if row.is_now else PALE
            parts.append(box(_YEAR_LEFT, y + 2, row.allocated * scale, 13, fill=fill, stroke=BLUE, stroke_width=0.8))
        if row.contracted and row.contracted > 0:
            parts.append(hatched(_YEAR_LEFT, y + 17, row.contracted * scale, 6, OCHRE))
            y += 8
        y += 22
    table = [(row.label, *(printed(one, unit, language) for one in (row.allocated, row.contracted))) for row in rows]
    head = (_YEAR(language), _STAND[0](language), _STAND[1](language))
    desc = " / ".join(f"{year}: {head[1]} {one}, {head[2]} {other}" for year, one, other in table)
    title = f"{_YEARLY_TITLE(language)} ({unit_name(unit, language)})"
    return drawing(parts, height=y, title=title, desc=desc, head=head, rows=table)


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """The money of one year before and after a change, in yen."""

    label: str
    before: int
    after: int


def change_bars(rows: Sequence[ChangeRow], unit: str = "million", language: str = "ja") -> Chart:
    """This function will draw two bars a year on one scale: before as an outline, after filled."""
    scale = (WIDTH - _YEAR_LEFT - _YEAR_RIGHT) / max([1, *(max(row.before, row.after) for row in rows)])
    parts: list[str] = []
    y = 4.0
    for row in rows:
        differs = row.before != row.after
        parts.append(label(_LEFT, y + SIZE + 4, row.label, font_weight="700" if differs else "400"))
        parts.append(label(WIDTH - _LEFT, y + SIZE - 2, figure(row.before, unit, language), text_anchor="end"))
        parts.append(label(WIDTH - _LEFT, y + SIZE + 14, figure(row.after, unit, language), text_anchor="end"))
        if row.before > 0:
            parts.append(box(_YEAR_LEFT, y, row.before * scale, 12, **_OUTLINE))
        if row.after > 0:
            fill = BLUE if differs else PALE
            parts.append(box(_YEAR_LEFT, y + 15, row.after * scale, 12, fill=fill, stroke=BLUE, stroke_width=0.8))
        y += 36
    table = [(row.label, *(printed(one, unit, language) for one in (row.before, row.after))) for row in rows]
    head = (_YEAR(language), _BEFORE(language), _AFTER(language))
    desc = " / ".join(f"{year}: {head[1]} {one}, {head[2]} {other}" for year, one, other in table)
    title = f"{_CHANGE_TITLE(language)} ({unit_name(unit, language)})"
    return drawing(parts, height=max(y, 8.0), title=title, desc=desc, head=head, rows=table)


def _filling(kind: int, x: float, y: float, width: float, height: float) -> str:
    if kind == 0:
        return box(x, y, width, height, fill="none", stroke=MUTED, stroke_width=1.5)
    if kind == 3:
        return box(x, y, width, height, **_OUTLINE)
    if kind == 4:
        return box(x, y, width, height, fill=PALE, stroke=BLUE, stroke_width=0.8)
    return hatched(x, y, width, height, OCHRE) if kind == 1 else box(x, y, width, height, fill=BLUE)


def _bar(row: BudgetRow, y: float, scale: float) -> list[str]:
    initial, extra, before = (_positive(amount) * scale for amount in (row.initial, row.supplementary, row.previous))
    parts = [box(_LEFT, y, max(initial, 1), _BAR, fill=BLUE)] if row.initial else []
    if row.supplementary:
        parts.append(hatched(_LEFT + initial, y, max(extra, 1), _BAR, OCHRE))
    if row.previous:
        parts.append(box(_LEFT, y - 3, max(before, 1), _BAR + 6, **_OUTLINE))
    return parts


def _figures(row: BudgetRow, y: float, language: str) -> tuple[list[str], int]:
    """The figures beneath the bar, each after a swatch of what it names; and the number of lines they take."""
    parts: list[str] = []
    x, lines = _LEFT, 1
    for word, amount, swatch in _named_figures(row, language):
        text = f"{word(language)} {amount}"
        if x > _LEFT and x + 15 + width_of(text) > WIDTH - 4:
            x, lines = _LEFT, lines + 1
        base = y + (lines - 1) * (SIZE + 5)
        parts += [_swatch(swatch, x, base - 10), label(x + 15, base, text)]
        x += 15 + width_of(text) + 8
    return parts, lines


def _named_figures(row: BudgetRow, language: str) -> list[tuple[Words, str, str]]:
    """A row with supplementary money only says no more than that; without any it shows no word of it."""
    extra = (_SUPPLEMENTARY, figure(row.supplementary, row.unit, language), "hatch")
    if row.initial is None and row.supplementary is not None:
        return [extra]
    main = _PROPOSAL if row.is_proposal else _INITIAL
    before = _NEW(language) if row.is_new else figure(row.previous, row.unit, language)
    shown = [(main, figure(row.initial, row.unit, language), "fill"), (_PREVIOUS, before, "outline")]
    return shown if row.supplementary is None else [shown[0], extra, shown[1]]


def _swatch(kind: str, x: float, y: float) -> str:
    if kind == "hatch":
        return hatched(x, y, 11, 11, OCHRE)
    if kind == "outline":
        return box(x, y, 11, 11, **_OUTLINE)
    return box(x, y, 11, 11, fill=BLUE)


def _budget_line(row: BudgetRow, language: str) -> tuple[str, str, str, str]:
    initial, extra = (printed(amount, row.unit, language) for amount in (row.initial, row.supplementary))
    return (row.label, initial, extra, _previous(row, language))


def _main_word(rows: Sequence[BudgetRow]) -> Words:
    return _PROPOSAL if any(row.is_proposal for row in rows) else _INITIAL


def _previous(row: BudgetRow, language: str) -> str:
    return _NEW(language) if row.is_new else printed(row.previous, row.unit, language)


def _positive(amount: int | None) -> int:
    """A reduction has no length; its figure says it."""
    return max(0, amount or 0)
