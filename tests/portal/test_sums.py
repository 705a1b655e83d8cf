"""Every sum on every page that shows money is what raw SQL adds up from the tables, to the yen."""

from __future__ import annotations

import html
import re
import subprocess
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from common.money import printed
from programs.actions import allocations
from programs.actions.indicators import record_observations
from programs.models import Allocation, BudgetLine, Contract, OutcomeIndicator, Participation, Program
from reporting.documents import portfolio_brief_pdf
from tests.portal.test_money import categories, money, parts, project
from tests.programs.test_contracts import AT

__all__ = ["categories", "money", "parts", "project"]

pytestmark = pytest.mark.django_db

YEAR = re.compile(r"\((\d{4})\)")


def sql(query: str, *params) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def table(page: str, section: str, part: str = "tbody") -> list[list[str]]:
    """The rows of the first table after an id: the cells' text, of money the yen behind it."""
    body = page.split(f'id="{section}"')[1].split(f"<{part}>")[1].split(f"</{part}>")[0]
    rows = []
    for row in re.split(r"<tr[^>]*>", body)[1:]:
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        rows.append([_text(cell) for cell in cells])
    return rows


def _text(cell: str) -> str:
    if found := re.search(r'<data value="(-?\d+)"', cell):
        return found[1]
    return html.unescape(" ".join(re.sub(r"<[^>]*>", "", cell).split()))


def yen(text: str) -> int | None:
    plain = text.replace(",", "").replace("△ ", "-")
    return int(plain) if re.fullmatch(r"-?\d+", plain) else None


def by_year(rows: list[list[str]]) -> dict[int, list[int | None]]:
    return {int(YEAR.search(row[0])[1]): [yen(cell) for cell in row[1:]] for row in rows}


@pytest.fixture
def page(client, cast):
    def opened(path: str, name: str = "staff1") -> str:
        client.force_login(cast[name])
        answer = client.get(path)
        assert answer.status_code == 200, path
        return answer.content.decode()

    return opened


# Project, area, program -----------------------------------------------------------------------------------------------

#: For the projects of a condition on `p`: planned, allocated, contracted, carried in, spent, carried over, left by year.
SIDE_BY_SIDE = """
    WITH chosen AS (SELECT p.id FROM programs_project p WHERE {where}),
    newest AS (
        SELECT DISTINCT ON (project_id) id FROM programs_planversion
        WHERE project_id IN (SELECT id FROM chosen) AND state = 'approved' ORDER BY project_id, effective_on DESC),
    counted AS (
        SELECT DISTINCT ON (project_id, organization_id, fiscal_year) id, fiscal_year FROM programs_spendingstatement
        WHERE project_id IN (SELECT id FROM chosen) ORDER BY project_id, organization_id, fiscal_year, number DESC),
    edges AS (
        SELECT e.*, t.kind AS into_kind FROM programs_fundedge e JOIN programs_fundnode t ON t.id = e.target_id
        WHERE e.status = 'in_force' AND t.project_id IN (SELECT id FROM chosen)),
    entries AS (
        SELECT fiscal_year, 'planned' AS name, amount_yen AS yen FROM programs_planbudget
            WHERE version_id IN (SELECT id FROM newest)
        UNION ALL SELECT fiscal_year, 'allocated', amount_yen FROM edges WHERE kind = 'allocation' AND into_kind = 'project'
        UNION ALL SELECT fiscal_year, 'contracted', amount_yen FROM edges WHERE kind = 'contract'
        UNION ALL SELECT c.fiscal_year, 'spent', l.spent_yen FROM counted c
            JOIN programs_spendingline l ON l.statement_id = c.id
        UNION ALL SELECT c.fiscal_year, 'carried', l.carried_over_yen FROM counted c
            JOIN programs_spendingline l ON l.statement_id = c.id
        UNION ALL SELECT c.fiscal_year + 1, 'carried_in', l.carried_over_yen FROM counted c
            JOIN programs_spendingline l ON l.statement_id = c.id)
    SELECT fiscal_year,
        SUM(yen) FILTER (WHERE name = 'planned'), SUM(yen) FILTER (WHERE name = 'allocated'),
        SUM(yen) FILTER (WHERE name = 'contracted'), SUM(yen) FILTER (WHERE name = 'carried_in'),
        SUM(yen) FILTER (WHERE name = 'spent'), SUM(yen) FILTER (WHERE name = 'carried'),
        CASE WHEN COUNT(*) FILTER (WHERE name = 'spent') > 0 THEN
            COALESCE(SUM(yen) FILTER (WHERE name IN ('contracted', 'carried_in')), 0)
            - SUM(yen) FILTER (WHERE name IN ('spent', 'carried')) END
    FROM entries GROUP BY 1
"""


