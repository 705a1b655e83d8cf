"""What waits for somebody in a round of evaluation: dossiers, declarations, readers, sheets, decisions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evaluations.models import Condition, GateReview
from evaluations.queries.assignments import assignments_awaiting
from evaluations.queries.conflicts import conflicts_awaiting
from evaluations.queries.decisions import (
    conditions_awaiting,
    decisions_awaiting,
    objections_awaiting,
    wind_down_awaiting,
)
from evaluations.queries.declarations import declarations_awaiting
from evaluations.queries.dossiers import dossiers_awaiting
from evaluations.queries.score_sheets import sheets_awaiting
from portal.tasks import Task


def dossier_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the dossiers that this person writes or confirms next."""
    for review in dossiers_awaiting(user):
        writes = review.state == GateReview.State.CALLED
        yield Task(
            label=_("Write the dossier for “%(round)s”") % {"round": review.round.name}
            if writes
            else _("Confirm or return the dossier for “%(round)s”") % {"round": review.round.name},
            about="",
            project=review.project,
            url=reverse("dossier", args=[review.ref]),
            due_on=review.round.dossier_due_on if writes else review.round.seals_on,
            minutes=90 if writes else 30,
            waiting_for=_("The panel is waiting for the dossier."),
            is_sample=review.is_sample,
            subject=review,
        )


def review_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the sheets that this evaluator still has to hand in."""
    for assignment in sheets_awaiting(user):
        one, review = assignment.case.panel.round, assignment.case.gate_review
        named = review.area or review.program
        yield Task(
            label=_("Score the case %(ref)s") % {"ref": assignment.case.ref},
            about=named.name if named else "",
            project=review.project,
            url=reverse("review", args=[assignment.case.ref]),
            due_on=localdate(one.first_close_at) if one.first_close_at else None,
            minutes=60,
            waiting_for=_("The panel is waiting for your score sheet."),
            is_sample=assignment.case.is_sample,
            subject=assignment,
        )


def declaration_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the rounds in which this member still has to declare, or to declare anew."""
    for one, count in declarations_awaiting(user):
        yield Task(
            label=_("Declare on %(count)s cases whether you have a conflict") % {"count": count},
            about=one.name,
            url=reverse("declarations", args=[one.ref]),
            due_on=one.declarations_due_on,
            minutes=10,
            waiting_for=_("The documents open to you after your declaration."),
            is_sample=one.is_sample,
            subject=one,
        )


def conflict_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the conflicts of interest that this officer can settle."""
    for conflict in conflicts_awaiting(user):
        yield Task(
            label=_("Confirm or dismiss the conflict of %(name)s") % {"name": conflict.person.name},
            about="",
            project=conflict.project,
            url=reverse("conflict", args=[conflict.ref]),
            due_on=None,
            minutes=5,
            waiting_for=_("Until then the documents are closed to the person."),
            is_sample=conflict.project.is_sample,
            subject=conflict,
        )


def assignment_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the panels whose readers this chair proposes, confirms or replaces next."""
    for one in assignments_awaiting(user, today):
        count = one.proposed or one.declined or one.unread
        words = (
            _("Confirm who reads what: %(count)s readers are proposed")
            if one.proposed
            else _("Replace readers who declined: %(count)s cases")
            if one.declined
            else _("Propose who reads what: %(count)s cases have no reader")
        )
        yield Task(
            label=words % {"count": count},
            about=one.panel.round.name,
            url=reverse("assignment", args=[one.panel.ref]),
            due_on=one.panel.round.seals_on,
            minutes=30,
            waiting_for=_("The panel's members are waiting for their cases."),
            is_sample=one.panel.is_sample,
            subject=one.panel,
        )


#: Verb, and who waits.
DECISION_STEPS = {
    "draft": (gettext_lazy("Draft the decision"), gettext_lazy("The panel has given its recommendation."), 30),
    "decide": (gettext_lazy("Take the drafted decision"), gettext_lazy("A colleague has drafted the decision."), 20),
    "release": (gettext_lazy("Release the decision"), gettext_lazy("It is decided. The project waits for it."), 5),
}


def decision_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the decisions, objections, conditions and wind-downs on which this person acts next."""
    for review, step in decisions_awaiting(user):
        words, waiting, minutes = DECISION_STEPS[step]
        yield Task(
            label=str(words),
            about="",
            project=review.project,
            url=reverse("decision", args=[review.ref]),
            due_on=review.round.decision_due_on,
            minutes=minutes,
            waiting_for=str(waiting),
            is_sample=review.is_sample,
            subject=review,
        )
    for objection in objections_awaiting(user):
        review = objection.decision.gate_review
        yield Task(
            label=_("Answer the objection %(ref)s") % {"ref": objection.ref},
            about="",
            project=review.project,
            url=reverse("decision", args=[review.ref]),
            due_on=None,
            minutes=30,
            waiting_for=_("The project's team is waiting for the answer."),
            is_sample=review.is_sample,
            subject=objection,
        )
    for condition in conditions_awaiting(user):
        reported = condition.state == Condition.State.REPORTED
        words = _("Find whether “%(text)s” is met") if reported else _("Report on the condition “%(text)s”")
        yield Task(
            label=words % {"text": _short(condition.text)},
            about="",
            project=condition.decision.gate_review.project,
            url=reverse("decision", args=[condition.decision.gate_review.ref]),
            due_on=condition.due_on,
            minutes=15,
            waiting_for=_("It is asked for again at the next gate."),
            is_sample=condition.decision.is_sample,
            subject=condition,
        )
    for item in wind_down_awaiting(user):
        review = item.decision.gate_review
        yield Task(
            label=_("Finish the step “%(text)s” of the wind-down") % {"text": _short(item.text)},
            about="",
            project=review.project,
            url=reverse("decision", args=[review.ref]),
            due_on=item.due_on,
            minutes=30,
            waiting_for=_("The ministry waits until the wind-down is finished."),
            is_sample=item.decision.is_sample,
            subject=item,
        )


def _short(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text
