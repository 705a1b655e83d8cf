"""Reads of written questions and their answers, on the panel's side and on the project's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from accounts.queries import grants_of
from evaluations.models import Answer, Case, GateReview, Question
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.rounds import gate_reviews_visible_to
from evaluations.rules.findings import cases_kept
from evaluations.rules.questions import (
    is_given,
    names_askers,
    questions_visible,
    reviews_answered_by,
    reviews_questioned,
)
from evaluations.states import INVALIDATED, OPEN
from programs.rules.scope import scope_of


def questions_visible_to(user: object) -> QuerySet[Question]:
    """This function will return the questions that this user may read, the sent ones by their number first."""
    return (
        Question.objects.filter(questions_visible(user))
        .select_related("answer", "member__person")
        .order_by("case_id", "position", "pk")
    )


@dataclass(frozen=True, slots=True)
class QuestionRead:
    """One question as its reader sees it: the asker's name ("" for nameless), and the answer once it is given."""

    question: Question
    asker: str
    is_own: bool
    answer: str

    @property
    def text(self) -> str:
        """The question as it was sent; as it was asked until then."""
        return self.question.sent_text or self.question.text


def case_questions(user: object, case: Case, at: datetime) -> list[QuestionRead]:
    """This function will return the questions of a case that this user may read, with the answers that are given."""
    me, named = grants_of(user).person_id, names_askers(user, case)
    due_on = case.panel.round.answers_due_on
    found = []
    for one in questions_visible_to(user).filter(case=case):
        answer: Answer | None = getattr(one, "answer", None)
        is_own = one.member.person_id == me
        found.append(
            QuestionRead(
                one, one.member.person.name if named or is_own else "", is_own,
                answer.text if answer and is_given(answer, due_on, at) else "",
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class TeamQuestion:
    """One question as the project's team reads it: a number and words, nothing of who asked."""

    pk: int
    position: int
    text: str
    answer: Answer | None


def team_questions(user: object, review: GateReview) -> list[TeamQuestion]:
    """This function will return the questions that were sent to the team of a review, in their order."""
    if not GateReview.objects.filter(reviews_questioned(user), pk=review.pk).exists():
        return []
    rows = Question.objects.filter(case__gate_review=review, sent_at__isnull=False).exclude(case__state=INVALIDATED)
    return [
        TeamQuestion(one.pk, one.position or 0, one.sent_text, getattr(one, "answer", None))
        for one in rows.select_related("answer").order_by("case_id", "position")
    ]


def reviews_questioned_of(user: object) -> QuerySet[GateReview]:
    """This function will return the gate reviews in which the user's own team was asked questions."""
    return gate_reviews_visible_to(user).filter(reviews_questioned(user)).distinct()


def reviews_to_answer(user: object, today: date) -> list[GateReview]:
    """This function will return the reviews whose questions this person answers next, until the day they are due."""
    if grants_of(user).person_id is None:
        return []
    open_ones = reviews_questioned_of(user).filter(
        round__answers_due_on__gte=today, cases__state=OPEN, cases__questions__sent_at__isnull=False,
        cases__questions__answer__handed_in_at__isnull=True,
    )  # fmt: skip
    rows = open_ones.select_related("round", "project__area").order_by("round__answers_due_on", "pk").distinct()
    return list(rows.filter(reviews_answered_by(user)))


def cases_with_waiting_questions(user: object) -> QuerySet[Case]:
    """This function will return the cases whose questions the secretariat has not sent on yet."""
    return (
        cases_visible_to(user)
        .filter(
            cases_kept(user), state=OPEN, questions__sent_at__isnull=True, questions__left_out_reason="",
            questions__isnull=False,
        )
        .distinct()
        .order_by("panel__round__questions_due_on", "pk")
    )  # fmt: skip


def is_questioned_team(user: object, review: GateReview) -> bool:
    """This function will tell whether the review is of the user's own project, as a member or at its HQ."""
    return review.project_id is not None and review.project_id in scope_of(user).teams
