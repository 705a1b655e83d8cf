"""Addresses of the portal's pages."""

from django.urls import path

from portal.advice import advice_page
from portal.allocations import (
    allocation_approve,
    allocation_page,
    allocation_propose,
    allocation_refuse,
    allocation_return,
    allocation_withdraw,
    allocations_page,
)
from portal.areas import area_page
from portal.assignment_cases import assignment_case, review_decline
from portal.assignment_sheets import assignment_csv, assignment_sheet
from portal.assignments import (
    assignment_confirm,
    assignment_page,
    assignment_progress,
    assignment_propose,
    assignment_repair,
)
from portal.benchmarks import area_benchmarks, benchmark_page, project_benchmarks
from portal.case_sheets import case_sheets_page, sheet_return, sheets_reason
from portal.cases import case_invalidate, case_open
from portal.collaborations import collaboration_page, project_collaborations
from portal.contracts import (
    contract_change,
    contract_conclude,
    contract_new,
    contract_page,
    contract_propose,
    contract_return,
    contract_withdraw,
)
from portal.data_management import (
    data_plan_confirm,
    data_plan_page,
    data_plan_return,
    data_plan_submit,
    data_set_form,
    data_set_remove,
    project_data,
)
from portal.directors import area_people, term_approve, term_end, term_take_back
from portal.dossiers import (
    dossier_addendum,
    dossier_attach,
    dossier_compiled,
    dossier_detach,
    dossier_document,
    dossier_file,
    dossier_page,
    dossier_return,
    dossier_seal,
    dossier_section,
    dossier_submit,
)
from portal.gate_reviews import gate_review_page, gates_page, round_call
from portal.handover import handover_page
from portal.home import home_page
from portal.indicators import indicator_csv, indicator_page, indicator_record, indicator_sheet
from portal.kinds import project_education, project_goals
from portal.mails import mails_page
from portal.money import area_money, program_money, project_money_page
from portal.networks import project_network
from portal.plan_acts import (
    plan_approve,
    plan_check,
    plan_confirm,
    plan_open,
    plan_propose_approval,
    plan_refuse,
    plan_return,
    plan_submit,
    plan_withdraw,
)
from portal.plan_imports import plan_import, plan_workbook_out
from portal.plan_items import plan_attach, plan_detach, plan_frame, plan_item, plan_item_remove, plan_reason
from portal.plan_money import plan_money
from portal.plans import plan_attachment, plan_difference, plan_page, project_plan
from portal.policies import (
    area_policy,
    policy_difference,
    policy_document,
    policy_open,
    policy_page,
    policy_put_in_force,
    policy_return,
    policy_submit,
    policy_text,
    policy_withdraw,
)
from portal.portfolio import portfolio_brief, portfolio_page
from portal.programs import program_page
from portal.projects import (
    project_history_page,
    project_page,
    project_people_page,
    projects_page,
)
from portal.reports import (
    report_accept,
    report_check,
    report_history,
    report_page,
    report_pdf,
    report_return,
    report_section,
    report_submit,
    reports_page,
)
from portal.review_forms import review_form, review_form_out
from portal.reviews import review_page, review_submit, reviews_page
from portal.risks import project_risks, risk_answer, risk_close, risk_escalate, risk_page, risk_reopen
from portal.roadmaps import area_roadmap, program_roadmap, project_roadmap
from portal.rounds import (
    round_calendar,
    round_clone,
    round_close,
    round_close_final,
    round_close_first,
    round_documents,
    round_edit,
    round_invalidate,
    round_new,
    round_open,
    round_page,
    round_secretary,
    round_secretary_approve,
    rounds_page,
)
from portal.rubrics import rubric_grades, rubric_item, rubric_item_new, rubric_item_remove, rubric_page
from portal.search import search_page
from portal.sign_in import sign_in_by_link
from portal.spending import spending
from portal.trl import area_trl, project_trl, trl_file
from portal.ui import components_page
from portal.visit_briefs import visit_brief, visit_brief_document
from portal.visits import project_visits, visit_cancel, visit_change, visit_memo, visit_page, visit_share

