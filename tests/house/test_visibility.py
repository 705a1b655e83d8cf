"""Each `..._visible_to` queryset equals its predicate on one object, over the whole cast, with and without conflict."""

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from evaluations.actions.admissions import propose_admission
from evaluations.actions.disclosures import release_disclosure, save_disclosure
from evaluations.actions.fact_checks import send_fact_check
from evaluations.actions.meetings import make_meeting, save_meeting_item
from evaluations.actions.objections import file_objection
from evaluations.actions.scenarios import make_scenario, share_scenario
from evaluations.models import (
    Admission,
    Assignment,
    AssignmentRun,
    Case,
    Condition,
    ConflictOfInterest,
    Declaration,
    DirectorOpinion,
    Disclosure,
    FactCheck,
    Finding,
    GateDecision,
    Meeting,
    MeetingItem,
    MinorityOpinion,
    Objection,
    Panel,
    PanelMember,
    Question,
    Scenario,
    ScoreSheet,
)
from evaluations.queries import assignments as assignment_queries
from evaluations.queries import cases as case_queries
from evaluations.queries import conflicts as conflict_queries
from evaluations.queries import decisions as decision_queries
from evaluations.queries import declarations as declaration_queries
from evaluations.queries import disclosures as disclosure_queries
from evaluations.queries import findings as finding_queries
from evaluations.queries import meetings as meeting_queries
from evaluations.queries import panels as panel_queries
from evaluations.queries import questions as question_queries
from evaluations.queries import scenarios as scenario_queries
from evaluations.queries import score_sheets as sheet_queries
from evaluations.rules import admissions as admission_rules
from evaluations.rules import assignments as assignment_rules
from evaluations.rules import cases as case_rules
from evaluations.rules import conflicts as conflict_rules
from evaluations.rules import decisions as decision_rules
from evaluations.rules import declarations as declaration_rules
from evaluations.rules import disclosures as disclosure_rules
from evaluations.rules import fact_checks as fact_check_rules
from evaluations.rules import findings as finding_rules
from evaluations.rules import meetings as meeting_rules
from evaluations.rules import panels as panel_rules
from evaluations.rules import questions as question_rules
from evaluations.rules import scenarios as scenario_rules
from evaluations.rules import score_sheets as sheet_rules
from programs import queries, rules
from programs.actions import allocations
from programs.actions.advice import give_advice
from programs.actions.data_management import open_data_plan
from programs.actions.policies import open_policy, save_policy, submit_policy
from programs.actions.spending import state_spending
from programs.actions.visits import open_visit
from programs.models import (
    Advice,
    Allocation,
    ChallengeGoal,
    Collaboration,
    Contract,
    CostCategory,
    DataManagementPlan,
    Participation,
    PlanVersion,
    PolicyVersion,
    Program,
    Project,
    ResearchArea,
    Risk,
    SiteVisit,
    SpendingStatement,
    TrainingProgram,
    TrlAssessment,
)
from programs.queries import allocations as allocation_queries
from programs.queries import contracts as contract_queries
from programs.queries import kinds as kind_queries
from programs.queries import plans as plan_queries
from programs.queries import policies as policy_queries
from programs.queries import risks as risk_queries
from programs.queries import trl as trl_queries
from programs.queries import visits as visit_queries
from programs.rules import allocations as allocation_rules
from programs.rules import contracts as contract_rules
from programs.rules import kinds as kind_rules
from programs.rules import plans as plan_rules
from programs.rules import policies as policy_rules
from programs.rules import risks as risk_rules
from programs.rules import trl as trl_rules
from programs.rules import visits as visit_rules
from reporting import queries as reporting_queries
from reporting import rules as reporting_rules
from reporting.models import ProgressReport
from reporting.sample_kinds import record_education, record_goals
from reporting.sample_risks import keep_records
from tests.cast import again
from tests.factories import decisions as made_decisions
from tests.factories import findings as discussions
from tests.factories.rounds import make_round
from tests.programs.test_contracts import AT, concluded, drafted
from tests.programs.test_plans import handed_on, written

