"""Who is excluded from a project sees nothing of its case on any channel: no word, no reference, and no count with it in.

Two checks over a round with everything in it. A canary stands in every text about the project: those who may read it
find it, and once excluded nobody does. And the pages of an excluded reader say nothing that they would not say if the
project had never come before the panel, so that no count, mean, rank or bound tells of it.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections import Counter
from datetime import date, time, timedelta
from itertools import islice

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from common.models import OutgoingMail
from evaluations.actions.conflicts import declare_conflict
from evaluations.actions.findings import save_finding
from evaluations.actions.meetings import make_meeting, save_meeting_item, save_notes
from evaluations.actions.questions import ask_question, send_questions
from evaluations.actions.scenarios import make_scenario, share_scenario
from evaluations.actions.score_sheets import give_reading_reason, save_sheet, submit_sheet
from evaluations.models import Addendum, Case, Dossier, Meeting, Round, Scenario
from evaluations.scoring import Answer
from programs.actions.recusals import recuse
from programs.models import Project
from reporting.actions.reminders import queue_due_reminders
from tests.cast import again
from tests.factories.findings import DRAFT, stand_at
from tests.factories.rounds import FLAGSHIPS, RoundSet, make_round

pytestmark = pytest.mark.django_db
F1, F2, F3 = FLAGSHIPS[:3]
CANARY = "カナリヤ鳥"
READERS = ("evaluator2", "evaluator3", "evaluator4")
#: Whoever could know of the case: offices of the round, the panel, the directors, auditors.
ROLES = ("staff1", "secretariat1", "jst1", "chair1", "evaluator2", "pd1", "po1", "auditor1")
SEEING = [("chair1", "final_closed"), ("secretariat1", "open")]
COUNTING = [("chair1", "final_closed"), ("staff1", "final_closed"), ("secretariat1", "open")]


def played(cast, twin, *projects: str, state: str = "final_closed") -> RoundSet:
    """A round with sheets, questions, a hearing with notes, a scenario, a conflict, a finding: the last project's own."""
    made = make_round(cast, twin, projects=projects)
    today, at = timezone.localdate(), timezone.now()
    Round.objects.filter(pk=made.round.pk).update(
        questions_due_on=today, answers_due_on=today + timedelta(5), fact_check_due_on=today + timedelta(7)
    )
    made.round.refresh_from_db()
    secretary = {"by": cast["secretariat1"], "at": at}
    meeting = make_meeting(made.round, kind="hearing", held_on=today, place="会議室", **secretary)
    for hour, ref in enumerate(projects, 13):
        case, words = made.cases[ref], f"{CANARY}-{ref}" if ref == F1 else "所感"
        for one in made.assign(ref, *READERS, by=cast["chair1"]):
            name = next(name for name, member in made.members.items() if member.pk == one.member_id)
            answers = {code: Answer(code, "b", comment=words) for code in ("goal", "plan", "team")}
            answers |= {"remarks": Answer("remarks", comment=words), "*": Answer("*", comment=words)}
            save_sheet(one, answers=answers, revision=0, by=cast[name], at=at)
            submit_sheet(one, by=cast[name], at=at)
        question = ask_question(case, text=words, by=cast["evaluator2"], at=at)
        send_questions(case, texts={question.pk: words}, left_out={}, **secretary)
        Addendum.objects.create(
            dossier=Dossier.objects.get(gate_review=made.reviews[ref]), text=words, by=cast["po1"], at=at
        )
        item = save_meeting_item(
            meeting, values={"starts_at": time(hour), "minutes": 30, "case": case, "title": ""}, **secretary
        )
        save_notes(meeting, item.pk, text=words, revision=0, **secretary)
        declare_conflict(
            cast["evaluator5"].person, twin[ref], kind="kin", evidence=words, starts_on=date(2026, 4, 1),
            by=cast["evaluator5"], at=at,
        )  # fmt: skip
    Round.objects.filter(pk=made.round.pk).update(decision_due_on=date(2027, 1, 15))
    scenario = make_scenario(Round.objects.get(pk=made.round.pk), name="案", by=cast["staff1"], at=at)
    share_scenario(scenario, is_shared=True, by=cast["staff1"], at=at)
    if state != "open":
        stand_at(made, state)
        for name in ("secretariat1", "staff1", "auditor1"):
            give_reading_reason(made.round, reason="準備", by=cast[name], at=at)
        for ref in projects:
            case = Case.objects.select_related("panel__round__rubric", "gate_review__project").get(
                pk=made.cases[ref].pk
            )
            values = {**DRAFT, "grade": made.rubric.grades.get(code="A")}
            values |= {"overall": f"{CANARY}所見"} if ref == F1 else {}
            save_finding(case, values=values, revision=0, **secretary)
    return made


