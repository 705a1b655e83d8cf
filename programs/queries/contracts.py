"""Reads of contracts and statements of spending, and what limits a contract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, StrIndex

from accounts.models import Organization
from programs.models import (
    Contract,
    CostCategory,
    FundEdge,
    Program,
    ProgramAgency,
    Project,
    SpendingStatement,
)
from programs.queries import lead_institutions
from programs.queries.allocations import IN_FORCE
from programs.rules.contracts import (
    ContractMoney,
    MoneyRights,
    contracts_seen_in,
    contracts_to_act_on,
    contracts_visible,
    funding_rule,
    parts_stated_by,
    statements_visible,
    taking_part,
)
from programs.rules.scope import scope_of
from programs.states import CONCLUDED, CONTRACT_OPEN, PROPOSED

#: (fiscal year, id of the cost category) > yen.
Cells = Mapping[tuple[int, int], int]


def contracts_visible_to(user: object) -> QuerySet[Contract]:
    """This function will return the contracts this user or client may see, with their sums over all years."""
    people = [f"{name}__person" for name in ("opened_by", "proposed_by", "approved_by")]
    return (
        Contract.objects.filter(contracts_visible(user))
        .select_related(
            "project__program", "project__area", "organization", "party", "prime__organization", "replaces", *people
        )
        .prefetch_related(lead_institutions("project__participations"))
        .annotate(total_yen=Coalesce(Sum("edges__amount_yen"), 0))
        .order_by("organization__name_kana", "-starts_on", "-pk")
    )


def contracts_of(user: object, project: Project, rights: MoneyRights) -> QuerySet[Contract]:
    """This function will return the contracts of a visible project that the reader may see, subcontracts last."""
    rows = Contract.objects.filter(contracts_seen_in(user, rights), project=project)
    rows = rows.select_related("organization", "prime").annotate(total_yen=Coalesce(Sum("edges__amount_yen"), 0))
    return rows.order_by("prime", "organization__name_kana", "-pk")


def contracts_awaiting(user: object) -> QuerySet[Contract]:
    """This function will return the contracts for which this person acts next; `awaits` is write or conclude."""
    if not scope_of(user).party:
        return Contract.objects.none()
    return (
        contracts_visible_to(user)
        .filter(contracts_to_act_on(user))
        .annotate(
            awaits=Case(When(state=PROPOSED, then=Value("conclude")), default=Value("write"), output_field=CharField())
        )
        .order_by("opened_at", "ref")
    )


def open_change_of(contract: Contract) -> Contract | None:
    """This function will return the open contract that is to take this one's place."""
    return Contract.objects.filter(replaces=contract, state__in=CONTRACT_OPEN).first()


def institutions_to_contract(project: Project, prime: Contract | None = None) -> list[Organization]:
    """This function will return with whom a contract can be made: the project's institutions, not the prime's own."""
    parts = taking_part(project).select_related("organization")
    found = [one.organization for one in sorted(parts, key=lambda one: (one.role != "lead", one.pk))]
    return [one for one in found if prime is None or one.pk != prime.organization_id]


def prime_contracts(project: Project) -> list[Contract]:
    """This function will return the contracts in force under which something can be subcontracted."""
    rows = Contract.objects.filter(project=project, state=CONCLUDED, prime=None).select_related("organization")
    return list(rows.order_by("pk"))


# Money of a contract --------------------------------------------------------------------------------------------------


def contract_cells(contract: Contract) -> dict[tuple[int, int], int]:
    """This function will return a contract's yen by fiscal year and cost category."""
    rows = FundEdge.objects.filter(contract=contract, category__isnull=False)
    return {
        (year, category or 0): amount
        for year, category, amount in rows.values_list("fiscal_year", "category", "amount_yen")
    }


def yen_by_year(contract_id: int | None) -> dict[int, int]:
    """This function will return a contract's yen by fiscal year; nothing for none."""
    if contract_id is None:
        return {}
    rows = FundEdge.objects.filter(contract=contract_id).order_by().values_list("fiscal_year")
    return dict(rows.annotate(yen=Sum("amount_yen")))


def contract_money(contract: Contract, cells: Cells) -> ContractMoney:
    """This function will read what limits a contract with these amounts, in a constant number of queries a year."""
    direct_categories = set(CostCategory.objects.filter(is_direct=True).values_list("pk", flat=True))
    direct: defaultdict[int, int] = defaultdict(int)
    indirect: defaultdict[int, int] = defaultdict(int)
    for (year, category), amount in cells.items():
        (direct if category in direct_categories else indirect)[year] += amount
    years = sorted({*direct, *indirect})
    tables = _of_prime(contract) if contract.prime_id else _of_project(contract)
    rules = {year: funding_rule(contract.project.program, year) for year in years}
    return ContractMoney(direct=dict(direct), indirect=dict(indirect), rules=rules, **tables)


def _of_project(contract: Contract) -> dict[str, dict[int, int]]:
    """What limits a contract of a project, by year: its allocations, its split, its other contracts, subcontracts."""
    tables: dict[str, defaultdict[int, int]] = {name: defaultdict(int) for name in _TABLES}
    flows = Q(target__kind="project", target__project=contract.project_id) | Q(
        source__kind="project", source__project=contract.project_id
    )
    under = Q(contract__prime__in=_replacing(contract))
    for year, kind, into, organization, amount in _summed(contract, flows | under):
        own = amount if organization == contract.organization_id else 0
        if kind == FundEdge.Kind.SUBCONTRACT:
            tables["passed_on_yen"][year] += amount
        elif kind == FundEdge.Kind.CONTRACT:
            tables["others_yen"][year] += amount
            tables["part_taken_yen"][year] += own
        else:
            tables["source_yen" if into == "project" else "part_yen"][year] += amount if into == "project" else own
    return {name: dict(table) for name, table in tables.items()}


