"""Panels: proposed by one, approved by another, accepted under pledge; one chair, quorum, roster by two people."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts.models import Person, RoleGrant
from common.errors import NotAllowed, NotReady, Refused
from common.mail import send_queued
from common.models import JournalEntry, OutgoingMail
from evaluations.actions.cases import open_documents
from evaluations.actions.invitations import accept_invitation, decline_invitation
from evaluations.actions.panels import (
    Field,
    Seat,
    approve_member,
    approve_roster_release,
    ask_expertise,
    end_membership,
    propose_member,
    propose_roster_release,
    save_panel,
)
from evaluations.documents import appointment_letter_pdf, pledge_pdf
from evaluations.models import PanelMember, RosterRelease, Round
from evaluations.queries.panels import (
    appointments_of,
    candidates,
    invitations_awaiting,
    members_awaiting,
    members_visible_to,
    panels_visible_to,
    pledge_of,
    roster_of,
    rosters_awaiting,
    rounds_with_public_roster,
)
from evaluations.rules.panels import panel_blockers
from programs.models import ProjectMember
from tests.cast import again
from tests.factories.rounds import DAY, make_round

pytestmark = pytest.mark.django_db
F1 = "sample-ql1-f1"
SEAT = Seat("member", "academia", DAY, date(2099, 3, 31))


@pytest.fixture
def made(cast, twin):
    return make_round(cast, twin, evaluators=4, documents_open=False)


def now():
    return timezone.now()


def propose(made, cast, name="evaluator9", by="staff1", **changes):
    return propose_member(made.panel, cast[name].person, replace(SEAT, **changes), by=cast[by], at=now())


def invited(made, cast, name="evaluator9", **changes):
    return approve_member(propose(made, cast, name, **changes), by=cast["staff2"], at=now())


def accepted(made, cast, name="evaluator9", **changes):
    member = invited(made, cast, name, **changes)
    return accept_invitation(member, pledge=True, shown=pledge_of(made.panel), by=cast[name], at=now())


def codes(refusal):
    return [(one.field, one.code) for one in refusal.value.blockers]


# From proposal to pledge ----------------------------------------------------------------------------------------------


def test_member_when_carried_through_then_serves_under_the_pledge_as_given(cast, made):
    field = made.panel.expertises.get(position=1)
    member = propose(made, cast, by="secretariat1", expertises=(field,), cases_max=3)
    assert (member.state, member.approved_by, member.organization.ref) == ("invited", None, "sample-college-c")
    assert list(member.expertises.all()) == [field]
    assert list(appointments_of(cast["evaluator9"])) == []
    approve_member(member, by=cast["staff1"], at=now())
    assert [one.pk for one in invitations_awaiting(again(cast["evaluator9"]), timezone.localdate())] == [member.pk]
    text = pledge_of(made.panel)
    row = accept_invitation(member, pledge=True, shown=text.replace("\n", "\r\n"), by=cast["evaluator9"], at=now())
    assert (row.state, row.pledge_text, row.answered_at == row.pledged_at) == ("accepted", text, True)
    said = JournalEntry.objects.filter(subject_type="evaluations.panelmember", subject_id=member.pk).order_by("pk")
    assert list(said.values_list("action", flat=True)) == ["propose_member", "approve_member", "accept_invitation"]
    assert not any(cast["evaluator9"].person.name_ja in str((one.before, one.after)) for one in said)


@pytest.mark.parametrize(
    "by", ["staff1", "secretariat1", "chair1", "pd1", "po1", "evaluator2", "pi1", "jst1", "auditor1"]
)
def test_member_when_approved_by_anybody_but_a_second_officer_then_refused(cast, made, by):
    member = propose(made, cast)
    with pytest.raises(NotAllowed):
        approve_member(member, by=cast[by], at=now())
    member.refresh_from_db()
    assert (member.approved_by, OutgoingMail.objects.filter(event="panel_invitation").count()) == (None, 0)


def test_member_when_one_person_proposes_and_approves_in_raw_sql_then_the_database_refuses(cast, made):
    member = propose(made, cast)
    for change in ({"approved_by": cast["staff1"]}, {"state": "accepted"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PanelMember.objects.filter(pk=member.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        member.delete()


@pytest.mark.parametrize("by", ["chair1", "pd1", "po1", "evaluator2", "pi1", "jst1", "auditor1", "office1"])
def test_member_when_proposed_by_others_than_staff_and_secretariat_then_refused(cast, made, by):
    with pytest.raises(NotAllowed):
        propose(made, cast, by=by)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("evaluator1", {}, [("person", "twice")]),
        ("evaluator9", {"role": "chair"}, [("role", "one_chair")]),
        ("pi1", {}, [("person", "no_evaluator")]),
        ("secretariat1", {}, [("person", "no_evaluator"), ("person", "secretariat")]),
        ("evaluator9", {"ends_on": None}, [("ends_on", "required")]),
        ("evaluator9", {"ends_on": date(2026, 3, 1)}, [("ends_on", "dates_out_of_order")]),
        ("evaluator9", {"cases_max": 9}, [("cases_max", "load")]),
        ("evaluator9", {"cases_max": 0}, [("cases_max", "load")]),
    ],
)  # fmt: skip
def test_member_when_something_is_wrong_then_said_at_its_field_and_nothing_written(cast, made, name, changes, expected):
    before = PanelMember.objects.count()
    with pytest.raises(NotReady) as refusal:
        propose(made, cast, name, **changes)
    assert (codes(refusal), PanelMember.objects.count()) == (expected, before)


def test_member_when_the_field_is_another_panels_then_refused(cast, twin, made):
    foreign = make_round(cast, twin).panel.expertises.first()
    with pytest.raises(NotReady) as refusal:
        propose(made, cast, expertises=(foreign,))
    assert codes(refusal) == [("expertises", "foreign")]


def test_member_when_the_role_ends_before_the_approval_then_not_invited(cast, made):
    member = propose(made, cast)
    RoleGrant.objects.filter(person=member.person).update(ends_on=timezone.localdate() - timedelta(days=1))
    with pytest.raises(NotReady):
        approve_member(member, by=cast["staff2"], at=now())
    end_membership(member, reason="評価委員でなくなった", by=cast["staff1"], at=now())


CHAIRED = [
    ("program_director", "evaluator9", False, ["chair_not_director"]), ("program_director", "pd1", True, ["director_scores"]),
    ("program_director", "pd1", False, []), ("program_director", "deputy1", False, []), ("independent", "chair1", True, []),
    ("independent", "pd1", False, ["no_evaluator", "chair_is_director"]), ("governing_board", "chair1", True, []),
]  # fmt: skip


@pytest.mark.parametrize(("source", "name", "scores", "expected"), CHAIRED)
def test_chair_when_chosen_then_as_the_round_says_where_it_comes_from(cast, made, source, name, scores, expected):
    end_membership(made.members["chair1"], reason="主査の交代", by=cast["staff1"], at=now())
    Round.objects.filter(pk=made.round.pk).update(chair_source=source)
    try:
        found = [] if propose(made, cast, name, role="chair", is_scoring=scores) else None
    except NotReady as refusal:
        found = [one.code for one in refusal.blockers]
    assert found == expected


def test_chair_when_a_second_one_comes_in_raw_sql_then_the_database_refuses(cast, made):
    with pytest.raises(IntegrityError), transaction.atomic():
        PanelMember.objects.filter(pk=made.members["evaluator2"].pk).update(role="chair")


# The answer -----------------------------------------------------------------------------------------------------------


def test_invitation_when_accepted_without_the_pledge_or_with_another_text_then_refused(cast, made):
    member = invited(made, cast)
    for given in ({"pledge": False, "shown": pledge_of(made.panel)}, {"pledge": True, "shown": "古い誓約"}):
        with pytest.raises(Refused) as refusal:
            accept_invitation(member, **given, by=cast["evaluator9"], at=now())
        assert refusal.value.field == "pledge"
    save_panel(made.panel, fields=[], pledge="", by=cast["staff1"], at=now())
    with pytest.raises(NotAllowed):
        accept_invitation(member, pledge=True, shown=pledge_of(made.panel), by=cast["evaluator8"], at=now())
    member.refresh_from_db()
    assert (member.state, member.pledged_at) == ("invited", None)


def test_pledge_when_a_panel_has_its_own_then_that_one_is_kept(cast, made):
    member = invited(made, cast)
    save_panel(made.panel, fields=[], pledge="本委員会の誓約", by=cast["secretariat1"], at=now())
    row = accept_invitation(member, pledge=True, shown="本委員会の誓約", by=cast["evaluator9"], at=now())
    save_panel(made.panel, fields=[], pledge="別の誓約", by=cast["secretariat1"], at=now())
    row.refresh_from_db()
    assert row.pledge_text == "本委員会の誓約"


def test_invitation_when_declined_then_with_a_reason_and_the_place_is_free(cast, made):
    member = invited(made, cast)
    with pytest.raises(Refused):
        decline_invitation(member, reason=" ", by=cast["evaluator9"], at=now())
    row = decline_invitation(member, reason="日程が合わない", by=cast["evaluator9"], at=now())
    assert (row.state, row.end_reason) == ("declined", "日程が合わない")
    with pytest.raises(NotAllowed):
        accept_invitation(member, pledge=True, shown=pledge_of(made.panel), by=cast["evaluator9"], at=now())
    assert propose(made, cast).state == "invited"


def test_invitation_when_the_term_or_the_round_is_over_then_no_answer_is_taken(cast, made):
    member = invited(made, cast)
    PanelMember.objects.filter(pk=member.pk).update(ends_on=timezone.localdate() - timedelta(days=1))
    with pytest.raises(NotAllowed):
        decline_invitation(member, reason="x", by=cast["evaluator9"], at=now())
    assert invitations_awaiting(cast["evaluator9"], timezone.localdate()) == []


def test_membership_when_ended_then_with_a_reason_and_access_ends_today(cast, made):
    member = made.members["evaluator2"]
    with pytest.raises(Refused):
        end_membership(member, reason="", by=cast["staff1"], at=now())
    with pytest.raises(NotAllowed):
        end_membership(member, reason="x", by=cast["chair1"], at=now())
    row = end_membership(member, reason="本人の申出", by=cast["secretariat1"], at=now())
    assert (row.state, row.ends_on, row.end_reason) == ("ended", timezone.localdate(), "本人の申出")
    with pytest.raises(NotAllowed):
        end_membership(member, reason="x", by=cast["staff1"], at=now())


# Mails ----------------------------------------------------------------------------------------------------------------


def test_invitation_when_mailed_then_once_with_link_and_round_only(cast, made):
    member = invited(made, cast)
    accept_invitation(member, pledge=True, shown=pledge_of(made.panel), by=cast["evaluator9"], at=now())
    mails = OutgoingMail.objects.filter(subject_ref=made.panel.ref).order_by("pk")
    assert [(one.event, one.recipient_email) for one in mails] == [
        ("panel_invitation", "evaluator9@sample.example"), ("panel_answered", "staff1@sample.example")
    ]  # fmt: skip
    assert f"/panels/{made.panel.ref}/invitation/" in mails[0].body
    assert not any(cast["evaluator9"].person.name_ja in one.subject + one.body for one in mails)


def test_invitation_when_answered_or_ended_before_it_is_sent_then_not_sent(cast, made):
    member = invited(made, cast)
    end_membership(member, reason="誤り", by=cast["staff1"], at=now())
    send_queued(at=now())
    assert OutgoingMail.objects.get(event="panel_invitation").state == "cancelled"


# Fields of expertise --------------------------------------------------------------------------------------------------


def test_fields_when_edited_then_renamed_added_ordered_and_none_in_use_is_lost(cast, made):
    theory, lab, industry = made.panel.expertises.all()
    how = {"by": cast["secretariat1"], "at": now()}
    ask_expertise(made.cases[F1], expertises=[lab], **how)
    for fields, code in (
        ([Field(theory.pk, "理論"), Field(industry.pk, "産業化")], "in_use"),
        ([Field(lab.pk, "実験"), Field(None, "実験")], "twice"),
        ([Field(lab.pk, "実験"), Field(10**9, "計測")], "stale"),
    ):
        with pytest.raises(NotReady) as refusal:
            save_panel(made.panel, fields=fields, pledge="", **how)
        assert [one.code for one in refusal.value.blockers] == [code]
    save_panel(made.panel, fields=[Field(lab.pk, "実証"), Field(None, "計測", "Metrology")], pledge="", **how)
    assert list(made.panel.expertises.values_list("name_ja", "position")) == [("実証", 1), ("計測", 2)]
    assert [one.name_ja for one in made.cases[F1].expertises.all()] == ["実証"]


@pytest.mark.parametrize("by", ["chair1", "pd1", "po1", "evaluator2", "pi1", "auditor1", "jst1"])
def test_fields_when_edited_by_others_then_refused(cast, made, by):
    with pytest.raises(NotAllowed):
        save_panel(made.panel, fields=[], pledge="", by=cast[by], at=now())
    with pytest.raises(NotAllowed):
        ask_expertise(made.cases[F1], expertises=[], by=cast[by], at=now())


# Quorum ---------------------------------------------------------------------------------------------------------------


def test_documents_when_the_panel_is_below_quorum_then_stay_closed_until_somebody_accepts(cast, made, twin):
    type(made.reviews[F1]).objects.filter(pk=made.reviews[F1].pk).update(state="submitted")
    type(made.reviews[F1]).objects.filter(pk=made.reviews[F1].pk).update(state="sealed")
    Round.objects.filter(pk=made.round.pk).update(quorum=5)
    made.round.refresh_from_db()
    assert panel_blockers(made.round) == []
    PanelMember.objects.filter(pk=made.members["evaluator3"].pk).update(is_scoring=False)
    end_membership(made.members["evaluator2"], reason="本人の申出", by=cast["staff1"], at=now())
    with pytest.raises(NotReady) as refusal:
        open_documents(made.cases[F1], by=cast["secretariat1"], at=now())
    assert [one.code for one in refusal.value.blockers] == ["below_quorum"]
    assert "3" in refusal.value.blockers[0].message
    assert "5" in refusal.value.blockers[0].message
    invited(made, cast, "evaluator7")
    with pytest.raises(NotReady):
        open_documents(made.cases[F1], by=cast["secretariat1"], at=now())
    accepted(made, cast, "evaluator8")
    accepted(made, cast, "evaluator9")
    assert open_documents(made.cases[F1], by=cast["secretariat1"], at=now()).state == "open"


# Who sees whom --------------------------------------------------------------------------------------------------------


def test_names_when_asked_by_everybody_then_known_to_whom_the_table_says(cast, made):
    found = {}
    for name, user in cast.items():
        user = again(user)
        page = panels_visible_to(user).filter(pk=made.panel.pk).exists()
        found[name] = (page, members_visible_to(user).filter(panel=made.panel).count())
    seen = dict.fromkeys(["staff1", "staff2", "secretariat1", "chair1", "po1", "auditor1", "jst1", "jst2"], (True, 5))
    nameless = dict.fromkeys(("pd1", "pd2", "deputy1"), (True, 0))
    own = {f"evaluator{n}": (False, 1) for n in range(1, 5)}
    assert found == {name: (seen | nameless | own).get(name, (False, 0)) for name in cast}


def test_names_when_an_officer_is_in_a_team_of_the_round_then_hidden(cast, twin, made):
    ProjectMember.objects.create(
        project=twin[F1], person=cast["staff1"].person, role="co_investigator", starts_on=DAY,
        organization=ProjectMember.objects.filter(project=twin[F1]).first().organization, granted_by=cast["staff2"],
        approved_by=cast["jst1"],
    )  # fmt: skip
    user = again(cast["staff1"])
    assert members_visible_to(user).filter(panel=made.panel).count() == 0
    with pytest.raises(NotAllowed):
        propose_member(made.panel, cast["evaluator9"].person, SEAT, by=user, at=now())


def test_people_when_searched_then_evaluators_with_a_sign_in_who_are_not_on_the_panel(cast, made):
    today = timezone.localdate()
    found = {one.user.email.split("@")[0] for one in candidates(made.round, made.panel, "", today)}
    assert found == {f"evaluator{n}" for n in range(5, 13)}
    assert candidates(made.round, made.panel, "評価委員9", today) == [cast["evaluator9"].person]
    assert candidates(made.round, made.panel, "evaluator9@sample.example", today) == [cast["evaluator9"].person]
    assert candidates(made.round, made.panel, "担当官", today) == []
    Person.objects.filter(pk=cast["evaluator9"].person.pk).update(is_sample=True)
    real = Round(is_sample=False, program=made.round.program, chair_source="independent")
    assert candidates(real, made.panel, "評価委員9", today) == []


def test_proposals_when_waiting_then_at_the_second_officers_only(cast, made):
    propose(made, cast)
    assert {name: members_awaiting(again(cast[name])).count() for name in ("staff1", "staff2", "po1", "evaluator9")} == {
        "staff1": 0, "staff2": 1, "po1": 0, "evaluator9": 0
    }  # fmt: skip


# The roster -----------------------------------------------------------------------------------------------------------


def released(made, cast, on):
    propose_roster_release(made.panel, release_on=on, by=cast["staff1"], at=now())
    return approve_roster_release(made.panel, by=cast["staff2"], at=now())


def test_roster_when_released_by_two_then_public_from_its_day_on(cast, made):
    today = timezone.localdate()
    day = today + timedelta(days=5)
    Round.objects.filter(pk=made.round.pk).update(roster_release_on=day)
    with pytest.raises(Refused) as refusal:
        propose_roster_release(made.panel, release_on=day - timedelta(days=1), by=cast["staff1"], at=now())
    assert refusal.value.code == "too_early"
    propose_roster_release(made.panel, release_on=day, by=cast["staff1"], at=now())
    assert {name: rosters_awaiting(again(cast[name])).count() for name in ("staff1", "staff2")} == {
        "staff1": 0,
        "staff2": 1,
    }
    assert not rounds_with_public_roster(day).exists()
    for name in ("staff1", "secretariat1", "po1", "pi1"):
        with pytest.raises(NotAllowed):
            approve_roster_release(made.panel, by=cast[name], at=now())
    with pytest.raises(IntegrityError), transaction.atomic():
        RosterRelease.objects.update(approved_by=cast["staff1"], approved_at=now())
    approve_roster_release(made.panel, by=cast["staff2"], at=now())
    assert [rounds_with_public_roster(one).exists() for one in (today, day - timedelta(days=1), day)] == [
        False,
        False,
        True,
    ]
    Round.objects.filter(pk=made.round.pk).update(roster_release_on=day + timedelta(days=1))
    assert not rounds_with_public_roster(day).exists()


def test_roster_when_proposed_anew_then_the_approval_is_gone_and_once_public_it_stays(cast, made):
    today = timezone.localdate()
    Round.objects.filter(pk=made.round.pk).update(roster_release_on=today)
    released(made, cast, today + timedelta(days=3))
    again_proposed = propose_roster_release(made.panel, release_on=today, by=cast["staff2"], at=now())
    assert (again_proposed.approved_by, again_proposed.approved_at) == (None, None)
    approve_roster_release(made.panel, by=cast["staff1"], at=now())
    assert rounds_with_public_roster(today).get() == made.round
    with pytest.raises(Refused) as refusal:
        propose_roster_release(made.panel, release_on=today, by=cast["staff1"], at=now())
    assert refusal.value.code == "released"


def test_roster_when_the_calendar_has_no_day_then_asked_for(cast, made):
    with pytest.raises(Refused) as refusal:
        propose_roster_release(made.panel, release_on=timezone.localdate(), by=cast["staff1"], at=now())
    assert refusal.value.code == "no_day"


def test_roster_when_read_then_who_served_under_pledge_the_chair_first(cast, made):
    invited(made, cast, "evaluator8")
    decline_invitation(invited(made, cast, "evaluator7"), reason="多忙", by=cast["evaluator7"], at=now())
    end_membership(made.members["evaluator4"], reason="転出", by=cast["staff1"], at=now())
    names = [one.person.name_ja for one in roster_of(made.round)]
    assert names[0] == cast["chair1"].person.name_ja
    assert sorted(names[1:]) == [cast[f"evaluator{n}"].person.name_ja for n in range(1, 5)]


# Documents ------------------------------------------------------------------------------------------------------------


def test_letters_when_typeset_then_the_same_bytes_and_what_was_pledged(cast, made):
    member = accepted(made, cast, expertises=())
    for document in (appointment_letter_pdf, pledge_pdf):
        first = document(member)
        assert first[:5] == b"%PDF-"
        assert document(member) == first
