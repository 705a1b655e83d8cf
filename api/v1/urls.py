"""Addresses of API v1: /api/v1/<noun>/ and /api/v1/<noun>/<ref>/."""

from django.urls import path, re_path

from api.v1.allocations import AllocationDetail, AllocationList
from api.v1.areas import AreaDetail, AreaList
from api.v1.budget_lines import BudgetLineDetail, BudgetLineList
from api.v1.decisions import DecisionDetail, DecisionList
from api.v1.document import Document
from api.v1.gate_reviews import GateReviewDetail, GateReviewList
from api.v1.indicators import IndicatorDetail, IndicatorList
from api.v1.milestones import MilestoneDetail, MilestoneList
from api.v1.observations import ObservationList
from api.v1.plans import PlanDetail, PlanList
from api.v1.programs import ProgramDetail, ProgramList
from api.v1.projects import ProjectDetail, ProjectList
from api.v1.reports import ReportDetail, ReportList
from api.v1.trl_assessments import TrlAssessmentDetail, TrlAssessmentList

REF = r"(?P<ref>[A-Za-z0-9_-]{1,64})"

urlpatterns = [
    path("programs/", ProgramList.as_view()),
    path("areas/", AreaList.as_view()),
    path("projects/", ProjectList.as_view()),
    path("plans/", PlanList.as_view()),
    path("milestones/", MilestoneList.as_view()),
    path("trl-assessments/", TrlAssessmentList.as_view()),
    path("budget-lines/", BudgetLineList.as_view()),
    path("allocations/", AllocationList.as_view()),
    path("gate-reviews/", GateReviewList.as_view()),
    path("decisions/", DecisionList.as_view()),
    path("indicators/", IndicatorList.as_view()),
    path("observations/", ObservationList.as_view()),
    path("reports/", ReportList.as_view()),
    path("openapi.json", Document.as_view(), name="api-document"),
    re_path(rf"^programs/{REF}/$", ProgramDetail.as_view()),
    re_path(rf"^areas/{REF}/$", AreaDetail.as_view()),
    re_path(rf"^projects/{REF}/$", ProjectDetail.as_view()),
    re_path(rf"^plans/{REF}/$", PlanDetail.as_view()),
    re_path(r"^milestones/(?P<ref>[A-Za-z0-9_-]{1,64}\.[0-9]{1,5})/$", MilestoneDetail.as_view()),
    re_path(
        r"^trl-assessments/(?P<ref>[A-Za-z0-9_-]{1,64}\.[a-z]{1,12}\.[0-9]{4}-[0-9]{2}-[0-9]{2})/$",
        TrlAssessmentDetail.as_view(),
    ),
    re_path(r"^budget-lines/(?P<ref>[A-Za-z0-9_-]{1,64}\.[0-9]{4}\.[a-z_]{1,20})/$", BudgetLineDetail.as_view()),
    re_path(rf"^allocations/{REF}/$", AllocationDetail.as_view()),
    re_path(rf"^gate-reviews/{REF}/$", GateReviewDetail.as_view()),
    re_path(rf"^decisions/{REF}/$", DecisionDetail.as_view()),
    re_path(rf"^indicators/{REF}/$", IndicatorDetail.as_view()),
    re_path(rf"^reports/{REF}/$", ReportDetail.as_view()),
]
