"""The sample rounds' conflicts of interest: one of each kind declared, settled by the officers, one admitted all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluations.actions.admissions import approve_admission, propose_admission
from evaluations.actions.conflicts import confirm_conflict, dismiss_conflict
from evaluations.actions.declarations import Answer, declare
from evaluations.models import Case, ConflictOfInterest, Declaration, PanelMember
from evaluations.queries.declarations import CaseAsked, cases_asked
from evaluations.states import ACCEPTED, DECLARED, OPEN
from reporting.sample_records import sample_data

if TYPE_CHECKING:
    from reporting.sample_rounds import RoundPlan

FILE = "sample_declarations.json"


def declare_conflicts(plan: RoundPlan) -> int:
    """This function will let every member under pledge declare on the cases not yet declared on; returns how many."""
    one, made = plan.found, 0
    if one is None or one.state != OPEN:
        return 0
    at = plan.at("declarations_due_on", before=2)
    for member in PanelMember.objects.filter(panel__round=one, state=ACCEPTED).select_related("person__user"):
        name = member.person.user.email.partition("@")[0]
        user = plan.users[name]
        answers = {
            asked.case.ref: _answer(name, asked, plan.kind)
            for asked in cases_asked(user, one, member)
            if asked.live is None
        }
        made += len(declare(one, answers=answers, by=user, at=at)) if answers else 0
    return made


def _answer(name: str, asked: CaseAsked, kind: str) -> Answer:
    project = asked.case.gate_review.project
    ref = project.ref.removeprefix("sample-") if project else ""
    for row in sample_data(FILE)["conflicts"]:
        if (row["who"], row["project"]) == (name, ref) and kind == "stage_gate":
            return Answer("conflict", asked.fingerprint, kind=row["kind"], text=row["text"])
    return Answer("none", asked.fingerprint)


def settle_conflicts(plan: RoundPlan) -> int:
    """This function will settle what was declared, and admit one member in spite of the conflict; returns how many."""
    at = plan.at("declarations_due_on", before=1)
    declared = Declaration.objects.filter(case__panel__round=plan.found, replaced_at__isnull=True)
    rows = {row["kind"]: row for row in sample_data(FILE)["conflicts"]}
    settled = 0
    for declaration in declared.filter(conflict__state=DECLARED).select_related("conflict", "case"):
        conflict, case, row = declaration.conflict, declaration.case, rows[declaration.kind]
        assert conflict is not None
        if row["outcome"] == "dismissed":
            dismiss_conflict(conflict, reason=row["reason"], by=plan.users["staff1"], at=at)
        else:
            confirm_conflict(conflict, reason=row["reason"], by=plan.users["staff1"], at=at)
        if row["outcome"] == "admitted":
            _admit(plan, conflict, case, row["published"])
        settled += 1
    return settled


def _admit(plan: RoundPlan, conflict: ConflictOfInterest, case: Case, reason: str) -> None:
    at = plan.at("declarations_due_on")
    admission = propose_admission(conflict, case=case, reason=reason, by=plan.users["staff1"], at=at)
    approve_admission(admission, by=plan.users["staff2"], at=at)
