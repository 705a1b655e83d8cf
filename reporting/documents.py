"""The documents of this app: the progress report from its frozen content, and the portfolio brief."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import Truncator
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from calls.models import Concept, SupportedTechnology, Vision
from common.canonical import content_hash
from common.charts import (
    BenchmarkPoint,
    Chart,
    Gate,
    Milestone,
    TrlPoint,
    YearRow,
    benchmark_lines,
    roadmap,
    trl_staircase,
    yearly_bars,
)
from common.fiscal_year import datetime_text
from common.fiscal_year import label as year_label
from common.money import printed
from common.pdf import render_pdf
from programs.drawings import budget_chart, indicator_chart
from programs.figures import IndicatorSheet
from programs.models import (
    Benchmark,
    BenchmarkValue,
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
        milestones = _milestone_rows(content)
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
            "trl": _trl_rows(content),
            "trl_kinds": [str(kind.label) for kind in TrlAssessment.Kind],
            "milestones": milestones,
            "trl_chart": _trl_chart(content),
            "roadmap": _roadmap(content),
            "money_chart": _money_chart(content),
            "benchmarks": _benchmarks(content),
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


def _benchmarks(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Each benchmark with its picture and values; versions of before there were benchmarks have none."""

    def points(rows: list[dict[str, Any]]) -> list[BenchmarkPoint]:
        return [BenchmarkPoint(_day(row["on"]), Decimal(row["value"]), row["who"]) for row in rows]

    found = []
    for one in content.get("benchmarks", []):
        name = f"{one['name_ja']} ({Benchmark.Direction(one['direction']).label})"
        chart = benchmark_lines(name, points(one["own"]), points(one["world"]), one["unit"], LANGUAGE)
        rows = [
            {**row, "on": _day(row["on"]), "whose": str(BenchmarkValue.Holder(whose).label)}
            for whose in ("own", "world")
            for row in one[whose]
        ]
        found.append({**one, "chart": chart, "rows": rows})
    return found


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


def _trl_rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a level: when it was planned, claimed and assessed, and the evidence that was given."""
    rows = []
    for level in sorted({row["level"] for row in content["trl"]}):
        here = [row for row in content["trl"] if row["level"] == level]
        days = {
            str(kind): [parse_date(row["on"]) for row in here if row["kind"] == kind] for kind in TrlAssessment.Kind
        }
        evidence = [(str(TrlAssessment.Kind(row["kind"]).label), row["evidence"]) for row in here if row["evidence"]]
        evidence += [
            (_("Criterion not met"), f"TRL{one['level']} {one['asked']}: {one['reason']}")
            for row in here
            for one in row.get("not_met", [])
        ]
        name = content["trl_levels"].get(str(level), "")
        rows.append({"level": level, "name": name, "days": days, "evidence": evidence})
    return rows


def _milestone_rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for row in content["milestones"]:
        planned, reached = parse_date(row["planned_on"]), parse_date(row["reached_on"] or "")
        slip = str((reached - planned).days).replace("-", "△ ") if planned and reached else "-"
        rows.append({**row, "planned_on": planned, "reached_on": reached, "slip": slip})
    return rows


def _trl_chart(content: dict[str, Any]) -> Chart | None:
    if not content["trl"] and not content["project"]["target_trl"]:
        return None
    points: dict[str, list[TrlPoint]] = {"planned": [], "claimed": [], "assessed": []}
    for row in content["trl"]:
        points[row["kind"]].append(TrlPoint(_day(row["on"]), row["level"]))
    levels = {int(number): name for number, name in content["trl_levels"].items()}
    target = content["project"]["target_trl"]
    return trl_staircase(
        points["planned"], points["claimed"], points["assessed"], target, _gates(content), levels, LANGUAGE
    )


def _roadmap(content: dict[str, Any]) -> Chart | None:
    if not content["milestones"]:
        return None
    milestones = [
        Milestone(row["title"], _day(row["planned_on"]), None, parse_date(row["reached_on"] or ""))
        for row in content["milestones"]
    ]
    return roadmap(milestones, _gates(content), _day(content["report"]["submitted_at"][:10]), LANGUAGE)


def _money_chart(content: dict[str, Any]) -> Chart | None:
    year = content["report"]["fiscal_year"]
    rows = [
        YearRow(
            year_label(row["fiscal_year"], LANGUAGE),
            row["allocated_yen"],
            row["contracted_yen"],
            row["fiscal_year"] == year,
        )
        for row in sorted(content["money"], key=lambda row: row["fiscal_year"])
    ]
    return yearly_bars(rows, "million", LANGUAGE) if rows else None


def _gates(content: dict[str, Any]) -> list[Gate]:
    return [Gate(_day(gate["held_on"]), gate["name_ja"]) for gate in content["gates"]]


def _day(text: str) -> date:
    found = parse_date(text)
    assert found is not None, text
    return found


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
        "gates": [[gate.name, gate.held_on.isoformat()] for gate in sheet.gates],
        "source": program.source,
    }
    return {
        **page,
        "facts": facts,
        "sheet": sheet,
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
