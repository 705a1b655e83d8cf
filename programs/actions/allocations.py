"""Allocations: whoever directs splits a year's money and proposes, the ministry or the agency approves; each a new version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from common.audit import Change, record, record_many
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, clean_line
from programs import notices
from programs.models import Allocation, FundEdge, FundNode, Program, Project, ResearchArea
from programs.queries.allocations import (
    AllocationSheet,
    Target,
    TargetKey,
    allocation_sheet,
    edges_in_force,
    next_number,
)
from programs.rules.allocations import allocation_actions, allocation_blockers, may_split
from programs.rules.contracts import is_only_grant
from programs.rules.phase_locks import Flow, lock_blockers
from programs.states import ALLOCATION_MOVES, ALLOCATION_OPEN

NOT_NOW = "This step is not open to you in the allocation's present state. Its page says who acts next."


def node_for(owner: Program | ResearchArea | Project, agency: Organization | None = None) -> FundNode:
    """This function will return the node of a program, area or project (with `agency` the program's fund), made once."""
    if isinstance(owner, ResearchArea):
        return FundNode.objects.get_or_create(kind=FundNode.Kind.AREA, area=owner)[0]
    if isinstance(owner, Project):
        return FundNode.objects.get_or_create(kind=FundNode.Kind.PROJECT, project=owner)[0]
    kind = FundNode.Kind.FUND if agency else FundNode.Kind.PROGRAM
    return FundNode.objects.get_or_create(kind=kind, program=owner, organization=agency)[0]


def institution_node(project: Project, organization: Organization) -> FundNode:
    """This function will return the node of an institution in a project, made once."""
    return FundNode.objects.get_or_create(kind=FundNode.Kind.ORGANIZATION, project=project, organization=organization)[
        0
    ]


@transaction.atomic
def open_fund(program: Program, agency: Organization, *, by: User, at: datetime) -> FundNode:
    """This function will open an agency's fund in a program. Raises `NotAllowed`, or `Refused` where there is one."""
    if not may_split(by, node_for(program)):
        raise NotAllowed(_("The program's ministry staff open its funds."))
    if not agency.is_funding_agency:
        raise Refused(_("Choose a funding agency."), "no_agency", "agency")
    if FundNode.objects.filter(kind=FundNode.Kind.FUND, program=program, organization=agency).exists():
        raise Refused(_("This agency has a fund in the program already."), "already_open", "agency")
    fund = node_for(program, agency)
    record("open_fund", program, by=by, at=at, after={"organization": agency.name_ja})
    return fund


@transaction.atomic
def open_allocation(node: FundNode, fiscal_year: int, *, by: User, at: datetime) -> Allocation:
    """This function will open the allocation of a node's money of a year; it begins with what is in force.

    Raises `NotAllowed`, or `Refused` while another one is open or where the money is a management grant.
    """
    node = locked(FundNode, node.pk)
    if not may_split(by, node):
        raise NotAllowed(_("You do not split this money."))
    today = localdate(at)
    if not 2000 <= fiscal_year <= today.year + 10:
        raise Refused(_("Enter a fiscal year between 2000 and ten years ahead."), "year", "fiscal_year")
    program = node.program or (node.area.program if node.area else node.project.program if node.project else None)
    if program is not None and is_only_grant(program.pk, fiscal_year):
        message = _(
            "The money of this year is or includes a management grant (運営費交付金). It is shown, and never allocated here."
        )
        raise Refused(message, "management_grant", "fiscal_year")
    if Allocation.objects.filter(source=node, fiscal_year=fiscal_year, state__in=ALLOCATION_OPEN).exists():
        message = _("An allocation of this year is open already. Finish or withdraw it first.")
        raise Refused(message, "already_open", "fiscal_year")
    allocation = Allocation.objects.create(
        source=node, fiscal_year=fiscal_year, number=next_number(node, fiscal_year), opened_by=by, opened_at=at,
        is_sample=node.is_sample,
    )  # fmt: skip
    FundEdge.objects.bulk_create(
        FundEdge(
            source=node, target_id=edge.target_id, kind=FundEdge.Kind.ALLOCATION, fiscal_year=fiscal_year,
            amount_yen=edge.amount_yen, tax_included=edge.tax_included, status=FundEdge.Status.PROPOSED,
            allocation=allocation,
        )
        for edge in edges_in_force(node, fiscal_year).order_by("pk")
    )  # fmt: skip
    record(
        "open_allocation", allocation, by=by, at=at, after={"fiscal_year": fiscal_year, "version": allocation.number}
    )
    return allocation


@transaction.atomic
def save_allocation(
    allocation: Allocation,
    *,
    amounts: Mapping[TargetKey, int],
    reason: str = "",
    note: str = "",
    revision: int | None = None,
    by: User,
    at: datetime,
) -> Allocation:
    """This function will save the split, the reason and the note if nobody saved since `revision`; yen by target.

    A target that is left out keeps its amount. Raises `StaleEdit`, `NotAllowed`, or `NotReady` for what is no amount.
    """
    row = _locked_for(allocation, "allocation.edit", by)
    if revision is not None and revision != row.revision:
        sheet = allocation_sheet(row)
        raise StaleEdit(
            _("Somebody else saved this allocation in the meantime. Look at both and save again."),
            current={one.target.key: one.yen for one in sheet.rows},
            submitted=dict(amounts),
            field="amounts",
        )
    sheet = allocation_sheet(row)
    known = {one.target.key: one for one in sheet.rows}
    wrong = [Blocker("amounts", "negative", _("Enter 0 or more.")) for amount in amounts.values() if amount < 0] + [
        Blocker("amounts", "unknown", _("This gets no money from here.")) for key in amounts if key not in known
    ]
    if wrong:
        raise NotReady(_("Not saved. Correct what is marked."), wrong)
    before = {one.target.name: one.yen for one in sheet.rows}
    moved = {key: amount for key, amount in amounts.items() if known[key].yen != amount}
    for key, amount in moved.items():
        _write_edge(row, known[key].target, amount)
    typed = {"reason": clean(reason).strip(), "note": clean(note).strip()}
    if not moved and all(getattr(row, name) == text for name, text in typed.items()):
        return row
    row.reason, row.note, row.revision = typed["reason"], typed["note"], row.revision + 1
    row.save(update_fields=["reason", "note", "revision"])
    after = {known[key].target.name: amount for key, amount in moved.items()}
    record("save_allocation", row, by=by, at=at, before={name: before[name] for name in after}, after=after)
    return row


def _write_edge(allocation: Allocation, target: Target, amount: int) -> None:
    node = _node_of(allocation.source, target)
    if amount:
        FundEdge.objects.update_or_create(
            allocation=allocation,
            target=node,
            defaults={"amount_yen": amount},
            create_defaults={
                "source": allocation.source, "kind": FundEdge.Kind.ALLOCATION, "fiscal_year": allocation.fiscal_year,
                "amount_yen": amount, "status": FundEdge.Status.PROPOSED,
            },
        )  # fmt: skip
    else:
        FundEdge.objects.filter(allocation=allocation, target=node).delete()


def _node_of(source: FundNode, target: Target) -> FundNode:
    if isinstance(target.owner, Organization):
        assert source.project is not None
        return institution_node(source.project, target.owner)
    return node_for(target.owner, target.agency)


@transaction.atomic
def propose_allocation(allocation: Allocation, *, by: User, at: datetime) -> Allocation:
    """This function will hand the split in for approval. Raises `NotReady` with what is in the way."""
    row = _locked_for(allocation, "allocation.propose", by)
    _refuse_unless_ready(row)
    row.proposed_by, row.proposed_at, row.returned_note = by, at, ""
    move(row, "propose", ALLOCATION_MOVES, also=("proposed_by", "proposed_at", "returned_note"))
    return _told(row, "propose", by, at)


@transaction.atomic
def approve_allocation(
    allocation: Allocation, *, decision_number: str, decided_on: date, by: User, at: datetime
) -> Allocation:
    """This function will bring the split in force in the place of the one before; by another person than proposed it.

    Raises `NotAllowed`, `Refused` without a number or for a date to come, or `NotReady` where the money is gone.
    """
    locked(FundNode, allocation.source_id)
    row = _locked_for(allocation, "allocation.approve", by)
    number = clean_line(decision_number).strip()
    if not number:
        raise Refused(_("Enter the number of the decision (決裁番号)."), "required", "decision_number")
    if decided_on > localdate(at):
        raise Refused(_("The day of the decision lies in the future."), "future", "decided_on")
    sheet = _refuse_unless_ready(row)
    before = {one.target.key: one for one in sheet.rows}
    edges_in_force(row.source, row.fiscal_year).exclude(allocation=row).update(status=FundEdge.Status.REPLACED)
    for former in Allocation.objects.select_for_update().filter(
        source=row.source, fiscal_year=row.fiscal_year, state="approved"
    ):
        move(former, "replace", ALLOCATION_MOVES)
    FundEdge.objects.filter(allocation=row).update(status=FundEdge.Status.IN_FORCE, reason=row.reason)
    row.approved_by, row.approved_at, row.decided_on, row.decision_number = by, at, decided_on, number
    move(row, "approve", ALLOCATION_MOVES, also=("approved_by", "approved_at", "decided_on", "decision_number"))
    _tell_projects(row, before.values(), by, at)
    return _told(row, "approve", by, at)


def _tell_projects(row: Allocation, lines: Any, by: User, at: datetime) -> None:
    """The history of each project says what it got."""
    changes = [
        Change(
            one.target.owner, {"amount_yen": one.in_force_yen}, {"fiscal_year": row.fiscal_year, "amount_yen": one.yen}
        )
        for one in lines
        if isinstance(one.target.owner, Project) and (one.in_force_yen or 0) != one.yen
    ]
    record_many("allocate_money", changes, by=by, at=at, reason=row.reason)


@transaction.atomic
def return_allocation(allocation: Allocation, *, comment: str, by: User, at: datetime) -> Allocation:
    """This function will give the split back to be written on, with what to change."""
    return _given_back(allocation, "return", comment, by, at)


@transaction.atomic
def refuse_allocation(allocation: Allocation, *, comment: str, by: User, at: datetime) -> Allocation:
    """This function will refuse the split, with the reason; what was in force stays so."""
    row = _given_back(allocation, "refuse", comment, by, at)
    FundEdge.objects.filter(allocation=row).update(status=FundEdge.Status.DROPPED)
    return row


def _given_back(allocation: Allocation, act: str, comment: str, by: User, at: datetime) -> Allocation:
    row = _locked_for(allocation, f"allocation.{act}", by)
    said = clean(comment).strip()
    if not said:
        raise Refused(_("Say what should be changed, or why not."), "required", "comment")
    row.returned_note = said
    move(row, act, ALLOCATION_MOVES, also=("returned_note",))
    return _told(row, act, by, at, said)


@transaction.atomic
def withdraw_allocation(allocation: Allocation, *, by: User, at: datetime) -> Allocation:
    """This function will take an open split back for good; what was in force stays so."""
    row = _locked_for(allocation, "allocation.withdraw", by)
    move(row, "withdraw", ALLOCATION_MOVES)
    FundEdge.objects.filter(allocation=row).update(status=FundEdge.Status.DROPPED)
    record("withdraw_allocation", row, by=by, at=at)
    return row


def _refuse_unless_ready(row: Allocation) -> AllocationSheet:
    sheet = allocation_sheet(row)
    if blockers := blockers_of(sheet):
        raise NotReady(_("Something is still missing."), blockers)
    return sheet


def blockers_of(sheet: AllocationSheet) -> list[Blocker]:
    """This function will list what stands in the way of proposing or approving the split as it is saved."""
    found = allocation_blockers(
        sheet.allocation,
        available_yen=sheet.available_yen,
        amounts={one.target.name: one.yen for one in sheet.rows},
        passed_on={one.target.name: one.passed_on_yen for one in sheet.rows},
    )
    return found + lock_blockers(_flows(sheet))


def _flows(sheet: AllocationSheet) -> list[Flow]:
    source, year = sheet.allocation.source, sheet.allocation.fiscal_year
    found = []
    for one in sheet.rows:
        project = one.target.owner.pk if isinstance(one.target.owner, Project) else source.project_id
        if project is not None:
            found.append(Flow(project, one.target.name, year, one.in_force_yen or 0, one.yen))
    return found


def _told(row: Allocation, act: str, by: User, at: datetime, reason: str = "") -> Allocation:
    record(f"{act}_allocation", row, by=by, at=at, after={"version": row.number}, reason=reason)
    notices.allocation_moved(row, act, at=at)
    return row


def _locked_for(allocation: Allocation, act: str, by: User) -> Allocation:
    row = locked(Allocation, allocation.pk)
    if act not in allocation_actions(by, row):
        raise NotAllowed(_(NOT_NOW))
    return row