def _of_prime(contract: Contract) -> dict[str, dict[int, int]]:
    """What limits a subcontract, by year: the contract above it, and what else stands under that."""
    tables: dict[str, defaultdict[int, int]] = {name: defaultdict(int) for name in _TABLES}
    for year, kind, _into, _organization, amount in _summed(
        contract, Q(contract=contract.prime_id) | Q(contract__prime=contract.prime_id)
    ):
        tables["others_yen" if kind == FundEdge.Kind.SUBCONTRACT else "source_yen"][year] += amount
    return {name: dict(table) for name, table in tables.items()}


_TABLES = ("source_yen", "others_yen", "part_yen", "part_taken_yen", "passed_on_yen")


def _summed(contract: Contract, flows: Q) -> QuerySet[Any]:
    edges = FundEdge.objects.filter(flows, IN_FORCE).exclude(contract__in=_replacing(contract))
    rows = edges.order_by().values_list("fiscal_year", "kind", "target__kind", "target__organization")
    return rows.annotate(yen=Sum("amount_yen"))


def _replacing(contract: Contract) -> list[int]:
    """The contract itself and the one whose place it takes: they never count beside each other."""
    return [contract.pk, contract.replaces_id or 0]


# Statements of spending -----------------------------------------------------------------------------------------------


def statements_visible_to(user: object) -> QuerySet[SpendingStatement]:
    """This function will return the statements of spending this user or client may see, with their sums."""
    return _in_full(SpendingStatement.objects.filter(statements_visible(user)))


def _in_full(rows: QuerySet[SpendingStatement]) -> QuerySet[SpendingStatement]:
    rows = rows.select_related("project__program", "project__area", "organization", "submitted_by__person")
    sums = {
        "spent_yen": Coalesce(Sum("lines__spent_yen"), 0),
        "carried_yen": Coalesce(Sum("lines__carried_over_yen"), 0),
    }
    return rows.annotate(**sums).order_by("-fiscal_year", "organization__name_kana", "-number")


def statements_of(project: Project, rights: MoneyRights) -> QuerySet[SpendingStatement]:
    """This function will return every statement of a visible project on record that the reader may see, newest first."""
    own = Q() if rights.parts is None else Q(organization__in=rights.parts)
    return _in_full(SpendingStatement.objects.filter(own, project=project))


def newest_statements(condition: Q) -> QuerySet[SpendingStatement]:
    """This function will return the statements that count: the newest of each project, institution and fiscal year."""
    rows = SpendingStatement.objects.filter(condition).order_by(
        "project_id", "organization_id", "fiscal_year", "-number"
    )
    return rows.distinct("project_id", "organization_id", "fiscal_year")


@dataclass(frozen=True, slots=True)
class Granted:
    """What an institution was granted in a year by cost category, in yen, and what came over from the year before."""

    by_category: dict[int, int]
    carried_in: dict[int, int]


def granted(project: Project, organization: Organization, fiscal_year: int) -> Granted:
    """This function will return what the institution's contracts give it in a year, less what it passes on to others."""
    edges = FundEdge.objects.filter(
        IN_FORCE, kind__in=["contract", "subcontract"], fiscal_year=fiscal_year, category__isnull=False
    ).order_by()
    by_category: defaultdict[int, int] = defaultdict(int)
    here = Q(target__kind="organization", target__project=project, target__organization=organization)
    away = Q(source__kind="organization", source__project=project, source__organization=organization)
    for category, amount in edges.filter(here).values_list("category", "amount_yen"):
        by_category[category or 0] += amount
    for category, amount in edges.filter(away).values_list("category", "amount_yen"):
        by_category[category or 0] -= amount
    before = newest_statements(Q(project=project, organization=organization, fiscal_year=fiscal_year - 1)).first()
    carried = dict(before.lines.values_list("category", "carried_over_yen")) if before else {}
    return Granted(dict(by_category), carried)


def newest_lines(project: Project, organization: Organization, fiscal_year: int) -> dict[int, tuple[int, int]]:
    """This function will return the newest statement's yen spent and carried over, by the category's id."""
    newest = newest_statements(Q(project=project, organization=organization, fiscal_year=fiscal_year)).first()
    rows = newest.lines.values_list("category", "spent_yen", "carried_over_yen") if newest else []
    return {category: (spent, carried) for category, spent, carried in rows}


def parts_to_state(user: object, project: Project) -> list[Organization]:
    """This function will return the institutions whose spending this person states."""
    return list(Organization.objects.filter(pk__in=parts_stated_by(user, project)).order_by("name_kana", "pk"))


def cost_categories() -> list[CostCategory]:
    """This function will return the cost categories in their order."""
    return list(CostCategory.objects.all())


def agencies_of(program: Program) -> list[Organization]:
    """This function will return the agencies that run the program or something above it."""
    running = ProgramAgency.objects.annotate(at=StrIndex(Value(program.path), F("program__path"))).filter(at=1)
    return list(Organization.objects.filter(pk__in=running.values("organization")).order_by("name_kana"))
