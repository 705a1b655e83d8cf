"""HQ's network of partners: one row an institution; its money adds up to the plan to the yen."""

from datetime import date

import pytest
from django.db import connection
from django.utils.timezone import localdate, now

from programs.actions import plans
from programs.models import Participation, PlanMilestone
from programs.queries.plans import participants
from reporting.actions.reports import open_report, save_section
from reporting.networks import network_of
from reporting.schedules import DuePeriod
from tests.programs.test_plans import handed_on, written

pytestmark = pytest.mark.django_db
PATH = "/projects/sample-ql1-f1/network/"


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def plan(cast, project):
    version = written(project, cast)
    partner = participants(project)[1]
    values = {"title": "制御装置", "planned_on": version.starts_on, "organization": partner}
    plans.save_item(version, PlanMilestone, values=values, by=cast["pi1"], at=now())
    return handed_on(version, cast)


def row_of(network, role):
    return next(row for row in network.rows if row.participation.role == role)


def test_network_when_there_is_a_plan_then_the_sums_are_those_of_the_database(cast, project, plan):
    network = network_of(cast["hq1"], project, localdate())
    assert network.plan == plan
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id, fiscal_year, SUM(amount_yen) FROM programs_planbudget WHERE version_id = %s"
            " GROUP BY 1, 2", [plan.pk],
        )  # fmt: skip
        rows = cursor.fetchall()
    found = {
        (row.participation.organization_id, year): yen
        for row in network.rows
        for year, yen in zip(network.grid.years, row.years, strict=True)
        if yen
    }
    assert found == {(organization, year): int(yen) for organization, year, yen in rows}
    assert sum(network.sums) == sum(row.total_yen for row in network.rows) == 100_000_000
    assert [one.title for one in row_of(network, "partner").milestones] == ["制御装置"]
    assert [one.title for one in network.team_milestones] == ["忠実度の達成"]


def test_network_when_a_report_is_open_then_it_names_what_each_owes(cast, project):
    period = DuePeriod(2031, date(2032, 4, 1), date(2032, 5, 31))
    report = open_report(project, kind="annual", period=period, by=cast["staff1"], at=now())
    before = row_of(network_of(cast["hq1"], project, localdate()), "partner")
    assert len(before.missing) == 1
    section = report.sections.get(key="partner")
    save_section(section, text="分担分の本文-カナリア", version=0, by=cast["coinvestigator1"], at=now())
    network = network_of(cast["hq1"], project, localdate())
    after = row_of(network, "partner")
    assert (after.missing, after.last_by) == ([], cast["coinvestigator1"])
    assert row_of(network, "lead").missing


def test_network_when_asked_by_everybody_then_only_for_whom_it_is(client, cast, project, plan):
    seen = set()
    for name, user in cast.items():
        client.force_login(user)
        if client.get(PATH).status_code == 200:
            seen.add(name)
    assert seen == {"hq1", "pi1", "pd1", "deputy1", "po1", "staff1", "staff2", "auditor1"}


def test_network_when_taken_as_csv_then_one_line_an_institution(client, cast, project, plan):
    client.force_login(cast["hq1"])
    content = b"".join(client.get(f"{PATH}?format=csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 1 + Participation.objects.filter(project=project, ends_on=None).count()


@pytest.mark.parametrize("count", [1, 3])
def test_network_when_there_are_more_partners_then_the_queries_are_the_same(
    client, cast, twin, project, plan, count, django_assert_num_queries
):
    for other in list(twin.values())[5 : 5 + count]:
        Participation.objects.create(project=project, organization=participants(other)[0], role="subcontractor")
    client.force_login(cast["hq1"])
    client.get(PATH)
    with django_assert_num_queries(15):
        client.get(PATH)