def side_by_side(where: str, *params) -> dict[int, list[int | None]]:
    rows = sql(SIDE_BY_SIDE.format(where=where), *params)
    return {row[0]: [None if one is None else int(one) for one in row[1:]] for row in rows}


def test_project_money_when_read_then_every_column_is_raw_sqls(money, page, project):
    expected = side_by_side("p.id = %s", project.pk)
    for column in range(7):
        assert any(row[column] is not None for row in expected.values()), f"there is something to compare: {column}"
    assert by_year(table(page(f"/projects/{project.ref}/money/?year=2025"), "money")) == expected


#: What each institution has: what flows to it less what it passes on, by one column of the page after the other.
OF_INSTITUTIONS = """
    SELECT o.name_ja,
        (SELECT SUM(b.amount_yen) FROM programs_planbudget b WHERE b.organization_id = o.id AND b.fiscal_year = %(year)s
            AND b.version_id = (SELECT id FROM programs_planversion WHERE project_id = %(project)s
                AND state = 'approved' ORDER BY effective_on DESC LIMIT 1)),
        (SELECT SUM(CASE WHEN t.organization_id = o.id THEN e.amount_yen ELSE -e.amount_yen END) FROM programs_fundedge e
            JOIN programs_fundnode t ON t.id = e.target_id JOIN programs_fundnode s ON s.id = e.source_id
            WHERE e.status = 'in_force' AND e.kind <> 'allocation' AND e.fiscal_year = %(year)s
            AND t.project_id = %(project)s AND (t.organization_id = o.id OR s.organization_id = o.id)),
        (SELECT SUM(l.spent_yen) FROM programs_spendingline l JOIN programs_spendingstatement x ON x.id = l.statement_id
            WHERE x.organization_id = o.id AND x.project_id = %(project)s AND x.fiscal_year = %(year)s)
    FROM accounts_organization o WHERE o.id IN (
        SELECT organization_id FROM programs_participation WHERE project_id = %(project)s)
"""


def test_project_money_when_by_institution_and_category_then_raw_sqls_and_the_parts_are_the_whole(money, page, project):
    text = page(f"/projects/{project.ref}/money/?year=2025")
    with connection.cursor() as cursor:
        cursor.execute(OF_INSTITUTIONS, {"year": 2025, "project": project.pk})
        expected = {row[0]: [None if one is None else int(one) for one in row[1:]] for row in cursor.fetchall()}
    shown = {row[0]: [yen(cell) for cell in row[1:]] for row in table(text, "by-institution")}
    something = {name: row for name, row in expected.items() if any(one is not None for one in row)}
    assert {name: [row[0], row[2], row[4]] for name, row in shown.items()} == something
    whole = side_by_side("p.id = %s", project.pk)[2025]
    for rows in (table(text, "by-institution"), table(text, "by-category")):
        for column in (0, 2, 4, 5):
            assert sum(yen(row[column + 1]) or 0 for row in rows) == (whole[column] or 0), column


def test_project_money_when_papers_are_listed_then_their_totals_are_raw_sqls(money, page, project):
    text = page(f"/projects/{project.ref}/money/?year=2025")
    contracts = dict(sql(
        "SELECT c.ref, SUM(e.amount_yen) FROM programs_contract c JOIN programs_fundedge e ON e.contract_id = c.id "
        "WHERE c.project_id = %s GROUP BY 1", project.pk,
    ))  # fmt: skip
    assert {row[0][:11]: yen(row[4]) for row in table(text, "contracts")} == contracts
    statements = sql(
        "SELECT o.name_ja, SUM(l.spent_yen)::bigint, SUM(l.carried_over_yen)::bigint FROM programs_spendingstatement s "
        "JOIN accounts_organization o ON o.id = s.organization_id "
        "JOIN programs_spendingline l ON l.statement_id = s.id WHERE s.project_id = %s GROUP BY 1",
        project.pk,
    )
    assert {(row[1], yen(row[3]), yen(row[4])) for row in table(text, "spending")} == set(statements)


