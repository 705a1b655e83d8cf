"""Conflicts before documents: declared case by case upon facts, renewed when they change; admitted by two people."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from common.errors import NotAllowed, NotReady, Refused
from common.models import JournalEntry
from evaluations.actions.admissions import approve_admission, end_admission, propose_admission
from evaluations.actions.conflicts import confirm_conflict, declare_conflict, dismiss_conflict
from evaluations.actions.declarations import Answer, declare, give_reason, sign_certificate
from evaluations.models import Admission, Case, ConflictCertificate, ConflictOfInterest, Declaration, Round
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.declarations import (
    admissions_of,
    cases_asked,
    declarations_awaiting,
    declarations_visible_to,
    matrix,
)
from evaluations.queries.dossiers import dossiers_visible_to
from evaluations.queries.rounds import gate_reviews_visible_to
from evaluations.queries.score_sheets import assignments_visible_to
from evaluations.rules.admissions import admission_actions
from evaluations.rules.declarations import documents_open_to, membership_of
from programs.models import Participation, ProjectMember
from tests.cast import again
from tests.factories.rounds import FLAGSHIPS, make_round

pytestmark = pytest.mark.django_db
F1, F2, F3 = FLAGSHIPS[:3]


def asked(user, made):
    user = again(user)
    member = membership_of(user, made.round)
    return {one.case.gate_review.project.ref: one for one in cases_asked(user, made.round, member)}


def answered(user, made, answers):
    """Answers by project, on the facts as they stand."""
    rows = asked(user, made)
    said = {
        rows[project].case.ref: Answer(fingerprint=rows[project].fingerprint, **answer)
        for project, answer in answers.items()
    }
    return declare(made.round, answers=said, by=again(user), at=timezone.now())


NO = {"answer": "none"}
YES = {"answer": "conflict", "kind": "mentor", "text": "学位論文の指導を受けた"}


def open_to(user):
    return {
        case.gate_review.project.ref
        for case in Case.objects.filter(documents_open_to(again(user))).select_related("gate_review__project")
    }


# Declaring ------------------------------------------------------------------------------------------------------------


def test_documents_when_nothing_is_declared_then_closed_and_open_case_by_case(cast, twin):
    made = make_round(cast, twin, declared=False)
    user = cast["evaluator2"]
    made.assign(F1, "evaluator2", by=cast["staff1"])
    assert (open_to(user), [count for _one, count in declarations_awaiting(user)]) == (set(), [3])
    assert not assignments_visible_to(again(user)).exists()
    assert not dossiers_visible_to(again(user)).exists()
    answered(user, made, {F1: NO})
    assert (open_to(user), [count for _one, count in declarations_awaiting(again(user))]) == ({F1}, [2])
    assert assignments_visible_to(again(user)).count() == 1
    assert dossiers_visible_to(again(user)).count() == 1
    answered(user, made, {F2: NO, F3: NO})
    assert declarations_awaiting(again(user)) == []


def test_declaration_when_the_same_is_said_again_then_one_stands(cast, twin):
    made = make_round(cast, twin, declared=False)
    for _n in range(2):
        answered(cast["evaluator2"], made, {F1: NO})
    assert Declaration.objects.count() == 1


@pytest.mark.parametrize("change", ["member", "institution", "title", "orcid"])
def test_declaration_when_the_facts_change_then_stale_and_asked_for_anew(cast, twin, change):
    made = make_round(cast, twin)
    user, project = cast["evaluator2"], twin[F1]
    assert open_to(user) == {F1, F2, F3}
    if change == "member":
        ProjectMember.objects.create(
            project=project, person=cast["applicant1"].person, role="co_investigator", starts_on=date(2026, 4, 1),
            organization=Participation.objects.filter(project=project).first().organization,
            granted_by=cast["staff1"], approved_by=cast["staff2"],
        )  # fmt: skip
    elif change == "institution":
        Participation.objects.filter(project=project, role="partner").update(ends_on=date(2026, 3, 31))
    elif change == "title":
        type(project).objects.filter(pk=project.pk).update(title_ja="別の題名(見本)")
    else:
        person = cast["pi1"].person
        type(person).objects.filter(pk=person.pk).update(orcid="0000-0002-1825-0097")
    assert open_to(user) == {F2, F3}
    row = asked(user, made)[F1]
    assert (row.is_fresh, bool(row.changes)) == (False, True)
    answered(user, made, {F1: NO})
    assert open_to(user) == {F1, F2, F3}
    assert Declaration.objects.filter(member=made.members["evaluator2"], case=made.cases[F1]).count() == 2


def test_declaration_when_the_case_is_concluded_then_its_facts_count(cast, twin):
    made = make_round(cast, twin)
    made.assign(F1, "evaluator2", by=cast["staff1"])
    case, project = made.cases[F1], twin[F1]
    type(case).objects.filter(pk=case.pk).update(state="concluded", concluded_at=timezone.now())
    type(project).objects.filter(pk=project.pk).update(title_ja="別の題名(見本)")
    assert open_to(cast["evaluator2"]) == {F2, F3}
    assert assignments_visible_to(again(cast["evaluator2"])).count() == 1


def test_conflict_when_declared_then_closes_at_once_and_waits_for_a_person(cast, twin):
    made = make_round(cast, twin)
    user = cast["evaluator2"]
    answered(user, made, {F1: YES, F2: NO})
    conflict = ConflictOfInterest.objects.get(person=user.person)
    assert (conflict.state, conflict.found, conflict.kind, conflict.project) == (
        "declared",
        "declared",
        "mentor",
        twin[F1],
    )
    assert conflict.evidence == "学位論文の指導を受けた"
    assert open_to(user) == {F2, F3}
    # To take it back does not open anything before it is settled.
    answered(user, made, {F1: NO})
    assert open_to(user) == {F2, F3}
    dismiss_conflict(conflict, reason="10年に満たない", by=cast["staff1"], at=timezone.now())
    assert open_to(user) == {F1, F2, F3}


def test_conflict_when_declared_with_days_then_they_stand_in_its_evidence_as_a_reader_writes_them(cast, twin):
    made = make_round(cast, twin)
    days = {"starts_on": date(2010, 4, 1), "ends_on": date(2012, 3, 31)}
    answered(cast["evaluator2"], made, {F1: {**YES, **days}})
    conflict = ConflictOfInterest.objects.get(person=cast["evaluator2"].person)
    assert conflict.evidence == "学位論文の指導を受けた (2010年4月1日 – 2012年3月31日)"


def test_conflict_when_confirmed_then_nothing_of_the_case_is_left(cast, twin):
    made = make_round(cast, twin)
    user = cast["evaluator2"]
    made.assign(F1, "evaluator2", by=cast["staff1"])
    answered(user, made, {F1: {**YES, "starts_on": date(2010, 4, 1), "ends_on": date(2013, 3, 31)}})
    conflict = ConflictOfInterest.objects.get(person=user.person)
    assert "2013-03-31" in conflict.evidence
    confirm_conflict(conflict, by=cast["staff1"], at=timezone.now())
    user = again(user)
    assert (open_to(user), set(asked(user, made))) == ({F2, F3}, {F2, F3})
    assert not Declaration.objects.filter(pk__in=declarations_visible_to(user).filter(case=made.cases[F1])).exists()
    for rows in (cases_visible_to(user), gate_reviews_visible_to(user)):
        assert rows.count() == 2
    answers = {made.cases[F1].ref: Answer("none", "0" * 32)}
    with pytest.raises(NotReady) as refusal:
        declare(made.round, answers=answers, by=user, at=timezone.now())
    assert refusal.value.blockers[0].code == "unknown_case"


@pytest.mark.parametrize("found", ["detected", "reported"])
def test_conflict_when_found_by_others_and_unsettled_then_the_documents_are_closed(cast, twin, found):
    make_round(cast, twin)
    declare_conflict(
        cast["evaluator2"].person, twin[F1], kind="kin", evidence="指摘", starts_on=date(2026, 4, 1), found=found,
        by=cast["secretariat1"], at=timezone.now(),
    )  # fmt: skip
    assert open_to(cast["evaluator2"]) == {F2, F3}
    assert open_to(cast["evaluator3"]) == {F1, F2, F3}


@pytest.mark.parametrize(
    ("answer", "field", "code"),
    [
        ({"answer": "perhaps"}, "answer", "unknown_answer"),
        ({"answer": ""}, "answer", "unknown_answer"),
        ({**YES, "kind": "x"}, "kind", "required"),
        ({**YES, "text": "  "}, "text", "required"),
        ({**YES, "text": "字" * 2001}, "text", "too_long"),
        ({**YES, "starts_on": date(2026, 1, 2), "ends_on": date(2026, 1, 1)}, "ends_on", "dates_out_of_order"),
    ],
)
def test_declaration_when_wrong_then_named_and_nothing_of_the_form_is_recorded(cast, twin, answer, field, code):
    made = make_round(cast, twin, declared=False)
    with pytest.raises(NotReady) as refusal:
        answered(cast["evaluator2"], made, {F2: NO, F1: answer})
    assert [(b.field, b.code) for b in refusal.value.blockers] == [(f"{made.cases[F1].ref}-{field}", code)]
    assert not Declaration.objects.exists()
    assert not ConflictOfInterest.objects.filter(person=cast["evaluator2"].person).exists()


def test_declaration_when_facts_changed_since_the_page_was_opened_then_refused(cast, twin):
    made = make_round(cast, twin, declared=False)
    with pytest.raises(NotReady) as refusal:
        declare(
            made.round, answers={made.cases[F1].ref: Answer("none", "0" * 32)}, by=cast["evaluator2"], at=timezone.now()
        )
    assert refusal.value.blockers[0].code == "facts_changed"
    with pytest.raises(Refused):
        declare(made.round, answers={}, by=cast["evaluator2"], at=timezone.now())


def test_declaration_when_made_by_others_than_the_panel_then_refused(cast, twin):
    made = make_round(cast, twin, declared=False)
    panel = {"chair1", *(f"evaluator{n}" for n in range(1, 7))}
    for name in set(cast) - panel:
        with pytest.raises(NotAllowed):
            declare(made.round, answers={}, by=cast[name], at=timezone.now())


def test_declaration_when_written_in_raw_sql_then_the_database_refuses(cast, twin):
    made = make_round(cast, twin)
    row = Declaration.objects.filter(member=made.members["evaluator2"]).first()
    again_row = {
        "member": row.member, "case": row.case, "answer": "none", "facts": {}, "fingerprint": "x", "declared_by": row.declared_by,
        "declared_at": timezone.now(),
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="declaration_one_live"), transaction.atomic():
        Declaration.objects.create(**again_row)
    with pytest.raises(DatabaseError, match="stands"), transaction.atomic():
        Declaration.objects.filter(pk=row.pk).update(fingerprint="other")
    Declaration.objects.filter(pk=row.pk).update(replaced_at=timezone.now())
    with pytest.raises(DatabaseError, match="stands"), transaction.atomic():
        Declaration.objects.filter(pk=row.pk).update(replaced_at=None)
    with pytest.raises(DatabaseError, match="in person"), transaction.atomic():
        Declaration.objects.create(**{**again_row, "declared_by": cast["secretariat1"]})
    with pytest.raises(IntegrityError, match="declaration_whole"), transaction.atomic():
        Declaration.objects.create(**{**again_row, "answer": "conflict"})
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


# Who knows what -------------------------------------------------------------------------------------------------------


def test_declarations_when_read_over_the_cast_then_as_the_table_says(cast, twin):
    made = make_round(cast, twin)
    row = Declaration.objects.get(member=made.members["evaluator2"], case=made.cases[F1])

    def readers():
        return {name for name in cast if declarations_visible_to(again(cast[name])).filter(pk=row.pk).exists()}

    always = {"evaluator2", "secretariat1", "chair1", "jst1", "jst2"}
    assert readers() == always
    told = set()
    for name in cast:
        try:
            give_reason(made.round, reason="確認のため", by=again(cast[name]), at=timezone.now())
        except NotAllowed:
            continue
        told.add(name)
    # pd2 and po1 see their own areas' cases; F1 is of area 1.
    assert told == {"pd1", "pd2", "deputy1", "po1", "auditor1"}
    assert readers() == always | {"pd1", "deputy1", "po1", "auditor1"}
    assert JournalEntry.objects.filter(action="read_declarations", subject_id=made.round.pk).count() == 5


def test_matrix_when_read_then_says_who_is_missing_and_leaves_conflicts_out(cast, twin):
    made = make_round(cast, twin)
    Declaration.objects.filter(member=made.members["evaluator3"]).update(replaced_at=timezone.now())
    type(twin[F2]).objects.filter(pk=twin[F2].pk).update(title_ja="別の題名(見本)")
    found = matrix(again(cast["secretariat1"]), made.round)
    by_name = {row.member.person_id: [cell.state for cell in row.cells] for row in found.rows}
    assert by_name[cast["evaluator1"].person_id] == ["excluded", "stale", "none"]
    assert by_name[cast["evaluator3"].person_id] == ["missing"] * 3
    assert by_name[cast["evaluator2"].person_id] == ["none", "stale", "none"]
    assert found.owed == 3 + 6
    assert (found.reads_words, matrix(again(cast["staff1"]), made.round).reads_words) == (True, False)
    confirm_conflict(
        declare_conflict(
            cast["secretariat1"].person, twin[F1], kind="kin", evidence="親族", starts_on=date(2026, 4, 1),
            by=cast["jst1"], at=timezone.now(),
        ),
        by=cast["staff1"], at=timezone.now(),
    )  # fmt: skip
    assert len(matrix(again(cast["secretariat1"]), made.round).cases) == 2


# Admission ------------------------------------------------------------------------------------------------------------


def conflict_of_1(twin):
    return ConflictOfInterest.objects.get(project=twin[F1], found="declared", state="confirmed")


def proposed(cast, twin, made, **more):
    return propose_admission(
        conflict_of_1(twin),
        case=made.cases[F1],
        reason="代わる専門家がいない",
        by=cast["staff1"],
        at=timezone.now(),
        **more,
    )


def test_admission_when_approved_by_another_then_reads_and_speaks_and_does_not_score(cast, twin):
    made = make_round(cast, twin)
    user, row = cast["evaluator1"], proposed(cast, twin, made)
    assert F1 not in open_to(user)
    with pytest.raises(NotAllowed):
        approve_admission(row, by=cast["staff1"], at=timezone.now())
    approve_admission(row, by=cast["jst1"], at=timezone.now())
    # Admitted, the member sees the case again, and has to declare on it first.
    assert (F1 in asked(user, made), open_to(user)) == (True, {F2, F3})
    answered(user, made, {F1: {**YES, "kind": "joint_research"}})
    assert open_to(user) == {F1, F2, F3}
    user = again(user)
    with pytest.raises(DatabaseError), transaction.atomic():
        made.assign(F1, "evaluator1", by=cast["staff1"])
    assert gate_reviews_visible_to(user).filter(project=twin[F1]).exists()
    assert [one.reason for one in admissions_of(made.round)] == ["代わる専門家がいない"]
    end_admission(Admission.objects.get(), reason="事情の変化", by=cast["staff2"], at=timezone.now())
    assert (open_to(user), admissions_of(made.round)) == ({F2, F3}, [])


def test_admission_when_it_lets_score_then_the_sheet_is_open_and_a_later_conflict_closes_it(cast, twin):
    made = make_round(cast, twin)
    user = cast["evaluator1"]
    approve_admission(proposed(cast, twin, made, may_score=True), by=cast["staff2"], at=timezone.now())
    answered(user, made, {F1: {**YES, "kind": "joint_research"}})
    made.assign(F1, "evaluator1", by=cast["staff1"])
    assert assignments_visible_to(again(user)).count() == 1
    later = declare_conflict(
        user.person, twin[F1], kind="kin", evidence="親族", starts_on=timezone.localdate(), found="reported",
        by=cast["secretariat1"], at=timezone.now(),
    )  # fmt: skip
    confirm_conflict(later, by=cast["staff1"], at=timezone.now())
    assert F1 not in open_to(user)
    assert not gate_reviews_visible_to(again(user)).filter(project=twin[F1]).exists()


def test_admission_when_one_person_does_both_in_raw_sql_then_the_database_refuses(cast, twin):
    row = proposed(cast, twin, make_round(cast, twin))
    with pytest.raises(IntegrityError, match="admission_second_person"), transaction.atomic():
        Admission.objects.filter(pk=row.pk).update(
            state="approved", approved_by=cast["staff1"], approved_at=timezone.now()
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


def test_admission_when_asked_over_the_cast_then_who_settles_decides(cast, twin):
    made = make_round(cast, twin)
    row = proposed(cast, twin, made)
    may = {name for name in cast if "admission.approve" in admission_actions(again(cast[name]), row)}
    assert may == {"staff2", "jst1", "jst2"}
    for name in set(cast) - {"staff1", "staff2", "jst1", "jst2"}:
        with pytest.raises(NotAllowed):
            propose_admission(
                conflict_of_1(twin), case=made.cases[F1], reason="x", by=again(cast[name]), at=timezone.now()
            )


def test_admission_when_without_a_reason_or_twice_or_of_another_case_then_refused(cast, twin):
    made = make_round(cast, twin)
    for case, reason in ((made.cases[F1], " "), (made.cases[F2], "理由")):
        with pytest.raises(Refused):
            propose_admission(conflict_of_1(twin), case=case, reason=reason, by=cast["staff1"], at=timezone.now())
    proposed(cast, twin, made)
    with pytest.raises(Refused):
        proposed(cast, twin, made)


# The certificate ------------------------------------------------------------------------------------------------------


def sign(made, user, at=None):
    return sign_certificate(made.round, statement="利益相反に該当しません。", by=again(user), at=at or timezone.now())


def test_certificate_when_signed_after_the_hearing_then_says_which_cases_and_never_the_excluded_one(cast, twin):
    made = make_round(cast, twin)
    with pytest.raises(Refused) as refusal:
        sign(made, cast["evaluator1"])
    assert refusal.value.code == "too_early"
    Round.objects.filter(pk=made.round.pk).update(hearing_on=timezone.localdate() - timedelta(days=1))
    made.round.refresh_from_db()
    row = sign(made, cast["evaluator1"])
    assert [one["was"] for one in row.cases] == ["none", "none", "left"]
    assert row.cases[2] == {"ref": conflict_of_1(twin).ref, "title_ja": "", "was": "left"}
    assert twin[F1].title_ja not in str(row.cases)
    with pytest.raises(Refused):
        sign(made, cast["evaluator1"])
    with pytest.raises(NotAllowed):
        sign(made, cast["pd1"])
    with pytest.raises(DatabaseError), transaction.atomic():
        ConflictCertificate.objects.filter(pk=row.pk).update(statement="別")


def test_certificate_when_a_declaration_is_owed_then_refused(cast, twin):
    made = make_round(cast, twin, declared=False)
    Round.objects.filter(pk=made.round.pk).update(hearing_on=timezone.localdate())
    made.round.refresh_from_db()
    with pytest.raises(Refused) as refusal:
        sign(made, cast["evaluator2"])
    assert refusal.value.code == "declaration_owed"
