"""Home: what waits for me, by date, across everything; what I have done today; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import done_by
from common.fiscal_year import date_text
from common.fiscal_year import label as year_label
from common.models import JournalEntry
from evaluations.queries.exclusions import hidden_entries
from portal.access import clock, page
from portal.discussion_tasks import discussion_tasks, project_tasks
from portal.journal import readable
from portal.panel_tasks import panel_tasks
from portal.round_tasks import (
    assignment_tasks,
    conflict_tasks,
    decision_tasks,
    declaration_tasks,
    dossier_tasks,
    review_tasks,
)
from portal.tasks import Task
from programs.drawings import language
from programs.models import Advice, Risk
from programs.overviews import claims_to_assess
from programs.queries import lead_institutions, project_label, projects_visible_to
from programs.queries.allocations import allocations_awaiting, allocations_visible_to, node_label
from programs.queries.benchmarks import stale_benchmarks
from programs.queries.contracts import contracts_awaiting
from programs.queries.directors import terms_awaiting
from programs.queries.plans import plans_awaiting
from programs.queries.policies import policies_awaiting
from programs.queries.risks import data_plans_awaiting, risks_awaiting
from programs.queries.visits import advice_awaiting, visits_to_describe
from programs.rules import may_see_portfolio
from reporting.queries import reports_awaiting, reports_visible_to

DONE_ROWS = 20
#: What a sign-in leaves in the journal is nothing that anybody has done.
NO_WORK = ("create_sign_in_link", "use_sign_in_link")


def claim_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the TRL claims that wait for this director's assessment."""
    for claim in claims_to_assess(user):
        yield Task(
            label=_("Assess the claim of TRL%(level)s") % {"level": claim.level.number},
            about="",
            project=claim.project,
            url=reverse("project_trl", args=[claim.project.ref]),
            due_on=None,
            waiting_for=_("%(name)s is waiting for your assessment since %(day)s.")
            % {"name": claim.by_label, "day": date_text(claim.on, language())},
            is_sample=claim.project.is_sample,
            subject=claim,
        )


#: Verb, who waits, and how long it usually takes in minutes.
REPORT_STEPS = {
    "write": (gettext_lazy("Write the %(report)s"), gettext_lazy("The program officer is waiting for the report."), 60),
    "check": (
        gettext_lazy("Check the %(report)s"),
        gettext_lazy("The program director is waiting for your check."),
        20,
    ),
    "accept": (
        gettext_lazy("Accept or return the %(report)s"),
        gettext_lazy("The project's team is waiting for your answer."),
        15,
    ),
}


def report_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the reports for which this person acts next."""
    for report in reports_awaiting(user).prefetch_related(None).select_related("project__area"):
        words, waiting, minutes = REPORT_STEPS[report.awaits]  # type: ignore[attr-defined]
        name = f"{year_label(report.fiscal_year, language())} {report.get_kind_display()}"
        yield Task(
            label=words % {"report": name},
            about="",
            project=report.project,
            url=reverse("report", args=[report.ref]),
            due_on=report.due_on,
            minutes=minutes,
            waiting_for=str(waiting),
            is_sample=report.is_sample,
            subject=report,
        )


def benchmark_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the benchmarks that this person keeps and that have no value of the last year."""
    for benchmark in stale_benchmarks(user, today)[:DONE_ROWS]:
        owner = benchmark.project or benchmark.area
        assert owner is not None
        yield Task(
            label=_("Update the benchmark “%(name)s”") % {"name": benchmark.name},
            about="" if benchmark.project else owner.name,
            project=benchmark.project,
            url=reverse("benchmark", args=[benchmark.pk]),
            due_on=None,
            minutes=10,
            waiting_for=_("The own value or the world's best is older than a year."),
            is_sample=owner.is_sample,
            subject=benchmark,
        )


#: Verb, who waits, and how long it usually takes in minutes.
PLAN_STEPS = {
    "write": (
        gettext_lazy("Write version %(number)s of the plan"),
        gettext_lazy("The program officer is waiting for the plan."),
        60,
    ),
    "check": (
        gettext_lazy("Check version %(number)s of the plan"),
        gettext_lazy("The program director is waiting for your check."),
        30,
    ),
    "confirm": (
        gettext_lazy("Confirm or return version %(number)s of the plan"),
        gettext_lazy("The contracting party is waiting for your confirmation."),
        20,
    ),
    "propose_approval": (
        gettext_lazy("Draft the approval of version %(number)s of the plan"),
        gettext_lazy("The project's team is waiting for the approval."),
        15,
    ),
    "approve": (
        gettext_lazy("Approve or return version %(number)s of the plan"),
        gettext_lazy("The project's team is waiting for the approval."),
        15,
    ),
}


