"""Score sheets: written alone, in by the first close, revised after the hearing, returned; who reads them when."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from evaluations.actions.score_sheets import give_reading_reason, return_sheet, save_sheet, submit_sheet
from evaluations.models import Round, Rubric, ScoreSheet, SheetScore
from evaluations.queries.score_sheets import (
    assignments_visible_to,
    read_sheet,
    sheets_awaiting,
    sheets_listed_to,
    sheets_visible_to,
)
from evaluations.rules.score_sheets import sheet_actions
from evaluations.scoring import Answer
from programs.actions.recusals import recuse
from tests.cast import again
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db
F1, F2 = "sample-ql1-f1", "sample-ql1-f2"
LONG = "目標を上回る成果が国際的にも認められている。根拠は資料3。"
WHOLE = {
    "goal": Answer("goal", "a", comment=LONG), "plan": Answer("plan", "b"), "team": Answer("team", "", True),
    "remarks": Answer("remarks", comment="特になし"),
}  # fmt: skip


@pytest.fixture
def made(cast, twin):
    whole = make_round(cast, twin)
    whole.assign(F1, "evaluator2", "evaluator3", by=cast["staff1"])
    whole.assign(F2, "evaluator2", "evaluator1", by=cast["staff1"])
    return whole


def of(made, name, project=F1):
    return made.cases[project].assignments.get(member=made.members[name])


def save(made, user, name, answers=WHOLE, revision=0, project=F1, at=None):
    return save_sheet(of(made, name, project), answers=answers, revision=revision, by=user, at=at or timezone.now())


def handed_in(made, user, name, project=F1):
    save(made, user, name, project=project)
    return submit_sheet(of(made, name, project), by=user, at=timezone.now())


def stand_at(made, state, *, hearing=True):
    """Put the round behind its first or final close; the clock is the test's own `at`."""
    now = timezone.now()
    values = {
        "first_close_at": now - timedelta(days=2),
        "hearing_on": (now - timedelta(days=1 if hearing else -1)).date(),
    }
    for step in ("first_closed", "final_closed", "closed")[
        : ("first_closed", "final_closed", "closed").index(state) + 1
    ]:
        Round.objects.filter(pk=made.round.pk).update(state=step)
    if state != "first_closed":
        values["final_close_at"] = now - timedelta(days=1)
    Round.objects.filter(pk=made.round.pk).update(**values)


# Writing --------------------------------------------------------------------------------------------------------------


def test_sheet_when_saved_then_fixes_the_rubric_and_is_on_record_without_its_words(cast, made):
    sheet = save(made, cast["evaluator2"], "evaluator2")
    read = read_sheet(of(made, "evaluator2"))
    assert (sheet.revision, read.answers, str(read.total)) == (1, WHOLE, "3.63")
    assert Rubric.objects.get(pk=made.rubric.pk).fixed_at is not None
    entry = history_of(sheet).get()
    assert (entry.action, LONG in str(entry.after)) == ("save_sheet", False)


def test_sheet_when_the_weights_of_an_open_round_do_not_sum_then_nothing_is_scored_until_they_do(cast, made):
    made.rubric.items.filter(code="team").update(weight_percent=10)
    with pytest.raises(Refused) as refusal:
        save(made, cast["evaluator2"], "evaluator2")
    assert refusal.value.code == "rubric_unfinished"
    assert ScoreSheet.objects.count() == 0
    made.rubric.items.filter(code="team").update(weight_percent=20)
    save(made, cast["evaluator2"], "evaluator2")
    assert Rubric.objects.get(pk=made.rubric.pk).fixed_at is not None


