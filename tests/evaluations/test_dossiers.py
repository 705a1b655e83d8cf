"""Dossiers: called for, written by the team, handed in whole, sealed by another; then nothing inside ever changes."""

import io
import threading

import pikepdf
import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import timezone
from pypdf import PdfReader

from common.canonical import content_hash
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from evaluations.actions import dossiers
from evaluations.documents import dossier_pdf
from evaluations.models import Addendum, Dossier, DossierSection, GateReview
from evaluations.queries.dossiers import board, dossiers_awaiting, dossiers_visible_to
from evaluations.rules.dossiers import dossier_actions, dossier_missing, readiness
from programs.models import Project
from tests.cast import again
from tests.factories.rounds import make_round
from tests.reporting.test_documents import benchmarked

F1, F2 = "sample-ql1-f1", "sample-ql1-f2"


def small_pdf() -> io.BytesIO:
    """A real PDF of one empty page."""
    document, made = pikepdf.new(), io.BytesIO()
    document.add_blank_page()
    document.save(made)
    made.seek(0)
    return made


def called(cast, twin):
    made = make_round(cast, twin, projects=("sample-ql2-f1",))
    review = dossiers.call_gate_reviews(made.round, [twin[F1]], by=cast["secretariat1"], at=timezone.now())[0]
    return made, review


def written(cast, twin):
    """A dossier that lacks nothing, still with the team."""
    made, review = called(cast, twin)
    for section in review.dossier.sections.all():
        dossiers.save_section(
            review, section.code, text="達成しました。", revision=0, by=cast["pi1"], at=timezone.now()
        )
    dossiers.add_document(
        review, made.round.documents.get(), small_pdf(), "自己評価書.pdf", by=cast["pi1"],
        at=timezone.now(),
    )  # fmt: skip
    return made, review


def sealed(cast, twin):
    made, review = written(cast, twin)
    dossiers.submit_dossier(review, by=cast["pi1"], at=timezone.now())
    return made, dossiers.seal_dossier(review, by=cast["po1"], at=timezone.now())


@pytest.mark.django_db
def test_review_when_called_for_then_has_a_dossier_and_a_case_and_only_once(cast, twin):
    made, review = called(cast, twin)
    assert (review.state, review.cases.get().number, review.dossier.sections.count()) == ("called", 2, 6)
    with pytest.raises(Refused) as refusal:
        dossiers.call_gate_reviews(made.round, [twin[F2], twin[F1]], by=cast["staff1"], at=timezone.now())
    assert refusal.value.code == "twice"
    assert not GateReview.objects.filter(round=made.round, project=twin[F2]).exists()


@pytest.mark.django_db
def test_review_when_called_for_a_foreign_project_or_by_others_then_refused(cast, twin):
    made = make_round(cast, twin)
    foreign = Project.objects.exclude(program__path__startswith=made.round.program.path).first()
    with pytest.raises(Refused) as refusal:
        dossiers.call_gate_reviews(made.round, [foreign], by=cast["staff1"], at=timezone.now())
    assert refusal.value.code == "foreign_project"
    for name in ("pd1", "po1", "chair1", "pi1"):
        with pytest.raises(NotAllowed):
            dossiers.call_gate_reviews(made.round, [twin["sample-ql2-f2"]], by=cast[name], at=timezone.now())


@pytest.mark.django_db
def test_dossier_when_handed_in_early_then_everything_missing_is_named_with_who_owes_it(cast, twin):
    made, review = called(cast, twin)
    with pytest.raises(NotReady) as refusal:
        dossiers.submit_dossier(review, by=cast["pi1"], at=timezone.now())
    assert len(refusal.value.blockers) == 7
    fresh = board(cast["staff1"]).get(pk=review.pk)
    assert {(one.owed_by, one.due_on) for one in dossier_missing(fresh)} == {
        ("課題の研究チーム", made.round.dossier_due_on)
    }
    assert readiness(fresh) == (0, 7)


