"""Programs in the admin: look-ups and terms are changed, what the portfolio and the projects say is only shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin import ApprovalFilter, TenureAdmin, for_auditors
from accounts.grants import grants_of
from common.admin import ActionAdmin, ViewAdmin, VisibleFilter, site
from programs import models as tables
from programs.admin_money import CategoryAdmin
from programs.admin_trl import CriterionAdmin
from programs.models import Program, Project, ResearchArea
from programs.queries import lead_institutions, project_label
from programs.queries.allocations import allocations_visible_to
from programs.rules import NOTHING, areas_visible, programs_visible, projects_visible
from programs.rules.scope import scope_of

#: Which field, or path of fields, leads from a record to what decides about its visibility.
PROGRAM, AREA, PROJECT = "program", "area", "project"


def programs_kept_by(user: Any) -> Q:
    """This function will return the condition for the programs whose look-ups this person keeps: those they staff."""
    person_id = grants_of(user).person_id
    return NOTHING if person_id is None else Q(pk__in=scope_of(user).ministry)


def keys_of(owner: Any, condition: Any, user: Any) -> Any:
    """This function will return the keys of the programs or areas that fulfil a condition of this user, read once.

    They are few, and one page asks for many tables by them; like the grants they are kept on the user, for one
    request. Projects are many: they stay a condition inside the SQL.
    """
    if owner is Project:
        return Project.objects.filter(condition(user)).values("pk")
    found = getattr(user, "_keys", None)
    if found is None:
        found = user._keys = {}
    if condition not in found:
        found[condition] = list(owner.objects.filter(condition(user)).order_by().values_list("pk", flat=True))
    return found[condition]


def seen(owner: Any, user: Any) -> Any:
    """This function will return the keys of the programs, areas or projects that this reader sees."""
    return keys_of(
        owner, {Program: programs_visible, ResearchArea: areas_visible, Project: projects_visible}[owner], user
    )


def kept(user: Any) -> Any:
    """This function will return the keys of the programs whose look-ups this person keeps."""
    return keys_of(Program, programs_kept_by, user)


class Within(ViewAdmin):
    """Rows that belong to a program, an area or a project, and are seen with it."""

    #: The path to the owner, and what the owner is.
    path = PROGRAM
    owner: Any = Program

    def visible(self, user: Any) -> QuerySet[Any]:
        """This function will return the rows whose owner this reader sees."""
        return rows_within(self.model, self.path, self.owner, user)


def rows_within(model: Any, path: str, owner: Any, user: Any) -> QuerySet[Any]:
    """This function will return the rows of a table whose program, area or project this reader sees."""
    return model._default_manager.filter(**{f"{path}__in": seen(owner, user)})  # type: ignore[no-any-return]


class KeptWithin(Within, ActionAdmin):
    """Look-ups of a program, kept by the staff of that program."""

    def writable(self, user: Any) -> QuerySet[Any]:
        """This function will return the rows of the programs this person staffs."""
        to_program = self.path if self.owner is Program else f"{self.path}__program"
        return self.visible(user).filter(**{f"{to_program}__in": kept(user)})

    def related(self, field: Any, user: Any) -> QuerySet[Any]:
        """This function will offer the programs, areas and projects this person keeps."""
        model, rows = field.remote_field.model, super().related(field, user)
        if model is Program:
            return rows.filter(pk__in=kept(user))
        if model in (ResearchArea, Project, tables.OutcomeIndicator):
            return rows.filter(program__in=kept(user))
        return rows


# Shown ----------------------------------------------------------------------------------------------------------------


class ProgramAdmin(ViewAdmin):
    """The tree of programs, as the portfolio file says."""

    list_display = ("ref", "name_ja", "kind", "parent", "start_fiscal_year", "end_fiscal_year", "is_sample")
    list_select_related = ("parent",)
    list_filter = ("kind", "is_sample")
    fields = (
        "ref", "name_ja", "name_en", "kind", "parent", "start_fiscal_year", "end_fiscal_year", "max_duration_years",
        "area_scale_min_yen", "area_scale_max_yen", "source", "is_sample",
    )  # fmt: skip
    ordering = ("path",)
    search_fields = ("search_text",)
    grams = "search_grams"

    def visible(self, user: Any) -> QuerySet[Program]:
        """This function will return the programs this reader sees."""
        return Program.objects.filter(pk__in=seen(Program, user))


class AreaAdmin(Within):
    """Research areas."""

    list_display = ("ref", "program", "number", "name_ja", "joined_on", "left_on", "is_sample")
    list_select_related = ("program",)
    list_filter = (("program", VisibleFilter), "is_sample")
    fields = (
        "ref", "program", "number", "name_ja", "name_en", "joined_on", "left_on", "flagship_count", "basic_count",
        "human_resources_count", "source", "is_sample",
    )  # fmt: skip
    ordering = ("program__path", "number")
    search_fields = ("search_text",)
    grams = "search_grams"


class ProjectAdmin(ViewAdmin):
    """Projects: their states are moved in the portal."""

    list_display = ("ref", "label", "program", "area", "kind", "state", "is_sample")
    list_select_related = ("program", "area")
    list_filter = ("kind", "state", ("program", VisibleFilter), "is_sample")
    fields = (
        "ref", "title_ja", "title_en", "program", "area", "kind", "state", "theme_ja", "target_trl",
        "start_fiscal_year", "end_fiscal_year", "source", "is_sample",
    )  # fmt: skip
    ordering = ("ref",)
    sortable_by = ("ref",)
    search_fields = ("search_text",)
    grams = "search_grams"

    def visible(self, user: Any) -> QuerySet[Project]:
        """This function will return the projects this reader sees; a recusal beats every role."""
        return Project.objects.filter(projects_visible(user))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """This function will read what names an untitled project along."""
        return super().get_queryset(request).prefetch_related(lead_institutions())

    @admin.display(description=_("title"))
    def label(self, project: Project) -> str:
        """This function will name the project."""
        return project_label(project)


class BudgetLineAdmin(Within):
    """Figures as printed."""

    list_display = ("program", "fiscal_year", "kind", "amount_yen", "printed_unit", "is_estimate", "is_new", "note")
    list_select_related = ("program",)
    list_filter = (("program", VisibleFilter), "kind")
    fields = (
        "program", "fiscal_year", "kind", "amount_yen", "printed_unit", "is_estimate", "includes_predecessor",
        "is_new", "is_reduction", "tax_included", "management_grant", "note", "source",
    )  # fmt: skip
    ordering = ("program__path", "-fiscal_year", "kind")


class ObservationAdmin(Within):
    """Counted values: only ever added, over the API. Millions of them."""

    path = "indicator__program"
    list_display = ("id", "indicator", "organization", "fiscal_year", "value", "observed_on", "sender", "corrects_id")
    list_select_related = ("indicator", "organization")
    fields = (
        "indicator", "organization", "fiscal_year", "value", "observed_on", "source", "sender", "external_id",
        "corrects", "recorded_at",
    )  # fmt: skip
    list_filter = (("indicator", VisibleFilter),)
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("indicator__ref",)
    search_help_text = _("The whole reference of an indicator, or a part of its name.")

    def journaled(self, user: Any) -> QuerySet[Any]:
        """This function will return none: what came in is told with the indicator, not with each of a million values."""
        return self.model._default_manager.none()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """This function will find the indicators first; an index leads from them to their values."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Q(ref=term) | Q(name_ja__icontains=term) | Q(name_en__icontains=term)
        found = site.visible(tables.OutcomeIndicator, request.user).filter(named).order_by()
        return queryset.filter(indicator_id__in=list(found.values_list("pk", flat=True)[:500])), False


