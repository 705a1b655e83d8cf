"""Proposals in the background: asked for, computed with a line of progress a round, written as one proposal or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.background import run_later
from common.errors import NotAllowed, Refused
from common.states import locked, move
from evaluations import assignment
from evaluations.actions.assignments import barred
from evaluations.assignment_bound import Pair, Shortfall, forbidden_at_random
from evaluations.models import Assignment, AssignmentRun, Panel
from evaluations.queries.assignments import Seating, cases_of, cases_to_assign, seating_of
from evaluations.states import ASSIGNMENT_MOVES, CONFIRMED, PROPOSED, QUEUED, RUN_MOVES, RUNNING

#: A run takes at most so long; what it has by then is proposed, and says so.
SECONDS = 120
#: A run that has not ended after so long will not: its worker is gone.
GIVEN_UP_AFTER = timedelta(minutes=20)
TELLS_EVERY = 0.5
MOST_PERCENT = 50


@transaction.atomic
def ask_for_run(
    panel: Panel, *, kind: str = AssignmentRun.Kind.PROPOSE, seed: int = 1, forbid_percent: int = 0, by: User, at: datetime
) -> AssignmentRun:  # fmt: skip
    """This function will ask for a proposal (or for replacements of who declined) over the cases that `by` settles.

    Raises `NotAllowed`, and `Refused` when nobody can read, nothing is to be replaced, or a run is under way.
    """
    row = Panel.objects.select_for_update(of=("self",)).select_related("round").get(pk=panel.pk)
    cases = cases_to_assign(by, row)
    if not cases:
        raise NotAllowed(_("The readers are settled by the chair or the vice chair while the round is open."))
    if not 0 <= forbid_percent <= MOST_PERCENT:
        raise Refused(_("Choose a number from 0 to 50."), "out_of_range", "forbid_percent")
    seating = seating_of(row, cases)
    if not seating.members:
        raise Refused(_("Nobody on the panel serves under pledge yet. Appoint the members first."), "no_members")
    if kind == AssignmentRun.Kind.REPAIR and not holes(seating):
        raise Refused(_("Every case has its readers. There is nobody to replace."), "no_holes")
    for old in AssignmentRun.objects.select_for_update().filter(panel=row, state__in=(QUEUED, RUNNING)):
        if at - old.asked_at < GIVEN_UP_AFTER:
            raise Refused(_("A proposal is being computed. Wait until it is there."), "run_under_way")
        _fail(old, "lost", at)
    run = AssignmentRun.objects.create(
        panel=row, kind=kind, seed=seed, forbid_percent=forbid_percent, asked_by=by, asked_at=at,
        parameters={"seconds": SECONDS, "readers_per_case": row.round.readers_per_case,
                    "cases_per_reader": [row.round.cases_per_reader_min, row.round.cases_per_reader_max]},
    )  # fmt: skip
    run.cases.set(cases)
    record("ask_for_assignment", run, by=by, at=at, after={"kind": kind, "seed": seed, "cases": len(cases)})
    run_later("evaluations.run_assignment", run_id=run.pk)
    return run


def holes(seating: Seating) -> list[int]:
    """This function will return the places of the cases that have fewer readers than they should."""
    counted = dict.fromkeys(range(len(seating.cases)), 0)
    for case, _member in seating.pairs():
        counted[case] += 1
    return [case for case, count in counted.items() if count < int(seating.call.readers[case])]


def run_assignment(run_id: int, *, clock: Callable[[], datetime]) -> None:
    """This function will compute a run and write what it proposes; a second call on the same run changes nothing.

    A run whose worker died is begun again. What fails is on record with the run, then raised.
    """
    run = _begun(run_id, clock())
    if run is None:
        return
    try:
        seating = seating_of(run.panel, cases_of(run))
        result, chosen, instead = _computed(run, seating)
        _finish(run.pk, seating.fingerprint, result, chosen, instead, clock())
    except Exception:
        with transaction.atomic():
            row = locked(AssignmentRun, run.pk)
            if row.state == RUNNING:
                _fail(row, "error", clock())
        raise


@transaction.atomic
def _begun(run_id: int, at: datetime) -> AssignmentRun | None:
    row = locked(AssignmentRun, run_id)
    if row.state == QUEUED:
        row.started_at, row.solver = at, assignment.solver_version()
        move(row, "start", RUN_MOVES, also=("started_at", "solver"))
    return row if row.state == RUNNING else None


def _computed(
    run: AssignmentRun, seating: Seating
) -> tuple[dict[str, Any], Sequence[assignment.Chosen], dict[Pair, int]]:
    """The result as it is kept, who is chosen, and whose assignment a newcomer takes the place of."""
    call, tell = seating.call, _teller(run.pk)
    if run.kind == AssignmentRun.Kind.REPAIR:
        fixed = seating.pairs(one for one in seating.standing if one.is_pinned or _is_in(one))
        standing = seating.roles(seating.standing)
        mended = assignment.repair(call, standing, fixed=fixed, seed=run.seed, time_limit=SECONDS, tell=tell)
        result = {
            "gone": [_keys(seating, pair) for pair in mended.gone], "come": [_keys(seating, pair) for pair in mended.come],
            "short": _short(seating, mended.short), "is_cut": mended.is_cut,
        }  # fmt: skip
        return result, mended.chosen, _in_place_of(seating, mended.chosen, set(mended.gone))
    pinned = seating.roles(one for one in seating.standing if one.is_pinned or one.state == CONFIRMED)
    if run.forbid_percent:
        allowed = forbidden_at_random(call, share=run.forbid_percent / 100, seed=run.seed, kept=pinned)
        call = replace(call, allowed=allowed)
    found = assignment.propose(call, pinned=pinned, seed=run.seed, time_limit=SECONDS, tell=tell, with_price=True)
    result = {
        "pairs": [[*_keys(seating, (one.case, one.reviewer)), one.role, one.score] for one in found.chosen],
        "short": _short(seating, found.short), "certificate": _certificate(seating, found),
        "multipliers": _multipliers(found.multipliers), "is_cut": found.is_cut,
        "members": [one.pk for one in seating.members], "pinned": [list(pair) for pair in pinned],
    }  # fmt: skip
    return result, found.chosen, _in_place_of(seating, found.chosen, set())


def _is_in(one: Assignment) -> bool:
    sheet = getattr(one, "sheet", None)
    return sheet is not None and sheet.submitted_at is not None


def _teller(run_id: int) -> assignment.Tell:
    """What writes the line of progress, not more than twice a second."""
    last = [0.0]

    def tell(step: assignment.Step) -> None:
        if time.monotonic() - last[0] >= TELLS_EVERY:
            last[0] = time.monotonic()
            AssignmentRun.objects.filter(pk=run_id, state=RUNNING).update(progress=asdict(step))

    return tell


def _keys(seating: Seating, pair: Pair) -> list[int]:
    return [seating.cases[pair[0]].pk, seating.members[pair[1]].pk]


def _short(seating: Seating, found: Iterable[Shortfall]) -> list[dict[str, Any]]:
    """What is missing, by the keys of its records."""
    return [
        {
            "kind": one.kind, "missing": one.missing, "free": one.free, "reads": one.reads, "alike": one.alike,
            "mutual": one.mutual, "full": one.full, "places": one.places,
            "case": seating.cases[one.case].pk if one.case >= 0 else None,
            "member": seating.members[one.reviewer].pk if one.reviewer >= 0 else None,
            "field": seating.fields[one.field].pk if one.field >= 0 else None,
        }
        for one in found
    ]  # fmt: skip


def _certificate(seating: Seating, found: assignment.Proposal) -> dict[str, Any]:
    one = found.certificate
    return {
        **asdict(one), "gap": round(one.gap, 8),
        "weakest": seating.cases[one.weakest].pk if one.weakest >= 0 else None,
        "price": None if one.price is None else round(one.price, 6),
    }  # fmt: skip


def _multipliers(y: assignment.Multipliers) -> dict[str, Any]:
    return {
        "cover": y.cover.tolist(), "load": y.load.tolist(), "field": y.field.tolist(), "lead": y.lead.tolist(),
        "group": y.group.tolist(), "institution": y.institution, "mutual": y.mutual,
    }  # fmt: skip


def _in_place_of(seating: Seating, chosen: Sequence[assignment.Chosen], gone: set[Pair]) -> dict[Pair, int]:
    """Each newcomer's predecessor: on the same case, first who moved away, then who cannot read any more or declined."""
    left: dict[int, list[int]] = {}
    wanted = {(one.case, one.reviewer) for one in chosen}
    filled = {one.replaces_id for one in seating.standing if seating.pair_of(one) in wanted}
    moved = [one for one in seating.standing if seating.pair_of(one) in gone]
    for one in (*moved, *barred(seating), *seating.declined):
        if one.pk not in filled:
            left.setdefault(one.case_id, []).append(one.pk)
    found = {}
    for pair in sorted(wanted - set(seating.pairs())):
        waiting = left.get(seating.cases[pair[0]].pk, [])
        if waiting:
            found[pair] = waiting.pop(0)
    return found


