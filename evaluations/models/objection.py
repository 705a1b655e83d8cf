"""Objections (異議申立て): what a project's team holds against a decision, within its window, and how it was settled."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.models.decision import GateDecision
from evaluations.states import OBJECTION_MOVES


class Objection(models.Model):
    """An objection to one decision: a case of its own, settled by the ministry's staff with the reasons."""

    class State(models.TextChoices):
        FILED = "filed", _("filed")
        ACCEPTED = "accepted", _("accepted, reviewed anew")
        REFUSED = "refused", _("refused")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("OBJ"), editable=False)
    decision = models.ForeignKey(
        GateDecision, on_delete=models.PROTECT, related_name="objections", verbose_name=_("decision")
    )
    reasons = models.TextField(_("reasons"))
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("filed by"))
    filed_at = models.DateTimeField(_("filed at"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.FILED)
    settled_reason = models.TextField(_("reasons of the answer"), blank=True, default="")
    settled_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("settled by")
    )
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("objection")
        verbose_name_plural = _("objections")
        ordering = ["-filed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="objection_state_known", condition=Q(state__in=["filed", "accepted", "refused"])
            ),
            models.CheckConstraint(
                name="objection_settled_whole",
                condition=Q(state="filed", settled_by__isnull=True, settled_at__isnull=True)
                | Q(state__in=["accepted", "refused"], settled_by__isnull=False, settled_at__isnull=False)
                & ~Q(settled_reason=""),
            ),
            models.UniqueConstraint(fields=["decision"], condition=Q(state="filed"), name="objection_one_open"),
        ]  # fmt: skip
        triggers = [
            fsm_trigger("objection_moves", OBJECTION_MOVES),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref
