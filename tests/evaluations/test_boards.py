"""The gate board: what each reader knows of a review's progress, and what it waits for, of whom, since when."""

from decimal import Decimal

import pytest
from django.utils import timezone

from evaluations.actions.score_sheets import save_sheet, submit_sheet
from evaluations.models import Finding, GateReview
from evaluations.queries.boards import progress_of
from evaluations.queries.dossiers import board
from evaluations.rules.dossiers import review_missing
from evaluations.rules.rounds import first_locked_year
from evaluations.scoring import Answer
from tests.cast import again
from tests.factories.money import plan_in_force
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db
F1, F2 = "sample-ql1-f1", "sample-ql1-f2"


def answers(letter):
    found = {key: Answer(key, letter) for key in ("goal", "plan", "team")}
    return found | {"remarks": Answer("remarks", comment="特になし")}


@pytest.fixture
def scored(cast, twin):
    """Two of three sheets are in: a and b throughout."""
    made = make_round(cast, twin, projects=(F1, F2), evaluators=5)
    sheets = made.assign(F1, "evaluator2", "evaluator3", "evaluator4", by=cast["chair1"])
    for sheet, name, letter in zip(sheets, ("evaluator2", "evaluator3"), "ab", strict=False):
        how = {"by": cast[name], "at": timezone.now()}
        save_sheet(sheet, answers=answers(letter), revision=0, **how)
        submit_sheet(sheet, **how)
    return made


def known(user, review):
    rows = list(board(again(user)).filter(pk=review.pk))
    return progress_of(again(user), rows)[review.pk] if rows else None


def owed(user, review):
    row = board(again(user)).get(pk=review.pk)
    return [(one.field, one.owed_by) for one in review_missing(row, row.seen_state, known(user, review))]


def test_progress_when_sheets_come_in_then_counted_for_who_oversees_and_for_nobody_else(cast, scored):
    review = scored.reviews[F1]
    for name in ("staff1", "secretariat1", "chair1"):
        one = known(cast[name], review)
        assert (name, one.sheets_in, one.readers, one.spread) == (name, 2, 3, None)
    for name in ("pi1", "hq1", "office1", "evaluator2"):
        one = known(cast[name], review)
        assert (name, one.sheets_in, one.readers, one.declarations_owed, one.spread) == (name, None, None, None, None)
    assert known(cast["evaluator1"], review) is None


def test_spread_when_first_scores_are_closed_then_shown_to_the_chair_and_not_to_staff(cast, scored):
    type(scored.round).objects.filter(pk=scored.round.pk).update(
        state="first_closed", first_closed_at=timezone.now(), first_close_at=timezone.now()
    )
    spread = known(cast["chair1"], scored.reviews[F1]).spread
    assert (spread.count, spread.mean, spread.lowest, spread.highest) == (
        2, Decimal("3.50"), Decimal("3.00"), Decimal("4.00"),
    )  # fmt: skip
    assert known(cast["staff1"], scored.reviews[F1]).spread is None
    assert known(cast["pi1"], scored.reviews[F1]).spread is None


def test_recommendation_when_given_then_known_to_who_decides_and_never_to_the_team(cast, scored):
    review, case = scored.reviews[F1], scored.cases[F1]
    Finding.objects.create(
        case=case, state="given", overall="良好", recommendation="continue", recommended_by=cast["chair1"],
        recommended_at=timezone.now(), edited_by=cast["secretariat1"], edited_at=timezone.now(),
    )  # fmt: skip
    GateReview.objects.filter(pk=review.pk).update(state="recommended")
    assert known(cast["staff1"], review).recommendation == "continue"
    assert ("decision", "文部科学省の担当官") in owed(cast["staff1"], review)
    for name in ("pi1", "hq1", "office1", "evaluator2"):
        assert (name, known(cast[name], review).recommendation) == (name, "")
        assert owed(cast[name], review) == []


def test_missing_when_a_review_goes_its_way_then_each_step_names_who_owes_it(cast, twin, scored):
    assert owed(cast["staff1"], scored.reviews[F1]) == [("sheets", "担当の評価委員")]
    assert owed(cast["staff1"], scored.reviews[F2]) == [("readers", "主査")]
    assert owed(cast["pi1"], scored.reviews[F1]) == []
    closed = make_round(cast, twin, projects=("sample-ql2-f1",), evaluators=2, documents_open=False, declared=False)
    found = dict(owed(cast["secretariat1"], closed.reviews["sample-ql2-f1"]))
    assert found["declarations"] == "評価委員"
    asked = closed.round.documents.get()
    assert found[f"document-{asked.pk}"] == "課題の研究チーム"


def test_money_at_stake_when_the_gate_opens_a_phase_then_seen_by_who_sees_the_projects_money(cast, scored, twin):
    locked = first_locked_year(scored.round)
    totals = {locked - 1: 90_000_000, locked: 100_000_000, locked + 1: 120_000_000}
    plan_in_force(twin[F1], totals, by=cast["staff1"], second=cast["staff2"])
    assert known(cast["staff1"], scored.reviews[F1]).at_stake_yen == 220_000_000
    for name in ("secretariat1", "chair1", "office1"):
        assert (name, known(cast[name], scored.reviews[F1]).at_stake_yen) == (name, None)
