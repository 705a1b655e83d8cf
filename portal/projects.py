"""Projects: the list, and one project's page with its tabs; each kind shows what matters to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.charts import Chart
from common.fiscal_year import label as year_label
from portal.access import clock, page
from portal.journal import readable
from portal.lists import Column, Filter, ListSpec, export, read_list
from programs import queries
from programs.drawings import indicator_chart, language, money_chart, roadmap_chart, trl_chart
from programs.figures import indicator_sheets
from programs.models import ChallengeGoal, Project
from programs.overviews import (
    ProjectSheet,
    area_choices,
    institution_choices,
    lead_name,
    led_by,
    program_choices,
    project_people,
    project_sheet,
    projects_in_full,
    projects_listed,
    trl_levels,
)
from programs.queries import project_label
from programs.queries.kinds import figures_of, goals_of
from programs.queries.plans import entries_to_show
from programs.queries.visits import with_open_advice
from programs.rules import actions_allowed
from reporting.models import ProgressReport
from reporting.queries import reports_of_project

HISTORY_ROWS = 200


def find_project(user: Any, ref: str) -> Any:
    """This function will return the project with this reference, if the reader may see it."""
    return queries.projects_visible_to(user).filter(ref=ref)


# The list -------------------------------------------------------------------------------------------------------------


def _lead(project: Project) -> str:
    return "、".join(lead.organization.name for lead in project.leads)  # type: ignore[attr-defined]


PROJECTS = ListSpec(
    name="projects",
    rows=projects_listed,
    columns=(
        Column(
            "name", gettext_lazy("Project"), project_label, order="ref", is_fixed=True,
            link=lambda project: reverse("project", args=[project.ref]),
        ),
        Column("ref", gettext_lazy("Reference"), lambda project: project.ref, is_shown=False),
        Column("program", gettext_lazy("Program"), lambda project: project.program.name, order="program__path"),
        Column(
            "area", gettext_lazy("Research area"), lambda project: project.area.name if project.area else None,
            order=Coalesce("area__ref", Value("")),
        ),
        Column("kind", gettext_lazy("Kind"), lambda project: str(project.get_kind_display()), order="kind"),
        Column("institution", gettext_lazy("Lead institution"), _lead, order=lead_name()),
        Column(
            "state", gettext_lazy("State"), lambda project: str(project.get_state_display()), order="state",
            pill=lambda project: project.state,
        ),
        Column(
            "target_trl", gettext_lazy("Target TRL"), lambda project: project.target_trl,
            order=Coalesce("target_trl", Value(0)), is_number=True,
        ),
        Column(
            "start", gettext_lazy("First fiscal year"),
            lambda project: year_label(project.start_fiscal_year, language()) if project.start_fiscal_year else None,
            order=Coalesce("start_fiscal_year", Value(0)), is_shown=False,
        ),
    ),
    filters=(
        Filter("program", gettext_lazy("Program"), lambda ref: Q(program__ref=ref), program_choices),
        Filter("area", gettext_lazy("Research area"), lambda ref: Q(area__ref=ref), area_choices),
        Filter(
            "kind", gettext_lazy("Kind"), lambda kind: Q(kind=kind),
            lambda user: [(kind, str(label)) for kind, label in Project.Kind.choices],
        ),
        Filter(
            "state", gettext_lazy("State"), lambda state: Q(state=state),
            lambda user: [(state, str(label)) for state, label in Project.State.choices],
        ),
        Filter("institution", gettext_lazy("Lead institution"), led_by, institution_choices),
    ),
)  # fmt: skip


@page(permission="project.list", params=PROJECTS.params)
def projects_page(request: HttpRequest) -> HttpResponseBase:
    """This function will list the projects that the reader may see, or hand the same view out as a file."""
    view = read_list(request, PROJECTS)
    if download := export(view):
        return download
    sample = any(project.is_sample for project in view.items)
    return render(request, "portal/projects/list.html", {"list": view, "is_sample": sample})


# One project ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing, and who owes it."""

    what: str
    who: str
    due_on: date | None = None
    url: str = ""


