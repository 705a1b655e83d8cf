"""A round behind its final close, its sheets in, and a draft finding on it; every raw comment carries a canary."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from evaluations.actions.findings import save_finding
from evaluations.actions.score_sheets import give_reading_reason, save_sheet, submit_sheet
from evaluations.models import Case, Finding, Round, RoundSecretary
from evaluations.scoring import Answer
from tests.factories.rounds import DAY, FLAGSHIPS, RoundSet, make_round

F1, F2 = FLAGSHIPS[:2]
#: Stands in every raw comment of every sheet, with the reader's name behind it; no team ever reads it.
CANARY = "カナリア語"
DRAFT = {
    "overall": "総合的に順調である。", "strengths": "量子ビット数は国際水準にある。", "remarks": "人材の確保を急ぐこと。",
    "conditions": "半年以内に計画を見直す。", "recommendation": "continue",
}  # fmt: skip


def scored(
    cast: dict[str, Any], twin: dict[str, Any], *, projects: tuple[str, ...] = (F1,),
    readers: tuple[str, ...] = ("evaluator2", "evaluator3", "evaluator4"), grade: str = "b", state: str = "final_closed",
) -> RoundSet:  # fmt: skip
    """This function will make a round whose readers have scored every case alike, and put it behind a close."""
    made = make_round(cast, twin)
    for project in projects:
        for one in made.assign(project, *readers, by=cast["staff1"]):
            name = next(name for name, member in made.members.items() if member.pk == one.member_id)
            words = f"{CANARY}-{name}"
            answers = {code: Answer(code, grade, comment=words) for code in ("goal", "plan", "team")}
            answers |= {"remarks": Answer("remarks", comment=words), "*": Answer("*", comment=words)}
            save_sheet(one, answers=answers, revision=0, by=cast[name], at=timezone.now())
            submit_sheet(one, by=cast[name], at=timezone.now())
    stand_at(made, state)
    return made


def stand_at(made: RoundSet, state: str) -> None:
    """This function will put the round behind its first or final close, the hearing being over."""
    now, steps = timezone.now(), ("first_closed", "final_closed", "closed")
    for step in steps[: steps.index(state) + 1]:
        Round.objects.filter(pk=made.round.pk).update(state=step)
    values = {"first_close_at": now - timedelta(days=9), "hearing_on": timezone.localdate() - timedelta(days=5)}
    if state != "first_closed":
        values["final_close_at"] = now - timedelta(days=1)
    Round.objects.filter(pk=made.round.pk).update(**values)


def told(cast: dict[str, Any], made: RoundSet, *names: str) -> None:
    """This function will let these people give their reason for reading."""
    for name in names:
        give_reading_reason(made.round, reason="評価会議の準備", by=cast[name], at=timezone.now())


def case_of(made: RoundSet, project: str = F1) -> Case:
    """This function will read a case afresh."""
    return Case.objects.select_related("panel__round__rubric", "gate_review__project").get(pk=made.cases[project].pk)


def drafted(cast: dict[str, Any], made: RoundSet, project: str = F1, **more: Any) -> Finding:
    """This function will let the secretariat write a whole draft, with the grade that the legend proposes."""
    grade = made.rubric.grades.get(code=more.pop("grade", "A"))
    values = {**DRAFT, "grade": grade, **more}
    case = case_of(made, project)
    there = Finding.objects.filter(case=case).first()
    return save_finding(
        case, values=values, revision=there.revision if there else 0, by=cast["secretariat1"], at=timezone.now()
    )


def second_secretary(cast: dict[str, Any], made: RoundSet, name: str = "evaluator12") -> Any:
    """This function will put another person into the round's secretariat."""
    RoundSecretary.objects.create(
        round=made.round, person=cast[name].person, starts_on=DAY, granted_by=cast["staff1"], approved_by=cast["staff2"]
    )
    return cast[name]
