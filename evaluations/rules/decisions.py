"""Who may read, draft, take and release decisions on gates, and what stands in the way of one.

Until its release a decision is known to officials, the directors and auditors; the team, its institutions and machines
learn of it at one instant. A conflict beats every role.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.utils.timezone import localdate
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from evaluations.models import Condition, Finding, GateDecision, GateReview, Objection, Round, WindDownItem
from evaluations.rules.rounds import not_excluded, rounds_evaluated_by
from evaluations.states import (
    ACCEPTED,
    CALLED,
    DECIDED,
    DECISION_STANDS,
    DRAFTED,
    FILED,
    GIVEN,
    NOT_MET,
    OPEN,
    RECOMMENDED,
    RELEASED,
    REPORTED,
    SUBMITTED,
    WITHDRAWN,
)
from programs.models import ChangeRequest, Participation, Project
from programs.queries.revisions import APPROVABLE, Revision, changes_to_order
from programs.rules import (
    NOTHING,
    OFFICE_ROLES,
    projects_of_headquarters,
    projects_of_member,
    projects_of_organizations,
)
from programs.rules.plans import plan_in_force
from programs.rules.scope import programs_run_by, scope_of

REASONS = Path(__file__).resolve().parent.parent / "data" / "decision_reasons.json"
PROJECT = "gate_review__project"
PRINCIPAL = "principal_investigator"
IS_RELEASED = Q(released_at__isnull=False)


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason to choose from, for some outcomes."""

    code: str
    outcomes: tuple[str, ...]
    name_ja: str
    name_en: str

    @property
    def name(self) -> str:
        """The words in the reader's language."""
        return self.name_en if (get_language() or "ja").startswith("en") else self.name_ja


@cache
def decision_reasons() -> tuple[Reason, ...]:
    """This function will return the reasons that a decision may have, in their order."""
    rows = json.loads(REASONS.read_text())["reasons"]
    return tuple(Reason(one["code"], tuple(one["outcomes"]), one["name_ja"], one["name_en"]) for one in rows)


def reason_called(code: str) -> Reason | None:
    """This function will return the reason with this code."""
    return next((one for one in decision_reasons() if one.code == code), None)


# Who reads ------------------------------------------------------------------------------------------------------------


