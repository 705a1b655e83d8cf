"""The sample twin's rounds of evaluation, from the call for dossiers to the decisions, by the people whose acts they are.

Everything in them is made up and says so. What is there already is left as people have made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pikepdf
from django.utils import timezone
from django.utils.timezone import localdate

from accounts.models import User
from common.fiscal_year import ends_on, label, starts_on
from evaluations.actions.cases import open_documents
from evaluations.actions.dossiers import (
    add_document,
    attach_dossier_pdf,
    call_gate_reviews,
    save_section,
    seal_dossier,
    submit_dossier,
)
from evaluations.actions.invitations import accept_invitation
from evaluations.actions.panels import (
    Field,
    Seat,
    approve_member,
    approve_roster_release,
    ask_expertise,
    propose_member,
    propose_roster_release,
    save_panel,
)
from evaluations.actions.rounds import (
    appoint_secretary,
    approve_secretary,
    make_round,
    open_round,
    proposed_days,
    save_calendar,
    save_documents,
)
from evaluations.actions.rubrics import save_grades, save_item
from evaluations.models import Case, Dossier, GateReview, Panel, Round
from evaluations.queries.decisions import last_decision
from evaluations.queries.panels import pledge_of
from evaluations.states import CALLED, OPEN, PREPARING, SUBMITTED
from programs.models import Program, Project, StageGate
from reporting.sample_assignment import assign_readers, decline_late, replace_reader
from reporting.sample_cast import BASICS, FLAGSHIPS, Users
from reporting.sample_decisions import (
    answer_conditions,
    draft_decisions,
    meet_conditions,
    object_to_stop,
    put_all_in_force,
    refuse_objection,
    release_all,
    take_decisions,
)
from reporting.sample_declarations import declare_conflicts, settle_conflicts
from reporting.sample_records import sample_data
from reporting.sample_reviews import (
    OBJECTION_DAYS,
    answer_fact_checks,
    ask_questions,
    assign_anew,
    begin_anew,
    close_final,
    close_first,
    draft_findings,
    give_findings,
    hold_hearing,
    revise_scores,
    score_first,
    score_some,
)
from reporting.sample_twin import PROGRAM_REF

TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """One round of the play: what it is called, what stands before it, and the day on which it is decided."""

    name_ja: str
    name_en: str
    kind: str
    fiscal_year: int
    decision_on: date
    projects: tuple[str, ...]
    users: Users
    #: No act is later than this.
    now: datetime

    @property
    def found(self) -> Round | None:
        """The round, once it is made."""
        return Round.objects.filter(
            program__ref=PROGRAM_REF, name_ja=self.name_ja, fiscal_year=self.fiscal_year
        ).first()

    @property
    def gate(self) -> StageGate | None:
        """The program's gate in this fiscal year, for a stage-gate round."""
        gates = StageGate.objects.filter(
            program__ref=PROGRAM_REF, held_on__range=(starts_on(self.fiscal_year), ends_on(self.fiscal_year))
        )
        return gates.first() if self.kind == "stage_gate" else None

    def at(self, step: str, *, before: int = 0, hour: int = 10) -> datetime:
        """This function will return the hour on the day of a step of the calendar, or so many days before it."""
        day = self._day(step) - timedelta(days=before)
        return min(datetime.combine(day, time(hour), TOKYO), self.now)

    def _day(self, step: str) -> date:
        found = proposed_days(decision_on=self.decision_on)[step]
        return found.astimezone(TOKYO).date() if isinstance(found, datetime) else found

    def leader(self, case: Case) -> User:
        """The PI of the project that a case is about."""
        return leader(self.users, _ref(case.gate_review))

    def officer(self, case: Case) -> User:
        """The program officer of the area that a case is about."""
        return officer(self.users, _ref(case.gate_review))

    def reviews(self, *states: str) -> list[GateReview]:
        """The round's gate reviews in these states, by project."""
        rows = GateReview.objects.filter(round=self.found, state__in=states).select_related("project__area", "round")
        return list(rows.order_by("project__ref"))


