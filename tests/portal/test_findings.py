"""The discussion of a case over the pages: questions, draft, fact check, finding, comments; who opens what; no leak."""

from datetime import timedelta

import pgtrigger
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.models import JournalEntry
from evaluations.models import Disclosure, FactCheck, FactCorrection, Finding, GateReview, Question, Round
from tests.factories.findings import CANARY, DRAFT, F1, drafted, scored, told
from tests.factories.rounds import FLAGSHIPS

pytestmark = pytest.mark.django_db
TYPED = {
    "overall": "順調である。",
    "strengths": "",
    "remarks": "",
    "conditions": "",
    "grade_reason": "",
    "recommendation": "continue",
}
PANEL = {f"evaluator{n}" for n in range(2, 7)}
DISCUSSING = {"chair1", "secretariat1", "pd1", "deputy1", "po1", "jst1", "jst2", *PANEL}
TOLD = {"staff1", "staff2", "auditor1"}


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def made(cast, twin):
    whole = scored(cast, twin)
    today = timezone.localdate()
    Round.objects.filter(pk=whole.round.pk).update(
        fact_check_due_on=today + timedelta(days=7), questions_due_on=today, answers_due_on=today + timedelta(days=5)
    )
    return whole


@pytest.fixture
def urls(made):
    return {"case": f"/cases/{made.cases[F1].ref}/", "gate": f"/gates/{made.reviews[F1].ref}/"}


def typed(made, **more):
    return {**TYPED, "grade": str(made.rubric.grades.get(code="A").pk), "revision": "0", **more}


# The whole way --------------------------------------------------------------------------------------------------------


def test_finding_when_written_checked_and_given_over_the_pages_then_the_review_is_recommended(cast, made, urls):
    secretary, chair, team = (signed_in(cast[name]) for name in ("secretariat1", "chair1", "pi1"))
    page, gate = f"{urls['case']}finding/", f"{urls['gate']}fact-check/"
    assert secretary.get(page).status_code == 200
    assert secretary.post(f"{page}edit/", typed(made)).status_code == 302
    assert "順調である。" not in team.get(gate).content.decode()
    due = timezone.localdate() + timedelta(days=3)
    assert secretary.post(f"{page}send/", {"due_on": due.isoformat()}).status_code == 302
    text = team.get(gate).content.decode()
    assert "順調である。" in text
    assert team.post(gate, {"overall": "", "has_no_errors": ""}).status_code == 422
    assert team.post(gate, {"overall": "64量子ビットです。"}).status_code == 302
    assert chair.get(f"{page}give/").status_code == 200
    assert chair.post(f"{page}give/", {"revision": "1"}).status_code == 422  # the correction is not settled yet
    one = FactCorrection.objects.get()
    assert secretary.post(f"{page}corrections/{one.pk}/", {"outcome": "taken", "reason": ""}).status_code == 422
    assert (
        secretary.post(f"{page}corrections/{one.pk}/", {"outcome": "taken", "reason": "確認した。"}).status_code == 302
    )
    assert chair.post(f"{page}give/", {"revision": "1"}).status_code == 302
    assert GateReview.objects.get(pk=made.reviews[F1].pk).state == "recommended"
    assert "64量子ビットです。" in chair.get(page).content.decode()
    assert chair.post(f"{page}take-back/", {"reason": "修正のため"}).status_code == 302
    assert Finding.objects.get().state == "drafting"


def test_fact_check_when_its_day_has_passed_then_said_beside_the_form_and_nothing_kept(cast, made, urls):
    drafted(cast, made)
    secretary, team = signed_in(cast["secretariat1"]), signed_in(cast["pi1"])
    secretary.post(f"{urls['case']}finding/send/", {"due_on": timezone.localdate().isoformat()})
    with pgtrigger.ignore("evaluations.FactCheck:answer_stands"):  # the day passes
        FactCheck.objects.update(due_on=timezone.localdate() - timedelta(days=1))
    response = team.post(f"{urls['gate']}fact-check/", {"overall": "遅れた訂正"})
    assert (response.status_code, "遅れた訂正" in response.content.decode()) == (422, True)
    assert not FactCorrection.objects.exists()
    assert secretary.post(f"{urls['case']}finding/resume/").status_code == 302


def test_finding_when_edited_in_two_windows_then_both_versions_are_shown(cast, made, urls):
    secretary, page = signed_in(cast["secretariat1"]), f"{urls['case']}finding/edit/"
    secretary.post(page, typed(made))
    response = secretary.post(page, typed(made, overall="二つ目の窓"))
    text = response.content.decode()
    assert (response.status_code, "順調である。" in text, "二つ目の窓" in text) == (409, True, True)
    assert secretary.post(page, typed(made, overall="二つ目の窓", over="1")).status_code == 302
    assert Finding.objects.get().overall == "二つ目の窓"