def test_sheet_when_half_done_then_is_saved_but_not_handed_in(cast, made):
    half = {"goal": Answer("goal", "a")}
    save(made, cast["evaluator2"], "evaluator2", half)
    with pytest.raises(NotReady) as refusal:
        submit_sheet(of(made, "evaluator2"), by=cast["evaluator2"], at=timezone.now())
    assert [(one.field, one.code) for one in refusal.value.blockers] == [("plan", "missing"), ("team", "missing")]
    assert ScoreSheet.objects.get().state == "draft"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer("goal", "e"), "off_scale"),
        (Answer("goal", "4"), "off_scale"),
        (Answer("remarks", "a"), "text_only"),
        (Answer("other", "a"), "unknown_item"),
        (Answer("goal", "a", True), "grade_and_not_applicable"),
        (Answer("goal", comment="あ" * 2001), "too_long"),
    ],
)
def test_sheet_when_an_answer_cannot_be_then_nothing_is_written(cast, made, answer, code):
    with pytest.raises(NotReady) as refusal:
        save(made, cast["evaluator2"], "evaluator2", {"plan": Answer("plan", "a"), answer.item: answer})
    assert [(one.field, one.code) for one in refusal.value.blockers] == [(answer.item, code)]
    assert not SheetScore.objects.exists()


def test_sheet_when_saved_in_another_tab_then_is_refused_with_both_and_nothing_is_lost(cast, made):
    save(made, cast["evaluator2"], "evaluator2", {"goal": Answer("goal", "a")})
    with pytest.raises(StaleEdit) as stale:
        save(made, cast["evaluator2"], "evaluator2", {"goal": Answer("goal", "d")}, revision=0)
    assert stale.value.current.answers["goal"].level == "a"
    assert stale.value.submitted["goal"].level == "d"
    save(made, cast["evaluator2"], "evaluator2", {"goal": Answer("goal", "a")}, revision=0)
    assert read_sheet(of(made, "evaluator2")).revision == 1


@pytest.mark.parametrize("name", ["evaluator1", "evaluator4", "chair1", "secretariat1", "staff1", "pd1", "pi1"])
def test_sheet_when_written_by_anybody_else_then_refused(cast, made, name):
    with pytest.raises(NotAllowed):
        save(made, cast[name], "evaluator2")
    save(made, cast["evaluator2"], "evaluator2")
    with pytest.raises(NotAllowed):
        save(made, cast[name], "evaluator2", {"goal": Answer("goal", "d")}, revision=1)
    with pytest.raises(NotAllowed):
        submit_sheet(of(made, "evaluator2"), by=cast[name], at=timezone.now())


def test_sheet_when_a_conflict_is_confirmed_then_is_closed_to_its_reader(cast, made, twin):
    handed_in(made, cast["evaluator2"], "evaluator2")
    recuse(
        cast["evaluator2"].person, twin[F1], starts_on=timezone.localdate(), source_ref="COI-X", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    user = again(cast["evaluator2"])
    assert F1 not in [one.case.gate_review.project.ref for one in assignments_visible_to(user)]
    assert not sheets_visible_to(user).filter(assignment__case=made.cases[F1]).exists()
    with pytest.raises(NotAllowed):
        save(made, user, "evaluator2", {"goal": Answer("goal", "d")}, revision=1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"member": "ended"}, ""),
        ({"assignment": "replaced"}, ""),
        ({"case": "concluded"}, ""),
        ({"round": "invalidated"}, ""),
    ],
)
def test_sheet_when_the_ground_is_gone_then_cannot_be_written(cast, made, change, why):
    one = of(made, "evaluator2")
    rows = {"member": one.member, "assignment": one, "case": one.case, "round": made.round}
    for name, state in change.items():
        more = {"invalidated_reason": "x"} if state == "invalidated" else {}
        type(rows[name]).objects.filter(pk=rows[name].pk).update(state=state, **more)
    with pytest.raises(NotAllowed):
        save(made, cast["evaluator2"], "evaluator2")


# The closes -----------------------------------------------------------------------------------------------------------


def test_sheet_when_first_scores_closed_by_the_clock_then_is_refused_though_nobody_has_closed_the_round(cast, made):
    handed_in(made, cast["evaluator2"], "evaluator2")
    late = made.round.first_close_at
    assert made.round.state == "open"
    for name, revision in (("evaluator2", 1), ("evaluator3", 0)):
        with pytest.raises(NotAllowed):
            save(made, cast[name], name, {"goal": Answer("goal", "d")}, revision=revision, at=late)
    save(
        made,
        cast["evaluator2"],
        "evaluator2",
        {"goal": Answer("goal", "d")},
        revision=1,
        at=late - timedelta(seconds=1),
    )


