"""The sample twin's money: each year's area total split over its projects, a Flagship's over its institutions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from common.loading import Ledger
from programs.models import FundEdge, FundingRule, FundNode, Participation, Program, Project, ResearchArea
from reporting.sample_records import keep

MILLION = 1_000_000
Flow = tuple[FundNode, FundNode, int, int]


def build_money(
    ledger: Ledger,
    program: Program,
    areas: dict[str, ResearchArea],
    projects: dict[str, Project],
    table: dict[str, Any],
    *,
    until: int,
) -> None:
    """This function will make the flows program > area > project > institution for every fiscal year up to `until`.

    Integer yen in whole millions; the parts of a node add up to what flows into it.
    """
    rule = {
        "program": program, "from_fiscal_year": min(int(year) for year in table["area_money_million"]),
        "indirect_cost_percent": Decimal(30), "moving_limit_percent": Decimal(50), "source": "見本",
    }  # fmt: skip
    keep(ledger, FundingRule, [rule], key=("program", "from_fiscal_year"), owner="program")
    nodes = _build_nodes(ledger, program, areas, projects)
    rows = [
        {"source": source, "target": target, "kind": FundEdge.Kind.ALLOCATION, "fiscal_year": year,
         "amount_yen": million * MILLION,
         "reason": "見本の配分です(予算額の登録がない年度を含みます)。" if source == nodes.program else None}
        for source, target, year, million in _flows(nodes, areas, projects, table)
        if year <= until
    ]  # fmt: skip
    # What people allocated and contracted since has papers of its own.
    taken_over = Q(allocation=None, contract=None)
    keep(ledger, FundEdge, rows, key=("source", "target", "kind", "fiscal_year"), among=taken_over, owner="target")


@dataclass(frozen=True, slots=True)
class _Nodes:
    program: FundNode
    areas: dict[int, FundNode]
    projects: dict[int, FundNode]
    institutions: dict[int, FundNode]
    parts: dict[int, list[Participation]]


def _build_nodes(
    ledger: Ledger, program: Program, areas: dict[str, ResearchArea], projects: dict[str, Project]
) -> _Nodes:
    parts = list(
        Participation.objects.filter(
            project__in=projects.values(), role__in=["lead", "partner"], project__kind=Project.Kind.FLAGSHIP
        )
        .select_related("organization", "project")
        .order_by("project_id", "role", "pk")
    )
    by_project: dict[int, list[Participation]] = {}
    for part in parts:
        by_project.setdefault(part.project_id or 0, []).append(part)
    whole = keep(ledger, FundNode, [{"kind": "program", "program": program}], key=("program",), among=Q(kind="program"))
    institutions = keep(
        ledger, FundNode,
        [{"kind": "organization", "project": p.project, "organization": p.organization} for p in parts],
        key=("project", "organization"), among=Q(kind="organization"), owner="project",
    )  # fmt: skip
    return _Nodes(
        whole[0],
        _nodes_of(ledger, "area", areas.values()),
        _nodes_of(ledger, "project", projects.values()),
        {part.pk: node for part, node in zip(parts, institutions, strict=True)},
        by_project,
    )


def _nodes_of(ledger: Ledger, kind: str, owners: Any) -> dict[int, FundNode]:
    rows = [{"kind": kind, kind: owner} for owner in owners]
    made = keep(ledger, FundNode, rows, key=(kind,), among=Q(kind=kind), owner=kind)
    return {getattr(node, f"{kind}_id"): node for node in made}


def _flows(
    nodes: _Nodes, areas: dict[str, ResearchArea], projects: dict[str, Project], table: dict[str, Any]
) -> Iterator[Flow]:
    """Every flow as (from, to, fiscal year, million yen)."""
    for year_text, totals in table["area_money_million"].items():
        year = int(year_text)
        for (area_id, area), total in zip(areas.items(), totals, strict=True):
            if not total:
                continue
            yield nodes.program, nodes.areas[area.pk], year, total
            running = [p for p in projects.values() if p.area_id == area.pk and _runs(p, year)]
            for project, million in _split(total, running, table["flagship_share_percent"][area_id]):
                yield nodes.areas[area.pk], nodes.projects[project.pk], year, million
                for part, share in _shares(million, nodes.parts.get(project.pk, []), table["partner_share_percent"]):
                    yield nodes.projects[project.pk], nodes.institutions[part.pk], year, share


def _runs(project: Project, year: int) -> bool:
    return (project.start_fiscal_year or 0) <= year <= (project.end_fiscal_year or year)


def _split(total: int, running: list[Project], flagship_percent: int) -> list[tuple[Project, int]]:
    """Flagships share their percentage evenly, the others the rest; what division leaves goes to the first."""
    flagships = [p for p in running if p.kind == Project.Kind.FLAGSHIP]
    others = [p for p in running if p.kind != Project.Kind.FLAGSHIP]
    for_flagships = total * flagship_percent // 100 if flagships and others else (total if flagships else 0)
    return [*_evenly(for_flagships, flagships), *_evenly(total - for_flagships, others)]


def _evenly(amount: int, projects: list[Project]) -> list[tuple[Project, int]]:
    if not projects:
        return []
    each, rest = divmod(amount, len(projects))
    return [(project, each + (rest if index == 0 else 0)) for index, project in enumerate(projects)]


def _shares(million: int, parts: list[Participation], partner_percent: int) -> list[tuple[Participation, int]]:
    partners = [part for part in parts if part.role == Participation.Role.PARTNER]
    each = million * partner_percent // 100 // len(partners) if partners else 0
    leads = [part for part in parts if part.role == Participation.Role.LEAD]
    return [(part, million - each * len(partners)) for part in leads] + [(part, each) for part in partners]
