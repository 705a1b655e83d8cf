"""Role grants: one person proposes, a second approves, and only then does the role count."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actions.people import refuse_unless_managing
from accounts.models import Organization, Person, RoleGrant, Tenure, User
from accounts.queries import in_force
from accounts.rules import approval_blockers
from common.actors import SYSTEM
from common.audit import record
from common.errors import NotReady, Refused
from common.loading import readable
from common.states import locked

TenureT = TypeVar("TenureT", bound=Tenure)


def grant_role(
    person: Person,
    *,
    role: str,
    organization: Organization | None = None,
    starts_on: date,
    ends_on: date | None = None,
    by: User,
    at: datetime,
) -> RoleGrant:
    """This function will propose a global, institution or agency role; it counts from `approve_tenure` on.

    Raises `NotAllowed`, or `Refused` when the role needs an organization and none is named.
    """
    if organization is None and role in RoleGrant.SCOPED:
        raise Refused(_("Choose the organization for which this role is held."), "scope_missing", "organization")
    return propose_tenure(
        RoleGrant(person=person, role=role, organization=organization, starts_on=starts_on, ends_on=ends_on),
        by=by,
        at=at,
    )


@transaction.atomic
def propose_tenure(tenure: TenureT, *, by: User, at: datetime) -> TenureT:
    """This function will save a role of any kind (a new, unsaved row of a role table) as proposed by the actor.

    Roles on programs, areas and projects are rows of the apps above; all are built on `Tenure`, so that one action
    grants them all. Raises `NotAllowed`, or `Refused` for what the database does not take: dates out of order, a
    second director at the same time.
    """
    refuse_unless_managing(by)
    tenure.granted_by, tenure.approved_by = by, None
    tenure.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            tenure.save()
    except IntegrityError as error:
        raise Refused(_refusal_text(tenure, error), "constraint") from error
    record("propose_role", tenure, by=by, at=at, after=_told(tenure))
    return tenure


@transaction.atomic
def approve_tenure(tenure: TenureT, *, by: User, at: datetime) -> TenureT:
    """This function will approve a proposed role as the second person.

    Raises `NotAllowed`, or `NotReady` with the blockers of `approval_blockers`. The database refuses it too.
    """
    refuse_unless_managing(by)
    row = locked(type(tenure), tenure.pk)
    if blockers := approval_blockers(row, by):
        raise NotReady(_("This role cannot be approved by you now."), blockers)
    row.approved_by = by
    row.save(update_fields=["approved_by"])
    record("approve_role", row, by=by, at=at, after=_told(row))
    return row


@transaction.atomic
def end_tenure(tenure: TenureT, *, ends_on: date, reason: str, by: User, at: datetime) -> TenureT:
    """This function will end a role with this last day. Taking a role away needs no second person, but a reason.

    A longer term is a new role, which takes two people again. Raises `NotAllowed`, or `Refused` without a reason, with
    a day before the first or after the day on which the role ends anyway.
    """
    refuse_unless_managing(by)
    if not reason.strip():
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    row = locked(type(tenure), tenure.pk)
    if ends_on < row.starts_on:
        raise Refused(_("The last day cannot be before the first."), "dates_out_of_order", "ends_on")
    if row.ends_on is not None and ends_on > row.ends_on:
        raise Refused(_("A longer term is a new role. Propose it from the day after."), "longer_term", "ends_on")
    before = {"ends_on": row.ends_on.isoformat() if row.ends_on else None}
    row.ends_on = ends_on
    row.save(update_fields=["ends_on"])
    record("end_role", row, by=by, at=at, before=before, after={"ends_on": ends_on.isoformat()}, reason=reason)
    return row


@transaction.atomic
def create_first_staff(first: User, second: User, *, at: datetime) -> list[RoleGrant]:
    """This function will make the first two ministry staff, each approved by the other; the operator proposes.

    Real and sample staff are founded apart. Raises `Refused` when there are staff already, when both are one, or when
    a sign-in has no person.
    """
    if first.pk == second.pk or first.person_id is None or second.person_id is None:
        raise Refused(_("It takes two different people, each with a sign-in."), "two_people")
    if first.is_sample != second.is_sample:
        raise Refused(_("A sample person and a real one cannot found the staff together."), "sample_mixed")
    if _has_staff(timezone.localdate(at), first.is_sample):
        raise Refused(_("There are ministry staff already. They grant further roles in the admin."), "not_first")
    return [_found(person, other, at) for person, other in ((first, second), (second, first))]


def _has_staff(on: date, is_sample: bool) -> bool:
    return RoleGrant.objects.filter(in_force(on), role="ministry_staff", person__is_sample=is_sample).exists()


def _found(user: User, approver: User, at: datetime) -> RoleGrant:
    assert user.person is not None
    grant = RoleGrant.objects.create(
        person=user.person,
        role=RoleGrant.Role.MINISTRY_STAFF,
        starts_on=timezone.localdate(at),
        approved_by=approver,
    )
    record("create_first_staff", grant, by=SYSTEM, at=at, after=_told(grant))
    return grant


def _refusal_text(tenure: Tenure, error: IntegrityError) -> str:
    """The text of the constraint that refused; the database is asked alone, since two may grant at the same time."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for constraint in tenure._meta.constraints:
        if constraint.name == name and constraint.violation_error_message != constraint.default_violation_error_message:
            return str(constraint.violation_error_message)
    return _("This role cannot be entered with these dates. Check from and until.")


def _told(tenure: Tenure) -> dict[str, object]:
    # People and what the role is for by reference: the journal is read without looking anything up.
    names = [field.name for field in tenure._meta.concrete_fields if field.name != "id"]
    return {name: str(value) if isinstance(value := getattr(tenure, name), User) else readable(value) for name in names}
