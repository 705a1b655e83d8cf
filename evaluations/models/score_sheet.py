"""Score sheets: what one reader says on one case; the first scores are kept when the sheet is revised."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.models.assignment import Assignment
from evaluations.models.rubric import RubricItem, RubricLevel
from evaluations.states import SHEET_MOVES

_ROUND = """
    SELECT r.state FROM evaluations_scoresheet s JOIN evaluations_assignment a ON a.id = s.assignment_id
    JOIN evaluations_case c ON c.id = a.case_id JOIN evaluations_panel p ON p.id = c.panel_id
    JOIN evaluations_round r ON r.id = p.round_id WHERE s.id = NEW.sheet_id
"""
#: The database's own guard: nothing is scored once the round is closed, the first scores never change once they are
#: kept, and after the first close they have to be kept before anything is scored anew.
_CLOSES = f"""
    IF ({_ROUND}) NOT IN ('open', 'first_closed') THEN
        RAISE EXCEPTION 'the scores are closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'scores_are_closed';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.first_level_id, NEW.first_is_not_applicable, NEW.first_comment)
        IS DISTINCT FROM (OLD.first_level_id, OLD.first_is_not_applicable, OLD.first_comment)
        AND (SELECT frozen_at IS NOT NULL FROM evaluations_scoresheet WHERE id = NEW.sheet_id) THEN
        RAISE EXCEPTION 'the first scores stand' USING ERRCODE = 'check_violation', CONSTRAINT = 'first_scores_stand';
    END IF;
    IF (TG_OP = 'INSERT' OR (NEW.level_id, NEW.is_not_applicable, NEW.comment)
        IS DISTINCT FROM (OLD.level_id, OLD.is_not_applicable, OLD.comment)) AND ({_ROUND}) = 'first_closed'
        AND (SELECT frozen_at IS NULL FROM evaluations_scoresheet WHERE id = NEW.sheet_id) THEN
        RAISE EXCEPTION 'the first scores are not kept' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'first_scores_are_kept';
    END IF;
    RETURN NEW;
"""


class ScoreSheet(models.Model):
    """The sheet of one reader of one case (評価票)."""

    class State(models.TextChoices):
        DRAFT = "draft", _("being written")
        SUBMITTED = "submitted", _("handed in")
        RETURNED = "returned", _("returned")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("SHT"), editable=False)
    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, related_name="sheet", verbose_name=_("assignment")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    comment = models.TextField(_("comment on the whole"), blank=True, default="")
    first_comment = models.TextField(_("first comment on the whole"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    saved_at = models.DateTimeField(_("saved at"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("handed in at"), null=True, blank=True)
    frozen_at = models.DateTimeField(_("first scores kept at"), null=True, blank=True)
    revised_at = models.DateTimeField(_("revised at"), null=True, blank=True)
    returned_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("returned by")
    )
    returned_at = models.DateTimeField(_("returned at"), null=True, blank=True)
    return_reason = models.TextField(_("reason"), blank=True, default="")

    class Meta:
        verbose_name = _("score sheet")
        verbose_name_plural = _("score sheets")
        ordering = ["assignment_id"]
        constraints = [
            models.CheckConstraint(
                name="scoresheet_state_known", condition=Q(state__in=["draft", "submitted", "returned"])
            ),
        ]
        triggers = [
            fsm_trigger("sheet_moves", SHEET_MOVES),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref


class SheetScore(models.Model):
    """What a sheet says on one criterion, now and at the first close."""

    sheet = models.ForeignKey(ScoreSheet, on_delete=models.PROTECT, related_name="scores", verbose_name=_("sheet"))
    item = models.ForeignKey(RubricItem, on_delete=models.PROTECT, related_name="+", verbose_name=_("criterion"))
    level = models.ForeignKey(
        RubricLevel, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("grade")
    )
    is_not_applicable = models.BooleanField(_("not applicable"), default=False)
    comment = models.TextField(_("comment"), blank=True, default="")
    first_level = models.ForeignKey(
        RubricLevel, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("first grade")
    )
    first_is_not_applicable = models.BooleanField(_("first not applicable"), default=False)
    first_comment = models.TextField(_("first comment"), blank=True, default="")

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            models.UniqueConstraint(fields=["sheet", "item"], name="sheetscore_once"),
            models.CheckConstraint(
                name="sheetscore_one_answer", condition=Q(level__isnull=True) | Q(is_not_applicable=False)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="closes_hold", when=pgtrigger.Before, operation=pgtrigger.Insert | pgtrigger.Update, func=_CLOSES
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]
