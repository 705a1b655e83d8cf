"""`manage.py seal_journal`: links the journal's new rows now; the timetable does it every ten minutes."""

from typing import Any

from django.core.management.base import BaseCommand

from common.journal import seal_journal
from common.models import JournalSeal


class Command(BaseCommand):
    """Seals and prints the head of the chain."""

    help = "Links the journal's new rows into the chain and prints its head, to be kept elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        count = seal_journal()
        head = JournalSeal.objects.order_by("-number").first()
        self.stdout.write(f"{count} rows sealed; head {head.number}: {head.hash}" if head else "The journal is empty.")
