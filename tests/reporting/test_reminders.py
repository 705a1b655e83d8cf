"""Reminders and digests: who is told, when, in which language, once, and no longer when it is no longer true."""

import threading
from datetime import date, datetime, timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from common.mail import send_queued
from common.models import OutgoingMail
from programs.models import ProjectMember, ProjectRecusal
from reporting.actions.reminders import cancel_needless_reminders, queue_due_reminders, send_digests, send_due_reminders
from reporting.actions.reports import check_report, submit_report
from reporting.models import ProgressReport, ReminderRule
from tests.reporting.conftest import AT, DUE_ON, FLAGSHIP, TOKYO, opened, written

pytestmark = pytest.mark.django_db


def morning(year, month, day):
    return datetime(year, month, day, 7, 0, tzinfo=TOKYO)


@pytest.fixture(autouse=True)
def quiet_outbox(cast):
    """Only what the test queues is in the outbox."""
    OutgoingMail.objects.all().delete()


@pytest.fixture
def report(report_at):
    """The report of the first Flagship, due on Monday 1 June 2026, being written; its opening has been told."""
    report = report_at()
    OutgoingMail.objects.all().delete()
    return report


def reminders(**conditions):
    rows = OutgoingMail.objects.filter(event="report_reminder", **conditions)
    return sorted(row.recipient_email.partition("@")[0] for row in rows)


# When and to whom -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2026, 5, 17), []),
        (date(2026, 5, 18), ["coinvestigator1", "hq1", "pi1"]),
        (date(2026, 5, 29), ["coinvestigator1", "hq1", "pi1"]),
        (date(2026, 6, 1), ["coinvestigator1", "hq1", "pi1"]),
        (date(2026, 6, 2), ["coinvestigator1", "hq1", "pi1", "po1"]),  # the PO from the day after
        (date(2026, 6, 30), []),
    ],
)
def test_reminders_when_the_day_has_come_then_the_team_is_told_and_late_the_po(report, day, told):
    queue_due_reminders(at=datetime(day.year, day.month, day.day, 7, 0, tzinfo=TOKYO))
    assert reminders() == told


def test_reminders_when_6_in_the_morning_then_the_day_counts_as_in_japan(report):
    # 6:30 on 18 May in Japan is 21:30 on 17 May in UTC.
    assert queue_due_reminders(at=datetime(2026, 5, 18, 6, 30, tzinfo=TOKYO)) == 3


def test_reminders_when_run_every_morning_then_each_step_once_a_person(report):
    for back in range(60):
        queue_due_reminders(at=morning(2026, 5, 1) + timedelta(days=back))
    keys = OutgoingMail.objects.filter(recipient_email="pi1@sample.example").values_list("key", flat=True)
    pi = User.objects.get(email="pi1@sample.example")
    assert sorted(keys) == sorted(f"report-reminder:{report.ref}:{step}:{pi.pk}" for step in (-14, -3, 0, 3))


def test_reminders_when_the_machine_stood_still_then_only_the_last_missed_step(report):
    queue_due_reminders(at=morning(2026, 6, 1) + timedelta(days=1))
    assert {row.key.split(":")[2] for row in OutgoingMail.objects.filter(recipient_email__startswith="pi1")} == {"0"}


def test_reminders_when_the_report_moves_on_then_only_who_owes_the_next_step(cast, report):
    ReminderRule.objects.create(
        program=report.project.program, event="report_due", audience="director", offsets=[1], shift="before"
    )
    written(report, cast)
    submit_report(report, by=cast["pi1"], at=AT)
    queue_due_reminders(at=morning(2026, 6, 2))
    assert reminders() == ["po1"]
    check_report(report, by=cast["po1"], at=AT)
    queue_due_reminders(at=morning(2026, 6, 3))
    assert reminders() == ["deputy1", "pd1", "po1"]


def test_reminders_when_the_rule_is_out_of_use_then_none(report):
    ReminderRule.objects.update(is_active=False)
    assert queue_due_reminders(at=morning(2026, 5, 18)) == 0


def test_reminders_when_somebody_may_not_see_the_project_then_not_told(cast, report):
    ProjectRecusal.objects.create(
        person=cast["hq1"].person, project=report.project, starts_on=date(2020, 1, 1), source_ref="test"
    )
    ProjectMember.objects.filter(project=report.project, person=cast["coinvestigator1"].person).update(
        ends_on=date(2026, 3, 31)
    )
    queue_due_reminders(at=morning(2026, 5, 18))
    assert reminders() == ["pi1"]


# What they say --------------------------------------------------------------------------------------------------------


