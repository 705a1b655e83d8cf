"""Conflicts in the admin: that they exist and where they stand, never whose they are, nor the evidence."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.admin import for_auditors
from common.admin import ViewAdmin, site
from evaluations.models import ConflictOfInterest
from evaluations.rules.conflicts import conflicts_visible
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


site.register(ConflictOfInterest, ConflictAdmin)