def test_area_and_program_money_when_read_then_every_column_is_raw_sqls(money, page, project, twin_program):
    given = "SELECT e.fiscal_year, SUM(e.amount_yen)::bigint FROM programs_fundedge e JOIN programs_fundnode n ON {} " \
        "WHERE e.status = 'in_force' AND e.kind = 'allocation' AND {} GROUP BY 1"  # fmt: skip
    for path, first, where, key in (
        (f"/areas/{project.area.ref}/money/", given.format("n.id = e.target_id", "n.area_id = %s"), "p.area_id = %s",
         project.area_id),
        (f"/programs/{twin_program.ref}/money/",
         given.format("n.id = e.source_id", "n.kind = 'program' AND n.program_id = %s"), "p.program_id = %s",
         twin_program.pk),
    ):  # fmt: skip
        split, projects = dict(sql(first, key)), side_by_side(where, key)
        expected = {year: [split.get(year), *projects.get(year, [None] * 7)] for year in {*split, *projects}}
        assert by_year(table(page(path), "years")) == expected


def test_fund_when_shown_then_tranche_balance_unspent_and_paid_back_are_raw_sqls(
    money, cast, page, project, twin_program
):
    agency = Organization.objects.get(ref="sample-jst")
    fund = allocations.open_fund(twin_program, agency, by=cast["staff1"], at=AT)
    BudgetLine.objects.create(
        program=twin_program, fiscal_year=2024, kind="supplementary", amount_yen=900_000_001, printed_unit="oku"
    )
    whole = allocations.node_for(twin_program)
    for node, year, amounts, who, second in (
        (whole, 2024, {("fund", agency.pk): 900_000_001}, "staff1", "staff2"),
        (fund, 2025, {("project", project.pk): 600_000_007, ("program", twin_program.pk): 99_999_999}, "jst1", "jst2"),
    ):
        made = allocations.open_allocation(node, year, by=cast[who], at=AT)
        allocations.save_allocation(made, amounts=amounts, reason="造成", by=cast[who], at=AT)
        allocations.propose_allocation(made, by=cast[who], at=AT)
        allocations.approve_allocation(
            made, decision_number="1", decided_on=date(2026, 6, 4), by=cast[second], at=AT
        )  # fmt: skip
    text = page(f"/programs/{twin_program.ref}/money/")
    shown = by_year(table(text, f"fund-{fund.pk}"))
    edges = sql(
        "SELECT e.fiscal_year, COALESCE(SUM(e.amount_yen) FILTER (WHERE e.target_id = %s), 0)::bigint, "
        "COALESCE(SUM(e.amount_yen) FILTER (WHERE e.source_id = %s AND t.kind <> 'program'), 0)::bigint, "
        "COALESCE(SUM(e.amount_yen) FILTER (WHERE e.source_id = %s AND t.kind = 'program'), 0)::bigint "
        "FROM programs_fundedge e JOIN programs_fundnode t ON t.id = e.target_id "
        "WHERE e.status = 'in_force' AND (e.source_id = %s OR e.target_id = %s) GROUP BY 1 ORDER BY 1",
        *[fund.pk] * 5,
    )
    projects = side_by_side("p.id = %s", project.pk)
    balance, expected = 0, {}
    flows = {row[0]: row[1:] for row in edges}
    for year in sorted({*flows, *(year for year, row in projects.items() if row[2] or row[3] or row[4])}):
        tranche, allocated, returned = flows.get(year, (0, 0, 0))
        _plan, _alloc, contracted, carried_in, spent, carried, left = projects.get(year, [None] * 7)
        balance += tranche - allocated - returned
        expected[year] = [
            tranche, allocated, contracted or 0, carried_in or 0, spent, carried or 0, left, returned, balance
        ]  # fmt: skip
    assert shown == expected
    assert f"残高 {balance:,}円" in text
    assert (balance, shown[2025][6]) == (200_000_001 - 99_999_999 + 99_999_993, projects[2025][6])


# Papers ---------------------------------------------------------------------------------------------------------------


