"""Roadmaps: what is planned, against what was planned first, of one project or many; only what the reader may see."""

import io
import re
from datetime import date

import pytest
from pypdf import PdfReader

from programs.models import Milestone
from programs.queries.roadmaps import roads_of
from reporting.roadmaps import ROWS_A_SHEET, roadmap_of
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


@pytest.mark.parametrize(("name", "path"), [("pi1", PROJECT), ("pd1", AREA), ("staff1", PROGRAM)])
def test_roadmap_when_taken_as_pdf_then_the_same_rows_stand_in_it(client, cast, name, path):
    client.force_login(cast[name])
    answer = client.get(f"{path}?format=pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"].startswith("attachment")
    reader = PdfReader(io.BytesIO(answer.content))
    text = "".join("".join(page.extract_text().split()) for page in reader.pages)
    for row in rows_of(client, path):
        assert all("".join(cell.split()) in text for cell in row[1:3]), row
    assert "ロードマップ" in reader.metadata.title
    assert "今日" in text


def test_roadmap_when_taken_in_another_format_then_says_which_there_are(client, cast):
    client.force_login(cast["pi1"])
    answer = client.get(f"{PROJECT}?format=xlsx")
    assert answer.status_code == 400
    assert "CSVまたはPDF" in answer.content.decode()


def test_roadmap_when_drawn_in_sheets_then_each_project_once_over_the_same_years(cast, twin):
    everything = roadmap_of(cast["staff1"], list(twin.values()), date(2026, 6, 4))
    sheets = everything.sheets
    assert len(sheets) == -(-len(twin) // ROWS_A_SHEET) > 1
    assert [row for sheet in sheets for row in sheet.rows] == list(everything.chart.rows)
    years = [re.findall(r">(20\d\d)<", sheet) for sheet in sheets]
    assert years[0]
    assert all(one == years[0] for one in years)


@pytest.mark.parametrize("count", [1, 3])
def test_roadmap_when_there_are_more_projects_then_the_queries_are_the_same(
    client, cast, twin, count, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr("portal.roadmaps.ROWS", count)
    client.force_login(cast["staff1"])
    client.get(PROGRAM)
    with django_assert_num_queries(11):
        client.get(PROGRAM)
