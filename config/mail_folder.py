"""Mails into a folder, one `.eml` file each, for development: any mail program opens them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone


class EmailBackend(BaseEmailBackend):
    """Writes each mail to `EMAIL_FILE_PATH` under the time and its Message-ID; never overwrites one."""

    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        super().__init__(fail_silently=fail_silently, **options)
        self.folder = Path(settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """This function will write the mails and return how many there were."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for mail in email_messages:
            self._write(mail.message())
        return len(email_messages)

    def _write(self, message: Any) -> None:
        name = re.sub(r"[^A-Za-z0-9._-]", "", message["Message-ID"].partition("@")[0])[:100]
        text = message.as_bytes(linesep="\r\n")
        stem, count = f"{timezone.localtime():%Y%m%d-%H%M%S}-{name}", 1
        while True:
            path = self.folder / (f"{stem}.eml" if count == 1 else f"{stem}-{count}.eml")
            try:
                with path.open("xb") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                return
            except FileExistsError:
                count += 1
