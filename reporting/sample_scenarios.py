"""The sample twin's scenarios of the stage-gate round: one kept, one shared as a draft, one of a PD alone."""

from __future__ import annotations

from typing import Any

from common.money import MILLION
from evaluations import portfolio
from evaluations.actions.scenarios import keep_scenario, make_scenario, save_scenario, share_scenario
from evaluations.models import Scenario
from evaluations.queries.scenarios import Moved, read_scenario
from reporting.sample_records import sample_data
from reporting.sample_rounds import RoundPlan


def weigh_outcomes(plan: RoundPlan) -> int:
    """This function will make the round's scenarios, each by its owner; those that are there stay as they are."""
    if plan.found is None or Scenario.objects.filter(round=plan.found).exists():
        return 0
    return sum(_weigh(plan, data) for data in sample_data("sample_scenarios.json")["scenarios"])


def _weigh(plan: RoundPlan, data: dict[str, Any]) -> int:
    owner, at = plan.users[data["owner"]], plan.at("finding_due_on")
    assert plan.found is not None
    made = make_scenario(plan.found, name=data["name"], note=data["note"], by=owner, at=at)
    read = read_scenario(owner, made)
    refs = {one.project.ref.removeprefix("sample-"): ref for ref, one in read.reviews.items() if one.project}
    outcomes = {
        refs[project]: portfolio.Outcome(kind, share)
        for project, (kind, share) in data["outcomes"].items()
        if project in refs
    }
    freed = portfolio.outlook(read.projects, outcomes)
    moves = [
        Moved(portfolio.Move(line.project.key, made.from_year, refs[target], made.from_year, yen), reason)
        for source, target, million, reason in data["moves"]
        for line in freed.lines
        if line.project.key == refs.get(source) and target in refs
        if (yen := min(million * MILLION, line.released(made.from_year)))
    ]
    how = {"by": owner, "at": at}
    save_scenario(made, name=made.name, note=made.note, outcomes=outcomes, moves=moves, revision=0, **how)
    share_scenario(made, is_shared=data["is_shared"], **how)
    if data["is_kept"]:
        keep_scenario(made, **how)
    return 1
