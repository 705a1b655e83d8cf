"""Journal rows in words a reader knows: what was done, by whom, and what changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from common.fiscal_year import date_text, datetime_text
from common.models import JournalEntry
from programs.drawings import language

#: What the actions write > what a page says.
DONE: dict[str, Any] = {
    "claim_trl": _("claimed a TRL"),
    "assess_trl": _("assessed the TRL"),
    "await_deliverable": _("put a document on the list of what is due"),
    "mark_delivered": _("marked a document as delivered"),
    "open_plan": _("opened a version of the plan"),
    "save_plan": _("saved period and summary of the plan"),
    "save_plan_item": _("saved an item of the plan"),
    "remove_plan_item": _("took an item out of the plan"),
    "save_plan_money": _("saved the budget of the plan"),
    "save_change_reason": _("saved the reason for a change of the plan"),
    "attach_plan_file": _("added a file to a change of the plan"),
    "remove_plan_file": _("took a file out of a change of the plan"),
    "import_plan": _("took budget and milestones of the plan from a workbook"),
    "submit_plan": _("submitted the plan"),
    "check_plan": _("checked the plan"),
    "confirm_plan": _("confirmed the plan"),
    "propose_approval_plan": _("drafted the approval of the plan"),
    "approve_plan": _("approved the plan"),
    "return_plan": _("returned the plan"),
    "refuse_plan": _("refused the plan"),
    "withdraw_plan": _("withdrew the plan"),
    "drop_milestone": _("dropped a milestone"),
    "open_fund": _("opened a fund"),
    "open_allocation": _("opened an allocation"),
    "save_allocation": _("saved the split of an allocation"),
    "propose_allocation": _("proposed an allocation"),
    "approve_allocation": _("approved an allocation"),
    "return_allocation": _("returned an allocation"),
    "refuse_allocation": _("refused an allocation"),
    "withdraw_allocation": _("withdrew an allocation"),
    "allocate_money": _("allocated money to the project"),
    "open_contract": _("drafted a contract"),
    "change_contract": _("drafted a change of a contract"),
    "save_contract": _("saved a contract"),
    "propose_contract": _("proposed a contract"),
    "conclude_contract": _("concluded a contract"),
    "return_contract": _("returned a contract"),
    "withdraw_contract": _("withdrew a contract"),
    "state_spending": _("stated spending"),
    "open_risk": _("entered a risk or an issue"),
    "save_risk": _("wrote on a risk or an issue"),
    "escalate_risk": _("escalated a risk to the PD"),
    "answer_risk": _("answered on a risk"),
    "close_risk": _("closed a risk or an issue"),
    "reopen_risk": _("opened a risk or an issue again"),
    "enter_collaboration": _("entered a collaboration"),
    "save_collaboration": _("wrote on a collaboration"),
    "open_data_plan": _("opened a version of the data management plan"),
    "save_data_plan": _("wrote on the data management plan"),
    "save_data_set": _("saved a data set"),
    "remove_data_set": _("took a data set out"),
    "submit_data_plan": _("submitted the data management plan"),
    "confirm_data_plan": _("confirmed the data management plan"),
    "return_data_plan": _("returned the data management plan"),
    "start_project": _("started the project"),
    "stop_project": _("stopped the project"),
    "open_report": _("opened the report"),
    "save_section": _("saved a section of the report"),
    "submit_report": _("submitted the report"),
    "check_report": _("checked the report"),
    "return_report": _("returned the report"),
    "accept_report": _("accepted the report"),
    "appoint_director": _("appointed a program director"),
    "end_director": _("ended a program director's term"),
    "take_back_role": _("took back a role that had not begun"),
    "open_visit": _("entered a site visit"),
    "change_visit": _("corrected a site visit"),
    "save_memo": _("wrote the memo of a site visit"),
    "share_memo": _("shared the memo of a site visit with the team"),
    "cancel_visit": _("cancelled a site visit"),
    "give_advice": _("gave advice"),
    "answer_advice": _("answered advice"),
    "reopen_advice": _("opened advice again"),
    "close_advice": _("closed advice"),
    "pass_on_advice": _("passed advice on"),
    "open_policy": _("began a version of the implementation policy"),
    "save_policy": _("wrote the implementation policy"),
    "submit_policy": _("handed the implementation policy to the ministry"),
    "return_policy": _("returned the implementation policy"),
    "put_in_force_policy": _("put the implementation policy in force"),
    "withdraw_policy": _("withdrew a version of the implementation policy"),
    "open_benchmark": _("opened a benchmark"),
    "add_benchmark_value": _("recorded a benchmark value"),
    "save_trainingprogram": _("saved an education program"),
    "remove_trainingprogram": _("took out an education program"),
    "save_trainingmodule": _("saved a module"),
    "remove_trainingmodule": _("took out a module"),
    "save_learnercount": _("recorded a number of learners"),
    "remove_learnercount": _("took out a number of learners"),
    "save_adoptinginstitution": _("saved an adopting institution"),
    "remove_adoptinginstitution": _("took out an adopting institution"),
    "save_challengegoal": _("saved a challenge goal"),
    "remove_challengegoal": _("took out a challenge goal"),
    "record_observations": _("recorded values of an indicator"),
    "load_portfolio": _("loaded the portfolio"),
    "make_round": _("made the round"),
    "save_round": _("changed the round"),
    "save_calendar": _("changed the calendar of the round"),
    "save_round_documents": _("named the documents asked for"),
    "appoint_secretary": _("proposed a person for the secretariat"),
    "approve_secretary": _("approved an appointment to the secretariat"),
    "propose_member": _("proposed a member of the panel"),
    "approve_member": _("approved a member of the panel"),
    "accept_invitation": _("accepted the invitation to the panel"),
    "decline_invitation": _("declined the invitation to the panel"),
    "end_membership": _("ended a membership of the panel"),
    "save_panel": _("saved the fields of expertise and the pledge of the panel"),
    "ask_expertise": _("said which expertise a case asks for"),
    "propose_roster_release": _("proposed the day on which the roster is published"),
    "approve_roster_release": _("approved the day on which the roster is published"),
    "open_round": _("opened the round"),
    "close_first_scores": _("closed the first scores"),
    "close_final_scores": _("closed the scores"),
    "close_round": _("closed the round"),
    "clone_round": _("made the round like a former one"),
    "save_rubric_item": _("saved a criterion of the rubric"),
    "remove_rubric_item": _("removed a criterion from the rubric"),
    "save_rubric_grades": _("saved the legend of the rubric"),
    "open_documents": _("opened the documents of a case"),
    "invalidate_case": _("declared a case invalid"),
    "invalidate_gate_review": _("declared a gate review invalid"),
    "invalidate_round": _("declared the round invalid"),
    "take_back_recommendation": _("took a recommendation back"),
    "call_gate_review": _("called for the dossier"),
    "draft_decision": _("drafted the decision"),
    "withdraw_decision": _("took the draft of the decision back"),
    "decide_gate_review": _("took the decision"),
    "release_decision": _("released the decision"),
    "put_decision_in_force": _("put the decision in force"),
    "attach_decision_paper": _("typeset a paper of the decision"),
    "file_objection": _("filed an objection"),
    "accept_objection": _("accepted the objection"),
    "refuse_objection": _("refused the objection"),
    "report_condition": _("reported on a condition"),
    "confirm_condition": _("found a condition met"),
    "refuse_condition": _("found a condition not met"),
    "finish_wind_down_item": _("finished a step of the wind-down"),
    "order_plan": _("changed the plan by order of a decision"),
    "resume_project": _("let the project run again"),
    "lock_phase": _("locked the money of the next phase"),
    "allow_bridging": _("allowed a bridging allocation"),
    "lift_phase_lock": _("unlocked the money of the next phase"),
    "save_dossier_section": _("saved a section of the dossier"),
    "add_dossier_file": _("added a file to the dossier"),
    "remove_dossier_file": _("took a file out of the dossier"),
    "submit_dossier": _("handed the dossier in"),
    "return_dossier": _("returned the dossier"),
    "seal_dossier": _("sealed the dossier"),
    "add_addendum": _("added a later fact to the dossier"),
    "attach_dossier_pdf": _("typeset the dossier"),
    "save_sheet": _("saved a score sheet"),
    "submit_sheet": _("handed a score sheet in"),
    "ask_for_assignment": _("had a proposal of who reads what computed"),
    "propose_assignment": _("proposed who reads what"),
    "add_reader": _("added a reader to a case"),
    "remove_reader": _("took a reader off a case"),
    "pin_reader": _("fixed a reader on a case"),
    "unpin_reader": _("set a reader free for the next proposal"),
    "set_reader_role": _("changed the role of a reader"),
    "confirm_assignments": _("confirmed who reads what"),
    "confirm_assignment": _("confirmed a reader"),
    "decline_assignment": _("declined a case"),
    "import_assignment": _("took who reads what from a file"),
    "return_sheet": _("returned a score sheet"),
    "import_sheet": _("took a score sheet from a workbook"),
    "save_finding": _("wrote the draft of the finding"),
    "give_finding": _("gave the finding"),
    "take_back_finding": _("took the finding back"),
    "countersign_finding": _("countersigned the finding"),
    "recommend_gate_review": _("recommended a decision"),
    "send_fact_check": _("sent the draft for the fact check"),
    "answer_fact_check": _("answered on the facts"),
    "resume_finding": _("took the draft of the finding up again"),
    "settle_correction": _("settled a correction of the project"),
    "save_director_opinion": _("wrote an opinion beside the finding"),
    "save_minority_opinion": _("wrote a minority opinion"),
    "save_disclosure": _("wrote the comments for the project"),
    "release_disclosure": _("released the comments for the project"),
    "ask_question": _("asked a written question"),
    "send_questions": _("sent written questions to the team"),
    "save_answer": _("saved an answer to a written question"),
    "make_meeting": _("called a meeting"),
    "save_meeting_item": _("wrote an item of the agenda"),
    "remove_meeting_item": _("took an item off the agenda"),
    "next_meeting_item": _("went on to the next item"),
    "save_meeting_notes": _("wrote notes of the meeting"),
    "hand_in_answers": _("handed the answers to the written questions in"),
    "read_score_sheets": _("gave the reason for reading the score sheets of the round"),
    "make_scenario": _("made a scenario"),
    "clone_scenario": _("copied a scenario"),
    "save_scenario": _("saved a scenario"),
    "keep_scenario": _("kept a scenario"),
    "share_scenario": _("changed who sees a scenario"),
    "archive_scenario": _("put a scenario away"),
    "delete_scenario": _("threw a scenario away"),
    "declare_conflict": _("declared a conflict of interest"),
    "confirm_conflict": _("confirmed a conflict of interest"),
    "dismiss_conflict": _("dismissed a conflict of interest"),
    "end_conflict": _("ended a conflict of interest"),
    "detect_conflict": _("detected a possible conflict of interest"),
    "search_conflicts": _("searched for conflicts of interest"),
    "declare": _("declared on a case"),
    "read_declarations": _("gave a reason to read the declarations"),
    "sign_certificate": _("signed the certificate on conflicts"),
    "propose_admission": _("proposed an admission in spite of a conflict"),
    "approve_admission": _("approved an admission in spite of a conflict"),
    "end_admission": _("ended an admission in spite of a conflict"),
    "import_coauthorships": _("imported joint publications"),
    "recuse": _("excluded a person from a project"),
    "end_recusal": _("ended an exclusion"),
    "propose_role": _("proposed a role"),
    "approve_role": _("approved a role"),
    "end_role": _("ended a role"),
    "create_person": _("entered a person"),
    "create_user": _("made a sign-in"),
    "affiliate": _("entered where a person works"),
    "use_sign_in_link": _("signed in by a one-time address"),
    "create_sign_in_link": _("made a one-time sign-in address"),
    "send_password_mail": _("sent the mail for setting a password"),
    "choose_digest": _("chose how to get mails"),
    "create_first_staff": _("founded the ministry staff"),
    "add_record": _("added a record"),
    "change_record": _("changed a record"),
    "attach_report_pdf": _("attached the report's PDF"),
    "attach_deliverable_file": _("attached a document's file"),
    "create_api_client": _("made an API client"),
    "deactivate_api_client": _("switched an API client off"),
    "build_sample": _("built the sample data"),
}
#: Names of what changed that are no field of the subject.
CHANGED: dict[str, Any] = {
    "run": _("assignment run"),
    "proposed": _("newly proposed"),
    "replaced": _("taken off again"),
    "readers": _("readers"),
    "cases": _("cases"),
    "thin_cases": _("cases with too few readers"),
    "changes": _("changes"),
    "seed": _("seed"),
    "level": _("TRL level"),
    "on": _("date"),
    "evidence": _("evidence"),
    "section": _("section"),
    "characters": _("characters"),
    "version": _("version"),
    "organization": _("organization"),
    "project": _("project"),
    "person": _("person"),
    "due_on": _("due on"),
    "from": _("from"),
    "hash": _("content hash"),
    "sha256": _("content hash"),
    "benchmark": _("benchmark"),
    "holder": _("whose value"),
    "value": _("value"),
    "source": _("source"),
    "state": _("state"),
    "kind": _("kind"),
    "fiscal_year": _("fiscal year"),
    "contracts_on": _("contracts from"),
    "decision": _("decision"),
    "document": _("document"),
    "documents": _("documents asked for"),
    "grades": _("overall grades"),
    "weight_percent": _("weight (%)"),
    "comments": _("comments"),
    "plan": _("plan"),
    "decision_number": _("number of the decision"),
    "starts_on": _("from"),
    "ends_on": _("until"),
    "summary": _("summary"),
    "key": _("number"),
    "number": _("number"),
    "title": _("title"),
    "goal": _("goal"),
    "planned_on": _("planned for"),
    "held_on": _("date"),
    "phase_starts_on": _("the phase before it starts on"),
    "criterion": _("criterion"),
    "criteria": _("criteria"),
    "threshold": _("threshold"),
    "unit": _("unit"),
    "direction": _("direction"),
    "evidence_asked": _("evidence asked for"),
    "gate": _("stage gate"),
    "role": _("role"),
    "effort_percent": _("effort (%)"),
    "cells": _("budget cells"),
    "totals": _("totals of years"),
    "changed": _("changed"),
    "reason": _("reason"),
    "wanted_from": _("wanted from"),
    "amount_yen": _("amount (yen)"),
    "amounts": _("amounts"),
    "spent_yen": _("spent (yen)"),
    "carried_over_yen": _("carried over (yen)"),
    "contract": _("contract"),
    "risk": _("risk or issue"),
    "score": _("score"),
    "collaboration": _("collaboration"),
    "country": _("country"),
    "data_set": _("data set"),
    "sharing": _("sharing"),
    "likelihood": _("likelihood (1 to 5)"),
    "effect": _("effect (1 to 5)"),
    "owner": _("owner"),
    "measure": _("measure"),
    "partner": _("partner"),
    "subject": _("what is done together"),
    "agreement": _("agreement"),
    "agreed_on": _("signed on"),
    "export_control": _("export-control check"),
    "export_checked_on": _("checked on"),
    "export_checked_by": _("checked by"),
    "file": _("file"),
    "visit": _("site visit"),
    "advice": _("advice"),
    "place": _("place"),
    "participants": _("who took part"),
    "policy": _("implementation policy"),
    "expertises": _("fields of expertise"),
    "release_on": _("roster published"),
    "effective_on": _("in force from"),
    "moves": _("moved amounts"),
    "corrections": _("corrections"),
    "part": _("part"),
    "outcome": _("Outcome"),
    "conditions": _("conditions"),
    "revision": _("version"),
    "question": _("question"),
    "answers": _("answers"),
    "sent": _("sent"),
    "left_out": _("left out"),
}
#: Actions that write on the project's history what is a field of something that hangs on it.
FIELDS_OF = {
    **dict.fromkeys(("answer_advice", "reopen_advice", "close_advice"), "programs.advice"),
    **dict.fromkeys(
        ("submit_policy", "return_policy", "put_in_force_policy", "withdraw_policy"), "programs.policyversion"
    ),
    "settle_correction": "evaluations.factcorrection",
    "await_deliverable": "programs.deliverable",
    "mark_delivered": "programs.deliverable",
    "open_plan": "programs.changerequest",
    "save_risk": "programs.risk",
    "enter_collaboration": "programs.collaboration",
    "save_collaboration": "programs.collaboration",
    "save_data_set": "programs.dataset",
    "save_trainingprogram": "programs.trainingprogram",
    "remove_trainingprogram": "programs.trainingprogram",
    "save_trainingmodule": "programs.trainingmodule",
    "remove_trainingmodule": "programs.trainingmodule",
    "save_learnercount": "programs.learnercount",
    "remove_learnercount": "programs.learnercount",
    "save_adoptinginstitution": "programs.adoptinginstitution",
    "remove_adoptinginstitution": "programs.adoptinginstitution",
    "save_challengegoal": "programs.challengegoal",
    "remove_challengegoal": "programs.challengegoal",
    **dict.fromkeys(
        (
            "submit_plan",
            "check_plan",
            "confirm_plan",
            "propose_approval_plan",
            "approve_plan",
            "return_plan",
            "refuse_plan",
            "withdraw_plan",
        ),
        "programs.planversion",
    ),
}
#: Values that are a choice of another record's field.
FIELD_IS = {"section": ("reporting.reportsection", "key")}
#: Names that mean something else in one action.
NAMED = {("mark_delivered", "from"): _("document"), ("attach_deliverable_file", "from"): _("document")}
OWN_APPS = ("accounts", "programs", "calls", "evaluations", "reporting")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+[+-][0-9:]{5}")


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history page."""

    at: datetime
    who: str
    what: str
    about: str
    reason: str
    changes: list[Change]