@pytest.mark.django_db
def test_section_when_too_long_then_kept_but_not_handed_in(cast, twin):
    _made, review = written(cast, twin)
    section = review.dossier.sections.get(code="trl")
    text = "字" * (section.longest + 1)
    dossiers.save_section(review, "trl", text=text, revision=1, by=cast["pi1"], at=timezone.now())
    with pytest.raises(NotReady) as refusal:
        dossiers.submit_dossier(review, by=cast["pi1"], at=timezone.now())
    assert [(one.field, one.code) for one in refusal.value.blockers] == [("section-trl", "too_long")]


@pytest.mark.django_db
def test_section_when_two_write_then_the_second_is_told_and_nothing_is_lost(cast, twin):
    _made, review = called(cast, twin)
    dossiers.save_section(review, "trl", text="先の案", revision=0, by=cast["pi1"], at=timezone.now())
    with pytest.raises(StaleEdit) as stale:
        dossiers.save_section(review, "trl", text="後の案", revision=0, by=cast["hq1"], at=timezone.now())
    assert (stale.value.current.text, stale.value.submitted) == ("先の案", "後の案")
    assert DossierSection.objects.get(dossier__gate_review=review, code="trl").text == "先の案"


#: Who may do what in which state of the review (of sample-ql1-f1).
ACTS = {
    "called": {
        "read": "pi1 coinvestigator1 hq1", "write": "pi1 hq1", "submit": "pi1", "seal": "", "return": "",
        "add_addendum": "",
    },
    "submitted": {
        "read": "pi1 coinvestigator1 hq1 po1 pd1 deputy1 staff1 staff2 auditor1 office1 office2 accountant1",
        "write": "", "submit": "", "seal": "po1", "return": "po1", "add_addendum": "",
    },
    "sealed": {
        "read": "pi1 coinvestigator1 hq1 po1 pd1 deputy1 staff1 staff2 auditor1 office1 office2 accountant1 jst1 jst2",
        "write": "", "submit": "", "seal": "", "return": "", "add_addendum": "pi1 hq1 po1",
    },
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(ACTS))
def test_dossier_when_each_of_the_cast_asks_then_as_the_table_says(cast, twin, state):
    _made, review = written(cast, twin)
    if state != "called":
        dossiers.submit_dossier(review, by=cast["pi1"], at=timezone.now())
    if state == "sealed":
        dossiers.seal_dossier(review, by=cast["po1"], at=timezone.now())
    review = GateReview.objects.get(pk=review.pk)
    found: dict[str, list[str]] = {act: [] for act in ACTS[state]}
    for name, user in cast.items():
        for act in dossier_actions(again(user), review):
            if act.startswith("dossier."):
                found[act.removeprefix("dossier.")].append(name)
    assert {act: sorted(names) for act, names in found.items()} == {
        act: sorted(names.split()) for act, names in ACTS[state].items()
    }


@pytest.mark.django_db
def test_dossier_when_its_case_opens_then_the_panel_reads_it_but_not_whoever_is_in_conflict(cast, twin):
    made, review = sealed(cast, twin)

    def read() -> list[int]:
        readers = ("evaluator1", "evaluator2", "chair1", "evaluator12")
        return [dossiers_visible_to(again(cast[name])).filter(gate_review=review).count() for name in readers]

    assert read() == [0, 0, 0, 0]
    case = review.cases.get()
    type(case).objects.filter(pk=case.pk).update(state="open", opened_at=timezone.now())
    assert read() == [0, 0, 0, 0]  # nobody has declared on this case
    made.declare(users=cast)
    assert read() == [0, 1, 1, 0]


