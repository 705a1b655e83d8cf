"""Collaborations of a project (産学官連携・国際連携・橋渡し): users, industry, abroad, start-ups, bridging."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.refs import ref_default
from programs.models.project import Project


class Collaboration(models.Model):
    """Who works with the project, on what, from when, with which own contribution, agreement and export-control check."""

    class Kind(models.TextChoices):
        USER = "user", _("users")
        INDUSTRY = "industry", _("industry")
        ABROAD = "abroad", _("abroad")
        STARTUP = "startup", _("start-up")
        BRIDGING = "bridging", _("bridging to companies")

    class Sector(models.TextChoices):
        ACADEMIA = "academia", _("academia")
        COMPANY = "company", _("company")
        GOVERNMENT = "government", _("government")
        OTHER = "other", _("other")

    class Agreement(models.TextChoices):
        NONE = "none", _("none")
        NEGOTIATING = "negotiating", _("being negotiated")
        SIGNED = "signed", _("signed")

    class ExportControl(models.TextChoices):
        OPEN = "open", _("not checked yet")
        NOT_NEEDED = "not_needed", _("no permission needed")
        CLEARED = "cleared", _("checked and cleared")
        REFUSED = "refused", _("not to be provided")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("COL"), editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="collaborations", verbose_name=_("project")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    partner = models.CharField(_("partner"), max_length=200)
    sector = models.CharField(_("sector"), max_length=12, choices=Sector.choices)
    country = models.CharField(_("country"), max_length=2, default="JP")
    subject = models.TextField(_("what is done together"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    contribution_yen = models.BigIntegerField(_("own contribution of the partner (yen)"), null=True, blank=True)
    contribution = models.CharField(_("own contribution in words"), max_length=300, blank=True, default="")
    agreement = models.CharField(_("agreement"), max_length=12, choices=Agreement.choices, default=Agreement.NONE)
    agreed_on = models.DateField(_("signed on"), null=True, blank=True)
    export_control = models.CharField(
        _("export-control check"), max_length=12, choices=ExportControl.choices, default=ExportControl.OPEN
    )
    export_checked_on = models.DateField(_("checked on"), null=True, blank=True)
    export_checked_by = models.CharField(_("checked by"), max_length=200, blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("entered by"))
    entered_at = models.DateTimeField(_("entered at"))

    class Meta:
        verbose_name = _("collaboration")
        verbose_name_plural = _("collaborations")
        ordering = ["project_id", "-starts_on", "id"]
        constraints = [
            models.CheckConstraint(
                name="collaboration_kind_known",
                condition=Q(kind__in=["user", "industry", "abroad", "startup", "bridging"]),
            ),
            models.CheckConstraint(
                name="collaboration_dates_in_order", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="collaboration_contribution",
                condition=Q(contribution_yen__isnull=True) | Q(contribution_yen__gte=0),
            ),
            models.CheckConstraint(
                name="collaboration_signed_has_a_day",
                condition=~Q(agreement="signed") | Q(agreed_on__isnull=False),
            ),
            models.CheckConstraint(
                name="collaboration_check_has_a_name",
                condition=Q(export_control="open") | (Q(export_checked_on__isnull=False) & ~Q(export_checked_by="")),
            ),
        ]
        indexes = [models.Index(fields=["project", "kind"], name="collaboration_project")]

    def __str__(self) -> str:
        return self.partner
