"""Assignments: proposed in the background, changed by hand, confirmed once, declined and repaired; conflicts beat all."""

import threading

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.utils import timezone

from accounts.models import Organization
from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.models import JournalEntry
from evaluations.actions.assignment_runs import ask_for_run, run_assignment
from evaluations.actions.assignments import (
    add_reader,
    confirm_assignments,
    decline_assignment,
    fingerprint_of,
    pin_reader,
    remove_reader,
    set_role,
)
from evaluations.actions.conflicts import confirm_conflict, declare_conflict
from evaluations.models import (
    Admission,
    Assignment,
    AssignmentRun,
    ConflictOfInterest,
    Declaration,
    Expertise,
    Panel,
    PanelMember,
    Round,
    ScoreSheet,
)
from evaluations.queries.assignment_checks import thin_cases
from evaluations.queries.assignment_tables import bound_now, case_lines, worth_now
from evaluations.queries.assignments import (
    assignments_awaiting,
    cases_overseen_by,
    cases_to_assign,
    effect_of,
    runs_visible_to,
    seating_of,
)
from programs.actions.recusals import recuse
from programs.models import Project, ProjectMember
from tests.cast import again
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db
F1, F2, F3 = "sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1"


@pytest.fixture
def made(cast, twin):
    return make_round(cast, twin)


def asked(made, user, **how):
    run = ask_for_run(made.panel, by=user, at=timezone.now(), **how)
    run_assignment(run.pk, clock=timezone.now)
    return AssignmentRun.objects.get(pk=run.pk)


def seating(made, user):
    user = again(user)
    return seating_of(Panel.objects.get(pk=made.panel.pk), cases_to_assign(user, made.panel))


def confirm(made, user, **how):
    user = again(user)
    seen = how.pop("seen", None) or fingerprint_of(seating(made, user))
    return confirm_assignments(made.panel, seen=seen, by=user, at=timezone.now(), **how)


def standing(made, project=None):
    rows = Assignment.objects.filter(case__panel=made.panel, state__in=("proposed", "confirmed"))
    return rows.filter(case=made.cases[project]) if project else rows


def waiting(user):
    found = assignments_awaiting(again(user), timezone.localdate())
    return [(one.unread, one.proposed, one.declined) for one in found]


def excluded(cast, made, twin, name, project):
    recuse(
        cast[name].person, twin[project], starts_on=timezone.localdate(), source_ref=f"COI-{name}{project}",
        by=cast["staff1"], at=timezone.now(),
    )  # fmt: skip


# Proposing ------------------------------------------------------------------------------------------------------------


def test_run_when_asked_by_the_chair_then_every_case_has_its_readers_and_a_certificate(cast, made):
    run = asked(made, cast["chair1"])
    assert (run.state, run.solver.startswith("HiGHS")) == ("done", True)
    assert standing(made).count() == 9
    assert set(standing(made).values_list("state", flat=True)) == {"proposed"}
    for case in made.cases.values():
        assert sorted(case.assignments.values_list("role", flat=True)) == ["primary", "reader", "secondary"]
    assert not standing(made, F1).filter(member=made.members["evaluator1"]).exists()
    certificate = run.result["certificate"]
    assert certificate["bound"] >= certificate["worth"] - 1e-6
    assert run.result["multipliers"]["cover"]
    assert history_of(made.panel).get().action == "propose_assignment"


def test_certificate_when_checked_from_what_is_kept_then_bounds_also_what_was_changed_by_hand(cast, made):
    run = asked(made, cast["chair1"])
    now = seating(made, cast["chair1"])
    kept = run.result["certificate"]
    assert bound_now(run, now) == pytest.approx(kept["bound"], abs=1e-5)
    assert worth_now(now) == pytest.approx(kept["worth"], abs=1e-5)
    remove_reader(standing(made, F2).first(), by=cast["chair1"], at=timezone.now())
    changed = seating(made, cast["chair1"])
    assert worth_now(changed) < kept["worth"] - 39
    assert bound_now(run, changed) == pytest.approx(kept["bound"], abs=1e-5)
    PanelMember.objects.filter(pk=made.members["evaluator6"].pk).update(is_scoring=False)
    assert bound_now(run, seating(made, cast["chair1"])) is None


