"""A gate round walked at random: anybody tries anything in any order, and what must never be is looked for after each.

`test_round_machine.py` runs 10,000 steps of it, `make drill` 100,000.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from common.errors import Refused
from evaluations.actions import cases as case_acts
from evaluations.actions import dossiers as dossier_acts
from evaluations.actions import score_sheets as sheet_acts
from evaluations.actions.rounds import close_scores
from evaluations.models import Assignment, Case, GateReview, ScoreSheet
from evaluations.queries.score_sheets import read_sheet, sheets_visible_to
from evaluations.rules.cases import cases_judged_by
from evaluations.scoring import Answer
from evaluations.states import CASE_MOVES, GATE_REVIEW_MOVES, ROUND_MOVES, SHEET_MOVES
from programs.actions.recusals import end_recusal, recuse
from tests.cast import again
from tests.factories.rounds import make_round

PROJECTS = ("sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1")
READERS = {PROJECTS[0]: ("evaluator2", "evaluator3"), PROJECTS[1]: ("evaluator2", "evaluator4"),
           PROJECTS[2]: ("evaluator3", "chair1")}  # fmt: skip
#: Everybody who has or has had something to do with a round, and some who have not.
PEOPLE = (
    "staff1", "staff2", "secretariat1", "chair1", "evaluator1", "evaluator2", "evaluator3", "evaluator4", "pd1", "po1",
    "pi1", "pi2", "pi3", "office1", "auditor1", "jst1",
)  # fmt: skip
TEAM = ("pi1", "pi2", "pi3", "office1")
READING = ("evaluator2", "evaluator3", "evaluator4", "chair1")
#: Who does what as a rule; two times in three it is one of them who tries.
RUNNERS = ("secretariat1", "staff1", "secretariat1", "chair1")
LEGAL = {
    name: {(source, move.target) for move in table.values() for source in move.sources}
    for name, table in (
        ("round", ROUND_MOVES), ("case", CASE_MOVES), ("review", GATE_REVIEW_MOVES), ("sheet", SHEET_MOVES),
    )
} | {"dossier": set()}  # fmt: skip
STATES = """
    SELECT 'round', id, state FROM evaluations_round WHERE id = %(round)s
    UNION ALL SELECT 'review', id, state FROM evaluations_gatereview WHERE round_id = %(round)s
    UNION ALL SELECT 'case', c.id, c.state FROM evaluations_case c JOIN evaluations_panel p ON p.id = c.panel_id
        WHERE p.round_id = %(round)s
    UNION ALL SELECT 'sheet', s.id, s.state FROM evaluations_scoresheet s
    UNION ALL SELECT 'dossier', d.id, d.content_hash || d.submitted_by_id || d.sealed_by_id FROM evaluations_dossier d
        WHERE d.sealed_at IS NOT NULL
"""
SCORES = """
    SELECT x.id, r.state, s.frozen_at IS NOT NULL, row(x.level_id, x.is_not_applicable, x.comment)::text,
        row(x.first_level_id, x.first_is_not_applicable, x.first_comment)::text
    FROM evaluations_sheetscore x JOIN evaluations_scoresheet s ON s.id = x.sheet_id
    JOIN evaluations_assignment a ON a.id = s.assignment_id JOIN evaluations_case c ON c.id = a.case_id
    JOIN evaluations_panel p ON p.id = c.panel_id JOIN evaluations_round r ON r.id = p.round_id
    WHERE r.id = %(round)s
"""
WRITTEN_BY_OTHERS = """
    SELECT count(*) FROM common_journalentry j JOIN evaluations_scoresheet s ON s.id = j.subject_id
    JOIN evaluations_assignment a ON a.id = s.assignment_id JOIN evaluations_panelmember m ON m.id = a.member_id
    JOIN accounts_user u ON u.id::text = j.actor_id
    WHERE j.subject_type = 'evaluations.scoresheet' AND j.action IN ('save_sheet', 'submit_sheet')
    AND u.person_id <> m.person_id
