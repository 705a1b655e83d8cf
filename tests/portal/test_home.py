"""Home: what waits for me by date, what I have done today, nothing else."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.timezone import localdate

from portal.home import tasks_of
from programs.actions.data_management import return_data_plan
from programs.actions.recusals import recuse
from programs.actions.trl import claim_trl
from programs.models import Project, TrlAssessment, TrlLevel
from reporting.models import ProgressReport
from tests.factories.levels import shown
from tests.portal.test_handover import handed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(twin):
    """A report that is being written, due in ten days; the only one of its project's year."""
    ProgressReport.objects.filter(project=twin["sample-ql1-f1"], fiscal_year=2030).exists()
    return ProgressReport.objects.create(
        project=twin["sample-ql1-f1"], kind="annual", fiscal_year=2030, due_on=localdate() + timedelta(days=10),
        opened_at=timezone.now(), is_sample=True,
    )  # fmt: skip


def text_of(client):
    response = client.get("/")
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def labels(user, ref="RPT"):
    return [task.label for task in tasks_of(user, localdate()) if ref in task.url]


def test_report_being_written_waits_for_the_team_with_its_date(client, cast, report):
    for name in ("pi1", "hq1", "coinvestigator1"):
        assert labels(cast[name], report.ref) == ["令和12(2030)年度 年次報告書を作成する"]
    for name in ("po1", "pd1", "staff1", "office1", "pi2", "evaluator1"):
        assert labels(cast[name], report.ref) == []
    client.force_login(cast["pi1"])
    text = text_of(client)
    assert "令和12(2030)年度 年次報告書を作成する" in text
    assert "あと10日 所要 約60分" in text
    assert "POが報告書を待っています。" in text


@pytest.mark.parametrize(
    ("state", "name", "verb"),
    [("submitted", "po1", "確認する"), ("checked", "pd1", "受理または差し戻す"), ("returned", "pi1", "作成する")],
)
def test_report_waits_for_whoever_acts_next(cast, report, state, name, verb):
    whole = {"submitted_by": cast["pi1"], "submitted_at": timezone.now()}
    step = {"submitted": ["submitted"], "checked": ["submitted", "checked"], "returned": ["submitted", "returned"]}[
        state
    ]
    for one in step:
        ProgressReport.objects.filter(pk=report.pk).update(state=one, **whole)
    others = {"pi1", "po1", "pd1"} - {name}
    assert labels(cast[name], report.ref) == [f"令和12(2030)年度 年次報告書を{verb}"]
    assert [labels(cast[other], report.ref) for other in others] == [[], []]


def test_tasks_stand_in_the_order_of_their_dates_and_undated_last(cast, report, twin):
    earlier = ProgressReport.objects.create(
        project=twin["sample-ql1-f1"], kind="final", fiscal_year=2031, due_on=localdate() - timedelta(days=1),
        opened_at=timezone.now(), is_sample=True,
    )  # fmt: skip
    urls = [task.url for task in tasks_of(cast["pi1"], localdate())]
    assert urls.index(f"/reports/{earlier.ref}/") < urls.index(f"/reports/{report.ref}/")
    dates = [task.due_on for task in tasks_of(cast["pi1"], localdate())]
    assert dates == sorted(dates, key=lambda day: (day is None, day or date.max))


def test_late_task_says_so_in_words(client, cast, report):
    ProgressReport.objects.filter(pk=report.pk).update(due_on=localdate() - timedelta(days=3))
    client.force_login(cast["pi1"])
    assert "期限超過" in text_of(client)


def test_claim_waits_for_the_director_until_it_is_assessed(cast, twin):
    project = twin["sample-ql1-f1"]
    url = "/projects/sample-ql1-f1/trl/"
    level = TrlLevel.objects.get(scale__is_default=True, number=6)
    day = localdate()
    claim_trl(project, level=level, on=day, evidence=shown(project, 6), by=cast["pi1"], at=timezone.now())
    assert [task.label for task in tasks_of(cast["pd1"], day) if task.url == url] == ["TRL6の申告を評価する"]
    assert [task.url for task in tasks_of(cast["pd2"], day) if task.url == url] == []
    TrlAssessment.objects.create(project=project, kind="assessed", level=level, on=day, evidence="確認", by_label="PD")
    assert [task.url for task in tasks_of(cast["pd1"], day) if task.url == url] == []


