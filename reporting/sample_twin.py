"""The sample twin of Q-LEAP: same areas, kinds, structure and printed money; everything else is invented and marked.

Structure and money are read from the shipped portfolio file, the invented part from `data/sample_twin.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.models import Organization
from common.fiscal_year import fiscal_year_of
from common.loading import Ledger
from programs.actions.portfolio import SHIPPED_PORTFOLIO
from programs.models import (
    BudgetLine,
    Emphasis,
    Headquarters,
    IndicatorObservation,
    IndicatorTarget,
    Milestone,
    OutcomeIndicator,
    Participation,
    Program,
    ProgramAgency,
    Project,
    ProjectComplement,
    ResearchArea,
    StageGate,
    TrlAssessment,
    TrlLevel,
)
from reporting.models import ReminderRule, ReportSchedule
from reporting.sample_money import build_money
from reporting.sample_records import SampleRefused, keep, sample_data

REAL_REF = "q-leap"
PROGRAM_REF = "q-leap-sample"
FOUNDED_ON = date(2018, 4, 1)
LAST_FISCAL_YEAR = 2027
TOKYO = ZoneInfo("Asia/Tokyo")


# Structure from the real portfolio ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Structure:
    """What the twin takes over: the program, its areas and projects as the portfolio file has them."""

    program: dict[str, Any]
    areas: list[dict[str, Any]]
    projects: list[dict[str, Any]]

    @property
    def leads(self) -> list[str]:
        """The real lead institutions in the order of their first appearance."""
        return list(dict.fromkeys(project["lead_institution"] for project in self.projects))


@cache
def structure() -> Structure:
    """This function will read Q-LEAP's structure from the shipped portfolio file."""
    portfolio = json.loads(SHIPPED_PORTFOLIO.read_text(encoding="utf-8"))
    return Structure(
        program=next(p for p in portfolio["programs"] if p["id"] == REAL_REF),
        areas=[a for a in portfolio["areas"] if a["program"] == REAL_REF],
        projects=[p for p in portfolio["projects"] if p["program"] == REAL_REF],
    )


@cache
def table() -> dict[str, Any]:
    """This function will read the invented part."""
    return sample_data("sample_twin.json")


def _sample_institution(real: str) -> str:
    return f"sample-org-{chr(ord('a') + structure().leads.index(real))}"


def institution_of(project: str, role: str) -> str:
    """This function will return the reference of a Flagship's sample institution; `role` is lead or partner."""
    if role == "partner":
        return _sample_institution(table()["partners"][project])
    return _sample_institution(next(p["lead_institution"] for p in structure().projects if p["id"] == project))


# Organizations --------------------------------------------------------------------------------------------------------


def build_organizations(ledger: Ledger) -> dict[str, Organization]:
    """This function will make the sample institutions, one for each real lead institution, and the sample offices."""
    letters = [chr(ord("A") + index) for index in range(len(structure().leads))]
    named = [(f"sample-org-{a.lower()}", f"見本機関{a}", f"Sample institution {a}", False) for a in letters]
    company = table()["subcontractor"]
    named += [tuple(row) for row in table()["other_organizations"]]
    named.append((company["ref"], company["name_ja"], company["name_en"], False))
    rows = [
        {"ref": ref, "name_ja": name_ja, "name_en": name_en, "is_sample": True, "is_funding_agency": is_agency}
        for ref, name_ja, name_en, is_agency in named
    ]
    return {record.ref: record for record in keep(ledger, Organization, rows)}


# The twin -------------------------------------------------------------------------------------------------------------

Refs = dict[str, Any]


def build_twin(
    ledger: Ledger, organizations: dict[str, Organization], *, on: date, reports_from: int | None = None
) -> Program:
    """This function will bring the twin to its full state as of this day; what lies after it is left out.

    `reports_from` is the fiscal year of the first report asked for: the year before the last whole one if not given.
    """
    program = _program(ledger)
    _program_parts(ledger, program, organizations)
    areas = _areas(ledger, program)
    projects = _projects(ledger, program, areas)
    _project_parts(ledger, projects, organizations)
    _milestones(ledger, projects, on)
    _readiness(ledger, projects, on)
    build_money(ledger, program, areas, projects, table(), until=fiscal_year_of(on))
    _indicators(ledger, program, on)
    _rules(ledger, program, reports_from or fiscal_year_of(on) - 2)
    return program


