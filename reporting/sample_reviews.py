"""What the sample panel does in a round: sheets, a review begun anew, questions, the hearing, findings, fact checks."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from common.actors import SYSTEM
from evaluations.actions.assignment_runs import ask_for_run, run_assignment
from evaluations.actions.assignments import confirm_assignments, fingerprint_of
from evaluations.actions.cases import invalidate_case
from evaluations.actions.disclosures import release_disclosure, save_disclosure
from evaluations.actions.fact_checks import answer_fact_check, send_fact_check, settle_correction
from evaluations.actions.findings import give_finding, save_director_opinion, save_finding, save_minority_opinion
from evaluations.actions.meetings import make_meeting, next_item, save_meeting_item, save_notes
from evaluations.actions.questions import ask_question, hand_in_answers, save_answer, send_questions
from evaluations.actions.rounds import close_scores
from evaluations.actions.score_sheets import save_sheet, submit_sheet
from evaluations.documents import appointment_letter_pdf, meeting_papers_pdf, pledge_pdf
from evaluations.models import (
    Assignment,
    AssignmentRun,
    Case,
    FactCheck,
    FactCorrection,
    Finding,
    Meeting,
    PanelMember,
    Question,
)
from evaluations.queries.assignments import cases_to_assign, seating_of
from evaluations.queries.findings import proposed_grade
from evaluations.queries.meetings import meeting_papers
from evaluations.queries.score_sheets import read_sheet
from evaluations.scoring import Answer
from evaluations.sheet_workbook import OVERALL
from evaluations.states import CONFIRMED, FIRST_CLOSED, OPEN
from reporting.sample_records import sample_data

if TYPE_CHECKING:
    from accounts.models import User
    from reporting.sample_rounds import RoundPlan

FILE = "sample_rounds.json"
#: From the release to the contracts of 1 April there is time for this window.
OBJECTION_DAYS = 14
LETTERS = "abcd"


def score_first(plan: RoundPlan) -> int:
    """This function will write and hand in every reader's sheet that is not in yet; returns how many."""
    if plan.found is None or plan.found.state != OPEN:
        return 0
    at = plan.at("first_close_at", before=4)
    done = 0
    for assignment in _readings(plan).filter(sheet__isnull=True):
        reader = _user_of(plan, assignment.member)
        save_sheet(assignment, answers=_answers(assignment), revision=0, by=reader, at=at)
        submit_sheet(assignment, by=reader, at=at)
        done += 1
    return done


def score_some(plan: RoundPlan) -> int:
    """This function will hand in one sheet of each second case and begin another; the rest waits for its readers."""
    at, done = min(plan.at("first_close_at", before=4), plan.now), 0
    for case in _cases(plan).filter(state="open")[::2]:
        for place, assignment in enumerate(_readings(plan).filter(case=case)[:2]):
            reader = _user_of(plan, assignment.member)
            answers = _answers(assignment)
            if place:
                answers = {"goal": answers["goal"], "remarks": answers["remarks"]}
            save_sheet(assignment, answers=answers, revision=0, by=reader, at=at)
            if not place:
                submit_sheet(assignment, by=reader, at=at)
            done += 1
    return done


def begin_anew(plan: RoundPlan) -> int:
    """This function will declare one review invalid; its new case waits for declarations and readers."""
    said = sample_data(FILE)["redo"]
    if plan.found is None or Case.objects.filter(panel__round=plan.found, state="invalidated").exists():
        return 0
    case = _cases(plan).filter(gate_review__project__ref=f"sample-{said['project']}").first()
    if case is None or plan.kind != "stage_gate":
        return 0
    invalidate_case(case, reason=said["reason"], by=plan.users["staff1"], at=plan.at("first_close_at", before=3))
    return 1


def assign_anew(plan: RoundPlan) -> int:
    """This function will have readers proposed for cases that have none, and confirm them."""
    one, chair = plan.found, plan.users["chair1"]
    if one is None or one.state != OPEN:
        return 0
    if not Case.objects.filter(panel__round=one, state="preparing", assignments__isnull=True).exists():
        return 0
    at = plan.at("first_close_at", before=2)
    run = ask_for_run(one.panel, kind=AssignmentRun.Kind.PROPOSE, by=chair, at=at)
    run_assignment(run.pk, clock=lambda: at)
    seating = seating_of(one.panel, cases_to_assign(chair, one.panel))
    return confirm_assignments(one.panel, seen=fingerprint_of(seating), by=chair, at=at)


def close_first(plan: RoundPlan) -> int:
    """This function will close the first scores, as the timetable does at their hour."""
    if plan.found is None or plan.found.state != OPEN or plan.at("first_close_at", hour=18) >= plan.now:
        return 0
    close_scores(plan.found, by=SYSTEM, at=plan.at("first_close_at", hour=18))
    return 1


# Questions and the hearing --------------------------------------------------------------------------------------------


