"""What detection reads, in a constant number of queries, and the words in which a hit states its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import Affiliation, Organization, Person
from evaluations.conflict_detection import Facts, Hit, Item, Membership, Paper, Place, Post
from evaluations.models import Case, Coauthorship, PanelMember, Round
from evaluations.states import ACCEPTED, CASE_LIVE, INVITED
from programs.models import HQMember, Participation, Project, ProjectMember

#: Evidence is kept in the language of the record.
LANGUAGE = "ja"
SHOWN_PAPERS = 20


@dataclass(frozen=True, slots=True)
class Examined:
    """Who is examined against what, with the facts."""

    people: dict[int, Person]
    projects: dict[int, Project]
    facts: Facts


def examined(one: Round, members: Iterable[PanelMember] | None = None) -> Examined:
    """This function will read what detection needs for a round's panel (or some of it) and its live cases."""
    rows = PanelMember.objects.filter(panel__round=one, state__in=(INVITED, ACCEPTED)).select_related("person")
    if members is not None:
        rows = rows.filter(pk__in=[each.pk for each in members])
    panel = list(rows)
    people = {each.person_id: each.person for each in panel}
    live = Case.objects.filter(panel__round=one, state__in=CASE_LIVE, gate_review__project__isnull=False)
    projects = {
        each.gate_review.project_id: each.gate_review.project for each in live.select_related("gate_review__project")
    }
    if not people or not projects:
        return Examined(people, {}, Facts())
    now = [Post(each.person_id, each.organization_id) for each in panel if each.organization_id]
    memberships, teams = _memberships(list(people), list(projects))
    known = {*people, *teams}
    return Examined(
        people, {pk: project for pk, project in projects.items() if project is not None},
        Facts(
            posts=[*now, *_posts(known)],
            places=[
                Place(*row)
                for row in Participation.objects.filter(project__in=projects).values_list(
                    "project_id", "organization_id", "starts_on", "ends_on"
                )
            ],
            memberships=[each for each in memberships if each.person in known],
            papers=_papers(known, with_samples=one.is_sample),
        ),
    )  # fmt: skip


def _memberships(people: list[int], projects: list[int]) -> tuple[list[Membership], set[int]]:
    """The memberships of the examined people and of everybody in these projects, and who the latter are."""
    names = ("person_id", "starts_on", "ends_on")
    found: list[Membership] = []
    model: Any
    for model, to_project in ((ProjectMember, "project_id"), (HQMember, "headquarters__project_id")):
        inside = Q(**{f"{to_project}__in": projects})
        team = model.objects.filter(inside).values("person_id")
        rows = model.objects.filter(Q(person__in=people) | Q(person__in=team), approved_by__isnull=False)
        found += [Membership(row[0], row[3], row[1], row[2]) for row in rows.values_list(*names, to_project)]
    # Somebody of a team may serve elsewhere at an HQ, and the other way round.
    teams = {one.person for one in found if one.project in set(projects)}
    return found, teams


def _posts(people: Iterable[int]) -> list[Post]:
    names = ("person_id", "organization_id", "starts_on", "ends_on")
    ids = list(people)
    works = Affiliation.objects.filter(person__in=ids).values_list(*names)
    serves = ProjectMember.objects.filter(person__in=ids, approved_by__isnull=False).values_list(*names)
    return [Post(*row) for row in (*works, *serves)]


def _papers(people: Iterable[int], *, with_samples: bool) -> list[Paper]:
    orcids = dict(Person.objects.filter(pk__in=list(people)).exclude(orcid="").values_list("orcid", "pk"))
    rows = Coauthorship.objects.filter(orcid_a__in=orcids, orcid_b__in=orcids)
    if not with_samples:
        rows = rows.filter(is_sample=False)
    return [
        Paper(orcids[a], orcids[b], year, doi or title)
        for a, b, year, title, doi in rows.values_list("orcid_a", "orcid_b", "year", "title", "doi")
    ]


# Words ----------------------------------------------------------------------------------------------------------------


def evidence_texts(hits: Iterable[Hit]) -> list[str]:
    """This function will put the facts of hits into words, a line for each fact, in three queries for all of them."""
    rows = list(hits)
    items = [item for hit in rows for item in hit.items]
    names = {
        Organization: _names(Organization, _ids(items, {"works_at": 0, "employed": 0, "colleague": 1})),
        Person: _names(Person, _ids(items, {"colleague": 0, "together": 1, "paper": 0})),
        Project: _names(Project, _ids(items, {"together": 0, "member": 0})),
    }
    with override(LANGUAGE):
        return ["\n".join(_words(item, names) for item in hit.items[:SHOWN_PAPERS]) for hit in rows]


def _ids(items: Iterable[Item], places: dict[str, int]) -> set[Any]:
    return {item.about[places[item.code]] for item in items if item.code in places}


def _names(model: Any, ids: set[Any]) -> dict[int, str]:
    field = ("title_ja", "ref") if model is Project else ("name_ja", "ref")
    rows = model.objects.filter(pk__in=ids).values_list("pk", *field) if ids else ()
    return {pk: name or ref for pk, name, ref in rows}


def _words(item: Item, names: dict[Any, dict[int, str]]) -> str:
    about: Any = item.about
    places, people, projects = names[Organization], names[Person], names[Project]
    if item.code == "works_at":
        return _("Works at %(place)s, which takes part in the project.") % {"place": places[about[0]]}
    if item.code == "employed":
        return _("Was employed for long at %(place)s, which takes part in the project.") % {"place": places[about[0]]}
    if item.code == "colleague":
        words = {"place": places[about[1]], "name": people[about[0]]}
        return _("Works at %(place)s like %(name)s of the project.") % words
    if item.code == "member":
        return _("Is or was a member of the project.")
    if item.code == "together":
        words = {"name": people[about[1]], "project": projects[about[0]]}
        return _("Was in the project “%(project)s” together with %(name)s.") % words
    words = {"name": people[about[0]], "year": str(about[1]), "paper": about[2]}
    return _("Published with %(name)s in %(year)s: %(paper)s") % words
