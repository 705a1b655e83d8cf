"""Contracts and statements of spending: drafted and concluded by two, within what was allocated, added up to the yen."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Organization
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import JAPAN
from programs.actions import allocations
from programs.actions import contracts as actions
from programs.actions.recusals import recuse
from programs.actions.spending import state_spending
from programs.models import Contract, CostCategory, FundEdge, FundingRule, Participation, SpendingStatement
from programs.queries.contracts import contracts_visible_to, granted, statements_visible_to
from programs.rules.contracts import (
    Stated,
    contract_actions,
    funding_rule,
    largest_indirect_yen,
    money_rights,
    moved_yen,
)
from tests.cast import again

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 4, 9, 0, tzinfo=JAPAN)
HEAD = {
    "instrument": "commission",
    "term": "single_year",
    "number": "契第1号",
    "starts_on": date(2026, 4, 1),
    "ends_on": date(2027, 3, 31),
    "tax_included": True,
}


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def lead(project) -> Organization:
    return Participation.objects.get(project=project, role="lead").organization


@pytest.fixture
def partner(project) -> Organization:
    return Participation.objects.filter(project=project, role="partner").first().organization


@pytest.fixture
def categories(cast) -> dict[str, int]:
    return dict(CostCategory.objects.values_list("ref", "pk"))


def cells_of(categories, year=2026, **yen) -> dict:
    return {(year, categories[ref]): amount for ref, amount in yen.items()}


def drafted(project, organization, cast, cells, *, prime=None, **head) -> Contract:
    contract = actions.open_contract(
        project, organization=organization, prime=prime, head={**HEAD, **head}, by=cast["staff1"], at=AT
    )
    return actions.save_contract(contract, cells=cells, by=cast["staff1"], at=AT)


def concluded(contract, cast) -> Contract:
    proposed = actions.propose_contract(contract, by=cast["staff1"], at=AT)
    return actions.conclude_contract(proposed, decided_on=date(2026, 4, 1), by=cast["staff2"], at=AT)


@pytest.fixture
def contract(project, lead, cast, categories) -> Contract:
    return drafted(project, lead, cast, cells_of(categories, goods=100, travel=30, indirect=39))


def codes(refusal) -> list[str]:
    return [blocker.code for blocker in refusal.value.blockers]


# A whole round --------------------------------------------------------------------------------------------------------


def test_contract_when_concluded_then_its_money_counts_and_it_stands(cast, contract):
    assert set(contract.edges.values_list("status", flat=True)) == {"proposed"}
    done = concluded(contract, cast)
    assert (done.state, done.approved_by) == ("concluded", cast["staff2"])
    assert sorted(done.edges.values_list("amount_yen", "status", "tax_included")) == [
        (30, "in_force", True), (39, "in_force", True), (100, "in_force", True),
    ]  # fmt: skip
    with pytest.raises(NotAllowed):
        actions.save_contract(done, cells={}, by=cast["staff1"], at=AT)
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        Contract.objects.filter(pk=done.pk).update(number="別")


def test_contract_when_changed_then_the_new_one_takes_its_place(cast, contract, categories):
    first = concluded(contract, cast)
    change = actions.change_contract(first, by=cast["staff1"], at=AT)
    with pytest.raises(Refused):
        actions.change_contract(first, by=cast["staff2"], at=AT)
    change = actions.save_contract(change, cells=cells_of(categories, travel=40), by=cast["staff1"], at=AT)
    first.refresh_from_db()
    assert first.state == "concluded"
    second = concluded(change, cast)
    first.refresh_from_db()
    assert (first.state, second.replaces) == ("replaced", first)
    assert set(first.edges.values_list("status", flat=True)) == {"replaced"}
    rows = FundEdge.objects.filter(contract__project=contract.project_id, status="in_force", kind="contract")
    assert sum(rows.values_list("amount_yen", flat=True)) == 100 + 40 + 39


def test_change_when_withdrawn_then_the_contract_stays_and_can_be_changed_again(cast, contract):
    first = concluded(contract, cast)
    change = actions.change_contract(first, by=cast["staff1"], at=AT)
    actions.withdraw_contract(change, by=cast["staff1"], at=AT)
    first.refresh_from_db()
    assert first.state == "concluded"
    assert actions.change_contract(first, by=cast["staff1"], at=AT).state == "drafting"


def test_subcontract_when_above_the_contract_then_refused_and_within_it_net_sums_stay(
    cast, project, contract, lead, partner, categories
):
    prime = concluded(contract, cast)
    with pytest.raises(Refused) as refusal:
        drafted(project, lead, cast, {}, prime=prime)
    assert refusal.value.field == "organization"
    sub = drafted(project, partner, cast, cells_of(categories, goods=170), prime=prime, number="再契第1号")
    with pytest.raises(NotReady) as too_much:
        actions.propose_contract(sub, by=cast["staff1"], at=AT)
    assert codes(too_much) == ["above_the_source"]
    actions.save_contract(sub, cells=cells_of(categories, goods=40), by=cast["staff1"], at=AT)
    concluded(sub, cast)
    assert granted(project, lead, 2026).by_category[categories["goods"]] == 60
    assert granted(project, partner, 2026).by_category == {categories["goods"]: 40}


def test_contract_when_changed_below_what_is_subcontracted_then_named_and_in_raw_sql_refused(
    cast, project, contract, partner, categories
):
    prime = concluded(contract, cast)
    sub = drafted(project, partner, cast, cells_of(categories, goods=90), prime=prime, number="再契第1号")
    concluded(sub, cast)
    connection.check_constraints()
    change = actions.change_contract(prime, by=cast["staff1"], at=AT)
    less = cells_of(categories, goods=50, travel=30, indirect=9)
    change = actions.save_contract(change, cells=less, by=cast["staff1"], at=AT)
    with pytest.raises(NotReady) as refusal:
        actions.propose_contract(change, by=cast["staff1"], at=AT)
    assert codes(refusal) == ["below_what_is_passed_on"]
    change = actions.save_contract(change, head={**HEAD, "reason": "再委託も変更予定"}, by=cast["staff1"], at=AT)
    concluded(change, cast)
    connection.check_constraints()
    with pytest.raises(IntegrityError, match="no reason is given"):
        without_reason(change)


@transaction.atomic
def without_reason(contract: Contract) -> None:
    FundEdge.objects.filter(contract=contract).update(reason="")
    connection.check_constraints()


def part_of(project, organization, year=2026) -> int:
    edge = FundEdge.objects.get(
        source__project=project, target__organization=organization, kind="allocation", fiscal_year=year,
        status="in_force",
    )  # fmt: skip
    return edge.amount_yen


def test_contract_when_above_the_institutions_part_of_the_split_then_the_reason_is_asked(
    cast, project, partner, categories
):
    part = part_of(project, partner)
    within = drafted(project, partner, cast, cells_of(categories, goods=part - 1), number="1")
    assert actions.blockers_of(within) == []
    concluded(within, cast)
    over = drafted(project, partner, cast, cells_of(categories, goods=2), number="2")
    (blocker,) = actions.blockers_of(over)
    assert (blocker.field, blocker.code) == ("reason", "above_the_part")
    over = actions.save_contract(over, head={**HEAD, "reason": "機関間の流用"}, by=cast["staff1"], at=AT)
    assert actions.blockers_of(over) == []


def test_split_when_an_institution_gets_less_than_it_has_contracts_for_then_named(cast, project, partner, categories):
    part = part_of(project, partner)
    concluded(drafted(project, partner, cast, cells_of(categories, goods=part)), cast)
    split = allocations.open_allocation(allocations.node_for(project), 2026, by=cast["pd1"], at=AT)
    amounts = {("organization", partner.pk): part - 1}
    split = allocations.save_allocation(split, amounts=amounts, by=cast["pd1"], at=AT)
    with pytest.raises(NotReady) as refusal:
        allocations.propose_allocation(split, by=cast["pd1"], at=AT)
    assert codes(refusal) == ["below_what_is_passed_on"]


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "yen", "year", "expected"),
    [
        ({}, {}, 2026, ["required"]),
        ({"number": " "}, {"goods": 1}, 2026, ["required"]),
        ({"ends_on": date(2027, 4, 1)}, {"goods": 1}, 2026, ["more_than_one_year"]),
        ({}, {"goods": 1}, 2025, ["outside_the_period"]),
        ({}, {"goods": 100, "indirect": 31}, 2026, ["indirect_above_the_rate"]),
        ({}, {"goods": 100, "indirect": 30}, 2026, []),
        ({}, {"goods": 330_000_001}, 2026, ["above_the_source"]),
        ({"reason": "前倒し"}, {"goods": 330_000_001}, 2026, []),
    ],
)
def test_contract_when_something_does_not_fit_then_named(cast, project, lead, categories, head, yen, year, expected):
    contract = drafted(project, lead, cast, cells_of(categories, year, **yen), **head)
    assert [blocker.code for blocker in actions.blockers_of(contract)] == expected


def test_contract_when_the_period_is_the_wrong_way_round_or_amounts_negative_then_refused(
    cast, project, lead, contract, categories
):
    with pytest.raises(Refused) as refusal:
        actions.save_contract(contract, head={**HEAD, "ends_on": date(2026, 3, 31)}, by=cast["staff1"], at=AT)
    assert refusal.value.field == "ends_on"
    with pytest.raises(NotReady):
        actions.save_contract(contract, cells=cells_of(categories, goods=-1), by=cast["staff1"], at=AT)


def test_contract_when_with_somebody_without_a_part_then_refused(cast, project):
    stranger = Organization.objects.exclude(participations__project=project).filter(is_sample=True).first()
    with pytest.raises(Refused) as refusal:
        drafted(project, stranger, cast, {})
    assert refusal.value.code == "no_part"


def test_contract_when_two_save_at_once_then_the_second_sees_the_first(cast, contract, categories):
    actions.save_contract(contract, cells=cells_of(categories, goods=5), revision=1, by=cast["staff1"], at=AT)
    with pytest.raises(StaleEdit) as stale:
        actions.save_contract(contract, cells=cells_of(categories, goods=6), revision=1, by=cast["staff2"], at=AT)
    assert stale.value.current["cells"][2026, categories["goods"]] == 5


def test_contract_when_its_proposer_concludes_or_the_day_lies_ahead_then_refused(cast, contract):
    proposed = actions.propose_contract(contract, by=cast["staff1"], at=AT)
    with pytest.raises(NotAllowed):
        actions.conclude_contract(proposed, decided_on=date(2026, 4, 1), by=cast["staff1"], at=AT)
    with pytest.raises(Refused) as refusal:
        actions.conclude_contract(proposed, decided_on=date(2026, 6, 5), by=cast["staff2"], at=AT)
    assert refusal.value.field == "decided_on"
    with pytest.raises(IntegrityError), transaction.atomic():
        Contract.objects.filter(pk=contract.pk).update(
            state="concluded", approved_by=cast["staff1"], approved_at=AT, decided_on=AT.date()
        )


def test_database_when_more_is_contracted_than_allocated_without_a_reason_then_refused(cast, contract):
    proposed = actions.propose_contract(contract, by=cast["staff1"], at=AT)
    edge = proposed.edges.first()
    FundEdge.objects.filter(pk=edge.pk).update(amount_yen=330_000_001)
    with pytest.raises(IntegrityError, match="no reason is given"):
        forced(edge)


@transaction.atomic
def forced(edge: FundEdge) -> None:
    FundEdge.objects.filter(pk=edge.pk).update(status="in_force")
    connection.check_constraints()


# Rules of the scheme --------------------------------------------------------------------------------------------------


def test_rule_when_a_program_has_none_of_its_own_then_the_nearest_above_holds(cast, twin_program):
    own = funding_rule(twin_program, 2026)
    assert (own.program, own.indirect_cost_percent) == (twin_program, Decimal(30))
    later = FundingRule.objects.create(program=twin_program, from_fiscal_year=2026, indirect_cost_percent=15)
    assert funding_rule(twin_program, 2025) == own
    assert funding_rule(twin_program, 2026) == later
    assert funding_rule(twin_program, 2017) is None


@pytest.mark.parametrize(
    ("direct", "percent", "largest"), [(100, "30", 30), (101, "30", 30), (99, "12.5", 12), (0, "30", 0)]
)
def test_indirect_costs_when_computed_then_rounded_down(direct, percent, largest):
    assert largest_indirect_yen(direct, Decimal(percent)) == largest


def test_moved_when_a_category_is_above_what_was_granted_then_only_direct_ones_count():
    lines = [
        Stated("物品費", True, 100, 130, 0),
        Stated("旅費", True, 50, 20, 0),
        Stated("間接経費", False, 30, 40, 0),
    ]
    assert moved_yen(lines) == 30


# Spending -------------------------------------------------------------------------------------------------------------


def stated(project, organization, user, categories, *, on=date(2026, 6, 1), note="", year=2026, **yen):
    lines = {categories[ref]: pair if isinstance(pair, tuple) else (pair, 0) for ref, pair in yen.items()}
    return state_spending(project, organization, fiscal_year=year, as_of=on, lines=lines, note=note, by=user, at=AT)


def test_spending_when_stated_again_then_the_newest_counts_and_both_stay(cast, project, lead, contract, categories):
    concluded(contract, cast)
    first = stated(project, lead, cast["accountant1"], categories, goods=10)
    second = stated(project, lead, cast["office1"], categories, goods=12, travel=1)
    assert [first.number, second.number] == [1, 2]
    assert sum(second.lines.values_list("spent_yen", flat=True)) == 13
    for table in (SpendingStatement.objects.filter(pk=first.pk), first.lines.all()):
        with pytest.raises(Exception, match="Cannot"), transaction.atomic():
            table.delete()


def test_spending_when_carried_over_then_the_next_year_begins_with_it(cast, project, lead, categories):
    contract = drafted(
        project,
        lead,
        cast,
        cells_of(categories, 2025, goods=100),
        starts_on=date(2025, 4, 1),
        ends_on=date(2026, 3, 31),
    )
    concluded(contract, cast)
    stated(project, lead, cast["accountant1"], categories, on=date(2026, 3, 31), year=2025, goods=(60, 40))
    assert granted(project, lead, 2026).carried_in == {categories["goods"]: 40}
    stated(project, lead, cast["accountant1"], categories, goods=40)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"on": date(2026, 6, 5), "goods": 1}, "as_of"),
        ({"on": date(2026, 3, 31), "goods": 1}, "as_of"),
        ({"goods": (1, 1)}, "as_of"),
        ({"goods": 170}, "note"),
        ({"travel": 100}, "note"),
        ({}, "note"),
        ({"goods": -1}, "amounts"),
    ],
)
def test_spending_when_something_is_wrong_then_the_field_is_named_and_nothing_written(
    cast, project, lead, contract, categories, given, field
):
    concluded(contract, cast)
    with pytest.raises(NotReady) as refusal:
        stated(project, lead, cast["accountant1"], categories, **given)
    assert refusal.value.blockers[0].field == field
    assert not SpendingStatement.objects.filter(project=project, fiscal_year=2026).exists()


def test_spending_when_explained_then_taken_as_it_is(cast, project, lead, contract, categories):
    concluded(contract, cast)
    assert stated(project, lead, cast["accountant1"], categories, note="承認第3号による流用", travel=100).number == 1
    assert stated(project, lead, cast["accountant1"], categories, note="執行はありません").lines.count() == 0


@pytest.mark.parametrize("name", ["pi1", "hq1", "pd1", "staff1", "office2", "jst1", "auditor1", "applicant1"])
def test_spending_when_others_state_for_the_lead_then_refused(cast, project, lead, categories, name):
    with pytest.raises(NotAllowed):
        stated(project, lead, cast[name], categories, goods=1)


# Who may --------------------------------------------------------------------------------------------------------------

WHOLE = {"staff1", "staff2", "auditor1", "pd1", "deputy1", "po1", "hq1", "pi1", "coinvestigator1", "jst1", "jst2"}
OWN = {"office1", "accountant1"}
PARTY = {"staff1", "staff2", "jst1", "jst2"}
SEES = {
    "drafting": PARTY,
    "proposed": WHOLE - {"hq1", "pi1", "coinvestigator1"},
    "concluded": WHOLE | OWN,
}
MAY = {
    "drafting": {"edit", "propose", "withdraw"},
    "proposed": {"withdraw", "conclude", "return"},
    "concluded": {"change"},
}


@pytest.mark.parametrize("state", list(SEES))
def test_contract_when_somebody_looks_then_rights_are_as_in_the_table(cast, contract, state):
    if state != "drafting":
        actions.propose_contract(contract, by=cast["staff1"], at=AT)
    if state == "concluded":
        actions.conclude_contract(contract, decided_on=date(2026, 4, 1), by=cast["staff2"], at=AT)
    contract.refresh_from_db()
    users = {name: again(user) for name, user in cast.items()}
    assert {name for name, user in users.items() if contract in contracts_visible_to(user)} == SEES[state]
    for name, user in users.items():
        acts = {act.removeprefix("contract.") for act in contract_actions(user, contract)} - {"view"}
        expected = MAY[state] if name in PARTY else set()
        if state == "proposed" and name == "staff1":
            expected = {"withdraw"}
        assert acts == expected, name


def test_money_when_an_office_looks_then_only_its_own_part(cast, project, contract, lead, partner):
    concluded(contract, cast)
    assert money_rights(cast["pi1"], project).parts is None
    assert money_rights(cast["office2"], project).parts == {partner.pk}
    assert contract not in contracts_visible_to(cast["office2"])
    assert contract in contracts_visible_to(cast["office1"])


def test_money_when_somebody_is_in_conflict_then_nothing_is_seen(cast, project, lead, contract, categories):
    concluded(contract, cast)
    statement = stated(project, lead, cast["accountant1"], categories, goods=1)
    assert statement in statements_visible_to(cast["pd1"])
    recuse(cast["pd1"].person, project, starts_on=date(2020, 4, 1), source_ref="COI-M", by=cast["staff1"], at=AT)
    recuse(cast["staff2"].person, project, starts_on=date(2020, 4, 1), source_ref="COI-N", by=cast["staff1"], at=AT)
    for name in ("pd1", "staff2"):
        assert contract not in contracts_visible_to(again(cast[name]))
        assert statement not in statements_visible_to(again(cast[name]))
    with pytest.raises(NotAllowed):
        actions.change_contract(contract, by=again(cast["staff2"]), at=AT)