def ask_questions(plan: RoundPlan) -> int:
    """This function will ask a question in each Flagship's case, send them and have them answered."""
    said, done = sample_data(FILE)["question"], 0
    if plan.found is None or plan.found.state != FIRST_CLOSED or Question.objects.filter(**_in(plan)).exists():
        return 0
    for case in _cases(plan).filter(state="open", gate_review__project__kind="flagship"):
        first = _readings(plan).filter(case=case).first()
        if first is None:
            continue
        at = plan.at("questions_due_on", hour=11)
        asked = ask_question(case, text=said["text"], by=_user_of(plan, first.member), at=at)
        send_questions(
            case, texts={asked.pk: said["text"]}, left_out={}, by=plan.users["secretariat1"],
            at=plan.at("questions_due_on", hour=15),
        )  # fmt: skip
        review, lead, day = case.gate_review, plan.leader(case), plan.at("answers_due_on", hour=14)
        save_answer(review, asked.pk, text=said["answer"], revision=0, by=lead, at=day)
        hand_in_answers(review, by=lead, at=day)
        done += 1
    return done


def hold_hearing(plan: RoundPlan) -> int:
    """This function will hold the hearing of the Flagships, item by item, with notes; returns the number of items."""
    one, keeper = plan.found, plan.users["secretariat1"]
    if one is None or one.state != FIRST_CLOSED or Meeting.objects.filter(round=one).exists():
        return 0
    said, at = sample_data(FILE)["meeting"], plan.at("hearing_on", hour=9)
    meeting = make_meeting(one, kind="hearing", held_on=at.date(), place=said["place"], by=keeper, at=at)
    cases = list(_cases(plan).filter(state="open", gate_review__project__kind="flagship"))
    agenda: list[tuple[Case | None, str, int]] = [(None, said["first"], 15)]
    agenda += [(case, "", 40) for case in cases] + [(None, said["last"], 45)]
    begins = datetime.combine(at.date(), time(9, 30))
    for case, title, minutes in agenda:
        values = {"starts_at": begins.time(), "minutes": minutes, "case": case, "title": title}
        save_meeting_item(meeting, values=values, by=keeper, at=at)
        begins += timedelta(minutes=minutes)
    running = next_item(meeting, after=0, by=keeper, at=at)
    while running is not None:
        text = "説明の後、質疑を行った。" if running.case_id else "議事次第のとおり進めた。"
        save_notes(meeting, running.pk, text=text, revision=0, by=keeper, at=at)
        running = next_item(meeting, after=running.position, by=keeper, at=at)
    return len(agenda)


def revise_scores(plan: RoundPlan) -> int:
    """This function will let one reader of each Flagship's case raise or lower a grade after the hearing."""
    if plan.found is None or plan.found.state != FIRST_CLOSED:
        return 0
    at, said, done = plan.at("hearing_on", hour=16), sample_data(FILE)["sheets"], 0
    for case in _cases(plan).filter(state="open", gate_review__project__kind="flagship"):
        assignment = _readings(plan).filter(case=case, sheet__frozen_at__isnull=True).last()
        if assignment is None:
            continue
        read = read_sheet(assignment)
        old = read.answers["use"]
        level = LETTERS[min(3, LETTERS.index(old.level) + 1)] if old.level else "c"
        answer = Answer("use", level, comment=said["revised"])
        reader = _user_of(plan, assignment.member)
        save_sheet(assignment, answers={"use": answer}, revision=read.revision, by=reader, at=at)
        done += 1
    return done


def close_final(plan: RoundPlan) -> int:
    """This function will close the scores for good."""
    if plan.found is None or plan.found.state != FIRST_CLOSED or plan.at("final_close_at", hour=18) >= plan.now:
        return 0
    close_scores(plan.found, final=True, by=SYSTEM, at=plan.at("final_close_at", hour=18))
    return 1


# The finding ----------------------------------------------------------------------------------------------------------


def draft_findings(plan: RoundPlan) -> int:
    """This function will draft the findings and send their facts to the projects."""
    keeper, done = plan.users["secretariat1"], 0
    if plan.found is None or plan.found.state != "final_closed":
        return 0
    for case in _cases(plan).filter(state="open", finding__isnull=True):
        said = finding_data(case)
        values = {name: said[name] for name in ("overall", "strengths", "remarks", "conditions", "recommendation")}
        values["grade"] = proposed_grade(case)
        how: dict[str, Any] = {"by": keeper, "at": plan.at("finding_due_on", before=1)}
        save_finding(case, values=values, revision=0, **how)
        texts = {"goal": said["strengths"], "plan": said["remarks"]}
        save_disclosure(case, texts=texts, revision=0, **how)
        send_fact_check(case, due_on=plan.at("fact_check_due_on").date(), by=keeper, at=plan.at("finding_due_on"))
        done += 1
    return done