def plan_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the plan versions for which this person acts next."""
    for version in plans_awaiting(user).prefetch_related(None).select_related("project__area"):
        words, waiting, minutes = PLAN_STEPS[version.awaits]  # type: ignore[attr-defined]
        yield Task(
            label=words % {"number": version.number},
            about="",
            project=version.project,
            url=reverse("plan", args=[version.project.ref, version.number]),
            due_on=None,
            minutes=minutes,
            waiting_for=str(waiting),
            is_sample=version.is_sample,
            subject=version,
        )


def advice_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the advice that this person answers or closes next, and the memos still to be written."""
    for advice in advice_awaiting(user).prefetch_related(None).select_related("project__area"):
        is_open = advice.state == Advice.State.OPEN
        said = f"{advice.text[:40]}…" if len(advice.text) > 40 else advice.text
        yield Task(
            label=(_("Answer the advice “%(text)s”") if is_open else _("Close the advice “%(text)s” or open it again"))
            % {"text": said},
            about="",
            project=advice.project,
            url=reverse("advice", args=[advice.ref]),
            due_on=advice.due_on if is_open else None,
            minutes=15,
            waiting_for=_("%(name)s is waiting for the answer.") % {"name": advice.given_by}
            if is_open
            else _("%(name)s has answered.") % {"name": advice.answered_by},
            is_sample=advice.is_sample,
            subject=advice,
        )
    if not may_see_portfolio(user):
        return
    for visit in visits_to_describe(user, today).prefetch_related(None).select_related("project__area")[:DONE_ROWS]:
        yield Task(
            label=_("Write the memo of the visit on %(day)s") % {"day": date_text(visit.on, language())},
            about="",
            project=visit.project,
            url=reverse("visit", args=[visit.ref]),
            due_on=None,
            minutes=20,
            is_sample=visit.is_sample,
            subject=visit,
        )


#: Verb, and who waits.
POLICY_STEPS = {
    "drafting": (
        gettext_lazy("Write version %(number)s of the implementation policy"),
        gettext_lazy("The ministry's staff are waiting for the policy."),
    ),
    "returned": (
        gettext_lazy("Revise version %(number)s of the implementation policy"),
        gettext_lazy("The ministry's staff are waiting for the policy."),
    ),
    "submitted": (
        gettext_lazy("Put version %(number)s of the implementation policy in force or return it"),
        gettext_lazy("The program director is waiting for your decision."),
    ),
}


def area_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the policies and the terms that wait for this director or officer."""
    if not may_see_portfolio(user):
        return
    for version in policies_awaiting(user):
        words, waiting = POLICY_STEPS[version.state]
        yield Task(
            label=words % {"number": version.number},
            about=version.area.name,
            url=reverse("policy", args=[version.area.ref, version.number]),
            due_on=None,
            minutes=30,
            waiting_for=str(waiting),
            is_sample=version.is_sample,
            subject=version,
        )
    for term in terms_awaiting(user):
        yield Task(
            label=_("Approve or take back the term of %(name)s") % {"name": term.person},
            about=term.area.name,
            url=reverse("area_people", args=[term.area.ref]),
            due_on=None,
            minutes=5,
            waiting_for=_("The term counts once a second officer has approved it."),
            is_sample=term.area.is_sample,
            subject=term,
        )


def money_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the allocations and contracts for which this person acts next."""
    allocate = {"write": _("Write or propose the allocation %(ref)s"), "approve": _("Decide on the allocation %(ref)s")}
    for one in allocations_awaiting(user):
        yield Task(
            label=allocate[one.awaits] % {"ref": one.ref},  # type: ignore[attr-defined]
            about=f"{year_label(one.fiscal_year, language())} {node_label(one.source)}",
            url=reverse("allocation", args=[one.ref]),
            due_on=None,
            minutes=20,
            waiting_for=_("The projects are waiting for their money."),
            is_sample=one.is_sample,
            subject=one,
        )
    contract = {"write": _("Write or propose the contract %(ref)s"), "conclude": _("Conclude the contract %(ref)s")}
    for paper in contracts_awaiting(user).prefetch_related(None).select_related("project__area"):
        yield Task(
            label=contract[paper.awaits] % {"ref": paper.ref},  # type: ignore[attr-defined]
            about=str(paper.organization.name),
            project=paper.project,
            url=reverse("contract", args=[paper.ref]),
            due_on=None,
            minutes=15,
            waiting_for=_("The institution is waiting for the contract."),
            is_sample=paper.is_sample,
            subject=paper,
        )


