"""Schedules, reminder rules, reports and the mail log in the admin."""

import pytest

from common.models import JournalEntry, OutgoingMail
from reporting.models import ReminderRule, ReportSchedule
from tests.factories.rows import fill_tables

pytestmark = pytest.mark.django_db

RULE = "/admin/reporting/reminderrule/"
SCHEDULE = "/admin/reporting/reportschedule/"


def errors(page):
    assert page.status_code == 200
    return dict(page.context_data["adminform"].form.errors)


def test_rule_when_changed_then_saved_and_told(client, cast, twin_program):
    rule = ReminderRule.objects.get(program=twin_program, audience="team")
    client.force_login(cast["staff1"])
    form = client.get(f"{RULE}{rule.pk}/change/").context_data["adminform"].form.initial
    typed = {"offsets": "-10, -1", "shift": "none", "is_active": "on", "seen": form["seen"], "reason": "間隔の見直し",
             "audience": "director"}  # fmt: skip
    assert client.post(f"{RULE}{rule.pk}/change/", typed).status_code == 302
    row = ReminderRule.objects.get(pk=rule.pk)
    assert (row.offsets, row.shift, row.audience) == ([-10, -1], "none", "team")
    last = JournalEntry.objects.filter(subject_type="reporting.reminderrule", subject_id=rule.pk).latest("id")
    assert (last.action, last.reason, last.after) == (
        "change_record", "間隔の見直し", {"offsets": [-10, -1], "shift": "none"},
    )  # fmt: skip


@pytest.mark.parametrize("offsets", ["", "a,b", "1.5", "99999"])
def test_rule_when_its_days_are_no_numbers_then_the_field_says_so(client, cast, twin_program, offsets):
    client.force_login(cast["staff1"])
    typed = {"program": twin_program.pk, "event": "report_due", "audience": "director", "shift": "none"}
    assert "offsets" in errors(client.post(f"{RULE}add/", {**typed, "offsets": offsets}))


def test_rule_when_there_already_then_says_so(client, cast, twin_program):
    client.force_login(cast["staff1"])
    typed = {"program": twin_program.pk, "event": "report_due", "audience": "team", "shift": "none", "offsets": "0"}
    found = errors(client.post(f"{RULE}add/", typed))
    assert "既に存在します" in found["__all__"][0]
    assert ReminderRule.objects.filter(program=twin_program, audience="team").count() == 1


def test_schedule_when_a_month_or_day_is_none_then_the_field_says_so(client, cast, twin_program):
    client.force_login(cast["staff1"])
    typed = {"program": twin_program.pk, "kind": "final", "opens_month": "13", "opens_day": "0", "due_month": "5",
             "due_day": "32", "years_after": "-1", "first_fiscal_year": "2025", "shift": "after"}  # fmt: skip
    found = errors(client.post(f"{SCHEDULE}add/", typed))
    assert set(found) == {"opens_month", "opens_day", "due_day", "years_after"}
    assert not ReportSchedule.objects.filter(kind="final").exists()


@pytest.mark.parametrize(("search", "found"), [("PI1@sample.example", 3), ("nobody@sample.example", 0), ("見本", 0)])
def test_mail_log_when_searched_then_by_the_whole_address(client, cast, twin, search, found):
    fill_tables(cast, twin)
    client.force_login(cast["staff1"])
    listed = client.get("/admin/common/outgoingmail/", {"q": search}).context_data["cl"]
    assert listed.result_count == found


def test_mail_and_report_when_shown_then_their_texts_stay_closed(client, cast, twin):
    fill_tables(cast, twin)
    OutgoingMail.objects.update(body="秘密の本文")
    client.force_login(cast["auditor1"])
    for path in ("common/outgoingmail", "reporting/reportversion", "reporting/progressreport"):
        listed = client.get(f"/admin/{path}/")
        for row in listed.context_data["cl"].result_list:
            page = client.get(f"/admin/{path}/{row.pk}/change/")
            assert page.status_code == 200
            assert "秘密の本文" not in page.content.decode()
