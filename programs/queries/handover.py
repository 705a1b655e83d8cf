"""Reads for a hand-over: the terms of a person in every role of this app, and what is under way in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import BigIntegerField, Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from accounts.models import Person
from programs.models import (
    Advice,
    Allocation,
    AreaDirector,
    AreaOfficer,
    Contract,
    DataManagementPlan,
    Deputy,
    HQMember,
    PlanVersion,
    PolicyVersion,
    ProgramStaff,
    Project,
    ProjectMember,
    Risk,
    SiteVisit,
    TrlAssessment,
)
from programs.queries import lead_institutions
from programs.queries.allocations import allocations_visible_to
from programs.queries.contracts import contracts_visible_to
from programs.queries.plans import plans_in_full
from programs.queries.policies import policies_visible_to
from programs.queries.risks import data_plans_visible_to, risks_visible_to
from programs.queries.trl import trl_visible_to, unanswered
from programs.queries.visits import advice_visible_to, visits_visible_to
from programs.rules import NOTHING
from programs.rules.handover import HeldTerm, projects_handed_over
from programs.states import ALLOCATION_OPEN, CONTRACT_OPEN, DATA_PLAN_OPEN, PLAN_OPEN, POLICY_OPEN

_NO_ID = Cast(Value(None), BigIntegerField())
_NO_WORD = Value("", output_field=CharField())
_COLUMNS = (
    "kind", "id", "person_id", "starts_on", "ends_on", "as_role", "at_area", "at_project", "path", "where_ja",
    "where_en", "stands_in", "holder",
)  # fmt: skip


def person_with_ref(ref: str) -> Person | None:
    """This function will return the person with this reference, with the sign-in."""
    return Person.objects.filter(ref=ref).select_related("user").first()


def terms_held(people: Iterable[int]) -> dict[int, list[HeldTerm]]:
    """This function will read the approved terms of people in every role, newest first, in one query."""
    wanted = list(people)
    parts = [rows.filter(person_id__in=wanted, approved_by__isnull=False).order_by() for rows in _roles()]
    found: dict[int, list[HeldTerm]] = {person: [] for person in wanted}
    for row in parts[0].values_list(*_COLUMNS).union(*(part.values_list(*_COLUMNS) for part in parts[1:]), all=True):
        term = HeldTerm(*row)
        found[term.person_id].append(term)
    for terms in found.values():
        terms.sort(key=lambda term: (term.starts_on, term.key), reverse=True)
    return found


def _roles() -> list[QuerySet[Any]]:
    def told(rows: QuerySet[Any], kind: str, **more: Any) -> QuerySet[Any]:
        columns = {"as_role": Value(kind), "at_area": _NO_ID, "at_project": _NO_ID, "stands_in": _NO_WORD,
                   "holder": _NO_ID, **more}  # fmt: skip
        return rows.annotate(kind=Value(kind), **columns)

    def of_area(model: Any, kind: str) -> QuerySet[Any]:
        return told(
            model.objects.all(), kind, at_area=F("area_id"), path=F("area__program__path"),
            where_ja=F("area__name_ja"), where_en=F("area__name_en"),
        )  # fmt: skip

    return [
        of_area(AreaDirector, "director"),
        of_area(AreaOfficer, "officer"),
        told(
            Deputy.objects.all(), "deputy",
            at_area=Coalesce("director__area_id", "officer__area_id"),
            path=Coalesce("director__area__program__path", "officer__area__program__path"),
            where_ja=Coalesce("director__area__name_ja", "officer__area__name_ja"),
            where_en=Coalesce("director__area__name_en", "officer__area__name_en"),
            stands_in=Case(
                When(director__isnull=False, then=Concat(Value("director-"), Cast("director_id", CharField()))),
                default=Concat(Value("officer-"), Cast("officer_id", CharField())),
            ),
            holder=Coalesce("director__person_id", "officer__person_id"),
        ),
        told(
            ProgramStaff.objects.all(), "staff", as_role=F("role"), path=F("program__path"),
            where_ja=F("program__name_ja"), where_en=F("program__name_en"),
        ),
        told(
            ProjectMember.objects.all(), "member", as_role=F("role"), at_project=F("project_id"),
            path=F("project__program__path"), where_ja=_project_name("project", "title_ja"),
            where_en=_project_name("project", "title_en"),
        ),
        told(
            HQMember.objects.all(), "hq", at_project=F("headquarters__project_id"),
            path=F("headquarters__project__program__path"),
            where_ja=_project_name("headquarters__project", "title_ja"),
            where_en=_project_name("headquarters__project", "title_en"),
        ),
    ]  # fmt: skip


def _project_name(path: str, title: str) -> Any:
    return Concat(F(f"{path}__ref"), Value(" "), F(f"{path}__{title}"), output_field=CharField())


# What is under way ----------------------------------------------------------------------------------------------------


def projects_in_hand(user: object, person_id: int, terms: Iterable[HeldTerm]) -> QuerySet[Project]:
    """This function will return the projects of these terms that the reader may see as well."""
    return Project.objects.filter(projects_handed_over(user, person_id, terms)).order_by()


def plans_in_hand(user: object, projects: QuerySet[Project]) -> list[PlanVersion]:
    """This function will return the open plan versions and change requests of these projects that the reader may read."""
    return list(
        plans_in_full(user).filter(project__in=projects, state__in=sorted(PLAN_OPEN)).order_by("opened_at", "pk")
    )


def advice_in_hand(user: object, person_id: int, projects: QuerySet[Project], *, all_own: bool) -> list[Advice]:
    """This function will return the advice that is not closed in these projects; with `all_own` the person's own too."""
    own = Q(owner=person_id) | Q(given_by__person=person_id) if all_own else Q(pk__in=[])
    rows = advice_visible_to(user).filter(Q(project__in=projects) | own)
    return list(rows.exclude(state=Advice.State.CLOSED))


