"""The sample panel's declarations: everybody on every case, a conflict of each kind settled, one member admitted."""

from datetime import date

import pytest
from django.utils import timezone

from evaluations.models import Admission, ConflictOfInterest, Declaration
from reporting.sample_declarations import declare_conflicts, settle_conflicts
from reporting.sample_rounds import RoundPlan
from tests.factories.rounds import FLAGSHIPS, make_round


@pytest.mark.django_db
def test_declarations_when_played_twice_then_made_and_settled_once(cast, twin):
    make_round(cast, twin, projects=FLAGSHIPS, evaluators=12, declared=False)
    plan = RoundPlan("試験ラウンド", "", "stage_gate", 2026, date(2027, 3, 11), (), cast, timezone.now())
    # 13 members x 5 cases, but for evaluator1, who is in conflict with the first.
    assert (declare_conflicts(plan), settle_conflicts(plan)) == (64, 3)
    assert (declare_conflicts(plan), settle_conflicts(plan), Declaration.objects.count()) == (0, 0, 64)
    kinds = dict(ConflictOfInterest.objects.exclude(kind="joint_research").values_list("kind", "state"))
    assert kinds == {"kin": "confirmed", "competition": "dismissed", "other": "confirmed"}
    assert Admission.objects.get().state == "approved"