class OfProject(Within):
    """Records of a project: found by its reference, seen with it."""

    path, owner = PROJECT, Project
    list_select_related: Any = ("project",)
    search_fields = ("=project__ref",)
    search_help_text = _("The whole reference of a project.")
    ordering = ("-id",)
    sortable_by = ()


class MilestoneAdmin(OfProject):
    """Milestones."""

    list_display = ("project", "number", "title", "planned_on", "reached_on")
    fields = ("project", "number", "title", "criterion", "planned_on", "reached_on")


class AssessmentAdmin(OfProject):
    """TRL: claimed and assessed levels, only ever added."""

    list_display = ("project", "kind", "level", "on", "by_label")
    list_select_related = ("project", "level")
    list_filter = ("kind",)
    fields = ("project", "kind", "level", "on", "evidence", "by_label")


class DeliverableAdmin(OfProject):
    """What the plan asks for, and whether it has been delivered."""

    list_display = ("project", "kind", "fiscal_year", "due_on", "state", "delivered_at")
    list_filter = ("kind", "state")
    fields = ("project", "kind", "fiscal_year", "due_on", "state", "delivered_at", "content_hash", "source_ref")


class AwardNumberAdmin(OfProject):
    """Award numbers."""

    list_display = ("number", "project")
    fields = ("number", "project")
    search_fields = ("=number", "=project__ref")
    search_help_text = _("A whole award number, or the whole reference of a project.")


