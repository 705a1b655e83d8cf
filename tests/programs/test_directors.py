"""Directors: two officers appoint, one director at a time, and the refusal says who is there."""

from datetime import date, datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from accounts.models import Person
from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused
from common.fiscal_year import JAPAN
from common.models import JournalEntry
from programs.actions.directors import (
    appoint_director,
    approve_term,
    end_term,
    propose_deputy,
    propose_director,
    propose_officer,
    take_back_term,
)
from programs.models import AreaDirector, Deputy, ResearchArea
from programs.queries.directors import terms_awaiting
from programs.queries.people import DIRECTOR, audience_of
from programs.rules import actions_allowed
from programs.rules.scope import areas_directed_by, areas_supported_by
from tests.cast import again

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 3, 9, 0, tzinfo=JAPAN)


@pytest.fixture
def area(twin_program):
    return ResearchArea.objects.create(
        ref="sample-ql5", program=twin_program, number=5, name_ja="領域5(見本)", is_sample=True
    )


@pytest.fixture
def officers(cast):
    return {"by": cast["staff1"], "approved_by": cast["staff2"], "at": AT}


def test_director_when_appointed_by_two_then_in_office_and_in_the_journal(cast, area, officers):
    term = appoint_director(area, cast["pd1"].person, starts_on=date(2026, 4, 1), **officers)
    assert (term.person, term.ends_on, term.is_approved) == (cast["pd1"].person, None, True)
    assert [(row.action, row.after["starts_on"]) for row in history_of(area)] == [("appoint_director", "2026-04-01")]


def test_director_when_somebody_is_there_then_the_refusal_names_whom_and_until_when(cast, area, officers):
    first = cast["pd1"].person
    appoint_director(area, first, starts_on=date(2024, 4, 1), ends_on=date(2026, 3, 31), **officers)
    with translation.override("en"), pytest.raises(Refused) as refusal:
        appoint_director(area, cast["pd2"].person, starts_on=date(2026, 3, 31), **officers)
    assert (refusal.value.code, refusal.value.field, refusal.value.message) == (
        "overlap",
        "starts_on",
        f"{first.name_en} directs this area from 2024-04-01 (Mon) to 2026-03-31 (Tue). Choose other dates or end that term.",
    )
    appoint_director(area, cast["pd2"].person, starts_on=date(2026, 4, 1), **officers)
    with (
        translation.override("en"),
        pytest.raises(Refused, match=r"from 2026-04-01 \(Wed\) on\. End that term first\."),
    ):
        appoint_director(area, first, starts_on=date(2030, 4, 1), **officers)
    appoint_director(area, first, starts_on=date(2020, 4, 1), ends_on=date(2024, 3, 31), **officers)
    assert area.directors.count() == 3


def test_director_when_people_or_dates_do_not_fit_then_refused(cast, area, officers):
    one, when = cast["pd1"].person, {"starts_on": date(2026, 4, 1)}
    refused = [
        (Refused, "second_person", one, {**when, **officers, "approved_by": cast["staff1"]}),
        (NotAllowed, "not_allowed", one, {**when, **officers, "by": cast["pd2"]}),
        (NotAllowed, "not_allowed", one, {**when, **officers, "approved_by": cast["auditor1"]}),
        (Refused, "dates_out_of_order", one, {**when, **officers, "ends_on": date(2026, 3, 31)}),
    ]
    for kind, code, person, options in refused:
        with pytest.raises(kind) as refusal:
            appoint_director(area, person, **options)
        assert refusal.value.code == code
    assert not area.directors.exists()


def test_director_when_a_sample_person_for_a_real_area_then_refused(cast, officers):
    area = ResearchArea.objects.get(ref="ql1")
    with pytest.raises(Refused) as refusal:
        appoint_director(area, cast["pd1"].person, starts_on=date(2026, 4, 1), **officers)
    assert refusal.value.code == "sample_record"
    appoint_director(area, Person.objects.create(name_ja="試験用"), starts_on=date(2026, 4, 1), **officers)
    assert area.directors.count() == 1


# Proposed by one, approved by another ------------------------------------------------------------------------------


def proposed(area, person, cast, **days):
    return propose_director(area, person, **{"starts_on": date(2026, 4, 1), **days}, by=cast["staff1"], at=AT)


