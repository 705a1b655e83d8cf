"""`manage.py backup DIR`: the database and every stored file into a new folder."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.backup import backup
from common.errors import Refused


class Command(BaseCommand):
    """Makes the backup and prints what is in it."""

    help = "Writes the database and every stored file, with hashes, into a new folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="a new or empty folder")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        started = time.monotonic()
        try:
            copied = backup(folder, at=timezone.now(), database=settings.DATABASE_OWNER)
        except Refused as refusal:
            raise CommandError(str(refusal.message)) from None
        self.stdout.write(
            f"{folder}: database, {copied.files} files ({copied.size:,} bytes), {time.monotonic() - started:.1f} s\n"
            f"journal head {copied.journal_head or '(nothing sealed yet)'}: keep it elsewhere as well"
        )
