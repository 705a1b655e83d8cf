"""Decisions on gates: drafted, taken by another than recommends and drafts, frozen; released at one instant."""

import threading
from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.utils import timezone

from common.canonical import content_hash
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import JAPAN
from evaluations.actions import decisions, releases
from evaluations.actions.cases import invalidate_case
from evaluations.models import Condition, GateDecision, GateReview
from evaluations.queries.decisions import decisions_awaiting, decisions_visible_to, draft_of, missing_for, preview_of
from evaluations.rules.decisions import decision_actions, decisions_visible
from programs.actions import plans
from programs.actions.recusals import recuse
from programs.models import Milestone, PlanBudget, PlanVersion, PlanYear, Project, plan_of
from tests.cast import again
from tests.factories.decisions import (
    F1,
    F2,
    condition,
    decided,
    drafted,
    find,
    recommended,
    released,
    steps,
    values,
)
from tests.factories.rounds import make_round
from tests.programs.test_plans import AT, handed_on, written

TODAY = timezone.localdate
#: Before the years in which the plans of these tests still have money.
SOON = datetime(2026, 12, 1, 10, 0, tzinfo=JAPAN)


def review_of(cast, twin, ref=F1, **more) -> GateReview:
    return recommended(cast, twin, ref, **more).reviews[ref]


def in_plan(cast, project) -> PlanVersion:
    """A plan in force, 100 million yen in 2026, and 50 million a year in the two years after."""
    version = written(project, cast)
    cell = PlanBudget.objects.filter(version=version).first()
    more = {(year, cell.organization_id, cell.category_id): 50_000_000 for year in (2027,)}
    plans.save_money(version, cells=more, totals={2027: 50_000_000}, by=cast["pi1"], at=AT)
    return handed_on(PlanVersion.objects.get(pk=version.pk), cast)


def change_of(cast, project, *, to="confirmed") -> PlanVersion:
    """A confirmed request to plan 30 million yen less in 2027, and its milestone half a year later."""
    change = plans.open_plan(project, kind="approval", reason="重点化のため", by=cast["pi1"], at=AT)
    cell = PlanBudget.objects.get(version=change, fiscal_year=2027)
    plans.save_money(
        change, cells={(2027, cell.organization_id, cell.category_id): 20_000_000}, totals={2027: 20_000_000},
        by=cast["pi1"], at=AT,
    )  # fmt: skip
    return handed_on(change, cast, to=to)


# Drafting and deciding ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_decision_when_the_dossier_is_unsealed_then_refused_by_name(cast, twin):
    made = make_round(cast, twin, projects=(F1,), documents_open=False)
    with pytest.raises(NotReady) as refusal:
        drafted(cast, made.reviews[F1])
    assert [one.code for one in refusal.value.blockers] == ["not_sealed"]


@pytest.mark.django_db
def test_decision_when_nobody_recommends_yet_then_refused_by_name(cast, twin):
    made = make_round(cast, twin, projects=(F1,))
    with pytest.raises(NotReady) as refusal:
        drafted(cast, made.reviews[F1])
    assert [one.code for one in refusal.value.blockers] == ["not_recommended"]
    assert not GateDecision.objects.exists()


@pytest.mark.django_db
def test_decision_when_drafted_by_others_than_staff_then_refused(cast, twin):
    review = review_of(cast, twin)
    for name in ("pd1", "po1", "chair1", "secretariat1", "pi1", "jst1", "auditor1"):
        with pytest.raises(NotAllowed):
            decisions.draft_decision(review, values=values(), by=cast[name], at=timezone.now())


@pytest.mark.django_db
def test_decision_when_the_reason_does_not_belong_to_the_outcome_then_said_at_its_field(cast, twin):
    review = review_of(cast, twin)
    with pytest.raises(NotReady) as refusal:
        decisions.draft_decision(
            review, values={"outcome": "", "reason_code": "x"}, by=cast["staff1"], at=timezone.now()
        )
    assert {one.field for one in refusal.value.blockers} == {"outcome", "reason_code", "effective_on"}
    with pytest.raises(NotReady) as refusal:
        decided(cast, review, reason_code="goals-missed")
    assert [one.field for one in refusal.value.blockers] == ["reason_code"]
    with pytest.raises(NotReady) as refusal:
        drafted(cast, review, bridging_yen=5)
    assert [one.code for one in refusal.value.blockers] == ["not_deferred"]


