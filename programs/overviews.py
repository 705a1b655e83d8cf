"""What one page shows of a program, an area or a project, read in a constant number of queries.

The subject comes from a visible queryset; everything listed here of *other* objects is restricted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BooleanField,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    Window,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce, JSONObject, RowNumber, StrIndex
from django.utils.translation import get_language

from accounts.models import Organization
from accounts.queries import grants_of
from programs.figures import IndicatorSheet, indicator_sheets
from programs.models import (
    AreaAdviser,
    AreaDirector,
    AwardNumber,
    BudgetLine,
    Emphasis,
    FundEdge,
    HQMember,
    Milestone,
    Participation,
    PolicyBasis,
    Program,
    ProgramAgency,
    Project,
    ProjectComplement,
    ProjectMember,
    ResearchArea,
    StageGate,
    TrlAssessment,
    TrlLevel,
    UnpricedItem,
)
from programs.queries import (
    Remainder,
    programs_visible_to,
    projects_visible_to,
    remainders,
    search_projects,
)
from programs.queries.kinds import KindFigures, all_figures, figures_by_area
from programs.queries.money import MoneyByYear, money_years
from programs.queries.trl import unanswered
from programs.rules import (
    EVERYTHING,
    OFFICE_ROLES,
    programs_visible,
    projects_led_by,
    projects_seen_whole,
    projects_visible,
)

PERSON_NAMES = JSONObject(name_ja="person__name_ja", name_en="person__name_en")

# Programs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area with who directs or supervises it today and how many of its projects are registered, by kind."""

    area: ResearchArea
    director: str
    supervisor: str
    adviser_count: int
    figures: KindFigures

    @property
    def counts(self) -> dict[str, int]:
        return self.figures.counts

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class ProgramSheet:
    """Everything one program page shows; what its kind does not have stays empty and is not read."""

    program: Program
    ancestors: list[dict[str, str]]
    children: list[Program]
    remainders: list[Remainder]
    lines: list[BudgetLine]
    basis: list[PolicyBasis]
    indicators: list[IndicatorSheet]
    unpriced: list[UnpricedItem] = field(default_factory=list)
    emphases: list[Emphasis] = field(default_factory=list)
    agencies: list[ProgramAgency] = field(default_factory=list)
    participations: list[Participation] = field(default_factory=list)
    areas: list[AreaRow] = field(default_factory=list)
    gates: list[StageGate] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)

    @property
    def figures(self) -> KindFigures:
        """What hangs on the projects of all areas."""
        return all_figures(row.figures for row in self.areas)

    def count(self, kind: str) -> int:
        """This function will return how many projects of a kind the reader may see in the areas."""
        return sum(row.counts.get(kind, 0) for row in self.areas)


def programs_in_full(user: object) -> QuerySet[Program]:
    """This function will return the visible programs, each with `ancestors`: ref and names from the root down."""
    above = (
        Program.objects.filter(programs_visible(user), ~Q(pk=OuterRef("pk")))
        .alias(at=StrIndex(OuterRef("path"), F("path")))
        .filter(at=1)
        .order_by("path")
    )
    names = JSONObject(ref="ref", name_ja="name_ja", name_en="name_en")
    return programs_visible_to(user).annotate(ancestors=ArraySubquery(above.values(json=names)))


def program_sheet(user: object, program: Program, on: date) -> ProgramSheet:
    """This function will read one row of `programs_in_full`, and what its kind has."""
    prefetch_related_objects([program], "budget_lines", "policy_basis")
    kind = Program.Kind(program.kind)
    children = _children(user, program) if kind in (Program.Kind.PACKAGE, Program.Kind.UMBRELLA) else []
    parts: dict[str, list[Any]] = {}
    if children:
        parts["unpriced"] = list(program.unpriced_items.all())
    if kind in (Program.Kind.FLAGSHIP_BASIC, Program.Kind.STRATEGIC_BASIC):
        figures = figures_by_area(projects_visible_to(user).filter(program=program))
        parts["areas"] = _area_rows(program, on, figures)
    if kind == Program.Kind.FLAGSHIP_BASIC:
        parts["emphases"] = list(program.emphases.all())
        parts["gates"] = list(program.gates.order_by("held_on", "ref"))
    if kind == Program.Kind.STRATEGIC_BASIC:
        parts["agencies"] = list(program.agencies.select_related("organization"))
    if kind in (Program.Kind.INFRASTRUCTURE, Program.Kind.DATA_ECOSYSTEM):
        parts["participations"] = list(
            program.participations.filter(ends_on__isnull=True).select_related("organization")
        )
    if kind in (Program.Kind.RD_CENTRES, Program.Kind.VISION_DRIVEN):
        parts["projects"] = list(projects_visible_to(user).filter(program=program)[:100])
    return ProgramSheet(
        program=program,
        ancestors=program.ancestors,  # type: ignore[attr-defined]
        children=[child for child in children if child.is_visible],  # type: ignore[attr-defined]
        remainders=remainders(program, children),
        lines=list(program.budget_lines.all()),
        basis=list(program.policy_basis.all()),
        indicators=indicator_sheets([program]),
        **parts,
    )


