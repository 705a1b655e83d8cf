"""The results of a panel: raw mean beside calibrated rank, first beside final, only cases that the reader may read."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from evaluations.models import SheetScore
from evaluations.queries.panel_results import panel_results
from programs.actions.recusals import recuse
from tests.cast import again
from tests.factories.findings import CANARY, F1, scored, told
from tests.factories.rounds import FLAGSHIPS

pytestmark = pytest.mark.django_db
THREE = FLAGSHIPS[:3]
TOLD = {"secretariat1", "staff1", "staff2", "auditor1"}


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def made(cast, twin):
    return scored(cast, twin, projects=THREE)


def vary(made):
    """Give the cases different scores, as if they had been scored so."""
    import pgtrigger

    levels = {one.code: one for one in made.rubric.items.get(code="goal").levels.all()}
    with pgtrigger.ignore("evaluations.SheetScore:closes_hold"):
        for project, codes in zip(THREE, ("aab", "bcb", "ddc"), strict=True):
            rows = SheetScore.objects.filter(sheet__assignment__case=made.cases[project], item__code="goal")
            for row, code in zip(rows.order_by("sheet__assignment_id"), codes, strict=True):
                SheetScore.objects.filter(pk=row.pk).update(level=levels[code])


def test_results_when_scores_differ_then_raw_mean_and_calibrated_rank_stand_side_by_side(cast, made):
    vary(made)
    found = panel_results(cast["chair1"], made.panel)
    assert [row.case.gate_review.project.ref for row in found.rows] == list(THREE)
    assert [row.standing.rank for row in found.rows] == [1, 2, 3]
    assert [str(row.final.total.mean) for row in found.rows] == ["3.33", "2.83", "2.17"]
    text = signed_in(cast["chair1"]).get(f"/panels/{made.panel.ref}/results/").content.decode()
    assert ("3.33" in text, "90%" in text, CANARY in text) == (True, True, False)


def test_results_when_all_scores_are_equal_then_says_why_there_is_no_calibrated_rank(cast, made):
    found = panel_results(cast["chair1"], made.panel)
    assert (found.calibration, found.reason, found.rows[0].moved) == (None, "all_equal", "+0.00")
    assert signed_in(cast["chair1"]).get(f"/panels/{made.panel.ref}/results/").status_code == 200


def test_results_when_in_conflict_with_a_case_then_it_is_in_no_row_count_or_rank(cast, twin, made):
    vary(made)
    recuse(
        cast["chair1"].person, twin[F1], starts_on=timezone.localdate(), source_ref="COI-X", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    found = panel_results(again(cast["chair1"]), made.panel)
    assert [row.case.gate_review.project.ref for row in found.rows] == list(THREE[1:])
    assert (found.calibration, found.reason) == (None, "too_few_cases")
    client = signed_in(cast["chair1"])
    for query in ("", "?format=csv"):
        response = client.get(f"/panels/{made.panel.ref}/results/{query}")
        body = b"".join(response.streaming_content) if response.streaming else response.content
        assert made.cases[F1].ref not in body.decode()


#: Who reads which results, by the round's state; secretariat, staff and auditor have given their reason.
SEEN = {
    "first_closed": {"chair1", "secretariat1", "jst1", "jst2", "auditor1"},
    "final_closed": {
        "chair1", "jst1", "jst2", "pd1", "deputy1", "pd2", "po1", *TOLD, *(f"evaluator{n}" for n in range(1, 7)),
    },
}  # fmt: skip


@pytest.mark.parametrize("state", SEEN)
def test_results_when_asked_by_each_of_the_cast_then_as_the_table_says(cast, twin, state):
    made = scored(cast, twin, projects=THREE, state=state)
    told(cast, made, *TOLD)
    path = f"/panels/{made.panel.ref}/results/"
    answers = {name: signed_in(cast[name]).get(path) for name in cast}
    found = {name for name, answer in answers.items() if answer.status_code == 200 and answer.context["rows"]}
    assert found == SEEN[state]
    assert {answers[name].status_code for name in set(cast) - SEEN[state]} <= {403, 404, 200}
    for name in SEEN[state] & {"pd1", "staff1", "po1"}:
        assert cast["evaluator2"].person.name not in answers[name].content.decode()


def test_results_when_no_reason_was_given_then_staff_and_secretariat_are_asked_for_it(cast, made):
    for name in ("staff1", "secretariat1"):
        answer = signed_in(cast[name]).get(f"/panels/{made.panel.ref}/results/")
        assert (answer.status_code, answer.context["rows"], answer.context["asks_reason"]) == (200, [], True)


def test_results_when_exported_then_a_spreadsheet_reads_them(cast, made):
    body = b"".join(signed_in(cast["chair1"]).get(f"/panels/{made.panel.ref}/results/?format=csv").streaming_content)
    assert (body[:3], body.count(b"\r\n")) == (b"\xef\xbb\xbf", 4)
    assert signed_in(cast["chair1"]).get(f"/panels/{made.panel.ref}/results/?format=pdf").status_code == 400
    assert signed_in(cast["chair1"]).get(f"/panels/{made.panel.ref}/results/?other=1").status_code == 400


def test_results_when_one_or_three_cases_then_ask_the_same(cast, twin):
    def queries(projects):
        panel, client = scored(cast, twin, projects=projects).panel, signed_in(cast["chair1"])
        with CaptureQueriesContext(connection) as found:
            assert client.get(f"/panels/{panel.ref}/results/").status_code == 200
        return len(found)

    assert queries((F1,)) == queries(THREE) <= 15
