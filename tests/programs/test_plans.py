"""Plans in versions: written by several, handed in, checked, confirmed, approved by two, and then they stand."""

import threading
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction
from django.utils import translation

from common.audit import history_of
from common.errors import IllegalMove, NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import JAPAN
from common.models import OutgoingMail
from programs.actions import plans
from programs.actions.recusals import recuse as recuse_person
from programs.models import (
    CostCategory,
    FundEdge,
    FundNode,
    Participation,
    PlanBudget,
    PlanDeliverable,
    PlanEffort,
    PlanGate,
    PlanMilestone,
    PlanVersion,
    PlanWorkPackage,
    PlanYear,
    Project,
    plan_of,
)
from programs.planning import yen_by_year
from programs.queries.plans import money_table, participants, plan_as_of, plan_difference, plan_history
from programs.rules.plans import parts_of, plan_actions, plan_blockers
from tests.cast import again

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 4, 9, 0, tzinfo=JAPAN)
TODAY = AT.date()
STOPS_ON = date(2026, 9, 30)


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def lead(project):
    return participants(project)[0]


def written(project, cast, *, kind="", by="pi1", reason="進捗を反映するため"):
    """A complete version that is being written."""
    last_day = STOPS_ON if kind == "stop" else None
    version = plans.open_plan(project, kind=kind, reason=reason, ends_on=last_day, by=cast[by], at=AT)
    if kind:
        return version
    how = {"by": cast[by], "at": AT}
    lead = participants(project)[0]
    plans.save_frame(
        version, starts_on=date(2026, 4, 1), ends_on=date(2028, 3, 31), summary="量子計算機の試作", revision=0, **how
    )
    package = {"title": "試作", "goal": "動作", "starts_on": date(2026, 4, 1), "ends_on": date(2027, 3, 31)}
    plans.save_item(version, PlanWorkPackage, values={**package, "organization": lead}, **how)
    milestone = {"title": "忠実度の達成", "planned_on": date(2027, 9, 30), "threshold": Decimal("99.9"), "unit": "%"}
    plans.save_item(version, PlanMilestone, values={**milestone, "direction": "at_least"}, **how)
    gate = {"title": "中間評価", "held_on": date(2027, 12, 1), "phase_starts_on": date(2026, 4, 1)}
    plans.save_item(version, PlanGate, values={**gate, "criteria": "M1の達成", "evidence_asked": "測定記録"}, **how)
    plans.save_item(version, PlanDeliverable, values={"title": "成果報告書", "due_on": date(2028, 5, 31)}, **how)
    goods, other = CostCategory.objects.get(ref="goods"), CostCategory.objects.get(ref="other")
    cells = {(2026, lead.pk, goods.pk): 60_000_001, (2026, lead.pk, other.pk): 39_999_999}
    plans.save_money(version, cells=cells, totals={2026: 100_000_000}, **how)
    effort = {"person": cast[by].person, "fiscal_year": 2026, "effort_percent": 60, "organization": lead}
    plans.save_item(version, PlanEffort, values=effort, **how)
    return again_version(version)


def again_version(version):
    return PlanVersion.objects.get(pk=version.pk)


def handed_on(version, cast, *, to="approved"):
    """The version carried on through the hands of all, up to a state."""
    steps = {
        "submitted": lambda: plans.submit_plan(version, by=cast["pi1"], at=AT),
        "checked": lambda: plans.check_plan(version, by=cast["po1"], at=AT),
        "confirmed": lambda: plans.confirm_plan(version, by=cast["pd1"], at=AT),
        "in_approval": lambda: plans.propose_plan_approval(
            version, decision_number="見本第1号", by=cast["staff1"], at=AT
        ),
        "approved": lambda: plans.approve_plan(version, decided_on=TODAY, effective_on=TODAY, by=cast["staff2"], at=AT),
    }
    for state, step in steps.items():
        step()
        if state == to:
            break
    return again_version(version)


# The way of a plan ----------------------------------------------------------------------------------------------------


