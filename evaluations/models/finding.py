"""Findings (評価所見): what the panel says on a case, with its grade and its recommendation; the chair answers for it."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.models.case import Case
from evaluations.models.rubric import RubricGrade
from evaluations.states import FINDING_MOVES


class Finding(models.Model):
    """The finding on one case: drafted by the secretariat, checked by the project for facts only, given by the chair."""

    class Recommendation(models.TextChoices):
        CONTINUE = "continue", _("continue")
        MODIFY = "modify", _("modify")
        STOP = "stop", _("stop")
        DEFER = "defer", _("defer to a re-examination")

    class State(models.TextChoices):
        DRAFTING = "drafting", _("being drafted")
        CHECKING = "checking", _("fact check by the project")
        GIVEN = "given", _("given")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("FND"), editable=False)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="finding", verbose_name=_("case"))
    overall = models.TextField(_("overall finding"), blank=True, default="")
    strengths = models.TextField(_("what is rated highly"), blank=True, default="")
    remarks = models.TextField(_("remarks and what to improve"), blank=True, default="")
    #: One condition a line; the decision makes conditions of them that are tracked.
    conditions = models.TextField(_("conditions asked for"), blank=True, default="")
    grade = models.ForeignKey(
        RubricGrade, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("overall grade")
    )
    recommendation = models.CharField(
        _("recommendation"), max_length=8, choices=Recommendation.choices, blank=True, default=""
    )
    #: What the legend proposed when the finding was given, and why the panel's grade is another one.
    proposed_grade = models.ForeignKey(
        RubricGrade, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed grade")
    )
    grade_reason = models.TextField(_("why another grade than proposed"), blank=True, default="")
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFTING)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    edited_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("last edited by")
    )
    edited_at = models.DateTimeField(_("last edited at"), null=True, blank=True)
    #: Where a program director is in the chair, the vice chair countersigns this very revision (副主査の確認).
    countersigned_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("countersigned by")
    )
    countersigned_at = models.DateTimeField(_("countersigned at"), null=True, blank=True)
    countersigned_revision = models.PositiveIntegerField(_("countersigned revision"), null=True, blank=True)
    recommended_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("recommended by")
    )
    recommended_at = models.DateTimeField(_("recommended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.CheckConstraint(
                name="finding_state_known", condition=Q(state__in=["drafting", "checking", "given"])
            ),
            models.CheckConstraint(
                name="finding_recommendation_known",
                condition=Q(recommendation__in=["", "continue", "modify", "stop", "defer"]),
            ),
            models.CheckConstraint(
                name="finding_given_whole",
                condition=~Q(state="given")
                | Q(recommended_by__isnull=False, recommended_at__isnull=False) & ~Q(recommendation="") & ~Q(overall=""),
            ),
            models.CheckConstraint(
                name="finding_countersigned_by_another",
                condition=Q(countersigned_by__isnull=True)
                | Q(recommended_by__isnull=True)
                | ~Q(countersigned_by=models.F("recommended_by")),
            ),
        ]  # fmt: skip
        triggers = [
            fsm_trigger("finding_moves", FINDING_MOVES),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref
