"""Reminders of what is owed in rounds of evaluation: to whoever owes it, once, and no longer when it is done."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.mail import send_queued
from common.models import OutgoingMail
from evaluations.actions.dossiers import call_gate_reviews
from evaluations.actions.score_sheets import save_sheet, submit_sheet
from evaluations.scoring import Answer
from programs.actions.recusals import recuse
from reporting.actions.reminders import queue_round_reminders
from reporting.models import ReminderRule
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db
F1, F2 = "sample-ql1-f1", "sample-ql1-f2"
WHOLE = {key: Answer(key, "a") for key in ("goal", "plan", "team")} | {"remarks": Answer("remarks", comment="特になし")}


@pytest.fixture(autouse=True)
def quiet_outbox(cast):
    """Only what the test queues is in the outbox."""
    OutgoingMail.objects.all().delete()


def told(event):
    rows = OutgoingMail.objects.filter(key__startswith=f"round-reminder:{event}:").exclude(state="cancelled")
    return sorted(row.recipient_email.partition("@")[0] for row in rows)


def test_reminders_when_declarations_are_due_then_only_members_who_have_not_declared_and_are_not_excluded(cast, twin):
    made = make_round(cast, twin, projects=(F1,), evaluators=3, documents_open=False, declared=False)
    made.declare("evaluator2", users=cast)
    late = timezone.now() + timedelta(days=2)
    queue_round_reminders(at=late)
    # evaluator1 is in conflict with the only case: not even its number is told.
    assert told("declaration_due") == ["chair1", "evaluator3"]
    assert queue_round_reminders(at=late) == 0
    mail = OutgoingMail.objects.filter(recipient_email="evaluator3@sample.example").get()
    assert (made.round.ref in mail.subject, "利益相反の申告" in mail.subject) == (True, True)
    assert (f"/rounds/{made.round.ref}/declarations/" in mail.body, twin[F1].title_ja in mail.body) == (True, False)


def test_reminders_when_a_dossier_is_due_then_who_writes_it_and_then_the_officer(cast, twin):
    made = make_round(cast, twin, projects=("sample-ql2-f1",), evaluators=1)
    made.round.seals_on = made.round.dossier_due_on
    made.round.save(update_fields=["seals_on"])
    review = call_gate_reviews(made.round, [twin[F1]], by=cast["staff1"], at=timezone.now())[0]
    queue_round_reminders(at=timezone.now())
    assert told("dossier_due") == ["hq1", "pi1"]
    OutgoingMail.objects.all().delete()
    type(review).objects.filter(pk=review.pk).update(state="submitted")
    queue_round_reminders(at=timezone.now())
    assert told("dossier_due") == ["po1"]


def test_reminder_of_a_sheet_when_handed_in_or_in_conflict_before_the_mail_leaves_then_is_not_sent(cast, twin):
    made = make_round(cast, twin, projects=(F2,), evaluators=4)
    sheets = made.assign(F2, "evaluator2", "evaluator3", "evaluator4", by=cast["chair1"])
    at = made.round.first_close_at - timedelta(days=1)
    queue_round_reminders(at=at)
    assert told("sheet_due") == ["evaluator2", "evaluator3", "evaluator4"]
    how = {"by": cast["evaluator2"], "at": timezone.now()}
    save_sheet(sheets[0], answers=WHOLE, revision=0, **how)
    submit_sheet(sheets[0], **how)
    recuse(
        cast["evaluator3"].person, twin[F2], starts_on=timezone.localdate(), ends_on=None, source_ref="COI-TEST",
        by=cast["staff1"], at=timezone.now(),
    )  # fmt: skip
    send_queued(at=at)
    assert told("sheet_due") == ["evaluator4"]


def test_reminder_rule_when_its_audience_does_not_fit_its_event_then_the_database_refuses(twin_program):
    for event, audience in (("report_due", "owing"), ("sheet_due", "team")):
        with pytest.raises(IntegrityError), transaction.atomic():
            ReminderRule.objects.create(program=twin_program, event=event, audience=audience, offsets=[0])
