"""Places where money is: a program, an agency's fund, an area, a project or an institution in a project."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from common.sample import no_sample_on_real
from programs.models.area import ResearchArea
from programs.models.program import Program
from programs.models.project import Project


class FundNode(models.Model):
    """A place where money is. What flows in and out of it are the edges."""

    class Kind(models.TextChoices):
        PROGRAM = "program", _("program")
        FUND = "fund", _("fund")
        AREA = "area", _("research area")
        PROJECT = "project", _("project")
        ORGANIZATION = "organization", _("organization")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    program = models.ForeignKey(Program, null=True, blank=True, on_delete=models.PROTECT, related_name="fund_nodes")
    area = models.ForeignKey(ResearchArea, null=True, blank=True, on_delete=models.PROTECT, related_name="fund_nodes")
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.PROTECT, related_name="fund_nodes")
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="fund_nodes"
    )

    class Meta:
        verbose_name = _("fund node")
        verbose_name_plural = _("fund nodes")
        constraints = [
            models.CheckConstraint(
                name="fund_node_fits_kind",
                condition=Q(kind="program", program__isnull=False, organization=None, area=None, project=None)
                | Q(kind="fund", program__isnull=False, organization__isnull=False, area=None, project=None)
                | Q(kind="area", area__isnull=False, program=None, project=None, organization=None)
                | Q(kind="project", project__isnull=False, program=None, area=None, organization=None)
                | Q(kind="organization", project__isnull=False, organization__isnull=False, program=None, area=None),
            ),
            models.UniqueConstraint(
                fields=["kind", "program", "area", "project", "organization"],
                name="fund_node_once",
                nulls_distinct=False,
            ),
        ]
        triggers = [
            no_sample_on_real("project_id", "programs_project", "organization_id", "accounts_organization"),
            no_sample_on_real("program_id", "programs_program", "organization_id", "accounts_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_sample(self) -> bool:
        """Whether the place belongs to sample data."""
        owner = self.program or self.area or self.project
        return bool(owner and owner.is_sample)
