"""`create_first_staff A B`: the first two people, who then grant every further role."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actions.people import create_person, create_user
from accounts.actions.roles import create_first_staff
from accounts.models import User
from common.actors import SYSTEM
from common.errors import Refused


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.description = _(
            "Makes the first two ministry staff, each approved by the other. Later roles are granted in the admin."
        )
        parser.add_argument("emails", nargs=2, metavar="EMAIL", help=_("mail addresses of two different people"))
        parser.add_argument("--names", nargs=2, metavar="NAME", help=_("their names, for addresses without a sign-in"))

    def handle(self, *args: Any, emails: list[str], names: list[str] | None, **options: Any) -> None:
        """This function will open missing sign-ins, then found the staff; nothing is written when it is refused."""
        try:
            with transaction.atomic():
                users = [_user(email, names[i] if names else "") for i, email in enumerate(emails)]
                create_first_staff(*users, at=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal.message)) from refusal
        done = _("%(first)s and %(second)s are ministry staff now. A role that one of them grants, the other approves.")
        self.stdout.write(done % {"first": emails[0], "second": emails[1]})


def _user(email: str, name: str) -> User:
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is not None:
        return user
    if not name:
        raise CommandError(_("There is no sign-in for %(email)s. Give both names with --names.") % {"email": email})
    at = timezone.now()
    return create_user(create_person(name_ja=name, by=SYSTEM, at=at), email=email, by=SYSTEM, at=at)
