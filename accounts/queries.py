"""What leaves this app: the grants of one signed-in principal, and where people work."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from accounts.grants import NOBODY, AgencyClient, Grants, grants_of, in_force
from accounts.models import Affiliation, Organization, Person

__all__ = ["NOBODY", "AgencyClient", "Grants", "grants_of", "in_force", "organizations_of", "people_called"]


def organizations_of(person_id: int | None, on: date) -> QuerySet[Organization]:
    """This function will return where the person works on this day."""
    if person_id is None:
        return Organization.objects.none()
    return Organization.objects.filter(
        pk__in=Affiliation.objects.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=on), person_id=person_id, starts_on__lte=on
        ).values("organization_id")
    )


def people_called(text: str) -> list[Person]:
    """This function will find people by reference, mail address of their sign-in or whole name; at most two."""
    wanted = text.strip()
    if not wanted:
        return []
    by_name = Q(name_ja=wanted) | Q(name_en__iexact=wanted)
    found = Person.objects.filter(by_name | Q(ref=wanted.upper()) | Q(user__email=wanted.lower()))
    return list(found.order_by("pk").distinct()[:2])