TABS = (
    ("project", gettext_lazy("Overview")),
    ("project_plan", gettext_lazy("Plan")),
    ("project_trl", gettext_lazy("TRL")),
    ("project_gates", gettext_lazy("Gates")),
    ("project_education", gettext_lazy("Education programs")),
    ("project_goals", gettext_lazy("Challenge goals")),
    ("project_benchmarks", gettext_lazy("Benchmarks")),
    ("project_money", gettext_lazy("Money")),
    ("project_risks", gettext_lazy("Risks")),
    ("project_collaborations", gettext_lazy("Collaborations")),
    ("project_data", gettext_lazy("Data")),
    ("project_people", gettext_lazy("People and institutions")),
    ("project_network", gettext_lazy("Network of partners")),
    ("project_visits", gettext_lazy("Visits and advice")),
    ("project_history", gettext_lazy("History")),
)


def climbs(project: Project) -> bool:
    """This function will tell whether the project climbs the TRL ladder; basic research and education do not."""
    return bool(project.target_trl) or project.kind not in (Project.Kind.BASIC, Project.Kind.HUMAN_RESOURCES)


def _has_tab(name: str, project: Project, allowed: set[str]) -> bool:
    """Some tabs are for some readers or some kinds of projects."""
    match name:
        case "project_history":
            return "project.history" in allowed
        case "project_network":
            return "project.network" in allowed
        case "project_trl":
            return climbs(project)
        case "project_education":
            return project.kind == Project.Kind.HUMAN_RESOURCES
        case "project_goals":
            return project.kind == Project.Kind.BASIC
    return True


def show_tab(
    request: HttpRequest,
    project: Project,
    here: str,
    context: dict[str, Any],
    template: str = "",
    status: int = 200,
) -> HttpResponseBase:
    """This function will draw one tab of a project's page, with the head that all tabs share."""
    allowed = context.pop("allowed", None) or actions_allowed(request.user, project)
    tabs = [
        (reverse(name, args=[project.ref]), label, name == here)
        for name, label in TABS
        if _has_tab(name, project, allowed)
    ]
    common = {
        "project": project,
        "label": project_label(project),
        "tabs": tabs,
        "may_claim": "project.claim_trl" in allowed and bool(project.target_trl),
        "may_assess": "project.assess_trl" in allowed and bool(project.target_trl),
        "is_sample": project.is_sample,
    }
    own = f"portal/projects/{here.removeprefix('project_') if here != 'project' else 'page'}.html"
    return render(request, template or own, {**common, **context}, status=status)


@page(
    permission="project.view",
    find=lambda user, ref: with_open_advice(projects_in_full(user, localdate())).filter(ref=ref),
)
def project_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show where a project stands, what is missing and who owes it."""
    today = localdate(clock(request))
    sheet = project_sheet(request.user, project)
    reports = reports_of_project(request.user, project)
    levels = trl_levels() if project.target_trl or sheet.trl else []
    of_kind = _of_kind(project)
    return show_tab(
        request,
        project,
        "project",
        {
            "sheet": sheet,
            "today": today,
            "kind_template": f"portal/projects/kinds/{project.kind}.html",
            "trl_chart": trl_chart(sheet, levels) if levels else None,
            "roadmap": roadmap_chart(sheet, today),
            "money": sheet.money[0] if sheet.money else None,
            "money_chart": money_chart(sheet.money[0]) if sheet.money else None,
            "next_gate": next((gate for gate in sheet.gates if gate.held_on >= today), None),
            "steps": project_steps(project),
            "reports": reports,
            "gaps": [
                *report_gaps(reports),
                *goal_gaps(project, of_kind.get("goals", []), today),
                *project_gaps(sheet, today),
            ],
            "theme": project.theme_ja or _theme_of_area(project),
            "is_theme_of_area": not project.theme_ja,
            **of_kind,
        },
    )


def _theme_of_area(project: Project) -> str:
    return str(project.area.themes_ja.get(project.kind, "")) if project.area else ""


def _of_kind(project: Project) -> dict[str, Any]:
    if project.kind == Project.Kind.BASIC:
        return {"goals": goals_of(project)}
    if project.kind == Project.Kind.HUMAN_RESOURCES:
        return {"figures": figures_of(project)}
    if project.kind not in (Project.Kind.CENTRE, Project.Kind.NETWORK_NODE):
        return {}
    indicators: list[tuple[Any, Chart]] = [(one, indicator_chart(one)) for one in indicator_sheets([project.program])]
    return {"indicators": indicators}


def project_steps(project: Project) -> list[dict[str, Any]]:
    """This function will draw a project's life as steps: done, here, next."""
    states = [Project.State.PLANNED, Project.State.RUNNING]
    states.append(Project.State.STOPPED if project.state == Project.State.STOPPED else Project.State.FINISHED)
    here = states.index(Project.State(project.state))
    return [
        {"label": state.label, "state": "done" if index < here else "here" if index == here else "next"}
        for index, state in enumerate(states)
    ]


