"""Clients read every level on record of their agency's projects, with evidence and judgements by criterion."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from programs.actions.trl import assess_trl, claim_trl
from programs.models import Project
from tests.api.conftest import Machine
from tests.factories.levels import judged, level_of, shown

PATH = "trl-assessments/"


@pytest.fixture
def project(cast: Any, twin: dict[str, Project]) -> Project:
    found = twin["sample-ql1-f1"]
    evidence = shown(found, 6, "運転記録")
    how: dict[str, Any] = {"at": timezone.now()}
    claim_trl(found, level=level_of(6), on=date(2026, 6, 1), evidence=evidence, by=cast["pi1"], **how)
    said = judged(found, [6])
    assess_trl(found, level=level_of(5), on=date(2026, 6, 2), evidence="現地", judgements=said, by=cast["pd1"], **how)
    return found


def counted(machine: Machine, path: str, query: dict[str, Any] | None = None) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as seen:
        body = machine.json(path, query or {})
    return len(body.get("results", [body])), len(seen)


def test_levels_when_read_then_claim_and_assessment_with_their_criteria(machine: Machine, project: Project) -> None:
    claimed = machine.json(f"{PATH}sample-ql1-f1.claimed.2026-06-01/")
    asked = {"level": 6, "asked": "プロトタイプによる実証"}
    assert claimed == {
        "ref": "sample-ql1-f1.claimed.2026-06-01", "program": "q-leap-sample", "project": "sample-ql1-f1",
        "kind": "claimed", "scale": "horizon", "level": 6, "name": claimed["name"], "on": "2026-06-01",
        "evidence": "運転記録",
        "evidence_by_criterion": [{**asked, "text": "運転記録", "deliverable_fiscal_year": None, "file": None}],
        "judgements": [], "claimed_on": None, "is_sample": True,
    }  # fmt: skip
    assert claimed["name"]["ja"] == "プロトタイプによる実証"
    found = machine.json(f"{PATH}sample-ql1-f1.assessed.2026-06-02/")
    assert (found["level"], found["claimed_on"]) == (5, "2026-06-01")
    assert found["judgements"] == [{**asked, "is_met": False, "reason": "未達の理由"}]
    assert found in machine.json(PATH, {"project": "sample-ql1-f1", "kind": "assessed"})["results"]


def test_levels_when_paged_and_filtered_then_each_once_in_the_same_queries(machine: Machine, project: Project) -> None:
    whole = machine.json(PATH, {"area": "sample-ql1", "page_size": "100"})["results"]
    first = machine.json(PATH, {"area": "sample-ql1", "page_size": "3"})
    assert first["results"] == whole[:3]
    rest = machine.json(PATH, {"area": "sample-ql1", "page_size": "3", "cursor": first["next"]})
    assert rest["results"] == whole[3:6]
    assert {one["kind"] for one in machine.json(PATH, {"kind": "planned"})["results"]} == {"planned"}
    assert counted(machine, PATH, {"page_size": "1"}) == (1, 2)
    assert counted(machine, PATH, {"page_size": "3"}) == (3, 2)


@pytest.mark.parametrize("query", [{"kind": "guessed"}, {"x": "1"}, {"order": "level"}])
def test_levels_when_the_query_is_unknown_then_400(machine: Machine, project: Project, query: dict[str, str]) -> None:
    assert machine.get(PATH, query).status_code == 400


@pytest.mark.parametrize("ref", ["sample-ql1-f1.claimed.2026-02-30", "sample-ql1-f1.claimed.2001-01-01"])
def test_level_when_there_is_none_of_that_day_then_404(machine: Machine, project: Project, ref: str) -> None:
    assert machine.get(f"{PATH}{ref}/").status_code == 404


def test_levels_when_posted_then_refused_and_nothing_written(machine: Machine, project: Project) -> None:
    before = project.trl_assessments.count()
    assert machine.send(PATH, b"{}", key="k").status_code == 405
    assert project.trl_assessments.count() == before
