"""People, their sign-ins and where they work."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Affiliation, Organization, Person, User
from accounts.rules import may_manage_people
from common.actors import Actor
from common.audit import record
from common.errors import NotAllowed, Refused
from common.states import locked
from common.text import clean_line


def refuse_unless_managing(by: object) -> None:
    """This function will raise `NotAllowed` when the actor may not keep people and roles."""
    if not may_manage_people(by):
        raise NotAllowed(_("Only ministry staff enter people and roles. Ask the ministry's officer in charge."))


@transaction.atomic
def create_person(
    *,
    name_ja: str,
    name_kana: str = "",
    name_en: str = "",
    orcid: str = "",
    erad_number: str = "",
    is_sample: bool = False,
    by: Actor,
    at: datetime,
) -> Person:
    """This function will enter a person, with or without a sign-in later.

    Raises `NotAllowed`, and Django's `ValidationError` for an identifier whose check digit does not fit.
    """
    refuse_unless_managing(by)
    person = Person(
        name_ja=clean_line(name_ja),
        name_kana=clean_line(name_kana),
        name_en=clean_line(name_en),
        orcid=orcid,
        erad_number=erad_number,
        is_sample=is_sample,
    )
    person.full_clean()
    person.save()
    record("create_person", person, by=by, at=at, after={"name_ja": person.name_ja, "is_sample": is_sample})
    return person


@transaction.atomic
def create_user(person: Person, *, email: str, language: str = "ja", by: Actor, at: datetime) -> User:
    """This function will open a sign-in for a person, without a password and without a role.

    Raises `NotAllowed`, or `Refused` when the address or the person already has a sign-in.
    """
    refuse_unless_managing(by)
    address = email.strip().lower()
    if User.objects.filter(email=address).exists():
        raise Refused(_("There is already a sign-in with this mail address."), "email_taken", "email")
    if User.objects.filter(person=person).exists():
        raise Refused(_("This person already has a sign-in."), "person_taken", "person")
    user = User(email=address, person=person, language=language)
    user.set_unusable_password()
    user.full_clean(exclude=["password"])
    user.save()
    record("create_user", user, by=by, at=at, after={"person": person.ref})
    return user


@transaction.atomic
def affiliate(
    person: Person,
    organization: Organization,
    *,
    position: str = "",
    starts_on: date,
    ends_on: date | None = None,
    by: Actor,
    at: datetime,
) -> Affiliation:
    """This function will note where a person works from a day to a day. It gives no role. Raises `NotAllowed`."""
    refuse_unless_managing(by)
    affiliation = Affiliation(
        person=person, organization=organization, position=clean_line(position), starts_on=starts_on, ends_on=ends_on
    )
    affiliation.full_clean()
    affiliation.save()
    record(
        "affiliate", person, by=by, at=at,
        after={"organization": organization.ref, "starts_on": starts_on.isoformat(), "ends_on": _iso(ends_on)},
    )  # fmt: skip
    return affiliation


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@transaction.atomic
def choose_digest(user: User, choice: str, *, at: datetime) -> User:
    """This function will set whether the user gets each mail at once or one digest a day.

    Raises `Refused` for any other choice.
    """
    if choice not in User.Digest.values:
        raise Refused(_("Choose one of the two ways to get your mails."), "invalid_choice", "digest")
    row = locked(User, user.pk)
    if row.digest != choice:
        before, row.digest = row.digest, choice
        row.save(update_fields=["digest"])
        record("choose_digest", row, by=user, at=at, before={"digest": before}, after={"digest": choice})
    return row
