"""The days on which it is asked who owes something: none on which somebody does may be missing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from evaluations.actions.dossiers import call_gate_reviews
from evaluations.actions.fact_checks import send_fact_check
from evaluations.models import Round
from evaluations.queries.duties import days_due, duties_of, people_with_duties
from tests.cast import again
from tests.factories import decisions as decided
from tests.factories import findings as found
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db
F1, F2, OTHER = "sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1"


def called(cast, twin):
    made = make_round(cast, twin, projects=(OTHER,), evaluators=3, documents_open=False, declared=False)
    call_gate_reviews(made.round, [twin[F1]], by=cast["staff1"], at=timezone.now())
    return {"dossier_due", "declaration_due"}


def handed_in(cast, twin):
    made = make_round(cast, twin, projects=(OTHER,), evaluators=1)
    review = call_gate_reviews(made.round, [twin[F1]], by=cast["staff1"], at=timezone.now())[0]
    type(review).objects.filter(pk=review.pk).update(state="submitted")
    Round.objects.filter(pk=made.round.pk).update(seals_on=made.round.dossier_due_on + timedelta(days=1))
    return {"dossier_due"}


def scoring(cast, twin):
    make_round(cast, twin, projects=(F2,), evaluators=3).assign(F2, "evaluator2", "evaluator3", by=cast["chair1"])
    return {"sheet_due"}


def concluding(cast, twin):
    made = found.scored(cast, twin, projects=(F1, F2))
    Round.objects.filter(pk=made.round.pk).update(finding_due_on=timezone.localdate())
    found.drafted(cast, made)
    found.drafted(cast, made, F2)
    send_fact_check(
        found.case_of(made), due_on=timezone.localdate() + timedelta(days=3), by=cast["secretariat1"], at=timezone.now()
    )
    return {"finding_due", "fact_check_due"}


def deciding(cast, twin):
    made = decided.recommended(cast, twin)
    Round.objects.filter(pk=made.round.pk).update(decision_due_on=timezone.localdate())
    return {"decision_due"}


def answering(cast, twin):
    made = decided.recommended(cast, twin)
    decided.released(cast, made.reviews[F1], conditions=[decided.condition()])
    # The round is over, its conditions are not.
    Round.objects.filter(pk=made.round.pk).update(state="closed", closed_at=timezone.now())
    return {"condition_due"}


@pytest.mark.parametrize(
    "stage", [called, handed_in, scoring, concluding, deciding, answering], ids=lambda v: v.__name__
)
def test_days_when_compared_with_what_everybody_owes_then_none_is_missing(cast, twin, stage):
    expected, days = stage(cast, twin), days_due()
    owed = [duty for user in people_with_duties(timezone.localdate()) for duty in duties_of(again(user))]
    assert {duty.event for duty in owed} >= expected
    missing = [duty for duty in owed if (duty.due_on, duty.round.program.path) not in days.get(duty.event, ())]
    assert missing == []
    for event in expected:
        one = {
            duty.ref for user in people_with_duties(timezone.localdate()) for duty in duties_of(again(user), {event})
        }
        assert one == {duty.ref for duty in owed if duty.event == event}
