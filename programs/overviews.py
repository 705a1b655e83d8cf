"""What one page shows of a program, an area or a project, read in a constant number of queries.

The subject comes from a visible queryset; everything listed here of *other* objects is restricted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import CharField, Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

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
    ProgramStaff,
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
    areas_visible_to,
    lead_institutions,
    programs_visible_to,
    projects_visible_to,
    remainders,
    search_projects,
)
from programs.rules import projects_led_by, projects_visible

# Programs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area with who directs or supervises it today and how many of its projects are registered, by kind."""

    area: ResearchArea
    director: AreaDirector | None
    counts: dict[str, int]
    advisers: list[AreaAdviser]

    @property
    def supervisor(self) -> AreaAdviser | None:
        return next((one for one in self.advisers if one.capacity == AreaAdviser.Capacity.SUPERVISOR), None)

    @property
    def adviser_count(self) -> int:
        return sum(1 for one in self.advisers if one.capacity == AreaAdviser.Capacity.ADVISER)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class ProgramSheet:
    """Everything one program page shows."""

    program: Program
    ancestors: list[Program]
    children: list[Program]
    remainders: list[Remainder]
    lines: list[BudgetLine]
    basis: list[PolicyBasis]
    unpriced: list[UnpricedItem]
    emphases: list[Emphasis]
    agencies: list[ProgramAgency]
    directors: list[ProgramStaff]
    participations: list[Participation]
    areas: list[AreaRow]
    indicators: list[IndicatorSheet]
    gates: list[StageGate]
    project_counts: dict[str, int]
    projects: list[Project] = field(default_factory=list)

    @property
    def project_total(self) -> int:
        return sum(self.project_counts.values())


def program_sheet(user: object, program: Program, on: date) -> ProgramSheet:
    """This function will read one program. Links and projects are the reader's own."""
    program = Program.objects.prefetch_related(
        "budget_lines", "policy_basis", "unpriced_items", "emphases",
        Prefetch("agencies", ProgramAgency.objects.select_related("organization")),
        Prefetch("participations", Participation.objects.filter(ends_on__isnull=True).select_related("organization")),
    ).get(pk=program.pk)  # fmt: skip
    children = list(program.children.prefetch_related("budget_lines").order_by("position", "path"))
    visible = {one.path: one for one in programs_visible_to(user).filter(_related(program))}
    counts = project_counts(projects_visible_to(user).filter(program=program))
    return ProgramSheet(
        program=program,
        ancestors=[visible[path] for path in _prefixes(program.path) if path in visible],
        children=[child for child in children if child.path in visible],
        remainders=remainders(program, children),
        lines=list(program.budget_lines.all()),
        basis=list(program.policy_basis.all()),
        unpriced=list(program.unpriced_items.all()),
        emphases=list(program.emphases.all()),
        agencies=list(program.agencies.all()),
        directors=_directors_of(program, on) if not counts.by_area else [],
        participations=list(program.participations.all()),
        areas=_area_rows(program, on, counts.by_area),
        indicators=indicator_sheets([program]),
        gates=list(program.gates.order_by("held_on", "ref")),
        project_counts=counts.by_kind,
        projects=_areless_projects(user, program) if counts.without_area else [],
    )


def _related(program: Program) -> Q:
    return Q(path__in=_prefixes(program.path)) | Q(parent_id=program.pk)


def _prefixes(path: str) -> list[str]:
    parts = path.rstrip("/").split("/")
    return ["/".join(parts[:depth]) + "/" for depth in range(1, len(parts))]


def _directors_of(program: Program, on: date) -> list[ProgramStaff]:
    return list(
        program.staff.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=on),
            role=ProgramStaff.Role.PROGRAM_DIRECTOR,
            starts_on__lte=on,
            approved_by__isnull=False,
        ).select_related("person")
    )


def _area_rows(program: Program, on: date, counts: dict[int, dict[str, int]]) -> list[AreaRow]:
    advisers = AreaAdviser.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=on), starts_on__lte=on)
    areas = program.areas.prefetch_related(
        directors_in_force(on), Prefetch("advisers", advisers.select_related("person"), to_attr="advisers_now")
    ).order_by("number")
    return [
        AreaRow(area, next(iter(area.now), None), counts.get(area.pk, {}), area.advisers_now)  # type: ignore[attr-defined]
        for area in areas
    ]


def directors_in_force(on: date) -> Prefetch:
    """This function will return the prefetch that gives each area its director of this day as `now` (none or one)."""
    terms = AreaDirector.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on), starts_on__lte=on, approved_by__isnull=False
    )
    return Prefetch("directors", terms.select_related("person"), to_attr="now")


