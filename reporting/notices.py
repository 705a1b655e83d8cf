"""The mails of this app, one function each: a case number and a link, nothing sensitive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.utils.timezone import localdate

from accounts.models import User
from common.fiscal_year import date_text, datetime_text
from common.fiscal_year import label as year_label
from common.mail import Letter, Recipient, ask_before_sending, queue, queue_many
from common.models import OutgoingMail
from evaluations.queries.duties import Duty, duties_of
from programs.queries.people import audience_of
from reporting.models import ProgressReport, ReminderRule
from reporting.queries import refs_still_told

REMINDER = "report_reminder"
ROUND_REMINDER = "round_reminder"
#: Every event of this app that leads to a mail of its own.
EVENTS = ("report_opened", "report_submitted", "report_checked", "report_returned", "report_accepted", REMINDER)
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
        for user in audience_of([report.project_id], audience, localdate(at))[report.project_id]:
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
            REMINDER,
            recipient(user),
            {**report_context(report, user.language), "left": left, "days": abs(left)},
            key=f"report-reminder:{report.ref}:{offset}:{user.pk}",
            event=REMINDER,
            subject_ref=report.ref,
        )
        for report, user, offset in due
        # Counted from today: a step that was shifted or made up for goes out on another day than its offset says.
        for left in [(report.due_on - localdate(at)).days]
    ]
    return queue_many(letters, at=at)


def round_reminders(due: Iterable[tuple[Duty, User, int]], *, at: datetime) -> int:
    """This function will remind each person of what he or she owes in a round, once per day due and offset."""
    letters = [
        Letter(
            ROUND_REMINDER,
            recipient(user),
            {
                "event": duty.event,
                "ref": duty.ref,
                "due": date_text(duty.due_on, user.language),
                "left": left,
                "days": abs(left),
                "url": f"{settings.SITE_URL.rstrip('/')}/{duty.path}",
                "is_sample": duty.round.is_sample,
            },
            key=f"round-reminder:{duty.event}:{duty.ref}:{duty.due_on.isoformat()}:{offset}:{user.pk}",
            event=ROUND_REMINDER,
            subject_ref=duty.ref,
        )
        for duty, user, offset in due
        for left in [(duty.due_on - localdate(at)).days]
    ]
    return queue_many(letters, at=at)


def digest(mails: list[OutgoingMail], *, day: date, at: datetime) -> OutgoingMail | None:
    """This function will put one recipient's held mails of a day into one."""
    user = User.objects.select_related("person").get(pk=mails[0].recipient_id or 0)
    context = {"mails": [{"subject": mail.subject, "body": mail.body} for mail in mails], "count": len(mails)}
    to = Recipient(user.email, user.language, user.pk, False)
    return queue("digest", to, context, key=f"digest:{user.pk}:{day.isoformat()}", at=at, event="digest", urgent=True)


# Asked again before a mail leaves -------------------------------------------------------------------------------------


def wanted(mails: list[OutgoingMail]) -> list[OutgoingMail]:
    """This function will return those of one recipient's waiting mails that may still reach the person.

    Roles end, conflicts are confirmed and reports move on while a mail waits. Mails of other apps are theirs to judge.
    """
    user = User.objects.select_related("person").filter(pk=mails[0].recipient_id or 0, is_active=True).first()
    if user is None:
        return []
    told: dict[bool, set[str]] = {}
    for reminder in (True, False):
        refs = {one.subject_ref for one in mails if one.event in EVENTS and (one.event == REMINDER) == reminder}
        told[reminder] = refs_still_told(user, refs, reminder=reminder) if refs else set()
    owed: set[tuple[str, str]] = set()
    if any(mail.event == ROUND_REMINDER for mail in mails):
        owed = {(duty.event, duty.ref) for duty in duties_of(user)}
    return [mail for mail in mails if _is_wanted(mail, told, owed)]


def _is_wanted(mail: OutgoingMail, told: dict[bool, set[str]], owed: set[tuple[str, str]]) -> bool:
    if mail.event == ROUND_REMINDER:
        return (mail.key.split(":")[1], mail.subject_ref) in owed
    return mail.event not in EVENTS or mail.subject_ref in told[mail.event == REMINDER]


def be_asked_before_sending() -> None:
    """This function will have the outbox, which knows no report, ask about each mail of this app before it goes."""
    for event in (*EVENTS, ROUND_REMINDER):
        ask_before_sending(event, lambda mail: bool(wanted([mail])))
