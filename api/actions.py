"""What changes a client: creating it and switching it off. Both leave a row in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import Application

from accounts.models import Organization
from api.models import ApiClient
from api.scopes import SCOPES
from common import audit
from common.actors import Actor
from common.errors import Refused


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client and its secret, which is known only now: the database keeps a hash."""

    client: ApiClient
    client_id: str
    secret: str


@transaction.atomic
def create_client(agency: str, scopes: Sequence[str], *, by: Actor, at: datetime) -> NewClient:
    """This function will create an OAuth client for the agency with this reference (upper or lower case).

    Raises Refused with the list of valid ones for an unknown agency or scope.
    """
    organization = _agency(agency)
    wanted = _scopes(scopes)
    secret = generate_client_secret()
    application = Application.objects.create(
        name=organization.name_ja,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
    )
    client = ApiClient.objects.create(application=application, organization=organization, scopes=wanted)
    audit.record(
        "create_api_client",
        client,
        by=by,
        at=at,
        after={"agency": organization.ref, "client_id": application.client_id, "scopes": wanted},
    )
    return NewClient(client, application.client_id, secret)


@transaction.atomic
def deactivate_client(client_id: str, *, by: Actor, at: datetime) -> ApiClient:
    """This function will switch a client off at once: its tokens count no more. Raises Refused when there is none."""
    client = ApiClient.objects.select_for_update().filter(application__client_id=client_id, is_active=True).first()
    if client is None:
        raise Refused(_("There is no active API client with this id."), "unknown_client", "client_id")
    client.is_active = False
    client.save(update_fields=["is_active"])
    audit.record("deactivate_api_client", client, by=by, at=at, before={"is_active": True}, after={"is_active": False})
    return client


def _agency(ref: str) -> Organization:
    agencies = Organization.objects.filter(is_funding_agency=True)
    found = agencies.filter(ref=ref.strip().lower()).first()
    if found is None:
        known = ", ".join(agencies.order_by("ref").values_list("ref", flat=True)) or "-"
        raise Refused(
            _("There is no funding agency “%(ref)s”. Agencies: %(known)s") % {"ref": ref, "known": known},
            "unknown_agency",
            "agency",
        )
    return found


def _scopes(scopes: Sequence[str]) -> list[str]:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Refused(
            _("Unknown scope “%(unknown)s”. Scopes: %(known)s")
            % {"unknown": " ".join(unknown), "known": " ".join(SCOPES)},
            "unknown_scope",
            "scopes",
        )
    return sorted(set(scopes))
