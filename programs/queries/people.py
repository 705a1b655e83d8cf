"""Who answers for projects: the users who are told about them, in constant queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Q

from accounts.models import User
from accounts.queries import in_force
from programs.models import (
    AreaDirector,
    AreaOfficer,
    Deputy,
    HQMember,
    ProgramStaff,
    Project,
    ProjectMember,
    ProjectRecusal,
)

TEAM, OFFICER, DIRECTOR, STAFF = "team", "officer", "director", "staff"


def audience_of(projects: Iterable[int], audience: str, on: date) -> dict[int, list[User]]:
    """This function will return, for each project, the users of this audience who may see it, in constant queries.

    Audiences: team (members and HQ), officer (PO), director (PD), staff (the program's ministry staff). Deputies are
    told as well; a recused person never.
    """
    ids = list(set(projects))
    pairs: set[tuple[int, int]] = set()
    if audience == TEAM:
        members = ProjectMember.objects.filter(in_force(on), project_id__in=ids)
        hq = HQMember.objects.filter(in_force(on), headquarters__project_id__in=ids)
        pairs |= set(members.values_list("project_id", "person_id"))
        pairs |= set(hq.values_list("headquarters__project_id", "person_id"))
    else:
        pairs |= _officials(ids, audience, on)
    people = {person for _, person in pairs}
    users = {
        user.person_id: user
        for user in User.objects.filter(person_id__in=people, is_active=True).select_related("person")
    }
    recused = _recused_pairs(ids, people, on)
    found: dict[int, list[User]] = {project: [] for project in ids}
    for project, person in sorted(pairs - recused):
        if person in users:
            found[project].append(users[person])
    return found


def _officials(ids: list[int], audience: str, on: date) -> set[tuple[int, int]]:
    if audience == STAFF:
        return _program_people(ids, ProgramStaff.Role.MINISTRY_STAFF, on)
    model: Any = AreaDirector if audience == DIRECTOR else AreaOfficer
    link = "director" if model is AreaDirector else "officer"
    role = ProgramStaff.Role.PROGRAM_DIRECTOR if model is AreaDirector else ProgramStaff.Role.PROGRAM_OFFICER
    areas = dict(Project.objects.filter(pk__in=ids, area__isnull=False).values_list("pk", "area_id"))
    by_area: dict[int, set[int]] = {}
    terms = model.objects.filter(in_force(on), area_id__in=set(areas.values())).values_list("area_id", "person_id")
    deputies = Deputy.objects.filter(
        in_force(on), in_force(on, f"{link}__"), **{f"{link}__area_id__in": set(areas.values())}
    )
    for area, person in [*terms, *deputies.values_list(f"{link}__area_id", "person_id")]:
        by_area.setdefault(area, set()).add(person)
    pairs = {(project, person) for project, area in areas.items() for person in by_area.get(area, ())}
    return pairs | _program_people(ids, role, on)


def _program_people(ids: list[int], role: str, on: date) -> set[tuple[int, int]]:
    staff = ProgramStaff.objects.filter(in_force(on), role=role).values_list("program__path", "person_id")
    paths = Project.objects.filter(pk__in=ids).values_list("pk", "program__path")
    return {(project, person) for project, path in paths for root, person in staff if path.startswith(root)}


def _recused_pairs(ids: list[int], people: set[int], on: date) -> set[tuple[int, int]]:
    rows = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on), project_id__in=ids, person_id__in=people, starts_on__lte=on
    )
    return set(rows.values_list("project_id", "person_id"))
