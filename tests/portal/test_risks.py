"""Pages of risks, collaborations and data management plans over HTTP."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from programs.actions import data_management, risks
from programs.models import Collaboration, DataManagementPlan, Participation, Project, Risk
from tests.portal.test_permissions import ROLES, _statuses
from tests.programs.test_risks import ABROAD, AT, entered, with_set

pytestmark = pytest.mark.django_db
SEES = [
    *("staff1", "staff2", "auditor1", "pd1", "deputy1", "po1", "hq1", "pi1", "coinvestigator1"),
    *("office1", "office2", "accountant1", "jst1"),
]


@pytest.fixture
def project(twin) -> Project:
    return twin["sample-ql1-f1"]


@pytest.fixture
def typed(cast) -> dict:
    return {
        "kind": "risk", "title": "納期の遅れ", "description": "", "likelihood": "4", "effect": "4",
        "owner": str(cast["pi1"].person_id), "measure": "代替機を借りる", "due_on": "令和19年7月1日",
    }  # fmt: skip


@pytest.fixture
def risk(cast, project, typed) -> Risk:
    values = {**typed, "likelihood": 4, "effect": 4, "owner": cast["pi1"].person, "due_on": date(2037, 7, 1)}
    return risks.open_risk(project, values=values, by=cast["pi1"], at=AT)


@pytest.fixture
def plan(cast, project) -> DataManagementPlan:
    made = data_management.open_data_plan(project, by=cast["pi1"], at=AT)
    made = data_management.save_data_policy(made, policy="公開します", revision=0, by=cast["pi1"], at=AT)
    with_set(made, Participation.objects.get(project=project, role="lead").organization, cast)
    return made


def test_risk_when_carried_through_by_pages_then_answered_and_closed(client, cast, project, typed):
    client.force_login(cast["pi1"])
    path = f"/projects/{project.ref}/risks/"
    bad = client.post(path, {**typed, "owner": "", "due_on": "昨日"})
    assert (bad.status_code, sorted(bad.context["form"].errors)) == (200, ["due_on", "owner"])
    assert 'value="納期の遅れ"' in bad.content.decode()
    assert client.post(path, typed).status_code == 302
    risk = Risk.objects.get(project=project)
    page = f"/risks/{risk.ref}/"
    assert client.post(page, {**typed, "effect": "5", "revision": "0"}).status_code == 302
    assert client.post(page, {**typed, "effect": "1", "revision": "0"}).status_code == 409
    assert client.post(page, {**typed, "effect": "1", "revision": "x"}).status_code == 400
    assert client.post(f"{page}escalate/", {"text": " "}).status_code == 422
    assert client.post(f"{page}escalate/", {"text": "ご判断ください"}).status_code == 302
    assert client.post(f"{page}answer/", {"text": "自分で"}).status_code == 403
    client.force_login(cast["pd1"])
    assert client.post(page, {**typed, "revision": "1"}).status_code == 403
    assert client.post(f"{page}answer/", {"text": "認めます"}).status_code == 302
    assert client.post(f"{page}close/", {"text": "解決しました"}).status_code == 302
    risk.refresh_from_db()
    assert (risk.state, risk.score, risk.notes.count()) == ("closed", 20, 3)
    content = b"".join(client.get(f"{path}?format=csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 2


def test_collaboration_when_entered_by_page_then_warned_and_written_on(client, cast, project):
    client.force_login(cast["pi1"])
    path = f"/projects/{project.ref}/collaborations/"
    typed = {name: "" if value is None else str(value) for name, value in ABROAD.items()}
    typed |= {"starts_on": "令和8年4月1日", "contribution_yen": "５百万円"}
    bad = client.post(path, {**typed, "country": "JP"})
    assert list(bad.context["form"].errors) == ["country"]
    assert client.post(path, typed).status_code == 302
    row = Collaboration.objects.get(project=project)
    assert row.contribution_yen == 5_000_000
    text = client.get(path).content.decode()
    assert "フランス" in text
    assert "安全保障輸出管理の確認が済んでいない国際連携が1件あります" in text
    page = f"/collaborations/{row.ref}/"
    cleared = {"export_control": "cleared", "export_checked_on": "令和8年5月1日", "export_checked_by": "輸出管理室"}
    assert client.post(page, {**typed, **cleared, "revision": "0"}).status_code == 302
    assert client.post(page, {**typed, "revision": "0"}).status_code == 409
    assert "確認が済んでいない" not in client.get(path).content.decode()
    client.force_login(cast["pd1"])
    assert client.get(page).status_code == 200
    assert client.post(page, {**typed, "revision": "1"}).status_code == 403
    assert client.post(path, typed).status_code == 403
    assert Collaboration.objects.filter(project=project).count() == 1


def test_data_plan_when_carried_through_by_pages_then_confirmed(client, cast, project):
    client.force_login(cast["pi1"])
    path = f"/projects/{project.ref}/data/"
    answer = client.post(path)
    plan = DataManagementPlan.objects.get(project=project)
    page = f"/data-plans/{plan.ref}/"
    assert answer["Location"] == page
    assert client.post(path).status_code == 403
    assert client.post(page, {"policy": "一年以内に公開", "revision": "0"}).status_code == 302
    assert client.post(page, {"policy": "別の方針", "revision": "0"}).status_code == 409
    lead = Participation.objects.get(project=project, role="lead").organization
    data_set = {"name": "測定", "organization": str(lead.pk), "sharing": "embargo", "licence": "CC BY 4.0"}
    bad = client.post(f"{page}data-sets/new/", data_set)
    assert (bad.status_code, list(bad.context["form"].errors)) == (422, ["embargo_until"])
    assert client.post(f"{page}data-sets/new/", {**data_set, "embargo_until": "令和19年4月1日"}).status_code == 302
    assert client.post(f"{page}data-sets/new/", {**data_set, "sharing": "open", "name": "二つ目"}).status_code == 302
    assert client.get(f"{page}data-sets/DS9/").status_code == 404
    assert client.get(f"{page}data-sets/DS2/").status_code == 200
    assert client.post(f"{page}data-sets/DS2/remove/").status_code == 302
    assert client.post(f"{page}submit/").status_code == 302
    assert client.post(f"{page}confirm/").status_code == 403
    client.force_login(cast["po1"])
    assert client.post(f"{page}return/", {"comment": ""}).status_code == 422
    assert client.post(f"{page}confirm/").status_code == 302
    plan.refresh_from_db()
    assert (plan.state, plan.data_sets.count()) == ("confirmed", 1)
    assert b"".join(client.get(f"{page}?format=csv").streaming_content).startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("tab", ["risks", "collaborations", "data"])
def test_tab_when_asked_by_every_role_then_as_the_project(cast, project, tab):
    expected = {name: 200 if name in SEES else 404 for name in ROLES}
    assert _statuses(cast, f"/projects/{project.ref}/{tab}/") == expected


def test_risk_when_asked_by_every_role_then_page_and_acts_are_the_table(cast, risk):
    team = ["pi1", "hq1", "coinvestigator1", "po1"]
    path = f"/risks/{risk.ref}/"
    assert _statuses(cast, path) == {name: 200 if name in SEES else 404 for name in ROLES}
    for act, may in (("escalate", team), ("close", [*team, "pd1", "deputy1"]), ("answer", []), ("reopen", [])):
        expected = {name: 200 if name in may else 403 if name in SEES else 404 for name in ROLES}
        assert _statuses(cast, f"{path}{act}/") == expected, act


def test_data_plan_when_asked_by_every_role_then_page_and_acts_are_the_table(cast, plan):
    team, path = ["pi1", "hq1", "coinvestigator1"], f"/data-plans/{plan.ref}/"
    for act in ("", "submit/", "data-sets/new/", "data-sets/DS1/", "data-sets/DS1/remove/"):
        assert _statuses(cast, f"{path}{act}") == {name: 200 if name in team else 404 for name in ROLES}, act
    data_management.submit_data_plan(plan, by=cast["pi1"], at=AT)
    heads = ["pd1", "deputy1", "po1"]
    for act, may in (("", SEES), ("confirm/", heads), ("return/", heads), ("submit/", []), ("data-sets/new/", [])):
        expected = {name: 200 if name in may else 403 if name in SEES else 404 for name in ROLES}
        assert _statuses(cast, f"{path}{act}") == expected, act


def test_collaboration_when_asked_by_every_role_then_as_the_project(cast, project):
    row = entered(project, cast)
    assert _statuses(cast, f"/collaborations/{row.ref}/") == {name: 200 if name in SEES else 404 for name in ROLES}


def test_pages_when_there_are_more_rows_then_the_queries_are_the_same(client, cast, project, typed, risk, plan):
    def count(path: str) -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    client.force_login(cast["pi1"])
    row = entered(project, cast)
    paths = [f"/projects/{project.ref}/{tab}/" for tab in ("risks", "collaborations", "data")]
    paths += [f"/risks/{risk.ref}/", f"/collaborations/{row.ref}/", f"/data-plans/{plan.ref}/"]
    before = {path: count(path) for path in paths}
    lead = Participation.objects.get(project=project, role="lead").organization
    values = {**typed, "likelihood": 1, "effect": 1, "owner": cast["hq1"].person, "due_on": date(2037, 7, 1)}
    for number in range(2):
        other = risks.open_risk(project, values={**values, "title": f"別{number}"}, by=cast["pi1"], at=AT)
        risks.escalate_risk(other, text="理由", by=cast["pi1"], at=AT)
        risks.escalate_risk(risk, text="理由", by=cast["pi1"], at=AT)
        risks.answer_risk(risk, text="回答", by=cast["pd1"], at=AT)
        entered(project, cast, partner=f"別{number}")
        with_set(plan, lead, cast, name=f"別{number}")
    assert {path: count(path) for path in paths} == before
    assert max(before.values()) <= 15, before