def test_sheet_when_revised_after_the_hearing_then_the_first_scores_stay(cast, made):
    handed_in(made, cast["evaluator2"], "evaluator2")
    save(made, cast["evaluator3"], "evaluator3")
    stand_at(made, "first_closed")
    save(
        made,
        cast["evaluator2"],
        "evaluator2",
        {"goal": Answer("goal", "c", comment="質疑で弱点が見えた。")},
        revision=1,
    )
    save(made, cast["evaluator2"], "evaluator2", {"plan": Answer("plan", "c")}, revision=2)
    read = read_sheet(of(made, "evaluator2"))
    assert (read.answers["goal"].level, read.answers["plan"].level) == ("c", "c")
    assert read.first == WHOLE
    assert (read.sheet.state, read.sheet.revised_at is not None) == ("submitted", True)
    with pytest.raises(NotAllowed):  # the other one was not in by the first close
        save(made, cast["evaluator3"], "evaluator3", {"goal": Answer("goal", "c")}, revision=1)


def test_sheet_when_revised_then_stays_whole(cast, made):
    handed_in(made, cast["evaluator2"], "evaluator2")
    with pytest.raises(NotReady) as refusal:
        save(made, cast["evaluator2"], "evaluator2", {"goal": Answer("goal", "")}, revision=1)
    assert [one.code for one in refusal.value.blockers] == ["missing"]


def test_sheet_when_before_the_hearing_or_after_the_final_close_then_cannot_be_revised(cast, made):
    handed_in(made, cast["evaluator2"], "evaluator2")
    stand_at(made, "first_closed", hearing=False)
    with pytest.raises(NotAllowed):
        save(made, cast["evaluator2"], "evaluator2", {"goal": Answer("goal", "c")}, revision=1)
    stand_at(made, "final_closed")
    with pytest.raises(NotAllowed):
        save(made, cast["evaluator2"], "evaluator2", {"goal": Answer("goal", "c")}, revision=1)


def test_scores_when_written_past_the_actions_then_the_database_refuses(cast, made):
    sheet = handed_in(made, cast["evaluator2"], "evaluator2")
    stand_at(made, "first_closed")
    rows = SheetScore.objects.filter(sheet=sheet)
    changes = [{"comment": "x"}, {"first_comment": "x"}, {"comment": "x"}]
    for number, change in enumerate(changes):
        if number == 1:
            save(made, cast["evaluator2"], "evaluator2", {"plan": Answer("plan", "c")}, revision=1)
        if number == 2:
            Round.objects.filter(pk=made.round.pk).update(state="final_closed")
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()


# Returned -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("chair1", True),
        ("secretariat1", True),
        ("evaluator3", False),
        ("staff1", False),
        ("pd1", False),
        ("evaluator2", False),
    ],
)
def test_sheet_when_returned_then_by_chair_or_secretariat_alone(cast, made, name, may):
    sheet = handed_in(made, cast["evaluator2"], "evaluator2")
    if may:
        assert (
            return_sheet(sheet, reason="根拠の資料番号を書いてください。", by=cast[name], at=timezone.now()).state
            == "returned"
        )
    else:
        with pytest.raises(NotAllowed):
            return_sheet(sheet, reason="x", by=cast[name], at=timezone.now())


def test_sheet_when_returned_then_needs_a_reason_and_is_handed_in_again(cast, made):
    sheet = handed_in(made, cast["evaluator2"], "evaluator2")
    with pytest.raises(Refused) as refusal:
        return_sheet(sheet, reason=" ", by=cast["chair1"], at=timezone.now())
    assert refusal.value.field == "reason"
    return_sheet(sheet, reason="根拠を。", by=cast["chair1"], at=timezone.now())
    assert of(made, "evaluator2") in list(sheets_awaiting(cast["evaluator2"]))
    save(made, cast["evaluator2"], "evaluator2", {"plan": Answer("plan", "b", comment="資料5。")}, revision=1)
    assert submit_sheet(of(made, "evaluator2"), by=cast["evaluator2"], at=timezone.now()).state == "submitted"
    assert of(made, "evaluator2") not in list(sheets_awaiting(cast["evaluator2"]))


