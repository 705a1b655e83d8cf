"""Who may see and run rounds, panels and gate reviews, and what stands in the way of opening a round."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _

from accounts.queries import grants_of, in_force
from common.errors import Blocker
from common.fiscal_year import fiscal_year_of
from common.states import can_move
from common.subselects import daily
from evaluations.calendar import DECISION, STEPS, disorders, in_force_on
from evaluations.models import Admission, Case, GateReview, PanelMember, Round, RoundSecretary, Rubric
from evaluations.states import ACCEPTED, APPROVED, DRAFTING, INVITED, RELEASED, ROUND_MOVES, ROUND_RUNNING
from programs.models import Project, ProjectRecusal
from programs.rules import (
    EVERYTHING,
    NOTHING,
    OFFICE_ROLES,
    not_recused,
    projects_of_headquarters,
    projects_of_member,
    projects_of_organizations,
)
from programs.rules.scope import programs_run_by, projects_excluded, scope_of
from programs.states import RUNNING

#: So long after a round's end the people of its panel and its secretariat may still read (trust.md 1.10).
DAYS_AFTER = 30
HUNDRED = Decimal(100)
#: Who leads a panel.
CHAIRS = (PanelMember.Role.CHAIR, PanelMember.Role.VICE_CHAIR)


def rounds_staffed_by(user: object) -> Q:
    """This function will return the condition for the rounds of programs that this ministry officer staffs."""
    return Q(program__in=scope_of(user).ministry)


def rounds_kept_by(user: object) -> Q:
    """This function will return the condition for the rounds whose secretariat the user is today."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(pk__in=_kept(me))


@daily
def _kept(person_id: int) -> QuerySet[Any, Any]:
    held = RoundSecretary.objects.filter(in_force(localdate()), person_id=person_id, approved_by__isnull=False)
    return Round.objects.filter(not_over(""), pk__in=held.values("round_id")).values("pk")


