"""The machine's door keeps two tables: which client belongs to which agency, and how much each may still ask."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import Application

from accounts.models import Organization


class ApiClient(models.Model):
    """An OAuth 2 client of one funding agency, with the scopes it may ask for."""

    application = models.OneToOneField(
        Application, on_delete=models.PROTECT, related_name="api_client", verbose_name=_("OAuth application")
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("funding agency")
    )
    scopes = ArrayField(models.CharField(max_length=40), verbose_name=_("scopes"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        constraints = [models.CheckConstraint(name="api_client_has_scopes", condition=~Q(scopes=[]))]

    def __str__(self) -> str:
        return f"{self.organization} ({self.application.client_id[:8]})"


class Allowance(models.Model):
    """What a client has used of its rate: the instant at which all its requests so far would be paid off."""

    bucket = models.CharField(_("bucket"), max_length=120, primary_key=True)
    paid_off_at = models.DateTimeField(_("paid off at"))

    class Meta:
        verbose_name = _("allowance")
        verbose_name_plural = _("allowances")

    def __str__(self) -> str:
        return self.bucket