def test_run_when_the_task_comes_twice_then_nothing_changes(cast, made):
    run = asked(made, cast["chair1"])
    before = list(standing(made).values_list("pk", "role"))
    run_assignment(run.pk, clock=timezone.now)
    assert list(standing(made).values_list("pk", "role")) == before


def test_run_when_its_worker_died_then_begun_again(cast, made):
    run = ask_for_run(made.panel, by=cast["chair1"], at=timezone.now())
    AssignmentRun.objects.filter(pk=run.pk).update(state="running", started_at=timezone.now())
    run_assignment(run.pk, clock=timezone.now)
    assert standing(made).count() == 9


def test_run_when_one_is_under_way_then_refused(cast, made):
    ask_for_run(made.panel, by=cast["chair1"], at=timezone.now())
    with pytest.raises(Refused) as refusal:
        ask_for_run(made.panel, by=cast["chair1"], at=timezone.now())
    assert refusal.value.code == "run_under_way"
    with pytest.raises(Refused):
        confirm(made, cast["chair1"])


def test_run_when_readers_change_meanwhile_then_fails_and_writes_nothing(cast, made):
    run = ask_for_run(made.panel, by=cast["chair1"], at=timezone.now())
    first = next(iter(made.cases.values()))
    ticks = []

    def clock():
        ticks.append(1)
        if len(ticks) == 2:  # between the computation and its result
            add_reader(first, member=made.members["evaluator2"], role="reader", by=cast["chair1"], at=timezone.now())
        return timezone.now()

    run_assignment(run.pk, clock=clock)
    run.refresh_from_db()
    assert (run.state, run.problem, standing(made).count()) == ("failed", "changed", 1)


def test_run_when_conflicts_are_declared_then_the_member_does_not_read(cast, made, twin):
    for name in ("evaluator2", "evaluator3"):
        declare_conflict(
            cast[name].person, twin[F2], kind="other", evidence="共著", starts_on=timezone.localdate(), by=cast[name],
            at=timezone.now(),
        )  # fmt: skip
    asked(made, cast["chair1"])
    names = {one.member_id for one in standing(made, F2)}
    assert not names & {made.members["evaluator2"].pk, made.members["evaluator3"].pk}
    assert len(names) == 3


def test_run_when_members_have_not_declared_or_on_other_facts_then_they_do_not_read(cast, twin):
    made = make_round(cast, twin, declared=False)
    made.declare("evaluator2", "evaluator3", users=cast)
    asked(made, cast["chair1"])
    assert {one.member for one in standing(made)} == {made.members["evaluator2"], made.members["evaluator3"]}
    with pytest.raises(Refused) as refusal:
        add_reader(
            made.cases[F1], member=made.members["evaluator4"], role="reader", by=cast["chair1"], at=timezone.now()
        )
    assert refusal.value.code == "undeclared"
    Project.objects.filter(pk=twin[F1].pk).update(title_ja="別の題名")  # declared upon other facts
    with pytest.raises(NotReady) as refused:
        confirm(made, cast["chair1"])
    assert {one.code for one in refused.value.blockers} == {"undeclared"}


def test_run_when_a_member_in_conflict_is_admitted_to_score_then_he_or_she_can_read(cast, made, twin):
    excluded(cast, made, twin, "evaluator2", F2)
    conflict = ConflictOfInterest.objects.create(
        person=cast["evaluator2"].person, project=twin[F2], kind="other", found="declared", evidence="x",
        starts_on=timezone.localdate(), declared_by=cast["evaluator2"], declared_at=timezone.now(),
    )  # fmt: skip
    how = {"conflict": conflict, "member": made.members["evaluator2"], "case": made.cases[F2], "reason": "唯一の専門家"}
    admission = Admission.objects.create(proposed_by=cast["staff1"], proposed_at=timezone.now(), may_score=True, **how)
    with pytest.raises(Refused):
        add_reader(
            made.cases[F2], member=made.members["evaluator2"], role="reader", by=cast["chair1"], at=timezone.now()
        )
    Admission.objects.filter(pk=admission.pk).update(
        state="approved", approved_by=cast["staff2"], approved_at=timezone.now()
    )
    row = add_reader(
        made.cases[F2], member=made.members["evaluator2"], role="reader", by=cast["chair1"], at=timezone.now()
    )
    assert row.state == "proposed"