def fields_of(refusal):
    return [(one.field, one.code) for one in refusal.value.blockers]


def test_term_when_proposed_by_one_and_approved_by_another_then_it_counts(cast, area):
    term = proposed(area, cast["pd1"].person, cast)
    assert not areas_directed_by(cast["pd1"].person_id).filter(pk=area.pk).exists()
    with pytest.raises(NotReady) as refusal:
        approve_term(term, by=cast["staff1"], at=AT)
    assert fields_of(refusal) == [("approved_by", "second_person")]
    assert approve_term(term, by=cast["staff2"], at=AT).approved_by == cast["staff2"]
    assert areas_directed_by(cast["pd1"].person_id).filter(pk=area.pk).exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        AreaDirector.objects.filter(pk=term.pk).update(approved_by=cast["staff1"])


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({"starts_on": date(2026, 3, 31)}, ("starts_on", "overlap")),
        ({"starts_on": date(2025, 4, 1), "ends_on": date(2026, 4, 1)}, ("starts_on", "overlap")),
        ({"starts_on": date(2030, 4, 1), "ends_on": date(2030, 3, 31)}, ("ends_on", "dates_out_of_order")),
    ],
)
def test_director_when_the_days_do_not_fit_then_the_field_is_named_and_nothing_written(cast, area, days, expected):
    proposed(area, cast["pd1"].person, cast)
    with pytest.raises(NotReady) as refusal:
        proposed(area, cast["pd2"].person, cast, **days)
    assert fields_of(refusal) == [expected]
    assert area.directors.count() == 1


def test_directors_when_two_are_entered_in_raw_sql_then_the_database_refuses(cast, area):
    proposed(area, cast["pd1"].person, cast)
    with pytest.raises(IntegrityError, match="one_director_at_a_time"), transaction.atomic():
        AreaDirector.objects.create(area=area, person=cast["pd2"].person, starts_on=date(2027, 4, 1))


def test_term_when_ended_early_then_with_a_reason_and_its_deputies_end_too(cast, area):
    term = approve_term(proposed(area, cast["pd1"].person, cast), by=cast["staff2"], at=AT)
    days = {"starts_on": date(2026, 5, 1), "ends_on": date(2027, 3, 31)}
    deputy = approve_term(
        propose_deputy(term, cast["deputy1"].person, **days, by=cast["staff1"], at=AT), by=cast["staff2"], at=AT
    )
    later = {"starts_on": date(2027, 1, 1), "ends_on": date(2027, 1, 31)}
    propose_deputy(term, cast["evaluator3"].person, **later, by=cast["staff1"], at=AT)
    how = {"ends_on": date(2026, 9, 30), "by": cast["staff1"], "at": AT}
    with pytest.raises(Refused) as refusal:
        end_term(term, reason=" ", **how)
    assert refusal.value.field == "reason"
    end_term(term, reason="異動のため", **how)
    deputy.refresh_from_db()
    assert deputy.ends_on == date(2026, 9, 30)
    assert Deputy.objects.filter(director=term).count() == 1
    assert next(row.reason for row in history_of(term)) == "異動のため"
    with pytest.raises(Refused):
        end_term(term, **{**how, "ends_on": date(2027, 9, 30)}, reason="延長")


def test_proposal_when_taken_back_then_gone_and_in_the_journal_but_not_once_begun(cast, area):
    term = proposed(area, cast["pd1"].person, cast)
    pk = term.pk
    take_back_term(term, reason="人選の変更", by=cast["staff2"], at=AT)
    assert not area.directors.exists()
    entry = JournalEntry.objects.get(action="take_back_role", subject_id=pk)
    assert (entry.reason, entry.before["person"]) == ("人選の変更", cast["pd1"].person.ref)
    begun = approve_term(proposed(area, cast["pd1"].person, cast), by=cast["staff2"], at=AT)
    with pytest.raises(Refused, match=r"has begun|始まって"):
        take_back_term(begun, reason="誤り", by=cast["staff2"], at=AT)


