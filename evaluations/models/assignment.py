"""Assignments: who reads which case, in which role. Proposed by a run or by hand; the chair's confirmation makes it count."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.models.case import Case
from evaluations.models.panel import PanelMember
from evaluations.states import ASSIGNMENT_MOVES


class Assignment(models.Model):
    """One reader of one case."""

    class Role(models.TextChoices):
        PRIMARY = "primary", _("primary reader")
        SECONDARY = "secondary", _("secondary reader")
        READER = "reader", _("reader")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("declined")
        REPLACED = "replaced", _("replaced")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("ASG"), editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("case"))
    member = models.ForeignKey(
        PanelMember, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("panel member")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.READER)
    is_pinned = models.BooleanField(_("fixed by hand"), default=False)
    affinity = models.DecimalField(_("affinity"), max_digits=5, decimal_places=4, null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PROPOSED)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    made_at = models.DateTimeField(_("proposed at"))
    confirmed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("confirmed by")
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    end_reason = models.TextField(_("reason"), blank=True, default="")

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ["case_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "member"], condition=Q(state__in=["proposed", "confirmed"]), name="assignment_once"
            ),
            models.CheckConstraint(
                name="assignment_state_known",
                condition=Q(state__in=["proposed", "confirmed", "declined", "replaced"]),
            ),
            models.CheckConstraint(
                name="assignment_confirmed_whole",
                condition=~Q(state="confirmed") | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["member", "state"], name="assignment_member_state")]
        triggers = [
            fsm_trigger("assignment_moves", ASSIGNMENT_MOVES),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref
