"""Every read of this app leaves here, already restricted to what the reader may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.search import columns_of_search, matches
from programs.models import (
    AreaDirector,
    BudgetLine,
    IndicatorObservation,
    IndicatorYearTotal,
    Milestone,
    OutcomeIndicator,
    Participation,
    Program,
    Project,
    ResearchArea,
    StageGate,
    TrlAssessment,
)
from programs.rules import areas_visible, programs_visible, projects_visible


def programs_visible_to(user: object) -> QuerySet[Program]:
    """This function will return the programs this user or client may see, in the order of the tree."""
    return Program.objects.filter(programs_visible(user)).order_by("path")


def areas_visible_to(user: object) -> QuerySet[ResearchArea]:
    """This function will return the areas this user or client may see."""
    return ResearchArea.objects.filter(areas_visible(user)).order_by("program__path", "number")


def projects_visible_to(user: object) -> QuerySet[Project]:
    """This function will return the projects this user or client may see, with what a list shows of each."""
    return (
        Project.objects.filter(projects_visible(user))
        .select_related("program", "area")
        .defer(*columns_of_search("program", "area"))
        .prefetch_related(lead_institutions())
        .order_by("ref")
    )


def lead_institutions(path: str = "participations") -> Prefetch:
    """This function will return the prefetch that gives each project its lead as `leads` (a list of one)."""
    return Prefetch(
        path,
        queryset=Participation.objects.filter(role="lead", ends_on__isnull=True).select_related("organization"),
        to_attr="leads",
    )


def project_label(project: Project) -> str:
    """This function will name a project: its title, else 「領域1 基礎基盤研究 大阪大学 (ql1-b2)」.

    Give it rows of `projects_visible_to`, which carry the area and the lead institution.
    """
    title = project.title_en if project.title_en and get_language() == "en" else project.title_ja
    if title:
        return title
    leads = getattr(project, "leads", None)
    if leads is None:
        leads = Participation.objects.filter(role="lead", ends_on__isnull=True, project=project).select_related(
            "organization"
        )
    area = [_("Area %(number)s") % {"number": project.area.number}] if project.area else []
    names = [*area, str(project.get_kind_display()), *(lead.organization.name for lead in leads)]
    return f"{' '.join(names)} ({project.ref})"


def search_programs(user: object, query: str) -> QuerySet[Program]:
    """This function will return the visible programs whose names contain every word of the query."""
    return programs_visible_to(user).filter(matches(query))


def search_areas(user: object, query: str) -> QuerySet[ResearchArea]:
    """This function will return the visible areas whose names contain every word of the query."""
    return areas_visible_to(user).filter(matches(query))


def search_projects(user: object, query: str) -> QuerySet[Project]:
    """This function will return the visible projects whose title, theme or lead institution contain the words."""
    by_institution = Participation.objects.filter(
        matches(query, folded="organization__search_text", grams="organization__search_grams"), role="lead"
    )
    return projects_visible_to(user).filter(matches(query) | Q(pk__in=by_institution.values("project_id")))


# Money as printed -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a parent prints beyond the sum of its children, for one kind and year; never adjusted."""

    fiscal_year: int
    kind: str
    amount_yen: int


def remainders(parent: Program, children: Iterable[Program]) -> list[Remainder]:
    """This function will return parent minus children for every figure the parent prints, where it is not zero.

    Integer yen. A parent without children with figures has no remainder: nothing is itemised at all. A child without
    a figure of that kind and year counts as nothing itemised. Both need `budget_lines` prefetched.
    """
    itemised: dict[tuple[int, str], int] = {}
    for child in children:
        for line in child.budget_lines.all():
            key = (line.fiscal_year, _comparable(line.kind))
            itemised[key] = itemised.get(key, 0) + line.amount_yen
    if not itemised:
        return []
    found = []
    for line in parent.budget_lines.all():
        rest = line.amount_yen - itemised.get((line.fiscal_year, _comparable(line.kind)), 0)
        if rest:
            found.append(Remainder(line.fiscal_year, line.kind, rest))
    return found


