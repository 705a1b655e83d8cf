"""The vision-driven scheme in the admin: shown as the portfolio file says."""

from __future__ import annotations

from calls.models import Concept, ConceptItem, SupportedTechnology, Vision
from common.admin import VisibleFilter, site
from programs.admin import Within


class VisionAdmin(Within):
    """Visions."""

    list_display = ("ref", "name_ja", "program", "decided_month", "technology_count")
    list_select_related = ("program",)
    fields = ("ref", "name_ja", "name_en", "program", "decided_month", "technology_count", "domains_ja", "sources")
    ordering = ("decided_month", "ref")


class TechnologyAdmin(Within):
    """Technologies the scheme supports."""

    list_display = ("ref", "name_ja", "program", "vision", "domain_ja")
    list_select_related = ("program", "vision")
    list_filter = (("vision", VisibleFilter),)
    fields = ("ref", "name_ja", "name_en", "program", "vision", "domain_ja", "sources")
    ordering = ("ref",)
    search_fields = ("name_ja", "name_en", "=ref")


class ConceptAdmin(Within):
    """Concepts, with their agency, ceiling and period."""

    list_display = ("ref", "name_ja", "program", "agency", "type_ja", "ceiling_yen")
    list_select_related = ("program", "agency")
    fields = (
        "ref", "name_ja", "name_en", "program", "agency", "type_ja", "ceiling_yen", "ceiling_scope", "period_from",
        "period_to", "period_years", "period_is_approximate", "sources",
    )  # fmt: skip
    ordering = ("ref",)
    search_fields = ("search_text",)
    grams = "search_grams"


class ItemAdmin(Within):
    """Items of a concept."""

    path = "concept__program"
    list_display = ("concept", "numbers", "ceiling_yen", "period_from", "period_to")
    list_select_related = ("concept",)
    fields = ("concept", "numbers", "ceiling_yen", "period_from", "period_to")
    ordering = ("concept__ref", "numbers")


site.register(Vision, VisionAdmin)
site.register(SupportedTechnology, TechnologyAdmin)
site.register(Concept, ConceptAdmin)
site.register(ConceptItem, ItemAdmin)