def _children(user: object, program: Program) -> list[Program]:
    """All of them, since a remainder is of all printed figures; only those the reader may see are shown."""
    visible = Program.objects.filter(programs_visible(user), pk=OuterRef("pk"))
    return list(
        program.children.annotate(is_visible=Exists(visible))
        .prefetch_related("budget_lines")
        .order_by("position", "path")
    )


def _area_rows(program: Program, on: date, figures: Mapping[int, KindFigures]) -> list[AreaRow]:
    advisers = AreaAdviser.objects.filter(_on(on), area=OuterRef("pk"))
    supervisor = advisers.filter(capacity=AreaAdviser.Capacity.SUPERVISOR)
    others = advisers.filter(capacity=AreaAdviser.Capacity.ADVISER).order_by().values("area")
    areas = program.areas.annotate(
        director_names=Subquery(directors_on(on).filter(area=OuterRef("pk")).values(json=PERSON_NAMES)[:1]),
        supervisor_names=Subquery(supervisor.values(json=PERSON_NAMES)[:1]),
        advisers_now=Coalesce(Subquery(others.annotate(number=Count("pk")).values("number")), 0),
    ).order_by("number")
    return [
        AreaRow(
            area,
            in_language(area.director_names),  # type: ignore[attr-defined]
            in_language(area.supervisor_names),  # type: ignore[attr-defined]
            area.advisers_now,  # type: ignore[attr-defined]
            figures.get(area.pk, KindFigures()),
        )
        for area in areas
    ]


def directors_on(on: date) -> QuerySet[AreaDirector]:
    """This function will return the directors' terms that hold on this day."""
    return AreaDirector.objects.filter(_on(on), approved_by__isnull=False)


def _on(on: date) -> Q:
    return Q(Q(ends_on__isnull=True) | Q(ends_on__gte=on), starts_on__lte=on)


def in_language(names: dict[str, str] | None) -> str:
    """This function will choose the name in the reader's language; blank when there is none."""
    if not names:
        return ""
    return names["name_en"] if names["name_en"] and get_language() == "en" else names["name_ja"]


# Areas ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrlStand:
    """Where a project stands on the scale: latest plan, claim and assessment."""

    project: Project
    planned: TrlAssessment | None
    claimed: TrlAssessment | None
    assessed: TrlAssessment | None


#: More of one kind than this are counted and linked to, not listed on the area's page.
LISTED_OF_A_KIND = 50


@dataclass(frozen=True, slots=True)
class AreaSheet:
    """Everything one area page shows; `figures` counts the projects that the reader may see, listed or not."""

    area: ResearchArea
    directors: list[AreaDirector]
    figures: KindFigures
    projects: list[TrlStand]
    allocations: list[tuple[int, int]]
    gates: list[StageGate]
    complements: list[tuple[Project, list[Project]]]


def area_sheet(user: object, area: ResearchArea) -> AreaSheet:
    """This function will read one area; its projects and links are those the reader may see."""
    visible = projects_visible_to(user).filter(area=area)
    rank = Window(RowNumber(), partition_by="kind", order_by="ref")
    projects = list(
        visible.alias(rank=rank)
        .filter(rank__lte=LISTED_OF_A_KIND)
        .prefetch_related(Prefetch("trl_assessments", TrlAssessment.objects.select_related("level")))
    )
    by_id = {project.pk: project for project in projects}
    links: dict[int, list[Project]] = {}
    for basic_id, flagship_id in ProjectComplement.objects.filter(basic__in=by_id, flagship__in=by_id).values_list(
        "basic_id", "flagship_id"
    ):
        links.setdefault(flagship_id, []).append(by_id[basic_id])
    allocations = (
        FundEdge.objects.filter(target__area=area, kind=FundEdge.Kind.ALLOCATION, status=FundEdge.Status.IN_FORCE)
        .values_list("fiscal_year")
        .annotate(total=Sum("amount_yen"))
        .order_by("fiscal_year")
    )
    return AreaSheet(
        area=area,
        directors=list(
            area.directors.filter(approved_by__isnull=False).select_related("person").order_by("-starts_on")
        ),
        figures=figures_by_area(visible).get(area.pk, KindFigures()),
        projects=[trl_stand(project) for project in projects],
        allocations=list(allocations),
        gates=list(StageGate.objects.filter(program_id=area.program_id).order_by("held_on", "ref")),
        complements=[(project, links[project.pk]) for project in projects if project.pk in links],
    )