def rounds_evaluated_by(user: object, *states: str) -> Q:
    """This function will return the condition for the rounds on whose panel the user sits (invited or appointed)."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(pk__in=rounds_of_member(me, *(states or (INVITED, ACCEPTED))))


@daily
def rounds_of_member(person_id: int, *states: str) -> QuerySet[Any, Any]:
    """This function will return the rounds on whose panel a person sits in one of these states."""
    held = PanelMember.objects.filter(
        in_force(localdate()), person_id=person_id, approved_by__isnull=False, state__in=states
    )
    return Round.objects.filter(not_over(""), pk__in=held.values("panel__round_id")).values("pk")


@daily
def panels_chaired(person_id: int) -> QuerySet[Any, Any]:
    """This function will return the panels, of rounds not long over, on which a person serves as chair or vice chair."""
    held = PanelMember.objects.filter(
        in_force(localdate()), person_id=person_id, approved_by__isnull=False, state=ACCEPTED, role__in=CHAIRS,
        panel__round__in=rounds_of_member(person_id, ACCEPTED),
    )  # fmt: skip
    return held.values("panel_id")


def rounds_directed_by(user: object) -> Q:
    """This function will return the condition: rounds of a program or area that the user directs or serves as PO."""
    scope = scope_of(user)
    areas = scope.directed | scope.supported
    heads = Q(program__in=scope.program_director | scope.program_officer) | Q(area__in=areas)
    reviews = GateReview.objects.filter(Q(project__area__in=areas) | Q(area__in=areas))
    return heads | Q(pk__in=reviews.values("round_id"))


def rounds_visible(user: object) -> Q:
    """This function will return the condition for the rounds that this user may see as such: name, calendar, rubric."""
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    if grants.has("auditor"):
        return EVERYTHING
    return (
        Q(program__in=scope_of(user).party)
        | rounds_kept_by(user)
        | rounds_evaluated_by(user)
        | rounds_directed_by(user)
    )


def may_see_rounds(user: object) -> bool:
    """This function will tell whether the list of rounds is for this user at all."""
    grants, scope = grants_of(user), scope_of(user)
    if grants.person_id is None:
        return False
    offices = scope.programs or scope.directed or scope.supported
    roles = ("auditor", "secretariat", "evaluator", "panel_chair", "agency_staff")
    return bool(offices) or any(grants.has(role) for role in roles)


def not_over(prefix: str) -> Q:
    """This function will return the condition: the round is open, or closed so lately that its people still read."""
    limit = make_aware(datetime.combine(localdate() - timedelta(days=DAYS_AFTER), time.min))
    return Q(**{f"{prefix}closed_at__isnull": True}) | Q(**{f"{prefix}closed_at__gte": limit})


# Gate reviews ---------------------------------------------------------------------------------------------------------


def not_excluded(person_id: int, to_project: str = "project") -> Q:
    """This function will return the condition: no exclusion of this person from the project that the row is about."""
    return ~Q(**{f"{to_project}__in": projects_excluded(person_id)})


def admissions_in_force(person_id: int, *, to_score: bool = False) -> QuerySet[Any, Any]:
    """This function will return the ids of the cases to which this person is admitted in spite of a conflict.

    Every exclusion from the project that is in force has to be covered: an admission names one conflict, and a
    conflict that is confirmed later excludes anew. `to_score`: only where the admission lets the person score.
    """
    approved = Admission.objects.filter(state=APPROVED, member__person_id=person_id, member__state=ACCEPTED)
    if to_score:
        approved = approved.filter(may_score=True)
    covered = approved.filter(case_id=OuterRef(OuterRef("case_id")), conflict__ref=OuterRef("source_ref"))
    today = localdate()
    uncovered = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today),
        ~Exists(covered),
        person_id=person_id, project_id=OuterRef("case__gate_review__project_id"), starts_on__lte=today,
    )  # fmt: skip
    return approved.filter(~Exists(uncovered)).order_by().values("case_id")


#: The same as a leaf for conditions.
admitted_cases = daily(admissions_in_force)


def gate_reviews_visible(user: object) -> Q:
    """This function will return the condition for the gate reviews that this user or client may see at all.

    Ministry and agency, secretariat, panel, PD and PO, the project's people; machines once released. A conflict
    beats every role.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None:
        return Q(state=RELEASED, round__program__in=programs_run_by([grants.client_organization_id]))
    if grants.person_id is None:
        return NOTHING
    me, scope = grants.person_id, scope_of(user)
    if grants.has("auditor"):
        return not_excluded(me)
    rounds = Round.objects.filter(rounds_kept_by(user) | rounds_evaluated_by(user))
    areas = scope.directed | scope.supported
    team = projects_of_member(me) | projects_of_headquarters(me)
    if offices := grants.organizations(*OFFICE_ROLES):
        team |= projects_of_organizations(offices)
    seen = (
        Q(round__program__in=scope.programs)
        | Q(round__in=rounds)
        | Q(project__area__in=areas)
        | Q(area__in=areas)
        | Q(project__in=Project.objects.filter(team))
    )
    return (seen & not_excluded(me)) | reviews_admitted(me)


def reviews_admitted(person_id: int) -> Q:
    """This function will return the condition for the reviews to whose case a member of the panel was admitted."""
    return Q(pk__in=_reviews_of_admitted(person_id))


@daily
def _reviews_of_admitted(person_id: int) -> QuerySet[Any, Any]:
    cases = Case.objects.filter(
        pk__in=admitted_cases(person_id), panel__round__in=rounds_of_member(person_id, ACCEPTED)
    )
    return cases.values("gate_review_id")


# Acts on rounds -------------------------------------------------------------------------------------------------------


def may_make_round(user: object, program_id: int) -> bool:
    """This function will tell whether the user may make a round of this program: its ministry staff."""
    return program_id in scope_of(user).ministry


def round_actions(user: object, one: Round) -> set[str]:
    """This function will return what the user may do with the round now: names such as `round.open`."""
    if not Round.objects.filter(rounds_visible(user), pk=one.pk).exists():
        return set()
    allowed = {"round.view"}
    staffs = one.program_id in scope_of(user).ministry
    keeps = Round.objects.filter(rounds_kept_by(user), pk=one.pk).exists()
    if staffs or keeps:
        allowed |= {"round.edit"} if one.state in (DRAFTING, *ROUND_RUNNING) else set()
        allowed |= {f"round.{act}" for act in ("close_first", "close_final") if can_move(one, act, ROUND_MOVES)}
    if staffs:
        allowed |= {f"round.{act}" for act in ("open", "close", "invalidate") if can_move(one, act, ROUND_MOVES)}
        allowed |= {"round.clone"} | ({"round.appoint"} if one.state in (DRAFTING, *ROUND_RUNNING) else set())
    if (staffs or keeps) and one.rubric is not None and one.rubric.fixed_at is None and "round.edit" in allowed:
        allowed.add("round.edit_rubric")
    return allowed


