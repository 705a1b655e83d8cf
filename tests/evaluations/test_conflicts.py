"""Conflicts of interest: declared by one, settled by another; a confirmed one beats every role."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts.models import Organization
from accounts.queries import AgencyClient
from common.errors import IllegalMove, NotAllowed, Refused
from common.models import JournalEntry
from evaluations.actions.conflicts import confirm_conflict, declare_conflict, dismiss_conflict, end_conflict
from evaluations.models import ConflictOfInterest
from evaluations.queries.conflicts import conflicts_visible_to
from evaluations.rules.conflicts import conflict_actions, may_declare
from programs.models import AreaDirector, ProjectRecusal
from programs.queries import projects_visible_to, search_projects
from tests.cast import again

START = date(2026, 4, 1)


def declare(user, project, *, person=None, **changes):
    values = {"kind": "mentor", "evidence": "指導関係(見本)", "starts_on": START, "by": user, "at": timezone.now()}
    return declare_conflict(person or user.person, project, **(values | changes))


def confirm(conflict, by):
    return confirm_conflict(conflict, reason="確認した(見本)", by=by, at=timezone.now())


def sees(user, project):
    return projects_visible_to(again(user)).filter(pk=project.pk).exists()


# Hiding ---------------------------------------------------------------------------------------------------------------

WHO_SEES_F1 = ["pd1", "deputy1", "po1", "staff2", "auditor1", "pi1", "coinvestigator1", "hq1", "office1", "jst1"]


@pytest.mark.parametrize("name", WHO_SEES_F1)
def test_project_when_conflict_is_confirmed_then_hidden_from_every_role(cast, twin, name):
    user, project = cast[name], twin["sample-ql1-f1"]
    before = projects_visible_to(again(user)).count()
    assert sees(user, project)
    confirm(declare(user, project), cast["staff1"])
    assert not sees(user, project)
    assert projects_visible_to(again(user)).count() == before - 1
    assert project not in search_projects(again(user), project.title_ja[:6])


def test_project_when_conflict_is_only_declared_then_still_visible(cast, twin):
    declare(cast["pd1"], twin["sample-ql1-f1"])
    assert sees(cast["pd1"], twin["sample-ql1-f1"])


def test_project_when_evaluator_in_conflict_gets_a_role_on_its_area_then_still_hidden(cast, twin):
    project, person = twin["sample-ql1-f1"], cast["evaluator1"].person
    AreaDirector.objects.filter(area=project.area).update(ends_on=date(2026, 3, 31))
    AreaDirector.objects.create(
        area=project.area, person=person, starts_on=START, granted_by=cast["staff1"], approved_by=cast["staff2"]
    )
    assert sees(cast["evaluator1"], twin["sample-ql1-f2"])
    assert not sees(cast["evaluator1"], project)


def test_conflict_when_it_has_ended_then_the_project_is_visible_again(cast, twin):
    user, project = cast["pd1"], twin["sample-ql1-f1"]
    conflict = confirm(declare(user, project), cast["staff1"])
    yesterday = timezone.localdate() - timedelta(days=1)
    end_conflict(conflict, ends_on=yesterday, reason="任期の終了(見本)", by=cast["staff2"], at=timezone.now())
    assert sees(user, project)
    assert ProjectRecusal.objects.get(source_ref=conflict.ref).ends_on == yesterday


# Two people -----------------------------------------------------------------------------------------------------------


def test_conflict_when_the_recorder_confirms_then_refused_and_nothing_is_hidden(cast, twin):
    project = twin["sample-ql1-f1"]
    conflict = declare(cast["staff1"], project, person=cast["pd1"].person, found="reported")
    with pytest.raises(NotAllowed):
        confirm(conflict, cast["staff1"])
    assert not ProjectRecusal.objects.filter(source_ref=conflict.ref).exists()
    assert sees(cast["pd1"], project)


def test_conflict_when_the_recorder_settles_in_raw_sql_then_the_database_refuses(cast, twin):
    conflict = declare(cast["staff1"], twin["sample-ql1-f1"], person=cast["pd1"].person, found="reported")
    with pytest.raises(IntegrityError, match="conflict_settled_by_another"), transaction.atomic():
        ConflictOfInterest.objects.filter(pk=conflict.pk).update(
            state="confirmed", settled_by=cast["staff1"], settled_at=timezone.now()
        )


def test_conflict_when_the_state_jumps_in_raw_sql_then_the_database_refuses(cast, twin):
    conflict = declare(cast["pd1"], twin["sample-ql1-f1"])
    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        ConflictOfInterest.objects.filter(pk=conflict.pk).update(
            state="ended", settled_by=cast["staff1"], settled_at=timezone.now()
        )


def test_conflict_when_the_person_concerned_settles_it_then_refused(cast, twin):
    conflict = declare(cast["staff1"], twin["sample-ql1-f1"], person=cast["staff2"].person, found="reported")
    with pytest.raises(NotAllowed):
        dismiss_conflict(conflict, reason="違います", by=cast["staff2"], at=timezone.now())


def test_conflict_when_the_settler_is_recused_from_the_project_then_refused(cast, twin):
    project = twin["sample-ql1-f1"]
    confirm(declare(cast["staff2"], project), cast["staff1"])
    conflict = declare(cast["pd1"], project)
    with pytest.raises(NotAllowed):
        confirm(conflict, again(cast["staff2"]))


@pytest.mark.parametrize("name", ["pd2", "po1", "secretariat1", "auditor1", "pi1", "evaluator2", "nedo1", "applicant1"])
def test_conflict_when_settled_by_anyone_else_then_refused(cast, twin, name):
    conflict = declare(cast["pd1"], twin["sample-ql1-f1"])
    with pytest.raises(NotAllowed):
        confirm(conflict, cast[name])


def test_conflict_when_settled_by_the_agency_then_confirmed(cast, twin):
    assert confirm(declare(cast["pd1"], twin["sample-ql1-f1"]), cast["jst1"]).state == "confirmed"


# Reasons and steps ----------------------------------------------------------------------------------------------------


def test_conflict_when_dismissed_then_reason_kept_and_nothing_hidden(cast, twin):
    project = twin["sample-ql1-f1"]
    conflict = declare(cast["pd1"], project)
    settled = dismiss_conflict(conflict, reason="5年より前の共著", by=cast["staff1"], at=timezone.now())
    assert (settled.state, settled.settled_reason) == ("dismissed", "5年より前の共著")
    assert sees(cast["pd1"], project)
    entry = JournalEntry.objects.filter(subject_ref=conflict.ref).latest("id")
    assert (entry.action, entry.before, entry.after) == (
        "dismiss_conflict", {"state": "declared"}, {"state": "dismissed"}
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_conflict_when_dismissed_without_a_reason_then_refused(cast, twin, reason):
    conflict = declare(cast["pd1"], twin["sample-ql1-f1"])
    with pytest.raises(Refused) as refusal:
        dismiss_conflict(conflict, reason=reason, by=cast["staff1"], at=timezone.now())
    assert refusal.value.code == "reason_missing"
    assert ConflictOfInterest.objects.get(pk=conflict.pk).state == "declared"


def test_conflict_when_confirmed_twice_then_refused(cast, twin):
    conflict = declare(cast["pd1"], twin["sample-ql1-f1"])
    confirm(conflict, cast["staff1"])
    with pytest.raises(IllegalMove):
        confirm(conflict, cast["staff2"])
    assert ProjectRecusal.objects.filter(source_ref=conflict.ref).count() == 1


def test_conflict_when_declared_without_evidence_then_refused(cast, twin):
    with pytest.raises(Refused):
        declare(cast["pd1"], twin["sample-ql1-f1"], evidence=" ")


def test_conflict_when_dates_are_out_of_order_then_refused(cast, twin):
    with pytest.raises(Refused) as refusal:
        declare(cast["pd1"], twin["sample-ql1-f1"], ends_on=START - timedelta(days=1))
    assert refusal.value.code == "dates_out_of_order"


# Who records, who sees ------------------------------------------------------------------------------------------------

DECLARES_OWN = {
    "staff1", "staff2", "pd1", "deputy1", "po1", "hq1", "pi1", "coinvestigator1", "office1", "office2", "accountant1",
    "jst1", "jst2", "auditor1", "chair1", *(f"evaluator{number}" for number in range(1, 13)),
}  # fmt: skip
DECLARES_OTHERS = {"staff1", "staff2", "secretariat1", "jst1", "jst2"}


def test_declaring_when_asked_over_the_whole_cast_then_as_the_table_says(cast, twin):
    project, other = twin["sample-ql1-f1"], cast["applicant1"].person
    own = {name for name, user in cast.items() if may_declare(user, user.person, project)}
    others = {name for name, user in cast.items() if name != "applicant1" and may_declare(user, other, project)}
    assert (own, others) == (DECLARES_OWN, DECLARES_OTHERS)


def test_conflicts_when_listed_over_the_whole_cast_then_only_who_settles_or_audits_or_is_concerned(cast, twin):
    conflict = ConflictOfInterest.objects.get(person=cast["evaluator1"].person, project=twin["sample-ql1-f1"])
    seen = {name for name, user in cast.items() if conflicts_visible_to(user).filter(pk=conflict.pk).exists()}
    assert seen == {"staff1", "staff2", "jst1", "jst2", "auditor1", "evaluator1"}


def test_conflicts_when_a_machine_of_the_agency_asks_then_none(cast):
    agency = Organization.objects.get(ref="sample-jst")
    client = AgencyClient(agency.pk, agency.ref, "client", frozenset())
    assert projects_visible_to(client).exists()
    assert not conflicts_visible_to(client).exists()


def test_conflicts_when_staff_are_recused_then_they_see_only_their_own_of_the_project(cast, twin):
    project = twin["sample-ql1-f1"]
    mine = confirm(declare(cast["staff2"], project), cast["staff1"])
    assert list(conflicts_visible_to(again(cast["staff2"])).filter(project=project)) == [mine]


ACTS = {
    # who: on the confirmed conflict of evaluator1, on one that pd1 has declared
    "staff1": ({"conflict.view", "conflict.end"}, {"conflict.view", "conflict.confirm", "conflict.dismiss"}),
    "jst2": ({"conflict.view", "conflict.end"}, {"conflict.view", "conflict.confirm", "conflict.dismiss"}),
    "auditor1": ({"conflict.view"}, {"conflict.view"}),
    "evaluator1": ({"conflict.view"}, set()),
    "pd1": (set(), {"conflict.view"}),
    "evaluator2": (set(), set()),
}


@pytest.mark.parametrize(("name", "allowed"), ACTS.items())
def test_acts_on_a_conflict_when_asked_then_as_the_table_says(cast, twin, name, allowed):
    confirmed = ConflictOfInterest.objects.get(person=cast["evaluator1"].person)
    declared = declare(cast["pd1"], twin["sample-ql1-f1"])
    assert (conflict_actions(cast[name], confirmed), conflict_actions(cast[name], declared)) == allowed
