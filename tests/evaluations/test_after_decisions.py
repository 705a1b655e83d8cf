"""What follows a decision: money unlocked when it is in force, objections, conditions, wind-down, papers."""

import io
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from pypdf import PdfReader

from common.actors import SYSTEM
from common.errors import NotAllowed, NotReady, Refused
from common.models import OutgoingMail
from evaluations.actions import conditions, decisions, objections, releases
from evaluations.actions.dossiers import call_gate_reviews
from evaluations.documents import decision_file_pdf, decision_letter_pdf
from evaluations.models import Case, Condition, GateDecision, GateReview
from evaluations.queries.decisions import conditions_left, conditions_visible_to
from evaluations.queries.dossiers import board, dossier_content
from evaluations.rules.decisions import condition_actions, decision_actions
from evaluations.rules.dossiers import dossier_missing
from programs.actions import allocations, contracts
from programs.actions.change_orders import Order, end_by_order
from programs.actions.phase_locks import lock_phase
from programs.models import CostCategory, Participation, PhaseLock
from programs.queries.allocations import allocation_sheet
from tests.cast import again
from tests.factories.decisions import F1, F2, condition, decided, find, recommended, released, steps
from tests.factories.rounds import make_round
from tests.programs.test_contracts import drafted as drafted_contract

TODAY = timezone.localdate


def now():
    return timezone.now()


# Money ----------------------------------------------------------------------------------------------------------------


def split(cast, project, year, yen):
    """The area's allocation of a year with so much for the project, ready to be proposed."""
    made = allocations.open_allocation(allocations.node_for(project.area), year, by=cast["pd1"], at=now())
    return allocations.save_allocation(
        made, amounts={("project", project.pk): yen}, reason="試験", by=cast["pd1"], at=now()
    )


def locked_codes(made) -> list[str]:
    return [one.code for one in allocations.blockers_of(allocation_sheet(made)) if one.code == "phase_locked"]


@pytest.mark.django_db
def test_money_when_a_gate_is_undecided_then_locked_until_the_decision_is_in_force(cast, twin):
    project = twin[F1]
    review = recommended(cast, twin, F1).reviews[F1]
    free, held = split(cast, project, 2026, 1_000), split(cast, project, 2027, 1_000)
    assert (locked_codes(free), locked_codes(held)) == ([], ["phase_locked"])
    with pytest.raises(NotReady) as refusal:
        allocations.propose_allocation(held, by=cast["pd1"], at=now())
    assert "phase_locked" in [one.code for one in refusal.value.blockers]
    made = released(cast, review)
    assert locked_codes(held) == ["phase_locked"]
    assert releases.put_due_decisions_in_force(by=SYSTEM, at=now()) == 0
    later = now() + timedelta(days=review.round.objection_days + 1)
    assert releases.put_due_decisions_in_force(by=SYSTEM, at=later) == 1
    made.refresh_from_db()
    assert (made.state, made.in_force_at, locked_codes(held)) == ("in_force", later, [])
    assert releases.put_due_decisions_in_force(by=SYSTEM, at=later) == 0
    allocations.propose_allocation(held, by=cast["pd1"], at=now())


@pytest.mark.django_db
def test_money_when_the_round_knows_no_objections_then_unlocked_at_the_release(cast, twin):
    made = recommended(cast, twin, F1)
    made.round.objection_days = 0
    made.round.save(update_fields=["objection_days"])
    assert (
        released(cast, GateReview.objects.get(pk=made.reviews[F1].pk)).gate_review.decisions.get().state == "in_force"
    )
    assert PhaseLock.objects.get(project=twin[F1]).lifted_at is not None


@pytest.mark.django_db
def test_contract_when_its_year_is_locked_then_refused_but_less_than_before_may_flow(cast, twin):
    project = twin[F1]
    recommended(cast, twin, F1)
    goods = CostCategory.objects.get(ref="goods")
    lead = Participation.objects.get(project=project, role="lead").organization
    held = drafted_contract(project, lead, cast, {(2027, goods.pk): 100}, number="7")
    assert "phase_locked" in [one.code for one in contracts.blockers_of(held)]
    free = drafted_contract(project, lead, cast, {(2026, goods.pk): 100}, number="8")
    assert "phase_locked" not in [one.code for one in contracts.blockers_of(free)]


@pytest.mark.django_db
def test_money_when_deferred_with_bridging_then_up_to_the_cap_in_the_first_year_only(cast, twin):
    project = twin[F1]
    review = recommended(cast, twin, F1).reviews[F1]
    released(cast, review, "defer", bridging_yen=500)
    within = split(cast, project, 2027, 500)
    assert locked_codes(within) == []
    allocations.save_allocation(within, amounts={("project", project.pk): 501}, by=cast["pd1"], at=now())
    assert locked_codes(within) == ["phase_locked"]
    allocations.save_allocation(within, amounts={("project", project.pk): 500}, by=cast["pd1"], at=now())
    PhaseLock.objects.update(from_fiscal_year=2026)
    assert locked_codes(within) == ["phase_locked"]


