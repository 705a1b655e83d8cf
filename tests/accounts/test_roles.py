"""Role grants: two people, in the action and in the database."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.roles import approve_tenure, create_first_staff, end_tenure, grant_role, propose_tenure
from accounts.models import RoleGrant
from accounts.queries import AgencyClient, grants_of
from accounts.rules import approval_blockers, may_manage_people
from common.errors import NotAllowed, NotReady, Refused
from common.models import JournalEntry
from programs.models import ProgramStaff
from tests.cast import again

DAY = date(2026, 4, 1)


@pytest.fixture
def proposed(cast):
    return grant_role(cast["applicant1"].person, role="auditor", starts_on=DAY, by=cast["staff1"], at=timezone.now())


def test_role_when_proposed_then_counts_only_after_the_second_person(cast, proposed):
    assert not grants_of(again(cast["applicant1"])).has("auditor")
    approve_tenure(proposed, by=cast["staff2"], at=timezone.now())
    assert grants_of(again(cast["applicant1"])).has("auditor")


def test_role_when_approved_by_its_proposer_then_refused(cast, proposed):
    with pytest.raises(NotReady) as refusal:
        approve_tenure(proposed, by=cast["staff1"], at=timezone.now())
    assert [blocker.code for blocker in refusal.value.blockers] == ["second_person"]
    assert RoleGrant.objects.get(pk=proposed.pk).approved_by_id is None


def test_role_when_proposer_approves_in_raw_sql_then_the_database_refuses(cast, proposed):
    with pytest.raises(IntegrityError, match="rolegrant_two_people"), transaction.atomic():
        RoleGrant.objects.filter(pk=proposed.pk).update(approved_by=cast["staff1"])


def test_role_when_its_holder_approves_it_then_refused(cast, twin_program):
    tenure = propose_tenure(
        ProgramStaff(person=cast["staff2"].person, program=twin_program, role="program_officer", starts_on=DAY),
        by=cast["staff1"], at=timezone.now(),
    )  # fmt: skip
    with pytest.raises(NotReady) as refusal:
        approve_tenure(tenure, by=cast["staff2"], at=timezone.now())
    assert [blocker.code for blocker in refusal.value.blockers] == ["own_role"]


def test_role_when_approved_twice_then_refused(cast, proposed):
    approve_tenure(proposed, by=cast["staff2"], at=timezone.now())
    found = approval_blockers(RoleGrant.objects.get(pk=proposed.pk), cast["staff2"])
    assert [blocker.code for blocker in found] == ["already_approved"]


MAY_MANAGE = {"staff1", "staff2"}


def test_managing_people_when_asked_over_the_whole_cast_then_only_ministry_staff_may(cast):
    assert {name for name, user in cast.items() if may_manage_people(user)} == MAY_MANAGE
    client = AgencyClient(1, "sample-jst", "client", frozenset({"programs:read"}))
    assert not may_manage_people(client)


@pytest.mark.parametrize("name", ["pd1", "po1", "secretariat1", "auditor1", "office1", "jst1", "applicant1"])
def test_role_when_proposed_by_anyone_else_then_refused_and_nothing_written(cast, name):
    before = RoleGrant.objects.count(), JournalEntry.objects.count()
    with pytest.raises(NotAllowed):
        grant_role(cast["applicant1"].person, role="auditor", starts_on=DAY, by=cast[name], at=timezone.now())
    assert (RoleGrant.objects.count(), JournalEntry.objects.count()) == before


def test_institution_role_when_no_organization_is_named_then_refused(cast):
    with pytest.raises(Refused) as refusal:
        grant_role(
            cast["applicant1"].person, role="institution_office", starts_on=DAY, by=cast["staff1"], at=timezone.now()
        )
    assert refusal.value.code == "scope_missing"


def test_role_when_ended_then_counts_no_longer_and_the_journal_tells_why(cast, proposed):
    approve_tenure(proposed, by=cast["staff2"], at=timezone.now())
    end_tenure(proposed, ends_on=date(2026, 4, 2), reason="moved away", by=cast["staff1"], at=timezone.now())
    assert not grants_of(again(cast["applicant1"])).has("auditor")
    entry = JournalEntry.objects.filter(subject_type="accounts.rolegrant", subject_id=proposed.pk).latest("id")
    assert (entry.action, entry.reason, entry.after) == ("end_role", "moved away", {"ends_on": "2026-04-02"})


def test_role_when_ended_without_a_reason_then_refused(cast, proposed):
    with pytest.raises(Refused) as refusal:
        end_tenure(proposed, ends_on=DAY, reason=" ", by=cast["staff1"], at=timezone.now())
    assert refusal.value.code == "reason_missing"


def test_first_staff_when_staff_exist_then_refused(cast):
    with pytest.raises(Refused) as refusal:
        create_first_staff(cast["applicant1"], cast["auditor1"], at=timezone.now())
    assert refusal.value.code == "not_first"


def test_first_staff_when_one_person_twice_then_refused(cast):
    with pytest.raises(Refused) as refusal:
        create_first_staff(cast["applicant1"], cast["applicant1"], at=timezone.now())
    assert refusal.value.code == "two_people"