def gate_round(users: Users, year: int, now: datetime) -> RoundPlan:
    """This function will plan the stage-gate round over the Flagships and six basic projects, decided before April."""
    return RoundPlan(
        name_ja=f"ステージゲート評価 {label(year, 'ja')}(見本)", name_en=f"Stage-gate review {label(year, 'en')} (sample)",
        kind="stage_gate", fiscal_year=year, decision_on=date(year + 1, 3, 11),
        projects=tuple(sample_data("sample_rounds.json")["cases"]), users=users, now=now,
    )  # fmt: skip


def running_round(users: Users, now: datetime) -> RoundPlan:
    """This function will plan the round that is being scored at this moment, so that everybody has something to do."""
    return RoundPlan(
        name_ja="基礎基盤研究 中間評価(見本)", name_en="Mid-term evaluation of the basic projects (sample)",
        kind="mid_term", fiscal_year=now.year - (now.month < 4), decision_on=(now + timedelta(days=62)).date(),
        projects=("ql1-b1", "ql1-b3", "ql2-b1", "ql2-b3", "ql3-b1", "ql3-b2"), users=users, now=now,
    )  # fmt: skip


# The round ------------------------------------------------------------------------------------------------------------


def prepare_round(plan: RoundPlan) -> int:
    """This function will make the round with rubric, documents, calendar and secretariat, and open it."""
    if plan.found is not None:
        return 0
    staff, second = plan.users["staff1"], plan.users["staff2"]
    at = plan.at("calls_on", before=14)
    data = sample_data("sample_rounds.json")
    made = make_round(
        Program.objects.get(ref=PROGRAM_REF), by=staff, at=at,
        values={
            "kind": plan.kind, "subject": "project", "area": None,
            "gate": plan.gate, "name_ja": plan.name_ja, "name_en": plan.name_en,
            "fiscal_year": plan.fiscal_year, "chair_source": "independent", "readers_per_case": 3,
            "cases_per_reader_min": 0, "cases_per_reader_max": 6, "quorum": 3,
            "objection_days": OBJECTION_DAYS,
        },
    )  # fmt: skip
    _write_rubric(made, data["rubric"], by=staff, at=at)
    documents = [dict(zip(("name_ja", "name_en", "is_required"), row, strict=True)) for row in data["documents"]]
    save_documents(made, documents=documents, by=staff, at=at)
    made.refresh_from_db()
    values = {**proposed_days(decision_on=plan.decision_on)}
    save_calendar(made, values=values, revision=made.revision, by=staff, at=at)
    person = plan.users["secretariat1"].person
    assert person is not None
    # As with the panel's terms: it serves on the real day, too, when the play is ahead of it.
    appointed_at = min(at, timezone.now())
    approve_secretary(appoint_secretary(made, person=person, by=staff, at=appointed_at), by=second, at=appointed_at)
    open_round(Round.objects.get(pk=made.pk), by=staff, at=at)
    return 1


def _write_rubric(made: Round, data: dict[str, Any], *, by: User, at: datetime) -> None:
    rubric = made.rubric
    assert rubric is not None
    scale = [
        {"code": code, "points": Decimal(points), "anchor_ja": ja, "anchor_en": en}
        for code, points, ja, en in data["scale"]
    ]
    for place, row in enumerate(data["criteria"], 1):
        threshold = None if row["threshold"] is None else Decimal(row["threshold"])
        values = {
            **row, "position": place, "weight_percent": Decimal(row["weight_percent"]), "threshold": threshold,
            "is_text_only": not row["weight_percent"], "may_be_not_applicable": row["code"] != "goal",
        }  # fmt: skip
        rubric.refresh_from_db()
        levels = [] if values["is_text_only"] else scale
        save_item(rubric, "", values=values, levels=levels, revision=rubric.revision, by=by, at=at)
    rubric.refresh_from_db()
    grades = [
        {"code": code, "name_ja": ja, "name_en": en, "from_points": Decimal(points)}
        for code, ja, en, points in data["grades"]
    ]
    save_grades(rubric, grades=grades, revision=rubric.revision, by=by, at=at)


# The panel ------------------------------------------------------------------------------------------------------------

