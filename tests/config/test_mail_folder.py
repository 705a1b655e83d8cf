"""Mails in a folder: one readable file each."""

import email
from email import policy
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    return tmp_path / "mail"


def _send(message_id: str) -> None:
    connection = get_connection("config.mail_folder.EmailBackend")
    mail = EmailMessage("進捗報告書のお願い", "期限は4月30日です。\n", "a@sample.example", ["b@sample.example"])
    mail.extra_headers["Message-ID"] = message_id
    assert connection.send_messages([mail]) == 1


def test_mail_when_sent_then_its_file_reads_back(folder: Path) -> None:
    _send("<report-reminder.1@sample.example>")
    (path,) = folder.iterdir()
    read = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert path.name.endswith("-report-reminder.1.eml")
    assert (read["Subject"], read["To"]) == ("進捗報告書のお願い", "b@sample.example")
    assert read.get_content().strip() == "期限は4月30日です。"


def test_mail_when_its_id_holds_a_path_then_the_file_stays_in_the_folder(folder: Path) -> None:
    _send("<../../etc/x@sample.example>")
    assert [path.parent for path in folder.parent.rglob("*.eml")] == [folder]


def test_mail_when_sent_twice_in_a_second_then_both_are_kept(folder: Path) -> None:
    for _ in range(3):
        _send("<same@sample.example>")
    assert len(list(folder.iterdir())) == 3
