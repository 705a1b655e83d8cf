"""Invitations to a panel: accepted with the pledge (誓約), or declined with a reason, by the invited person alone."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, Refused
from common.states import locked, move
from common.text import clean
from evaluations import notices
from evaluations.models import Panel, PanelMember
from evaluations.queries.panels import pledge_of
from evaluations.rules.panels import invitation_actions
from evaluations.states import MEMBER_MOVES


@transaction.atomic
def accept_invitation(member: PanelMember, *, pledge: bool, shown: str, by: User, at: datetime) -> PanelMember:
    """This function will take an acceptance with the pledge; the text is kept as it was shown.

    Raises `NotAllowed`, `Refused` when the pledge is not given or its text (`shown`) was changed in the meantime.
    """
    row = _locked_for(member, "accept", by, at)
    if not pledge:
        raise Refused(_("Read the pledge and tick it. Whoever does not give it declines."), "no_pledge", "pledge")
    text = pledge_of(row.panel)
    if _plain(shown) != _plain(text):
        message = _("The pledge was changed in the meantime. Read it again and tick it.")
        raise Refused(message, "pledge_changed", "pledge")
    row.answered_at = row.pledged_at = at
    row.pledge_text = text
    before = move(row, "accept", MEMBER_MOVES, also=("answered_at", "pledged_at", "pledge_text"))
    record("accept_invitation", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    notices.panel_answered(row, at=at)
    return row


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


@transaction.atomic
def decline_invitation(member: PanelMember, *, reason: str, by: User, at: datetime) -> PanelMember:
    """This function will take the refusal of an invitation. Raises `NotAllowed`, `Refused` without a reason."""
    row = _locked_for(member, "decline", by, at)
    why = clean(reason).strip()
    if not why:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    row.answered_at, row.end_reason = at, why
    before = move(row, "decline", MEMBER_MOVES, also=("answered_at", "end_reason"))
    record("decline_invitation", row, by=by, at=at, before={"state": before}, after={"state": row.state}, reason=why)
    notices.panel_answered(row, at=at)
    return row


def _locked_for(member: PanelMember, act: str, by: User, at: datetime) -> PanelMember:
    locked(Panel, member.panel_id)
    row = locked(PanelMember, member.pk)
    if f"invitation.{act}" not in invitation_actions(by, row, localdate(at)):
        raise NotAllowed(_("This invitation is not open to you, or it is answered or over."))
    return row
