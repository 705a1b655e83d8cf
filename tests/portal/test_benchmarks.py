"""Benchmarks: own values against the world's best, each with its source; only added, stale after a year."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import ProgrammingError, transaction

from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused
from common.fiscal_year import JAPAN
from programs.actions.benchmarks import add_benchmark_value, open_benchmark
from programs.actions.recusals import recuse
from programs.models import Benchmark, BenchmarkValue
from programs.queries.benchmarks import benchmark_sheets, benchmarks_visible_to, stale_benchmarks
from tests.cast import again

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 4, 9, 0, tzinfo=JAPAN)
NAMES = {"name_ja": "忠実度", "unit": "%", "direction": "higher"}


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def benchmark(cast, project):
    return open_benchmark(project, **NAMES, by=cast["pi1"], at=AT)


def add(benchmark, user, value="99.1", on=date(2026, 5, 1), holder="own", **more):
    given = {"holder": holder, "value": Decimal(value), "on": on, "source": "測定記録 12号", **more}
    return add_benchmark_value(benchmark, **given, by=user, at=AT)


def test_value_when_corrected_then_both_stay_on_record_and_the_new_one_counts(cast, project, benchmark):
    wrong = add(benchmark, cast["pi1"], "991")
    right = add(benchmark, cast["hq1"], "99.1", corrects=wrong)
    (sheet,) = benchmark_sheets(project)
    assert [one.pk for one in sheet.own] == [right.pk]
    assert BenchmarkValue.objects.filter(benchmark=benchmark).count() == 2
    with pytest.raises(NotReady) as refusal:
        add(benchmark, cast["pi1"], "98", corrects=wrong)
    assert [b.field for b in refusal.value.blockers] == ["corrects"]
    with pytest.raises(ProgrammingError), transaction.atomic():
        BenchmarkValue.objects.filter(pk=right.pk).update(value=100)
    assert [row.action for row in history_of(project).order_by("-pk")[:2]] == ["add_benchmark_value"] * 2


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"on": date(2026, 6, 5)}, "on"),
        ({"source": " "}, "source"),
        ({"holder": "world"}, "holder_name"),
        ({"holder": "nobody"}, "holder"),
    ],
)
def test_value_when_something_is_wrong_then_the_field_is_named_and_nothing_written(cast, benchmark, more, field):
    with pytest.raises(NotReady) as refusal:
        add(benchmark, cast["pi1"], **more)
    assert [b.field for b in refusal.value.blockers] == [field]
    assert not BenchmarkValue.objects.filter(benchmark=benchmark).exists()


@pytest.mark.parametrize("name", ["pi1", "hq1", "pd1", "deputy1"])
def test_benchmark_when_its_keepers_add_then_it_is_recorded(cast, benchmark, name):
    assert add(benchmark, cast[name]).by_label == cast[name].actor_label


@pytest.mark.parametrize("name", ["coinvestigator1", "pi2", "pd2", "po1", "staff1", "auditor1", "office1", "jst1"])
def test_benchmark_when_others_add_then_refused(cast, project, benchmark, name):
    with pytest.raises(NotAllowed):
        add(benchmark, cast[name])
    with pytest.raises(NotAllowed):
        open_benchmark(project, **{**NAMES, "name_ja": "別"}, by=cast[name], at=AT)


def test_benchmark_when_opened_twice_then_refused_at_its_name(cast, project, benchmark):
    with pytest.raises(Refused) as refusal:
        open_benchmark(project, **NAMES, by=cast["pi1"], at=AT)
    assert refusal.value.field == "name_ja"


def test_benchmark_when_the_reader_has_a_conflict_then_it_is_not_there(client, cast, project, benchmark):
    assert benchmark in benchmarks_visible_to(cast["pd1"])
    recuse(cast["pd1"].person, project, starts_on=date(2020, 4, 1), source_ref="COI-T", by=cast["staff1"], at=AT)
    assert benchmark not in benchmarks_visible_to(again(cast["pd1"]))
    client.force_login(cast["pd1"])
    assert client.get(f"/benchmarks/{benchmark.pk}/").status_code == 404


def test_benchmark_when_older_than_a_year_then_its_keepers_are_asked_at_home(client, cast, benchmark):
    today = date(2026, 6, 4)
    add(benchmark, cast["pi1"], on=date(2025, 6, 4))
    assert list(stale_benchmarks(cast["pi1"], today)) == [benchmark]
    add(benchmark, cast["pi1"], holder="world", holder_name="海外機関", on=date(2025, 6, 4))
    assert list(stale_benchmarks(cast["pi1"], today)) == []
    assert list(stale_benchmarks(cast["pi1"], date(2026, 6, 5))) == [benchmark]
    assert list(stale_benchmarks(cast["po1"], date(2026, 6, 5))) == []
    client.force_login(cast["pi1"])
    assert "忠実度" in client.get("/").content.decode()


def test_page_when_used_then_opens_adds_and_hands_out(client, cast, project):
    client.force_login(cast["pi1"])
    path = f"/projects/{project.ref}/benchmarks/"
    answer = client.post(path, {"name_ja": "読み出し時間", "unit": "ns", "direction": "lower"})
    made = Benchmark.objects.get(project=project)
    assert (answer.status_code, answer["Location"]) == (302, f"/benchmarks/{made.pk}/")
    typed = {"holder": "own", "value": "３１０", "on": "令和8年5月1日", "source": "記録"}
    assert client.post(f"/benchmarks/{made.pk}/", typed).status_code == 302
    bad = client.post(f"/benchmarks/{made.pk}/", {**typed, "value": "速い"})
    assert bad.status_code == 422
    assert list(bad.context["form"].errors) == ["value"]
    assert [one.value for one in BenchmarkValue.objects.filter(benchmark=made)] == [Decimal(310)]
    content = b"".join(client.get(f"/benchmarks/{made.pk}/?format=csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 2


def test_page_when_posted_by_a_reader_then_403_and_nothing_written(client, cast, project, benchmark):
    client.force_login(cast["po1"])
    assert client.post(f"/projects/{project.ref}/benchmarks/", NAMES).status_code == 403
    assert client.post(f"/benchmarks/{benchmark.pk}/", {"holder": "own"}).status_code == 403
    assert Benchmark.objects.filter(project=project).count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_pages_when_there_are_more_then_the_queries_are_the_same(
    client, cast, project, benchmark, count, django_assert_num_queries
):
    for n in range(count):
        other = open_benchmark(project, **{**NAMES, "name_ja": f"指標{n}"}, by=cast["pi1"], at=AT)
        add(other, cast["pi1"])
        add(benchmark, cast["pi1"], str(n))
    client.force_login(cast["pi1"])
    for path, queries in ((f"/projects/{project.ref}/benchmarks/", 9), (f"/benchmarks/{benchmark.pk}/", 9)):
        client.get(path)
        with django_assert_num_queries(queries):
            client.get(path)


def test_visibility_when_asked_for_everybody_then_as_for_the_project(cast, benchmark):
    seen = {name for name, user in cast.items() if benchmark in benchmarks_visible_to(again(user))}
    assert seen >= {"pi1", "hq1", "pd1", "po1", "staff1", "auditor1", "office1"}
    assert not seen & {"evaluator1", "pi2", "pd2", "nedo1", "applicant1"}
