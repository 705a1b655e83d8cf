"""How far back a round looks for conflicts: its program's rule, else the nearest above, else what ships as a proposal."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from django.db.models import F, Subquery
from django.db.models.functions import Length, StrIndex

from evaluations.conflict_detection import Windows
from evaluations.models import ConflictRule, Round
from programs.models import Program

PROPOSED = Path(__file__).resolve().parent.parent / "data" / "conflict_windows.json"
NAMES = ("same_unit_years", "joint_research_years", "coauthorship_years", "employment_years")


@cache
def proposed_windows() -> Windows:
    """This function will return the windows that hold where no program lays down others."""
    return Windows(**json.loads(PROPOSED.read_text(encoding="utf-8"))["windows"])


def windows_of(one: Round) -> Windows:
    """This function will return the windows of a round, by its program and fiscal year."""
    rules = ConflictRule.objects.annotate(
        at=StrIndex(Subquery(Program.objects.filter(pk=one.program_id).values("path")), F("program__path"))
    )
    rule = (
        rules.filter(at=1, from_fiscal_year__lte=one.fiscal_year)
        .order_by(Length("program__path").desc(), "-from_fiscal_year")
        .first()
    )
    return Windows(**{name: getattr(rule, name) for name in NAMES}) if rule else proposed_windows()