def risk_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the risks escalated to this director, and the own ones whose day has come."""
    for risk in risks_awaiting(user, today).prefetch_related(None).select_related("project__area")[:DONE_ROWS]:
        escalated = risk.state == Risk.State.ESCALATED
        words = _("Answer on the risk “%(title)s”") if escalated else _("Look after the risk “%(title)s”")
        yield Task(
            label=words % {"title": risk.title},
            about="",
            project=risk.project,
            url=reverse("risk", args=[risk.ref]),
            due_on=risk.due_on,
            minutes=10,
            waiting_for=_("The project's team is waiting for your answer.") if escalated else "",
            is_sample=risk.project.is_sample,
            subject=risk,
        )


def data_plan_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the data management plans that this officer confirms or returns next."""
    for plan in data_plans_awaiting(user).prefetch_related(None):
        yield Task(
            label=_("Confirm or return version %(number)s of the data management plan") % {"number": plan.number},
            about="",
            project=plan.project,
            url=reverse("data_plan", args=[plan.ref]),
            due_on=None,
            minutes=15,
            waiting_for=_("The project's team is waiting for your answer."),
            is_sample=plan.project.is_sample,
            subject=plan,
        )


#: Each app's open matters; a new kind of work adds one line.
SOURCES: tuple[Callable[[Any, date], Iterator[Task]], ...] = (
    report_tasks,
    dossier_tasks,
    plan_tasks,
    money_tasks,
    claim_tasks,
    benchmark_tasks,
    risk_tasks,
    data_plan_tasks,
    declaration_tasks,
    conflict_tasks,
    review_tasks,
    assignment_tasks,
    decision_tasks,
    panel_tasks,
    project_tasks,
    discussion_tasks,
    advice_tasks,
    area_tasks,
)


def _named(tasks: list[Task]) -> list[Task]:
    """Projects without a title are named by their institution: read for all of them at once."""
    untitled = [task.project for task in tasks if task.project is not None and not task.project.title_ja]
    prefetch_related_objects(untitled, lead_institutions())
    return [
        replace(task, about=f"{project_label(task.project)} {task.about}".strip()) if task.project else task
        for task in tasks
    ]


def tasks_of(user: Any, today: date) -> list[Task]:
    """This function will return everything that waits for this user, soonest first, undated last."""
    tasks = _named([task for source in SOURCES for task in source(user, today)])
    return sorted(tasks, key=lambda task: (task.due_on is None, task.due_on or today, task.label, task.about))


def still_visible(user: Any, entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """This function will leave out what the reader did with projects and reports that are hidden by now."""
    rows = list(entries)
    by_type: dict[str, set[int]] = {
        "programs.project": set(),
        "programs.allocation": set(),
        "reporting.progressreport": set(),
    }
    for row in rows:
        by_type.get(row.subject_type, set()).add(row.subject_id)
    seen = {
        "programs.project": visible_ids(projects_visible_to(user), by_type["programs.project"]),
        "programs.allocation": visible_ids(allocations_visible_to(user), by_type["programs.allocation"]),
        "reporting.progressreport": visible_ids(reports_visible_to(user), by_type["reporting.progressreport"]),
    }
    hidden = hidden_entries(user, rows)
    return [
        row for row in rows
        if row.pk not in hidden and row.subject_id in seen.get(row.subject_type, {row.subject_id})
    ]  # fmt: skip


def visible_ids(rows: QuerySet[Any], wanted: set[int]) -> set[int]:
    """This function will return which of these ids the reader may still see."""
    return set(rows.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()


@page(permission="home.view")
def home_page(request: HttpRequest) -> HttpResponseBase:
    """This function will show what waits for the reader and what the reader has done today."""
    today = localdate(clock(request))
    midnight = datetime.combine(today, time.min, get_current_timezone())
    tasks = tasks_of(request.user, today)
    return render(
        request,
        "portal/home/page.html",
        {
            "tasks": [(task, task.days_left(today)) for task in tasks],
            "done": readable(
                still_visible(request.user, done_by(request.user, midnight).exclude(action__in=NO_WORK)[:DONE_ROWS])
            ),
            "today": today,
            "is_sample": any(task.is_sample for task in tasks),
        },
    )
