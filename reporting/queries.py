"""Every read of this app leaves here, already restricted to what the reader may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, CharField, Prefetch, Q, QuerySet, Value, When

from accounts.models import User
from accounts.queries import grants_of
from common.models import OutgoingMail
from programs.models import (
    Participation,
    Program,
    Project,
)
from programs.overviews import projects_listed
from programs.queries import lead_institutions
from programs.rules import (
    not_recused,
    projects_led_by,
    projects_of_headquarters,
    projects_of_member,
    projects_supported_by,
)
from reporting.models import (
    ProgressReport,
    ReminderRule,
    ReportComment,
    ReportSchedule,
    ReportSection,
    ReportVersion,
)
from reporting.rules import reminders_wanted, reports_visible
from reporting.states import ACCEPTED, CHECKED, DRAFTING, RETURNED, SUBMITTED


def reports_visible_to(user: object) -> QuerySet[ProgressReport]:
    """This function will return the reports whose existence and state the reader may see, soonest due first."""
    return (
        ProgressReport.objects.filter(reports_visible(user))
        .prefetch_related(Prefetch("project", queryset=_projects_with_leads()))
        .order_by("due_on", "ref")
    )


def reports_listed(user: object, query: str = "") -> QuerySet[ProgressReport]:
    """This function will return the visible reports for a list page; `query` matches project or report reference."""
    rows = reports_visible_to(user)
    if query:
        rows = rows.filter(Q(ref__iexact=query) | Q(project__in=projects_listed(user, query)))
    return rows


def _projects_with_leads() -> QuerySet[Project]:
    return Project.objects.select_related("program", "area").prefetch_related(lead_institutions())


def reports_in_full(user: object) -> QuerySet[ProgressReport]:
    """This function will return the visible reports with everything one report's page shows."""
    return (
        ProgressReport.objects.filter(reports_visible(user))
        .select_related("submitted_by__person", "checked_by__person", "accepted_by__person")
        .prefetch_related(Prefetch("project", queryset=_projects_with_leads()))
    )


def sections_of(report: ProgressReport) -> list[ReportSection]:
    """This function will return the report's sections in order with owner, last writer and comments."""
    comments = ReportComment.objects.select_related("by__person").order_by("-at", "-id")
    return list(
        report.sections.select_related("organization", "saved_by__person", "report")
        .prefetch_related(Prefetch("comments", queryset=comments))
        .order_by("position")
    )


def versions_of(report: ProgressReport) -> list[ReportVersion]:
    """This function will return the frozen versions, newest first, without their content."""
    return list(report.versions.select_related("frozen_by__person", "pdf").defer("content").order_by("-number"))


def version_of(report: ProgressReport, number: int) -> ReportVersion | None:
    """This function will return one frozen version with its content."""
    return report.versions.select_related("pdf", "report__project").filter(number=number).first()


def reports_of_project(user: object, project: Project) -> list[ProgressReport]:
    """This function will return a project's reports as far as the reader may see them, newest year first."""
    return list(ProgressReport.objects.filter(reports_visible(user), project=project).order_by("-fiscal_year", "kind"))


def reports_of_projects(user: object, projects: Iterable[Project]) -> QuerySet[ProgressReport]:
    """This function will return the reports of these projects as far as the reader may see them, soonest due first."""
    rows = ProgressReport.objects.filter(reports_visible(user), project__in=list(projects))
    return rows.order_by("due_on", "ref")


def reports_in_hand(user: object, projects: QuerySet[Project]) -> list[ProgressReport]:
    """This function will return the reports of these projects that are not accepted yet and that the reader may see."""
    rows = ProgressReport.objects.filter(reports_visible(user), project__in=projects).exclude(state=ACCEPTED)
    return list(rows.prefetch_related(Prefetch("project", queryset=_projects_with_leads())).order_by("due_on", "ref"))


