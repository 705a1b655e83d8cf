"""Figures as the sources print them, and indicators with their values by year."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from programs.models import BudgetLine, IndicatorTarget, OutcomeIndicator, Program
from programs.queries import Remainder, year_totals

INITIAL_KINDS = (BudgetLine.Kind.INITIAL_PROPOSAL, BudgetLine.Kind.INITIAL)


# Money as printed -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrintedYear:
    """The figures a source prints together: a year's initial budget, the year before, the latest supplementary one."""

    fiscal_year: int | None
    initial: BudgetLine | None
    previous: BudgetLine | None
    supplementary: BudgetLine | None

    @property
    def is_new(self) -> bool:
        """新規: there is no previous year; that is not a previous year of 0."""
        return bool(self.initial and self.initial.is_new)

    @property
    def unit(self) -> str:
        line = self.initial or self.supplementary
        return str(line.printed_unit) if line else str(BudgetLine.PrintedUnit.MILLION)

    @property
    def is_estimate(self) -> bool:
        return any(line.is_estimate for line in self._figures)

    @property
    def is_combined(self) -> bool:
        """A figure is printed together with the predecessor's."""
        return any(line.includes_predecessor for line in self._figures)

    @property
    def combined_notes(self) -> list[str]:
        """What the source says of such figures; blank where it names no predecessor."""
        return [line.note for line in self._figures if line.includes_predecessor]

    @property
    def _figures(self) -> list[BudgetLine]:
        return [line for line in (self.initial, self.previous, self.supplementary) if line]


def printed_year(lines: Iterable[BudgetLine]) -> PrintedYear:
    """This function will pick the figures of the newest year with an initial budget, as its paper prints them."""
    known = list(lines)
    years = [line.fiscal_year for line in known if line.kind in INITIAL_KINDS]
    newest = max(years, default=None)

    def find(year: int | None, *kinds: str) -> BudgetLine | None:
        return next((line for line in known if line.fiscal_year == year and line.kind in kinds), None)

    extra = [line for line in known if line.kind == BudgetLine.Kind.SUPPLEMENTARY]
    return PrintedYear(
        newest,
        find(newest, *INITIAL_KINDS),
        find(newest - 1, *reversed(INITIAL_KINDS)) if newest else None,
        max(extra, key=lambda line: line.fiscal_year, default=None),
    )


def initial_heading(years: Iterable[PrintedYear | None]) -> str:
    """This function will name a column of initial budgets as the source does, as long as all figures are of one kind.

    A proposal reads 当初予算額(案): it was not voted yet when it was printed.
    """
    names = {str(year.initial.get_kind_display()) for year in years if year and year.initial}
    name = names.pop() if len(names) == 1 else _("Initial budget")
    return name[:1].upper() + name[1:]


def combined_notes(years: Iterable[PrintedYear | None]) -> list[str]:
    """This function will list what stands under a table with figures that are printed together with a predecessor's."""
    notes = [note or _("together with the predecessor") for year in years if year for note in year.combined_notes]
    return list(dict.fromkeys(notes))


@dataclass(frozen=True, slots=True)
class PrintedRemainder:
    """What the parts leave of the figures printed together, in yen; None where nothing is left."""

    initial: int | None
    previous: int | None
    supplementary: int | None


def printed_remainder(lines: Iterable[BudgetLine], rest: Iterable[Remainder]) -> PrintedRemainder | None:
    """This function will put the remainders beside the figures they belong to; None when there are none."""
    found = {(one.fiscal_year, one.kind): one.amount_yen for one in rest}
    if not found:
        return None
    year = printed_year(lines)

    def of(line: BudgetLine | None) -> int | None:
        return found.get((line.fiscal_year, line.kind)) if line else None

    return PrintedRemainder(of(year.initial), of(year.previous), of(year.supplementary))


# Indicators -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IndicatorSheet:
    """An indicator with its targets and its value of each fiscal year."""

    indicator: OutcomeIndicator
    targets: list[IndicatorTarget]
    years: list[tuple[int, Decimal]]

    @property
    def latest(self) -> tuple[int, Decimal] | None:
        return self.years[-1] if self.years else None


def indicator_sheets(programs: Iterable[Program]) -> list[IndicatorSheet]:
    """This function will return the programs' indicators; a year is the whole's value, else the institutions' sum."""
    indicators = list(
        OutcomeIndicator.objects.filter(program__in=list(programs))
        .select_related("program")
        .prefetch_related("targets")
        .order_by("kind", "id")
    )
    if not indicators:
        return []
    values: dict[int, list[tuple[int, Decimal]]] = {}
    sums = (
        year_totals(indicator.pk for indicator in indicators)
        .values("indicator_id", "fiscal_year")
        .annotate(
            whole=Sum("total", filter=Q(organization__isnull=True)),
            parts=Sum("total", filter=Q(organization__isnull=False)),
        )
        .order_by("indicator_id", "fiscal_year")
    )
    for row in sums:
        total = row["parts"] if row["whole"] is None else row["whole"]
        values.setdefault(row["indicator_id"], []).append((row["fiscal_year"], total))
    return [IndicatorSheet(one, list(one.targets.all()), values.get(one.pk, [])) for one in indicators]
