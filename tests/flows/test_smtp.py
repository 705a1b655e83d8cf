"""Mails over a real SMTP server, addressed as EMAIL_URL says."""

import email
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import AsyncMessage

from common.mail import Recipient, queue, send_queued
from common.models import OutgoingMail
from config.settings.environment import mail

AT = datetime(2026, 6, 10, tzinfo=UTC)


class Letterbox(AsyncMessage):
    """Keeps what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[EmailMessage] = []

    def prepare_message(self, session: Any, envelope: Any) -> Any:
        return email.message_from_bytes(envelope.content, policy=policy.default)

    async def handle_message(self, message: Any) -> None:
        self.mails.append(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port(settings: Any, db: None) -> int:
    """A port to which EMAIL_URL points; nobody listens yet, and the outbox is empty."""
    OutgoingMail.objects.all().delete()
    number = _free_port()
    for name, value in mail(f"smtp://127.0.0.1:{number}").items():
        setattr(settings, name, value)
    return number


@pytest.fixture
def letterbox(port: int) -> Iterator[Letterbox]:
    box = Letterbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box
    server.stop()


def _queue(key: str) -> None:
    queue("sign_in", Recipient("pd1@sample.example"), {"link": "/sign-in/x/"}, key, at=AT)


def test_mail_when_sent_by_smtp_then_it_arrives_once_and_whole(letterbox: Letterbox) -> None:
    for _ in range(3):
        _queue("trial:1")
    assert [send_queued(at=AT), send_queued(at=AT)] == [1, 0]
    (arrived,) = letterbox.mails
    row = OutgoingMail.objects.get(key="trial:1")
    assert (arrived["Subject"], arrived["To"]) == (row.subject, "pd1@sample.example")
    assert arrived["Message-ID"] == row.message_id
    assert arrived.get_content().replace("\r\n", "\n") == row.body
    assert row.state == OutgoingMail.State.SENT


def test_mail_when_the_server_is_away_then_it_waits_and_says_why(port: int) -> None:
    _queue("trial:2")
    assert send_queued(at=AT) == 0
    row = OutgoingMail.objects.get(key="trial:2")
    assert (row.state, row.attempts, row.send_after) == (OutgoingMail.State.QUEUED, 1, AT + timedelta(minutes=2))
    assert row.last_error.startswith("ConnectionRefusedError")


def test_mail_when_the_server_is_back_then_it_is_sent(port: int) -> None:
    _queue("trial:3")
    send_queued(at=AT)
    box = Letterbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        assert [send_queued(at=AT), send_queued(at=AT + timedelta(minutes=2))] == [0, 1]
    finally:
        server.stop()
    assert len(box.mails) == 1
