"""The mails of sign-in: password reset and changes of the second factor."""

from __future__ import annotations

import secrets

from django.utils import timezone

from accounts.models import User
from common.mail import Recipient, queue


def send_sign_in_mail(email: str, subject: str, body: str, *, event: str) -> None:
    """This function will queue one mail of the sign-in; each is its own, so the key is random, and none waits."""
    user = User.objects.filter(email=email.lower()).first()
    queue(
        "sign_in",
        Recipient(email, user.language if user else "ja", user.pk if user else None),
        {"subject": subject, "body": body},
        key=f"sign-in:{event}:{secrets.token_hex(12)}",
        at=timezone.now(),
        event=event[:60],
        urgent=True,
    )
