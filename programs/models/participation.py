"""Who takes part: institutions in programs and projects, headquarters, members."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, Tenure
from common.sample import no_sample_on_real
from programs.models.program import Program
from programs.models.project import Project

_REAL_PROJECT = ("project_id", "programs_project")


class Participation(models.Model):
    """An institution's part: lead, partner or subcontractor of a project; centre hub, hub or spoke of a program."""

    class Role(models.TextChoices):
        LEAD = "lead", _("lead institution")
        PARTNER = "partner", _("partner")
        SUBCONTRACTOR = "subcontractor", _("subcontractor")
        CENTRE_HUB = "centre_hub", _("centre hub")
        HUB = "hub", _("hub")
        SPOKE = "spoke", _("spoke")

    program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="participations",
        verbose_name=_("program"),
    )  # fmt: skip
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.PROTECT, related_name="participations",
        verbose_name=_("project"),
    )  # fmt: skip
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="participations", verbose_name=_("organization")
    )
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        constraints = [
            models.CheckConstraint(
                name="participation_of_one",
                condition=Q(program__isnull=False, project__isnull=True)
                | Q(program__isnull=True, project__isnull=False),
            ),
            models.CheckConstraint(
                name="participation_role_fits",
                condition=Q(project__isnull=False, role__in=["lead", "partner", "subcontractor"])
                | Q(program__isnull=False, role__in=["centre_hub", "hub", "spoke"]),
            ),
            models.UniqueConstraint(
                fields=["project"], name="one_lead_institution", condition=Q(role="lead", ends_on__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["program"], name="one_centre_hub", condition=Q(role="centre_hub", ends_on__isnull=True)
            ),
        ]
        indexes = [models.Index(fields=["organization", "project"], name="participation_organization")]
        triggers = [
            no_sample_on_real(*_REAL_PROJECT, "organization_id", "accounts_organization"),
            no_sample_on_real("program_id", "programs_program", "organization_id", "accounts_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.organization} ({self.get_role_display()})"


class Headquarters(models.Model):
    """HQ: manages a Flagship project's network-type research base as a whole. Exactly one per Flagship project."""

    project = models.OneToOneField(
        Project, on_delete=models.PROTECT, related_name="headquarters", verbose_name=_("Flagship project")
    )

    class Meta:
        verbose_name = _("headquarters (HQ)")
        verbose_name_plural = _("headquarters (HQ)")

    def __str__(self) -> str:
        return f"HQ {self.project}"


class HQMember(Tenure):
    """Somebody who works at a project's HQ."""

    headquarters = models.ForeignKey(
        Headquarters, on_delete=models.PROTECT, related_name="members", verbose_name=_("headquarters (HQ)")
    )

    class Meta(Tenure.Meta):
        verbose_name = _("HQ member")
        verbose_name_plural = _("HQ members")


class ProjectMember(Tenure):
    """A principal investigator (研究代表者) or co-investigator (研究分担者) of a project."""

    class Role(models.TextChoices):
        PRINCIPAL_INVESTIGATOR = "principal_investigator", _("principal investigator")
        CO_INVESTIGATOR = "co_investigator", _("co-investigator")

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="members", verbose_name=_("project"))
    role = models.CharField(_("role"), max_length=24, choices=Role.choices)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("organization")
    )
    effort_percent = models.PositiveSmallIntegerField(
        _("effort (%)"), null=True, blank=True, validators=[MaxValueValidator(100)]
    )

    class Meta(Tenure.Meta):
        verbose_name = _("project member")
        verbose_name_plural = _("project members")
        constraints = [
            *Tenure.Meta.constraints,
            models.UniqueConstraint(
                fields=["project"],
                name="one_principal_investigator",
                condition=Q(role="principal_investigator", ends_on__isnull=True),
            ),
            models.CheckConstraint(
                name="projectmember_effort",
                condition=Q(effort_percent__isnull=True) | Q(effort_percent__lte=100),
            ),
        ]
        indexes = [models.Index(fields=["person", "project"], name="member_person_project")]
        triggers = [
            no_sample_on_real(*_REAL_PROJECT, "person_id", "accounts_person"),
            no_sample_on_real(*_REAL_PROJECT, "organization_id", "accounts_organization"),
        ]
