"""The brief for a visit: what happened since the last one, on one A4."""

import io
from datetime import date, timedelta

import pytest
from django.utils.timezone import localdate, now
from pypdf import PdfReader

from programs.actions.advice import give_advice
from programs.actions.risks import open_risk
from programs.actions.trl import claim_trl
from programs.actions.visits import open_visit, save_memo
from programs.models import Milestone, Project
from reporting.actions.reports import open_report
from reporting.schedules import DuePeriod
from reporting.visit_briefs import projects_to_brief, visit_brief_of
from tests.factories.levels import level_of, shown
from tests.programs.test_plans import handed_on, written

pytestmark = pytest.mark.django_db
PATH = "/projects/sample-ql1-f1/brief"


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


def day(back):
    return localdate() - timedelta(days=back)


def brief_of(user, project, today):
    return visit_brief_of(user, projects_to_brief(user, today).get(pk=project.pk), today)


def at_risk(project, cast, title="冷凍機の停止"):
    values = {
        "kind": "risk",
        "title": title,
        "description": "",
        "likelihood": 3,
        "effect": 5,
        "measure": "予備機の手配",
    }
    values |= {"owner": cast["pi1"].person, "due_on": localdate() + timedelta(days=30)}
    return open_risk(project, values=values, by=cast["pi1"], at=now())


def described(project, cast, on):
    """A visit with a memo: one that nobody described may not have taken place."""
    visit = open_visit(project, on=on, place="見本機関A", participants="PD", by=cast["pd1"], at=now())
    return save_memo(visit, text="確認した。", revision=0, by=cast["pd1"], at=now())


def test_brief_when_there_was_a_visit_then_it_tells_what_came_after(cast, project):
    plan = handed_on(written(project, cast), cast)
    Milestone.objects.filter(project=project).delete()
    for number, (planned, reached) in enumerate(
        [(day(60), day(50)), (day(30), day(9)), (day(5), None), (day(-90), None)]
    ):
        Milestone.objects.create(
            project=project, number=90 + number, title=f"節目{number}", planned_on=planned, reached_on=reached
        )
    described(project, cast, day(20))
    open_visit(project, on=day(8), place="見本機関A", participants="PD", by=cast["pd1"], at=now())
    open_visit(project, on=day(-7), place="見本機関A", by=cast["pd1"], at=now())
    described(project, cast, date(2026, 5, 11))
    claim_trl(project, level=level_of(5), on=day(3), evidence=shown(project, 5), by=cast["pi1"], at=now())
    risk = at_risk(project, cast)
    brief = brief_of(cast["pd1"], project, localdate())
    assert (brief.since, brief.next_visit.on) == (day(20), day(-7))
    assert [[one.title for one in part.rows] for part in (brief.reached, brief.late, brief.ahead)] == [
        ["節目1"], ["節目2"], ["節目3"],
    ]  # fmt: skip
    assert [one.level.number for one in brief.trl.rows] == [5]
    assert brief.plans.rows == []
    assert risk in brief.risks.rows
    # The plan was approved on 4 June: it is told of to whoever came last in May.
    since_may = brief_of(cast["pd1"], project, date(2026, 6, 30))
    assert (since_may.since, since_may.plans.rows) == (date(2026, 5, 11), [plan])


def test_brief_when_nothing_happened_then_it_still_stands(client, cast, twin):
    client.force_login(cast["pd4"])
    assert client.get("/projects/sample-ql4-h1/brief/").status_code == 200
    assert client.get("/projects/sample-ql4-h1/brief.pdf").status_code == 200


def test_brief_when_there_is_a_lot_then_the_pdf_is_one_page_in_japanese(client, cast, project):
    handed_on(written(project, cast), cast)
    for number in range(12):
        title = f"長い名前の節目 量子ビット数と忠実度の両立を実証する試験 {number}"
        for base, planned, reached in ((100, day(9), None), (200, day(-9 - number), None), (300, day(9), day(2))):
            Milestone.objects.create(
                project=project, number=base + number, title=title * 3, planned_on=planned, reached_on=reached
            )
        at_risk(project, cast, f"長い題名のリスク 冷凍機の停止が試験の日程に及ぼす影響の見積もり {number}")
        give_advice(
            project, text="測定の手順と記録の様式を見直し、次回までに改訂版を提出すること。" * 4,
            owner=cast["pi1"].person, due_on=localdate(), by=cast["pd1"], at=now(),
        )  # fmt: skip
    Project.objects.filter(pk=project.pk).update(title_ja="長い課題名 " * 40)
    for number in range(4):
        evidence = shown(project, 5)
        claim_trl(project, level=level_of(5), on=day(9 - number), evidence=evidence, by=cast["pi1"], at=now())
        open_report(
            project, kind="annual", period=DuePeriod(2031 + number, day(9), day(-9)), by=cast["staff1"], at=now()
        )
    client.force_login(cast["pd1"])
    answer = client.get(f"{PATH}.pdf")
    reader = PdfReader(io.BytesIO(answer.content))
    assert (answer["Content-Type"], len(reader.pages)) == ("application/pdf", 1)
    assert "長い名前の節目" in reader.pages[0].extract_text()
    page = client.get(f"{PATH}/").content.decode()
    assert page.count("長い名前の節目") == 9


def test_brief_when_the_reader_may_not_read_a_draft_then_it_is_not_in_it(cast, project):
    version = written(project, cast)
    assert brief_of(cast["pi1"], project, localdate()).plans.rows == [version]
    assert brief_of(cast["pd1"], project, localdate()).plans.rows == []


@pytest.mark.parametrize("count", [1, 3])
def test_brief_when_there_is_more_then_the_queries_are_the_same(
    client, cast, project, count, django_assert_num_queries
):
    for number in range(count):
        open_visit(project, on=day(number + 1), place="見本機関A", participants="PD", by=cast["pd1"], at=now())
        Milestone.objects.create(project=project, number=90 + number, title="節目", planned_on=day(1))
    client.force_login(cast["pd1"])
    client.get(f"{PATH}/")
    with django_assert_num_queries(14):
        client.get(f"{PATH}/")
