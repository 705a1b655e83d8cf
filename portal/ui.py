"""`/ui/`: every component of the look on one page; in development only."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from common.errors import Blocker
from portal.access import PAGES, not_found


class ExampleForm(forms.Form):
    """A form as the portal shows it."""

    reason = forms.CharField(label=_("Reason"), help_text=_("Two or three sentences."))
    comment = forms.CharField(label=_("Comment"), required=False, widget=forms.Textarea)


def components_page(request: HttpRequest) -> HttpResponse:
    """This page will show the components with examples."""
    if settings.APP_ENVIRONMENT == "production":
        return not_found(request)
    steps = [
        {"label": _("being written"), "state": "done", "note": ""},
        {"label": _("submitted"), "state": "here", "note": ""},
        {"label": _("accepted"), "state": "next", "note": ""},
    ]
    blockers = [Blocker("id_reason", "required", str(_("Give the reason.")))]
    form = ExampleForm({"reason": ""})
    context = {"steps": steps, "blockers": blockers, "form": form, "effects": [_("Sends one mail.")], "is_sample": True}
    return render(request, "portal/ui.html", context)


PAGES["portal.ui.components_page"] = "open in development, 404 in production"
