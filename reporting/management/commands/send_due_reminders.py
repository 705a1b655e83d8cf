"""`manage.py send_due_reminders [--now ISO]`: what the timetable does at 07:00, and the outbox sent at once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from common.instants import instant
from common.mail import send_queued
from reporting.actions.reminders import send_due_reminders


class Command(BaseCommand):
    """Queues the reminders and digests that are due and sends the outbox; each mail goes out once."""

    help = "Sends the reminders that are due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", type=instant, default=None, help="as of this instant, such as 2026-05-15T07:00")

    def handle(self, *args: Any, **options: Any) -> None:
        at = options["now"] or instant("")
        reminders, digests = send_due_reminders(at=at)
        sent = send_queued(at=at, limit=100_000)
        self.stdout.write(f"{reminders} reminders and {digests} digests queued, {sent} mails sent")