def trl_stand(project: Project) -> TrlStand:
    """This function will pick the latest of each kind; needs `trl_assessments` prefetched."""
    latest = {one.kind: one for one in project.trl_assessments.all()}
    return TrlStand(project, latest.get("planned"), latest.get("claimed"), latest.get("assessed"))


# Projects -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProjectSheet:
    """Everything the first page of a project shows, apart from its reports."""

    project: Project
    trl: list[TrlAssessment]
    milestones: list[Milestone]
    gates: list[StageGate]
    money: list[MoneyByYear] = field(default_factory=list)
    linked: list[Project] = field(default_factory=list)
    partners: list[Participation] = field(default_factory=list)
    award_numbers: list[str] = field(default_factory=list)
    principal: str = ""
    has_headquarters: bool = False

    def points(self, kind: str) -> list[TrlAssessment]:
        """This function will return the assessments of one kind in the order of their dates."""
        return [one for one in self.trl if one.kind == kind]

    def latest(self, kind: str) -> TrlAssessment | None:
        """This function will return the newest assessment of one kind."""
        return next(iter(reversed(self.points(kind))), None)


def projects_in_full(user: object, on: date) -> QuerySet[Project]:
    """This function will return the visible projects with their award numbers, principal investigator and HQ."""
    principal = ProjectMember.objects.filter(
        _on(on), project=OuterRef("pk"), role=ProjectMember.Role.PRINCIPAL_INVESTIGATOR
    )
    numbers = AwardNumber.objects.filter(project=OuterRef("pk")).order_by("number")
    return projects_visible_to(user).annotate(
        award_list=ArraySubquery(numbers.values("number")),
        principal_names=Subquery(principal.values(json=PERSON_NAMES)[:1]),
        has_headquarters=Exists(HQMember.objects.filter(_on(on), headquarters__project=OuterRef("pk"))),
        is_seen_whole=ExpressionWrapper(_seen_whole(user), output_field=BooleanField()),
    )


def _seen_whole(user: object) -> Q:
    return EVERYTHING if grants_of(user).person_id is None else projects_seen_whole(user)


def project_sheet(user: object, project: Project) -> ProjectSheet:
    """This function will read one row of `projects_in_full`.

    `linked` are the Flagships that a basic project complements, or the reverse.
    """
    has_trl = project.kind not in (Project.Kind.BASIC, Project.Kind.HUMAN_RESOURCES)
    has_partners = project.kind not in (Project.Kind.BASIC, Project.Kind.FLAGSHIP)
    return ProjectSheet(
        project=project,
        trl=trl_history(project) if has_trl or project.target_trl else [],
        milestones=list(project.milestones.order_by("planned_on", "number")),
        gates=gates_of(project),
        money=money_years(project, _own_parts(user, project)),
        linked=linked_projects(user, project),
        partners=_partners(project) if has_partners else [],
        award_numbers=project.award_list,  # type: ignore[attr-defined]
        principal=in_language(project.principal_names),  # type: ignore[attr-defined]
        has_headquarters=project.has_headquarters,  # type: ignore[attr-defined]
    )


def _own_parts(user: object, project: Project) -> frozenset[int] | None:
    """An institution's office sees the money of its own part."""
    return None if project.is_seen_whole else frozenset(grants_of(user).organizations(*OFFICE_ROLES))  # type: ignore[attr-defined]


def _partners(project: Project) -> list[Participation]:
    others = project.participations.filter(ends_on__isnull=True).exclude(role=Participation.Role.LEAD)
    return list(others.select_related("organization").order_by("role", "organization__name_kana"))


def gates_of(project: Project) -> list[StageGate]:
    """This function will return the stage gates of the project's program, soonest first."""
    return list(StageGate.objects.filter(program_id=project.program_id).order_by("held_on", "ref"))


