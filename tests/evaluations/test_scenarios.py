"""Scenarios: money, levels and areas of the outcomes set; whose they are; what stands still; nothing else changes."""

import threading
from datetime import date, datetime

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connections, transaction

from common.audit import history_of
from common.errors import IllegalMove, NotAllowed, NotReady, Refused, StaleEdit
from common.fiscal_year import JAPAN
from evaluations.actions.scenarios import (
    archive_scenario,
    clone_scenario,
    delete_scenario,
    keep_scenario,
    make_scenario,
    save_scenario,
    share_scenario,
)
from evaluations.models import Round, Scenario, ScenarioMove, ScenarioOutcome
from evaluations.portfolio import LATER, MODIFY, STOP, Move, Outcome
from evaluations.queries.scenarios import Moved, read_scenario, scenarios_visible_to
from evaluations.rules.scenarios import scenario_actions
from programs.actions.recusals import recuse
from programs.models import FundEdge, PlanVersion, Project
from tests.cast import again
from tests.factories.money import contracted, plan_in_force, plan_level
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db
AT = datetime(2026, 12, 1, 9, 0, tzinfo=JAPAN)
PLANS = {
    "sample-ql1-f1": {2027: 300_000_001, 2028: 100_000_000},
    "sample-ql1-f2": {2027: 200_000_000, 2028: 50_000_000},
    "sample-ql2-f1": {2027: 100_000_000},
}


@pytest.fixture
def made(cast, twin):
    whole = make_round(cast, twin)
    Round.objects.filter(pk=whole.round.pk).update(decision_due_on=date(2027, 1, 15))
    whole.round.refresh_from_db()
    for ref, totals in PLANS.items():
        plan_in_force(twin[ref], totals, by=cast["staff1"], second=cast["staff2"])
    contracted(twin["sample-ql1-f1"], 2027, 40_000_000)
    plan_level(twin["sample-ql1-f1"], date(2027, 9, 30), 5)
    plan_level(twin["sample-ql2-f1"], date(2028, 9, 30), 6)
    return whole


@pytest.fixture
def scenario(cast, made):
    return make_scenario(made.round, name="案1", by=cast["staff1"], at=AT)


def ref_of(made, project):
    return made.reviews[project].ref


def save(scenario, user, made, outcomes=None, moves=(), revision=None, **more):
    now = Scenario.objects.get(pk=scenario.pk)
    outcomes = {ref_of(made, ref): one for ref, one in (outcomes or {}).items()}
    found = [
        Moved(Move(ref_of(made, a), y, ref_of(made, b), z, yen), reason) for a, y, b, z, yen, reason in moves
    ]  # fmt: skip
    given = {"name": now.name, "note": "", "revision": now.revision if revision is None else revision, **more}
    return save_scenario(now, **given, outcomes=outcomes, moves=found, by=user, at=AT)


STOPPED = {"sample-ql1-f1": Outcome(STOP), "sample-ql2-f1": Outcome(LATER)}
MOVED = [("sample-ql1-f1", 2027, "sample-ql1-f2", 2028, 60_000_000, "試作の前倒し")]


def test_scenario_when_saved_then_money_levels_and_areas_are_its_outcomes(cast, made, scenario):
    assert scenario.from_year == 2027
    save(scenario, cast["staff1"], made, STOPPED, MOVED)
    found = read_scenario(cast["staff1"], Scenario.objects.get(pk=scenario.pk)).outlook()
    assert [(one.year, one.planned, one.given, one.released, one.moved) for one in found.years] == [
        (2027, 600_000_001, 240_000_000, 360_000_001, 60_000_000),
        (2028, 150_000_000, 210_000_000, 100_000_000, 0),
    ]
    assert [(one.area, one.planned_yen, one.given_yen) for one in found.areas] == [
        ("sample-ql1", 650_000_001, 350_000_000), ("sample-ql2", 100_000_000, 100_000_000),
    ]  # fmt: skip
    levels = {line.project.key: [(one.level, one.fate, one.year) for one in line.levels] for line in found.lines}
    assert (5, "ended", None) in levels[ref_of(made, "sample-ql1-f1")]
    assert (6, "shifted", 2029) in levels[ref_of(made, "sample-ql2-f1")]


def test_scenario_when_saved_kept_and_copied_then_nothing_outside_of_it_has_changed(cast, made, scenario):
    def outside():
        return [
            list(model.objects.order_by("pk").values()) for model in (Project, PlanVersion, FundEdge, type(made.round))
        ] + [[(one.state, one.ref) for one in made.round.gate_reviews.order_by("pk")]]

    before = outside()
    save(scenario, cast["staff1"], made, STOPPED, MOVED)
    keep_scenario(scenario, by=cast["staff1"], at=AT)
    clone_scenario(scenario, name="案2", by=cast["staff1"], at=AT)
    assert outside() == before
    assert [row.action for row in history_of(scenario)] == ["keep_scenario", "save_scenario", "make_scenario"]