def test_finding_when_below_quorum_then_the_page_says_the_numbers(cast, twin):
    made = scored(cast, twin, readers=("evaluator2",))
    drafted(cast, made)
    response = signed_in(cast["chair1"]).post(f"/cases/{made.cases[F1].ref}/finding/give/", {"revision": "1"})
    text = response.content.decode()
    assert (response.status_code, "1" in text, GateReview.objects.get(pk=made.reviews[F1].pk).state) == (
        422,
        True,
        "sealed",
    )


def test_opinions_when_written_over_the_page_then_shown_beside_the_finding(cast, made, urls):
    director, reader = signed_in(cast["pd1"]), signed_in(cast["evaluator2"])
    page = f"{urls['case']}finding/"
    assert director.post(f"{page}opinion/", {"text": "所見である。", "revision": "0"}).status_code == 302
    assert reader.post(f"{page}minority/", {"text": "反対する。", "revision": "0"}).status_code == 302
    text = signed_in(cast["chair1"]).get(page).content.decode()
    assert ("所見である。" in text, "反対する。" in text, cast["evaluator2"].person.name in text) == (True, True, False)
    stale = reader.post(f"{page}minority/", {"text": "別の意見", "revision": "0"})
    assert (stale.status_code, "反対する。" in stale.content.decode()) == (409, True)


def test_comments_when_written_and_released_over_the_pages_then_the_team_reads_these_only(cast, made, urls):
    secretary, chair, team = (signed_in(cast[name]) for name in ("secretariat1", "chair1", "pi1"))
    page, gate = f"{urls['case']}comments/", f"{urls['gate']}comments/"
    assert secretary.post(page, {"comment-goal": "達成度は高いです。", "revision": "0"}).status_code == 302
    assert "達成度は高いです。" not in team.get(gate).content.decode()
    assert secretary.post(f"{page}release/").status_code == 403
    stale = secretary.post(page, {"comment-goal": "別の案", "revision": "0"})
    assert (stale.status_code, "達成度は高いです。" in stale.content.decode()) == (409, True)
    assert chair.post(f"{page}release/").status_code == 302
    text = team.get(gate).content.decode()
    assert ("達成度は高いです。" in text, CANARY in text) == (True, False)
    assert secretary.post(page, {"comment-goal": "x", "revision": "1"}).status_code == 403


def test_questions_when_asked_sent_and_answered_over_the_pages_then_without_names(cast, made, urls):
    asker, secretary, team = (signed_in(cast[name]) for name in ("evaluator2", "secretariat1", "pi1"))
    page, gate = f"{urls['case']}questions/", f"{urls['gate']}questions/"
    assert asker.post(f"{page}ask/", {"text": ""}).status_code == 422
    assert asker.post(f"{page}ask/", {"text": "雑音の原因は。"}).status_code == 302
    one = Question.objects.get()
    assert secretary.post(f"{page}send/", {f"text-{one.pk}": ""}).status_code == 422
    assert secretary.post(f"{page}send/", {f"text-{one.pk}": "雑音の原因は。"}).status_code == 302
    text = team.get(gate).content.decode()
    assert ("雑音の原因は。" in text, cast["evaluator2"].person.name in text) == (True, False)
    assert team.post(f"{gate}hand-in/").status_code == 422
    saved = team.post(f"{gate}{one.pk}/", {"text": "試料です。", "revision": "0"}, headers={"HX-Request": "true"})
    assert saved.status_code == 200
    assert team.post(f"{gate}{one.pk}/", {"text": "別の答", "revision": "0"}).status_code == 409
    assert "試料です。" not in asker.get(page).content.decode()
    assert team.post(f"{gate}hand-in/").status_code == 302
    assert "試料です。" in asker.get(page).content.decode()
    Round.objects.filter(pk=made.round.pk).update(answers_due_on=timezone.localdate() - timedelta(days=1))
    late = team.post(f"{gate}{one.pk}/", {"text": "遅れた答", "revision": "1"})
    assert (late.status_code, "遅れた答" in late.content.decode()) == (422, False)
    Round.objects.filter(pk=made.round.pk).update(questions_due_on=timezone.localdate() - timedelta(days=1))
    assert asker.post(f"{page}ask/", {"text": "遅い質問"}).status_code == 422


