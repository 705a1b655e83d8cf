"""The report's pages: sections saved in part of the page or with a reload, acts with one question, documents."""

import re

import pytest
from django.test import Client

from common.models import JournalEntry
from reporting import tasks
from reporting.models import ReportSection, ReportVersion
from tests.reporting.conftest import TEXT, opened, report_at, reread, section_of

__all__ = ["report_at"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def as_user(cast):
    """`as_user("pi1")`: a browser of that person."""

    def make(name):
        client = Client()
        client.force_login(cast[name])
        return client

    return make


def url(report, rest=""):
    return f"/reports/{report.ref}/{rest}"


def save(client, section, text, version=None, *, htmx=True, **extra):
    path = url(section.report, f"sections/{section.pk}/")
    data = {"text": text, "version": section.version if version is None else version, **extra}
    return client.post(path, data, headers={"HX-Request": "true"} if htmx else {})


# Sections -------------------------------------------------------------------------------------------------------------


def test_section_when_saved_in_part_of_the_page_then_only_its_line_comes_back(as_user, report_at):
    section = section_of(report_at(), "summary")
    answer = save(as_user("pi1"), section, TEXT)
    assert answer.status_code == 200
    body = answer.content.decode()
    assert f'id="line-{section.pk}"' in body
    assert 'name="version" value="1"' in body
    assert "<html" not in body
    assert section_of(section.report, "summary").text == TEXT


def test_section_when_saved_without_script_then_the_page_comes_back_at_the_section(as_user, report_at):
    section = section_of(report_at(), "summary")
    answer = save(as_user("pi1"), section, TEXT, htmx=False)
    assert (answer.status_code, answer["Location"]) == (302, url(section.report, f"#section-{section.pk}"))


@pytest.mark.parametrize("htmx", [True, False])
def test_section_when_somebody_else_saved_in_between_then_both_texts_stand_there_and_none_is_lost(
    as_user, report_at, htmx
):
    section = section_of(report_at(), "summary")
    save(as_user("hq1"), section, "HQの文")
    answer = save(as_user("pi1"), section, "PIの文", htmx=htmx)
    assert answer.status_code == 409
    body = answer.content.decode()
    assert "HQの文" in body
    assert ("PIの文" in body) == (not htmx)  # with htmx it still stands in the field
    assert section_of(section.report, "summary").text == "HQの文"
    over = save(as_user("pi1"), section, "PIの文とHQの文", over="1", htmx=htmx)
    assert over.status_code == (200 if htmx else 302)
    assert section_of(section.report, "summary").text == "PIの文とHQの文"


@pytest.mark.parametrize("htmx", [True, False])
def test_summary_when_801_characters_then_said_by_how_much_and_the_text_stays_in_the_field(as_user, report_at, htmx):
    section = section_of(report_at(), "summary")
    # One code point each, whatever the number of code units or bytes: the browser counts alike.
    assert save(as_user("pi1"), section, "𠮷" * 800, htmx=htmx).status_code == (200 if htmx else 302)
    section = section_of(section.report, "summary")
    answer = save(as_user("pi1"), section, "𠮷" * 801, htmx=htmx)
    assert answer.status_code == 422
    assert "801" in answer.content.decode()
    assert htmx or "𠮷" * 801 in answer.content.decode()
    assert section_of(section.report, "summary").text == "𠮷" * 800


def test_section_when_the_session_has_ended_then_the_text_comes_back_and_nothing_is_written(report_at):
    section = section_of(report_at(), "summary")
    answer = save(Client(), section, TEXT, htmx=False)
    assert answer.status_code == 401
    assert TEXT in answer.content.decode()
    assert section_of(section.report, "summary").text == ""


@pytest.mark.parametrize("version", ["", "x", "-1", "9999999999"])
def test_section_when_the_form_is_incomplete_then_says_what_to_do(as_user, report_at, version):
    answer = save(as_user("pi1"), section_of(report_at(), "summary"), TEXT, version)
    assert answer.status_code == 400


def test_section_when_of_another_report_then_is_not_there(as_user, report_at, cast, twin):
    report = report_at()
    foreign = opened(twin["sample-ql1-f2"], cast["staff1"]).sections.first()
    path = url(report, f"sections/{foreign.pk}/")
    assert as_user("pi1").post(path, {"text": TEXT, "version": 0}).status_code == 404
    assert ReportSection.objects.get(pk=foreign.pk).text == ""


def test_page_when_a_co_investigator_writes_then_only_the_own_part_is_a_field(as_user, report_at):
    report = report_at()
    part = report.sections.get(key="partner")
    body = as_user("coinvestigator1").get(url(report)).content.decode()
    assert body.count("<textarea") == 1
    assert f'id="text-{part.pk}"' in body
    assert as_user("pi1").get(url(report)).content.decode().count("<textarea") == report.sections.count()


# Acts -----------------------------------------------------------------------------------------------------------------


def test_submission_when_sections_are_missing_then_all_are_named_and_nothing_moves(as_user, report_at):
    report = report_at()
    answer = as_user("pi1").post(url(report, "submit/"))
    assert answer.status_code == 200
    assert len(answer.context["blockers"]) == report.sections.count()
    assert (reread(report).state, report.versions.count()) == ("drafting", 0)


def test_report_when_carried_on_by_its_pages_then_ends_accepted_with_its_document(as_user, report_at):
    report = report_at()
    for section in report.sections.select_related("report"):
        save(as_user("coinvestigator1" if section.organization_id else "pi1"), section, TEXT)
    for who, act, state in (("pi1", "submit", "submitted"), ("po1", "check", "checked")):
        assert as_user(who).get(url(report, f"{act}/")).status_code == 200
        assert reread(report).state != state  # asking is not doing
        assert as_user(who).post(url(report, f"{act}/")).status_code == 302
        assert reread(report).state == state
    assert as_user("pd1").post(url(report, "return/"), {"general": " "}).status_code == 422
    comment = {f"comment-{section_of(report, 'summary').pk}": "数値の根拠を足してください。"}
    assert as_user("pd1").post(url(report, "return/"), comment).status_code == 302
    assert "数値の根拠を足してください。" in as_user("pi1").get(url(report)).content.decode()
    save(as_user("pi1"), section_of(report, "summary"), "根拠を足しました。")
    for who, act in (("pi1", "submit"), ("po1", "check"), ("pd1", "accept")):
        assert as_user(who).post(url(report, f"{act}/")).status_code == 302
    assert reread(report).state == "accepted"
    version = ReportVersion.objects.get(report=report, number=2)
    waits = as_user("pi1").get(url(report, "versions/2/pdf/"))
    assert waits.status_code == 302
    tasks.render_report(version.pk)
    answer = as_user("pi1").get(url(report, "versions/2/pdf/"))
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"] == "sandbox"
    assert b"".join(answer.streaming_content).startswith(b"%PDF")


WHO = {
    # state: {act: those who may}; the page answers everybody else who sees the report with 403.
    "drafting": {"submit": {"pi1"}},
    "submitted": {"check": {"po1"}, "return": {"po1"}},
    "checked": {"accept": {"pd1"}, "return": {"pd1"}},
    "accepted": {},
}
SEE = ("pi1", "hq1", "office1", "po1", "pd1", "staff1")


@pytest.mark.parametrize("state", WHO)
def test_act_when_tried_by_everybody_who_sees_the_report_then_the_table_is_right(as_user, report_at, state):
    report = report_at(state)
    entries = JournalEntry.objects.count()
    for name in SEE:
        client = as_user(name)
        for act in ("submit", "check", "return", "accept"):
            if name in WHO[state].get(act, ()):
                assert client.get(url(report, f"{act}/")).status_code == 200, (name, act)
            else:
                assert client.post(url(report, f"{act}/"), {"general": "x"}).status_code == 403, (name, act)
    assert (reread(report).state, JournalEntry.objects.count()) == (state, entries)


@pytest.mark.parametrize("name", ["evaluator1", "pi2", "pd2", "nedo1", "applicant1"])
@pytest.mark.parametrize("rest", ["", "submit/", "history/", "versions/1/pdf/"])
def test_report_when_asked_by_outsiders_then_the_same_404_as_for_one_that_is_not_there(as_user, report_at, name, rest):
    report = report_at("submitted")
    client = as_user(name)
    there, missing = client.get(url(report, rest)), client.get(f"/reports/RPT-0000000/{rest}")
    assert there.status_code == missing.status_code == 404
    bodies = {
        re.sub(rb'value="[^"]{64}"', b"", one.content).replace(report.ref.encode(), b"RPT-0000000")
        for one in (there, missing)
    }
    assert len(bodies) == 1


def test_text_when_not_handed_in_then_officers_see_that_it_exists_and_not_what_it_says(as_user, report_at, cast):
    report = report_at()
    save(as_user("pi1"), section_of(report, "summary"), "まだ出していない文")
    for name in ("po1", "pd1", "staff1", "auditor1"):
        answer = as_user(name).get(url(report))
        assert answer.status_code == 200
        assert "まだ出していない文" not in answer.content.decode()
        assert as_user(name).get(url(report, "history/")).status_code == 403


# Lists ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_list_when_there_are_more_reports_then_the_queries_are_the_same(
    as_user, cast, twin, count, django_assert_num_queries
):
    for ref in ("sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1")[:count]:
        opened(twin[ref], cast["staff1"])
    client = as_user("staff1")
    client.get("/reports/")
    with django_assert_num_queries(10):
        answer = client.get("/reports/")
    assert len(answer.context["list"].items) == count


@pytest.mark.parametrize("versions", [1, 3])
def test_page_when_there_are_more_versions_and_comments_then_the_queries_are_the_same(
    as_user, cast, report_at, versions, django_assert_num_queries
):
    report = report_at("returned")
    for _n in range(versions - 1):
        as_user("pi1").post(url(report, "submit/"))
        as_user("po1").post(url(report, "return/"), {"general": "もう一度お願いします。"})
    assert report.versions.count() == versions
    client = as_user("pi1")
    client.get(url(report))
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(url(report))


PAGE_QUERIES = 15


def test_list_when_asked_for_what_it_does_not_know_then_400(as_user):
    for query in ("order=password", "page_size=100000", "sort=text", "state=deleted"):
        assert as_user("staff1").get(f"/reports/?{query}").status_code == 400, query


def test_history_when_read_then_says_who_did_what(as_user, report_at):
    report = report_at("accepted")
    body = as_user("pi1").get(url(report, "history/")).content.decode()
    for words in ("報告書を提出", "報告書を確認", "報告書を受理"):
        assert words in body
