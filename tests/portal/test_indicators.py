"""One indicator's page: values rolled up over the tree, recorded by hand and as CSV; nothing is ever overwritten."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from common.models import StoredFile
from programs.actions.indicators import record_observations
from programs.models import IndicatorObservation, OutcomeIndicator, Participation, Program
from programs.queries.indicators import rolled_up

pytestmark = pytest.mark.django_db
PAGE = "/indicators/sample-uses/"
HEAD = "機関,年度,観測日,値,出典,整理番号,訂正する整理番号\n"


@pytest.fixture
def indicator(twin_program):
    return OutcomeIndicator.objects.create(
        ref="sample-uses", program=twin_program, name_ja="見本 利用件数", unit="件/年", direction="at_least"
    )


@pytest.fixture
def hubs(twin_program):
    """Three institutions of a component below the twin."""
    component = Program.objects.create(
        ref="sample-component", name_ja="見本基盤", parent=twin_program, kind="infrastructure", is_sample=True,
        path=f"{twin_program.path}sample-component/",
    )  # fmt: skip
    found = [Organization.objects.create(ref=f"hub-{n}", name_ja=f"見本拠点{n}", is_sample=True) for n in (1, 2, 3)]
    for organization in found:
        Participation.objects.create(program=component, organization=organization, role="spoke")
    return found


def record(indicator, user, **more):
    row = {"indicator": indicator.ref, "fiscal_year": 2025, "observed_on": "2025-06-01", "value": "5", "source": "実績"}
    (result,) = record_observations([{**row, **more}], by=user, at=timezone.now())
    return result


def signed_in(client, cast, name="staff1"):
    client.force_login(cast[name])
    return client


def sheet(client, text, *, encoding="utf-8-sig", name="values.csv"):
    upload = SimpleUploadedFile(name, text.encode(encoding) if isinstance(text, str) else text, "text/csv")
    return client.post(f"{PAGE}sheet/", {"file": upload})


def test_values_when_sent_by_institutions_then_are_rolled_up_over_the_tree(client, cast, indicator, hubs):
    for n, hub in enumerate(hubs, 1):
        record(indicator, cast["staff1"], organization=hub.ref, value=str(n * 10), external_id=f"u{n}")
    rolled = rolled_up(indicator)
    assert rolled.years == (2025,)
    assert [(row.label, row.values, row.is_program) for row in rolled.rows] == [
        ("見本基盤", (Decimal(60),), True), ("見本拠点1", (Decimal(10),), False), ("見本拠点2", (Decimal(20),), False),
        ("見本拠点3", (Decimal(30),), False),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(value) FROM programs_indicatorobservation WHERE indicator_id = %s", [indicator.pk])
        assert rolled.parts == cursor.fetchone()
    page = signed_in(client, cast).get(PAGE).content.decode()
    assert "見本基盤" in page
    assert page.index("見本拠点1") < page.index("見本拠点3")


@pytest.mark.parametrize("count", [1, 3])
def test_page_when_there_are_more_values_then_the_queries_are_the_same(
    client, cast, indicator, hubs, count, django_assert_num_queries
):
    for n in range(count):
        record(indicator, cast["staff1"], organization=hubs[n].ref, external_id=f"u{n}")
    signed_in(client, cast).get(PAGE)
    with django_assert_num_queries(15):
        client.get(PAGE)


def test_page_when_asked_by_others_then_read_only_or_not_there(client, cast, indicator):
    page = signed_in(client, cast, "pi1").get(PAGE)
    assert page.status_code == 200
    assert "記録する" not in page.content.decode()
    assert client.post(f"{PAGE}record/", {}).status_code == 403
    assert client.post(f"{PAGE}sheet/", {}).status_code == 403
    assert signed_in(client, cast, "evaluator2").get(PAGE).status_code == 404
    assert client.post(f"{PAGE}record/", {}).status_code == 404


def test_value_when_recorded_by_hand_then_full_width_and_eras_are_understood(client, cast, indicator):
    typed = {"fiscal_year": "令和7年度", "observed_on": "R7.6.1", "value": "3,000", "source": "聞取り"}
    assert signed_in(client, cast).post(f"{PAGE}record/", typed).status_code == 302
    row = IndicatorObservation.objects.get(indicator=indicator)
    assert (row.fiscal_year, row.observed_on, row.value) == (2025, date(2025, 6, 1), 3000)


def test_value_when_corrected_then_the_old_one_stays_and_the_sum_is_right(client, cast, indicator):
    signed_in(client, cast).post(f"{PAGE}record/", TYPED)
    first = IndicatorObservation.objects.get(indicator=indicator).external_id
    typed = {
        "fiscal_year": "2025",
        "observed_on": "2025-06-01",
        "value": "2,900",
        "source": "訂正",
        "corrects": first,
    }
    assert signed_in(client, cast).post(f"{PAGE}record/", typed).status_code == 302
    assert IndicatorObservation.objects.filter(indicator=indicator).count() == 2
    assert rolled_up(indicator).whole == (Decimal(2900),)
    assert "訂正済み" in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"observed_on": "2999-01-01"}, "observed_on"),
        ({"value": "多数"}, "value"),
        ({"fiscal_year": "来年度"}, "fiscal_year"),
        ({"source": ""}, "source"),
        ({"organization": "ql-nowhere"}, "organization"),
    ],
)
def test_value_when_wrong_then_said_at_its_field_and_nothing_is_written(client, cast, indicator, typed, field):
    good = {"fiscal_year": "2025", "observed_on": "2025-06-01", "value": "1", "source": "実績"}
    answer = signed_in(client, cast).post(f"{PAGE}record/", {**good, **typed})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert good["value"] in answer.content.decode()
    assert not IndicatorObservation.objects.filter(indicator=indicator).exists()


def test_institution_when_it_takes_no_part_below_then_is_refused(cast, indicator, hubs):
    foreign = Organization.objects.create(ref="foreign", name_ja="見本外部", is_sample=True)
    result = record(indicator, cast["staff1"], organization=foreign.ref, external_id="x")
    assert (result.status, result.problem.code) == ("error", "foreign")
    assert record(indicator, cast["staff1"], organization=hubs[0].ref, external_id="y").status == "created"


def test_institution_when_nobody_takes_part_yet_then_every_one_is_foreign(cast):
    """ARIM's list of institutions is not in the source: until they are entered, none can be counted for."""
    arim = OutcomeIndicator.objects.get(ref="facility-uses-per-year")
    assert not Participation.objects.filter(program__ref="arim").exists()
    assert record(arim, cast["staff1"], organization="riken", external_id="x").problem.code == "foreign"
    Participation.objects.create(
        program=Program.objects.get(ref="arim"), organization=Organization.objects.get(ref="riken"), role="spoke"
    )
    assert record(arim, cast["staff1"], organization="riken", external_id="x").status == "created"


