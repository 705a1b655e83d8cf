"""Programs (事業): a tree of package > program > component, each with its kind."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, Organization, SampleMark, Tenure
from common.sample import no_sample_on_real, same_sample_mark
from common.search import GinIndex, folded_column, grams_column


class Program(BilingualName, SampleMark):
    """A node of the tree. `path` holds the refs from the root, so that a subtree is one prefix in SQL."""

    class Kind(models.TextChoices):
        PACKAGE = "package", _("package")
        UMBRELLA = "umbrella", _("umbrella program")
        INFRASTRUCTURE = "infrastructure", _("shared infrastructure")
        DATA_HUB = "data_hub", _("data core hub")
        DATA_ECOSYSTEM = "data_ecosystem", _("research data ecosystem")
        RD_CENTRES = "rd_centres", _("R&D centres")
        RESEARCH_CENTRE = "research_centre", _("research centre")
        STRATEGIC_BASIC = "strategic_basic", _("strategic basic research")
        FLAGSHIP_BASIC = "flagship_basic", _("Flagship and basic research")
        VISION_DRIVEN = "vision_driven", _("vision-driven program")

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children", verbose_name=_("part of")
    )
    path = models.CharField(_("path"), max_length=300, unique=True, editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    kind = models.CharField(_("kind"), max_length=24, choices=Kind.choices)
    start_fiscal_year = models.PositiveSmallIntegerField(_("first fiscal year"), null=True, blank=True)
    end_fiscal_year = models.PositiveSmallIntegerField(_("last fiscal year"), null=True, blank=True)
    max_duration_years = models.PositiveSmallIntegerField(_("longest duration (years)"), null=True, blank=True)
    area_scale_min_yen = models.BigIntegerField(_("smallest annual scale of an area (yen)"), null=True, blank=True)
    area_scale_max_yen = models.BigIntegerField(_("largest annual scale of an area (yen)"), null=True, blank=True)
    attributes = models.JSONField(
        _("printed facts"), default=dict, blank=True, help_text=_("Facts printed in the source, shown as they are.")
    )
    source = models.CharField(_("source"), max_length=300, blank=True, default="")
    search_text = folded_column("name_ja", "name_en", "ref")
    search_grams = grams_column("name_ja", "name_en", "ref")

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        ordering = ["path"]
        indexes = [
            GinIndex(fields=["search_grams"], name="program_grams"),
            models.Index(fields=["path"], name="program_path", opclasses=["varchar_pattern_ops"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="program_kind_known",
                condition=Q(
                    kind__in=[
                        "package", "umbrella", "infrastructure", "data_hub", "data_ecosystem", "rd_centres",
                        "research_centre", "strategic_basic", "flagship_basic", "vision_driven",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="program_years_in_order",
                condition=Q(start_fiscal_year__isnull=True)
                | Q(end_fiscal_year__isnull=True)
                | Q(end_fiscal_year__gte=models.F("start_fiscal_year")),
            ),
        ]  # fmt: skip
        triggers = [same_sample_mark("parent_id", "programs_program")]


class ProgramStaff(Tenure):
    """Who works for a program and everything below it: officers, and directors where there are no areas."""

    class Role(models.TextChoices):
        MINISTRY_STAFF = "ministry_staff", _("ministry staff")
        PROGRAM_DIRECTOR = "program_director", _("program director")
        PROGRAM_OFFICER = "program_officer", _("program officer")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="staff", verbose_name=_("program"))
    role = models.CharField(_("role"), max_length=24, choices=Role.choices)

    class Meta(Tenure.Meta):
        verbose_name = _("program staff")
        verbose_name_plural = _("program staff")
        constraints = [
            *Tenure.Meta.constraints,
            models.CheckConstraint(
                name="programstaff_role_known",
                condition=Q(role__in=["ministry_staff", "program_director", "program_officer"]),
            ),
        ]


class ProgramAgency(models.Model):
    """A funding agency (資金配分機関) that runs the program or a part of it."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="agencies", verbose_name=_("program"))
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("funding agency")
    )
    source = models.CharField(_("source"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("funding agency of a program")
        verbose_name_plural = _("funding agencies of programs")
        constraints = [models.UniqueConstraint(fields=["program", "organization"], name="program_agency_once")]
        triggers = [no_sample_on_real("program_id", "programs_program", "organization_id", "accounts_organization")]

    def __str__(self) -> str:
        return f"{self.program} {self.organization}"


class PolicyBasis(models.Model):
    """A decision that a program rests on. The date is kept as printed: a day or only a month."""

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="policy_basis", verbose_name=_("program")
    )
    document_ja = models.CharField(_("document"), max_length=200)
    decided_by_ja = models.CharField(_("decided by"), max_length=200, blank=True, default="")
    decided_on = models.CharField(_("decided on (YYYY-MM or YYYY-MM-DD)"), max_length=10)
    quotation_ja = models.TextField(_("quotation"), blank=True, default="")

    class Meta:
        verbose_name = _("policy basis")
        verbose_name_plural = _("policy bases")
        ordering = ["decided_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "document_ja", "decided_on"], name="policy_basis_once"),
            models.CheckConstraint(
                name="policy_basis_date", condition=Q(decided_on__regex=r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$")
            ),
        ]

    def __str__(self) -> str:
        return self.document_ja


class UnpricedItem(models.Model):
    """Something the source names within the program's money without a figure of its own."""

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="unpriced_items", verbose_name=_("program")
    )
    name_ja = models.CharField(_("item"), max_length=200)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("item without a figure")
        verbose_name_plural = _("items without a figure")
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["program", "name_ja"], name="unpriced_item_once")]

    def __str__(self) -> str:
        return self.name_ja


class Emphasis(models.Model):
    """A point of a fiscal year's budget (予算案のポイント), as printed."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="emphases", verbose_name=_("program"))
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    text_ja = models.CharField(_("text"), max_length=300)

    class Meta:
        verbose_name = _("point of a year's budget")
        verbose_name_plural = _("points of a year's budget")
        ordering = ["fiscal_year", "position"]
        constraints = [models.UniqueConstraint(fields=["program", "fiscal_year", "text_ja"], name="emphasis_once")]

    def __str__(self) -> str:
        return self.text_ja
