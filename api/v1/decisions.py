"""Decisions (決定) on gates, from their release on; a newer one names the one whose place it takes."""

from __future__ import annotations

from api.filters import ChoiceFilter, FlagFilter, RefFilter
from api.sql_json import Choice, Day, Flag, Instant, Integer, OptionalText, Part, Rows, SqlSerializer, Text
from api.v1.parts import BY_REF, SAMPLE
from api.views import NounDetail, NounList
from evaluations.models import Condition, GateDecision
from evaluations.queries.decisions import decisions_visible_to


class ConditionPart(Part):
    """A condition (条件), tracked until it is met."""

    ref = Text()
    number = Integer()
    text = Text()
    owner = Choice(choices=Condition.Owner.choices, help_text="Who owes it")
    due_on = Day()
    state = Choice(choices=Condition.State.choices)


class DecisionOut(SqlSerializer):
    """One decision on one project at one gate. Decided by another person than drafted and recommended it."""

    ref = Text(help_text="Reference, never changes")
    gate_review = Text(source="gate_review.ref")
    program = Text(source="gate_review.round.program.ref")
    project = Text(source="gate_review.project.ref", allow_null=True)
    outcome = Choice(choices=GateDecision.Outcome.choices)
    reason_code = Text()
    reason = Text()
    effective_on = Day()
    ends_on = Day(allow_null=True, help_text="The last day of a project that is stopped or merged")
    plan = Text(source="plan_change.ref", allow_null=True, help_text="The plan version that it brings in force")
    corrects = Text(source="corrects.ref", allow_null=True, help_text="The decision whose place it takes")
    number = OptionalText(help_text="決裁番号")
    decided_on = Day(help_text="決裁日")
    released_at = Instant()
    in_force_at = Instant(allow_null=True)
    state = Text(help_text="released, in_force or replaced")
    conditions = Rows(GateDecision, child=ConditionPart(), order_by=["number"])
    content_hash = Text(help_text="SHA-256 of the content that was decided")
    is_sample = Flag(help_text=SAMPLE)


class DecisionList(NounList):
    scopes = {"GET": "decisions:read"}
    output = DecisionOut
    visible = decisions_visible_to
    orders = BY_REF
    filters = {
        "program": RefFilter("gate_review__round__program__ref", "Decisions of this program's rounds"),
        "project": RefFilter("gate_review__project__ref", "Decisions on this project"),
        "gate_review": RefFilter("gate_review__ref", "Decisions on this gate review"),
        "outcome": ChoiceFilter("outcome", "continue, modify, stop or defer", GateDecision.Outcome),
        "is_sample": FlagFilter("is_sample", SAMPLE),
    }


class DecisionDetail(NounDetail):
    scopes = {"GET": "decisions:read"}
    output = DecisionOut
    visible = decisions_visible_to