def _areless_projects(user: object, program: Program) -> list[Project]:
    return list(projects_visible_to(user).filter(program=program, area__isnull=True)[:100])


@dataclass(frozen=True, slots=True)
class ProjectCounts:
    """Counts of the projects that the reader may see."""

    by_kind: dict[str, int]
    by_area: dict[int, dict[str, int]]
    without_area: int


def project_counts(projects: QuerySet[Project]) -> ProjectCounts:
    """This function will count visible projects by kind and by area in one query."""
    by_kind: dict[str, int] = {}
    by_area: dict[int, dict[str, int]] = {}
    without_area = 0
    rows = projects.prefetch_related(None).order_by("area_id", "kind").values_list("area_id", "kind")
    for area_id, kind, number in rows.annotate(number=Count("pk")):
        by_kind[kind] = by_kind.get(kind, 0) + number
        if area_id is None:
            without_area += number
        else:
            by_area.setdefault(area_id, {})[kind] = number
    return ProjectCounts(by_kind, by_area, without_area)


# Areas ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrlStand:
    """Where a project stands on the scale: latest plan, claim and assessment."""

    project: Project
    planned: TrlAssessment | None
    claimed: TrlAssessment | None
    assessed: TrlAssessment | None


@dataclass(frozen=True, slots=True)
class AreaSheet:
    """Everything one area page shows."""

    area: ResearchArea
    directors: list[AreaDirector]
    projects: list[TrlStand]
    allocations: list[tuple[int, int]]
    gates: list[StageGate]
    complements: list[tuple[Project, list[Project]]]


def area_sheet(user: object, area: ResearchArea) -> AreaSheet:
    """This function will read one area; its projects and links are those the reader may see."""
    projects = list(
        projects_visible_to(user)
        .filter(area=area)
        .prefetch_related(Prefetch("trl_assessments", TrlAssessment.objects.select_related("level")))
    )
    by_id = {project.pk: project for project in projects}
    links: dict[int, list[Project]] = {}
    for basic_id, flagship_id in ProjectComplement.objects.filter(basic__in=by_id, flagship__in=by_id).values_list(
        "basic_id", "flagship_id"
    ):
        links.setdefault(flagship_id, []).append(by_id[basic_id])
    allocations = (
        FundEdge.objects.filter(target__area=area, kind=FundEdge.Kind.ALLOCATION)
        .values_list("fiscal_year")
        .annotate(total=Sum("amount_yen"))
        .order_by("fiscal_year")
    )
    return AreaSheet(
        area=area,
        directors=list(
            area.directors.filter(approved_by__isnull=False).select_related("person").order_by("-starts_on")
        ),
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
class ProjectMoney:
    """A project's money of one fiscal year in yen; None where nothing is on record."""

    fiscal_year: int
    allocated: int | None
    contracted: int | None


@dataclass(frozen=True, slots=True)
class ProjectSheet:
    """Everything the first page of a project shows, apart from its reports."""

    project: Project
    award_numbers: list[str]
    trl: list[TrlAssessment]
    milestones: list[Milestone]
    gates: list[StageGate]
    money: list[ProjectMoney]
    linked: list[Project]
    principal: ProjectMember | None
    headquarters: int

    def points(self, kind: str) -> list[TrlAssessment]:
        """This function will return the assessments of one kind in the order of their dates."""
        return [one for one in self.trl if one.kind == kind]

    def latest(self, kind: str) -> TrlAssessment | None:
        """This function will return the newest assessment of one kind."""
        return next(iter(reversed(self.points(kind))), None)


def project_sheet(user: object, project: Project, on: date) -> ProjectSheet:
    """This function will read one project. `linked` are the Flagships a basic project complements, or the reverse."""
    people = in_force_members(project, on)
    return ProjectSheet(
        project=project,
        award_numbers=list(AwardNumber.objects.filter(project=project).values_list("number", flat=True)),
        trl=trl_history(project),
        milestones=list(project.milestones.order_by("planned_on", "number")),
        gates=list(StageGate.objects.filter(program_id=project.program_id).order_by("held_on", "ref")),
        money=project_money(project),
        linked=linked_projects(user, project),
        principal=next((one for one in people if one.role == ProjectMember.Role.PRINCIPAL_INVESTIGATOR), None),
        headquarters=HQMember.objects.filter(headquarters__project=project).count()
        if project.kind == Project.Kind.FLAGSHIP
        else 0,
    )


def trl_history(project: Project) -> list[TrlAssessment]:
    """This function will return every level on record for the project, oldest first, with its wording."""
    return list(project.trl_assessments.select_related("level").order_by("on", "id"))


def trl_levels() -> list[TrlLevel]:
    """This function will return the nine levels of the default scale."""
    return list(TrlLevel.objects.filter(scale__is_default=True).select_related("scale").order_by("number"))


def project_money(project: Project) -> list[ProjectMoney]:
    """This function will return the project's allocations and contracts by fiscal year, newest first; integer yen."""
    sums: dict[int, dict[str, int]] = {}
    edges = (
        FundEdge.objects.filter(
            Q(target__project=project, target__kind="project", kind=FundEdge.Kind.ALLOCATION)
            | Q(source__project=project, source__kind="project", kind=FundEdge.Kind.CONTRACT)
        )
        .values_list("fiscal_year", "kind")
        .annotate(total=Sum("amount_yen"))
    )
    for year, kind, total in edges:
        sums.setdefault(year, {})[kind] = total
    return [
        ProjectMoney(year, sums[year].get("allocation"), sums[year].get("contract"))
        for year in sorted(sums, reverse=True)
    ]


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
    headquarters = HQMember.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on), headquarters__project=project, starts_on__lte=on
    ).select_related("person")
    director = AreaDirector.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on),
        area_id=project.area_id,
        starts_on__lte=on,
        approved_by__isnull=False,
    ).select_related("person")
    return ProjectPeople(
        list(project.participations.select_related("organization").order_by("role", "organization__name_kana")),
        in_force_members(project, on),
        list(headquarters),
        director.first() if project.area_id else None,
    )


