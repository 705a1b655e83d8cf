"""A project's facts as plain data, as they stand: for documents that are frozen with one hash."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import override

from programs.models import AwardNumber, BenchmarkValue, Participation, Project
from programs.overviews import gates_of, in_force_members, trl_levels
from programs.queries import lead_institutions, project_label
from programs.queries.benchmarks import BenchmarkSheet, benchmark_sheets
from programs.queries.money import money_years
from programs.queries.trl import planned_levels, trl_records


def project_content(project_id: int, on: date) -> dict[str, Any]:
    """This function will compile a project: institutions, people, award numbers, TRL, milestones, gates, money.

    Dates are ISO 8601, money is integer yen, names are in Japanese as on record.
    """
    project = Project.objects.select_related("program", "area").prefetch_related(lead_institutions()).get(pk=project_id)
    return {
        "project": {
            "ref": project.ref,
            "label": _label(project),
            "title_ja": project.title_ja,
            "kind": project.kind,
            "theme_ja": project.theme_ja,
            "program_ja": project.program.name_ja,
            "area": {"number": project.area.number, "name_ja": project.area.name_ja} if project.area else None,
            "target_trl": project.target_trl,
            "start_fiscal_year": project.start_fiscal_year,
            "end_fiscal_year": project.end_fiscal_year,
        },
        "award_numbers": list(AwardNumber.objects.filter(project=project).values_list("number", flat=True)),
        "institutions": _institutions(project),
        "members": _members(project, on),
        "trl": _trl(project),
        "trl_levels": {str(level.number): level.name_ja for level in trl_levels()},
        "milestones": [
            {
                "number": m.number,
                "title": m.title,
                "criterion": m.criterion,
                "planned_on": m.planned_on.isoformat(),
                "reached_on": m.reached_on.isoformat() if m.reached_on else None,
            }
            for m in project.milestones.order_by("planned_on", "number")
        ],
        "benchmarks": [_benchmark(sheet) for sheet in benchmark_sheets(project)],
        "gates": [{"name_ja": gate.name_ja, "held_on": gate.held_on.isoformat()} for gate in gates_of(project)],
        "money": [
            {
                "fiscal_year": m.fiscal_year,
                "allocated_yen": m.money.allocated_yen,
                "contracted_yen": m.money.contracted_yen,
                "spent_yen": m.money.spent_yen,
                "carried_over_yen": m.money.carried_over_yen,
            }
            for m in money_years(project)
        ],
    }


def _label(project: Project) -> str:
    # In Japanese, whatever language the person who submits reads.
    with override("ja"):
        return project_label(project)


def _benchmark(sheet: BenchmarkSheet) -> dict[str, Any]:
    def told(values: list[BenchmarkValue]) -> list[dict[str, Any]]:
        return [
            {
                "on": one.on.isoformat(),
                "value": f"{one.value.normalize():f}",
                "who": one.holder_name,
                "source": one.source,
            }
            for one in values
        ]

    return {
        "name_ja": sheet.benchmark.name_ja,
        "unit": sheet.benchmark.unit,
        "direction": sheet.benchmark.direction,
        "own": told(sheet.own),
        "world": told(sheet.world),
    }


def _trl(project: Project) -> list[dict[str, Any]]:
    """Levels planned, claimed with what was shown for each criterion, and assessed with what was found of it."""
    records = trl_records(project)
    planned = [
        {"kind": "planned", "level": level, "on": on.isoformat(), "evidence": "", "by": ""}
        for on, level in planned_levels(records, project.milestones.all())
    ]
    return planned + [
        {
            "kind": one.kind, "level": one.level.number, "on": one.on.isoformat(), "evidence": one.evidence,
            "by": one.by_label,
            "not_met": [
                {"level": said.criterion.level.number, "asked": said.asked, "reason": said.reason}
                for said in one.judgements.all()
                if not said.is_met
            ],
        }
        for one in records
        if one.kind != "planned"
    ]  # fmt: skip


def _institutions(project: Project) -> list[dict[str, Any]]:
    rows = project.participations.filter(ends_on__isnull=True).select_related("organization")
    order = {Participation.Role.LEAD: 0, Participation.Role.PARTNER: 1}
    found = sorted(rows, key=lambda row: (order.get(Participation.Role(row.role), 2), row.organization.ref))
    return [{"role": row.role, "name_ja": row.organization.name_ja} for row in found]


def _members(project: Project, on: date) -> list[dict[str, Any]]:
    return [
        {
            "name_ja": m.person.name_ja,
            "role": m.role,
            "organization_ja": m.organization.name_ja,
            "effort_percent": m.effort_percent,
        }
        for m in in_force_members(project, on)
    ]
