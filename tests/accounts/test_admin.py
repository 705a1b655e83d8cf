"""People, sign-ins and role grants in the admin: by the same actions, two people for a role, no password typed."""

import re
from datetime import date

import pytest
from django.core import mail
from django.utils import timezone

from accounts.actions.roles import grant_role
from accounts.models import Affiliation, Organization, Person, RoleGrant, User
from accounts.queries import grants_of
from common.models import JournalEntry, OutgoingMail
from tests.cast import again

pytestmark = pytest.mark.django_db

GRANT = "/admin/accounts/rolegrant/"
USER = "/admin/accounts/user/"


def errors(page):
    assert page.status_code == 200
    return dict(page.context_data["adminform"].form.errors)


def form_of(client, path):
    return {k: v for k, v in client.get(path).context_data["adminform"].form.initial.items() if v not in (None, False)}


def told_of(row):
    entries = JournalEntry.objects.filter(subject_type=row._meta.label_lower, subject_id=row.pk).order_by("id")
    return [(entry.action, entry.actor_id) for entry in entries]


# Roles ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def proposed(cast):
    day = date(2026, 4, 1)
    return grant_role(cast["applicant1"].person, role="auditor", starts_on=day, by=cast["staff1"], at=timezone.now())


def test_grant_when_proposed_and_approved_by_another_then_counts(client, cast):
    client.force_login(cast["staff1"])
    typed = {"person": cast["applicant1"].person.pk, "role": "auditor", "starts_on": "2026-04-01"}
    assert client.post(f"{GRANT}add/", typed).status_code == 302
    grant = RoleGrant.objects.get(person=cast["applicant1"].person)
    assert (grant.granted_by, grant.approved_by) == (cast["staff1"], None)
    assert not grants_of(again(cast["applicant1"])).has("auditor")
    client.force_login(cast["staff2"])
    answer = client.post(f"{GRANT}{grant.pk}/approve/", follow=True).content.decode()
    assert f"承認しました: {grant.person.name}" in answer
    assert grants_of(again(cast["applicant1"])).has("auditor")
    assert told_of(grant) == [("propose_role", str(cast["staff1"].pk)), ("approve_role", str(cast["staff2"].pk))]


def test_grant_when_approved_by_its_proposer_then_refused_in_words(client, cast, proposed):
    client.force_login(cast["staff1"])
    answer = client.post(f"{GRANT}{proposed.pk}/approve/", follow=True).content.decode()
    assert "役割の付与には二人目の承認が必要です" in answer
    assert RoleGrant.objects.get(pk=proposed.pk).approved_by is None


def test_grant_when_approved_by_its_holder_then_refused_in_words(client, cast):
    day = date(2026, 4, 1)
    grant = grant_role(cast["staff2"].person, role="approver", starts_on=day, by=cast["staff1"], at=timezone.now())
    client.force_login(cast["staff2"])
    client.post(f"{GRANT}{grant.pk}/approve/")
    assert RoleGrant.objects.get(pk=grant.pk).approved_by is None


def test_grant_when_the_form_carries_who_approved_then_ignored(client, cast, proposed):
    client.force_login(cast["staff1"])
    person = cast["evaluator2"].person
    typed = {"person": person.pk, "role": "auditor", "starts_on": "2026-04-01", "approved_by": cast["staff2"].pk,
             "granted_by": cast["staff2"].pk}  # fmt: skip
    client.post(f"{GRANT}add/", typed)
    made = RoleGrant.objects.get(person=person, role="auditor")
    assert (made.granted_by, made.approved_by) == (cast["staff1"], None)
    path = f"{GRANT}{proposed.pk}/change/"
    client.post(path, {**form_of(client, path), **typed, "ends_on": "2026-12-31", "reason": "終了"})
    row = RoleGrant.objects.get(pk=proposed.pk)
    assert (row.person, row.approved_by, row.ends_on) == (cast["applicant1"].person, None, date(2026, 12, 31))


@pytest.mark.parametrize("role", RoleGrant.SCOPED)
def test_grant_when_the_role_needs_an_organization_then_the_field_says_so(client, cast, role):
    client.force_login(cast["staff1"])
    typed = {"person": cast["applicant1"].person.pk, "role": role, "starts_on": "2026-04-01"}
    assert list(errors(client.post(f"{GRANT}add/", typed))) == ["organization"]


# Sign-ins -------------------------------------------------------------------------------------------------------------