# Changed --------------------------------------------------------------------------------------------------------------


class AgencyAdmin(KeptWithin):
    """Which agency runs which program: its people and machines see it from then on."""

    list_display = ("program", "organization", "source")
    list_select_related = ("program", "organization")
    list_filter = (("program", VisibleFilter),)
    fields = ("program", "organization", "source")
    fixed = ("program", "organization")
    autocomplete_fields = ("organization",)
    ordering = ("program__path", "id")


class InstitutionAdmin(KeptWithin):
    """The institutions of an infrastructure (ARIM's hubs and spokes); whose values its indicators take."""

    constraint_words = {
        "participation_of_one": ("program", _("Choose the program.")),
        "participation_role_fits": ("role", _("Choose centre hub, hub or spoke.")),
        "one_centre_hub": ("role", _("There is a centre hub already. End its part first.")),
    }
    list_display = ("program", "organization", "role", "starts_on", "ends_on")
    list_select_related = ("program", "organization")
    list_filter = (("program", VisibleFilter), "role")
    fields = ("program", "organization", "role", "starts_on", "ends_on")
    fixed = ("program", "organization")
    autocomplete_fields = ("organization",)
    ordering = ("program__path", "id")


class GateAdmin(KeptWithin):
    """Stage gates of a program."""

    list_display = ("ref", "program", "name_ja", "held_on")
    list_select_related = ("program",)
    list_filter = (("program", VisibleFilter),)
    fields = ("ref", "program", "name_ja", "name_en", "held_on", "criteria")
    fixed = ("ref", "program")
    ordering = ("held_on", "ref")
    search_fields = ("name_ja", "name_en", "=ref")


class RuleAdmin(KeptWithin):
    """What a scheme lays down about money; holds for everything below the program."""

    constraint_words = {
        "funding_rule_once": (
            "from_fiscal_year",
            _("There is a rule from this year. Change that one or choose another."),
        )
    }
    list_display = ("program", "from_fiscal_year", "indirect_cost_percent", "moving_limit_percent", "source")
    list_display_links = ("from_fiscal_year",)
    list_select_related = ("program",)
    fields = ("program", "from_fiscal_year", "indirect_cost_percent", "moving_limit_percent", "source")
    fixed = ("program", "from_fiscal_year")
    ordering = ("program__path", "-from_fiscal_year")


class IndicatorAdmin(KeptWithin):
    """What is counted."""

    list_display = ("ref", "program", "name_ja", "kind", "unit", "direction", "period")
    list_select_related = ("program",)
    list_filter = (("program", VisibleFilter), "kind")
    fields = ("ref", "program", "name_ja", "name_en", "kind", "unit", "direction", "period", "source")
    fixed = ("ref", "program", "unit", "direction", "period")
    ordering = ("program__path", "ref")
    search_fields = ("name_ja", "name_en", "=ref")


