"""Visits and advice over the pages: entered, the memo saved with and without script, advice answered and closed."""

from datetime import timedelta

import pytest
from django.utils.timezone import localdate, now

from programs.actions.advice import give_advice
from programs.actions.recusals import recuse
from programs.actions.visits import open_visit, save_memo
from programs.models import Advice, SiteVisit
from tests.cast import again

pytestmark = pytest.mark.django_db
PATH = "/projects/sample-ql1-f1/visits/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def visit(cast, project):
    where = {"place": "見本機関A", "participants": "見本 PD1"}
    return open_visit(project, on=localdate(), **where, by=cast["pd1"], at=now())


def advise(project, cast, days=30, owner="pi1", **more):
    due = localdate() + timedelta(days=days)
    return give_advice(
        project, text="手順を見直すこと。", owner=cast[owner].person, due_on=due, by=cast["pd1"], at=now(), **more
    )


def test_visit_when_entered_then_its_memo_saves_without_and_with_script(client, cast, project):
    client.force_login(cast["pd1"])
    typed = {"act": "visit", "visit-on": localdate().isoformat(), "visit-place": "", "visit-participants": "見本 PD1"}
    bad = client.post(PATH, typed)
    assert (bad.status_code, list(bad.context["forms"]["visit"].errors)) == (422, ["place"])
    answer = client.post(PATH, {**typed, "visit-place": "見本機関A"})
    visit = SiteVisit.objects.get(project=project)
    assert (answer.status_code, answer["Location"]) == (302, f"/visits/{visit.ref}/")
    memo = f"/visits/{visit.ref}/memo/"
    assert client.post(memo, {"text": "一つ目", "revision": "0"}).status_code == 302
    part = client.post(memo, {"text": "二つ目", "revision": "1"}, **HTMX)
    assert (part.status_code, 'value="2"' in part.content.decode()) == (200, True)
    stale = client.post(memo, {"text": "古い画面から", "revision": "1"}, **HTMX)
    assert stale.status_code == 409
    assert "二つ目" in stale.content.decode()
    whole = client.post(memo, {"text": "古い画面から", "revision": "1"})
    assert whole.status_code == 409
    assert [part in whole.content.decode() for part in ("古い画面から", "二つ目")] == [True, True]
    assert client.post(memo, {"text": "まとめた", "over": "2", "revision": "1"}).status_code == 302
    assert SiteVisit.objects.get(pk=visit.pk).memo == "まとめた"
    assert client.post(memo, {"text": "x", "revision": "字"}).status_code == 400


def test_memo_when_not_shared_then_the_team_does_not_read_it_anywhere(client, cast, project, visit):
    save_memo(visit, text="内部の所感-カナリア", revision=0, by=cast["pd1"], at=now())
    for name in ("pi1", "hq1", "office1", "jst1"):
        client.force_login(cast[name])
        for path in (f"/visits/{visit.ref}/", PATH, "/projects/sample-ql1-f1/", "/projects/sample-ql1-f1/brief/"):
            answer = client.get(path)
            assert (answer.status_code, "カナリア" in answer.content.decode()) == (200, False)
    client.force_login(cast["pd1"])
    assert "カナリア" in client.get(f"/visits/{visit.ref}/").content.decode()
    assert client.post(f"/visits/{visit.ref}/share/").status_code == 302
    client.force_login(cast["pi1"])
    assert "カナリア" in client.get(f"/visits/{visit.ref}/").content.decode()


def test_visit_when_it_lies_ahead_then_no_field_for_a_memo_and_a_post_is_refused(client, cast, project):
    ahead = open_visit(project, on=localdate() + timedelta(days=9), place="見本機関A", by=cast["pd1"], at=now())
    client.force_login(cast["pd1"])
    page = client.get(f"/visits/{ahead.ref}/").content.decode()
    assert f"/visits/{ahead.ref}/memo/" not in page
    assert client.post(f"/visits/{ahead.ref}/memo/", {"text": "早い", "revision": "0"}, **HTMX).status_code == 422
    ahead.refresh_from_db()
    assert ahead.memo == ""
    assert client.post(f"/visits/{ahead.ref}/cancel/", {"reason": "先方の都合"}).status_code == 302
    ahead.refresh_from_db()
    assert ahead.is_cancelled


