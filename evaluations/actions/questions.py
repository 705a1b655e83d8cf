"""Written questions: asked by the panel, sent on in one bundle without names, answered by the team, handed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import date_text
from common.states import locked
from common.text import clean, count_characters
from evaluations.models import Answer, Case, GateReview, PanelMember, Question
from evaluations.rules.questions import is_late, may_answer, question_actions
from evaluations.states import ACCEPTED, OPEN
from programs.drawings import language

LONGEST_QUESTION = 1000
LONGEST_ANSWER = 4000
MOST_QUESTIONS = 20


@transaction.atomic
def ask_question(case: Case, *, text: str, by: User, at: datetime) -> Question:
    """This function will keep a member's question for the project; the secretariat sends it on without the name.

    Raises `NotAllowed`, or `Refused` after the round's day for questions.
    """
    row = locked(Case, case.pk)
    if "question.ask" not in question_actions(by, row):
        raise NotAllowed(_("Questions are asked by the panel's members while the case is under review."))
    if is_late(row.panel.round.questions_due_on, at):
        raise Refused(_late_question(row), "late", "text")
    said = _written(text, LONGEST_QUESTION)
    member = PanelMember.objects.get(panel=row.panel_id, person=by.person, state=ACCEPTED)
    if Question.objects.filter(case=row, member=member).count() >= MOST_QUESTIONS:
        message = _("You have asked %(most)s questions on this case. Ask no more than that.")
        raise Refused(message % {"most": MOST_QUESTIONS}, "too_many", "text")
    made = Question.objects.create(case=row, member=member, text=said, asked_at=at)
    record("ask_question", row, by=by, at=at, after={"characters": count_characters(said)})
    return made


def _late_question(case: Case) -> str:
    due_on = case.panel.round.questions_due_on
    if due_on is None:
        return _("This round takes no written questions: it has no day for them.")
    return _("Questions could be asked until the end of %(day)s.") % {"day": date_text(due_on, language())}


@transaction.atomic
def send_questions(
    case: Case, *, texts: Mapping[int, str], left_out: Mapping[int, str], by: User, at: datetime
) -> list[Question]:
    """This function will send questions to the team in one bundle, numbered, in words that name nobody.

    `texts`: by id, as the team will read them, in the order of their numbers; `left_out`: by id, why a question is not
    sent. Raises `NotAllowed`, `NotReady` at each question that is neither, `Refused` once answers are no longer taken.
    """
    row = locked(Case, case.pk)
    if "question.send" not in question_actions(by, row):
        raise NotAllowed(_("The round's secretariat sends the questions on while the case is under review."))
    if is_late(row.panel.round.answers_due_on, at):
        message = _("The day for the team's answers has passed. Change the round's calendar first.")
        raise Refused(message, "late")
    waiting = {
        one.pk: one
        for one in Question.objects.select_for_update(of=("self",)).filter(
            case=row, sent_at__isnull=True, left_out_reason=""
        )
    }
    said = {pk: clean(text).strip() for pk, text in texts.items() if pk in waiting}
    why = {pk: clean(text).strip() for pk, text in left_out.items() if pk in waiting and pk not in said}
    if blockers := _unsent(said, why):
        raise NotReady(_("The questions cannot be sent yet."), blockers)
    if not said and not why:
        raise Refused(_("No question waits to be sent."), "empty")
    last = Question.objects.filter(case=row).aggregate(last=Max("position"))["last"] or 0
    for place, (pk, text) in enumerate(said.items(), last + 1):
        one = waiting[pk]
        one.sent_text, one.position, one.sent_by, one.sent_at = text, place, by, at
        one.save(update_fields=["sent_text", "position", "sent_by", "sent_at"])
    for pk, text in why.items():
        waiting[pk].left_out_reason = text
        waiting[pk].save(update_fields=["left_out_reason"])
    record("send_questions", row, by=by, at=at, after={"sent": len(said), "left_out": len(why)})
    return [waiting[pk] for pk in said]


def _unsent(said: Mapping[int, str], why: Mapping[int, str]) -> list[Blocker]:
    found = []
    for pk, text in said.items():
        if not text:
            found.append(Blocker(f"text-{pk}", "empty", _("Write the question as the team will read it.")))
        elif count_characters(text) > LONGEST_QUESTION:
            message = _("Shorten this to %(limit)s characters; it has %(count)s.")
            words = {"limit": LONGEST_QUESTION, "count": count_characters(text)}
            found.append(Blocker(f"text-{pk}", "too_long", message % words))
    for pk, text in why.items():
        if not text:
            found.append(Blocker(f"why-{pk}", "empty", _("Write why the question is left out.")))
    return found


@transaction.atomic
def save_answer(review: GateReview, question_id: int, *, text: str, revision: int, by: User, at: datetime) -> Answer:
    """This function will save the team's answer to one question while it is written.

    Raises `NotAllowed`, `StaleEdit` with both texts, `Refused` after the round's day for answers.
    """
    row = _locked_review(review, by, at)
    question = (
        Question.objects.select_for_update(of=("self",))
        .filter(case__gate_review=row, case__state=OPEN, sent_at__isnull=False, pk=question_id)
        .first()
    )
    if question is None:
        raise NotAllowed(_("This question is no longer open."))
    there = Answer.objects.filter(question=question).first() or Answer(question=question)
    if there.handed_in_at is not None:
        raise Refused(_("The answers are handed in. They can no longer be changed."), "handed_in", "text")
    typed = clean(text).strip()
    count = count_characters(typed)
    if count > LONGEST_ANSWER:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        raise Refused(message % {"limit": LONGEST_ANSWER, "count": count}, "too_long", "text")
    if there.pk and typed == there.text:
        return there
    if revision != there.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=there, submitted=typed)
    there.text, there.saved_by, there.saved_at, there.revision = typed, by, at, there.revision + 1
    there.save()
    record(
        "save_answer", row, by=by, at=at, after={"question": question.position, "characters": count}
    )  # fmt: skip
    return there


@transaction.atomic
def hand_in_answers(review: GateReview, *, by: User, at: datetime) -> int:
    """This function will hand in the answers to all questions that were sent; the panel reads them from now on.

    Returns how many. Raises `NotAllowed`, `NotReady` with each question that has no answer, `Refused` when late.
    """
    row = _locked_review(review, by, at)
    questions = list(
        Question.objects.filter(case__gate_review=row, case__state=OPEN, sent_at__isnull=False)
        .select_related("answer")
        .order_by("case_id", "position")
    )
    unanswered = [one for one in questions if not getattr(getattr(one, "answer", None), "text", "")]
    if unanswered:
        message = _("Answer question %(number)s.")
        raise NotReady(
            _("The answers cannot be handed in yet."),
            [Blocker(f"question-{one.pk}", "empty", message % {"number": one.position}) for one in unanswered],
        )
    open_ones = Answer.objects.filter(question__in=questions, handed_in_at__isnull=True)
    count = open_ones.update(handed_in_at=at)
    if not count:
        raise Refused(_("All answers are handed in already."), "twice")
    record("hand_in_answers", row, by=by, at=at, after={"answers": count})
    return count


def _locked_review(review: GateReview, by: User, at: datetime) -> GateReview:
    row = locked(GateReview, review.pk)
    if not may_answer(by, row):
        raise NotAllowed(_("The project's principal investigator and its HQ answer the questions."))
    due_on = row.round.answers_due_on
    if due_on is None or localdate(at) > due_on:
        day = date_text(due_on, language()) if due_on else "-"
        message = _("Answers could be given until the end of %(day)s. What was saved by then counts.")
        raise Refused(message % {"day": day}, "late", "text")
    return row


def _written(text: str, longest: int) -> str:
    said = clean(text).strip()
    count = count_characters(said)
    if not said:
        raise Refused(_("Write your question."), "required", "text")
    if count > longest:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        raise Refused(message % {"limit": longest, "count": count}, "too_long", "text")
    return said
