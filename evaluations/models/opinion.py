"""Opinions beside a finding: the program director's (PD所見) and a reader's minority opinion (少数意見)."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from evaluations.models.case import Case
from evaluations.models.panel import PanelMember


class Opinion(models.Model):
    """A text of one person beside the finding, saved as it is written."""

    text = models.TextField(_("text"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    saved_at = models.DateTimeField(_("saved at"), null=True, blank=True)

    class Meta:
        abstract = True


class DirectorOpinion(Opinion):
    """What the program director of the project says, beside the panel's finding and never part of it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="director_opinions", verbose_name=_("case"))
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))

    class Meta:
        verbose_name = _("program director's opinion")
        verbose_name_plural = _("program directors' opinions")
        ordering = ["case_id", "id"]
        constraints = [models.UniqueConstraint(fields=["case", "author"], name="directoropinion_once")]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.text[:60]


class MinorityOpinion(Opinion):
    """What a reader holds against the panel's finding. The name is shown to the panel alone, and only if wanted."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="minority_opinions", verbose_name=_("case"))
    member = models.ForeignKey(PanelMember, on_delete=models.PROTECT, related_name="+", verbose_name=_("panel member"))
    is_named = models.BooleanField(_("named to the panel"), default=False)

    class Meta:
        verbose_name = _("minority opinion")
        verbose_name_plural = _("minority opinions")
        ordering = ["case_id", "id"]
        constraints = [models.UniqueConstraint(fields=["case", "member"], name="minorityopinion_once")]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.text[:60]
