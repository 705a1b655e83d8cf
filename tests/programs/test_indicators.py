"""Observations in bulk: each row is created, a duplicate or an error of its own; nothing is ever overwritten."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import Organization
from accounts.queries import AgencyClient
from common.audit import history_of
from common.fiscal_year import JAPAN
from common.models import JournalEntry
from programs.actions.indicators import record_observations
from programs.models import IndicatorObservation, OutcomeIndicator, Participation, Program
from programs.queries import year_totals

pytestmark = pytest.mark.django_db

#: 2026-06-04 in Japan, still the 3rd in UTC.
AT = datetime(2026, 6, 4, 1, 0, tzinfo=JAPAN)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def infrastructure(cast):
    """A sample infrastructure under the sample agency, with one hub and one indicator."""
    program = Program.objects.create(
        ref="arim-sample", name_ja="共用基盤(見本)", kind="infrastructure", path="arim-sample/", is_sample=True
    )
    agency = Organization.objects.get(ref="sample-jst")
    program.agencies.create(organization=agency)
    for officer, other in (("staff1", "staff2"), ("staff2", "staff1")):
        program.staff.create(
            person=cast[officer].person, role="ministry_staff", starts_on=date(2022, 4, 1),
            granted_by=cast[officer], approved_by=cast[other],
        )  # fmt: skip
    Participation.objects.create(program=program, organization=Organization.objects.get(ref="sample-org-a"), role="hub")
    OutcomeIndicator.objects.create(
        ref="uses-sample", name_ja="利用件数", program=program, unit="件/年", direction="at_least"
    )
    return program


@pytest.fixture
def client(infrastructure):
    return client_of("sample-jst")


def client_of(ref):
    return AgencyClient(Organization.objects.get(ref=ref).pk, ref, "0123456789")


def row(number=1, **changes):
    return {
        "indicator": "uses-sample", "fiscal_year": 2025, "observed_on": "2026-04-20", "value": 12,
        "source": "利用報告", "external_id": f"u-{number}", **changes,
    }  # fmt: skip


def send(rows, by, **options):
    return [
        (result.external_id, result.status, result.problem and (result.problem.field, result.problem.code))
        for result in record_observations(rows, by=by, at=AT, **options)
    ]


def kept():
    return IndicatorObservation.objects.filter(indicator__ref="uses-sample").order_by("external_id")


def test_observations_when_good_then_kept_as_sent(client):
    sent = [
        row(1, organization="sample-org-a", source="利用報告 \\N c:\\data"),
        row(2, value="-0.5000", observed_on="2026-06-04"),
        row(3, value=1.25),
        row(4, value=10**16 - 1, fiscal_year=2026),
    ]
    assert send(sent, client) == [(f"u-{n}", "created", None) for n in (1, 2, 3, 4)]
    assert list(
        kept().values_list("organization__ref", "fiscal_year", "value", "source", "sender", "recorded_at", "corrects")
    ) == [
        ("sample-org-a", 2025, Decimal(12), "利用報告 \\N c:\\data", "sample-jst", AT, None),
        (None, 2025, Decimal("-0.5"), "利用報告", "sample-jst", AT, None),
        (None, 2025, Decimal("1.25"), "利用報告", "sample-jst", AT, None),
        (None, 2026, Decimal(10**16 - 1), "利用報告", "sample-jst", AT, None),
    ]
    assert kept().get(external_id="u-2").observed_on.isoformat() == "2026-06-04"
    [entry] = history_of(OutcomeIndicator.objects.get(ref="uses-sample"))
    assert (entry.action, entry.actor_kind, entry.after) == (
        "record_observations", "client", {"added": 4, "sender": "sample-jst"},
    )  # fmt: skip


BAD = [
    ({"indicator": "nothing"}, "indicator", "unknown"),
    ({"indicator": 7}, "indicator", "unknown"),
    ({"indicator": None}, "indicator", "required"),
    ({"organization": "nobody"}, "organization", "unknown"),
    ({"organization": ["sample-org-a"]}, "organization", "unknown"),
    ({"organization": "sample-org-b"}, "organization", "foreign"),
    ({"organization": "riken"}, "organization", "foreign"),
    ({"observed_on": "2026-06-05"}, "observed_on", "future"),
    ({"observed_on": "2026-02-30"}, "observed_on", "bad_date"),
    ({"observed_on": "2026-W10-1"}, "observed_on", "bad_date"),
    ({"observed_on": "20260420"}, "observed_on", "bad_date"),
    ({"observed_on": 20260420}, "observed_on", "bad_date"),
    ({"fiscal_year": 2027}, "fiscal_year", "bad_year"),
    ({"fiscal_year": "2025"}, "fiscal_year", "bad_year"),
    ({"fiscal_year": True}, "fiscal_year", "bad_year"),
    ({"value": "1,200"}, "value", "bad_number"),
    ({"value": "１２"}, "value", "bad_number"),
    ({"value": "1e5"}, "value", "bad_number"),
    ({"value": 0.00001}, "value", "bad_number"),
    ({"value": float("nan")}, "value", "bad_number"),
    ({"value": float("inf")}, "value", "bad_number"),
    ({"value": 10**16}, "value", "bad_number"),
    ({"value": True}, "value", "bad_number"),
    ({"value": [1]}, "value", "bad_number"),
    ({"source": ""}, "source", "bad_source"),
    ({"source": "a\tb"}, "source", "bad_source"),
    ({"source": "a\nb"}, "source", "bad_source"),
    ({"source": "a\x00"}, "source", "bad_source"),
    ({"source": "あ" * 201}, "source", "bad_source"),
    ({"external_id": "u 1"}, "external_id", "bad_id"),
    ({"external_id": "u\\1"}, "external_id", "bad_id"),
    ({"external_id": "u" * 65}, "external_id", "bad_id"),
    ({"external_id": "番号"}, "external_id", "bad_id"),
    ({"external_id": 1}, "external_id", "bad_id"),
    ({"corrects": "u-404"}, "corrects", "unknown"),
    ({"corrects": "u-1"}, "corrects", "itself"),
    ({"corrects": 5}, "corrects", "unknown"),
    ({"colour": "red"}, "", "unknown_field"),
]


@pytest.mark.parametrize(("change", "field", "code"), BAD, ids=[f"{n}-{bad[1]}-{bad[2]}" for n, bad in enumerate(BAD)])
def test_observations_when_one_row_is_bad_then_it_alone_is_refused(client, change, field, code):
    good, bad = row(2), row(1, **change)
    results = send([bad, good], client)
    assert [(status, problem) for _id, status, problem in results] == [("error", (field, code)), ("created", None)]
    assert list(kept().values_list("external_id", flat=True)) == ["u-2"]


@pytest.mark.parametrize("line", [None, 7, "text", [], ["indicator"]])
def test_observations_when_a_line_is_no_object_then_it_is_refused(client, line):
    assert send([line, row(2)], client) == [("", "error", ("", "wrong_type")), ("u-2", "created", None)]


def test_observations_when_a_field_is_missing_then_it_is_named(client):
    results = record_observations([{"indicator": "uses-sample"}], by=client, at=AT)
    assert results[0].problem.field == "fiscal_year"
    assert results[0].problem.message == "This field is missing. Add it."


def test_observations_when_sent_again_then_duplicates_and_nothing_is_written(client):
    batch = [row(1), row(2, value="2.50", organization="sample-org-a"), row(3, corrects="u-1")]
    assert {status for _id, status, _p in send(batch, client)} == {"created"}
    entries = JournalEntry.objects.count()
    batch[1]["value"] = 2.5
    assert {status for _id, status, _p in send(batch, client)} == {"duplicate"}
    assert (kept().count(), JournalEntry.objects.count()) == (3, entries)


@pytest.mark.parametrize(
    "change",
    [{"value": 13}, {"fiscal_year": 2024}, {"observed_on": "2026-04-21"}, {"source": "別"}, {"corrects": "u-9"},
     {"organization": "sample-org-a"}],
)  # fmt: skip
def test_observations_when_an_id_comes_again_with_other_content_then_never_overwritten(client, change):
    send([row(9), row(1)], client)
    refused = [("u-1", "error", ("external_id", "other_content"))]
    assert send([row(1, **change)], client) == refused
    assert send([row(5), row(5, **change)], client)[1] == ("u-5", "error", ("external_id", "other_content"))
    assert kept().get(external_id="u-1").value == 12


def test_observations_of_another_sender_may_use_the_same_ids(client, cast):
    assert send([row(1)], client) == [("u-1", "created", None)]
    assert send([row(1)], cast["staff1"]) == [("u-1", "created", None)]
    assert set(kept().values_list("sender", flat=True)) == {"sample-jst", f"person-{cast['staff1'].pk}"}
    assert send([row(2, corrects="u-1")], cast["staff2"]) == [("u-2", "error", ("corrects", "unknown"))]


# Corrections ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [True, False])
def test_corrections_within_one_batch_find_each_other_in_any_order(client, dry_run):
    batch = [row(3, value=3, corrects="u-2"), row(2, value=2, corrects="u-1"), row(1, value=1)]
    assert send(batch, client, dry_run=dry_run) == [(f"u-{n}", "created", None) for n in (3, 2, 1)]
    if not dry_run:
        indicator = OutcomeIndicator.objects.get(ref="uses-sample")
        assert [one.total for one in year_totals([indicator.pk])] == [3]


@pytest.mark.parametrize("dry_run", [True, False])
def test_corrections_when_the_target_is_corrected_or_lost_then_refused(client, dry_run):
    send([row(1), row(2, corrects="u-1")], client)
    batch = [
        row(3, corrects="u-1"),
        row(4), row(5, corrects="u-4"), row(6, corrects="u-4"),
        row(7, corrects="u-8"), row(8, corrects="u-7"),
        row(9, corrects="u-3"),
    ]  # fmt: skip
    assert send(batch, client, dry_run=dry_run) == [
        ("u-3", "error", ("corrects", "corrected")),
        ("u-4", "created", None), ("u-5", "created", None), ("u-6", "error", ("corrects", "corrected")),
        ("u-7", "error", ("corrects", "unknown")), ("u-8", "error", ("corrects", "unknown")),
        ("u-9", "error", ("corrects", "unknown")),
    ]  # fmt: skip
    assert kept().count() == (2 if dry_run else 4)


def test_correction_when_of_another_indicator_then_refused(client, infrastructure):
    OutcomeIndicator.objects.create(
        ref="other-sample", name_ja="別", program=infrastructure, unit="件", direction="at_least"
    )
    send([row(1)], client)
    assert send([row(2, indicator="other-sample", corrects="u-1")], client) == [
        ("u-2", "error", ("corrects", "other_indicator"))
    ]


# Who, dry run, size ---------------------------------------------------------------------------------------------------


def test_observations_when_the_indicator_is_visible_but_not_writable_then_it_is_said(cast):
    sent = row(1, indicator="sample-ql-papers")
    assert send([sent], cast["pd1"]) == [("u-1", "error", ("indicator", "not_writable"))]
    assert send([sent], cast["applicant1"]) == [("u-1", "error", ("indicator", "unknown"))]
    assert send([sent], client_of("jst")) == [("u-1", "error", ("indicator", "unknown"))]


def test_observations_in_a_dry_run_are_judged_and_not_written(client):
    before = (IndicatorObservation.objects.count(), JournalEntry.objects.count())
    assert send([row(1), row(2, value="x")], client, dry_run=True) == [
        ("u-1", "created", None), ("u-2", "error", ("value", "bad_number")),
    ]  # fmt: skip
    assert (IndicatorObservation.objects.count(), JournalEntry.objects.count()) == before


def test_observations_of_no_rows_are_nothing(client):
    assert send([], client) == []


def test_observations_take_as_many_statements_for_many_rows_as_for_one(client):
    counts = []
    for size in (1, 3000):
        rows = [row(f"{size}-{n}", organization="sample-org-a") for n in range(size)]
        with CaptureQueriesContext(connection) as queries:
            assert {status for _id, status, _p in send(rows, client)} == {"created"}
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12
    assert kept().count() == 3001
