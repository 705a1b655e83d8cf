"""What every request carries: an id, the instant it arrived, and headers for pages behind the sign-in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import structlog
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

GetResponse = Callable[[HttpRequest], HttpResponse]
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
SAFE_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class RequestContext:
    """Gives the request an id (kept from a proxy when it is well formed) and `received_at`, the clock of deadlines."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.received_at = timezone.now()  # type: ignore[attr-defined]
        given = request.headers.get("X-Request-ID", "")
        request_id = given if SAFE_ID.match(given) else secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class NeverStoreSignedIn:
    """Nothing behind the sign-in stays in a cache."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response["Cache-Control"] = "no-store"
        return response


class ContentPolicy(CSPMiddleware):
    """The content security policy of pages; what the API answers is never a page and may load nothing at all.

    A constant there, since building the policy takes a fifteenth of a whole API answer.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info.startswith("/api/"):
            response.headers.setdefault("Content-Security-Policy", API_POLICY)
            return response
        return super().process_response(request, response)
