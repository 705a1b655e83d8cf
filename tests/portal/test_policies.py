"""Implementation policies over the pages: begun, written, handed in, put in force by another, compared, printed."""

import io
from datetime import date, timedelta

import pytest
from django.utils.timezone import localdate, now
from pypdf import PdfReader

from programs.actions.policies import open_policy, put_policy_in_force, save_policy, submit_policy
from programs.models import PolicyVersion
from programs.policy_words import blocks_of, text_difference

pytestmark = pytest.mark.django_db
PATH = "/areas/sample-ql1/policy/"
TEXT = "# 目標\n量子計算機の試作を進める。\n年2回の現地調査を行う。"


@pytest.fixture
def area(twin):
    return twin["sample-ql1-f1"].area


def made(cast, area, text=TEXT, on=None):
    how = {"by": cast["pd1"], "at": now()}
    version = open_policy(area, **how)
    version = save_policy(version, text=text, revision=0, **how)
    if on:
        version = submit_policy(version, **how)
        version = put_policy_in_force(version, effective_on=on, by=cast["staff1"], at=now())
    return version


def test_policy_when_carried_over_the_pages_then_in_force(client, cast, area):
    client.force_login(cast["pd1"])
    assert client.post(f"{PATH}open/")["Location"] == f"{PATH}1/"
    empty = client.post(f"{PATH}1/submit/")
    assert empty.status_code == 422
    assert client.post(f"{PATH}1/text/", {"text": TEXT, "revision": "0"}).status_code == 302
    stale = client.post(f"{PATH}1/text/", {"text": "別の案", "revision": "0"}, HTTP_HX_REQUEST="true")
    assert (stale.status_code, "現地調査" in stale.content.decode()) == (409, True)
    assert client.post(f"{PATH}1/submit/").status_code == 302
    client.force_login(cast["staff1"])
    assert f"{PATH}1/" in client.get("/").content.decode()
    bad = client.post(f"{PATH}1/put-in-force/", {"effective_on": "いつか"})
    assert (bad.status_code, list(bad.context["form"].errors)) == (422, ["effective_on"])
    day = localdate().isoformat()
    assert client.post(f"{PATH}1/put-in-force/", {"effective_on": day}).status_code == 302
    assert PolicyVersion.objects.get(area=area).state == "in_force"
    client.force_login(cast["pi1"])
    text = client.get(PATH).content.decode()
    assert "<h3>目標</h3>" in text
    assert "年2回の現地調査を行う。" in text


def test_draft_when_others_ask_then_it_is_not_there(client, cast, area):
    made(cast, area)
    for name in ("staff1", "pi1", "auditor1", "jst1"):
        client.force_login(cast[name])
        assert client.get(f"{PATH}1/").status_code == 404
        assert "量子計算機の試作を進める" not in client.get(PATH).content.decode()
        assert client.post(f"{PATH}1/text/", {"text": "x", "revision": "1"}).status_code == 404
    client.force_login(cast["po1"])
    assert client.get(f"{PATH}1/").status_code == 200
    assert client.post(f"{PATH}1/text/", {"text": "x", "revision": "1"}).status_code == 403
    assert PolicyVersion.objects.get(area=area).text == TEXT


def test_versions_when_compared_then_lines_and_words_that_differ_are_marked(client, cast, area):
    made(cast, area, on=date(2026, 1, 5))
    made(cast, area, text=TEXT.replace("年2回", "年3回") + "\n# 予算\n重点を置く。", on=localdate() + timedelta(days=3))
    client.force_login(cast["pi1"])
    text = client.get(f"{PATH}difference/?before=1&after=2").content.decode()
    assert [part in text for part in ("<mark>2</mark>", "<mark>3</mark>")] == [True, True]
    assert "重点を置く。" in text
    assert client.get(f"{PATH}difference/?before=7").status_code == 400
    assert "版 1" in client.get(PATH).content.decode() or "1" in client.get(PATH).content.decode()


def test_document_when_taken_then_it_is_a_japanese_pdf_with_the_text(client, cast, area):
    made(cast, area, on=date(2026, 1, 5))
    client.force_login(cast["pi1"])
    answer = client.get(f"{PATH}1/document.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    reader = PdfReader(io.BytesIO(answer.content))
    text = "".join(page.extract_text() for page in reader.pages)
    assert len(reader.pages) == 1
    assert "量子計算機の試作を進める。" in text
    assert client.get(f"{PATH}1/document.pdf").content == answer.content


@pytest.mark.parametrize("count", [1, 3])
def test_pages_when_there_are_more_versions_then_the_queries_are_the_same(
    client, cast, area, count, django_assert_num_queries
):
    for n in range(count):
        made(cast, area, text=f"{TEXT}{n}", on=date(2026, 1, 5 + n))
    client.force_login(cast["staff1"])
    for path, queries in ((PATH, 7), (f"{PATH}1/", 6)):
        client.get(path)
        with django_assert_num_queries(queries):
            client.get(path)


def test_text_when_read_then_headings_and_paragraphs():
    found = [(one.is_heading, one.text) for one in blocks_of("■ 目的\n一行目\n二行目\n\n三行目\n＃進め方\n#\n")]
    assert found == [(True, "目的"), (False, "一行目\n二行目"), (False, "三行目"), (True, "進め方")]


def test_difference_when_much_is_the_same_then_it_is_left_out():
    before = "\n".join(f"行{n}" for n in range(20))
    kinds = [one.kind for one in text_difference(before, before.replace("行10", "行十") + "\n末尾")]
    assert kinds == ["skipped", "same", "changed", "same", "skipped", "same", "added"]
    assert [one.kind for one in text_difference(before, before)] == ["skipped"]
    assert [one.kind for one in text_difference("字" * 3000, "字" * 3001)] == ["changed"]
