"""The scheduled jobs of reporting; each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from reporting.actions import documents, reminders, reports


@shared_task(name="reporting.open_due_reports")
def open_due_reports() -> int:
    """This function will open the reports whose day has come."""
    return len(reports.open_due_reports(at=timezone.now()))


@shared_task(name="reporting.send_due_reminders")
def send_due_reminders() -> int:
    """This function will queue the day's reminders and digests."""
    return sum(reminders.send_due_reminders(at=timezone.now()))


@shared_task(name="reporting.render_report")
def render_report(version_id: int) -> None:
    """This function will make the PDF of a frozen version, once."""
    documents.attach_report_pdf(version_id, at=timezone.now())
