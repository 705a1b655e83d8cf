"""Clients see approved plans with all their items, and the milestones that follow from them; nothing of a draft."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.v1.milestones import MilestoneOut
from api.v1.plans import PlanInFullOut, PlanOut
from programs.actions import plans
from programs.models import Milestone, PlanMilestone, PlanVersion, Project
from tests.api.conftest import Machine
from tests.programs.test_plans import AT, TODAY, handed_on, written


@pytest.fixture
def project(twin: dict[str, Project]) -> Project:
    return twin["sample-ql1-f1"]


@pytest.fixture
def approved(cast: Any, project: Project) -> PlanVersion:
    return handed_on(written(project, cast), cast)


def counted(machine: Machine, path: str) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as seen:
        body = machine.json(path)
    return len(body.get("results", [body])), len(seen)


def test_plan_when_approved_then_shown_with_all_its_items(
    machine: Machine, approved: PlanVersion, cast: Any, project: Project
) -> None:
    found = machine.json(f"plans/{approved.ref}/")
    assert {name: found[name] for name in ("project", "number", "state", "base", "decision_number", "change")} == {
        "project": "sample-ql1-f1", "number": 1, "state": "approved", "base": None,
        "decision_number": "見本第1号", "change": None,
    }  # fmt: skip
    lead = found["work_packages"][0]["organization"]
    assert found["milestones"] == [
        {
            "key": "M6", "title": "忠実度の達成", "planned_on": "2027-09-30", "organization": None, "criterion": None,
            "threshold": "99.9", "unit": "%", "direction": "at_least", "evidence_asked": None,
            "trl_level": None,
        }
    ]  # fmt: skip
    assert [(one["organization"], one["category"], one["amount_yen"]) for one in found["budget"]] == [
        (lead, "goods", 60_000_001), (lead, "other", 39_999_999),
    ]  # fmt: skip
    assert found["years"] == [{"fiscal_year": 2026, "total_yen": 100_000_000}]
    assert found["efforts"][0]["name"]["ja"] == cast["pi1"].person.name_ja
    assert found["gates"][0]["evidence_asked"] == "測定記録"


def test_plans_when_1_or_2_then_same_queries_and_the_change_says_why(
    machine: Machine, approved: PlanVersion, cast: Any, project: Project
) -> None:
    path = "plans/?project=sample-ql1-f1"
    assert counted(machine, path) == (1, 2)
    second = handed_on(written(project, cast, kind="approval"), cast, to="in_approval")
    assert counted(machine, path) == (1, 2)
    plans.approve_plan(second, decided_on=TODAY, effective_on=date(2026, 10, 1), by=cast["staff2"], at=AT)
    assert counted(machine, path) == (2, 2)
    assert counted(machine, f"plans/{second.ref}/") == (1, 2)
    change = machine.json(f"plans/{second.ref}/")["change"]
    assert change == {"kind": "approval", "reason": "進捗を反映するため", "wanted_from": None}


@pytest.mark.parametrize("state", ["drafting", "submitted", "in_approval"])
def test_plan_when_not_approved_then_is_nowhere(machine: Machine, cast: Any, project: Project, state: str) -> None:
    version = written(project, cast)
    if state != "drafting":
        version = handed_on(version, cast, to=state)
    hidden, missing = machine.get(f"plans/{version.ref}/"), machine.get("plans/PLN-0000000/")
    assert (hidden.status_code, hidden.content) == (404, missing.content)
    assert machine.json("plans/", {"project": "sample-ql1-f1"})["results"] == []
    assert "忠実度の達成" not in machine.get("milestones/", {"project": "sample-ql1-f1"}).content.decode()


def test_milestones_when_the_plan_is_approved_then_follow_it_with_their_first_day(
    machine: Machine, stranger: Machine, approved: PlanVersion, cast: Any, project: Project
) -> None:
    change = written(project, cast, kind="approval")
    moved = {"title": "忠実度の達成", "planned_on": date(2027, 12, 28)}
    plans.save_item(change, PlanMilestone, values=moved, key="M6", by=cast["pi1"], at=AT)
    handed_on(change, cast, to="in_approval")
    plans.approve_plan(change, decided_on=TODAY, effective_on=date(2026, 10, 1), by=cast["staff2"], at=AT)
    found, row = machine.json("milestones/sample-ql1-f1.6/"), Milestone.objects.get(project=project, number=6)
    assert (found["ref"], found["planned_on"], found["baseline_on"], found["reached_on"], found["is_dropped"]) == (
        "sample-ql1-f1.6", "2027-12-28", row.baseline_on.isoformat(), None, False,
    )  # fmt: skip
    assert found in machine.json("milestones/", {"project": "sample-ql1-f1"})["results"]
    assert stranger.get("milestones/sample-ql1-f1.6/").status_code == 404
    assert machine.get("milestones/sample-ql1-f1.99999/").status_code == 404
    assert counted(machine, "milestones/?page_size=100")[1] == 2


@pytest.mark.parametrize(
    ("output", "model"), [(PlanOut, PlanVersion), (PlanInFullOut, PlanVersion), (MilestoneOut, Milestone)]
)
def test_json_when_written_by_the_database_then_is_the_plain_serializers(
    output: Any, model: Any, approved: PlanVersion, cast: Any, project: Project
) -> None:
    second = written(project, cast, kind="stop")
    handed_on(second, cast, to="in_approval")
    plans.approve_plan(second, decided_on=TODAY, effective_on=date(2026, 10, 1), by=cast["staff2"], at=AT)
    rows = list(model.objects.order_by("pk"))
    assert rows
    for row in rows:
        written_text = model.objects.filter(pk=row.pk).values_list(output.json_text(), flat=True).get()
        assert orjson.loads(written_text) == orjson.loads(orjson.dumps(output(row).data))