# Who opens what -------------------------------------------------------------------------------------------------------

#: Address > who opens it (GET 200); secretariat, staff and auditor have given their reason.
PAGES = {
    "{case}finding/": DISCUSSING | TOLD,
    "{case}finding/edit/": {"secretariat1", "chair1", "jst1", "jst2"},
    "{case}finding/give/": {"chair1"},
    "{case}finding/take-back/": set(),
    "{case}finding/countersign/": set(),
    "{case}finding/send/": {"secretariat1", "chair1", "jst1", "jst2"},
    "{case}finding/resume/": set(),
    "{case}finding/minority/": {"evaluator2", "evaluator3", "evaluator4"},
    "{case}comments/": DISCUSSING | TOLD,
    "{case}comments/release/": {"chair1", "staff1", "staff2", "jst1", "jst2"},
    "{case}questions/": DISCUSSING | TOLD,
    "{gate}questions/": {"pi1", "coinvestigator1", "hq1"},
    "{gate}questions/hand-in/": {"pi1", "hq1"},
    "{gate}fact-check/": {"pi1", "hq1"},
    "{gate}comments/": {"pi1", "coinvestigator1", "office1", "office2", "accountant1"},
}  # fmt: skip
#: Posted only: who may (anything but 403 and 404).
POSTED = {
    "{case}finding/opinion/": {"pd1", "deputy1"},
    "{case}questions/ask/": {"chair1", *PANEL},
    "{case}questions/send/": {"secretariat1"},
}


@pytest.fixture
def whole(cast, made, urls):
    drafted(cast, made)
    told(cast, made, *TOLD, "secretariat1")
    signed_in(cast["secretariat1"]).post(f"{urls['case']}comments/", {"comment-goal": "順調です。", "revision": "0"})
    return made


@pytest.mark.parametrize("path", PAGES)
def test_page_when_asked_by_each_of_the_cast_then_as_the_table_says(cast, whole, urls, path):
    address = path.format(**urls)
    found = {name for name in cast if signed_in(cast[name]).get(address).status_code == 200}
    assert found == PAGES[path]
    assert signed_in(cast["evaluator1"]).get(address).status_code == 404  # in conflict with the project
    before = JournalEntry.objects.count()
    for name in set(cast) - PAGES[path]:
        body = {
            "reason": "x",
            "revision": "1",
            "text": "x",
            "overall": "x",
            "due_on": "2030-01-01",
            "comment-goal": "x",
        }
        assert signed_in(cast[name]).post(address, body).status_code in (403, 404, 405), name
    assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("path", POSTED)
def test_act_when_posted_by_whoever_may_not_then_refused_and_nothing_changes(cast, whole, urls, path):
    before = JournalEntry.objects.count()
    for name in cast:
        status = signed_in(cast[name]).post(path.format(**urls), {"text": "", "revision": "x"}).status_code
        assert (status in (403, 404)) == (name not in POSTED[path]), (name, status)
    assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("name", ["chair1", "secretariat1", "pd1", "staff1", "evaluator2", "auditor1", "pi1"])
def test_pages_when_a_conflict_is_confirmed_then_all_are_the_same_404(cast, twin, whole, urls, name):
    from programs.actions.recusals import recuse

    recuse(
        cast[name].person, twin[F1], starts_on=timezone.localdate(), source_ref="COI-X", by=cast["staff2"],
        at=timezone.now(),
    )  # fmt: skip
    client = signed_in(cast[name])
    for path in (*PAGES, *POSTED):
        if path not in POSTED:
            assert client.get(path.format(**urls)).status_code == 404, path
        assert client.post(path.format(**urls), {"text": "x"}).status_code in (404, 405), path
    assert urls["case"] not in client.get("/").content.decode()


def test_raw_comments_when_everything_is_released_then_reach_no_page_of_the_team(cast, whole, urls):
    chair = signed_in(cast["chair1"])
    secretary = signed_in(cast["secretariat1"])
    chair.post(f"{urls['case']}comments/release/")
    secretary.post(f"{urls['case']}finding/send/", {"due_on": timezone.localdate().isoformat()})
    signed_in(cast["pi1"]).post(f"{urls['gate']}fact-check/", {"has_no_errors": "on"})
    assert chair.post(f"{urls['case']}finding/give/", {"revision": "1"}).status_code == 302
    assert CANARY in secretary.get(f"{urls['case']}sheets/").content.decode()
    names = [cast[name].person.name for name in ("evaluator2", "evaluator3", "evaluator4", "chair1")]
    for name in ("pi1", "coinvestigator1", "hq1", "office1", "office2", "accountant1"):
        client = signed_in(cast[name])
        for path in ("", "questions/", "fact-check/", "comments/", "dossier/"):
            text = client.get(f"{urls['gate']}{path}").content.decode()
            assert CANARY not in text, (name, path)
            assert not [one for one in names if one in text], (name, path)
            assert DRAFT["conditions"] not in text, (name, path)
        for path in ("/", "/gates/", "/search/?q=カナリア", "/projects/sample-ql1-f1/history/"):
            assert CANARY not in client.get(path).content.decode(), (name, path)
    assert Disclosure.objects.get().released_at is not None