def test_run_when_made_again_then_pinned_and_confirmed_stay(cast, made):
    kept = add_reader(
        made.cases[F2], member=made.members["evaluator1"], role="primary", by=cast["chair1"], at=timezone.now()
    )
    asked(made, cast["chair1"])
    kept.refresh_from_db()
    assert (kept.state, kept.role, standing(made, F2).filter(role="primary").count()) == ("proposed", "primary", 1)
    confirm(made, cast["chair1"])
    before = set(standing(made).values_list("pk", "role"))
    asked(made, cast["chair1"], seed=5)
    assert set(standing(made).values_list("pk", "role")) == before


def test_run_when_the_seed_is_the_same_then_the_same_proposal(cast, made):
    first = asked(made, cast["chair1"], seed=4).result
    pairs = set(standing(made).values_list("case", "member", "role"))
    assert asked(made, cast["chair1"], seed=4).result == first
    assert set(standing(made).values_list("case", "member", "role")) == pairs


def test_run_when_it_cannot_be_met_then_says_what_is_missing_and_by_how_much(cast, made):
    Round.objects.filter(pk=made.round.pk).update(cases_per_reader_max=1)
    field = Expertise.objects.filter(panel=made.panel).first()
    made.cases[F3].expertises.add(field)
    made.panel.refresh_from_db()
    short = asked(made, cast["chair1"]).result["short"]
    assert sum(one["missing"] for one in short if one["kind"] == "readers") == 2  # 9 readings, 7 members once each
    assert [(one["case"], one["field"], one["free"]) for one in short if one["kind"] == "field"] == [
        (made.cases[F3].pk, field.pk, 0)
    ]


def test_run_when_members_know_fields_then_they_are_asked(cast, made):
    field = Expertise.objects.filter(panel=made.panel).first()
    made.cases[F1].expertises.add(field)
    made.members["evaluator4"].expertises.add(field)
    run = asked(made, cast["chair1"])
    row = standing(made, F1).get(member=made.members["evaluator4"])
    assert (row.role, float(row.affinity) >= 0.7, run.result["short"]) == ("primary", True, [])


@pytest.mark.parametrize("name", ["evaluator2", "secretariat1", "staff1", "pd1", "po1", "pi1", "jst1", "auditor1"])
def test_run_when_asked_by_anybody_else_then_refused(cast, made, name):
    with pytest.raises(NotAllowed):
        ask_for_run(made.panel, by=cast[name], at=timezone.now())
    assert not AssignmentRun.objects.exists()


def test_run_when_the_round_is_over_or_nobody_serves_then_refused(cast, made):
    PanelMember.objects.filter(panel=made.panel).exclude(role="chair").update(is_scoring=False)
    PanelMember.objects.filter(panel=made.panel, role="chair").update(is_scoring=False)
    with pytest.raises(Refused):
        ask_for_run(made.panel, by=cast["chair1"], at=timezone.now())
    Round.objects.filter(pk=made.round.pk).update(state="first_closed")
    with pytest.raises(NotAllowed):
        ask_for_run(made.panel, by=cast["chair1"], at=timezone.now())


# A chair in conflict --------------------------------------------------------------------------------------------------


def test_chair_when_in_conflict_with_a_case_then_neither_sees_nor_settles_it_and_staff_does(cast, made, twin):
    excluded(cast, made, twin, "chair1", F1)
    chair, staff = again(cast["chair1"]), again(cast["staff1"])
    assert made.cases[F1] not in cases_overseen_by(chair, made.panel)
    assert cases_to_assign(staff, made.panel) == [made.cases[F1]]
    with pytest.raises(NotAllowed):
        add_reader(made.cases[F1], member=made.members["evaluator2"], role="reader", by=chair, at=timezone.now())
    run = asked(made, staff)
    assert {one.case_id for one in standing(made)} == {made.cases[F1].pk}
    assert not runs_visible_to(again(cast["chair1"])).filter(pk=run.pk).exists()
    asked(made, chair)
    assert confirm(made, chair) == 6
    assert not standing(made, F1).filter(state="confirmed").exists()
    assert confirm(made, staff) == 3