def test_plan_when_handed_on_by_all_then_is_in_force_and_its_milestones_are_the_projects(cast, project):
    version = handed_on(written(project, cast), cast)
    assert (version.state, version.number, version.decision_number) == ("approved", 1, "見本第1号")
    assert plan_as_of(cast["pi1"], project, TODAY) == version
    assert plan_as_of(cast["pi1"], project, date(2026, 6, 3)) is None
    milestone = project.milestones.get(number=6, title="忠実度の達成")
    assert (milestone.planned_on, milestone.baseline_on) == (date(2027, 9, 30),) * 2
    actions = [row.action for row in history_of(project).order_by("pk") if row.action.endswith("_plan")]
    assert actions[-6:] == [
        "save_plan", "submit_plan", "check_plan", "confirm_plan", "propose_approval_plan", "approve_plan",
    ]  # fmt: skip


def test_plan_when_it_moves_then_those_who_come_next_are_told_once(cast, project):
    before = set(OutgoingMail.objects.values_list("pk", flat=True))
    handed_on(written(project, cast), cast, to="confirmed")
    mails = OutgoingMail.objects.exclude(pk__in=before).filter(template="plan_moved")
    told = sorted(mails.values_list("recipient_email", flat=True))
    assert told == sorted(f"{name}@sample.example" for name in ("po1", "pd1", "deputy1", "staff1", "staff2"))
    assert all("99.9" not in mail.body and "量子計算機" not in mail.body for mail in mails)


def test_plan_when_approved_by_its_drafter_then_refused_and_the_database_refuses_too(cast, project):
    version = handed_on(written(project, cast), cast, to="in_approval")
    with pytest.raises(NotAllowed):
        plans.approve_plan(version, decided_on=TODAY, effective_on=TODAY, by=cast["staff1"], at=AT)
    with pytest.raises(IntegrityError, match="plan_approved_by_another"), transaction.atomic():
        PlanVersion.objects.filter(pk=version.pk).update(approved_by=cast["staff1"])
    assert again_version(version).state == "in_approval"


@pytest.mark.parametrize("table", [PlanWorkPackage, PlanMilestone, PlanGate, PlanYear, PlanBudget, PlanEffort])
def test_item_when_its_version_is_handed_in_then_the_database_refuses_every_write(cast, project, table):
    version = handed_on(written(project, cast), cast, to="submitted")
    rows = table.objects.filter(version=version)
    assert rows.exists()
    with pytest.raises(IntegrityError, match="not open"), transaction.atomic():
        rows.update(revision=99)
    with pytest.raises(IntegrityError, match="not open"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table._meta.db_table} WHERE version_id = %s", [version.pk])


def test_version_when_approved_then_nothing_of_it_changes(cast, project):
    version = handed_on(written(project, cast), cast)
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        PlanVersion.objects.filter(pk=version.pk).update(summary="書換え")


def test_plan_when_approval_is_dated_ahead_or_before_the_last_then_refused_at_the_field(cast, project):
    version = handed_on(written(project, cast), cast, to="in_approval")
    with pytest.raises(Refused) as refusal:
        plans.approve_plan(version, decided_on=date(2026, 6, 5), effective_on=TODAY, by=cast["staff2"], at=AT)
    assert refusal.value.field == "decided_on"
    plans.approve_plan(version, decided_on=TODAY, effective_on=TODAY, by=cast["staff2"], at=AT)
    second = handed_on(written(project, cast, kind="approval"), cast, to="in_approval")
    with pytest.raises(Refused) as refusal:
        plans.approve_plan(second, decided_on=TODAY, effective_on=TODAY, by=cast["staff2"], at=AT)
    assert refusal.value.field == "effective_on"


