"""Money side by side: planned, allocated, contracted, spent and carried over, by year, institution and category.

All yen. A sum of nothing on record is None, not 0. Institutions' figures are net: what an institution passes on by a
subcontract is its subcontractor's, so that no yen counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from django.db.models import BigIntegerField, CharField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Organization
from programs.models import (
    CostCategory,
    FundEdge,
    FundNode,
    PlanBudget,
    PlanVersion,
    PlanYear,
    Program,
    Project,
    ResearchArea,
    SpendingLine,
)
from programs.queries import projects_visible_to
from programs.queries.allocations import ALLOCATED, IN_FORCE
from programs.queries.contracts import agencies_of, newest_statements


@dataclass(slots=True)
class Money:
    """What is on record under one heading. None: nothing is."""

    planned_yen: int | None = None
    allocated_yen: int | None = None
    contracted_yen: int | None = None
    spent_yen: int | None = None
    carried_over_yen: int | None = None
    carried_in_yen: int | None = None

    def add(self, name: str, amount: int) -> None:
        """This function will add yen to one of the columns."""
        setattr(self, name, (getattr(self, name) or 0) + amount)

    @property
    def left_yen(self) -> int | None:
        """What was contracted or carried in and is neither spent nor carried over; None before any spending."""
        if self.spent_yen is None:
            return None
        return (self.contracted_yen or 0) + (self.carried_in_yen or 0) - self.spent_yen - (self.carried_over_yen or 0)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is on record."""
        return all(getattr(self, one.name) is None for one in fields(self))


@dataclass(frozen=True, slots=True)
class Entry:
    """One amount on record: what it is (a column of `Money`), of which year, institution and category."""

    column: str
    fiscal_year: int
    organization: int | None
    category: int | None
    yen: int


@dataclass(frozen=True, slots=True)
class MoneyByYear:
    """One fiscal year of a project, an area or a program."""

    fiscal_year: int
    money: Money


@dataclass(frozen=True)
class ProjectMoneySheet:
    """A project's money, or the own institution's part of it."""

    entries: list[Entry]
    organizations: dict[int, Organization]
    categories: dict[int, CostCategory]
    parts: frozenset[int] | None = None

    @property
    def years(self) -> list[MoneyByYear]:
        """Every year on record, newest first."""
        table = self._by(lambda one: one.fiscal_year, self._of_the_whole)
        return [MoneyByYear(year, table[year]) for year in sorted(table, reverse=True)]

    def institutions(self, fiscal_year: int) -> list[tuple[Organization, Money]]:
        """This function will return one year by institution."""
        table = self._by(
            lambda one: one.organization,
            lambda one: one.fiscal_year == fiscal_year and one.organization is not None,
        )
        return [(self.organizations[key], table[key]) for key in self.organizations if key in table]

    def by_category(self, fiscal_year: int, organization: int | None = None) -> list[tuple[CostCategory, Money]]:
        """This function will return one year by cost category, of all institutions or one."""
        table = self._by(
            lambda one: one.category,
            lambda one: (
                one.fiscal_year == fiscal_year and one.category is not None and organization in (None, one.organization)
            ),
        )
        return [(self.categories[key], table[key]) for key in self.categories if key in table]

    def _of_the_whole(self, one: Entry) -> bool:
        # A project's allocation is what flows into the project; an institution's is a part of it.
        return one.column != "allocated_yen" or (one.organization is None) == (self.parts is None)

    def _by(self, key: Callable[[Entry], Any], wanted: Callable[[Entry], bool]) -> dict[Any, Money]:
        table: dict[Hashable, Money] = {}
        for one in self.entries:
            if wanted(one):
                table.setdefault(key(one), Money()).add(one.column, one.yen)
        return table


def money_years(project: Project, parts: frozenset[int] | None = None) -> list[MoneyByYear]:
    """This function will read a project's money by year in one query, newest first; with `parts` only theirs."""
    return ProjectMoneySheet(_entries(project, parts), {}, {}, parts).years


def project_money_sheet(project: Project, parts: frozenset[int] | None = None) -> ProjectMoneySheet:
    """This function will read a project's money in three queries; with `parts` only what these institutions have."""
    entries = _entries(project, parts)
    named = {one.organization for one in entries if one.organization is not None}
    rows = Organization.objects.filter(pk__in=named).order_by("name_kana", "name_ja")
    return ProjectMoneySheet(
        entries,
        {one.pk: one for one in rows},
        {one.pk: one for one in CostCategory.objects.all()},
        parts,
    )


