"""What a claim of a level shows and an assessment of it says, whole."""

from __future__ import annotations

from collections.abc import Collection

from programs.models import Project, TrlLevel
from programs.queries.trl import latest_assessed, levels_in_full, trl_records
from programs.rules.trl import Evidence, Judgement, criteria_judged, criteria_of, newest_claim


def level_of(number: int) -> TrlLevel:
    """This function will return a level of the default scale."""
    return TrlLevel.objects.select_related("scale").get(scale__is_default=True, number=number)


def shown(project: Project, number: int, text: str = "連続運転") -> dict[int, Evidence]:
    """This function will give the same words as evidence for everything that a claim of this level has to show."""
    levels = levels_in_full()
    assessed = latest_assessed(trl_records(project), levels[0].scale_id)
    return {criterion.pk: Evidence(text) for criterion in criteria_of(levels, assessed, number)}


def judged(project: Project, failed: Collection[int] = ()) -> dict[int, Judgement]:
    """This function will judge every criterion of the newest claim; those of `failed` levels are not met."""
    claim = newest_claim(project)
    if claim is None:
        return {}
    return {
        one.pk: Judgement(False, "未達の理由") if one.level.number in failed else Judgement(True)
        for one in criteria_judged(claim)
    }
