"""What a reader sees of a dossier: what changed since the last gate, remarks against answers, how long it takes."""

import pgtrigger
import pytest
from django.utils import timezone

from evaluations.models import Dossier
from evaluations.queries.case_dossiers import CaseDossier, Change, case_dossier, changes_between
from evaluations.queries.dossiers import dossiers_visible_to
from tests.factories.rounds import FLAGSHIPS, make_round

BEFORE = {
    "trl": [{"kind": "claimed", "level": 4, "on": "2022-03-01", "evidence": ""}],
    "milestones": [
        {"number": 1, "title": "試作", "criterion": "", "planned_on": "2024-03-31", "reached_on": None},
        {"number": 2, "title": "実証", "criterion": "", "planned_on": "2026-03-31", "reached_on": None},
    ],
    "plan": {"versions": [{"number": 1, "ends_on": "2028-03-31"}], "summary": "", "gates": []},
    "money": [{"fiscal_year": 2025, "allocated_yen": 300_000_000, "spent_yen": None}],
    "institutions": [{"name_ja": "見本機関A"}, {"name_ja": "見本機関B"}],
    "members": [], "risks": [], "reports": [],
}  # fmt: skip


def test_changes_when_nothing_moved_then_none():
    assert list(changes_between(BEFORE, BEFORE)) == []


@pytest.mark.parametrize(
    ("part", "value", "about", "before", "after"),
    [
        (
            "trl", [{"kind": "claimed", "level": 5, "on": "2025-03-01"}, *BEFORE["trl"]],
            "TRL(課題の自己申告)", "TRL4", "TRL5",
        ),
        (
            "milestones", [{**BEFORE["milestones"][0], "reached_on": "2024-09-15"}, BEFORE["milestones"][1]],
            "マイルストーン1「試作」", "2024年3月31日(日) 予定", "2024年9月15日(日) 達成",
        ),
        (
            "milestones", [BEFORE["milestones"][0], {**BEFORE["milestones"][1], "planned_on": "2027-03-31"}],
            "マイルストーン2「実証」", "2026年3月31日(火) 予定", "2027年3月31日(水) 予定",
        ),
        ("milestones", BEFORE["milestones"][:1], "マイルストーン2「実証」", "2026年3月31日(火) 予定", "-"),
        ("plan", {"versions": [{"number": 2, "ends_on": "2028-03-31"}]}, "計画の版", "1", "2"),
        (
            "money", [{"fiscal_year": 2025, "allocated_yen": 280_000_000, "spent_yen": None}],
            "令和7(2025)年度 配分額(百万円)", "300", "280",
        ),
        ("institutions", BEFORE["institutions"][:1], "機関", "見本機関B", "-"),
        ("risks", [{"title": "装置の故障"}], "対応中のリスク・課題", "-", "装置の故障"),
        ("reports", [{}], "受理済みの報告書", "0", "1"),
    ],
)  # fmt: skip
def test_changes_when_one_fact_moved_then_this_one_is_named(part, value, about, before, after):
    assert list(changes_between(BEFORE, {**BEFORE, part: value})) == [Change(about, before, after)]


def test_reading_time_when_counted_then_rounded_up_and_without_markup():
    def of(length):
        return CaseDossier(None, {"sections": [{"code": "achievement", "text": "あ" * length}]})

    assert [(of(n).characters, of(n).minutes) for n in (0, 1, 500, 501)] == [(0, 0), (1, 1), (500, 1), (501, 2)]


LAST = {
    "ref": "GR-LAST", "round_ja": "前回", "decided_on": "2023-03-01", "outcome": "continue", "grade": "A",
    "remarks": "時期を示すこと。\n相手を示すこと。", "conditions": [],
}  # fmt: skip
SECTIONS = [
    {"code": "achievement", "text": "達成", "name_ja": "達成"},
    {"code": "answers", "text": "示した。", "name_ja": "回答"},
]


@pytest.mark.django_db
def test_case_when_a_gate_was_decided_before_then_its_remarks_stand_against_the_answers(cast, twin):
    made = make_round(cast, twin)
    case = made.cases[FLAGSHIPS[0]]
    content = {**BEFORE, "sections": SECTIONS, "last_gate": LAST}
    _seal(case.gate_review, content, cast)
    found = case_dossier(case)
    assert found.last_gate["remarks"] == ["時期を示すこと。", "相手を示すこと。"]
    assert (found.answers, [one["code"] for one in found.sections]) == ("示した。", ["achievement"])
    assert found.changes is None  # no dossier of that gate is kept here
    earlier = made.reviews[FLAGSHIPS[1]]
    _seal(earlier, {**BEFORE, "reports": [{}]}, cast)
    _seal(case.gate_review, {**content, "last_gate": {**LAST, "ref": earlier.ref}}, cast)
    assert case_dossier(case).changes == [Change("受理済みの報告書", "1", "0")]


@pytest.mark.django_db
def test_case_when_it_is_the_first_gate_then_the_whole_self_assessment_stands_in_the_dossier(cast, twin):
    made = make_round(cast, twin)
    case = made.cases[FLAGSHIPS[0]]
    _seal(case.gate_review, {**BEFORE, "sections": SECTIONS, "last_gate": None}, cast)
    found = case_dossier(case)
    assert (found.last_gate, found.changes, len(found.sections)) == (None, None, 2)


@pytest.mark.django_db
def test_dossier_when_its_case_is_concluded_then_its_readers_still_read_it_and_others_do_not(cast, twin):
    made = make_round(cast, twin)
    case, review = made.cases[FLAGSHIPS[0]], made.reviews[FLAGSHIPS[0]]
    type(case).objects.filter(pk=case.pk).update(state="concluded", concluded_at=timezone.now())
    read = {n for n in ("evaluator1", "evaluator2", "chair1", "evaluator12") if _reads(cast[n], review)}
    assert read == {"evaluator2", "chair1"}  # evaluator1 is in conflict, evaluator12 not of the panel


def _reads(user, review):
    return dossiers_visible_to(user).filter(gate_review=review).exists()


def _seal(review, content, cast):
    """A sealed dossier never changes; another takes its place."""
    with pgtrigger.ignore("evaluations.Dossier:dossier_frozen"):
        Dossier.objects.filter(gate_review=review).update(content=content)