def test_chair_when_in_conflict_and_a_vice_chair_serves_then_the_vice_chair_settles_it(cast, made, twin):
    PanelMember.objects.filter(pk=made.members["evaluator2"].pk).update(role="vice_chair")
    excluded(cast, made, twin, "chair1", F1)
    assert cases_to_assign(again(cast["staff1"]), made.panel) == []
    assert made.cases[F1] in cases_to_assign(again(cast["evaluator2"]), made.panel)


# By hand --------------------------------------------------------------------------------------------------------------


def test_reader_when_added_by_hand_then_pinned_and_the_effect_was_told(cast, made):
    now = seating(made, cast["chair1"])
    case, member = now.case_at[made.cases[F2].pk], now.member_at[made.members["evaluator2"].pk]
    effect = effect_of(now, case, member, adds=True)
    assert (effect.load, effect.load_after, effect.load_most, effect.missing_after) == (0, 1, 8, 2)
    assert effect.worth >= 40
    row = add_reader(
        made.cases[F2], member=made.members["evaluator2"], role="primary", by=cast["chair1"], at=timezone.now()
    )
    assert (row.state, row.is_pinned) == ("proposed", True)
    with pytest.raises(Refused):
        add_reader(
            made.cases[F2], member=made.members["evaluator2"], role="reader", by=cast["chair1"], at=timezone.now()
        )


def test_reader_when_in_conflict_or_full_or_of_the_same_institution_then_refused(cast, made, twin):
    chair, at = cast["chair1"], timezone.now()
    with pytest.raises(Refused) as refusal:
        add_reader(made.cases[F1], member=made.members["evaluator1"], role="reader", by=chair, at=at)
    assert refusal.value.code == "conflict"
    PanelMember.objects.filter(pk=made.members["evaluator2"].pk).update(cases_max=1)
    add_reader(made.cases[F1], member=made.members["evaluator2"], role="reader", by=chair, at=at)
    with pytest.raises(Refused) as refusal:
        add_reader(made.cases[F2], member=made.members["evaluator2"], role="reader", by=chair, at=at)
    assert refusal.value.code == "full"
    lead = twin[F1].participations.get(role="lead").organization
    PanelMember.objects.filter(pk__in=[made.members[n].pk for n in ("evaluator2", "evaluator3")]).update(
        organization=lead
    )
    with pytest.raises(Refused) as refusal:
        add_reader(made.cases[F1], member=made.members["evaluator3"], role="reader", by=chair, at=at)
    assert refusal.value.code == "institution"


def test_reader_when_recused_or_of_another_panel_then_the_database_refuses(cast, made):
    term = {"made_by": cast["staff1"], "made_at": timezone.now()}
    with pytest.raises(IntegrityError, match="conflict"), transaction.atomic():
        Assignment.objects.create(case=made.cases[F1], member=made.members["evaluator1"], **term)
    row = Assignment.objects.create(case=made.cases[F2], member=made.members["evaluator1"], **term)
    with pytest.raises(IntegrityError, match="conflict"), transaction.atomic():
        Assignment.objects.filter(pk=row.pk).update(case=made.cases[F1])
    with pytest.raises(DatabaseError), transaction.atomic():
        Assignment.objects.filter(pk=row.pk).update(state="declined")


def test_roles_when_changed_then_one_primary_remains(cast, made):
    asked(made, cast["chair1"])
    first, second = (standing(made, F2).get(role=role) for role in ("primary", "secondary"))
    set_role(second, role="primary", by=cast["chair1"], at=timezone.now())
    first.refresh_from_db()
    assert (first.role, standing(made, F2).filter(role="primary").get()) == ("secondary", second)
    with pytest.raises(Refused):
        set_role(second, role="boss", by=cast["chair1"], at=timezone.now())


def test_reader_when_taken_off_then_replaced_and_a_confirmed_one_needs_a_reason(cast, made):
    asked(made, cast["chair1"])
    row = standing(made, F1).first()
    pin_reader(row, is_pinned=True, by=cast["chair1"], at=timezone.now())
    remove_reader(row, by=cast["chair1"], at=timezone.now())
    assert Assignment.objects.get(pk=row.pk).state == "replaced"
    confirm(made, cast["chair1"], though_thin=True)
    other = standing(made, F2).first()
    with pytest.raises(Refused):
        remove_reader(other, by=cast["chair1"], at=timezone.now())
    ScoreSheet.objects.create(assignment=other, submitted_at=timezone.now())
    with pytest.raises(Refused) as refusal:
        remove_reader(other, reason="多忙", by=cast["chair1"], at=timezone.now())
    assert refusal.value.code == "sheet_in"


