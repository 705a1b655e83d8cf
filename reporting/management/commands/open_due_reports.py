"""`manage.py open_due_reports [--now ISO]`: what the timetable does at 06:00."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from common.instants import instant
from reporting.actions.reports import open_due_reports


class Command(BaseCommand):
    """Opens the reports whose day has come; a second run makes nothing new."""

    help = "Opens the progress reports whose day has come."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", type=instant, default=None, help="as of this instant, such as 2026-06-01T06:00")

    def handle(self, *args: Any, **options: Any) -> None:
        opened = open_due_reports(at=options["now"] or instant(""))
        self.stdout.write(f"{len(opened)} reports opened")