class TargetAdmin(KeptWithin):
    """What is to be reached."""

    path = "indicator__program"
    list_display = ("indicator", "term_ja", "value", "calendar_year", "is_approximate")
    list_select_related = ("indicator",)
    fields = ("indicator", "term_ja", "value", "calendar_year", "is_approximate")
    fixed = ("indicator",)
    autocomplete_fields = ("indicator",)
    ordering = ("indicator__ref", "calendar_year")
    search_fields = ("indicator__name_ja", "=indicator__ref")


class ScaleAdmin(ActionAdmin):
    """TRL scales, the same for all programs."""

    constraint_words = {
        "one_default_scale": ("is_default", _("Another scale is the default one. Take the mark away there first."))
    }

    list_display = ("ref", "name_ja", "is_default", "source")
    fields = ("ref", "name_ja", "name_en", "is_default", "source")
    fixed = ("ref",)
    ordering = ("ref",)

    def visible(self, user: Any) -> QuerySet[tables.TrlScale]:
        """This function will return all."""
        return tables.TrlScale.objects.all()


class LevelAdmin(ActionAdmin):
    """Levels and their wording."""

    constraint_words = {"trl_level_range": ("number", _("Enter a level from 1 to 9."))}

    list_display = ("scale", "number", "name_ja", "name_en", "is_provisional_translation")
    list_display_links = ("number",)
    list_select_related = ("scale",)
    list_filter = (("scale", VisibleFilter),)
    fields = ("scale", "number", "name_ja", "name_en", "is_provisional_translation")
    fixed = ("scale", "number")
    ordering = ("scale__ref", "number")

    def visible(self, user: Any) -> QuerySet[tables.TrlLevel]:
        """This function will return all."""
        return tables.TrlLevel.objects.all()


# Terms ----------------------------------------------------------------------------------------------------------------


class StaffAdmin(TenureAdmin):
    """Who works for a program. The names of programs are public, so that the first officer can be entered."""

    scope = ("program", "role")
    list_filter = (ApprovalFilter, ("program", VisibleFilter), "role")

    def visible(self, user: Any) -> QuerySet[tables.ProgramStaff]:
        """This function will return all."""
        return tables.ProgramStaff.objects.all()

    def related(self, field: Any, user: Any) -> QuerySet[Any]:
        """This function will offer every program."""
        return Program.objects.order_by("path") if field.name == PROGRAM else super().related(field, user)


class TermAdmin(KeptWithin, TenureAdmin):
    """A term in an area or at a project, granted by the staff of its program."""

    path, owner = AREA, ResearchArea
    scope: tuple[str, ...] = (AREA,)
    constraint_words = {"one_director_at_a_time": ("starts_on", "")}


class AdviserAdmin(TermAdmin):
    """Supervisors and advisers of a network lab's area."""

    scope = (AREA, "capacity")


class DeputyAdmin(TermAdmin):
    """Somebody who stands in for a director or an officer."""

    constraint_words = {
        "deputy_of_one_role": ("director", _("Choose either a director or an officer.")),
        "deputy_has_an_end": ("ends_on", _("Enter the last day: somebody stands in for a time.")),
    }

    scope = ("director", "officer")
    along = ("director__person", "director__area", "officer__person", "officer__area")

    def visible(self, user: Any) -> QuerySet[tables.Deputy]:
        """This function will return the deputies in visible areas."""
        areas = seen(ResearchArea, user)
        return tables.Deputy.objects.filter(Q(director__area__in=areas) | Q(officer__area__in=areas))

    def writable(self, user: Any) -> QuerySet[tables.Deputy]:
        """This function will return the deputies in programs this person staffs."""
        mine = Q(director__area__program__in=kept(user)) | Q(officer__area__program__in=kept(user))
        return self.visible(user).filter(mine)

    def related(self, field: Any, user: Any) -> QuerySet[Any]:
        """This function will offer the terms of the programs this person staffs."""
        rows = super().related(field, user)
        if field.name in ("director", "officer"):
            return rows.filter(area__program__in=kept(user)).select_related("person", "area")
        return rows


