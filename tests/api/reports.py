"""An accepted report, made through the acts that people do."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.models import User
from programs.models import Project
from reporting.actions.reports import accept_report, check_report, open_report, save_section, submit_report
from reporting.models import ProgressReport
from reporting.schedules import DuePeriod

AT = datetime(2026, 6, 1, 10, 30, 15, 123456, tzinfo=ZoneInfo("Asia/Tokyo"))
MARKER = "草稿-KANARI-9Z"


def user(name: str) -> User:
    return User.objects.get(email=f"{name}@sample.example")


def written_report(
    project: Project, fiscal_year: int = 2025, text: str = "量子ビットの試作を終えました。"
) -> ProgressReport:
    """This function will open the report of sample-ql1-f1 and let everybody write their part."""
    period = DuePeriod(fiscal_year, AT.date(), AT.date())
    report = open_report(project, kind="annual", period=period, by=user("staff1"), at=AT)
    for section in report.sections.order_by("position"):
        author = user("coinvestigator1" if section.organization_id else "pi1")
        save_section(section, text=text, version=section.version, by=author, at=AT)
    return report


def accepted_report(project: Project, fiscal_year: int = 2025) -> ProgressReport:
    """This function will take the report from the open form to acceptance: PI, PO, PD."""
    report = written_report(project, fiscal_year)
    submit_report(report, by=user("pi1"), at=AT)
    check_report(report, by=user("po1"), at=AT)
    return accept_report(report, by=user("pd1"), at=AT)
