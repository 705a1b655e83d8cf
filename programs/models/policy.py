"""Implementation policies (実施方針) of an area in versions: written by its director, put in force by the ministry."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import SampleMark, User
from common.refs import ref_default
from common.sample import same_sample_mark
from common.states import fsm_trigger
from programs.models.area import ResearchArea
from programs.states import POLICY_MOVES, POLICY_OPEN


class PolicyVersion(SampleMark):
    """One version of an area's policy: one text with headings. One in force never changes: the next version does."""

    class State(models.TextChoices):
        DRAFTING = "drafting", _("being written")
        SUBMITTED = "submitted", _("waiting for the ministry")
        RETURNED = "returned", _("returned")
        IN_FORCE = "in_force", _("put in force")
        WITHDRAWN = "withdrawn", _("withdrawn")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("POL"), editable=False)
    area = models.ForeignKey(
        ResearchArea, on_delete=models.PROTECT, related_name="policies", verbose_name=_("research area")
    )
    number = models.PositiveSmallIntegerField(_("version"))
    base = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("made from")
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFTING)
    text = models.TextField(_("text"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("opened by"))
    opened_at = models.DateTimeField(_("opened at"))
    saved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("saved by")
    )
    saved_at = models.DateTimeField(_("saved at"), null=True, blank=True)
    submitted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("submitted by")
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    returned_because = models.TextField(_("returned because"), blank=True, default="")
    approved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("put in force by")
    )
    approved_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    effective_on = models.DateField(_("in force from"), null=True, blank=True)
    content_hash = models.CharField(_("content hash"), max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("implementation policy")
        verbose_name_plural = _("implementation policies")
        ordering = ["area_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["area", "number"], name="policy_version_once"),
            models.UniqueConstraint(
                fields=["area"], name="one_open_policy", condition=Q(state__in=sorted(POLICY_OPEN))
            ),
            models.UniqueConstraint(
                fields=["area", "effective_on"], name="one_policy_from_a_day", condition=Q(state="in_force")
            ),
            models.CheckConstraint(
                name="policy_state_known",
                condition=Q(state__in=["drafting", "submitted", "returned", "in_force", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="policy_second_person",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("submitted_by")),
            ),
            models.CheckConstraint(
                name="policy_in_force_whole",
                condition=~Q(state="in_force")
                | Q(
                    submitted_by__isnull=False, approved_by__isnull=False, approved_at__isnull=False,
                    effective_on__isnull=False,
                )
                & ~Q(content_hash="")
                & ~Q(text=""),
            ),
        ]  # fmt: skip
        triggers = [
            fsm_trigger("policy_moves", POLICY_MOVES),
            same_sample_mark("area_id", "programs_researcharea"),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="in_force_stands", operation=pgtrigger.Update, condition=pgtrigger.Q(old__state="in_force")
            ),
        ]

    def __str__(self) -> str:
        return self.ref
