"""The two papers that make money flow: the allocation of a year's money (配分) and the contract (契約)."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, SampleMark, User
from common.refs import ref_default
from common.sample import no_sample_on_real, same_sample_mark
from common.states import fsm_trigger
from programs.models.node import FundNode
from programs.models.project import Project
from programs.states import ALLOCATION_MOVES, ALLOCATION_OPEN, CONTRACT_MOVES, CONTRACT_OPEN


def _who(verbose_name: object, *, is_known: bool = False) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(
        User, null=not is_known, blank=not is_known, on_delete=models.PROTECT, related_name="+",
        verbose_name=verbose_name,  # type: ignore[arg-type]
    )  # fmt: skip


class Paper(SampleMark):
    """What both have: somebody drafts and proposes it, somebody else makes it count, a later one takes its place."""

    note = models.TextField(_("note"), blank=True, default="")
    #: Why more is given than the source has.
    reason = models.TextField(_("reason for going above the source"), blank=True, default="")
    #: Grows with every save while it is written.
    revision = models.PositiveIntegerField(_("revision"), default=0)
    returned_note = models.TextField(_("why it came back"), blank=True, default="")
    opened_by = _who(_("opened by"), is_known=True)
    opened_at = models.DateTimeField(_("opened at"))
    proposed_by = _who(_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed at"), null=True, blank=True)
    approved_by = _who(_("approved by"))
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    decided_on = models.DateField(_("date of the decision"), null=True, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                name="%(class)s_second_person",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
            ),
        ]


class Allocation(Paper):
    """A year's money of one node, split over what is below it: a program's areas, an area's projects, ..."""

    class State(models.TextChoices):
        DRAFTING = "drafting", _("being written")
        RETURNED = "returned", _("returned")
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        REPLACED = "replaced", _("replaced by a newer one")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("ALC"), editable=False)
    source = models.ForeignKey(
        FundNode, on_delete=models.PROTECT, related_name="allocations", verbose_name=_("money of")
    )
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    number = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFTING)
    decision_number = models.CharField(_("number of the decision"), max_length=60, blank=True, default="")

    class Meta(Paper.Meta):
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        ordering = ["-fiscal_year", "source_id", "-number"]
        constraints: ClassVar = [
            *Paper.Meta.constraints,
            models.UniqueConstraint(fields=["source", "fiscal_year", "number"], name="allocation_version_once"),
            models.UniqueConstraint(
                fields=["source", "fiscal_year"], name="one_open_allocation",
                condition=Q(state__in=sorted(ALLOCATION_OPEN)),
            ),
            models.UniqueConstraint(
                fields=["source", "fiscal_year"], name="one_allocation_in_force", condition=Q(state="approved")
            ),
            models.CheckConstraint(
                name="allocation_state_known",
                condition=Q(state__in=sorted([*ALLOCATION_OPEN, "approved", "replaced", "refused", "withdrawn"])),
            ),
            models.CheckConstraint(
                name="allocation_approved_whole",
                condition=~Q(state__in=["approved", "replaced"])
                | Q(
                    proposed_by__isnull=False, approved_by__isnull=False, approved_at__isnull=False,
                    decided_on__isnull=False,
                )
                & ~Q(decision_number=""),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["state", "proposed_at"], name="allocation_state")]
        triggers = [fsm_trigger("allocation_moves", ALLOCATION_MOVES)]

    def __str__(self) -> str:
        return self.ref


class Contract(Paper):
    """A contract with an institution of a project; `prime` makes it a subcontract (再委託) under another one."""

    class State(models.TextChoices):
        DRAFTING = "drafting", _("being written")
        RETURNED = "returned", _("returned")
        PROPOSED = "proposed", _("up for conclusion")
        CONCLUDED = "concluded", _("concluded")
        REPLACED = "replaced", _("replaced by a newer one")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Instrument(models.TextChoices):
        COMMISSION = "commission", _("commission")
        SUBSIDY = "subsidy", _("subsidy")
        FUND = "fund", _("fund money")

    class Term(models.TextChoices):
        SINGLE_YEAR = "single_year", _("single year")
        SEVERAL_YEARS = "several_years", _("several years")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("CTR"), editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="contracts", verbose_name=_("project"))
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="contracts", verbose_name=_("institution")
    )
    prime = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="subcontracts",
        verbose_name=_("subcontract under"),
    )
    replaces = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        verbose_name=_("changes the contract"),
    )
    party = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("contracting agency"),
    )
    instrument = models.CharField(_("instrument"), max_length=12, choices=Instrument.choices)
    term = models.CharField(_("term"), max_length=16, choices=Term.choices)
    number = models.CharField(_("contract number"), max_length=60, blank=True, default="")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))
    tax_included = models.BooleanField(_("tax included"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFTING)

    class Meta(Paper.Meta):
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        ordering = ["project_id", "organization_id", "-starts_on", "-id"]
        constraints: ClassVar = [
            *Paper.Meta.constraints,
            models.CheckConstraint(name="contract_period_in_order", condition=Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(
                name="contract_state_known",
                condition=Q(state__in=sorted([*CONTRACT_OPEN, "concluded", "replaced", "withdrawn"])),
            ),
            models.CheckConstraint(
                name="contract_instrument_known", condition=Q(instrument__in=["commission", "subsidy", "fund"])
            ),
            models.CheckConstraint(
                name="contract_concluded_whole",
                condition=~Q(state__in=["concluded", "replaced"])
                | Q(
                    proposed_by__isnull=False,
                    approved_by__isnull=False,
                    approved_at__isnull=False,
                    decided_on__isnull=False,
                )
                & ~Q(number=""),
            ),
        ]
        triggers = [
            fsm_trigger("contract_moves", CONTRACT_MOVES),
            same_sample_mark("project_id", "programs_project"),
            no_sample_on_real("project_id", "programs_project", "organization_id", "accounts_organization"),
            pgtrigger.Protect(
                name="concluded_stands",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["concluded", "replaced"])
                & (
                    pgtrigger.Q(old__number__df=pgtrigger.F("new__number"))
                    | pgtrigger.Q(old__starts_on__df=pgtrigger.F("new__starts_on"))
                    | pgtrigger.Q(old__ends_on__df=pgtrigger.F("new__ends_on"))
                    | pgtrigger.Q(old__organization__df=pgtrigger.F("new__organization"))
                    | pgtrigger.Q(old__project__df=pgtrigger.F("new__project"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.ref
