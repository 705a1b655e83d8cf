"""What people owe in rounds of evaluation today: the same that waits for them at home, with its day, for reminders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils.timezone import localdate

from accounts.models import User
from evaluations.models import Condition, FactCheck, GateReview, PanelMember, Round, RoundSecretary
from evaluations.queries.decisions import conditions_awaiting, decisions_awaiting
from evaluations.queries.declarations import declarations_awaiting
from evaluations.queries.dossiers import dossiers_awaiting
from evaluations.queries.findings import fact_checks_awaiting, findings_awaiting
from evaluations.queries.score_sheets import sheets_awaiting
from evaluations.states import (
    ACCEPTED,
    CONDITION_LEFT,
    DECISION_STANDS,
    INVALIDATED,
    RELEASED,
    ROUND_RUNNING,
)
from programs.queries.people import OFFICER, STAFF, TEAM, audience_of

DOSSIER, DECLARATION, SHEET, FINDING = "dossier_due", "declaration_due", "sheet_due", "finding_due"
FACT_CHECK, DECISION, CONDITION = "fact_check_due", "decision_due", "condition_due"


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing that somebody owes: the event, its reference and page, and the day it is due."""

    event: str
    ref: str
    path: str
    due_on: date
    round: Round


Owed = Iterator[tuple[str, str, date | None, Round]]


def duties_of(user: User, events: Collection[str] | None = None) -> list[Duty]:
    """This function will return what this person owes in rounds of evaluation and has a day; of these events, or all."""
    return [
        Duty(event, ref, path, day, one)
        for event, owed in _OWED.items()
        if events is None or event in events
        for ref, path, day, one in owed(user)
        if day is not None
    ]


def days_due() -> dict[str, set[tuple[date, str]]]:
    """This function will return on which days something is due to anybody: by event, with the path of the program.

    A few queries, whoever owes it: only on such days it is asked who does.
    """
    running = Round.objects.filter(
        Q(state__in=ROUND_RUNNING)
        | Q(pk__in=GateReview.objects.exclude(state__in=(RELEASED, INVALIDATED)).values("round_id"))
    ).select_related("program")
    found: dict[str, set[tuple[date, str]]] = defaultdict(set)
    for one in running:
        for event, days in (
            (DOSSIER, (one.dossier_due_on, one.seals_on)), (DECLARATION, (one.declarations_due_on,)),
            (SHEET, (localdate(one.first_close_at) if one.first_close_at else None,)),
            (FINDING, (one.finding_due_on,)), (DECISION, (one.decision_due_on,)),
        ):  # fmt: skip
            found[event] |= {(day, one.program.path) for day in days if day is not None}
    checks = FactCheck.objects.filter(closed_at__isnull=True)
    found[FACT_CHECK] = set(checks.values_list("due_on", "finding__case__panel__round__program__path"))
    asked = Condition.objects.filter(state__in=CONDITION_LEFT, decision__state__in=DECISION_STANDS)
    found[CONDITION] = set(asked.values_list("due_on", "decision__gate_review__round__program__path"))
    return found


def _dossiers(user: User) -> Owed:
    for review in dossiers_awaiting(user):
        one = review.round
        due = one.dossier_due_on if review.state == GateReview.State.CALLED else one.seals_on
        yield review.ref, f"gates/{review.ref}/dossier/", due, one


def _declarations(user: User) -> Owed:
    for one, _count in declarations_awaiting(user):
        yield one.ref, f"rounds/{one.ref}/declarations/", one.declarations_due_on, one


def _sheets(user: User) -> Owed:
    for assignment in sheets_awaiting(user):
        case, one = assignment.case, assignment.case.panel.round
        yield case.ref, f"reviews/{case.ref}/", localdate(one.first_close_at) if one.first_close_at else None, one


def _findings(user: User) -> Owed:
    for case in findings_awaiting(user):
        yield case.ref, f"cases/{case.ref}/finding/", case.panel.round.finding_due_on, case.panel.round


def _fact_checks(user: User) -> Owed:
    for check in fact_checks_awaiting(user):
        case = check.finding.case
        yield case.gate_review.ref, f"gates/{case.gate_review.ref}/fact-check/", check.due_on, case.panel.round


def _decisions(user: User) -> Owed:
    for review, _step in decisions_awaiting(user):
        yield review.ref, f"gates/{review.ref}/decision/", review.round.decision_due_on, review.round


def _conditions(user: User) -> Owed:
    for condition in conditions_awaiting(user):
        review = condition.decision.gate_review
        yield condition.ref, f"gates/{review.ref}/decision/", condition.due_on, review.round


_OWED: dict[str, Callable[[User], Owed]] = {
    DOSSIER: _dossiers, DECLARATION: _declarations, SHEET: _sheets, FINDING: _findings, FACT_CHECK: _fact_checks,
    DECISION: _decisions, CONDITION: _conditions,
}  # fmt: skip


def people_with_duties(on: date) -> list[User]:
    """This function will return who may owe something: panels, secretariats, teams, officers and staff of what runs."""
    reviews = GateReview.objects.exclude(state__in=(RELEASED, INVALIDATED))
    asked = Condition.objects.filter(state__in=CONDITION_LEFT, decision__state__in=DECISION_STANDS)
    projects = {
        *reviews.filter(project__isnull=False).values_list("project_id", flat=True),
        *asked.values_list("decision__gate_review__project_id", flat=True),
    }
    found: dict[int, User] = {}
    for audience in (TEAM, OFFICER, STAFF):
        for users in audience_of(projects, audience, on).values():
            found |= {user.pk: user for user in users}
    rounds = Round.objects.filter(state__in=ROUND_RUNNING)
    serves = PanelMember.objects.filter(panel__round__in=rounds, state=ACCEPTED).values("person_id")
    keeps = RoundSecretary.objects.filter(round__in=rounds).values("person_id")
    people = User.objects.filter(Q(person__in=serves) | Q(person__in=keeps), is_active=True).select_related("person")
    return [one for _pk, one in sorted((found | {user.pk: user for user in people}).items())]