def test_reminder_when_written_then_case_number_link_and_nothing_else(report, settings):
    settings.SITE_URL = "https://sekisho.example/"
    queue_due_reminders(at=morning(2026, 5, 29))
    one = OutgoingMail.objects.get(recipient_email="pi1@sample.example")
    assert one.subject == f"【見本】報告書の提出期限まであと3日です {report.ref}(令和7(2025)年度)"
    assert f"https://sekisho.example/reports/{report.ref}/" in one.body
    assert "2026年6月1日(月)" in one.body
    for secret in (report.project.title_ja, report.project.title_en, "見本機関", "ql1"):
        assert secret not in one.subject + one.body


def test_reminder_when_the_reader_reads_english_then_in_english(cast, report):
    User.objects.filter(pk=cast["pi1"].pk).update(language="en")
    queue_due_reminders(at=morning(2026, 6, 4))
    one = OutgoingMail.objects.get(recipient_email="pi1@sample.example")
    assert one.subject == f"[SAMPLE] Report 3 days late: {report.ref} (FY2025 (Reiwa 7))"
    assert not any("\u3040" <= letter <= "\u9fff" for letter in one.subject + one.body)


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2026, 5, 20), "あと12日です"),  # the step of 14 days before, made up for two days later
        (date(2026, 5, 29), "あと3日です"),
        (date(2026, 6, 1), "本日です"),
        (date(2026, 6, 5), "4日過ぎています"),
    ],
)
def test_reminder_when_the_step_is_made_up_for_then_says_the_days_that_are_really_left(report, day, says):
    queue_due_reminders(at=morning(day.year, day.month, day.day))
    assert says in OutgoingMail.objects.get(recipient_email="pi1@sample.example").subject


# Digests --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def digest_reader(cast):
    """pi1, who takes one mail a day."""
    User.objects.filter(pk=cast["pi1"].pk).update(digest=User.Digest.DAILY)
    return cast["pi1"]


def test_digest_when_mails_are_held_then_one_a_day_and_they_are_marked_as_sent_within(
    cast, twin, report, digest_reader
):
    second = opened(twin[FLAGSHIP], cast["staff1"], fiscal_year=2024)
    assert send_due_reminders(at=morning(2026, 6, 1)) == (6, 1)
    digest = OutgoingMail.objects.get(event="digest")
    held = OutgoingMail.objects.filter(digest_of=digest)
    # The opening of the second report and the reminders of both.
    assert held.count() == 3
    assert set(held.values_list("state", flat=True)) == {"sent"}
    assert digest.subject == "本日のお知らせ(3件)"
    assert all(ref in digest.body for ref in (report.ref, second.ref))
    assert send_queued(at=morning(2026, 6, 1)) == 1 + 4 + 2  # the digest, the others' reminders and openings
    assert [message.to for message in mail.outbox].count([digest_reader.email]) == 1


def test_digest_when_run_again_the_same_day_then_none_and_what_came_later_waits(cast, twin, report, digest_reader):
    send_due_reminders(at=morning(2026, 6, 1))
    opened(twin[FLAGSHIP], cast["staff1"], fiscal_year=2024)
    assert send_digests(at=morning(2026, 6, 1) + timedelta(hours=9)) == 0
    assert OutgoingMail.objects.filter(state="held", recipient_id=digest_reader.pk).count() == 1
    assert send_digests(at=morning(2026, 6, 2)) == 1
    assert not OutgoingMail.objects.filter(state="held").exists()


def test_digest_when_the_reader_has_been_recused_then_nothing_of_the_report_is_in_it(report, digest_reader):
    queue_due_reminders(at=morning(2026, 5, 18))
    assert OutgoingMail.objects.get(recipient_id=digest_reader.pk).state == "held"
    ProjectRecusal.objects.create(
        person=digest_reader.person, project=report.project, starts_on=date(2020, 1, 1), source_ref="test"
    )
    assert send_digests(at=morning(2026, 5, 18)) == 0
    assert OutgoingMail.objects.get(recipient_id=digest_reader.pk).state == "cancelled"


def test_digest_when_the_report_was_handed_in_since_then_no_reminder_in_it(cast, report, digest_reader):
    queue_due_reminders(at=morning(2026, 5, 18))
    written(report, cast)
    submit_report(report, by=cast["pi1"], at=AT)
    assert send_digests(at=morning(2026, 5, 19)) == 0
    assert OutgoingMail.objects.get(recipient_id=digest_reader.pk, event="report_reminder").state == "cancelled"


def test_digest_when_the_sign_in_was_closed_then_nothing_is_sent(report, digest_reader):
    queue_due_reminders(at=morning(2026, 5, 18))
    User.objects.filter(pk=digest_reader.pk).update(is_active=False)
    assert send_digests(at=morning(2026, 5, 18)) == 0
    assert not OutgoingMail.objects.filter(state="held").exists()


