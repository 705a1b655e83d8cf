"""Lists and records: the same number of queries whatever the rows, allow-listed parameters, cursors, ETag."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from programs.models import (
    BudgetLine,
    IndicatorObservation,
    IndicatorTarget,
    OutcomeIndicator,
    Participation,
    PolicyBasis,
    Program,
    ProgramAgency,
    Project,
    ResearchArea,
)
from tests.api.conftest import Machine

#: The token's client with its rate, and the list.
QUERIES = 2


@pytest.fixture
def own(machine: Machine) -> Program:
    """A program of its own with nothing in it yet, run by the machine's agency."""
    program = Program.objects.create(
        ref="sample-own", name_ja="自機関の事業", kind="umbrella", path="sample-own/", is_sample=True
    )
    ProgramAgency.objects.create(program=program, organization=machine.record.organization)
    return program


def fill(own: Program, machine: Machine, first: int, last: int) -> None:
    """Adds rows `first` to `last` of every noun, each with nested rows."""
    for n in range(first, last + 1):
        part = Program.objects.create(
            ref=f"sample-own-{n}", name_ja=f"構成事業{n}", kind="umbrella", parent=own,
            path=f"sample-own/sample-own-{n}/", is_sample=True,
        )  # fmt: skip
        PolicyBasis.objects.create(program=part, document_ja="戦略", decided_on="2021-06")
        area = ResearchArea.objects.create(
            ref=f"sample-own-a{n}", program=own, number=n, name_ja="領域", is_sample=True
        )
        project = Project.objects.create(
            ref=f"sample-own-p{n}", program=own, area=area, kind="basic", is_sample=True, title_ja=f"課題{n}"
        )
        Participation.objects.create(project=project, organization=machine.record.organization, role="lead")
        BudgetLine.objects.create(
            program=own, fiscal_year=2020 + n, kind="initial", amount_yen=n, printed_unit="million"
        )
        indicator = OutcomeIndicator.objects.create(
            ref=f"sample-own-i{n}", program=own, name_ja="件数", unit="件", direction="at_least"
        )
        IndicatorTarget.objects.create(indicator=indicator, value=10, calendar_year=2030)
        IndicatorObservation.objects.create(
            indicator=indicator, fiscal_year=2020, observed_on=date(2020, 6, 1), value="1.5", source="集計",
            external_id=f"own-{n}", sender="sample-jst", recorded_at=timezone.now(),
        )  # fmt: skip


OWN = {
    "programs": {"parent": "sample-own"},
    "areas": {"program": "sample-own"},
    "projects": {"program": "sample-own"},
    "budget-lines": {"program": "sample-own"},
    "indicators": {"program": "sample-own"},
}


def counted(machine: Machine, path: str, query: dict[str, Any]) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as seen:
        body = machine.json(path, query)
    return len(body["results"]), len(seen)


@pytest.mark.parametrize("noun", ["programs", "areas", "projects", "budget-lines", "indicators"])
def test_list_when_1_or_3_rows_then_same_queries(noun: str, own: Program, machine: Machine) -> None:
    fill(own, machine, 1, 1)
    assert counted(machine, f"{noun}/", OWN[noun]) == (1, QUERIES)
    fill(own, machine, 2, 3)
    assert counted(machine, f"{noun}/", OWN[noun]) == (3, QUERIES)


def test_observations_when_1_or_3_rows_then_same_queries(own: Program, machine: Machine) -> None:
    fill(own, machine, 1, 1)
    query = {"fiscal_year": 2020, "indicator": "sample-own-i1"}
    assert counted(machine, "observations/", query) == (1, QUERIES)
    indicator = OutcomeIndicator.objects.get(ref="sample-own-i1")
    for n in (2, 3):
        IndicatorObservation.objects.create(
            indicator=indicator, fiscal_year=2020, observed_on=date(2020, 7, n), value=n, source="集計",
            external_id=f"own-{n}", sender="sample-jst", recorded_at=timezone.now(),
        )  # fmt: skip
    assert counted(machine, "observations/", query) == (3, QUERIES)


