"""The sample twin's money: each year's area total split over its projects, a Flagship's over its institutions."""

from __future__ import annotations

from typing import Any

from programs.models import FundEdge, FundNode, Participation, Program, Project, ResearchArea
from reporting.sample_records import Ledger

MILLION = 1_000_000


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
    flows: list[tuple[FundNode, FundNode, int, int]] = []
    nodes = _Nodes(ledger)
    source = nodes.of(kind="program", program=program)
    partners = _institutions(list(projects.values()))
    for year_text, totals in table["area_money_million"].items():
        year = int(year_text)
        if year > until:
            continue
        for (area_id, area), total in zip(areas.items(), totals, strict=True):
            if not total:
                continue
            area_node = nodes.of(kind="area", area=area)
            flows.append((source, area_node, year, total * MILLION))
            running = [p for i, p in projects.items() if i.startswith(f"{area_id}-") and _runs(p, year)]
            for project, million in _split(total, running, table["flagship_share_percent"][area_id]):
                project_node = nodes.of(kind="project", project=project)
                flows.append((area_node, project_node, year, million * MILLION))
                for part, share in _parts(million, partners.get(project.pk, []), table["partner_share_percent"]):
                    institution = nodes.of(kind="organization", project=project, organization=part.organization)
                    flows.append((project_node, institution, year, share * MILLION))
    _keep_flows(ledger, flows)


class _Nodes:
    """The twin's fund nodes, each looked up or made once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[tuple[Any, ...], FundNode] = {}

    def of(self, **where: Any) -> FundNode:
        key = tuple(sorted((name, getattr(value, "pk", value)) for name, value in where.items()))
        if key not in self._known:
            self._known[key] = self._ledger.keep(FundNode, where)
        return self._known[key]


def _institutions(projects: list[Project]) -> dict[int, list[Participation]]:
    found: dict[int, list[Participation]] = {}
    rows = Participation.objects.filter(project__in=projects, role__in=["lead", "partner"], project__kind="flagship")
    for row in rows.select_related("organization").order_by("role", "id"):
        found.setdefault(row.project_id or 0, []).append(row)
    return found


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


def _parts(million: int, rows: list[Participation], partner_percent: int) -> list[tuple[Participation, int]]:
    partners = [row for row in rows if row.role == Participation.Role.PARTNER]
    each = million * partner_percent // 100 // len(partners) if partners else 0
    leads = [row for row in rows if row.role == Participation.Role.LEAD]
    return [(row, million - each * len(partners)) for row in leads] + [(row, each) for row in partners]


def _keep_flows(ledger: Ledger, flows: list[tuple[FundNode, FundNode, int, int]]) -> None:
    known = {
        (edge.source_id, edge.target_id, edge.fiscal_year)
        for edge in FundEdge.objects.filter(kind="allocation", source__in={source.pk for source, *_ in flows})
    }
    ledger.add_all(
        [
            FundEdge(source=source, target=target, kind="allocation", fiscal_year=year, amount_yen=amount)
            for source, target, year, amount in flows
            if (source.pk, target.pk, year) not in known
        ]
    )