# Confirming -----------------------------------------------------------------------------------------------------------


def test_confirmation_when_given_then_the_readers_count(cast, made):
    assert waiting(cast["chair1"]) == [(3, 0, 0)]
    assert waiting(cast["staff1"]) == waiting(cast["evaluator2"]) == []
    asked(made, cast["chair1"])
    assert waiting(cast["chair1"]) == [(0, 9, 0)]
    assert confirm(made, cast["chair1"]) == 9
    assert set(standing(made).values_list("state", "confirmed_by")) == {("confirmed", cast["chair1"].pk)}
    assert waiting(cast["chair1"]) == []
    with pytest.raises(Refused):
        confirm(made, cast["chair1"])


def test_confirmation_when_something_changed_since_it_was_seen_then_refused(cast, made):
    asked(made, cast["chair1"])
    seen = fingerprint_of(seating(made, cast["chair1"]))
    remove_reader(standing(made, F2).first(), by=cast["chair1"], at=timezone.now())
    with pytest.raises(StaleEdit):
        confirm(made, cast["chair1"], seen=seen)
    assert not standing(made).filter(state="confirmed").exists()


def test_confirmation_when_a_conflict_has_come_then_names_it_and_nothing_is_confirmed(cast, made, twin):
    asked(made, cast["chair1"])
    row = standing(made, F2).select_related("member__person").first()
    user = next(one for one in cast.values() if one.person_id == row.member.person_id)
    conflict = declare_conflict(
        row.member.person,
        twin[F2],
        kind="other",
        evidence="共著",
        starts_on=timezone.localdate(),
        by=user,
        at=timezone.now(),
    )
    confirm_conflict(conflict, by=cast["staff1"], at=timezone.now())
    asker = cast["staff1"] if user == cast["chair1"] else cast["chair1"]
    with pytest.raises(NotReady) as refusal:
        confirm(made, asker)
    assert [(one.field, one.code) for one in refusal.value.blockers] == [(row.ref, "conflict")]
    assert not standing(made).filter(state="confirmed").exists()


@pytest.mark.parametrize("name", ["evaluator2", "secretariat1", "staff1", "pd1", "auditor1"])
def test_confirmation_when_by_anybody_else_then_refused(cast, made, name):
    asked(made, cast["chair1"])
    with pytest.raises(NotAllowed):
        confirm(made, cast[name], seen="x")


@pytest.mark.django_db(transaction=True)
def test_confirmation_when_sixteen_at_once_then_one_does(cast, twin):
    made = make_round(cast, twin)
    asked(made, cast["chair1"])
    seen = fingerprint_of(seating(made, cast["chair1"]))
    barrier, done = threading.Barrier(16), []

    def act() -> None:
        user = again(cast["chair1"])
        barrier.wait()
        try:
            confirm_assignments(made.panel, seen=seen, by=user, at=timezone.now())
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
    assert JournalEntry.objects.filter(action="confirm_assignments").count() == 1


# Declining and repairing ----------------------------------------------------------------------------------------------


def declined(cast, made, project=F2):
    row = standing(made, project).filter(role="primary").select_related("member__person").get()
    user = next(one for one in cast.values() if one.person_id == row.member.person_id)
    return decline_assignment(row, reason="病気のため", by=again(user), at=timezone.now()), user


def test_confirmation_when_cases_would_have_too_few_readers_then_asked_for_and_on_record(cast, made):
    asked(made, cast["chair1"])
    remove_reader(standing(made, F2).get(role="reader"), by=cast["chair1"], at=timezone.now())
    with pytest.raises(Refused) as refusal:
        confirm(made, cast["chair1"])
    assert (refusal.value.code, standing(made).filter(state="confirmed").exists()) == ("too_few_readers", False)
    found = thin_cases(seating(made, cast["chair1"]))
    assert [(one.case, one.there, one.wanted, one.quorum) for one in found] == [(made.cases[F2], 2, 3, 3)]
    confirm(made, cast["chair1"], though_thin=True)
    entry = history_of(made.panel).filter(action="confirm_assignments").get()
    assert entry.after == {"readers": 8, "cases": 3, "thin_cases": 1}


