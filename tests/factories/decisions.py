"""Reviews on which the panel has given its finding: what a decision begins with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from evaluations.actions.decisions import decide, draft_decision
from evaluations.actions.releases import release_decisions
from evaluations.models import Finding, GateDecision, GateReview
from programs.actions.phase_locks import lock_phase
from tests.factories.rounds import RoundSet, make_round

F1, F2, F3 = "sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1"


def recommended(
    cast: dict[str, Any], twin: dict[str, Any], *projects: str, by: str = "chair1", recommends: str = "continue"
) -> RoundSet:
    """This function will make a round whose panel has given a finding on each of its projects, all of them locked."""
    made = make_round(cast, twin, projects=projects or (F1,), state="final_closed")
    for ref, case in made.cases.items():
        find(made, ref, cast[by], recommends)
        lock_phase(
            twin[ref], source_ref=case.gate_review.ref, from_fiscal_year=2027, by=cast["staff1"], at=timezone.now()
        )
        made.reviews[ref] = GateReview.objects.get(pk=case.gate_review_id)
    return made


def find(made: RoundSet, ref: str, by: Any, recommends: str = "continue") -> Finding:
    """This function will give the finding on a case and move its review on."""
    now = timezone.now()
    finding = Finding.objects.create(
        case=made.cases[ref], overall="目標を概ね達成している。\n次の段階に進むことが適当である。",
        strengths="世界最高水準の忠実度。", remarks="産業界との連携を強めること。",
        conditions="知財方針を定めること", grade=made.rubric.grades.get(code="A"),
        recommendation=recommends, state="given", edited_by=by, edited_at=now, recommended_by=by, recommended_at=now,
    )  # fmt: skip
    GateReview.objects.filter(pk=made.cases[ref].gate_review_id).update(state="recommended")
    return finding


def values(outcome: str = "continue", **more: Any) -> dict[str, Any]:
    """This function will return what a draft is made of."""
    codes = {"continue": "on-track", "modify": "refocus", "stop": "goals-missed", "defer": "evidence-lacking"}
    day = timezone.localdate() + timedelta(days=60)
    return {
        "outcome": outcome, "reason_code": codes[outcome], "reason": "評価委員会の所見を踏まえたもの。", "effective_on": day,
        **more,
    }  # fmt: skip


def condition(**more: Any) -> dict[str, Any]:
    """This function will return one condition of a draft."""
    due = timezone.localdate() + timedelta(days=90)
    return {"text": "知財方針を定め、報告すること。", "owner": "team", "due_on": due, "is_public": True, **more}


def steps() -> list[dict[str, Any]]:
    """This function will return the steps of a wind-down."""
    due = timezone.localdate() + timedelta(days=120)
    return [
        {"kind": "end", "text": "研究を終了する。", "owner": "team", "due_on": due, "released_yen": None},
        {"kind": "assets", "text": "取得資産を引き継ぐ。", "owner": "office", "due_on": due, "released_yen": None},
        {"kind": "money", "text": "残額を返納する。", "owner": "office", "due_on": due, "released_yen": 1_000_000},
    ]


def drafted(cast: dict[str, Any], review: GateReview, outcome: str = "continue", **more: Any) -> GateDecision:
    """This function will draft a decision as staff1."""
    rows = {name: more.pop(name) for name in ("conditions", "wind_down") if name in more}
    return draft_decision(review, values=values(outcome, **more), by=cast["staff1"], at=timezone.now(), **rows)


def decided(cast: dict[str, Any], review: GateReview, outcome: str = "continue", **more: Any) -> GateDecision:
    """This function will draft as staff1 and decide as staff2."""
    at = more.pop("at", timezone.now())
    draft, today = drafted(cast, review, outcome, **more), timezone.localdate(at)
    return decide(
        review, number="7文科科第1号", decided_on=today, revision=draft.revision, by=cast["staff2"], at=at
    )  # fmt: skip


def released(cast: dict[str, Any], review: GateReview, outcome: str = "continue", **more: Any) -> GateDecision:
    """This function will carry a decision on to its release by staff1."""
    made = decided(cast, review, outcome, **more)
    return release_decisions([made], by=cast["staff1"], at=timezone.now())[0]
