"""The mails of this app: a case number and a link, nothing sensitive; nobody in conflict is told anything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.timezone import localdate
from django.utils.translation import override

from accounts.models import User
from common.fiscal_year import datetime_text
from common.mail import ask_before_sending, queue
from common.models import OutgoingMail
from evaluations.models import Condition, GateDecision, Objection, PanelMember
from evaluations.states import ACCEPTED, INVITED
from programs.notices import recipient
from programs.queries.people import DIRECTOR, OFFICER, STAFF, TEAM, audience_of

INVITATION, ANSWERED = "panel_invitation", "panel_answered"


def decision_released(decision: GateDecision, *, at: datetime) -> int:
    """This function will tell the team, the officer and the director that a decision can be read; returns how many."""
    return _tell(decision, "decision_released", (TEAM, OFFICER, DIRECTOR), f"decision-released:{decision.ref}", at)


def objection_moved(objection: Objection, step: str, *, at: datetime) -> int:
    """This function will tell the ministry's staff of an objection, and the team of the answer to it."""
    audience = (STAFF,) if step == "file" else (TEAM,)
    key = f"objection-{step}:{objection.ref}"
    return _tell(objection.decision, "objection_moved", audience, key, at, step=step)


def condition_moved(condition: Condition, step: str, *, at: datetime) -> int:
    """This function will tell the officer that a condition was reported on, and the team what was found."""
    audience = (OFFICER,) if step == "report" else (TEAM,)
    key = f"condition-{step}:{condition.ref}:{at:%Y%m%d%H%M%S}"
    return _tell(condition.decision, "condition_moved", audience, key, at, step=step)


def _tell(decision: GateDecision, template: str, audiences: Iterable[str], key: str, at: datetime, **more: Any) -> int:
    review = decision.gate_review
    if review.project is None:
        return 0
    told: dict[int, User] = {}
    for audience in audiences:
        for user in audience_of([review.project.pk], audience, localdate(at))[review.project.pk]:
            told[user.pk] = user
    context = {
        "ref": review.ref,
        "project": review.project.ref,
        "url": f"{settings.SITE_URL.rstrip('/')}/gates/{review.ref}/decision/",
        "is_sample": review.is_sample,
        **more,
    }
    queued = 0
    for user in told.values():
        words = {**context, "at": datetime_text(at, user.language)}
        mail = queue(
            template, recipient(user), words, key=f"{key}:{user.pk}", at=at, event=template, subject_ref=review.ref
        )
        queued += mail is not None
    return queued


def panel_invited(member: PanelMember, *, at: datetime) -> int:
    """This function will invite a member, once an invitation; returns how many mails were queued."""
    user = User.objects.filter(person_id=member.person_id, is_active=True).first()
    if user is None:
        return 0
    return _about_panel(INVITATION, user, member, "invitation/", key=f"panel-invitation:{member.ref}:{user.pk}", at=at)


def panel_answered(member: PanelMember, *, at: datetime) -> int:
    """This function will tell whoever proposed a member that the invitation is answered; the mail does not say by whom."""
    user = member.granted_by
    if user is None:
        return 0
    return _about_panel(ANSWERED, user, member, "", key=f"panel-answered:{member.ref}:{user.pk}", at=at)


def _about_panel(event: str, user: User, member: PanelMember, page: str, *, key: str, at: datetime) -> int:
    one = member.panel.round
    with override(user.language):
        context: dict[str, Any] = {
            "round": one.name,
            "accepted": member.state == ACCEPTED,
            "at": datetime_text(at, user.language),
            "url": f"{settings.SITE_URL.rstrip('/')}/panels/{member.panel.ref}/{page}",
            "is_sample": one.is_sample,
        }
    mail = queue(event, recipient(user), context, key=key, at=at, event=event, subject_ref=member.panel.ref)
    return int(mail is not None)


def be_asked_before_sending() -> None:
    """This function will have an invitation looked at again right before it is sent."""
    ask_before_sending(INVITATION, _still_invited)


def _still_invited(mail: OutgoingMail) -> bool:
    waiting = PanelMember.objects.filter(
        panel__ref=mail.subject_ref, person__user__pk=mail.recipient_id, state=INVITED, approved_by__isnull=False
    )
    return any(one.ends_on is None or one.ends_on >= localdate() for one in waiting)