#: Terms of the sample last several rounds.
TERM_YEARS = 4


def appoint_panel(plan: RoundPlan) -> int:
    """This function will name the fields of expertise, appoint the panel and say what the cases ask for."""
    one = plan.found
    if one is None or one.panel.members.exists():
        return 0
    data, users, panel = sample_data("sample_rounds.json"), plan.users, one.panel
    at = plan.at("declarations_due_on", before=14)
    fields = [Field(None, ja, en) for ja, en in data["expertises"]]
    save_panel(panel, fields=fields, pledge="", by=users["secretariat1"], at=at)
    expertises = list(panel.expertises.all())
    # Terms count on the real day: a play ahead of it (`--now`) has members who serve already.
    starts_on = min(at.astimezone(TOKYO).date(), localdate())
    for name, (role, numbers) in data["members"].items():
        seat = Seat(
            role, "industry" if 3 in numbers else "academia", starts_on,
            date(plan.fiscal_year + TERM_YEARS, 3, 31), expertises=[expertises[number] for number in numbers],
        )  # fmt: skip
        _appoint(panel, users, name, seat, at)
    for case in Case.objects.filter(panel=panel).select_related("gate_review__project").order_by("number"):
        asked = [expertises[number] for number in data["cases"].get(_ref(case.gate_review), [])]
        ask_expertise(case, expertises=asked, by=users["secretariat1"], at=at)
    return len(data["members"])


def _appoint(panel: Panel, users: Users, name: str, seat: Seat, at: datetime) -> None:
    person = users[name].person
    assert person is not None
    member = approve_member(propose_member(panel, person, seat, by=users["staff1"], at=at), by=users["staff2"], at=at)
    accept_invitation(member, pledge=True, shown=pledge_of(panel), by=users[name], at=at)


def release_roster(plan: RoundPlan) -> int:
    """This function will publish the names of the panel on the round's own day for it."""
    one = plan.found
    if one is None or one.roster_release_on is None or hasattr(one.panel, "roster_release"):
        return 0
    at = plan.at("roster_release_on")
    if at.astimezone(TOKYO).date() < one.roster_release_on:
        return 0
    propose_roster_release(one.panel, release_on=one.roster_release_on, by=plan.users["staff1"], at=at)
    approve_roster_release(one.panel, by=plan.users["staff2"], at=at)
    return 1


# Dossiers -------------------------------------------------------------------------------------------------------------


def call_dossiers(plan: RoundPlan) -> int:
    """This function will call for the dossiers of the round's projects that are running still."""
    one = plan.found
    if one is None or one.state != OPEN or one.gate_reviews.exists():
        return 0
    refs = [f"sample-{ref}" for ref in plan.projects]
    projects = Project.objects.filter(ref__in=refs, state=Project.State.RUNNING).order_by("ref")
    return len(call_gate_reviews(one, projects, by=plan.users["secretariat1"], at=plan.at("calls_on")))


def write_dossiers(plan: RoundPlan) -> int:
    """This function will write the self-assessments, each by the project's PI, add the annex and hand them in."""
    data = sample_data("sample_rounds.json")
    done = 0
    for review in plan.reviews(CALLED):
        ref = _ref(review)
        lead, at = leader(plan.users, ref), plan.at("dossier_due_on", before=3)
        for section in review.dossier.sections.all():
            # Who was reviewed before answers what was remarked then.
            again = section.code == "answers" and last_decision(review.project_id, review)
            basic = data["dossier_basic"]["answers_again" if again else section.code]
            text = data["dossiers"].get(ref, {}).get(section.code) or basic
            text = text.replace("%(topic)s", _topic(review))
            save_section(review, section.code, text=text, revision=section.revision, by=lead, at=at)
        annex = review.round.documents.filter(is_required=True).get()
        add_document(review, annex, _annex(), f"別添資料_{ref}_見本.pdf", by=lead, at=at)
        answer_conditions(review, by=lead, at=at)
        submit_dossier(review, by=lead, at=plan.at("dossier_due_on", before=1))
        done += 1
    return done


