"""What is under way in the roles of a hand-over: each open matter with whom it waits for, as far as the reader sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.fiscal_year import date_text
from common.fiscal_year import label as year_label
from evaluations.models import Condition, GateReview, Objection
from evaluations.queries.decisions import conditions_in_hand, objections_in_hand
from evaluations.queries.dossiers import reviews_in_hand
from portal.gate_reviews import state_label
from portal.projects import REPORT_OWNERS
from programs.drawings import language
from programs.models import (
    Advice,
    Allocation,
    Contract,
    DataManagementPlan,
    PlanVersion,
    PolicyVersion,
    Project,
    Risk,
    SiteVisit,
    TrlAssessment,
)
from programs.queries import handover as in_hand
from programs.queries import project_label
from programs.queries.allocations import node_label
from programs.rules.handover import HeldTerm
from reporting.models import ProgressReport
from reporting.queries import reports_in_hand


@dataclass(frozen=True, slots=True)
class Matter:
    """An open matter that waits for somebody: what, about which project or area, by when, for whom it waits."""

    what: str
    about: str
    url: str
    due_on: date | None
    waits_for: str


def matters_of(
    me: Any, person_id: int, terms: list[HeldTerm], projects: QuerySet[Project], today: date, *, all_own: bool
) -> list[tuple[tuple[type, int], Matter]]:
    """This function will return what is under way in these terms, each with the record it is about."""
    return [
        *_plan_matters(in_hand.plans_in_hand(me, projects)),
        *_report_matters(reports_in_hand(me, projects)),
        *_claim_matters(in_hand.claims_in_hand(me, projects)),
        *_risk_matters(in_hand.risks_in_hand(me, projects)),
        *_data_plan_matters(in_hand.data_plans_in_hand(me, projects)),
        *_review_matters(reviews_in_hand(me, projects)),
        *_condition_matters(conditions_in_hand(me, projects), objections_in_hand(me, projects)),
        *_money_matters(in_hand.allocations_in_hand(me, terms, projects), in_hand.contracts_in_hand(me, projects)),
        *_advice_matters(in_hand.advice_in_hand(me, person_id, projects, all_own=all_own)),
        *_visit_matters(in_hand.visits_in_hand(me, projects, today), today),
        *_policy_matters(in_hand.policies_in_hand(me, terms)),
    ]


Matters = Iterator[tuple[tuple[type, int], Matter]]
PLAN_OWNERS = {
    "drafting": gettext_lazy("the project's team"),
    "returned": gettext_lazy("the project's team"),
    "submitted": gettext_lazy("the program officer"),
    "checked": gettext_lazy("the program director"),
    "confirmed": gettext_lazy("the contracting party"),
    "in_approval": gettext_lazy("the contracting party"),
}


def _plan_matters(versions: Iterable[PlanVersion]) -> Matters:
    for version in versions:
        change = getattr(version, "change_request", None)
        what = str(change.get_kind_display()) if change else _("Plan")
        words = _("%(what)s, version %(number)s (%(state)s)") % {
            "what": what, "number": version.number, "state": version.get_state_display(),
        }  # fmt: skip
        url = reverse("plan", args=[version.project.ref, version.number])
        waits = str(PLAN_OWNERS.get(version.state, ""))
        yield (PlanVersion, version.pk), Matter(words, project_label(version.project), url, None, waits)


def _report_matters(reports: Iterable[ProgressReport]) -> Matters:
    for report in reports:
        year = year_label(report.fiscal_year, language())
        words = f"{year} {report.get_kind_display()} ({report.get_state_display()})"
        url = reverse("report", args=[report.ref])
        waits = str(REPORT_OWNERS.get(report.state, ""))
        yield (ProgressReport, report.pk), Matter(words, project_label(report.project), url, report.due_on, waits)


def _advice_matters(rows: Iterable[Advice]) -> Matters:
    for advice in rows:
        words = _("Advice “%(text)s” (%(state)s)") % {"text": advice.text[:60], "state": advice.get_state_display()}
        waits = advice.owner.name if advice.state == Advice.State.OPEN else str(advice.given_by)
        url = reverse("advice", args=[advice.ref])
        yield (Advice, advice.pk), Matter(words, project_label(advice.project), url, advice.due_on, waits)


def _policy_matters(versions: Iterable[PolicyVersion]) -> Matters:
    for version in versions:
        words = _("Implementation policy, version %(number)s (%(state)s)") % {
            "number": version.number, "state": version.get_state_display(),
        }  # fmt: skip
        waits = _("the ministry's staff") if version.state == "submitted" else _("the program director")
        url = reverse("policy", args=[version.area.ref, version.number])
        yield (PolicyVersion, version.pk), Matter(words, version.area.name, url, None, waits)


def _claim_matters(claims: Iterable[TrlAssessment]) -> Matters:
    for claim in claims:
        words = _("Claim of TRL%(level)s of %(day)s") % {
            "level": claim.level.number, "day": date_text(claim.on, language()),
        }  # fmt: skip
        url = reverse("project_trl", args=[claim.project.ref])
        about = project_label(claim.project)
        yield (TrlAssessment, claim.pk), Matter(words, about, url, None, _("the program director"))


def _risk_matters(risks: Iterable[Risk]) -> Matters:
    for risk in risks:
        words = _("Risk “%(title)s” (%(state)s)") % {"title": risk.title, "state": risk.get_state_display()}
        waits = _("the program director") if risk.state == Risk.State.ESCALATED else risk.owner.name
        url = reverse("risk", args=[risk.ref])
        yield (Risk, risk.pk), Matter(words, project_label(risk.project), url, risk.due_on, waits)


def _data_plan_matters(plans: Iterable[DataManagementPlan]) -> Matters:
    for plan in plans:
        words = _("Data management plan, version %(number)s (%(state)s)") % {
            "number": plan.number, "state": plan.get_state_display(),
        }  # fmt: skip
        is_handed_in = plan.state == DataManagementPlan.State.SUBMITTED
        waits = _("the program officer or director") if is_handed_in else _("the project's team")
        url = reverse("data_plan", args=[plan.ref])
        yield (DataManagementPlan, plan.pk), Matter(words, project_label(plan.project), url, None, waits)


REVIEW_OWNERS = {
    "called": gettext_lazy("the project's team"),
    "submitted": gettext_lazy("the program officer"),
    "sealed": gettext_lazy("the panel"),
    "recommended": gettext_lazy("the ministry's staff"),
    "decided": gettext_lazy("the ministry's staff"),
}


def _review_matters(reviews: Iterable[GateReview]) -> Matters:
    for review in reviews:
        words = _("%(what)s (%(state)s)") % {"what": review.round.name, "state": state_label(review)}
        seen: str = review.seen_state  # type: ignore[attr-defined]
        due = {"called": review.round.dossier_due_on, "submitted": review.round.seals_on}
        about = project_label(review.project) if review.project else ""
        url = reverse("gate_review", args=[review.ref])
        matter = Matter(words, about, url, due.get(seen, review.round.decision_due_on), str(REVIEW_OWNERS[seen]))
        yield (GateReview, review.pk), matter


def _condition_matters(conditions: Iterable[Condition], objections: Iterable[Objection]) -> Matters:
    for one in conditions:
        review = one.decision.gate_review
        words = _("Condition “%(text)s” (%(state)s)") % {"text": one.text[:60], "state": one.get_state_display()}
        reported = one.state == Condition.State.REPORTED
        waits = _("the program officer") if reported else str(one.get_owner_display())
        url = reverse("decision", args=[review.ref])
        yield (Condition, one.pk), Matter(words, project_label(review.project), url, one.due_on, waits)
    for objection in objections:
        review = objection.decision.gate_review
        words = _("Objection %(ref)s") % {"ref": objection.ref}
        url = reverse("decision", args=[review.ref])
        matter = Matter(words, project_label(review.project), url, None, _("the ministry's staff"))
        yield (Objection, objection.pk), matter


def _money_matters(allocations: Iterable[Allocation], contracts: Iterable[Contract]) -> Matters:
    for one in allocations:
        words = _("Allocation %(ref)s (%(state)s)") % {"ref": one.ref, "state": one.get_state_display()}
        about = f"{year_label(one.fiscal_year, language())} {node_label(one.source)}"
        waits = _("the contracting party") if one.state == Allocation.State.PROPOSED else one.opened_by.actor_label
        yield (Allocation, one.pk), Matter(words, about, reverse("allocation", args=[one.ref]), None, waits)
    for paper in contracts:
        words = _("Contract %(ref)s with %(who)s (%(state)s)") % {
            "ref": paper.ref, "who": paper.organization.name, "state": paper.get_state_display(),
        }  # fmt: skip
        url = reverse("contract", args=[paper.ref])
        yield (Contract, paper.pk), Matter(words, project_label(paper.project), url, None, _("the contracting party"))


def _visit_matters(visits: Iterable[SiteVisit], today: date) -> Matters:
    for visit in visits:
        words = _("Visit on %(day)s") if visit.on > today else _("Memo of the visit on %(day)s")
        url = reverse("visit", args=[visit.ref])
        waits = str(visit.opened_by.actor_label)
        matter = Matter(
            words % {"day": date_text(visit.on, language())}, project_label(visit.project), url, None, waits
        )
        yield (SiteVisit, visit.pk), matter
