"""The list tool: filters, sort, cursor paging, count, CSV and XLSX of exactly the view; anything else is a 400."""

import csv
import io

import pytest
from django.utils.html import escape
from openpyxl import load_workbook

from portal import lists
from programs.models import Participation, Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(twin, twin_program):
    """120 more projects of the twin, in three states, half without a lead institution."""
    area = twin["sample-ql4-h1"].area
    states = ["planned", "running", "stopped"]
    made = Project.objects.bulk_create(
        Project(
            ref=f"sample-extra-{number:03}", program=twin_program, area=area if number % 2 else None, is_sample=True,
            kind="award", state=states[number % 3], title_ja=f"追加課題 {number:03}", target_trl=number % 4 or None,
            start_fiscal_year=2020 + number % 5,
        )
        for number in range(120)
    )  # fmt: skip
    lead = Participation.objects.filter(project=twin["sample-ql4-h1"], role="lead").get().organization
    Participation.objects.bulk_create(
        Participation(project=project, organization=lead, role="lead") for project in made[::2]
    )
    return made


def rows_of(response):
    return [project.ref for project in response.context["list"].items]


def walk(client, url, link):
    seen = []
    while url:
        response = client.get("/projects/" + url)
        assert response.status_code == 200
        seen.append(rows_of(response))
        url = getattr(response.context["list"], link)
    return seen


def csv_of(response):
    content = b"".join(response.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.parametrize(
    "sort", ["name", "-name", "program", "area", "-area", "kind", "institution", "-state", "target_trl"]
)
def test_paging_forward_and_back_shows_every_row_once_in_one_order(client, cast, many, sort):
    client.force_login(cast["staff1"])
    expected = list(Project.objects.filter(program__ref="q-leap-sample").values_list("ref", flat=True))
    forward = walk(client, f"?program=q-leap-sample&sort={sort}", "next_url")
    assert [len(page) for page in forward] == [50, 50, 46]
    flat = [ref for page in forward for ref in page]
    assert sorted(flat) == sorted(expected)
    last = client.get(f"/projects/?program=q-leap-sample&sort={sort}&end=1")
    assert rows_of(last) == flat[-50:]
    assert last.context["list"].next_url == ""
    backward = walk(client, f"?program=q-leap-sample&sort={sort}&end=1", "previous_url")
    assert [ref for page in reversed(backward) for ref in page] == flat


def test_sort_orders_by_the_column_and_reverses(client, cast, many):
    client.force_login(cast["staff1"])
    up = rows_of(client.get("/projects/?kind=award&sort=name"))
    down = rows_of(client.get("/projects/?kind=award&sort=-name"))
    assert up == sorted(up)
    assert up[0] == "sample-extra-000"
    assert down[0] == "sample-extra-119"


def test_filters_narrow_together_and_stay_in_the_address(client, cast, many):
    client.force_login(cast["staff1"])
    response = client.get("/projects/?kind=award&state=stopped&area=sample-ql4&q=追加課題&sort=-name")
    expected = sorted((p.ref for p in many if p.state == "stopped" and p.area_id), reverse=True)
    assert rows_of(response) == expected
    view = response.context["list"]
    assert view.count_text == f"{len(expected)}件"
    for part in ("kind=award", "state=stopped", "area=sample-ql4", "sort=-name"):
        assert part in view.csv_url


def test_count_above_the_limit_says_so_and_offers_no_xlsx(client, cast, many, monkeypatch):
    monkeypatch.setattr(lists, "COUNTED_TO", 100)
    client.force_login(cast["staff1"])
    view = client.get("/projects/?kind=award").context["list"]
    assert view.count_text == "100件以上"
    assert view.xlsx_url == ""
    assert client.get("/projects/?kind=award&format=xlsx").status_code == 400


def test_columns_chosen_are_shown_and_exported_in_the_lists_order(client, cast, many):
    client.force_login(cast["staff1"])
    query = "?kind=award&q=extra-00&columns=state&columns=ref"
    page = client.get(f"/projects/{query}")
    assert [cell.key for cell in page.context["list"].head] == ["name", "ref", "state"]
    table = csv_of(client.get(f"/projects/{query}&format=csv"))
    assert table[0] == ["課題", "番号", "状態"]
    assert [row[1] for row in table[1:]] == rows_of(page) == [f"sample-extra-00{n}" for n in range(10)]


def test_csv_holds_every_row_of_the_view_not_only_the_page(client, cast, many):
    client.force_login(cast["staff1"])
    response = client.get("/projects/?kind=award&sort=-name&format=csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="projects_')
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox"
    table = csv_of(response)
    assert [row[0] for row in table[1:]] == [f"追加課題 {n:03}" for n in reversed(range(120))]


def test_xlsx_holds_the_same_cells_as_the_csv(client, cast, many):
    client.force_login(cast["staff1"])
    table = csv_of(client.get("/projects/?kind=award&format=csv"))
    content = b"".join(client.get("/projects/?kind=award&format=xlsx").streaming_content)
    sheet = load_workbook(io.BytesIO(content)).active
    assert [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)] == table


@pytest.mark.parametrize("title", ['=HYPERLINK("http://x")', "+1", "-1", "@cmd", "\tx"])
def test_text_that_looks_like_a_formula_is_quoted_in_csv_and_xlsx(client, cast, many, title):
    Project.objects.filter(ref="sample-extra-000").update(title_ja=title)
    client.force_login(cast["staff1"])
    url = "/projects/?q=sample-extra-000"
    assert csv_of(client.get(f"{url}&format=csv"))[1][0] == "'" + title
    content = b"".join(client.get(f"{url}&format=xlsx").streaming_content)
    cell = load_workbook(io.BytesIO(content)).active["A2"]
    assert (cell.data_type, cell.value) == ("s", "'" + title)
    assert escape(title) in client.get(url).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "sort=password", "sort=lead_name", "kind=nothing", "state=deleted", "columns=password", "format=pdf",
        "after=abc", "before=abc", "program=advanced-research-package", "institution=mext", "order=password",
    ],
)  # fmt: skip
def test_what_the_list_does_not_know_is_a_400(client, cast, query):
    client.force_login(cast["staff1"])
    assert client.get(f"/projects/?{query}").status_code == 400