def trl_history(project: Project) -> list[TrlAssessment]:
    """This function will return every level on record for the project, oldest first, with its wording."""
    return list(project.trl_assessments.select_related("level").order_by("on", "id"))


def trl_levels() -> list[TrlLevel]:
    """This function will return the nine levels of the default scale."""
    return list(TrlLevel.objects.filter(scale__is_default=True).select_related("scale").order_by("number"))


def linked_projects(user: object, project: Project) -> list[Project]:
    """This function will return what a basic project complements, or by what a Flagship project is complemented."""
    if project.kind == Project.Kind.BASIC:
        links = ProjectComplement.objects.filter(basic=project).values("flagship_id")
    elif project.kind == Project.Kind.FLAGSHIP:
        links = ProjectComplement.objects.filter(flagship=project).values("basic_id")
    else:
        return []
    return list(projects_visible_to(user).filter(pk__in=links))


@dataclass(frozen=True, slots=True)
class ProjectPeople:
    """Who takes part in a project today."""

    institutions: Sequence[Participation]
    members: Sequence[ProjectMember]
    headquarters: Sequence[HQMember]
    director: AreaDirector | None


def project_people(project: Project, on: date) -> ProjectPeople:
    """This function will return the institutions, investigators, HQ and director of a project on this day."""
    headquarters = HQMember.objects.filter(_on(on), headquarters__project=project).select_related("person")
    director = directors_on(on).filter(area_id=project.area_id).select_related("person")
    return ProjectPeople(
        list(project.participations.select_related("organization").order_by("role", "organization__name_kana")),
        in_force_members(project, on),
        list(headquarters),
        director.first() if project.area_id else None,
    )


def in_force_members(project: Project, on: date) -> list[ProjectMember]:
    """This function will return the investigators of a project on this day, the principal one first."""
    return list(
        project.members.filter(_on(on)).select_related("person", "organization").order_by("-role", "person__name_kana")
    )


# What waits for a director --------------------------------------------------------------------------------------------


def claims_to_assess(user: object) -> list[TrlAssessment]:
    """This function will return the newest claim of each directed project that no assessment followed."""
    me = grants_of(user).person_id
    if me is None:
        return []
    directed = Project.objects.filter(projects_visible(user) & projects_led_by(user), state=Project.State.RUNNING)
    claims = TrlAssessment.objects.filter(unanswered(), project__in=directed)
    return list(claims.select_related("level", "project__program", "project__area").order_by("on", "id"))


# The list of projects -------------------------------------------------------------------------------------------------


def projects_listed(user: object, query: str = "") -> QuerySet[Project]:
    """This function will return the visible projects, searched."""
    return search_projects(user, query) if query else projects_visible_to(user)


def lead_name() -> Coalesce:
    """This function will return the expression by which projects sort by the name of their lead institution."""
    lead = Participation.objects.filter(role="lead", ends_on__isnull=True, project=OuterRef("pk"))
    return Coalesce(Subquery(lead.values("organization__name_ja")[:1], output_field=CharField()), Value(""))


def program_choices(user: object) -> list[tuple[str, str]]:
    """This function will return the programs that have projects which the reader may see."""
    # Who sees a project sees its program and its area.
    programs = Program.objects.filter(pk__in=_seen(user).values("program")).order_by("path")
    return [(program.ref, program.name) for program in programs]


def area_choices(user: object) -> list[tuple[str, str]]:
    """This function will return the areas that have projects which the reader may see."""
    areas = ResearchArea.objects.filter(pk__in=_seen(user).values("area")).order_by("program__path", "number")
    return [(area.ref, f"{area.number} {area.name} ({area.ref})") for area in areas]


def institution_choices(user: object) -> list[tuple[str, str]]:
    """This function will return the institutions that lead projects which the reader may see."""
    leads = Participation.objects.filter(
        organization=OuterRef("pk"), role="lead", ends_on__isnull=True, project__in=_seen(user)
    )
    found = Organization.objects.filter(Exists(leads)).order_by("name_kana", "name_ja")
    return [(organization.ref, organization.name) for organization in found]


def led_by(organization_ref: str) -> Q:
    """This function will return the condition: projects that this institution leads."""
    leads = Participation.objects.filter(role="lead", ends_on__isnull=True, organization__ref=organization_ref)
    return Q(pk__in=leads.values("project_id"))


def _seen(user: object) -> QuerySet[Project]:
    return projects_visible_to(user).select_related(None).prefetch_related(None).order_by()