"""

people, projects = st.sampled_from(PEOPLE), st.sampled_from(PROJECTS)
runners = st.sampled_from(RUNNERS * 12 + PEOPLE)
places = st.integers(0, 1)
#: One time in five somebody else tries.
strangers = st.one_of(*[st.none()] * 4, people)


class RoundMachine(RuleBasedStateMachine):
    """One round with three cases. Acts may be refused; what the database lets through is checked."""

    cast: dict[str, Any] = {}
    twin: dict[str, Any] = {}
    done: dict[str, int] = {}

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.users = {name: again(self.cast[name]) for name in PEOPLE}
        self.fresh: dict[str, Any] = {}
        self.made = make_round(self.users, self.twin, projects=PROJECTS, evaluators=4)  # type: ignore[arg-type]
        for project, readers in READERS.items():
            self.made.assign(project, *readers, by=self.users["staff1"])
        self.now: datetime = timezone.now()
        self.states: dict[tuple[type, int], str] = {}
        self.first: dict[int, tuple[Any, ...]] = {}
        self.final: dict[int, tuple[Any, ...]] = {}
        self.recused: dict[str, tuple[str, str]] = {}

    def teardown(self) -> None:
        """This method will take everything back."""
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def tried(self, act: Callable[..., Any], *args: Any, **how: Any) -> bool:
        """This method will try an act; a refusal is fine and changes nothing, any other error is a finding."""
        try:
            with transaction.atomic():
                act(*args, **how)
        except Refused:
            return False
        name = act.__name__
        self.done[name] = self.done.get(name, 0) + 1
        return True

    def user(self, name: str) -> Any:
        """This method will return the user as a new request would find them, read anew when exclusions have changed."""
        if name not in self.fresh:
            self.fresh[name] = again(self.users[name])
        return self.fresh[name]

    def case(self, project: str) -> Case:
        """This method will return the newest case of a project."""
        return Case.objects.filter(gate_review=self.made.reviews[project]).order_by("-number")[0]

    def assignment(self, project: str, name: str) -> Assignment | None:
        """This method will return the assignment of a reader to the newest case, if there is one."""
        person = self.users[name].person_id
        return Assignment.objects.filter(case=self.case(project), member__person=person).first()

    # Time and rounds

    @rule(days=st.integers(0, 3))
    def wait(self, days: int) -> None:
        """Time passes."""
        self.now += timedelta(days=days, hours=1)

    @rule(who=runners, final=st.booleans())
    def close(self, who: str, final: bool) -> None:
        """Somebody closes the scores."""
        self.tried(close_scores, self.made.round, final=final, by=self.user(who), at=self.now)

    # Sheets

    def _reader(self, project: str, place: int, stranger: str | None) -> tuple[Assignment | None, Any]:
        """One of the readers of the newest case, with who acts: the reader, or somebody else.

        None where a conflict kept the reader from the new case.
        """
        name = READERS[project][place]
        return self.assignment(project, name), self.user(stranger or name)

    @rule(project=projects, place=places, stranger=strangers, stale=st.integers(0, 9),
          grades=st.lists(st.sampled_from("abcd"), min_size=3, max_size=3), wrong=st.sampled_from(("", "", "", "z")))  # fmt: skip
    def score(
        self, project: str, place: int, stranger: str | None, stale: int, grades: list[str], wrong: str
    ) -> None:  # fmt: skip
        """A reader, or somebody else, writes on a sheet; the grade may be off the scale, the sheet of an older version."""
        assignment, by = self._reader(project, place, stranger)
        if assignment is None:
            return
        revision = read_sheet(assignment).revision - (stale == 0)
        answers = {
            key: Answer(key, wrong or grade, comment="根拠は資料のとおりです。")
            for key, grade in zip(("goal", "plan", "team"), grades, strict=True)
        }
        self.tried(sheet_acts.save_sheet, assignment, answers=answers, revision=revision, by=by, at=self.now)

    @rule(project=projects, place=places, stranger=strangers)
    def hand_in(self, project: str, place: int, stranger: str | None) -> None:
        """A reader, or somebody else, hands a sheet in."""
        assignment, by = self._reader(project, place, stranger)
        if assignment is None:
            return
        self.tried(sheet_acts.submit_sheet, assignment, by=by, at=self.now)

    @rule(who=runners, project=projects, reason=st.sampled_from(("", "記載が足りません。")))
    def send_back(self, who: str, project: str, reason: str) -> None:
        """Somebody returns a sheet."""
        sheet = ScoreSheet.objects.filter(assignment__case=self.case(project)).first()
        if sheet is not None:
            self.tried(sheet_acts.return_sheet, sheet, reason=reason, by=self.user(who), at=self.now)

    # Cases, dossiers, conflicts

    @rule(who=runners, project=projects)
    def open_documents(self, who: str, project: str) -> None:
        """Somebody opens a case."""
        self.tried(case_acts.open_documents, self.case(project), by=self.user(who), at=self.now)

    @rule(who=runners, project=projects, often=st.integers(0, 3))
    def invalidate(self, who: str, project: str, often: int) -> None:
        """Somebody declares a review invalid; the readers are confirmed for the new case too."""
        if often == 3 and self.tried(
            case_acts.invalidate_case, self.case(project), reason="利益相反の見落とし", by=self.user(who), at=self.now
        ):
            self.made.cases[project] = self.case(project)
            # The database refuses a reader in conflict.
            free = [name for name in READERS[project] if self.recused.get(name, ("", ""))[0] != project]
            self.made.assign(project, *free, by=self.users["staff1"])

    @rule(who=people, project=projects)
    def write_into_sealed(self, who: str, project: str) -> None:
        """Somebody writes, hands in, seals or adds a later fact to a sealed dossier."""
        review = GateReview.objects.get(pk=self.made.reviews[project].pk)
        how = {"by": self.user(who), "at": self.now}
        for act in (dossier_acts.submit_dossier, dossier_acts.seal_dossier):
            self.tried(act, review, **how)
        self.tried(dossier_acts.add_addendum, review, text="その後の事実", **how)

    @rule(who=people, project=projects)
    @precondition(lambda self: len(self.recused) < 2)
    def exclude(self, who: str, project: str) -> None:
        """A conflict of somebody is confirmed."""
        if who not in self.recused and who != "evaluator1":
            ref = f"COI-{who}-{len(self.recused)}-{project[-5:]}"
            recuse(
                self.users[who].person, self.twin[project], starts_on=timezone.localdate(), source_ref=ref,
                by=self.users["staff2"], at=self.now,
            )  # fmt: skip
            self.recused[who] = (project, ref)
            self.fresh.clear()

    @rule(who=people)
    def readmit(self, who: str) -> None:
        """A conflict ends: the day before today was its last."""
        if who in self.recused:
            _project, ref = self.recused.pop(who)
            yesterday = timezone.localdate() - timedelta(days=1)
            end_recusal(ref, ends_on=yesterday, by=self.users["staff2"], at=self.now)
            self.fresh.clear()

    # What must never be

    @rule(who=people)
    def look(self, who: str) -> None:
        """Somebody looks: a team reads no sheet, the excluded nothing, a reader another's only once the own is in."""
        user = self.user(who)
        seen = sheets_visible_to(user).filter(assignment__case__panel__round=self.made.round)
        others = list(
            seen.exclude(assignment__member__person=user.person_id).values_list(
                "assignment__case",
                "assignment__case__gate_review__project__ref",
                "assignment__case__panel__round__state",
            )
        )
        if who in TEAM:
            assert not seen.exists(), f"{who} reads sheets"
        barred = PROJECTS[0] if who == "evaluator1" else self.recused.get(who, ("", ""))[0]
        if barred:
            assert not seen.filter(assignment__case__gate_review__project__ref=barred).exists(), f"{who} is excluded"
            assert not Case.objects.filter(cases_judged_by(user), gate_review__project__ref=barred).exists()
        if who in READING:
            assert all(state != "open" for _case, _project, state in others), f"{who} reads before the first close"
            for case, _project, state in others:
                mine = Assignment.objects.filter(case=case, member__person=user.person_id).first()
                if mine is not None and state == "first_closed":
                    own = ScoreSheet.objects.filter(assignment=mine, submitted_at__isnull=False)
                    assert own.exists(), f"{who} reads another's sheet before the own is in"

    @invariant()
    def states_move_by_the_tables(self) -> None:
        """Nothing gets from one state to another but by a legal move; a sealed dossier is what it was."""
        for table, pk, state in self._rows(STATES):
            before = self.states.get((table, pk), state)
            assert before == state or (before, state) in LEGAL[table], (table, before, state)
            self.states[(table, pk)] = state

    @invariant()
    def scores_stand_after_their_close(self) -> None:
        """First scores never change after the first close, scores never after the final one; nobody writes another's."""
        for pk, state, kept, now, first in self._rows(SCORES):
            if state != "open":
                early = first if kept else now
                assert self.first.setdefault(pk, early) == early, "a first score has changed"
            if state in ("final_closed", "closed"):
                assert self.final.setdefault(pk, now) == now, "a score has changed after the final close"
        assert self._rows(WRITTEN_BY_OTHERS)[0][0] == 0, "somebody wrote another's sheet"

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(query, {"round": self.made.round.pk})
            return cursor.fetchall()


def walk(cast: dict[str, Any], twin: dict[str, Any], *, steps: int, length: int = 100) -> dict[str, int]:
    """This function will walk so many steps in walks of `length`, and return how often each act succeeded."""
    RoundMachine.cast, RoundMachine.twin, RoundMachine.done = cast, twin, {}
    run_state_machine_as_test(
        RoundMachine,
        settings=settings(
            max_examples=max(1, steps // length), stateful_step_count=length, deadline=None, database=None,
            derandomize=True, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    return RoundMachine.done