def answer_fact_checks(plan: RoundPlan) -> int:
    """This function will have each team answer on the facts, one of them with a correction that is taken up."""
    said, done, at = sample_data(FILE)["correction"], 0, plan.at("fact_check_due_on", before=1)
    checks = FactCheck.objects.filter(finding__case__panel__round=plan.found, answered_at__isnull=True)
    for check in checks.select_related("finding__case__gate_review__project").order_by("pk"):
        case = check.finding.case
        wrong = {said["part"]: said["text"]} if _ref(case) == said["project"] else {}
        answer_fact_check(check, has_no_errors=not wrong, corrections=wrong, by=plan.leader(case), at=at)
        done += 1
    for correction in FactCorrection.objects.filter(fact_check__finding__case__panel__round=plan.found, outcome=""):
        settle_correction(
            correction, outcome=FactCorrection.Outcome.TAKEN, reason=said["reason"], by=plan.users["secretariat1"],
            at=plan.at("fact_check_due_on"),
        )  # fmt: skip
    return done


def give_findings(plan: RoundPlan) -> int:
    """This function will give the findings, the chair's word; with the director's and a minority's opinion beside."""
    data, done = sample_data(FILE), 0
    chair, at = plan.users["chair1"], plan.at("fact_check_due_on", before=-2)
    findings = Finding.objects.filter(case__panel__round=plan.found, case__state="open", state="drafting")
    for finding in findings.select_related("case__gate_review__project").order_by("case__number"):
        case, ref = finding.case, _ref(finding.case)
        if ref in data["opinion"]:
            director = plan.users[f"pd{ref[2]}"]
            save_director_opinion(case, text=data["opinion"][ref], revision=0, by=director, at=at)
        if ref == data["minority"]["project"] and (first := _readings(plan).filter(case=case).first()):
            reader = _user_of(plan, first.member)
            save_minority_opinion(case, text=data["minority"]["text"], revision=0, is_named=False, by=reader, at=at)
        give_finding(case, revision=finding.revision, by=chair, at=at)
        release_disclosure(case, by=chair, at=at)
        done += 1
    return done


def panel_papers(plan: RoundPlan) -> list[tuple[str, bytes]]:
    """This function will typeset the hearing's papers as the chair and a member in conflict take them, and the chair's
    letter of appointment and pledge, each with a name for it.
    """  # fmt: skip
    found = []
    meeting = Meeting.objects.filter(round=plan.found).select_related("round").first()
    for name in ("chair1", "evaluator1"):
        if meeting is not None:
            reader = plan.users[name]
            content = meeting_papers(reader, meeting, str(reader))
            found.append((f"meeting-papers-{plan.fiscal_year}-{name}", meeting_papers_pdf(content)))
    chairs = PanelMember.objects.filter(panel__round=plan.found, role="chair")
    for member in chairs.select_related("person", "panel__round"):
        found.append((f"appointment-letter-{plan.fiscal_year}", appointment_letter_pdf(member)))
        found.append((f"pledge-{plan.fiscal_year}", pledge_pdf(member)))
    return found


# Who and what ---------------------------------------------------------------------------------------------------------


def finding_data(case: Case) -> dict[str, Any]:
    """This function will return what the sample panel finds on a case."""
    findings = sample_data(FILE)["findings"]
    found: dict[str, Any] = findings.get(_ref(case), findings["basic"])
    return found


def _answers(assignment: Assignment) -> dict[str, Answer]:
    said, case = sample_data(FILE)["sheets"], assignment.case
    level = LETTERS.index(finding_data(case)["level"])
    draw = random.Random(f"{_ref(case)}:{assignment.member.person.name_ja}")  # a choice for a play, not a secret
    answers = {"remarks": Answer("remarks", comment=said["remarks"]), OVERALL: Answer(OVERALL, comment=said["whole"])}
    for code in ("goal", "trl", "plan", "use"):
        letter = LETTERS[min(3, max(0, level + draw.choice((-1, 0, 0, 0, 1))))]
        answers[code] = Answer(code, letter, comment=said["comments"][letter])
    return answers


def _in(plan: RoundPlan) -> dict[str, Any]:
    return {"case__panel__round": plan.found}


def _cases(plan: RoundPlan) -> Any:
    rows = Case.objects.filter(panel__round=plan.found).exclude(state="invalidated")
    return rows.select_related("panel__round__rubric", "gate_review__project__area").order_by("number")


def _readings(plan: RoundPlan) -> Any:
    rows = Assignment.objects.filter(case__panel__round=plan.found, case__state="open", state=CONFIRMED)
    rows = rows.filter(member__is_scoring=True)
    return rows.select_related("member__person__user", "case__gate_review__project").order_by("case__number", "pk")


def _user_of(plan: RoundPlan, member: PanelMember) -> User:
    return plan.users[member.person.user.email.partition("@")[0]]


def _ref(case: Case) -> str:
    assert case.gate_review.project is not None
    return case.gate_review.project.ref.removeprefix("sample-")