def _comparable(kind: str) -> str:
    # A year's proposal and its initial budget are the same figure at two dates.
    return "initial" if kind == BudgetLine.Kind.INITIAL_PROPOSAL else kind


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One program in the tree: how deep it stands, its budget lines and its remainders."""

    program: Program
    depth: int
    lines: list[BudgetLine]
    remainders: list[Remainder]
    project_count: int


def portfolio_tree(user: object) -> list[TreeRow]:
    """This function will return the visible programs in tree order with figures, remainders and project counts.

    A constant number of queries whatever the size of the tree. Program counts are printed facts and stay visible.
    """
    programs = list(
        programs_visible_to(user)
        .prefetch_related("budget_lines", "indicators__targets")
        .annotate(project_count=Count("projects", distinct=True))
    )
    children: dict[int | None, list[Program]] = {}
    for program in programs:
        children.setdefault(program.parent_id, []).append(program)
    for group in children.values():
        group.sort(key=lambda p: (p.position, p.path))
    known = {program.pk for program in programs}
    roots = sorted((p for p in programs if p.parent_id not in known), key=lambda p: (p.is_sample, p.position, p.path))
    rows: list[TreeRow] = []

    def visit(program: Program, depth: int) -> None:
        below = children.get(program.pk, [])
        rows.append(
            TreeRow(
                program,
                depth,
                list(program.budget_lines.all()),
                remainders(program, below),
                program.project_count,  # type: ignore[attr-defined]
            )
        )
        for child in below:
            visit(child, depth + 1)

    for root in roots:
        visit(root, 0)
    return rows


# One object -----------------------------------------------------------------------------------------------------------


def current_director(area: ResearchArea, on: object) -> AreaDirector | None:
    """This function will return the director whose term holds on this day."""
    return (
        AreaDirector.objects.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=on), area=area, starts_on__lte=on, approved_by__isnull=False
        )
        .select_related("person")
        .first()
    )


def gates_ahead(program_ids: Iterable[int], on: object) -> QuerySet[StageGate]:
    """This function will return the stage gates of these programs from this day on, soonest first."""
    return StageGate.objects.filter(program_id__in=list(program_ids), held_on__gte=on).order_by("held_on", "ref")


def year_totals(indicator_ids: Iterable[int]) -> QuerySet[IndicatorYearTotal]:
    """This function will return the indicators' totals by fiscal year and institution; corrections are in them."""
    return IndicatorYearTotal.objects.filter(indicator_id__in=list(indicator_ids), observation_count__gt=0)


def observations_visible_to(user: object) -> QuerySet[IndicatorObservation]:
    """This function will return the observations of the indicators this user or client may see, corrected ones too."""
    visible = Program.objects.filter(programs_visible(user))
    return IndicatorObservation.objects.filter(indicator__program__in=visible).order_by("pk")


def indicators_visible_to(user: object) -> QuerySet[OutcomeIndicator]:
    """This function will return the indicators of the programs this user or client may see."""
    return (
        OutcomeIndicator.objects.filter(program__in=Program.objects.filter(programs_visible(user)))
        .select_related("program")
        .prefetch_related("targets")
        .order_by("ref")
    )


def milestones_visible_to(user: object) -> QuerySet[Milestone]:
    """This function will return the milestones of the projects this user or client may see."""
    visible = Project.objects.filter(projects_visible(user))
    return Milestone.objects.filter(project__in=visible).select_related("project").order_by("project__ref", "number")


def claims_visible_to(user: object) -> QuerySet[TrlAssessment]:
    """This function will return the levels on record of the projects this user or client may see."""
    return TrlAssessment.objects.filter(project__in=Project.objects.filter(projects_visible(user))).order_by("pk")


def budget_lines_visible_to(user: object) -> QuerySet[BudgetLine]:
    """This function will return the budget lines of the programs this user or client may see."""
    return (
        BudgetLine.objects.filter(program__in=Program.objects.filter(programs_visible(user)))
        .select_related("program")
        .order_by("program__ref", "-fiscal_year", "kind")
    )
