"""`play_cycle [--seed N] [--out DIR] [--json FILE] [--now ISO]`: the main job end to end on the sample twin."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from reporting.sample_cycle import TOKYO, Cycle, Step, default_now, play
from reporting.sample_records import SampleRefused


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _(
            "Plays one cycle on the sample twin: reports opened, written, returned, accepted, PDFs written, reminders "
            "sent. Refused in production. A second run leaves what is there."
        )
        parser.add_argument("--seed", type=int, default=1, help=_("decides which report is returned once"))
        parser.add_argument("--out", type=Path, default=settings.BASE_DIR / "var" / "out", help=_("where the PDFs go"))
        parser.add_argument("--json", type=Path, help=_("also write steps, documents and mails to this file"))
        parser.add_argument("--now", type=_moment, help=_("moment of the play (ISO); else 10 June of the last season"))

    def handle(self, *args: Any, seed: int, out: Path, json: Path | None, now: datetime | None, **options: Any) -> None:
        """This function will play the cycle and print one line a step: name, count, milliseconds."""
        clock = timezone.now()
        cycle = Cycle(now=now or default_now(clock), clock=now or clock, seed=seed, out=out)
        self.stdout.write(_row(_("step"), _("count"), "ms"))
        try:
            steps = play(cycle, self._tell)
        except SampleRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        done = _("%(documents)s documents in %(folder)s, %(mails)s mails sent.")
        self.stdout.write(done % {"documents": len(cycle.documents), "folder": out, "mails": cycle.mails})
        if json is not None:
            _write(json, cycle, steps)

    def _tell(self, step: Step) -> None:
        self.stdout.write(_row(step.name, str(step.count), str(step.ms)))


def _row(name: str, count: str, ms: str) -> str:
    return f"{name:<34}{count:>7}{ms:>9}"


def _write(file: Path, cycle: Cycle, steps: list[Step]) -> None:
    told = {
        "steps": [{"name": step.name, "count": step.count, "ms": step.ms} for step in steps],
        "decisions": cycle.decisions,
        "documents": [str(path) for path in cycle.documents],
        "mails": cycle.mails,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)
