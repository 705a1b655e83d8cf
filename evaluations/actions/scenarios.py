"""Scenarios are made, saved by revision, kept with the figures of the day, copied, shared, archived, thrown away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused, StaleEdit
from common.states import locked, move
from common.text import clean, clean_line, count_characters
from evaluations import portfolio
from evaluations.models import GateReview, Round, Scenario, ScenarioMove, ScenarioOutcome
from evaluations.queries.scenarios import Moved, ScenarioRead, figures_as_data, first_year, first_years, read_scenario
from evaluations.rules.scenarios import may_make_scenario, scenario_actions
from evaluations.states import SCENARIO_MOVES

LONGEST_NAME, LONGEST_NOTE, LONGEST_REASON, MOST_MOVES = 200, 4000, 300, 100


@transaction.atomic
def make_scenario(
    one: Round, *, name: str, note: str = "", from_year: int | None = None, by: User, at: datetime
) -> Scenario:
    """This function will make a scenario of a round, in which everything continues. Raises `NotAllowed`, `NotReady`.

    `from_year`: the first fiscal year in which the outcomes take effect; the one after the round's decision if None.
    """
    row = locked(Round, one.pk)
    if not may_make_scenario(by, row):
        raise NotAllowed(_("Scenarios are made by the ministry's staff of the program and its directors."))
    values, year = _named(name, note), first_year(row) if from_year is None else from_year
    if year not in first_years(row):
        message = _("Choose a fiscal year from the list.")
        raise NotReady(_("Not saved. Correct what is marked."), [Blocker("from_year", "year", message)])
    made = Scenario.objects.create(**values, round=row, owner=by, from_year=year, is_sample=row.is_sample, made_at=at)
    record("make_scenario", made, by=by, at=at, after={"name": made.name, "round": row.ref})
    return made


@transaction.atomic
def clone_scenario(scenario: Scenario, *, name: str, by: User, at: datetime) -> Scenario:
    """This function will copy what the user sees of a scenario into a draft of the own, with today's figures."""
    if "scenario.clone" not in scenario_actions(by, scenario):
        raise NotAllowed(_("Scenarios are made by the ministry's staff of the program and its directors."))
    read = read_scenario(by, scenario)
    made = Scenario.objects.create(
        **_named(name, scenario.note), round=scenario.round, owner=by, from_year=scenario.from_year,
        is_sample=scenario.is_sample, made_at=at, cloned_from=scenario,
    )  # fmt: skip
    _write(made, read.reviews, read.outcomes, read.moves)
    record("clone_scenario", made, by=by, at=at, after={"name": made.name, "from": scenario.ref})
    return made


@transaction.atomic
def save_scenario(
    scenario: Scenario,
    *,
    name: str,
    note: str,
    outcomes: Mapping[str, portfolio.Outcome],
    moves: Sequence[Moved],
    revision: int,
    by: User,
    at: datetime,
) -> Scenario:
    """This function will save what a scenario sets for the projects its owner sees, all of it or nothing.

    Raises `NotAllowed`, `StaleEdit` when it was saved since `revision`, or `NotReady` with what is wrong in which field.
    """
    row = _locked(scenario, "scenario.edit", by)
    read = read_scenario(by, row)
    if row.revision != revision:
        message = _("This scenario was saved in another window. What was saved there stands beside what you typed.")
        raise StaleEdit(message, current=read, submitted=outcomes)
    values = _named(name, note)
    if found := scenario_blockers(read, outcomes, moves):
        raise NotReady(_("Not saved. Correct what is marked."), found)
    changed = [ref for ref in read.reviews if _set(outcomes, ref) != _set(read.outcomes, ref)]
    _write(row, read.reviews, outcomes, moves)
    before = {"name": row.name, "moves": len(read.moves)}
    row.name, row.note = values["name"], values["note"]
    row.revision, row.saved_at = row.revision + 1, at
    row.save(update_fields=["name", "note", "revision", "saved_at"])
    after = {"name": row.name, "moves": len(moves), "changed": len(changed)}
    record("save_scenario", row, by=by, at=at, before=before, after=after)
    return row


