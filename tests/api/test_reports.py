"""Clients see accepted reports as they were frozen, and nothing of what is still being written."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from programs.models import Project
from reporting.actions.reports import check_report, return_report, submit_report
from reporting.models import ReportVersion
from tests.api.conftest import Machine
from tests.api.reports import AT, MARKER, accepted_report, user, written_report


@pytest.fixture
def flagship(twin: dict[str, Project]) -> Project:
    return twin["sample-ql1-f1"]


def queries_of(machine: Machine, path: str) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as seen:
        body = machine.json(path)
    return len(body.get("results", [body])), len(seen)


def test_reports_when_1_or_3_accepted_then_same_queries(machine: Machine, flagship: Project) -> None:
    path = "reports/?project=sample-ql1-f1"
    report = accepted_report(flagship, 2021)
    assert queries_of(machine, path) == (1, 2)
    accepted_report(flagship, 2022)
    accepted_report(flagship, 2023)
    assert queries_of(machine, path) == (3, 2)
    assert queries_of(machine, f"reports/{report.ref}/") == (1, 2)


def test_report_when_accepted_then_shows_its_frozen_content(machine: Machine, flagship: Project) -> None:
    report = accepted_report(flagship)
    version = ReportVersion.objects.get(report=report)
    expected: dict[str, Any] = {
        "ref": report.ref, "program": "q-leap-sample", "project": "sample-ql1-f1", "kind": "annual",
        "fiscal_year": 2025, "state": "accepted", "due_on": "2026-06-01",
        "submitted_at": "2026-06-01T10:30:15+09:00", "accepted_at": "2026-06-01T10:30:15+09:00",
        "version": {"number": 1, "content_hash": version.content_hash, "frozen_at": "2026-06-01T10:30:15+09:00"},
        "is_sample": True,
    }  # fmt: skip
    assert machine.json("reports/", {"project": "sample-ql1-f1", "fiscal_year": "2025"})["results"] == [expected]
    expected["version"]["content"] = version.content
    assert machine.json(f"reports/{report.ref}/") == expected


@pytest.mark.parametrize("steps", [[], ["submit"], ["submit", "check"], ["submit", "return"]])
def test_report_when_not_accepted_then_is_nowhere(steps: list[str], machine: Machine, flagship: Project) -> None:
    report = written_report(flagship, text=MARKER)
    for step in steps:
        match step:
            case "submit":
                submit_report(report, by=user("pi1"), at=AT)
            case "check":
                check_report(report, by=user("po1"), at=AT)
            case "return":
                return_report(report, comments={}, general=MARKER, by=user("po1"), at=AT)
    assert report.ref not in machine.get("reports/", {"page_size": 100}).content.decode()
    hidden, missing = machine.get(f"reports/{report.ref}/"), machine.get("reports/RPT-0000000/")
    assert (hidden.status_code, hidden.content) == (404, missing.content)
    assert MARKER not in machine.get("projects/sample-ql1-f1/").content.decode()


def test_report_when_written_on_after_freezing_then_only_the_frozen_text_shows(
    machine: Machine, flagship: Project
) -> None:
    report = accepted_report(flagship)
    report.sections.update(text=MARKER)
    body = machine.get(f"reports/{report.ref}/").content.decode()
    assert "量子ビットの試作を終えました。" in body
    assert MARKER not in body


def test_report_when_of_another_agencys_program_then_404(stranger: Machine, flagship: Project) -> None:
    report = accepted_report(flagship)
    assert stranger.get(f"reports/{report.ref}/").status_code == 404
    assert stranger.json("reports/")["results"] == []
