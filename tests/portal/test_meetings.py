"""Meetings: agenda, the running item, who is out of the room, notes, and papers made with each member's rights."""

import io
from datetime import date, time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from pypdf import PdfReader

from common.errors import NotAllowed, NotReady, StaleEdit
from common.models import JournalEntry
from evaluations.actions.meetings import make_meeting, next_item, save_meeting_item, save_notes
from evaluations.documents import meeting_papers_pdf
from evaluations.models import Meeting, MeetingItem
from evaluations.queries.meetings import agenda_of, meeting_papers
from programs.actions.recusals import recuse
from programs.queries import project_label
from tests.cast import again
from tests.factories.findings import scored
from tests.factories.rounds import FLAGSHIPS

pytestmark = pytest.mark.django_db
F1, F2 = FLAGSHIPS[:2]
NOW = timezone.now


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def made(cast, twin):
    return scored(cast, twin, projects=(F1, F2))


@pytest.fixture
def meeting(cast, made):
    """Opening at 13:00, F1 at 13:30, F2 at 14:00, called by the secretariat."""
    how = {"by": cast["secretariat1"], "at": NOW()}
    one = make_meeting(made.round, kind="hearing", held_on=timezone.localdate(), place="会議室A", **how)
    for start, project, title in ((time(13), None, "開会"), (time(14), F2, ""), (time(13, 30), F1, "")):
        case = made.cases[project] if project else None
        save_meeting_item(one, values={"starts_at": start, "minutes": 30, "case": case, "title": title}, **how)
    return one


def exclude(cast, twin, name, project=F1):
    recuse(
        cast[name].person,
        twin[project],
        starts_on=timezone.localdate(),
        source_ref="COI-X",
        by=cast["staff1"],
        at=NOW(),
    )
    return again(cast[name])


def test_agenda_when_written_then_stands_in_the_order_of_its_times(cast, twin, meeting):
    assert [(one.position, one.name) for one in agenda_of(cast["chair1"], meeting)] == [
        (1, "開会"), (2, project_label(twin[F1])), (3, project_label(twin[F2])),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": time(13, 15)}, "starts_at"), ({"starts_at": time(23, 50)}, "minutes"), ({"title": ""}, "title"),
    ],
)  # fmt: skip
def test_item_when_wrong_then_said_beside_its_field_and_nothing_written(cast, meeting, change, field):
    values = {"starts_at": time(16), "minutes": 30, "case": None, "title": "総合討議", **change}
    with pytest.raises(NotReady) as refusal:
        save_meeting_item(meeting, values=values, by=cast["secretariat1"], at=NOW())
    assert [one.field for one in refusal.value.blockers] == [field]
    assert MeetingItem.objects.filter(meeting=meeting).count() == 3


def test_meeting_when_wrong_or_by_anybody_else_then_refused(cast, made):
    with pytest.raises(NotReady) as refusal:
        make_meeting(
            made.round, kind="party", held_on=date(2020, 1, 1), place=" ", by=cast["secretariat1"], at=NOW()
        )  # fmt: skip
    assert {one.field for one in refusal.value.blockers} == {"kind", "held_on", "place"}
    for name in ("staff1", "chair1", "evaluator2", "pd1", "pi1"):
        with pytest.raises(NotAllowed):
            make_meeting(
                made.round, kind="hearing", held_on=timezone.localdate(), place="A", by=cast[name], at=NOW()
            )  # fmt: skip
    assert not Meeting.objects.filter(round=made.round).exists()


def test_running_item_when_pressed_twice_then_none_is_skipped(cast, meeting):
    how = {"by": cast["secretariat1"], "at": NOW()}
    assert next_item(meeting, after=0, **how).position == 1
    with pytest.raises(StaleEdit):
        next_item(meeting, after=0, **how)
    assert next_item(meeting, after=1, **how).position == 2
    with pytest.raises(NotAllowed):
        next_item(meeting, after=2, by=cast["chair1"], at=NOW())
    assert [next_item(meeting, after=2, **how).position, next_item(meeting, after=3, **how)] == [3, None]


