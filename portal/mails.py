"""My mails, and whether I get them one by one or once a day."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.actions.people import choose_digest
from portal.access import clock, page
from reporting.queries import mails_of

SHOWN = 100


@page(permission="mail.view", methods=("GET", "HEAD", "POST"))
def mails_page(request: HttpRequest) -> HttpResponseBase:
    """This function will show the mails sent to the reader and take the choice of the digest."""
    if request.method == "POST":
        choose_digest(request.user, request.POST.get("digest", ""), at=clock(request))  # type: ignore[arg-type]
        messages.success(request, _("Your choice was saved."))
        return HttpResponseRedirect(request.path)
    return render(request, "portal/mails/page.html", {"mails": mails_of(request.user)[:SHOWN], "limit": SHOWN})  # type: ignore[arg-type]
