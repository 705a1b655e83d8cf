"""Who reads what, by hand: readers added, taken off, pinned; the proposal confirmed; a reader who declines later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import Change, record, record_many
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean
from evaluations.assignment_bound import Pair
from evaluations.models import Assignment, AssignmentRun, Case, Panel, PanelMember
from evaluations.queries.assignment_checks import readers_after, thin_cases
from evaluations.queries.assignments import (
    WHOLE,
    Seating,
    case_name,
    cases_to_assign,
    reads_mutually,
    seating_of,
    why_not,
)
from evaluations.rules.assignments import has_handed_in, may_assign_case, may_decline
from evaluations.states import ASSIGNMENT_MOVES, CONFIRMED, PROPOSED, QUEUED, RUNNING

ROLES = frozenset(Assignment.Role.values)


def reasons() -> dict[str, str]:
    """This function will say, by the code of `why_not`, why a member cannot read a case and what to do."""
    return {
        "conflict": _("A conflict is declared or confirmed. Choose somebody else."),
        "team": _("This person works in the project. Choose somebody else."),
        "declined": _("This person has declined the case. Choose somebody else."),
        "undeclared": _("No declaration on this case has come yet. Ask for it, or choose somebody else."),
        "reads": _("This person reads the case already."),
        "institution": _("Another reader of the case is from the same institution. Choose somebody else."),
        "mutual": _("This person and somebody of the project would review each other. Choose somebody else."),
        "full": _("This person reads as many cases as he or she may. Take one off first."),
        WHOLE: _("The case has all its readers. Take one off first."),
    }


# By hand --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_reader(case: Case, *, member: PanelMember, role: str, by: User, at: datetime) -> Assignment:
    """This function will propose a reader by hand; a new proposal leaves him or her where he or she is.

    Raises `NotAllowed`, and `Refused` for a conflict, a full load, the same institution or an unknown role.
    """
    seating = locked_seating(case.panel, by, [case])
    at_case = seating.case_at[case.pk]
    if role not in ROLES:
        raise Refused(_("Choose a role."), "unknown_role", "role")
    place = seating.member_at.get(member.pk)
    if place is None:
        raise Refused(_("Choose a member who serves on this panel."), "not_serving", "member")
    if code := why_not(seating, at_case, place):
        raise Refused(reasons()[code], code, "member")
    made = Assignment.objects.create(
        case=case, member=member, role=role, is_pinned=True, made_by=by, made_at=at,
        affinity=round(float(seating.call.scores[at_case, place]), 4), replaces_id=vacancy(seating, case),
    )  # fmt: skip
    _one_primary(made, by, at)
    record("add_reader", made, by=by, at=at, after={"case": case.ref, "role": role})
    return made


def vacancy(seating: Seating, case: Case) -> int | None:
    """This function will return the assignment of a reader who declined or cannot read any more, whose place is free."""
    taken = {one.replaces_id for one in seating.standing}
    left = [*seating.declined, *barred(seating)]
    return next((one.pk for one in left if one.case_id == case.pk and one.pk not in taken), None)


def barred(seating: Seating) -> list[Assignment]:
    """This function will return the confirmed readers who came into conflict or serve no more; no sheet of theirs is in."""
    return [
        one for one in seating.standing
        if one.state == CONFIRMED and not seating.pairs([one]) and not has_handed_in(one)
    ]  # fmt: skip


@transaction.atomic
def remove_reader(assignment: Assignment, *, reason: str = "", by: User, at: datetime) -> Assignment:
    """This function will take a reader off a case; a confirmed one only with a reason and before a sheet was handed in."""
    row = _locked_row(assignment, by)
    if row.state == CONFIRMED:
        row.end_reason = _written(reason)
        if has_handed_in(row):
            raise Refused(_("A sheet of this reader was handed in already. The reader stays."), "sheet_in")
    row.ended_at = at
    before = move(row, "replace", ASSIGNMENT_MOVES, also=("ended_at", "end_reason"))
    record(
        "remove_reader", row, by=by, at=at, before={"state": before}, after={"state": row.state}, reason=row.end_reason
    )
    return row


@transaction.atomic
def pin_reader(assignment: Assignment, *, is_pinned: bool, by: User, at: datetime) -> Assignment:
    """This function will fix a reader on a case, or set him or her free, for the next proposal."""
    row = _locked_row(assignment, by)
    if row.state != PROPOSED:
        raise Refused(_("Confirmed readers stay in every proposal as it is."), "confirmed")
    if row.is_pinned != is_pinned:
        row.is_pinned = is_pinned
        row.save(update_fields=["is_pinned"])
        record("pin_reader" if is_pinned else "unpin_reader", row, by=by, at=at)
    return row


@transaction.atomic
def set_role(assignment: Assignment, *, role: str, by: User, at: datetime) -> Assignment:
    """This function will give a reader another role; the primary reader of the case before takes over the old one."""
    row = _locked_row(assignment, by)
    if role not in ROLES:
        raise Refused(_("Choose a role."), "unknown_role", "role")
    before, row.role = row.role, role
    if before != role:
        row.save(update_fields=["role"])
        _one_primary(row, by, at, instead=before)
        record("set_reader_role", row, by=by, at=at, before={"role": before}, after={"role": role})
    return row


def _one_primary(row: Assignment, by: User, at: datetime, instead: str = Assignment.Role.READER) -> None:
    """A case has one primary reader: the one before takes the role given up, or reads without one."""
    if row.role != Assignment.Role.PRIMARY:
        return
    others = Assignment.objects.filter(case=row.case_id, state__in=(PROPOSED, CONFIRMED), role=Assignment.Role.PRIMARY)
    for other in others.exclude(pk=row.pk):
        other.role = instead
        other.save(update_fields=["role"])
        record("set_reader_role", other, by=by, at=at, before={"role": row.role}, after={"role": other.role})


# Confirming -----------------------------------------------------------------------------------------------------------


def proposals_of(seating: Seating) -> list[Assignment]:
    """This function will return the readers that wait for confirmation."""
    return [one for one in seating.standing if one.state == PROPOSED]


def fingerprint_of(seating: Seating) -> str:
    """This function will name the state of an assignment that a confirmation was shown."""
    return hashlib.sha256(json.dumps(seating.fingerprint).encode()).hexdigest()[:32]


def confirmation_blockers(seating: Seating) -> list[Blocker]:
    """This function will list what keeps the proposal from being confirmed: whoever cannot read what is proposed."""
    found, words = [], reasons()
    members = {one.member_id: one.member.person.name for one in seating.standing}
    leaving = _leaving(seating)
    after = [one for one in seating.standing if one.pk not in leaving]
    readers, pairs = readers_after(seating), set(seating.pairs(after))
    for one in proposals_of(seating):
        pair, name = seating.pair_of(one), case_name(seating.cases[seating.case_at[one.case_id]])
        code = "not_serving" if pair is None else seating.why.get(pair, "") or _broken(seating, readers, pairs, pair)
        if code:
            why = words.get(code, _("This person does not serve on the panel now. Take him or her off."))
            found.append(Blocker(one.ref, code, f"{name} / {members[one.member_id]}: {why}"))
    for place, member in enumerate(seating.members):
        reads = sum(one.member_id == member.pk for one in after)
        if reads > int(seating.call.load_max[place]):
            message = _("%(name)s would read more cases than he or she may. Take one off.")
            found.append(Blocker(member.ref, "full", message % {"name": member.person.name}))
    return found


def _broken(seating: Seating, readers: dict[int, list[int]], pairs: set[Pair], pair: Pair) -> str:
    """Which rule a reader breaks beside the others who would count: institutions and teams can change in between."""
    case, member = pair
    institution = int(seating.call.institutions[member])
    if institution >= 0 and [int(seating.call.institutions[one]) for one in readers[case]].count(institution) > 1:
        return "institution"
    if reads_mutually(seating.call, pairs, case, member):
        return "mutual"
    return WHOLE if len(readers[case]) > int(seating.call.readers[case]) else ""


def _leaving(seating: Seating) -> set[int]:
    """The confirmed readers who give up their place to somebody proposed."""
    return {one.replaces_id for one in seating.standing if one.state == PROPOSED and one.replaces_id is not None}


@transaction.atomic
def confirm_assignments(panel: Panel, *, seen: str, though_thin: bool = False, by: User, at: datetime) -> int:
    """This function will confirm the proposal for all cases that `by` settles, and return how many readers that is.

    Nothing counts before. Cases with fewer readers than the round asks for or the quorum needs count only if `by` says
    so (`though_thin`). Raises `NotAllowed`, `StaleEdit` when anything changed since `seen`, `NotReady` with what is in
    the way, and `Refused` when nothing is proposed or readers are missing.
    """
    seating = locked_seating(panel, by)
    waiting = proposals_of(seating)
    if not waiting:
        raise Refused(_("Nothing is proposed that could be confirmed."), "nothing_proposed")
    if AssignmentRun.objects.filter(panel=panel, state__in=(QUEUED, RUNNING)).exists():
        raise Refused(_("A proposal is being computed. Wait until it is there."), "run_under_way")
    now = fingerprint_of(seating)
    if seen != now:
        message = _("The proposal was changed in the meantime. Look at it again, then confirm it.")
        raise StaleEdit(message, current=now, submitted=seen)
    if blockers := confirmation_blockers(seating):
        raise NotReady(_("The proposal cannot be confirmed as it is."), blockers)
    thin = thin_cases(seating)
    if thin and not though_thin:
        message = _("%(count)s cases would have too few readers. Have readers added, or say that it is meant so.")
        raise Refused(message % {"count": len(thin)}, "too_few_readers", "though_thin")
    leaving = _leaving(seating)
    for one in seating.standing:
        if one.pk in leaving and one.state == CONFIRMED:
            _give_up(one, by, at)
    for one in waiting:
        one.confirmed_by, one.confirmed_at = by, at
        move(one, "confirm", ASSIGNMENT_MOVES, also=("confirmed_by", "confirmed_at"))
    changes = [Change(one, {"state": PROPOSED}, {"state": CONFIRMED}) for one in waiting]
    record_many("confirm_assignment", changes, by=by, at=at)
    cases = {one.case_id for one in waiting}
    after = {"readers": len(waiting), "cases": len(cases)} | ({"thin_cases": len(thin)} if thin else {})
    record("confirm_assignments", panel, by=by, at=at, after=after)
    return len(waiting)


def _give_up(one: Assignment, by: User, at: datetime) -> None:
    if has_handed_in(one):
        raise Refused(_("A sheet of this reader was handed in already. The reader stays."), "sheet_in")
    one.ended_at = at
    move(one, "replace", ASSIGNMENT_MOVES, also=("ended_at",))
    record("remove_reader", one, by=by, at=at, before={"state": CONFIRMED}, after={"state": one.state})


# Declining ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def decline_assignment(assignment: Assignment, *, reason: str, by: User, at: datetime) -> Assignment:
    """This function will let a confirmed reader decline, with a reason, until a sheet of the case is in."""
    row = locked(Assignment, assignment.pk)
    if not may_decline(by, row):
        raise NotAllowed(_("A case can be declined by its reader, while the round is open and no sheet is handed in."))
    row.end_reason, row.ended_at = _written(reason), at
    before = move(row, "decline", ASSIGNMENT_MOVES, also=("end_reason", "ended_at"))
    record("decline_assignment", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    return row


# Locks ----------------------------------------------------------------------------------------------------------------


def locked_seating(panel: Panel, by: User, cases: Iterable[Case] = ()) -> Seating:
    """This function will lock the panel, which orders all changes of its readers, and read what `by` settles of it.

    Raises `NotAllowed` when that is nothing, or without one of `cases`.
    """
    row = Panel.objects.select_for_update(of=("self",)).select_related("round").get(pk=panel.pk)
    mine: Sequence[Case] = cases_to_assign(by, row)
    if not mine or not {one.pk for one in cases} <= {one.pk for one in mine}:
        raise NotAllowed(_("The readers are settled by the chair or the vice chair while the round is open."))
    return seating_of(row, mine)


def _locked_row(assignment: Assignment, by: User) -> Assignment:
    Panel.objects.select_for_update(of=("self",)).get(pk=assignment.case.panel_id)
    row = locked(Assignment, assignment.pk)
    if not may_assign_case(by, row.case):
        raise NotAllowed(_("The readers are settled by the chair or the vice chair while the round is open."))
    if row.state not in (PROPOSED, CONFIRMED):
        raise Refused(_("This person does not read the case any more. Open the page again."), "over")
    return row


def _written(reason: str) -> str:
    written = clean(reason).strip()
    if not written:
        raise Refused(_("Give the reason."), "reason_missing", "reason")
    return written
