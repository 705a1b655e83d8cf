"""Reads of decisions, conditions and objections; the preview of a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from evaluations.models import (
    Admission,
    Case,
    Condition,
    Finding,
    GateDecision,
    GateReview,
    Objection,
    Round,
    WindDownItem,
)
from evaluations.queries.rounds import gate_reviews_visible_to
from evaluations.rules.decisions import (
    conditions_to_act_on,
    conditions_visible,
    decision_blockers,
    decisions_visible,
    is_carried_already,
    objections_visible,
    owners_held,
    review_blockers,
    reviews_decided_by,
    wind_down_to_do,
)
from evaluations.states import (
    CASE_LIVE,
    CONDITION_LEFT,
    DECIDED,
    DECISION_STANDS,
    DRAFTED,
    FILED,
    GIVEN,
    RECOMMENDED,
    RELEASED,
)
from programs.models import Project
from programs.queries import lead_institutions
from programs.queries.revisions import Revision, preview_revision
from programs.rules import OFFICE_ROLES
from programs.rules.scope import scope_of

DECIDABLE = (RECOMMENDED, DECIDED, RELEASED)
PEOPLE = ("drafted_by__person", "decided_by__person", "released_by__person")


def decisions_visible_to(user: object) -> QuerySet[GateDecision]:
    """This function will return the decisions this user or client may read, newest first."""
    return (
        GateDecision.objects.filter(decisions_visible(user))
        .select_related("gate_review__round", "gate_review__project__area", "case", "plan_change__project", *PEOPLE)
        .order_by("-drafted_at", "-pk")
    )


def conditions_visible_to(user: object) -> QuerySet[Condition]:
    """This function will return the conditions this user or client may read, soonest due first."""
    return (
        Condition.objects.filter(conditions_visible(user))
        .select_related("decision__gate_review__round", "decision__gate_review__project__area")
        .order_by("due_on", "pk")
    )


def wind_down_visible_to(user: object) -> QuerySet[WindDownItem]:
    """This function will return the steps of wind-downs this user may read, soonest due first."""
    rows = WindDownItem.objects.filter(decision__in=GateDecision.objects.filter(decisions_visible(user)))
    related = ("decision__gate_review__round", "decision__gate_review__project__area")
    return rows.select_related(*related).order_by("due_on", "pk")


def objections_visible_to(user: object) -> QuerySet[Objection]:
    """This function will return the objections this user may read, newest first."""
    rows = Objection.objects.filter(objections_visible(user))
    return rows.select_related("decision__gate_review", "filed_by__person", "settled_by__person").order_by("-filed_at")


def decisions_of(user: object, review: GateReview) -> list[GateDecision]:
    """This function will return the review's decisions that the user may read, newest first; drafts last withdrawn out."""
    rows = decisions_visible_to(user).filter(gate_review=review).exclude(state=GateDecision.State.WITHDRAWN)
    return list(rows.select_related("letter", "file", "corrects").prefetch_related("conditions", "wind_down"))


def reviews_with_decision(user: object) -> QuerySet[GateReview]:
    """This function will return the gate reviews of whose decision the user may read or, as staff, prepares one.

    For everybody else the page is not there before the release.
    """
    read = GateDecision.objects.filter(decisions_visible(user), gate_review=OuterRef("pk"))
    return (
        GateReview.objects.filter(Q(Exists(read)) | reviews_decided_by(user))
        .filter(project__isnull=False)
        .select_related("round__program", "round__gate", "project__area", "project__program", "dossier")
        .prefetch_related(lead_institutions("project__participations"))
        .order_by("-called_at", "-pk")
    )


def decided_gates(user: object, project: Project) -> list[GateDecision]:
    """This function will return the project's released decisions that the user may read, with their conditions."""
    rows = decisions_visible_to(user).filter(gate_review__project=project, released_at__isnull=False)
    return list(rows.prefetch_related("conditions", "wind_down").order_by("-released_at", "-pk"))


def published_decisions(ref: str) -> list[GateDecision]:
    """This function will return what everybody may read of a gate review: its released decisions, newest first."""
    rows = GateDecision.objects.filter(gate_review__ref=ref, released_at__isnull=False)
    return list(rows.select_related("gate_review").order_by("-released_at", "-pk"))