def test_institution_when_it_takes_part_in_a_project_below_then_its_values_are_taken(cast, twin, indicator):
    organization = Participation.objects.get(project=twin["sample-ql1-f1"], role="lead").organization
    assert record(indicator, cast["staff1"], organization=organization.ref, external_id="x").status == "created"


TYPED = {"fiscal_year": "2025", "observed_on": "2025-06-01", "value": "3,000", "source": "実績"}


@pytest.mark.parametrize(("second", "name"), [({}, "staff1"), ({}, "staff2"), ({"value": "3,100"}, "staff2")])
def test_value_when_typed_twice_then_the_second_is_asked_whether_it_corrects(client, cast, indicator, second, name):
    assert signed_in(client, cast).post(f"{PAGE}record/", TYPED).status_code == 302
    answer = signed_in(client, cast, name).post(f"{PAGE}record/", {**TYPED, **second})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["corrects"]
    assert "3,000" in answer.content.decode()
    assert IndicatorObservation.objects.filter(indicator=indicator).count() == 1
    other = {**TYPED, "source": "実績(第2施設)"}
    assert client.post(f"{PAGE}record/", other).status_code == 302
    assert rolled_up(indicator).whole == (Decimal(6000),)


def test_value_when_a_successor_corrects_it_then_the_old_one_stays(client, cast, indicator):
    signed_in(client, cast).post(f"{PAGE}record/", TYPED)
    first = IndicatorObservation.objects.get(indicator=indicator)
    corrected = {**TYPED, "value": "2,900", "corrects": first.external_id}
    assert signed_in(client, cast, "staff2").post(f"{PAGE}record/", corrected).status_code == 302
    assert client.post(f"{PAGE}record/", corrected).status_code == 422, "it is corrected already"
    assert rolled_up(indicator).whole == (Decimal(2900),)
    assert IndicatorObservation.objects.filter(indicator=indicator).count() == 2


@pytest.mark.parametrize("typed", ["1,2", "3,00", "1,23,456", "1e5", "nan", ""])
def test_value_when_the_number_is_doubtful_then_it_is_not_guessed(client, cast, indicator, typed):
    answer = signed_in(client, cast).post(f"{PAGE}record/", {**TYPED, "value": typed})
    assert answer.status_code == 422
    assert not IndicatorObservation.objects.filter(indicator=indicator).exists()


# Sheets ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp932"])
def test_sheet_when_checked_and_confirmed_then_every_row_is_written_once(client, cast, indicator, hubs, encoding):
    lines = "hub-1,令和7年度,令和7年6月1日,1,234,実績,a1,\nhub-2,2025,2025/6/2,△5,実績,a2,\n".replace(
        "1,234", '"1,234"'
    )
    answer = sheet(signed_in(client, cast), HEAD + lines, encoding=encoding)
    assert answer.status_code == 200
    preview = answer.context["preview"]
    assert (preview["created"], preview["duplicates"], preview["years"]) == (2, 0, [("令和7(2025)年度", Decimal(1229))])
    assert not IndicatorObservation.objects.filter(indicator=indicator).exists()
    for _time in (1, 2):
        assert client.post(f"{PAGE}sheet/", {"checked": preview["token"]}).status_code == 302
    assert rolled_up(indicator).parts == (Decimal(1229),)
    assert IndicatorObservation.objects.filter(indicator=indicator).count() == 2


