"""Gate reviews (ゲート評価): one project at one gate, once its decision is released."""

from __future__ import annotations

from api.filters import FlagFilter, RefFilter, YearFilter
from api.sql_json import Choice, Flag, Instant, Integer, Names, SqlSerializer, Text
from api.v1.parts import BY_REF, SAMPLE
from api.views import NounDetail, NounList
from evaluations.models import Round
from evaluations.queries.rounds import gate_reviews_visible_to


class GateReviewOut(SqlSerializer):
    """The review of one subject in one round. Shown from the release of its decision on; `decisions` has the outcome."""

    ref = Text(help_text="Case number, never changes")
    round = Text(source="round.ref")
    round_name = Names("round.name")
    kind = Choice(source="round.kind", choices=Round.Kind.choices)
    fiscal_year = Integer(source="round.fiscal_year", help_text="Calendar year of its April")
    program = Text(source="round.program.ref")
    project = Text(source="project.ref", allow_null=True)
    area = Text(source="area.ref", allow_null=True)
    called_at = Instant(help_text="When the dossier was called for")
    state = Text(help_text="released")
    is_sample = Flag(help_text=SAMPLE)


class GateReviewList(NounList):
    scopes = {"GET": "gate-reviews:read"}
    output = GateReviewOut
    visible = gate_reviews_visible_to
    orders = BY_REF
    filters = {
        "program": RefFilter("round__program__ref", "Reviews of this program's rounds"),
        "project": RefFilter("project__ref", "Reviews of this project"),
        "round": RefFilter("round__ref", "Reviews of this round"),
        "fiscal_year": YearFilter("round__fiscal_year", "Fiscal year"),
        "is_sample": FlagFilter("is_sample", SAMPLE),
    }


class GateReviewDetail(NounDetail):
    scopes = {"GET": "gate-reviews:read"}
    output = GateReviewOut
    visible = gate_reviews_visible_to
