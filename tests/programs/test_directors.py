"""Directors: two officers appoint, one director at a time, and the refusal says who is there."""

from datetime import date, datetime

import pytest
from django.utils import translation

from accounts.models import Person
from common.audit import history_of
from common.errors import NotAllowed, Refused
from common.fiscal_year import JAPAN
from programs.actions.directors import appoint_director
from programs.models import ResearchArea

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
        f"{first.name_en} directs this area from 2024-04-01 to 2026-03-31. Choose other dates or end that term.",
    )
    appoint_director(area, cast["pd2"].person, starts_on=date(2026, 4, 1), **officers)
    with translation.override("en"), pytest.raises(Refused, match=r"from 2026-04-01 on\. End that term first\."):
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
