"""Reads of allocations: what a node has in a year, over what it is split, and what waits for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Case, CharField, Exists, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.models import Organization
from programs.models import (
    Allocation,
    BudgetLine,
    FundEdge,
    FundNode,
    Participation,
    PlanBudget,
    PlanVersion,
    PlanYear,
    Program,
    Project,
    ResearchArea,
)
from programs.queries import lead_institutions, project_label
from programs.rules.allocations import allocations_to_act_on, allocations_visible
from programs.rules.scope import scope_of
from programs.states import PROPOSED

IN_FORCE = Q(status=FundEdge.Status.IN_FORCE)
ALLOCATED = Q(kind=FundEdge.Kind.ALLOCATION)
_OWNERS = (
    "source__program",
    "source__area__program",
    "source__project__program",
    "source__project__area",
    "source__organization",
)
Owner = Program | ResearchArea | Project


def allocations_visible_to(user: object) -> QuerySet[Allocation]:
    """This function will return the allocations this user or client may see, newest year first, with their totals."""
    return (
        Allocation.objects.filter(allocations_visible(user))
        .select_related(*_OWNERS, "opened_by__person", "proposed_by__person", "approved_by__person")
        .prefetch_related(lead_institutions("source__project__participations"))
        # A subquery, not a join: the database adds up only the rows that a page shows.
        .annotate(total_yen=Coalesce(Subquery(_total_of(OuterRef("pk"))), 0))
        .order_by("-fiscal_year", "ref")
    )


def _total_of(allocation: OuterRef) -> QuerySet[Any]:
    edges = FundEdge.objects.filter(allocation=allocation).order_by().values("allocation")
    return edges.annotate(total=Sum("amount_yen")).values("total")


def allocations_awaiting(user: object) -> QuerySet[Allocation]:
    """This function will return the allocations for which this person acts next; `awaits` is write or approve."""
    scope = scope_of(user)
    if not (scope.programs or scope.directed or scope.agencies):
        return Allocation.objects.none()
    return (
        allocations_visible_to(user)
        .filter(allocations_to_act_on(user))
        .annotate(
            awaits=Case(When(state=PROPOSED, then=Value("approve")), default=Value("write"), output_field=CharField())
        )
        .order_by("opened_at", "ref")
    )


def allocation_years(user: object) -> list[int]:
    """This function will return the fiscal years of the allocations that the reader may see, newest first."""
    years = Allocation.objects.order_by("-fiscal_year").values_list("fiscal_year", flat=True).distinct()
    visible = Allocation.objects.filter(allocations_visible(user)).order_by().values_list("fiscal_year", flat=True)
    # One row of each year tells: the database stops at the first that the reader may see.
    firsts = [visible.filter(fiscal_year=year)[:1] for year in years]
    return sorted(firsts[0].union(*firsts[1:]), reverse=True) if firsts else []


def allocations_of(user: object, owner: Owner) -> QuerySet[Allocation]:
    """This function will return the visible allocations of a program's (its funds' too), area's or project's money."""
    return allocations_visible_to(user).filter(source__in=nodes_of(owner)).order_by("-fiscal_year", "-number")


def nodes_of(owner: Owner) -> QuerySet[FundNode]:
    """This function will return the nodes that belong to a program (itself and its funds), an area or a project."""
    if isinstance(owner, Program):
        return FundNode.objects.filter(program=owner)
    if isinstance(owner, ResearchArea):
        return FundNode.objects.filter(area=owner)
    return FundNode.objects.filter(kind=FundNode.Kind.PROJECT, project=owner)


def node_label(node: FundNode) -> str:
    """This function will name a node as people know it: the area, the project, the institution, the fund."""
    if node.kind == FundNode.Kind.AREA and node.area:
        return _area_name(node.area)
    if node.kind == FundNode.Kind.PROJECT and node.project:
        return project_label(node.project)
    if node.kind == FundNode.Kind.ORGANIZATION and node.organization:
        return str(node.organization.name)
    if node.kind == FundNode.Kind.FUND and node.program and node.organization:
        return f"{node.program.name} ({node.organization.name})"
    return str(node.program.name) if node.program else ""


def _area_name(area: ResearchArea) -> str:
    return f"{_('Area %(number)s') % {'number': area.number}} {area.name}"


# What a node has ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GivenLine:
    """A budget line, and whether its money can be split here."""

    line: BudgetLine
    is_counted: bool


def given_lines(program_id: int, fiscal_year: int | None = None) -> list[GivenLine]:
    """This function will return a program's budget lines, of one year or of all, newest first.

    The voted figure counts in the place of its proposal. What is a management grant or includes one is only shown: it
    is split below, where the figures say how much of it is none.
    """
    lines = BudgetLine.objects.filter(program=program_id).order_by("-fiscal_year", "kind")
    if fiscal_year is not None:
        lines = lines.filter(fiscal_year=fiscal_year)
    found = list(lines)
    voted = {line.fiscal_year for line in found if line.kind == BudgetLine.Kind.INITIAL}
    return [
        GivenLine(
            line,
            line.management_grant == BudgetLine.Grant.NONE
            and not (line.kind == BudgetLine.Kind.INITIAL_PROPOSAL and line.fiscal_year in voted),
        )
        for line in found
    ]


def available_yen(node: FundNode, fiscal_year: int) -> int:
    """This function will return what a node has to split in a fiscal year, in yen; of a fund what is left of it."""
    if node.kind == FundNode.Kind.FUND:
        return _least_left(_flows(node.pk), fiscal_year, lambda one: not one.inward and one.year == fiscal_year)
    has = _sum(FundEdge.objects.filter(IN_FORCE, ALLOCATED, target=node, fiscal_year=fiscal_year))
    if node.kind == FundNode.Kind.PROGRAM and node.program_id:
        has += sum(one.line.amount_yen for one in given_lines(node.program_id, fiscal_year) if one.is_counted)
    return has


@dataclass(frozen=True, slots=True)
class _Flow:
    """What flows into a fund from one node in a year, or out of it."""

    year: int
    inward: bool
    other: int
    yen: int


def _flows(fund: int) -> list[_Flow]:
    edges = FundEdge.objects.filter(Q(source=fund) | Q(target=fund), IN_FORCE, ALLOCATED).order_by()
    return [
        _Flow(year, target == fund, source if target == fund else target, yen)
        for source, target, year, yen in edges.values_list("source", "target", "fiscal_year", "amount_yen")
    ]


def _least_left(flows: list[_Flow], fiscal_year: int, without: Callable[[_Flow], bool]) -> int:
    """What a fund has left at the end of the year or of any later one, whichever is least, without some flows.

    A fund keeps its money over the years: what a later year was given already cannot be given once more before.
    """
    years = {fiscal_year, *(one.year for one in flows if one.year > fiscal_year)}
    counted = [one for one in flows if not without(one)]
    return min(sum(one.yen if one.inward else -one.yen for one in counted if one.year <= year) for year in years)


def _sum(edges: QuerySet[FundEdge]) -> int:
    return int(edges.aggregate(yen=Sum("amount_yen"))["yen"] or 0)


def passed_on_yen(nodes: Iterable[int], fiscal_year: int) -> dict[int, int]:
    """This function will return what each node has passed on in the year: what it split, or contracts, if more."""
    rows = FundEdge.objects.filter(IN_FORCE, source__in=list(nodes), fiscal_year=fiscal_year).values_list(
        "source", "kind"
    )
    found: dict[int, int] = {}
    for node, _kind, amount in rows.annotate(yen=Sum("amount_yen")):
        found[node] = max(found.get(node, 0), amount)
    return found


# Over what it is split ------------------------------------------------------------------------------------------------

#: (kind, id of the program, area, project or organization): how a form names what gets money.
TargetKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can get money from the node."""

    kind: str
    owner: Program | ResearchArea | Project | Organization
    #: The agency of a fund.
    agency: Organization | None = None

    @property
    def key(self) -> TargetKey:
        return self.kind, self.agency.pk if self.agency else self.owner.pk

    @property
    def name(self) -> str:
        if isinstance(self.owner, Project):
            return project_label(self.owner)
        if isinstance(self.owner, ResearchArea):
            return _area_name(self.owner)
        return f"{self.owner.name} ({self.agency.name})" if self.agency else str(self.owner.name)