def test_item_when_in_conflict_then_only_that_it_runs_is_shown(cast, twin, meeting):
    how = {"by": cast["secretariat1"], "at": NOW()}
    next_item(meeting, after=0, **how)
    next_item(meeting, after=1, **how)
    text = signed_in(cast["evaluator1"]).get(f"/meetings/{meeting.ref}/").content.decode()
    assert (project_label(twin[F1]) in text, project_label(twin[F2]) in text, "13:30 - 14:00" in text) == (
        False,
        True,
        False,
    )
    shown = {name: signed_in(cast[name]).get(f"/meetings/{meeting.ref}/") for name in ("chair1", "evaluator2")}
    out = cast["evaluator1"].person.name
    assert [out in shown[name].content.decode() for name in ("chair1", "evaluator2")] == [True, False]
    secretary = exclude(cast, twin, "secretariat1")
    assert project_label(twin[F1]) not in signed_in(secretary).get(f"/meetings/{meeting.ref}/").content.decode()
    item = MeetingItem.objects.get(meeting=meeting, position=2)
    with pytest.raises(NotAllowed):
        save_notes(meeting, item.pk, text="x", revision=0, by=secretary, at=NOW())


def test_people_out_when_officers_are_in_conflict_then_named_as_well(cast, twin, meeting):
    exclude(cast, twin, "pd1")
    exclude(cast, twin, "staff2")
    exclude(cast, twin, "applicant1")  # has no seat there
    line = agenda_of(cast["chair1"], meeting, with_people=True)[1]
    assert set(line.out) == {cast[name].person.name for name in ("evaluator1", "pd1", "staff2")}


def test_notes_when_saved_then_the_chair_reads_them_and_others_do_not(cast, meeting):
    secretary = signed_in(cast["secretariat1"])
    secretary.post(f"/meetings/{meeting.ref}/next/", {"after": "0"})
    item = MeetingItem.objects.get(meeting=meeting, position=1)
    url = f"/meetings/{meeting.ref}/items/{item.pk}/notes/"
    assert secretary.post(url, {"text": "欠席者なし。", "revision": "0"}).status_code == 302
    assert secretary.post(url, {"text": "別の窓", "revision": "0"}).status_code == 409
    page = f"/meetings/{meeting.ref}/"
    seen = {
        name: "欠席者なし。" in signed_in(cast[name]).get(page).content.decode()
        for name in ("chair1", "evaluator2", "pd1")
    }
    assert seen == {"chair1": True, "evaluator2": False, "pd1": False}


# Papers ---------------------------------------------------------------------------------------------------------------


def words(pdf):
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).replace("\n", "")


def test_papers_when_made_for_each_member_then_with_that_members_rights_and_the_same_bytes(cast, twin, meeting):
    names = [project_label(twin[project]) for project in (F1, F2)]
    content = {name: meeting_papers(cast[name], meeting, name) for name in ("chair1", "evaluator1", "evaluator2")}
    assert [one.get("name_ja") for one in content["evaluator1"]["documents"]] == [None, names[1]]
    assert [one["number"] for one in content["evaluator1"]["documents"]] == ["1-1", "1-2"]
    assert names[0] not in str(content["evaluator1"])
    assert [one["name_ja"] for one in content["chair1"]["scores"]] == names
    pdf = meeting_papers_pdf(content["evaluator1"])
    assert pdf == meeting_papers_pdf(content["evaluator1"])
    text = words(pdf)
    with override("ja"):
        shown = [_("(excluded)"), _("Document %(number)s") % {"number": "1-2"}]
    assert ([one in text for one in shown], twin[F1].ref in text) == ([True, True], False)


def test_papers_when_scores_are_open_then_hold_no_results_for_members(cast, twin):
    made = scored(cast, twin, projects=(F1,), state="first_closed")
    how = {"by": cast["secretariat1"], "at": NOW()}
    one = make_meeting(made.round, kind="hearing", held_on=timezone.localdate(), place="A", **how)
    save_meeting_item(one, values={"starts_at": time(13), "minutes": 30, "case": made.cases[F1], "title": ""}, **how)
    assert [len(meeting_papers(cast[name], one, "")["scores"]) for name in ("chair1", "evaluator5", "pd1")] == [1, 0, 0]


