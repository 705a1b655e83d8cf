"""Levels of technology readiness (TRL): planned, claimed by the project, assessed by the director."""

from __future__ import annotations

from datetime import date
from typing import Any

from api.filters import ChoiceFilter, FlagFilter, RefFilter
from api.pagination import Order
from api.sql_json import Choice, Day, Flag, Integer, Joined, Names, OptionalText, Part, Rows, SqlSerializer, Text
from api.v1.parts import SAMPLE
from api.views import NounDetail, NounList
from programs.models import TrlAssessment
from programs.queries.trl import trl_visible_to

#: No day: a reference with a day that does not exist finds nothing.
_NEVER = date.min


def day_of(text: str) -> date:
    """This function will read the day in a reference."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return _NEVER


_KEY = ("project__ref", "pk")


class EvidencePart(Part):
    """What a claim shows for one criterion; a file is not handed out here."""

    level = Integer(source="criterion.level.number")
    asked = Text(help_text="The criterion as worded on that day, in Japanese")
    text = OptionalText()
    deliverable_fiscal_year = Integer(source="deliverable.fiscal_year", allow_null=True)
    file = Text(source="file.name", allow_null=True, help_text="Name of the file")


class JudgementPart(Part):
    """What an assessment says of one criterion."""

    level = Integer(source="criterion.level.number")
    asked = Text(help_text="The criterion as worded on that day, in Japanese")
    is_met = Flag()
    reason = OptionalText(help_text="Why it is not met")


class TrlAssessmentOut(SqlSerializer):
    """A level at a day: planned, claimed by the project, or assessed by the director. Separate values, only ever added.

    Levels that milestones of the plan carry are in `milestones`.
    """

    ref = Joined("project.ref", "kind", "on", help_text="<project>.<kind>.<day>")
    program = Text(source="project.program.ref")
    project = Text(source="project.ref")
    kind = Choice(choices=TrlAssessment.Kind.choices)
    scale = Text(source="level.scale.ref", help_text="The scale; wording differs by agency")
    level = Integer(source="level.number")
    name = Names("level.name", help_text="The level's wording")
    on = Day()
    evidence = OptionalText(help_text="What was shown, or on what the assessment rests")
    evidence_by_criterion = Rows(
        TrlAssessment, source="evidence_given", child=EvidencePart(), order_by=["criterion__level__number", "pk"]
    )
    judgements = Rows(TrlAssessment, child=JudgementPart(), order_by=["criterion__level__number", "pk"])
    claimed_on = Day(source="claim.on", allow_null=True, help_text="The day of the claim that was assessed")
    is_sample = Flag(source="project.is_sample", help_text=SAMPLE)


class TrlAssessmentList(NounList):
    scopes = {"GET": "trl-assessments:read"}
    output = TrlAssessmentOut
    visible = trl_visible_to
    orders = {"ref": Order(_KEY, (str, int)), "-ref": Order(_KEY, (str, int), descending=True)}
    filters = {
        "program": RefFilter("project__program__ref", "Levels of this program's projects"),
        "area": RefFilter("project__area__ref", "Levels of this area's projects"),
        "project": RefFilter("project__ref", "Levels of this project"),
        "kind": ChoiceFilter("kind", "planned, claimed or assessed", TrlAssessment.Kind),
        "is_sample": FlagFilter("project__is_sample", SAMPLE),
    }


class TrlAssessmentDetail(NounDetail):
    scopes = {"GET": "trl-assessments:read"}
    output = TrlAssessmentOut
    visible = trl_visible_to
    ref_schema = {"pattern": r"^[A-Za-z0-9_-]+\.[a-z]+\.[0-9]{4}-[0-9]{2}-[0-9]{2}$", "maxLength": 100}

    def lookup(self, ref: str) -> dict[str, Any]:
        project, kind, day = ref.split(".")
        return {"project__ref": project, "kind": kind, "on": day_of(day)}