urlpatterns = [
    path("", home_page, name="home"),
    path("portfolio/", portfolio_page, name="portfolio"),
    path("portfolio/brief.pdf", portfolio_brief, name="portfolio_brief"),
    path("programs/<slug:ref>/", program_page, name="program"),
    path("programs/<slug:ref>/money/", program_money, name="program_money"),
    path("programs/<slug:ref>/roadmap/", program_roadmap, name="program_roadmap"),
    path("areas/<slug:ref>/", area_page, name="area"),
    path("areas/<slug:ref>/money/", area_money, name="area_money"),
    path("areas/<slug:ref>/trl/", area_trl, name="area_trl"),
    path("areas/<slug:ref>/roadmap/", area_roadmap, name="area_roadmap"),
    path("areas/<slug:ref>/people/", area_people, name="area_people"),
    path("areas/<slug:ref>/people/<slug:kind>/<int:pk>/approve/", term_approve, name="term_approve"),
    path("areas/<slug:ref>/people/<slug:kind>/<int:pk>/end/", term_end, name="term_end"),
    path("areas/<slug:ref>/people/<slug:kind>/<int:pk>/take-back/", term_take_back, name="term_take_back"),
    path("areas/<slug:ref>/policy/", area_policy, name="area_policy"),
    path("areas/<slug:ref>/policy/open/", policy_open, name="policy_open"),
    path("areas/<slug:ref>/policy/difference/", policy_difference, name="policy_difference"),
    path("areas/<slug:ref>/policy/<int:number>/", policy_page, name="policy"),
    path("areas/<slug:ref>/policy/<int:number>/document.pdf", policy_document, name="policy_document"),
    path("areas/<slug:ref>/policy/<int:number>/text/", policy_text, name="policy_text"),
    path("areas/<slug:ref>/policy/<int:number>/submit/", policy_submit, name="policy_submit"),
    path("areas/<slug:ref>/policy/<int:number>/put-in-force/", policy_put_in_force, name="policy_put_in_force"),
    path("areas/<slug:ref>/policy/<int:number>/return/", policy_return, name="policy_return"),
    path("areas/<slug:ref>/policy/<int:number>/withdraw/", policy_withdraw, name="policy_withdraw"),
    path("reviews/", reviews_page, name="reviews"),
    path("reviews/<slug:ref>/", review_page, name="review"),
    path("reviews/<slug:ref>/submit/", review_submit, name="review_submit"),
    path("reviews/<slug:ref>/form/", review_form, name="review_form"),
    path("reviews/<slug:ref>/form.xlsx", review_form_out, name="review_form_out"),
    path("cases/<slug:ref>/sheets/", case_sheets_page, name="case_sheets"),
    path("cases/<slug:ref>/sheets/reason/", sheets_reason, name="sheets_reason"),
    path("sheets/<slug:ref>/return/", sheet_return, name="sheet_return"),
    path("reviews/<slug:ref>/decline/", review_decline, name="review_decline"),
    path("panels/<slug:ref>/assignment/", assignment_page, name="assignment"),
    path("panels/<slug:ref>/assignment/progress/", assignment_progress, name="assignment_progress"),
    path("panels/<slug:ref>/assignment/propose/", assignment_propose, name="assignment_propose"),
    path("panels/<slug:ref>/assignment/repair/", assignment_repair, name="assignment_repair"),
    path("panels/<slug:ref>/assignment/confirm/", assignment_confirm, name="assignment_confirm"),
    path("panels/<slug:ref>/assignment/assignment.csv", assignment_csv, name="assignment_csv"),
    path("panels/<slug:ref>/assignment/sheet/", assignment_sheet, name="assignment_sheet"),
    path("panels/<slug:ref>/assignment/cases/<slug:case>/", assignment_case, name="assignment_case"),
    path("indicators/<slug:ref>/", indicator_page, name="indicator"),
    path("indicators/<slug:ref>/values.csv", indicator_csv, name="indicator_csv"),
    path("indicators/<slug:ref>/record/", indicator_record, name="indicator_record"),
    path("indicators/<slug:ref>/sheet/", indicator_sheet, name="indicator_sheet"),
    path("projects/", projects_page, name="projects"),
    path("projects/<slug:ref>/", project_page, name="project"),
    path("areas/<slug:ref>/benchmarks/", area_benchmarks, name="area_benchmarks"),
    path("projects/<slug:ref>/benchmarks/", project_benchmarks, name="project_benchmarks"),
    path("benchmarks/<int:pk>/", benchmark_page, name="benchmark"),
    path("projects/<slug:ref>/roadmap/", project_roadmap, name="project_roadmap"),
    path("projects/<slug:ref>/trl/", project_trl, name="project_trl"),
    path("projects/<slug:ref>/trl/files/<int:evidence>/", trl_file, name="trl_file"),
    path("projects/<slug:ref>/education/", project_education, name="project_education"),
    path("projects/<slug:ref>/goals/", project_goals, name="project_goals"),
    path("projects/<slug:ref>/money/", project_money_page, name="project_money"),
    path("projects/<slug:ref>/risks/", project_risks, name="project_risks"),
    path("risks/<slug:ref>/", risk_page, name="risk"),
    path("risks/<slug:ref>/escalate/", risk_escalate, name="risk_escalate"),
    path("risks/<slug:ref>/answer/", risk_answer, name="risk_answer"),
    path("risks/<slug:ref>/close/", risk_close, name="risk_close"),
    path("risks/<slug:ref>/reopen/", risk_reopen, name="risk_reopen"),
    path("projects/<slug:ref>/collaborations/", project_collaborations, name="project_collaborations"),
    path("collaborations/<slug:ref>/", collaboration_page, name="collaboration"),
    path("projects/<slug:ref>/data/", project_data, name="project_data"),
    path("data-plans/<slug:ref>/", data_plan_page, name="data_plan"),
    path("data-plans/<slug:ref>/submit/", data_plan_submit, name="data_plan_submit"),
    path("data-plans/<slug:ref>/confirm/", data_plan_confirm, name="data_plan_confirm"),
    path("data-plans/<slug:ref>/return/", data_plan_return, name="data_plan_return"),
    path("data-plans/<slug:ref>/data-sets/new/", data_set_form, name="data_set_new"),
    path("data-plans/<slug:ref>/data-sets/<slug:key>/", data_set_form, name="data_set"),
    path("data-plans/<slug:ref>/data-sets/<slug:key>/remove/", data_set_remove, name="data_set_remove"),
    path("projects/<slug:ref>/money/spending/", spending, name="spending"),
    path("projects/<slug:ref>/contracts/new/", contract_new, name="contract_new"),
    path("contracts/<slug:ref>/", contract_page, name="contract"),
    path("contracts/<slug:ref>/propose/", contract_propose, name="contract_propose"),
    path("contracts/<slug:ref>/conclude/", contract_conclude, name="contract_conclude"),
    path("contracts/<slug:ref>/return/", contract_return, name="contract_return"),
    path("contracts/<slug:ref>/withdraw/", contract_withdraw, name="contract_withdraw"),
    path("contracts/<slug:ref>/change/", contract_change, name="contract_change"),
    path("allocations/", allocations_page, name="allocations"),
    path("allocations/<slug:ref>/", allocation_page, name="allocation"),
    path("allocations/<slug:ref>/propose/", allocation_propose, name="allocation_propose"),
    path("allocations/<slug:ref>/approve/", allocation_approve, name="allocation_approve"),
    path("allocations/<slug:ref>/return/", allocation_return, name="allocation_return"),
    path("allocations/<slug:ref>/refuse/", allocation_refuse, name="allocation_refuse"),
    path("allocations/<slug:ref>/withdraw/", allocation_withdraw, name="allocation_withdraw"),
    path("projects/<slug:ref>/plan/", project_plan, name="project_plan"),
    path("projects/<slug:ref>/plan/open/", plan_open, name="plan_open"),
    path("projects/<slug:ref>/plan/difference/", plan_difference, name="plan_difference"),
    path("projects/<slug:ref>/plan/<int:number>/", plan_page, name="plan"),
    path("projects/<slug:ref>/plan/<int:number>/frame/", plan_frame, name="plan_frame"),
    path("projects/<slug:ref>/plan/<int:number>/reason/", plan_reason, name="plan_reason"),
    path("projects/<slug:ref>/plan/<int:number>/money/", plan_money, name="plan_money"),
    path("projects/<slug:ref>/plan/<int:number>/items/<slug:part>/new/", plan_item, name="plan_item_new"),
    path(
        "projects/<slug:ref>/plan/<int:number>/items/<slug:part>/<path:key>/remove/",
        plan_item_remove,
        name="plan_item_remove",
    ),
    path("projects/<slug:ref>/plan/<int:number>/items/<slug:part>/<path:key>/", plan_item, name="plan_item"),
    path("projects/<slug:ref>/plan/<int:number>/workbook/", plan_workbook_out, name="plan_workbook"),
    path("projects/<slug:ref>/plan/<int:number>/import/", plan_import, name="plan_import"),
    path("projects/<slug:ref>/plan/<int:number>/files/", plan_attach, name="plan_attach"),
    path("projects/<slug:ref>/plan/<int:number>/files/<int:attachment>/", plan_attachment, name="plan_attachment"),
    path("projects/<slug:ref>/plan/<int:number>/files/<int:attachment>/remove/", plan_detach, name="plan_detach"),
    path("projects/<slug:ref>/plan/<int:number>/submit/", plan_submit, name="plan_submit"),
    path("projects/<slug:ref>/plan/<int:number>/check/", plan_check, name="plan_check"),
    path("projects/<slug:ref>/plan/<int:number>/confirm/", plan_confirm, name="plan_confirm"),
    path(
        "projects/<slug:ref>/plan/<int:number>/propose-approval/", plan_propose_approval, name="plan_propose_approval"
    ),
    path("projects/<slug:ref>/plan/<int:number>/approve/", plan_approve, name="plan_approve"),
    path("projects/<slug:ref>/plan/<int:number>/return/", plan_return, name="plan_return"),
    path("projects/<slug:ref>/plan/<int:number>/refuse/", plan_refuse, name="plan_refuse"),
    path("projects/<slug:ref>/plan/<int:number>/withdraw/", plan_withdraw, name="plan_withdraw"),
    path("projects/<slug:ref>/visits/", project_visits, name="project_visits"),
    path("projects/<slug:ref>/brief/", visit_brief, name="visit_brief"),
    path("projects/<slug:ref>/brief.pdf", visit_brief_document, name="visit_brief_document"),
    path("projects/<slug:ref>/network/", project_network, name="project_network"),
    path("visits/<slug:ref>/", visit_page, name="visit"),
    path("visits/<slug:ref>/memo/", visit_memo, name="visit_memo"),
    path("visits/<slug:ref>/change/", visit_change, name="visit_change"),
    path("visits/<slug:ref>/share/", visit_share, name="visit_share"),
    path("visits/<slug:ref>/cancel/", visit_cancel, name="visit_cancel"),
    path("advice/<slug:ref>/", advice_page, name="advice"),
    path("handover/", handover_page, name="handover"),
    path("projects/<slug:ref>/people/", project_people_page, name="project_people"),
    path("projects/<slug:ref>/history/", project_history_page, name="project_history"),
    path("reports/", reports_page, name="reports"),
    path("reports/<slug:ref>/", report_page, name="report"),
    path("reports/<slug:ref>/sections/<int:section>/", report_section, name="report_section"),
    path("reports/<slug:ref>/submit/", report_submit, name="report_submit"),
    path("reports/<slug:ref>/check/", report_check, name="report_check"),
    path("reports/<slug:ref>/return/", report_return, name="report_return"),
    path("reports/<slug:ref>/accept/", report_accept, name="report_accept"),
    path("reports/<slug:ref>/versions/<int:number>/pdf/", report_pdf, name="report_pdf"),
    path("reports/<slug:ref>/history/", report_history, name="report_history"),
    path("mail/", mails_page, name="mails"),
    path("search/", search_page, name="search"),
    path("sign-in/<str:token>/", sign_in_by_link, name="sign_in_link"),
    path("ui/", components_page, name="components"),
    path("gates/", gates_page, name="gates"),
    path("gates/<slug:ref>/", gate_review_page, name="gate_review"),
    path("gates/<slug:ref>/dossier/", dossier_page, name="dossier"),
    path("gates/<slug:ref>/dossier/dossier.pdf", dossier_document, name="dossier_document"),
    path("gates/<slug:ref>/dossier/sections/<slug:code>/", dossier_section, name="dossier_section"),
    path("gates/<slug:ref>/dossier/files/", dossier_attach, name="dossier_attach"),
    path("gates/<slug:ref>/dossier/files/<int:file>/", dossier_file, name="dossier_file"),
    path("gates/<slug:ref>/dossier/files/<int:file>/remove/", dossier_detach, name="dossier_detach"),
    path("gates/<slug:ref>/dossier/compiled/", dossier_compiled, name="dossier_compiled"),
    path("gates/<slug:ref>/dossier/submit/", dossier_submit, name="dossier_submit"),
    path("gates/<slug:ref>/dossier/return/", dossier_return, name="dossier_return"),
    path("gates/<slug:ref>/dossier/seal/", dossier_seal, name="dossier_seal"),
    path("gates/<slug:ref>/dossier/addendum/", dossier_addendum, name="dossier_addendum"),
    path("rounds/<slug:ref>/call/", round_call, name="round_call"),
    path("rounds/", rounds_page, name="rounds"),
    path("rounds/new/<slug:ref>/", round_new, name="round_new"),
    path("rounds/<slug:ref>/", round_page, name="round"),
    path("rounds/<slug:ref>/edit/", round_edit, name="round_edit"),
    path("rounds/<slug:ref>/calendar/", round_calendar, name="round_calendar"),
    path("rounds/<slug:ref>/documents/", round_documents, name="round_documents"),
    path("rounds/<slug:ref>/secretariat/", round_secretary, name="round_secretary"),
    path("rounds/<slug:ref>/secretariat/approve/", round_secretary_approve, name="round_secretary_approve"),
    path("rounds/<slug:ref>/open/", round_open, name="round_open"),
    path("rounds/<slug:ref>/close-first/", round_close_first, name="round_close_first"),
    path("rounds/<slug:ref>/close-final/", round_close_final, name="round_close_final"),
    path("rounds/<slug:ref>/close/", round_close, name="round_close"),
    path("rounds/<slug:ref>/invalidate/", round_invalidate, name="round_invalidate"),
    path("cases/<slug:ref>/open-documents/", case_open, name="case_open"),
    path("cases/<slug:ref>/invalidate/", case_invalidate, name="case_invalidate"),
    path("rounds/<slug:ref>/clone/", round_clone, name="round_clone"),
    path("rounds/<slug:ref>/rubric/", rubric_page, name="rubric"),
    path("rounds/<slug:ref>/rubric/new/", rubric_item_new, name="rubric_item_new"),
    path("rounds/<slug:ref>/rubric/grades/", rubric_grades, name="rubric_grades"),
    path("rounds/<slug:ref>/rubric/<slug:code>/", rubric_item, name="rubric_item"),
    path("rounds/<slug:ref>/rubric/<slug:code>/remove/", rubric_item_remove, name="rubric_item_remove"),
]
