"""Implementation policies: begun, written, handed to the ministry, put in force by another person, and then they stand."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.canonical import content_hash
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, count_characters
from programs.models import PolicyVersion, ResearchArea
from programs.queries.policies import newest_policy
from programs.rules.policies import (
    LONGEST_POLICY,
    effect_blockers,
    may_open_policy,
    policy_actions,
    submission_blockers,
)
from programs.states import POLICY_MOVES


@transaction.atomic
def open_policy(area: ResearchArea, *, by: User, at: datetime) -> PolicyVersion:
    """This function will begin the area's next version as a copy of the newest one. Raises `NotAllowed`."""
    row = locked(ResearchArea, area.pk)
    if not may_open_policy(by, row):
        raise NotAllowed(_("The program director begins a version, and only while no other one is open."))
    base = newest_policy(row)
    newest = PolicyVersion.objects.filter(area=row).order_by("-number").first()
    made = PolicyVersion.objects.create(
        area=row, number=newest.number + 1 if newest else 1, base=base, text=base.text if base else "",
        is_sample=row.is_sample, opened_by=by, opened_at=at,
    )  # fmt: skip
    record("open_policy", row, by=by, at=at, after=_told(made))
    return made


def _told(version: PolicyVersion) -> dict[str, object]:
    return {"policy": version.ref, "number": version.number}


def _locked_for(version: PolicyVersion, act: str, by: User, why: str) -> PolicyVersion:
    area = locked(ResearchArea, version.area_id)
    row = locked(PolicyVersion, version.pk)
    row.area = area
    if f"policy.{act}" not in policy_actions(by, row):
        raise NotAllowed(why)
    return row


@transaction.atomic
def save_policy(version: PolicyVersion, *, text: str, revision: int, by: User, at: datetime) -> PolicyVersion:
    """This function will save the text if nobody saved since `revision`, and return it with the new revision.

    Raises `StaleEdit` with both texts, `Refused` for a text beyond its limit, `NotAllowed`.
    """
    row = _locked_for(version, "edit", by, _("You cannot write this policy in its present state. Open the page again."))
    text = clean(text)
    if revision != row.revision:
        if text == row.text:
            return row
        message = _("Somebody else saved the policy in the meantime. Both texts are shown; put them together and save.")
        raise StaleEdit(message, current=row, submitted=text, field="text")
    used = count_characters(text)
    if used > LONGEST_POLICY:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        raise Refused(message % {"limit": LONGEST_POLICY, "count": used}, "too_long", "text")
    if text == row.text:
        return row
    row.text, row.revision, row.saved_by, row.saved_at = text, row.revision + 1, by, at
    row.save(update_fields=["text", "revision", "saved_by", "saved_at"])
    record("save_policy", row.area, by=by, at=at, after={**_told(row), "characters": used})
    return row


@transaction.atomic
def submit_policy(version: PolicyVersion, *, by: User, at: datetime) -> PolicyVersion:
    """This function will hand the version to the ministry. Raises `NotAllowed`, `NotReady` with what is missing."""
    row = _locked_for(version, "submit", by, _("The program director hands the policy to the ministry."))
    if blockers := submission_blockers(row):
        raise NotReady(_("The policy is not complete yet."), blockers)
    row.submitted_by, row.submitted_at = by, at
    return _moved(row, "submit", by, at, also=("submitted_by", "submitted_at"))


@transaction.atomic
def return_policy(version: PolicyVersion, *, reason: str, by: User, at: datetime) -> PolicyVersion:
    """This function will return the version to the director. Raises `NotAllowed`, `Refused` without a reason."""
    row = _locked_for(version, "return", by, _deciders())
    said = clean(reason).strip()
    if not said:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    row.returned_because = said
    return _moved(row, "return", by, at, also=("returned_because",), reason=said)


@transaction.atomic
def put_policy_in_force(version: PolicyVersion, *, effective_on: date, by: User, at: datetime) -> PolicyVersion:
    """This function will put the version in force from a day, as a person other than who submitted it.

    From then on it never changes. Raises `NotAllowed`, or `NotReady` for a day before the version in force.
    """
    row = _locked_for(version, "put_in_force", by, _deciders())
    if blockers := effect_blockers(row, effective_on):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    row.approved_by, row.approved_at, row.effective_on = by, at, effective_on
    row.content_hash = content_hash({"area": row.area.ref, "number": row.number, "text": row.text})
    also = ("approved_by", "approved_at", "effective_on", "content_hash")
    return _moved(row, "put_in_force", by, at, also=also, after={"effective_on": effective_on.isoformat()})


@transaction.atomic
def withdraw_policy(version: PolicyVersion, *, by: User, at: datetime) -> PolicyVersion:
    """This function will withdraw a version that is not in force; another can be begun then. Raises `NotAllowed`."""
    row = _locked_for(version, "withdraw", by, _("The program director withdraws a version that is not in force."))
    return _moved(row, "withdraw", by, at)


def _deciders() -> str:
    return _("Ministry staff of the program put a policy in force or return it; never who submitted it.")


def _moved(
    row: PolicyVersion, act: str, by: User, at: datetime, *, also: tuple[str, ...] = (), after: dict[str, str] | None = None,
    reason: str = "",
) -> PolicyVersion:  # fmt: skip
    before = move(row, act, POLICY_MOVES, also=also)
    told = {**_told(row), "state": row.state, **(after or {})}
    record(f"{act}_policy", row.area, by=by, at=at, before={"state": before}, after=told, reason=reason)
    return row