def _set(outcomes: Mapping[str, portfolio.Outcome], ref: str) -> portfolio.Outcome:
    return outcomes.get(ref, portfolio.Outcome())


def _named(name: str, note: str) -> dict[str, str]:
    values = {"name": clean_line(name).strip(), "note": clean(note).strip()}
    found = [] if values["name"] else [Blocker("name", "required", _("Give the scenario a name."))]
    for field, longest in (("name", LONGEST_NAME), ("note", LONGEST_NOTE)):
        used = count_characters(values[field])
        if used > longest:
            message = _("Shorten this to %(limit)s characters; it has %(count)s.")
            found.append(Blocker(field, "too_long", message % {"limit": longest, "count": used}))
    if found:
        raise NotReady(_("Not saved. Correct what is marked."), found)
    return values


def _write(
    row: Scenario,
    reviews: Mapping[str, GateReview],
    outcomes: Mapping[str, portfolio.Outcome],
    moves: Sequence[Moved],
) -> None:
    """Replace what stands for these reviews; what is hidden from the writer is not touched."""
    keys = [one.pk for one in reviews.values()]
    ScenarioOutcome.objects.filter(scenario=row, review__in=keys).delete()
    ScenarioMove.objects.filter(scenario=row, source__in=keys, target__in=keys).delete()
    ScenarioOutcome.objects.bulk_create(
        ScenarioOutcome(
            scenario=row, review=reviews[ref], outcome=one.kind, share_percent=one.share_percent,
            yen_by_year=None if one.yen_by_year is None else {str(y): yen for y, yen in one.yen_by_year.items()},
        )
        for ref, one in outcomes.items()
        if ref in reviews and one != portfolio.Outcome()
    )  # fmt: skip
    ScenarioMove.objects.bulk_create(
        ScenarioMove(
            scenario=row, source=reviews[one.move.source], source_year=one.move.source_year,
            target=reviews[one.move.target], target_year=one.move.target_year, amount_yen=one.move.yen,
            reason=clean_line(one.reason).strip(),
        )
        for one in moves
    )  # fmt: skip


# What is wrong --------------------------------------------------------------------------------------------------------


def scenario_blockers(
    read: ScenarioRead, outcomes: Mapping[str, portfolio.Outcome], moves: Sequence[Moved]
) -> list[Blocker]:
    """This function will list what is wrong with outcomes and moves, each at its field of the form."""
    found = []
    for ref, project in read.by_key.items():
        for code in portfolio.problems(project, _set(outcomes, ref)):
            found.append(_outcome_blocker(ref, project, code))
    if found:
        return found
    if len(moves) > MOST_MOVES:
        message = _("Move money at most %(limit)s times.") % {"limit": MOST_MOVES}
        return [Blocker("moves", "too_many", message)]
    for place, one in enumerate(moves):
        found += _move_blockers(read, place, one)
    if found:
        return found
    outlook = portfolio.outlook(read.projects, outcomes, [one.move for one in moves])
    for ref, year, yen in outlook.overdrawn:
        place = next(n for n, one in enumerate(moves) if (one.move.source, one.move.source_year) == (ref, year))
        message = _("%(yen)s yen more are moved than this project's outcome releases in that year. Lower the amount.")
        found.append(Blocker(f"move-{place}-yen", "overdrawn", message % {"yen": f"{yen:,}"}))
    return found


def _outcome_blocker(ref: str, project: portfolio.Project, code: str) -> Blocker:
    years = portfolio.offered_years(project)
    messages = {
        "kind": ("outcome", _("Choose an outcome.")),
        "not_modified": ("outcome", _("Choose “modify” to give a share or yen by year.")),
        "both": ("share", _("Give either a share or yen by year, not both.")),
        "neither": ("share", _("Give the share of the plan in percent, or yen by year.")),
        "share": ("share", _("Enter a share from 1 to %(most)s percent.") % {"most": portfolio.LARGEST_SHARE}),
        "yen": ("share", _("Enter 0 or more.")),
        "year": ("share", _("Give yen only for the plan's years (%(years)s).") % {"years": ", ".join(map(str, years))}),
    }
    field, message = messages[code]
    return Blocker(f"{field}-{ref}", code, message)