KINDS: list[tuple[type, Callable[[Any], Any], Callable[[Any], Q]]] = [
    (Program, queries.programs_visible_to, rules.programs_visible),
    (ResearchArea, queries.areas_visible_to, rules.areas_visible),
    (Project, queries.projects_visible_to, rules.projects_visible),
    (PlanVersion, plan_queries.plans_visible_to, plan_rules.plans_visible),
    (Allocation, allocation_queries.allocations_visible_to, allocation_rules.allocations_visible),
    (Contract, contract_queries.contracts_visible_to, contract_rules.contracts_visible),
    (SpendingStatement, contract_queries.statements_visible_to, contract_rules.statements_visible),
    (Risk, risk_queries.risks_visible_to, risk_rules.of_visible_projects),
    (Collaboration, risk_queries.collaborations_visible_to, risk_rules.of_visible_projects),
    (DataManagementPlan, risk_queries.data_plans_visible_to, risk_rules.data_plans_visible),
    (TrainingProgram, kind_queries.trainings_visible_to, kind_rules.trainings_visible),
    (ChallengeGoal, kind_queries.goals_visible_to, kind_rules.goals_visible),
    (TrlAssessment, trl_queries.trl_visible_to, trl_rules.trl_visible),
    (SiteVisit, visit_queries.visits_visible_to, visit_rules.visits_visible),
    (Advice, visit_queries.advice_visible_to, visit_rules.advice_visible),
    (PolicyVersion, policy_queries.policies_visible_to, policy_rules.policies_visible),
    (ProgressReport, reporting_queries.reports_visible_to, reporting_rules.reports_visible),
    (ScoreSheet, sheet_queries.sheets_visible_to, sheet_rules.sheets_visible),
    (Assignment, sheet_queries.assignments_visible_to, sheet_rules.assignments_own),
    (Case, case_queries.cases_visible_to, case_rules.cases_listed),
    (ConflictOfInterest, conflict_queries.conflicts_visible_to, conflict_rules.conflicts_visible),
    (Declaration, declaration_queries.declarations_visible_to, declaration_rules.declarations_visible),
    (Admission, declaration_queries.admissions_visible_to, admission_rules.admissions_visible),
    (Assignment, assignment_queries.assignments_overseen_by, assignment_rules.assignments_overseen),
    (AssignmentRun, assignment_queries.runs_visible_to, assignment_rules.runs_overseen),
    (Panel, assignment_queries.panels_visible_to, assignment_rules.panels_overseen),
    (Case, assignment_queries.cases_with_readers, assignment_rules.cases_overseen),
    (GateDecision, decision_queries.decisions_visible_to, decision_rules.decisions_visible),
    (Condition, decision_queries.conditions_visible_to, decision_rules.conditions_visible),
    (Objection, decision_queries.objections_visible_to, decision_rules.objections_visible),
    (Scenario, scenario_queries.scenarios_visible_to, scenario_rules.scenarios_visible),
    (Panel, panel_queries.panels_visible_to, panel_rules.panels_visible),
    (PanelMember, panel_queries.members_visible_to, panel_rules.members_named),
    (Finding, finding_queries.findings_visible_to, finding_rules.findings_visible),
    (DirectorOpinion, finding_queries.director_opinions_visible_to, finding_rules.director_opinions_visible),
    (MinorityOpinion, finding_queries.minority_opinions_visible_to, finding_rules.minority_opinions_visible),
    (FactCheck, finding_queries.fact_checks_visible_to, fact_check_rules.fact_checks_visible),
    (Disclosure, disclosure_queries.disclosures_visible_to, disclosure_rules.disclosures_visible),
    (Question, question_queries.questions_visible_to, question_rules.questions_visible),
    (Meeting, meeting_queries.meetings_visible_to, meeting_rules.meetings_visible),
    (MeetingItem, meeting_queries.meeting_items_visible_to, meeting_rules.items_visible),
]
_DISCUSSION = (Finding, DirectorOpinion, MinorityOpinion, FactCheck, Disclosure, Question, Meeting, MeetingItem)