def readable(entries: Iterable[JournalEntry]) -> list[Line]:
    """This function will put journal rows into words; an action without words shows its own name."""
    return [
        Line(
            entry.at,
            _actor(entry),
            str(DONE.get(entry.action) or entry.action.replace("_", " ").replace(".", " ")),
            entry.subject_ref,
            entry.reason,
            list(_changes(entry)),
        )
        for entry in entries
    ]


def _actor(entry: JournalEntry) -> str:
    return str(_("the system")) if entry.actor_kind == "system" else entry.actor_label


def _changes(entry: JournalEntry) -> Iterable[Change]:
    for name in dict.fromkeys([*entry.before, *entry.after]):
        before, after = entry.before.get(name), entry.after.get(name)
        if before != after:
            field = _field(FIELDS_OF.get(entry.action, entry.subject_type), name)
            told = _how_many(after) if before is None and _are_records(after) else _text(after, field)
            yield Change(_label(entry.action, name, field), _text(before, field), told)


def _are_records(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(one, dict) for one in value.values())


def _how_many(records: dict[str, Any]) -> str:
    return str(_("%(count)s found") % {"count": len(records)})


def _label(action: str, name: str, field: Any) -> str:
    said = NAMED.get((action, name)) or CHANGED.get(name) or getattr(field, "verbose_name", "") or _record(name)
    return str(said or name.replace("_", " "))


def _record(name: str) -> Any:
    """What hangs on the subject is named as its kind of record."""
    models = (config.models.get(name) for config in apps.get_app_configs() if config.name in OWN_APPS)
    return next((model._meta.verbose_name for model in models if model), "")


def _field(subject_type: str, name: str) -> Any:
    subject_type, name = FIELD_IS.get(name, (subject_type, name))
    try:
        return apps.get_model(subject_type)._meta.get_field(name)
    except (LookupError, FieldDoesNotExist, ValueError):
        return None


def _text(value: Any, field: Any = None) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, int) and abs(value) >= 10_000:
        return number_format(value, force_grouping=True)
    if isinstance(value, list):
        return "、".join(_text(one, field) for one in value)
    if isinstance(value, dict):
        return "、".join(f"{name}: {_text(one)}" for name, one in value.items())
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return datetime_text(datetime.fromisoformat(value), language())
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date_text(date.fromisoformat(value), language())
    return str(dict(getattr(field, "flatchoices", ())).get(value, value))