def _program(ledger: Ledger) -> Program:
    real, names = structure().program, table()["program"]
    facts = dict(real["attributes"])
    scale = facts.pop("area_annual_scale_yen")
    row = {
        "ref": PROGRAM_REF, "name_ja": names["name_ja"], "name_en": names["name_en"], "is_sample": True,
        "path": f"{PROGRAM_REF}/", "kind": real["kind"], "start_fiscal_year": real["start_fiscal_year"],
        "max_duration_years": real["max_duration_years"], "area_scale_min_yen": scale[0],
        "area_scale_max_yen": scale[1], "attributes": facts, "source": table()["source"],
    }  # fmt: skip
    return keep(ledger, Program, [row])[0]


def _program_parts(ledger: Ledger, program: Program, organizations: dict[str, Organization]) -> None:
    real, mine = structure().program, {"program": program, "source": table()["source"]}
    printed = (
        "fiscal_year", "kind", "amount_yen", "is_estimate", "includes_predecessor", "is_new", "tax_included",
        "printed_unit", "note",
    )  # fmt: skip
    lines = [{name: line[name] for name in printed} | mine for line in real["budget_lines"]]
    keep(ledger, BudgetLine, lines, key=("program", "fiscal_year", "kind"), owner="program")
    emphases = [
        {"program": program, "fiscal_year": 2022, "text_ja": text, "position": position}
        for position, text in enumerate(real["emphasis_fy2022_ja"], start=1)
    ]
    keep(ledger, Emphasis, emphases, key=("program", "fiscal_year", "text_ja"), owner="program")
    agency = {"organization": organizations[table()["agency"]], **mine}
    keep(ledger, ProgramAgency, [agency], key=("program", "organization"), owner="program")
    gates = [{**gate, "program": program, "held_on": date.fromisoformat(gate["held_on"])} for gate in table()["gates"]]
    keep(ledger, StageGate, gates, owner="program")


def _areas(ledger: Ledger, program: Program) -> Refs:
    counts = ("number", "flagship_count", "basic_count", "human_resources_count", "themes_ja")
    rows = [
        {
            "ref": f"sample-{real['id']}", "program": program, "is_sample": True, "source": table()["source"],
            "name_ja": f"{real['name_ja']}(見本)", "name_en": f"{real['name_en']} (sample)",
            **{name: real[name] for name in counts},
        }
        for real in structure().areas
    ]  # fmt: skip
    return dict(zip([real["id"] for real in structure().areas], keep(ledger, ResearchArea, rows), strict=True))


def _projects(ledger: Ledger, program: Program, areas: Refs) -> Refs:
    invented = table()["projects"]
    rows = [
        {
            "ref": f"sample-{real['id']}", "program": program, "area": areas[real["area"]], "is_sample": True,
            "kind": real["kind"], "title_ja": invented[real["id"]]["title_ja"],
            "title_en": invented[real["id"]]["title_en"], "theme_ja": real["theme_ja"],
            "target_trl": real["target_trl"], "start_fiscal_year": invented[real["id"]]["start"],
            "end_fiscal_year": LAST_FISCAL_YEAR, "source": table()["source"],
        }
        for real in structure().projects
    ]  # fmt: skip
    return dict(zip([real["id"] for real in structure().projects], keep(ledger, Project, rows), strict=True))


def _project_parts(ledger: Ledger, projects: Refs, organizations: dict[str, Organization]) -> None:
    flagships = [project for project in projects.values() if project.kind == Project.Kind.FLAGSHIP]
    keep(ledger, Headquarters, [{"project": p} for p in flagships], key=("project",), owner="project")
    parts = [
        {
            "project": projects[project_id], "role": role, "organization": organizations[ref],
            "starts_on": date(projects[project_id].start_fiscal_year, 4, 1),
        }
        for project_id, role, ref in _participations()
    ]  # fmt: skip
    keep(ledger, Participation, parts, key=("project", "role", "organization"), owner="project")
    # Every basic project complements every Flagship of its area, as the loader reads the source.
    links = [
        {"basic": basic, "flagship": flagship, "note": table()["source"]}
        for basic in projects.values()
        for flagship in flagships
        if basic.kind == Project.Kind.BASIC and basic.area_id == flagship.area_id
    ]
    keep(ledger, ProjectComplement, links, key=("basic", "flagship"), owner="basic")


