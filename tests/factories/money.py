"""Plans in force with money by year, for tests that need figures and not the way to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import timezone

from programs.models import FundEdge, FundNode, Milestone, PlanVersion, PlanYear, Project


def plan_in_force(project: Project, totals: Mapping[int, int], *, by: Any, second: Any) -> PlanVersion:
    """This function will put a plan in force that states these totals by fiscal year."""
    now, day = timezone.now(), date(2026, 4, 1)
    version = PlanVersion.objects.create(
        project=project, number=1, starts_on=day, ends_on=date(2031, 3, 31), opened_by=by, opened_at=now,
        is_sample=project.is_sample,
    )  # fmt: skip
    for year, yen in totals.items():
        PlanYear.objects.create(version=version, key=str(year), fiscal_year=year, total_yen=yen)
    for state in ("submitted", "checked", "confirmed"):
        PlanVersion.objects.filter(pk=version.pk).update(state=state)
    PlanVersion.objects.filter(pk=version.pk).update(
        state="in_approval", approval_drafted_by=by, approval_drafted_at=now, decision_number="試験第1号"
    )
    PlanVersion.objects.filter(pk=version.pk).update(
        state="approved", approved_by=second, approved_at=now, decided_on=day, effective_on=day, content_hash="0" * 64
    )
    version.refresh_from_db()
    return version


def plan_level(project: Project, on: date, level: int) -> Milestone:
    """This function will plan a level of the TRL scale for a day."""
    number = 90 + Milestone.objects.filter(project=project, number__gte=90).count()
    return Milestone.objects.create(project=project, number=number, title="試験", planned_on=on, trl_level=level)


def contracted(project: Project, year: int, yen: int) -> FundEdge:
    """This function will record money that a contract has bound already."""
    source, _made = FundNode.objects.get_or_create(kind="project", project=project)
    lead = project.participations.get(role="lead", ends_on__isnull=True).organization
    target, _made = FundNode.objects.get_or_create(kind="organization", project=project, organization=lead)
    return FundEdge.objects.create(
        source=source, target=target, kind="contract", fiscal_year=year, amount_yen=yen, reason="試験"
    )