def test_finding_when_staff_gave_no_reason_then_the_page_asks_for_it_and_shows_nothing(cast, made, urls):
    drafted(cast, made)
    client = signed_in(cast["staff1"])
    text = client.get(f"{urls['case']}finding/").content.decode()
    assert (DRAFT["overall"] in text, "sheets/reason/" in text) == (False, True)
    client.post(f"{urls['case']}sheets/reason/", {"reason": "決定の準備"})
    assert DRAFT["overall"] in client.get(f"{urls['case']}finding/").content.decode()


# What waits, and queries ----------------------------------------------------------------------------------------------


def test_home_when_something_waits_then_each_finds_the_own_task(cast, made, urls):
    signed_in(cast["evaluator2"]).post(f"{urls['case']}questions/ask/", {"text": "質問です。"})
    assert f"{urls['case']}questions/" in signed_in(cast["secretariat1"]).get("/").content.decode()
    one = Question.objects.get()
    signed_in(cast["secretariat1"]).post(f"{urls['case']}questions/send/", {f"text-{one.pk}": "質問です。"})
    assert f"{urls['gate']}questions/" in signed_in(cast["pi1"]).get("/").content.decode()
    drafted(cast, made)
    assert f"{urls['case']}finding/" in signed_in(cast["chair1"]).get("/").content.decode()
    signed_in(cast["secretariat1"]).post(f"{urls['case']}finding/send/", {"due_on": timezone.localdate().isoformat()})
    assert f"{urls['gate']}fact-check/" in signed_in(cast["pi1"]).get("/").content.decode()
    signed_in(cast["secretariat1"]).post(f"{urls['case']}comments/", {"comment-goal": "順調です。", "revision": "0"})
    assert f"{urls['case']}comments/" in signed_in(cast["chair1"]).get("/").content.decode()
    assert f"{urls['case']}comments/" not in signed_in(cast["secretariat1"]).get("/").content.decode()


def queries(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200, path
    return len(found)


def test_pages_when_one_or_three_rows_then_ask_the_same_and_no_more_than_promised(cast, twin):
    made = scored(cast, twin, projects=FLAGSHIPS[:3])
    today = timezone.localdate()
    Round.objects.filter(pk=made.round.pk).update(questions_due_on=today, answers_due_on=today)
    case, gate = f"/cases/{made.cases[F1].ref}/", f"/gates/{made.reviews[F1].ref}/"
    told(cast, made, "secretariat1")
    clients = {name: signed_in(cast[name]) for name in ("chair1", "secretariat1", "pi1", "evaluator2", "evaluator3")}

    def grow(name, text):
        clients[name].post(f"{case}questions/ask/", {"text": text})
        data = {f"text-{one.pk}": text for one in Question.objects.filter(sent_at=None)}
        clients["secretariat1"].post(f"{case}questions/send/", data)
        clients[name].post(f"{case}finding/minority/", {"text": text, "revision": "0"})

    drafted(cast, made)
    grow("evaluator2", "一つ目")
    clients["secretariat1"].post(f"{case}comments/", {"comment-goal": "順調です。", "revision": "0"})
    asked = (
        ("chair1", f"{case}finding/"), ("secretariat1", f"{case}finding/"), ("secretariat1", f"{case}finding/edit/"),
        ("chair1", f"{case}comments/"),
        ("secretariat1", f"{case}comments/"), ("secretariat1", f"{case}questions/"), ("pi1", f"{gate}questions/"),
        ("pi1", f"{gate}fact-check/"), ("pi1", f"{gate}comments/"),
    )  # fmt: skip
    one = {pair: queries(clients[pair[0]], pair[1]) for pair in asked}
    grow("evaluator3", "二つ目")
    grow("chair1", "三つ目")
    three = {pair: queries(clients[pair[0]], pair[1]) for pair in asked}
    assert one == three
    assert max(one.values()) <= 15, list(one.values())
