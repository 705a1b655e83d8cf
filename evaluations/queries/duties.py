"""What people owe in rounds of evaluation today: the same that waits for them at home, with its day, for reminders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils.timezone import localdate

from accounts.models import User
from evaluations.models import Condition, GateReview, PanelMember, Round, RoundSecretary
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


def duties_of(user: User) -> list[Duty]:
    """This function will return what this person owes in rounds of evaluation and has a day."""
    return list(_duties(user))


def _duties(user: User) -> Iterator[Duty]:
    found: list[tuple[str, str, str, date | None, Round]] = []
    for review in dossiers_awaiting(user):
        one = review.round
        due = one.dossier_due_on if review.state == GateReview.State.CALLED else one.seals_on
        found.append((DOSSIER, review.ref, f"gates/{review.ref}/dossier/", due, one))
    for one, _count in declarations_awaiting(user):
        found.append((DECLARATION, one.ref, f"rounds/{one.ref}/declarations/", one.declarations_due_on, one))
    for assignment in sheets_awaiting(user):
        case, one = assignment.case, assignment.case.panel.round
        closes = localdate(one.first_close_at) if one.first_close_at else None
        found.append((SHEET, case.ref, f"reviews/{case.ref}/", closes, one))
    for case in findings_awaiting(user):
        one = case.panel.round
        found.append((FINDING, case.ref, f"cases/{case.ref}/finding/", one.finding_due_on, one))
    for check in fact_checks_awaiting(user):
        case = check.finding.case
        ref = case.gate_review.ref
        found.append((FACT_CHECK, ref, f"gates/{ref}/fact-check/", check.due_on, case.panel.round))
    for review, _step in decisions_awaiting(user):
        one = review.round
        found.append((DECISION, review.ref, f"gates/{review.ref}/decision/", one.decision_due_on, one))
    for condition in conditions_awaiting(user):
        review = condition.decision.gate_review
        found.append((CONDITION, condition.ref, f"gates/{review.ref}/decision/", condition.due_on, review.round))
    for event, ref, path, day, one in found:
        if day is not None:
            yield Duty(event, ref, path, day, one)


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
