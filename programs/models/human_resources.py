"""What a human resources project makes: programs with modules, how many learn, and who adopts them. Numbers, no people."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import BilingualName, Organization, SampleMark
from common.sample import no_sample_on_real, same_sample_mark
from programs.models.project import Project

YEARS = [MinValueValidator(1990), MaxValueValidator(2100)]


class TrainingProgram(BilingualName, SampleMark):
    """A program of education (教育プログラム) that a human resources project develops."""

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="training_programs", verbose_name=_("project")
    )
    aim = models.TextField(_("aim"), blank=True, default="")

    class Meta:
        verbose_name = _("education program")
        verbose_name_plural = _("education programs")
        ordering = ["project_id", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "name_ja"], name="training_name_once")]
        triggers = [same_sample_mark("project_id", "programs_project")]


class TrainingModule(BilingualName):
    """A module of a program: a lecture or an exercise, with its hours and level."""

    class Kind(models.TextChoices):
        LECTURE = "lecture", _("lecture")
        EXERCISE = "exercise", _("exercise")

    class Level(models.TextChoices):
        INTRODUCTORY = "introductory", _("introductory")
        INTERMEDIATE = "intermediate", _("intermediate")
        ADVANCED = "advanced", _("advanced")

    training = models.ForeignKey(
        TrainingProgram, on_delete=models.PROTECT, related_name="modules", verbose_name=_("education program")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    level = models.CharField(_("level"), max_length=16, choices=Level.choices)
    hours = models.DecimalField(
        _("hours"), max_digits=6, decimal_places=1, validators=[MinValueValidator(0.5), MaxValueValidator(9999)]
    )

    class Meta:
        verbose_name = _("module")
        verbose_name_plural = _("modules")
        ordering = ["training_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["training", "name_ja"], name="module_name_once"),
            models.CheckConstraint(name="module_kind_known", condition=Q(kind__in=["lecture", "exercise"])),
            models.CheckConstraint(
                name="module_level_known", condition=Q(level__in=["introductory", "intermediate", "advanced"])
            ),
            models.CheckConstraint(name="module_has_hours", condition=Q(hours__gt=0)),
        ]


class LearnerCount(models.Model):
    """How many took part in a fiscal year, by kind."""

    class Kind(models.TextChoices):
        PUPILS = "pupils", _("pupils")
        UNDERGRADUATES = "undergraduates", _("undergraduates")
        GRADUATES = "graduates", _("graduate students")
        WORKING = "working", _("working people")
        OTHERS = "others", pgettext_lazy("learners", "others")

    training = models.ForeignKey(
        TrainingProgram, on_delete=models.PROTECT, related_name="learners", verbose_name=_("education program")
    )
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"), validators=YEARS)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    number = models.PositiveIntegerField(_("learners"), validators=[MaxValueValidator(10_000_000)])

    class Meta:
        verbose_name = _("number of learners")
        verbose_name_plural = _("numbers of learners")
        ordering = ["training_id", "-fiscal_year", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["training", "fiscal_year", "kind"], name="learners_once"),
            models.CheckConstraint(
                name="learners_kind_known",
                condition=Q(kind__in=["pupils", "undergraduates", "graduates", "working", "others"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fiscal_year} {self.kind}"


class AdoptingInstitution(models.Model):
    """Who has adopted a program or some of its modules: an organization on record, else its name."""

    training = models.ForeignKey(
        TrainingProgram, on_delete=models.PROTECT, related_name="adopters", verbose_name=_("education program")
    )
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    modules: ClassVar = models.ManyToManyField(
        TrainingModule, blank=True, related_name="adopters", verbose_name=_("modules")
    )
    since_fiscal_year = models.PositiveSmallIntegerField(_("since fiscal year"), validators=YEARS)

    class Meta:
        verbose_name = _("adopting institution")
        verbose_name_plural = _("adopting institutions")
        ordering = ["training_id", "since_fiscal_year", "id"]
        constraints = [
            models.CheckConstraint(
                name="adopter_is_one",
                condition=Q(organization__isnull=False, name="") | (Q(organization__isnull=True) & ~Q(name="")),
            ),
            models.UniqueConstraint(
                fields=["training", "organization", "name"], name="adopter_once", nulls_distinct=False
            ),
        ]
        triggers = [
            no_sample_on_real("training_id", "programs_trainingprogram", "organization_id", "accounts_organization")
        ]

    def __str__(self) -> str:
        return self.called

    @property
    def called(self) -> str:
        """The institution's name in the reader's language."""
        return self.organization.name if self.organization else self.name