class MemberAdmin(TermAdmin):
    """Principal and co-investigators."""

    constraint_words = {
        "one_principal_investigator": ("role", _("The project has a principal investigator. End that role first."))
    }

    path, owner = PROJECT, Project
    scope = (PROJECT, "role", "organization", "effort_percent")
    search_fields = (*TenureAdmin.search_fields, "=project__ref")


class HQMemberAdmin(TermAdmin):
    """People at a project's HQ."""

    path, owner = "headquarters__project", Project
    scope = ("headquarters",)
    along = ("headquarters__project",)

    def related(self, field: Any, user: Any) -> QuerySet[Any]:
        """This function will read the projects along that name the HQs."""
        rows = super().related(field, user)
        return rows.select_related(PROJECT) if field.name == "headquarters" else rows


class HeadquartersAdmin(OfProject):
    """The HQ of a Flagship project."""

    list_display = ("id", "project")
    fields = ("project",)


site.register(Program, ProgramAdmin)
site.register(ResearchArea, AreaAdmin)
site.register(Project, ProjectAdmin)
site.register(tables.BudgetLine, BudgetLineAdmin)
site.register(tables.IndicatorObservation, ObservationAdmin)
site.register(tables.Milestone, MilestoneAdmin)
site.register(tables.TrlAssessment, AssessmentAdmin)
site.subjects["programs.benchmark"] = for_auditors(tables.Benchmark.objects)
site.subjects["programs.allocation"] = allocations_visible_to
site.register(tables.Deliverable, DeliverableAdmin)
site.register(tables.AwardNumber, AwardNumberAdmin)
site.register(tables.Headquarters, HeadquartersAdmin)
site.register(tables.ProgramAgency, AgencyAdmin)
site.register(tables.Participation, InstitutionAdmin)
site.register(tables.StageGate, GateAdmin)
site.register(tables.FundingRule, RuleAdmin)
site.register(tables.CostCategory, CategoryAdmin)
site.register(tables.OutcomeIndicator, IndicatorAdmin)
site.register(tables.IndicatorTarget, TargetAdmin)
site.register(tables.TrlScale, ScaleAdmin)
site.register(tables.TrlLevel, LevelAdmin)
site.register(tables.TrlCriterion, CriterionAdmin)
site.register(tables.ProgramStaff, StaffAdmin)
site.register(tables.AreaDirector, TermAdmin)
site.register(tables.AreaOfficer, TermAdmin)
site.register(tables.AreaAdviser, AdviserAdmin)
site.register(tables.Deputy, DeputyAdmin)
site.register(tables.ProjectMember, MemberAdmin)
site.register(tables.HQMember, HQMemberAdmin)


def _participations(user: Any) -> QuerySet[tables.Participation]:
    return tables.Participation.objects.filter(Q(program__in=seen(Program, user)) | Q(project__in=seen(Project, user)))


# Tables without an admin, about which the journal may have rows. Who is in conflict is for auditors only.
site.subjects["programs.participation"] = _participations
for _table in (tables.PolicyBasis, tables.UnpricedItem, tables.Emphasis):
    site.subjects[_table._meta.label_lower] = lambda user, t=_table: rows_within(t, PROGRAM, Program, user)  # type: ignore[misc]


def _recusals(user: Any) -> QuerySet[tables.ProjectRecusal]:
    return for_auditors(rows_within(tables.ProjectRecusal, PROJECT, Project, user))(user)  # type: ignore[no-any-return]


site.subjects["programs.projectrecusal"] = _recusals
