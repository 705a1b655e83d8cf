"""Rubrics: what is scored, how heavily, on which scale, and which total means which grade. A round has its own version."""

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, User
from common.refs import ref_default

#: Once a score hangs on a rubric, its words and weights stand: what was scored must stay readable as it was.
_STANDS = """
    IF {fixed} THEN
        RAISE EXCEPTION 'the rubric is fixed: scores hang on it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rubric_is_fixed';
    END IF;
    RETURN COALESCE(NEW, OLD);
"""


def _stands(rubric_of: str) -> pgtrigger.Trigger:
    fixed = f"(SELECT fixed_at IS NOT NULL FROM evaluations_rubric WHERE id = {rubric_of})"
    return pgtrigger.Trigger(
        name="rubric_stands",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=_STANDS.format(fixed=fixed),
    )


class Rubric(BilingualName):
    """One version of the criteria and their scales (評価基準). `fixed_at`: the first score hangs on it from then on."""

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("RUB"), editable=False)
    number = models.PositiveSmallIntegerField(_("version"), default=1)
    base = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("made from")
    )
    note = models.TextField(_("note"), blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=0)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"))
    fixed_at = models.DateTimeField(_("fixed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("rubric")
        verbose_name_plural = _("rubrics")
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"


class RubricItem(BilingualName):
    """One criterion: weight in percent of the total, or text only; below the threshold the case fails on it."""

    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="items", verbose_name=_("rubric"))
    code = models.SlugField(_("code"), max_length=24)
    position = models.PositiveSmallIntegerField(_("position"))
    guidance = models.TextField(_("what to look at"), blank=True, default="")
    is_text_only = models.BooleanField(_("text only"), default=False)
    weight_percent = models.DecimalField(
        _("weight (%)"), max_digits=5, decimal_places=2, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    threshold = models.DecimalField(_("threshold (points)"), max_digits=6, decimal_places=2, null=True, blank=True)
    may_be_not_applicable = models.BooleanField(_("may be “not applicable”"), default=True)
    is_comment_required = models.BooleanField(_("comment required"), default=False)

    class Meta:
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["rubric", "code"], name="rubricitem_code"),
            models.CheckConstraint(name="rubricitem_weight", condition=Q(weight_percent__range=(0, 100))),
            models.CheckConstraint(
                name="rubricitem_text_only",
                condition=Q(is_text_only=False) | Q(weight_percent=0, threshold__isnull=True),
            ),
        ]
        triggers = [_stands("COALESCE(NEW.rubric_id, OLD.rubric_id)")]


class RubricLevel(models.Model):
    """One step of a criterion's scale: lower-case letter or number, its points, and the anchor that explains it."""

    item = models.ForeignKey(RubricItem, on_delete=models.CASCADE, related_name="levels", verbose_name=_("criterion"))
    code = models.CharField(_("grade"), max_length=8)
    points = models.DecimalField(_("points"), max_digits=6, decimal_places=2)
    anchor_ja = models.CharField(_("anchor (ja)"), max_length=300, blank=True, default="")
    anchor_en = models.CharField(_("anchor (en)"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("level of the scale")
        verbose_name_plural = _("levels of the scale")
        ordering = ["-points", "id"]
        constraints = [models.UniqueConstraint(fields=["item", "code"], name="rubriclevel_code")]
        triggers = [
            _stands(
                "(SELECT rubric_id FROM evaluations_rubricitem WHERE id = COALESCE(NEW.item_id, OLD.item_id))",
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def anchor(self) -> str:
        """The anchor in the reader's language; Japanese where there is no English."""
        return (self.anchor_en if get_language() == "en" else "") or self.anchor_ja


class RubricGrade(BilingualName):
    """One overall grade of the legend (総合評価): upper case, from so many points of the weighted total; or words only."""

    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="grades", verbose_name=_("rubric"))
    code = models.CharField(_("grade"), max_length=8)
    position = models.PositiveSmallIntegerField(_("position"))
    from_points = models.DecimalField(_("from (points)"), max_digits=6, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("overall grade")
        verbose_name_plural = _("overall grades")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["rubric", "code"], name="rubricgrade_code")]
        triggers = [_stands("COALESCE(NEW.rubric_id, OLD.rubric_id)")]
