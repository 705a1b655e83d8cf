"""The mails of this app: a case number and a link, nothing sensitive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.timezone import localdate

from accounts.models import User
from common.fiscal_year import datetime_text
from common.mail import Recipient, queue
from programs.models import Allocation, Contract, DataManagementPlan, PlanVersion, Project
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


def _queue(template: str, users: Iterable[User], context: dict[str, Any], *, key: str, ref: str, at: datetime) -> int:
    """Each of them once per key."""
    queued = 0
    for user in {user.pk: user for user in users}.values():
        words = {**context, "at": datetime_text(at, user.language)}
        mail = queue(template, recipient(user), words, key=f"{key}:{user.pk}", at=at, event=template, subject_ref=ref)
        queued += mail is not None
    return queued


def allocation_moved(allocation: Allocation, step: str, *, at: datetime) -> int:
    """This function will tell whom an allocation waits for or concerns; returns how many were told.

    Proposed: the program's ministry staff but who proposed it. Else: who proposed it, and after the approval the
    directors and officers of the projects that get money.
    """
    edges = allocation.edges.filter(target__project__isnull=False)
    projects = list(Project.objects.filter(pk__in=edges.values("target__project")).values_list("pk", flat=True))
    told: list[User] = []
    if step == "propose":
        told = [user for user in _of(projects, STAFF, at) if user.pk != allocation.proposed_by_id]
    elif allocation.proposed_by is not None:
        told = [allocation.proposed_by]
        if step == "approve":
            told += [*_of(projects, DIRECTOR, at), *_of(projects, OFFICER, at)]
    context = {
        "ref": allocation.ref,
        "fiscal_year": allocation.fiscal_year,
        "step": step,
        "url": f"{settings.SITE_URL.rstrip('/')}/allocations/{allocation.ref}/",
        "is_sample": allocation.is_sample,
    }
    key = f"allocation-{step}:{allocation.ref}:{allocation.revision}:{at:%Y%m%d%H%M}"
    return _queue("allocation_moved", told, context, key=key, ref=allocation.ref, at=at)


def contract_moved(contract: Contract, step: str, *, at: datetime) -> int:
    """This function will tell whom a contract waits for (the ministry's staff) or, once concluded, the project's team."""
    if step == "propose":
        told = [user for user in _of([contract.project_id], STAFF, at) if user.pk != contract.proposed_by_id]
    elif step == "conclude":
        told = [user for audience in (TEAM, DIRECTOR, OFFICER) for user in _of([contract.project_id], audience, at)]
    elif step == "return" and contract.proposed_by is not None:
        told = [contract.proposed_by]
    else:
        told = []
    context = {
        "ref": contract.ref,
        "project": contract.project.ref,
        "step": step,
        "url": f"{settings.SITE_URL.rstrip('/')}/contracts/{contract.ref}/",
        "is_sample": contract.is_sample,
    }
    key = f"contract-{step}:{contract.ref}:{contract.revision}:{at:%Y%m%d%H%M}"
    return _queue("contract_moved", told, context, key=key, ref=contract.project.ref, at=at)


def data_plan_moved(plan: DataManagementPlan, step: str, *, at: datetime) -> int:
    """This function will tell the officer (without one the director) of a plan handed in, the team of what came of it."""
    here = [plan.project_id]
    told = _of(here, TEAM, at) if step != "submit" else _of(here, OFFICER, at) or _of(here, DIRECTOR, at)
    context = {
        "ref": plan.ref,
        "project": plan.project.ref,
        "step": step,
        "url": f"{settings.SITE_URL.rstrip('/')}/data-plans/{plan.ref}/",
        "is_sample": plan.project.is_sample,
    }
    key = f"data-plan-{step}:{plan.ref}:{plan.revision}:{at:%Y%m%d%H%M}"
    return _queue("data_plan_moved", told, context, key=key, ref=plan.project.ref, at=at)


def _of(projects: list[int], audience: str, at: datetime) -> list[User]:
    return [user for users in audience_of(projects, audience, localdate(at)).values() for user in users]
