"""The token endpoint: client credentials against a bearer token, as RFC 6749 has it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from oauth2_provider.views.mixins import OAuthLibMixin
from rest_framework.request import Request

from api.views import ApiView


class TokenView(OAuthLibMixin, ApiView):
    """Errors of the exchange itself keep the RFC's own shape: `error` and `error_description`."""

    http_method_names: ClassVar[list[str]] = ["post"]
    authentication_classes: ClassVar[list[Any]] = []
    permission_classes: ClassVar[list[Any]] = []
    throttle_classes: ClassVar[list[Any]] = []

    def post(self, request: Request) -> HttpResponse:
        _url, headers, body, status = self.create_token_response(request._request)
        return HttpResponse(body, status=status, headers=headers)
