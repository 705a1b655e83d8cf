"""Benchmarks (ベンチマーク): what a project or an area has measured against the world's best, each with its source."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName
from programs.models.area import ResearchArea
from programs.models.project import Project


class Benchmark(BilingualName):
    """A metric that is compared over time: of one project or of one area."""

    class Direction(models.TextChoices):
        HIGHER = "higher", _("higher is better")
        LOWER = "lower", _("lower is better")

    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.PROTECT, related_name="benchmarks", verbose_name=_("project")
    )
    area = models.ForeignKey(
        ResearchArea, null=True, blank=True, on_delete=models.PROTECT, related_name="benchmarks",
        verbose_name=_("research area"),
    )  # fmt: skip
    unit = models.CharField(_("unit"), max_length=40, blank=True, default="")
    direction = models.CharField(_("direction"), max_length=8, choices=Direction.choices)

    class Meta:
        verbose_name = _("benchmark")
        verbose_name_plural = _("benchmarks")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="benchmark_of_one",
                condition=Q(project__isnull=False, area__isnull=True) | Q(project__isnull=True, area__isnull=False),
            ),
            models.CheckConstraint(name="benchmark_direction_known", condition=Q(direction__in=["higher", "lower"])),
            models.UniqueConstraint(
                fields=["project", "area", "name_ja"], name="benchmark_name_once", nulls_distinct=False
            ),
        ]


class BenchmarkValue(models.Model):
    """A measured value of a day: the own one or the world's best. Only ever added; a correction is a new row."""

    class Holder(models.TextChoices):
        OWN = "own", _("own value")
        WORLD = "world", _("world's best")

    benchmark = models.ForeignKey(
        Benchmark, on_delete=models.PROTECT, related_name="values_on_record", verbose_name=_("benchmark")
    )
    holder = models.CharField(_("whose value"), max_length=8, choices=Holder.choices)
    holder_name = models.CharField(_("who reached it"), max_length=200, blank=True, default="")
    value = models.DecimalField(_("value"), max_digits=24, decimal_places=8)
    on = models.DateField(_("date"))
    source = models.CharField(_("source"), max_length=300)
    by_label = models.CharField(_("by"), max_length=200)
    recorded_at = models.DateTimeField(_("recorded at"))
    corrects = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrected_by",
        verbose_name=_("corrects"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("benchmark value")
        verbose_name_plural = _("benchmark values")
        ordering = ["benchmark_id", "on", "id"]
        constraints = [
            models.CheckConstraint(name="benchmark_holder_known", condition=Q(holder__in=["own", "world"])),
            models.CheckConstraint(name="benchmark_value_has_source", condition=~Q(source="")),
        ]
        indexes = [models.Index(fields=["benchmark", "on"], name="benchmark_value_day")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.holder} {self.on}"
