"""Gate reviews: one project (area, program) at one gate, from the call for a dossier to the released decision."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import SampleMark, User
from common.refs import ref_default
from common.sample import same_sample_mark
from common.states import fsm_trigger
from evaluations.models.round import Round
from evaluations.states import GATE_REVIEW_MOVES
from programs.models import Program, Project, ResearchArea


class GateReview(SampleMark):
    """The review of one subject in one round: exactly one of project, area, program."""

    class State(models.TextChoices):
        CALLED = "called", _("dossier being written")
        SUBMITTED = "submitted", _("dossier submitted")
        SEALED = "sealed", _("dossier sealed, under review")
        RECOMMENDED = "recommended", _("recommended")
        DECIDED = "decided", _("decided, not yet released")
        RELEASED = "released", _("released")
        INVALIDATED = "invalidated", _("invalidated")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("GR"), editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="gate_reviews", verbose_name=_("round"))
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("project")
    )
    area = models.ForeignKey(
        ResearchArea, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("research area")
    )
    program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("program")
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.CALLED)
    called_at = models.DateTimeField(_("called at"))
    called_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("called by"))
    invalidated_reason = models.TextField(_("reason"), blank=True, default="")

    class Meta:
        verbose_name = _("gate review")
        verbose_name_plural = _("gate reviews")
        ordering = ["-called_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="gatereview_one_subject",
                condition=Q(project__isnull=False, area__isnull=True, program__isnull=True)
                | Q(project__isnull=True, area__isnull=False, program__isnull=True)
                | Q(project__isnull=True, area__isnull=True, program__isnull=False),
            ),
            models.CheckConstraint(
                name="gatereview_state_known",
                condition=Q(
                    state__in=["called", "submitted", "sealed", "recommended", "decided", "released", "invalidated"]
                ),
            ),
            models.UniqueConstraint(
                fields=["round", "project"], condition=~Q(state="invalidated"), name="gatereview_project_once"
            ),
            models.UniqueConstraint(
                fields=["round", "area"], condition=~Q(state="invalidated"), name="gatereview_area_once"
            ),
            models.UniqueConstraint(
                fields=["round", "program"], condition=~Q(state="invalidated"), name="gatereview_program_once"
            ),
            models.CheckConstraint(
                name="gatereview_invalidated_says_why", condition=~Q(state="invalidated") | ~Q(invalidated_reason="")
            ),
        ]
        indexes = [
            models.Index(fields=["project", "state"], name="gatereview_project_state"),
            models.Index(fields=["round", "state"], name="gatereview_round_state"),
        ]
        triggers = [
            fsm_trigger("gate_review_moves", GATE_REVIEW_MOVES),
            same_sample_mark("round_id", "evaluations_round"),
            same_sample_mark("project_id", "programs_project"),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref
