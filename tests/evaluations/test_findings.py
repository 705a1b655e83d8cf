"""Findings: who reads and writes them when, given by the chair with quorum and grade, by one of many at once, taken back."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Affiliation
from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from evaluations.actions.findings import (
    countersign_finding,
    give_finding,
    save_director_opinion,
    save_finding,
    save_minority_opinion,
    take_back_finding,
)
from evaluations.models import Case, Finding, GateReview, PanelMember, Round, ScoreSheet
from evaluations.queries.findings import (
    director_opinions_of,
    findings_awaiting,
    findings_visible_to,
    minority_opinions_of,
    proposed_grade,
)
from evaluations.rules.findings import cases_discussed, finding_actions
from programs.actions.recusals import recuse
from programs.models import Participation
from tests.cast import again
from tests.factories.findings import DRAFT, F1, F2, case_of, drafted, scored, stand_at, told
from tests.factories.rounds import DAY

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def made(cast, twin):
    return scored(cast, twin)


def give(made, user, finding=None, revision=None):
    case = case_of(made)
    found = finding or Finding.objects.get(case=case)
    return give_finding(case, revision=found.revision if revision is None else revision, by=user, at=NOW())


def exclude(cast, twin, name, project=F1):
    recuse(
        cast[name].person, twin[project], starts_on=timezone.localdate(), source_ref="COI-X", by=cast["staff1"], at=NOW()
    )  # fmt: skip
    return again(cast[name])


def vice(cast, made, name="evaluator5"):
    PanelMember.objects.filter(pk=made.members[name].pk).update(role="vice_chair")
    return cast[name]


# Who reads ------------------------------------------------------------------------------------------------------------

#: Who reads the discussion of a case, by the round's state; staff, secretariat and auditor have given their reason.
SEEN = {
    "open": set(),
    "first_closed": {"chair1", "secretariat1", "auditor1", "pd1", "deputy1", "po1", "jst1", "jst2"},
    "final_closed": {
        "chair1", "secretariat1", "auditor1", "pd1", "deputy1", "po1", "jst1", "jst2", "staff1", "staff2",
        *(f"evaluator{n}" for n in range(2, 7)),
    },
}  # fmt: skip


@pytest.mark.parametrize("state", SEEN)
def test_discussion_when_asked_by_each_of_the_cast_then_as_the_table_says(cast, twin, state):
    made = scored(cast, twin, state="first_closed")
    told(cast, made, "staff1", "staff2", "auditor1", "secretariat1")
    stand_at(made, state if state != "open" else "first_closed")
    if state == "open":
        Round.objects.filter(pk=made.round.pk).update(state="invalidated", invalidated_reason="x")
    found = {
        name for name in cast if Case.objects.filter(cases_discussed(again(cast[name])), pk=made.cases[F1].pk).exists()
    }
    assert found == SEEN[state]


def test_discussion_when_no_reason_was_given_then_staff_and_auditor_read_nothing(cast, made):
    drafted(cast, made)
    for name in ("staff1", "auditor1"):
        assert not findings_visible_to(cast[name]).exists()
    told(cast, made, "staff1", "auditor1")
    for name in ("staff1", "auditor1"):
        assert findings_visible_to(again(cast[name])).count() == 1


def test_discussion_when_the_own_sheet_is_not_in_then_the_chair_reads_nothing(cast, twin):
    made = scored(cast, twin, state="first_closed")
    made.assign(F1, "chair1", by=cast["staff1"])
    assert not Case.objects.filter(cases_discussed(cast["chair1"]), pk=made.cases[F1].pk).exists()


@pytest.mark.parametrize("name", ["chair1", "secretariat1", "staff1", "pd1", "po1", "auditor1", "evaluator2", "jst1"])
def test_discussion_when_in_conflict_then_hidden_whatever_the_role(cast, twin, made, name):
    drafted(cast, made)
    if name in ("staff1", "auditor1"):
        told(cast, made, name)
    assert findings_visible_to(again(cast[name])).count() == 1
    user = exclude(cast, twin, name)
    assert not findings_visible_to(user).exists()
    case = case_of(made)
    assert finding_actions(user, case, case.finding) == set()
    assert not findings_awaiting(user).filter(pk=case.pk).exists()


def test_finding_when_its_case_is_invalid_then_hidden(cast, made):
    drafted(cast, made)
    Case.objects.filter(pk=made.cases[F1].pk).update(state="invalidated", invalidated_reason="x")
    assert not findings_visible_to(cast["chair1"]).exists()


# Writing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("secretariat1", True), ("chair1", True), ("jst1", True), ("evaluator2", False), ("evaluator1", False),
        ("staff1", False), ("pd1", False), ("po1", False), ("pi1", False), ("office1", False), ("auditor1", False),
    ],
)  # fmt: skip
def test_draft_when_written_then_only_by_who_may(cast, made, name, may):
    if may:
        save_finding(case_of(made), values={"overall": "案"}, revision=0, by=cast[name], at=NOW())
        return
    with pytest.raises(NotAllowed):
        save_finding(case_of(made), values={"overall": "案"}, revision=0, by=cast[name], at=NOW())
    assert not Finding.objects.exists()


def test_draft_when_saved_from_two_windows_then_both_versions_come_back(cast, made):
    drafted(cast, made)
    with pytest.raises(StaleEdit) as stale:
        save_finding(case_of(made), values={"overall": "主査の案"}, revision=0, by=cast["chair1"], at=NOW())
    assert stale.value.current.overall == DRAFT["overall"]
    assert stale.value.submitted == {"overall": "主査の案"}
    assert Finding.objects.get().overall == DRAFT["overall"]


def test_draft_when_values_are_wrong_then_each_is_named_and_nothing_written(cast, twin, made):
    foreign = scored(cast, twin, projects=()).rubric.grades.first()
    wrong = {"overall": "あ" * 8001, "recommendation": "perhaps", "grade": foreign}
    with pytest.raises(NotReady) as refusal:
        save_finding(case_of(made), values=wrong, revision=0, by=cast["secretariat1"], at=NOW())
    assert {one.field for one in refusal.value.blockers} == set(wrong)
    assert not Finding.objects.exists()


def test_draft_when_saved_then_the_journal_has_no_text(cast, made):
    finding = drafted(cast, made)
    entry = history_of(finding).get()
    assert (entry.action, DRAFT["overall"] in str(entry.after)) == ("save_finding", False)
    assert entry.after["recommendation"] == "continue"


# Giving ---------------------------------------------------------------------------------------------------------------


def test_finding_when_given_then_the_review_is_recommended_in_the_same_step(cast, made):
    finding = give(made, cast["chair1"], drafted(cast, made))
    review = GateReview.objects.get(pk=made.reviews[F1].pk)
    assert (finding.state, review.state) == ("given", "recommended")
    assert (finding.recommended_by, finding.proposed_grade.code, finding.grade.code) == (cast["chair1"], "A", "A")
    entry = history_of(review).first()
    assert (entry.action, "continue" in str(entry.after)) == ("recommend_gate_review", False)
    with pytest.raises(NotAllowed):
        give(made, cast["chair1"], finding)
    with pytest.raises(NotAllowed):
        save_finding(case_of(made), values={"overall": "x"}, revision=1, by=cast["secretariat1"], at=NOW())


@pytest.mark.parametrize(
    "name", ["secretariat1", "evaluator2", "evaluator1", "staff1", "pd1", "po1", "jst1", "pi1", "auditor1"]
)
def test_finding_when_given_by_anybody_else_then_refused(cast, made, name):
    finding = drafted(cast, made)
    told(cast, made, *{"staff1", "auditor1"} & {name})
    with pytest.raises(NotAllowed):
        give(made, again(cast[name]), finding)
    assert GateReview.objects.get(pk=made.reviews[F1].pk).state == "sealed"


def test_finding_when_scores_are_still_open_then_cannot_be_given(cast, twin):
    made = scored(cast, twin, state="first_closed")
    finding = drafted(cast, made)
    with pytest.raises(NotAllowed):
        give(made, cast["chair1"], finding)


def test_finding_when_below_the_quorum_then_refused_with_the_numbers(cast, twin):
    made = scored(cast, twin, readers=("evaluator2", "evaluator3"))
    finding = drafted(cast, made)
    with pytest.raises(NotReady) as refusal:
        give(made, cast["chair1"], finding)
    assert [(one.code, "2" in one.message, "3" in one.message) for one in refusal.value.blockers] == [
        ("below_quorum", True, True)
    ]
    assert (Finding.objects.get().state, GateReview.objects.get(pk=made.reviews[F1].pk).state) == ("drafting", "sealed")


def test_finding_when_a_sheet_was_returned_and_not_handed_in_again_then_it_does_not_count(cast, made):
    finding = drafted(cast, made)
    ScoreSheet.objects.filter(assignment__member=made.members["evaluator2"]).update(state="returned")
    with pytest.raises(NotReady) as refusal:
        give(made, cast["chair1"], finding)
    assert [one.code for one in refusal.value.blockers] == ["below_quorum"]


def test_finding_when_incomplete_then_everything_missing_is_named(cast, made):
    finding = drafted(cast, made, overall="", recommendation="")
    Finding.objects.filter(pk=finding.pk).update(grade=None)
    with pytest.raises(NotReady) as refusal:
        give(made, cast["chair1"], finding)
    assert {one.field for one in refusal.value.blockers} == {"overall", "recommendation", "grade"}


def test_grade_when_another_than_the_legend_proposes_then_needs_a_reason_that_stays(cast, made):
    assert proposed_grade(case_of(made)).code == "A"
    finding = drafted(cast, made, grade="S")
    with pytest.raises(NotReady) as refusal:
        give(made, cast["chair1"], finding)
    assert [(one.field, "A" in one.message) for one in refusal.value.blockers] == [("grade_reason", True)]
    finding = drafted(cast, made, grade="S", grade_reason="ヒアリングで確認した国際的な優位性による。")
    given = give(made, cast["chair1"], finding)
    assert (given.grade.code, given.proposed_grade.code) == ("S", "A")
    assert history_of(given).first().reason == given.grade_reason


def test_finding_when_changed_since_the_chair_read_it_then_refused(cast, made):
    finding = drafted(cast, made)
    drafted(cast, made, overall="直前の書換え")
    with pytest.raises(StaleEdit):
        give(made, cast["chair1"], revision=finding.revision)
    assert Finding.objects.get().state == "drafting"


def test_chair_when_in_conflict_then_the_vice_chair_gives_and_else_not(cast, twin, made):
    finding, second = drafted(cast, made), vice(cast, made)
    with pytest.raises(NotAllowed):
        give(made, second, finding)
    chair = exclude(cast, twin, "chair1")
    with pytest.raises(NotAllowed):
        give(made, chair, finding)
    assert give(made, again(second), finding).recommended_by == second


@pytest.mark.parametrize("how", ["member", "affiliation"])
def test_chair_when_of_an_institution_of_the_project_then_never_gives(cast, twin, made, how):
    finding, second = drafted(cast, made), vice(cast, made)
    inside = Participation.objects.filter(project=twin[F1]).first().organization
    if how == "member":
        PanelMember.objects.filter(pk=made.members["chair1"].pk).update(organization=inside)
    else:
        Affiliation.objects.create(person=cast["chair1"].person, organization=inside, starts_on=DAY)
    with pytest.raises(NotAllowed):
        give(made, cast["chair1"], finding)
    assert give(made, second, finding).state == "given"


def test_director_in_the_chair_when_not_countersigned_then_refused(cast, made):
    Round.objects.filter(pk=made.round.pk).update(chair_source="program_director")
    finding, second = drafted(cast, made), vice(cast, made)
    with pytest.raises(NotReady) as refusal:
        give(made, cast["chair1"], finding)
    assert [one.code for one in refusal.value.blockers] == ["not_countersigned"]
    with pytest.raises(NotAllowed):
        countersign_finding(case_of(made), revision=finding.revision, by=cast["chair1"], at=NOW())
    countersign_finding(case_of(made), revision=finding.revision, by=second, at=NOW())
    drafted(cast, made, overall="その後の変更")
    with pytest.raises(NotReady):
        give(made, cast["chair1"])
    countersign_finding(case_of(made), revision=Finding.objects.get().revision, by=second, at=NOW())
    assert give(made, cast["chair1"]).state == "given"
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.update(countersigned_by=cast["chair1"])


def test_finding_when_taken_back_before_a_decision_then_drafted_anew_and_else_refused(cast, made):
    give(made, cast["chair1"], drafted(cast, made))
    with pytest.raises(Refused):
        take_back_finding(case_of(made), reason=" ", by=cast["chair1"], at=NOW())
    with pytest.raises(NotAllowed):
        take_back_finding(case_of(made), reason="x", by=cast["secretariat1"], at=NOW())
    finding = take_back_finding(case_of(made), reason="事実の誤りが見つかった。", by=cast["chair1"], at=NOW())
    review = GateReview.objects.get(pk=made.reviews[F1].pk)
    assert (finding.state, finding.recommended_by, review.state) == ("drafting", None, "sealed")
    give(made, cast["chair1"], finding)
    GateReview.objects.filter(pk=review.pk).update(state="decided")
    with pytest.raises(NotAllowed):
        take_back_finding(case_of(made), reason="x", by=cast["chair1"], at=NOW())


@pytest.mark.django_db(transaction=True)
def test_finding_when_given_by_16_at_once_then_one_wins(cast, twin):
    made = scored(cast, twin)
    finding, case = drafted(cast, made), case_of(made)
    barrier, results = threading.Barrier(16), []

    def run():
        user = again(cast["chair1"])
        barrier.wait()
        try:
            give_finding(case, revision=finding.revision, by=user, at=NOW())
            results.append("given")
        except Refused:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["given"] + ["refused"] * 15
    assert GateReview.objects.get(pk=made.reviews[F1].pk).state == "recommended"


# Opinions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "may"), [("pd1", True), ("deputy1", True), ("pd2", False), ("po1", False), ("chair1", False)]
)
def test_director_opinion_when_written_then_only_by_the_director_of_the_area(cast, made, name, may):
    if not may:
        with pytest.raises(NotAllowed):
            save_director_opinion(case_of(made), text="所見", revision=0, by=cast[name], at=NOW())
        return
    save_director_opinion(case_of(made), text="所見", revision=0, by=cast[name], at=NOW())
    assert [(one.text, one.is_own) for one in director_opinions_of(cast["chair1"], case_of(made))] == [("所見", False)]
    with pytest.raises(StaleEdit):
        save_director_opinion(case_of(made), text="別", revision=0, by=cast[name], at=NOW())


def test_director_opinion_when_the_director_is_in_conflict_then_refused(cast, twin, made):
    user = exclude(cast, twin, "pd1")
    with pytest.raises(NotAllowed):
        save_director_opinion(case_of(made), text="所見", revision=0, by=user, at=NOW())


def test_minority_opinion_when_written_then_named_to_the_panel_only_and_only_if_wanted(cast, made):
    told(cast, made, "staff1")
    how = {"by": cast["evaluator2"], "at": NOW()}
    save_minority_opinion(case_of(made), text="反対である。", revision=0, is_named=False, **how)
    name, case = cast["evaluator2"].person.name, case_of(made)

    def names():
        readers = ("evaluator2", "evaluator3", "chair1", "secretariat1", "pd1", "staff1")
        return [[one.name for one in minority_opinions_of(again(cast[who]), case)] for who in readers]

    assert names() == [[name], [""], [""], [""], [""], [""]]
    save_minority_opinion(case_of(made), text="反対である。", revision=1, is_named=True, **how)
    assert names() == [[name], [name], [name], [name], [""], [""]]


@pytest.mark.parametrize("name", ["evaluator5", "evaluator1", "chair1", "pd1", "secretariat1", "pi1"])
def test_minority_opinion_when_the_person_has_not_read_the_case_then_refused(cast, made, name):
    with pytest.raises(NotAllowed):
        save_minority_opinion(case_of(made), text="x", revision=0, is_named=False, by=cast[name], at=NOW())


# What waits -----------------------------------------------------------------------------------------------------------


def test_findings_awaiting_when_listed_then_secretariat_and_chair_until_given(cast, made):
    def waiting(name):
        return [one.gate_review.project.ref for one in findings_awaiting(cast[name]) if one.pk == made.cases[F1].pk]

    assert [waiting(name) for name in ("secretariat1", "chair1", "evaluator2", "pd1", "pi1")] == [
        [F1],
        [F1],
        [],
        [],
        [],
    ]
    give(made, cast["chair1"], drafted(cast, made))
    assert waiting("chair1") == []
    assert F2 in [one.gate_review.project.ref for one in findings_awaiting(cast["chair1"])]
