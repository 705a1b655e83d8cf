"""Who calls: a bearer token becomes the client of one agency; only client credentials are ever exchanged for one."""

from __future__ import annotations

import hashlib
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
from api.throttling import spend

# Written out, since it is asked with every request: built through the ORM it costs as much as a whole page of a list.
_CLIENT_OF_TOKEN = """
    SELECT client.organization_id, organization.ref, application.client_id, client.scopes, token.scope
    FROM oauth2_provider_accesstoken AS token
    JOIN oauth2_provider_application AS application ON application.id = token.application_id
    JOIN api_apiclient AS client ON client.application_id = application.id
    JOIN accounts_organization AS organization ON organization.id = client.organization_id
    WHERE token.token_checksum = %s AND token.expires > now() AND client.is_active AND organization.is_funding_agency
"""


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer <token>`; the client must be active and its organization a funding agency."""

    def authenticate(self, request: Request) -> tuple[AgencyClient, str] | None:
        """This function will return the agency's client, or None when no token was sent at all."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2 or (client := client_of_token(parts[1])) is None:
            raise AuthenticationFailed
        return client, "bearer"

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="sekisho"'


def client_of_token(token: bytes) -> AgencyClient | None:
    """This function will find the client in one query; a scope withdrawn after the token was given does not count."""
    rows = prepared(_CLIENT_OF_TOKEN, [hashlib.sha256(token).hexdigest()])
    if not rows:
        return None
    organization_id, organization_ref, client_id, allowed, granted = rows[0]
    return AgencyClient(organization_id, organization_ref, client_id, frozenset(allowed) & frozenset(granted.split()))


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
