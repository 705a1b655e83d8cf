"""The outbox: `queue()` writes a row in the caller's transaction, `send_queued()` sends what is due after commit.

Only `*.notices` modules call `queue`. Mails carry links and case numbers, nothing sensitive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction
from django.template.loader import get_template
from django.utils import translation

from common.background import run_later
from common.models import OutgoingMail

MAX_ATTEMPTS = 8
BATCH = 1000
#: By event: whether a waiting mail is still wanted and its recipient may still read it. Apps above register theirs.
_checks: dict[str, Callable[[OutgoingMail], bool]] = {}


def ask_before_sending(event: str, is_wanted: Callable[[OutgoingMail], bool]) -> None:
    """This function will have every mail of this event asked about right before it is sent; a no cancels it."""
    _checks[event] = is_wanted


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a mail goes: address, language and whether the person takes one digest a day."""

    email: str
    language: str = "ja"
    id: int | None = None
    wants_digest: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to be: `templates/mail/<template>.<language>.txt` with the subject in its first line.

    `key` is unique for ever: what was queued under it is never queued again.
    """

    template: str
    to: Recipient
    context: dict[str, Any]
    key: str
    event: str = ""
    subject_ref: str = ""
    urgent: bool = False


def queue(
    template: str,
    to: Recipient,
    context: dict[str, Any],
    key: str,
    *,
    at: datetime,
    event: str = "",
    subject_ref: str = "",
    urgent: bool = False,
) -> OutgoingMail | None:
    """This function will write one row to the outbox and return it, or None when `key` has already been queued.

    A recipient who takes a digest gets what is not urgent with the next digest.
    """
    letter = Letter(template, to, context, key, event, subject_ref, urgent)
    return OutgoingMail.objects.filter(key=key).first() if queue_many([letter], at=at) else None


def queue_many(letters: Iterable[Letter], *, at: datetime) -> int:
    """This function will write many rows at once and return how many are new; a key queued before is left alone.

    The database decides (ON CONFLICT DO NOTHING), so that two runs at once still queue once.
    """
    rows = [_row(letter, at) for letter in letters]
    made = 0
    for start in range(0, len(rows), BATCH):
        made += _insert(rows[start : start + BATCH])
    if made:
        run_later("common.send_outgoing_mail")
    return made


def _insert(rows: list[OutgoingMail]) -> int:
    # bulk_create does not tell which rows were new; the statement itself does.
    fields = [f for f in OutgoingMail._meta.concrete_fields if not f.primary_key]
    columns = ", ".join(f'"{f.column}"' for f in fields)
    values = ", ".join(["(" + ", ".join(["%s"] * len(fields)) + ")"] * len(rows))
    params = [f.get_db_prep_save(f.pre_save(row, add=True), connection) for row in rows for f in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{OutgoingMail._meta.db_table}" ({columns}) VALUES {values} ON CONFLICT ("key") DO NOTHING',
            params,
        )
        return int(cursor.rowcount)


def _row(letter: Letter, at: datetime) -> OutgoingMail:
    to = letter.to
    with translation.override(to.language):
        text = get_template(f"mail/{letter.template}.{to.language}.txt").render(
            {**letter.context, "site_url": settings.SITE_URL, "recipient": to}
        )
    subject, _, body = text.partition("\n")
    held = to.wants_digest and not letter.urgent
    return OutgoingMail(
        key=letter.key,
        event=letter.event or letter.template,
        template=letter.template,
        language=to.language,
        recipient_id=to.id,
        recipient_email=to.email,
        subject=subject.strip(),
        body=body.strip() + "\n",
        subject_ref=letter.subject_ref,
        state=OutgoingMail.State.HELD if held else OutgoingMail.State.QUEUED,
        queued_at=at,
        send_after=at,
        message_id=message_id_for(letter.key),
    )


def message_id_for(key: str) -> str:
    """This function will make the Message-ID that stays the same for a key, however often it is sent."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
    safe = "".join(c if c.isalnum() or c in "-_." else "." for c in key)
    return f"<{safe}@{domain}>"


def send_queued(*, at: datetime, limit: int = 500) -> int:
    """This function will send what is due, one short transaction a mail, and return how many went out.

    `FOR UPDATE SKIP LOCKED` lets several workers share the queue. A worker killed between the send and the commit
    sends that one mail again under the same Message-ID; none is lost.
    """
    sent = 0
    server = get_connection()
    try:
        for _ in range(limit):
            outcome = _send_next(server, at)
            if outcome is None:
                break
            sent += outcome
    finally:
        server.close()
    return sent


def _send_next(server: Any, at: datetime) -> int | None:
    with transaction.atomic():
        mail = (
            OutgoingMail.objects.select_for_update(skip_locked=True)
            .filter(state=OutgoingMail.State.QUEUED, send_after__lte=at)
            .order_by("send_after", "id")
            .first()
        )
        if mail is None:
            return None
        if mail.event in _checks and not _checks[mail.event](mail):
            mail.state = OutgoingMail.State.CANCELLED
            mail.save(update_fields=["state"])
            return 0
        mail.attempts += 1
        try:
            EmailMessage(
                mail.subject,
                mail.body,
                settings.DEFAULT_FROM_EMAIL,
                [mail.recipient_email],
                connection=server,
                headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
            ).send()
        except OSError as error:
            _postpone(mail, at, error)
            return 0
        mail.state, mail.sent_at, mail.last_error = OutgoingMail.State.SENT, at, ""
        mail.save(update_fields=["state", "sent_at", "attempts", "last_error"])
        return 1


def _postpone(mail: OutgoingMail, at: datetime, error: Exception) -> None:
    mail.last_error = f"{type(error).__name__}: {error}"[:300]
    if mail.attempts >= MAX_ATTEMPTS:
        mail.state = OutgoingMail.State.FAILED
    mail.send_after = at + timedelta(minutes=2**mail.attempts)
    mail.save(update_fields=["state", "send_after", "attempts", "last_error"])
