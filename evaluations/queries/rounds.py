"""Reads of rounds, panels and gate reviews, already restricted to what the reader may see."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from accounts.models import Person, RoleGrant
from accounts.queries import in_force
from evaluations.models import GateReview, Round
from evaluations.rules.rounds import gate_callable, gate_reviews_visible, rounds_visible
from evaluations.states import INVALIDATED
from programs.models import Program, Project, ResearchArea, StageGate
from programs.queries import lead_institutions
from programs.rules.scope import scope_of


def rounds_visible_to(user: object) -> QuerySet[Round]:
    """This function will return the rounds this user may see, newest first."""
    return (
        Round.objects.filter(rounds_visible(user))
        .select_related("program", "area", "gate", "rubric")
        .order_by("-made_at", "-pk")
    )


def gate_reviews_visible_to(user: object) -> QuerySet[GateReview]:
    """This function will return the gate reviews this user or client may see, newest first."""
    return (
        GateReview.objects.filter(gate_reviews_visible(user))
        .select_related("round", "project", "area", "program")
        .order_by("-called_at", "-pk")
    )


def programs_for_rounds(user: object) -> QuerySet[Program]:
    """This function will return the programs of which the user may make rounds, in the order of the portfolio."""
    return Program.objects.filter(pk__in=scope_of(user).ministry).order_by("path")


def area_choices(program: Program) -> list[ResearchArea]:
    """This function will return the areas of a program."""
    return list(ResearchArea.objects.filter(program=program).order_by("number"))


def gate_choices(program: Program) -> list[StageGate]:
    """This function will return the gates that a program's rule knows."""
    return list(StageGate.objects.filter(program=program).order_by("held_on"))


def secretariat_people(one: Round, on: date) -> list[Person]:
    """This function will return who can join the round's secretariat: secretariats by role, not yet in it."""
    held = RoleGrant.objects.filter(in_force(on), role=RoleGrant.Role.SECRETARIAT, approved_by__isnull=False)
    people = Person.objects.filter(pk__in=held.values("person_id"))
    if not one.is_sample:
        people = people.filter(is_sample=False)
    return list(people.exclude(pk__in=one.secretaries.values("person_id")).order_by("name_ja", "pk"))


def projects_to_call(user: object, one: Round) -> list[Project]:
    """This function will return the running projects of the round that are not called for a dossier yet."""
    called = GateReview.objects.filter(round=one).exclude(state=INVALIDATED).values("project")
    rows = Project.objects.filter(gate_callable(user, one)).exclude(pk__in=called)
    return list(rows.select_related("program", "area").prefetch_related(lead_institutions()).order_by("ref"))
