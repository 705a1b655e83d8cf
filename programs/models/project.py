"""Projects (課題) of every kind, their award numbers, links and recusals."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Recusal, SampleMark
from common.identifiers import validate_award_number
from common.sample import same_sample_mark
from common.search import GinIndex, folded_column, grams_column
from common.states import fsm_trigger
from programs.models.area import ResearchArea
from programs.models.program import Program
from programs.states import PROJECT_MOVES


class Project(SampleMark):
    """One project. Its title may be unknown; then it is shown as 「領域1 基礎基盤研究 大阪大学 (ql1-b2)」."""

    class Kind(models.TextChoices):
        FLAGSHIP = "flagship", _("Flagship project")
        BASIC = "basic", _("basic research")
        HUMAN_RESOURCES = "human_resources", _("human resources")
        CENTRE = "centre", _("R&D centre")
        NETWORK_NODE = "network_node", _("network node")
        AWARD = "award", _("award")

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        STOPPED = "stopped", _("stopped")

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="projects", verbose_name=_("program"))
    area = models.ForeignKey(
        ResearchArea, null=True, blank=True, on_delete=models.PROTECT, related_name="projects",
        verbose_name=_("research area"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.RUNNING)
    title_ja = models.CharField(_("title (Japanese)"), max_length=300, blank=True, default="")
    title_en = models.CharField(_("title (English)"), max_length=300, blank=True, default="")
    theme_ja = models.TextField(_("theme"), blank=True, default="")
    theme_note = models.CharField(_("note on the theme"), max_length=300, blank=True, default="")
    target_trl = models.PositiveSmallIntegerField(_("target TRL"), null=True, blank=True)
    start_fiscal_year = models.PositiveSmallIntegerField(_("first fiscal year"), null=True, blank=True)
    end_fiscal_year = models.PositiveSmallIntegerField(_("last fiscal year"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=300, blank=True, default="")
    search_text = folded_column("title_ja", "title_en", "theme_ja", "ref")
    search_grams = grams_column("title_ja", "title_en", "theme_ja", "ref")

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["ref"]
        indexes = [
            GinIndex(fields=["search_grams"], name="project_grams"),
            models.Index(fields=["program", "ref"], name="project_program_ref"),
            models.Index(fields=["area", "ref"], name="project_area_ref"),
            models.Index(fields=["kind", "ref"], name="project_kind_ref"),
            models.Index(fields=["state", "ref"], name="project_state_ref"),
        ]
        constraints = [
            models.CheckConstraint(
                name="project_kind_known",
                condition=Q(kind__in=["flagship", "basic", "human_resources", "centre", "network_node", "award"]),
            ),
            models.CheckConstraint(
                name="project_state_known", condition=Q(state__in=["planned", "running", "finished", "stopped"])
            ),
            models.CheckConstraint(
                name="project_years_in_order",
                condition=Q(start_fiscal_year__isnull=True)
                | Q(end_fiscal_year__isnull=True)
                | Q(end_fiscal_year__gte=F("start_fiscal_year")),
            ),
            models.CheckConstraint(
                name="project_target_trl", condition=Q(target_trl__isnull=True) | Q(target_trl__range=(1, 9))
            ),
        ]
        triggers = [fsm_trigger("project_moves", PROJECT_MOVES), same_sample_mark("program_id", "programs_program")]

    def __str__(self) -> str:
        return self.title_ja or self.ref


class AwardNumber(models.Model):
    """A systematic number (体系的番号); several per project are normal."""

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="award_numbers", verbose_name=_("project")
    )
    number = models.CharField(_("award number"), max_length=20, unique=True, validators=[validate_award_number])

    class Meta:
        verbose_name = _("award number")
        verbose_name_plural = _("award numbers")
        ordering = ["number"]

    def __str__(self) -> str:
        return self.number


class ProjectComplement(models.Model):
    """A basic project complements a Flagship project."""

    basic = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="complements", verbose_name=_("basic project")
    )
    flagship = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="complemented_by", verbose_name=_("Flagship project")
    )
    note = models.CharField(_("note"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("complementing link")
        verbose_name_plural = _("complementing links")
        constraints = [
            models.UniqueConstraint(fields=["basic", "flagship"], name="complement_once"),
            models.CheckConstraint(name="complement_two_projects", condition=~Q(basic=F("flagship"))),
        ]

    def __str__(self) -> str:
        return f"{self.basic_id} > {self.flagship_id}"


class ProjectRecusal(Recusal):
    """A confirmed conflict of interest, written here from above: the person sees nothing of this project."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="recusals", verbose_name=_("project"))

    class Meta:
        verbose_name = _("recusal")
        verbose_name_plural = _("recusals")
        indexes = [models.Index(fields=["person", "project"], name="recusal_person_project")]
        constraints = [models.UniqueConstraint(fields=["person", "project", "source_ref"], name="recusal_once")]

    def __str__(self) -> str:
        return self.source_ref
