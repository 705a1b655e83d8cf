"""Milestones of projects: what the plans in force promise, and what was reached."""

from __future__ import annotations

from typing import Any

from api.filters import FlagFilter, RefFilter
from api.pagination import Order
from api.sql_json import Day, Flag, Integer, Joined, OptionalText, SqlSerializer, Text
from api.v1.parts import SAMPLE
from api.views import NounDetail, NounList
from programs.queries import milestones_visible_to

_KEY = ("project__ref", "number")


class MilestoneOut(SqlSerializer):
    """A milestone of a project; its day in the first approved plan stays beside the present one, to show slips."""

    ref = Joined("project.ref", "number", help_text="<project>.<number>")
    program = Text(source="project.program.ref")
    project = Text(source="project.ref")
    number = Integer()
    title = Text()
    criterion = OptionalText()
    planned_on = Day()
    baseline_on = Day(allow_null=True, help_text="The day in the first approved plan")
    reached_on = Day(allow_null=True)
    trl_level = Integer(allow_null=True, help_text="The TRL planned to be reached with it, 1 to 9")
    is_dropped = Flag(help_text="No longer in the plan")
    is_sample = Flag(source="project.is_sample", help_text=SAMPLE)


class MilestoneList(NounList):
    scopes = {"GET": "milestones:read"}
    output = MilestoneOut
    visible = milestones_visible_to
    orders = {"ref": Order(_KEY, (str, int)), "-ref": Order(_KEY, (str, int), descending=True)}
    filters = {
        "program": RefFilter("project__program__ref", "Milestones of this program's projects"),
        "project": RefFilter("project__ref", "Milestones of this project"),
        "is_dropped": FlagFilter("is_dropped", "No longer in the plan"),
        "is_sample": FlagFilter("project__is_sample", SAMPLE),
    }


class MilestoneDetail(NounDetail):
    scopes = {"GET": "milestones:read"}
    output = MilestoneOut
    visible = milestones_visible_to
    ref_schema = {"pattern": r"^[A-Za-z0-9_-]+\.[0-9]{1,5}$", "maxLength": 70}

    def lookup(self, ref: str) -> dict[str, Any]:
        project, number = ref.split(".")
        return {"project__ref": project, "number": int(number)}