@pytest.mark.parametrize(
    "path",
    [
        "programs/sample-own-1/", "areas/sample-own-a1/", "projects/sample-own-p1/",
        "budget-lines/sample-own.2021.initial/", "indicators/sample-own-i1/",
    ],
)  # fmt: skip
def test_record_when_read_then_two_queries_and_same_as_in_list(path: str, own: Program, machine: Machine) -> None:
    fill(own, machine, 1, 3)
    with CaptureQueriesContext(connection) as seen:
        found = machine.json(path)
    assert len(seen) == QUERIES
    noun, ref = path.strip("/").split("/")
    assert found["ref"] == ref
    assert found in machine.json(f"{noun}/", OWN[noun])["results"]


def test_project_when_read_then_has_every_fact(own: Program, machine: Machine) -> None:
    fill(own, machine, 1, 1)
    assert machine.json("projects/sample-own-p1/") == {
        "ref": "sample-own-p1",
        "program": "sample-own",
        "area": "sample-own-a1",
        "kind": "basic",
        "state": "running",
        "title": {"ja": "課題1", "en": None},
        "theme": None,
        "theme_note": None,
        "target_trl": None,
        "start_fiscal_year": None,
        "end_fiscal_year": None,
        "award_numbers": [],
        "participations": [
            {
                "organization": {
                    "ref": "sample-jst",
                    "name": {
                        "ja": machine.record.organization.name_ja,
                        "en": machine.record.organization.name_en or None,
                    },
                },
                "role": "lead",
                "starts_on": None,
                "ends_on": None,
            }
        ],
        "complements": [],
        "source": None,
        "is_sample": True,
    }


# Paging ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("noun", "order"), [
    ("projects", "ref"), ("projects", "-ref"), ("budget-lines", "ref"), ("budget-lines", "-ref"),
    ("observations", "recorded"), ("observations", "-recorded"), ("programs", "ref"),
])  # fmt: skip
def test_pages_when_walked_both_ways_then_every_row_once_in_order(
    noun: str, order: str, own: Program, machine: Machine
) -> None:
    fill(own, machine, 1, 7)
    whole = machine.json(f"{noun}/", {"page_size": 100, "order": order})["results"]
    page = machine.json(f"{noun}/", {"page_size": 3, "order": order})
    assert page["previous"] is None
    pages = [page]
    while page["next"]:
        page = machine.json(f"{noun}/", {"page_size": 3, "order": order, "cursor": page["next"]})
        pages.append(page)
    assert [row for each in pages for row in each["results"]] == whole
    assert len(whole) > 6
    back = [page]
    while page["previous"]:
        page = machine.json(f"{noun}/", {"page_size": 3, "order": order, "cursor": page["previous"]})
        back.insert(0, page)
    assert [row for each in back for row in each["results"]] == whole


def test_page_when_row_is_added_before_then_next_page_neither_repeats_nor_skips(own: Program, machine: Machine) -> None:
    fill(own, machine, 2, 5)
    query = {"program": "sample-own", "page_size": 2}
    first = machine.json("projects/", query)
    fill(own, machine, 1, 1)
    second = machine.json("projects/", {**query, "cursor": first["next"]})
    assert [row["ref"] for row in first["results"] + second["results"]] == [f"sample-own-p{n}" for n in range(2, 6)]


