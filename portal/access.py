"""The lock of the people's door: sign in, find (else 404), may (else 403 that says why), refusals become messages.

Every page wears `@page(permission=...)`; `PAGES` lists them all with their permission, so that a test can read it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from programs.rules import actions_allowed

__all__ = ["PAGES", "BadQuery", "clock", "not_found", "page"]

View = Callable[..., HttpResponseBase]
Find = Callable[..., QuerySet[Any]]
May = Callable[[Any, Any], bool]

NOT_YOURS = gettext_lazy("Your roles do not include this page. Ask the ministry's staff if you need it.")

#: "portal.projects.project_page" > "project.view".
PAGES: dict[str, str] = {}


class BadQuery(Exception):
    """The address asks for something the page does not know; answered with 400 and this message."""


@dataclass(frozen=True, slots=True)
class Lock:
    """What stands before one page."""

    permission: str
    find: Find | None
    keys: tuple[str, ...]
    may: May | None
    why: Any
    params: frozenset[str]
    methods: tuple[str, ...]
    is_public: bool = False

    def allows(self, user: Any, found: Any) -> bool:
        if self.may is not None:
            return self.may(user, found)
        # The visible queryset has already answered whether it may be viewed.
        if found is None or self.permission.endswith(".view"):
            return True
        return self.permission in actions_allowed(user, found)


def page(
    *,
    permission: str,
    find: Find | None = None,
    key: str | tuple[str, ...] = "ref",
    may: May | None = None,
    why: Any = NOT_YOURS,
    params: Collection[str] = (),
    methods: Sequence[str] = ("GET", "HEAD"),
    is_public: bool = False,
) -> Callable[[View], View]:
    """This function will guard a view: `find(user, value of the address's key, ...)` returns the visible queryset.

    The view is called with the request and the object found. `may(user, object)` answers for permissions that are not
    `<noun>.view` of programs; `params` are the accepted query parameters, any other is a 400. A `Refused` that the view
    does not handle itself becomes a message on the same page, `NotAllowed` a 403 with its reason.
    `is_public`: what is published, for everybody without signing in.
    """
    keys = (key,) if isinstance(key, str) else key
    lock = Lock(permission, find, keys, may, why, frozenset(params), tuple(methods), is_public)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            response = _answer(lock, view, request, kwargs)
            response["Cache-Control"] = "no-store"
            return response

        PAGES[f"{view.__module__}.{view.__qualname__}"] = permission
        guarded.permission = permission  # type: ignore[attr-defined]
        guarded.lock = lock  # type: ignore[attr-defined]
        return guarded

    return decorate


def _answer(lock: Lock, view: View, request: HttpRequest, kwargs: dict[str, Any]) -> HttpResponseBase:
    if request.method not in lock.methods:
        return HttpResponseNotAllowed(lock.methods)
    if not request.user.is_authenticated and not lock.is_public:
        return _sign_in_first(request)
    subject: tuple[Any, ...] = ()
    if lock.find is not None:
        found = lock.find(request.user, *(kwargs.pop(key) for key in lock.keys)).first()
        if found is None:
            return not_found(request)
        subject = (found,)
    if not lock.allows(request.user, subject[0] if subject else None):
        return _forbidden(request, lock.why)
    try:
        _known_parameters(request, lock.params)
        return view(request, *subject, **kwargs)
    except BadQuery as problem:
        return _bad_query(request, str(problem))
    except NotAllowed as refusal:
        return _forbidden(request, refusal.message)
    except Refused as refusal:
        for blocker in refusal.blockers:
            messages.error(request, blocker.message)
        return HttpResponseRedirect(request.path)


def clock(request: HttpRequest) -> Any:
    """This function will return the instant the request was received; the one clock of everything it causes."""
    if not hasattr(request, "received_at"):
        request.received_at = timezone.now()  # type: ignore[attr-defined]
    return request.received_at  # type: ignore[attr-defined]


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """This function will answer 404: the same body whether missing, out of scope, conflicted or not yet released."""
    response = render(request, "404.html", status=404)
    response["Cache-Control"] = "no-store"
    return response


def _sign_in_first(request: HttpRequest) -> HttpResponseBase:
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    # The session ended in the middle of a form: hand the text back instead of losing it.
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken" and value.strip()
    ]
    return render(request, "portal/session_ended.html", {"typed": typed, "path": request.path}, status=401)


def _forbidden(request: HttpRequest, why: Any) -> HttpResponse:
    return render(request, "403.html", {"why": why}, status=403)


def _bad_query(request: HttpRequest, problem: str) -> HttpResponse:
    return render(request, "400.html", {"problem": problem, "path": request.path}, status=400)


def _known_parameters(request: HttpRequest, known: frozenset[str]) -> None:
    unknown = sorted(set(request.GET) - known)
    if unknown:
        raise BadQuery(
            _("The address contains “%(name)s”, which this page does not know. Open the page without it.")
            % {"name": unknown[0][:40]}
        )