def published_admissions(decision: GateDecision) -> list[str]:
    """This function will return the reasons for which interested members were admitted to the decided case: no names,
    since who read which case is not published.
    """  # fmt: skip
    rows = Admission.objects.filter(case=decision.case_id, approved_at__isnull=False)
    return list(rows.order_by("approved_at", "pk").values_list("reason", flat=True))


def published_gates() -> QuerySet[GateDecision]:
    """This function will return the decisions that stand and are public, newest first."""
    rows = GateDecision.objects.filter(state__in=DECISION_STANDS)
    return rows.select_related("gate_review").order_by("-released_at", "-pk")


# What a decision would do ---------------------------------------------------------------------------------------------


def case_to_decide(review: GateReview) -> Case | None:
    """This function will return the case that a decision now would be about: the live one, else the last concluded."""
    cases = Case.objects.filter(gate_review=review).exclude(state="invalidated")
    live = cases.filter(state__in=CASE_LIVE) if review.state == RECOMMENDED else cases.exclude(state__in=CASE_LIVE)
    return live.order_by("-number").first()


def finding_of(case: Case | None) -> Finding | None:
    """This function will return the finding on a case as the chair has given it."""
    if case is None:
        return None
    return Finding.objects.filter(case=case, state=GIVEN).select_related("grade", "recommended_by__person").first()


def decision_to_correct(review: GateReview) -> GateDecision | None:
    """This function will return the decision whose place a new one takes: what is decided, else what stands."""
    rows = GateDecision.objects.filter(gate_review=review).select_related("plan_change")
    return rows.filter(state=DECIDED).first() or rows.filter(state__in=DECISION_STANDS).order_by("-released_at").first()


def draft_of(review: GateReview) -> GateDecision | None:
    """This function will return the review's draft of a decision."""
    rows = GateDecision.objects.filter(gate_review=review, state=DRAFTED)
    related = ("plan_change__project", "plan_change__change_request", "corrects__plan_change", "case", *PEOPLE)
    return rows.select_related("gate_review__round", "gate_review__project", *related).first()


@dataclass(frozen=True, slots=True)
class DecisionPreview:
    """What a decision does: to the project's plan, and to the other's that it is merged into."""

    revision: Revision
    other: Revision | None = None

    @property
    def all(self) -> tuple[Revision, ...]:
        return (self.revision,) if self.other is None else (self.revision, self.other)

    @property
    def released_yen(self) -> int:
        return sum(one.released_yen for one in self.all)

    @property
    def added_yen(self) -> int:
        return sum(one.added_yen for one in self.all)


def preview_of(draft: GateDecision, today: date) -> DecisionPreview:
    """This function will work out what the draft, saved or not, makes of plan and money; nothing is written."""
    project = draft.gate_review.project
    assert project is not None
    if is_carried_already(draft):
        return DecisionPreview(preview_revision(project, today=today))
    ends_on = draft.ends_on if draft.ends_the_project else None
    if draft.merges:
        assert draft.plan_change is not None
        other = preview_revision(draft.plan_change.project, version=draft.plan_change, today=today)
        return DecisionPreview(preview_revision(project, ends_on=ends_on, today=today), other)
    version = draft.plan_change if draft.outcome == GateDecision.Outcome.MODIFY else None
    return DecisionPreview(preview_revision(project, version=version, ends_on=ends_on, today=today))


def missing_for(draft: GateDecision, preview: DecisionPreview) -> list[Blocker]:
    """This function will list everything that keeps the draft from being decided, as blockers."""
    review, finding = draft.gate_review, finding_of(draft.case)
    found = review_blockers(review, finding, draft.corrects)
    if found:
        return found
    if (case := case_to_decide(review)) is None or case.pk != draft.case_id:
        return [Blocker("case", "reviewed_anew", _("The project was reviewed anew since. Write the draft again."))]
    counts = Condition.objects.filter(decision=draft).count(), WindDownItem.objects.filter(decision=draft).count()
    found = decision_blockers(draft, preview.revision, *counts)
    return found + (list(preview.other.blockers) if preview.other else [])


# What waits -----------------------------------------------------------------------------------------------------------


