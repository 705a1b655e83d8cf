"""Cost categories in the admin: a look-up, the same for all programs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from common.admin import ActionAdmin
from programs.models import CostCategory


class CategoryAdmin(ActionAdmin):
    """Categories of costs; whether one is a direct cost decides what the indirect rate and the moving limit count."""

    list_display = ("ref", "position", "name_ja", "name_en", "is_direct")
    fields = ("ref", "position", "name_ja", "name_en", "is_direct")
    fixed = ("ref", "is_direct")
    ordering = ("position", "ref")

    def visible(self, user: Any) -> QuerySet[CostCategory]:
        """This function will return all."""
        return CostCategory.objects.all()
