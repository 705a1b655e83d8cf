"""Reads of indicators: values by institution rolled up over the tree, and the newest observations."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet

from accounts.models import Organization
from programs.models import IndicatorObservation, OutcomeIndicator, Participation, Program
from programs.queries import observations_visible_to, year_totals
from programs.rules import indicators_writable

YEARS_SHOWN = 5


def indicator_writable(user: object, indicator: OutcomeIndicator) -> bool:
    """This function will tell whether the user may record values of this indicator."""
    return OutcomeIndicator.objects.filter(indicators_writable(user), pk=indicator.pk).exists()


def newest_observations(user: object, indicator: OutcomeIndicator) -> QuerySet[IndicatorObservation]:
    """This function will return the indicator's observations that the reader may see, newest first."""
    rows = observations_visible_to(user).filter(indicator=indicator)
    return rows.select_related("organization", "corrects", "corrected_by").order_by("-pk")


def institutions_below(program: Program) -> QuerySet[Organization]:
    """This function will return the institutions that take part in the program or below it."""
    parts = Participation.objects.filter(_below(program))
    return Organization.objects.filter(pk__in=parts.values("organization")).order_by("name_kana", "name_ja")


def _below(program: Program) -> Q:
    """Participations in the program, in what is below it, or in a project of either."""
    return Q(program__path__startswith=program.path) | Q(project__program__path__startswith=program.path)


# Roll-up --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RolledRow:
    """Values by year, in the order of the years: of one institution, or of a program over its institutions."""

    label: str
    values: tuple[Decimal | None, ...]
    depth: int
    is_program: bool


@dataclass(frozen=True, slots=True)
class RollUp:
    """An indicator by year and institution, summed up along the tree of programs.

    `whole` is what was sent for the whole, without an institution; it stands beside the sum of the parts, which need
    not be equal.
    """

    years: tuple[int, ...]
    rows: tuple[RolledRow, ...]
    parts: tuple[Decimal | None, ...]
    whole: tuple[Decimal | None, ...]


def rolled_up(indicator: OutcomeIndicator) -> RollUp:
    """This function will sum the newest years by institution, then by component program, then over all."""
    totals: dict[Organization | None, dict[int, Decimal]] = {}
    for row in year_totals([indicator.pk]).select_related("organization"):
        totals.setdefault(row.organization, {})[row.fiscal_year] = row.total
    years = tuple(sorted({year for by_year in totals.values() for year in by_year})[-YEARS_SHOWN:])
    whole = totals.pop(None, {})
    rows: list[RolledRow] = []
    for component, organizations in _by_component(indicator.program, [one for one in totals if one]).items():
        if component is not None:
            summed = _sum([totals[one] for one in organizations], years)
            rows.append(RolledRow(component.name, summed, 0, True))
        for one in organizations:
            rows.append(RolledRow(one.name, _line(totals[one], years), int(component is not None), False))
    return RollUp(years, tuple(rows), _sum(list(totals.values()), years), _line(whole, years))


def _by_component(program: Program, organizations: list[Organization]) -> dict[Program | None, list[Organization]]:
    """Institutions under the component in which they take part; under None those of the program itself or of no part."""
    parts = Participation.objects.filter(_below(program), organization__in=organizations)
    place: dict[int, Program | None] = {}
    # An institution of a component stands there, before any project in which it takes part as well.
    for part in parts.select_related("program", "project__program").order_by("program__path", "project__program__path"):
        found = place.setdefault(part.organization_id, None)
        within = part.program or (part.project.program if part.project else None)
        if within and within.pk != program.pk and found is None:
            place[part.organization_id] = within
    grouped: dict[Program | None, list[Organization]] = {}
    named = sorted(organizations, key=lambda one: (one.name_kana, one.name_ja))
    components = {one.pk: one for one in place.values() if one is not None}
    for component in [*sorted(components.values(), key=lambda one: one.path), None]:
        members = [one for one in named if (at := place.get(one.pk)) == component or (at is None and component is None)]
        if members:
            grouped[component] = members
    return grouped


def _line(by_year: dict[int, Decimal], years: tuple[int, ...]) -> tuple[Decimal | None, ...]:
    return tuple(by_year.get(year) for year in years)


def _sum(lines: list[dict[int, Decimal]], years: tuple[int, ...]) -> tuple[Decimal | None, ...]:
    found = []
    for year in years:
        values = [line[year] for line in lines if year in line]
        found.append(sum(values, Decimal(0)) if values else None)
    return tuple(found)
