"""One-time sign-in addresses for sample people."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import SignInLink, User
from common.actors import SYSTEM
from common.audit import record
from common.errors import Refused

VALID_FOR = timedelta(days=1)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def create_sign_in_link(email: str, *, at: datetime) -> str:
    """This function will return the path of an address that signs this sample person in once, within a day.

    Raises `Refused` in production, for an unknown address and for anybody who is not a sample person.
    """
    if settings.APP_ENVIRONMENT == "production":
        raise Refused(_("Sign-in links do not exist in production. Sign in with a passkey or a password."))
    user = User.objects.select_related("person").filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise Refused(_("Nobody has the address %(email)s. Run play_cycle first, then try again.") % {"email": email})
    if not user.is_sample:
        raise Refused(_("%(email)s is not a sample person; links are for sample people only.") % {"email": email})
    token = secrets.token_urlsafe(24)
    link = SignInLink.objects.create(user=user, token_hash=_hash(token), expires_at=at + VALID_FOR)
    record("create_sign_in_link", link, by=SYSTEM, at=at, after={"user": user.email})
    return f"/sign-in/{token}/"


@transaction.atomic
def use_sign_in_link(token: str, *, at: datetime) -> User:
    """This function will use up the link and return its user. Raises `Refused` when it is unknown, used or too old."""
    link = (
        SignInLink.objects.select_for_update(of=("self",))
        .select_related("user__person")
        .filter(token_hash=_hash(token))
        .first()
    )
    if settings.APP_ENVIRONMENT == "production" or link is None or link.used_at or link.expires_at < at:
        raise Refused(_("This sign-in address has been used or is too old. Make a new one with sign_in_link."))
    link.used_at = at
    link.save(update_fields=["used_at"])
    record("use_sign_in_link", link, by=link.user, at=at)
    return link.user