def seal_dossiers(plan: RoundPlan) -> int:
    """This function will confirm and seal what was handed in, each by the area's program officer."""
    done = 0
    for review in plan.reviews(SUBMITTED):
        seal_dossier(review, by=officer(plan.users, _ref(review)), at=plan.at("seals_on", before=1))
        done += 1
    return done


def typeset_dossiers(plan: RoundPlan, refs: Iterable[str] = FLAGSHIPS) -> list[tuple[str, Any]]:
    """This function will typeset the dossiers of these projects and return each file with the project's reference."""
    rows = Dossier.objects.filter(
        gate_review__round=plan.found, gate_review__project__ref__in=[f"sample-{ref}" for ref in refs],
        sealed_at__isnull=False,
    )  # fmt: skip
    return [
        (one.gate_review.project.ref, attach_dossier_pdf(one.pk, at=plan.at("seals_on")))  # type: ignore[union-attr]
        for one in rows.select_related("gate_review__project").order_by("gate_review__project__ref")
    ]


def open_cases(plan: RoundPlan) -> int:
    """This function will open the documents of the round's cases to the panel."""
    cases = list(
        Case.objects.filter(panel__round=plan.found, panel__round__state=OPEN, state=PREPARING).order_by("number")
    )
    for case in cases:
        open_documents(case, by=plan.users["secretariat1"], at=plan.at("seals_on"))
    return len(cases)


def declare_conflicts_anew(plan: RoundPlan) -> int:
    """This function will have the panel declare on what came before it since."""
    return declare_conflicts(plan)


def open_cases_anew(plan: RoundPlan) -> int:
    """This function will open the documents of what came before the panel since."""
    return open_cases(plan)


def score_anew(plan: RoundPlan) -> int:
    """This function will have the new readers hand their sheets in."""
    return score_first(plan)


#: The acts of a round in their order, by the names of `play_cycle`'s steps.
SCRIPT: tuple[Callable[[RoundPlan], int], ...] = (
    prepare_round,
    call_dossiers,
    appoint_panel,
    write_dossiers,
    seal_dossiers,
    declare_conflicts,
    settle_conflicts,
    assign_readers,
    open_cases,
    decline_late,
    replace_reader,
    score_first,
    begin_anew,
    declare_conflicts_anew,
    assign_anew,
    open_cases_anew,
    score_anew,
    close_first,
    ask_questions,
    hold_hearing,
    revise_scores,
    close_final,
    draft_findings,
    answer_fact_checks,
    give_findings,
    draft_decisions,
    take_decisions,
    release_all,
    object_to_stop,
    refuse_objection,
    put_all_in_force,
    release_roster,
    meet_conditions,
)


# Who ------------------------------------------------------------------------------------------------------------------


def leader(users: Users, ref: str) -> User:
    """This function will return the project's PI."""
    if ref in FLAGSHIPS:
        return users[f"pi{FLAGSHIPS.index(ref) + 1}"]
    return users[f"investigator{BASICS.index(ref) + 1}"] if ref in BASICS else users["pi5"]


def officer(users: Users, ref: str) -> User:
    """This function will return the area's program officer."""
    return users["po1" if int(ref[2]) <= 2 else "po2"]


def _ref(review: GateReview) -> str:
    assert review.project is not None
    return review.project.ref.removeprefix("sample-")


def _topic(review: GateReview) -> str:
    assert review.project is not None
    return review.project.title_ja.removesuffix("(見本)") or review.project.ref


def _annex() -> BytesIO:
    """An empty page: the sample invents no annex."""
    document, made = pikepdf.new(), BytesIO()
    document.add_blank_page()
    document.save(made, deterministic_id=True)
    made.seek(0)
    return made


def begin_running_round(plan: RoundPlan) -> int:
    """This function will bring a round to the middle of its first scores, once; returns how many acts it took."""
    if plan.found is not None:
        return 0
    acts = (
        prepare_round, call_dossiers, appoint_panel, write_dossiers, seal_dossiers, declare_conflicts, assign_readers,
        open_cases, score_some,
    )  # fmt: skip
    return sum(act(plan) for act in acts)
