from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from api.actions import create_client
from api.scopes import SCOPES
from common.actors import SYSTEM
from common.errors import Refused


class Command(BaseCommand):
    help = "Creates an OAuth 2 client for a funding agency and prints its id and secret, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agency", required=True, help="reference of the agency, for example JST")
        parser.add_argument("--scopes", required=True, nargs="+", help="any of: " + " ".join(SCOPES))

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = " ".join(options["scopes"]).replace(",", " ").split()
        try:
            created = create_client(options["agency"], scopes, by=SYSTEM, at=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"client_id:     {created.client_id}")
        self.stdout.write(f"client_secret: {created.secret}")
        self.stdout.write("The secret is shown only now. Token: POST /api/oauth/token/ grant_type=client_credentials")
