"""The mails of this app, one function each: a case number and a link, nothing sensitive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings

from accounts.models import User
from common.fiscal_year import date_text, datetime_text
from common.fiscal_year import label as year_label
from common.mail import Letter, Recipient, queue, queue_many
from common.models import OutgoingMail
from reporting.models import ProgressReport, ReminderRule
from reporting.queries import audience_of

TEAM, OFFICER, DIRECTOR = ReminderRule.Audience.TEAM, ReminderRule.Audience.OFFICER, ReminderRule.Audience.DIRECTOR


def recipient(user: User) -> Recipient:
    """This function will return where and how this user is told."""
    return Recipient(user.email, user.language, user.pk, user.digest == User.Digest.DAILY)


def report_url(report: ProgressReport) -> str:
    """This function will return the report's address for a mail."""
    return f"{settings.SITE_URL.rstrip('/')}/reports/{report.ref}/"


def report_context(report: ProgressReport, language: str) -> dict[str, Any]:
    """This function will return what every mail about a report says: number, year, day, link."""
    return {
        "ref": report.ref,
        "year": year_label(report.fiscal_year, language),
        "due": date_text(report.due_on, language),
        "url": report_url(report),
        "is_sample": report.is_sample,
    }


def _tell(template: str, report: ProgressReport, audiences: Iterable[str], *, step: str, at: datetime) -> int:
    told: dict[int, User] = {}
    for audience in audiences:
        for user in audience_of([report.project_id], audience, at.date())[report.project_id]:
            told[user.pk] = user
    queued = 0
    for user in told.values():
        context = {**report_context(report, user.language), "at": datetime_text(at, user.language)}
        mail = queue(
            template,
            recipient(user),
            context,
            key=f"{template}:{report.ref}:{step}:{user.pk}",
            at=at,
            event=template,
            subject_ref=report.ref,
        )
        queued += mail is not None
    return queued


def report_opened(report: ProgressReport, *, at: datetime) -> int:
    """This function will tell the team that the writing is open."""
    return _tell("report_opened", report, [TEAM], step="1", at=at)


def report_submitted(report: ProgressReport, *, number: int, at: datetime) -> int:
    """This function will tell the PO that a report waits for the check."""
    return _tell("report_submitted", report, [OFFICER], step=str(number), at=at)


def report_checked(report: ProgressReport, *, number: int, at: datetime) -> int:
    """This function will tell the PD that a report waits for the acceptance."""
    return _tell("report_checked", report, [DIRECTOR], step=str(number), at=at)


def report_returned(report: ProgressReport, *, number: int, at: datetime) -> int:
    """This function will tell the team that a report came back; the comments are on the page, not in the mail."""
    return _tell("report_returned", report, [TEAM], step=str(number), at=at)


def report_accepted(report: ProgressReport, *, number: int, at: datetime) -> int:
    """This function will tell the team that the report is accepted."""
    return _tell("report_accepted", report, [TEAM], step=str(number), at=at)


def report_reminders(due: Iterable[tuple[ProgressReport, User, int]], *, at: datetime) -> int:
    """This function will remind each person of each report, once per offset, and return how many mails are new."""
    letters = [
        Letter(
            "report_reminder",
            recipient(user),
            {**report_context(report, user.language), "offset": offset, "days": abs(offset)},
            key=f"report-reminder:{report.ref}:{offset}:{user.pk}",
            event="report_reminder",
            subject_ref=report.ref,
        )
        for report, user, offset in due
    ]
    return queue_many(letters, at=at)


def digest(user: User, mails: list[OutgoingMail], *, day: date, at: datetime) -> OutgoingMail | None:
    """This function will put a day's held mails into one."""
    context = {"mails": [{"subject": mail.subject, "body": mail.body} for mail in mails], "count": len(mails)}
    to = Recipient(user.email, user.language, user.pk, False)
    return queue("digest", to, context, key=f"digest:{user.pk}:{day.isoformat()}", at=at, event="digest", urgent=True)
