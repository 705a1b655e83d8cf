"""`manage.py sign_in_link EMAIL`: a one-time sign-in address for a sample person."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actions.sign_in_links import create_sign_in_link
from common.errors import Refused


class Command(BaseCommand):
    """Prints the address."""

    help = "Prints a one-time sign-in address for a sample person (not in production)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", nargs="+", help="such as pd1@sample.example")

    def handle(self, *args: Any, **options: Any) -> None:
        for email in options["email"]:
            try:
                path = create_sign_in_link(email, at=timezone.now())
            except Refused as refusal:
                raise CommandError(str(refusal.message)) from None
            self.stdout.write(settings.SITE_URL.rstrip("/") + path)