def test_allocation_when_shown_then_rows_totals_and_what_is_left_are_raw_sqls(money, cast, page, project):
    node = allocations.node_for(project.area)
    made = allocations.open_allocation(node, 2025, by=cast["pd1"], at=AT)
    text = page(f"/allocations/{made.ref}/", "pd1")
    before, now, here = (
        dict(sql(
            "SELECT n.project_id, SUM(e.amount_yen)::bigint FROM programs_fundedge e JOIN programs_fundnode n "
            f"ON n.id = e.target_id WHERE {where} GROUP BY 1", *params,
        ))
        for where, params in (
            ("e.source_id = %s AND e.status = 'in_force' AND e.fiscal_year = %s", (node.pk, 2024)),
            ("e.source_id = %s AND e.status = 'in_force' AND e.fiscal_year = %s", (node.pk, 2025)),
            ("e.allocation_id = %s", (made.pk,)),
        )
    )  # fmt: skip
    ((available,),) = sql(
        "SELECT SUM(amount_yen)::bigint FROM programs_fundedge WHERE target_id = %s AND status = 'in_force' "
        "AND fiscal_year = 2025", node.pk,
    )  # fmt: skip
    planned = side_by_side("p.area_id = %s", project.area_id)[2025][0]
    total, there, left = table(text, "amounts", "tfoot")
    assert [yen(cell) for cell in total[1:5]] == [planned or 0, *(sum(one.values()) for one in (before, now, here))]
    assert (yen(there[4]), yen(re.match(r"(△ )?[\d,]+", left[4])[0])) == (available, available - sum(here.values()))
    fields = dict(re.findall(r'name="yen-project-(\d+)" value="([\d,]*)"', text))
    assert {int(pk): yen(amount) for pk, amount in fields.items() if amount} == here
    allocations.propose_allocation(made, by=cast["pd1"], at=AT)
    listed = page("/allocations/").split(made.ref)[-1].split("</tr>")[0]
    assert f"{sum(here.values()):,}" in listed
    assert Allocation.objects.count() == 1


def test_contract_when_shown_then_years_categories_and_total_are_raw_sqls(money, page):
    for contract in Contract.objects.all():
        text = page(f"/contracts/{contract.ref}/")
        rows = by_year(table(text, "amounts"))
        years = dict(sql(
            "SELECT fiscal_year, SUM(amount_yen)::bigint FROM programs_fundedge WHERE contract_id = %s GROUP BY 1",
            contract.pk,
        ))  # fmt: skip
        assert {year: row[-1] for year, row in rows.items() if row[-1]} == years
        assert all(sum(one or 0 for one in row[:-1]) == row[-1] for row in rows.values())
        assert yen(table(text, "amounts", "tfoot")[0][-1]) == sum(years.values())


# Printed figures ------------------------------------------------------------------------------------------------------

#: What the parts of a program leave of each figure it prints; a proposal and the voted budget are one figure.
REMAINDERS = """
    SELECT parent.program_id, parent.fiscal_year, parent.kind, parent.amount_yen - COALESCE(SUM(part.amount_yen), 0)
    FROM programs_budgetline parent
    LEFT JOIN programs_program child ON child.parent_id = parent.program_id
    LEFT JOIN programs_budgetline part ON part.program_id = child.id AND part.fiscal_year = parent.fiscal_year
        AND REPLACE(part.kind, '_proposal', '') = REPLACE(parent.kind, '_proposal', '')
    WHERE EXISTS (SELECT 1 FROM programs_program c JOIN programs_budgetline b ON b.program_id = c.id
        WHERE c.parent_id = parent.program_id)
    GROUP BY parent.id HAVING parent.amount_yen <> COALESCE(SUM(part.amount_yen), 0)
"""


def printed_columns(rows: list[tuple]) -> list[int | None]:
    """Of (fiscal year, kind, yen): the newest initial budget, the one before, the newest supplementary one."""
    initial = {year: amount for year, kind, amount in sorted(rows) if kind.startswith("initial")}
    extra = {year: amount for year, kind, amount in rows if kind == "supplementary"}
    newest = max(initial, default=0)
    return [initial.get(newest), initial.get(newest - 1), extra.get(max(extra, default=0))]


def test_portfolio_when_read_then_every_figure_remainder_and_count_is_raw_sqls(money, page):
    shown = table(page("/portfolio/"), "tree")
    remainders: dict[int, list[tuple]] = {}
    for program, year, kind, amount in sql(REMAINDERS):
        remainders.setdefault(program, []).append((year, kind, int(amount)))
    named = {row[0].removesuffix(" 見本"): row for row in shown}
    for program in Program.objects.all():
        lines = sql("SELECT fiscal_year, kind, amount_yen FROM programs_budgetline WHERE program_id = %s", program.pk)
        row = named[program.name_ja]
        assert [yen(cell) for cell in row[1:4]] == printed_columns(lines), program.ref
        ((count,),) = sql(
            "SELECT COUNT(*) FROM programs_project WHERE program_id = %s", program.pk,
        )  # fmt: skip
        assert int(row[4] or 0) == count, program.ref
    rest = [[yen(cell) for cell in row[1:4]] for row in shown if row[0] == "内訳に記載のない額"]
    assert sorted(rest, key=str) == sorted((printed_columns(one) for one in remainders.values()), key=str)


