"""What is told, and when: schedules, progress reports, reminder rules."""

from reporting.models.report import ProgressReport, ReportComment, ReportSection, ReportVersion
from reporting.models.schedule import ReminderRule, ReportSchedule

__all__ = [
    "ProgressReport",
    "ReminderRule",
    "ReportComment",
    "ReportSchedule",
    "ReportSection",
    "ReportVersion",
]
