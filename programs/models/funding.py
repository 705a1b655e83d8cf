"""Money: budget lines as printed, and the edges along which money flows. Integer yen everywhere."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from programs.models.area import ResearchArea
from programs.models.program import Program
from programs.models.project import Project


class BudgetLine(models.Model):
    """A figure of a program's budget for one fiscal year, as printed. Children need not add up to their parent."""

    class Kind(models.TextChoices):
        INITIAL_PROPOSAL = "initial_proposal", _("initial budget (proposal)")
        INITIAL = "initial", _("initial budget")
        SUPPLEMENTARY = "supplementary", _("supplementary budget")
        CARRY_OVER = "carry_over", _("carried over")

    class PrintedUnit(models.TextChoices):
        OKU = "oku", _("100 million yen")
        MILLION = "million", _("million yen")

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="budget_lines", verbose_name=_("program")
    )
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    amount_yen = models.BigIntegerField(_("amount (yen)"))
    is_estimate = models.BooleanField(_("estimate"), default=False)
    includes_predecessor = models.BooleanField(_("includes the predecessor"), default=False)
    is_new = models.BooleanField(_("new"), default=False)
    is_reduction = models.BooleanField(_("reduction"), default=False)
    tax_included = models.BooleanField(_("tax included"), null=True, blank=True)
    printed_unit = models.CharField(_("printed unit"), max_length=8, choices=PrintedUnit.choices)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    source = models.CharField(_("source"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("budget line")
        verbose_name_plural = _("budget lines")
        ordering = ["program_id", "-fiscal_year", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["program", "fiscal_year", "kind"], name="budget_line_once"),
            models.CheckConstraint(
                name="budget_line_negative_is_reduction", condition=Q(amount_yen__gte=0) | Q(is_reduction=True)
            ),
            models.CheckConstraint(
                name="budget_line_kind_known",
                condition=Q(kind__in=["initial_proposal", "initial", "supplementary", "carry_over"]),
            ),
            models.CheckConstraint(name="budget_line_unit_known", condition=Q(printed_unit__in=["oku", "million"])),
        ]

    def __str__(self) -> str:
        return f"{self.fiscal_year} {self.get_kind_display()}"


class FundNode(models.Model):
    """A place where money is: a program's year, an area, a project or an institution in a project."""

    class Kind(models.TextChoices):
        PROGRAM = "program", _("program")
        AREA = "area", _("research area")
        PROJECT = "project", _("project")
        ORGANIZATION = "organization", _("organization")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    program = models.ForeignKey(Program, null=True, blank=True, on_delete=models.PROTECT, related_name="fund_nodes")
    area = models.ForeignKey(ResearchArea, null=True, blank=True, on_delete=models.PROTECT, related_name="fund_nodes")
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.PROTECT, related_name="fund_nodes")
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="fund_nodes"
    )

    class Meta:
        verbose_name = _("fund node")
        verbose_name_plural = _("fund nodes")
        constraints = [
            models.CheckConstraint(
                name="fund_node_fits_kind",
                condition=Q(kind="program", program__isnull=False, area=None, project=None, organization=None)
                | Q(kind="area", area__isnull=False, program=None, project=None, organization=None)
                | Q(kind="project", project__isnull=False, program=None, area=None, organization=None)
                | Q(kind="organization", project__isnull=False, organization__isnull=False, program=None, area=None),
            ),
            models.UniqueConstraint(
                fields=["kind", "program", "area", "project", "organization"],
                name="fund_node_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class FundEdge(models.Model):
    """Money that flows in one fiscal year from one node to another: an allocation or a contract."""

    class Kind(models.TextChoices):
        ALLOCATION = "allocation", _("allocation")
        CONTRACT = "contract", _("contract")

    source = models.ForeignKey(FundNode, on_delete=models.PROTECT, related_name="outgoing", verbose_name=_("from"))
    target = models.ForeignKey(FundNode, on_delete=models.PROTECT, related_name="incoming", verbose_name=_("to"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    amount_yen = models.BigIntegerField(_("amount (yen)"))
    tax_included = models.BooleanField(_("tax included"), null=True, blank=True)

    class Meta:
        verbose_name = _("flow of money")
        verbose_name_plural = _("flows of money")
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "kind", "fiscal_year"], name="fund_edge_once"),
            models.CheckConstraint(name="fund_edge_not_negative", condition=Q(amount_yen__gte=0)),
            models.CheckConstraint(name="fund_edge_two_nodes", condition=~Q(source=F("target"))),
        ]
        indexes = [models.Index(fields=["target", "fiscal_year"], name="fund_edge_target")]

    def __str__(self) -> str:
        return f"{self.fiscal_year} {self.amount_yen}"