@pytest.mark.django_db
def test_dossier_when_sealed_then_hashed_and_nothing_inside_changes(cast, twin):
    _made, review = sealed(cast, twin)
    dossier = Dossier.objects.get(gate_review=review)
    assert dossier.content_hash == content_hash(dossier.content)
    before = dossier.content
    project = review.project
    project.milestones.update(title="書き換え")
    for change in (
        lambda: dossier.sections.update(text="書き換え"),
        lambda: dossier.sections.first().delete(),
        lambda: dossier.documents.all().delete(),
        lambda: Dossier.objects.filter(pk=dossier.pk).update(content={}),
        lambda: Dossier.objects.filter(pk=dossier.pk).update(content_hash="0" * 64),
        lambda: Dossier.objects.filter(pk=dossier.pk).update(sealed_at=None, sealed_by=None, content=None, content_hash=""),
        lambda: dossier.delete(),
        lambda: DossierSection.objects.create(dossier=dossier, code="more", name_ja="追加", position=9, longest=10),
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    dossier.refresh_from_db()
    assert dossier.content == before
    for act in (
        lambda: dossiers.save_section(review, "trl", text="x", revision=1, by=cast["pi1"], at=timezone.now()),
        lambda: dossiers.return_dossier(review, reason="x", by=cast["po1"], at=timezone.now()),
        lambda: dossiers.seal_dossier(review, by=cast["po1"], at=timezone.now()),
    ):
        with pytest.raises(Refused):
            act()


@pytest.mark.django_db
def test_dossier_when_returned_then_the_team_reads_why_and_hands_it_in_again(cast, twin):
    _made, review = written(cast, twin)
    dossiers.submit_dossier(review, by=cast["pi1"], at=timezone.now())
    with pytest.raises(Refused):
        dossiers.return_dossier(review, reason=" ", by=cast["po1"], at=timezone.now())
    dossiers.return_dossier(review, reason="根拠を補ってください", by=cast["po1"], at=timezone.now())
    assert Dossier.objects.get(gate_review=review).returned_note == "根拠を補ってください"
    assert [one.pk for one in dossiers_awaiting(again(cast["pi1"]))] == [review.pk]
    dossiers.submit_dossier(review, by=cast["pi1"], at=timezone.now())
    assert [one.pk for one in dossiers_awaiting(again(cast["po1"]))] == [review.pk]


@pytest.mark.django_db
def test_addendum_when_added_then_dated_and_never_changed(cast, twin):
    _made, review = sealed(cast, twin)
    one = dossiers.add_addendum(review, text="装置が故障しました。", by=cast["pi1"], at=timezone.now())
    for change in (lambda: Addendum.objects.filter(pk=one.pk).update(text="x"), one.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert "装置が故障" not in str(Dossier.objects.get(gate_review=review).content)


@pytest.mark.django_db
def test_dossier_pdf_when_the_project_has_a_benchmark_then_it_is_in_it_with_the_roadmap(cast, twin):
    printed = benchmarked(twin[F1], cast)
    _made, review = sealed(cast, twin)
    reader = PdfReader(io.BytesIO(dossier_pdf(Dossier.objects.get(gate_review=review))))
    whole = "".join("".join(page.extract_text().split()) for page in reader.pages)
    for text in [*printed, "ロードマップ"]:
        assert "".join(text.split()) in whole, text


@pytest.mark.django_db
def test_dossier_pdf_when_made_twice_then_the_same_bytes_with_bookmarks_and_the_hash(cast, twin):
    _made, review = sealed(cast, twin)
    dossier = Dossier.objects.get(gate_review=review)
    made = dossier_pdf(dossier)
    assert dossier_pdf(dossier) == made
    reader = PdfReader(io.BytesIO(made))
    text = "".join(page.extract_text() for page in reader.pages)
    assert dossier.content_hash[:8] in text
    assert review.ref in text
    assert "SAMPLE" in text
    titles = [one.title for one in reader.outline if not isinstance(one, list)] + [
        one.title for part in reader.outline if isinstance(part, list) for one in part
    ]
    for name in ("目標の達成状況", "マイルストーン", "リスク"):
        assert any(name in title for title in titles), (name, titles)
    stored = dossiers.attach_dossier_pdf(dossier.pk, at=timezone.now())
    assert dossiers.attach_dossier_pdf(dossier.pk, at=timezone.now()) == stored


@pytest.mark.django_db(transaction=True)
def test_dossier_when_sixteen_seal_at_once_then_one_does(cast, twin):
    _made, review = written(cast, twin)
    dossiers.submit_dossier(review, by=cast["pi1"], at=timezone.now())
    barrier, done = threading.Barrier(16), []

    def act() -> None:
        barrier.wait()
        try:
            dossiers.seal_dossier(GateReview.objects.get(pk=review.pk), by=cast["po1"], at=timezone.now())
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
