"""From an open report to an accepted one. Each act: refuse, change, carry on, record, tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.actors import SYSTEM, Actor
from common.audit import record
from common.background import run_later
from common.canonical import content_hash
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, count_characters
from programs.actions.deliverables import await_deliverable, mark_delivered
from programs.models import Deliverable, Project
from reporting import notices
from reporting.contents import report_content
from reporting.models import ProgressReport, ReportComment, ReportSchedule, ReportSection, ReportVersion
from reporting.models.schedule import ReportKind
from reporting.queries import active_schedules, partners_of, projects_on_schedule
from reporting.rules import actions_allowed, limit_of, report_blockers, section_editable, too_long
from reporting.schedules import DuePeriod, DueRule, due_periods
from reporting.states import REPORT_MOVES

TEAM_SECTIONS = (
    ReportSection.Key.SUMMARY,
    ReportSection.Key.PROGRESS,
    ReportSection.Key.TRL,
    ReportSection.Key.ISSUES,
    ReportSection.Key.NEXT_PLAN,
)
#: The reports that a plan asks for as evidence. The others are accepted without a deliverable.
DELIVERED_AS: dict[str, str] = {ReportKind.ANNUAL: Deliverable.Kind.ANNUAL_REPORT}


# Opening --------------------------------------------------------------------------------------------------------------


def open_due_reports(*, at: datetime) -> list[ProgressReport]:
    """This function will open every report whose day has come and return the new ones; a second run makes none."""
    opened = []
    for schedule in active_schedules():
        rule = _rule(schedule)
        existing = set(
            ProgressReport.objects.filter(kind=schedule.kind, project__in=projects_on_schedule(schedule)).values_list(
                "project_id", "fiscal_year"
            )
        )
        for project in projects_on_schedule(schedule).select_related("program", "area"):
            for period in due_periods(rule, localdate(at), last_fiscal_year=project.end_fiscal_year):
                starts = project.start_fiscal_year
                if (project.pk, period.fiscal_year) in existing or (starts and period.fiscal_year < starts):
                    continue
                opened.append(open_report(project, kind=schedule.kind, period=period, by=SYSTEM, at=at))
    return opened


def _rule(schedule: ReportSchedule) -> DueRule:
    return DueRule(
        schedule.opens_month,
        schedule.opens_day,
        schedule.due_month,
        schedule.due_day,
        schedule.years_after,
        schedule.shift,
        schedule.first_fiscal_year,
    )


@transaction.atomic
def open_report(project: Project, *, kind: str, period: DuePeriod, by: Actor, at: datetime) -> ProgressReport:
    """This function will open one report with its sections and await its deliverable; an open one is returned as is."""
    project = locked(Project, project.pk)
    found = ProgressReport.objects.filter(project=project, kind=kind, fiscal_year=period.fiscal_year).first()
    if found is not None:
        return found
    report = ProgressReport.objects.create(
        project=project,
        kind=kind,
        fiscal_year=period.fiscal_year,
        opened_at=at,
        due_on=period.due_on,
        is_sample=project.is_sample,
    )
    sections = [ReportSection(report=report, key=key, position=n) for n, key in enumerate(TEAM_SECTIONS, 1)]
    for n, partner in enumerate(partners_of(project), len(sections) + 1):
        key = ReportSection.Key.PARTNER
        sections.append(ReportSection(report=report, key=key, organization=partner.organization, position=n))
    ReportSection.objects.bulk_create(sections)
    if report.kind in DELIVERED_AS:
        _await(report, by=by, at=at)
    record("open_report", report, by=by, at=at, after={"project": project.ref, "due_on": period.due_on.isoformat()})
    notices.report_opened(report, at=at)
    return report


def _await(report: ProgressReport, *, by: Actor, at: datetime) -> Deliverable:
    return await_deliverable(
        report.project,
        kind=DELIVERED_AS[report.kind],
        fiscal_year=report.fiscal_year,
        due_on=report.due_on,
        by=by,
        at=at,
    )


# Writing --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_section(section: ReportSection, *, text: str, version: int, by: User, at: datetime) -> ReportSection:
    """This function will save a section's text if nobody saved since `version`, and return it with the new version.

    Raises `StaleEdit` with both texts, `Refused` for a text beyond its limit, `NotAllowed`.
    """
    report = locked(ProgressReport, section.report_id)
    row = locked(ReportSection, section.pk)
    row.report = report
    if not section_editable(by, row):
        raise NotAllowed(_("You cannot write this section in the report's present state. Open the page again."))
    text = clean(text)
    if version != row.version:
        if text == row.text:
            return row
        raise StaleEdit(
            _("Somebody else saved this section in the meantime. Both texts are shown; put them together and save."),
            current=row,
            submitted=text,
            field=f"section-{row.pk}",
        )
    used = count_characters(text)
    if used > limit_of(row):
        raise Refused(too_long(row, used), "too_long", f"section-{row.pk}")
    if text == row.text and row.version:
        return row
    row.text, row.version, row.saved_by, row.saved_at = text, row.version + 1, by, at
    row.save(update_fields=["text", "version", "saved_by", "saved_at"])
    record("save_section", report, by=by, at=at, after=_told(row, used))
    return row


def _told(section: ReportSection, characters: int) -> dict[str, Any]:
    # How long, not what: the journal tells who wrote when, the versions hold the text.
    told: dict[str, Any] = {"section": section.key, "version": section.version, "characters": characters}
    if section.organization_id and section.organization:
        told["organization"] = section.organization.ref
    return told


# Handing in, checking, accepting --------------------------------------------------------------------------------------


@transaction.atomic
def submit_report(report: ProgressReport, *, by: User, at: datetime) -> ReportVersion:
    """This function will freeze the report as the next version and hand it to the PO.

    Raises `NotReady` with everything that is missing, `NotAllowed`, `IllegalMove`.
    """
    report = _locked_for(report, "report.submit", by, _("Only the principal investigator submits the report."))
    if blockers := report_blockers(report):
        raise NotReady(_("The report is not complete yet."), blockers)
    report.submitted_by, report.submitted_at = by, at
    report.checked_by = report.checked_at = None
    before = move(report, "submit", REPORT_MOVES, also=("submitted_by", "submitted_at", "checked_by", "checked_at"))
    content = report_content(report, by=by, at=at)
    version = ReportVersion.objects.create(
        report=report,
        number=report.versions.count() + 1,
        content=content,
        content_hash=content_hash(content),
        frozen_at=at,
        frozen_by=by,
    )
    after = {"state": report.state, "version": version.number, "hash": version.content_hash}
    record("submit_report", report, by=by, at=at, before={"state": before}, after=after)
    notices.report_submitted(report, number=version.number, at=at)
    run_later("reporting.render_report", version_id=version.pk)
    return version


@transaction.atomic
def check_report(report: ProgressReport, *, by: User, at: datetime) -> ProgressReport:
    """This function will record the PO's check; from now on the PD reads the report."""
    report = _locked_for(report, "report.check", by, _("Only the area's program officer checks a submitted report."))
    report.checked_by, report.checked_at = by, at
    before = move(report, "check", REPORT_MOVES, also=("checked_by", "checked_at"))
    record("check_report", report, by=by, at=at, before={"state": before}, after={"state": report.state})
    notices.report_checked(report, number=report.versions.count(), at=at)
    return report


