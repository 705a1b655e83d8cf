"""The grants of one signed-in principal, read once per request: what every rule begins with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q
from django.utils import timezone

from accounts.models import RoleGrant, User


@dataclass(frozen=True, slots=True)
class AgencyClient:
    """A machine of one agency: what an OAuth client acts as. It never is more than an agency's person."""

    organization_id: int
    organization_ref: str
    client_id: str
    scopes: frozenset[str] = field(default_factory=frozenset)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> str:
        return self.client_id

    @property
    def actor_kind(self) -> str:
        return "client"

    @property
    def actor_id(self) -> str:
        return self.client_id

    @property
    def actor_label(self) -> str:
        return f"{self.organization_ref} ({self.client_id[:8]})"


def in_force(on: date, prefix: str = "") -> Q:
    """This function will return the condition that an approved tenure holds on this day."""
    return Q(
        Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gte": on}),
        **{f"{prefix}starts_on__lte": on, f"{prefix}approved_by__isnull": False},
    )


@dataclass(frozen=True, slots=True)
class Grants:
    """Everything global that a principal holds today: person, roles with their organization, agency of a client."""

    person_id: int | None
    roles: frozenset[tuple[str, int | None]]
    client_organization_id: int | None = None

    def has(self, role: str) -> bool:
        return any(held == role for held, _ in self.roles)

    def organizations(self, *roles: str) -> list[int]:
        """The organizations for which one of these roles is held."""
        return sorted({scope for held, scope in self.roles if held in roles and scope is not None})


NOBODY = Grants(None, frozenset())


def grants_of(principal: object) -> Grants:
    """This function will read the grants of a user or client; kept on the principal, which lives for one request."""
    cached = getattr(principal, "_grants", None)
    if isinstance(cached, Grants):
        return cached
    if isinstance(principal, AgencyClient):
        return Grants(None, frozenset(), principal.organization_id)
    if not isinstance(principal, User) or not principal.is_active or principal.person_id is None:
        return NOBODY
    held = RoleGrant.objects.filter(in_force(timezone.localdate()), person_id=principal.person_id)
    grants = Grants(principal.person_id, frozenset(held.values_list("role", "organization_id")))
    principal._grants = grants  # type: ignore[attr-defined]
    return grants