def test_user_when_entered_with_a_new_person_then_gets_a_mail_and_no_password(client, cast):
    client.force_login(cast["staff1"])
    typed = {"name_ja": "試験 花子", "name_kana": "シケン ハナコ", "email": "Hanako@Test.example", "language": "ja",
             "send_mail": "on"}  # fmt: skip
    assert client.post(f"{USER}add/", typed).status_code == 302
    user = User.objects.get(email="hanako@test.example")
    assert (user.person.name_ja, user.has_usable_password()) == ("試験 花子", False)
    assert grants_of(user).roles == frozenset()
    assert told_of(user) == [("create_user", str(cast["staff1"].pk)), ("send_password_mail", str(cast["staff1"].pk))]
    letter = OutgoingMail.objects.get(recipient_email=user.email)
    assert re.search(r"/accounts/password/reset/key/\S+", letter.body)
    assert mail.outbox == []
    assert "password/reset/key" not in client.get(f"/admin/common/outgoingmail/{letter.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"email": "x@test.example", "language": "ja"}, ["person"]),
        ({"email": "staff2@sample.example", "language": "ja", "name_ja": "二人目"}, ["email"]),
        ({"email": "no address", "language": "ja", "name_ja": "名"}, ["email"]),
        ({"email": "x@test.example", "language": "ja", "name_ja": "名", "person": "staff2"}, ["person"]),
        ({"email": "x@test.example", "language": "ja", "person": "staff2"}, ["person"]),
        ({"email": "x@test.example", "language": "fr", "name_ja": "名"}, ["language"]),
    ],
)
def test_user_when_it_cannot_be_then_the_field_says_why_and_nothing_is_made(client, cast, typed, fields):
    client.force_login(cast["staff1"])
    if "person" in typed:
        typed = {**typed, "person": cast[typed["person"]].person.pk}
    before = User.objects.count(), Person.objects.count(), JournalEntry.objects.count()
    assert list(errors(client.post(f"{USER}add/", typed))) == fields
    assert (User.objects.count(), Person.objects.count(), JournalEntry.objects.count()) == before


def test_user_when_changed_then_neither_password_nor_address_of_a_used_sign_in(client, cast):
    User.objects.filter(pk=cast["pi1"].pk).update(last_login=timezone.now())
    password = cast["pi1"].password
    path = f"{USER}{cast['pi1'].pk}/change/"
    client.force_login(cast["staff1"])
    extra = {"email": "other@test.example", "password": "x", "is_superuser": "on", "digest": "daily"}
    assert client.post(path, {**form_of(client, path), "is_active": "on", **extra}).status_code == 302
    user = User.objects.get(pk=cast["pi1"].pk)
    found = (user.email, user.password, user.is_superuser, user.digest)
    assert found == ("pi1@sample.example", password, False, "daily")
    last = JournalEntry.objects.filter(subject_type="accounts.user", subject_id=user.pk).latest("id")
    assert (last.before, last.after) == ({"digest": "each"}, {"digest": "daily"})


def test_user_when_switched_off_then_is_out_at_once(client, cast):
    path = f"{USER}{cast['staff2'].pk}/change/"
    client.force_login(cast["staff1"])
    typed = {k: v for k, v in form_of(client, path).items() if k != "is_active"}
    assert client.post(path, {**typed, "reason": "退職"}).status_code == 302
    client.force_login(cast["staff2"])
    assert client.get("/admin/").status_code == 302
    client.force_login(cast["staff1"])
    answer = client.post(f"{USER}{cast['staff2'].pk}/password-mail/", follow=True).content.decode()
    assert "このサインインは停止中です" in answer
    assert not OutgoingMail.objects.filter(recipient_email="staff2@sample.example").exists()


# People and organizations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [("orcid", "0000-0002-1825-0098"), ("erad_number", "1234"), ("orcid", "0000-0002-1825-0097")],
)
def test_person_when_a_number_is_wrong_or_taken_then_the_field_says_so(client, cast, field, value):
    Person.objects.create(name_ja="先の人", orcid="0000-0002-1825-0097")
    client.force_login(cast["staff1"])
    found = errors(client.post("/admin/accounts/person/add/", {"name_ja": "後の人", field: value}))
    assert list(found) == [field]
    assert "orcid_once" not in str(found)


def test_person_when_entered_then_by_the_action_and_never_a_sample(client, cast):
    client.force_login(cast["staff1"])
    typed = {"name_ja": "試験 太郎", "is_sample": "on", "ref": "PSN-0000000"}
    assert client.post("/admin/accounts/person/add/", typed).status_code == 302
    person = Person.objects.get(name_ja="試験 太郎")
    assert (person.is_sample, person.ref == "PSN-0000000") == (False, False)
    assert told_of(person) == [("create_person", str(cast["staff1"].pk))]


def test_organization_when_its_number_fails_the_check_digit_then_the_field_says_so(client, cast):
    client.force_login(cast["staff1"])
    typed = {"ref": "univ-x", "name_ja": "試験大学", "corporate_number": "1000000000000", "ror": "05dxps05x"}
    assert set(errors(client.post("/admin/accounts/organization/add/", typed))) == {"corporate_number", "ror"}


def test_affiliation_when_entered_then_gives_no_role(client, cast):
    client.force_login(cast["staff1"])
    person, organization = cast["applicant1"].person, Organization.objects.get(ref="sample-jst")
    typed = {"person": person.pk, "organization": organization.pk, "starts_on": "2026-04-01", "ends_on": "2026-03-01"}
    assert list(errors(client.post("/admin/accounts/affiliation/add/", typed))) == ["ends_on"]
    assert client.post("/admin/accounts/affiliation/add/", {**typed, "ends_on": ""}).status_code == 302
    assert Affiliation.objects.filter(person=person, organization=organization).count() == 1
    assert grants_of(again(cast["applicant1"])).roles == frozenset()
