"""The JSON that the database writes is the JSON that the plain serializer would write."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.utils import timezone

from accounts.models import Organization
from api.v1.areas import AreaOut
from api.v1.budget_lines import BudgetLineOut
from api.v1.indicators import IndicatorOut
from api.v1.observations import ObservationOut
from api.v1.programs import ProgramOut
from api.v1.projects import ProjectOut
from api.v1.reports import ReportInFullOut, ReportOut
from programs.models import (
    AwardNumber,
    BudgetLine,
    IndicatorObservation,
    OutcomeIndicator,
    PolicyBasis,
    Program,
    Project,
    ResearchArea,
    UnpricedItem,
)
from reporting.models import ProgressReport
from tests.api.reports import accepted_report

NOUNS = [
    (ProgramOut, Program),
    (AreaOut, ResearchArea),
    (ProjectOut, Project),
    (BudgetLineOut, BudgetLine),
    (IndicatorOut, OutcomeIndicator),
    (ObservationOut, IndicatorObservation),
    (ReportOut, ProgressReport),
    (ReportInFullOut, ProgressReport),
]


@pytest.fixture
def everything_filled(twin: dict[str, Project], twin_program: Program) -> None:
    """Rows that the twin does not have: every kind of field is there once with and once without a value."""
    PolicyBasis.objects.create(program=twin_program, document_ja='計画「"\\引用\\"」', decided_on="2021-06")
    UnpricedItem.objects.create(program=twin_program, name_ja="環境整備 <費用なし>\n\t", position=2)
    UnpricedItem.objects.create(program=twin_program, name_ja="先のもの", position=1)
    flagship = twin["sample-ql1-f1"]
    accepted_report(flagship)
    first = IndicatorObservation.objects.filter(indicator__program=twin_program).first()
    IndicatorObservation.objects.create(
        indicator=first.indicator, fiscal_year=2021, observed_on=date(2021, 4, 1), value=Decimal("-0.0500"), source="訂正",
        external_id="c", sender="s", corrects=first, recorded_at=timezone.now(),
        organization=Organization.objects.filter(is_sample=True).first(),
    )  # fmt: skip
    for number in ("JPMXS0118067394", "JPMJCR1675"):
        AwardNumber.objects.create(project=flagship, number=number)
    Organization.objects.filter(participations__project=flagship).update(name_en="Sample Institute 𠮷")


@pytest.mark.usefixtures("everything_filled")
@pytest.mark.parametrize(("output", "model"), NOUNS, ids=lambda value: value.__name__)
def test_json_when_written_in_sql_then_equals_the_serializers(output: Any, model: Any, db: None) -> None:
    rows = list(model._base_manager.order_by("pk"))
    written = list(model._base_manager.order_by("pk").values_list(output.json_text(), flat=True))
    assert rows
    assert [orjson.loads(text) for text in written] == [orjson.loads(orjson.dumps(output(row).data)) for row in rows]
