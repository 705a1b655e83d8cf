"""What a confirmation has to look at: who would read each case, and which cases would have too few readers."""

from __future__ import annotations

from dataclasses import dataclass

from evaluations.models import Case
from evaluations.queries.assignments import Seating
from evaluations.states import PROPOSED


def readers_after(seating: Seating) -> dict[int, list[int]]:
    """This function will return the members who read each case once what is proposed is confirmed, by places.

    Whoever gives up the place to a newcomer, is in conflict or serves no more is left out.
    """
    leaving = {one.replaces_id for one in seating.standing if one.state == PROPOSED}
    found: dict[int, list[int]] = {at: [] for at in range(len(seating.cases))}
    for case, member in seating.pairs(one for one in seating.standing if one.pk not in leaving):
        found[case].append(member)
    return found


@dataclass(frozen=True, slots=True)
class Thin:
    """A case that would have fewer readers than the round asks for, or than its finding needs sheets (quorum)."""

    case: Case
    there: int
    wanted: int
    quorum: int


def thin_cases(seating: Seating) -> list[Thin]:
    """This function will return the cases of the proposal that would have too few readers once it is confirmed."""
    one, after = seating.panel.round, readers_after(seating)
    proposed = {row.case_id for row in seating.standing if row.state == PROPOSED}
    return [
        Thin(case, len(after[at]), one.readers_per_case, one.quorum)
        for at, case in enumerate(seating.cases)
        if case.pk in proposed and len(after[at]) < max(one.readers_per_case, one.quorum)
    ]
