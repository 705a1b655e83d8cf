"""People and sign-ins: entered by ministry staff, identifiers checked, nothing doubled."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.actions.people import affiliate, create_person, create_user
from accounts.models import Affiliation, Organization, Person, RoleGrant, User
from accounts.queries import grants_of, organizations_of
from common.errors import NotAllowed, Refused
from common.models import JournalEntry


def enter(by, **changes):
    values = {"name_ja": "見本 新任者", "is_sample": True, "by": by, "at": timezone.now()}
    return create_person(**(values | changes))


def test_person_when_entered_then_cleaned_and_in_the_journal(cast):
    person = enter(cast["staff1"], name_ja=" 見本\u3000新任者 ", orcid="0000-0002-1825-0097")
    assert person.name_ja == "見本 新任者"
    entry = JournalEntry.objects.get(subject_type="accounts.person", subject_id=person.pk)
    assert (entry.action, entry.actor_label, entry.subject_ref) == ("create_person", "見本 担当官1", person.ref)


@pytest.mark.parametrize(
    ("field", "value"), [("orcid", "0000-0002-1825-0098"), ("erad_number", "1234567"), ("name_ja", " ")]
)
def test_person_when_an_identifier_is_wrong_then_refused_by_name(cast, field, value):
    before = Person.objects.count()
    with pytest.raises(ValidationError) as refusal:
        enter(cast["staff1"], **{field: value})
    assert set(refusal.value.message_dict) == {field}
    assert Person.objects.count() == before


@pytest.mark.parametrize("name", ["pd1", "secretariat1", "auditor1", "jst1", "applicant1"])
def test_person_when_entered_by_anyone_else_then_refused(cast, name):
    with pytest.raises(NotAllowed):
        enter(cast[name])


def test_user_when_created_then_has_no_password_and_no_role(cast):
    user = create_user(enter(cast["staff1"]), email="New@Sample.Example", by=cast["staff1"], at=timezone.now())
    assert user.email == "new@sample.example"
    assert not user.has_usable_password()
    assert grants_of(user).roles == frozenset()


@pytest.mark.parametrize(
    ("email", "code"), [("PD1@sample.example", "email_taken"), ("other@sample.example", "person_taken")]
)
def test_user_when_address_or_person_is_taken_then_refused(cast, email, code):
    person = cast["pd1"].person if code == "person_taken" else enter(cast["staff1"])
    with pytest.raises(Refused) as refusal:
        create_user(person, email=email, by=cast["staff1"], at=timezone.now())
    assert refusal.value.code == code


def test_affiliation_when_entered_then_works_there_within_the_dates_and_has_no_role(cast):
    person, place = enter(cast["staff1"]), Organization.objects.get(ref="sample-college")
    affiliate(
        person, place, starts_on=date(2025, 4, 1), ends_on=date(2026, 3, 31), by=cast["staff1"], at=timezone.now()
    )
    assert list(organizations_of(person.pk, date(2026, 3, 31))) == [place]
    assert list(organizations_of(person.pk, date(2026, 4, 1))) == []
    assert not RoleGrant.objects.filter(person=person).exists()


def test_affiliation_when_dates_are_out_of_order_then_refused(cast):
    person, place = enter(cast["staff1"]), Organization.objects.get(ref="sample-college")
    with pytest.raises(ValidationError):
        affiliate(
            person, place, starts_on=date(2026, 4, 1), ends_on=date(2026, 3, 31), by=cast["staff1"], at=timezone.now()
        )
    assert not Affiliation.objects.filter(person=person).exists()


# create_first_staff ---------------------------------------------------------------------------------------------------


def test_first_staff_command_when_nobody_is_there_then_two_people_each_approved_by_the_other(cast, capsys):
    call_command("create_first_staff", "a@ministry.example", "b@ministry.example", names=["担当 一", "担当 二"])
    first, second = (User.objects.get(email=f"{letter}@ministry.example") for letter in "ab")
    grants = {grant.person_id: grant for grant in RoleGrant.objects.filter(person__in=[first.person, second.person])}
    assert grants[first.person_id].approved_by == second
    assert grants[second.person_id].approved_by == first
    assert all(grant.granted_by is None and grant.role == "ministry_staff" for grant in grants.values())
    assert "a@ministry.example" in capsys.readouterr().out


def test_first_staff_command_when_run_again_then_refused_and_nothing_written(cast):
    call_command("create_first_staff", "a@ministry.example", "b@ministry.example", names=["担当 一", "担当 二"])
    with pytest.raises(CommandError):
        call_command("create_first_staff", "c@ministry.example", "d@ministry.example", names=["担当 三", "担当 四"])
    assert not User.objects.filter(email__in=["c@ministry.example", "d@ministry.example"]).exists()


@pytest.mark.parametrize(
    "emails", [("a@ministry.example", "a@ministry.example"), ("a@ministry.example", "pd1@sample.example")]
)
def test_first_staff_command_when_one_person_or_a_sample_is_named_then_refused(cast, emails):
    with pytest.raises(CommandError):
        call_command("create_first_staff", *emails, names=["担当 一", "担当 二"])
    assert not User.objects.filter(email="a@ministry.example").exists()


def test_first_staff_command_when_an_address_is_unknown_and_no_name_given_then_says_what_to_do(cast):
    with pytest.raises(CommandError, match="--names"):
        call_command("create_first_staff", "a@ministry.example", "b@ministry.example")