@transaction.atomic
def _finish(
    run_id: int, stands_on: list[Any], result: dict[str, Any], chosen: Sequence[assignment.Chosen],
    instead: Mapping[Pair, int], at: datetime,
) -> None:  # fmt: skip
    run = locked(AssignmentRun, run_id)
    if run.state != RUNNING:
        return
    panel = Panel.objects.select_for_update(of=("self",)).select_related("round").get(pk=run.panel_id)
    seating = seating_of(panel, cases_of(run))
    if seating.fingerprint != stands_on:
        _fail(run, "changed", at)
        return
    counts = _write(run, seating, chosen, instead, at)
    run.result, run.finished_at, run.progress = result, at, {}
    move(run, "finish", RUN_MOVES, also=("result", "finished_at", "progress"))
    record("propose_assignment", panel, by=run.asked_by, at=at, after={"run": run.ref, **counts})


def _write(
    run: AssignmentRun, seating: Seating, chosen: Sequence[assignment.Chosen], instead: Mapping[Pair, int], at: datetime
) -> dict[str, int]:
    """The proposal as rows: who stays keeps the row, who goes is replaced, who comes gets one.

    A confirmed reader who goes stays until the newcomer in his or her place is confirmed.
    """
    wanted = {(one.case, one.reviewer): one for one in chosen}
    gone = 0
    for row in seating.standing:
        pair = seating.pair_of(row)
        one = wanted.pop(pair, None) if pair is not None else None
        if one is not None and one.role != row.role:
            Assignment.objects.filter(pk=row.pk).update(role=one.role)
        elif one is None and row.state == PROPOSED:
            row.ended_at = at
            move(row, "replace", ASSIGNMENT_MOVES, also=("ended_at",))
            gone += 1
    made = [
        Assignment(
            case=seating.cases[one.case], member=seating.members[one.reviewer], role=one.role, affinity=one.score,
            made_by=run.asked_by, made_at=at, replaces_id=instead.get(pair),
        )
        for pair, one in wanted.items()
    ]  # fmt: skip
    Assignment.objects.bulk_create(made, batch_size=1000)
    return {"proposed": len(made), "replaced": gone}


def _fail(run: AssignmentRun, problem: str, at: datetime) -> None:
    run.problem, run.finished_at = problem, at
    move(run, "fail", RUN_MOVES, also=("problem", "finished_at"))
