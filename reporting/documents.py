"""The documents of this app: the progress report from its frozen content, and the portfolio brief."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import override

from calls.models import Concept, SupportedTechnology, Vision
from common.canonical import content_hash
from common.charts import Chart, Gate, Milestone, TrlPoint, contract_bar, roadmap, trl_staircase
from common.fiscal_year import datetime_text
from common.fiscal_year import label as year_label
from common.pdf import render_pdf
from programs.drawings import budget_chart, indicator_chart
from programs.models import Participation, Program, Project, ProjectMember, TrlAssessment
from programs.overviews import ProgramSheet, program_sheet, programs_in_full
from programs.queries import portfolio_tree
from reporting.models import ReportSection, ReportVersion
from reporting.models.schedule import ReportKind

LANGUAGE = "ja"


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
        context = {
            "content": content,
            "kind": kind,
            "title_ja": title,
            "version": version.number,
            "submitted_at": datetime_text(parse_datetime(facts["submitted_at"]), LANGUAGE),  # type: ignore[arg-type]
            "sections": _sections(content),
            "institutions": _named(content["institutions"], Participation.Role),
            "members": _named(content["members"], ProjectMember.Role),
            "trl": _trl_rows(content),
            "milestones": _milestone_rows(content),
            "trl_chart": _trl_chart(content),
            "roadmap": _roadmap(content),
            "money_chart": _money_chart(content),
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


def _sections(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "heading": str(ReportSection.Key(s["key"]).label)
            + (f" {s['organization_ja']}" if s["organization_ja"] else ""),
            "paragraphs": [part for part in s["text"].split("\n") if part.strip()],
            "key": s["key"],
        }
        for s in content["sections"]
    ]


def _named(rows: Iterable[dict[str, Any]], roles: Any) -> list[dict[str, Any]]:
    return [{**row, "role": str(roles(row["role"]).label)} for row in rows]


def _trl_rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    names = content["trl_levels"]
    return [
        {
            **row,
            "kind": str(TrlAssessment.Kind(row["kind"]).label),
            "on": parse_date(row["on"]),
            "name": names.get(str(row["level"]), ""),
        }
        for row in content["trl"]
    ]


def _milestone_rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for row in content["milestones"]:
        planned, reached = parse_date(row["planned_on"]), parse_date(row["reached_on"] or "")
        slip = (reached - planned).days if planned and reached else None
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
    row = next((m for m in content["money"] if m["fiscal_year"] == year), None)
    return contract_bar(row["allocated_yen"], row["contracted_yen"], None, "million", LANGUAGE) if row else None


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
        pages = [_brief_page(sheet) for sheet in sheets]
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


def _brief_page(sheet: ProgramSheet) -> dict[str, Any]:
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
    scheme = _scheme(program)
    facts = {
        "ref": program.ref,
        "name": program.name,
        "kind": str(program.get_kind_display()),
        "lines": lines,
        "remainders": rest,
        "basis": [[one.document_ja, one.decided_by_ja, one.decided_on] for one in sheet.basis],
        "areas": [[row.area.number, row.area.name, row.counts] for row in sheet.areas],
        "indicators": [[one.indicator.name, [str(t.value) for t in one.targets]] for one in sheet.indicators],
        "scheme": scheme,
    }
    charted = list(sheet.children) or [program]
    return {
        "facts": facts,
        "sheet": sheet,
        "program": program,
        "lines": lines,
        "remainders": rest,
        "scheme": scheme,
        "chart": budget_chart(charted),
        "indicator_charts": [indicator_chart(one) for one in sheet.indicators if one.years],
    }


def _scheme(program: Program) -> dict[str, int] | None:
    if program.kind != Program.Kind.VISION_DRIVEN:
        return None
    return {
        "visions": Vision.objects.filter(program=program).count(),
        "technologies": SupportedTechnology.objects.filter(program=program).count(),
        "concepts": Concept.objects.filter(program=program).count(),
    }
