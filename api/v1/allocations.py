"""Allocations (配分): how a year's money was split, as approved; what took their place stays readable."""

from __future__ import annotations

from api.filters import ChoiceFilter, FlagFilter, RefFilter, YearFilter
from api.sql_json import Choice, Day, Flag, Instant, Integer, OptionalText, Part, Rows, SqlSerializer, Text, Yen
from api.v1.parts import BY_REF, SAMPLE
from api.views import NounDetail, NounList
from programs.models import Allocation, FundNode
from programs.queries.allocations import allocations_visible_to

KINDS = "program, fund, area, project or organization"


class AllocationPart(Part):
    """What one of them gets."""

    kind = Choice(source="target.kind", choices=FundNode.Kind.choices, help_text=KINDS)
    program = Text(source="target.program.ref", allow_null=True)
    area = Text(source="target.area.ref", allow_null=True)
    project = Text(source="target.project.ref", allow_null=True)
    organization = Text(source="target.organization.ref", allow_null=True)
    amount_yen = Yen()
    status = Text(help_text="in_force or replaced")


class AllocationOut(SqlSerializer):
    """A year's money of a program, a fund, an area or a project, split over what is below it. Approved by two people."""

    ref = Text(help_text="Reference, never changes")
    kind = Choice(source="source.kind", choices=FundNode.Kind.choices, help_text=KINDS)
    program = Text(source="source.program.ref", allow_null=True)
    area = Text(source="source.area.ref", allow_null=True)
    project = Text(source="source.project.ref", allow_null=True)
    agency = Text(source="source.organization.ref", allow_null=True, help_text="The agency of a fund")
    fiscal_year = Integer(help_text="Calendar year of its April")
    number = Integer(help_text="The version's number within its year")
    state = Text(help_text="approved or replaced")
    reason = OptionalText(help_text="Why more is given than the source has")
    decision_number = Text(help_text="決裁番号")
    decided_on = Day(help_text="決裁日")
    approved_at = Instant()
    parts = Rows(Allocation, source="edges", child=AllocationPart(), order_by=["id"])
    is_sample = Flag(help_text=SAMPLE)


class AllocationList(NounList):
    scopes = {"GET": "allocations:read"}
    output = AllocationOut
    visible = allocations_visible_to
    orders = BY_REF
    filters = {
        "program": RefFilter("source__program__ref", "Money of this program or of its funds"),
        "area": RefFilter("source__area__ref", "Money of this area"),
        "project": RefFilter("source__project__ref", "Money of this project"),
        "fiscal_year": YearFilter("fiscal_year", "Fiscal year"),
        "kind": ChoiceFilter("source__kind", "Whose money it is", FundNode.Kind),
        "is_sample": FlagFilter("is_sample", SAMPLE),
    }


class AllocationDetail(NounDetail):
    scopes = {"GET": "allocations:read"}
    output = AllocationOut
    visible = allocations_visible_to