@pytest.mark.parametrize(("model", "visible_to", "condition"), KINDS, ids=lambda v: getattr(v, "__name__", ""))
@pytest.mark.django_db
def test_list_when_compared_with_the_predicate_then_the_same_for_everybody(
    cast: dict[str, User],
    twin: dict[str, Project],
    model: Any,
    visible_to: Callable[[Any], Any],
    condition: Callable[[Any], Q],
) -> None:
    if model is PlanVersion:
        handed_on(written(twin["sample-ql1-f1"], cast), cast)
        written(twin["sample-ql1-f1"], cast, kind="approval")
    if model in (Allocation, Contract, SpendingStatement):
        _money_papers(cast, twin["sample-ql1-f1"])
    if model in (Risk, Collaboration, DataManagementPlan):
        keep_records(twin["sample-ql1-f1"], by=cast["pi1"], officer=cast["po1"], at=AT)
        open_data_plan(twin["sample-ql1-f1"], by=cast["pi1"], at=AT)
    if model in (ScoreSheet, Assignment, AssignmentRun, Case, Panel, PanelMember):
        made = make_round(cast, twin, state="first_closed")
        for one in made.assign("sample-ql1-f1", "evaluator2", "evaluator3", by=cast["staff1"]):
            sheet = ScoreSheet.objects.create(assignment=one)
            ScoreSheet.objects.filter(pk=sheet.pk).update(state="submitted", submitted_at=AT)
        run = AssignmentRun.objects.create(panel=made.panel, seed=1, asked_by=cast["chair1"], asked_at=timezone.now())
        run.cases.set(made.cases.values())
    if model in (Case, ConflictOfInterest, Declaration, Admission):
        made = make_round(cast, twin)
        conflict = ConflictOfInterest.objects.get(person=cast["evaluator1"].person)
        case = made.cases["sample-ql1-f1"]
        propose_admission(conflict, case=case, reason="理由", by=cast["staff1"], at=AT)
    if model in (GateDecision, Condition, Objection):
        both = made_decisions.recommended(cast, twin, "sample-ql1-f1", "sample-ql1-f2")
        asked = [made_decisions.condition()]
        made_decisions.decided(cast, both.reviews["sample-ql1-f2"], conditions=asked)
        review = made_decisions.released(cast, both.reviews["sample-ql1-f1"], conditions=asked).gate_review
        file_objection(review, reasons="異議", by=cast["pi1"], at=timezone.now())
    if model is Scenario:
        one = make_round(cast, twin).round
        make_scenario(one, name="案", by=cast["pd1"], at=AT)
        share_scenario(
            make_scenario(one, name="共有", by=cast["staff1"], at=AT), is_shared=True, by=cast["staff1"], at=AT
        )
    if model in _DISCUSSION:
        _discuss(cast, twin)
    record_education(by=cast["pi5"], at=timezone.now())
    record_goals(by=cast["pi5"], at=timezone.now())
    if model in (SiteVisit, Advice):
        how = {"by": cast["pd1"], "at": timezone.now()}
        visit = open_visit(twin["sample-ql1-f1"], on=timezone.localdate(), place="A", participants="PD", **how)
        owner = cast["pi1"].person
        give_advice(visit.project, text="助言", owner=owner, due_on=timezone.localdate(), visit=visit, **how)
    if model is PolicyVersion:
        for number, ref in ((1, "sample-ql1-f1"), (2, "sample-ql2-f1")):
            how = {"by": cast[f"pd{number}"], "at": timezone.now()}
            version = save_policy(open_policy(twin[ref].area, **how), text="方針", revision=0, **how)
        submit_policy(version, **how)
    assert model.objects.exists() or model is ProgressReport
    for name, user in cast.items():
        user = again(user)
        listed = set(visible_to(user).values_list("pk", flat=True))
        one_by_one = {
            pk
            for pk in model.objects.values_list("pk", flat=True)
            if model.objects.filter(condition(user), pk=pk).exists()
        }
        assert listed == one_by_one, name


def _discuss(cast: dict[str, User], twin: dict[str, Project]) -> None:
    """A draft finding with opinions, shown to the project; comments, a question that was sent, and a meeting."""
    made, now, today = discussions.scored(cast, twin), timezone.now(), timezone.localdate()
    case, secretary = discussions.case_of(made), {"by": cast["secretariat1"], "at": now}
    finding = discussions.drafted(cast, made)
    DirectorOpinion.objects.create(case=case, author=cast["pd1"], text="所見")
    MinorityOpinion.objects.create(case=case, member=made.members["evaluator2"], text="反対")
    send_fact_check(case, due_on=today, **secretary)
    assert finding.case_id == case.pk
    save_disclosure(case, texts={"goal": "順調です。"}, revision=0, **secretary)
    release_disclosure(case, by=cast["chair1"], at=now)
    for sent in (True, False):
        question = Question.objects.create(case=case, member=made.members["evaluator3"], text="質問", asked_at=now)
        if sent:
            Question.objects.filter(pk=question.pk).update(
                sent_at=now, sent_by=cast["secretariat1"], sent_text="質問", position=1
            )
    meeting = make_meeting(made.round, kind="hearing", held_on=today, place="A", **secretary)
    values = {"starts_at": time(13), "minutes": 30, "case": case, "title": ""}
    save_meeting_item(meeting, values=values, **secretary)


def _money_papers(cast: dict[str, User], project: Project) -> None:
    """A draft and a proposed allocation, a draft and a concluded contract, a statement of spending."""
    assert project.area is not None
    node = allocations.node_for(project.area)
    allocations.open_allocation(node, 2026, by=cast["pd1"], at=AT)
    proposed = allocations.open_allocation(node, 2025, by=cast["pd1"], at=AT)
    allocations.propose_allocation(proposed, by=cast["pd1"], at=AT)
    lead = Participation.objects.get(project=project, role="lead").organization
    goods = CostCategory.objects.get(ref="goods")
    concluded(drafted(project, lead, cast, {(2026, goods.pk): 100}), cast)
    drafted(project, lead, cast, {(2026, goods.pk): 1}, number="2")
    state_spending(
        project, lead, fiscal_year=2026, as_of=AT.date(), lines={goods.pk: (1, 0)}, by=cast["office1"], at=AT
    )


@pytest.mark.django_db
def test_actions_when_the_object_is_not_visible_then_none(cast: dict[str, User]) -> None:
    for user in cast.values():
        seen = set(queries.projects_visible_to(user).values_list("pk", flat=True))
        for project in Project.objects.exclude(pk__in=seen)[:5]:
            assert rules.actions_allowed(user, project) == set()
