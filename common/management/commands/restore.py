"""`manage.py restore DIR`: an empty database and the file storage from a backup; hashes and journal are verified."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from common.backup import restore
from common.errors import Refused
from common.journal import verify_journal


class Command(BaseCommand):
    """Restores and prints what came back."""

    help = "Fills an empty database and the file storage from a backup, and verifies hashes and the journal's chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder written by `manage.py backup`")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        started = time.monotonic()
        try:
            copied = restore(folder, database=settings.DATABASE_OWNER)
        except Refused as refusal:
            raise CommandError(str(refusal.message)) from None
        broken = verify_journal(copied.journal_head)
        if broken:
            raise CommandError(f"The journal's chain breaks at link {broken.number}: {broken.problem}.")
        self.stdout.write(
            f"Restored: database, {copied.files} files ({copied.size:,} bytes), every hash right, "
            f"the journal's chain whole, {time.monotonic() - started:.1f} s"
        )
