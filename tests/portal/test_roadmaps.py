"""Roadmaps: what is planned, against what was planned first, of one project or many; only what the reader may see."""

from datetime import date

import pytest

from programs.models import Milestone
from programs.queries.roadmaps import roads_of
from tests.programs.test_plans import handed_on, written

pytestmark = pytest.mark.django_db
PROJECT, AREA, PROGRAM = (
    "/projects/sample-ql1-f1/roadmap/",
    "/areas/sample-ql1/roadmap/",
    "/programs/q-leap-sample/roadmap/",
)


def rows_of(client, path):
    return list(client.get(path).context["chart"].rows)


def test_road_when_a_plan_is_in_force_then_its_period_and_gates_count(cast, twin):
    project = twin["sample-ql1-f1"]
    before = roads_of([project], date(2026, 6, 4))[0]
    assert "中間評価" not in [gate.title for gate in before.gates]
    handed_on(written(project, cast), cast)
    road = roads_of([project], date(2026, 6, 4))[0]
    assert (road.starts_on, road.ends_on) == (date(2026, 4, 1), date(2028, 3, 31))
    assert [(gate.title, gate.held_on) for gate in road.gates] == [("中間評価", date(2027, 12, 1))]


def test_roadmap_when_a_milestone_slipped_then_both_days_stand_in_the_table(client, cast, twin):
    project = twin["sample-ql1-f1"]
    Milestone.objects.create(
        project=project, number=90, title="滑った節目", planned_on=date(2026, 9, 30), baseline_on=date(2026, 3, 31)
    )
    Milestone.objects.create(
        project=project, number=91, title="外れた節目", planned_on=date(2026, 9, 30), is_dropped=True
    )
    client.force_login(cast["pd1"])
    lines = [row for row in rows_of(client, PROJECT) if row[2] in ("滑った節目", "外れた節目")]
    assert [row[3:5] for row in lines] == [("2026年3月31日(火)", "2026年9月30日(水)")]


def test_roadmap_when_the_reader_has_a_conflict_then_the_project_is_not_on_it(client, cast, twin):
    named = twin["sample-ql1-f1"]
    client.force_login(cast["staff1"])
    everything = {row[0] for row in rows_of(client, AREA)}
    assert len([name for name in everything if named.ref in name or named.title_ja in name]) == 1
    client.force_login(cast["evaluator1"])
    assert client.get(PROJECT).status_code == 404


def test_roadmap_when_there_are_many_projects_then_they_come_in_pages(client, cast, twin, monkeypatch):
    monkeypatch.setattr("portal.roadmaps.ROWS", 10)
    client.force_login(cast["staff1"])
    seen, path = [], PROGRAM
    while path:
        answer = client.get(path)
        seen += list(dict.fromkeys(row[0] for row in answer.context["chart"].rows))
        path = f"{PROGRAM}?after={answer.context['next']}" if answer.context["next"] else ""
    assert len(seen) == len(set(seen)) == len(twin)


def test_roadmap_when_taken_as_csv_then_has_the_same_rows(client, cast):
    client.force_login(cast["pd1"])
    content = b"".join(client.get(f"{AREA}?format=csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == len(rows_of(client, AREA)) + 1


@pytest.mark.parametrize("count", [1, 3])
def test_roadmap_when_there_are_more_projects_then_the_queries_are_the_same(
    client, cast, twin, count, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr("portal.roadmaps.ROWS", count)
    client.force_login(cast["staff1"])
    client.get(PROGRAM)
    with django_assert_num_queries(11):
        client.get(PROGRAM)