@transaction.atomic
def return_report(
    report: ProgressReport, *, comments: Mapping[int, str], by: User, at: datetime, general: str = ""
) -> ProgressReport:
    """This function will hand a report back to the team with comments per section (by the section's key) or in general.

    Raises `Refused` when there is no comment at all: the team has to know what to change.
    """
    report = _locked_for(report, "report.return", by, _("Only who checks or accepts the report can return it."))
    said = {key: clean(text).strip() for key, text in comments.items() if text.strip()}
    general = clean(general).strip()
    if not said and not general:
        raise Refused(_("Write at least one comment that says what the team should change."), "no_comment", "general")
    sections = {section.pk: section for section in report.sections.all()}
    if unknown := set(said) - set(sections):
        raise Refused(_("This section is not part of the report. Open the page again."), "unknown", str(min(unknown)))
    for key, text in said.items():
        ReportComment.objects.create(report=report, section=sections[key], text=text, by=by, at=at)
    if general:
        ReportComment.objects.create(report=report, text=general, by=by, at=at)
    before = move(report, "return", REPORT_MOVES)
    after = {"state": report.state, "comments": len(said) + bool(general)}
    record("return_report", report, by=by, at=at, before={"state": before}, after=after)
    notices.report_returned(report, number=report.versions.count(), at=at)
    return report


@transaction.atomic
def accept_report(report: ProgressReport, *, by: User, at: datetime) -> ProgressReport:
    """This function will accept the report for good and mark its deliverable as delivered.

    The accepting director is never the person who submitted; the database checks it too.
    """
    report = _locked_for(report, "report.accept", by, _("Only the area's program director accepts a checked report."))
    report.accepted_by, report.accepted_at = by, at
    before = move(report, "accept", REPORT_MOVES, also=("accepted_by", "accepted_at"))
    version = report.versions.order_by("-number").first()
    assert version is not None, "a report is checked only after a version was frozen"
    if report.kind in DELIVERED_AS:
        mark_delivered(
            _await(report, by=by, at=at),
            source_ref=report.ref,
            content_hash=version.content_hash,
            file=version.pdf,
            by=by,
            at=at,
        )
    record("accept_report", report, by=by, at=at, before={"state": before}, after={"state": report.state})
    notices.report_accepted(report, number=version.number, at=at)
    run_later("reporting.render_report", version_id=version.pk)
    return report


def _locked_for(report: ProgressReport, permission: str, by: User, why: str) -> ProgressReport:
    """The report under lock, project first, if this person may do this now; else the reason as a refusal."""
    locked(Project, report.project_id)
    row = locked(ProgressReport, report.pk)
    if permission not in actions_allowed(by, row):
        step = permission.removeprefix("report.")
        if row.state not in REPORT_MOVES[step].sources:
            # The state says more than the role: let the move explain itself.
            move(row, step, REPORT_MOVES)
        raise NotAllowed(why)
    return row
