"""An invitation to a panel: which round, which term, the pledge; accepted, declined, and the letters afterwards."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from evaluations.actions import invitations as actions
from evaluations.models import PanelMember
from evaluations.queries.panels import appointments_of, pledge_in_english, pledge_of
from evaluations.rules.panels import invitation_actions
from portal.access import clock, page
from portal.acts import Act, ask_once
from portal.forms.panel import AcceptForm
from portal.forms.round import ReasonForm
from portal.panels import document_of
from programs.drawings import language

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This invitation is not open to you, or it is answered or over.")


def find_invitation(user: Any, ref: str) -> Any:
    """This function will return the reader's own invitation or appointment on this panel, the latest."""
    return appointments_of(user).filter(panel__ref=ref)


def _may(act: str) -> Any:
    return lambda user, member: f"invitation.{act}" in invitation_actions(user, member, localdate())


@page(permission="invitation.view", find=find_invitation, methods=BOTH)
def invitation_page(request: HttpRequest, member: PanelMember) -> HttpResponseBase:
    """This function will show the invited person what is asked, and take the acceptance with the pledge."""
    panel = member.panel
    allowed = invitation_actions(request.user, member, localdate(clock(request)))
    text = pledge_of(panel)
    data = request.POST if request.method == "POST" else None
    form = AcceptForm(data=data, initial={"shown": text})
    if data is not None:
        if "invitation.accept" not in allowed:
            raise NotAllowed(NOT_NOW)
        if form.is_valid() and _accepted(request, member, form):
            messages.success(request, _("You are appointed. Letter and pledge are below."))
            return redirect("invitation", ref=panel.ref)
        # What is shown is what the next answer is about.
        form.data = {**form.data.dict(), "shown": text}  # type: ignore[attr-defined]
    due_on = panel.round.declarations_due_on
    context = {
        "answer_by": due_on if due_on and due_on >= localdate(clock(request)) else None,
        "member": member, "round": panel.round, "form": form, "allowed": {one.split(".")[1] for one in allowed},
        "pledge": member.pledge_text or text, "translation": pledge_in_english(panel) if language() == "en" else "",
        "is_sample": panel.is_sample,
    }  # fmt: skip
    return render(request, "portal/panels/invitation.html", context, status=200 if data is None else 422)


def _accepted(request: HttpRequest, member: PanelMember, form: AcceptForm) -> bool:
    try:
        actions.accept_invitation(member, **form.cleaned_data, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return False
    return True


@page(permission="invitation.decline", find=find_invitation, may=_may("decline"), why=NOT_NOW, methods=BOTH)
def invitation_decline(request: HttpRequest, member: PanelMember) -> HttpResponseBase:
    """This function will ask why, then decline the invitation."""
    home = reverse("invitation", args=[member.panel.ref])
    act = Act(
        heading=_("Decline the invitation?"), button=_("Decline the invitation"),
        done=_("You have declined. Thank you for your answer."), home=home,
        trail=[(home, _("Invitation to the panel"))],
        effects=[_("The evaluation secretariat is told, and invites somebody else."), _("This cannot be taken back.")],
    )  # fmt: skip
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, member, actions.decline_invitation, act, form=form)


@page(permission="invitation.letters", find=find_invitation, may=_may("letters"), why=NOT_NOW)
def invitation_document(request: HttpRequest, member: PanelMember, kind: str) -> HttpResponseBase:
    """This function will hand the member the own letter of appointment or pledge."""
    return document_of(request, member, kind)