@pytest.mark.parametrize("name", ["pd1", "po1", "hq1", "pi1", "auditor1", "jst1", "secretariat1", "evaluator1"])
def test_terms_when_somebody_else_tries_then_refused_and_nothing_changes(cast, area, name):
    term, how = proposed(area, cast["pd1"].person, cast), {"by": cast[name], "at": AT}
    with pytest.raises(NotAllowed):
        propose_officer(area, cast["po1"].person, starts_on=date(2026, 4, 1), **how)
    for act in (
        lambda: approve_term(term, **how),
        lambda: end_term(term, ends_on=date(2027, 1, 1), reason="理由", **how),
        lambda: take_back_term(term, reason="理由", **how),
        lambda: propose_deputy(term, cast["pd3"].person, starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 2), **how),
    ):
        with pytest.raises(NotAllowed):
            act()
    term.refresh_from_db()
    assert (term.ends_on, term.approved_by) == (None, None)
    assert not Deputy.objects.filter(director=term).exists()


# Deputies and officers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "days", "expected"),
    [
        ("pd1", {}, [("person", "own_deputy")]),
        ("pd2", {"ends_on": date(2026, 4, 30)}, [("ends_on", "dates_out_of_order")]),
        ("pd2", {"starts_on": date(2026, 3, 1)}, [("starts_on", "outside_the_term")]),
    ],
)
def test_deputy_when_it_cannot_be_then_the_field_is_named(cast, area, who, days, expected):
    term = approve_term(proposed(area, cast["pd1"].person, cast), by=cast["staff2"], at=AT)
    given = {"starts_on": date(2026, 5, 1), "ends_on": date(2026, 5, 31), **days}
    with pytest.raises(NotReady) as refusal:
        propose_deputy(term, cast[who].person, **given, by=cast["staff1"], at=AT)
    assert fields_of(refusal) == expected
    with pytest.raises(IntegrityError, match="nobody stands in"), transaction.atomic():
        Deputy.objects.create(
            director=term, person=cast["pd1"].person, starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 2)
        )


def test_deputy_when_a_sample_person_stands_in_for_a_real_role_then_the_database_refuses(cast, officers):
    real = ResearchArea.objects.get(ref="ql1")
    term = appoint_director(real, Person.objects.create(name_ja="試験用"), starts_on=date(2026, 4, 1), **officers)
    with pytest.raises(IntegrityError, match="sample"), transaction.atomic():
        Deputy.objects.create(
            director=term, person=cast["pd1"].person, starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 2)
        )


def test_deputy_when_in_force_then_holds_the_rights_and_only_as_long_as_the_term(cast, twin):
    project = twin["sample-ql1-f1"]
    deputy = cast["deputy1"]
    assert "project.assess_trl" in actions_allowed(deputy, project)
    assert deputy in audience_of([project.pk], DIRECTOR, AT.date())[project.pk]
    term = AreaDirector.objects.get(area=project.area)
    end_term(term, ends_on=date(2026, 5, 31), reason="異動", by=cast["staff1"], at=AT)
    assert actions_allowed(again(deputy), project) == set()
    # Whoever entered a longer deputy in the admin does not keep the rights alive either.
    Deputy.objects.filter(director=term).update(ends_on=date(2030, 3, 31))
    assert actions_allowed(again(deputy), project) == set()
    assert deputy not in audience_of([project.pk], DIRECTOR, AT.date())[project.pk]


def test_officer_when_proposed_twice_then_refused_and_a_second_person_may_serve_too(cast, area):
    how = {"starts_on": date(2026, 4, 1), "by": cast["staff1"], "at": AT}
    term = propose_officer(area, cast["po1"].person, **how)
    with pytest.raises(NotReady) as refusal:
        propose_officer(area, cast["po1"].person, **how)
    assert fields_of(refusal) == [("starts_on", "overlap")]
    propose_officer(area, cast["po2"].person, **how)
    assert not areas_supported_by(cast["po1"].person_id).filter(pk=area.pk).exists()
    approve_term(term, by=cast["staff2"], at=AT)
    assert areas_supported_by(cast["po1"].person_id).filter(pk=area.pk).exists()


def test_proposals_when_waiting_then_they_wait_for_the_other_officer_only(cast, area):
    term = proposed(area, cast["pd1"].person, cast)
    assert [(one.kind, one.pk, one.area) for one in terms_awaiting(cast["staff2"])] == [("director", term.pk, area)]
    for name in ("staff1", "pd1", "auditor1"):
        assert terms_awaiting(cast[name]) == []
