"""Comments for the project: written by the secretariat, released by a second person, and no raw comment ever with them."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.errors import NotAllowed, NotReady, StaleEdit
from evaluations.actions.disclosures import release_disclosure, save_disclosure
from evaluations.models import Disclosure
from evaluations.queries.disclosures import disclosures_awaiting, disclosures_visible_to
from programs.actions.recusals import recuse
from tests.cast import again
from tests.factories.findings import F1, case_of, scored, second_secretary, told

pytestmark = pytest.mark.django_db
NOW = timezone.now
TEXTS = {"whole": "順調な進捗です。", "goal": "目標の達成度は高いです。"}


@pytest.fixture
def made(cast, twin):
    return scored(cast, twin)


def save(cast, made, texts=TEXTS, revision=0, by="secretariat1"):
    return save_disclosure(case_of(made), texts=texts, revision=revision, by=cast[by], at=NOW())


def release(cast, made, by="chair1"):
    return release_disclosure(case_of(made), by=again(cast[by]), at=NOW())


@pytest.mark.parametrize("name", ["chair1", "staff1", "pd1", "po1", "evaluator2", "pi1", "office1", "auditor1"])
def test_comments_when_written_by_anybody_but_the_secretariat_then_refused(cast, made, name):
    told(cast, made, *{"staff1", "auditor1"} & {name})
    with pytest.raises(NotAllowed):
        save(cast, made, by=name)
    assert not Disclosure.objects.exists()


@pytest.mark.parametrize("name", ["chair1", "staff1", "evaluator12"])
def test_comments_when_released_by_a_second_person_then_the_team_reads_them(cast, made, name):
    save(cast, made)
    second_secretary(cast, made)
    told(cast, made, "staff1")
    assert not disclosures_visible_to(cast["pi1"]).exists()
    found = release(cast, made, by=name)
    assert found.released_by == cast[name]
    assert {one.text for one in disclosures_visible_to(again(cast["pi1"])).get().comments.all()} == set(TEXTS.values())


@pytest.mark.parametrize("name", ["secretariat1", "pd1", "po1", "evaluator2", "pi1", "auditor1"])
def test_comments_when_released_by_their_writer_or_anybody_else_then_refused(cast, made, name):
    save(cast, made)
    told(cast, made, *{"auditor1"} & {name})
    with pytest.raises(NotAllowed):
        release(cast, made, by=name)
    assert Disclosure.objects.get().released_at is None


def test_comments_when_somebody_else_edited_last_then_the_first_writer_still_may_not_release(cast, made):
    save(cast, made)
    second_secretary(cast, made)
    save(cast, made, {"goal": "書き直しました。"}, revision=1, by="evaluator12")
    with pytest.raises(NotAllowed):
        release(cast, made, by="secretariat1")
    row = Disclosure.objects.get()
    for name in ("secretariat1", "evaluator12"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Disclosure.objects.filter(pk=row.pk).update(released_by=cast[name], released_at=NOW())
    release(cast, made, by="chair1")


def test_comments_when_released_then_stand(cast, made):
    save(cast, made)
    release(cast, made)
    with pytest.raises(NotAllowed):
        save(cast, made, {"goal": "x"}, revision=1)
    row = Disclosure.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.comments.update(text="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        row.comments.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Disclosure.objects.update(released_by=None, released_at=None)


def test_comments_when_scores_are_open_then_written_but_not_released(cast, twin):
    made = scored(cast, twin, state="first_closed")
    save(cast, made)
    with pytest.raises(NotAllowed):
        release(cast, made)


def test_comments_when_empty_then_not_released(cast, made):
    save(cast, made, {"whole": "", "goal": "x"})
    save(cast, made, {"goal": ""}, revision=1)
    with pytest.raises(NotReady):
        release(cast, made)


def test_comments_when_wrong_or_stale_then_refused(cast, made):
    with pytest.raises(NotReady) as refusal:
        save(cast, made, {"nothing": "x", "goal": "あ" * 2001})
    assert {(one.field, one.code) for one in refusal.value.blockers} == {
        ("nothing", "unknown_item"),
        ("goal", "too_long"),
    }
    save(cast, made)
    with pytest.raises(StaleEdit) as stale:
        save(cast, made, {"goal": "別の案"}, revision=0)
    assert stale.value.current.revision == 1


def test_released_comments_when_asked_by_each_of_the_cast_then_as_the_matrix_says(cast, twin, made):
    save(cast, made)
    release(cast, made)
    found = {name for name in cast if disclosures_visible_to(again(cast[name])).exists()}
    panel = {f"evaluator{n}" for n in range(2, 7)}
    assert found == {
        "pi1", "coinvestigator1", "office1", "office2", "accountant1", "secretariat1", "chair1", "pd1", "deputy1", "po1",
        "jst1", "jst2", *panel,
    }  # fmt: skip
    for name in ("pi1", "office1", "chair1", "secretariat1"):
        recuse(
            cast[name].person, twin[F1], starts_on=timezone.localdate(), source_ref="COI-X", by=cast["staff1"], at=NOW()
        )
        assert not disclosures_visible_to(again(cast[name])).exists()


def test_disclosures_awaiting_when_listed_then_for_whoever_may_release(cast, made):
    save(cast, made)
    assert [len(disclosures_awaiting(cast[name])) for name in ("chair1", "secretariat1", "evaluator2", "pi1")] == [
        1,
        0,
        0,
        0,
    ]
    release(cast, made)
    assert list(disclosures_awaiting(cast["chair1"])) == []