@pytest.mark.django_db
def test_draft_when_two_write_then_the_second_is_told(cast, twin):
    review = review_of(cast, twin)
    drafted(cast, review)
    decisions.draft_decision(review, values=values(), revision=0, by=cast["staff2"], at=timezone.now())
    with pytest.raises(StaleEdit):
        decisions.draft_decision(review, values=values(), revision=0, by=cast["staff1"], at=timezone.now())
    # Whoever wrote last answers for the draft.
    assert draft_of(review).drafted_by == cast["staff2"]


@pytest.mark.django_db
def test_decision_when_taken_by_its_drafter_or_the_recommender_then_refused_and_the_database_refuses_too(cast, twin):
    review = review_of(cast, twin, by="staff2")
    draft = drafted(cast, review)
    for name in ("staff1", "staff2"):
        with pytest.raises(NotAllowed):
            decisions.decide(review, number="1", decided_on=TODAY(), revision=0, by=cast[name], at=timezone.now())
    whole = {
        "state": "decided", "decided_at": timezone.now(), "decided_on": TODAY(), "number": "1", "content": {},
        "content_hash": "0" * 64,
    }  # fmt: skip
    rows = GateDecision.objects.filter(pk=draft.pk)
    with pytest.raises(IntegrityError, match="decision_by_another"), transaction.atomic():
        rows.update(**whole, decided_by=cast["staff1"])
    with pytest.raises(IntegrityError, match="recommends does not decide"), transaction.atomic():
        rows.update(**whole, decided_by=cast["staff2"])
    assert draft_of(review).state == "drafted"


