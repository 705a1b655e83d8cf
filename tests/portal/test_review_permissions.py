"""The permission table of reviews over HTTP: every address of a review x role x state > who opens it.

`review_permissions.json` is the table. An address of these pages that is missing from it fails the run, as does a cell
that is not as it says. Whoever may not gets 403 or the uniform 404, also for a POST, and changes nothing. What a
conflict hides is in `test_exclusion.py`.
"""

import json
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import resolve
from django.utils import timezone

import portal.urls
from common.models import JournalEntry
from evaluations.actions.admissions import propose_admission
from evaluations.actions.disclosures import save_disclosure
from evaluations.actions.fact_checks import answer_fact_check, send_fact_check
from evaluations.actions.meetings import make_meeting, save_meeting_item
from evaluations.actions.scenarios import make_scenario
from evaluations.actions.score_sheets import save_sheet, submit_sheet
from evaluations.models import Case, ConflictOfInterest, FactCorrection, GateReview, MeetingItem, Question, ScoreSheet
from evaluations.scoring import Answer
from tests.cast import again
from tests.factories import findings as discussions
from tests.factories.decisions import condition, find, released, steps
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db
TABLE = json.loads((Path(__file__).parent / "review_permissions.json").read_text())
F1, F2 = "sample-ql1-f1", "sample-ql1-f2"
#: evaluator1 is in conflict with F1, evaluator2 reads it, evaluator4 while it is scored does not.
ROLES = (
    "staff1", "staff2", "auditor1", "secretariat1", "chair1", "evaluator1", "evaluator2", "evaluator4", "pd1", "pd2",
    "deputy1", "po1", "po2", "hq1", "pi1", "pi2", "coinvestigator1", "office1", "office2", "accountant1", "jst1", "nedo1",
    "security1", "cabinet1", "user_ministry1", "applicant1",
)  # fmt: skip
#: One of each kind, asked in every state; everybody is asked while a case is discussed, when most of it is there.
KEY = (
    "staff1", "auditor1", "secretariat1", "chair1", "evaluator1", "evaluator2", "evaluator4", "pd1", "po1", "hq1", "pi1", "pi2",
    "office1", "jst1", "applicant1",
)  # fmt: skip
NOUNS = (
    "rounds", "panels", "cases", "reviews", "gates", "meetings", "sheets", "conditions", "wind-down", "conflicts",
    "admissions", "scenarios", "public",
)  # fmt: skip
NOBODY = ("0", "X-0000000")


def routes() -> dict[str, str]:
    """The addresses of the pages that show or change anything of a review, by their names."""
    found = {str(one.name): str(one.pattern) for one in portal.urls.urlpatterns}  # type: ignore[union-attr]
    return {name: route for name, route in found.items() if route.split("/")[0] in NOUNS}


def address(name: str, things: dict[str, object]) -> str:
    """The address with the references of what stands in the round."""
    route = routes()[name]
    noun = "/".join(route.split("/")[: 2 if route.startswith("public") else 1])
    filled = route.replace("<slug:ref>", str(things.get(noun, NOBODY[1])))
    return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(things.get(found[1], NOBODY[0])), filled)


def asked(state: str) -> tuple[str, ...]:
    """Who is asked in this state."""
    return ROLES if state == "discussing" else KEY


def expected(name: str, state: str) -> set[str]:
    """Who opens the page in this state."""
    row = TABLE[name]
    return set((row if isinstance(row, str) else row[state]).split()) & set(asked(state))