def reports_awaiting(user: object) -> QuerySet[ProgressReport]:
    """This function will return the reports for which this person is the one who acts next, soonest due first.

    `awaits` tells what: write, check or accept.
    """
    grants = grants_of(user)
    if grants.person_id is None:
        return ProgressReport.objects.none()
    me = grants.person_id

    def of(condition: Q) -> Q:
        return Q(project__in=Project.objects.filter(condition & not_recused(me)))

    write = Q(state__in=(DRAFTING, RETURNED)) & of(projects_of_member(me) | projects_of_headquarters(me))
    # Nobody checks or accepts what he or she submitted.
    others = ~Q(submitted_by__person=me)
    check = Q(state=SUBMITTED) & others & of(projects_supported_by(user))
    accept = Q(state=CHECKED) & others & of(projects_led_by(user))
    return (
        ProgressReport.objects.filter(write | check | accept)
        .annotate(
            awaits=Case(
                When(state=SUBMITTED, then=Value("check")),
                When(state=CHECKED, then=Value("accept")),
                default=Value("write"),
                output_field=CharField(),
            )
        )
        .prefetch_related(Prefetch("project", queryset=_projects_with_leads()))
        .order_by("due_on", "ref")
    )


# What is due ----------------------------------------------------------------------------------------------------------


def active_schedules() -> QuerySet[ReportSchedule]:
    """This function will return the schedules in use."""
    return ReportSchedule.objects.filter(is_active=True).select_related("program").order_by("id")


def projects_on_schedule(schedule: ReportSchedule) -> QuerySet[Project]:
    """This function will return the running projects of the schedule's program and below, of its kind."""
    projects = Project.objects.filter(
        program__in=Program.objects.filter(path__startswith=schedule.program.path), state=Project.State.RUNNING
    )
    return projects.filter(kind=schedule.project_kind) if schedule.project_kind else projects


def partners_of(project: Project) -> list[Participation]:
    """This function will return the partner institutions that write a part of their own."""
    return list(
        project.participations.filter(role=Participation.Role.PARTNER, ends_on__isnull=True)
        .select_related("organization")
        .order_by("organization__ref")
    )


def reports_under_way() -> QuerySet[ProgressReport]:
    """This function will return the reports that are not accepted yet, with what a reminder needs."""
    return ProgressReport.objects.exclude(state=ACCEPTED).select_related("project__program").order_by("id")


def active_reminder_rules() -> list[ReminderRule]:
    """This function will return the reminder rules in use."""
    return list(ReminderRule.objects.filter(is_active=True).select_related("program").order_by("id"))


# Who is told ----------------------------------------------------------------------------------------------------------


def mails_of(user: User) -> QuerySet[OutgoingMail]:
    """This function will return the mails sent or waiting for this person, newest first."""
    return OutgoingMail.objects.filter(recipient_id=user.pk).order_by("-queued_at", "-id")


def held_mails(before: Any) -> QuerySet[OutgoingMail]:
    """This function will return the mails that wait for a digest, by recipient."""
    return OutgoingMail.objects.filter(state=OutgoingMail.State.HELD, queued_at__lte=before).order_by(
        "recipient_id", "id"
    )


def still_owed(refs: Iterable[str]) -> set[str]:
    """This function will return which of these reports are not accepted yet."""
    rows = ProgressReport.objects.filter(ref__in=list(refs)).exclude(state=ACCEPTED)
    return set(rows.values_list("ref", flat=True))


def refs_still_told(user: User, refs: Iterable[str], *, reminder: bool) -> set[str]:
    """This function will return about which of these reports a waiting mail may still reach this person.

    A reminder also needs that the report still waits for the person; any mail needs that the person sees the report.
    """
    condition = reminders_wanted(user) if reminder else reports_visible(user)
    return set(ProgressReport.objects.filter(condition, ref__in=list(refs)).values_list("ref", flat=True))


def general_comments_of(report: ProgressReport) -> list[ReportComment]:
    """This function will return the comments on the whole report, newest first."""
    return list(report.comments.filter(section__isnull=True).select_related("by__person").order_by("-at", "-id"))
