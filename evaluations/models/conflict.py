"""Conflicts of interest: typed, dated, with evidence; a confirmed one writes a recusal beside its object."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.states import CONFLICT_MOVES
from programs.models import Project


class ConflictOfInterest(models.Model):
    """One person's conflict with one project. Declared by one, confirmed or dismissed by another, with a reason."""

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
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DECLARED)
    declared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by"))
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
        ]
        indexes = [models.Index(fields=["person", "project"], name="conflict_person_project")]
        triggers = [fsm_trigger("conflict_moves", CONFLICT_MOVES)]

    def __str__(self) -> str:
        return self.ref
