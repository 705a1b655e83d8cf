"""Reads of site visits and advice: what a reader may see, what waits for whom, and who can be asked to follow up."""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Count, ExpressionWrapper, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from accounts.models import Person
from accounts.queries import in_force
from programs.models import (
    Advice,
    AreaDirector,
    AreaOfficer,
    Deputy,
    HQMember,
    Program,
    ProgramStaff,
    Project,
    ProjectMember,
    ProjectRecusal,
    SiteVisit,
)
from programs.queries import lead_institutions
from programs.rules.visits import advice_to_act_on, advice_visible, memos_readable, visits_visible

_IN_PROJECT = ("project__program", "project__area")


def visits_visible_to(user: object) -> QuerySet[SiteVisit]:
    """This function will return the site visits this user may see, newest first; `reads_memo` tells of the memo."""
    return (
        SiteVisit.objects.filter(visits_visible(user))
        .annotate(reads_memo=ExpressionWrapper(memos_readable(user), BooleanField()))
        .select_related(*_IN_PROJECT, "saved_by__person", "shared_by__person")
        .prefetch_related(lead_institutions("project__participations"))
        .order_by("-on", "-pk")
    )


def visits_of_project(user: object, project: Project) -> list[SiteVisit]:
    """This function will return a project's visits with the number of pieces of advice given at each."""
    open_ones = Count("advice", filter=~Q(advice__state=Advice.State.CLOSED))
    rows = visits_visible_to(user).filter(project=project).prefetch_related(None).select_related(None)
    return list(rows.annotate(advice_count=Count("advice"), open_count=open_ones))


def advice_visible_to(user: object) -> QuerySet[Advice]:
    """This function will return the advice this user may see, soonest due first."""
    people = ("owner", "given_by__person", "answered_by__person", "closed_by__person")
    return (
        Advice.objects.filter(advice_visible(user))
        .select_related(*_IN_PROJECT, "visit", *people)
        .prefetch_related(lead_institutions("project__participations"))
        .order_by("due_on", "pk")
    )


def advice_of_project(user: object, project: Project) -> list[Advice]:
    """This function will return a project's advice: what is not closed first, soonest due first."""
    rows = list(advice_visible_to(user).filter(project=project).prefetch_related(None))
    return sorted(rows, key=lambda one: one.state == Advice.State.CLOSED)


def advice_of_visit(user: object, visit: SiteVisit) -> list[Advice]:
    """This function will return the advice given at a visit."""
    return list(advice_visible_to(user).filter(visit=visit).prefetch_related(None))


def with_open_advice(projects: QuerySet[Project]) -> QuerySet[Project]:
    """This function will give each project, which the reader was found to see, its open advice as `advice_list`."""
    advice = Advice.objects.filter(project=OuterRef("pk")).exclude(state=Advice.State.CLOSED).order_by("due_on", "pk")
    said = JSONObject(
        ref="ref", text="text", due_on="due_on", state="state",
        owner_ja="owner__name_ja", owner_en="owner__name_en",
    )  # fmt: skip
    return projects.annotate(advice_list=ArraySubquery(advice.values(json=said)))


def advice_awaiting(user: object) -> QuerySet[Advice]:
    """This function will return the advice that waits for this person: to be answered, or to be closed."""
    return advice_visible_to(user).filter(advice_to_act_on(user))


def visits_to_describe(user: object, today: date) -> QuerySet[SiteVisit]:
    """This function will return the past visits that this person entered and that have no memo yet."""
    mine = Q(opened_by=getattr(user, "pk", None), on__lte=today, memo="", cancelled_because="")
    return visits_visible_to(user).filter(mine)


def people_around(project: Project, on: date) -> list[Person]:
    """This function will return who can follow up advice: the team, the HQ, PO, PD, deputies and the program's staff.

    Who is excluded from the project is not among them.
    """
    terms = (
        ProjectMember.objects.filter(in_force(on), project=project),
        HQMember.objects.filter(in_force(on), headquarters__project=project),
        AreaDirector.objects.filter(in_force(on), area=project.area_id),
        AreaOfficer.objects.filter(in_force(on), area=project.area_id),
        Deputy.objects.filter(Q(director__area=project.area_id) | Q(officer__area=project.area_id), in_force(on)),
        ProgramStaff.objects.filter(in_force(on), program__in=_above(project).values("pk")),
    )
    known = Q()
    for rows in terms:
        known |= Q(pk__in=rows.values("person"))
    recused = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on), project=project, starts_on__lte=on
    )
    people = Person.objects.filter(known).exclude(pk__in=recused.values("person"))
    return list(people.order_by("name_kana", "name_ja", "pk"))


def _above(project: Project) -> QuerySet[Program]:
    refs = [part for part in project.program.path.split("/") if part]
    return Program.objects.filter(ref__in=refs).order_by()
