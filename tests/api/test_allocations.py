"""Clients see their programs' allocations once they are approved, with what each part gets; nothing of a draft."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.v1.allocations import AllocationOut
from programs.actions import allocations
from programs.models import Allocation, Project
from tests.api.conftest import Machine
from tests.programs.test_allocations import AT, DECISION


def approved(project: Project, cast: Any, year: int = 2026) -> Allocation:
    assert project.area is not None
    made = allocations.open_allocation(allocations.node_for(project.area), year, by=cast["pd1"], at=AT)
    allocations.propose_allocation(made, by=cast["pd1"], at=AT)
    return allocations.approve_allocation(made, by=cast["staff2"], **DECISION)


@pytest.fixture
def allocation(cast: Any, twin: dict[str, Project]) -> Allocation:
    return approved(twin["sample-ql1-f1"], cast)


def test_allocation_when_approved_then_shown_with_its_parts(machine: Machine, allocation: Allocation) -> None:
    found = machine.json(f"allocations/{allocation.ref}/")
    assert {name: found[name] for name in ("kind", "area", "program", "fiscal_year", "state", "decision_number")} == {
        "kind": "area", "area": "sample-ql1", "program": None, "fiscal_year": 2026, "state": "approved",
        "decision_number": "配第1号",
    }  # fmt: skip
    assert sum(one["amount_yen"] for one in found["parts"]) == 1_100_000_000
    assert {one["kind"] for one in found["parts"]} == {"project"}
    assert "sample-ql1-f1" in {one["project"] for one in found["parts"]}
    assert found in machine.json("allocations/", {"area": "sample-ql1", "fiscal_year": "2026"})["results"]
    assert found == AllocationOut(Allocation.objects.get(pk=allocation.pk)).data


def test_draft_when_asked_for_then_it_is_not_there(machine: Machine, cast: Any, twin: dict[str, Project]) -> None:
    area = twin["sample-ql1-f1"].area
    assert area is not None
    draft = allocations.open_allocation(allocations.node_for(area), 2026, by=cast["pd1"], at=AT)
    for _state in ("drafting", "proposed"):
        assert machine.get(f"allocations/{draft.ref}/").status_code == 404
        assert machine.json("allocations/")["results"] == []
        if draft.state == "drafting":
            draft = allocations.propose_allocation(draft, by=cast["pd1"], at=AT)


def test_allocations_when_there_are_more_then_the_queries_are_the_same(
    machine: Machine, allocation: Allocation, cast: Any, twin: dict[str, Project]
) -> None:
    def count() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as seen:
            body = machine.json("allocations/")
        return len(body["results"]), len(seen)

    assert count() == (1, 2)
    for year in (2024, 2025):
        approved(twin["sample-ql1-f1"], cast, year)
    assert count() == (3, 2)


@pytest.mark.parametrize("query", [{"kind": "wish"}, {"fiscal_year": "soon"}, {"x": "1"}])
def test_allocations_when_the_query_is_unknown_then_400(machine: Machine, query: dict[str, str]) -> None:
    assert machine.get("allocations/", query).status_code == 400


def test_allocations_when_posted_then_refused(machine: Machine, allocation: Allocation) -> None:
    assert machine.send("allocations/", b"{}", key="k").status_code == 405
    assert Allocation.objects.count() == 1