def _move_blockers(read: ScenarioRead, place: int, one: Moved) -> list[Blocker]:
    found, move_, projects = [], one.move, read.by_key
    source, target = projects.get(move_.source), projects.get(move_.target)

    def wrong(field: str, code: str, message: str) -> None:
        found.append(Blocker(f"move-{place}-{field}", code, message))

    if source is None:
        wrong("source", "required", _("Choose the project that releases the money."))
    elif move_.source_year not in source.base:
        wrong("source_year", "year", _("Choose a year of that project's plan."))
    if target is None:
        wrong("target", "required", _("Choose the project that gets the money."))
    elif move_.target == move_.source:
        wrong("target", "same", _("Choose another project than the one that releases the money."))
    if not read.scenario.from_year <= move_.target_year < read.scenario.from_year + 20:
        wrong("target_year", "year", _("Choose the fiscal year in which the money is given."))
    if move_.yen <= 0:
        wrong("yen", "required", _("Enter an amount above 0."))
    reason = clean_line(one.reason).strip()
    if not reason:
        wrong("reason", "required", _("Give the reason."))
    elif count_characters(reason) > LONGEST_REASON:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        wrong("reason", "too_long", message % {"limit": LONGEST_REASON, "count": count_characters(reason)})
    return found


# Keeping, sharing, putting away ---------------------------------------------------------------------------------------


@transaction.atomic
def keep_scenario(scenario: Scenario, *, by: User, at: datetime) -> Scenario:
    """This function will keep a scenario as it stands, with the figures of the day; from then on it stands still."""
    row = _locked(scenario, "scenario.keep", by)
    read = read_scenario(by, row)
    if read.outlook().overdrawn:
        message = _("More money is moved than is released: the plans have changed. Correct the moved money and save.")
        raise Refused(message, "overdrawn")
    stored = {one.review_id: one for one in ScenarioOutcome.objects.filter(scenario=row)}
    rows = []
    for ref, review in read.reviews.items():
        outcome = stored.get(review.pk) or ScenarioOutcome(scenario=row, review=review)
        outcome.figures = figures_as_data(read.by_key[ref])
        rows.append(outcome)
    ScenarioOutcome.objects.bulk_update([one for one in rows if one.pk], ["figures"])
    ScenarioOutcome.objects.bulk_create([one for one in rows if not one.pk])
    row.kept_at = at
    before = move(row, "keep", SCENARIO_MOVES, also=("kept_at",))
    record("keep_scenario", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    return row


@transaction.atomic
def archive_scenario(scenario: Scenario, *, by: User, at: datetime) -> Scenario:
    """This function will put a kept scenario away."""
    row = _locked(scenario, "scenario.archive", by)
    before = move(row, "archive", SCENARIO_MOVES)
    record("archive_scenario", row, by=by, at=at, before={"state": before}, after={"state": row.state})
    return row


@transaction.atomic
def share_scenario(scenario: Scenario, *, is_shared: bool, by: User, at: datetime) -> Scenario:
    """This function will show a scenario to the program's staff, PDs and POs, or to its owner alone again."""
    row = _locked(scenario, "scenario.share", by)
    if row.is_shared != is_shared:
        row.is_shared = is_shared
        row.save(update_fields=["is_shared"])
        record("share_scenario", row, by=by, at=at, before={"is_shared": not is_shared}, after={"is_shared": is_shared})
    return row


@transaction.atomic
def delete_scenario(scenario: Scenario, *, by: User, at: datetime) -> None:
    """This function will throw away a draft of the own."""
    row = _locked(scenario, "scenario.delete", by)
    record("delete_scenario", row, by=by, at=at, before={"name": row.name})
    row.delete()


def _locked(scenario: Scenario, permission: str, by: User) -> Scenario:
    row = Scenario.objects.select_for_update(of=("self",)).select_related("round").get(pk=scenario.pk)
    if permission not in scenario_actions(by, row):
        raise NotAllowed(_("Only its owner changes a scenario, while it is a draft. Make a copy to go on from it."))
    return row
