"""Admissions: an interested member may attend a case all the same; one proposes, another approves, the reason is public."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import NotAllowed, Refused
from common.states import locked, move
from common.text import clean
from evaluations.models import Admission, Case, ConflictOfInterest
from evaluations.rules.admissions import admission_actions, admittable, may_propose
from evaluations.states import ADMISSION_MOVES


@transaction.atomic
def propose_admission(
    conflict: ConflictOfInterest, *, case: Case, reason: str, may_score: bool = False, by: User, at: datetime
) -> Admission:
    """This function will propose to admit the person in conflict to one case; it counts once another approves it.

    Raises `NotAllowed`; `Refused` without a reason and for a case that is not before the person's panel or has one.
    """
    row = locked(ConflictOfInterest, conflict.pk)
    if not may_propose(by, row):
        raise NotAllowed(_("Admissions are decided by the ministry's and the agency's people without a conflict."))
    text = _written(reason)
    found = [(member, one) for member, one in admittable(row) if one.pk == case.pk]
    if not found:
        message = _("This case cannot be admitted: the conflict is not confirmed, or there is an admission already.")
        raise Refused(message, "not_admittable", "case")
    made = Admission.objects.create(
        conflict=row, member=found[0][0], case=case, reason=text, may_score=may_score, proposed_by=by, proposed_at=at
    )
    record("propose_admission", made, by=by, at=at, after={"conflict": row.ref, "may_score": may_score}, reason=text)
    return made


@transaction.atomic
def approve_admission(admission: Admission, *, by: User, at: datetime) -> Admission:
    """This function will approve an admission. Raises `NotAllowed` for the proposer and the person concerned."""
    row = _locked_for(admission, "admission.approve", by)
    row.approved_by, row.approved_at = by, at
    before = move(row, "approve", ADMISSION_MOVES, also=("approved_by", "approved_at"))
    record("approve_admission", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    return row


@transaction.atomic
def end_admission(admission: Admission, *, reason: str, by: User, at: datetime) -> Admission:
    """This function will take an admission back, or turn a proposed one down, with the reason."""
    row = _locked_for(admission, "admission.end", by)
    row.ended_at, row.end_reason = at, _written(reason)
    before = move(row, "end", ADMISSION_MOVES, also=("ended_at", "end_reason"))
    record(
        "end_admission", row, by=by, at=at, before={"state": before}, after={"state": row.state},
        reason=row.end_reason,
    )  # fmt: skip
    return row


def _written(text: str) -> str:
    written = clean(text).strip()
    if not written:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    return written


def _locked_for(admission: Admission, permission: str, by: User) -> Admission:
    row = locked(Admission, admission.pk)
    allowed = admission_actions(by, row)
    if permission not in allowed:
        if row.proposed_by_id == by.pk and permission == "admission.approve":
            raise NotAllowed(_("Whoever proposed this does not approve it. Ask a colleague."), "second_person")
        raise NotAllowed(_("This step is not open to you in the present state of the admission."))
    return row