def _entries(project: Project, parts: Collection[int] | None) -> list[Entry]:
    """Everything on record, in one query. A subcontract is money of its target and no longer of its source."""

    def theirs(name: str) -> Q:
        return Q() if parts is None else Q(**{f"{name}__in": parts})

    newest = PlanVersion.objects.filter(project=project, state="approved").order_by("-effective_on").values("pk")[:1]
    cells = PlanBudget.objects.filter(theirs("organization"), version=newest)
    edges = FundEdge.objects.filter(IN_FORCE, target__project=project)
    inward = edges.filter(theirs("target__organization"))
    outward = edges.filter(theirs("source__organization"), kind=FundEdge.Kind.SUBCONTRACT)
    statements = newest_statements(Q(project=project) & theirs("organization"))
    lines = SpendingLine.objects.filter(statement__in=statements.values("pk"))
    carried, year = lines.filter(carried_over_yen__gt=0), F("statement__fiscal_year")
    target, owner = F("target__organization"), F("statement__organization")
    contracted = inward.filter(kind__in=[FundEdge.Kind.CONTRACT, FundEdge.Kind.SUBCONTRACT])
    columns = [
        _column(cells, "planned_yen", F("fiscal_year"), F("organization"), F("amount_yen")),
        _column(inward.filter(ALLOCATED), "allocated_yen", F("fiscal_year"), target, F("amount_yen")),
        _column(contracted, "contracted_yen", F("fiscal_year"), target, F("amount_yen")),
        _column(outward, "contracted_yen", F("fiscal_year"), F("source__organization"), -F("amount_yen")),
        _column(lines, "spent_yen", year, owner, F("spent_yen")),
        _column(carried, "carried_over_yen", year, owner, F("carried_over_yen")),
        _column(carried, "carried_in_yen", year + 1, owner, F("carried_over_yen")),
    ]
    return [Entry(*row) for row in columns[0].union(*columns[1:], all=True)]


def _column(rows: QuerySet[Any], name: str, year: Any, organization: Any, amount: Any) -> QuerySet[Any]:
    integer = BigIntegerField()
    return rows.order_by().values_list(
        Value(name, output_field=CharField()),
        ExpressionWrapper(year, output_field=integer),
        ExpressionWrapper(organization, output_field=integer),
        ExpressionWrapper(F("category"), output_field=integer),
        ExpressionWrapper(amount, output_field=integer),
    )


# Many projects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedMoney:
    """A project's money of the years to come: what its plan states, else what is allocated; and what is contracted."""

    planned: dict[int, int] = field(default_factory=dict)
    contracted: dict[int, int] = field(default_factory=dict)


def plans_of(projects: Collection[int], from_year: int) -> dict[int, PlannedMoney]:
    """This function will read the money of these projects from a fiscal year on, in one query.

    Whoever calls it has found the projects to be the reader's. A year that the plan in force says nothing of has what
    is allocated to the project.
    """
    newest = PlanVersion.objects.filter(project__in=projects, state="approved").order_by("project_id", "-effective_on")
    stated = PlanYear.objects.filter(version__in=newest.distinct("project_id").values("pk"), fiscal_year__gte=from_year)
    edges = FundEdge.objects.filter(IN_FORCE, target__project__in=projects, fiscal_year__gte=from_year)
    parts = [
        ("planned", stated, F("version__project"), F("total_yen")),
        ("allocated", edges.filter(ALLOCATED, target__kind="project"), F("target__project"), F("amount_yen")),
        ("contracted", edges.filter(kind=FundEdge.Kind.CONTRACT), F("target__project"), F("amount_yen")),
    ]
    big = BigIntegerField()
    rows = [
        part.order_by().values_list(
            Value(name, output_field=CharField()),
            ExpressionWrapper(project, output_field=big),
            ExpressionWrapper(F("fiscal_year"), output_field=big),
            ExpressionWrapper(amount, output_field=big),
        )
        for name, part, project, amount in parts
    ]
    sums: dict[int, dict[str, dict[int, int]]] = {}
    for name, project, year, yen in rows[0].union(*rows[1:], all=True):
        table = sums.setdefault(project, {}).setdefault(name, {})
        table[year] = table.get(year, 0) + yen
    return {
        project: PlannedMoney({**table.get("allocated", {}), **table.get("planned", {})}, table.get("contracted", {}))
        for project, table in sums.items()
    }


# Areas and programs ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class WholeYear:
    """One fiscal year of an area or a program: what it was given, and its visible projects' money summed up."""

    fiscal_year: int
    given_yen: int | None = None
    projects: Money = field(default_factory=Money)


