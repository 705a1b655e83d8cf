"""The TRL tab: claims with evidence by criterion, assessments with judgements; and the board of an area."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from programs.actions.recusals import recuse
from programs.actions.trl import claim_trl
from programs.models import Project, TrlAssessment, TrlCriterion
from tests.common.test_files import PNG
from tests.factories.levels import level_of, shown

pytestmark = pytest.mark.django_db
PATH = "/projects/sample-ql1-f1/trl/"
BOARD = "/areas/sample-ql1/trl/"


def text_of(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def key(number):
    return TrlCriterion.objects.get(level=level_of(number)).pk


def claim(client, number=6, **fields):
    typed = {"on": "令和8年6月1日", f"text_{key(6)}": "実環境での連続運転を確認した。"} | fields
    data = {"act": "claim_trl", "level": str(number), **{f"claim_trl-{name}": value for name, value in typed.items()}}
    return client.post(PATH, data)


def assess(client, **fields):
    typed = {"level": "6", "on": "2026-06-02", "evidence": "現地調査", f"met_{key(6)}": "yes"} | fields
    return client.post(PATH, {"act": "assess_trl", **{f"assess_trl-{name}": value for name, value in typed.items()}})


def claimed(twin):
    return TrlAssessment.objects.filter(project=twin["sample-ql1-f1"], kind="claimed").latest("on")


def test_claim_when_principal_investigator_then_is_recorded_with_evidence_and_file(client, cast, twin):
    client.force_login(cast["pi1"])
    response = claim(client, **{f"file_{key(6)}": SimpleUploadedFile("測定.png", PNG)})
    assert (response.status_code, response["Location"]) == (302, PATH)
    newest = claimed(twin)
    assert (newest.level.number, newest.on, newest.by) == (6, date(2026, 6, 1), cast["pi1"])
    text = text_of(client, PATH)
    assert "実環境での連続運転を確認した。" in text
    assert re.search(r"2026年6月1日\(月\) \S*申告\S* TRL6 ", text)
    (given,) = newest.evidence_given.all()
    for name, status in (("po1", 200), ("pi2", 404), ("evaluator1", 404)):
        client.force_login(cast[name])
        answer = client.get(f"{PATH}files/{given.pk}/")
        assert (answer.status_code, b"".join(answer) == PNG) == (status, status == 200), name
    client.force_login(cast["pi1"])
    assert b"".join(client.get(f"{PATH}files/{given.pk}/").streaming_content) == PNG
    assert client.get(f"/projects/sample-ql1-f2/trl/files/{given.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("on", "令和8年13月1日", "日付は"), ("on", "2999-01-01", "日付"), ("text", "  ", ""), ("text", "長" * 2001, "2000文字"),
        ("on", "", ""),
    ],
)  # fmt: skip
def test_claim_when_wrong_then_says_so_beside_the_field_and_keeps_the_text(client, cast, twin, name, value, words):
    before = TrlAssessment.objects.count()
    client.force_login(cast["pi1"])
    field = f"text_{key(6)}" if name == "text" else name
    response = claim(client, **{field: value})
    assert response.status_code == 422
    text = response.content.decode()
    error = re.search(rf'<p class="error" id="id_claim_trl-{field}_error">(.*?)</p>', text)
    assert error, "no error beside the field"
    assert words in error[1]
    assert f'href="#id_claim_trl-{field}"' in text
    if name != "text":
        assert "実環境での連続運転を確認した。" in text
    assert TrlAssessment.objects.count() == before


def test_claim_when_another_level_is_chosen_then_its_criteria_are_asked_for(client, cast, twin):
    client.force_login(cast["pi1"])
    assert [one.level.number for one in client.get(PATH).context["forms"]["claim_trl"].criteria] == [6]
    page = client.get(f"{PATH}?level=8")
    assert [one.level.number for one in page.context["forms"]["claim_trl"].criteria] == [6, 7, 8]
    assert claim(client, 8).status_code == 422
    for wrong in ("12", "六", "0"):
        assert client.get(f"{PATH}?level={wrong}").status_code == 400
        assert claim(client, wrong).status_code == 400
    assert claimed(twin).level.number == 5


def test_claim_when_the_file_is_a_program_then_the_file_is_named(client, cast, twin):
    client.force_login(cast["pi1"])
    answer = claim(client, **{f"file_{key(6)}": SimpleUploadedFile("run.exe", b"MZ\x90\x00" + bytes(50))})
    assert answer.status_code == 422
    assert f"file_{key(6)}" in answer.context["forms"]["claim_trl"].errors
    assert claimed(twin).level.number == 5


def test_assessment_when_the_director_judges_each_criterion_then_it_stands_beside_the_claim(client, cast, twin):
    client.force_login(cast["pi1"])
    claim(client)
    client.force_login(cast["pd1"])
    page = client.get(PATH)
    assert list(page.context["forms"]) == ["assess_trl"]
    assert "実環境での連続運転を確認した。" in page.content.decode()
    bad = assess(client, level="6", **{f"met_{key(6)}": "no"})
    assert bad.status_code == 422
    assert set(bad.context["forms"]["assess_trl"].errors) == {"level", f"reason_{key(6)}"}
    empty = assess(client, evidence="", **{f"met_{key(6)}": ""})
    assert set(empty.context["forms"]["assess_trl"].errors) == {"evidence"}
    assert assess(client, level="5", **{f"met_{key(6)}": "no", f"reason_{key(6)}": "条件が違う"}).status_code == 302
    newest = TrlAssessment.objects.filter(project=twin["sample-ql1-f1"], kind="assessed").latest("on")
    assert (newest.level.number, newest.claim.level.number) == (5, 6)
    assert list(newest.judgements.values_list("is_met", "reason")) == [(False, "条件が違う")]
    text = text_of(client, PATH)
    assert "条件が違う" in text
    claim(client)
    assert TrlAssessment.objects.filter(project=twin["sample-ql1-f1"], on="2026-06-01").count() == 1


@pytest.mark.parametrize("name", ["staff1", "auditor1", "office1", "coinvestigator1", "po1", "jst1"])
def test_who_only_reads_sees_no_form_and_a_post_is_refused_and_changes_nothing(client, cast, twin, name):
    client.force_login(cast[name])
    assert client.get(PATH).context["forms"] == {}
    assert claim(client).status_code == 403
    assert assess(client).status_code == 403
    assert (
        not TrlAssessment.objects.filter(project=twin["sample-ql1-f1"], on__gte="2026-06-01")
        .exclude(kind="planned")
        .exists()
    )


def test_tab_when_there_are_more_records_then_the_queries_are_the_same(client, cast, twin, django_assert_num_queries):
    project = twin["sample-ql1-f1"]
    for name, queries in (("pi1", 15), ("pd1", 14)):
        client.force_login(cast[name])
        client.get(PATH)
        for day in (1, 2, 3):
            on = date(2026, 5 if name == "pi1" else 6, day)
            claim_trl(project, level=level_of(7), on=on, evidence=shown(project, 7), by=cast["pi1"], at=timezone.now())
            if day != 2:
                with django_assert_num_queries(queries):
                    client.get(PATH)


# The board of an area -------------------------------------------------------------------------------------------------


def test_board_when_opened_then_shows_planned_claimed_assessed_and_target(client, cast):
    client.force_login(cast["pd1"])
    page = client.get(BOARD)
    assert page.status_code == 200
    rows = [[cell.text for cell in row] for row in page.context["list"].body]
    assert [row[2:6] for row in rows if "超伝導" in row[0]] == [["5", "5", "5", "6"]]
    assert [row[2:6] for row in rows if "量子AI" in row[0]] == [["5", "5", "4", "6"]]
    assert f'href="{BOARD}"' in client.get("/areas/sample-ql1/").content.decode()


def test_board_when_filtered_sorted_and_saved_then_the_same_view(client, cast):
    client.force_login(cast["pd1"])
    behind = client.get(f"{BOARD}?stands=behind").context["list"].items
    assert [one.ref for one in behind] == ["sample-ql1-f2"]
    assert [one.ref for one in client.get(f"{BOARD}?stands=waiting").context["list"].items] == ["sample-ql1-f2"]
    for sort in ("planned", "-claimed", "assessed", "-target", "kind"):
        assert len(client.get(f"{BOARD}?sort={sort}").context["list"].items) == 2, sort
    content = b"".join(client.get(f"{BOARD}?sort=-assessed&format=csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 3
    for wrong in ("stands=no", "sort=nothing", "x=1"):
        assert client.get(f"{BOARD}?{wrong}").status_code == 400


@pytest.mark.parametrize("count", [1, 3])
def test_board_when_there_are_more_projects_then_the_queries_are_the_same(
    client, cast, twin, count, django_assert_num_queries
):
    for number in range(count):
        Project.objects.create(
            ref=f"sample-board-{number}", program=twin["sample-ql1-f1"].program, area=twin["sample-ql1-f1"].area,
            kind="flagship", is_sample=True, target_trl=6,
        )  # fmt: skip
    client.force_login(cast["pd1"])
    client.get(BOARD)
    with django_assert_num_queries(9):
        client.get(BOARD)


def test_board_when_the_director_has_a_conflict_then_the_project_is_not_there(client, cast, twin):
    recuse(
        cast["pd1"].person, twin["sample-ql1-f1"], starts_on=date(2020, 4, 1), source_ref="C", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    client.force_login(cast["pd1"])
    assert [one.ref for one in client.get(BOARD).context["list"].items] == ["sample-ql1-f2"]
    assert "超伝導" not in b"".join(client.get(f"{BOARD}?format=csv").streaming_content).decode()