@pytest.mark.django_db
def test_lock_when_dossiers_are_called_for_then_set_from_the_year_after_the_gate(cast, twin):
    made = make_round(cast, twin, projects=("sample-ql2-f1",))
    review = call_gate_reviews(made.round, [twin[F1]], by=cast["staff1"], at=now())[0]
    lock = PhaseLock.objects.get(source_ref=review.ref)
    day = made.round.decision_due_on
    assert (lock.project, lock.from_fiscal_year) == (twin[F1], (day.year if day.month >= 4 else day.year - 1) + 1)
    again_lock = lock_phase(twin[F1], source_ref=review.ref, from_fiscal_year=2040, by=cast["staff1"], at=now())
    assert again_lock == lock


@pytest.mark.django_db
def test_order_when_the_project_has_no_plan_then_it_just_stops(cast, twin):
    order = Order(cast["staff1"], cast["staff2"], "1", TODAY(), TODAY(), "理由")
    assert end_by_order(twin[F2], order, ends_on=TODAY(), at=now()) is None
    twin[F2].refresh_from_db()
    assert twin[F2].state == "stopped"


# Objections -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_objection_when_filed_then_the_decision_waits_and_staff_answer_with_reasons(cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    made = released(cast, review)
    review.refresh_from_db()
    assert "decision.object" in decision_actions(again(cast["pi1"]), review)
    for name in ("coinvestigator1", "office1", "pd1", "staff1"):
        with pytest.raises(NotAllowed):
            objections.file_objection(review, reasons="x", by=cast[name], at=now())
    with pytest.raises(Refused):
        objections.file_objection(review, reasons=" ", by=cast["pi1"], at=now())
    one = objections.file_objection(review, reasons="事実の誤りがあります。", by=cast["pi1"], at=now())
    later = now() + timedelta(days=60)
    assert releases.put_due_decisions_in_force(by=SYSTEM, at=later) == 0
    with pytest.raises(NotAllowed):
        objections.settle_objection(review, accepts=False, reason="x", by=cast["pi1"], at=now())
    with pytest.raises(Refused):
        objections.settle_objection(review, accepts=False, reason="", by=cast["staff2"], at=now())
    objections.settle_objection(review, accepts=False, reason="誤りは認められません。", by=cast["staff2"], at=now())
    one.refresh_from_db()
    assert (one.state, releases.put_due_decisions_in_force(by=SYSTEM, at=later)) == ("refused", 1)
    made.refresh_from_db()
    assert made.state == "in_force"


@pytest.mark.django_db
def test_objection_when_accepted_then_reviewed_anew_and_a_new_decision_takes_the_place(cast, twin):
    whole = recommended(cast, twin, F1)
    review = whole.reviews[F1]
    old = released(cast, review)
    review.refresh_from_db()
    objections.file_objection(review, reasons="再審査を求めます。", by=cast["pi1"], at=now())
    objections.settle_objection(review, accepts=True, reason="再審査します。", by=cast["staff1"], at=now())
    review.refresh_from_db()
    case = Case.objects.get(gate_review=review, state="preparing")
    assert (review.state, case.number > old.case.number) == ("sealed", True)
    assert releases.put_due_decisions_in_force(by=SYSTEM, at=now() + timedelta(days=90)) == 0
    Case.objects.filter(pk=case.pk).update(state="open", opened_at=now())
    whole.cases[F1] = case
    find(whole, F1, cast["chair1"])
    review.refresh_from_db()
    new = released(cast, review, conditions=[condition()])
    old.refresh_from_db()
    assert (old.state, new.corrects) == ("replaced", old)


