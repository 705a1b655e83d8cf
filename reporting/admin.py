"""Schedules and reminder rules are changed here; reports, mails and files are shown."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.admin import ViewAdmin, VisibleFilter, site
from common.models import OutgoingMail, StoredFile
from programs.admin import KeptWithin
from programs.models import Deliverable, Project
from programs.rules import projects_visible
from reporting.models import ProgressReport, ReminderRule, ReportComment, ReportSchedule, ReportSection, ReportVersion
from reporting.rules import reports_visible


class ScheduleAdmin(KeptWithin):
    """Which report a program asks for, and when."""

    list_display = (
        "program", "kind", "project_kind", "opens_month", "opens_day", "due_month", "due_day", "shift",
        "first_fiscal_year", "is_active",
    )  # fmt: skip
    list_select_related = ("program",)
    list_filter = (("program", VisibleFilter), "kind", "is_active")
    fields = (
        "program", "kind", "project_kind", "opens_month", "opens_day", "due_month", "due_day", "years_after", "shift",
        "first_fiscal_year", "is_active",
    )  # fmt: skip
    fixed = ("program", "kind", "project_kind")
    ordering = ("program__path", "kind", "id")


class RuleAdmin(KeptWithin):
    """Who is reminded, and how many days before or after."""

    list_display = ("program", "event", "audience", "offsets", "shift", "is_active")
    list_select_related = ("program",)
    list_filter = (("program", VisibleFilter), "audience", "is_active")
    fields = ("program", "event", "audience", "offsets", "shift", "is_active")
    fixed = ("program", "event", "audience")
    ordering = ("program__path", "event", "audience")


class ReportAdmin(ViewAdmin):
    """Where each report stands. Its text is read in the portal, by those who may."""

    list_display = (
        "ref",
        "project",
        "kind",
        "fiscal_year",
        "state",
        "due_on",
        "submitted_at",
        "accepted_at",
        "is_sample",
    )
    list_select_related = ("project",)
    list_filter = ("state", "kind", "is_sample")
    fields = (
        "ref", "project", "kind", "fiscal_year", "state", "opened_at", "due_on", "submitted_by", "submitted_at",
        "checked_by", "checked_at", "accepted_by", "accepted_at", "is_sample",
    )  # fmt: skip
    ordering = ("-due_on", "-id")
    sortable_by = ("due_on",)
    search_fields = ("=ref", "=project__ref")
    search_help_text = _("The whole reference of a report or a project.")

    def visible(self, user: Any) -> QuerySet[ProgressReport]:
        """This function will return the reports this reader may know of."""
        return ProgressReport.objects.filter(reports_visible(user))


def _reports(user: Any) -> QuerySet[ProgressReport]:
    return ProgressReport.objects.filter(reports_visible(user))


class VersionAdmin(ViewAdmin):
    """Frozen versions with their hashes, without their text."""

    list_display = ("report", "number", "frozen_at", "frozen_by", "content_hash", "pdf")
    list_display_links = ("number",)
    list_select_related = ("report", "frozen_by__person", "pdf")
    fields = ("report", "number", "frozen_at", "frozen_by", "content_hash", "pdf")
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("=report__ref", "=content_hash")
    search_help_text = _("The whole reference of a report, or a whole content hash.")

    def visible(self, user: Any) -> QuerySet[ReportVersion]:
        """This function will return the versions of reports this reader may know of; the text is not even read."""
        return ReportVersion.objects.filter(report__in=_reports(user)).defer("content")


class MailAdmin(ViewAdmin):
    """The mail log: what went to whom and when. Texts stay closed, since sign-in mails open an account."""

    list_display = ("queued_at", "recipient_email", "subject", "subject_ref", "state", "sent_at", "attempts")
    list_display_links = ("queued_at",)
    list_filter = ("state",)
    fields = (
        "queued_at", "recipient_email", "subject", "subject_ref", "event", "template", "language", "state",
        "send_after", "sent_at", "attempts", "last_error", "message_id", "digest_of",
    )  # fmt: skip
    ordering = ("-queued_at", "-id")
    sortable_by = ()
    search_fields = ("recipient_email",)
    search_help_text = _("A whole mail address, or the whole reference of a report.")

    def visible(self, user: Any) -> QuerySet[OutgoingMail]:
        """This function will return the mails about nothing in particular, and those about visible reports."""
        return OutgoingMail.objects.filter(Q(subject_ref="") | Q(subject_ref__in=_reports(user).values("ref")))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutgoingMail], search_term: str
    ) -> tuple[QuerySet[OutgoingMail], bool]:
        """This function will find the user first, since an index leads from a user to the mails."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if "@" not in term:
            return queryset.filter(subject_ref=term.upper()), False
        user_id = User.objects.filter(email=term.lower()).order_by().values_list("pk", flat=True).first()
        return queryset.filter(recipient_id=user_id) if user_id else queryset.filter(recipient_email=term), False


class FileAdmin(ViewAdmin):
    """Stored files by name and hash; they are handed out by the page they belong to."""

    list_display = ("name", "content_type", "size", "sha256", "created_at", "is_sample")
    list_filter = ("is_sample",)
    fields = ("name", "content_type", "size", "sha256", "created_at", "is_sample")
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("=sha256",)
    search_help_text = _("A whole hash.")

    def visible(self, user: Any) -> QuerySet[StoredFile]:
        """This function will return the files of visible reports and projects."""
        versions = ReportVersion.objects.filter(report__in=_reports(user), pdf__isnull=False)
        projects = Project.objects.filter(projects_visible(user))
        delivered = Deliverable.objects.filter(project__in=projects, file__isnull=False)
        return StoredFile.objects.filter(Q(pk__in=versions.values("pdf_id")) | Q(pk__in=delivered.values("file_id")))


site.register(ReportSchedule, ScheduleAdmin)
site.register(ReminderRule, RuleAdmin)
site.register(ProgressReport, ReportAdmin)
site.register(ReportVersion, VersionAdmin)
site.register(OutgoingMail, MailAdmin)
site.register(StoredFile, FileAdmin)
for _table in (ReportSection, ReportComment):
    site.subjects[_table._meta.label_lower] = lambda user, t=_table: t.objects.filter(report__in=_reports(user))  # type: ignore[misc]
