"""What a project promised: milestones, the gates of its program, and deliverables that serve as evidence."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName
from common.models import StoredFile
from common.states import fsm_trigger
from programs.models.program import Program
from programs.models.project import Project
from programs.states import DELIVERABLE_MOVES


class Milestone(models.Model):
    """Something to reach by a date, with the criterion by which it counts as reached."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="milestones", verbose_name=_("project"))
    number = models.PositiveSmallIntegerField(_("number"))
    title = models.CharField(_("title"), max_length=200)
    criterion = models.CharField(_("criterion"), max_length=300, blank=True, default="")
    planned_on = models.DateField(_("planned for"))
    #: The day in the first approved plan, to show slips against.
    baseline_on = models.DateField(_("first planned for"), null=True, blank=True)
    reached_on = models.DateField(_("reached on"), null=True, blank=True)
    #: The level of the TRL scale that the project plans to reach with it.
    trl_level = models.PositiveSmallIntegerField(_("TRL planned"), null=True, blank=True)
    is_dropped = models.BooleanField(_("no longer in the plan"), default=False)

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ["project_id", "planned_on", "number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="milestone_number_once"),
            models.CheckConstraint(
                name="milestone_trl_range", condition=Q(trl_level__isnull=True) | Q(trl_level__range=(1, 9))
            ),
        ]

    def __str__(self) -> str:
        return self.title


class StageGate(BilingualName):
    """A gate of a program (ステージゲート): when, and the criteria fixed before the phase starts. Years are data."""

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="gates", verbose_name=_("program"))
    held_on = models.DateField(_("date"))
    criteria = models.TextField(_("criteria"), blank=True, default="")

    class Meta:
        verbose_name = _("stage gate")
        verbose_name_plural = _("stage gates")
        ordering = ["program_id", "held_on"]


class Deliverable(models.Model):
    """A document the plan asks for; an accepted report fulfils it, with file and hash, and serves as evidence."""

    class Kind(models.TextChoices):
        ANNUAL_REPORT = "annual_report", _("annual report")

    class State(models.TextChoices):
        AWAITED = "awaited", _("awaited")
        DELIVERED = "delivered", _("delivered")

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="deliverables", verbose_name=_("project")
    )
    kind = models.CharField(_("kind"), max_length=24, choices=Kind.choices)
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    due_on = models.DateField(_("due on"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.AWAITED)
    source_ref = models.CharField(_("from"), max_length=32, blank=True, default="")
    content_hash = models.CharField(_("content hash"), max_length=64, blank=True, default="")
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    file = models.ForeignKey(
        StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("file")
    )

    class Meta:
        verbose_name = _("deliverable")
        verbose_name_plural = _("deliverables")
        ordering = ["project_id", "fiscal_year"]
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "fiscal_year"], name="deliverable_once"),
            models.CheckConstraint(
                name="deliverable_delivered_has_time",
                condition=Q(state="awaited", delivered_at__isnull=True)
                | (Q(state="delivered", delivered_at__isnull=False) & ~Q(content_hash="")),
            ),
        ]
        triggers = [fsm_trigger("deliverable_moves", DELIVERABLE_MOVES)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.fiscal_year}"