# Who reads ------------------------------------------------------------------------------------------------------------

#: State of the round > who reads evaluator3's sheet of the case; those who give a reason first have given it.
READERS = {
    "open": {"evaluator3", "auditor1"},
    "first_closed": {"evaluator3", "auditor1", "evaluator2", "chair1", "secretariat1", "jst1", "jst2"},
    "final_closed": {
        "evaluator3", "auditor1", "evaluator2", "chair1", "secretariat1", "jst1", "jst2", "staff1", "staff2", "pd1",
        "deputy1", "po1",
    },
}  # fmt: skip
#: Whoever may know that it exists, whatever the state.
KNOWS = {
    "evaluator3",
    "auditor1",
    "chair1",
    "secretariat1",
    "jst1",
    "jst2",
    "staff1",
    "staff2",
    "pd1",
    "deputy1",
    "po1",
}


@pytest.mark.parametrize("state", READERS)
def test_sheets_when_each_of_the_cast_looks_then_as_the_table_says(cast, made, state):
    handed_in(made, cast["evaluator2"], "evaluator2")
    sheet = handed_in(made, cast["evaluator3"], "evaluator3")
    if state != "open":
        stand_at(made, state)
    for name in ("secretariat1", "staff1", "staff2", "auditor1"):
        assert not sheets_visible_to(again(cast[name])).filter(pk=sheet.pk).exists()
        give_reading_reason(made.round, reason="評価会議の準備", by=cast[name], at=timezone.now())
    readers = {name for name in cast if sheets_visible_to(again(cast[name])).filter(pk=sheet.pk).exists()}
    assert readers == READERS[state]
    knows = {name for name in cast if sheets_listed_to(again(cast[name])).filter(pk=sheet.pk).exists()}
    assert knows == KNOWS | ({"evaluator2"} if state != "open" else set())


def test_sheets_when_the_own_is_not_in_then_others_stay_hidden_also_from_a_chair_who_reads(cast, made):
    made.assign(F1, "chair1", by=cast["staff1"])
    handed_in(made, cast["evaluator3"], "evaluator3")
    stand_at(made, "first_closed")
    for name in ("evaluator2", "chair1"):
        assert not sheets_visible_to(again(cast[name])).exists()
    stand_at(made, "final_closed")
    assert sheets_visible_to(again(cast["chair1"])).exists()
    assert not sheets_visible_to(again(cast["evaluator2"])).exists()


def test_sheets_when_a_reader_is_in_conflict_then_no_office_opens_them(cast, made, twin):
    handed_in(made, cast["evaluator3"], "evaluator3")
    stand_at(made, "final_closed")
    for name in ("chair1", "secretariat1", "staff1", "pd1", "jst1", "auditor1"):
        if name in ("secretariat1", "staff1", "auditor1"):
            give_reading_reason(made.round, reason="準備", by=cast[name], at=timezone.now())
        assert sheets_visible_to(again(cast[name])).exists()
        recuse(
            cast[name].person, twin[F1], starts_on=timezone.localdate(), source_ref=f"COI-{name}", by=cast["staff2"],
            at=timezone.now(),
        )  # fmt: skip
        assert not sheets_visible_to(again(cast[name])).exists()
        assert not sheets_listed_to(again(cast[name])).exists()


def test_sheet_actions_when_asked_by_each_then_only_the_reader_edits(cast, made):
    sheet = handed_in(made, cast["evaluator2"], "evaluator2")
    now = timezone.now()
    found = {name: sheet_actions(again(cast[name]), of(made, "evaluator2"), sheet, now) for name in cast}
    assert found["evaluator2"] == {"sheet.view", "sheet.edit"}
    assert found["chair1"] == found["secretariat1"] == {"sheet.return"}
    assert {name for name, acts in found.items() if acts} == {"evaluator2", "chair1", "secretariat1"}
