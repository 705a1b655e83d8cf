"""Contracts: one of the contracting party drafts, another concludes; a change is a new contract in the old one's place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, clean_line
from programs import notices
from programs.actions.allocations import institution_node, node_for
from programs.models import Contract, CostCategory, FundEdge, FundNode, Project
from programs.queries.contracts import (
    contract_cells,
    contract_money,
    institutions_to_contract,
    open_change_of,
    yen_by_year,
)
from programs.rules.contracts import ContractMoney, contract_actions, contract_blockers, may_contract
from programs.rules.phase_locks import Flow, lock_blockers
from programs.states import CONCLUDED, CONTRACT_MOVES

NOT_NOW = "This step is not open to you in the contract's present state. Its page says who acts next."
HEAD = ("instrument", "term", "number", "starts_on", "ends_on", "tax_included", "note", "reason")


@transaction.atomic
def open_contract(
    project: Project,
    *,
    organization: Organization,
    prime: Contract | None = None,
    party: Organization | None = None,
    head: Mapping[str, Any],
    by: User,
    at: datetime,
) -> Contract:
    """This function will open a contract with an institution of the project; `prime` makes it a subcontract.

    `head` has the instrument, term, number, period, tax flag, note and reason. Raises `NotAllowed` or `Refused`.
    """
    project = locked(Project, project.pk)
    if not may_contract(by, project):
        raise NotAllowed(_("Contracts are drafted by the program's ministry staff and the agency that runs it."))
    if prime is not None and (prime.project_id != project.pk or prime.state != CONCLUDED):
        raise Refused(_("Choose a concluded contract of this project."), "no_contract", "prime")
    if organization not in institutions_to_contract(project, prime):
        message = _("This institution has no part in the project. Have its participation entered first.")
        raise Refused(message, "no_part", "organization")
    contract = Contract(
        project=project, organization=organization, prime=prime, party=party, opened_by=by, opened_at=at,
        is_sample=project.is_sample, **_head(head),
    )  # fmt: skip
    contract.save(force_insert=True)
    record("open_contract", project, by=by, at=at, after=_named(contract))
    return contract


@transaction.atomic
def change_contract(contract: Contract, *, by: User, at: datetime) -> Contract:
    """This function will open the contract that is to take a concluded one's place (変更契約): a copy to be written on."""
    former = _locked_for(contract, "contract.change", by)
    if (there := open_change_of(former)) is not None:
        message = _("A change of this contract is open already: %(ref)s. Finish or withdraw it first.")
        raise Refused(message % {"ref": there.ref}, "already_open")
    if Contract.objects.filter(replaces=former).exists():
        # A change that was withdrawn lets go of what it was to replace.
        Contract.objects.filter(replaces=former).update(replaces=None)
    made = Contract.objects.create(
        project=former.project, organization=former.organization, prime=former.prime, party=former.party,
        replaces=former, opened_by=by, opened_at=at, is_sample=former.is_sample,
        **{name: getattr(former, name) for name in HEAD},
    )  # fmt: skip
    for edge in FundEdge.objects.filter(contract=former).order_by("pk"):
        edge.pk, edge.contract, edge.status = None, made, FundEdge.Status.PROPOSED
        edge.save(force_insert=True)
    record("change_contract", former.project, by=by, at=at, after={**_named(made), "from": former.ref})
    return made


@transaction.atomic
def save_contract(
    contract: Contract,
    *,
    head: Mapping[str, Any] | None = None,
    cells: Mapping[tuple[int, int], int] | None = None,
    revision: int | None = None,
    by: User,
    at: datetime,
) -> Contract:
    """This function will save the head and the yen by (fiscal year, id of the category) if nobody saved since.

    What is left out of `cells` stays. Raises `StaleEdit`, `NotAllowed`, or `NotReady` for what is no amount.
    """
    row = _locked_for(contract, "contract.edit", by)
    if revision is not None and revision != row.revision:
        raise StaleEdit(
            _("Somebody else saved this contract in the meantime. Look at both and save again."),
            current={"head": {name: getattr(row, name) for name in HEAD}, "cells": contract_cells(row)},
            submitted={"head": head, "cells": cells},
        )
    typed = _head(head) if head is not None else {}
    if typed and typed["ends_on"] < typed["starts_on"]:
        raise Refused(_("The last day cannot be before the first."), "dates_out_of_order", "ends_on")
    moved = _changed_cells(row, cells or {})
    before = {name: getattr(row, name) for name in typed}
    if not moved and before == typed:
        return row
    for name, value in typed.items():
        setattr(row, name, value)
    row.revision += 1
    row.save(update_fields=[*typed, "revision"])
    _write_cells(row, moved)
    record("save_contract", row.project, by=by, at=at, after={**_named(row), "amounts": len(moved)})
    return row


