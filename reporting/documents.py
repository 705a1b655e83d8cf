"""The documents of this app: progress report from its frozen content, portfolio brief, brief for a visit, roadmap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import Truncator
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from calls.models import Concept, SupportedTechnology, Vision
from common.canonical import content_hash
from common.fiscal_year import datetime_text
from common.fiscal_year import label as year_label
from common.money import printed
from common.pdf import render_pdf
from programs.content_drawings import (
    benchmark_pictures,
    day_of,
    milestone_rows,
    money_picture,
    roadmap_picture,
    trl_picture,
    trl_rows,
)
from programs.drawings import budget_chart, indicator_chart
from programs.figures import IndicatorSheet
from programs.models import (
    Participation,
    Program,
    Project,
    ProjectMember,
    TrlAssessment,
)
from programs.overviews import AreaRow, ProgramSheet, program_sheet, programs_in_full
from programs.queries import portfolio_tree, project_label
from programs.queries.trl import projects_climbing
from reporting.models import ReportSection, ReportVersion
from reporting.models.schedule import ReportKind
from reporting.roadmaps import Roadmap
from reporting.visit_briefs import VisitBrief, facts_of

LANGUAGE = "ja"
SHORT_LINE = 40
LONGEST_NAME = 60


# The progress report --------------------------------------------------------------------------------------------------


def report_file_name(version: ReportVersion) -> str:
    """This function will name the PDF: case number, fiscal year and version."""
    report = version.report
    return f"{report.ref}_FY{report.fiscal_year}_v{version.number}.pdf"


def report_pdf(version: ReportVersion) -> bytes:
    """This function will typeset a frozen version from its content alone: the same version gives the same bytes."""
    content: dict[str, Any] = version.content
    with override(LANGUAGE):
        facts = content["report"]
        kind = str(ReportKind(facts["kind"]).label)
        title = f"{year_label(facts['fiscal_year'], LANGUAGE)} {kind}"
        milestones = milestone_rows(content)
        context = {
            "content": content,
            "stand": _stand(content, milestones),
            "chapters": _chapters(content),
            "kind": kind,
            "title_ja": title,
            "version": version.number,
            "submitted_at": datetime_text(parse_datetime(facts["submitted_at"]), LANGUAGE),  # type: ignore[arg-type]
            "sections": _sections(content),
            "institutions": _named(content["institutions"], Participation.Role),
            "members": _named(content["members"], ProjectMember.Role),
            "trl": trl_rows(content),
            "trl_kinds": [str(kind.label) for kind in TrlAssessment.Kind],
            "milestones": milestones,
            "trl_chart": trl_picture(content),
            "roadmap": roadmap_picture(content, day_of(facts["submitted_at"][:10])),
            "money_chart": money_picture(content, facts["fiscal_year"]),
            "benchmarks": benchmark_pictures(content),
            "gates": [{**gate, "held_on": parse_date(gate["held_on"])} for gate in content["gates"]],
            "project_kind": str(Project.Kind(content["project"]["kind"]).label),
            "is_sample": content["is_sample"],
        }
        return render_pdf(
            "pdf/progress_report.html",
            context,
            title=f"{title} {content['project']['label']}",
            language=LANGUAGE,
            fingerprint=version.content_hash,
            case_number=facts["ref"],
        )


def _stand(content: dict[str, Any], milestones: list[dict[str, Any]]) -> dict[str, Any]:
    """What an officer looks for first: level reached, milestones, what comes next, the year's money."""
    assessed = [row["level"] for row in content["trl"] if row["kind"] == TrlAssessment.Kind.ASSESSED]
    year = content["report"]["fiscal_year"]
    allocated = [row["allocated_yen"] for row in content["money"] if row["fiscal_year"] == year]
    return {
        "assessed": assessed[-1] if assessed else None,
        "reached": sum(row["reached_on"] is not None for row in milestones),
        "next": next((row for row in milestones if row["reached_on"] is None), None),
        "allocated_yen": allocated[0] if allocated else None,
    }


def _chapters(content: dict[str, Any]) -> list[str]:
    written = [section["heading"] for section in _sections(content)]
    compiled = [
        _("Technology readiness (figures)"),
        _("Milestones and gates"),
        _("Benchmarks"),
        _("Money"),
        _("Institutions and people"),
    ]
    return written + compiled


def _sections(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "heading": str(ReportSection.Key(s["key"]).label)
            + (f" {s['organization_ja']}" if s["organization_ja"] else ""),
            # A short line without a full stop is somebody's heading: it stays with what follows.
            "paragraphs": [
                (part, len(part) <= SHORT_LINE and "。" not in part) for part in s["text"].split("\n") if part.strip()
            ],
            "key": s["key"],
        }
        for s in content["sections"]
    ]


