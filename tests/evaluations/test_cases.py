"""Cases: opened once sealed, invalidated with a reason and reviewed anew, never once decided."""

import threading

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.utils import timezone

from common.errors import NotAllowed, NotReady, Refused
from evaluations.actions.cases import invalidate_case, invalidate_round, open_documents
from evaluations.models import Case, GateReview
from tests.factories.rounds import make_round

F1 = "sample-ql1-f1"


@pytest.mark.django_db
def test_documents_when_the_dossier_is_not_sealed_then_stay_closed(cast, twin):
    made = make_round(cast, twin, documents_open=False)
    case = made.cases[F1]
    with pytest.raises(NotReady) as refusal:
        open_documents(case, by=cast["secretariat1"], at=timezone.now())
    assert [blocker.code for blocker in refusal.value.blockers] == ["not_sealed"]
    review = made.reviews[F1]
    for state in ("submitted", "sealed"):
        GateReview.objects.filter(pk=review.pk).update(state=state)
    assert open_documents(case, by=cast["secretariat1"], at=timezone.now()).state == "open"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["secretariat1", "chair1", "pd1", "po1", "evaluator2", "pi1", "auditor1"])
def test_case_when_invalidated_by_others_than_staff_then_refused(cast, twin, name):
    made = make_round(cast, twin)
    with pytest.raises(NotAllowed):
        invalidate_case(made.cases[F1], reason="x", by=cast[name], at=timezone.now())


@pytest.mark.django_db
def test_case_when_invalidated_then_a_new_one_stands_and_the_recommendation_is_taken_back(cast, twin):
    made = make_round(cast, twin)
    case, review = made.cases[F1], made.reviews[F1]
    case.expertises.set(made.panel.expertises.all()[:2])
    with pytest.raises(Refused):
        invalidate_case(case, reason="  ", by=cast["staff1"], at=timezone.now())
    GateReview.objects.filter(pk=review.pk).update(state="recommended")
    new = invalidate_case(case, reason="利益相反の見落とし", by=cast["staff1"], at=timezone.now())
    case.refresh_from_db()
    review.refresh_from_db()
    assert (case.state, case.invalidated_reason, review.state) == ("invalidated", "利益相反の見落とし", "sealed")
    assert (new.state, new.number, new.gate_review, new.expertises.count()) == ("preparing", 4, review, 2)
    with pytest.raises(NotAllowed):
        invalidate_case(case, reason="もう一度", by=cast["staff1"], at=timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize("states", [("recommended", "decided"), ("recommended", "decided", "released")])
def test_case_when_decided_then_no_longer_invalidated(cast, twin, states):
    made = make_round(cast, twin)
    for state in states:
        GateReview.objects.filter(pk=made.reviews[F1].pk).update(state=state)
    for act in (lambda: invalidate_case(made.cases[F1], reason="x", by=cast["staff1"], at=timezone.now()),
                lambda: invalidate_round(made.round, reason="x", by=cast["staff1"], at=timezone.now())):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "decided"
    assert not Case.objects.filter(panel=made.panel, state="invalidated").exists()


@pytest.mark.django_db
def test_round_when_invalidated_then_everything_in_it_is(cast, twin):
    made = make_round(cast, twin)
    row = invalidate_round(made.round, reason="委員会の構成に誤り", by=cast["staff1"], at=timezone.now())
    assert row.state == "invalidated"
    assert set(Case.objects.filter(panel=made.panel).values_list("state", flat=True)) == {"invalidated"}
    assert set(GateReview.objects.filter(round=row).values_list("state", flat=True)) == {"invalidated"}


@pytest.mark.django_db
def test_case_when_a_second_live_one_or_a_reasonless_end_in_raw_sql_then_refused(cast, twin):
    made = make_round(cast, twin)
    case = made.cases[F1]
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.create(panel=made.panel, number=9, gate_review=case.gate_review, is_sample=True)
    for change in ({"state": "invalidated"}, {"state": "preparing"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        case.delete()


@pytest.mark.django_db(transaction=True)
def test_case_when_sixteen_invalidate_at_once_then_one_does(cast, twin):
    made = make_round(cast, twin)
    case, staff = made.cases[F1], cast["staff1"]
    barrier, done = threading.Barrier(16), []

    def act() -> None:
        barrier.wait()
        try:
            invalidate_case(Case.objects.get(pk=case.pk), reason="同時", by=staff, at=timezone.now())
            done.append("done")
        except Refused:
            done.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act) for _n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == ["done"] + ["refused"] * 15
    assert Case.objects.filter(gate_review=case.gate_review).count() == 2