def _changed_cells(row: Contract, cells: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    known = set(CostCategory.objects.values_list("pk", flat=True))
    wrong = [
        Blocker(f"amounts-{year}", "negative", _("Enter 0 or more."))
        for (year, _one), amount in cells.items()
        if amount < 0
    ]
    wrong += [
        Blocker("amounts", "unknown", _("Choose a cost category of the list.")) for _y, c in cells if c not in known
    ]
    if wrong:
        raise NotReady(_("Not saved. Correct what is marked."), wrong)
    saved = contract_cells(row)
    return {key: amount for key, amount in cells.items() if saved.get(key, 0) != amount}


def _write_cells(row: Contract, cells: Mapping[tuple[int, int], int]) -> None:
    source, target = _ends(row)
    for (year, category), amount in cells.items():
        FundEdge.objects.filter(contract=row, fiscal_year=year, category=category).delete()
        if amount:
            FundEdge.objects.create(
                source=source, target=target, contract=row, fiscal_year=year, category_id=category, amount_yen=amount,
                kind=FundEdge.Kind.SUBCONTRACT if row.prime_id else FundEdge.Kind.CONTRACT,
                tax_included=row.tax_included, status=FundEdge.Status.PROPOSED,
            )  # fmt: skip


def _ends(row: Contract) -> tuple[FundNode, FundNode]:
    source = institution_node(row.project, row.prime.organization) if row.prime else node_for(row.project)
    return source, institution_node(row.project, row.organization)


@transaction.atomic
def propose_contract(contract: Contract, *, by: User, at: datetime) -> Contract:
    """This function will hand the contract in to be concluded. Raises `NotReady` with what is in the way."""
    row = _locked_for(contract, "contract.propose", by)
    _refuse_unless_ready(row)
    row.proposed_by, row.proposed_at, row.returned_note = by, at, ""
    move(row, "propose", CONTRACT_MOVES, also=("proposed_by", "proposed_at", "returned_note"))
    return _told(row, "propose", by, at)


@transaction.atomic
def conclude_contract(contract: Contract, *, decided_on: date, by: User, at: datetime) -> Contract:
    """This function will put the contract in force, in the place of the one it changes; by another than proposed it.

    `decided_on` is the day of conclusion (締結日). Raises `NotAllowed`, `Refused` or `NotReady`.
    """
    locked(FundNode, node_for(contract.project).pk)
    row = _locked_for(contract, "contract.conclude", by)
    if decided_on > localdate(at):
        raise Refused(_("The day of conclusion lies in the future."), "future", "decided_on")
    _refuse_unless_ready(row)
    if row.replaces is not None:
        former = locked(Contract, row.replaces.pk)
        FundEdge.objects.filter(contract=former, status=FundEdge.Status.IN_FORCE).update(
            status=FundEdge.Status.REPLACED
        )
        move(former, "replace", CONTRACT_MOVES)
        Contract.objects.filter(prime=former).update(prime=row)
    FundEdge.objects.filter(contract=row).update(
        status=FundEdge.Status.IN_FORCE, reason=row.reason, tax_included=row.tax_included
    )
    row.approved_by, row.approved_at, row.decided_on = by, at, decided_on
    move(row, "conclude", CONTRACT_MOVES, also=("approved_by", "approved_at", "decided_on"))
    return _told(row, "conclude", by, at)


@transaction.atomic
def return_contract(contract: Contract, *, comment: str, by: User, at: datetime) -> Contract:
    """This function will give the contract back to be written on, with what to change."""
    row = _locked_for(contract, "contract.return", by)
    said = clean(comment).strip()
    if not said:
        raise Refused(_("Say what should be changed, or why not."), "required", "comment")
    row.returned_note = said
    move(row, "return", CONTRACT_MOVES, also=("returned_note",))
    return _told(row, "return", by, at, said)


@transaction.atomic
def withdraw_contract(contract: Contract, *, by: User, at: datetime) -> Contract:
    """This function will take an open contract back for good; the one it was to change stays in force."""
    row = _locked_for(contract, "contract.withdraw", by)
    row.replaces = None
    move(row, "withdraw", CONTRACT_MOVES, also=("replaces",))
    FundEdge.objects.filter(contract=row).update(status=FundEdge.Status.DROPPED)
    return _told(row, "withdraw", by, at)


def blockers_of(contract: Contract, cells: Mapping[tuple[int, int], int] | None = None) -> list[Blocker]:
    """This function will list what stands in the way of proposing or concluding the contract as it is saved.

    `cells` are its amounts where they have been read already.
    """
    money = contract_money(contract, contract_cells(contract) if cells is None else cells)
    return contract_blockers(contract, money) + lock_blockers(_flows(contract, money))


def _flows(contract: Contract, money: ContractMoney) -> list[Flow]:
    """What the contract would let flow into the project beside the others; a subcontract only passes on."""
    if contract.prime_id is not None:
        return []
    former = yen_by_year(contract.replaces_id)
    return [
        Flow(
            contract.project_id, contract.organization.name, year,
            money.others_yen.get(year, 0) + former.get(year, 0), money.others_yen.get(year, 0) + money.total(year),
        )
        for year in money.years
    ]  # fmt: skip


def _refuse_unless_ready(row: Contract) -> None:
    if blockers := blockers_of(row):
        raise NotReady(_("Something is still missing."), blockers)


def _head(given: Mapping[str, Any]) -> dict[str, Any]:
    head = {name: given.get(name) for name in HEAD}
    for name in ("note", "reason"):
        head[name] = clean(head[name] or "").strip()
    head["number"] = clean_line(head["number"] or "").strip()
    return head


def _named(row: Contract) -> dict[str, Any]:
    return {"contract": row.ref, "organization": row.organization.name_ja, "number": row.number}


def _told(row: Contract, act: str, by: User, at: datetime, reason: str = "") -> Contract:
    record(f"{act}_contract", row.project, by=by, at=at, after=_named(row), reason=reason)
    notices.contract_moved(row, act, at=at)
    return row


def _locked_for(contract: Contract, act: str, by: User) -> Contract:
    row = locked(Contract, contract.pk)
    if act not in contract_actions(by, row):
        raise NotAllowed(_(NOT_NOW))
    return row