def targets_of(node: FundNode, fiscal_year: int) -> list[Target]:
    """This function will list over what a node's money of a year can be split.

    A program over its areas and funds, else its projects; a fund over the program's projects and back to the program
    (返納); an area over its projects of that year; a project over its institutions.
    """
    kind = FundNode.Kind
    if node.kind == kind.PROJECT:
        parts = Participation.objects.filter(project=node.project_id, ends_on__isnull=True)
        order = {"lead": 0, "partner": 1, "subcontractor": 2}
        rows = sorted(parts.select_related("organization"), key=lambda one: (order[one.role], one.pk))
        return [Target(kind.ORGANIZATION, one.organization) for one in rows]
    if node.kind == kind.AREA:
        return _projects(Q(area=node.area_id), fiscal_year)
    if node.kind == kind.FUND and node.program:
        return [*_projects(Q(program=node.program_id), fiscal_year), Target(kind.PROGRAM, node.program)]
    funds = FundNode.objects.filter(kind=kind.FUND, program=node.program_id).select_related("program", "organization")
    found = [Target(kind.FUND, one.program, one.organization) for one in funds if one.program]
    areas = list(ResearchArea.objects.filter(program=node.program_id).order_by("number"))
    if areas:
        return [*(Target(kind.AREA, area) for area in areas), *found]
    return [*found, *_projects(Q(program=node.program_id), fiscal_year)]


