"""A stage-gate round over Flagships of the sample twin: rubric, panel of chair1 and evaluators, one case a Flagship."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from evaluations.models import (
    Assignment,
    Case,
    Declaration,
    Dossier,
    Expertise,
    GateReview,
    Panel,
    PanelMember,
    Round,
    RoundDocument,
    RoundSecretary,
    Rubric,
    RubricGrade,
    RubricItem,
    RubricLevel,
)
from evaluations.queries.declarations import facts_of
from evaluations.rules.declarations import fingerprint_now
from programs.models import ProjectRecusal

FLAGSHIPS = ("sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1", "sample-ql2-f2", "sample-ql3-f1")
DAY = date(2026, 4, 1)
LEVELS = (("a", 4), ("b", 3), ("c", 2), ("d", 1))
GRADES = (("S", "3.5"), ("A", "3"), ("B", "2"), ("C", "0"))


@dataclass
class RoundSet:
    """What `make_round` made, by name."""

    round: Round
    rubric: Rubric
    panel: Panel
    members: dict[str, PanelMember] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    reviews: dict[str, GateReview] = field(default_factory=dict)

    def assign(self, project: str, *evaluators: str, by: Any) -> list[Assignment]:
        """This method will make these evaluators confirmed readers of the project's case."""
        now = timezone.now()
        return [
            Assignment.objects.create(
                case=self.cases[project], member=self.members[name], made_by=by, made_at=now, confirmed_by=by,
                confirmed_at=now, state="confirmed", role="primary" if place == 0 else "reader",
            )
            for place, name in enumerate(evaluators)
        ]  # fmt: skip

    def declare(self, *names: str, users: dict[str, Any], answer: str = "none") -> None:
        """This method will let these members (or all) declare where they have not yet and are not excluded."""
        now = timezone.now()
        cases = list(
            Case.objects.filter(panel=self.panel)
            .select_related("gate_review__project", "gate_review__area", "gate_review__program")
            .annotate(now_fingerprint=fingerprint_now("gate_review"))
        )
        facts = facts_of(cases)
        there = set(Declaration.objects.filter(replaced_at=None).values_list("member_id", "case_id"))
        excluded = set(ProjectRecusal.objects.values_list("person_id", "project_id"))
        Declaration.objects.bulk_create(
            Declaration(
                member=self.members[name],
                case=case,
                answer=answer,
                facts=facts[case.pk],
                declared_by=users[name],
                fingerprint=case.now_fingerprint,
                declared_at=now,
            )
            for name in names or self.members
            for case in cases
            if (self.members[name].person_id, case.gate_review.project_id) not in excluded
            and (self.members[name].pk, case.pk) not in there
        )


def make_rubric(by: Any, at: datetime) -> Rubric:
    """This function will make a rubric of three weighted criteria (scale a to d) and one of text only."""
    rubric = Rubric.objects.create(name_ja="評価基準", name_en="Rubric", made_by=by, made_at=at)
    for place, (code, ja, weight) in enumerate(
        (
            ("goal", "目標の達成度", 50),
            ("plan", "今後の計画", 30),
            ("team", "実施体制", 20),
            ("remarks", "特記事項", 0),
        ),
        1,
    ):
        item = RubricItem.objects.create(
            rubric=rubric, code=code, name_ja=ja, name_en=code, position=place, weight_percent=weight,
            is_text_only=weight == 0, threshold=2 if code == "goal" else None,
        )  # fmt: skip
        if weight:
            for letter, points in LEVELS:
                RubricLevel.objects.create(item=item, code=letter, points=points)
    for place, (code, from_points) in enumerate(GRADES, 1):
        RubricGrade.objects.create(rubric=rubric, code=code, name_ja=code, position=place, from_points=from_points)
    return rubric


def make_round(
    cast: dict[str, Any], twin: dict[str, Any], *, projects: tuple[str, ...] = FLAGSHIPS[:3], evaluators: int = 6,
    documents_open: bool = True, state: str = "open", declared: bool = True,
) -> RoundSet:  # fmt: skip
    """This function will make an open round with its cases; evaluator1 .. n and chair1 serve under pledge.

    `documents_open`: the dossiers count as sealed and the cases are open; otherwise both stand at their beginning.
    `declared`: every member has declared no conflict. evaluator1 is in conflict with sample-ql1-f1 as everywhere in the
    cast.
    """
    now = timezone.now()
    staff, second = cast["staff1"], cast["staff2"]
    rubric = make_rubric(staff, now)
    program = twin[projects[0]].program
    made = Round.objects.create(
        name_ja="試験ラウンド", name_en="Test round", kind="stage_gate", program=program, fiscal_year=2026,
        rubric=rubric, is_sample=True, made_by=staff, made_at=now, opened_by=staff, opened_at=now, state=state,
        calls_on=DAY, declarations_due_on=now.date(), dossier_due_on=now.date(),
        first_close_at=now + timedelta(days=10), hearing_on=(now + timedelta(days=14)).date(),
        final_close_at=now + timedelta(days=20), decision_due_on=(now + timedelta(days=40)).date(),
    )  # fmt: skip
    RoundDocument.objects.create(round=made, name_ja="自己評価書", name_en="Self-assessment", position=1)
    panel = Panel.objects.create(round=made, is_sample=True)
    for place, name in enumerate(("理論", "実験", "産業化"), 1):
        Expertise.objects.create(panel=panel, name_ja=name, position=place)
    term = {"granted_by": staff, "approved_by": second, "starts_on": DAY}
    RoundSecretary.objects.create(round=made, person=cast["secretariat1"].person, **term)
    whole = RoundSet(made, rubric, panel)
    for name in ("chair1", *(f"evaluator{n}" for n in range(1, evaluators + 1))):
        whole.members[name] = PanelMember.objects.create(
            panel=panel, person=cast[name].person, role="chair" if name == "chair1" else "member", state="accepted",
            answered_at=now, pledged_at=now, pledge_text="誓約", **term,
        )  # fmt: skip
    for number, ref in enumerate(projects, 1):
        review = GateReview.objects.create(
            round=made, project=twin[ref], is_sample=True, called_at=now, called_by=staff,
            state="sealed" if documents_open else "called",
        )  # fmt: skip
        whole.reviews[ref] = review
        content = {"sections": []} if documents_open else None
        Dossier.objects.create(
            gate_review=review, content=content, content_hash="0" * 64 if content else "",
            submitted_by=cast["pi1"] if content else None, sealed_by=cast["po1"] if content else None,
            submitted_at=now if content else None, sealed_at=now if content else None,
        )  # fmt: skip
        whole.cases[ref] = Case.objects.create(
            panel=panel, number=number, gate_review=review, is_sample=True,
            state="open" if documents_open else "preparing", opened_at=now if documents_open else None,
        )  # fmt: skip
    if declared:
        whole.declare(users=cast)
    return whole
