"""Cases: one subject before one panel. Panels, conflicts, assignments and sheets know only cases."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import SampleMark
from common.refs import ref_default
from common.sample import same_sample_mark
from common.states import fsm_trigger
from evaluations.models.gate_review import GateReview
from evaluations.models.panel import Expertise, Panel
from evaluations.states import CASE_MOVES


class Case(SampleMark):
    """One review of a gate review (審査案件). A redo or a re-examination is a new case; the old one stays, frozen."""

    class State(models.TextChoices):
        PREPARING = "preparing", _("in preparation")
        OPEN = "open", _("under review")
        CONCLUDED = "concluded", _("concluded")
        INVALIDATED = "invalidated", _("invalidated")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("CASE"), editable=False)
    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="cases", verbose_name=_("panel"))
    number = models.PositiveSmallIntegerField(_("number"))
    gate_review = models.ForeignKey(
        GateReview, on_delete=models.PROTECT, related_name="cases", verbose_name=_("gate review")
    )
    expertises = models.ManyToManyField(Expertise, blank=True, related_name="+", verbose_name=_("expertise asked for"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.PREPARING)
    opened_at = models.DateTimeField(_("documents opened at"), null=True, blank=True)
    concluded_at = models.DateTimeField(_("concluded at"), null=True, blank=True)
    invalidated_reason = models.TextField(_("reason"), blank=True, default="")

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["panel_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["panel", "number"], name="case_number"),
            models.UniqueConstraint(
                fields=["gate_review"], condition=Q(state__in=["preparing", "open"]), name="case_one_live"
            ),
            models.CheckConstraint(
                name="case_state_known", condition=Q(state__in=["preparing", "open", "concluded", "invalidated"])
            ),
            models.CheckConstraint(
                name="case_invalidated_says_why", condition=~Q(state="invalidated") | ~Q(invalidated_reason="")
            ),
        ]
        triggers = [
            fsm_trigger("case_moves", CASE_MOVES),
            same_sample_mark("panel_id", "evaluations_panel"),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def tone(self) -> str:
        """The state whose tone its pill has: an open case is under review, nothing is wrong with it."""
        return "running" if self.state == self.State.OPEN else self.state