def policies_in_hand(user: object, terms: Iterable[HeldTerm]) -> list[PolicyVersion]:
    """This function will return the open policy versions of these terms' areas that the reader may read."""
    rows = policies_visible_to(user).filter(_of_areas("area", terms), state__in=sorted(POLICY_OPEN))
    return list(rows.order_by("opened_at", "pk"))


def risks_in_hand(user: object, projects: QuerySet[Project]) -> list[Risk]:
    """This function will return the risks and issues of these projects that are not settled, soonest due first."""
    rows = risks_visible_to(user).filter(project__in=projects).exclude(state=Risk.State.CLOSED)
    return list(rows.order_by("due_on", "pk"))


def data_plans_in_hand(user: object, projects: QuerySet[Project]) -> list[DataManagementPlan]:
    """This function will return the open data management plans of these projects that the reader may read."""
    return list(data_plans_visible_to(user).filter(project__in=projects, state__in=sorted(DATA_PLAN_OPEN)))


def claims_in_hand(user: object, projects: QuerySet[Project]) -> list[TrlAssessment]:
    """This function will return the TRL claims of these projects that nobody has assessed yet."""
    rows = trl_visible_to(user).filter(unanswered(), project__in=projects)
    rows = rows.select_related("level", "project__program", "project__area")
    return list(rows.prefetch_related(lead_institutions("project__participations")).order_by("on", "pk"))


def visits_in_hand(user: object, projects: QuerySet[Project], today: date) -> list[SiteVisit]:
    """This function will return the visits ahead, and those past without a memo where the reader knows of memos."""
    rows = visits_visible_to(user).filter(project__in=projects, memo="", cancelled_because="")
    return list(rows.filter(Q(on__gt=today) | Q(reads_memo=True)).order_by("on", "pk"))


def contracts_in_hand(user: object, projects: QuerySet[Project]) -> list[Contract]:
    """This function will return the contracts of these projects that are written or wait to be concluded."""
    rows = contracts_visible_to(user).filter(project__in=projects, state__in=sorted(CONTRACT_OPEN))
    return list(rows.order_by("opened_at", "ref"))


def allocations_in_hand(user: object, terms: Iterable[HeldTerm], projects: QuerySet[Project]) -> list[Allocation]:
    """This function will return the open splits of the money of these terms' programs, areas and projects."""
    rows = list(terms)
    owned = _of_areas("source__area", rows) | Q(source__project__in=projects)
    for term in rows:
        if term.is_whole_program:
            owned |= Q(source__program__path__startswith=term.path)
    return list(
        allocations_visible_to(user).filter(owned, state__in=sorted(ALLOCATION_OPEN)).order_by("opened_at", "ref")
    )


def _of_areas(prefix: str, terms: Iterable[HeldTerm]) -> Q:
    """The areas of these terms: the own one, or all of a whole program."""
    found = NOTHING
    for term in terms:
        if term.area_id is not None:
            found |= Q(**{prefix: term.area_id})
        elif term.is_whole_program:
            found |= Q(**{f"{prefix}__program__path__startswith": term.path})
    return found