def test_place_in_a_list_sorted_otherwise_is_a_400(client, cast, many):
    client.force_login(cast["staff1"])
    link = client.get("/projects/?kind=award&sort=name").context["list"].next_url
    assert client.get("/projects/" + link.replace("sort=name", "sort=state")).status_code == 400


def test_filter_by_what_may_not_be_seen_answers_as_for_what_does_not_exist(client, cast):
    client.force_login(cast["pi1"])
    hidden = client.get("/projects/?area=sample-ql2")
    missing = client.get("/projects/?area=sample-qlx")
    assert (hidden.status_code, missing.status_code) == (400, 400)
    assert "sample-ql2" not in client.get("/projects/").content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_list_takes_the_same_queries_for_one_row_and_three(client, cast, many, rows, django_assert_num_queries):
    client.force_login(cast["staff1"])
    Project.objects.filter(ref__in=[project.ref for project in many[:rows]]).update(title_ja="数える課題")
    with django_assert_num_queries(11):
        response = client.get("/projects/?kind=award&q=数える課題")
    assert len(rows_of(response)) == rows


@pytest.mark.parametrize("query", ["", "?sort=-institution", "?end=1", "?program=q-leap-sample&state=running&q=量子"])
def test_list_never_takes_more_than_twelve_queries(client, cast, many, query, django_assert_max_num_queries):
    client.force_login(cast["staff1"])
    with django_assert_max_num_queries(12):
        assert client.get(f"/projects/{query}").status_code == 200


def test_empty_list_says_what_to_do(client, cast):
    client.force_login(cast["applicant1"])
    assert "閲覧できる課題はまだありません" in client.get("/projects/").content.decode()
    client.force_login(cast["staff1"])
    assert "条件を減らすか" in client.get("/projects/?q=該当しない言葉").content.decode()