def test_sheet_when_rows_are_wrong_then_each_is_named_by_line_and_column_and_nothing_is_written(
    client, cast, indicator, hubs
):
    lines = [
        "hub-1,2025,2025-06-01,1,実績,b1,", "hub-1,2025,2999-01-01,1,実績,b2,", "foreign,2025,2025-06-01,1,実績,b3,",
        "hub-1,2025,2025-06-01,=SUM(A1),実績,b4,", "hub-1,2025,2025-06-01,,実績,b5,", "hub-1,2025,2025-06-01,2,実績,b1,",
        "hub-1,2025,2025-06-01,1,実績,b7,,多い",
    ]  # fmt: skip
    answer = sheet(signed_in(client, cast), HEAD + "\n".join(lines))
    assert answer.status_code == 422
    errors = answer.context["sheet_form"].errors["file"]
    assert [error.partition(":")[0] for error in errors] == [
        "5行目「値」", "6行目「値」", "8行目", "3行目「観測日」", "4行目「機関」", "7行目「整理番号」",
    ]  # fmt: skip
    assert not IndicatorObservation.objects.filter(indicator=indicator).exists()
    assert not StoredFile.objects.filter(name="values.csv").exists()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("機関,年度,観測日,値\n", "出典"),
        ("機関,年度,観測日,値,出典,色\n", "色"),
        ("年度,年度,観測日,値,出典\n", "2回"),
        (HEAD, "行がありません"),
        ("", "空か"),
        (b"\xff\xfe\x00\x81", "文字"),
        (HEAD + '"閉じない,2025', "1行目|2行目"),
    ],
)
def test_sheet_when_it_cannot_be_read_then_says_what_to_do(client, cast, indicator, text, word):
    answer = sheet(signed_in(client, cast), text)
    assert answer.status_code == 422
    errors = " ".join(answer.context["sheet_form"].errors["file"])
    assert any(one in errors for one in word.split("|")), errors


def test_sheet_when_the_check_is_somebody_elses_then_nothing_is_written(client, cast, indicator, hubs):
    answer = sheet(signed_in(client, cast), f"{HEAD}hub-1,2025,2025-06-01,1,実績,c1,\n")
    token = answer.context["preview"]["token"]
    assert signed_in(client, cast, "staff2").post(f"{PAGE}sheet/", {"checked": token}).status_code == 302
    assert client.post(f"{PAGE}sheet/", {"checked": "broken"}).status_code == 302
    assert not IndicatorObservation.objects.filter(indicator=indicator).exists()


def test_sheet_when_it_grew_or_comes_from_another_then_only_what_is_new_is_added(client, cast, indicator, hubs):
    first = f"{HEAD}hub-1,2025,2025-06-01,1,実績,,\nhub-1,2025,2025-06-01,1,実績,,\n"
    preview = sheet(signed_in(client, cast), first).context["preview"]
    assert preview["created"] == 2, "rows alike are as many"
    client.post(f"{PAGE}sheet/", {"checked": preview["token"]})
    longer = f"{first}hub-2,2025,2025-06-02,1,実績,,\n"
    preview = sheet(signed_in(client, cast, "staff2"), longer).context["preview"]
    assert (preview["created"], preview["duplicates"]) == (1, 2)


def test_sheet_when_it_holds_what_an_agency_sent_then_it_does_not_count_twice(client, cast, indicator, hubs):
    record(indicator, cast["staff1"], organization="hub-1", external_id="d1", value="12.5")
    rows = "hub-1,2025,2025-06-01,{},実績,d1,\n"
    preview = sheet(signed_in(client, cast), HEAD + rows.format("12.50")).context["preview"]
    assert (preview["created"], preview["duplicates"]) == (0, 1)
    answer = sheet(client, HEAD + rows.format("13"))
    assert answer.status_code == 422
    assert "2行目" in answer.context["sheet_form"].errors["file"][0]


def test_csv_when_taken_then_reads_back_as_nothing_new(client, cast, indicator, hubs):
    record(indicator, cast["staff1"], organization="hub-1", external_id="d1", value="12.5")
    signed_in(client, cast)
    content = b"".join(client.get(f"{PAGE}values.csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    preview = sheet(client, content).context["preview"]
    assert (preview["created"], preview["duplicates"]) == (0, 1)
    template = b"".join(client.get(f"{PAGE}values.csv?template=1").streaming_content)
    assert template.decode("utf-8-sig").strip() == HEAD.strip()
