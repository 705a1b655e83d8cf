"""Directors and officers over the page: proposed, approved by another, ended; wrong days named next to the field."""

from datetime import date

import pytest
from django.utils.timezone import localdate

from programs.models import AreaDirector, AreaOfficer, Deputy

pytestmark = pytest.mark.django_db
PATH = "/areas/sample-ql1/people/"


@pytest.fixture
def area(twin):
    return twin["sample-ql1-f1"].area


def propose(client, kind, **typed):
    given = {"person": "evaluator3@sample.example", "starts_on": "2030-04-01", "ends_on": "", **typed}
    return client.post(PATH, {"act": kind, **{f"{kind}-{name}": value for name, value in given.items()}})


def test_director_when_the_days_overlap_then_the_page_says_so_next_to_the_field(client, cast, area):
    client.force_login(cast["staff1"])
    answer = propose(client, "director")
    assert answer.status_code == 422
    assert list(answer.context["forms"]["director"].errors) == ["starts_on"]
    assert cast["pd1"].person.name_ja in answer.context["forms"]["director"].errors["starts_on"][0]
    assert 'id="id_director-starts_on_error"' in answer.content.decode()
    assert AreaDirector.objects.filter(area=area).count() == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"person": "nobody@sample.example"}, "person"),
        ({"person": ""}, "person"),
        ({"starts_on": "次の春"}, "starts_on"),
        ({"starts_on": "2031-04-01", "ends_on": "2030-04-01"}, "ends_on"),
    ],
)
def test_officer_when_something_is_wrong_then_the_field_says_so_and_nothing_is_written(
    client, cast, area, typed, field
):
    client.force_login(cast["staff1"])
    answer = propose(client, "officer", **typed)
    assert (answer.status_code, list(answer.context["forms"]["officer"].errors)) == (422, [field])
    assert AreaOfficer.objects.filter(area=area).count() == 1


def test_term_when_proposed_on_the_page_then_another_officer_approves_ends_and_hands_over(client, cast, area):
    client.force_login(cast["staff1"])
    assert propose(client, "officer", starts_on="令和12年4月1日").status_code == 302
    term = AreaOfficer.objects.get(area=area, person=cast["evaluator3"].person)
    assert (term.starts_on, term.approved_by) == (date(2030, 4, 1), None)
    act = f"{PATH}officer/{term.pk}/"
    client.post(f"{act}approve/")
    term.refresh_from_db()
    assert term.approved_by is None
    client.force_login(cast["staff2"])
    assert f"{act}approve/" in client.get(PATH).content.decode()
    assert "見本 評価委員3" in client.get("/").content.decode()
    client.post(f"{act}approve/")
    term.refresh_from_db()
    assert term.approved_by == cast["staff2"]
    bad = client.post(f"{act}end/", {"ends_on": "2029-04-01", "reason": "異動"})
    assert (bad.status_code, list(bad.context["form"].errors)) == (422, ["ends_on"])
    assert client.post(f"{act}end/", {"ends_on": "2031-03-31", "reason": "異動"}).status_code == 302
    assert client.post(f"{act}take-back/", {"reason": "人選の変更"}).status_code == 302
    assert not AreaOfficer.objects.filter(pk=term.pk).exists()


def test_deputy_when_for_oneself_then_the_field_says_so(client, cast, area):
    client.force_login(cast["staff1"])
    term = AreaDirector.objects.get(area=area)
    typed = {"role": f"director-{term.pk}", "person": "pd1@sample.example", "starts_on": "2026-05-01",
             "ends_on": "2026-05-31"}  # fmt: skip
    answer = propose(client, "deputy", **typed)
    assert (answer.status_code, list(answer.context["forms"]["deputy"].errors)) == (422, ["person"])
    assert propose(client, "deputy", **{**typed, "person": "見本 評価委員3"}).status_code == 302
    assert Deputy.objects.filter(director=term, person=cast["evaluator3"].person).count() == 1


def test_page_when_read_by_others_then_no_proposal_and_no_form(client, cast, area):
    client.force_login(cast["staff1"])
    propose(client, "officer", person="見本 評価委員3")
    for name in ("pd1", "pi1", "auditor1"):
        client.force_login(cast[name])
        text = client.get(PATH).content.decode()
        assert "見本 プログラムディレクター1" in text
        assert "見本 評価委員3" not in text
        assert 'name="act"' not in text
        assert propose(client, "officer").status_code == 403
    assert AreaOfficer.objects.filter(area=area).count() == 2


def test_area_page_when_opened_then_deputies_and_officers_are_named_with_dates(client, cast):
    client.force_login(cast["pi1"])
    text = client.get("/areas/sample-ql1/").content.decode()
    assert "見本 サブPD1" in text
    assert "2028年3月31日(金)" in text
    assert "見本 プログラムオフィサー1" in text


@pytest.mark.parametrize("count", [1, 3])
def test_page_when_there_are_more_terms_then_the_queries_are_the_same(
    client, cast, area, count, django_assert_num_queries
):
    for n in range(count):
        AreaOfficer.objects.create(
            area=area, person=cast[f"evaluator{n + 4}"].person, starts_on=localdate(), granted_by=cast["staff1"]
        )
    client.force_login(cast["staff2"])
    client.get(PATH)
    with django_assert_num_queries(9):
        client.get(PATH)