def test_confirmation_when_the_quorum_is_above_the_readers_then_asked_for(cast, made):
    Round.objects.filter(pk=made.round.pk).update(readers_per_case=2, quorum=3)
    made.panel.refresh_from_db()
    asked(made, cast["chair1"])
    assert [one.there for one in thin_cases(seating(made, cast["chair1"]))] == [2, 2, 2]
    Round.objects.filter(pk=made.round.pk).update(quorum=2)
    assert thin_cases(seating(made, cast["chair1"])) == []


def test_confirmation_when_two_readers_have_come_to_one_institution_then_refused(cast, made):
    asked(made, cast["chair1"])
    rows = list(standing(made, F2)[:2])
    place = Organization.objects.filter(is_sample=True).first()
    PanelMember.objects.filter(pk__in=[one.member_id for one in rows]).update(organization=place)
    with pytest.raises(NotReady) as refusal:
        confirm(made, cast["chair1"], though_thin=True)
    assert {one.code for one in refusal.value.blockers} == {"institution"}


def test_reader_when_the_case_has_all_its_readers_then_refused(cast, made):
    asked(made, cast["chair1"])
    taken = set(standing(made, F2).values_list("member", flat=True))
    other = next(one for one in made.members.values() if one.pk not in taken)
    with pytest.raises(Refused) as refusal:
        add_reader(made.cases[F2], member=other, role="reader", by=cast["chair1"], at=timezone.now())
    assert refusal.value.code == "whole"


def test_readers_when_their_teams_would_review_each_other_then_refused(cast, made, twin):
    """evaluator2 works in F1's team and evaluator3 in F2's: they do not read each other's case."""
    place = Organization.objects.filter(is_sample=True).first()
    for name, project in (("evaluator2", F1), ("evaluator3", F2)):
        ProjectMember.objects.create(
            project=twin[project], person=cast[name].person, organization=place, role="co_investigator",
            starts_on="2026-04-01", granted_by=cast["staff1"], approved_by=cast["staff2"],
        )  # fmt: skip
    Declaration.objects.update(replaced_at=timezone.now())  # declared anew, on the teams as they are now
    made.declare(users=cast)
    add_reader(
        made.cases[F2], member=made.members["evaluator2"], role="reader", by=cast["chair1"], at=timezone.now()
    )  # fmt: skip
    with pytest.raises(Refused) as refusal:
        add_reader(
            made.cases[F1], member=made.members["evaluator3"], role="reader", by=cast["chair1"], at=timezone.now()
        )  # fmt: skip
    assert refusal.value.code == "mutual"


def test_reader_when_in_conflict_after_the_confirmation_then_replaced_by_the_repair(cast, made, twin):
    asked(made, cast["chair1"])
    confirm(made, cast["chair1"])
    gone = standing(made, F2).get(role="primary")
    name = next(key for key, one in made.members.items() if one.pk == gone.member_id)
    excluded(cast, made, twin, name, F2)
    assert waiting(cast["chair1" if name != "chair1" else "staff1"]) == [(0, 0, 1)]
    asked(made, cast["chair1" if name != "chair1" else "staff1"], kind="repair")
    new = standing(made).get(state="proposed")
    assert (new.case, new.role, new.replaces) == (made.cases[F2], "primary", gone)
    assert Assignment.objects.get(pk=gone.pk).state == "confirmed"
    confirm(made, cast["chair1" if name != "chair1" else "staff1"])
    assert Assignment.objects.get(pk=gone.pk).state == "replaced"
    assert standing(made, F2).filter(state="confirmed").count() == 3
    assert waiting(cast["chair1" if name != "chair1" else "staff1"]) == []