# Asked again at the send ----------------------------------------------------------------------------------------------


def test_mail_when_the_reader_was_recused_while_it_waited_then_it_does_not_leave(cast, report):
    queue_due_reminders(at=morning(2026, 5, 18))
    ProjectRecusal.objects.create(
        person=cast["hq1"].person, project=report.project, starts_on=date(2020, 1, 1), source_ref="test"
    )
    assert send_queued(at=morning(2026, 5, 18)) == 2
    assert sorted(message.to[0] for message in mail.outbox) == [
        "coinvestigator1@sample.example", "pi1@sample.example",
    ]  # fmt: skip
    assert reminders(state="cancelled") == ["hq1"]


def test_reminder_when_the_report_was_handed_in_while_it_waited_then_it_does_not_leave(cast, report):
    queue_due_reminders(at=morning(2026, 5, 29))
    written(report, cast)
    submit_report(report, by=cast["pi1"], at=AT)
    send_queued(at=AT)
    assert [message.to for message in mail.outbox] == [["po1@sample.example"]]
    assert reminders(state="cancelled") == ["coinvestigator1", "hq1", "pi1"]


def test_reminders_when_the_report_is_accepted_then_those_that_wait_are_cancelled(cast, report):
    queue_due_reminders(at=morning(2026, 5, 18))
    ProgressReport.objects.filter(pk=report.pk).update(state="submitted", submitted_by=cast["pi1"], submitted_at=AT)
    ProgressReport.objects.filter(pk=report.pk).update(state="checked")
    ProgressReport.objects.filter(pk=report.pk).update(state="accepted", accepted_by=cast["pd1"], accepted_at=AT)
    assert cancel_needless_reminders() == 3
    assert send_queued(at=morning(2026, 5, 18)) == 0


# Once -----------------------------------------------------------------------------------------------------------------


def test_queue_when_1_or_3_reports_are_due_then_the_same_queries(cast, twin, report, django_assert_num_queries):
    def round_of(day):
        with django_assert_num_queries(9):
            return queue_due_reminders(at=day)

    assert round_of(morning(2026, 5, 18)) == 3
    for year in (2023, 2024):
        opened(twin[FLAGSHIP], cast["staff1"], fiscal_year=year)
    assert round_of(morning(2026, 5, 29)) == 9


@pytest.mark.django_db(transaction=True)
def test_reminders_when_3_runs_start_at_once_then_each_mail_leaves_once(cast, twin, report):
    for year in range(2018, 2025):
        opened(twin[FLAGSHIP], cast["staff1"], fiscal_year=year)
    OutgoingMail.objects.all().delete()
    User.objects.filter(pk=cast["hq1"].pk).update(digest=User.Digest.DAILY)
    barrier = threading.Barrier(3)
    counted = []

    def run():
        try:
            barrier.wait()
            send_due_reminders(at=morning(2026, 5, 18))
            counted.append(send_queued(at=morning(2026, 5, 18), limit=1000))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send_due_reminders(at=morning(2026, 5, 18))
    counted.append(send_queued(at=morning(2026, 5, 18), limit=1000))
    ids = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert len(counted) == 4
    assert sum(counted) == len(ids) == len(set(ids)) == 8 * 2 + 1
    assert not OutgoingMail.objects.exclude(state="sent").exists()
    assert OutgoingMail.objects.filter(event="report_reminder").count() == 8 * 3


# Commands -------------------------------------------------------------------------------------------------------------


def test_command_when_given_the_time_then_that_mornings_mails_leave(report):
    out = StringIO()
    call_command("send_due_reminders", now=morning(2026, 5, 18), stdout=out)
    assert out.getvalue() == "3 reminders and 0 digests queued, 3 mails sent\n"
    call_command("send_due_reminders", now=morning(2026, 5, 18), stdout=out)
    assert out.getvalue().endswith("0 reminders and 0 digests queued, 0 mails sent\n")
    assert len(mail.outbox) == 3


def test_command_when_the_time_is_no_time_then_says_how_to_write_it(cast):
    with pytest.raises(CommandError, match="2026-05-15T07:00"):
        call_command("send_due_reminders", "--now", "tomorrow")


def test_command_when_reports_open_then_says_how_many(cast, twin_program):
    out = StringIO()
    call_command("open_due_reports", "--now", "2026-06-03T06:00", stdout=out)
    first = ProgressReport.objects.filter(project__program=twin_program).count()
    call_command("open_due_reports", "--now", "2026-06-03T06:00", stdout=out)
    assert out.getvalue() == f"{first} reports opened\n0 reports opened\n"
    assert first == 5 * 2  # the schedule begins two years back
    assert ProgressReport.objects.filter(due_on=DUE_ON).count() == 5