@pytest.mark.parametrize(
    ("outcomes", "moves", "field"),
    [
        ({"sample-ql1-f1": Outcome(MODIFY)}, (), "share-"),
        ({"sample-ql1-f1": Outcome(MODIFY, 300)}, (), "share-"),
        ({"sample-ql1-f1": Outcome(MODIFY, None, {2035: 1})}, (), "share-"),
        ({"sample-ql1-f1": Outcome("merge")}, (), "outcome-"),
        (STOPPED, [("sample-ql1-f1", 2027, "sample-ql1-f2", 2028, 260_000_002, "理由")], "move-0-yen"),
        (STOPPED, [("sample-ql1-f1", 2027, "sample-ql1-f2", 2028, 0, "理由")], "move-0-yen"),
        (STOPPED, [("sample-ql1-f1", 2027, "sample-ql1-f1", 2028, 1, "理由")], "move-0-target"),
        (STOPPED, [("sample-ql1-f1", 2031, "sample-ql1-f2", 2028, 1, "理由")], "move-0-source_year"),
        (STOPPED, [("sample-ql1-f1", 2027, "sample-ql1-f2", 2026, 1, "理由")], "move-0-target_year"),
        (STOPPED, [("sample-ql1-f1", 2027, "sample-ql1-f2", 2028, 1, " ")], "move-0-reason"),
        ({}, MOVED, "move-0-yen"),
    ],
)
def test_scenario_when_something_is_wrong_then_the_field_is_named_and_nothing_written(
    cast, made, scenario, outcomes, moves, field
):
    with pytest.raises(NotReady) as refusal:
        save(scenario, cast["staff1"], made, outcomes, moves)
    assert [one.field.startswith(field) for one in refusal.value.blockers] == [True]
    assert not ScenarioOutcome.objects.filter(scenario=scenario).exists()
    with pytest.raises(NotReady):
        save(scenario, cast["staff1"], made, name=" ")


def test_scenario_when_saved_in_two_windows_then_the_second_is_told(cast, made, scenario):
    save(scenario, cast["staff1"], made, STOPPED)
    with pytest.raises(StaleEdit) as stale:
        save(scenario, cast["staff1"], made, {}, revision=0)
    assert stale.value.current.outcomes[ref_of(made, "sample-ql1-f1")].kind == STOP


def test_scenario_when_kept_then_it_stands_with_the_figures_of_its_day(cast, twin, made, scenario):
    save(scenario, cast["staff1"], made, STOPPED, MOVED)
    keep_scenario(scenario, by=cast["staff1"], at=AT)
    before = read_scenario(cast["staff1"], Scenario.objects.get(pk=scenario.pk)).outlook()
    contracted(twin["sample-ql2-f1"], 2027, 90_000_000)
    assert read_scenario(cast["staff1"], Scenario.objects.get(pk=scenario.pk)).outlook() == before
    with pytest.raises(NotAllowed):
        save(scenario, cast["staff1"], made, {})
    with pytest.raises(NotAllowed):
        delete_scenario(scenario, by=cast["staff1"], at=AT)
    raw = [
        lambda: ScenarioOutcome.objects.filter(scenario=scenario).update(outcome="continue"),
        lambda: ScenarioMove.objects.filter(scenario=scenario).delete(),
        lambda: Scenario.objects.filter(pk=scenario.pk).update(name="別"),
        lambda: Scenario.objects.filter(pk=scenario.pk).update(state="draft", kept_at=None),
        lambda: Scenario.objects.filter(pk=scenario.pk)._raw_delete("default"),
    ]
    for act in raw:
        with pytest.raises((IntegrityError, InternalError, ProgrammingError)), transaction.atomic():
            act()
    archive_scenario(scenario, by=cast["staff1"], at=AT)
    with pytest.raises((IllegalMove, NotAllowed)):
        keep_scenario(scenario, by=cast["staff1"], at=AT)


def test_scenario_when_the_plan_shrank_since_then_it_is_not_kept_with_more_moved_than_released(
    cast, twin, made, scenario
):
    save(scenario, cast["staff1"], made, STOPPED, MOVED)
    contracted(twin["sample-ql1-f1"], 2028, 1)
    FundEdge.objects.filter(target__project=twin["sample-ql1-f1"], kind="contract").exclude(amount_yen=1).update(
        status="replaced"
    )
    contracted(twin["sample-ql1-f1"], 2027, 299_000_000)
    with pytest.raises(Refused) as refusal:
        keep_scenario(scenario, by=cast["staff1"], at=AT)
    assert refusal.value.code == "overdrawn"


