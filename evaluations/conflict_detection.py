"""Possible conflicts of interest from what is on record: people x projects > hits, each with the facts it rests upon.

Pure: ids and dates in, hits out; a person confirms or dismisses each of them. What the system has no data of (kin,
competition, mentors) is left to the declaration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

SAME_UNIT, JOINT_RESEARCH, MENTOR = "same_unit", "joint_research", "mentor"
DAYS_OF_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Windows:
    """How far back is looked, in years; None: not at all, 0: only now. `employment_years` is a total."""

    same_unit_years: int | None = None
    joint_research_years: int | None = None
    coauthorship_years: int | None = None
    employment_years: int | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """Somebody works at an institution."""

    person: int
    organization: int
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """An institution takes part in a project."""

    project: int
    organization: int
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody works in a project's team or at its HQ."""

    person: int
    project: int
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """Two people have published together."""

    one: int
    other: int
    year: int
    key: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything detection reads. Posts and memberships of the examined people and of the projects' teams."""

    posts: Sequence[Post] = ()
    places: Sequence[Place] = ()
    memberships: Sequence[Membership] = ()
    papers: Sequence[Paper] = ()


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One fact of a hit: works_at, colleague, member, together, paper, employed; and the ids it is about."""

    code: str
    about: tuple[int | str, ...]

    @property
    def key(self) -> str:
        """The fact as it is kept and compared; dates are left out, so that only another fact is news."""
        return ":".join([self.code, *(str(one) for one in self.about)])


@dataclass(frozen=True, slots=True)
class Hit:
    """One possible conflict of a person with a project."""

    person: int
    project: int
    kind: str
    items: tuple[Item, ...]

    @property
    def keys(self) -> list[str]:
        """The facts it rests upon, in order."""
        return [item.key for item in self.items]


@dataclass(slots=True)
class _Index:
    """The facts by what they are looked up by."""

    posts: Mapping[int, list[Post]]
    places: Mapping[int, set[int]]
    memberships: Mapping[int, list[Membership]]
    teams: Mapping[int, set[int]]
    papers: Mapping[tuple[int, int], list[Paper]]
    found: dict[tuple[int, int, str], set[Item]] = field(default_factory=lambda: defaultdict(set))


def detect(people: Iterable[int], projects: Iterable[int], facts: Facts, windows: Windows, on: date) -> list[Hit]:
    """This function will return the hits between these people and projects as of this day, in a fixed order."""
    index = _indexed(facts, on)
    wanted = sorted(set(projects))
    for person in sorted(set(people)):
        for project in wanted:
            _same_unit(index, person, project, windows, on)
            _joint_research(index, person, project, windows, on)
            _coauthorship(index, person, project, windows, on)
            _employment(index, person, project, windows, on)
    return [
        Hit(person, project, kind, tuple(sorted(items, key=lambda item: item.key)))
        for (person, project, kind), items in sorted(index.found.items())
    ]


def _indexed(facts: Facts, on: date) -> _Index:
    posts: dict[int, list[Post]] = defaultdict(list)
    for post in facts.posts:
        posts[post.person].append(post)
    places: dict[int, set[int]] = defaultdict(set)
    for place in facts.places:
        if _within(place.starts_on, place.ends_on, on, on):
            places[place.project].add(place.organization)
    memberships: dict[int, list[Membership]] = defaultdict(list)
    teams: dict[int, set[int]] = defaultdict(set)
    for one in facts.memberships:
        memberships[one.person].append(one)
        if _within(one.starts_on, one.ends_on, on, on):
            teams[one.project].add(one.person)
    papers: dict[tuple[int, int], list[Paper]] = defaultdict(list)
    for paper in facts.papers:
        papers[paper.one, paper.other].append(paper)
        papers[paper.other, paper.one].append(paper)
    return _Index(posts, places, memberships, teams, papers)


def _same_unit(index: _Index, person: int, project: int, windows: Windows, on: date) -> None:
    if windows.same_unit_years is None:
        return
    since = years_before(on, windows.same_unit_years)
    own = {p.organization for p in index.posts.get(person, ()) if _within(p.starts_on, p.ends_on, since, on)}
    institutions = index.places.get(project, set())
    found = index.found
    for organization in own & institutions:
        found[person, project, SAME_UNIT].add(Item("works_at", (organization,)))
    for colleague in index.teams.get(project, set()) - {person}:
        for post in index.posts.get(colleague, ()):
            if post.organization in own - institutions and _within(post.starts_on, post.ends_on, since, on):
                found[person, project, SAME_UNIT].add(Item("colleague", (colleague, post.organization)))


def _joint_research(index: _Index, person: int, project: int, windows: Windows, on: date) -> None:
    if windows.joint_research_years is None:
        return
    since = years_before(on, windows.joint_research_years)
    team = index.teams.get(project, set()) - {person}
    for own in index.memberships.get(person, ()):
        if not _within(own.starts_on, own.ends_on, since, on):
            continue
        if own.project == project:
            index.found[person, project, JOINT_RESEARCH].add(Item("member", (project,)))
            continue
        for other in team:
            if any(_together(own, theirs, since, on) for theirs in index.memberships.get(other, ())):
                index.found[person, project, JOINT_RESEARCH].add(Item("together", (own.project, other)))


def _together(own: Membership, theirs: Membership, since: date, on: date) -> bool:
    if own.project != theirs.project:
        return False
    starts_on = max(own.starts_on or date.min, theirs.starts_on or date.min)
    ends_on = min(own.ends_on or date.max, theirs.ends_on or date.max)
    return starts_on <= ends_on and _within(starts_on, ends_on, since, on)


def _coauthorship(index: _Index, person: int, project: int, windows: Windows, on: date) -> None:
    if windows.coauthorship_years is None:
        return
    since = on.year - windows.coauthorship_years
    for other in index.teams.get(project, set()) - {person}:
        for paper in index.papers.get((person, other), ()):
            if since <= paper.year:
                index.found[person, project, JOINT_RESEARCH].add(Item("paper", (other, paper.year, paper.key)))


def _employment(index: _Index, person: int, project: int, windows: Windows, on: date) -> None:
    if windows.employment_years is None:
        return
    days: dict[int, set[tuple[date, date]]] = defaultdict(set)
    for post in index.posts.get(person, ()):
        if post.organization in index.places.get(project, set()) and post.starts_on is not None:
            days[post.organization].add((post.starts_on, min(post.ends_on or on, on)))
    for organization, spans in days.items():
        if _days_in(spans) >= windows.employment_years * DAYS_OF_A_YEAR:
            index.found[person, project, MENTOR].add(Item("employed", (organization,)))


def _days_in(spans: Iterable[tuple[date, date]]) -> int:
    """The days in these spans, both ends included; a day in two of them counts once."""
    total, reached = 0, date.min
    for starts_on, ends_on in sorted(spans):
        begins = max(starts_on, reached)
        if begins <= ends_on:
            total += (ends_on - begins).days + 1
            reached = ends_on + timedelta(1)
    return total


def years_before(on: date, years: int) -> date:
    """This function will return the same day so many years before; 29 February becomes the 28th."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28)


def _within(starts_on: date | None, ends_on: date | None, since: date, on: date) -> bool:
    """Whether a span reaches into the window from `since` to `on`."""
    return (starts_on is None or starts_on <= on) and (ends_on is None or ends_on >= since)