def test_recused_director_is_told_of_nothing(client, cast, report, twin):
    ProgressReport.objects.filter(pk=report.pk).update(
        state="submitted", submitted_by=cast["pi1"], submitted_at=timezone.now()
    )
    ProgressReport.objects.filter(pk=report.pk).update(state="checked")
    assert labels(cast["pd1"], report.ref) != []
    recuse(
        cast["pd1"].person, twin["sample-ql1-f1"], starts_on=date(2020, 4, 1), source_ref="COI-T", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    assert [task for task in tasks_of(cast["pd1"], localdate()) if "sample-ql1-f1" in task.url + task.about] == []
    assert labels(cast["pd1"], report.ref) == []


def test_done_today_shows_own_acts_of_today_only(client, cast, twin):
    level = TrlLevel.objects.get(scale__is_default=True, number=6)
    evidence = shown(twin["sample-ql1-f1"], 6)
    claim_trl(
        twin["sample-ql1-f1"],
        level=level,
        on=localdate(),
        evidence=evidence,
        by=cast["pi1"],
        at=timezone.now(),
    )
    client.force_login(cast["pi1"])
    text = text_of(client)
    assert "今日済ませたこと" in text
    assert "TRLを申告しました" in text
    client.force_login(cast["hq1"])
    assert "TRLを申告しました" not in text_of(client)


def test_done_of_yesterday_is_gone(client, cast, twin):
    level = TrlLevel.objects.get(scale__is_default=True, number=6)
    yesterday = timezone.now() - timedelta(days=1)
    evidence = shown(twin["sample-ql1-f1"], 6)
    claim_trl(
        twin["sample-ql1-f1"],
        level=level,
        on=localdate(yesterday),
        evidence=evidence,
        by=cast["pi1"],
        at=yesterday,
    )
    client.force_login(cast["pi1"])
    assert "今日済ませたこと" not in text_of(client)


def test_done_on_what_is_hidden_by_now_is_gone(client, cast, twin):
    level = TrlLevel.objects.get(scale__is_default=True, number=6)
    evidence = shown(twin["sample-ql1-f1"], 6)
    claim_trl(
        twin["sample-ql1-f1"],
        level=level,
        on=localdate(),
        evidence=evidence,
        by=cast["pi1"],
        at=timezone.now(),
    )
    recuse(
        cast["pi1"].person, twin["sample-ql1-f1"], starts_on=date(2020, 4, 1), source_ref="COI-T", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    client.force_login(cast["pi1"])
    assert "sample-ql1-f1" not in text_of(client)


def test_nothing_waits_says_what_to_do_next(client, cast):
    client.force_login(cast["applicant1"])
    text = text_of(client)
    assert "あなたを待っている仕事はありません。" in text
    assert "課題の一覧を見る" in text


def test_home_takes_the_same_queries_for_one_task_and_three(client, cast, report, twin, django_assert_num_queries):
    client.force_login(cast["hq1"])
    client.get("/")
    with django_assert_num_queries(15):
        client.get("/")
    for year in (2032, 2033):
        ProgressReport.objects.create(
            project=Project.objects.get(ref="sample-ql1-f1"), kind="annual", fiscal_year=year, is_sample=True,
            due_on=date(2033, 5, 31), opened_at=datetime(2033, 4, 1, tzinfo=timezone.get_current_timezone()),
        )  # fmt: skip
    with django_assert_num_queries(15):
        client.get("/")


def test_data_plan_waits_for_the_officer_until_it_is_confirmed_or_returned(cast, twin):
    plan = handed_in(twin["sample-ql1-f1"], cast)
    assert labels(cast["po1"], plan.ref) == ["データマネジメントプラン 第1版を確認または差し戻す"]
    for name in ("pd1", "pi1", "po2", "staff1", "office1"):
        assert labels(cast[name], plan.ref) == [], name
    return_data_plan(plan, comment="保存場所を示してください。", by=cast["po1"], at=timezone.now())
    assert labels(cast["po1"], plan.ref) == []
