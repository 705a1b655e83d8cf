"""What runs: programs, areas, projects and what hangs on them."""

from programs.models.area import AreaAdviser, AreaDirector, AreaOfficer, Deputy, ResearchArea
from programs.models.benchmark import Benchmark, BenchmarkValue
from programs.models.collaboration import Collaboration
from programs.models.contract import Allocation, Contract
from programs.models.data_management import DataManagementPlan, DataSet
from programs.models.funding import BudgetLine, FundEdge, FundingRule
from programs.models.goal import ChallengeGoal
from programs.models.human_resources import AdoptingInstitution, LearnerCount, TrainingModule, TrainingProgram
from programs.models.indicator import IndicatorObservation, IndicatorTarget, IndicatorYearTotal, OutcomeIndicator
from programs.models.milestone import Deliverable, Milestone, StageGate
from programs.models.node import FundNode
from programs.models.participation import Headquarters, HQMember, Participation, ProjectMember
from programs.models.phase_lock import PhaseLock
from programs.models.plan import (
    ChangeAttachment,
    ChangeRequest,
    CostCategory,
    PlanBudget,
    PlanComment,
    PlanDeliverable,
    PlanEffort,
    PlanGate,
    PlanItem,
    PlanMilestone,
    PlanVersion,
    PlanWorkPackage,
    PlanYear,
)
from programs.models.plan_reading import TABLES, Named, PlanRead, plan_of, read_plans
from programs.models.policy import PolicyVersion
from programs.models.program import Emphasis, PolicyBasis, Program, ProgramAgency, ProgramStaff, UnpricedItem
from programs.models.project import AwardNumber, Project, ProjectComplement, ProjectRecusal
from programs.models.risk import Risk, RiskNote
from programs.models.spending import SpendingLine, SpendingStatement
from programs.models.trl import TrlAssessment, TrlCriterion, TrlEvidence, TrlJudgement, TrlLevel, TrlScale
from programs.models.visit import Advice, SiteVisit

__all__ = [
    "TABLES",
    "AdoptingInstitution",
    "Advice",
    "Allocation",
    "AreaAdviser",
    "AreaDirector",
    "AreaOfficer",
    "AwardNumber",
    "Benchmark",
    "BenchmarkValue",
    "BudgetLine",
    "ChallengeGoal",
    "ChangeAttachment",
    "ChangeRequest",
    "Collaboration",
    "Contract",
    "CostCategory",
    "DataManagementPlan",
    "DataSet",
    "Deliverable",
    "Deputy",
    "Emphasis",
    "FundEdge",
    "FundNode",
    "FundingRule",
    "HQMember",
    "Headquarters",
    "IndicatorObservation",
    "IndicatorTarget",
    "IndicatorYearTotal",
    "LearnerCount",
    "Milestone",
    "Named",
    "OutcomeIndicator",
    "Participation",
    "PhaseLock",
    "PlanBudget",
    "PlanComment",
    "PlanDeliverable",
    "PlanEffort",
    "PlanGate",
    "PlanItem",
    "PlanMilestone",
    "PlanRead",
    "PlanVersion",
    "PlanWorkPackage",
    "PlanYear",
    "PolicyBasis",
    "PolicyVersion",
    "Program",
    "ProgramAgency",
    "ProgramStaff",
    "Project",
    "ProjectComplement",
    "ProjectMember",
    "ProjectRecusal",
    "ResearchArea",
    "Risk",
    "RiskNote",
    "SiteVisit",
    "SpendingLine",
    "SpendingStatement",
    "StageGate",
    "TrainingModule",
    "TrainingProgram",
    "TrlAssessment",
    "TrlCriterion",
    "TrlEvidence",
    "TrlJudgement",
    "TrlLevel",
    "TrlScale",
    "UnpricedItem",
    "plan_of",
    "read_plans",
]
