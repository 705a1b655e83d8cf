"""The sample twin's papers about money: a split of a year, contracts as planned, and what was spent of them."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from accounts.models import Organization, User
from common.fiscal_year import ends_on, starts_on
from programs.actions.allocations import node_for, open_allocation, propose_allocation, save_allocation
from programs.actions.contracts import conclude_contract, open_contract, propose_contract, save_contract
from programs.actions.spending import state_spending
from programs.models import (
    Allocation,
    Contract,
    CostCategory,
    PlanBudget,
    Project,
    ResearchArea,
    SpendingStatement,
)
from programs.queries.allocations import allocation_sheet
from programs.queries.contracts import granted
from programs.queries.plans import plan_to_change
from programs.rules.contracts import parts_stated_by
from programs.rules.phase_locks import locks_on

#: Of what was contracted; of the rest a part is carried over.
SPENT_PERCENT, CARRIED_PERCENT = 92, 5
NOTE = "見本の金額です。"


@transaction.atomic
def propose_split(area: ResearchArea | None, fiscal_year: int, *, by: User, at: datetime) -> Allocation | None:
    """This function will propose, once, a split of an area's year: what flows already, a little moved; else None."""
    if area is None:
        return None
    node = node_for(area)
    if Allocation.objects.filter(source=node, fiscal_year=fiscal_year).exists():
        return None
    allocation = open_allocation(node, fiscal_year, by=by, at=at)
    rows = [row for row in allocation_sheet(allocation).rows if row.yen]
    if not rows:
        return None
    # A twentieth of one's money goes to another, of those that have passed nothing on and wait for no decision on a
    # gate: the sum stays what it was.
    held = locks_on(row.target.owner.pk for row in rows)
    free = [row for row in rows if not row.passed_on_yen and row.target.owner.pk not in held]
    amounts = {row.target.key: row.yen for row in rows}
    if len(free) > 1:
        moved = free[-1].yen // 20
        amounts[free[-1].target.key] -= moved
        amounts[free[0].target.key] += moved
    allocation = save_allocation(allocation, amounts=amounts, note=NOTE, by=by, at=at)
    return propose_allocation(allocation, by=by, at=at)


@transaction.atomic
def conclude_year(project: Project, fiscal_year: int, *, users: tuple[User, User], at: datetime) -> int:
    """This function will conclude, once, each institution's single-year contract over what the plan gives it."""
    version = plan_to_change(project)
    if version is None or Contract.objects.filter(project=project, starts_on=starts_on(fiscal_year)).exists():
        return 0
    cells: dict[int, dict[tuple[int, int], int]] = {}
    for cell in PlanBudget.objects.filter(version=version, fiscal_year=fiscal_year):
        cells.setdefault(cell.organization_id or 0, {})[fiscal_year, cell.category_id] = cell.amount_yen
    drafter, approver = users
    for number, (pk, amounts) in enumerate(sorted(cells.items()), start=1):
        head = {
            "instrument": Contract.Instrument.COMMISSION,
            "term": Contract.Term.SINGLE_YEAR,
            "number": f"見本契第{fiscal_year}-{number}号",
            "starts_on": starts_on(fiscal_year),
            "ends_on": ends_on(fiscal_year),
            "tax_included": True,
            "note": NOTE,
        }
        organization = Organization.objects.get(pk=pk)
        contract = open_contract(project, organization=organization, head=head, by=drafter, at=at)
        contract = save_contract(contract, cells=amounts, by=drafter, at=at)
        contract = propose_contract(contract, by=drafter, at=at)
        conclude_contract(contract, decided_on=min(at.date(), date(fiscal_year, 4, 1)), by=approver, at=at)
    return len(cells)


@transaction.atomic
def state_year(project: Project, fiscal_year: int, *, users: tuple[User, ...], at: datetime) -> int:
    """This function will state, once, what each user's institution spent of its contracts by the end of the year."""
    done = 0
    for user in users:
        for organization in Organization.objects.filter(pk__in=parts_stated_by(user, project)):
            if SpendingStatement.objects.filter(
                project=project, organization=organization, fiscal_year=fiscal_year
            ).exists():
                continue
            had = granted(project, organization, fiscal_year).by_category
            lines = {
                one.pk: (
                    had.get(one.pk, 0) * SPENT_PERCENT // 100,
                    had.get(one.pk, 0) * CARRIED_PERCENT // 100 if one.ref == "goods" else 0,
                )
                for one in CostCategory.objects.all()
            }
            state_spending(
                project, organization, fiscal_year=fiscal_year, as_of=ends_on(fiscal_year), lines=lines, note=NOTE,
                by=user, at=at,
            )  # fmt: skip
            done += 1
    return done
