"""Who may read the hand-over of a role: its holder, the program's staff, the successor, the deputy, auditors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from accounts.queries import grants_of
from programs.models import Program, ResearchArea
from programs.rules import NOTHING, not_recused, projects_visible
from programs.rules.scope import scope_of


@dataclass(frozen=True, slots=True)
class HeldTerm:
    """An approved term of any role in this app, with what it is held for."""

    kind: str
    pk: int
    person_id: int
    starts_on: date
    ends_on: date | None
    role: str
    area_id: int | None
    project_id: int | None
    path: str
    name_ja: str
    name_en: str
    #: For a deputy: the term stood in for, and who holds it.
    stands_in: str = ""
    holder_id: int | None = None

    @property
    def key(self) -> str:
        """The kind and number by which addresses name the term."""
        return f"{self.kind}-{self.pk}"

    @property
    def place(self) -> tuple[str, int | None, int | None, str]:
        """What the role is held for: two terms with the same are one role over time."""
        return self.role, self.area_id, self.project_id, self.path

    @property
    def is_whole_program(self) -> bool:
        """Whether the role is held for a program with everything below it."""
        return self.area_id is None and self.project_id is None

    def projects(self) -> Q:
        """This function will return the condition for the projects the role is about."""
        if self.project_id is not None:
            return Q(pk=self.project_id)
        if self.area_id is not None:
            return Q(area_id=self.area_id)
        return Q(program__path__startswith=self.path)

    def covers(self, area: ResearchArea, path: str) -> bool:
        """This function will tell whether the role is about this area, whose program has this path."""
        if self.area_id is not None:
            return self.area_id == area.pk
        return self.is_whole_program and path.startswith(self.path)


def terms_readable(
    user: object, person_id: int, terms: Iterable[HeldTerm], own: Iterable[HeldTerm], today: date
) -> list[HeldTerm]:
    """This function will return those of a person's terms whose hand-over the user may read; `own` are the user's.

    A successor is who holds the same role later; a deputy reads the term stood in for, its holder the deputy's.
    """
    rows, mine, grants = list(terms), list(own), grants_of(user)
    me = grants.person_id
    if me is None:
        return []
    if me == person_id or grants.has("auditor"):
        return rows
    staffed = set(Program.objects.filter(pk__in=scope_of(user).ministry).values_list("path", flat=True))
    return [row for row in rows if row.path in staffed or _follows(row, mine, me, today)]


def _follows(row: HeldTerm, mine: list[HeldTerm], me: int, today: date) -> bool:
    if row.holder_id == me:
        return True
    for one in mine:
        is_over = one.ends_on is not None and one.ends_on < today
        if is_over:
            continue
        if one.place == row.place and one.starts_on > row.starts_on and one.kind == row.kind:
            return True
        if one.kind == "deputy" and one.stands_in == row.key and one.starts_on <= today:
            return True
    return False


def projects_handed_over(user: object, person_id: int, terms: Iterable[HeldTerm]) -> Q:
    """This function will return the condition for the projects of these terms that both people may see.

    What the role-holder is excluded from is nobody's to take over from there.
    """
    scope = NOTHING
    for term in terms:
        scope |= term.projects()
    return scope & projects_visible(user) & not_recused(person_id)


def paths_of(areas: Iterable[ResearchArea]) -> dict[int, str]:
    """This function will return the paths of the areas' programs, by program."""
    wanted = {area.program_id for area in areas}
    return dict(Program.objects.filter(pk__in=wanted).values_list("pk", "path")) if wanted else {}
