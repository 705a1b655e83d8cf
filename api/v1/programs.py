"""Programs (事業)."""

from __future__ import annotations

from api.filters import ChoiceFilter, FlagFilter, RefFilter
from api.sql_json import Choice, Facts, Flag, Integer, Names, OptionalText, OptionalYen, Rows, SqlSerializer, Text
from api.v1.parts import BY_REF, SAMPLE, SOURCE, AgencyPart, PolicyBasisPart
from api.views import NounDetail, NounList
from programs.models import Program
from programs.queries import programs_visible_to, search_programs


class ProgramOut(SqlSerializer):
    """A program (事業): a package, a part of one, or a component."""

    ref = Text(help_text="Reference, never changes")
    name = Names()
    kind = Choice(choices=Program.Kind.choices)
    parent = Text(
        source="parent.ref", allow_null=True, help_text="The program this is a part of; it may be out of your scope"
    )
    start_fiscal_year = Integer(allow_null=True)
    end_fiscal_year = Integer(allow_null=True)
    max_duration_years = Integer(allow_null=True)
    area_scale_min_yen = OptionalYen(help_text="Smallest annual scale of an area")
    area_scale_max_yen = OptionalYen(help_text="Largest annual scale of an area")
    facts = Facts(source="attributes", help_text="Facts printed in the source, as they are")
    agencies = Rows(Program, child=AgencyPart(), order_by=["organization__ref"])
    policy_basis = Rows(Program, child=PolicyBasisPart(), order_by=["decided_on", "id"])
    unpriced_items = Rows(Program, column="name_ja", order_by=["position", "id"])
    source = OptionalText(help_text=SOURCE)
    is_sample = Flag(help_text=SAMPLE)


class ProgramList(NounList):
    scopes = {"GET": "programs:read"}
    output = ProgramOut
    visible = programs_visible_to
    search = search_programs
    orders = BY_REF
    filters = {
        "kind": ChoiceFilter("kind", "Kind of program", Program.Kind),
        "parent": RefFilter("parent__ref", "Direct parts of this program"),
        "is_sample": FlagFilter("is_sample", SAMPLE),
    }


class ProgramDetail(NounDetail):
    scopes = {"GET": "programs:read"}
    output = ProgramOut
    visible = programs_visible_to