def decisions_visible(user: object) -> Q:
    """This function will return the condition for the decisions that this user or client may read.

    Ministry staff and auditors always, the directors from the draft on; the officers, the team, its institutions, the
    panel, the agency and its machines once it is released.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None:
        return IS_RELEASED & Q(gate_review__round__program__in=programs_run_by([grants.client_organization_id]))
    if grants.person_id is None:
        return NOTHING
    me, scope = grants.person_id, scope_of(user)
    # A merger tells of the other project's plan and money too.
    free = not_excluded(me, PROJECT) & not_excluded(me, "plan_change__project")
    if grants.has("auditor"):
        return free
    early = (
        Q(gate_review__round__program__in=scope.ministry)
        | Q(gate_review__round__program__in=scope.program_director)
        | Q(gate_review__project__area__in=scope.directed)
    )
    team = projects_of_member(me) | projects_of_headquarters(me)
    if offices := grants.organizations(*OFFICE_ROLES):
        team |= projects_of_organizations(offices)
    later = (
        Q(gate_review__round__program__in=scope.program_officer | scope.agency)
        | Q(gate_review__project__area__in=scope.supported)
        | Q(gate_review__project__in=Project.objects.filter(team))
        | Q(gate_review__round__in=Round.objects.filter(rounds_evaluated_by(user)))
    )
    return (early | IS_RELEASED & later) & free


def conditions_visible(user: object) -> Q:
    """This function will return the condition for the conditions that this user or client may read: with the decision."""
    return Q(decision__in=GateDecision.objects.filter(decisions_visible(user)))


def objections_visible(user: object) -> Q:
    """This function will return the condition for the objections that this user may read: never machines, nor panels."""
    grants, scope = grants_of(user), scope_of(user)
    if grants.person_id is None:
        return NOTHING
    me, to_project = grants.person_id, "decision__gate_review__project"
    if grants.has("auditor"):
        return not_excluded(me, to_project)
    team = projects_of_member(me) | projects_of_headquarters(me)
    seen = (
        Q(decision__gate_review__round__program__in=scope.ministry | scope.program_director | scope.program_officer)
        | Q(decision__gate_review__project__area__in=scope.directed | scope.supported)
        | Q(decision__gate_review__project__in=Project.objects.filter(team))
    )
    return seen & not_excluded(me, to_project)


def reviews_decided_by(user: object) -> Q:
    """This function will return the condition for the gate reviews on which the user, as ministry staff, decides.

    Never in conflict with the project, nor with another one that a decision on it merges it into.
    """
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    merged = GateDecision.objects.filter(~not_excluded(me, "plan_change__project"), gate_review=OuterRef("pk")).exclude(
        state=WITHDRAWN
    )
    return Q(round__program__in=scope_of(user).ministry) & not_excluded(me) & ~Q(Exists(merged))


# Who acts -------------------------------------------------------------------------------------------------------------


def decision_actions(user: object, review: GateReview, *, on: date | None = None) -> set[str]:
    """This function will return what the user may do about the review's decision now: `decision.draft`, ...

    Drafting is open to staff in every state: what is missing is said by `decision_blockers`. `on`: the day that counts
    for the window of objections, else today. In two queries.
    """
    held = _held(user, review)
    if held is None:
        return set()
    allowed = {"decision.read"} if held["reads"] else set()
    if not (held["reads"] or held["staffs"]):
        return allowed
    rows = {one.state: one for one in GateDecision.objects.filter(gate_review=review)}
    if held["staffs"]:
        allowed |= {"decision.preview"} | _staff_acts(user, review, rows)
        if held["is_objected"]:
            allowed.add("decision.settle_objection")
    standing = rows.get(RELEASED)
    if standing is not None and held["reads"] and held["leads"] and not held["has_objected"]:
        standing.gate_review = review
        if review.state == RELEASED and (on or localdate()) <= objection_until(standing):
            allowed.add("decision.object")
    return allowed


def _held(user: object, review: GateReview) -> dict[str, bool] | None:
    """What the user holds over the review's decision, in one query."""
    me = grants_of(user).person_id
    here = {"gate_review": OuterRef("pk")}
    said = Objection.objects.filter(decision__gate_review=OuterRef("pk"))
    columns: dict[str, Q | Exists] = {
        "reads": Exists(GateDecision.objects.filter(decisions_visible(user), **here)),
        "staffs": reviews_decided_by(user),
        "is_objected": Exists(said.filter(state=FILED)),
        "has_objected": Exists(said.filter(decision__state=RELEASED)),
        "leads": NOTHING if me is None else Q(project__in=Project.objects.filter(_leading(me))),
    }
    wrapped = {f"holds_{name}": ExpressionWrapper(one, BooleanField()) for name, one in columns.items()}
    found = GateReview.objects.filter(pk=review.pk).order_by().annotate(**wrapped).values_list(*wrapped).first()
    return None if found is None else dict(zip(columns, found, strict=True))


def _leading(me: int) -> Q:
    return projects_of_member(me, PRINCIPAL) | projects_of_headquarters(me)


def _staff_acts(user: object, review: GateReview, rows: dict[str, GateDecision]) -> set[str]:
    me, allowed = getattr(user, "pk", None), set()
    if review.state in (RECOMMENDED, DECIDED, RELEASED):
        allowed.add("decision.draft")
    draft, decided = rows.get(DRAFTED), rows.get(DECIDED)
    if draft is not None:
        allowed.add("decision.withdraw")
        if draft.drafted_by_id != me and not _recommended(user, draft):
            allowed.add("decision.decide")
    if decided is not None and decided.decided_by_id != me:
        allowed.add("decision.release")
    return allowed


def _recommended(user: object, draft: GateDecision) -> bool:
    me = grants_of(user).person_id
    return Finding.objects.filter(case=draft.case_id, recommended_by__person=me, state=GIVEN).exists()


def objection_until(decision: GateDecision) -> date:
    """This function will return the last day on which an objection to a released decision can be filed."""
    assert decision.released_at is not None
    return localdate(decision.released_at) + timedelta(days=decision.gate_review.round.objection_days)


def decisions_coming_into_force(today: date) -> list[GateDecision]:
    """This function will return the released decisions whose objection window is over without an open objection."""
    held = Objection.objects.filter(decision=OuterRef("pk"), state__in=(FILED, ACCEPTED))
    rows = GateDecision.objects.filter(~Exists(held), state=RELEASED).select_related("gate_review__round")
    return [one for one in rows.order_by("pk") if objection_until(one) < today]


