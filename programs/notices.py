"""The mails of this app: a case number and a link, nothing sensitive."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils.timezone import localdate

from accounts.models import User
from common.fiscal_year import datetime_text
from common.mail import Recipient, queue
from programs.models import PlanVersion
from programs.queries.people import DIRECTOR, OFFICER, STAFF, TEAM, audience_of

#: Whom each step of a plan waits for or concerns.
TOLD = {
    "submit": (OFFICER,),
    "check": (DIRECTOR,),
    "confirm": (STAFF,),
    "propose_approval": (STAFF,),
    "approve": (TEAM, OFFICER, DIRECTOR),
    "return": (TEAM,),
    "refuse": (TEAM, OFFICER, DIRECTOR),
}


def recipient(user: User) -> Recipient:
    """This function will return where and how this user is told."""
    return Recipient(user.email, user.language, user.pk, user.digest == User.Digest.DAILY)


def plan_url(version: PlanVersion) -> str:
    """This function will return the version's address for a mail."""
    return f"{settings.SITE_URL.rstrip('/')}/projects/{version.project.ref}/plan/{version.number}/"


def plan_moved(version: PlanVersion, step: str, *, at: datetime) -> int:
    """This function will tell those for whom the step counts, once per version and step; returns how many."""
    told: dict[int, User] = {}
    for audience in TOLD.get(step, ()):
        for user in audience_of([version.project_id], audience, localdate(at))[version.project_id]:
            told[user.pk] = user
    queued = 0
    for user in told.values():
        context = {
            "ref": version.ref,
            "project": version.project.ref,
            "version": version.number,
            "step": step,
            "at": datetime_text(at, user.language),
            "url": plan_url(version),
            "is_sample": version.is_sample,
        }
        key = f"plan-{step}:{version.ref}:{version.revision}:{at:%Y%m%d%H%M}:{user.pk}"
        mail = queue(
            "plan_moved", recipient(user), context, key=key, at=at, event="plan_moved", subject_ref=version.project.ref
        )
        queued += mail is not None
    return queued
