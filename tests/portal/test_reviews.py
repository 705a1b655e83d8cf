"""The evaluator's desk over the pages: scored with and without script, two tabs, offline form, others' sheets, returns."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from common.models import JournalEntry
from evaluations.models import Round, ScoreSheet, SheetScore
from tests.factories.rounds import FLAGSHIPS, make_round

pytestmark = pytest.mark.django_db
F1, F2 = FLAGSHIPS[:2]
TYPED = {
    "grade-goal": "a", "comment-goal": "目標を上回る成果が国際的にも認められている。", "grade-plan": "b", "grade-team": "-",
    "comment-remarks": "特になし", "whole": "概ね順調。",
}  # fmt: skip


@pytest.fixture
def made(cast, twin):
    whole = make_round(cast, twin)
    whole.assign(F1, "evaluator2", "evaluator3", by=cast["staff1"])
    whole.assign(F2, "evaluator2", by=cast["staff1"])
    return whole


@pytest.fixture
def url(made):
    return f"/reviews/{made.cases[F1].ref}/"


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def filled_in(cast, name, url):
    client = signed_in(cast[name])
    client.post(url, {**TYPED, "revision": "0"})
    assert client.post(f"{url}submit/").status_code == 302
    return client


def close_first(made):
    Round.objects.filter(pk=made.round.pk).update(
        state="first_closed", first_close_at=timezone.now() - timedelta(days=2),
        hearing_on=timezone.localdate() - timedelta(days=1),
    )  # fmt: skip


def test_sheet_when_scored_without_script_then_saved_and_handed_in(cast, made, url):
    client = signed_in(cast["evaluator2"])
    assert url in client.get("/reviews/").content.decode()
    assert client.post(url, {**TYPED, "revision": "0"}).status_code == 302
    text = client.get(url).content.decode()
    assert "3.63" in text
    assert client.post(url, {**TYPED, "revision": "1", "next": "submit"})["Location"] == f"{url}submit/"
    assert client.get(f"{url}submit/").status_code == 200
    assert client.post(f"{url}submit/").status_code == 302
    sheet = ScoreSheet.objects.get()
    assert (sheet.state, sheet.comment) == ("submitted", "概ね順調。")
    assert client.post(f"{url}submit/").status_code == 403


def test_sheet_when_half_done_then_handing_in_names_what_is_missing(cast, url):
    client = signed_in(cast["evaluator2"])
    client.post(url, {"grade-goal": "a", "revision": "0"})
    response = client.post(f"{url}submit/")
    assert (response.status_code, ScoreSheet.objects.get().state) == (422, "draft")
    assert "今後の計画" in response.content.decode()


def test_sheet_when_saved_by_itself_then_only_its_line_comes_back(cast, url):
    client = signed_in(cast["evaluator2"])
    response = client.post(url, {**TYPED, "revision": "0"}, headers={"HX-Request": "true"})
    text = response.content.decode()
    assert (response.status_code, 'id="sheet-line"' in text, "<html" in text) == (200, True, False)
    assert 'name="revision" value="1"' in text


def test_sheet_when_open_in_two_tabs_then_both_are_shown_and_nothing_is_lost(cast, url):
    client = signed_in(cast["evaluator2"])
    client.post(url, {**TYPED, "revision": "0"})
    mine = {**TYPED, "grade-goal": "d", "whole": "二つ目のタブ"}
    for headers in ({}, {"HX-Request": "true"}):
        response = client.post(url, {**mine, "revision": "0"}, headers=headers)
        text = response.content.decode()
        assert (response.status_code, "概ね順調。" in text, 'name="over" value="1"' in text) == (409, True, True)
    # Until it is answered the page keeps standing on what it showed: typing on cannot overwrite the other tab.
    assert 'name="revision" value="0"' in text
    assert "二つ目のタブ" in client.post(url, {**mine, "revision": "0"}).content.decode()
    assert client.post(url, {**mine, "revision": "0", "over": "1"}).status_code == 302
    assert SheetScore.objects.get(item__code="goal").level.code == "d"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"grade-goal": "e"}, 422), ({"comment-goal": "あ" * 2001}, 422), ({"revision": ""}, 400), ({"revision": "x"}, 400),
        ({"revision": "５"}, 400),
    ],
)  # fmt: skip
def test_sheet_when_input_is_wrong_then_nothing_is_written(cast, url, change, status):
    client = signed_in(cast["evaluator2"])
    assert client.post(url, {**TYPED, "revision": "0", **change}).status_code == status
    assert not SheetScore.objects.exists()


def test_sheet_when_the_scores_are_closed_then_refused_with_the_reason(cast, made, url):
    client = filled_in(cast, "evaluator2", url)
    Round.objects.filter(pk=made.round.pk).update(
        first_close_at=timezone.now() - timedelta(days=2), final_close_at=timezone.now() - timedelta(minutes=1)
    )
    response = client.post(url, {**TYPED, "grade-goal": "d", "revision": "1"})
    assert response.status_code == 403
    assert SheetScore.objects.get(item__code="goal").level.code == "a"
    assert 'name="grade-goal"' in client.get(url).content.decode()


def test_sheet_when_it_saves_itself_after_the_close_then_only_its_line_says_so(cast, made, url):
    client = signed_in(cast["evaluator2"])
    Round.objects.filter(pk=made.round.pk).update(first_close_at=timezone.now() - timedelta(minutes=1))
    response = client.post(url, {**TYPED, "revision": "0"}, headers={"HX-Request": "true"})
    text = response.content.decode()
    assert (response.status_code, 'role="alert"' in text, "<html" in text) == (422, True, False)
    assert not ScoreSheet.objects.exists()


def test_progress_when_nothing_is_written_then_nothing_counts_as_answered(cast, url):
    text = signed_in(cast["evaluator2"]).get(url).content.decode()
    assert "3項目中0項目を記入" in text


def test_warnings_when_grade_and_comment_disagree_then_are_shown_and_do_not_refuse(cast, url):
    client = signed_in(cast["evaluator2"])
    response = client.post(url, {**TYPED, "comment-goal": "", "revision": "0"}, headers={"HX-Request": "true"})
    assert (response.status_code, 'href="#item-goal"' in response.content.decode()) == (200, True)


# Offline --------------------------------------------------------------------------------------------------------------


def test_form_when_filled_in_without_a_network_then_shown_first_and_taken_once_confirmed(cast, made, url):
    client = signed_in(cast["evaluator2"])
    client.post(url, {**TYPED, "revision": "0"})
    form = b"".join(client.get(f"{url}form.xlsx").streaming_content)
    client.post(url, {**TYPED, "grade-plan": "c", "revision": "1"})
    book = load_workbook(io.BytesIO(form))
    book.worksheets[0]["D6"] = "c"
    out = io.BytesIO()
    book.save(out)
    response = client.post(f"{url}form/", {"file": SimpleUploadedFile("form.xlsx", out.getvalue())})
    assert response.status_code == 200
    assert SheetScore.objects.get(item__code="goal").level.code == "a"
    steps = response.context["steps"]
    assert client.post(f"{url}form/", {"steps": steps}).status_code == 302
    kept = dict(SheetScore.objects.values_list("item__code", "level__code"))
    assert (kept["goal"], kept["plan"]) == ("c", "c")  # the form's change and the page's
    assert client.post(f"{url}form/", {"steps": steps[:-2]}).status_code == 400


@pytest.mark.parametrize(("cell", "value"), [("B1", "CASE-OTHER"), ("B2", 99), ("D6", "e"), ("A11", "extra")])
def test_form_when_wrong_then_the_cell_is_named_and_nothing_written(cast, url, cell, value):
    client = signed_in(cast["evaluator2"])
    book = load_workbook(io.BytesIO(b"".join(client.get(f"{url}form.xlsx").streaming_content)))
    book.worksheets[0][cell] = value
    out = io.BytesIO()
    book.save(out)
    response = client.post(f"{url}form/", {"file": SimpleUploadedFile("form.xlsx", out.getvalue())})
    assert (response.status_code, f"!{cell}" in response.content.decode()) == (422, True)
    assert not ScoreSheet.objects.exists()


def test_form_when_file_is_no_workbook_then_said_beside_the_field(cast, url):
    response = signed_in(cast["evaluator2"]).post(f"{url}form/", {"file": SimpleUploadedFile("form.xlsx", b"no")})
    assert response.status_code == 422


# Others ---------------------------------------------------------------------------------------------------------------

PAGES = {
    "/reviews/{case}/": {"evaluator2", "evaluator3"},
    "/reviews/{case}/form/": {"evaluator2", "evaluator3"},
    "/reviews/{case}/form.xlsx": {"evaluator2", "evaluator3"},
    "/reviews/{case}/submit/": {"evaluator3"},
    "/cases/{case}/sheets/": {
        "evaluator2", "chair1", "secretariat1", "staff1", "staff2", "jst1", "jst2", "auditor1", "pd1", "deputy1", "po1",
    },
    "/cases/{case}/sheets/reason/": {"secretariat1", "staff1", "staff2", "auditor1"},
    "/sheets/{sheet}/return/": {"chair1", "secretariat1"},
}  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_page_when_asked_by_each_of_the_cast_then_as_the_table_says(cast, made, url, path):
    filled_in(cast, "evaluator2", url)
    address = path.format(case=made.cases[F1].ref, sheet=ScoreSheet.objects.get().ref)
    before = JournalEntry.objects.count()
    found = {name for name in cast if signed_in(cast[name]).get(address).status_code == 200}
    assert found == PAGES[path]
    assert signed_in(cast["evaluator1"]).get(address).status_code == 404  # in conflict with the project
    for name in set(cast) - PAGES[path]:
        assert signed_in(cast[name]).post(address, {"reason": "x", "revision": "0"}).status_code in (403, 404, 405)
    assert JournalEntry.objects.count() == before


def test_desk_when_asked_by_others_then_says_whose_it_is(cast, made):
    found = {name for name in cast if signed_in(cast[name]).get("/reviews/").status_code == 200}
    assert found == {"chair1", "secretariat1", *(f"evaluator{n}" for n in range(1, 13))}


def test_sheets_when_first_scores_are_closed_then_chair_sees_them_and_director_later_without_names(cast, made, url):
    filled_in(cast, "evaluator2", url)
    filled_in(cast, "evaluator3", url)
    page = f"/cases/{made.cases[F1].ref}/sheets/"
    words = TYPED["comment-goal"]
    name = cast["evaluator2"].person.name
    shows = {who: signed_in(cast[who]) for who in ("chair1", "pd1", "evaluator2", "secretariat1")}
    seen = {who: client.get(page).content.decode().count(words) for who, client in shows.items()}
    assert seen == {"chair1": 0, "pd1": 0, "evaluator2": 1, "secretariat1": 0}  # the own one
    close_first(made)
    seen = {who: client.get(page).content.decode().count(words) for who, client in shows.items()}
    assert seen == {"chair1": 2, "pd1": 0, "evaluator2": 2, "secretariat1": 0}
    assert shows["secretariat1"].post(f"{page}reason/", {"reason": "評価会議の資料"}).status_code == 302
    assert words in shows["secretariat1"].get(page).content.decode()
    Round.objects.filter(pk=made.round.pk).update(state="final_closed", final_close_at=timezone.now())
    text = shows["pd1"].get(page).content.decode()
    assert (words in text, name in text) == (True, False)


def test_sheet_when_returned_over_the_page_then_the_reader_reads_why(cast, made, url):
    client = filled_in(cast, "evaluator2", url)
    page = f"/sheets/{ScoreSheet.objects.get().ref}/return/"
    chair = signed_in(cast["chair1"])
    assert chair.post(page, {"reason": ""}).status_code == 422
    assert chair.post(page, {"reason": "根拠の資料番号を。"}).status_code == 302
    assert "根拠の資料番号を。" in client.get(url).content.decode()
    assert ScoreSheet.objects.get().state == "returned"


# Queries --------------------------------------------------------------------------------------------------------------


def queries(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


def test_pages_when_one_or_three_cases_then_ask_the_same_and_no_more_than_promised(cast, twin):
    made = make_round(cast, twin)
    made.assign(F1, "evaluator2", by=cast["staff1"])
    url = f"/reviews/{made.cases[F1].ref}/"
    client, chair = filled_in(cast, "evaluator2", url), signed_in(cast["chair1"])
    pages = (
        (client, "/reviews/"),
        (client, url),
        (chair, "/reviews/"),
        (chair, f"/cases/{made.cases[F1].ref}/sheets/"),
    )
    close_first(made)
    one = [queries(*page) for page in pages]
    for project in FLAGSHIPS[1:3]:
        made.assign(project, "evaluator2", "evaluator3", by=cast["staff1"])
    made.assign(F1, "evaluator3", "evaluator4", by=cast["staff1"])
    three = [queries(*page) for page in pages]
    assert one == three
    assert max(one) <= 15
