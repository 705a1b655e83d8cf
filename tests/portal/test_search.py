"""Search: substrings in Japanese, grouped, and only what the reader may see."""

from datetime import date

import pytest
from django.utils import timezone

from programs.actions.recusals import recuse

pytestmark = pytest.mark.django_db


def found(client, query):
    response = client.get("/search/", {"q": query})
    assert response.status_code == 200
    return {group.label: [hit.url for hit in group.hits] for group in response.context["groups"]}


def test_substring_in_the_middle_of_a_word_is_found_in_every_kind(client, cast):
    client.force_login(cast["staff1"])
    assert found(client, "済安全保障重")["事業"] == ["/programs/k-program/"]
    assert found(client, "世代レー")["技術領域"] == ["/areas/ql3/", "/areas/sample-ql3/"]
    assert found(client, "モンドNV")["課題"] == ["/projects/ql2-f1/", "/projects/sample-ql2-f1/"]
    assert found(client, "属積層造")["研究開発構想"] == ["/programs/k-program/#concept-am"]


def test_project_without_a_title_is_found_by_its_institution(client, cast):
    client.force_login(cast["staff1"])
    assert found(client, "分子科学") == {"課題": ["/projects/ql1-b1/"]}


def test_full_width_and_case_do_not_matter(client, cast):
    client.force_login(cast["staff1"])
    assert found(client, "ｑｌ１－Ｂ２")["課題"] == ["/projects/ql1-b2/", "/projects/sample-ql1-b2/"]


def test_several_words_narrow(client, cast):
    client.force_login(cast["staff1"])
    assert found(client, "創薬 画像") == {"課題": ["/projects/ql1-f2/", "/projects/sample-ql1-f2/"]}


def test_one_character_is_enough(client, cast):
    client.force_login(cast["staff1"])
    assert "/areas/ql3/" in found(client, "レ")["技術領域"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "言葉の一部"),
        ("   ", "言葉の一部"),
        ("存在しない言葉", "「存在しない言葉」を含むものは"),
        ("\x00", "言葉の一部"),
        ("%_'\"<b>", "を含むものは"),
    ],
)
def test_nothing_to_show_says_what_to_do(client, cast, query, words):
    client.force_login(cast["staff1"])
    response = client.get("/search/", {"q": query})
    assert response.status_code == 200
    assert words in response.content.decode()


def test_search_shows_only_what_the_reader_may_see(client, cast, twin):
    client.force_login(cast["pi2"])
    assert found(client, twin["sample-ql1-f1"].title_ja) == {}
    client.force_login(cast["pi1"])
    assert found(client, twin["sample-ql1-f1"].title_ja) == {"課題": ["/projects/sample-ql1-f1/"]}


def test_recused_director_finds_nothing_of_the_project_not_even_a_count(client, cast, twin):
    hidden = twin["sample-ql1-f1"]
    client.force_login(cast["pd1"])
    before = len(found(client, "sample-ql1")["課題"])
    recuse(
        cast["pd1"].person, hidden, starts_on=date(2020, 4, 1), source_ref="COI-T", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    assert found(client, hidden.title_ja) == {}
    assert len(found(client, "sample-ql1")["課題"]) == before - 1
    assert client.get("/projects/?q=sample-ql1-f1").context["list"].count_text == "0件"


def test_evaluator_in_conflict_finds_nothing(client, cast, twin):
    client.force_login(cast["evaluator1"])
    assert found(client, twin["sample-ql1-f1"].title_ja) == {}
    assert found(client, "量子") == {}


@pytest.mark.parametrize("query", ["sample-ql1-f1", "sample-ql1"])
def test_search_takes_the_same_queries_for_few_and_many_hits(client, cast, query, django_assert_num_queries):
    client.force_login(cast["pd1"])
    with django_assert_num_queries(9):
        client.get("/search/", {"q": query})
