"""Pages of money: amounts are the same as raw SQL's, forms keep what was typed, everybody sees what is theirs."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from programs.actions import allocations as acts
from programs.actions import contracts
from programs.actions.spending import state_spending
from programs.models import Allocation, Contract, CostCategory, FundEdge, Participation, SpendingStatement
from programs.queries.allocations import allocation_sheet
from programs.queries.money import money_of, money_years, project_money_sheet
from tests.portal.test_permissions import ROLES, _statuses
from tests.programs.test_contracts import AT, HEAD, cells_of, concluded, drafted
from tests.programs.test_plans import handed_on, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def parts(project) -> list:
    rows = Participation.objects.filter(project=project, role__in=["lead", "partner"]).select_related("organization")
    return [one.organization for one in sorted(rows, key=lambda one: one.role)]


@pytest.fixture
def categories(cast) -> dict[str, int]:
    return dict(CostCategory.objects.values_list("ref", "pk"))


@pytest.fixture
def money(cast, project, parts, categories) -> None:
    """A plan in force, two contracts and a subcontract, spending with a carry-over, all with odd yen."""
    handed_on(written(project, cast), cast)
    lead, partner = parts
    years = {"starts_on": date(2025, 4, 1), "ends_on": date(2026, 3, 31)}
    cells = cells_of(categories, 2025, goods=1_000_003, travel=500_001, indirect=450_001)
    prime = concluded(drafted(project, lead, cast, cells, **years), cast)
    concluded(
        drafted(project, partner, cast, cells_of(categories, 2025, goods=777_777), **{**years, "number": "2"}), cast
    )
    sub = drafted(
        project, partner, cast, cells_of(categories, 2025, goods=33_333), prime=prime, **{**years, "number": "3"}
    )
    concluded(sub, cast)
    for user, organization, spent in ((cast["accountant1"], lead, 900_001), (cast["office2"], partner, 700_007)):
        state_spending(
            project, organization, fiscal_year=2025, as_of=date(2026, 3, 31), by=user, at=AT,
            lines={categories["goods"]: (spent, 11_111)},
        )  # fmt: skip


def raw(sql: str, *params) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return dict(cursor.fetchall())


# Sums -----------------------------------------------------------------------------------------------------------------

SUMS = {
    "planned_yen": """
        SELECT b.fiscal_year, SUM(b.amount_yen)::bigint FROM programs_planbudget b WHERE b.version_id = (
            SELECT id FROM programs_planversion WHERE project_id = %s AND state = 'approved'
            ORDER BY effective_on DESC LIMIT 1) GROUP BY 1""",
    "allocated_yen": """
        SELECT e.fiscal_year, SUM(e.amount_yen)::bigint FROM programs_fundedge e JOIN programs_fundnode n ON n.id = e.target_id
        WHERE n.kind = 'project' AND n.project_id = %s AND e.kind = 'allocation' AND e.status = 'in_force' GROUP BY 1""",
    "contracted_yen": """
        SELECT e.fiscal_year, SUM(e.amount_yen)::bigint FROM programs_fundedge e JOIN programs_fundnode n ON n.id = e.source_id
        WHERE n.kind = 'project' AND n.project_id = %s AND e.kind = 'contract' AND e.status = 'in_force' GROUP BY 1""",
    "spent_yen": """
        SELECT s.fiscal_year, SUM(l.spent_yen)::bigint FROM programs_spendingline l
        JOIN programs_spendingstatement s ON s.id = l.statement_id WHERE s.project_id = %s AND s.number = (
            SELECT MAX(t.number) FROM programs_spendingstatement t WHERE t.project_id = s.project_id
            AND t.organization_id = s.organization_id AND t.fiscal_year = s.fiscal_year) GROUP BY 1""",
}


@pytest.mark.parametrize("column", sorted(SUMS))
def test_money_when_summed_up_then_page_table_and_raw_sql_are_one(money, client, cast, project, column):
    expected = raw(SUMS[column], project.pk)
    assert expected, "there is something to compare"
    whole = {one.fiscal_year: getattr(one.money, column) for one in money_years(project)}
    assert {year: yen for year, yen in whole.items() if yen is not None} == expected
    sheet = project_money_sheet(project)
    assert {one.fiscal_year: getattr(one.money, column) for one in sheet.years} == whole
    client.force_login(cast["pd1"])
    page = client.get(f"/projects/{project.ref}/money/?year=2025").content.decode()
    rows = page.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    position = ["planned_yen", "allocated_yen", "contracted_yen", "carried_in_yen", "spent_yen"].index(column)
    shown = {}
    for row in rows:
        year = int(re.search(r"\?year=(\d+)", row)[1])
        cell = row.split("<td")[1:][position]
        if found := re.search(r'<data value="(-?\d+)"', cell):
            shown[year] = int(found[1])
    assert shown == expected


def test_money_when_by_institution_and_category_then_the_parts_sum_to_the_whole(money, project):
    sheet = project_money_sheet(project)
    year = next(one for one in sheet.years if one.fiscal_year == 2025)
    institutions, categories = sheet.institutions(2025), sheet.by_category(2025)
    for column in ("planned_yen", "contracted_yen", "spent_yen", "carried_over_yen"):
        whole = getattr(year.money, column) or 0
        assert sum(getattr(one, column) or 0 for _name, one in institutions) == whole, column
        assert sum(getattr(one, column) or 0 for _name, one in categories) == whole, column
    assert year.money.left_yen == year.money.contracted_yen - year.money.spent_yen - year.money.carried_over_yen


def test_area_and_program_when_summed_up_then_the_projects_sums(money, cast, project, twin_program):
    area = {one.fiscal_year: one for one in money_of(cast["pd1"], project.area)}
    whole = {one.fiscal_year: one for one in money_of(cast["staff1"], twin_program)}
    assert area[2025].given_yen == area[2025].projects.allocated_yen == 1_120_000_000
    for sums in (area, whole):
        assert sums[2025].projects.contracted_yen == 1_000_003 + 500_001 + 450_001 + 777_777
        assert sums[2025].projects.spent_yen == 900_001 + 700_007
        assert sums[2025].projects.carried_over_yen == sums[2026].projects.carried_in_yen == 22_222
    projects = sum(edge.amount_yen for edge in FundEdge.objects.filter(
        target__project__program=twin_program, target__kind="project", fiscal_year=2025, status="in_force",
    ))  # fmt: skip
    assert whole[2025].projects.allocated_yen == projects


def test_money_when_an_office_looks_then_the_others_part_is_nowhere(money, client, cast, project, parts):
    client.force_login(cast["office2"])
    page = client.get(f"/projects/{project.ref}/money/?year=2025").content.decode().replace(",", "")
    assert "777777" in page, "its own contract is there"
    assert "900001" not in page
    assert "1000003" not in page
    content = b"".join(client.get(f"/projects/{project.ref}/money/?format=csv").streaming_content).decode("utf-8-sig")
    assert parts[1].name_ja in content
    assert parts[0].name_ja not in content


# Allocation over HTTP -------------------------------------------------------------------------------------------------


@pytest.fixture
def allocation(cast, project) -> Allocation:
    return acts.open_allocation(acts.node_for(project.area), 2026, by=cast["pd1"], at=AT)


def field(project) -> str:
    return f"yen-project-{project.pk}"


def test_allocation_when_carried_through_by_pages_then_in_force(client, cast, twin, project):
    client.force_login(cast["pd1"])
    area = f"/areas/{project.area.ref}/money/"
    answer = client.post(area, {"source": "", "fiscal_year": "2026"})
    made = Allocation.objects.get()
    assert answer["Location"] == f"/allocations/{made.ref}/"
    typed = {field(twin["sample-ql1-b1"]): "７６百万円", field(twin["sample-ql1-b2"]): "72,000,000", "revision": "0"}
    assert client.post(answer["Location"], typed).status_code == 302
    page = client.get(answer["Location"])
    assert "76,000,000" in page.content.decode()
    assert client.get(f"/allocations/{made.ref}/propose/").status_code == 200
    assert client.post(f"/allocations/{made.ref}/propose/").status_code == 302
    assert client.post(f"/allocations/{made.ref}/approve/", {}).status_code == 403
    client.force_login(cast["staff2"])
    wrong = client.post(f"/allocations/{made.ref}/approve/", {"decision_number": "", "decided_on": "令和9年1月1日"})
    assert wrong.status_code == 422
    assert list(wrong.context["form"].errors) == ["decision_number"]
    sealed = {"decision_number": "配第1号", "decided_on": "令和8年6月4日"}
    assert client.post(f"/allocations/{made.ref}/approve/", sealed).status_code == 302
    made.refresh_from_db()
    assert made.state == "approved"
    assert client.post(f"/allocations/{made.ref}/", typed).status_code == 403


def test_allocation_when_an_amount_is_not_understood_then_kept_beside_its_field(client, cast, twin, allocation):
    client.force_login(cast["pd1"])
    name = field(twin["sample-ql1-b1"])
    for bad in ("たくさん", "-5", "(5)"):
        answer = client.post(f"/allocations/{allocation.ref}/", {name: bad, "revision": "0"})
        assert answer.status_code == 422
        assert f'value="{bad}"' in answer.content.decode()
        assert f'id="{name}-said"' in answer.content.decode()
    assert client.post(f"/allocations/{allocation.ref}/", {name: "1", "revision": "x"}).status_code == 400
    allocation.refresh_from_db()
    assert allocation.revision == 0


def test_allocation_when_somebody_saved_meanwhile_then_both_are_shown(client, cast, twin, allocation):
    name = field(twin["sample-ql1-b1"])
    for user, amount, status in (("pd1", "1000", 302), ("po1", "2000", 409)):
        client.force_login(cast[user])
        answer = client.post(f"/allocations/{allocation.ref}/", {name: amount, "revision": "0"})
        assert answer.status_code == status
    text = answer.content.decode()
    assert 'value="2000"' in text
    assert "1,000円" in text


@pytest.mark.parametrize(("how", "left"), [("before", 0), ("proportional", 0)])
def test_allocation_when_filled_in_then_shown_and_not_saved(client, cast, twin, allocation, how, left):
    client.force_login(cast["pd1"])
    before = {row.target.key: row.yen for row in allocation_sheet(allocation).rows}
    answer = client.post(f"/allocations/{allocation.ref}/", {"fill": how, "revision": "0"})
    assert answer.status_code == 200
    total = sum(amount.yen for _row, amount in answer.context["rows"])
    assert total == {"before": 1_120_000_000, "proportional": 1_100_000_000}[how]
    assert {row.target.key: row.yen for row in allocation_sheet(allocation).rows} == before


def test_allocation_when_handed_out_then_csv_with_a_mark_and_the_total(client, cast, allocation):
    client.force_login(cast["pd1"])
    content = b"".join(client.get(f"/allocations/{allocation.ref}/?format=csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert "1100000000" in content.decode("utf-8-sig").splitlines()[-1]
    listed = client.get("/allocations/?format=csv")
    assert allocation.ref in b"".join(listed.streaming_content).decode()
    assert client.get("/allocations/?state=unknown").status_code == 400


# Contracts and spending over HTTP -------------------------------------------------------------------------------------


def test_contract_when_carried_through_by_pages_then_concluded(client, cast, project, parts, categories):
    client.force_login(cast["staff1"])
    new = f"/projects/{project.ref}/contracts/new/"
    head = {"organization": str(parts[0].pk), "party": "", "instrument": "commission", "term": "single_year"}
    dates = {"starts_on": "令和8年4月1日", "ends_on": "令和9年3月31日", "number": "契第9号"}
    bad = client.post(new, {**head, **dates, "ends_on": "令和8年3月1日"})
    assert (bad.status_code, list(bad.context["form"].errors)) == (422, ["ends_on"])
    assert not Contract.objects.exists()
    answer = client.post(new, {**head, **dates})
    contract = Contract.objects.get()
    assert answer["Location"] == f"/contracts/{contract.ref}/"
    cell = f"yen-2026-{categories['goods']}"
    typed = {**head, **dates, cell: "１２３", "revision": "0"}
    assert client.post(f"/contracts/{contract.ref}/", {**typed, cell: "多額"}).status_code == 422
    assert client.post(f"/contracts/{contract.ref}/", typed).status_code == 302
    assert client.post(f"/contracts/{contract.ref}/", {**typed, cell: "9"}).status_code == 409
    assert client.post(f"/contracts/{contract.ref}/propose/").status_code == 302
    assert client.post(f"/contracts/{contract.ref}/conclude/", {"decided_on": "2026-04-01"}).status_code == 403
    client.force_login(cast["jst1"])
    assert client.post(f"/contracts/{contract.ref}/conclude/", {"decided_on": "2026-04-01"}).status_code == 302
    contract.refresh_from_db()
    assert (contract.state, contract.edges.get().amount_yen) == ("concluded", 123)
    made = client.post(f"/contracts/{contract.ref}/change/")
    assert made["Location"] != f"/contracts/{contract.ref}/"
    assert client.get(made["Location"]).status_code == 200


def test_spending_when_stated_by_page_then_on_record_and_mistakes_keep_what_was_typed(
    client, cast, project, parts, categories
):
    contract = contracts.open_contract(project, organization=parts[0], head=HEAD, by=cast["staff1"], at=AT)
    contracts.save_contract(contract, cells=cells_of(categories, goods=1000), by=cast["staff1"], at=AT)
    concluded(contract, cast)
    client.force_login(cast["accountant1"])
    path = f"/projects/{project.ref}/money/spending/?year=2026"
    name = f"spent-{categories['goods']}"
    bad = client.post(path, {name: "２０００", "as_of": "令和8年6月1日"})
    assert (bad.status_code, list(bad.context["form"].errors)) == (422, ["note"])
    assert 'value="２０００"' in bad.content.decode()
    assert client.post(path, {name: "２００", "as_of": "令和8年6月1日"}).status_code == 302
    statement = SpendingStatement.objects.get()
    assert (statement.organization, statement.lines.get().spent_yen) == (parts[0], 200)
    assert client.get(f"{path}&institution={parts[1].ref}").status_code == 404
    assert client.get(path.replace("2026", "1999")).status_code == 400


# Who sees what --------------------------------------------------------------------------------------------------------

AREA_1, WATCHING = "pd1 deputy1 po1", "staff1 staff2 auditor1"
EVERYBODY = f"{WATCHING} pd1 pd2 deputy1 po1 po2 hq1 pi1 coinvestigator1 office1 office2 accountant1 pi2 jst1"
LIST = f"{WATCHING} pd1 pd2 deputy1 po1 po2 jst1 nedo1"
TEAM = "hq1 pi1 coinvestigator1 office1 office2 accountant1"
TABLE = {
    "/allocations/": (LIST, LIST, 403),
    "/areas/sample-ql1/money/": (EVERYBODY, EVERYBODY, 404),
    "/programs/q-leap-sample/money/": (EVERYBODY, EVERYBODY, 404),
    "/programs/q-leap/money/": (WATCHING, WATCHING, 404),
    "/projects/sample-ql1-f1/contracts/new/": ("staff1 staff2 jst1", f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/projects/sample-ql1-f1/money/spending/": ("office1 office2 accountant1", f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
}


@pytest.mark.parametrize("path", sorted(TABLE))
def test_page_when_asked_by_every_role_then_the_table_is_right(cast, path):
    opens, sees, otherwise = (TABLE[path][0].split(), TABLE[path][1].split(), TABLE[path][2])
    expected = {name: 200 if name in opens else 403 if name in sees else otherwise for name in ROLES}
    assert _statuses(cast, path) == expected


#: State > who sees the page; act > who may, the others who see it get 403.
PAPERS = {
    "drafting": (AREA_1, {"propose": "pd1 deputy1", "withdraw": "pd1 deputy1", "approve": ""}),
    "proposed": (
        f"{AREA_1} {WATCHING} jst1",
        {
            "approve": "staff1 staff2 jst1", "return": "staff1 staff2 jst1", "refuse": "staff1 staff2 jst1",
            "withdraw": "pd1 deputy1", "propose": "",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("state", sorted(PAPERS))
def test_allocation_when_asked_by_every_role_then_page_and_acts_are_the_table(cast, allocation, state):
    if state == "proposed":
        acts.propose_allocation(allocation, by=cast["pd1"], at=AT)
    seen, table = PAPERS[state]
    path = f"/allocations/{allocation.ref}/"
    assert _statuses(cast, path) == {name: 200 if name in seen.split() else 404 for name in ROLES}
    for act, may in table.items():
        expected = {name: 200 if name in may.split() else 403 if name in seen.split() else 404 for name in ROLES}
        assert _statuses(cast, f"{path}{act}/") == expected, act


@pytest.mark.parametrize("state", ["drafting", "proposed"])
def test_contract_when_asked_by_every_role_then_page_and_acts_are_the_table(cast, project, parts, categories, state):
    contract = drafted(project, parts[0], cast, cells_of(categories, goods=100))
    party = "staff1 staff2 jst1"
    seen, table = party, {"propose": party, "withdraw": party, "conclude": ""}
    if state == "proposed":
        contracts.propose_contract(contract, by=cast["staff1"], at=AT)
        seen, table = f"{party} auditor1 {AREA_1}", {"conclude": "staff2 jst1", "return": "staff2 jst1", "propose": ""}
    path = f"/contracts/{contract.ref}/"
    assert _statuses(cast, path) == {name: 200 if name in seen.split() else 404 for name in ROLES}
    for act, may in table.items():
        expected = {name: 200 if name in may.split() else 403 if name in seen.split() else 404 for name in ROLES}
        assert _statuses(cast, f"{path}{act}/") == expected, act


@pytest.mark.parametrize("name", ["pi1", "hq1", "po1", "office1", "pd2", "jst1"])
def test_money_page_when_posted_by_who_does_not_split_then_nothing_is_opened(client, cast, project, name):
    client.force_login(cast[name])
    for path in (
        f"/areas/{project.area.ref}/money/",
        "/programs/q-leap-sample/money/",
        f"/projects/{project.ref}/money/",
    ):
        assert client.post(path, {"source": "", "fiscal_year": "2026"}).status_code in (403, 404)
    assert not Allocation.objects.exists()


# Queries --------------------------------------------------------------------------------------------------------------


def test_pages_when_there_are_more_rows_then_the_queries_are_the_same(client, cast, project, parts, categories, twin):
    def count(path: str) -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    client.force_login(cast["staff1"])
    first = acts.open_allocation(acts.node_for(project.area), 2026, by=cast["pd1"], at=AT)
    acts.propose_allocation(first, by=cast["pd1"], at=AT)
    contract = drafted(project, parts[0], cast, cells_of(categories, goods=1))
    paths = {
        "/allocations/": 12,
        f"/allocations/{first.ref}/": 15,
        f"/contracts/{contract.ref}/": 15,
        f"/projects/{project.ref}/money/": 15,
        f"/areas/{project.area.ref}/money/": 15,
    }
    before = {path: count(path) for path in paths}
    for year in (2027, 2025):
        more = acts.open_allocation(acts.node_for(project.area), year, by=cast["pd1"], at=AT)
        amounts = {("project", twin["sample-ql1-b1"].pk): 1_000}
        acts.save_allocation(more, amounts=amounts, reason="見込み", by=cast["pd1"], at=AT)
        acts.propose_allocation(more, by=cast["pd1"], at=AT)
        drafted(project, parts[1], cast, cells_of(categories, goods=1), number=str(year))
    assert {path: count(path) for path in paths} == before
    assert all(before[path] <= most for path, most in paths.items()), before


# Whole pages against the tables ---------------------------------------------------------------------------------------

INTO_PROJECTS = """
    SELECT e.fiscal_year, SUM(e.amount_yen)::bigint FROM programs_fundedge e
    JOIN programs_fundnode n ON n.id = e.target_id JOIN programs_project p ON p.id = n.project_id
    WHERE n.kind = 'project' AND e.kind = 'allocation' AND e.status = 'in_force' AND {} GROUP BY 1"""
INTO_AREA = """
    SELECT e.fiscal_year, SUM(e.amount_yen)::bigint FROM programs_fundedge e JOIN programs_fundnode n ON n.id = e.target_id
    WHERE n.area_id = %s AND e.status = 'in_force' GROUP BY 1"""


def columns_of(page: str, section: str) -> list[dict[int, int]]:
    """The yen of each column of a section's first table, by fiscal year."""
    body = page.split(f'id="{section}"')[1].split("<tbody>")[1].split("</tbody>")[0]
    columns: list[dict[int, int]] = []
    for row in body.split("<tr>")[1:]:
        year = int(re.search(r"\((\d{4})\)", row)[1])
        for position, cell in enumerate(row.split("<td")[1:]):
            if position == len(columns):
                columns.append({})
            if found := re.search(r'<data value="(-?\d+)"', cell):
                columns[position][year] = int(found[1])
    return columns


def test_area_and_program_pages_when_read_then_every_sum_is_raw_sqls(money, client, cast, project, twin_program):
    client.force_login(cast["staff1"])
    area = project.area
    given = raw(INTO_AREA, area.pk)
    shown = columns_of(client.get(f"/areas/{area.ref}/").content.decode(), "allocations")
    assert shown == [given]
    table = columns_of(client.get(f"/areas/{area.ref}/money/").content.decode(), "years")
    assert (table[0], table[2]) == (given, raw(INTO_PROJECTS.format("p.area_id = %s"), area.pk))
    table = columns_of(client.get(f"/programs/{twin_program.ref}/money/").content.decode(), "years")
    assert table[2] == raw(INTO_PROJECTS.format("p.program_id = %s"), twin_program.pk)
    contracted = raw(SUMS["contracted_yen"], project.pk)
    spent = raw(SUMS["spent_yen"], project.pk)
    assert (table[3], table[5]) == (contracted, spent), "only one project has contracts and spending"
