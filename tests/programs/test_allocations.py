"""Allocations: who splits is not who decides; nothing above its source without a reason; each version replaces the last."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Organization
from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import JAPAN
from common.models import OutgoingMail
from programs.actions import allocations as actions
from programs.actions.recusals import recuse
from programs.models import Allocation, BudgetLine, FundEdge, FundNode, Program, ResearchArea
from programs.queries.allocations import allocation_sheet, allocations_awaiting, allocations_visible_to, available_yen
from programs.rules.allocations import allocation_actions, may_split
from tests.cast import again

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 4, 9, 0, tzinfo=JAPAN)
DECISION = {"decision_number": "配第1号", "decided_on": date(2026, 6, 4), "at": AT}


@pytest.fixture
def area(twin) -> ResearchArea:
    return twin["sample-ql1-f1"].area


@pytest.fixture
def node(area) -> FundNode:
    return actions.node_for(area)


@pytest.fixture
def allocation(cast, node) -> Allocation:
    return actions.open_allocation(node, 2026, by=cast["pd1"], at=AT)


def keyed(allocation: Allocation) -> dict:
    return {row.target.key: row.yen for row in allocation_sheet(allocation).rows}


def key_of(project) -> tuple[str, int]:
    return "project", project.pk


def in_force(node: FundNode, year: int = 2026) -> dict[str, int]:
    rows = FundEdge.objects.filter(source=node, fiscal_year=year, kind="allocation", status="in_force")
    return dict(rows.values_list("target__project__ref", "amount_yen"))


def carried(allocation, cast, **amounts) -> Allocation:
    """Proposed by pd1 and approved by staff2."""
    proposed = actions.propose_allocation(allocation, by=cast["pd1"], at=AT)
    return actions.approve_allocation(proposed, by=cast["staff2"], **DECISION)


@transaction.atomic
def checked(**row) -> None:
    """Written, and what the database would check at the end of the transaction is checked now."""
    FundEdge.objects.create(**row)
    connection.check_constraints()


# A whole round --------------------------------------------------------------------------------------------------------


def test_allocation_when_opened_then_it_begins_with_what_is_in_force(allocation, node):
    amounts = {row.target.owner.ref: row.yen for row in allocation_sheet(allocation).rows if row.yen}
    assert amounts == in_force(node)
    assert allocation_sheet(allocation).available_yen == 1_100_000_000


def test_allocation_when_approved_then_it_takes_the_place_of_what_was_in_force_to_the_yen(cast, twin, allocation, node):
    amounts = keyed(allocation)
    giver, taker = key_of(twin["sample-ql1-b2"]), key_of(twin["sample-ql1-b1"])
    amounts[giver] -= 1
    amounts[taker] += 1
    before = in_force(node)
    actions.save_allocation(allocation, amounts=amounts, by=cast["pd1"], at=AT)
    assert in_force(node) == before, "a draft moves nothing"
    done = carried(allocation, cast)
    assert (done.state, done.approved_by, done.decision_number) == ("approved", cast["staff2"], "配第1号")
    after = in_force(node)
    assert after["sample-ql1-b2"] == before["sample-ql1-b2"] - 1
    assert after["sample-ql1-b1"] == before["sample-ql1-b1"] + 1
    assert sum(after.values()) == sum(before.values())
    entry = history_of(twin["sample-ql1-b1"]).first()
    assert (entry.action, entry.after["amount_yen"]) == ("allocate_money", after["sample-ql1-b1"])
    second = actions.open_allocation(node, 2026, by=cast["pd1"], at=AT)
    assert (second.number, keyed(second)) == (2, amounts)
    carried(second, cast)
    allocation.refresh_from_db()
    assert allocation.state == "replaced"
    assert set(allocation.edges.values_list("status", flat=True)) == {"replaced"}


def test_allocation_when_returned_and_proposed_again_then_everybody_concerned_is_told(cast, allocation):
    proposed = actions.propose_allocation(allocation, by=cast["pd1"], at=AT)
    told = set(OutgoingMail.objects.filter(subject_ref=allocation.ref).values_list("recipient_email", flat=True))
    assert {"staff1@sample.example", "staff2@sample.example"} <= told
    back = actions.return_allocation(proposed, comment="人材育成に1割を", by=cast["staff1"], at=AT)
    assert (back.state, back.returned_note) == ("returned", "人材育成に1割を")
    assert OutgoingMail.objects.filter(recipient_email="pd1@sample.example", subject_ref=allocation.ref).count() == 1
    actions.propose_allocation(back, by=cast["pd1"], at=AT)
    refused = actions.refuse_allocation(back, comment="財源が変わりました", by=cast["staff2"], at=AT)
    assert refused.state == "refused"
    assert set(refused.edges.values_list("status", flat=True)) == {"dropped"}


# Bad input ------------------------------------------------------------------------------------------------------------


def test_allocation_when_above_its_source_then_the_reason_is_asked_by_how_much(cast, twin, allocation, node):
    amounts = keyed(allocation)
    amounts[key_of(twin["sample-ql1-b1"])] += 5_000_001
    actions.save_allocation(allocation, amounts=amounts, by=cast["pd1"], at=AT)
    with pytest.raises(NotReady) as refusal:
        actions.propose_allocation(allocation, by=cast["pd1"], at=AT)
    (blocker,) = refusal.value.blockers
    assert (blocker.field, blocker.code) == ("reason", "above_the_source")
    assert "5,000,001円" in blocker.message
    actions.save_allocation(allocation, amounts=amounts, reason="前年度の残額を充てる", by=cast["pd1"], at=AT)
    done = carried(allocation, cast)
    assert set(done.edges.values_list("reason", flat=True)) == {"前年度の残額を充てる"}


def test_allocation_when_a_target_gets_less_than_it_passed_on_then_named(cast, twin, allocation):
    flagship = twin["sample-ql1-f1"]
    amounts = keyed(allocation)
    amounts[key_of(flagship)] -= 1
    actions.save_allocation(allocation, amounts=amounts, by=cast["pd1"], at=AT)
    with pytest.raises(NotReady) as refusal:
        actions.propose_allocation(allocation, by=cast["pd1"], at=AT)
    assert [b.code for b in refusal.value.blockers] == ["below_what_is_passed_on"]


def test_allocation_when_two_save_at_once_then_the_second_sees_the_first(cast, allocation):
    amounts = keyed(allocation)
    actions.save_allocation(allocation, amounts=amounts, note="一人目", revision=0, by=cast["pd1"], at=AT)
    with pytest.raises(StaleEdit) as stale:
        actions.save_allocation(allocation, amounts=amounts, note="二人目", revision=0, by=cast["po1"], at=AT)
    assert stale.value.current == amounts
    allocation.refresh_from_db()
    assert allocation.note == "一人目"


@pytest.mark.parametrize("amount", [-1, -100])
def test_allocation_when_an_amount_is_negative_then_refused_and_nothing_saved(cast, twin, allocation, amount):
    before = keyed(allocation)
    with pytest.raises(NotReady):
        actions.save_allocation(allocation, amounts={key_of(twin["sample-ql1-b1"]): amount}, by=cast["pd1"], at=AT)
    assert keyed(allocation) == before


def test_allocation_when_for_something_that_gets_no_money_from_here_then_refused(cast, twin, allocation):
    with pytest.raises(NotReady):
        actions.save_allocation(allocation, amounts={key_of(twin["sample-ql2-b1"]): 1}, by=cast["pd1"], at=AT)


def test_allocation_when_one_is_open_then_a_second_is_refused(cast, node, allocation):
    with pytest.raises(Refused) as refusal:
        actions.open_allocation(node, 2026, by=cast["pd1"], at=AT)
    assert refusal.value.code == "already_open"
    assert actions.open_allocation(node, 2027, by=cast["pd1"], at=AT).fiscal_year == 2027


@pytest.mark.parametrize("year", [1999, 2037])
def test_allocation_when_the_year_is_far_off_then_refused(cast, node, year):
    with pytest.raises(Refused) as refusal:
        actions.open_allocation(node, year, by=cast["pd1"], at=AT)
    assert refusal.value.field == "fiscal_year"


def test_allocation_when_nothing_is_entered_or_the_decision_lies_ahead_then_refused(cast, node):
    empty = actions.open_allocation(node, 2027, by=cast["pd1"], at=AT)
    with pytest.raises(NotReady):
        actions.propose_allocation(empty, by=cast["pd1"], at=AT)
    other = actions.open_allocation(node, 2026, by=cast["pd1"], at=AT)
    actions.propose_allocation(other, by=cast["pd1"], at=AT)
    for given, field in (
        ({"decision_number": " "}, "decision_number"),
        ({"decided_on": date(2026, 6, 5)}, "decided_on"),
    ):
        with pytest.raises(Refused) as refusal:
            actions.approve_allocation(other, by=cast["staff2"], **{**DECISION, **given})
        assert refusal.value.field == field


# Management grants and funds ------------------------------------------------------------------------------------------


def test_money_when_it_is_a_management_grant_then_it_is_never_allocated(cast):
    netlab = Program.objects.get(ref="aip-netlab")
    assert set(netlab.budget_lines.values_list("management_grant", flat=True)) == {"whole"}
    with pytest.raises(Refused) as refusal:
        actions.open_allocation(actions.node_for(netlab), 2022, by=cast["staff1"], at=AT)
    assert refusal.value.code == "management_grant"
    source, target = actions.node_for(netlab), actions.node_for(Program.objects.get(ref="aip-center"))
    row = {"source": source, "target": target, "kind": "allocation", "fiscal_year": 2022, "amount_yen": 1}
    with pytest.raises(IntegrityError):
        checked(**row, reason="理由があっても")


def test_fund_when_it_gets_a_tranche_then_it_is_split_over_years_and_paid_back(cast, twin_program, twin):
    agency = Organization.objects.get(ref="sample-jst")
    fund = actions.open_fund(twin_program, agency, by=cast["staff1"], at=AT)
    with pytest.raises(Refused):
        actions.open_fund(twin_program, agency, by=cast["staff1"], at=AT)
    BudgetLine.objects.create(
        program=twin_program, fiscal_year=2024, kind="supplementary", amount_yen=900, printed_unit="oku"
    )
    whole = actions.node_for(twin_program)
    tranche = actions.open_allocation(whole, 2024, by=cast["staff1"], at=AT)
    amounts = {("fund", agency.pk): 900}
    actions.save_allocation(tranche, amounts=amounts, reason="補正予算による造成", by=cast["staff1"], at=AT)
    actions.propose_allocation(tranche, by=cast["staff1"], at=AT)
    actions.approve_allocation(tranche, by=cast["staff2"], **DECISION)
    assert (available_yen(fund, 2024), available_yen(fund, 2023)) == (900, 0)
    paid = actions.open_allocation(fund, 2025, by=cast["jst1"], at=AT)
    project = twin["sample-ql1-f1"]
    actions.save_allocation(
        paid, amounts={key_of(project): 600, ("program", twin_program.pk): 100}, by=cast["jst1"], at=AT
    )
    actions.propose_allocation(paid, by=cast["jst1"], at=AT)
    with pytest.raises(NotAllowed):
        actions.approve_allocation(paid, by=cast["jst1"], **DECISION)
    actions.approve_allocation(paid, by=cast["jst2"], **DECISION)
    assert available_yen(fund, 2026) == 200
    over = actions.open_allocation(fund, 2026, by=cast["jst1"], at=AT)
    actions.save_allocation(over, amounts={key_of(project): 201}, by=cast["jst1"], at=AT)
    with pytest.raises(NotReady):
        actions.propose_allocation(over, by=cast["jst1"], at=AT)


@pytest.fixture
def fund(cast, twin_program) -> FundNode:
    """A fund with a tranche of 900 yen in 2024, all of which 2026 has been given to a project."""
    agency = Organization.objects.get(ref="sample-jst")
    fund = actions.open_fund(twin_program, agency, by=cast["staff1"], at=AT)
    BudgetLine.objects.create(
        program=twin_program, fiscal_year=2024, kind="supplementary", amount_yen=900, printed_unit="oku"
    )
    tranche = actions.open_allocation(actions.node_for(twin_program), 2024, by=cast["staff1"], at=AT)
    actions.save_allocation(tranche, amounts={("fund", agency.pk): 900}, reason="造成", by=cast["staff1"], at=AT)
    actions.propose_allocation(tranche, by=cast["staff1"], at=AT)
    actions.approve_allocation(tranche, by=cast["staff2"], **DECISION)
    return fund


def from_fund(fund, cast, project, year, amount) -> Allocation:
    made = actions.open_allocation(fund, year, by=cast["jst1"], at=AT)
    return actions.save_allocation(made, amounts={key_of(project): amount}, by=cast["jst1"], at=AT)


def test_fund_when_a_later_year_has_taken_the_money_then_an_earlier_one_cannot_take_it_again(cast, twin, fund):
    project = twin["sample-ql1-f1"]
    paid = from_fund(fund, cast, project, 2026, 800)
    actions.propose_allocation(paid, by=cast["jst1"], at=AT)
    actions.approve_allocation(paid, by=cast["jst2"], **DECISION)
    assert (available_yen(fund, 2025), available_yen(fund, 2026), available_yen(fund, 2027)) == (100, 900, 100)
    over = from_fund(fund, cast, project, 2025, 101)
    with pytest.raises(NotReady) as refusal:
        actions.propose_allocation(over, by=cast["jst1"], at=AT)
    assert [blocker.code for blocker in refusal.value.blockers] == ["above_the_source"]
    row = {"source": fund, "target": actions.node_for(project), "kind": "allocation", "fiscal_year": 2025}
    with pytest.raises(IntegrityError, match="no reason is given"):
        checked(**row, amount_yen=101)
    checked(**row, amount_yen=100)


def test_tranche_when_it_shrinks_below_what_later_years_took_then_named(cast, twin, fund, twin_program):
    paid = from_fund(fund, cast, twin["sample-ql1-f1"], 2026, 800)
    actions.propose_allocation(paid, by=cast["jst1"], at=AT)
    actions.approve_allocation(paid, by=cast["jst2"], **DECISION)
    less = actions.open_allocation(actions.node_for(twin_program), 2024, by=cast["staff1"], at=AT)
    (row,) = [one for one in allocation_sheet(less).rows if one.target.kind == "fund"]
    assert row.passed_on_yen == 800
    actions.save_allocation(less, amounts={row.target.key: 799}, by=cast["staff1"], at=AT)
    found = {blocker.code for blocker in actions.blockers_of(allocation_sheet(again_of(less)))}
    assert "below_what_is_passed_on" in found


def again_of(allocation: Allocation) -> Allocation:
    Allocation.objects.filter(pk=allocation.pk).update(reason="")
    allocation.refresh_from_db()
    return allocation


@pytest.mark.parametrize("ref", ["materials-dx", "aip", "materials-data-core"])
def test_money_when_it_includes_a_management_grant_then_it_is_shown_and_not_counted(client, cast, ref):
    program = Program.objects.get(ref=ref)
    node = actions.node_for(program)
    assert available_yen(node, 2022) == 0
    with pytest.raises(Refused) as refusal:
        actions.open_allocation(node, 2022, by=cast["staff1"], at=AT)
    assert refusal.value.code == "management_grant"
    client.force_login(cast["staff1"])
    text = client.get(f"/programs/{ref}/money/").content.decode()
    line = program.budget_lines.get(fiscal_year=2022)
    assert f'<data value="{line.amount_yen}"' in text
    assert "運営費交付金" in text


# The database ---------------------------------------------------------------------------------------------------------


def test_database_when_more_flows_out_than_in_without_a_reason_then_refused(twin, area, node):
    project = actions.node_for(twin["sample-ql1-b1"])
    row = {"source": node, "target": project, "kind": "allocation", "fiscal_year": 2031, "amount_yen": 1}
    with pytest.raises(IntegrityError, match="no reason is given"):
        checked(**row)
    checked(**row, reason="つなぎ")


def test_database_when_another_edge_gave_a_reason_then_it_does_not_count_for_this_one(twin, area, node):
    row = {"source": node, "kind": "allocation", "fiscal_year": 2031, "amount_yen": 1}
    checked(**row, target=actions.node_for(twin["sample-ql1-b1"]), reason="つなぎ")
    with pytest.raises(IntegrityError, match="no reason is given"):
        checked(**row, target=actions.node_for(twin["sample-ql1-b2"]))


@pytest.mark.django_db(transaction=True)
def test_database_when_two_split_the_same_money_at_once_then_one_is_refused(cast, twin):
    node = actions.node_for(twin["sample-ql1-f1"].area)
    whole = actions.node_for(twin["sample-ql1-f1"].program)
    row = {"kind": "allocation", "fiscal_year": 2031}
    FundEdge.objects.create(source=whole, target=node, amount_yen=100, reason="予算額の登録前", **row)
    targets = [actions.node_for(twin[ref]) for ref in ("sample-ql1-b1", "sample-ql1-b2")]
    barrier, results = threading.Barrier(2), []

    def give(target: FundNode) -> None:
        try:
            with transaction.atomic():
                FundEdge.objects.create(source=node, target=target, amount_yen=60, **row)
                barrier.wait()
            results.append("given")
        except IntegrityError:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=(target,)) for target in targets]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(results) == ["given", "refused"]


def test_database_when_an_edge_in_force_is_changed_then_refused(node):
    edge = FundEdge.objects.filter(source=node, status="in_force").first()
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        FundEdge.objects.filter(pk=edge.pk).update(amount_yen=edge.amount_yen + 1)


def test_database_when_one_person_proposes_and_approves_then_refused(cast, allocation):
    actions.propose_allocation(allocation, by=cast["pd1"], at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Allocation.objects.filter(pk=allocation.pk).update(
            state="approved", approved_by=cast["pd1"], approved_at=AT, decided_on=AT.date(), decision_number="1"
        )


# Who may --------------------------------------------------------------------------------------------------------------

#: State > who may do what; everybody else of the cast may nothing but look, if that.
MAY: dict[str, dict[str, set[str]]] = {
    "drafting": {
        "pd1": {"edit", "propose", "withdraw"},
        "deputy1": {"edit", "propose", "withdraw"},
        "po1": {"edit"},
    },
    "proposed": {
        "pd1": {"withdraw"},
        "deputy1": {"withdraw"},
        "staff1": {"approve", "return", "refuse"},
        "staff2": {"approve", "return", "refuse"},
        "jst1": {"approve", "return", "refuse"},
        "jst2": {"approve", "return", "refuse"},
    },
    "approved": {},
}
SEES = {
    "drafting": {"pd1", "deputy1", "po1"},
    "proposed": {"pd1", "deputy1", "po1", "staff1", "staff2", "auditor1", "jst1", "jst2"},
    "approved": {"pd1", "deputy1", "po1", "staff1", "staff2", "auditor1", "jst1", "jst2"},
}


@pytest.mark.parametrize("state", list(MAY))
def test_allocation_when_somebody_looks_then_rights_are_as_in_the_table(cast, allocation, state):
    if state != "drafting":
        actions.propose_allocation(allocation, by=cast["pd1"], at=AT)
    if state == "approved":
        actions.approve_allocation(allocation, by=cast["staff2"], **DECISION)
    allocation.refresh_from_db()
    users = {name: again(user) for name, user in cast.items()}
    seen = {name for name, user in users.items() if allocation in allocations_visible_to(user)}
    assert seen == SEES[state]
    for name, user in users.items():
        acts = {act.removeprefix("allocation.") for act in allocation_actions(user, allocation)}
        assert acts - {"view", "export"} == MAY[state].get(name, set()), name


def test_allocation_when_a_director_is_in_conflict_with_one_project_then_nothing_of_it_is_seen(
    cast, twin, node, allocation
):
    project = twin["sample-ql1-b1"]
    recuse(cast["pd1"].person, project, starts_on=date(2020, 4, 1), source_ref="COI-A", by=cast["staff1"], at=AT)
    conflicted = again(cast["pd1"])
    assert allocation not in allocations_visible_to(conflicted)
    assert not may_split(conflicted, node)
    assert may_split(again(cast["deputy1"]), node)
    with pytest.raises(NotAllowed):
        actions.propose_allocation(allocation, by=conflicted, at=AT)


def test_allocation_when_it_waits_then_it_stands_at_home_of_who_acts_next(client, cast, allocation):
    assert list(allocations_awaiting(cast["pd1"])) == [allocation]
    actions.propose_allocation(allocation, by=cast["pd1"], at=AT)
    assert list(allocations_awaiting(again(cast["pd1"]))) == []
    assert list(allocations_awaiting(again(cast["staff1"]))) == [allocation]
    client.force_login(cast["staff1"])
    assert allocation.ref in client.get("/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_approval_when_sixteen_decide_at_once_then_one_wins(cast, twin):
    node = actions.node_for(twin["sample-ql1-f1"].area)
    allocation = actions.open_allocation(node, 2026, by=cast["pd1"], at=AT)
    actions.propose_allocation(allocation, by=cast["pd1"], at=AT)
    barrier, results = threading.Barrier(16), []

    def decide() -> None:
        barrier.wait()
        try:
            actions.approve_allocation(Allocation.objects.get(pk=allocation.pk), by=again(cast["staff2"]), **DECISION)
            results.append("approved")
        except Refused:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide) for _ in range(16)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(results) == ["approved", *["refused"] * 15]
    assert Allocation.objects.filter(source=node, fiscal_year=2026, state="approved").count() == 1
