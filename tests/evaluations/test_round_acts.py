"""Rounds and rubrics: made, written, opened when whole, closed at their time, cloned; everything else is refused."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from common.actors import SYSTEM
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from evaluations.actions import rounds, rubrics
from evaluations.actions.cases import invalidate_round
from evaluations.models import GateReview, Round, Rubric, RubricItem
from evaluations.rules.rounds import contracts_missed, first_day_in_force
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db

VALUES = {
    "kind": "stage_gate", "subject": "project", "area": None, "gate": None, "name_ja": "第2回ステージゲート評価",
    "name_en": "Second stage gate", "fiscal_year": 2026, "chair_source": "independent", "readers_per_case": 3,
    "cases_per_reader_min": 0, "cases_per_reader_max": 8, "quorum": 3, "objection_days": 30,
}  # fmt: skip
LEVELS = [{"code": "a", "points": Decimal(4)}, {"code": "b", "points": Decimal(3)}, {"code": "c", "points": Decimal(2)}]
ITEM = {
    "code": "goal", "position": 1, "name_ja": "目標の達成度", "weight_percent": Decimal(60), "is_text_only": False,
    "threshold": Decimal(2), "may_be_not_applicable": True, "is_comment_required": False,
}  # fmt: skip
GRADES = [
    {"code": "S", "name_ja": "特に優れている", "from_points": Decimal("3.5")},
    {"code": "A", "name_ja": "優れている", "from_points": Decimal(2)},
]


def made(cast, twin_program) -> Round:
    return rounds.make_round(twin_program, values=VALUES, by=cast["staff1"], at=timezone.now())


def whole(cast, twin_program) -> Round:
    """A round in preparation that lacks nothing."""
    one, by, at = made(cast, twin_program), cast["staff1"], timezone.now()
    for n, (code, weight) in enumerate((("goal", 60), ("plan", 40))):
        rubrics.save_item(
            one.rubric, "", values=ITEM | {"code": code, "weight_percent": Decimal(weight), "position": n},
            levels=LEVELS, revision=n, by=by, at=at,
        )  # fmt: skip
    rubrics.save_grades(one.rubric, grades=GRADES, revision=2, by=by, at=at)
    rounds.save_documents(one, documents=[{"name_ja": "自己評価書", "is_required": True}], by=by, at=at)
    secretary = rounds.appoint_secretary(one, person=cast["secretariat1"].person, by=by, at=at)
    rounds.approve_secretary(secretary, by=cast["staff2"], at=at)
    return one


def test_round_when_made_then_has_calendar_panel_and_rubric(cast, twin_program):
    one = made(cast, twin_program)
    assert (one.state, one.panel.ref[:3], one.rubric.items.count()) == ("drafting", "PNL", 0)
    assert one.calls_on >= timezone.localdate()
    assert one.first_close_at < one.final_close_at


@pytest.mark.parametrize("name", ["pd1", "po1", "secretariat1", "chair1", "pi1", "auditor1", "jst1"])
def test_round_when_made_by_others_then_refused(cast, twin_program, name):
    with pytest.raises(NotAllowed):
        rounds.make_round(twin_program, values=VALUES, by=cast[name], at=timezone.now())


def test_round_when_opened_early_then_everything_missing_is_named(cast, twin_program):
    one = made(cast, twin_program)
    with pytest.raises(NotReady) as refusal:
        rounds.open_round(one, by=cast["staff1"], at=timezone.now())
    assert [blocker.code for blocker in refusal.value.blockers] == ["no_criteria", "no_legend", "missing", "missing"]


def test_round_when_whole_then_opens_once(cast, twin_program):
    one = rounds.open_round(whole(cast, twin_program), by=cast["staff1"], at=timezone.now())
    assert (one.state, one.opened_by) == ("open", cast["staff1"])
    with pytest.raises(NotAllowed):
        rounds.open_round(one, by=cast["staff1"], at=timezone.now())


def test_weights_when_they_do_not_sum_then_named_with_their_sum(cast, twin_program):
    one = whole(cast, twin_program)
    item = one.rubric.items.get(code="plan")
    rubrics.save_item(
        one.rubric, "plan", values=ITEM | {"code": "plan", "weight_percent": Decimal("39.5"), "position": item.position},
        levels=LEVELS, revision=3, by=cast["staff1"], at=timezone.now(),
    )  # fmt: skip
    with pytest.raises(NotReady) as refusal:
        rounds.open_round(one, by=cast["staff1"], at=timezone.now())
    assert [blocker.code for blocker in refusal.value.blockers] == ["weights"]
    assert "99.5%" in refusal.value.blockers[0].message


def test_calendar_when_the_round_is_for_a_later_year_then_counted_back_from_its_own_contracts(cast, twin_program):
    values = VALUES | {"fiscal_year": 2031}
    one = rounds.make_round(twin_program, values=values, by=cast["staff1"], at=timezone.now())
    assert date(2032, 3, 1) < one.decision_due_on < date(2032, 4, 1)


@pytest.mark.parametrize(("days", "missed"), [(14, False), (30, True), (0, False)])
def test_decision_when_its_objection_window_ends_after_the_contracts_then_the_round_says_so(
    cast, twin_program, days, missed
):
    values = VALUES | {"objection_days": days}
    one = rounds.make_round(twin_program, values=values, by=cast["staff1"], at=timezone.now())
    contracts_on = date(one.decision_due_on.year, 4, 1)
    assert contracts_missed(one) == (contracts_on if missed else None)
    assert first_day_in_force(one) == one.decision_due_on + timedelta(days=days + 1 if days else 0)
    one.kind = "ex_post"
    assert contracts_missed(one) is None


def test_window_for_objections_when_nobody_chooses_then_decisions_are_in_force_at_the_contracts(twin_program):
    one = Round(program=twin_program, kind="stage_gate", **rounds.proposed_days(contracts_on=date(2027, 4, 1)))
    assert one.objection_days == 14
    assert contracts_missed(one) is None


def test_round_when_its_days_have_passed_then_is_not_opened(cast, twin_program):
    one = whole(cast, twin_program)
    late = one.first_close_at + timedelta(minutes=1)
    with pytest.raises(NotReady) as refusal:
        rounds.open_round(one, by=cast["staff1"], at=late)
    assert [(blocker.field, blocker.code) for blocker in refusal.value.blockers] == [
        ("dossier_due_on", "past"), ("first_close_at", "past"),
    ]  # fmt: skip


def test_rubric_when_a_score_hangs_on_it_then_neither_actions_nor_raw_sql_change_it(cast, twin_program):
    one = whole(cast, twin_program)
    rubrics.fix_rubric(one.rubric, at=timezone.now())
    with pytest.raises(Refused) as refusal:
        rubrics.save_item(
            one.rubric, "plan", values=ITEM | {"code": "plan"}, levels=LEVELS, revision=3, by=cast["staff1"],
            at=timezone.now(),
        )  # fmt: skip
    assert refusal.value.code == "rubric_is_fixed"
    for change in (
        lambda: RubricItem.objects.filter(rubric=one.rubric).update(weight_percent=1),
        lambda: RubricItem.objects.filter(rubric=one.rubric, code="plan").delete(),
        lambda: one.rubric.grades.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_rubric_when_saved_from_an_older_page_then_stale(cast, twin_program):
    one = whole(cast, twin_program)
    with pytest.raises(StaleEdit):
        rubrics.remove_item(one.rubric, "plan", revision=1, by=cast["staff1"], at=timezone.now())
    assert one.rubric.items.filter(code="plan").exists()


@pytest.mark.parametrize(
    ("change", "levels", "codes"),
    [
        ({"weight_percent": Decimal(101)}, LEVELS, ["range"]),
        ({"code": "goal"}, LEVELS, ["twice"]),
        ({}, LEVELS[:1], ["too_few", "range"]),
        ({}, [LEVELS[0], LEVELS[0]], ["twice", "range"]),
        ({"threshold": Decimal(5)}, LEVELS, ["range"]),
        ({"name_ja": "  "}, LEVELS, ["required"]),
    ],
)
def test_criterion_when_wrong_then_refused_and_nothing_written(cast, twin_program, change, levels, codes):
    one = whole(cast, twin_program)
    values = ITEM | {"code": "fresh", "position": 9} | change
    with pytest.raises(NotReady) as refusal:
        rubrics.save_item(
            one.rubric, "", values=values, levels=levels, revision=3, by=cast["staff1"], at=timezone.now()
        )
    assert [blocker.code for blocker in refusal.value.blockers] == codes
    assert set(one.rubric.items.values_list("code", flat=True)) == {"goal", "plan"}


def test_scores_when_closed_before_their_time_then_refused_and_at_their_time_once(cast, twin):
    one = make_round(cast, twin).round
    for final, limit in ((False, one.first_close_at), (True, one.final_close_at)):
        with pytest.raises(NotReady):
            rounds.close_scores(one, final=final, by=SYSTEM, at=limit - timedelta(seconds=1))
        assert rounds.close_due_scores(by=SYSTEM, at=limit) == 1
        assert rounds.close_due_scores(by=SYSTEM, at=limit) == 0
    one.refresh_from_db()
    assert (one.state, one.final_closed_at) == ("final_closed", one.final_close_at)


def test_calendar_when_the_round_is_open_then_changed_with_a_reason_and_never_what_has_passed(cast, twin):
    one = make_round(cast, twin).round
    days = {step: getattr(one, step) for step in rounds.STEPS}
    later = days | {"decision_due_on": days["decision_due_on"] + timedelta(days=7)}
    with pytest.raises(NotReady) as refusal:
        rounds.save_calendar(one, values=later, revision=0, by=cast["staff1"], at=timezone.now())
    assert [blocker.field for blocker in refusal.value.blockers] == ["reason"]
    saved = rounds.save_calendar(
        one, values=later, revision=0, reason="委員の都合", by=cast["secretariat1"], at=timezone.now()
    )
    assert saved.decision_due_on == later["decision_due_on"]
    wrong = later | {"calls_on": timezone.localdate(), "first_close_at": timezone.now() - timedelta(days=1)}
    with pytest.raises(NotReady) as refusal:
        rounds.save_calendar(one, values=wrong, revision=1, reason="x", by=cast["staff1"], at=timezone.now())
    assert {(blocker.field, blocker.code) for blocker in refusal.value.blockers} >= {
        ("calls_on", "past"), ("first_close_at", "past"),
    }  # fmt: skip


def test_round_when_cloned_then_rubric_documents_and_spacing_come_along_and_people_do_not(cast, twin_program):
    one = whole(cast, twin_program)
    copy = rounds.clone_round(one, fiscal_year=2027, by=cast["staff2"], at=timezone.now())
    assert (copy.state, copy.cloned_from, copy.rubric.number, copy.rubric.base) == ("drafting", one, 2, one.rubric)
    assert [item.levels.count() for item in copy.rubric.items.all()] == [3, 3]
    assert [grade.code for grade in copy.rubric.grades.all()] == ["S", "A"]
    assert list(copy.documents.values_list("name_ja", flat=True)) == ["自己評価書"]
    assert copy.secretaries.count() == 0
    assert abs((copy.decision_due_on - one.decision_due_on).days - 365) <= 6
    with pytest.raises(Refused):
        rounds.clone_round(one, fiscal_year=2026, by=cast["staff2"], at=timezone.now())


def test_round_when_invalid_then_is_run_anew_in_the_same_year(cast, twin_program):
    one = rounds.open_round(whole(cast, twin_program), by=cast["staff1"], at=timezone.now())
    invalidate_round(one, reason="委員の構成に誤りがあった。", by=cast["staff1"], at=timezone.now())
    one.refresh_from_db()
    copy = rounds.clone_round(one, fiscal_year=one.fiscal_year, by=cast["staff2"], at=timezone.now())
    assert (copy.state, copy.fiscal_year, copy.cloned_from) == ("drafting", 2026, one)
    assert copy.decision_due_on == one.decision_due_on


def test_secretary_when_approved_by_the_proposer_then_refused_by_action_and_database(cast, twin_program):
    one = made(cast, twin_program)
    secretary = rounds.appoint_secretary(one, person=cast["secretariat1"].person, by=cast["staff1"], at=timezone.now())
    with pytest.raises(NotAllowed):
        rounds.approve_secretary(secretary, by=cast["staff1"], at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        type(secretary).objects.filter(pk=secretary.pk).update(approved_by=cast["staff1"])
    assert not Round.objects.filter(pk=one.pk, secretaries__approved_by__isnull=False).exists()


def test_round_when_closed_with_reviews_open_then_each_is_named(cast, twin):
    whole_round = make_round(cast, twin, state="final_closed")
    with pytest.raises(NotReady) as refusal:
        rounds.close_round(whole_round.round, by=cast["staff1"], at=timezone.now())
    refs = {review.ref for review in whole_round.reviews.values()}
    assert {blocker.field for blocker in refusal.value.blockers} == refs


@pytest.mark.parametrize(
    ("state", "wrong"), [("drafting", "first_closed"), ("open", "final_closed"), ("open", "closed")]
)
def test_states_when_skipped_in_raw_sql_then_refused(cast, twin, twin_program, state, wrong):
    one = made(cast, twin_program) if state == "drafting" else make_round(cast, twin).round
    with pytest.raises(DatabaseError), transaction.atomic():
        Round.objects.filter(pk=one.pk).update(state=wrong)


def test_gate_review_when_of_two_subjects_or_twice_in_a_round_then_the_database_refuses(cast, twin):
    made_round = make_round(cast, twin)
    review = made_round.reviews["sample-ql1-f1"]
    with pytest.raises(IntegrityError), transaction.atomic():
        GateReview.objects.filter(pk=review.pk).update(area=twin["sample-ql1-f1"].area)
    with pytest.raises(IntegrityError), transaction.atomic():
        GateReview.objects.create(
            round=made_round.round, project=review.project, is_sample=True, called_at=timezone.now(),
            called_by=cast["staff1"],
        )  # fmt: skip


def test_rubric_belongs_to_one_round_only(cast, twin_program):
    one = made(cast, twin_program)
    with pytest.raises(IntegrityError), transaction.atomic():
        Round.objects.create(
            name_ja="x", kind="mid_term", program=twin_program, fiscal_year=2027, rubric=one.rubric, is_sample=True,
            made_by=cast["staff1"], made_at=timezone.now(), calls_on=date(2027, 1, 4),
        )  # fmt: skip
    assert Rubric.objects.filter(pk=one.rubric_id).count() == 1