def test_reader_when_owing_a_new_declaration_then_stands_and_nobody_is_replaced(cast, made, twin):
    asked(made, cast["chair1"])
    confirm(made, cast["chair1"])
    Project.objects.filter(pk=twin[F2].pk).update(title_ja="新しい題名")
    found = seating(made, cast["chair1"])
    line = next(one for one in case_lines(found) if one.case == made.cases[F2])
    assert [(one.owes, one.closed) for one in line.readers] == [(True, "")] * 3
    assert (line.missing, found.short, waiting(cast["chair1"])) == (0, [], [])
    with pytest.raises(Refused) as refusal:
        ask_for_run(made.panel, kind="repair", by=again(cast["chair1"]), at=timezone.now())
    assert refusal.value.code == "no_holes"


def test_decline_when_by_the_reader_then_a_replacement_is_proposed_and_nobody_else_moves(cast, made):
    asked(made, cast["chair1"])
    confirm(made, cast["chair1"])
    others = set(standing(made).values_list("pk", flat=True))
    gone, _user = declined(cast, made)
    assert waiting(cast["chair1"]) == [(0, 0, 1)]
    run = asked(made, cast["chair1"], kind="repair")
    new = standing(made).get(state="proposed")
    assert (run.state, new.case, new.role, new.replaces) == ("done", made.cases[F2], "primary", gone)
    assert new.member != gone.member
    assert set(standing(made).filter(state="confirmed").values_list("pk", flat=True)) == others - {gone.pk}
    confirm(made, cast["chair1"])
    with pytest.raises(Refused):
        ask_for_run(made.panel, kind="repair", by=again(cast["chair1"]), at=timezone.now())


def test_repair_when_only_a_neighbour_can_then_the_confirmed_one_stays_until_it_is_confirmed(cast, made, twin):
    Round.objects.filter(pk=made.round.pk).update(readers_per_case=1, quorum=1, cases_per_reader_max=1)
    chair, at = cast["chair1"], timezone.now()
    members = made.members
    for name in members:
        if name not in ("evaluator2", "evaluator3", "evaluator4", "evaluator5"):
            PanelMember.objects.filter(pk=members[name].pk).update(is_scoring=False)
    for project, name in ((F1, "evaluator2"), (F2, "evaluator3"), (F3, "evaluator4")):
        add_reader(made.cases[project], member=members[name], role="primary", by=chair, at=at)
    confirm(made, chair)
    Assignment.objects.filter(case__panel=made.panel).update(is_pinned=False)
    # evaluator5 has room but is in conflict with F1, where evaluator2 declines; evaluator4 cannot either.
    for name in ("evaluator4", "evaluator5", "evaluator2"):
        if name != "evaluator2":
            excluded(cast, made, twin, name, F1)
    gone = standing(made, F1).get()
    decline_assignment(gone, reason="多忙", by=again(cast["evaluator2"]), at=timezone.now())
    excluded(cast, made, twin, "evaluator2", F1)
    asked(made, chair, kind="repair")
    new = {one.case.gate_review.project.ref: one for one in standing(made).filter(state="proposed")}
    assert (set(new), new[F1].member, new[F2].replaces.member) == (
        {F1, F2},
        members["evaluator3"],
        members["evaluator3"],
    )
    assert standing(made, F2).filter(member=members["evaluator3"], state="confirmed").exists()
    assert confirm(made, chair) == 2
    assert not standing(made, F2).filter(member=members["evaluator3"]).exists()
    assert standing(made, F1).get(state="confirmed").member == members["evaluator3"]


def test_decline_when_a_sheet_is_in_or_by_another_or_without_a_reason_then_refused(cast, made):
    row = made.assign(F2, "evaluator2", by=cast["staff1"])[0]
    for name in ("evaluator3", "chair1", "staff1"):
        with pytest.raises(NotAllowed):
            decline_assignment(row, reason="x", by=cast[name], at=timezone.now())
    with pytest.raises(Refused):
        decline_assignment(row, reason=" ", by=cast["evaluator2"], at=timezone.now())
    ScoreSheet.objects.create(assignment=row, submitted_at=timezone.now())
    with pytest.raises(NotAllowed):
        decline_assignment(row, reason="x", by=again(cast["evaluator2"]), at=timezone.now())


def test_run_when_done_then_its_result_stands_in_the_database(cast, made):
    run = asked(made, cast["chair1"])
    with pytest.raises(DatabaseError), transaction.atomic():
        AssignmentRun.objects.filter(pk=run.pk).update(result={})