def test_scenario_when_a_draft_is_thrown_away_then_it_is_gone_and_the_journal_knows(cast, made, scenario):
    save(scenario, cast["staff1"], made, STOPPED, MOVED)
    copy = clone_scenario(scenario, name="写し", by=cast["staff1"], at=AT)
    assert read_scenario(cast["staff1"], copy).outcomes == read_scenario(cast["staff1"], scenario).outcomes
    entry = history_of(scenario).count()
    pk = scenario.pk
    delete_scenario(scenario, by=cast["staff1"], at=AT)
    assert not Scenario.objects.filter(pk=pk).exists()
    scenario.pk = pk
    assert history_of(scenario).count() == entry + 1
    copy.refresh_from_db()
    assert (copy.cloned_from, copy.state) == (None, "draft")


# Whose they are -------------------------------------------------------------------------------------------------------


def seeing(cast, scenario):
    return {name for name, user in cast.items() if scenario in scenarios_visible_to(again(user))}


def test_scenario_when_not_shared_then_its_owners_and_shared_then_the_staffs_pds_and_pos(cast, made, scenario):
    assert seeing(cast, scenario) == {"staff1"}
    share_scenario(scenario, is_shared=True, by=cast["staff1"], at=AT)
    assert seeing(cast, scenario) == {"staff1", "staff2", "pd1", "pd2", "deputy1", "po1"}
    own = make_scenario(made.round, name="PD案", by=cast["pd1"], at=AT)
    assert seeing(cast, own) == {"pd1"}
    keep_scenario(own, by=cast["pd1"], at=AT)
    assert seeing(cast, own) == {"pd1", "auditor1"}


def test_scenario_when_others_act_then_refused(cast, made, scenario):
    share_scenario(scenario, is_shared=True, by=cast["staff1"], at=AT)
    for name in ("staff2", "pd1", "po1", "jst1", "pi1", "evaluator2", "secretariat1", "auditor1"):
        user = again(cast[name])
        with pytest.raises(NotAllowed):
            save(scenario, user, made, STOPPED)
        for act in (keep_scenario, delete_scenario, archive_scenario):
            with pytest.raises(NotAllowed):
                act(scenario, by=user, at=AT)
        makes = name in ("staff2", "pd1")
        assert ("scenario.clone" in scenario_actions(user, scenario)) == makes
        if not makes:
            with pytest.raises(NotAllowed):
                make_scenario(made.round, name="案", by=user, at=AT)


def test_scenario_when_a_pd_reads_then_only_the_own_area(cast, made, scenario):
    save(scenario, cast["staff1"], made, STOPPED, MOVED)
    share_scenario(scenario, is_shared=True, by=cast["staff1"], at=AT)
    read = read_scenario(cast["pd2"], scenario)
    assert list(read.reviews) == [ref_of(made, "sample-ql2-f1")]
    assert (read.moves, read.outlook().planned_yen) == ([], 100_000_000)


def test_scenario_when_its_owner_gets_a_conflict_then_the_project_is_in_no_row_and_no_sum(cast, twin, made, scenario):
    save(scenario, cast["staff1"], made, STOPPED, MOVED)
    how = {"starts_on": date(2020, 4, 1), "source_ref": "COI-T", "by": cast["staff2"], "at": AT}
    recuse(cast["staff1"].person, twin["sample-ql1-f1"], **how)
    me = again(cast["staff1"])
    read = read_scenario(me, scenario)
    hidden = ref_of(made, "sample-ql1-f1")
    assert hidden not in read.reviews
    assert hidden not in read.outcomes
    assert read.moves == []
    assert read.outlook().planned_yen == 350_000_000
    save(scenario, me, made, {"sample-ql1-f2": Outcome(STOP)})
    # What the others see of the project is not touched by somebody who may not know of it.
    assert ScenarioOutcome.objects.get(scenario=scenario, review__ref=hidden).outcome == "stop"
    with pytest.raises(NotReady):
        save(scenario, me, made, {}, MOVED)
    copy = clone_scenario(scenario, name="写し", by=me, at=AT)
    assert not ScenarioOutcome.objects.filter(scenario=copy, review__ref=hidden).exists()
    keep_scenario(scenario, by=me, at=AT)
    assert hidden not in read_scenario(cast["staff2"], Scenario.objects.get(pk=scenario.pk)).reviews


@pytest.mark.django_db(transaction=True)
def test_scenario_when_saved_by_eight_windows_at_once_then_one_counts(cast, made, scenario):
    results: list[str] = []

    def attempt() -> None:
        try:
            save_scenario(
                scenario, name="案", note="", outcomes={}, moves=[], revision=0, by=again(cast["staff1"]), at=AT
            )
            results.append("saved")
        except StaleEdit:
            results.append("stale")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["saved"] + ["stale"] * 7
