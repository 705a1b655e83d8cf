"""`manage.py verify_journal [--head HASH]`: walks the journal's chain and names the first break."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.journal import verify_journal


class Command(BaseCommand):
    """Verifies; ends with an error when a link does not fit."""

    help = "Walks the journal's chain. With --head also shows a cut tail or an old copy that was put back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", default="", help="a head printed by seal_journal or backup")

    def handle(self, *args: Any, head: str, **options: Any) -> None:
        broken = verify_journal(head)
        if broken:
            raise CommandError(f"The chain breaks at link {broken.number}: {broken.problem}.")
        self.stdout.write("The chain is whole.")
