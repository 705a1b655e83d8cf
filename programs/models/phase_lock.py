"""Locks on the money of a project's next phase: set when a gate opens, lifted when its decision is in force."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from programs.models.project import Project


class PhaseLock(models.Model):
    """No more money than before flows for this year and the later ones, while a gate lies before them undecided.

    `bridging_yen` (つなぎ) may flow in the first of these years all the same; two people have decided on it.
    """

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="phase_locks", verbose_name=_("project")
    )
    #: Of the gate review that holds the lock: a case number, since this app knows no reviews.
    source_ref = models.CharField(_("gate review"), max_length=16)
    from_fiscal_year = models.PositiveSmallIntegerField(_("from fiscal year"))
    bridging_yen = models.BigIntegerField(_("bridging allocation (yen)"), default=0)
    locked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("locked by"))
    locked_at = models.DateTimeField(_("locked at"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("lock of the next phase's money")
        verbose_name_plural = _("locks of the next phase's money")
        ordering = ["project_id", "locked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "source_ref"], name="phase_lock_once", condition=Q(lifted_at__isnull=True)
            ),
            models.CheckConstraint(name="phase_lock_bridging_not_negative", condition=Q(bridging_yen__gte=0)),
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.source_ref} {self.from_fiscal_year}"
