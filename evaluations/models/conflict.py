"""Conflicts of interest: typed, dated, with evidence; a confirmed one writes a recusal beside its object.

What detection looks for is data: its windows (`ConflictRule`) and joint publications by ORCID (`Coauthorship`).
"""

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, SampleMark, User
from common.identifiers import validate_orcid
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.states import CONFLICT_MOVES
from programs.models import Program, Project


class ConflictOfInterest(models.Model):
    """One person's conflict with one project. Declared by one, confirmed or dismissed by another, with a reason.

    Nobody records what detection finds; its `evidence_items` say which facts a hit rests upon.
    """

    class Kind(models.TextChoices):
        KIN = "kin", _("kin")
        SAME_UNIT = "same_unit", _("same department, laboratory or company")
        JOINT_RESEARCH = "joint_research", _("close joint research or co-authorship")
        MENTOR = "mentor", _("mentor or employment")
        COMPETITION = "competition", _("direct competition")
        OTHER = "other", _("other")

    class Found(models.TextChoices):
        DECLARED = "declared", _("declared")
        DETECTED = "detected", _("detected")
        REPORTED = "reported", _("reported")

    class State(models.TextChoices):
        DECLARED = "declared", _("to be confirmed")
        CONFIRMED = "confirmed", _("confirmed")
        DISMISSED = "dismissed", _("dismissed")
        ENDED = "ended", _("ended")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("COI"), editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", verbose_name=_("person"))
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+", verbose_name=_("project"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    found = models.CharField(_("found how"), max_length=12, choices=Found.choices)
    evidence = models.TextField(_("evidence"))
    evidence_items = models.JSONField(_("facts of the evidence"), default=list, blank=True)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DECLARED)
    declared_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    declared_at = models.DateTimeField(_("recorded at"))
    settled_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("settled by")
    )
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    settled_reason = models.TextField(_("reason"), blank=True, default="")

    class Meta:
        verbose_name = _("conflict of interest")
        verbose_name_plural = _("conflicts of interest")
        constraints = [
            models.CheckConstraint(
                name="conflict_state_known", condition=Q(state__in=["declared", "confirmed", "dismissed", "ended"])
            ),
            models.CheckConstraint(
                name="conflict_settled_by_another",
                condition=Q(settled_by__isnull=True) | ~Q(settled_by=F("declared_by")),
            ),
            models.CheckConstraint(
                name="conflict_settled_whole",
                condition=Q(state="declared", settled_by__isnull=True, settled_at__isnull=True)
                | (~Q(state="declared") & Q(settled_by__isnull=False, settled_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="conflict_recorded_by_somebody", condition=Q(found="detected") | Q(declared_by__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["person", "project", "kind"], condition=Q(found="detected", state="declared"),
                name="conflict_detected_once",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["person", "project"], name="conflict_person_project"),
            models.Index(fields=["project", "state"], name="conflict_project_state"),
        ]
        triggers = [fsm_trigger("conflict_moves", CONFLICT_MOVES)]

    def __str__(self) -> str:
        return self.ref


def _years(label: object) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(label, null=True, blank=True, validators=[MaxValueValidator(60)])


class ConflictRule(models.Model):
    """How far back a program's scheme looks for conflicts, from a fiscal year on; holds for everything below it too.

    What is empty is not looked for; 0 years means "only now".
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", verbose_name=_("program"))
    from_fiscal_year = models.PositiveSmallIntegerField(
        _("from fiscal year"), validators=[MinValueValidator(1990), MaxValueValidator(2100)]
    )
    same_unit_years = _years(_("same institution (years back)"))
    joint_research_years = _years(_("joint research (years back)"))
    coauthorship_years = _years(_("joint publications (years back)"))
    employment_years = _years(_("employment (years in total)"))
    source = models.CharField(_("source"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("conflict rule")
        verbose_name_plural = _("conflict rules")
        ordering = ["program_id", "-from_fiscal_year"]
        constraints = [models.UniqueConstraint(fields=["program", "from_fiscal_year"], name="conflict_rule_once")]

    def __str__(self) -> str:
        return f"{self.program} {self.from_fiscal_year}"


class Coauthorship(SampleMark):
    """One joint publication of two researchers, by ORCID; imported from a list with its source. The lower iD is first."""

    orcid_a = models.CharField(_("ORCID (first)"), max_length=19, validators=[validate_orcid])
    orcid_b = models.CharField(_("ORCID (second)"), max_length=19, validators=[validate_orcid])
    year = models.PositiveSmallIntegerField(
        _("year of publication"), validators=[MinValueValidator(1950), MaxValueValidator(2100)]
    )
    title = models.CharField(_("title"), max_length=300, blank=True, default="")
    doi = models.CharField(_("DOI"), max_length=200, blank=True, default="")
    source = models.CharField(_("source"), max_length=300)
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("imported by"))
    imported_at = models.DateTimeField(_("imported at"))

    class Meta:
        verbose_name = _("joint publication")
        verbose_name_plural = _("joint publications")
        ordering = ["-year", "id"]
        constraints = [
            models.UniqueConstraint(fields=["orcid_a", "orcid_b", "year", "title", "doi"], name="coauthorship_once"),
            models.CheckConstraint(name="coauthorship_in_order", condition=Q(orcid_a__lt=F("orcid_b"))),
            models.CheckConstraint(name="coauthorship_named", condition=~Q(title="", doi="")),
        ]
        indexes = [models.Index(fields=["orcid_b", "orcid_a"], name="coauthorship_back")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.doi or self.title
