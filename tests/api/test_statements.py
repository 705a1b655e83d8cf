"""SQL that is built once and used again: for whom, and with what is looked up anew."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from accounts.queries import AgencyClient
from api import statements
from api.pagination import Cursor
from api.statements import Shape, _kept
from api.views import NounList
from programs.models import ProgramAgency
from tests.api.conftest import Machine


def lists() -> list[type[NounList]]:
    """Every list that has an address."""
    found = {
        pattern.callback.view_class
        for pattern in get_resolver("api.v1.urls").url_patterns
        if issubclass(pattern.callback.view_class, NounList)
    }
    return sorted(found, key=lambda view: view.__name__)


def after(ref: str) -> str:
    return Cursor("ref", False, (ref,)).text()


def client_of(machine: Machine) -> AgencyClient:
    record = machine.record
    return AgencyClient(record.organization_id, record.organization.ref, "c", frozenset())


@pytest.mark.parametrize("view", lists(), ids=lambda view: view.__name__)
def test_conditions_of_visibility_when_built_then_ask_the_database_nothing(
    view: type[NounList], machine: Machine
) -> None:
    client = client_of(machine)
    _kept.cache_clear()
    for order in view.orders.values():
        for continues in (False, True):
            with CaptureQueriesContext(connection) as seen:
                _kept(Shape(view, client, (), order, continues, 50), 0)
            assert [query["sql"] for query in seen] == []


def test_lists_when_they_have_addresses_then_these_are_the_ones_asked_above() -> None:
    assert [view.__name__ for view in lists()] == [
        "AllocationList", "AreaList", "BudgetLineList", "DecisionList", "GateReviewList", "IndicatorList",
        "MilestoneList", "ObservationList", "PlanList", "ProgramList", "ProjectList", "ReportList", "TrlAssessmentList",
    ]  # fmt: skip


def test_statement_when_used_again_then_is_not_built_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    _kept.cache_clear()
    monkeypatch.setattr(statements, "_KEPT_SECONDS", 10_000)
    built: list[Any] = []
    original = statements._statement
    monkeypatch.setattr(statements, "_statement", lambda *args: built.append(args) or original(*args))
    page = machine.json("projects/", {"page_size": 2})
    while page["next"]:
        page = machine.json("projects/", {"page_size": 2, "cursor": page["next"]})
    assert len(built) == 2, "the first page, and all that continue"
    machine.json("projects/", {"page_size": 2, "kind": "basic"})
    assert len(built) == 3


def test_list_when_agency_stops_running_the_program_then_empty_at_once(machine: Machine) -> None:
    before = machine.json("projects/")
    assert len(before["results"]) == 26
    ProgramAgency.objects.filter(organization=machine.record.organization).delete()
    assert machine.json("projects/")["results"] == []
    assert machine.json("projects/", {"cursor": after("sample-ql1-b1")})["results"] == []


def test_list_when_two_agencies_ask_by_turns_then_each_sees_its_own(machine: Machine, stranger: Machine) -> None:
    for _ in range(4):
        assert len(machine.json("projects/")["results"]) == 26
        assert stranger.json("projects/")["results"] == []
    cursor = after("sample-ql1-b1")
    for _ in range(4):
        assert machine.json("projects/", {"cursor": cursor})["results"]
        assert stranger.json("projects/", {"cursor": cursor})["results"] == []


def test_filter_when_it_looks_like_a_mark_then_is_refused(machine: Machine) -> None:
    assert machine.get("projects/", {"program": f"{statements._TEXT_MARK}0"}).status_code == 400
