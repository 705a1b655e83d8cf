"""Reads of scenarios: the projects of a round with plan, contracts and levels, and what a scenario sets for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from common.fiscal_year import fiscal_year_of
from evaluations import portfolio
from evaluations.models import GateReview, Round, Scenario, ScenarioMove, ScenarioOutcome
from evaluations.rules.scenarios import reviews_weighed_by, rounds_weighed_by, scenarios_visible
from evaluations.states import DRAFT
from programs.models import Milestone, Project, TrlAssessment
from programs.queries import lead_institutions
from programs.queries.money import plans_of
from programs.queries.trl import planned_levels


@dataclass(frozen=True, slots=True)
class Moved:
    """Money moved by hand, with its reason."""

    move: portfolio.Move
    reason: str


@dataclass(frozen=True)
class ScenarioRead:
    """A scenario as one reader sees it: what is in conflict with the reader is in no row and in no sum."""

    scenario: Scenario
    reviews: dict[str, GateReview]
    projects: list[portfolio.Project]
    outcomes: dict[str, portfolio.Outcome]
    moves: list[Moved]

    @property
    def by_key(self) -> dict[str, portfolio.Project]:
        return {one.key: one for one in self.projects}

    def outlook(self) -> portfolio.Outlook:
        """This method will work out what the scenario comes to."""
        return portfolio.outlook(self.projects, self.outcomes, [one.move for one in self.moves])


def scenarios_visible_to(user: object) -> QuerySet[Scenario]:
    """This function will return the scenarios this user may see, newest first."""
    rows = Scenario.objects.filter(scenarios_visible(user))
    return rows.select_related("round__program", "owner__person").order_by("-made_at", "-pk")


def rounds_to_weigh(user: object) -> QuerySet[Round]:
    """This function will return the rounds whose scenarios are this user's matter."""
    return Round.objects.filter(rounds_weighed_by(user)).select_related("program", "area").order_by("-made_at", "-pk")


def reviews_to_weigh(user: object, one: Round) -> list[GateReview]:
    """This function will return the round's reviews of projects that the reader weighs, by area and project."""
    rows = GateReview.objects.filter(reviews_weighed_by(user), round=one).select_related("project__area")
    leads = lead_institutions("project__participations")
    return list(rows.prefetch_related(leads).order_by("project__area__number", "project__ref"))


def first_year(one: Round) -> int:
    """This function will return the first fiscal year in which a round's decisions take effect: the one after them."""
    return (fiscal_year_of(one.decision_due_on) if one.decision_due_on else one.fiscal_year) + 1


def first_years(one: Round) -> range:
    """This function will return the fiscal years from which a scenario of the round may take effect."""
    return range(one.fiscal_year, first_year(one) + 4)


def read_scenario(user: object, scenario: Scenario) -> ScenarioRead:
    """This function will read one scenario as this user sees it."""
    return read_scenarios(user, [scenario])[0]


def read_scenarios(user: object, scenarios: Sequence[Scenario]) -> list[ScenarioRead]:
    """This function will read scenarios of one round, in eight queries however many projects there are."""
    reviews = {one.pk: one for one in reviews_to_weigh(user, scenarios[0].round)}
    rows: dict[int, list[ScenarioOutcome]] = {one.pk: [] for one in scenarios}
    for row in ScenarioOutcome.objects.filter(scenario__in=scenarios, review__in=reviews):
        rows[row.scenario_id].append(row)
    moves: dict[int, list[ScenarioMove]] = {one.pk: [] for one in scenarios}
    for move in ScenarioMove.objects.filter(scenario__in=scenarios, source__in=reviews, target__in=reviews):
        moves[move.scenario_id].append(move)
    live = [one.from_year for one in scenarios if one.state == DRAFT]
    figures = figures_of(reviews.values(), min(live)) if live else {}
    return [_read(one, reviews, rows[one.pk], moves[one.pk], figures) for one in scenarios]


