"""Rounds, gate reviews and cases: who sees them, and that a conflict beats every role."""

import pytest

from evaluations.queries.cases import cases_visible_to
from evaluations.queries.rounds import gate_reviews_visible_to, rounds_visible_to
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db

ALL = {"sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1"}
#: Who sees the round, which gate reviews (by project), and which cases.
SEEN = {
    "staff1": (True, ALL, ALL),
    "secretariat1": (True, ALL, ALL),
    "chair1": (True, ALL, ALL),
    "evaluator1": (True, ALL - {"sample-ql1-f1"}, ALL - {"sample-ql1-f1"}),
    "evaluator2": (True, ALL, ALL),
    "evaluator12": (False, set(), set()),
    "pd1": (True, {"sample-ql1-f1", "sample-ql1-f2"}, {"sample-ql1-f1", "sample-ql1-f2"}),
    "pd3": (False, set(), set()),
    "po1": (True, ALL, ALL),
    "hq1": (False, {"sample-ql1-f1"}, set()),
    "pi1": (False, {"sample-ql1-f1"}, set()),
    "office1": (False, {"sample-ql1-f1"}, set()),
    "auditor1": (True, ALL, ALL),
    "applicant1": (False, set(), set()),
}


@pytest.mark.parametrize("name", SEEN)
def test_round_when_each_of_the_cast_looks_then_as_the_table_says(cast, twin, name):
    made = make_round(cast, twin)
    user = cast[name]
    sees_round, reviews, cases = SEEN[name]
    assert rounds_visible_to(user).filter(pk=made.round.pk).exists() is sees_round
    seen = gate_reviews_visible_to(user).filter(round=made.round)
    assert set(seen.values_list("project__ref", flat=True)) & ALL == reviews
    assert set(cases_visible_to(user).values_list("gate_review__project__ref", flat=True)) == cases
