"""One shape for every error: problem+json with `code`, `title`, `status`, `detail` and `blockers`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from rest_framework import exceptions

from common.errors import Blocker, NotAllowed, Refused

CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: gettext_lazy("The request cannot be understood"),
    401: gettext_lazy("Sign-in needed"),
    403: gettext_lazy("Not allowed"),
    404: gettext_lazy("Not found"),
    405: gettext_lazy("Method not allowed"),
    406: gettext_lazy("Format not available"),
    409: gettext_lazy("Refused"),
    413: gettext_lazy("Too large"),
    415: gettext_lazy("Content type not accepted"),
    422: gettext_lazy("The key was used for another request"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("The server failed"),
}
log = structlog.get_logger(__name__)


class Problem(Exception):
    """A refusal of the door itself: the request is wrong before any rule is asked."""

    def __init__(
        self, status: int, code: str, detail: str, *, field: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.blockers = [Blocker(field, code, detail)] if field else []
        self.headers = headers or {}


def bad_request(code: str, detail: str, field: str = "") -> Problem:
    """This function will make the 400 that names the field or parameter and says what to do."""
    return Problem(400, code, detail, field=field)


def language_of(request: HttpRequest) -> str:
    """This function will return ja or en by Accept-Language; ja when it names neither. Cookies do not count here."""
    for name, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        if (base := name.split("-")[0]) in ("ja", "en"):
            return base
    return "ja"


def problem_response(
    status: int, code: str, detail: str, *, blockers: Sequence[Blocker] = (), headers: dict[str, str] | None = None
) -> HttpResponse:
    """This function will write the problem in the language that is active."""
    body = {
        "code": code,
        "title": str(TITLES[status]),
        "status": status,
        "detail": str(detail),
        "blockers": [{"field": b.field, "code": b.code, "message": str(b.message)} for b in blockers],
    }
    return HttpResponse(
        orjson.dumps(body),
        status=status,
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": "no-store", "Content-Language": get_language() or "ja", **(headers or {})},
    )


def problem_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """This function will turn whatever a view raised into a problem; what nobody expected is logged and a 500."""
    if isinstance(exc, Problem):
        return problem_response(exc.status, exc.code, exc.detail, blockers=exc.blockers, headers=exc.headers)
    if isinstance(exc, Refused):
        status = 403 if isinstance(exc, NotAllowed) else 409
        return problem_response(status, exc.code, exc.message, blockers=exc.blockers)
    if isinstance(exc, Http404 | exceptions.NotFound):
        return not_found()
    if isinstance(exc, exceptions.APIException):
        return _known(exc)
    if isinstance(exc, PermissionDenied):
        return problem_response(403, "permission_denied", _("This client may not do this."))
    if isinstance(exc, SuspiciousOperation | UnreadablePostError):
        return problem_response(400, "bad_request", _("The request could not be read. Send it again."))
    log.error("api.failed", path=context["request"].path, exc_info=exc)
    return problem_response(
        500, "server_error", _("Something failed on our side; nothing was changed. Try again later.")
    )


def not_found() -> HttpResponse:
    """This function will answer 404: the same whether the thing is missing or out of the client's scope."""
    return problem_response(
        404, "not_found", _("There is nothing here that this client may see. Check the address and the reference.")
    )


def _known(exc: exceptions.APIException) -> HttpResponse:
    headers: dict[str, str] = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = header
    wait = getattr(exc, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    code, detail = _words(exc)
    return problem_response(exc.status_code, code, detail, headers=headers)


def _words(exc: exceptions.APIException) -> tuple[str, str]:
    """What to do next, in our words: the framework's texts only say what is wrong."""
    match exc:
        case exceptions.NotAuthenticated():
            return "not_authenticated", _(
                "Send a bearer token. Get one from /api/oauth/token/ with client credentials."
            )
        case exceptions.AuthenticationFailed():
            return "invalid_token", _("The token is not valid or has expired. Get a new one from /api/oauth/token/.")
        case exceptions.MethodNotAllowed():
            return "method_not_allowed", _("This address does not take this method. See the Allow header.")
        case exceptions.NotAcceptable():
            return "not_acceptable", _("Answers are JSON only. Leave the Accept header out or send application/json.")
        case exceptions.UnsupportedMediaType():
            return "unsupported_media_type", _("Send the body as application/x-ndjson: one JSON object a line.")
        case exceptions.Throttled():
            seconds = {"seconds": math.ceil(exc.wait or 1)}
            return "too_many_requests", _("Too many requests. Try again in %(seconds)s seconds.") % seconds
        case exceptions.PermissionDenied():
            return str(exc.get_codes()), str(exc.detail)
        case _:
            return "bad_request", str(exc.detail)
