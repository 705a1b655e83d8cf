"""Reminders: one row in the outbox per rule, report, recipient and offset; one digest a day for who wants it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.utils.timezone import localdate

from common.models import OutgoingMail
from evaluations.queries.duties import days_due, duties_of, people_with_duties
from programs.queries.people import audience_of
from reporting import notices
from reporting.models import ProgressReport, ReminderRule
from reporting.queries import (
    active_reminder_rules,
    held_mails,
    reports_under_way,
    still_owed,
)
from reporting.rules import WRITABLE
from reporting.schedules import reminder_step
from reporting.states import CHECKED, SUBMITTED


def waits_for(report: ProgressReport, audience: str) -> bool:
    """This function will tell whether this audience owes the next step; nobody is reminded of what others owe.

    The officer and the director also hear of a report that the team has not handed in.
    """
    if audience == ReminderRule.Audience.TEAM:
        return report.state in WRITABLE
    if audience == ReminderRule.Audience.OFFICER:
        return report.state in (*WRITABLE, SUBMITTED)
    return report.state in (*WRITABLE, CHECKED)


@transaction.atomic
def queue_due_reminders(*, at: datetime) -> int:
    """This function will queue every reminder due today and return how many are new. Run twice, it queues once.

    Constant queries for the recipients; the keys are unique in the database, so that three runs at once send once.
    """
    today = localdate(at)
    queued = 0
    reports = list(reports_under_way())
    for rule in active_reminder_rules():
        if rule.event != ReminderRule.Event.REPORT_DUE:
            continue
        due: dict[int, list[tuple[ProgressReport, int]]] = defaultdict(list)
        for report in reports:
            if not report.project.program.path.startswith(rule.program.path) or not waits_for(report, rule.audience):
                continue
            step = reminder_step(report.due_on, today, rule.offsets, rule.shift)
            if step is not None:
                due[report.project_id].append((report, step))
        people = audience_of(due, rule.audience, today)
        queued += notices.report_reminders(
            [
                (report, user, step)
                for project, rows in due.items()
                for user in people[project]
                for report, step in rows
            ],
            at=at,
        )
    return queued


@transaction.atomic
def queue_round_reminders(*, at: datetime) -> int:
    """This function will remind each person of what he or she owes in rounds of evaluation; run twice, it queues once.

    What is owed is what waits for the person at home: by the same reads, so that nobody in conflict is told of a case.
    """
    rules = [one for one in active_reminder_rules() if one.event != ReminderRule.Event.REPORT_DUE]
    if not rules:
        return 0
    today, days = localdate(at), days_due()
    events = {
        rule.event
        for rule in rules
        for day, path in days.get(rule.event, ())
        if path.startswith(rule.program.path) and reminder_step(day, today, rule.offsets, rule.shift) is not None
    }
    due = [
        (duty, user, step)
        for user in (people_with_duties(today) if events else ())
        for duty in duties_of(user, events)
        for rule in rules
        if rule.event == duty.event and duty.round.program.path.startswith(rule.program.path)
        if (step := reminder_step(duty.due_on, today, rule.offsets, rule.shift)) is not None
    ]
    return notices.round_reminders(due, at=at)


@transaction.atomic
def cancel_needless_reminders() -> int:
    """This function will cancel the reminders waiting in the outbox for reports that have been accepted since."""
    waiting = OutgoingMail.objects.filter(
        state__in=(OutgoingMail.State.QUEUED, OutgoingMail.State.HELD), event=notices.REMINDER
    )
    owed = still_owed(waiting.values_list("subject_ref", flat=True).distinct())
    return waiting.exclude(subject_ref__in=owed).update(state=OutgoingMail.State.CANCELLED)


@transaction.atomic
def send_digests(*, at: datetime) -> int:
    """This function will put each recipient's held mails into one digest a day and return how many digests are new.

    What the recipient may no longer read, or need no longer do, is cancelled instead.
    """
    by_recipient: dict[int | None, list[OutgoingMail]] = defaultdict(list)
    for mail in held_mails(at).select_for_update(skip_locked=True):
        by_recipient[mail.recipient_id].append(mail)
    made = 0
    for mails in by_recipient.values():
        wanted = notices.wanted(mails)
        OutgoingMail.objects.filter(pk__in={mail.pk for mail in mails} - {mail.pk for mail in wanted}).update(
            state=OutgoingMail.State.CANCELLED
        )
        made += _digest(wanted, at) if wanted else 0
    return made


def _digest(mails: list[OutgoingMail], at: datetime) -> int:
    one = notices.digest(mails, day=localdate(at), at=at)
    if one is None:  # today's digest is out already; these wait for tomorrow's
        return 0
    OutgoingMail.objects.filter(pk__in=[mail.pk for mail in mails]).update(
        state=OutgoingMail.State.SENT, sent_at=at, digest_of=one
    )
    return 1


def send_due_reminders(*, at: datetime) -> tuple[int, int]:
    """This function will do the morning's round: cancel, queue, digest; returns (reminders, digests) that are new."""
    cancel_needless_reminders()
    return queue_due_reminders(at=at) + queue_round_reminders(at=at), send_digests(at=at)