def test_advice_when_given_at_a_visit_then_answered_at_home_and_closed(client, cast, project, visit):
    client.force_login(cast["po1"])
    typed = {"text": "冷凍機の点検", "owner": str(cast["pi1"].person_id), "due_on": "2020-01-01"}
    bad = client.post(f"/visits/{visit.ref}/", typed)
    assert (bad.status_code, list(bad.context["form"].errors)) == (422, ["due_on"])
    due = (localdate() + timedelta(days=5)).isoformat()
    assert client.post(f"/visits/{visit.ref}/", {**typed, "due_on": due}).status_code == 302
    advice = Advice.objects.get(project=project)
    assert advice.visit == visit
    client.force_login(cast["pi1"])
    assert f"/advice/{advice.ref}/" in client.get("/").content.decode()
    assert "冷凍機の点検" in client.get("/projects/sample-ql1-f1/").content.decode()
    path = f"/advice/{advice.ref}/"
    assert client.post(path, {"act": "close", "close-closing": "済"}).status_code == 403
    empty = client.post(path, {"act": "answer", "answer-answer": " "})
    assert (empty.status_code, list(empty.context["forms"]["answer"].errors)) == (422, ["answer"])
    assert client.post(path, {"act": "answer", "answer-answer": "点検した。"}).status_code == 302
    client.force_login(cast["po1"])
    assert path in client.get("/").content.decode()
    assert client.post(path, {"act": "close", "close-closing": ""}).status_code == 302
    advice.refresh_from_db()
    assert advice.state == "closed"
    assert client.get(path).status_code == 200


def test_advice_when_overdue_then_marked_on_every_page(client, cast, project):
    advice = advise(project, cast)
    Advice.objects.filter(pk=advice.pk).update(due_on=localdate() - timedelta(days=1))
    client.force_login(cast["pi1"])
    for path in ("/", PATH, f"/advice/{advice.ref}/", "/projects/sample-ql1-f1/", "/projects/sample-ql1-f1/brief/"):
        assert "期限超過" in client.get(path).content.decode() or "late" in client.get(path).content.decode(), path


def test_advice_when_handed_out_as_csv_then_with_a_byte_order_mark(client, cast, project):
    advise(project, cast)
    client.force_login(cast["pi1"])
    answer = client.get(f"{PATH}?format=csv")
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 2
    assert client.get(f"{PATH}?format=pdf").status_code == 400


def test_pages_when_the_reader_has_a_conflict_then_they_are_not_there(client, cast, project, visit):
    advice = advise(project, cast, visit=visit)
    recuse(cast["pd1"].person, project, starts_on=visit.on, source_ref="COI-T", by=cast["staff1"], at=now())
    client.force_login(again(cast["pd1"]))
    for path in (PATH, f"/visits/{visit.ref}/", f"/advice/{advice.ref}/", "/projects/sample-ql1-f1/brief.pdf"):
        assert client.get(path).status_code == 404, path
    assert client.post(f"/visits/{visit.ref}/memo/", {"text": "x", "revision": "0"}).status_code == 404
    assert advice.ref not in client.get("/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_pages_when_there_are_more_then_the_queries_are_the_same(
    client, cast, project, visit, count, django_assert_num_queries
):
    for _n in range(count):
        one = open_visit(project, on=localdate(), place="見本機関A", participants="PD", by=cast["pd1"], at=now())
        advise(project, cast, visit=visit)
        advise(project, cast, visit=one)
    client.force_login(cast["pd1"])
    for path, queries in ((PATH, 11), (f"/visits/{visit.ref}/", 9), (f"/advice/{Advice.objects.first().ref}/", 9)):
        client.get(path)
        with django_assert_num_queries(queries):
            client.get(path)
