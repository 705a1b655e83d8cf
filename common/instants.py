"""Reading an instant that an operator typed."""

from argparse import ArgumentTypeError
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime


def instant(text: str) -> datetime:
    """This function will read `2026-05-15T07:00` (Japan time unless it says otherwise); an empty text means now.

    Raises ArgumentTypeError, so that it serves as an argument type of commands.
    """
    if not text:
        return timezone.now()
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not an instant; write it like 2026-05-15T07:00")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