#: Who acts next on a report in this state.
REPORT_OWNERS = {
    "drafting": gettext_lazy("the project's team"),
    "returned": gettext_lazy("the project's team"),
    "submitted": gettext_lazy("the program officer"),
    "checked": gettext_lazy("the program director"),
}


def report_gaps(reports: Sequence[ProgressReport]) -> list[Gap]:
    """This function will list the reports that somebody still owes, soonest due first."""
    return [
        Gap(
            f"{year_label(report.fiscal_year, language())} {report.get_kind_display()} ({report.get_state_display()})",
            str(REPORT_OWNERS[report.state]),
            report.due_on,
            reverse("report", args=[report.ref]),
        )
        for report in sorted(reports, key=lambda one: one.due_on)
        if report.state in REPORT_OWNERS
    ]


def goal_gaps(project: Project, goals: Sequence[ChallengeGoal], today: date) -> list[Gap]:
    """This function will list the challenge goals whose day has passed without an achievement."""
    return [
        Gap(
            _("Challenge goal %(number)s is not achieved") % {"number": goal.number},
            _("the project's team"),
            goal.due_on,
            reverse("project_goals", args=[project.ref]),
        )
        for goal in goals
        if goal.achieved_on is None and goal.due_on < today
    ]


def project_gaps(sheet: ProjectSheet, today: date) -> list[Gap]:
    """This function will list what a project's record lacks and who owes it, the most urgent first."""
    project, team = sheet.project, _("the project's team")
    staff = _("the ministry's staff")
    gaps = [
        Gap(_("Milestone “%(title)s” is not reached") % {"title": one.title}, team, one.planned_on)
        for one in sheet.milestones
        if one.reached_on is None and one.planned_on < today
    ]
    if project.target_trl and not sheet.points("claimed"):
        gaps.append(Gap(_("A TRL claim with evidence"), team))
    claimed, assessed = sheet.latest("claimed"), sheet.latest("assessed")
    if claimed and (assessed is None or assessed.on < claimed.on):
        gaps.append(Gap(_("An assessment of the TRL claimed"), _("the program director")))
    if project.kind == Project.Kind.FLAGSHIP and not sheet.has_headquarters:
        gaps.append(Gap(_("Members of the headquarters (HQ)"), staff))
    if not sheet.principal:
        gaps.append(Gap(_("The principal investigator"), staff))
    if not project.title_ja:
        gaps.append(Gap(_("The project's title"), staff))
    if not sheet.award_numbers:
        gaps.append(Gap(_("The award number"), staff))
    return gaps


# Tabs -----------------------------------------------------------------------------------------------------------------


@page(permission="project.view", find=find_project)
def project_people_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show who takes part."""
    people = project_people(project, localdate(clock(request)))
    return show_tab(request, project, "project_people", {"people": people})


@page(
    permission="project.history",
    find=find_project,
    why=gettext_lazy("The history is for the project's team, its director and officers, the ministry and auditors."),
)
def project_history_page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show who did what, newest first."""
    reports = reports_of_project(request.user, project)
    shown = entries_to_show(request.user, project, history_of(project, *reports))
    entries = readable(shown[:HISTORY_ROWS])
    return show_tab(request, project, "project_history", {"entries": entries, "limit": HISTORY_ROWS})
