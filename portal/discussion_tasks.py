"""What the discussion of cases waits for: answers, the check of facts, questions to send, findings, comments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from evaluations.models import GateReview
from evaluations.queries.disclosures import disclosures_awaiting
from evaluations.queries.findings import cases_discussed_by, fact_checks_awaiting, findings_awaiting
from evaluations.queries.questions import cases_with_waiting_questions, reviews_to_answer
from evaluations.rules.score_sheets import is_evaluator
from portal.tasks import Task
from programs.rules.scope import scope_of


def project_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield what the panel waits for from the user's own project: answers, the check of facts."""
    if not scope_of(user).teams:
        return
    for review in reviews_to_answer(user, today):
        yield _task(
            _("Answer the written questions"), review, "review_questions", review.ref, review.round.answers_due_on, 40,
            _("The panel is waiting for the answers."),
        )  # fmt: skip
    for check in fact_checks_awaiting(user).filter(due_on__gte=today):
        review = check.finding.case.gate_review
        yield _task(
            _("Check the facts of the draft finding"), review, "fact_check", review.ref, check.due_on, 20,
            _("The secretariat is waiting for your answer."),
        )  # fmt: skip


def discussion_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield what the discussion of cases waits for: questions to send, findings, comments."""
    runs = is_evaluator(user) or grants_of(user).has("secretariat")
    # What follows asks much of the database; most people discuss nothing today.
    discusses = (runs or scope_of(user).party) and cases_discussed_by(user).exists()
    if runs:
        for case in cases_with_waiting_questions(user):
            yield _task(
                _("Send the written questions to the team"), case.gate_review, "case_questions", case.ref,
                case.panel.round.questions_due_on, 15, _("The panel's questions are waiting."),
            )  # fmt: skip
    if runs and discusses:
        for case in findings_awaiting(user):
            label = _("Give the finding") if case.falls_to_me else _("Write the finding")  # type: ignore[attr-defined]
            yield _task(
                label, case.gate_review, "finding", case.ref, case.panel.round.finding_due_on, 30,
                _("The ministry's staff are waiting for the finding."),
            )  # fmt: skip
    if discusses:
        for one in disclosures_awaiting(user):
            yield _task(
                _("Release the comments for the project"), one.case.gate_review, "case_comments", one.case.ref,
                one.case.panel.round.decision_due_on, 10, _("The project is waiting for the panel's comments."),
            )  # fmt: skip


def _task(
    label: str, review: GateReview, page_name: str, ref: str, due_on: date | None, minutes: int, waiting_for: str
) -> Task:
    named = review.area or review.program if review.project is None else None
    return Task(
        label=label, about=named.name if named else "", project=review.project, url=reverse(page_name, args=[ref]),
        due_on=due_on, minutes=minutes, waiting_for=waiting_for, is_sample=review.is_sample, subject=review,
    )  # fmt: skip
