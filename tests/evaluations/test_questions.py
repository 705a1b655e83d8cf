"""Written questions: asked in time, sent without names, answered by the team in time, read by the panel without conflict."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import date_text
from evaluations.actions.questions import ask_question, hand_in_answers, save_answer, send_questions
from evaluations.models import Answer, Question, Round
from evaluations.queries.questions import (
    case_questions,
    cases_with_waiting_questions,
    questions_visible_to,
    reviews_questioned_of,
    reviews_to_answer,
    team_questions,
)
from programs.actions.recusals import recuse
from tests.cast import again
from tests.factories.findings import F1, case_of
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db
NOW = timezone.now
TODAY = timezone.localdate


@pytest.fixture
def made(cast, twin):
    whole = make_round(cast, twin)
    whole.assign(F1, "evaluator2", "evaluator3", by=cast["staff1"])
    Round.objects.filter(pk=whole.round.pk).update(
        questions_due_on=TODAY() + timedelta(days=3), answers_due_on=TODAY() + timedelta(days=7)
    )
    return whole


def ask(cast, made, name="evaluator2", text="雑音の原因は何ですか。", at=None):
    return ask_question(case_of(made), text=text, by=cast[name], at=at or NOW())


def send(cast, made, *questions, left_out=None, at=None):
    texts = {one.pk: one.text for one in questions}
    return send_questions(
        case_of(made), texts=texts, left_out=left_out or {}, by=cast["secretariat1"], at=at or NOW()
    )  # fmt: skip


def answer(cast, made, question, text="試料の欠陥です。", revision=0, by="pi1", at=None):
    return save_answer(
        case_of(made).gate_review, question.pk, text=text, revision=revision, by=cast[by], at=at or NOW()
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["evaluator1", "evaluator7", "secretariat1", "staff1", "pd1", "po1", "pi1", "auditor1", "jst1"]
)
def test_question_when_asked_by_anybody_but_the_panel_then_refused(cast, made, name):
    with pytest.raises(NotAllowed):
        ask(cast, made, name)
    assert not Question.objects.exists()


def test_question_when_late_then_refused_with_the_day(cast, made):
    last = Round.objects.get(pk=made.round.pk).questions_due_on
    ask(cast, made, at=NOW() + timedelta(days=3))
    with pytest.raises(Refused) as late:
        ask(cast, made, at=NOW() + timedelta(days=4))
    assert (late.value.code, date_text(last, "ja") in str(late.value)) == ("late", True)
    Round.objects.filter(pk=made.round.pk).update(questions_due_on=None)
    with pytest.raises(Refused):
        ask(cast, made)


@pytest.mark.parametrize("text", ["", "  ", "あ" * 1001])
def test_question_when_empty_or_too_long_then_refused(cast, made, text):
    with pytest.raises(Refused):
        ask(cast, made, text=text)


def test_questions_when_sent_then_the_team_reads_words_and_numbers_and_no_name(cast, made):
    first, second = ask(cast, made), ask(cast, made, "chair1", "費用の内訳は。")
    review = case_of(made).gate_review
    assert team_questions(cast["pi1"], review) == []
    send_questions(
        case_of(made), texts={second.pk: "費用の内訳を示してください。", first.pk: first.text}, left_out={},
        by=cast["secretariat1"], at=NOW(),
    )  # fmt: skip
    found = team_questions(again(cast["pi1"]), review)
    assert [(one.position, one.text) for one in found] == [(1, "費用の内訳を示してください。"), (2, first.text)]
    assert not any(hasattr(one, "member") for one in found)


def test_questions_when_sent_without_words_or_left_out_without_a_reason_then_each_is_named(cast, made):
    first, second = ask(cast, made), ask(cast, made, "evaluator3")
    with pytest.raises(NotReady) as refusal:
        send_questions(
            case_of(made), texts={first.pk: " "}, left_out={second.pk: ""}, by=cast["secretariat1"], at=NOW()
        )
    assert [one.field for one in refusal.value.blockers] == [f"text-{first.pk}", f"why-{second.pk}"]
    send(cast, made, first, left_out={second.pk: "同じ趣旨の質問がある。"})
    with pytest.raises(Refused):
        send(cast, made, first)
    with pytest.raises(NotAllowed):
        send_questions(case_of(made), texts={}, left_out={}, by=cast["staff1"], at=NOW())
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.filter(pk=first.pk).update(sent_text="x")


@pytest.mark.parametrize("name", ["coinvestigator1", "office1", "pi2", "po1", "secretariat1", "evaluator2", "staff1"])
def test_answer_when_written_by_anybody_else_then_refused(cast, made, name):
    (sent,) = send(cast, made, ask(cast, made))
    with pytest.raises(NotAllowed):
        answer(cast, made, sent, by=name)
    assert not Answer.objects.exists()


def test_answer_when_late_then_refused_and_what_was_saved_counts(cast, made):
    (sent,) = send(cast, made, ask(cast, made))
    answer(cast, made, sent, at=NOW() + timedelta(days=7))
    with pytest.raises(Refused) as late:
        answer(cast, made, sent, "遅れた答", revision=1, at=NOW() + timedelta(days=8))
    assert late.value.code == "late"
    with pytest.raises(Refused):
        hand_in_answers(case_of(made).gate_review, by=cast["pi1"], at=NOW() + timedelta(days=8))
    case = case_of(made)
    assert [one.answer for one in case_questions(cast["evaluator3"], case, NOW())] == [""]
    later = case_questions(cast["evaluator3"], case, NOW() + timedelta(days=8))
    assert [one.answer for one in later] == ["試料の欠陥です。"]


def test_answers_when_handed_in_then_the_panel_reads_them_and_they_stand(cast, made):
    first, second = send(cast, made, ask(cast, made), ask(cast, made, "evaluator3", "体制は。"))
    review = case_of(made).gate_review
    answer(cast, made, first)
    with pytest.raises(NotReady) as refusal:
        hand_in_answers(review, by=cast["pi1"], at=NOW())
    assert [one.field for one in refusal.value.blockers] == [f"question-{second.pk}"]
    answer(cast, made, second, "3名です。", by="hq1")
    assert hand_in_answers(review, by=cast["pi1"], at=NOW()) == 2
    for again_ in (
        lambda: answer(cast, made, first, "変更", revision=1),
        lambda: hand_in_answers(review, by=cast["pi1"], at=NOW()),
    ):
        with pytest.raises(Refused):
            again_()
    with pytest.raises(IntegrityError), transaction.atomic():
        Answer.objects.update(text="x")
    read = case_questions(cast["evaluator4"], case_of(made), NOW())
    assert [(one.asker, one.answer) for one in read] == [("", "試料の欠陥です。"), ("", "3名です。")]


def test_answer_when_saved_from_two_windows_then_both_come_back(cast, made):
    (sent,) = send(cast, made, ask(cast, made))
    answer(cast, made, sent)
    with pytest.raises(StaleEdit) as stale:
        answer(cast, made, sent, "別の答", by="hq1")
    assert stale.value.current.text == "試料の欠陥です。"


def test_questions_when_read_by_each_of_the_cast_then_names_for_chair_and_secretariat_only(cast, twin, made):
    waiting = ask(cast, made, "evaluator3", "未送付の質問")
    (sent,) = send(cast, made, ask(cast, made))
    team = {"pi1", "coinvestigator1", "hq1"}
    everybody = team | {
        "evaluator2",
        "evaluator4",
        "evaluator5",
        "evaluator6",
        "pd1",
        "deputy1",
        "po1",
        "staff1",
        "staff2",
        "jst1",
        "jst2",
    }
    found = {name: set(questions_visible_to(again(cast[name])).values_list("pk", flat=True)) for name in cast}
    assert {name for name, rows in found.items() if rows == {sent.pk}} == everybody
    assert {name for name, rows in found.items() if rows == {sent.pk, waiting.pk}} == {
        "evaluator3", "chair1", "secretariat1", "auditor1",
    }  # fmt: skip
    named = {name for name in cast if any(one.asker for one in case_questions(again(cast[name]), case_of(made), NOW()))}
    assert named == {"chair1", "secretariat1", "auditor1", "evaluator2", "evaluator3"}
    for name in ("chair1", "secretariat1", "evaluator2", "pd1", "pi1"):
        recuse(
            cast[name].person, twin[F1], starts_on=TODAY(), source_ref="COI-X", by=cast["staff1"], at=NOW()
        )  # fmt: skip
        assert not questions_visible_to(again(cast[name])).exists()
    with pytest.raises(NotAllowed):
        ask(cast | {"evaluator2": again(cast["evaluator2"])}, made)


def test_what_waits_when_listed_then_for_secretariat_and_team(cast, made):
    question = ask(cast, made)
    assert [one.pk for one in cases_with_waiting_questions(cast["secretariat1"])] == [made.cases[F1].pk]
    assert list(cases_with_waiting_questions(cast["chair1"])) == []
    assert reviews_to_answer(cast["pi1"], TODAY()) == []
    send(cast, made, question)
    assert list(cases_with_waiting_questions(again(cast["secretariat1"]))) == []
    who = {
        name: [one.pk for one in reviews_to_answer(again(cast[name]), TODAY())]
        for name in ("pi1", "hq1", "coinvestigator1", "chair1")
    }
    mine = [made.reviews[F1].pk]
    assert who == {"pi1": mine, "hq1": mine, "coinvestigator1": [], "chair1": []}
    assert reviews_to_answer(again(cast["pi1"]), TODAY() + timedelta(days=8)) == []
    assert [one.pk for one in reviews_questioned_of(again(cast["coinvestigator1"]))] == mine
