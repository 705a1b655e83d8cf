"""The vision-driven scheme: Vision (研究開発ビジョン) > SupportedTechnology; Concept (研究開発構想) > ConceptItem.

Which technology a concept serves and which vision lists it is not sourced: links stay empty.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, Organization, SampleMark
from common.search import GinIndex, folded_column, grams_column
from programs.models import Program


class Vision(BilingualName, SampleMark):
    """A research and development vision. The month of the decision is kept as printed (YYYY-MM)."""

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="visions", verbose_name=_("program"))
    decided_month = models.CharField(_("decided in (YYYY-MM)"), max_length=7)
    technology_count = models.PositiveSmallIntegerField(_("number of technologies"), null=True, blank=True)
    domains_ja = ArrayField(models.CharField(max_length=60), verbose_name=_("domains"), default=list, blank=True)
    sources = ArrayField(models.CharField(max_length=300), verbose_name=_("sources"), default=list, blank=True)

    class Meta:
        verbose_name = _("vision")
        verbose_name_plural = _("visions")
        ordering = ["decided_month"]
        constraints = [
            models.CheckConstraint(name="vision_month", condition=Q(decided_month__regex=r"^[0-9]{4}-[0-9]{2}$"))
        ]


class SupportedTechnology(BilingualName, SampleMark):
    """A technology that the scheme supports (支援対象とする技術)."""

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="technologies", verbose_name=_("program")
    )
    vision = models.ForeignKey(
        Vision, null=True, blank=True, on_delete=models.PROTECT, related_name="technologies",
        verbose_name=_("vision"),
    )  # fmt: skip
    domain_ja = models.CharField(_("domain"), max_length=60, blank=True, default="")
    sources = ArrayField(models.CharField(max_length=300), verbose_name=_("sources"), default=list, blank=True)

    class Meta:
        verbose_name = _("supported technology")
        verbose_name_plural = _("supported technologies")
        ordering = ["ref"]


class Concept(BilingualName, SampleMark):
    """A research and development concept, run by one agency, with a ceiling and a period."""

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="concepts", verbose_name=_("program"))
    agency = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("agency"))
    technologies = models.ManyToManyField(
        SupportedTechnology, blank=True, related_name="concepts", verbose_name=_("technologies")
    )
    type_ja = models.CharField(_("type"), max_length=60, blank=True, default="")
    ceiling_yen = models.BigIntegerField(_("ceiling (yen)"), null=True, blank=True)
    ceiling_scope = models.CharField(_("what the ceiling is for"), max_length=60, blank=True, default="")
    period_from = models.CharField(_("from (YYYY or YYYY-MM)"), max_length=7, blank=True, default="")
    period_to = models.CharField(_("until (YYYY or YYYY-MM)"), max_length=7, blank=True, default="")
    period_years = models.PositiveSmallIntegerField(_("years"), null=True, blank=True)
    period_is_approximate = models.BooleanField(_("approximate period"), default=False)
    sources = ArrayField(models.CharField(max_length=300), verbose_name=_("sources"), default=list, blank=True)
    search_text = folded_column("name_ja", "name_en", "ref")
    search_grams = grams_column("name_ja", "name_en", "ref")

    class Meta:
        verbose_name = _("concept")
        verbose_name_plural = _("concepts")
        ordering = ["ref"]
        indexes = [GinIndex(fields=["search_grams"], name="concept_grams")]
        constraints = [
            models.CheckConstraint(
                name="concept_ceiling_not_negative", condition=Q(ceiling_yen__isnull=True) | Q(ceiling_yen__gte=0)
            )
        ]


class ConceptItem(models.Model):
    """An item of a concept, or several with one ceiling, with its own period."""

    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, related_name="items", verbose_name=_("concept"))
    numbers = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("item numbers"))
    ceiling_yen = models.BigIntegerField(_("ceiling (yen)"), null=True, blank=True)
    period_from = models.CharField(_("from (YYYY or YYYY-MM)"), max_length=7, blank=True, default="")
    period_to = models.CharField(_("until (YYYY or YYYY-MM)"), max_length=7, blank=True, default="")

    class Meta:
        verbose_name = _("concept item")
        verbose_name_plural = _("concept items")
        ordering = ["concept_id", "numbers"]
        constraints = [models.UniqueConstraint(fields=["concept", "numbers"], name="concept_item_once")]

    def __str__(self) -> str:
        return f"{self.numbers}"