def _participations() -> Iterator[tuple[str, str, str]]:
    company = table()["subcontractor"]
    for real in structure().projects:
        yield real["id"], "lead", _sample_institution(real["lead_institution"])
    for project_id, partner in table()["partners"].items():
        yield project_id, "partner", _sample_institution(partner)
    for project_id in company["projects"]:
        yield project_id, "subcontractor", company["ref"]


def _milestones(ledger: Ledger, projects: Refs, on: date) -> None:
    rows = [
        {
            "project": projects[project_id], "number": number, "title": title, "criterion": criterion,
            "planned_on": date.fromisoformat(planned), "reached_on": _if_past(reached, on),
        }
        for project_id, milestones in table()["milestones"].items()
        for number, (title, criterion, planned, reached) in enumerate(milestones, start=1)
    ]  # fmt: skip
    # The plan in force moves them.
    planned = ("title", "criterion", "planned_on")
    keep(ledger, Milestone, rows, key=("project", "number"), owner="project", made_with=planned)


def _readiness(ledger: Ledger, projects: Refs, on: date) -> None:
    levels = {level.number: level for level in TrlLevel.objects.filter(scale__is_default=True)}
    if not levels:
        raise SampleRefused(_("The TRL scale is missing. Load the portfolio first: python manage.py load_portfolio"))
    rows = []
    for order, (project_id, history) in enumerate(table()["trl"].items(), start=1):
        project = projects[project_id]
        director = f"見本 プログラムディレクター{project.area.number}"
        for kind, entries in history.items():
            for day, level, *evidence in entries:
                when = date.fromisoformat(day)
                if kind == TrlAssessment.Kind.PLANNED or when <= on:
                    label = director if kind == TrlAssessment.Kind.ASSESSED else f"見本 研究代表者{order}"
                    rows.append(
                        {
                            "project": project, "kind": kind, "on": when, "level": levels[level],
                            "evidence": "".join(evidence), "by_label": label,
                        }
                    )  # fmt: skip
    keep(ledger, TrlAssessment, rows, key=("project", "kind", "on"), owner="project", only_once=True)


def _indicators(ledger: Ledger, program: Program, on: date) -> None:
    source, told = table()["source"], table()["indicators"]
    names = ("ref", "name_ja", "name_en", "unit", "direction")
    rows = [{name: row[name] for name in names} | {"program": program, "source": source} for row in told]
    targets, observations = [], []
    for indicator, row in zip(keep(ledger, OutcomeIndicator, rows), told, strict=True):
        for term_ja, value, year in row["targets"]:
            targets.append(
                {"indicator": indicator, "calendar_year": year, "term_ja": term_ja, "value": Decimal(value),
                 "is_approximate": True}
            )  # fmt: skip
        for year, value in row["values"].items():
            counted_at = datetime(int(year) + 1, 4, 20, 9, 0, tzinfo=TOKYO)
            if counted_at.date() <= on:
                observations.append(
                    {
                        "indicator": indicator, "fiscal_year": int(year), "observed_on": counted_at.date(),
                        "value": Decimal(value), "source": source, "external_id": f"{indicator.ref}-{year}",
                        "sender": "sample", "recorded_at": counted_at,
                    }
                )  # fmt: skip
    keep(ledger, IndicatorTarget, targets, key=("indicator", "calendar_year"), owner="indicator")
    keep(ledger, IndicatorObservation, observations, key=("sender", "external_id"), owner="indicator", only_once=True)


def _rules(ledger: Ledger, program: Program, reports_from: int) -> None:
    """Schedules and reminder rules are people's from then on: a second run leaves what they have set."""
    schedule = {**table()["schedule"], "program": program, "first_fiscal_year": reports_from}
    key = ("program", "kind", "project_kind")
    keep(ledger, ReportSchedule, [schedule], key=key, owner="program", only_once=True)
    rules = [{"program": program, **rule} for rule in table()["reminders"]]
    keep(ledger, ReminderRule, rules, key=("program", "event", "audience"), owner="program", only_once=True)


def _if_past(day: str | None, on: date) -> date | None:
    when = date.fromisoformat(day) if day else None
    return when if when and when <= on else None
