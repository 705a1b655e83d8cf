"""Challenge goals (挑戦的な目標) of a basic project. What the project complements stands in `ProjectComplement`."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from programs.models.project import Project


class ChallengeGoal(models.Model):
    """A goal: open until a day of achievement is on record, with what shows it."""

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="challenge_goals", verbose_name=_("project")
    )
    number = models.PositiveSmallIntegerField(_("number"), validators=[MinValueValidator(1)])
    text = models.TextField(_("goal"))
    due_on = models.DateField(_("to be reached by"))
    achieved_on = models.DateField(_("achieved on"), null=True, blank=True)
    shown_by = models.TextField(_("shown by"), blank=True, default="")

    class Meta:
        verbose_name = _("challenge goal")
        verbose_name_plural = _("challenge goals")
        ordering = ["project_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="goal_number_once"),
            models.CheckConstraint(name="goal_has_words", condition=~Q(text="")),
            models.CheckConstraint(
                name="goal_achieved_is_shown", condition=Q(achieved_on__isnull=True) | ~Q(shown_by="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.text[:60]}"