# Conditions and wind-down ---------------------------------------------------------------------------------------------


def _answers_for(user: object, review: str = "") -> dict[str, Q]:
    """For whom the user answers, each with the condition on the review at the end of this path."""
    grants, scope, owner = grants_of(user), scope_of(user), Condition.Owner
    me = grants.person_id
    if me is None:
        return {}
    # Who answered for the institution when the project was stopped answers for its wind-down too.
    leads = Participation.objects.filter(
        role="lead", ends_on__isnull=True, organization__in=grants.organizations(*OFFICE_ROLES)
    )
    supported = Q(**{f"{review}project__area__in": scope.supported})
    return {
        owner.TEAM.value: Q(**{f"{review}project__in": Project.objects.filter(_leading(me))}),
        owner.OFFICE.value: Q(**{f"{review}project__in": leads.values("project")}),
        owner.OFFICER.value: supported | Q(**{f"{review}project__program__in": scope.program_officer}),
        owner.STAFF.value: Q(**{f"{review}round__program__in": scope.ministry}),
    }


def owners_held(user: object, review: GateReview) -> set[str]:
    """This function will return for whom the user answers in what a decision asks for: team, office, officer, staff."""
    answers, me = _answers_for(user), grants_of(user).person_id
    if me is None:
        return set()
    wrapped = {f"holds_{name}": ExpressionWrapper(one, BooleanField()) for name, one in answers.items()}
    rows = GateReview.objects.filter(not_excluded(me), pk=review.pk, project__isnull=False).order_by()
    found = rows.annotate(**wrapped).values_list(*wrapped).first()
    return {name for name, holds in zip(answers, found, strict=True) if holds} if found else set()


def condition_actions(user: object, condition: Condition, held: set[str] | None = None) -> set[str]:
    """This function will return what the user may do with the condition now: `condition.report`, `condition.settle`.

    Whoever owes it reports; the program officer finds it met or not, for what officers owe the ministry's staff.
    """
    decision = condition.decision
    if decision.state not in DECISION_STANDS:
        return set()
    held = owners_held(user, decision.gate_review) if held is None else held
    allowed = set()
    if condition.state in ("open", "not_met") and condition.owner in held:
        allowed.add("condition.report")
    finder = Condition.Owner.STAFF if condition.owner == Condition.Owner.OFFICER else Condition.Owner.OFFICER
    if condition.state == "reported" and finder in held and condition.reported_by_id != getattr(user, "pk", None):
        allowed.add("condition.settle")
    return allowed


def conditions_to_act_on(user: object) -> Q:
    """This function will return the condition for the conditions on which this user reports, or finds, next."""
    answers, owner = _answers_for(user, "decision__gate_review__"), Condition.Owner
    if not answers:
        return NOTHING
    found = NOTHING
    for name, held in answers.items():
        found |= held & Q(owner=name, state__in=(OPEN, NOT_MET))
    reported = Q(state=REPORTED) & ~Q(reported_by__person=grants_of(user).person_id)
    found |= reported & answers[owner.OFFICER] & ~Q(owner=owner.OFFICER)
    found |= reported & answers[owner.STAFF] & Q(owner=owner.OFFICER)
    return Q(decision__state__in=DECISION_STANDS) & found


def wind_down_to_do(user: object) -> Q:
    """This function will return the condition for the steps of wind-downs that this user owes."""
    found = NOTHING
    for name, held in _answers_for(user, "decision__gate_review__").items():
        found |= held & Q(owner=name)
    return Q(done_at__isnull=True, decision__state__in=DECISION_STANDS) & found


def wind_down_doable(user: object, item: WindDownItem) -> bool:
    """This function will tell whether the user may mark the step as done: who owes it, or the ministry's staff."""
    if item.done_at is not None or item.decision.state not in DECISION_STANDS:
        return False
    return bool(owners_held(user, item.decision.gate_review) & {item.owner, WindDownItem.Owner.STAFF.value})


# What stands in the way -----------------------------------------------------------------------------------------------


