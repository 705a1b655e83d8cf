"""`load_portfolio FILE [--dry-run]`: the portfolio as a file, into the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from calls.actions.portfolio import load_portfolio
from common.actors import SYSTEM
from common.errors import NotReady, Refused
from common.loading import Ledger, Line
from programs.actions.portfolio import SHIPPED_PORTFOLIO


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = _(
            "Loads a portfolio file. A second time changes nothing; a broken file is refused as a whole."
        )
        parser.add_argument(
            "file", nargs="?", type=Path, default=SHIPPED_PORTFOLIO, help=_("JSON file; the shipped one if left out")
        )
        parser.add_argument("--dry-run", action="store_true", help=_("only say what would be done"))

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            ledger = load_portfolio(_bytes_of(file), by=SYSTEM, at=timezone.now(), dry_run=dry_run)
        except NotReady as refusal:
            places = "\n".join(f"  {blocker.field or '/'}: {blocker.message}" for blocker in refusal.blockers)
            raise CommandError(f"{file}: {refusal.message}\n{places}") from None
        except Refused as refusal:
            raise CommandError(f"{file}: {refusal.message}") from None
        for line in ledger.lines if int(options["verbosity"]) else []:
            self.stdout.write(_printed(line))
        self.stdout.write(_summary(ledger, dry_run))


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise CommandError(_("There is no file “%(file)s”. Check the path.") % {"file": file}) from None
    except OSError as error:
        raise CommandError(
            _("The file “%(file)s” cannot be read: %(reason)s.") % {"file": file, "reason": error.strerror}
        ) from None


def _printed(line: Line) -> str:
    if line.verb == "created":
        return f"+ {line.noun} {line.label}"
    differences = ", ".join(f"{name}: {line.before[name]} > {value}" for name, value in line.after.items())
    return f"~ {line.noun} {line.label}: {differences}"


def _summary(ledger: Ledger, dry_run: bool) -> str:
    if not ledger.has_changes:
        return _("No change: all %(count)s records are as the file says.") % {"count": ledger.left}
    title = _("This would be done; nothing was written:") if dry_run else _("Done:")
    rows = [
        _("%(noun)s: %(created)s created, %(changed)s changed, %(left)s left")
        % {"noun": noun, "created": counts.created, "changed": counts.changed, "left": counts.left}
        for noun, counts in ledger.counts.items()
    ]
    return "\n".join([title, *(f"  {row}" for row in rows)])