def in_force_members(project: Project, on: date) -> list[ProjectMember]:
    """This function will return the investigators of a project on this day, the principal one first."""
    return list(
        project.members.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=on), starts_on__lte=on)
        .select_related("person", "organization")
        .order_by("-role", "person__name_kana")
    )


# What waits for a director --------------------------------------------------------------------------------------------


def claims_to_assess(user: object) -> list[TrlAssessment]:
    """This function will return the newest claim of each directed project that no assessment followed."""
    me = grants_of(user).person_id
    if me is None:
        return []
    directed = Project.objects.filter(projects_visible(user) & projects_led_by(me), state=Project.State.RUNNING)
    later = TrlAssessment.objects.filter(
        Q(kind="assessed", on__gte=OuterRef("on")) | Q(kind="claimed", on__gt=OuterRef("on")),
        project=OuterRef("project"),
    )
    claims = TrlAssessment.objects.filter(~Exists(later), project__in=directed, kind="claimed")
    return list(
        claims.select_related("level", "project__program", "project__area")
        .prefetch_related(lead_institutions("project__participations"))
        .order_by("on", "id")
    )


# The list of projects -------------------------------------------------------------------------------------------------


def projects_listed(user: object, query: str = "") -> QuerySet[Project]:
    """This function will return the visible projects, searched, each with `lead_name` to sort by."""
    lead = Participation.objects.filter(role="lead", ends_on__isnull=True, project=OuterRef("pk"))
    names = Subquery(lead.values("organization__name_ja")[:1], output_field=CharField())
    projects = search_projects(user, query) if query else projects_visible_to(user)
    return projects.annotate(lead_name=Coalesce(names, Value("")))


def program_choices(user: object) -> list[tuple[str, str]]:
    """This function will return the programs that have projects which the reader may see."""
    programs = programs_visible_to(user).filter(pk__in=_seen(user).values("program_id"))
    return [(program.ref, program.name) for program in programs]


def area_choices(user: object) -> list[tuple[str, str]]:
    """This function will return the areas that have projects which the reader may see."""
    areas = areas_visible_to(user).filter(pk__in=_seen(user).values("area_id"))
    return [(area.ref, f"{area.number} {area.name} ({area.ref})") for area in areas]


def institution_choices(user: object) -> list[tuple[str, str]]:
    """This function will return the institutions that lead projects which the reader may see."""
    leads = Participation.objects.filter(role="lead", ends_on__isnull=True, project__in=_seen(user).values("pk"))
    found = Organization.objects.filter(pk__in=leads.values("organization_id")).order_by("name_kana", "name_ja")
    return [(organization.ref, organization.name) for organization in found]


def led_by(organization_ref: str) -> Q:
    """This function will return the condition: projects that this institution leads."""
    leads = Participation.objects.filter(role="lead", ends_on__isnull=True, organization__ref=organization_ref)
    return Q(pk__in=leads.values("project_id"))


def _seen(user: object) -> QuerySet[Project]:
    return projects_visible_to(user).select_related(None).prefetch_related(None).order_by()
