from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from api.actions import deactivate_client
from common.actors import SYSTEM
from common.errors import Refused


class Command(BaseCommand):
    help = "Switches an API client off at once; its tokens count no more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client_id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            client = deactivate_client(options["client_id"], by=SYSTEM, at=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{client} is off.")