def _named(rows: Iterable[dict[str, Any]], roles: Any) -> list[dict[str, Any]]:
    return [{**row, "role": str(roles(row["role"]).label)} for row in rows]


# The portfolio brief --------------------------------------------------------------------------------------------------


def portfolio_brief_pdf(user: object, *, on: date, language: str = LANGUAGE, root: str | None = None) -> bytes:
    """This function will typeset one page a program, for the programs this reader may see, figures as printed.

    `root` limits it to a program and what is below; without it the real programs are taken, and the sample ones only
    for a reader who sees no real program.
    """
    with override(language):
        sheets = [program_sheet(user, program, on) for program in _programs_of_brief(user, root)]
        pages = [_brief_page(sheet, _levels(user, sheet, on), on) for sheet in sheets]
        is_sample = any(sheet.program.is_sample for sheet in sheets)
        return render_pdf(
            "pdf/portfolio_brief.html",
            {"pages": pages, "on": on, "is_sample": is_sample},
            title=_("Portfolio brief"),
            language=language,
            fingerprint=content_hash([page["facts"] for page in pages]),
        )


def _programs_of_brief(user: object, root: str | None) -> list[Program]:
    order = {row.program.pk: number for number, row in enumerate(portfolio_tree(user))}
    programs = sorted(programs_in_full(user).prefetch_related("budget_lines"), key=lambda one: order[one.pk])
    if root is not None:
        return [program for program in programs if f"/{root}/" in f"/{program.path}"]
    return [program for program in programs if not program.is_sample] or programs


#: More climbing projects than this are counted, so that a program keeps to its page.
LEVELS_LISTED = 12


def _levels(user: object, sheet: ProgramSheet, on: date) -> list[list[Any]]:
    """Name, planned by today, claimed, assessed and target of each climbing project; None where nothing is on record."""
    if sheet.program.kind != Program.Kind.FLAGSHIP_BASIC:
        return []
    rows = projects_climbing(user, sheet.program, on)
    return [
        [
            project_label(one),
            *(getattr(one, kind) or None for kind in ("planned", "claimed", "assessed")),
            one.target_trl,
        ]
        for one in rows[:LEVELS_LISTED]
    ]


def _brief_page(sheet: ProgramSheet, levels: list[list[Any]], on: date) -> dict[str, Any]:
    """What one page shows. `facts` is the canonical input of the hash in the footer: every figure and text of it."""
    program = sheet.program
    lines = [
        {
            "year": line.fiscal_year,
            "kind": str(line.get_kind_display()),
            "amount_yen": line.amount_yen,
            "unit": line.printed_unit,
            "is_estimate": line.is_estimate,
            "is_new": line.is_new,
            "note": line.note,
        }
        for line in sheet.lines
    ]
    kinds = {line.kind: str(line.get_kind_display()) for line in sheet.lines}
    rest = [
        {"year": one.fiscal_year, "kind": kinds.get(one.kind, one.kind), "amount_yen": one.amount_yen}
        for one in sheet.remainders
    ]
    charted = list(sheet.children) or [program]
    ahead = [gate for gate in sheet.gates if gate.held_on >= on]
    page = {
        "levels": levels,
        "outcomes": _as_list(program.attributes.get("gate_outcomes_ja", [])) if levels else [],
        "lines": lines,
        "remainders": rest,
        "details": _details(program, levels),
        "scheme": _scheme(program),
    }
    facts = {
        **page,
        "on": on.isoformat(),
        "ref": program.ref,
        "name": program.name,
        "kind": str(program.get_kind_display()),
        "years": [program.start_fiscal_year, program.end_fiscal_year, program.max_duration_years],
        "parts": [[one.name, [[n.kind, n.amount_yen] for n in one.budget_lines.all()]] for one in sheet.children],
        "basis": [[one.document_ja, one.decided_by_ja, one.decided_on] for one in sheet.basis],
        "areas": [[row.area.number, row.area.name, row.director, _counts(row)] for row in sheet.areas],
        "indicators": [_indicator(one) for one in sheet.indicators],
        "unpriced": [one.name_ja for one in sheet.unpriced],
        "emphases": [one.text_ja for one in sheet.emphases],
        "institutions": [[one.organization.name, str(one.get_role_display())] for one in sheet.participations],
        "projects": [project_label(project) for project in sheet.projects],
        "gates": [[gate.name, gate.held_on.isoformat()] for gate in ahead],
        "source": program.source,
    }
    return {
        **page,
        "facts": facts,
        "sheet": sheet,
        "gates": ahead,
        "program": program,
        "counts": [_counts(row) for row in sheet.areas],
        # One page a program: where projects climb, their levels take the place of a picture of three printed figures.
        "chart": None if levels else budget_chart(charted),
        "indicator_charts": [indicator_chart(one) for one in sheet.indicators if one.years],
    }


