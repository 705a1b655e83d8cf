"""Outcome indicators (成果目標) and printed capacities, with their targets."""

from __future__ import annotations

from api.filters import ChoiceFilter, FlagFilter, RefFilter
from api.sql_json import Choice, Flag, Names, OptionalText, Rows, SqlSerializer, Text
from api.v1.parts import BY_REF, SAMPLE, SOURCE, TargetPart
from api.views import NounDetail, NounList
from programs.models import OutcomeIndicator
from programs.queries import indicators_visible_to


class IndicatorOut(SqlSerializer):
    """An outcome indicator (成果目標) or a printed capacity, with its targets."""

    ref = Text(help_text="Reference, never changes")
    program = Text(source="program.ref")
    name = Names()
    kind = Choice(choices=OutcomeIndicator.Kind.choices)
    unit = Text(help_text="As printed, such as 件/年")
    direction = Choice(choices=OutcomeIndicator.Direction.choices)
    period = Choice(choices=OutcomeIndicator.Period.choices)
    targets = Rows(OutcomeIndicator, child=TargetPart(), order_by=["calendar_year", "id"])
    source = OptionalText(help_text=SOURCE)
    is_sample = Flag(source="program.is_sample", help_text=SAMPLE)


class IndicatorList(NounList):
    scopes = {"GET": "indicators:read"}
    output = IndicatorOut
    visible = indicators_visible_to
    orders = BY_REF
    filters = {
        "program": RefFilter("program__ref", "Indicators of this program, not of its parts"),
        "kind": ChoiceFilter("kind", "Kind of indicator", OutcomeIndicator.Kind),
        "is_sample": FlagFilter("program__is_sample", SAMPLE),
    }


class IndicatorDetail(NounDetail):
    scopes = {"GET": "indicators:read"}
    output = IndicatorOut
    visible = indicators_visible_to