def _projects(condition: Q, fiscal_year: int) -> list[Target]:
    running = (
        Q(state__in=["planned", "running"])
        & (Q(start_fiscal_year__isnull=True) | Q(start_fiscal_year__lte=fiscal_year))
        & (Q(end_fiscal_year__isnull=True) | Q(end_fiscal_year__gte=fiscal_year))
    )
    has_money = FundEdge.objects.filter(
        IN_FORCE, ALLOCATED, target__kind="project", target__project=OuterRef("pk"), fiscal_year=fiscal_year
    )
    rows = (
        Project.objects.filter(condition)
        .filter(running | Q(Exists(has_money)))
        .select_related("program", "area")
        .prefetch_related(lead_institutions())
        .order_by("kind", "ref")
    )
    return [Target(FundNode.Kind.PROJECT, project) for project in rows]


@dataclass(slots=True)
class SplitRow:
    """One target: what its plan asks, what it had and has, what it gets here, and what it passed on; yen or None."""

    target: Target
    node_id: int | None = None
    planned_yen: int | None = None
    before_yen: int | None = None
    in_force_yen: int | None = None
    yen: int = 0
    #: Of the money that comes from here; what comes from elsewhere is passed on first.
    passed_on_yen: int = 0


@dataclass(frozen=True)
class AllocationSheet:
    """An allocation as a table, and what the source has."""

    allocation: Allocation
    available_yen: int
    rows: list[SplitRow]
    lines: list[GivenLine]

    @cached_property
    def total_yen(self) -> int:
        return sum(row.yen for row in self.rows)

    @property
    def left_yen(self) -> int:
        """What is left to split; negative when more is split than there is."""
        return self.available_yen - self.total_yen

    @property
    def before_yen(self) -> int:
        return sum(row.before_yen or 0 for row in self.rows)

    @property
    def planned_yen(self) -> int:
        return sum(row.planned_yen or 0 for row in self.rows)

    @property
    def in_force_yen(self) -> int:
        return sum(row.in_force_yen or 0 for row in self.rows)


