"""TRL criteria in the admin: a look-up, the same for all programs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from common.admin import ActionAdmin, VisibleFilter
from programs.models import TrlCriterion


class CriterionAdmin(ActionAdmin):
    """What has to be shown for a level. Evidence keeps the wording of its day."""

    constraint_words = {
        "trl_criterion_once": ("position", _("The level has a criterion at this position. Choose another number."))
    }

    list_display = ("level", "position", "name_ja", "name_en")
    list_display_links = ("position",)
    list_select_related = ("level__scale",)
    list_filter = (("level__scale", VisibleFilter),)
    fields = ("level", "position", "name_ja", "name_en")
    fixed = ("level",)
    ordering = ("level__scale__ref", "level__number", "position")

    def visible(self, user: Any) -> QuerySet[TrlCriterion]:
        """This function will return all."""
        return TrlCriterion.objects.all()
