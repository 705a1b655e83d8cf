"""What the sample ministry decides in a round: all outcomes, released at one instant, with a change, a stop, a new case."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from common.actors import SYSTEM
from common.models import StoredFile
from evaluations.actions.conditions import report_condition, settle_condition
from evaluations.actions.decisions import attach_decision_papers, decide, draft_decision
from evaluations.actions.objections import file_objection, settle_objection
from evaluations.actions.releases import put_in_force, release_decisions
from evaluations.models import Case, Condition, GateDecision, GateReview, Objection
from evaluations.queries.decisions import conditions_left, draft_of
from evaluations.rules.decisions import decisions_coming_into_force
from evaluations.states import DECIDED, RECOMMENDED, RELEASED
from programs.actions.plans import check_plan, confirm_plan
from programs.models import PlanVersion
from reporting.sample_plans import request_change
from reporting.sample_records import sample_data
from reporting.sample_reviews import FILE, OBJECTION_DAYS, finding_data

if TYPE_CHECKING:
    from accounts.models import User
    from reporting.sample_rounds import RoundPlan

#: What flows to a project of the twin until its re-examination, at the most.
BRIDGING_YEN = 60_000_000


def draft_decisions(plan: RoundPlan) -> int:
    """This function will draft the decisions as recommended, each with its conditions, change or wind-down."""
    done = 0
    for review in plan.reviews(RECOMMENDED):
        if GateDecision.objects.filter(gate_review=review, state="drafted").exists():
            continue
        said = finding_data(_case(review))
        values: dict[str, Any] = {
            "outcome": said["recommendation"], "reason_code": said["reason_code"], "reason": said["reason"],
            "effective_on": _effective_on(plan),
        }  # fmt: skip
        if said["recommendation"] == "modify":
            values["plan_change"] = _change(plan, review)
        if said["recommendation"] == "defer":
            values["bridging_yen"] = BRIDGING_YEN
        if said["recommendation"] == "stop":
            values["ends_on"] = _ends_on(plan)
        draft_decision(
            review, values=values, conditions=_conditions(plan, said),
            wind_down=_wind_down(plan) if said["recommendation"] == "stop" else (),
            by=plan.users["staff1"], at=plan.at("decision_due_on", before=3),
        )  # fmt: skip
        done += 1
    return done


def take_decisions(plan: RoundPlan) -> int:
    """This function will take the drafted decisions, by another officer than drafted them."""
    done, at = 0, plan.at("decision_due_on")
    for place, review in enumerate(plan.reviews(RECOMMENDED), 1):
        number, draft = f"見本決第{plan.fiscal_year}-{place}号", draft_of(review)
        assert draft is not None
        decide(
            review, number=number, decided_on=at.date(), revision=draft.revision, by=plan.users["staff2"], at=at
        )  # fmt: skip
        done += 1
    return done


def release_all(plan: RoundPlan) -> int:
    """This function will release the round's decisions together."""
    decisions = list(GateDecision.objects.filter(gate_review__round=plan.found, state=DECIDED))
    if not decisions:
        return 0
    return len(release_decisions(decisions, by=plan.users["staff1"], at=plan.at("decision_due_on", before=-2)))


def object_to_stop(plan: RoundPlan) -> int:
    """This function will have the team of the stopped project object within the window."""
    said = sample_data(FILE)["objection"]
    decision = _released(plan).filter(gate_review__project__ref=f"sample-{said['project']}", outcome="stop").first()
    if decision is None or Objection.objects.filter(decision=decision).exists():
        return 0
    lead, at = plan.leader(decision.case), plan.at("decision_due_on", before=-9)
    file_objection(decision.gate_review, reasons=said["reasons"], by=lead, at=at)
    return 1


def refuse_objection(plan: RoundPlan) -> int:
    """This function will have the ministry answer the objection: nothing new was shown, the decision stands."""
    done, at = 0, plan.at("decision_due_on", before=-14)
    for one in Objection.objects.filter(decision__gate_review__round=plan.found, state="filed"):
        reason = sample_data(FILE)["objection"]["answer"]
        settle_objection(one.decision.gate_review, accepts=False, reason=reason, by=plan.users["staff2"], at=at)
        done += 1
    return done


def put_all_in_force(plan: RoundPlan) -> int:
    """This function will put in force what the timetable does once the window for objections has closed."""
    at, done = plan.at("decision_due_on", before=-(3 + OBJECTION_DAYS)), 0
    due = {one.pk for one in decisions_coming_into_force(at.date())}
    for one in _released(plan).filter(pk__in=due):
        with transaction.atomic():
            put_in_force(one, by=SYSTEM, at=at)
        done += 1
    return done


