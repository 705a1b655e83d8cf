"""How it is judged: rounds with rubric, panel and cases; conflicts, assignments, gate reviews.

Round (calendar, rubric, documents asked for, secretariat) > Panel (members, expertise) > Case (one subject before the
panel) > Assignment (one reader). GateReview is the subject's own life at the gate; a redo gives it another case.
"""

from evaluations.models.assignment import Assignment
from evaluations.models.case import Case
from evaluations.models.conflict import Coauthorship, ConflictOfInterest, ConflictRule
from evaluations.models.declaration import Admission, ConflictCertificate, Declaration
from evaluations.models.dossier import Addendum, Dossier, DossierDocument, DossierSection
from evaluations.models.finding import Finding
from evaluations.models.gate_review import GateReview
from evaluations.models.panel import Expertise, Panel, PanelMember
from evaluations.models.round import Round, RoundDocument, RoundSecretary
from evaluations.models.rubric import Rubric, RubricGrade, RubricItem, RubricLevel
from evaluations.models.scenario import Scenario, ScenarioMove, ScenarioOutcome
from evaluations.models.score_sheet import ScoreSheet, SheetScore

__all__ = [
    "Addendum",
    "Admission",
    "Assignment",
    "Case",
    "Coauthorship",
    "ConflictCertificate",
    "ConflictOfInterest",
    "ConflictRule",
    "Declaration",
    "Dossier",
    "DossierDocument",
    "DossierSection",
    "Expertise",
    "Finding",
    "GateReview",
    "Panel",
    "PanelMember",
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
]