def money_of(user: object, owner: ResearchArea | Program) -> list[WholeYear]:
    """This function will sum up an area's or a program's money by year, newest first, in four queries.

    Sums run over the projects that the reader may see, so that nobody finds a hidden one by subtraction.
    """
    inside = Q(area=owner) if isinstance(owner, ResearchArea) else Q(program__path__startswith=owner.path)
    projects = projects_visible_to(user).filter(inside).select_related(None).prefetch_related(None).order_by()
    years: dict[int, WholeYear] = {}

    def of(year: int) -> WholeYear:
        return years.setdefault(year, WholeYear(year))

    node = (
        Q(target__area=owner) if isinstance(owner, ResearchArea) else Q(source__program=owner, source__kind="program")
    )
    for year, amount in _sums(FundEdge.objects.filter(IN_FORCE, ALLOCATED, node), "amount_yen"):
        of(year).given_yen = amount
    edges = FundEdge.objects.filter(IN_FORCE, target__project__in=projects)
    into_projects = edges.filter(ALLOCATED, target__kind="project")
    for year, amount in _sums(into_projects, "amount_yen"):
        of(year).projects.add("allocated_yen", amount)
    for year, amount in _sums(edges.filter(kind=FundEdge.Kind.CONTRACT), "amount_yen"):
        of(year).projects.add("contracted_yen", amount)
    newest = PlanVersion.objects.filter(project=OuterRef("version__project"), state="approved")
    stated = PlanYear.objects.filter(version__project__in=projects)
    for year, amount in _sums(stated.filter(version=newest.order_by("-effective_on").values("pk")[:1]), "total_yen"):
        of(year).projects.add("planned_yen", amount)
    lines = SpendingLine.objects.filter(statement__in=newest_statements(Q(project__in=projects)).values("pk"))
    rows = lines.order_by().values_list("statement__fiscal_year")
    for year, spent, carried in rows.annotate(
        spent=Coalesce(Sum("spent_yen"), 0), carried=Coalesce(Sum("carried_over_yen"), 0)
    ):
        of(year).projects.add("spent_yen", spent)
        of(year).projects.add("carried_over_yen", carried)
        if carried:
            of(year + 1).projects.add("carried_in_yen", carried)
    return [years[year] for year in sorted(years, reverse=True)]


def _sums(rows: QuerySet[Any], name: str) -> Iterable[tuple[int, int]]:
    return rows.order_by().values_list("fiscal_year").annotate(yen=Sum(name))


# Funds ----------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class FundYear:
    """One fiscal year of a fund, in yen; `balance_yen` is what is left in the fund at the end of the year."""

    fiscal_year: int
    tranche_yen: int = 0
    allocated_yen: int = 0
    returned_yen: int = 0
    contracted_yen: int = 0
    carried_in_yen: int = 0
    spent_yen: int | None = None
    carried_over_yen: int = 0
    balance_yen: int = 0

    @property
    def unspent_yen(self) -> int | None:
        """執行残: what was contracted or carried in and is neither spent nor carried over; None before any spending."""
        if self.spent_yen is None:
            return None
        return self.contracted_yen + self.carried_in_yen - self.spent_yen - self.carried_over_yen


@dataclass(frozen=True, slots=True)
class FundSheet:
    """A fund with its years, oldest first."""

    fund: FundNode
    years: list[FundYear]

    @property
    def balance_yen(self) -> int:
        return self.years[-1].balance_yen if self.years else 0


def fund_sheets(user: object, program: Program) -> list[FundSheet]:
    """This function will lay out a program's funds: tranche, allocation, balance, 執行残 and 返納 by fiscal year."""
    funds = FundNode.objects.filter(kind=FundNode.Kind.FUND, program=program).select_related("organization", "program")
    return [FundSheet(fund, _fund_years(user, fund)) for fund in funds.order_by("organization__name_kana", "pk")]


def _fund_years(user: object, fund: FundNode) -> list[FundYear]:
    years: dict[int, FundYear] = {}

    def of(year: int) -> FundYear:
        return years.setdefault(year, FundYear(year))

    edges = FundEdge.objects.filter(IN_FORCE, ALLOCATED)
    for year, amount in _sums(edges.filter(target=fund), "amount_yen"):
        of(year).tranche_yen = amount
    for year, amount in _sums(edges.filter(source=fund, target__kind="program"), "amount_yen"):
        of(year).returned_yen = amount
    out = edges.filter(source=fund).exclude(target__kind="program")
    for year, amount in _sums(out, "amount_yen"):
        of(year).allocated_yen = amount
    paid = projects_visible_to(user).filter(pk__in=out.values("target__project"))
    paid = paid.select_related(None).prefetch_related(None).order_by()
    contracts = FundEdge.objects.filter(IN_FORCE, kind=FundEdge.Kind.CONTRACT, source__project__in=paid)
    for year, amount in _sums(contracts, "amount_yen"):
        of(year).contracted_yen = amount
    lines = SpendingLine.objects.filter(statement__in=newest_statements(Q(project__in=paid)).values("pk"))
    rows = lines.order_by().values_list("statement__fiscal_year")
    for year, spent, carried in rows.annotate(spent=Sum("spent_yen"), carried=Sum("carried_over_yen")):
        of(year).spent_yen, of(year).carried_over_yen = spent, carried
        if carried:
            of(year + 1).carried_in_yen = carried
    balance = 0
    for year in sorted(years):
        one = years[year]
        balance += one.tranche_yen - one.allocated_yen - one.returned_yen
        one.balance_yen = balance
    return [years[year] for year in sorted(years)]


def funding_agencies(program: Program, funds: Iterable[FundSheet]) -> list[Organization]:
    """This function will return the agencies that run the program and have none of its funds yet."""
    there = {one.fund.organization_id for one in funds}
    return [one for one in agencies_of(program) if one.is_funding_agency and one.pk not in there]
