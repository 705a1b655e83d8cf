"""The decision over the pages: drafted, looked at, taken, released; who sees what when; published with JSON beside it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from evaluations.actions.admissions import propose_admission
from evaluations.actions.conditions import report_condition
from evaluations.actions.decisions import attach_decision_papers
from evaluations.models import (
    Admission,
    Case,
    Condition,
    ConflictOfInterest,
    GateDecision,
    GateReview,
    WindDownItem,
)
from evaluations.queries.decisions import conditions_awaiting, wind_down_awaiting
from tests.cast import again
from tests.evaluations.test_decisions import change_of, in_plan
from tests.factories.decisions import F1, F2, F3, condition, decided, drafted, recommended, released, steps
from tests.portal.test_panels import release as publish_roster

pytestmark = pytest.mark.django_db


def typed(outcome="continue", **more):
    """What the form of a draft sends."""
    codes = {"continue": "on-track", "modify": "refocus", "stop": "goals-missed", "defer": "evidence-lacking"}
    day = (timezone.localdate() + timedelta(days=60)).isoformat()
    return {
        "revision": "0", "outcome": outcome, "reason_code": codes[outcome], "reason": "所見を踏まえたもの。",
        "effective_on": day, "plan_change": "", "ends_on": "", "bridging_yen": "", "condition-0-text": "知財方針を定めること",
        "condition-0-owner": "team", "condition-0-due_on": day, "condition-0-is_public": "on", **more,
    }  # fmt: skip


def rows_of(kind="end", text="終了する"):
    """One row of a wind-down, as it is typed."""
    day = (timezone.localdate() + timedelta(days=90)).isoformat()
    return {
        "step-0-kind": kind, "step-0-text": text, "step-0-owner": "team", "step-0-due_on": day, "step-0-released_yen": "100万円",
    }  # fmt: skip


def test_decision_when_carried_over_the_pages_then_released_and_published(client, cast, twin):
    project = twin[F1]
    in_plan(cast, project)
    change = change_of(cast, project)
    review = recommended(cast, twin, F1).reviews[F1]
    url, public = f"/gates/{review.ref}/decision/", f"/public/gates/{review.ref}/"
    client.force_login(cast["staff1"])
    assert url in client.get("/").content.decode()
    assert client.get(f"{url}draft/").context["form"].initial["outcome"] == "continue"
    bad = client.post(f"{url}draft/", typed("modify", effective_on="13月", **{"condition-0-due_on": ""}))
    assert (bad.status_code, list(bad.context["form"].errors), len(bad.context["errors"])) == (422, ["effective_on"], 1)
    assert not GateDecision.objects.exists()
    assert client.post(f"{url}draft/", typed("modify", plan_change=str(change.pk))).status_code == 302
    page = client.get(url)
    assert [one.released_yen for one in page.context["preview"].all] == [30_000_000]
    assert "30,000,000" in page.content.decode()
    stale = client.post(f"{url}draft/", typed("modify", revision="7"))
    assert stale.status_code == 409
    assert client.get(f"{url}decide/").status_code == 403
    client.force_login(cast["staff2"])
    assert url in client.get("/").content.decode()
    sign = {"number": "7文科科第1号", "decided_on": timezone.localdate().isoformat(), "revision": "0"}
    assert f'name="revision" value="{sign["revision"]}"' in client.get(f"{url}decide/").content.decode()
    for wrong in ({"number": ""}, {"decided_on": "13月"}, {"revision": ""}, {"revision": "1"}):
        assert client.post(f"{url}decide/", sign | wrong).status_code == 422
    assert client.post(f"{url}decide/", sign).status_code == 302
    assert client.get(f"{url}release/").status_code == 403
    client.logout()
    assert (client.get(public).status_code, client.get(f"{public}decision.json").status_code) == (404, 404)
    client.force_login(cast["staff1"])
    assert client.post(f"{url}release/").status_code == 302
    review.refresh_from_db()
    assert review.state == "released"
    client.logout()
    told = json.loads(client.get(f"{public}decision.json").content)
    assert (told["outcome"], told["finding"]["grade"], told["conditions"][0]["text"]) == (
        "modify", "A", "知財方針を定めること",
    )  # fmt: skip
    text = client.get(public).content.decode()
    assert "目標を概ね達成している" in text
    assert review.ref in client.get("/public/gates/").content.decode()
    for name in ("staff1", "staff2", "chair1"):
        assert cast[name].person.name_ja not in text + json.dumps(told, ensure_ascii=False)


def test_publication_when_a_condition_is_not_public_then_it_is_left_out(client, cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    released(cast, review, conditions=[condition(text="公開"), condition(text="非公開", is_public=False)])
    told = client.get(f"/public/gates/{review.ref}/decision.json").json()
    assert [one["text"] for one in told["conditions"]] == ["公開"]
    assert "非公開" not in client.get(f"/public/gates/{review.ref}/").content.decode()


def test_publication_when_the_roster_is_public_then_it_names_the_panel_and_why_an_interested_member_took_part(
    client, cast, twin
):
    made = recommended(cast, twin, F1)
    review, case = made.reviews[F1], made.cases[F1]
    interest = ConflictOfInterest.objects.get(person=cast["evaluator1"].person, project=twin[F1])
    Case.objects.filter(pk=case.pk).update(state="open")
    proposed = propose_admission(
        interest, case=case, reason="余人をもって代えがたい。", by=cast["staff1"], at=timezone.now()
    )
    public = f"/public/gates/{review.ref}/"
    released(cast, review)
    told = client.get(f"{public}decision.json").json()
    assert (told["roster"], told["admitted"]) == (None, [])
    names = [cast[name].person.name_ja for name in ("chair1", "evaluator2")]
    assert [name in client.get(public).content.decode() for name in names] == [False, False]
    Admission.objects.filter(pk=proposed.pk).update(
        state="approved", approved_by=cast["staff2"], approved_at=timezone.now()
    )  # fmt: skip
    publish_roster(made, cast)
    told, text = client.get(f"{public}decision.json").json(), client.get(public).content.decode()
    assert told["roster"][0]["name"]["ja"] == names[0]
    assert told["admitted"] == ["余人をもって代えがたい。"]
    assert [word in text for word in (*names, "余人をもって代えがたい。", case.ref)] == [True, True, True, False]


def test_stop_when_drafted_over_the_page_then_the_wind_down_is_kept(client, cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    client.force_login(cast["staff1"])
    day = (timezone.localdate() + timedelta(days=90)).isoformat()
    data = typed("stop", ends_on=day, **rows_of(), **{"condition-0-text": ""})
    bad = client.post(f"/gates/{review.ref}/decision/draft/", data | {"step-0-released_yen": "△５百万円"})
    assert (bad.status_code, len(bad.context["errors"]), GateDecision.objects.exists()) == (422, 1, False)
    assert client.post(f"/gates/{review.ref}/decision/draft/", data).status_code == 302
    step = WindDownItem.objects.get()
    assert (step.kind, step.released_yen, Condition.objects.count()) == ("end", 1_000_000, 0)


def test_decision_when_it_cannot_be_taken_then_the_page_says_what_is_missing(client, cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    drafted(cast, review, "modify")
    client.force_login(cast["staff2"])
    page = client.get(f"/gates/{review.ref}/decision/")
    assert [one.code for one in page.context["missing"]] == ["no_change"]
    answer = client.post(
        f"/gates/{review.ref}/decision/decide/",
        {"number": "1", "decided_on": timezone.localdate().isoformat(), "revision": "0"},
    )
    assert (answer.status_code, [one.code for one in answer.context["blockers"]]) == (422, ["no_change"])


def test_decisions_when_released_together_then_all_from_one_page(client, cast, twin):
    made = recommended(cast, twin, F1, F2)
    both = [decided(cast, made.reviews[ref]) for ref in (F1, F2)]
    url = f"/rounds/{made.round.ref}/decisions/"
    client.force_login(cast["staff2"])
    assert client.get(url).context["form"] is None
    assert client.post(url, {"decisions": [str(both[0].pk)]}).status_code == 403
    client.force_login(cast["staff1"])
    assert client.post(url, {}).status_code == 422
    assert client.post(url, {"decisions": [str(one.pk) for one in both]}).status_code == 302
    assert len(set(GateDecision.objects.values_list("released_at", flat=True))) == 1


def test_team_when_the_decision_is_released_then_reads_reports_and_objects(client, cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    made = decided(cast, review, conditions=[condition()])
    url = f"/gates/{review.ref}/decision/"
    client.force_login(cast["pi1"])
    assert client.get(url).status_code == 404
    assert url not in client.get(f"/gates/{review.ref}/").content.decode()
    client.force_login(cast["staff1"])
    client.post(f"{url}release/")
    attach_decision_papers(made.pk, at=timezone.now())
    client.force_login(cast["pi1"])
    assert url in client.get("/").content.decode()
    text = client.get(url).content.decode()
    assert cast["staff2"].person.name_ja not in text
    letter = client.get(f"{url}{made.ref}/letter.pdf")
    assert b"".join(letter.streaming_content).startswith(b"%PDF")
    assert client.get(f"{url}{made.ref}/file.pdf").status_code == 403
    one = made.conditions.get()
    assert client.post(f"/conditions/{one.ref}/report/", {"report": ""}).status_code == 422
    assert client.post(f"/conditions/{one.ref}/report/", {"report": "定めました。"}).status_code == 302
    assert client.get(f"/conditions/{one.ref}/settle/").status_code == 403
    client.force_login(cast["po1"])
    assert url in client.get("/").content.decode()
    assert client.post(f"/conditions/{one.ref}/settle/", {"is_met": "no", "note": ""}).status_code == 422
    assert client.post(f"/conditions/{one.ref}/settle/", {"is_met": "yes"}).status_code == 302
    client.force_login(cast["pi1"])
    assert client.post(f"{url}object/", {"reasons": "事実誤認"}).status_code == 302
    assert client.get(f"{url}object/").status_code == 403
    client.force_login(cast["staff2"])
    assert url in client.get("/").content.decode()
    assert client.post(f"{url}answer/", {"accepts": "no", "reason": "認められません。"}).status_code == 302
    client.force_login(cast["pi1"])
    assert "認められません" in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("owner", "reports", "finds"), [("team", "pi1 hq1", "po1"), ("office", "office1 accountant1", "po1"),
                                    ("officer", "po1", "staff1 staff2"), ("staff", "staff1 staff2", "po1")],
)  # fmt: skip
def test_condition_when_it_waits_then_on_the_home_page_of_who_owes_it_and_then_of_who_finds(
    cast, twin, owner, reports, finds
):
    review = recommended(cast, twin, F1).reviews[F1]
    one = released(cast, review, conditions=[condition(owner=owner)]).conditions.get()

    def waits() -> str:
        return " ".join(sorted(name for name in cast if conditions_awaiting(again(cast[name]))))

    assert waits() == " ".join(sorted(reports.split()))
    report_condition(one, report="済", by=cast[reports.split()[0]], at=timezone.now())
    assert waits() == finds


def test_wind_down_when_finished_over_the_page_then_it_is_done(client, cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    made = released(cast, review, "stop", ends_on=timezone.localdate(), wind_down=steps())
    first = made.wind_down.first()
    awaited = {name: [one.kind for one in wind_down_awaiting(again(cast[name]))] for name in ("pi1", "office1", "po1")}
    assert awaited == {"pi1": ["end"], "office1": ["assets", "money"], "po1": []}
    client.force_login(cast["office1"])
    assert made.wind_down.all()[1].text in client.get("/").content.decode()
    assert client.get(f"/wind-down/{first.pk}/done/").status_code == 403
    client.force_login(cast["pi1"])
    assert client.post(f"/wind-down/{first.pk}/done/", {"note": "終了"}).status_code == 302
    first.refresh_from_db()
    assert first.done_by == cast["pi1"]
    assert wind_down_awaiting(again(cast["pi1"])) == []
    client.force_login(cast["pi1"])
    assert "終了" in client.get("/projects/sample-ql1-f1/gates/").content.decode()


#: Who opens what in which state; whoever sees the review's decision but may not do this gets 403, the others 404.
STAFF = "staff1 staff2"
EARLY = f"{STAFF} auditor1 pd1 deputy1"
LATE = (
    f"{EARLY} po1 hq1 pi1 coinvestigator1 office1 office2 accountant1 chair1 jst1 jst2 "
    "evaluator2 evaluator3 evaluator4 evaluator5 evaluator6"
)
PAGES = {
    "recommended": (STAFF, {"": STAFF, "draft/": STAFF, "decide/": "", "release/": "", "withdraw/": ""}),
    "drafted": (EARLY, {"": EARLY, "draft/": STAFF, "decide/": "staff2", "release/": "", "withdraw/": STAFF}),
    "decided": (EARLY, {"": EARLY, "draft/": STAFF, "decide/": "", "release/": "staff1", "object/": ""}),
    "released": (LATE, {"": LATE, "draft/": STAFF, "decide/": "", "release/": "", "object/": "pi1 hq1", "answer/": ""}),
}


@pytest.mark.parametrize("state", sorted(PAGES))
def test_pages_when_asked_by_everybody_then_the_table_is_right(client, cast, twin, state):
    review = recommended(cast, twin, F1).reviews[F1]
    steps_of = {"drafted": drafted, "decided": decided, "released": released}
    if state in steps_of:
        steps_of[state](cast, review)
    sees, paths = PAGES[state]
    for path, may in paths.items():
        found = {}
        for name, user in cast.items():
            client.force_login(user)
            found[name] = client.get(f"/gates/{review.ref}/decision/{path}").status_code
        expected = {name: 200 if name in may.split() else 403 if name in sees.split() else 404 for name in cast}
        assert found == expected, path


def test_condition_when_asked_by_everybody_then_the_table_is_right(client, cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    one = released(cast, review, conditions=[condition()]).conditions.get()
    for path, may in (("report", "pi1 hq1"), ("settle", "")):
        found = {}
        for name, user in cast.items():
            client.force_login(user)
            found[name] = client.get(f"/conditions/{one.ref}/{path}/").status_code
        assert found == {name: 200 if name in may.split() else 403 if name in LATE.split() else 404 for name in cast}, (
            path
        )


@pytest.mark.parametrize(
    "name", ["pi1", "office1", "jst1", "po1", "chair1", "secretariat1", "evaluator1", "applicant1"]
)
def test_decision_when_not_released_then_no_page_tells_of_it(client, cast, twin, name):
    review = recommended(cast, twin, F1).reviews[F1]
    decided(cast, review, "stop", ends_on=timezone.localdate(), wind_down=steps())
    made = GateDecision.objects.get()
    client.force_login(cast[name])
    paths = ("/", f"/gates/{review.ref}/", f"/gates/{review.ref}/decision/", f"/projects/{F1}/", f"/projects/{F1}/gates/",
             f"/projects/{F1}/history/", f"/rounds/{review.round.ref}/decisions/", "/gates/", "/mail/", "/public/gates/",
             f"/public/gates/{review.ref}/")  # fmt: skip
    for path in paths:
        text = client.get(path).content.decode()
        for word in (made.ref, made.number, made.reason, "中止"):
            assert (path, word, word in text.split("<tbody>")[-1].replace("ゲートの中止", "")) == (path, word, False)


@pytest.mark.parametrize("count", [1, 3])
def test_pages_when_there_are_more_rows_then_the_queries_are_the_same(
    client, cast, twin, count, django_assert_num_queries
):
    made = recommended(cast, twin, *(F1, F2, F3)[:count])
    for ref in (F1, F2, F3)[:count]:
        released(cast, made.reviews[ref], conditions=[condition() for _n in range(count)])
    client.force_login(cast["staff1"])
    with django_assert_num_queries(9):
        client.get(f"/rounds/{made.round.ref}/decisions/")
    with django_assert_num_queries(14):
        client.get(f"/gates/{made.reviews[F1].ref}/decision/")
    client.logout()
    with django_assert_num_queries(1):
        client.get("/public/gates/")
    assert GateReview.objects.filter(state="released").count() == count