@pytest.mark.django_db
def test_decision_when_the_officer_is_in_conflict_then_nothing_of_it_is_there(cast, twin):
    review = review_of(cast, twin)
    drafted(cast, review)
    recuse(
        cast["staff2"].person, twin[F1], starts_on=date(2020, 1, 1), source_ref="COI-TEST", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    staff2 = again(cast["staff2"])
    assert decision_actions(staff2, review) == set()
    assert not decisions_visible_to(staff2).filter(gate_review=review).exists()
    assert decisions_awaiting(staff2) == []
    with pytest.raises(NotAllowed):
        decisions.decide(review, number="1", decided_on=TODAY(), revision=0, by=staff2, at=timezone.now())


@pytest.mark.django_db
def test_decision_when_taken_then_frozen_with_its_hash_and_the_case_concluded(cast, twin):
    review = review_of(cast, twin)
    made = decided(cast, review, conditions=[condition()])
    made.refresh_from_db()
    review.refresh_from_db()
    assert (made.state, review.state, made.case.state) == ("decided", "decided", "concluded")
    assert made.content_hash == content_hash(made.content)
    assert made.content["finding"]["grade"] == "A"
    assert [one["text"] for one in made.content["conditions"]] == ["知財方針を定め、報告すること。"]
    rows = GateDecision.objects.filter(pk=made.pk)
    for change in (
        {"outcome": "stop"}, {"reason": "x"}, {"content": {}}, {"content_hash": "1" * 64}, {"decided_by": cast["jst1"]},
        {"drafted_by": cast["jst1"]}, {"number": "2"}, {"state": "drafted"}, {"effective_on": date(2030, 1, 1)},
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    for change in (
        lambda: rows.delete(),
        lambda: Condition.objects.filter(decision=made).update(text="x"),
        lambda: Condition.objects.filter(decision=made).delete(),
        lambda: Condition.objects.create(decision=made, number=9, text="x", due_on=TODAY()),
        lambda: rows.update(state="released", released_at=timezone.now(), released_by=cast["staff2"]),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.django_db
def test_decision_when_the_number_is_missing_or_the_day_ahead_then_refused(cast, twin):
    review = review_of(cast, twin)
    drafted(cast, review)
    for number, day, field in ((" ", TODAY(), "number"), ("1", TODAY() + timedelta(days=2), "decided_on")):
        with pytest.raises(Refused) as refusal:
            decisions.decide(review, number=number, decided_on=day, revision=0, by=cast["staff2"], at=timezone.now())
        assert refusal.value.field == field


@pytest.mark.django_db
def test_decision_when_the_draft_was_saved_since_it_was_looked_at_then_it_is_not_signed_unseen(cast, twin):
    review = review_of(cast, twin)
    drafted(cast, review)
    decisions.draft_decision(
        review, values=values(reason="別の理由"), revision=0, by=cast["staff1"], at=timezone.now()
    )  # fmt: skip
    with pytest.raises(StaleEdit):
        decisions.decide(
            review, number="1", decided_on=TODAY(), revision=0, by=cast["staff2"], at=timezone.now()
        )  # fmt: skip
    assert draft_of(review).state == "drafted"


@pytest.mark.django_db
def test_decision_when_a_day_is_past_or_an_amount_negative_then_said_at_its_field(cast, twin):
    in_plan(cast, twin[F1])
    review = review_of(cast, twin)
    past = {"effective_on": date(1999, 4, 1), "ends_on": date(2020, 3, 31), "wind_down": steps()}
    with pytest.raises(NotReady) as refusal:
        decided(cast, review, "stop", **past)
    codes = {(one.field, one.code) for one in refusal.value.blockers}
    assert codes >= {("effective_on", "before_the_review"), ("ends_on", "past")}
    bad = [{**steps()[2], "released_yen": -1}]
    with pytest.raises(Refused) as refused:
        decisions.draft_decision(
            review, values=values("stop"), wind_down=bad, revision=0, by=cast["staff1"], at=timezone.now()
        )  # fmt: skip
    assert (refused.value.code, refused.value.field) == ("negative", "wind_down")


@pytest.mark.django_db
def test_modify_when_without_a_change_order_then_refused_by_name_and_by_the_database(cast, twin):
    review = review_of(cast, twin)
    with pytest.raises(NotReady) as refusal:
        decided(cast, review, "modify")
    assert [one.code for one in refusal.value.blockers] == ["no_change"]
    whole = {
        "state": "decided", "decided_at": timezone.now(), "decided_on": TODAY(), "number": "1", "content": {},
        "content_hash": "0" * 64, "decided_by": cast["staff2"],
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="decision_modify_changes_the_plan"), transaction.atomic():
        GateDecision.objects.filter(gate_review=review).update(**whole)
    for outcome, message in (("stop", "decision_stop_has_an_end"), ("defer", "decision_defer_has_a_new_case")):
        with pytest.raises(IntegrityError, match=message), transaction.atomic():
            GateDecision.objects.filter(gate_review=review).update(**whole, outcome=outcome)
    with pytest.raises(IntegrityError, match="needs its wind-down"), transaction.atomic():
        GateDecision.objects.filter(gate_review=review).update(**whole, outcome="stop", ends_on=TODAY())


@pytest.mark.django_db
def test_modify_when_the_change_breaks_the_plan_then_the_conflict_is_named_and_nothing_changes(cast, twin):
    project = twin[F1]
    in_plan(cast, project)
    change = change_of(cast, project)
    review = review_of(cast, twin)
    drafted(cast, review, "modify", plan_change=change)
    # The institution's part ends after the director confirmed.
    project.participations.update(ends_on=TODAY())
    with pytest.raises(NotReady) as refusal:
        decisions.decide(review, number="1", decided_on=TODAY(), revision=0, by=cast["staff2"], at=timezone.now())
    assert {(one.field, one.code) for one in refusal.value.blockers} == {("plan_change", "partner_without_part")}
    assert draft_of(review) is not None
    assert PlanVersion.objects.get(pk=change.pk).state == "confirmed"


@pytest.mark.django_db
def test_preview_when_asked_for_then_tells_before_and_after_and_changes_nothing(cast, twin):
    project = twin[F1]
    base = in_plan(cast, project)
    change = change_of(cast, project)
    review = review_of(cast, twin)
    made = preview_of(drafted(cast, review, "modify", plan_change=change), TODAY())
    moved = {one.fiscal_year: (one.before_yen, one.after_yen) for one in made.revision.years if one.moved_yen}
    assert (moved, made.released_yen, made.added_yen) == ({2027: (50_000_000, 20_000_000)}, 30_000_000, 0)
    end = date(2027, 3, 31)
    stop = preview_of(
        decisions.draft_decision(
            review, values=values("stop", ends_on=end), revision=0, by=cast["staff1"], at=timezone.now()
        ),
        SOON.date(),
    )
    assert (stop.released_yen, stop.revision.after.plan.frame.ends_on) == (50_000_000, end)
    assert PlanVersion.objects.get(pk=base.pk).state == "approved"
    assert Project.objects.get(pk=project.pk).state == "running"


@pytest.mark.django_db
def test_draft_when_the_case_is_reviewed_anew_then_the_old_draft_is_not_decided(cast, twin):
    made = recommended(cast, twin, F1)
    review = made.reviews[F1]
    drafted(cast, review)
    new = invalidate_case(made.cases[F1], reason="様式の誤り", by=cast["staff1"], at=timezone.now())
    type(new).objects.filter(pk=new.pk).update(state="open", opened_at=timezone.now())
    made.cases[F1] = new
    find(made, F1, cast["chair1"])
    review.refresh_from_db()
    with pytest.raises(NotReady) as refusal:
        decisions.decide(review, number="1", decided_on=TODAY(), revision=0, by=cast["staff2"], at=timezone.now())
    assert [one.code for one in refusal.value.blockers] == ["reviewed_anew"]
    assert decided(cast, review).case == new


# The release ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_release_when_by_who_decided_or_a_stranger_then_refused_and_the_database_refuses_too(cast, twin):
    review = review_of(cast, twin)
    made = decided(cast, review)
    for name in ("staff2", "pd1", "secretariat1", "chair1"):
        with pytest.raises(NotAllowed):
            releases.release_decisions([made], by=cast[name], at=timezone.now())
    with pytest.raises(IntegrityError, match="decision_released_by_another"), transaction.atomic():
        GateDecision.objects.filter(pk=made.pk).update(
            state="released", released_at=timezone.now(), released_by=cast["staff2"]
        )


@pytest.mark.django_db
def test_modify_when_released_then_the_plan_is_a_new_version_and_before_it_nothing_shows(cast, twin):
    project = twin[F1]
    in_plan(cast, project)
    change = change_of(cast, project)
    review = review_of(cast, twin)
    made = decided(cast, review, "modify", plan_change=change)
    seen = ("pi1", "hq1", "office1", "po1", "jst1")
    assert PlanVersion.objects.get(pk=change.pk).state == "confirmed"
    assert [decisions_visible_to(again(cast[name])).filter(pk=made.pk).count() for name in seen] == [0] * 5
    releases.release_decisions([made], by=cast["staff1"], at=timezone.now())
    version = PlanVersion.objects.get(pk=change.pk)
    assert (version.state, version.approved_by, version.approval_drafted_by) == (
        "approved", cast["staff2"], cast["staff1"],
    )  # fmt: skip
    assert (version.decision_number, version.effective_on) == ("7文科科第1号", made.effective_on)
    assert [decisions_visible_to(again(cast[name])).filter(pk=made.pk).count() for name in seen] == [1] * 5
    assert GateReview.objects.get(pk=review.pk).state == "released"


@pytest.mark.django_db
def test_release_when_one_cannot_be_carried_out_then_none_is_released_and_it_is_named(cast, twin):
    project = twin[F1]
    in_plan(cast, project)
    change = change_of(cast, project)
    both = recommended(cast, twin, F1, F2)
    one = decided(cast, both.reviews[F1], "modify", plan_change=change)
    other = decided(cast, both.reviews[F2])
    plans.withdraw_plan(change, by=cast["pi1"], at=timezone.now())
    with pytest.raises(NotReady) as refusal:
        releases.release_decisions([one, other], by=cast["staff1"], at=timezone.now())
    assert [(each.code, both.reviews[F1].ref in each.message) for each in refusal.value.blockers] == [
        ("not_confirmed", True)
    ]
    assert set(GateDecision.objects.values_list("state", flat=True)) == {"decided"}


@pytest.mark.django_db
def test_release_when_of_many_then_one_instant_for_all(cast, twin):
    both = recommended(cast, twin, F1, F2)
    made = [decided(cast, both.reviews[ref]) for ref in (F1, F2)]
    at = timezone.now()
    releases.release_decisions(made, by=cast["staff1"], at=at)
    assert set(GateDecision.objects.values_list("released_at", flat=True)) == {at}


@pytest.mark.django_db
def test_stop_when_released_then_the_project_ends_with_its_plan_cut_short(cast, twin):
    project = twin[F1]
    in_plan(cast, project)
    open_one = change_of(cast, project, to="submitted")
    review = review_of(cast, twin)
    end = date(2027, 3, 31)
    with pytest.raises(NotReady) as refusal:
        decided(cast, review, "stop", ends_on=end, at=SOON)
    assert [one.field for one in refusal.value.blockers] == ["wind_down"]
    decisions.withdraw_draft(review, by=cast["staff1"], at=timezone.now())
    made = decided(cast, review, "stop", ends_on=end, wind_down=steps(), at=SOON)
    assert Project.objects.get(pk=project.pk).state == "running"
    releases.release_decisions([made], by=cast["staff1"], at=SOON)
    assert Project.objects.get(pk=project.pk).state == "stopped"
    version = PlanVersion.objects.filter(project=project, state="approved").order_by("-number").first()
    assert (version.ends_on, PlanYear.objects.filter(version=version, fiscal_year=2027).exists()) == (end, False)
    assert plan_of(version).frame.ends_on == end
    assert PlanVersion.objects.get(pk=open_one.pk).state == "refused"
    assert Milestone.objects.get(project=project, title="忠実度の達成").is_dropped is True
    assert [one.released_yen for one in made.wind_down.all()] == [None, None, 1_000_000]


@pytest.mark.django_db
def test_merge_when_released_then_the_other_plan_takes_it_in_and_this_project_ends(cast, twin):
    one, other = twin[F1], twin[F2]
    in_plan(cast, one)
    change = change_of(cast, one)
    review = review_of(cast, twin, F2)
    made = decided(cast, review, "modify", plan_change=change, reason_code="merge", ends_on=TODAY(), wind_down=steps())
    assert made.merges is True
    assert made.content["merged_into"]
    releases.release_decisions([made], by=cast["staff1"], at=timezone.now())
    assert Project.objects.get(pk=other.pk).state == "stopped"
    assert Project.objects.get(pk=one.pk).state == "running"
    assert PlanVersion.objects.get(pk=change.pk).state == "approved"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["staff2", "auditor1", "pd1"])
def test_merge_when_in_conflict_with_the_other_project_then_nothing_of_the_decision_is_there(cast, twin, name):
    one = twin[F1]
    in_plan(cast, one)
    change = change_of(cast, one)
    review = review_of(cast, twin, F2)
    how = {"plan_change": change, "reason_code": "merge", "ends_on": TODAY(), "wind_down": steps()}
    merge = drafted(cast, review, "modify", **how)
    assert decisions_visible_to(again(cast[name])).filter(pk=merge.pk).exists()
    recuse(
        cast[name].person, one, starts_on=date(2020, 1, 1), source_ref="COI-TEST", by=cast["staff1"], at=timezone.now()
    )  # fmt: skip
    other = again(cast[name])
    assert decision_actions(other, review) == set()
    assert not decisions_visible_to(other).filter(pk=merge.pk).exists()
    for act in (
        lambda: decisions.decide(review, number="1", decided_on=TODAY(), revision=0, by=other, at=timezone.now()),
        lambda: decisions.withdraw_draft(review, by=other, at=timezone.now()),
        lambda: decisions.draft_decision(review, values=values(), revision=0, by=other, at=timezone.now()),
    ):
        with pytest.raises(NotAllowed):
            act()
    decisions.withdraw_draft(review, by=cast["staff1"], at=timezone.now())
    with pytest.raises(NotAllowed):
        decisions.draft_decision(
            review, values=values("modify", plan_change=change, reason_code="merge"), by=other, at=timezone.now()
        )  # fmt: skip
    assert not GateDecision.objects.filter(state="drafted").exists()


@pytest.mark.django_db
def test_defer_when_released_then_a_new_case_and_the_review_runs_again(cast, twin):
    review = review_of(cast, twin)
    made = decided(cast, review, "defer", bridging_yen=10_000_000)
    releases.release_decisions([made], by=cast["staff1"], at=timezone.now())
    review.refresh_from_db()
    assert (review.state, made.new_case.state, made.case.state) == ("sealed", "preparing", "concluded")
    assert twin[F1].phase_locks.get().bridging_yen == 10_000_000


@pytest.mark.django_db
def test_correction_when_released_then_it_names_the_old_one_and_takes_its_place(cast, twin):
    review = review_of(cast, twin)
    old = released(cast, review)
    review.refresh_from_db()
    assert decisions.draft_decision(review, values=values(), by=cast["staff1"], at=timezone.now()).corrects == old
    decisions.withdraw_draft(review, by=cast["staff1"], at=timezone.now())
    new = released(cast, review, conditions=[condition()])
    old.refresh_from_db()
    assert (new.corrects, old.state, new.state, new.content["corrects"]) == (old, "replaced", "released", old.ref)


@pytest.mark.django_db
def test_stop_when_corrected_by_continue_then_the_project_runs_again(cast, twin):
    review = review_of(cast, twin)
    released(cast, review, "stop", ends_on=TODAY(), wind_down=steps())
    assert Project.objects.get(pk=twin[F1].pk).state == "stopped"
    review.refresh_from_db()
    released(cast, review)
    assert Project.objects.get(pk=twin[F1].pk).state == "running"


@pytest.mark.django_db
def test_decided_when_corrected_before_the_release_then_only_the_new_one_is_ever_seen(cast, twin):
    review = review_of(cast, twin)
    old = decided(cast, review, "defer")
    review.refresh_from_db()
    new = released(cast, review)
    old.refresh_from_db()
    assert (old.state, old.released_at, old.new_case.state, new.corrects) == ("replaced", None, "invalidated", old)
    assert [one.pk for one in decisions_visible_to(again(cast["pi1"])).filter(gate_review=review)] == [new.pk]


#: Who reads it when.
READS = {
    "drafted": "staff1 staff2 auditor1 pd1 deputy1",
    "decided": "staff1 staff2 auditor1 pd1 deputy1",
    "released": (
        "staff1 staff2 auditor1 pd1 deputy1 po1 hq1 pi1 coinvestigator1 office1 office2 accountant1 chair1 jst1 jst2 "
        "evaluator2 evaluator3 evaluator4 evaluator5 evaluator6"
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(READS))
def test_decision_when_each_of_the_cast_reads_then_as_the_table_says(cast, twin, state):
    review = review_of(cast, twin)
    {"drafted": drafted, "decided": decided, "released": released}[state](cast, review)
    found = [
        name
        for name, user in cast.items()
        if GateDecision.objects.filter(decisions_visible(again(user)), gate_review=review).exists()
    ]
    assert sorted(found) == sorted(READS[state].split())


@pytest.mark.django_db
def test_decision_when_it_waits_then_for_the_officers_who_may_take_the_next_step(cast, twin):
    review = review_of(cast, twin)

    def waits() -> list[list[str]]:
        return [[step for _one, step in decisions_awaiting(again(cast[name]))] for name in ("staff1", "staff2", "pd1")]

    assert waits() == [["draft"], ["draft"], []]
    drafted(cast, review)
    assert waits() == [[], ["decide"], []]
    decisions.decide(review, number="1", decided_on=TODAY(), revision=0, by=cast["staff2"], at=timezone.now())
    assert waits() == [["release"], [], []]


@pytest.mark.django_db
def test_draft_when_nothing_is_missing_then_no_blockers(cast, twin):
    review = review_of(cast, twin)
    draft = drafted(cast, review)
    assert missing_for(draft, preview_of(draft, TODAY())) == []


@pytest.mark.django_db(transaction=True)
def test_decision_when_sixteen_take_it_at_once_then_one_does(cast, twin):
    review = review_of(cast, twin)
    drafted(cast, review)
    barrier, done = threading.Barrier(16), []

    def act() -> None:
        barrier.wait()
        try:
            decisions.decide(
                GateReview.objects.get(pk=review.pk),
                number="1",
                decided_on=TODAY(),
                revision=0,
                by=cast["staff2"],
                at=timezone.now(),
            )
            done.append("done")
        except Refused:
            done.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act) for _n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == ["done"] + ["refused"] * 15
    assert GateDecision.objects.filter(state="decided").count() == 1
