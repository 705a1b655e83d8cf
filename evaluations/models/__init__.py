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
from evaluations.models.dossier import Addendum, Dossier, DossierDocument, DossierSection
from evaluations.models.finding import Finding
from evaluations.models.gate_review import GateReview
from evaluations.models.objection import Objection
from evaluations.models.panel import Expertise, Panel, PanelMember, RosterRelease
from evaluations.models.round import Round, RoundDocument, RoundSecretary
from evaluations.models.rubric import Rubric, RubricGrade, RubricItem, RubricLevel
from evaluations.models.scenario import Scenario, ScenarioMove, ScenarioOutcome
from evaluations.models.score_sheet import ScoreSheet, SheetScore

__all__ = [
    "Addendum",
    "Admission",
    "Assignment",
    "AssignmentRun",
    "Case",
    "Coauthorship",
    "Condition",
    "ConflictCertificate",
    "ConflictOfInterest",
    "ConflictRule",
    "Declaration",
    "Dossier",
    "DossierDocument",
    "DossierSection",
    "Expertise",
    "Finding",
    "GateDecision",
    "GateReview",
    "Objection",
    "Panel",
    "PanelMember",
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
