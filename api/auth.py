"""Who calls: a bearer token becomes the client of one agency; only client credentials are ever exchanged for one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.queries import AgencyClient
from api.models import ApiClient
from api.scopes import SCOPES
from api.statements import prepared
from api.throttling import SPEND, request_terms, spend

# One statement for every request: who holds the token, and one request off the client's rate. Built through the ORM it
# would cost as much as a whole page of a list.
_ENTER = f"""
    WITH caller AS (
        SELECT client.organization_id, organization.ref, application.client_id, client.scopes, token.scope,
               'requests:' || application.client_id AS bucket
        FROM oauth2_provider_accesstoken AS token
        JOIN oauth2_provider_application AS application ON application.id = token.application_id
        JOIN api_apiclient AS client ON client.application_id = application.id
        JOIN accounts_organization AS organization ON organization.id = client.organization_id
        WHERE token.token_checksum = %(checksum)s AND token.expires > now()
          AND client.is_active AND organization.is_funding_agency
    ), spent AS (
        {SPEND.format(bucket="SELECT bucket, clock_timestamp() + %(cost)s * interval '1 second' FROM caller")}
    )
    SELECT caller.*, EXISTS (SELECT FROM spent) FROM caller
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """How the client came in: the bucket its requests are counted in, and whether this one is within the rate."""

    bucket: str
    within_rate: bool


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer <token>`; the client must be active and its organization a funding agency."""

    def authenticate(self, request: Request) -> tuple[AgencyClient, Entry] | None:
        """This function will return the agency's client, or None when no token was sent at all."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2 or (entered := client_of_token(parts[1])) is None:
            raise AuthenticationFailed
        return entered

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="sekisho"'


def client_of_token(token: bytes) -> tuple[AgencyClient, Entry] | None:
    """This function will find the client and count the request; a scope withdrawn since the token does not count."""
    rows = prepared(_ENTER, {"checksum": hashlib.sha256(token).hexdigest(), **request_terms()})
    if not rows:
        return None
    organization_id, organization_ref, client_id, allowed, granted, bucket, within_rate = rows[0]
    scopes = frozenset(allowed) & frozenset(granted.split())
    return AgencyClient(organization_id, organization_ref, client_id, scopes), Entry(bucket, within_rate)


class HasScope(BasePermission):
    """The view names the scope of each method; a view that names none lets nobody in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        scope = view.scopes.get("GET" if request.method == "HEAD" else request.method)
        if scope is None:
            # The method does not exist here; the view answers that once the caller is known.
            return request.method not in view.allowed_methods
        if scope not in request.user.scopes:
            raise PermissionDenied(
                _("This needs the scope “%(scope)s”, which the token does not carry. Ask for a token with it.")
                % {"scope": scope},
                code="insufficient_scope",
            )
        return True


class ClientScopes(BaseScopes):
    """A client can be given the scopes on its own list; asking for none means all of them."""

    def get_all_scopes(self) -> dict[str, str]:
        return SCOPES

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        client = ApiClient.objects.filter(application=application, is_active=True).first()
        return list(client.scopes) if client else []

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return self.get_available_scopes(application)


class ClientValidator(OAuth2Validator):
    """A client that was switched off gets no token; guessing a client's secret is limited to a few tries a minute."""

    def _load_application(self, client_id: str, request: Any) -> Any:
        if not client_id or not client_id.isprintable():
            return None
        known = request.client is not None
        application = super()._load_application(client_id, request)
        if application is not None and not known:
            _spend_token_request(application)
        return application

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        if not super().authenticate_client(request, *args, **kwargs):
            return False
        return ApiClient.objects.filter(application=request.client, is_active=True).exists()


def _spend_token_request(application: Application) -> None:
    seconds = spend(
        f"tokens:{application.client_id}",
        per_minute=settings.API_TOKENS_PER_MINUTE,
        at_once=settings.API_TOKENS_AT_ONCE,
    )
    if seconds:
        raise Throttled(seconds)
