"""Technology readiness: scales as data, and levels claimed by the project or assessed by the director."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import BilingualName, User
from common.models import StoredFile
from programs.models.milestone import Deliverable
from programs.models.project import Project


class TrlScale(BilingualName):
    """A scale; wording differs by agency."""

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    source = models.CharField(_("source"), max_length=300, blank=True, default="")
    is_default = models.BooleanField(_("default scale"), default=False)

    class Meta:
        verbose_name = _("TRL scale")
        verbose_name_plural = _("TRL scales")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], name="one_default_scale", condition=Q(is_default=True))
        ]


class TrlLevel(BilingualName):
    """A level of a scale, 1 to 9."""

    scale = models.ForeignKey(TrlScale, on_delete=models.PROTECT, related_name="levels", verbose_name=_("TRL scale"))
    number = models.PositiveSmallIntegerField(_("level"))
    is_provisional_translation = models.BooleanField(_("provisional translation"), default=False)

    class Meta:
        verbose_name = _("TRL level")
        verbose_name_plural = _("TRL levels")
        ordering = ["scale_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["scale", "number"], name="trl_level_once"),
            models.CheckConstraint(name="trl_level_range", condition=Q(number__range=(1, 9))),
        ]


class TrlCriterion(BilingualName):
    """What has to be shown for a level. A scale that asks for something else is another scale."""

    level = models.ForeignKey(TrlLevel, on_delete=models.PROTECT, related_name="criteria", verbose_name=_("TRL level"))
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        verbose_name = _("TRL criterion")
        verbose_name_plural = _("TRL criteria")
        ordering = ["level__scale_id", "level__number", "position"]
        constraints = [models.UniqueConstraint(fields=["level", "position"], name="trl_criterion_once")]


def _assessed_by_another() -> pgtrigger.Trigger:
    """Refuses an assessment by the person who claimed, and one that answers no claim of its own project."""
    return pgtrigger.Trigger(
        name="assessed_by_another",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("claimed", "record")],
        func="""
            IF NEW.claim_id IS NULL THEN RETURN NEW; END IF;
            SELECT kind, project_id, by_id INTO claimed FROM programs_trlassessment WHERE id = NEW.claim_id;
            IF claimed.kind <> 'claimed' OR claimed.project_id <> NEW.project_id OR claimed.by_id = NEW.by_id THEN
                RAISE EXCEPTION 'the claim % is not for this person to assess', NEW.claim_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'trl_assessed_by_another';
            END IF;
            RETURN NEW;
        """,
    )


class TrlAssessment(models.Model):
    """A level at a date: planned, claimed by the project, or assessed by the PD. Separate values, only ever added."""

    class Kind(models.TextChoices):
        PLANNED = "planned", pgettext_lazy("TRL", "planned")
        CLAIMED = "claimed", _("claimed by the project")
        ASSESSED = "assessed", _("assessed by the PD")

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="trl_assessments", verbose_name=_("project")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    level = models.ForeignKey(TrlLevel, on_delete=models.PROTECT, related_name="+", verbose_name=_("TRL level"))
    on = models.DateField(_("date"))
    evidence = models.TextField(_("evidence"), blank=True, default="")
    by_label = models.CharField(_("by"), max_length=200)
    by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    claim = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="answers",
        verbose_name=_("claim that was assessed"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("TRL assessment")
        verbose_name_plural = _("TRL assessments")
        ordering = ["project_id", "on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "on"], name="trl_once_a_day"),
            models.CheckConstraint(
                name="trl_assessment_kind_known", condition=Q(kind__in=["planned", "claimed", "assessed"])
            ),
            models.CheckConstraint(name="trl_claim_has_evidence", condition=Q(kind="planned") | ~Q(evidence="")),
            models.CheckConstraint(
                name="trl_claim_is_answered", condition=Q(claim__isnull=True) | Q(kind="assessed", by__isnull=False)
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            _assessed_by_another(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.on}"


class OfCriterion(models.Model):
    """What is said about one criterion; `asked` keeps its wording of that day."""

    criterion = models.ForeignKey(
        TrlCriterion, on_delete=models.PROTECT, related_name="+", verbose_name=_("TRL criterion")
    )
    asked = models.CharField(_("wording of the criterion"), max_length=300)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.asked


class TrlEvidence(OfCriterion):
    """What a claim shows for a criterion: words, a deliverable, a file. Only ever added."""

    claim = models.ForeignKey(
        TrlAssessment, on_delete=models.PROTECT, related_name="evidence_given", verbose_name=_("claim")
    )
    text = models.TextField(_("evidence"), blank=True, default="")
    deliverable = models.ForeignKey(
        Deliverable, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("deliverable")
    )
    file = models.ForeignKey(
        StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("file")
    )

    class Meta:
        verbose_name = _("TRL evidence")
        verbose_name_plural = _("TRL evidence")
        ordering = ["claim_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["claim", "criterion"], name="trl_evidence_once"),
            models.CheckConstraint(
                name="trl_evidence_shows_something",
                condition=~Q(text="") | Q(deliverable__isnull=False) | Q(file__isnull=False),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


class TrlJudgement(OfCriterion):
    """What an assessment says of a criterion: met, or not met and why. Only ever added."""

    assessment = models.ForeignKey(
        TrlAssessment, on_delete=models.PROTECT, related_name="judgements", verbose_name=_("TRL assessment")
    )
    is_met = models.BooleanField(_("met"))
    reason = models.TextField(_("reason"), blank=True, default="")

    class Meta:
        verbose_name = _("TRL judgement")
        verbose_name_plural = _("TRL judgements")
        ordering = ["assessment_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["assessment", "criterion"], name="trl_judgement_once"),
            models.CheckConstraint(name="trl_not_met_has_reason", condition=Q(is_met=True) | ~Q(reason="")),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