def round_days(one: Round) -> dict[str, date]:
    """This function will return the steps of a round's calendar that have a day, instants as their day in Japan."""
    found = {step: getattr(one, step) for step in STEPS}
    return {
        step: localdate(value) if isinstance(value, datetime) else value
        for step, value in found.items()
        if value is not None
    }


def first_locked_year(one: Round) -> int | None:
    """This function will return the first fiscal year whose money waits for the round's decisions: after the gate.

    None where no next phase hangs on it: ex-ante, ex-post and follow-up evaluations.
    """
    if one.kind not in (Round.Kind.STAGE_GATE, Round.Kind.MID_TERM):
        return None
    day = one.gate.held_on if one.gate is not None else one.decision_due_on
    return fiscal_year_of(day) + 1 if day is not None else None


def first_day_in_force(one: Round) -> date | None:
    """This function will return the first day on which the round's decisions can be in force, by its calendar."""
    decision_on = round_days(one).get(DECISION)
    return in_force_on(decision_on, one.objection_days) if decision_on else None


def contracts_missed(one: Round) -> date | None:
    """This function will return the day of the contracts that the round's decisions come too late for.

    The money of the next phase stays locked until a decision is in force. None where the calendar leaves time enough.
    """
    year, day = first_locked_year(one), first_day_in_force(one)
    if year is None or day is None:
        return None
    contracts_on = date(year, 4, 1)
    return contracts_on if day > contracts_on else None


def calendar_blockers(days: Mapping[str, date]) -> list[Blocker]:
    """This function will list the days that stand before what they have to follow, each at its field."""
    names = {step: str(Round._meta.get_field(step).verbose_name) for step in STEPS}  # type: ignore[union-attr]
    return [
        Blocker(one.step, "dates_out_of_order", _("Choose a day not before “%(step)s”.") % {"step": names[one.follows]})
        for one in disorders(days)
    ]


def rubric_blockers(rubric: Rubric | None) -> list[Blocker]:
    """This function will list what a rubric lacks before anything can be scored with it."""
    items = list(rubric.items.prefetch_related("levels")) if rubric else []
    scored = [item for item in items if not item.is_text_only]
    found = []
    if not items:
        found.append(Blocker("rubric", "no_criteria", _("Enter at least one criterion in the rubric.")))
    total = sum((item.weight_percent for item in scored), Decimal(0))
    if scored and total != HUNDRED:
        message = _("The weights add up to %(total)s%%. Correct them so that they add up to 100%%.")
        found.append(Blocker("rubric", "weights", message % {"total": f"{total.normalize():f}"}))
    for item in scored:
        if len(item.levels.all()) < 2:
            message = _("Give the criterion “%(item)s” at least two grades.") % {"item": item.name}
            found.append(Blocker("rubric", "no_scale", message))
    if rubric and not rubric.grades.exists():
        found.append(Blocker("rubric", "no_legend", _("Enter the overall grades of the legend.")))
    return found


def opening_blockers(one: Round, at: datetime) -> list[Blocker]:
    """This function will list what stands in the way of opening the round at this time."""
    days = round_days(one)
    found = rubric_blockers(one.rubric) + calendar_blockers(days)
    if one.dossier_due_on is not None and one.dossier_due_on < localdate(at):
        message = _("Choose a day that has not passed. The teams have to write their dossiers until then.")
        found.append(Blocker("dossier_due_on", "past", message))
    if one.first_close_at is not None and one.first_close_at <= at:
        message = _("Choose a time that has not passed. Nobody could score any more.")
        found.append(Blocker("first_close_at", "past", message))
    for step in STEPS:
        if step not in days:
            name = Round._meta.get_field(step).verbose_name  # type: ignore[union-attr]
            found.append(Blocker(step, "missing", _("Enter the day of “%(step)s”.") % {"step": name}))
    if not one.documents.exists():
        found.append(Blocker("documents", "missing", _("Name the documents that are asked for.")))
    if not one.secretaries.filter(approved_by__isnull=False).exists():
        found.append(Blocker("secretaries", "missing", _("Appoint the evaluation secretariat.")))
    return found


def gate_callable(user: object, one: Round) -> Q:
    """This function will return the condition for the projects whose dossiers the user may call for in this round."""
    below = Q(program__path__startswith=one.program.path)
    if one.area_id is not None:
        below &= Q(area=one.area_id)
    me = grants_of(user).person_id
    return NOTHING if me is None else below & Q(state=RUNNING) & not_recused(me)
