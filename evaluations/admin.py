"""Conflicts in the admin: that they exist and where they stand, never whose they are, nor the evidence; their windows."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.admin import for_auditors
from common.admin import ViewAdmin, site
from evaluations.models import Admission, ConflictOfInterest, ConflictRule, Declaration
from evaluations.rules.admissions import admissions_visible
from evaluations.rules.conflicts import conflicts_visible
from evaluations.rules.declarations import declarations_visible
from programs.admin import KeptWithin
from programs.models import Project
from programs.rules import projects_visible


class ConflictAdmin(ViewAdmin):
    """Who is in conflict would tell who evaluates; settling it is done where the rules ask for the evidence."""

    list_display = ("ref", "project", "kind", "found", "state", "starts_on", "ends_on", "declared_at")
    list_select_related = ("project",)
    list_filter = ("state", "found")
    fields = ("ref", "project", "kind", "found", "state", "starts_on", "ends_on", "declared_at", "settled_at")
    ordering = ("-declared_at", "-id")
    search_fields = ("=ref", "=project__ref")

    def visible(self, user: Any) -> QuerySet[ConflictOfInterest]:
        """This function will return the conflicts of projects this reader sees; one's own not, if it excludes."""
        projects = Project.objects.filter(projects_visible(user))
        return ConflictOfInterest.objects.filter(conflicts_visible(user), project__in=projects)

    def journaled(self, user: Any) -> QuerySet[ConflictOfInterest]:
        """This function will give the journal rows, which name people, to auditors only."""
        return for_auditors(self.visible(user))(user)  # type: ignore[no-any-return]


class ConflictRuleAdmin(KeptWithin):
    """How far back a program's scheme looks for conflicts; holds for everything below the program."""

    constraint_words = {
        "conflict_rule_once": (
            "from_fiscal_year",
            _("There is a rule from this year. Change that one or choose another."),
        )
    }
    list_display = (
        "program", "from_fiscal_year", "same_unit_years", "joint_research_years", "coauthorship_years",
        "employment_years", "source",
    )  # fmt: skip
    list_display_links = ("from_fiscal_year",)
    list_select_related = ("program",)
    fields = list_display
    fixed = ("program", "from_fiscal_year")
    ordering = ("program__path", "-from_fiscal_year")


def _declarations(user: Any) -> QuerySet[Declaration]:
    return for_auditors(Declaration.objects.filter(declarations_visible(user)))(user)  # type: ignore[no-any-return]


def _admissions(user: Any) -> QuerySet[Admission]:
    return for_auditors(Admission.objects.filter(admissions_visible(user)))(user)  # type: ignore[no-any-return]


site.register(ConflictOfInterest, ConflictAdmin)
site.register(ConflictRule, ConflictRuleAdmin)
site.subjects["evaluations.declaration"] = _declarations
site.subjects["evaluations.admission"] = _admissions