def addresses(made: RoundSet, *projects: str) -> list[str]:
    """Every page that could tell of these projects' cases, with the lists around them and their files."""
    one, panel = made.round.ref, made.panel.ref
    found = ["/", "/rounds/", "/gates/", "/reviews/", "/conflicts/", "/projects/", "/mail/", "/handover/", "/calls/"]
    found += [f"{path}?format={kind}" for path in ("/gates/", "/conflicts/", "/projects/") for kind in ("csv", "xlsx")]
    found += [f"/gates/?round={one}", f"/conflicts/?round={one}", f"/search/?q={CANARY}", f"/projects/?q={CANARY}"]
    found += [f"/rounds/{one}/{path}" for path in (
        "", "declarations/", "declarations/members/", "declarations/certificate/", "meetings/", "decisions/",
        "scenarios/", "rubric/", "call/",
    )]  # fmt: skip
    found += [f"/panels/{panel}/{path}" for path in (
        "", "members.csv", "results/", "results/?format=csv", "assignment/", "assignment/assignment.csv",
        "assignment/confirm/", "assignment/repair/", "assignment/propose/",
    )]  # fmt: skip
    for meeting in Meeting.objects.filter(round=made.round):
        found += [f"/meetings/{meeting.ref}/", f"/meetings/{meeting.ref}/papers.pdf", f"/meetings/{meeting.ref}/next/"]
    for scenario in Scenario.objects.filter(round=made.round):
        found += [f"/scenarios/{scenario.ref}/", f"/scenarios/{scenario.ref}/?format=csv"]
    for ref in projects:
        case, gate = made.cases[ref].ref, made.reviews[ref].ref
        found += [f"/cases/{case}/{path}" for path in (
            "sheets/", "finding/", "finding/edit/", "finding/minority/", "finding/opinion/", "comments/", "questions/",
            "questions/ask/", "questions/send/", "expertise/", "open-documents/", "invalidate/",
        )]  # fmt: skip
        found += [f"/reviews/{case}/", f"/reviews/{case}/form.xlsx", f"/panels/{panel}/assignment/cases/{case}/"]
        found += [f"/gates/{gate}/{path}" for path in (
            "", "dossier/", "dossier/dossier.pdf", "dossier/compiled/", "questions/", "comments/", "fact-check/",
            "decision/", "decision/draft/",
        )]  # fmt: skip
        found += [f"/projects/{ref}/{path}" for path in ("", "gates/", "history/", "people/")]
        found += [f"/search/?q={case}", f"/search/?q={gate}"]
    found += ["/admin/", "/admin/evaluations/conflictofinterest/", "/admin/common/journalentry/"]
    found += [f"/admin/common/journalentry/?q={made.cases[ref].ref}" for ref in projects]
    return found


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def text_of(response) -> str:
    """What a response says, also in a PDF or a workbook."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            body = b"".join(file.read(name) for name in file.namelist())
    elif body.startswith(b"%PDF"):
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    return body.decode("utf-8-sig", "replace")


def said(client: Client, path: str) -> str:
    """What a page says besides what was asked for: the words searched for stand in its field and its links again."""
    text = text_of(client.get(path))
    asked = path.partition("?q=")[2]
    for one in (path, html.escape(path), *([f'value="{asked}"', f"q={asked}", f"「{asked}」"] if asked else [])):
        text = text.replace(one, "")
    return text


def exclude(cast, twin, name: str, project: str = F1):
    """This function will exclude a person from a project, as a confirmed conflict does."""
    by = cast["staff2" if name == "staff1" else "staff1"]
    recuse(
        cast[name].person, twin[project], starts_on=timezone.localdate(), source_ref=f"COI-{name}"[:16], by=by,
        at=timezone.now(),
    )  # fmt: skip
    return again(cast[name])


# No word --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "state"), SEEING)
def test_pages_when_excluded_then_no_word_and_no_reference_of_the_case_on_any_channel(cast, twin, name, state):
    made = played(cast, twin, F2, F3, F1, state=state)
    Project.objects.filter(ref=F1).update(title_ja=f"{CANARY}課題", title_en="Canary")
    paths = addresses(made, F1)
    hidden = [CANARY, made.cases[F1].ref, made.reviews[F1].ref]
    client = signed_in(again(cast[name]))
    shown = (path for path in paths if any(one in said(client, path) for one in hidden))
    assert len(list(islice(shown, 8))) == 8  # there is something to hide
    client = signed_in(exclude(cast, twin, name))
    assert {path for path in paths if any(one in said(client, path) for one in hidden)} == set()


def test_mails_when_excluded_then_none_is_written_about_the_case(cast, twin):
    made = played(cast, twin, F2, F1, state="open")
    excluded = {exclude(cast, twin, name).email for name in ROLES}
    queue_due_reminders(at=timezone.now())
    written = OutgoingMail.objects.filter(recipient_email__in=excluded)
    assert not [one for one in written if made.cases[F1].ref in f"{one.subject}{one.body}{one.subject_ref}"]


# No count -------------------------------------------------------------------------------------------------------------

#: The agenda tells a member when to leave the room: a time and nothing else.
OUT = re.compile(r"^(-|\d+)$|（除斥）$")
#: Files say what the pages beside them say.
FILES = re.compile(r"format=|\.pdf$|\.xlsx$|^/admin|^/calls|/propose/$|/repair/$|/call/$")
#: What differs between two worlds that are alike: references, tokens, times of the day, addresses with ids.
CHANCE = re.compile(
    r"\b[A-Z]{2,4}-[0-9A-HJKMNP-TV-Z]{7}\b|\d{1,2}:\d{2}(:\d{2})?|[0-9a-f]{16,}|/\d+/|-\d+\"|"
    r"name=\"csrfmiddlewaretoken\" value=\"\w+\""
)


def lines_of(client: Client, path: str) -> Counter[str]:
    """The lines that a page says to its reader, each as often as it stands there."""
    response = client.get(path)
    if response.status_code != 200:
        return Counter()
    text = CHANCE.sub("*", text_of(response))
    plain = html.unescape(re.sub(r"<[^>]+>", "\n", re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)))
    return Counter(line.strip() for line in plain.split("\n") if line.strip())


def told_to(cast, twin, state: str, name: str, *projects: str) -> dict[str, Counter[str]]:
    """What the pages around the cases say to somebody who is excluded from F1, in a world with these projects."""
    with transaction.atomic():
        made = played(cast, twin, *projects, state=state)
        client = signed_in(exclude(cast, twin, name))
        found = {}
        for path in addresses(made):
            if not FILES.search(path):
                found[CHANCE.sub("*", path)] = lines_of(client, path)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize(("name", "state"), COUNTING)
def test_pages_when_excluded_then_no_count_is_other_than_without_the_case(cast, twin, name, state):
    there, away = (told_to(cast, twin, state, name, *projects) for projects in ((F2, F3, F1), (F2, F3)))
    more = {
        path: [line for line in lines - away[path] if not (path.startswith("/meetings/") and OUT.search(line))]
        for path, lines in there.items()
    }
    assert {path: lines for path, lines in more.items() if lines} == {}
    assert sum(bool(lines) for lines in there.values()) > 5