# Filters --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "refs"),
    [
        ("projects/", {"area": "sample-own-a2"}, ["sample-own-p2"]),
        ("projects/", {"program": "sample-own", "kind": "flagship"}, []),
        ("projects/", {"program": "sample-own", "state": "running", "is_sample": "true"},
         ["sample-own-p1", "sample-own-p2", "sample-own-p3"]),
        ("projects/", {"q": "課題2"}, ["sample-own-p2"]),
        ("projects/", {"program": "never-heard-of"}, []),
        ("budget-lines/", {"program": "sample-own", "fiscal_year": "2022"}, ["sample-own.2022.initial"]),
        ("programs/", {"parent": "sample-own", "kind": "package"}, []),
        ("programs/", {"q": "構成事業3"}, ["sample-own-3"]),
        ("indicators/", {"program": "sample-own", "kind": "capacity"}, []),
    ],
)  # fmt: skip
def test_list_when_filtered_then_only_what_fits(
    path: str, query: dict[str, str], refs: list[str], own: Program, machine: Machine
) -> None:
    fill(own, machine, 1, 3)
    assert [row["ref"] for row in machine.json(path, query)["results"]] == refs


@pytest.mark.parametrize(
    ("path", "query", "code", "field", "says"),
    [
        ("projects/", "page_size=100000", "invalid_page_size", "page_size", "1 to 100"),
        ("projects/", "page_size=0", "invalid_page_size", "page_size", "1 to 100"),
        ("projects/", "page_size=abc", "invalid_page_size", "page_size", "1 to 100"),
        ("projects/", "page_size=%EF%BC%91", "invalid_page_size", "page_size", "1 to 100"),
        ("projects/", "order=password", "invalid_order", "order", "Orders: ref, -ref"),
        ("projects/", "passwort=x", "unknown_parameter", "passwort", "Parameters: area, cursor"),
        ("projects/", "program__is_sample=true", "unknown_parameter", "program__is_sample", "Parameters:"),
        ("projects/", "kind=huge", "invalid_value", "kind", "flagship, basic, human_resources"),
        ("projects/", "kind=basic&kind=award", "repeated_parameter", "kind", "given twice"),
        ("projects/", "q=%00", "invalid_value", "q", "printable"),
        ("projects/", "q=" + "a" * 101, "invalid_value", "q", "1 to 100"),
        ("projects/", "is_sample=yes", "invalid_value", "is_sample", "true or false"),
        ("projects/", "cursor=AAAA", "invalid_cursor", "cursor", "Take it from"),
        ("projects/", "cursor=%E3%81%82", "invalid_cursor", "cursor", "Take it from"),
        ("observations/", "cursor=WyJyZWNvcmRlZCIsZmFsc2UsMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDBd", "invalid_cursor", "cursor",
         "Take it from"),
        ("budget-lines/", "fiscal_year=令和4", "invalid_value", "fiscal_year", "such as 2022"),
        ("budget-lines/", "fiscal_year=20222", "invalid_value", "fiscal_year", "such as 2022"),
        ("projects/sample-ql1-f1/", "expand=members", "unknown_parameter", "expand", "Parameters: -"),
    ],
)  # fmt: skip
def test_query_when_unknown_then_400_names_it_and_says_what_to_do(
    path: str, query: str, code: str, field: str, says: str, machine: Machine
) -> None:
    response = machine.get(f"{path}?{query}", accept_language="en")
    problem = orjson.loads(response.content)
    assert (response.status_code, problem["code"], problem["blockers"][0]["field"]) == (400, code, field)
    assert says in problem["detail"]


def test_cursor_when_used_in_another_order_then_400(machine: Machine) -> None:
    cursor = machine.json("projects/", {"page_size": 1})["next"]
    response = machine.get("projects/", {"order": "-ref", "cursor": cursor})
    assert (response.status_code, orjson.loads(response.content)["code"]) == (400, "invalid_cursor")


# ETag -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["projects/", "projects/sample-ql1-f1/"])
def test_read_when_etag_is_known_then_304_until_it_changes(path: str, machine: Machine) -> None:
    etag = machine.get(path)["ETag"]
    unchanged = machine.get(path, if_none_match=etag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    Project.objects.filter(ref="sample-ql1-f1").update(theme_note="書き直し")
    changed = machine.get(path, if_none_match=etag)
    assert changed.status_code == 200
    assert changed["ETag"] != etag


def test_read_when_answered_then_is_json_and_stays_in_no_cache(machine: Machine) -> None:
    response = machine.get("projects/")
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
