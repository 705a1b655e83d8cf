"""Runs of the proposal: who asked for it, with what it was computed, what came out, and the certificate to check it by."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.refs import ref_default
from common.states import fsm_trigger
from evaluations.models.case import Case
from evaluations.models.panel import Panel
from evaluations.states import RUN_MOVES


class AssignmentRun(models.Model):
    """One computation in the background over these cases of a panel. Its result is written once and then stands."""

    class Kind(models.TextChoices):
        PROPOSE = "propose", _("proposal")
        REPAIR = "repair", _("replacement of readers who declined")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting to begin")
        RUNNING = "running", _("being computed")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("RUN"), editable=False)
    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="assignment_runs", verbose_name=_("panel"))
    cases = models.ManyToManyField(Case, related_name="+", verbose_name=_("cases"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.PROPOSE)
    seed = models.PositiveIntegerField(_("seed"))
    #: Probability of forbidding a pair at random, against collusion, in percent; none unless asked for.
    forbid_percent = models.PositiveSmallIntegerField(_("pairs forbidden at random (%)"), default=0)
    parameters = models.JSONField(_("parameters"), default=dict)
    solver = models.CharField(_("solver"), max_length=60, blank=True, default="")
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.QUEUED)
    progress = models.JSONField(_("progress"), default=dict)
    result = models.JSONField(_("result"), null=True, blank=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True, default="")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked for by"))
    asked_at = models.DateTimeField(_("asked for at"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("assignment run")
        verbose_name_plural = _("assignment runs")
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["panel"], condition=Q(state__in=["queued", "running"]), name="assignmentrun_one_live"
            ),
            models.CheckConstraint(
                name="assignmentrun_state_known", condition=Q(state__in=["queued", "running", "done", "failed"])
            ),
            models.CheckConstraint(name="assignmentrun_kind_known", condition=Q(kind__in=["propose", "repair"])),
            models.CheckConstraint(name="assignmentrun_forbid_percent", condition=Q(forbid_percent__lte=50)),
            models.CheckConstraint(
                name="assignmentrun_done_whole",
                condition=~Q(state="done") | Q(result__isnull=False, finished_at__isnull=False),
            ),
        ]
        triggers = [
            fsm_trigger("run_moves", RUN_MOVES),
            pgtrigger.Trigger(
                name="result_stands",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["done", "failed"]),
                func="""
                    RAISE EXCEPTION 'the result of a run stands'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'run_stands';
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.ref
