"""Who can sit on a panel: the conditions of a membership before it is proposed and again before it is approved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.utils.translation import gettext as _

from accounts.models import Person, RoleGrant, User
from accounts.queries import in_force
from common.errors import Blocker
from evaluations.models import Expertise, PanelMember, Round
from evaluations.states import ACCEPTED, INVITED
from programs.models import AreaDirector, Deputy, ProgramStaff, ResearchArea

EVALUATING = (RoleGrant.Role.EVALUATOR, RoleGrant.Role.PANEL_CHAIR)
LIVE = (INVITED, ACCEPTED)


def directors_of(one: Round, on: date) -> set[int]:
    """This function will return the people who direct the round's program or area on this day, deputies included."""
    areas = ResearchArea.objects.filter(program__path__startswith=one.program.path)
    if one.area_id is not None:
        areas = areas.filter(pk=one.area_id)
    heads = ProgramStaff.objects.filter(in_force(on), role="program_director").alias(
        at=StrIndex(Value(one.program.path), F("program__path"))
    )
    parts: list[QuerySet[Any]] = [
        AreaDirector.objects.filter(in_force(on), area__in=areas),
        Deputy.objects.filter(in_force(on), in_force(on, "director__"), director__area__in=areas),
        heads.filter(at=1),
    ]
    ids = [part.order_by().values_list("person_id", flat=True) for part in parts]
    return set(ids[0].union(*ids[1:]))


def may_evaluate(one: Round, on: date) -> Q:
    """This function will return the condition for the people who can be proposed for the round's panel.

    Evaluators and chairs by role with a sign-in; where a director takes the chair, its directors as well.
    """
    held = RoleGrant.objects.filter(in_force(on), role__in=EVALUATING)
    able = Q(pk__in=held.values("person_id"))
    if one.chair_source == Round.ChairSource.PROGRAM_DIRECTOR:
        able |= Q(pk__in=directors_of(one, on))
    able &= Q(pk__in=User.objects.filter(is_active=True, person__isnull=False).values("person_id"))
    return able if one.is_sample else able & Q(is_sample=False)


def person_blockers(one: Round, person: Person, role: str, is_scoring: bool, on: date) -> list[Blocker]:
    """This function will list why this person cannot hold this office on the round's panel."""
    found = []
    if not Person.objects.filter(may_evaluate(one, on), pk=person.pk).exists():
        message = _("Choose somebody who evaluates by role and can sign in.")
        found.append(Blocker("person", "no_evaluator", message))
    if one.secretaries.filter(person=person).exists():
        message = _("Choose somebody who is not in the round's secretariat: the secretariat never scores.")
        found.append(Blocker("person", "secretariat", message))
    if role == PanelMember.Role.CHAIR:
        found += _chair_blockers(one, person, is_scoring, on)
    return found


def _chair_blockers(one: Round, person: Person, is_scoring: bool, on: date) -> list[Blocker]:
    directs = person.pk in directors_of(one, on)
    found = []
    if one.chair_source == Round.ChairSource.PROGRAM_DIRECTOR and not directs:
        message = _("In this round a director of its program or area takes the chair. Choose the director.")
        found.append(Blocker("person", "chair_not_director", message))
    if one.chair_source == Round.ChairSource.INDEPENDENT and directs:
        message = _("The chair of this round is independent. Choose somebody who does not direct its program or area.")
        found.append(Blocker("person", "chair_is_director", message))
    if directs and is_scoring:
        message = _("A director in the chair does not score. Take the mark away.")
        found.append(Blocker("is_scoring", "director_scores", message))
    return found


def place_blockers(members: QuerySet[PanelMember], person: Person, role: str) -> list[Blocker]:
    """This function will list which of the panel's live memberships leave no place for this one."""
    live = list(members.filter(state__in=LIVE).values_list("person_id", "role"))
    found = []
    if any(one == person.pk for one, _role in live):
        found.append(Blocker("person", "twice", _("This person is on the panel already, or invited.")))
    if role == PanelMember.Role.CHAIR and any(held == role for _one, held in live):
        message = _("The panel has a chair already, or one is invited. End that membership first.")
        found.append(Blocker("role", "one_chair", message))
    return found


def term_blockers(one: Round, values: Mapping[str, Any], expertises: Iterable[Expertise], on: date) -> list[Blocker]:
    """This function will list what is wrong with a member's term, load and fields of expertise."""
    found = []
    starts_on, ends_on, most = values["starts_on"], values["ends_on"], values["cases_max"]
    if ends_on is None:
        found.append(Blocker("ends_on", "required", _("Enter the last day: members have fixed terms.")))
    elif ends_on < max(starts_on, on):
        message = _("Choose a last day that is not before the first day and has not passed.")
        found.append(Blocker("ends_on", "dates_out_of_order", message))
    if most is not None and not 1 <= most <= one.cases_per_reader_max:
        message = _("Enter 1 to %(most)s cases: more than that no reader of this round has.")
        found.append(Blocker("cases_max", "load", message % {"most": one.cases_per_reader_max}))
    if any(field.panel.round_id != one.pk for field in expertises):
        found.append(Blocker("expertises", "foreign", _("Choose fields of expertise of this panel.")))
    return found
