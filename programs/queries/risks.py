"""Reads of risks, collaborations and data management plans, and how many there are of each below an area or a program."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Case, CharField, Count, F, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from accounts.models import Person
from programs.models import Collaboration, DataManagementPlan, DataSet, Program, Project, ResearchArea, Risk, RiskNote
from programs.queries import lead_institutions, projects_visible_to
from programs.queries.plans import plan_people
from programs.rules.risks import data_plans_to_act_on, data_plans_visible, of_visible_projects, risks_to_act_on
from programs.rules.scope import scope_of


def _leads() -> Prefetch:
    return lead_institutions("project__participations")


def risks_visible_to(user: object) -> QuerySet[Risk]:
    """This function will return the risks and issues of the projects this user or client may see, the gravest first."""
    rows = Risk.objects.filter(of_visible_projects(user)).select_related("project__program", "project__area", "owner")
    return rows.prefetch_related(_leads()).order_by("-score", "due_on", "pk")


def risks_of(user: object, project: Project) -> QuerySet[Risk]:
    """This function will return a project's risks and issues, closed ones last."""
    last = Case(When(state=Risk.State.CLOSED, then=Value(1)), default=Value(0), output_field=IntegerField())
    return risks_visible_to(user).filter(project=project).order_by(last, "-score", "due_on", "pk")


def risks_awaiting(user: object, today: date) -> QuerySet[Risk]:
    """This function will return what waits for this person: escalated ones, and own ones whose day has come."""
    due = Q(state=Risk.State.ESCALATED) | Q(due_on__lte=today)
    return risks_visible_to(user).filter(risks_to_act_on(user)).filter(due)


def risk_owners(project: Project, on: date) -> list[Person]:
    """This function will return who can own a risk: the project's members and HQ."""
    return plan_people(project, on)


def notes_of(risk: Risk) -> list[RiskNote]:
    """This function will return what was said about a risk, in the order it was said."""
    return list(RiskNote.objects.filter(risk=risk).select_related("by__person"))


def collaborations_visible_to(user: object) -> QuerySet[Collaboration]:
    """This function will return the collaborations of the projects this user or client may see, newest first."""
    rows = Collaboration.objects.filter(of_visible_projects(user)).select_related("project__program", "project__area")
    return rows.prefetch_related(_leads()).order_by("-starts_on", "-pk")


def data_plans_visible_to(user: object) -> QuerySet[DataManagementPlan]:
    """This function will return the data management plans this user or client may read, newest version first."""
    people = [f"{name}__person" for name in ("opened_by", "submitted_by", "confirmed_by")]
    rows = DataManagementPlan.objects.filter(data_plans_visible(user))
    rows = rows.select_related("project__program", "project__area", *people).prefetch_related(_leads())
    return rows.order_by("project__ref", "-number")


def data_plans_awaiting(user: object) -> QuerySet[DataManagementPlan]:
    """This function will return the data management plans that this person confirms or revises next."""
    scope = scope_of(user)
    if not (scope.directed or scope.supported or scope.program_director or scope.program_officer or scope.teams):
        return DataManagementPlan.objects.none()
    return data_plans_visible_to(user).filter(data_plans_to_act_on(user)).order_by("opened_at", "pk")


def data_sets_of(plan: DataManagementPlan) -> list[DataSet]:
    """This function will return the data sets of a version in their order."""
    return list(DataSet.objects.filter(plan=plan).select_related("organization").order_by("pk"))


def confirmed_before(plan: DataManagementPlan) -> DataManagementPlan | None:
    """This function will return the confirmed version before this one."""
    rows = DataManagementPlan.objects.filter(project=plan.project_id, state="confirmed", number__lt=plan.number)
    return rows.order_by("-number").first()


@dataclass(frozen=True, slots=True)
class DataSetChange:
    """What became of a data set between two versions: names of the fields that differ, or that it is new or gone."""

    before: DataSet | None
    after: DataSet | None
    fields: tuple[str, ...] = ()


COMPARED = ("name", "description", "organization_id", "sharing", "embargo_until", "reason", "licence", "location")


def data_set_changes(before: list[DataSet], after: list[DataSet]) -> list[DataSetChange]:
    """This function will compare two versions' data sets by their keys."""
    old, new = {one.key: one for one in before}, {one.key: one for one in after}
    found = []
    for key in [*old, *(key for key in new if key not in old)]:
        was, now = old.get(key), new.get(key)
        if was is None or now is None:
            found.append(DataSetChange(was, now))
        elif names := tuple(name for name in COMPARED if getattr(was, name) != getattr(now, name)):
            found.append(DataSetChange(was, now, names))
    return found


# Counts ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Kept:
    """How many risks, collaborations, data management plans and data sets the visible projects have, by what they are."""

    risks: dict[str, int] = field(default_factory=dict)
    collaborations: dict[str, int] = field(default_factory=dict)
    data_plans: dict[str, int] = field(default_factory=dict)
    data_sets: dict[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.risks or self.collaborations or self.data_plans)

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """What there is to count, each by its words."""
        tables: list[tuple[Any, dict[str, int], dict[str, Any]]] = [
            (Risk._meta.verbose_name_plural, self.risks, {**dict(Risk.State.choices), "overdue": _("overdue")}),
            (Collaboration._meta.verbose_name_plural, self.collaborations, dict(Collaboration.Kind.choices)),
            (DataManagementPlan._meta.verbose_name_plural, self.data_plans, dict(DataManagementPlan.State.choices)),
            (DataSet._meta.verbose_name_plural, self.data_sets, dict(DataSet.Sharing.choices)),
        ]
        return [
            (str(name), [(str(labels[key]), counts[key]) for key in labels if counts.get(key)])
            for name, counts, labels in tables
        ]


def kept_by(user: object, owner: ResearchArea | Program, today: date) -> Kept:
    """This function will count in one query, over the projects that the reader may see."""
    inside = Q(area=owner) if isinstance(owner, ResearchArea) else Q(program__path__startswith=owner.path)
    projects = projects_visible_to(user).filter(inside).select_related(None).prefetch_related(None).order_by()
    risks = Risk.objects.filter(project__in=projects)
    overdue = risks.filter(due_on__lt=today).exclude(state=Risk.State.CLOSED)
    plans = DataManagementPlan.objects.filter(project__in=projects).order_by("project_id", "-number")
    newest = plans.filter(data_plans_visible(user)).distinct("project_id")
    standing = plans.filter(state=DataManagementPlan.State.CONFIRMED).distinct("project_id")
    counted = [
        _count(risks.exclude(state=Risk.State.CLOSED), "risks", F("state")),
        _count(overdue, "risks", Value("overdue", output_field=CharField())),
        _count(Collaboration.objects.filter(project__in=projects), "collaborations", F("kind")),
        _count(DataManagementPlan.objects.filter(pk__in=newest.values("pk")), "data_plans", F("state")),
        _count(DataSet.objects.filter(plan__in=standing.values("pk")), "data_sets", F("sharing")),
    ]
    kept = Kept()
    for name, key, number in counted[0].union(*counted[1:], all=True):
        if number:
            getattr(kept, name)[key] = number
    return kept


def _count(rows: QuerySet[Any], name: str, key: Any) -> QuerySet[Any]:
    named = rows.order_by().annotate(of=Value(name, output_field=CharField()), by=key)
    return named.values("of", "by").annotate(number=Count("pk")).values_list("of", "by", "number")
