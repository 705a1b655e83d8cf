"""How it is judged: rounds with rubric, panel and cases; conflicts, assignments, gate reviews.

Round (calendar, rubric, documents asked for, secretariat) > Panel (members, expertise) > Case (one subject before the
panel) > Assignment (one reader). GateReview is the subject's own life at the gate; a redo gives it another case.
"""

from evaluations.models.assignment import Assignment
from evaluations.models.assignment_run import AssignmentRun
from evaluations.models.case import Case
from evaluations.models.condition import Condition, WindDownItem
from evaluations.models.conflict import Coauthorship, ConflictOfInterest, ConflictRule
from evaluations.models.decision import GateDecision
from evaluations.models.declaration import Admission, ConflictCertificate, Declaration
from evaluations.models.disclosure import DisclosedComment, Disclosure
from evaluations.models.dossier import Addendum, Dossier, DossierDocument, DossierSection
from evaluations.models.fact_check import FactCheck, FactCorrection
from evaluations.models.finding import Finding
from evaluations.models.gate_review import GateReview
from evaluations.models.hearing import Meeting, MeetingItem
from evaluations.models.objection import Objection
from evaluations.models.opinion import DirectorOpinion, MinorityOpinion
from evaluations.models.panel import Expertise, Panel, PanelMember, RosterRelease
from evaluations.models.question import Answer, Question
from evaluations.models.round import Round, RoundDocument, RoundSecretary
from evaluations.models.rubric import Rubric, RubricGrade, RubricItem, RubricLevel
from evaluations.models.scenario import Scenario, ScenarioMove, ScenarioOutcome
from evaluations.models.score_sheet import ScoreSheet, SheetScore

__all__ = [
    "Addendum",
    "Admission",
    "Answer",
    "Assignment",
    "AssignmentRun",
    "Case",
    "Coauthorship",
    "Condition",
    "ConflictCertificate",
    "ConflictOfInterest",
    "ConflictRule",
    "Declaration",
    "DirectorOpinion",
    "DisclosedComment",
    "Disclosure",
    "Dossier",
    "DossierDocument",
    "DossierSection",
    "Expertise",
    "FactCheck",
    "FactCorrection",
    "Finding",
    "GateDecision",
    "GateReview",
    "Meeting",
    "MeetingItem",
    "MinorityOpinion",
    "Objection",
    "Panel",
    "PanelMember",
    "Question",
    "RosterRelease",
    "Round",
    "RoundDocument",
    "RoundSecretary",
    "Rubric",
    "RubricGrade",
    "RubricItem",
    "RubricLevel",
    "Scenario",
    "ScenarioMove",
    "ScenarioOutcome",
    "ScoreSheet",
    "SheetScore",
    "WindDownItem",
]
