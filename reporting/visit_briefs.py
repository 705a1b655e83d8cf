"""The one-page brief for a visit: what happened in a project since the last one, as far as the reader may see it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.timezone import get_current_timezone, localdate

from common.fiscal_year import fiscal_year_of
from programs.models import Advice, Milestone, PlanVersion, Project, Risk, SiteVisit, StageGate, TrlAssessment
from programs.overviews import trl_history
from programs.queries import projects_visible_to
from programs.queries.money import MoneyByYear, money_years
from programs.queries.plans import plan_history
from programs.queries.risks import risks_of
from programs.queries.visits import advice_of_project, visits_of_project
from programs.rules.contracts import money_rights
from programs.states import APPROVED, PLAN_OPEN
from reporting.models import ProgressReport
from reporting.queries import reports_of_project
from reporting.states import ACCEPTED

#: More of one kind than this are counted, so that the brief stays on one page.
ROWS = 3


@dataclass(frozen=True, slots=True)
class Listed:
    """The first of a list, and how many more there are."""

    rows: list[Any]
    more: int

    @classmethod
    def of(cls, rows: list[Any]) -> Listed:
        """This function will cut a list to what fits the page."""
        return cls(rows[:ROWS], max(len(rows) - ROWS, 0))


@dataclass(frozen=True, slots=True)
class VisitBrief:
    """What the page shows. `last_visit` is the last visit with a memo, since which it is told; None: the beginning."""

    project: Project
    today: date
    last_visit: SiteVisit | None
    next_visit: SiteVisit | None
    reached: Listed
    late: Listed
    ahead: Listed
    levels: dict[str, TrlAssessment]
    trl: Listed
    reports: Listed
    plans: Listed
    money: MoneyByYear | None
    risks: Listed
    advice: Listed
    closed_since: int
    #: Reference, names and day as text.
    next_gate: dict[str, str] | None

    @property
    def since(self) -> date | None:
        """The day since which it is told."""
        return self.last_visit.on if self.last_visit else None


def projects_to_brief(user: object, today: date) -> QuerySet[Project]:
    """This function will return the projects this user may see, each with the next stage gate as `gate_ahead`."""
    gates = StageGate.objects.filter(program=OuterRef("program"), held_on__gte=today).order_by("held_on", "ref")
    told = JSONObject(ref="ref", name_ja="name_ja", name_en="name_en", held_on="held_on")
    return projects_visible_to(user).annotate(gate_ahead=Subquery(gates.values(json=told)[:1]))


def visit_brief_of(user: object, project: Project, today: date) -> VisitBrief:
    """This function will read the brief of a row of `projects_to_brief`, in constant queries."""
    visits = [one for one in visits_of_project(user, project) if not one.is_cancelled]
    # A planned visit that nobody described may not have taken place.
    last = next((one for one in visits if one.on < today and one.memo), None)
    since = last.on if last else date.min
    milestones = [one for one in Milestone.objects.filter(project=project) if not one.is_dropped]
    history = trl_history(project)
    advice = advice_of_project(user, project)
    year, parts = fiscal_year_of(today), money_rights(user, project).parts
    return VisitBrief(
        project=project,
        today=today,
        last_visit=last,
        next_visit=next((one for one in reversed(visits) if one.on >= today), None),
        reached=Listed.of(_reached(milestones, since, today)),
        late=Listed.of([one for one in milestones if one.reached_on is None and one.planned_on < today]),
        ahead=Listed.of([one for one in milestones if one.reached_on is None and one.planned_on >= today]),
        levels={one.kind: one for one in history if one.on <= today},
        trl=Listed.of([one for one in reversed(history) if one.kind != "planned" and since <= one.on <= today]),
        reports=Listed.of(_reports(user, project, since)),
        plans=Listed.of(_plans(user, project, since)),
        money=next((one for one in money_years(project, parts) if one.fiscal_year == year), None),
        risks=Listed.of(list(risks_of(user, project).exclude(state=Risk.State.CLOSED).prefetch_related(None))),
        advice=Listed.of([one for one in advice if one.state != Advice.State.CLOSED]),
        closed_since=sum(one.closed_at is not None and localdate(one.closed_at) >= since for one in advice),
        next_gate=project.gate_ahead,  # type: ignore[attr-defined]
    )


def _reached(milestones: list[Milestone], since: date, today: date) -> list[Milestone]:
    found = [one for one in milestones if one.reached_on and since <= one.reached_on <= today]
    return sorted(found, key=lambda one: (one.reached_on or today, one.number), reverse=True)


def _reports(user: object, project: Project, since: date) -> list[ProgressReport]:
    """Reports handed in or accepted since then, and those still under way."""

    def is_told(report: ProgressReport) -> bool:
        times = (report.submitted_at, report.checked_at, report.accepted_at)
        return report.state != ACCEPTED or any(at and localdate(at) >= since for at in times)

    return [report for report in reports_of_project(user, project) if is_told(report)]


def _plans(user: object, project: Project, since: date) -> list[PlanVersion]:
    """Versions approved since then, and the one under way, as far as the reader may read them."""
    first = datetime.combine(max(since, date(1990, 1, 1)), time.min, get_current_timezone())
    told = Q(state__in=sorted(PLAN_OPEN)) | Q(state=APPROVED, approved_at__gte=first)
    return list(plan_history(user, project).filter(told))


def facts_of(brief: VisitBrief) -> dict[str, Any]:
    """This function will return what the brief says as plain data: the canonical input of the hash in its footer."""

    def day(value: date | None) -> str | None:
        return value.isoformat() if value else None

    def told(listed: Listed, say: Any) -> list[Any]:
        return [*(say(one) for one in listed.rows), listed.more]

    return {
        "project": brief.project.ref,
        "today": day(brief.today),
        "since": day(brief.since),
        "next_visit": day(brief.next_visit.on) if brief.next_visit else None,
        "reached": told(brief.reached, lambda one: [one.number, one.title, day(one.planned_on), day(one.reached_on)]),
        "late": told(brief.late, lambda one: [one.number, one.title, day(one.planned_on)]),
        "ahead": told(brief.ahead, lambda one: [one.number, one.title, day(one.planned_on)]),
        "levels": {kind: one.level.number for kind, one in brief.levels.items()},
        "trl": told(brief.trl, lambda one: [one.kind, one.level.number, day(one.on)]),
        "reports": told(brief.reports, lambda one: [one.ref, one.state, day(one.due_on)]),
        "plans": told(brief.plans, lambda one: [one.ref, one.state, day(one.effective_on)]),
        "money": asdict(brief.money.money) if brief.money else None,
        "risks": told(brief.risks, lambda one: [one.ref, one.title, one.state, one.score]),
        "advice": told(brief.advice, lambda one: [one.ref, one.state, day(one.due_on)]),
        "closed_since": brief.closed_since,
        "gate": brief.next_gate,
    }
