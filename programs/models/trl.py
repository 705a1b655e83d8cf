"""Technology readiness: scales as data, and levels claimed by the project or assessed by the director."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import BilingualName
from programs.models.project import Project


class TrlScale(BilingualName):
    """A scale; wording differs by agency."""

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    source = models.CharField(_("source"), max_length=300, blank=True, default="")
    is_default = models.BooleanField(_("default scale"), default=False)

    class Meta:
        verbose_name = _("TRL scale")
        verbose_name_plural = _("TRL scales")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], name="one_default_scale", condition=Q(is_default=True))
        ]


class TrlLevel(BilingualName):
    """A level of a scale, 1 to 9."""

    scale = models.ForeignKey(TrlScale, on_delete=models.PROTECT, related_name="levels", verbose_name=_("TRL scale"))
    number = models.PositiveSmallIntegerField(_("level"))
    is_provisional_translation = models.BooleanField(_("provisional translation"), default=False)

    class Meta:
        verbose_name = _("TRL level")
        verbose_name_plural = _("TRL levels")
        ordering = ["scale_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["scale", "number"], name="trl_level_once"),
            models.CheckConstraint(name="trl_level_range", condition=Q(number__range=(1, 9))),
        ]


class TrlAssessment(models.Model):
    """A level at a date: planned, claimed by the project, or assessed by the PD. Separate values, only ever added."""

    class Kind(models.TextChoices):
        PLANNED = "planned", pgettext_lazy("TRL", "planned")
        CLAIMED = "claimed", _("claimed by the project")
        ASSESSED = "assessed", _("assessed by the PD")

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="trl_assessments", verbose_name=_("project")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    level = models.ForeignKey(TrlLevel, on_delete=models.PROTECT, related_name="+", verbose_name=_("TRL level"))
    on = models.DateField(_("date"))
    evidence = models.TextField(_("evidence"), blank=True, default="")
    by_label = models.CharField(_("by"), max_length=200)

    class Meta:
        verbose_name = _("TRL assessment")
        verbose_name_plural = _("TRL assessments")
        ordering = ["project_id", "on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "on"], name="trl_once_a_day"),
            models.CheckConstraint(
                name="trl_assessment_kind_known", condition=Q(kind__in=["planned", "claimed", "assessed"])
            ),
            models.CheckConstraint(name="trl_claim_has_evidence", condition=Q(kind="planned") | ~Q(evidence="")),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.kind} {self.on}"