STATES = ("drafting", "submitted", "checked", "confirmed", "in_approval")
#: The contracting party: the program's officers and its agency's people.
PARTY = {"staff1", "staff2", "jst1", "jst2"}
MAY = {
    "submit": {"drafting": {"pi1"}},
    "withdraw": {state: {"pi1"} for state in ("drafting", "submitted", "checked", "confirmed")},
    "check": {"submitted": {"po1"}},
    "confirm": {"checked": {"pd1", "deputy1"}},
    "propose_approval": {"confirmed": PARTY},
    "approve": {"in_approval": PARTY - {"staff1"}},
    "refuse": {"confirmed": PARTY, "in_approval": PARTY},
    "return": {
        "submitted": {"po1"}, "checked": {"pd1", "deputy1"}, "confirmed": PARTY,
        "in_approval": PARTY - {"staff1"},
    },
    "edit": {"drafting": {"pi1", "hq1"}},
    "edit_part": {"drafting": {"pi1", "coinvestigator1", "office1", "accountant1", "office2"}},
    "view": {
        "drafting": {"pi1", "hq1", "coinvestigator1", "office1", "accountant1", "office2"},
        **{
            state: {"pi1", "hq1", "coinvestigator1", "office1", "accountant1", "office2", "po1", "pd1", "deputy1",
                    "staff1", "staff2", "auditor1"}
            for state in ("submitted", "checked")
        },
        # The contracting agency reads it from the PD's confirmation on.
        **{
            state: {"pi1", "hq1", "coinvestigator1", "office1", "accountant1", "office2", "po1", "pd1", "deputy1",
                    "staff1", "staff2", "auditor1", "jst1", "jst2"}
            for state in ("confirmed", "in_approval")
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_acts_when_asked_for_everybody_then_are_the_table(cast, project, state):
    version = written(project, cast)
    if state != "drafting":
        version = handed_on(version, cast, to=state)
    found = {act: set() for act in MAY}
    for name, user in cast.items():
        for act in plan_actions(again(user), version):
            if act.removeprefix("plan.") in found:
                found[act.removeprefix("plan.")].add(name)
    expected = {act: by_state.get(state, set()) for act, by_state in MAY.items()}
    assert found == expected


def test_plan_when_somebody_has_a_conflict_then_it_is_not_there_for_them(cast, project):
    version = handed_on(written(project, cast), cast, to="submitted")
    assert plan_actions(cast["pd1"], version) >= {"plan.view"}
    recuse(cast["pd1"], project)
    assert plan_actions(again(cast["pd1"]), version) == set()
    assert list(plan_history(again(cast["pd1"]), project)) == []


def recuse(user, project):
    recuse_person(user.person, project, starts_on=date(2020, 4, 1), source_ref="COI-TEST", by=user, at=AT)


# Writing together -----------------------------------------------------------------------------------------------------


def test_item_when_two_save_then_the_second_sees_both(cast, project):
    version = written(project, cast)
    row = PlanMilestone.objects.get(version=version)
    first = {"title": "先の題", "planned_on": row.planned_on}
    plans.save_item(version, PlanMilestone, values=first, key="M6", revision=0, by=cast["pi1"], at=AT)
    later = {"title": "後の題", "planned_on": row.planned_on}
    with pytest.raises(StaleEdit) as stale:
        plans.save_item(version, PlanMilestone, values=later, key="M6", revision=0, by=cast["hq1"], at=AT)
    assert (stale.value.current.title, stale.value.submitted["title"]) == ("先の題", "後の題")
    assert PlanMilestone.objects.get(version=version).title == "先の題"


def test_part_when_written_by_a_co_investigator_then_only_the_own_institutions(cast, project, lead):
    version = written(project, cast)
    partner = next(o for o in participants(project) if o != lead)
    assert parts_of(cast["coinvestigator1"], version) == {partner.pk}
    goods = CostCategory.objects.get(ref="goods").pk
    how = {"by": cast["coinvestigator1"], "at": AT}
    assert plans.save_money(version, cells={(2026, partner.pk, goods): 5}, **how) == 1
    with pytest.raises(NotAllowed):
        plans.save_money(version, cells={(2026, partner.pk, goods): 6, (2026, lead.pk, goods): 5}, **how)
    with pytest.raises(NotAllowed):
        plans.save_money(version, cells={}, totals={2026: 5}, **how)
    values = {"title": "分担", "planned_on": date(2027, 1, 1)}
    with pytest.raises(NotAllowed):
        plans.save_item(version, PlanMilestone, values={**values, "organization": lead}, **how)
    with pytest.raises(NotAllowed):
        plans.save_item(version, PlanMilestone, values={**values, "organization": partner}, key="M6", **how)
    row = plans.save_item(version, PlanMilestone, values={**values, "organization": partner}, **how)
    assert row.key == "M7"
    assert PlanBudget.objects.get(version=version, organization=partner).amount_yen == 5


def test_key_when_its_item_is_removed_then_is_never_used_again(cast, project):
    version = written(project, cast)
    how = {"by": cast["pi1"], "at": AT}
    values = {"title": "二つ目", "planned_on": date(2027, 1, 1)}
    second = plans.save_item(version, PlanMilestone, values=values, **how)
    handed = handed_on(again_version(version), cast)
    change = written(project, cast, kind="approval")
    plans.remove_item(change, PlanMilestone, key=second.key, revision=0, **how)
    third = plans.save_item(change, PlanMilestone, values={**values, "title": "三つ目"}, **how)
    assert (second.key, third.key) == ("M7", "M8")
    changes = [(c.key, c.kind) for c in plan_difference(handed, change)]
    assert changes == [("M7", "removed"), ("M8", "added")]


def test_milestone_when_the_project_had_some_before_its_first_plan_then_none_is_written_over(cast, project):
    before = {m.number: (m.title, m.planned_on, m.reached_on) for m in project.milestones.all()}
    version = written(project, cast)
    number, (title, planned_on, reached_on) = next((n, m) for n, m in before.items() if m[2] is not None)
    values = {"title": title, "planned_on": date(2026, 12, 1)}
    kept = plans.save_item(version, PlanMilestone, values=values, by=cast["pi1"], at=AT)
    assert kept.key == f"M{number}"
    twice = plans.save_item(version, PlanMilestone, values=values, by=cast["pi1"], at=AT)
    assert twice.key == f"M{max(before) + 2}"
    handed_on(again_version(version), cast)
    after = {m.number: (m.title, m.planned_on, m.reached_on) for m in project.milestones.all()}
    assert after[number] == (title, date(2026, 12, 1), reached_on)
    assert {n: after[n] for n in before if n != number} == {n: before[n] for n in before if n != number}
    assert planned_on != date(2026, 12, 1)


@pytest.mark.django_db(transaction=True)
def test_plan_when_submitted_while_somebody_saves_then_the_save_is_in_or_refused(cast, project):
    version = written(project, cast)
    outcomes, barrier = [], threading.Barrier(2)

    def run(act):
        barrier.wait()
        try:
            act()
            outcomes.append("done")
        except (NotAllowed, IllegalMove):
            outcomes.append("refused")
        finally:
            connections.close_all()

    submit = lambda: plans.submit_plan(version, by=cast["pi1"], at=AT)  # noqa: E731
    values = {"title": "滑込み", "planned_on": date(2027, 1, 1)}
    save = lambda: plans.save_item(version, PlanMilestone, values=values, key="M6", by=cast["hq1"], at=AT)  # noqa: E731
    threads = [threading.Thread(target=run, args=(act,)) for act in (submit, save)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    title = PlanMilestone.objects.get(version=version).title
    assert again_version(version).state == "submitted"
    assert (title == "滑込み") == (outcomes.count("done") == 2)


# What is in the way ---------------------------------------------------------------------------------------------------


def test_submission_when_things_are_missing_then_all_are_named_in_order(cast, project):
    version = plans.open_plan(project, by=cast["pi1"], at=AT)
    with pytest.raises(NotReady) as refusal:
        plans.submit_plan(version, by=cast["pi1"], at=AT)
    assert [b.field for b in refusal.value.blockers] == ["frame-plan", "workpackage-", "milestone-", "budgetcell-"]
    assert again_version(version).state == "drafting"


def test_submission_when_money_and_dates_do_not_fit_then_the_message_says_by_how_much(cast, project, lead):
    version = written(project, cast)
    how = {"by": cast["pi1"], "at": AT}
    plans.save_money(version, cells={}, totals={2026: 100_000_001}, **how)
    late = {"title": "最終実証", "planned_on": date(2028, 4, 1)}
    plans.save_item(version, PlanMilestone, values=late, **how)
    area, _made = FundNode.objects.get_or_create(kind="area", area=project.area)
    node, _made = FundNode.objects.get_or_create(kind="project", project=project)
    FundEdge.objects.filter(target=node).delete()
    FundEdge.objects.create(
        source=area, target=node, kind="allocation", fiscal_year=2026, amount_yen=90_000_000, reason="試験"
    )
    with translation.override("en"):
        found = {b.code: b.message for b in plan_blockers(again_version(version), TODAY)}
    assert set(found) == {"after_the_end", "parts_differ_from_the_year", "above_the_ceiling"}
    assert "100,000,001 yen" in found["parts_differ_from_the_year"]
    assert "100,000,000 yen" in found["parts_differ_from_the_year"]
    assert "90,000,000 yen" in found["above_the_ceiling"]
    assert "M7 最終実証" in found["after_the_end"]


def test_submission_when_effort_over_all_projects_is_above_100_then_named_with_the_person(cast, project, twin):
    first = handed_on(written(project, cast), cast)
    assert first.state == "approved"
    other = twin["sample-ql1-f2"]
    version = plans.open_plan(other, by=cast["pi2"], at=AT)
    organization = participants(other)[0]
    values = {"person": cast["pi1"].person, "fiscal_year": 2026, "effort_percent": 41, "organization": organization}
    plans.save_item(version, PlanEffort, values=values, by=cast["pi2"], at=AT)
    messages = [b.message for b in plan_blockers(version, TODAY) if b.code == "effort_above_100"]
    assert len(messages) == 1
    # Nor may the year before the other plan comes into force make room.
    assert [b.code for b in plan_blockers(version, date(2026, 4, 1)) if "effort" in b.code] == ["effort_above_100"]
    assert cast["pi1"].person.name_ja in messages[0]
    assert "101" in messages[0]


def test_submission_when_a_partner_has_no_part_then_named(cast, project):
    version = written(project, cast)
    foreign = Participation.objects.exclude(project=project).filter(project__program=project.program).first()
    values = {"title": "外部", "planned_on": date(2027, 1, 1), "organization": foreign.organization}
    plans.save_item(version, PlanMilestone, values=values, by=cast["pi1"], at=AT)
    blockers = [b for b in plan_blockers(version, TODAY) if b.code == "partner_without_part"]
    assert [foreign.organization.name in b.message for b in blockers] == [True]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": "", "planned_on": date(2027, 1, 1)}, "title"),
        ({"title": "あ" * 201, "planned_on": date(2027, 1, 1)}, "title"),
        ({"title": "方向", "planned_on": date(2027, 1, 1), "direction": "up"}, "direction"),
    ],
)
def test_item_when_a_value_is_wrong_then_the_field_is_named_and_nothing_written(cast, project, values, field):
    version = written(project, cast)
    with pytest.raises(NotReady) as refusal:
        plans.save_item(version, PlanMilestone, values=values, by=cast["pi1"], at=AT)
    assert [b.field for b in refusal.value.blockers] == [field]
    assert PlanMilestone.objects.filter(version=version).count() == 1


def test_money_when_one_cell_is_wrong_then_none_is_written(cast, project, lead):
    version = written(project, cast)
    goods = CostCategory.objects.get(ref="goods").pk
    with pytest.raises(NotReady):
        plans.save_money(version, cells={(2027, lead.pk, goods): 7, (2026, lead.pk, goods): -1}, by=cast["pi1"], at=AT)
    assert money_table(version).sums == (100_000_000, 0)


# Changes --------------------------------------------------------------------------------------------------------------


def test_change_when_approved_then_the_old_version_is_still_there_as_of_its_days(cast, project):
    first = handed_on(written(project, cast), cast)
    change = written(project, cast, kind="approval")
    assert plan_of(change) == plan_of(first)
    moved = {"title": "忠実度の達成", "planned_on": date(2027, 12, 28)}
    plans.save_item(change, PlanMilestone, values=moved, key="M6", by=cast["pi1"], at=AT)
    assert [(c.key, c.changed_fields) for c in plan_difference(first, change)] == [("M6", ("planned_on",))]
    for step in (
        lambda: handed_on(change, cast, to="in_approval"),
        lambda: plans.approve_plan(change, decided_on=TODAY, effective_on=date(2026, 10, 1), by=cast["staff2"], at=AT),
    ):
        step()
    assert plan_as_of(cast["pi1"], project, date(2026, 9, 30)) == first
    assert plan_as_of(cast["pi1"], project, date(2026, 10, 1)) == again_version(change)
    milestone = project.milestones.get(number=6)
    assert milestone.planned_on == date(2027, 12, 28)


def test_change_when_it_stops_the_project_then_the_project_is_stopped(cast, project):
    handed_on(written(project, cast), cast)
    stop = written(project, cast, kind="stop", reason="研究代表者の転出")
    handed_on(stop, cast, to="in_approval")
    plans.approve_plan(stop, decided_on=TODAY, effective_on=date(2026, 9, 1), by=cast["staff2"], at=AT)
    assert Project.objects.get(pk=project.pk).state == "stopped"
    with pytest.raises(NotAllowed):
        plans.open_plan(project, kind="approval", reason="再開", by=cast["pi1"], at=AT)


def test_stop_when_asked_for_then_the_version_holds_what_remains_and_the_difference_says_so(cast, project, lead):
    first = written(project, cast)
    goods, how = CostCategory.objects.get(ref="goods"), {"by": cast["pi1"], "at": AT}
    plans.save_money(first, cells={(2027, lead.pk, goods.pk): 7_000_000}, totals={2027: 7_000_000}, **how)
    first = handed_on(again_version(first), cast)
    stop = written(project, cast, kind="stop")
    assert (stop.ends_on, PlanWorkPackage.objects.get(version=stop).ends_on) == (STOPS_ON, STOPS_ON)
    changes = plan_difference(first, stop)
    assert [(c.part.__name__, c.key, c.kind) for c in changes] == [
        ("Frame", "plan", "changed"), ("WorkPackage", "WP1", "changed"), ("Milestone", "M6", "removed"),
        ("Deliverable", "D1", "removed"), ("Gate", "G1", "removed"), ("YearTotal", "2027", "removed"),
        ("BudgetCell", f"2027/{lead.ref}/goods", "removed"),
    ]  # fmt: skip
    assert yen_by_year(changes) == {2027: -7_000_000}
    plans.save_frame(
        stop, starts_on=first.starts_on, ends_on=first.ends_on, summary=stop.summary, revision=stop.revision, **how
    )
    codes = [b.code for b in plan_blockers(again_version(stop), TODAY)]
    assert codes == ["stop_without_an_end", "gate_taken_out"]


@pytest.mark.parametrize(
    ("kind", "ends_on"),
    [("stop", None), ("stop", date(2026, 3, 31)), ("stop", date(2028, 3, 31)), ("approval", date(2026, 9, 30))],
)
def test_stop_when_its_last_day_is_missing_or_cannot_be_then_nothing_is_opened(cast, project, kind, ends_on):
    handed_on(written(project, cast), cast)
    with pytest.raises(Refused) as refusal:
        plans.open_plan(project, kind=kind, reason="転出", ends_on=ends_on, by=cast["pi1"], at=AT)
    assert refusal.value.field == "ends_on"
    assert project.plan_versions.count() == 1


def test_change_when_the_reason_is_missing_then_it_cannot_be_handed_in(cast, project):
    handed_on(written(project, cast), cast)
    change = written(project, cast, kind="notice", reason=" ")
    with pytest.raises(NotReady) as refusal:
        plans.submit_plan(change, by=cast["pi1"], at=AT)
    assert [b.field for b in refusal.value.blockers] == ["reason"]
    plans.save_change_reason(change, reason="所在地の変更", wanted_from=None, by=cast["pi1"], at=AT)
    assert plans.submit_plan(again_version(change), by=cast["pi1"], at=AT).state == "submitted"


def test_change_when_it_would_hold_only_after_a_phase_has_started_then_its_gate_is_not_eased(cast, project):
    version = written(project, cast)
    how = {"by": cast["pi1"], "at": AT}
    gate = {"title": "中間評価", "held_on": date(2027, 12, 1), "criteria": "M1の達成", "evidence_asked": "測定記録"}
    phase = {"phase_starts_on": date(2026, 10, 1)}
    plans.save_item(version, PlanGate, values={**gate, **phase}, key="G1", revision=0, **how)
    handed_on(again_version(version), cast)
    change = written(project, cast, kind="approval")
    row = PlanGate.objects.get(version=change)
    plans.save_item(
        change, PlanGate, values={**gate, **phase, "criteria": "なし"}, key="G1", revision=row.revision, **how
    )
    handed_on(change, cast, to="in_approval")
    with pytest.raises(NotReady) as refusal:
        plans.approve_plan(change, decided_on=TODAY, effective_on=date(2026, 10, 2), by=cast["staff2"], at=AT)
    assert [b.code for b in refusal.value.blockers] == ["criteria_are_fixed"]
    plans.approve_plan(change, decided_on=TODAY, effective_on=date(2026, 9, 30), by=cast["staff2"], at=AT)


def test_effort_when_the_person_has_one_in_the_year_already_then_the_entry_is_named(cast, project, lead):
    version = written(project, cast)
    values = {"person": cast["pi1"].person, "fiscal_year": 2026, "effort_percent": 20, "organization": lead}
    with pytest.raises(NotReady) as refusal:
        plans.save_item(version, PlanEffort, values=values, by=cast["pi1"], at=AT)
    assert [(b.field, "60%" in b.message) for b in refusal.value.blockers] == [("fiscal_year", True)]
    assert PlanEffort.objects.get(version=version).effort_percent == 60


def test_threshold_when_its_direction_is_missing_then_asked_for_by_every_door(cast, project):
    version = written(project, cast)
    values = {"title": "節目", "planned_on": date(2027, 1, 1), "threshold": Decimal(5)}
    with pytest.raises(NotReady) as refusal:
        plans.save_item(version, PlanMilestone, values=values, by=cast["pi1"], at=AT)
    assert [b.field for b in refusal.value.blockers] == ["direction"]


def test_frame_when_a_year_is_a_slip_then_refused(cast, project):
    version = written(project, cast)
    with pytest.raises(Refused) as refusal:
        plans.save_frame(
            version, starts_on=date(2026, 4, 1), ends_on=date(3028, 3, 31), summary="", revision=version.revision,
            by=cast["pi1"], at=AT,
        )  # fmt: skip
    assert refusal.value.field == "ends_on"


def test_first_plan_when_opened_before_april_then_begins_in_the_running_fiscal_year(cast, project):
    project.start_fiscal_year = project.end_fiscal_year = None
    project.save()
    version = plans.open_plan(project, by=cast["pi1"], at=datetime(2027, 2, 10, 9, 0, tzinfo=JAPAN))
    assert (version.starts_on, version.ends_on) == (date(2026, 4, 1), date(2027, 3, 31))


def test_plan_when_the_contracting_party_is_an_agency_then_two_of_its_people_approve(cast, project):
    version = handed_on(written(project, cast), cast, to="confirmed")
    plans.propose_plan_approval(version, decision_number="見本機構第1号", by=cast["jst1"], at=AT)
    days = {"decided_on": TODAY, "effective_on": TODAY, "at": AT}
    for name in ("jst1", "nedo1"):
        with pytest.raises(NotAllowed):
            plans.approve_plan(version, **days, by=cast[name])
    approved = plans.approve_plan(version, **days, by=cast["jst2"])
    assert (approved.state, approved.decision_number) == ("approved", "見本機構第1号")


def test_change_when_fixed_criteria_are_eased_then_it_cannot_be_handed_in(cast, project):
    handed_on(written(project, cast), cast)
    change = written(project, cast, kind="approval")
    row = PlanGate.objects.get(version=change)
    values = {"title": row.title, "held_on": row.held_on, "phase_starts_on": row.phase_starts_on}
    plans.save_item(
        change,
        PlanGate,
        values={**values, "criteria": "なし", "evidence_asked": "なし"},
        key="G1",
        by=cast["pi1"],
        at=AT,
    )
    codes = [b.code for b in plan_blockers(change, TODAY)]
    assert codes == ["criteria_are_fixed"]


def test_version_when_another_is_open_then_none_is_opened_and_the_database_refuses_too(cast, project):
    version = written(project, cast)
    with pytest.raises(Refused):
        plans.open_plan(project, by=cast["pi1"], at=AT)
    with pytest.raises(IntegrityError, match="one_open_plan_version"), transaction.atomic():
        PlanVersion.objects.create(
            project=project, number=9, starts_on=TODAY, ends_on=TODAY, opened_by=version.opened_by, opened_at=AT,
            is_sample=True,
        )  # fmt: skip


def test_version_when_withdrawn_or_refused_then_the_one_before_stays_in_force(cast, project):
    first = handed_on(written(project, cast), cast)
    change = written(project, cast, kind="approval")
    plans.withdraw_plan(change, by=cast["pi1"], at=AT)
    refused = handed_on(written(project, cast, kind="approval"), cast, to="confirmed")
    with pytest.raises(Refused):
        plans.refuse_plan(refused, reason=" ", by=cast["staff1"], at=AT)
    plans.refuse_plan(refused, reason="必要性が認められない", by=cast["staff1"], at=AT)
    assert plan_as_of(cast["pi1"], project, date(2030, 1, 1)) == first
    assert [v.number for v in plan_history(cast["pi1"], project)] == [3, 2, 1]
    assert [v.number for v in plan_history(cast["pd1"], project)] == [3, 1]


def test_plan_when_returned_then_the_comment_is_kept_and_the_team_writes_again(cast, project):
    version = handed_on(written(project, cast), cast, to="checked")
    with pytest.raises(Refused):
        plans.return_plan(version, comment=" ", by=cast["pd1"], at=AT)
    plans.return_plan(version, comment="M1の根拠を示してください。", item_key="M6", by=cast["pd1"], at=AT)
    version = again_version(version)
    assert version.state == "returned"
    assert [(c.item_key, c.text) for c in version.comments.all()] == [("M6", "M1の根拠を示してください。")]
    assert "plan.edit" in plan_actions(again(cast["pi1"]), version)
    assert plans.submit_plan(version, by=cast["pi1"], at=AT).checked_by is None


# Money as a table -----------------------------------------------------------------------------------------------------


def test_money_when_laid_out_then_the_parts_sum_to_the_whole_to_the_yen(cast, project, lead):
    version = written(project, cast)
    table = money_table(version, participants(project))
    assert table.years == (2026, 2027)
    assert table.sums == (100_000_000, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(amount_yen) FROM programs_planbudget WHERE version_id = %s", [version.pk])
        assert cursor.fetchone()[0] == table.total_yen == sum(row.total_yen for row in table.rows)
    assert len(table.rows) == len(participants(project)) * CostCategory.objects.count()


def test_conflict_table_when_read_then_every_code_has_words():
    from programs.rules.plans import _messages

    codes = {
        "ends_before_it_starts", "outside_the_period", "before_the_start", "after_the_end", "phase_after_its_gate",
        "gate_without_criteria", "gate_without_evidence", "criteria_are_fixed", "partner_without_part",
        "negative_amount", "year_outside_the_plan", "parts_differ_from_the_year", "above_the_ceiling",
        "effort_above_100", "effort_outside_the_plan", "gate_taken_out", "changed_meanwhile",
    }  # fmt: skip
    assert set(_messages()) == codes