@pytest.mark.django_db
def test_objection_when_the_window_has_closed_then_refused(cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    released(cast, review)
    review.refresh_from_db()
    with pytest.raises(NotAllowed) as refusal:
        objections.file_objection(review, reasons="x", by=cast["pi1"], at=now() + timedelta(days=31))
    assert refusal.value.code == "window_closed"


# Conditions and wind-down ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_condition_when_reported_then_the_officer_finds_it_met_or_not(cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    one = decided(cast, review, conditions=[condition()]).conditions.get()
    with pytest.raises(NotAllowed):
        conditions.report_condition(one, report="定めました。", by=cast["pi1"], at=now())
    releases.release_decisions([one.decision], by=cast["staff1"], at=now())
    one = Condition.objects.get(pk=one.pk)
    for name in ("po1", "office1", "coinvestigator1", "pi2"):
        assert "condition.report" not in condition_actions(again(cast[name]), one)
    with pytest.raises(Refused):
        conditions.report_condition(one, report=" ", by=cast["pi1"], at=now())
    conditions.report_condition(one, report="知財方針を定めました。", by=cast["pi1"], at=now())
    for name in ("pi1", "staff1", "pd1"):
        with pytest.raises(NotAllowed):
            conditions.settle_condition(one, is_met=True, note="", by=cast[name], at=now())
    with pytest.raises(Refused):
        conditions.settle_condition(one, is_met=False, note="", by=cast["po1"], at=now())
    conditions.settle_condition(one, is_met=False, note="範囲が不足", by=cast["po1"], at=now())
    assert [left.pk for left in conditions_left(twin[F1].pk)] == [one.pk]
    conditions.report_condition(one, report="範囲を広げました。", by=cast["pi1"], at=now())
    conditions.settle_condition(one, is_met=True, note="", by=cast["po1"], at=now())
    assert conditions_left(twin[F1].pk) == []
    with pytest.raises(DatabaseError), transaction.atomic():
        Condition.objects.filter(pk=one.pk).update(due_on=TODAY())


@pytest.mark.django_db
def test_condition_when_in_conflict_then_neither_seen_nor_settled(cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    released(cast, review, conditions=[condition()])
    assert conditions_visible_to(again(cast["evaluator1"])).count() == 0
    assert conditions_visible_to(again(cast["pi1"])).count() == 1


@pytest.mark.django_db
def test_next_dossier_when_a_condition_is_open_then_it_is_asked_and_named_as_missing(cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    released(cast, review, conditions=[condition()])
    GateReview.objects.get(pk=review.pk)
    made = make_round(cast, twin, projects=("sample-ql2-f1",))
    new = call_gate_reviews(made.round, [twin[F1]], by=cast["staff1"], at=now())[0]
    missing = dossier_missing(board(cast["staff1"]).get(pk=new.pk))
    one = Condition.objects.get()
    assert [(each.code, each.due_on) for each in missing if each.field == f"condition-{one.ref}"] == [
        ("unanswered", made.round.dossier_due_on)
    ]
    asked = dossier_content(new, by=None, at=now())["last_gate"]
    assert (asked["ref"], asked["remarks"]) == (review.ref, "産業界との連携を強めること。")
    assert [(each["text"], each["state"]) for each in asked["conditions"]] == [(one.text, "open")]
    conditions.report_condition(one, report="定めました。", by=cast["pi1"], at=now())
    assert not [each for each in dossier_missing(board(cast["staff1"]).get(pk=new.pk)) if each.code == "unanswered"]
    assert dossier_content(new, by=None, at=now())["last_gate"]["conditions"][0]["report"] == "定めました。"


@pytest.mark.django_db
def test_wind_down_when_done_then_once_by_who_owes_it(cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    made = released(cast, review, "stop", ends_on=TODAY(), wind_down=steps())
    end, assets, _money = made.wind_down.all()
    with pytest.raises(NotAllowed):
        conditions.finish_wind_down_item(assets, by=cast["pi1"], at=now())
    conditions.finish_wind_down_item(assets, note="引継ぎ済み", by=cast["office1"], at=now())
    with pytest.raises(Refused):
        conditions.finish_wind_down_item(assets, by=cast["office1"], at=now())
    conditions.finish_wind_down_item(end, by=cast["pi1"], at=now())
    with pytest.raises(DatabaseError), transaction.atomic():
        made.wind_down.update(text="x")


# Mails and papers -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_release_when_done_then_the_team_gets_a_link_and_nothing_else(cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    before = set(OutgoingMail.objects.values_list("pk", flat=True))
    made = decided(cast, review)
    assert set(OutgoingMail.objects.values_list("pk", flat=True)) == before
    releases.release_decisions([made], by=cast["staff1"], at=now())
    mails = OutgoingMail.objects.exclude(pk__in=before)
    told = sorted(mails.values_list("recipient_email", flat=True))
    names = ("pi1", "coinvestigator1", "hq1", "po1", "pd1", "deputy1")
    assert told == sorted(f"{name}@sample.example" for name in names)
    for mail in mails:
        assert f"/gates/{review.ref}/decision/" in mail.body
        assert not [word for word in ("継続", "所見", "忠実度", "continue") if word in mail.subject + mail.body]


@pytest.mark.django_db
def test_papers_when_typeset_twice_then_the_same_bytes_with_what_was_decided(cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    made = released(cast, review, conditions=[condition()])
    made = GateDecision.objects.get(pk=made.pk)
    for draw, words in (
        (decision_letter_pdf, ("知財方針",)),
        (decision_file_pdf, (cast["staff1"].person.name_ja, "0" * 64)),
    ):
        paper = draw(made)
        assert draw(made) == paper
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages)
        for word in (made.number, "継続", made.content_hash[:8], "SAMPLE", *words):
            assert word in text.replace("\n", ""), (draw.__name__, word)
    letter = "".join(page.extract_text() for page in PdfReader(io.BytesIO(decision_letter_pdf(made))).pages)
    assert cast["staff1"].person.name_ja not in letter
    assert cast["chair1"].person.name_ja not in letter
    kept = decisions.attach_decision_papers(made.pk, at=now())
    assert decisions.attach_decision_papers(made.pk, at=now()) == kept
    assert len(kept) == 2