@pytest.fixture
def things(request, cast, twin):
    """A round in the state asked for, with one of each kind of record in it; the references by what names them."""
    state, now, today = request.param, timezone.now(), timezone.localdate()
    secretary = {"by": cast["secretariat1"], "at": now}
    if state == "scoring":
        made = make_round(cast, twin, projects=(F1, F2))
        for place, one in enumerate(made.assign(F1, "evaluator2", "evaluator3", by=cast["staff1"])):
            reader = cast[f"evaluator{place + 2}"]
            answers = {code: Answer(code, "b", comment="順調") for code in ("goal", "plan", "team", "*")}
            answers["remarks"] = Answer("remarks", comment="順調")
            save_sheet(one, answers=answers, revision=0, by=reader, at=now)
            if place:
                submit_sheet(one, by=reader, at=now)
    else:
        made = discussions.scored(cast, twin)
    case, found = discussions.case_of(made), {}
    meeting = make_meeting(made.round, kind="hearing", held_on=today, place="A", **secretary)
    values = {"starts_at": (now.replace(hour=13, minute=0)).time(), "minutes": 30, "case": case, "title": ""}
    save_meeting_item(meeting, values=values, **secretary)
    if state == "discussing":
        discussions.drafted(cast, made)
        question = Question.objects.create(
            case=case, member=made.members["evaluator2"], text="質問", asked_at=now, sent_at=now, position=1,
            sent_by=cast["secretariat1"], sent_text="質問",
        )  # fmt: skip
        save_disclosure(case, texts={"goal": "順調です。"}, revision=0, **secretary)
        check = send_fact_check(case, due_on=today, **secretary)
        answer_fact_check(check, has_no_errors=False, corrections={"overall": "64量子ビット"}, by=cast["pi1"], at=now)
        found |= {"question": question.pk, "correction": FactCorrection.objects.get().pk}
    if state == "released":
        find(made, F1, cast["chair1"])
        stop = released(cast, GateReview.objects.get(pk=made.reviews[F1].pk), "stop", ends_on=today, wind_down=steps())
        find(made, F2, cast["chair1"])
        other = released(cast, GateReview.objects.get(pk=made.reviews[F2].pk), conditions=[condition()])
        found |= {
            "conditions": other.conditions.get().ref, "step": stop.wind_down.first().pk, "decision": stop.ref,
            "public/gates": made.reviews[F1].ref,
        }  # fmt: skip
    conflict = ConflictOfInterest.objects.get(person=cast["evaluator1"].person, project=twin[F1])
    if Case.objects.get(pk=case.pk).state == "open":
        admission = propose_admission(conflict, case=case, reason="代わりがいない", by=cast["staff1"], at=now)
        found["admissions"] = admission.ref
    scenario = make_scenario(made.round, name="案", by=cast["staff1"], at=now)
    sheet = ScoreSheet.objects.filter(assignment__case=case).order_by("pk").last()
    return found | {
        "state": state, "made": made, "rounds": made.round.ref, "panels": made.panel.ref, "cases": case.ref,
        "reviews": case.ref, "gates": made.reviews[F1].ref, "meetings": meeting.ref, "sheets": sheet.ref,
        "conflicts": conflict.ref, "scenarios": scenario.ref, "case": case.ref, "public/rounds": made.round.ref,
        "member": made.members["evaluator4"].ref, "kind": "letter", "code": "goal",
        "item": MeetingItem.objects.get(meeting=meeting).pk,
    }  # fmt: skip


def opened(cast, things) -> dict[str, set[str]]:
    """Who opens which page: what its lock says, as for a request. Pages about the same thing look it up once."""
    found: dict[str, set[str]] = {name: set() for name in routes()}
    for role in asked(things["state"]):
        user, known = again(cast[role]), {}
        for name in found:
            match = resolve(address(name, things))
            lock, subject = match.func.lock, None  # type: ignore[attr-defined]
            if lock.find is not None:
                key = (lock.find, *(match.kwargs[one] for one in lock.keys))
                if key not in known:
                    known[key] = lock.find(user, *key[1:]).first()
                if (subject := known[key]) is None:
                    continue
            if lock.is_public or lock.allows(user, subject):
                found[name].add(role)
    return found


def test_table_when_an_address_is_new_then_it_has_a_row():
    assert sorted(TABLE) == sorted(routes())


@pytest.mark.parametrize("things", ["scoring", "discussing", "released"], indirect=True)
def test_reviews_when_every_page_is_asked_for_by_every_role_then_the_table_is_right(cast, things):
    assert {name: " ".join(sorted(who)) for name, who in opened(cast, things).items()} == {
        name: " ".join(sorted(expected(name, things["state"]))) for name in routes()
    }


@pytest.mark.parametrize("things", ["discussing"], indirect=True)
@pytest.mark.parametrize("role", ["staff1", "secretariat1", "evaluator1", "evaluator2", "pi1", "office1", "applicant1"])
def test_reviews_when_opened_or_posted_over_http_by_whoever_may_not_then_refused_and_nothing_changes(
    cast, things, role
):
    body = {"text": "x", "reason": "x", "revision": "0", "name": "x", "number": "1", "act": "save", "overall": "x"}
    before = JournalEntry.objects.count()
    client = Client()
    client.force_login(again(cast[role]))
    for name in routes():
        path = address(name, things)
        if role not in expected(name, things["state"]):
            statuses = client.get(path).status_code, client.post(path, body).status_code
            assert not set(statuses) - {403, 404, 405}, path
        elif not path.endswith(".pdf"):
            # 400: a choice of the query is missing; 404: nothing to hand out yet; 405: it is only posted.
            assert client.get(path).status_code in (200, 302, 400, 404, 405), path
    assert JournalEntry.objects.count() == before
