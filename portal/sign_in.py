"""Signing in by a one-time address (sample people). Opening it shows a button; only the POST uses it up."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.actions.sign_in_links import use_sign_in_link
from common.errors import Refused
from portal.access import PAGES, clock


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """This page will sign the sample person in. Mail scanners only GET, so they cannot use the link up."""
    if request.method == "GET":
        return render(request, "portal/sign_in_link.html", {"is_sample": True})
    try:
        user = use_sign_in_link(token, at=clock(request))
    except Refused as refusal:
        return render(request, "400.html", {"problem": refusal.message, "path": "/accounts/login/"}, status=400)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect("/")


PAGES["portal.sign_in.sign_in_by_link"] = "open to whoever holds the one-time address"