# Over the pages -------------------------------------------------------------------------------------------------------

SEES = {
    "secretariat1", "chair1", "staff1", "staff2", "auditor1", "pd1", "pd2", "deputy1", "po1", "jst1", "jst2",
    *(f"evaluator{n}" for n in range(1, 7)),
}  # fmt: skip
PAGES = {
    "/rounds/{round}/meetings/": SEES,
    "/rounds/{round}/meetings/new/": {"secretariat1"},
    "/meetings/{meeting}/": SEES,
    "/meetings/{meeting}/papers.pdf": SEES,
    "/meetings/{meeting}/items/new/": {"secretariat1"},
    "/meetings/{meeting}/items/{item}/": {"secretariat1"},
}


@pytest.mark.parametrize("path", PAGES)
def test_page_when_asked_by_each_of_the_cast_then_as_the_table_says(cast, made, meeting, path):
    item = MeetingItem.objects.filter(meeting=meeting).first()
    address = path.format(round=made.round.ref, meeting=meeting.ref, item=item.pk)
    names = sorted(SEES) if path.endswith(".pdf") else sorted(cast)
    if path.endswith(".pdf"):  # each copy is typeset: some of them, and whoever may not
        names = ["chair1", "evaluator1", "pi1", "office1", "applicant1"]
    found = {name for name in names if signed_in(cast[name]).get(address).status_code == 200}
    assert found == PAGES[path] & set(names)
    before = JournalEntry.objects.count()
    for name in set(cast) - {"secretariat1"}:
        assert signed_in(cast[name]).post(address, {"after": "0", "minutes": "x"}).status_code in (403, 404, 405)
    for name in set(cast) - {"secretariat1"}:
        for act in ("next/", f"items/{item.pk}/remove/", f"items/{item.pk}/notes/"):
            response = signed_in(cast[name]).post(f"/meetings/{meeting.ref}/{act}", {"after": "0", "text": "x"})
            assert response.status_code in (403, 404), (name, act)
        if "pdf" in path:
            break
    assert JournalEntry.objects.count() == before


def test_meeting_when_called_and_written_over_the_pages_then_stands(cast, made):
    secretary = signed_in(cast["secretariat1"])
    url = f"/rounds/{made.round.ref}/meetings/new/"
    assert secretary.post(url, {"kind": "panel", "held_on": "昨日", "place": ""}).status_code == 422
    sent = secretary.post(url, {"kind": "panel", "held_on": timezone.localdate().isoformat(), "place": "オンライン"})
    assert sent.status_code == 302
    page = sent["Location"]
    case = str(made.cases[F1].pk)
    item = {"starts_at": "13:00", "minutes": "30", "case": case, "title": ""}
    assert secretary.post(f"{page}items/new/", {**item, "starts_at": "昼"}).status_code == 422
    assert secretary.post(f"{page}items/new/", item).status_code == 302
    assert secretary.post(f"{page}items/new/", item).status_code == 422
    one = MeetingItem.objects.get(meeting__place="オンライン")
    assert secretary.post(f"{page}items/{one.pk}/", {**item, "minutes": "45"}).status_code == 302
    assert secretary.post(f"{page}items/{one.pk}/remove/").status_code == 302
    assert not MeetingItem.objects.filter(pk=one.pk).exists()


def test_pages_when_one_or_three_items_then_ask_the_same(cast, twin, made):
    how = {"by": cast["secretariat1"], "at": NOW()}
    one = make_meeting(made.round, kind="hearing", held_on=timezone.localdate(), place="A", **how)
    client = signed_in(cast["secretariat1"])

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert client.get(f"/meetings/{one.ref}/").status_code == 200
        return len(found)

    def add(hour, project):
        values = {"starts_at": time(hour), "minutes": 30, "case": made.cases[project], "title": ""}
        save_meeting_item(one, values=values, **how)

    add(9, F1)
    first = queries()
    add(10, F2)
    add(11, FLAGSHIPS[2])
    exclude(cast, twin, "evaluator2", F2)
    assert first == queries() <= 15
