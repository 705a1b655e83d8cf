"""How sign-in behaves: accounts are made by staff, nobody signs up, its mails go through the outbox."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.notices import send_sign_in_mail


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up from outside; one way out for mails."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """This function will answer no: people are invited by staff."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """This function will render allauth's mail and put it into the outbox."""
        message = self.render_mail(template_prefix, email, context)
        send_sign_in_mail(email, message.subject, str(message.body), event=template_prefix.rsplit("/", 1)[-1])
