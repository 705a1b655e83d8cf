"""The totals of a year are the sum of the observations that no correction replaces, whoever wrote them."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Count, Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from programs.models import IndicatorObservation, IndicatorYearTotal, OutcomeIndicator, Program

VALUES = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from([2024, 2025]), st.booleans(), st.booleans()), max_size=12
)


def _in_force(indicator: OutcomeIndicator) -> set[tuple[int, int | None, Decimal, int]]:
    rows = IndicatorObservation.objects.filter(indicator=indicator, corrected_by__isnull=True)
    grouped = rows.values_list("fiscal_year", "organization_id").annotate(total=Sum("value"), number=Count("pk"))
    return set(grouped)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_totals_when_observations_and_corrections_arrive_then_equal_their_sum(
    cast: object, rows: list[tuple[int, int, bool, bool]]
) -> None:
    program = Program.objects.get(ref="q-leap-sample")
    number = OutcomeIndicator.objects.count()
    indicator = OutcomeIndicator.objects.create(
        program=program, ref=f"totals-{number}", name_ja="合計の試験", unit="件", direction="at_least"
    )
    organization = Organization.objects.filter(is_sample=True).first()
    made: list[IndicatorObservation] = []
    for position, (value, year, is_part, is_correction) in enumerate(rows):
        corrected = made.pop() if is_correction and made else None
        made.append(
            IndicatorObservation.objects.create(
                indicator=indicator,
                organization=organization if is_part else None,
                fiscal_year=year,
                observed_on=date(year, 6, 1),
                value=value,
                source="試験",
                sender=f"test-{number}",
                external_id=str(position),
                corrects=corrected,
                recorded_at=timezone.now(),
            )
        )
    totals = IndicatorYearTotal.objects.filter(indicator=indicator, observation_count__gt=0)
    assert set(totals.values_list("fiscal_year", "organization_id", "total", "observation_count")) == _in_force(
        indicator
    )