def _read(
    scenario: Scenario,
    reviews: Mapping[int, GateReview],
    rows: Iterable[ScenarioOutcome],
    moves: Iterable[ScenarioMove],
    figures: Mapping[int, portfolio.Project],
) -> ScenarioRead:
    by_review = {row.review_id: row for row in rows}
    if scenario.state == DRAFT:
        projects = {pk: _from(figures[pk], scenario.from_year) for pk in reviews}
    else:
        projects = {
            pk: project_from(reviews[pk], row.figures)
            for pk, row in by_review.items()
            if row.figures is not None and pk in reviews
        }
    shown = {pk: one for pk, one in reviews.items() if pk in projects}
    outcomes = {reviews[pk].ref: outcome_of(row) for pk, row in by_review.items() if pk in shown}
    moved = [
        Moved(
            portfolio.Move(
                shown[one.source_id].ref, one.source_year, shown[one.target_id].ref, one.target_year, one.amount_yen
            ),
            one.reason,
        )
        for one in moves
        if one.source_id in shown and one.target_id in shown
    ]
    return ScenarioRead(
        scenario, {one.ref: one for one in shown.values()}, [projects[pk] for pk in shown], outcomes, moved
    )


def outcome_of(row: ScenarioOutcome) -> portfolio.Outcome:
    """This function will return what a row sets."""
    years = None if row.yen_by_year is None else {int(year): yen for year, yen in row.yen_by_year.items()}
    return portfolio.Outcome(row.outcome, row.share_percent, years)


# Figures --------------------------------------------------------------------------------------------------------------


def figures_of(reviews: Iterable[GateReview], from_year: int) -> dict[int, portfolio.Project]:
    """This function will read plan, contracts and planned levels of the reviews' projects from a fiscal year on."""
    wanted = {one.project_id: one for one in reviews if one.project_id is not None}
    money = plans_of(list(wanted), from_year)
    levels = _levels(list(wanted), from_year)
    return {
        review.pk: portfolio.Project(
            review.ref,
            area_of(review),
            money[project].planned if project in money else {},
            money[project].contracted if project in money else {},
            levels.get(project, ()),
        )
        for project, review in wanted.items()
    }


def area_of(review: GateReview) -> str:
    """This function will return the key under which a review's project is summed up: its area's reference."""
    project: Project | None = review.project
    return project.area.ref if project and project.area else ""


def _from(project: portfolio.Project, year: int) -> portfolio.Project:
    def later(table: Mapping[int, int]) -> dict[int, int]:
        return {one: yen for one, yen in table.items() if one >= year}

    levels = tuple(one for one in project.levels if one[0] >= year)
    return portfolio.Project(project.key, project.area, later(project.planned), later(project.committed), levels)


def _levels(projects: Sequence[int], from_year: int) -> dict[int, tuple[tuple[int, int], ...]]:
    milestones: dict[int, list[Milestone]] = {pk: [] for pk in projects}
    for one in Milestone.objects.filter(project__in=projects, is_dropped=False, trl_level__isnull=False):
        milestones[one.project_id].append(one)
    recorded: dict[int, list[TrlAssessment]] = {pk: [] for pk in projects}
    for row in TrlAssessment.objects.filter(project__in=projects, kind="planned").select_related("level"):
        recorded[row.project_id].append(row)
    found = {}
    for pk in projects:
        years = [(fiscal_year_of(on), level) for on, level in planned_levels(recorded[pk], milestones[pk])]
        found[pk] = tuple(one for one in years if one[0] >= from_year)
    return found


def figures_as_data(project: portfolio.Project) -> dict[str, Any]:
    """This function will write a project's figures down for the day on which a scenario is kept."""
    return {
        "planned": {str(year): yen for year, yen in project.planned.items()},
        "committed": {str(year): yen for year, yen in project.committed.items()},
        "levels": [list(one) for one in project.levels],
    }


def project_from(review: GateReview, figures: Mapping[str, Any]) -> portfolio.Project:
    """This function will read the figures of the day back."""

    def table(name: str) -> dict[int, int]:
        return {int(year): int(yen) for year, yen in figures[name].items()}

    levels = tuple((int(year), int(level)) for year, level in figures["levels"])
    return portfolio.Project(review.ref, area_of(review), table("planned"), table("committed"), levels)
