"""One program, shown as its kind is: the common part and one block from `templates/portal/programs/kinds/`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from calls.queries import vision_scheme
from common.charts import Chart
from portal.access import clock, page
from programs.drawings import budget_chart, indicator_chart
from programs.figures import IndicatorSheet, combined_notes, initial_heading, printed_remainder, printed_year
from programs.models import Participation, Program, Project
from programs.overviews import ProgramSheet, in_language, program_sheet, programs_in_full
from programs.queries.risks import kept_by

#: Printed facts that a kind's own block shows; any other is listed as it is printed.
KNOWN_FACTS = frozenset(
    [
        "structure", "operator", "data_policy", "planned_centres", "key_technology_areas",
        "key_technology_areas_source", "components", "themes_ja", "operated_by", "budget_note_ja",
        "area_annual_scale_yen", "vision_scheme_note", "vision_scheme_award_number_pattern", "flagship_target_trl",
        "gate_outcomes_ja", "max_duration_years", "capacity",
    ]
)  # fmt: skip
HUB_ROLES = (
    (Participation.Role.CENTRE_HUB, "center_hub"),
    (Participation.Role.HUB, "hub"),
    (Participation.Role.SPOKE, "spoke"),
)
COUNTED_KINDS = (
    (Project.Kind.FLAGSHIP, "flagship_count"),
    (Project.Kind.BASIC, "basic_count"),
    (Project.Kind.HUMAN_RESOURCES, "human_resources_count"),
)


@page(permission="program.view", find=lambda user, ref: programs_in_full(user).filter(ref=ref))
def program_page(request: HttpRequest, program: Program) -> HttpResponseBase:
    """This function will show one program."""
    today = localdate(clock(request))
    sheet = program_sheet(request.user, program, today)
    parts = [(child, printed_year(child.budget_lines.all())) for child in sheet.children]
    years = [year for _child, year in parts]
    outcomes = [one for one in sheet.indicators if one.indicator.kind == "outcome"]
    context: dict[str, Any] = {
        "program": sheet.program,
        "sheet": sheet,
        "kept": kept_by(request.user, program, today),
        "kind_template": f"portal/programs/kinds/{program.kind}.html",
        "year": printed_year(sheet.lines),
        "chart": budget_chart([sheet.program]),
        "parts_chart": budget_chart(sheet.children),
        "parts": parts,
        "initial_heading": initial_heading(years),
        "combined_notes": combined_notes(years),
        "has_estimates": any(year.is_estimate for year in years),
        "remainder": printed_remainder(sheet.lines, sheet.remainders),
        "facts": sheet.program.attributes,
        "other_facts": [(k, v) for k, v in sheet.program.attributes.items() if k not in KNOWN_FACTS],
        "outcomes": _with_charts(outcomes),
        "capacities": [one for one in sheet.indicators if one.indicator.kind == "capacity"],
        "ancestors": [(one["ref"], in_language(one)) for one in sheet.ancestors],
        "is_sample": program.is_sample,
        **_of_kind(sheet),
    }
    return render(request, "portal/programs/page.html", context)


def _with_charts(sheets: list[IndicatorSheet]) -> list[tuple[IndicatorSheet, Chart]]:
    return [(sheet, indicator_chart(sheet)) for sheet in sheets]


def _of_kind(sheet: ProgramSheet) -> dict[str, Any]:
    """What only one kind of program shows."""
    match sheet.program.kind:
        case Program.Kind.INFRASTRUCTURE:
            return {"structure": hub_structure(sheet)}
        case Program.Kind.FLAGSHIP_BASIC:
            return {"counts": printed_counts(sheet)}
        case Program.Kind.VISION_DRIVEN:
            return {"scheme": vision_scheme(sheet.program)}
    return {}


def hub_structure(sheet: ProgramSheet) -> list[dict[str, Any]]:
    """This function will put the printed numbers of hubs and spokes beside the institutions on record."""
    printed = sheet.program.attributes.get("structure", {})
    return [
        {
            "label": role.label,
            "printed": printed.get(key),
            "registered": [one for one in sheet.participations if one.role == role],
        }
        for role, key in HUB_ROLES
    ]


def printed_counts(sheet: ProgramSheet) -> list[dict[str, Any]]:
    """This function will put the printed numbers of projects beside those on record that the reader may see."""
    rows = []
    for kind, field in COUNTED_KINDS:
        printed = [getattr(row.area, field) for row in sheet.areas]
        known = [number for number in printed if number is not None]
        rows.append(
            {
                "label": kind.label,
                "printed": sum(known) if known else None,
                "registered": sheet.count(kind),
            }
        )
    total = [row["printed"] for row in rows if row["printed"] is not None]
    rows.append(
        {
            "label": _("Total"),
            "printed": sum(total) if total else None,
            "registered": sum(row.total for row in sheet.areas),
        }
    )
    return rows
