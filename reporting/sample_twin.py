"""The sample twin of Q-LEAP: same areas, kinds, structure and printed money; everything else is invented and marked.

Structure and money are read from the shipped portfolio file, the invented part from `data/sample_twin.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import programs
from accounts.models import Organization
from common.fiscal_year import fiscal_year_of
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
from reporting.sample_records import Ledger, SampleRefused, sample_data

PORTFOLIO = Path(programs.__file__).parent / "data" / "portfolio_fy2022.json"
REAL_REF = "q-leap"
PROGRAM_REF = "q-leap-sample"
FOUNDED_ON = date(2018, 4, 1)
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
    portfolio = json.loads(PORTFOLIO.read_text(encoding="utf-8"))
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
    found = {}
    for index in range(len(structure().leads)):
        letter = chr(ord("A") + index)
        ref = f"sample-org-{letter.lower()}"
        found[ref] = _organization(ledger, ref, f"見本機関{letter}", f"Sample institution {letter}")
    for ref, name_ja, name_en, is_agency in table()["other_organizations"]:
        found[ref] = _organization(ledger, ref, name_ja, name_en, is_agency)
    company = table()["subcontractor"]
    found[company["ref"]] = _organization(ledger, company["ref"], company["name_ja"], company["name_en"])
    return found


def _organization(ledger: Ledger, ref: str, name_ja: str, name_en: str, is_agency: bool = False) -> Organization:
    values = {"name_ja": name_ja, "name_en": name_en, "is_sample": True, "is_funding_agency": is_agency}
    return ledger.keep(Organization, {"ref": ref}, values)


# The twin -------------------------------------------------------------------------------------------------------------


def build_twin(ledger: Ledger, organizations: dict[str, Organization], *, on: date) -> Program:
    """This function will bring the twin to its full state as of this day; what lies after it is left out."""
    program = _program(ledger, organizations)
    areas = {area["id"]: _area(ledger, program, area) for area in structure().areas}
    projects = {
        project["id"]: _project(ledger, program, areas[project["area"]], project, organizations)
        for project in structure().projects
    }
    _complements(ledger, list(projects.values()))
    _gates(ledger, program)
    for project_id, rows in table()["milestones"].items():
        _milestones(ledger, projects[project_id], rows, on)
    _readiness(ledger, projects, areas, on)
    build_money(ledger, program, areas, projects, table(), until=fiscal_year_of(on))
    _indicators(ledger, program, on)
    _rules(ledger, program)
    return program


def _program(ledger: Ledger, organizations: dict[str, Organization]) -> Program:
    real, names = structure().program, table()["program"]
    facts = dict(real["attributes"])
    scale = facts.pop("area_annual_scale_yen")
    program = ledger.keep(
        Program,
        {"ref": PROGRAM_REF},
        {
            "name_ja": names["name_ja"], "name_en": names["name_en"], "is_sample": True, "path": f"{PROGRAM_REF}/",
            "kind": real["kind"], "start_fiscal_year": real["start_fiscal_year"],
            "max_duration_years": real["max_duration_years"], "area_scale_min_yen": scale[0],
            "area_scale_max_yen": scale[1], "attributes": facts, "source": table()["source"],
        },
    )  # fmt: skip
    for line in real["budget_lines"]:
        flags = ("amount_yen", "is_estimate", "includes_predecessor", "is_new", "tax_included", "printed_unit")
        ledger.keep(
            BudgetLine,
            {"program": program, "fiscal_year": line["fiscal_year"], "kind": line["kind"]},
            {name: line[name] for name in flags} | {"note": line["note"] or "", "source": table()["source"]},
        )
    for position, text in enumerate(real["emphasis_fy2022_ja"]):
        ledger.keep(Emphasis, {"program": program, "fiscal_year": 2022, "text_ja": text}, {"position": position})
    agency = organizations[table()["agency"]]
    ledger.keep(ProgramAgency, {"program": program, "organization": agency}, {"source": table()["source"]})
    return program


def _area(ledger: Ledger, program: Program, real: dict[str, Any]) -> ResearchArea:
    counts = {name: real[name] for name in ("flagship_count", "basic_count", "human_resources_count")}
    return ledger.keep(
        ResearchArea,
        {"ref": f"sample-{real['id']}"},
        {
            "program": program, "number": real["number"], "is_sample": True,
            "name_ja": f"{real['name_ja']}(見本)", "name_en": f"{real['name_en']} (sample)",
            "themes_ja": real["themes_ja"], "source": table()["source"], **counts,
        },
    )  # fmt: skip


def _project(
    ledger: Ledger,
    program: Program,
    area: ResearchArea,
    real: dict[str, Any],
    organizations: dict[str, Organization],
) -> Project:
    invented = table()["projects"][real["id"]]
    project = ledger.keep(
        Project,
        {"ref": f"sample-{real['id']}"},
        {
            "program": program, "area": area, "is_sample": True, "kind": real["kind"],
            "title_ja": invented["title_ja"], "title_en": invented["title_en"],
            "theme_ja": real["theme_ja"] or "", "target_trl": real["target_trl"],
            "start_fiscal_year": invented["start"], "end_fiscal_year": 2027, "source": table()["source"],
        },
    )  # fmt: skip
    starts_on = date(invented["start"], 4, 1)
    takes_part = {"lead": _sample_institution(real["lead_institution"])}
    if real["kind"] == "flagship":
        ledger.keep(Headquarters, {"project": project})
        takes_part["partner"] = institution_of(real["id"], "partner")
    if real["id"] in table()["subcontractor"]["projects"]:
        takes_part["subcontractor"] = table()["subcontractor"]["ref"]
    for role, ref in takes_part.items():
        ledger.keep(
            Participation,
            {"project": project, "organization": organizations[ref], "role": role},
            {"starts_on": starts_on},
        )
    return project


def _complements(ledger: Ledger, projects: list[Project]) -> None:
    """Every basic project complements every Flagship of its area, as the loader reads the source."""
    for basic in projects:
        for flagship in projects:
            if (basic.kind, flagship.kind, basic.area_id) == ("basic", "flagship", flagship.area_id):
                ledger.keep(ProjectComplement, {"basic": basic, "flagship": flagship}, {"note": table()["source"]})


def _gates(ledger: Ledger, program: Program) -> None:
    for gate in table()["gates"]:
        values = {name: gate[name] for name in ("name_ja", "name_en", "criteria")}
        ledger.keep(StageGate, {"ref": gate["ref"]}, {"program": program, "held_on": _day(gate["held_on"]), **values})


def _milestones(ledger: Ledger, project: Project, rows: list[list[Any]], on: date) -> None:
    for number, (title, criterion, planned, reached) in enumerate(rows, start=1):
        reached_on = _day(reached) if reached and _day(reached) <= on else None
        ledger.keep(
            Milestone,
            {"project": project, "number": number},
            {"title": title, "criterion": criterion, "planned_on": _day(planned), "reached_on": reached_on},
        )


def _readiness(ledger: Ledger, projects: dict[str, Project], areas: dict[str, ResearchArea], on: date) -> None:
    levels = {level.number: level for level in TrlLevel.objects.filter(scale__is_default=True)}
    if not levels:
        raise SampleRefused("The TRL scale is missing. Load the portfolio first: python manage.py load_portfolio")
    known = set(TrlAssessment.objects.filter(project__in=projects.values()).values_list("project_id", "kind", "on"))
    missing = []
    for order, (project_id, history) in enumerate(table()["trl"].items(), start=1):
        project = projects[project_id]
        labels = {
            "planned": f"見本 研究代表者{order}",
            "claimed": f"見本 研究代表者{order}",
            "assessed": f"見本 プログラムディレクター{areas[project_id.partition('-')[0]].number}",
        }
        for kind, rows in history.items():
            for day, level, *evidence in rows:
                when = _day(day)
                if (project.pk, kind, when) in known or (kind != "planned" and when > on):
                    continue
                missing.append(
                    TrlAssessment(
                        project=project, kind=kind, level=levels[level], on=when,
                        evidence="".join(evidence), by_label=labels[kind],
                    )
                )  # fmt: skip
    ledger.add_all(missing)


def _indicators(ledger: Ledger, program: Program, on: date) -> None:
    known = set(IndicatorObservation.objects.filter(sender="sample").values_list("external_id", flat=True))
    missing = []
    for row in table()["indicators"]:
        names = {name: row[name] for name in ("name_ja", "name_en", "unit", "direction")}
        indicator = ledger.keep(
            OutcomeIndicator, {"ref": row["ref"]}, {"program": program, "source": table()["source"], **names}
        )
        for term_ja, value, year in row["targets"]:
            ledger.keep(
                IndicatorTarget,
                {"indicator": indicator, "calendar_year": year},
                {"term_ja": term_ja, "value": value, "is_approximate": True},
            )
        for year, value in row["values"].items():
            external_id, observed_on = f"{row['ref']}-{year}", date(int(year) + 1, 4, 20)
            if external_id in known or observed_on > on:
                continue
            missing.append(
                IndicatorObservation(
                    indicator=indicator, fiscal_year=int(year), observed_on=observed_on, value=value,
                    source=table()["source"], external_id=external_id, sender="sample",
                    recorded_at=datetime(observed_on.year, 4, 20, 9, 0, tzinfo=TOKYO),
                )
            )  # fmt: skip
    ledger.add_all(missing)


def _rules(ledger: Ledger, program: Program) -> None:
    schedule = dict(table()["schedule"])
    where = {"program": program, "kind": schedule.pop("kind"), "project_kind": schedule.pop("project_kind")}
    # The officer may move the first year; a second run leaves what people have set.
    if not ReportSchedule.objects.filter(**where).exists():
        ledger.keep(ReportSchedule, where, {**schedule, "first_fiscal_year": FOUNDED_ON.year})
    for rule in table()["reminders"]:
        rule_where = {"program": program, "event": ReminderRule.Event.REPORT_DUE, "audience": rule["audience"]}
        if not ReminderRule.objects.filter(**rule_where).exists():
            ledger.keep(ReminderRule, rule_where, {"offsets": rule["offsets"]})


def _day(text: str) -> date:
    return date.fromisoformat(text)
