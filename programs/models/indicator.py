"""Outcome indicators and printed capacities: targets with fuzzy dates, observations that are only ever added."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, Organization
from programs.models.program import Program


class OutcomeIndicator(BilingualName):
    """What is counted: an outcome (アウトカム) or a capacity that the source prints (1,000台, 500名)."""

    class Kind(models.TextChoices):
        OUTCOME = "outcome", _("outcome")
        CAPACITY = "capacity", _("capacity")

    class Direction(models.TextChoices):
        AT_LEAST = "at_least", _("at least")
        AT_MOST = "at_most", _("at most")
        ABOUT = "about", _("about")

    class Period(models.TextChoices):
        FISCAL_YEAR = "fiscal_year", _("per fiscal year")
        NONE = "none", _("at one time")

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="indicators", verbose_name=_("program"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.OUTCOME)
    unit = models.CharField(_("unit"), max_length=20)
    direction = models.CharField(_("direction"), max_length=12, choices=Direction.choices)
    period = models.CharField(_("period"), max_length=12, choices=Period.choices, default=Period.FISCAL_YEAR)
    source = models.CharField(_("source"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        ordering = ["program_id", "kind", "id"]
        constraints = [
            models.CheckConstraint(name="indicator_kind_known", condition=Q(kind__in=["outcome", "capacity"])),
            models.CheckConstraint(
                name="indicator_direction_known", condition=Q(direction__in=["at_least", "at_most", "about"])
            ),
        ]


class IndicatorTarget(models.Model):
    """A value to reach, with the term as printed: 初期(2022年頃)."""

    indicator = models.ForeignKey(
        OutcomeIndicator, on_delete=models.PROTECT, related_name="targets", verbose_name=_("indicator")
    )
    term_ja = models.CharField(_("term"), max_length=60, blank=True, default="")
    value = models.DecimalField(_("value"), max_digits=20, decimal_places=4)
    calendar_year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    is_approximate = models.BooleanField(_("about that year"), default=False)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering = ["indicator_id", "calendar_year"]
        constraints = [
            models.UniqueConstraint(fields=["indicator", "calendar_year"], name="target_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.value} {self.term_ja}"


class IndicatorYearTotal(models.Model):
    """The sum of an indicator's observations of one fiscal year, by institution (null: the whole).

    Kept by a trigger of the observations in the transaction that adds them, so that a page reads a few rows instead of
    a million. Nothing else writes it; `IndicatorObservation` remains the record.
    """

    indicator = models.ForeignKey(
        OutcomeIndicator, on_delete=models.PROTECT, related_name="year_totals", verbose_name=_("indicator")
    )
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("organization"),
    )  # fmt: skip
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    total = models.DecimalField(_("total"), max_digits=26, decimal_places=4)
    observation_count = models.BigIntegerField(_("number of observations"))

    class Meta:
        verbose_name = _("total of a year")
        verbose_name_plural = _("totals of years")
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "fiscal_year", "organization"], name="year_total_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.fiscal_year} {self.total}"


#: A correction takes the corrected row's value and count back where it stood and adds its own. Ordered, so that two
#: uploads at once touch the totals in one order.
_ADD_TO_TOTALS = """
    INSERT INTO programs_indicatoryeartotal (indicator_id, fiscal_year, organization_id, total, observation_count)
    SELECT indicator_id, fiscal_year, organization_id, sum(value), sum(counted) FROM (
        SELECT indicator_id, fiscal_year, organization_id, value, 1 AS counted FROM fresh
        UNION ALL
        SELECT wrong.indicator_id, wrong.fiscal_year, wrong.organization_id, -wrong.value, -1
        FROM fresh JOIN programs_indicatorobservation AS wrong ON wrong.id = fresh.corrects_id
    ) AS parts
    GROUP BY indicator_id, fiscal_year, organization_id
    ORDER BY indicator_id, fiscal_year, organization_id
    ON CONFLICT (indicator_id, fiscal_year, organization_id) DO UPDATE SET
        total = programs_indicatoryeartotal.total + EXCLUDED.total,
        observation_count = programs_indicatoryeartotal.observation_count + EXCLUDED.observation_count;
    RETURN NULL;
"""


class IndicatorObservation(models.Model):
    """A counted value of one period, by one institution or by the whole. A correction is a new row."""

    indicator = models.ForeignKey(
        OutcomeIndicator, on_delete=models.PROTECT, related_name="observations", verbose_name=_("indicator")
    )
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("organization"),
    )  # fmt: skip
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    observed_on = models.DateField(_("observed on"))
    value = models.DecimalField(_("value"), max_digits=20, decimal_places=4)
    source = models.CharField(_("source"), max_length=200)
    external_id = models.CharField(_("sender's id"), max_length=64)
    sender = models.CharField(_("sender"), max_length=64)
    corrects = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrected_by",
        verbose_name=_("corrects"),
    )  # fmt: skip
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        constraints = [models.UniqueConstraint(fields=["sender", "external_id"], name="observation_once")]
        indexes = [models.Index(fields=["indicator", "fiscal_year"], name="observation_year")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="add_to_totals",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="fresh"),
                func=_ADD_TO_TOTALS,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fiscal_year} {self.value}"
