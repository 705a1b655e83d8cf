"""The gate board, a gate review and its dossier over the pages: called, written, handed in, sealed; by whom."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from common.audit import record
from common.fiscal_year import datetime_text
from common.models import StoredFile
from evaluations.actions.dossiers import seal_dossier, submit_dossier
from evaluations.models import GateReview
from tests.evaluations.test_dossiers import F1, called, sealed, small_pdf, written
from tests.factories.money import plan_in_force
from tests.factories.rounds import make_round

pytestmark = pytest.mark.django_db


def test_dossier_when_carried_over_the_pages_then_sealed(client, cast, twin):
    made = make_round(cast, twin, projects=("sample-ql2-f1",))
    client.force_login(cast["secretariat1"])
    call = f"/rounds/{made.round.ref}/call/"
    assert client.post(call, {}).status_code == 422
    assert client.post(call, {"projects": [str(twin[F1].pk)]}).status_code == 302
    review = GateReview.objects.get(round=made.round, project=twin[F1])
    url = f"/gates/{review.ref}/dossier/"
    client.force_login(cast["pi1"])
    assert url in client.get("/").content.decode()
    assert client.post(f"{url}submit/").status_code == 422
    for section in review.dossier.sections.all():
        path = f"{url}sections/{section.code}/"
        saved = client.post(path, {"text": "達成しました。", "revision": "0"}, HTTP_HX_REQUEST="true")
        assert saved.status_code == 200
    stale = client.post(f"{url}sections/trl/", {"text": "別の案", "revision": "0"}, HTTP_HX_REQUEST="true")
    assert (stale.status_code, "達成しました。" in stale.content.decode()) == (409, True)
    document = str(made.round.documents.get().pk)
    bad = client.post(f"{url}files/", {"document": document, "file": SimpleUploadedFile("自己評価.pdf", b"no pdf")})
    assert (bad.status_code, list(bad.context["form"].errors)) == (422, ["file"])
    good = SimpleUploadedFile("自己評価.pdf", small_pdf().read())
    assert client.post(f"{url}files/", {"document": document, "file": good}).status_code == 302
    assert client.post(f"{url}submit/").status_code == 302
    client.force_login(cast["po1"])
    assert url in client.get("/").content.decode()
    assert client.post(f"{url}return/", {"reason": ""}).status_code == 422
    assert client.post(f"{url}seal/").status_code == 302
    review.refresh_from_db()
    assert review.state == "sealed"
    text = client.get(url).content.decode()
    assert "PDFを作成しています" in text
    kept = client.get(f"{url}files/{review.dossier.documents.get().pk}/")
    assert b"".join(kept.streaming_content).startswith(b"%PDF")
    assert kept["Content-Disposition"].startswith("attachment")


def test_dossier_when_typeset_then_handed_out_to_its_readers_only(client, cast, twin):
    from evaluations.actions.dossiers import attach_dossier_pdf

    _made, review = sealed(cast, twin)
    path = f"/gates/{review.ref}/dossier/dossier.pdf"
    client.force_login(cast["pd1"])
    assert client.get(path).status_code == 404
    attach_dossier_pdf(review.dossier.pk, at=timezone.now())
    answer = client.get(path)
    assert (answer.status_code, b"".join(answer.streaming_content)[:5]) == (200, b"%PDF-")
    for name, status in (("secretariat1", 403), ("evaluator1", 404), ("evaluator2", 403), ("applicant1", 404)):
        client.force_login(cast[name])
        assert (name, client.get(path).status_code) == (name, status)


SEES = (
    "staff1 staff2 secretariat1 chair1 evaluator2 evaluator3 evaluator4 evaluator5 evaluator6 pd1 deputy1 po1 auditor1 "
    "jst1 jst2 pi1 coinvestigator1 hq1 office1 office2 accountant1"
)
PAGES = {
    "": SEES, "dossier/": "pi1 coinvestigator1 hq1", "dossier/compiled/": "pi1 coinvestigator1 hq1",
    "dossier/submit/": "pi1", "dossier/seal/": "",
    "dossier/return/": "", "dossier/addendum/": "",
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(PAGES))
def test_pages_of_a_called_review_when_asked_by_everybody_then_the_table_is_right(client, cast, twin, path):
    _made, review = called(cast, twin)
    found = {}
    for name, user in cast.items():
        client.force_login(user)
        found[name] = client.get(f"/gates/{review.ref}/{path}").status_code
    sees, may = SEES.split(), PAGES[path].split()
    assert found == {name: 200 if name in may else 403 if name in sees else 404 for name in cast}


def test_team_when_a_recommendation_is_there_then_learns_nothing_of_it(client, cast, twin):
    _made, review = sealed(cast, twin)
    words = {}
    for state in ("sealed", "recommended", "decided"):
        GateReview.objects.filter(pk=review.pk).update(state=state)
        for name in ("pi1", "office1", "pd1"):
            client.force_login(cast[name])
            page = client.get(f"/gates/{review.ref}/").content.decode() + client.get("/gates/").content.decode()
            words[state, name] = ("提言済み" in page.split("<tbody>")[-1], "決定済み" in page.split("<tbody>")[-1])
    assert [words[state, "pi1"] for state in ("sealed", "recommended", "decided")] == [(False, False)] * 3
    assert [words[state, "office1"] for state in ("sealed", "recommended", "decided")] == [(False, False)] * 3
    assert words["recommended", "pd1"][0] is True


@pytest.mark.parametrize("reader", ["evaluator1", "applicant1"])
def test_board_when_in_conflict_or_a_stranger_then_neither_listed_nor_counted_nor_exported(client, cast, twin, reader):
    made, review = written(cast, twin)
    client.force_login(cast[reader])
    for path in ("/gates/", "/gates/?format=csv", f"/gates/?q={review.ref}", f"/gates/?round={made.round.ref}"):
        answer = client.get(path)
        if answer.status_code == 400:  # the round is no choice for a stranger
            continue
        if answer.streaming:
            assert (review.ref in b"".join(answer.streaming_content).decode()) is False
        else:
            shown = answer.context["list"]
            refs = [one.ref for one in shown.items]
            assert (path, review.ref in refs, f">{review.ref}<" in answer.content.decode()) == (path, False, False)
            assert (shown.count_text.startswith(str(len(refs))), twin[F1].title_ja in answer.content.decode()) == (
                True, False,
            )  # fmt: skip


@pytest.mark.parametrize("count", [1, 3])
def test_pages_when_there_are_more_rows_then_the_queries_are_the_same(
    client, cast, twin, count, django_assert_num_queries
):
    made = make_round(cast, twin, projects=("sample-ql2-f1",))
    from evaluations.actions.dossiers import call_gate_reviews

    wanted = [twin[ref] for ref in (F1, "sample-ql1-f2", "sample-ql2-f2")[:count]]
    reviews = call_gate_reviews(made.round, wanted, by=cast["staff1"], at=timezone.now())
    client.force_login(cast["staff1"])
    with django_assert_num_queries(14):
        client.get("/gates/")
    with django_assert_num_queries(14):
        client.get(f"/gates/{reviews[0].ref}/")
    client.force_login(cast["pi1"])
    with django_assert_num_queries(15):
        client.get(f"/gates/{reviews[0].ref}/dossier/")
    assert not StoredFile.objects.filter(name="none").exists()


def test_dossier_page_when_sealed_then_shows_every_part_that_the_system_knows(client, cast, twin):
    _made, review = written(cast, twin)
    plan_in_force(twin[F1], {2026: 100_000_000}, by=cast["staff1"], second=cast["staff2"])
    client.force_login(cast["pi1"])
    pages = [client.get(f"/gates/{review.ref}/dossier/compiled/").content.decode()]
    submit_dossier(review, by=cast["pi1"], at=timezone.now())
    seal_dossier(review, by=cast["po1"], at=timezone.now())
    pages.append(client.get(f"/gates/{review.ref}/dossier/").content.decode())
    for text in pages:
        for title in (
            "前回ゲートの指摘・条件への対応", "承認済みの計画の版", "フェーズ開始前に定めたゲートの評価基準", "マイルストーン",
            "TRL", "資金", "ベンチマーク", "対応中のリスク・課題", "提出済みの文書",
        ):  # fmt: skip
            assert (title, f"<h3>{title}</h3>" in text) == (title, True)
        assert "第1版(2026年4月1日(水)施行) (試験第1号)" in text


def test_journal_of_a_round_when_its_calendar_moved_then_days_and_times_are_in_words(client, cast, twin):
    made = make_round(cast, twin, projects=(F1,))
    before = made.round.final_close_at.replace(microsecond=0)
    after = before + timedelta(days=1)
    told = {"before": {"final_close_at": before.isoformat()}, "after": {"final_close_at": after.isoformat()}}
    record("save_calendar", made.round, by=cast["staff1"], at=timezone.now(), **told)
    client.force_login(cast["staff1"])
    text = client.get(f"/rounds/{made.round.ref}/").content.decode()
    assert [datetime_text(one, "ja") in text for one in (before, after)] == [True, True]
    assert before.isoformat() not in text
