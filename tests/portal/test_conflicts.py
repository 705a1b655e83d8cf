"""Conflicts over the pages: declared case by case, settled, admitted, imported; who opens what, and what stays hidden."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.models import JournalEntry
from evaluations.actions.admissions import propose_admission
from evaluations.actions.conflicts import declare_conflict
from evaluations.models import Admission, Coauthorship, ConflictCertificate, ConflictOfInterest, Declaration, Round
from portal.declarations import STATES
from programs.models import Project
from tests.factories.rounds import FLAGSHIPS, make_round

pytestmark = pytest.mark.django_db
F1, F2, F3 = FLAGSHIPS[:3]
CANARY = "カナリア課題名"


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def made(cast, twin):
    return make_round(cast, twin, declared=False)


@pytest.fixture
def url(made):
    return f"/rounds/{made.round.ref}/declarations/"


def typed(client, url, answers):
    """The form as it is posted: its fingerprints, and what is said on some cases."""
    shown = {one.asked.case.gate_review.project.ref: one for one in client.get(url).context["cases"]}
    data = {f"{one.form.prefix}-fingerprint": one.form["fingerprint"].value() for one in shown.values()}
    for project, answer in answers.items():
        data |= {f"{shown[project].form.prefix}-{name}": value for name, value in answer.items()}
    return data


NO = {"answer": "none"}
YES = {"answer": "conflict", "kind": "mentor", "text": "学位論文の指導", "starts_on": "平成22年4月1日", "ends_on": ""}


# Declaring ------------------------------------------------------------------------------------------------------------


def test_form_when_cases_are_answered_then_only_those_are_recorded_and_home_counts_down(cast, made, url):
    client = signed_in(cast["evaluator2"])
    page = client.get(url)
    assert [one.form["answer"].value() for one in page.context["cases"]] == [None] * 3
    assert url in client.get("/").content.decode()
    assert client.post(url, typed(client, url, {F1: NO, F3: YES})).status_code == 302
    rows = Declaration.objects.filter(member=made.members["evaluator2"])
    assert sorted(rows.values_list("answer", flat=True)) == ["conflict", "none"]
    assert str(ConflictOfInterest.objects.get(person=cast["evaluator2"].person).evidence).startswith(
        "学位論文の指導 (2010年4月1日"
    )
    page = client.get(url)
    assert page.context["owed"] == 1
    assert [task.url for task, _days in client.get("/").context["tasks"]].count(url) == 1


def test_form_when_something_is_wrong_then_nothing_is_lost_or_recorded(cast, url):
    client = signed_in(cast["evaluator2"])
    data = typed(client, url, {F1: NO, F2: {**YES, "kind": "", "starts_on": "いつか"}})
    page = client.post(url, data)
    text = page.content.decode()
    assert (page.status_code, "学位論文の指導" in text, "いつか" in text) == (422, True, True)
    assert text.count("checked") == 2
    data = typed(client, url, {F1: NO, F2: {**YES, "kind": ""}})
    page = client.post(url, data)
    assert (page.status_code, "学位論文の指導" in page.content.decode()) == (422, True)
    assert page.context["cases"][1].form.errors.keys() == {"kind"}
    assert client.post(url, typed(client, url, {})).status_code == 422
    assert client.post(url, typed(client, url, {F1: {"kind": "kin"}})).status_code == 422
    assert not Declaration.objects.exists()


def test_form_when_facts_change_in_the_meantime_then_shown_again_and_then_taken(cast, twin, url):
    client = signed_in(cast["evaluator2"])
    data = typed(client, url, {F1: NO})
    Project.objects.filter(ref=F1).update(title_ja="変わった題名(見本)")
    page = client.post(url, data)
    assert (page.status_code, "変わった題名" in page.content.decode()) == (422, True)
    case = page.context["cases"][0]
    data[f"{case.form.prefix}-fingerprint"] = case.form["fingerprint"].value()
    assert client.post(url, data).status_code == 302


def test_form_when_stale_then_says_what_changed(cast, twin):
    made = make_round(cast, twin)
    Project.objects.filter(ref=F1).update(title_ja="変わった題名(見本)")
    client = signed_in(cast["evaluator2"])
    text = client.get(f"/rounds/{made.round.ref}/declarations/").content.decode()
    assert ("変わった題名" in text, twin[F1].title_ja in text) == (True, True)
    assert f"/reviews/{made.cases[F1].ref}/" not in client.get("/reviews/").content.decode()


def test_certificate_when_signed_over_the_page_then_listed_for_the_secretariat(cast, twin):
    made = make_round(cast, twin)
    page = f"/rounds/{made.round.ref}/declarations/certificate/"
    client = signed_in(cast["evaluator1"])
    assert client.post(page).status_code == 422
    Round.objects.filter(pk=made.round.pk).update(hearing_on=timezone.localdate())
    text = client.get(page).content.decode()
    assert (twin[F2].title_ja in text, twin[F1].title_ja in text) == (True, False)
    assert client.post(page).status_code == 302
    assert ConflictCertificate.objects.get().signed_by == cast["evaluator1"]
    text = signed_in(cast["secretariat1"]).get(f"/rounds/{made.round.ref}/declarations/").content.decode()
    assert ConflictCertificate.objects.get().content_hash[:16] in text


# Who opens what -------------------------------------------------------------------------------------------------------

PANEL = {"chair1", *(f"evaluator{n}" for n in range(1, 7))}
OVERSEE = {"staff1", "staff2", "secretariat1", "jst1", "jst2"}
REASON = {"pd1", "pd2", "deputy1", "po1", "auditor1"}
SETTLE = {"staff1", "staff2", "jst1", "jst2"}
EVALUATE = {f"evaluator{n}" for n in range(1, 13)} | {"chair1"}
PAGES = {
    "/rounds/{round}/declarations/": PANEL | OVERSEE | REASON,
    "/rounds/{round}/declarations/members/": OVERSEE | {"chair1"},
    "/rounds/{round}/declarations/reason/": REASON,
    "/rounds/{round}/declarations/search/": OVERSEE,
    "/rounds/{round}/declarations/certificate/": PANEL,
    "/conflicts/": OVERSEE | EVALUATE | {"auditor1", "nedo1"},
    "/conflicts/coauthorships/": OVERSEE,
    # On evaluator3's declared conflict with sample-ql1-f2.
    "/conflicts/{open}/": OVERSEE | {"chair1", "auditor1", "evaluator3"},
    "/conflicts/{open}/confirm/": SETTLE,
    "/conflicts/{open}/dismiss/": SETTLE,
    "/conflicts/{open}/end/": set(),
    # On evaluator1's confirmed conflict with sample-ql1-f1.
    "/conflicts/{confirmed}/": OVERSEE | {"chair1", "auditor1", "evaluator1"},
    "/conflicts/{confirmed}/confirm/": set(),
    "/conflicts/{confirmed}/end/": SETTLE,
    "/conflicts/{confirmed}/admit/": SETTLE,
    "/admissions/{admission}/approve/": {"staff2", "jst1", "jst2"},
    "/admissions/{admission}/end/": SETTLE,
}


@pytest.fixture
def things(cast, twin):
    made = make_round(cast, twin)
    conflict = declare_conflict(
        cast["evaluator3"].person, twin[F2], kind="kin", evidence="親族がいる", starts_on=date(2026, 4, 1),
        by=cast["evaluator3"], at=timezone.now(),
    )  # fmt: skip
    confirmed = ConflictOfInterest.objects.get(person=cast["evaluator1"].person)
    admission = propose_admission(
        confirmed, case=made.cases[F1], reason="代わりがいない", by=cast["staff1"], at=timezone.now()
    )
    return {
        "round": made.round.ref, "open": conflict.ref, "confirmed": confirmed.ref, "admission": admission.ref,
    }  # fmt: skip


@pytest.mark.parametrize("path", sorted(PAGES))
def test_page_when_asked_by_each_of_the_cast_then_as_the_table_says_and_nothing_changes(cast, things, path):
    address = path.format(**things)
    found = {name: signed_in(user).get(address).status_code for name, user in cast.items()}
    assert {name for name, status in found.items() if status == 200} == PAGES[path]
    assert set(found.values()) <= {200, 403, 404}
    before = (JournalEntry.objects.count(), ConflictOfInterest.objects.filter(state="declared").count())
    for name in set(cast) - PAGES[path]:
        answer = signed_in(cast[name]).post(address, {"reason": "x", "ends_on": "2026-06-01", "case": "1"})
        assert answer.status_code in (403, 404, 405), name
    assert before == (JournalEntry.objects.count(), ConflictOfInterest.objects.filter(state="declared").count())


def test_conflict_when_settled_over_the_pages_then_reason_asked_and_shown(cast, things):
    staff, path = signed_in(cast["staff1"]), f"/conflicts/{things['open']}/"
    text = staff.get(path).content.decode()
    assert ("親族がいる" in text, path in staff.get("/").content.decode()) == (True, True)
    assert staff.post(f"{path}dismiss/", {"reason": " "}).status_code == 422
    assert staff.post(f"{path}confirm/", {"reason": "戸籍で確認"}).status_code == 302
    assert "戸籍で確認" in staff.get(path).content.decode()
    assert path not in staff.get("/").content.decode()
    assert staff.post(f"{path}end/", {"ends_on": "2026-03-31", "reason": "x"}).status_code == 422
    assert staff.post(f"{path}end/", {"ends_on": "令和9年3月31日", "reason": "退職"}).status_code == 302
    assert ConflictOfInterest.objects.get(ref=things["open"]).state == "ended"


def test_admission_when_approved_over_the_pages_then_published_and_ended_with_a_reason(cast, things):
    path = f"/admissions/{things['admission']}/"
    assert signed_in(cast["staff1"]).post(f"{path}approve/").status_code == 403
    assert signed_in(cast["staff2"]).post(f"{path}approve/").status_code == 302
    text = signed_in(cast["secretariat1"]).get(f"/rounds/{things['round']}/declarations/").content.decode()
    assert "代わりがいない" in text
    assert signed_in(cast["jst1"]).post(f"{path}end/", {"reason": "代わりが見つかった"}).status_code == 302
    assert Admission.objects.get().end_reason == "代わりが見つかった"
    admit = f"/conflicts/{things['confirmed']}/admit/"
    page = signed_in(cast["staff1"])
    assert page.post(admit, {"case": "", "reason": ""}).status_code == 422
    case = page.get(admit).context["form"].fields["case"].choices[0][0]
    assert page.post(admit, {"case": case, "reason": "再度", "may_score": "on"}).status_code == 302
    assert Admission.objects.filter(may_score=True, state="proposed").count() == 1


def test_matrix_when_the_ministry_reads_then_that_and_not_what_and_others_the_words(cast, twin, things):
    text = {
        name: signed_in(cast[name]).get(f"/rounds/{things['round']}/declarations/members/").content.decode()
        for name in ("staff1", "secretariat1", "chair1", "jst1")
    }
    state = str(STATES["none"]).capitalize()
    assert state not in text["staff1"]
    for name in ("secretariat1", "jst1", "chair1"):
        assert state in text[name]


# Hidden ---------------------------------------------------------------------------------------------------------------


def test_pages_when_the_reader_is_excluded_then_nothing_of_the_case_in_lists_counts_or_files(cast, twin, things):
    Project.objects.filter(ref=F1).update(title_ja=CANARY)
    conflict = ConflictOfInterest.objects.get(ref=things["confirmed"])
    type(conflict).objects.filter(pk=conflict.pk).update(evidence=f"{CANARY}の共著")
    paths = [
        "/", "/conflicts/", f"/conflicts/?q={CANARY}", "/conflicts/?format=csv", "/conflicts/?state=confirmed",
        f"/conflicts/?round={things['round']}", f"/conflicts/{things['confirmed']}/",
        f"/rounds/{things['round']}/declarations/", f"/rounds/{things['round']}/declarations/certificate/", "/reviews/",
        f"/rounds/{things['round']}/", "/gates/",
    ]  # fmt: skip
    for name, hidden in (("evaluator1", True), ("secretariat1", False)):
        client = signed_in(cast[name])
        seen = set()
        for path in paths:
            answer = client.get(path)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            # What is searched for stands in the field of the search.
            text = body.decode("utf-8-sig").replace(f'value="{CANARY}"', "")
            seen |= {path} if CANARY in text.replace(f"q={CANARY}", "") else set()
        assert (seen == set()) is hidden, (name, seen)
    client = signed_in(cast["evaluator1"])
    assert client.get(f"/conflicts/?q={CANARY}").context["list"].items == []
    assert len(client.get(f"/rounds/{things['round']}/declarations/").context["cases"]) == 2


def test_list_when_the_secretary_is_excluded_then_that_project_is_left_out(cast, twin, things):
    client = signed_in(cast["secretariat1"])
    before = {one.ref for one in client.get("/conflicts/").context["list"].items}
    assert before == {things["open"], things["confirmed"]}
    row = declare_conflict(
        cast["secretariat1"].person, twin[F1], kind="other", evidence="利害", starts_on=date(2026, 4, 1),
        by=cast["jst1"], at=timezone.now(),
    )  # fmt: skip
    assert signed_in(cast["staff1"]).post(f"/conflicts/{row.ref}/confirm/", {"reason": ""}).status_code == 302
    page = client.get("/conflicts/")
    assert [one.ref for one in page.context["list"].items] == [things["open"]]
    assert [one.ref for one in page.context["own"]] == [row.ref]
    assert client.get(f"/conflicts/{things['confirmed']}/").status_code == 404
    matrix = client.get(f"/rounds/{things['round']}/declarations/").context
    assert len(matrix["heads"]) == 2


# Joint publications ---------------------------------------------------------------------------------------------------

FILE = "ORCID 1,ORCID 2,発行年,題名,DOI,出典\n0000-0002-1825-0097,0000-0001-5109-3700,2024,題,,出典\n"


def test_papers_when_a_file_comes_then_shown_first_and_added_once_confirmed(cast):
    client = signed_in(cast["staff1"])
    send = lambda text: client.post(  # noqa: E731
        "/conflicts/coauthorships/", {"file": SimpleUploadedFile("papers.csv", text.encode())}
    )
    page = send(FILE)
    assert (page.status_code, page.context["found"].created, Coauthorship.objects.count()) == (200, 1, 0)
    token = page.context["token"]
    assert signed_in(cast["staff2"]).post("/conflicts/coauthorships/", {"checked": token}).status_code == 302
    assert not Coauthorship.objects.exists()
    assert client.post("/conflicts/coauthorships/", {"checked": token}).status_code == 302
    assert Coauthorship.objects.count() == 1
    wrong = send(FILE.replace("0097", "0098"))
    assert (wrong.status_code, "2" in wrong.content.decode()) == (422, True)
    assert client.get("/conflicts/coauthorships/?template=1")["Content-Disposition"].startswith("attachment")


# Queries --------------------------------------------------------------------------------------------------------------


def queries(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


def test_pages_when_one_or_three_cases_then_ask_the_same_and_no_more_than_promised(cast, twin):
    asked = []
    for projects in ((F2,), (F1, F2, F3)):
        made = make_round(cast, twin, projects=projects, evaluators=len(projects) + 1)
        for project in projects:
            declare_conflict(
                cast["evaluator2"].person, twin[project], kind="kin", evidence="x", starts_on=date(2026, 4, 1),
                by=cast["evaluator2"], at=timezone.now(),
            )  # fmt: skip
        row = ConflictOfInterest.objects.filter(person=cast["evaluator2"].person, project=twin[F2]).first()
        page = f"/rounds/{made.round.ref}/declarations/"
        pairs = [("evaluator2", page), ("chair1", f"{page}members/"), ("secretariat1", page), ("staff1", "/conflicts/"),
                 ("staff1", f"/conflicts/{row.ref}/")]  # fmt: skip
        asked.append([queries(signed_in(cast[name]), path) for name, path in pairs])
        type(made.cases[F2]).objects.filter(panel=made.panel).update(state="invalidated", invalidated_reason="x")
    assert asked[0] == asked[1]
    assert max(asked[0][:3]) <= 15
    assert asked[0][3] <= 12
    assert asked[0][4] <= 15
