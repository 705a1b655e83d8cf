"""Fact checks: the factual parts only, until the end of a day, answered once, each correction settled with a reason."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from common.errors import NotAllowed, NotReady, Refused
from common.fiscal_year import date_text
from evaluations.actions.fact_checks import answer_fact_check, resume_finding, send_fact_check, settle_correction
from evaluations.actions.findings import give_finding, save_finding
from evaluations.models import FactCheck, FactCorrection, Finding, Round
from evaluations.queries.findings import fact_checks_awaiting, fact_checks_visible_to
from programs.actions.recusals import recuse
from tests.cast import again
from tests.factories.findings import DRAFT, F1, case_of, drafted, scored

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def made(cast, twin):
    whole = scored(cast, twin)
    Round.objects.filter(pk=whole.round.pk).update(fact_check_due_on=timezone.localdate() + timedelta(days=7))
    drafted(cast, whole)
    return whole


def send(cast, made, days=7, by="secretariat1"):
    due_on = timezone.localdate() + timedelta(days=days)
    return send_fact_check(case_of(made), due_on=due_on, by=cast[by], at=NOW())


def answer(cast, check, at=None, by="pi1", has_no_errors=False, **corrections):
    return answer_fact_check(
        check, has_no_errors=has_no_errors, corrections=corrections, by=cast[by], at=at or NOW()
    )  # fmt: skip


def give(cast, made):
    return give_finding(
        case_of(made), revision=Finding.objects.get().revision, by=cast["chair1"], at=NOW()
    )  # fmt: skip


def test_draft_when_sent_then_the_team_reads_the_factual_parts_as_they_were(cast, made):
    send(cast, made)
    assert Finding.objects.get().state == "checking"
    found = fact_checks_visible_to(cast["pi1"]).get()
    assert [found.overall, found.strengths, found.remarks] == [
        DRAFT[name] for name in ("overall", "strengths", "remarks")
    ]
    assert not {"grade", "recommendation", "conditions"} & {one.name for one in FactCheck._meta.get_fields()}
    with pytest.raises(NotAllowed):  # what is being checked is not written at the same time
        save_finding(case_of(made), values={"overall": "x"}, revision=1, by=cast["secretariat1"], at=NOW())


def test_fact_check_when_asked_by_each_of_the_cast_then_seen_by_the_team_that_answers(cast, twin, made):
    assert not any(fact_checks_visible_to(cast[name]).exists() for name in cast)
    send(cast, made)
    assert {name for name in cast if fact_checks_visible_to(again(cast[name])).exists()} == {"pi1", "hq1"}
    recuse(
        cast["hq1"].person, twin[F1], starts_on=timezone.localdate(), source_ref="COI-X", by=cast["staff1"], at=NOW()
    )
    assert not fact_checks_visible_to(again(cast["hq1"])).exists()


@pytest.mark.parametrize(
    "name", ["pi2", "coinvestigator1", "office1", "chair1", "secretariat1", "staff1", "evaluator2"]
)
def test_fact_check_when_answered_by_anybody_else_then_refused(cast, made, name):
    with pytest.raises(NotAllowed):
        answer(cast, send(cast, made), by=name, overall="誤り")
    assert not FactCorrection.objects.exists()


def test_fact_check_when_answered_on_its_last_day_then_kept_and_a_day_later_refused(cast, made):
    check = send(cast, made, days=0)
    tomorrow = NOW() + timedelta(days=1)
    with pytest.raises(Refused) as late:
        answer(cast, check, at=tomorrow, overall="誤り")
    assert (late.value.code, date_text(check.due_on, "ja") in str(late.value)) == ("late", True)
    assert not FactCorrection.objects.exists()
    answer(cast, check, overall="量子ビット数は 64 です。")
    assert Finding.objects.get().state == "drafting"
    with pytest.raises(Refused) as twice:
        answer(cast, check, has_no_errors=True)
    assert twice.value.code == "twice"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "empty"), ({"overall": "  "}, "empty"), ({"overall": "x", "has_no_errors": True}, "both"),
        ({"remarks": "あ" * 4001}, "too_long"),
    ],
)  # fmt: skip
def test_answer_when_it_says_nothing_or_both_then_refused(cast, made, given, code):
    with pytest.raises(Refused) as refusal:
        answer(cast, send(cast, made), **given)
    assert refusal.value.code == code
    assert FactCheck.objects.get().answered_at is None


@pytest.mark.parametrize("days", [-1, 400])
def test_draft_when_sent_for_an_impossible_day_then_refused(cast, made, days):
    with pytest.raises(Refused) as refusal:
        send(cast, made, days=days)
    assert refusal.value.field == "due_on"
    assert not FactCheck.objects.exists()


@pytest.mark.parametrize("name", ["pi1", "staff1", "evaluator2", "pd1", "po1"])
def test_draft_when_sent_by_anybody_else_then_refused(cast, made, name):
    with pytest.raises(NotAllowed):
        send(cast, made, by=name)


def test_finding_when_the_round_has_a_day_for_the_check_then_not_given_before_it_is_held(cast, made):
    with pytest.raises(NotReady) as refusal:
        give(cast, made)
    assert [one.code for one in refusal.value.blockers] == ["not_sent"]
    check = send(cast, made)
    with pytest.raises(NotReady) as refusal:
        give(cast, made)
    assert [one.code for one in refusal.value.blockers] == ["awaited"]
    answer(cast, check, has_no_errors=True)
    assert give(cast, made).state == "given"


def test_corrections_when_not_settled_then_the_finding_waits_and_each_needs_a_reason(cast, made):
    check = send(cast, made)
    answer(cast, check, overall="量子ビット数は 64 です。", remarks="採用は4名です。")
    with pytest.raises(NotReady) as refusal:
        give(cast, made)
    assert [(one.code, "2" in one.message) for one in refusal.value.blockers] == [("not_settled", True)]
    first, second = FactCorrection.objects.order_by("pk")
    how = {"by": cast["secretariat1"], "at": NOW()}
    for outcome, reason in (("taken", " "), ("perhaps", "x")):
        with pytest.raises(Refused):
            settle_correction(first, outcome=outcome, reason=reason, **how)
    with pytest.raises(NotAllowed):
        settle_correction(first, outcome="taken", reason="x", by=cast["pi1"], at=NOW())
    settle_correction(first, outcome="taken", reason="資料3で確認した。", **how)
    settle_correction(second, outcome="not_taken", reason="評価の対象期間の後である。", **how)
    assert give(cast, made).state == "given"


def test_check_when_nobody_answered_by_its_day_then_the_draft_is_taken_up_again_and_given(cast, made):
    check = send(cast, made)
    with pytest.raises(Refused):
        resume_finding(case_of(made), by=cast["secretariat1"], at=NOW())
    later = NOW() + timedelta(days=8)
    assert resume_finding(case_of(made), by=cast["secretariat1"], at=later).state == "drafting"
    check.refresh_from_db()
    assert (check.closed_at, check.answered_at) == (later, None)
    assert give(cast, made).state == "given"


def test_check_when_lapsed_then_the_chair_gives_without_more_ado(cast, made):
    send(cast, made)
    later = NOW() + timedelta(days=8)
    found = give_finding(case_of(made), revision=1, by=cast["chair1"], at=later)
    assert (found.state, FactCheck.objects.get().closed_at) == ("given", later)


def test_check_when_written_past_the_actions_then_the_database_refuses(cast, made):
    check = send(cast, made)
    with pytest.raises(IntegrityError), transaction.atomic():
        FactCheck.objects.filter(pk=check.pk).update(overall="別の文")
    answer(cast, check, overall="誤り")
    for change in ({"answered_by": cast["pi2"]}, {"closed_at": NOW()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FactCheck.objects.filter(pk=check.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        FactCorrection.objects.update(text="別の文")
    with pytest.raises(DatabaseError), transaction.atomic():
        FactCorrection.objects.all().delete()


def test_fact_checks_awaiting_when_answered_then_gone(cast, made):
    check = send(cast, made)
    assert list(fact_checks_awaiting(cast["pi1"])) == [check]
    assert list(fact_checks_awaiting(cast["evaluator2"])) == []
    answer(cast, check, has_no_errors=True)
    assert list(fact_checks_awaiting(cast["pi1"])) == []