def decisions_awaiting(user: object) -> list[tuple[GateReview, str]]:
    """This function will return the gate reviews whose decision waits for this officer, and what: draft, decide, release."""
    if not scope_of(user).ministry:
        return []
    me = getattr(user, "pk", None)
    drafts = GateDecision.objects.filter(gate_review=OuterRef("pk"), state=DRAFTED)
    rows = (
        gate_reviews_visible_to(user)
        .filter(reviews_decided_by(user))
        .annotate(
            has_draft=Exists(drafts),
            may_decide=Exists(drafts.exclude(drafted_by=me)),
            may_release=Exists(
                GateDecision.objects.filter(gate_review=OuterRef("pk"), state=DECIDED).exclude(decided_by=me)
            ),
        )
        .filter(Q(state=RECOMMENDED, has_draft=False) | Q(state__in=DECIDABLE, may_decide=True) | Q(may_release=True))
        .select_related("project__area", "round__program")
        .order_by("round__decision_due_on", "pk")
    )
    return [(one, "decide" if one.may_decide else "release" if one.may_release else "draft") for one in rows]


def conditions_awaiting(user: object) -> list[Condition]:
    """This function will return the conditions on which this person reports or finds next, soonest due first."""
    if not _answers(user):
        return []
    rows = conditions_visible_to(user).filter(conditions_to_act_on(user))
    return list(rows.select_related("decision__gate_review__project__area")[:100])


def conditions_in_hand(user: object, projects: QuerySet[Project]) -> list[Condition]:
    """This function will return the conditions of these projects' gates that are not met yet and that the reader may read."""
    rows = conditions_visible_to(user).filter(
        decision__gate_review__project__in=projects, decision__state__in=DECISION_STANDS, state__in=CONDITION_LEFT
    )
    return list(rows.prefetch_related(lead_institutions("decision__gate_review__project__participations")))


def objections_in_hand(user: object, projects: QuerySet[Project]) -> list[Objection]:
    """This function will return the open objections of these projects that the reader may read."""
    rows = objections_visible_to(user).filter(state=FILED, decision__gate_review__project__in=projects)
    rows = rows.select_related("decision__gate_review__project__area", "filed_by__person")
    return list(rows.prefetch_related(lead_institutions("decision__gate_review__project__participations")))


def wind_down_awaiting(user: object) -> list[WindDownItem]:
    """This function will return the steps of wind-downs that this person owes, soonest due first."""
    return list(wind_down_visible_to(user).filter(wind_down_to_do(user))[:100]) if _answers(user) else []


def _answers(user: object) -> bool:
    """Whether the user answers for anybody of whom a decision may ask something; without a query."""
    scope = scope_of(user)
    offices = grants_of(user).organizations(*OFFICE_ROLES)
    return bool(scope.teams or scope.supported or scope.program_officer or scope.ministry or offices)


def objections_awaiting(user: object) -> list[Objection]:
    """This function will return the open objections that this officer settles."""
    if not scope_of(user).ministry:
        return []
    rows = objections_visible_to(user).filter(
        state=FILED, decision__gate_review__round__program__in=scope_of(user).ministry
    )
    return list(rows.select_related("decision__gate_review__project__area"))


def decisions_of_round(user: object, one: Round) -> list[GateDecision]:
    """This function will return the round's decisions that the user may read, with what the list shows of them."""
    rows = decisions_visible_to(user).filter(gate_review__round=one)
    rows = rows.exclude(state__in=(GateDecision.State.WITHDRAWN, GateDecision.State.REPLACED))
    return list(
        rows.prefetch_related(lead_institutions("gate_review__project__participations")).order_by(
            "gate_review__project__ref", "pk"
        )
    )


def answers_held(user: object, review: GateReview) -> set[str]:
    """This function will return for whom the user answers in what the review's decisions ask for."""
    return owners_held(user, review) if grants_of(user).person_id is not None else set()


# The last gate, for the next dossier ----------------------------------------------------------------------------------


def last_decision(project_id: int, before: GateReview | None = None) -> GateDecision | None:
    """This function will return the project's decision that stands from an earlier gate review than this one."""
    rows = GateDecision.objects.filter(gate_review__project=project_id, state__in=DECISION_STANDS)
    if before is not None:
        rows = rows.exclude(gate_review=before)
    return rows.select_related("gate_review__round").order_by("-released_at", "-pk").first()


def conditions_left(project_id: int, before: GateReview | None = None) -> list[Condition]:
    """This function will return the conditions of the project's earlier gates that are not met, soonest due first."""
    rows = Condition.objects.filter(
        decision__gate_review__project=project_id, decision__state__in=DECISION_STANDS, state__in=CONDITION_LEFT
    )
    if before is not None:
        rows = rows.exclude(decision__gate_review=before)
    return list(rows.order_by("due_on", "pk"))
