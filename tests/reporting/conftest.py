"""A report of the twin's first Flagship at any point of its way, brought there by the acts that people do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from programs.models import Project
from reporting.actions.reports import (
    accept_report,
    check_report,
    open_report,
    return_report,
    save_section,
    submit_report,
)
from reporting.models import ProgressReport, ReportSection
from reporting.schedules import DuePeriod
from tests.cast import again

TOKYO = ZoneInfo("Asia/Tokyo")
#: 5:30 in the morning of Japan, still the day before in UTC.
AT = datetime(2026, 6, 1, 5, 30, tzinfo=TOKYO)
DUE_ON = date(2026, 6, 1)
FLAGSHIP = "sample-ql1-f1"
TEXT = "量子ビットの試作を終え、性能を確かめた。"

At = Callable[..., ProgressReport]


def opened(project: Project, by: User, *, fiscal_year: int = 2025, due_on: date = DUE_ON) -> ProgressReport:
    """This function will open the report as of AT."""
    period = DuePeriod(fiscal_year, date(due_on.year, 4, 1), due_on)
    return open_report(project, kind="annual", period=period, by=by, at=AT)


def written(report: ProgressReport, cast: dict[str, User], text: str = TEXT) -> ProgressReport:
    """This function will let the PI and the co-investigator of the first Flagship write everything."""
    for section in report.sections.order_by("position"):
        writer = cast["coinvestigator1" if section.organization_id else "pi1"]
        save_section(section, text=text, version=section.version, by=writer, at=AT)
    return report


@pytest.fixture
def report_at(cast: dict[str, User], twin: dict[str, Project]) -> At:
    """`report_at("checked")`: the report of sample-ql1-f1 in this state."""

    def make(state: str = "drafting", **options: object) -> ProgressReport:
        report = opened(twin[FLAGSHIP], cast["staff1"], **options)  # type: ignore[arg-type]
        if state == "drafting":
            return report
        written(report, cast)
        submit_report(report, by=cast["pi1"], at=AT)
        if state == "returned":
            return return_report(report, comments={}, general="図を足してください。", by=cast["po1"], at=AT)
        if state in ("checked", "accepted"):
            check_report(report, by=cast["po1"], at=AT + timedelta(days=1))
        if state == "accepted":
            accept_report(report, by=cast["pd1"], at=AT + timedelta(days=2))
        return ProgressReport.objects.get(pk=report.pk)

    return make


def section_of(report: ProgressReport, key: str) -> ReportSection:
    """This function will read one section afresh."""
    return ReportSection.objects.select_related("report", "organization").get(report=report, key=key)


def reread(report: ProgressReport) -> ProgressReport:
    """This function will read the report afresh."""
    return ProgressReport.objects.get(pk=report.pk)


__all__ = [
    "AT",
    "DUE_ON",
    "FLAGSHIP",
    "TEXT",
    "TOKYO",
    "again",
    "opened",
    "report_at",
    "reread",
    "section_of",
    "written",
]