def review_blockers(review: GateReview, finding: Finding | None, corrects: GateDecision | None) -> list[Blocker]:
    """This function will list why no decision can be taken on the review yet: dossier, finding, recommendation."""
    if review.state in (CALLED, SUBMITTED):
        return [Blocker("dossier", "not_sealed", _("Wait until the program officer has sealed the dossier."))]
    if review.project_id is None:
        return [Blocker("outcome", "no_project", _("Only projects have a plan and money to decide on here."))]
    correcting = corrects is not None and review.state in (DECIDED, RELEASED)
    if review.state != RECOMMENDED and not correcting:
        return [Blocker("finding", "not_recommended", _("Wait until the panel has given its finding and recommends."))]
    if finding is None or finding.state != GIVEN:
        return [Blocker("finding", "no_finding", _("Wait until the chair has given the finding."))]
    return []


def decision_blockers(draft: GateDecision, revision: Revision, conditions: int, wind_down: int) -> list[Blocker]:
    """This function will list what a draft lacks before it can be decided, each at its field."""
    found = []
    reason = reason_called(draft.reason_code)
    if reason is None or draft.outcome not in reason.outcomes:
        found.append(Blocker("reason_code", "foreign_reason", _("Choose a reason that belongs to this outcome.")))
    if not draft.reason.strip():
        found.append(Blocker("reason", "required", _("Write the reason.")))
    if draft.effective_on < localdate(draft.gate_review.called_at):
        message = _("The decision cannot hold from before the review began. Choose a later day.")
        found.append(Blocker("effective_on", "before_the_review", message))
    found += _plan_blockers(draft)
    if draft.ends_the_project:
        if draft.ends_on is None:
            found.append(Blocker("ends_on", "required", _("Enter the last day of the project.")))
        if not wind_down:
            message = _("Enter the steps of the wind-down: end, assets, data, people, released money.")
            found.append(Blocker("wind_down", "required", message))
    if draft.bridging_yen is not None and draft.outcome != GateDecision.Outcome.DEFER:
        message = _("A bridging allocation goes only with a re-examination. Take it out.")
        found.append(Blocker("bridging_yen", "not_deferred", message))
    if conditions and draft.ends_the_project and not draft.merges:
        found.append(Blocker("conditions", "no_project_left", _("A project that stops has no conditions to meet.")))
    # What is wrong with the last day is said at it; all the rest is in the plan, which is changed elsewhere.
    own = {"ends_on"} if draft.ends_the_project else set()
    return found + [
        Blocker(one.field if one.field in own else "plan_change", one.code, one.message) for one in revision.blockers
    ]


def _plan_blockers(draft: GateDecision) -> list[Blocker]:
    found = []
    version, project = draft.plan_change, draft.gate_review.project
    assert project is not None
    if draft.outcome == GateDecision.Outcome.MODIFY:
        if version is None:
            message = _("Choose the change of the plan. The team hands one in; the program director confirms it.")
            found.append(Blocker("plan_change", "no_change", message))
        elif not is_carried_already(draft) and version not in changes_to_order(project):
            message = _("Choose a change that the program director has confirmed.")
            found.append(Blocker("plan_change", "not_confirmed", message))
        elif version.change_request.kind == ChangeRequest.Kind.STOP and not is_carried_already(draft):
            message = _("This change asks for a stop. Choose the outcome “stop”.")
            found.append(Blocker("plan_change", "asks_for_a_stop", message))
    elif version is not None:
        found.append(
            Blocker("plan_change", "not_modify", _("Only “modify” changes the plan by a request. Take it out."))
        )
    changed = version.project if version is not None else project if draft.ends_the_project else None
    base = plan_in_force(changed.pk, date.max) if changed is not None else None
    if (
        base is not None
        and base.effective_on
        and draft.effective_on <= base.effective_on
        and not is_carried_already(draft)
    ):
        message = _("The plan before holds from a later day. Choose a day after it.")
        found.append(Blocker("effective_on", "before_the_last", message))
    return found


def is_carried_already(draft: GateDecision) -> bool:
    """This function will tell whether the decision that this one corrects has made the same of plan and project."""
    former = draft.corrects
    return (
        former is not None
        and former.released_at is not None
        and (former.outcome, former.plan_change_id, former.ends_on)
        == (draft.outcome, draft.plan_change_id, draft.ends_on)
        and (former.plan_change is None or former.plan_change.state not in APPROVABLE)
    )
