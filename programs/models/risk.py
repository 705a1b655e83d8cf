"""Risks and issues of a project: how likely, how grave, who does what by when; escalated to the director and answered."""

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, User
from common.refs import ref_default
from common.sample import no_sample_on_real
from common.states import fsm_trigger
from programs.models.project import Project
from programs.states import RISK_MOVES

GRADES = [MinValueValidator(1), MaxValueValidator(5)]


class Risk(models.Model):
    """Something that may happen (risk) or has happened (issue). Its score is likelihood x effect, 1 to 25."""

    class Kind(models.TextChoices):
        RISK = "risk", _("risk")
        ISSUE = "issue", _("issue")

    class State(models.TextChoices):
        OPEN = "open", _("being dealt with")
        ESCALATED = "escalated", _("escalated to the PD")
        CLOSED = "closed", _("settled")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("RSK"), editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="risks", verbose_name=_("project"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True, default="")
    likelihood = models.PositiveSmallIntegerField(_("likelihood (1 to 5)"), validators=GRADES)
    effect = models.PositiveSmallIntegerField(_("effect (1 to 5)"), validators=GRADES)
    score = models.GeneratedField(
        expression=F("likelihood") * F("effect"), output_field=models.PositiveSmallIntegerField(), db_persist=True
    )
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner"))
    measure = models.TextField(_("measure"))
    due_on = models.DateField(_("due on"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.OPEN)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("opened by"))
    opened_at = models.DateTimeField(_("opened at"))

    class Meta:
        verbose_name = _("risk or issue")
        verbose_name_plural = _("risks and issues")
        ordering = ["project_id", "-score", "due_on"]
        constraints = [
            models.CheckConstraint(name="risk_kind_known", condition=Q(kind__in=["risk", "issue"])),
            models.CheckConstraint(name="risk_state_known", condition=Q(state__in=["open", "escalated", "closed"])),
            models.CheckConstraint(name="risk_grades", condition=Q(likelihood__range=(1, 5)) & Q(effect__range=(1, 5))),
        ]
        indexes = [models.Index(fields=["project", "state"], name="risk_project_state")]
        triggers = [
            fsm_trigger("risk_moves", RISK_MOVES),
            no_sample_on_real("project_id", "programs_project", "owner_id", "accounts_person"),
        ]

    def __str__(self) -> str:
        return self.title


class RiskNote(models.Model):
    """What was said when a risk was escalated, answered or closed. Never changed."""

    class Kind(models.TextChoices):
        ESCALATION = "escalation", _("escalation")
        ANSWER = "answer", _("answer of the PD")
        CLOSING = "closing", _("what happened")
        REOPENING = "reopening", _("reopened")

    risk = models.ForeignKey(Risk, on_delete=models.PROTECT, related_name="notes", verbose_name=_("risk or issue"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    text = models.TextField(_("text"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("note on a risk")
        verbose_name_plural = _("notes on risks")
        ordering = ["at", "id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.text[:60]