def _counts(row: AreaRow) -> list[int | None]:
    area = row.area
    return [area.flagship_count, area.basic_count, area.human_resources_count]


def _indicator(one: IndicatorSheet) -> list[Any]:
    targets = [[target.term_ja, str(target.value), target.calendar_year] for target in one.targets]
    latest = [one.latest[0], str(one.latest[1])] if one.latest else None
    return [one.indicator.name, one.indicator.unit, one.indicator.direction, targets, latest]


def _details(program: Program, levels: list[list[Any]]) -> list[tuple[str, list[str]]]:
    """The other printed facts of the program's kind, each with its name; a fact may be a list.

    What a stage gate may lead to stands with the gates where projects climb.
    """
    facts = program.attributes or {}
    named = {
        "operator": _("Operator"),
        "operated_by": _("Operated by"),
        "data_policy": _("Data policy"),
        "planned_centres": _("Number of centres planned"),
        "key_technology_areas": _("Key technology areas"),
        "components": _("Components"),
        "themes_ja": _("Themes of the centre"),
    }
    if not levels:
        named["gate_outcomes_ja"] = _("A stage gate may lead to")
    found = [(name, _as_list(facts[key])) for key, name in named.items() if facts.get(key)]
    if structure := facts.get("structure"):
        roles = {"center_hub": Participation.Role.CENTRE_HUB, "hub": Participation.Role.HUB}
        roles["spoke"] = Participation.Role.SPOKE
        parts = [f"{role.label} {structure[key]}" for key, role in roles.items() if key in structure]
        whole = _("%(total)s institutions") % {"total": structure["total_institutions"]}
        found.append((_("Structure"), [whole, *parts]))
    low, high = program.area_scale_min_yen, program.area_scale_max_yen
    if low and high:
        scale = _("about %(low)s to %(high)s") % {
            "low": printed(low, "oku", _language()),
            "high": printed(high, "oku", _language()),
        }
        found.append((_("Scale per area and year"), [scale]))
    if trl := facts.get("flagship_target_trl"):
        found.append((_("Target of the Flagship projects"), [f"TRL{trl} ({_('demonstration by prototype')})"]))
    return found


def _as_list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _language() -> str:
    return "en" if get_language() == "en" else "ja"


def _scheme(program: Program) -> dict[str, int] | None:
    if program.kind != Program.Kind.VISION_DRIVEN:
        return None
    return {
        "visions": Vision.objects.filter(program=program).count(),
        "technologies": SupportedTechnology.objects.filter(program=program).count(),
        "concepts": Concept.objects.filter(program=program).count(),
    }


# The brief for a visit ------------------------------------------------------------------------------------------------


def visit_brief_pdf(brief: VisitBrief) -> bytes:
    """This function will typeset the brief for a visit on one page, in Japanese."""
    with override(LANGUAGE):
        name = Truncator(project_label(brief.project)).chars(LONGEST_NAME)
        title = _("Brief for a visit: %(project)s") % {"project": name}
        return render_pdf(
            "pdf/visit_brief.html",
            {"brief": brief, "project": brief.project, "today": brief.today, "is_sample": brief.project.is_sample},
            title=title,
            language=LANGUAGE,
            fingerprint=content_hash(facts_of(brief)),
            case_number=brief.project.ref,
        )


# The roadmap ----------------------------------------------------------------------------------------------------------


def roadmap_pdf(road: Roadmap, *, name: str, language: str, is_sample: bool) -> bytes:
    """This function will typeset a roadmap as the page shows it: the pictures, then their table."""
    with override(language):
        chart = road.chart
        facts = {"name": name, "on": road.today.isoformat(), "head": chart.head, "rows": chart.rows}
        return render_pdf(
            "pdf/roadmap.html",
            {"name": name, "on": road.today, "chart": chart, "sheets": road.sheets, "is_sample": is_sample},
            title=_("Roadmap: %(name)s") % {"name": Truncator(name).chars(LONGEST_NAME)},
            language=language,
            fingerprint=content_hash(facts),
        )
