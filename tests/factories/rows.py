"""At least three rows of every table that the admin shows, with different owners, so that a list can be counted."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from accounts.models import Affiliation, Organization
from calls.models import Concept, ConceptItem, Vision
from common.models import OutgoingMail, StoredFile
from evaluations.models import ConflictOfInterest, ConflictRule
from programs import models as tables
from programs.models import Program
from reporting.models import ProgressReport, ReminderRule, ReportSchedule, ReportVersion

DAY = date(2026, 4, 1)
FLAGSHIPS = ("sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1")


def fill_tables(cast: dict[str, Any], twin: dict[str, Any]) -> None:
    """This function will add three rows to each table that has fewer, all belonging to the sample twin."""
    people = [cast[name].person for name in ("applicant1", "evaluator2", "evaluator3")]
    projects = [twin[ref] for ref in FLAGSHIPS]
    term = {"granted_by": cast["staff1"], "approved_by": cast["staff2"], "starts_on": DAY}
    program = projects[0].program
    _of_programs(people, program, term)
    _of_projects(projects, people, term)
    _of_reports(cast, projects)
    k_program = Program.objects.get(ref="k-program")
    Vision.objects.create(ref="vision-x", name_ja="試験", program=k_program, decided_month="2026-04")
    ConceptItem.objects.create(concept=Concept.objects.order_by("ref").first(), numbers=[99])
    for organization in Organization.objects.filter(is_sample=True).order_by("ref")[:3]:
        tables.Participation.objects.create(program=program, organization=organization, role="spoke", starts_on=DAY)
    for person in people:
        Affiliation.objects.create(person=person, organization=_sample_organization(), **term)


def _sample_organization() -> Organization:
    organization = Organization.objects.filter(is_sample=True).order_by("ref").first()
    assert organization is not None
    return organization


def _of_programs(people: list[Any], program: Program, term: dict[str, Any]) -> None:
    areas = list(program.areas.order_by("number")[:3])
    for number, (area, person) in enumerate(zip(areas, people, strict=True)):
        tables.AreaAdviser.objects.create(area=area, person=person, capacity="adviser", **term)
        tables.Deputy.objects.create(director=area.directors.first(), person=person, ends_on=date(2026, 4, 30), **term)
        tables.StageGate.objects.create(ref=f"gate-x{number}", program=program, name_ja=f"評価{number}", held_on=DAY)
        tables.TrlScale.objects.create(ref=f"scale-x{number}", name_ja=f"尺度{number}")
        tables.FundingRule.objects.create(program=program, from_fiscal_year=2030 + number, indirect_cost_percent=30)
        ConflictRule.objects.create(program=program, from_fiscal_year=2030 + number, coauthorship_years=5)
    for kind in ("interim", "year_end", "final"):
        ReportSchedule.objects.create(
            program=program, kind=kind, opens_month=4, opens_day=1, due_month=5, due_day=31, first_fiscal_year=2025
        )
    for number, parent in enumerate(Program.objects.filter(is_sample=False).order_by("ref")[:3]):
        ReminderRule.objects.create(program=parent, event="report_due", audience="team", offsets=[-number])
    indicator = tables.OutcomeIndicator.objects.filter(program=program).first()
    tables.IndicatorObservation.objects.bulk_create(
        tables.IndicatorObservation(
            indicator=indicator, organization=_sample_organization(), fiscal_year=2025, observed_on=DAY, value=number,
            source="test", sender="test", external_id=str(number), recorded_at=timezone.now(),
        )
        for number in range(3)
    )  # fmt: skip


def _of_projects(projects: list[Any], people: list[Any], term: dict[str, Any]) -> None:
    for number, (project, person) in enumerate(zip(projects, people, strict=True)):
        tables.AwardNumber.objects.create(project=project, number=f"JPMXS01180000{number:02}")
        headquarters, _made = tables.Headquarters.objects.get_or_create(project=project)
        tables.HQMember.objects.create(headquarters=headquarters, person=person, **term)
        tables.Deliverable.objects.create(project=project, kind="annual_report", fiscal_year=2024, due_on=DAY)


def _of_reports(cast: dict[str, Any], projects: list[Any]) -> None:
    now = timezone.now()
    for number, project in enumerate(projects):
        ConflictOfInterest.objects.create(
            person=cast["evaluator4"].person, project=project, kind="other", found="declared", evidence="根拠の文(見本)",
            starts_on=DAY, declared_by=cast["evaluator4"], declared_at=now,
        )  # fmt: skip
        report = ProgressReport.objects.create(
            project=project, kind="annual", fiscal_year=2024, opened_at=now, due_on=DAY, is_sample=True,
            submitted_by=cast["pi1"], submitted_at=now, state="submitted",
        )  # fmt: skip
        pdf = StoredFile.objects.create(
            sha256=f"{number:064}", size=1, name=f"{report.ref}.pdf", content_type="application/pdf", is_sample=True,
            created_at=now,
        )  # fmt: skip
        ReportVersion.objects.create(
            report=report, number=1, content={}, content_hash=f"{number:064}", frozen_at=now, frozen_by=cast["pi1"],
            pdf=pdf,
        )  # fmt: skip
        OutgoingMail.objects.create(
            key=f"test-{number}", template="report_due", recipient_email="pi1@sample.example",
            recipient_id=cast["pi1"].pk, subject="見本", body="見本", subject_ref=report.ref, queued_at=now,
            send_after=now, message_id=f"<{number}@test>",
        )  # fmt: skip
