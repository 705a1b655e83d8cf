"""Progress reports: sections with a version of their own, comments per section, frozen versions."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, SampleMark, User
from common.models import StoredFile
from common.refs import ref_default
from common.sample import same_sample_mark
from common.states import fsm_trigger
from programs.models import Project
from reporting.models.schedule import ReportKind
from reporting.states import REPORT_MOVES


class ProgressReport(SampleMark):
    """One project's report on one fiscal year."""

    class State(models.TextChoices):
        DRAFTING = "drafting", _("being written")
        SUBMITTED = "submitted", _("submitted")
        CHECKED = "checked", _("checked by the PO")
        RETURNED = "returned", _("returned")
        ACCEPTED = "accepted", _("accepted")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("RPT"), editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="reports", verbose_name=_("project"))
    kind = models.CharField(_("kind of report"), max_length=12, choices=ReportKind.choices)
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFTING)
    opened_at = models.DateTimeField(_("opened at"))
    due_on = models.DateField(_("due on"))
    submitted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("submitted by")
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    checked_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("checked by")
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True)
    accepted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("accepted by")
    )
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("progress report")
        verbose_name_plural = _("progress reports")
        ordering = ["due_on", "ref"]
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "fiscal_year"], name="report_once"),
            models.CheckConstraint(
                name="report_state_known",
                condition=Q(state__in=["drafting", "submitted", "checked", "returned", "accepted"]),
            ),
            models.CheckConstraint(
                name="report_submitted_pair",
                condition=Q(submitted_by__isnull=True, submitted_at__isnull=True)
                | Q(submitted_by__isnull=False, submitted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="report_accepted_pair",
                condition=Q(accepted_by__isnull=True, accepted_at__isnull=True)
                | Q(accepted_by__isnull=False, accepted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="report_accepted_by_another",
                condition=Q(accepted_by__isnull=True) | ~Q(accepted_by=F("submitted_by")),
            ),
            models.CheckConstraint(
                name="report_accepted_whole", condition=~Q(state="accepted") | Q(accepted_by__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_on", "id"], name="report_state_due"),
            models.Index(fields=["due_on", "id"], name="report_due"),
        ]
        triggers = [fsm_trigger("report_moves", REPORT_MOVES), same_sample_mark("project_id", "programs_project")]

    def __str__(self) -> str:
        return self.ref


class ReportSection(models.Model):
    """A part of a report, owned by the team or by one partner institution. `version` grows with every save."""

    class Key(models.TextChoices):
        SUMMARY = "summary", _("summary")
        PROGRESS = "progress", _("progress and results")
        TRL = "trl", _("technology readiness")
        ISSUES = "issues", _("issues and measures")
        NEXT_PLAN = "next_plan", _("plan for the next year")
        PARTNER = "partner", _("partner institution's part")

    report = models.ForeignKey(
        ProgressReport, on_delete=models.PROTECT, related_name="sections", verbose_name=_("report")
    )
    key = models.CharField(_("section"), max_length=12, choices=Key.choices)
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("organization"),
    )  # fmt: skip
    position = models.PositiveSmallIntegerField(_("position"))
    text = models.TextField(_("text"), blank=True, default="")
    version = models.PositiveIntegerField(_("version"), default=0)
    saved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("saved by")
    )
    saved_at = models.DateTimeField(_("saved at"), null=True, blank=True)

    class Meta:
        verbose_name = _("report section")
        verbose_name_plural = _("report sections")
        ordering = ["report_id", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "key", "organization"], name="report_section_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="report_section_partner",
                condition=Q(key="partner", organization__isnull=False)
                | (~Q(key="partner") & Q(organization__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.get_key_display()


class ReportComment(models.Model):
    """What the PO or PD says about a section when returning a report. Never changed."""

    report = models.ForeignKey(
        ProgressReport, on_delete=models.PROTECT, related_name="comments", verbose_name=_("report")
    )
    section = models.ForeignKey(
        ReportSection, null=True, blank=True, on_delete=models.PROTECT, related_name="comments",
        verbose_name=_("section"),
    )  # fmt: skip
    text = models.TextField(_("comment"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["at", "id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.text[:60]


class ReportVersion(models.Model):
    """A report as it was submitted: canonical JSON with its hash. Only the PDF may be attached later, once."""

    report = models.ForeignKey(
        ProgressReport, on_delete=models.PROTECT, related_name="versions", verbose_name=_("report")
    )
    number = models.PositiveSmallIntegerField(_("version"))
    content = models.JSONField(_("content"))
    content_hash = models.CharField(_("content hash"), max_length=64)
    frozen_at = models.DateTimeField(_("frozen at"))
    frozen_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("frozen by"))
    pdf = models.ForeignKey(
        StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("PDF")
    )

    class Meta:
        verbose_name = _("report version")
        verbose_name_plural = _("report versions")
        ordering = ["report_id", "-number"]
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="report_version_once")]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="frozen", fields=["report", "number", "content", "content_hash", "frozen_at", "frozen_by"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report} v{self.number}"