def allocation_sheet(allocation: Allocation) -> AllocationSheet:
    """This function will lay an allocation out: every target of its year with plan, last year, in force, and here."""
    node, year = allocation.source, allocation.fiscal_year
    rows = {target.key: SplitRow(target) for target in targets_of(node, year)}
    edges = FundEdge.objects.filter(
        Q(allocation=allocation) | (IN_FORCE & ALLOCATED & Q(source=node, fiscal_year__in=(year - 1, year)))
    ).select_related("target")
    found = list(edges)
    for target in _former({edge.target for edge in found if _key_of(edge.target) not in rows}):
        rows[target.key] = SplitRow(target)
    for edge in found:
        row = rows[_key_of(edge.target)]
        row.node_id = edge.target_id
        if edge.allocation_id == allocation.pk:
            row.yen += edge.amount_yen
        if edge.status == FundEdge.Status.IN_FORCE:
            if edge.fiscal_year == year:
                row.in_force_yen = (row.in_force_yen or 0) + edge.amount_yen
            else:
                row.before_yen = (row.before_yen or 0) + edge.amount_yen
    _fill_plans(node, year, rows)
    below = [row.node_id for row in rows.values() if row.node_id and row.target.kind != FundNode.Kind.PROGRAM]
    passed_on, elsewhere = passed_on_yen(below, year), _from_elsewhere(node, below, year)
    contracted = _contracted_with(node, year) if node.kind == FundNode.Kind.PROJECT else {}
    for row in rows.values():
        key = row.node_id or 0
        if row.target.kind == FundNode.Kind.FUND:
            flows = _flows(key)
            row.passed_on_yen = max(0, -_least_left(flows, year, lambda one: one.other == node.pk and one.year == year))
        else:
            there = contracted.get(row.target.key[1], 0)
            row.passed_on_yen = max(0, passed_on.get(key, 0) - elsewhere.get(key, 0), there)
    lines = given_lines(node.program_id, year) if node.kind == FundNode.Kind.PROGRAM and node.program_id else []
    return AllocationSheet(allocation, available_yen(node, year), list(rows.values()), lines)


def _contracted_with(project: FundNode, year: int) -> dict[int, int]:
    """What a project has contracted with each of its institutions, by the institution's id."""
    edges = FundEdge.objects.filter(IN_FORCE, source=project, kind=FundEdge.Kind.CONTRACT, fiscal_year=year)
    return dict(edges.order_by().values_list("target__organization").annotate(yen=Sum("amount_yen")))


def _from_elsewhere(source: FundNode, nodes: list[int], year: int) -> dict[int, int]:
    edges = FundEdge.objects.filter(IN_FORCE, ALLOCATED, target__in=nodes, fiscal_year=year).exclude(source=source)
    return dict(edges.order_by().values_list("target").annotate(yen=Sum("amount_yen")))


def _key_of(node: FundNode) -> TargetKey:
    ids = {"area": node.area_id, "project": node.project_id, "program": node.program_id}
    return node.kind, ids.get(node.kind) or node.organization_id or 0


def _former(nodes: Iterable[FundNode]) -> list[Target]:
    """What got money and is no target of the year any more."""
    missing = [node.pk for node in nodes]
    if not missing:
        return []
    rows = FundNode.objects.filter(pk__in=missing).select_related(
        "program", "area", "project__program", "project__area", "organization"
    )
    return [_target_of(node) for node in rows.prefetch_related(lead_institutions("project__participations"))]


def _target_of(node: FundNode) -> Target:
    owner = {"area": node.area, "project": node.project, "program": node.program, "fund": node.program}.get(node.kind)
    agency = node.organization if node.kind == FundNode.Kind.FUND else None
    return Target(node.kind, owner or node.organization, agency)  # type: ignore[arg-type]


def _fill_plans(node: FundNode, year: int, rows: dict[TargetKey, SplitRow]) -> None:
    """What the plans in force ask for the year."""
    newest = PlanVersion.objects.filter(project=OuterRef("version__project"), state="approved").order_by(
        "-effective_on"
    )
    if node.kind == FundNode.Kind.PROJECT:
        cells = PlanBudget.objects.filter(
            version=PlanVersion.objects.filter(project=node.project_id, state="approved")
            .order_by("-effective_on")
            .values("pk")[:1],
            fiscal_year=year,
        )
        for organization, amount in cells.values_list("organization").annotate(yen=Sum("amount_yen")):
            if row := rows.get(("organization", organization)):
                row.planned_yen = amount
        return
    projects = [key[1] for key in rows if key[0] == "project"]
    stated = PlanYear.objects.filter(
        version__project__in=projects, version=newest.values("pk")[:1], fiscal_year=year
    ).values_list("version__project", "total_yen")
    for project, amount in stated:
        rows["project", project].planned_yen = amount


def next_number(node: FundNode, fiscal_year: int) -> int:
    """This function will return the number of the next version of a node's allocation of a year."""
    last = Allocation.objects.filter(source=node, fiscal_year=fiscal_year).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def edges_in_force(node: FundNode, fiscal_year: int) -> QuerySet[FundEdge]:
    """This function will return the allocations in force out of a node in a year."""
    return FundEdge.objects.filter(IN_FORCE, ALLOCATED, source=node, fiscal_year=fiscal_year)
