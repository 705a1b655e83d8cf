"""Money: budget lines as printed, and the edges along which money flows. Integer yen everywhere."""

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from programs.models.contract import Allocation, Contract
from programs.models.node import FundNode
from programs.models.plan import CostCategory
from programs.models.program import Program


class BudgetLine(models.Model):
    """A figure of a program's budget for one fiscal year, as printed. Children need not add up to their parent."""

    class Grant(models.TextChoices):
        """How much of the figure is a management grant (運営費交付金): shown, and never allocated here."""

        NONE = "none", _("no management grant")
        PART = "part", _("partly management grant")
        WHOLE = "whole", _("management grant")

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
    management_grant = models.CharField(_("management grant"), max_length=8, choices=Grant.choices, default=Grant.NONE)
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
            models.CheckConstraint(
                name="budget_line_grant_known", condition=Q(management_grant__in=["none", "part", "whole"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fiscal_year} {self.get_kind_display()}"


class FundEdge(models.Model):
    """Money that flows in one fiscal year from one node to another, by cost category where it is split so far.

    An edge counts while it is in force. It belongs to the allocation or the contract that made it, or to none where it
    was taken over from former papers.
    """

    class Kind(models.TextChoices):
        ALLOCATION = "allocation", _("allocation")
        CONTRACT = "contract", _("contract")
        SUBCONTRACT = "subcontract", _("subcontract")

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        IN_FORCE = "in_force", _("in force")
        REPLACED = "replaced", _("replaced")
        DROPPED = "dropped", _("dropped")

    source = models.ForeignKey(FundNode, on_delete=models.PROTECT, related_name="outgoing", verbose_name=_("from"))
    target = models.ForeignKey(FundNode, on_delete=models.PROTECT, related_name="incoming", verbose_name=_("to"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    category = models.ForeignKey(
        CostCategory, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("cost category"),
    )  # fmt: skip
    amount_yen = models.BigIntegerField(_("amount (yen)"))
    tax_included = models.BooleanField(_("tax included"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.IN_FORCE)
    #: Why more flows out of the source than into it; blank where it does not.
    reason = models.TextField(_("reason for going above the source"), blank=True, default="")
    allocation = models.ForeignKey(
        Allocation, null=True, blank=True, on_delete=models.PROTECT, related_name="edges", verbose_name=_("allocation")
    )
    contract = models.ForeignKey(
        Contract, null=True, blank=True, on_delete=models.PROTECT, related_name="edges", verbose_name=_("contract")
    )

    class Meta:
        verbose_name = _("flow of money")
        verbose_name_plural = _("flows of money")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "target", "kind", "fiscal_year", "category"],
                name="fund_edge_once",
                condition=Q(status="in_force", contract=None),
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["allocation", "contract", "target", "fiscal_year", "category"],
                name="fund_edge_once_a_paper",
                condition=Q(allocation__isnull=False) | Q(contract__isnull=False),
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="fund_edge_not_negative", condition=Q(amount_yen__gte=0)),
            models.CheckConstraint(name="fund_edge_two_nodes", condition=~Q(source=F("target"))),
            models.CheckConstraint(
                name="fund_edge_status_known",
                condition=Q(status__in=["proposed", "in_force", "replaced", "dropped"]),
            ),
            models.CheckConstraint(
                name="fund_edge_one_paper",
                condition=Q(kind="allocation", contract=None)
                | Q(kind__in=["contract", "subcontract"], allocation=None),
            ),
        ]
        indexes = [
            models.Index(fields=["target", "fiscal_year"], name="fund_edge_target"),
            models.Index(fields=["source", "fiscal_year"], name="fund_edge_source"),
        ]
        triggers = [
            # What was in force is history: it is replaced, never changed.
            pgtrigger.Protect(
                name="in_force_stands",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status__in=["in_force", "replaced"])
                & (
                    pgtrigger.Q(old__amount_yen__df=pgtrigger.F("new__amount_yen"))
                    | pgtrigger.Q(old__source__df=pgtrigger.F("new__source"))
                    | pgtrigger.Q(old__target__df=pgtrigger.F("new__target"))
                    | pgtrigger.Q(old__fiscal_year__df=pgtrigger.F("new__fiscal_year"))
                    | pgtrigger.Q(old__category__df=pgtrigger.F("new__category"))
                    | pgtrigger.Q(old__kind__df=pgtrigger.F("new__kind"))
                    | pgtrigger.Q(new__status__in=["proposed", "dropped"])
                ),
            ),
            pgtrigger.Trigger(
                name="within_its_source",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__status="in_force"),
                declare=[("excess", "record")],
                # Papers that meet at a node are checked one after the other: each sees what the one before left. A
                # reason counts for the edge that carries it, never for another; a management grant knows none. What comes
                # back to a program leaves nothing there worse than it was.
                func="""
                    PERFORM 1 FROM programs_fundnode WHERE id IN (NEW.source_id, NEW.target_id)
                        ORDER BY id FOR NO KEY UPDATE;
                    SELECT * INTO excess FROM (
                        SELECT * FROM fund_excess(NEW.source_id, NEW.fiscal_year, NEW.kind)
                        UNION ALL
                        SELECT * FROM fund_excess(NEW.target_id, NEW.fiscal_year, 'allocation')
                            WHERE (SELECT kind FROM programs_fundnode WHERE id = NEW.target_id) <> 'program'
                        UNION ALL
                        SELECT * FROM fund_excess(NEW.target_id, NEW.fiscal_year, 'contract')
                        UNION ALL
                        SELECT * FROM fund_excess(NEW.target_id, NEW.fiscal_year, 'subcontract')
                        UNION ALL
                        SELECT * FROM fund_excess(NEW.source_id, NEW.fiscal_year, 'part') AS part
                            WHERE NEW.kind = 'allocation' OR part.node_id = NEW.target_id
                    ) AS found WHERE NEW.reason = '' OR found.flows_in IS NULL
                    LIMIT 1;
                    IF FOUND THEN
                        RAISE EXCEPTION 'fund node %, fiscal year %: % yen flow out, % in, and no reason is given',
                            excess.node_id, NEW.fiscal_year, excess.flows_out, excess.flows_in
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'fund_edge_within_source';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fiscal_year} {self.amount_yen}"


class FundingRule(models.Model):
    """What a program's scheme lays down about money, from a fiscal year on; holds for everything below the program too.

    Rates are configuration, since schemes differ. What is empty is not limited.
    """

    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="funding_rules", verbose_name=_("program")
    )
    from_fiscal_year = models.PositiveSmallIntegerField(
        _("from fiscal year"), validators=[MinValueValidator(1990), MaxValueValidator(2100)]
    )
    indirect_cost_percent = models.DecimalField(
        _("indirect costs (percent of the direct costs)"), max_digits=5, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    moving_limit_percent = models.DecimalField(
        _("moving between categories without approval (percent of the direct costs)"), max_digits=5, decimal_places=2,
        null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    source = models.CharField(_("source"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("funding rule")
        verbose_name_plural = _("funding rules")
        ordering = ["program_id", "-from_fiscal_year"]
        constraints = [
            models.UniqueConstraint(fields=["program", "from_fiscal_year"], name="funding_rule_once"),
            models.CheckConstraint(
                name="funding_rule_percent",
                condition=(Q(indirect_cost_percent__isnull=True) | Q(indirect_cost_percent__range=(0, 100)))
                & (Q(moving_limit_percent__isnull=True) | Q(moving_limit_percent__range=(0, 100))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program} {self.from_fiscal_year}"