def test_program_pages_when_read_then_every_line_and_remainder_is_raw_sqls(money, page):
    for program in Program.objects.all():
        text = page(f"/programs/{program.ref}/")
        shown = {int(one) for one in re.findall(r'<data value="(-?\d+)"', text)}
        lines = sql("SELECT amount_yen FROM programs_budgetline WHERE program_id = %s", program.pk)
        rest = [int(row[3]) for row in sql(REMAINDERS) if row[0] == program.pk]
        assert {amount for (amount,) in lines} | set(rest) <= shown, program.ref


def test_brief_when_typeset_then_every_line_and_remainder_of_raw_sql_stands_on_its_page(cast, tmp_path):
    (tmp_path / "brief.pdf").write_bytes(portfolio_brief_pdf(cast["staff1"], on=date(2026, 6, 10)))
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "brief.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    pages = [re.sub(r"\s+", "", page) for page in text.split("\f") if page.strip()]
    for program in Program.objects.filter(is_sample=False):
        (own,) = [one for one in pages if re.sub(r"\s+", "", program.name_ja) in one.split("現在")[0]]
        for amount, unit in sql(
            "SELECT amount_yen, printed_unit FROM programs_budgetline WHERE program_id = %s", program.pk
        ):  # fmt: skip
            assert printed(amount, unit, "ja") in own, (program.ref, amount)
        for row in sql(REMAINDERS):
            if row[0] == program.pk:
                assert printed(int(row[3]), "million", "ja") in own, (program.ref, row)


# Indicators -----------------------------------------------------------------------------------------------------------


def test_indicator_when_arims_institutions_send_then_every_sum_up_to_materials_dx_is_raw_sqls(cast, page):
    """25 institutions > ARIM > Materials DX, with a correction that takes the place of what it corrects."""
    arim = Program.objects.get(ref="arim")
    indicator = OutcomeIndicator.objects.get(ref="facility-uses-per-year")
    assert indicator.program.ref == "materials-dx"
    rows = []
    for number in range(1, 26):
        organization = Organization.objects.create(ref=f"arim-{number}", name_ja=f"機関{number:02}")
        role = "centre_hub" if number == 1 else "hub" if number <= 6 else "spoke"
        Participation.objects.create(program=arim, organization=organization, role=role)
        rows += [
            {"indicator": indicator.ref, "organization": organization.ref, "fiscal_year": year, "value": value,
             "observed_on": f"{year + 1}-03-31", "source": "実績", "external_id": f"{number}-{year}"}
            for year, value in ((2024, 100 + number), (2025, 130 + number))
        ]  # fmt: skip
    rows.append({**rows[0], "value": 1, "external_id": "1-2024-2", "corrects": "1-2024"})
    results = record_observations(rows, by=cast["staff1"], at=timezone.now())
    assert {one.status for one in results} == {"created"}
    expected = {
        (name, year): total
        for name, year, total in sql(
            "SELECT o.name_ja, v.fiscal_year, SUM(v.value) FROM programs_indicatorobservation v "
            "JOIN accounts_organization o ON o.id = v.organization_id WHERE v.indicator_id = %s AND NOT EXISTS "
            "(SELECT 1 FROM programs_indicatorobservation c WHERE c.corrects_id = v.id) GROUP BY 1, 2", indicator.pk,
        )
    }  # fmt: skip
    assert len(expected) == 50
    text = page(f"/indicators/{indicator.ref}/")
    shown = {row[0]: [yen(cell) for cell in row[1:]] for row in table(text, "by-institution")}
    for (name, year), total in expected.items():
        assert shown[name][year - 2024] == total
    sums = [sum(total for (_name, at), total in expected.items() if at == year) for year in (2024, 2025)]
    assert shown[arim.name_ja] == shown["機関の合計"] == sums
    assert sums[1] == Decimal(25 * 130 + 325)
    for path in ("/portfolio/", "/programs/materials-dx/", f"/indicators/{indicator.ref}/"):
        assert f"{int(sums[1]):,}" in page(path), path
