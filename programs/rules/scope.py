"""For which programs and areas somebody acts today, read once per request: small sets that conditions name by id."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.utils import timezone

from accounts.queries import grants_of, in_force
from common.subselects import daily
from programs.models import (
    AreaDirector,
    AreaOfficer,
    Deputy,
    HQMember,
    Program,
    ProgramAgency,
    ProgramStaff,
    Project,
    ProjectMember,
    ProjectRecusal,
    ResearchArea,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids: programs as ministry staff, as PD, as PO and as the agency's people; areas as PD and as PO; own agencies."""

    ministry: frozenset[int] = field(default_factory=frozenset)
    program_director: frozenset[int] = field(default_factory=frozenset)
    program_officer: frozenset[int] = field(default_factory=frozenset)
    agency: frozenset[int] = field(default_factory=frozenset)
    directed: frozenset[int] = field(default_factory=frozenset)
    supported: frozenset[int] = field(default_factory=frozenset)
    agencies: frozenset[int] = field(default_factory=frozenset)
    #: Projects as member of the team or of the HQ.
    teams: frozenset[int] = field(default_factory=frozenset)
    #: Projects with which a confirmed conflict holds today.
    recused: frozenset[int] = field(default_factory=frozenset)

    @property
    def party(self) -> frozenset[int]:
        """The programs for which the person decides: the ministry's and the agency's."""
        return self.ministry | self.agency

    @property
    def programs(self) -> frozenset[int]:
        """The programs in which the person holds any office."""
        return self.ministry | self.agency | self.program_director | self.program_officer


def scope_of(user: object) -> Scope:
    """This function will read the scope of a user or client in one query; kept on the principal, for one request."""
    kept = getattr(user, "_scope", None)
    if isinstance(kept, Scope):
        return kept
    grants = grants_of(user)
    me = grants.person_id
    agencies = grants.organizations("agency_staff")
    if grants.client_organization_id is not None:
        agencies = [grants.client_organization_id]
    found: dict[str, set[int]] = {}
    if me is not None or agencies:
        asked = _offices(me, *sorted(agencies))
        with connection.cursor() as cursor:
            cursor.execute(asked.sql, asked.params)
            for name, pk in cursor.fetchall():
                found.setdefault(name, set()).add(pk)
    scope = Scope(agencies=frozenset(agencies), **{name: frozenset(ids) for name, ids in found.items()})
    if hasattr(user, "__dict__"):
        user._scope = scope  # type: ignore[attr-defined]
    return scope


@daily
def _offices(me: int | None, *agencies: int) -> QuerySet[Any, Any]:
    """What a person holds, by name, and what the agencies run: every request asks it."""
    parts: list[QuerySet[Any]] = []
    if me is not None:
        parts += [
            _named("ministry", programs_staffed_by(me, "ministry_staff")),
            _named("program_director", programs_staffed_by(me, "program_director")),
            _named("program_officer", programs_staffed_by(me, "program_officer")),
            _named("directed", areas_directed_by(me)),
            _named("supported", areas_supported_by(me)),
            _named("teams", Project.objects.filter(_in_team(me))),
            _named("recused", Project.objects.filter(pk__in=projects_excluded(me))),
        ]
    if agencies:
        parts.append(_named("agency", programs_run_by(list(agencies))))
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _in_team(person_id: int) -> Q:
    today = timezone.localdate()
    members = ProjectMember.objects.filter(in_force(today), person_id=person_id)
    heads = HQMember.objects.filter(in_force(today), person_id=person_id)
    return Q(pk__in=members.values("project_id")) | Q(pk__in=heads.values("headquarters__project_id"))


@daily
def projects_excluded(person_id: int) -> QuerySet[Any, Any]:
    """This function will return the projects with which a confirmed conflict of the person holds today."""
    today = timezone.localdate()
    rows = ProjectRecusal.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today), starts_on__lte=today)
    return rows.filter(person_id=person_id).values("project_id")


def _named(name: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.order_by().values_list(Value(name, output_field=CharField()), "pk")


# Roles on the tree and on areas ---------------------------------------------------------------------------------------


def programs_staffed_by(person_id: int, *roles: str) -> QuerySet[Program]:
    """This function will return the programs at or below a node for which the person holds one of the roles today."""
    held = ProgramStaff.objects.filter(in_force(timezone.localdate()), person_id=person_id, role__in=roles)
    return Program.objects.filter(_below(held))


def programs_run_by(organization_ids: list[int]) -> QuerySet[Program]:
    """This function will return the programs at or below a node that one of these agencies runs."""
    return Program.objects.filter(_below(ProgramAgency.objects.filter(organization_id__in=organization_ids)))


def _below(rows: QuerySet[ProgramStaff] | QuerySet[ProgramAgency]) -> Exists:
    # Paths end in a slash, so that a prefix is always an ancestor or the node itself.
    return Exists(rows.alias(at=StrIndex(OuterRef("path"), F("program__path"))).filter(at=1))


def areas_directed_by(person_id: int) -> QuerySet[ResearchArea]:
    """This function will return the areas that the person directs today, also as a deputy."""
    today = timezone.localdate()
    terms = AreaDirector.objects.filter(in_force(today), person_id=person_id)
    deputies = Deputy.objects.filter(in_force(today), in_force(today, "director__"), person_id=person_id)
    return ResearchArea.objects.filter(
        Q(pk__in=terms.values("area_id")) | Q(pk__in=deputies.values("director__area_id"))
    )


def areas_supported_by(person_id: int) -> QuerySet[ResearchArea]:
    """This function will return the areas in which the person is program officer today, also as a deputy."""
    today = timezone.localdate()
    terms = AreaOfficer.objects.filter(in_force(today), person_id=person_id)
    deputies = Deputy.objects.filter(in_force(today), in_force(today, "officer__"), person_id=person_id)
    return ResearchArea.objects.filter(
        Q(pk__in=terms.values("area_id")) | Q(pk__in=deputies.values("officer__area_id"))
    )