def meet_conditions(plan: RoundPlan) -> int:
    """This function will let the first condition be reported on and found met; the others stay open."""
    condition = Condition.objects.filter(decision__gate_review__round=plan.found, state="open").order_by("pk").first()
    if condition is None or Condition.objects.filter(decision__gate_review__round=plan.found, state="met").exists():
        return 0
    case = condition.decision.case
    project = case.gate_review.project
    assert project is not None
    at = plan.at("roster_release_on", before=-40)
    text = "誤り訂正の原理実証を完了し、結果を報告書にまとめました(見本)。"
    reported = report_condition(condition, report=text, by=plan.leader(case), at=at)
    settle_condition(reported, is_met=True, note="報告書を確認した(見本)。", by=plan.officer(case), at=at)
    return 1


def answer_conditions(review: GateReview, *, by: User, at: datetime) -> int:
    """This function will have the team report on what earlier gates still ask of it, as its next dossier has to."""
    assert review.project_id is not None
    owed = [one for one in conditions_left(review.project_id, review) if one.state != Condition.State.REPORTED]
    for one in owed:
        report_condition(one, report="対応の状況を自己評価書と別添資料に記載しました(見本)。", by=by, at=at)
    return len(owed)


def decision_papers(plan: RoundPlan) -> list[tuple[str, StoredFile]]:
    """This function will typeset file and letter of the Flagships' decisions, each with a name for it."""
    at, found = plan.at("roster_release_on"), []
    for one in _standing(plan).filter(gate_review__project__kind="flagship"):
        kept = attach_decision_papers(one.pk, at=at)
        for kind, stored in zip(("file", "letter"), kept, strict=True):
            found.append((f"decision-{kind}-{plan.fiscal_year}-{one.gate_review.project.ref}", stored))  # type: ignore[union-attr]
    return found


def outcomes_of(plan: RoundPlan) -> dict[str, int]:
    """This function will count the round's released decisions by outcome."""
    found = Counter(_standing(plan).values_list("outcome", flat=True))
    return {str(outcome): found[outcome] for outcome in GateDecision.Outcome.values}


def _released(plan: RoundPlan) -> QuerySet[GateDecision]:
    return _standing(plan).filter(state=RELEASED)


def _standing(plan: RoundPlan) -> QuerySet[GateDecision]:
    """The round's decisions that everybody knows, in force or not yet."""
    rows = GateDecision.objects.filter(gate_review__round=plan.found, released_at__isnull=False)
    return rows.select_related("gate_review__project", "case__gate_review__project").order_by(
        "gate_review__project__ref"
    )


def _case(review: GateReview) -> Case:
    return Case.objects.filter(gate_review=review, state="open").select_related("gate_review__project").get()


def _effective_on(plan: RoundPlan) -> date:
    return date(plan.fiscal_year + 1, 4, 1)


def _ends_on(plan: RoundPlan) -> date:
    return date(plan.fiscal_year + 1, 9, 30)


def _change(plan: RoundPlan, review: GateReview) -> PlanVersion:
    """The team hands a change in, the officer checks it, the director confirms it; the decision carries it."""
    case, at = _case(review), plan.at("decision_due_on", before=5)
    assert review.project is not None
    if (waiting := PlanVersion.objects.filter(project=review.project, state="confirmed").first()) is not None:
        return waiting
    # A later season's gate moves it on by little: the plan ends with the fiscal year.
    is_first = not PlanVersion.objects.filter(project=review.project, number__gt=1).exists()
    days, lead = 120 if is_first else 14, plan.leader(case)
    version = request_change(review.project, kind="approval", days=days, by=lead, at=at, again=True)
    assert version is not None
    version = check_plan(version, by=plan.officer(case), at=at)
    return confirm_plan(version, by=plan.users[f"pd{review.project.ref[9]}"], at=at)


def _conditions(plan: RoundPlan, said: dict[str, Any]) -> list[dict[str, Any]]:
    due = _effective_on(plan) + timedelta(days=180)
    lines = [line for line in said["conditions"].splitlines() if line.strip()]
    return [{"text": line, "owner": "team", "due_on": due, "is_public": True} for line in lines]


def _wind_down(plan: RoundPlan) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "text": text, "owner": owner, "due_on": _ends_on(plan), "released_yen": None}
        for kind, text, owner in sample_data(FILE)["wind_down"]
    ]
