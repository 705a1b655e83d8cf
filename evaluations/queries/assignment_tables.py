"""Who reads what as a page shows it: cases with their readers, members with their loads, a case's candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluations.assignment import residual
from evaluations.assignment_bound import Multipliers, upper_bound, worth
from evaluations.models import Assignment, AssignmentRun, Case, Expertise, PanelMember
from evaluations.queries.assignments import (
    CONFLICT,
    TEAM,
    UNDECLARED,
    WHOLE,
    Effect,
    Seating,
    case_name,
    effect_of,
    sectors_of,
    why_not,
)
from evaluations.states import CONFIRMED, PROPOSED


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """One reader of a case: load over the cases shown, why he or she cannot read it after all ("" if nothing).

    `owes`: the project's facts changed since the declaration; a new one is owed.
    """

    assignment: Assignment
    load: int
    limit: int
    closed: str
    owes: bool = False

    @property
    def is_confirmed(self) -> bool:
        """Whether the assignment counts."""
        return self.assignment.state == CONFIRMED


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case: readers, who is in conflict, how many have not declared, the fields asked for, what is missing."""

    case: Case
    name: str
    readers: list[ReaderLine]
    closed: list[PanelMember]
    undeclared: int
    fields: list[tuple[Expertise, bool]]
    sectors_missing: list[str]
    missing: int
    mean: float | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing that is asked for is missing and nobody is in conflict."""
        return (
            not self.missing and all(is_in for _field, is_in in self.fields) and not any(r.closed for r in self.readers)
        )


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One member: load, limit, how many as primary reader, closed cases, and the worth of one more case in the run."""

    member: PanelMember
    load: int
    limit: int
    primaries: int
    closed: int
    fields: list[Expertise]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One member who could read a case, or cannot: why not as a code, and what adding him or her would do."""

    member: PanelMember
    affinity: float
    why_not: str
    effect: Effect
    fields: list[Expertise]


def case_lines(seating: Seating) -> list[CaseLine]:
    """This function will return the cases with their readers, by number."""
    by_case: dict[int, list[Assignment]] = {}
    for one in seating.standing:
        by_case.setdefault(one.case_id, []).append(one)
    order = {role: at for at, role in enumerate(Assignment.Role.values)}
    closed: dict[int, list[tuple[PanelMember, str]]] = {}
    for (case, member), code in sorted(seating.why.items()):
        closed.setdefault(case, []).append((seating.members[member], code))
    return [
        _case_line(seating, at, sorted(by_case.get(case.pk, []), key=lambda one: (order[one.role], one.pk)), closed.get(at, []))
        for at, case in enumerate(seating.cases)
    ]  # fmt: skip


def _case_line(
    seating: Seating, at: int, rows: list[Assignment], closed: list[tuple[PanelMember, str]]
) -> CaseLine:  # fmt: skip
    call, case = seating.call, seating.cases[at]
    lines, places = [], []
    for one in rows:
        place = seating.member_at.get(one.member_id)
        load, limit = (seating.loads[place], seating.limits[place]) if place is not None else (0, 0)
        closed_by = "not_serving" if place is None else seating.why.get((at, place), "")
        owes = place is not None and (at, place) in seating.owed
        lines.append(ReaderLine(one, load, limit, closed_by, owes))
        places += [place] if place is not None else []
    covered = call.fields[places].any(axis=0) if places else np.zeros(len(seating.fields), bool)
    groups = call.groups[places].any(axis=0) if places else np.zeros(call.groups.shape[1], bool)
    names = sectors_of(seating.members)
    return CaseLine(
        case, case_name(case), lines, [member for member, code in closed if code in (CONFLICT, TEAM)],
        sum(code == UNDECLARED for _member, code in closed) + sum(one.owes for one in lines),
        [(field, bool(covered[n])) for n, field in enumerate(seating.fields) if call.required[at, n]],
        [name for n, name in enumerate(names) if not groups[n]],
        max(0, int(call.readers[at]) - sum(not one.closed for one in lines)),
        round(float(call.scores[at, places].mean()), 2) if places else None,
    )  # fmt: skip


def member_lines(seating: Seating) -> list[MemberLine]:
    """This function will return the serving members with what they read of the cases shown."""
    primaries = [0] * len(seating.members)
    for one in seating.standing:
        if one.role == Assignment.Role.PRIMARY and one.member_id in seating.member_at:
            primaries[seating.member_at[one.member_id]] += 1
    closed = [0] * len(seating.members)
    for (_case, member), code in seating.why.items():
        closed[member] += code in (CONFLICT, TEAM)
    return [
        MemberLine(one, seating.loads[at], seating.limits[at], primaries[at], closed[at], list(one.expertises.all()))
        for at, one in enumerate(seating.members)
    ]


def candidates(seating: Seating, case: Case) -> list[Candidate]:
    """This function will return every serving member for a case: who can be added first, by what it would bring."""
    at = seating.case_at[case.pk]
    found = [
        Candidate(
            one, round(float(seating.call.scores[at, place]), 2), why_not(seating, at, place),
            effect_of(seating, at, place, adds=True), list(one.expertises.all()),
        )
        for place, one in enumerate(seating.members)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.why_not not in ("", WHOLE), -one.effect.worth, one.member.pk))


def removals(seating: Seating, case: Case) -> dict[int, Effect]:
    """This function will return what taking each reader off a case would do, by assignment."""
    at = seating.case_at[case.pk]
    here = [one for one in seating.standing if one.case_id == case.pk and one.member_id in seating.member_at]
    return {one.pk: effect_of(seating, at, seating.member_at[one.member_id], adds=False) for one in here}


def bound_now(run: AssignmentRun, seating: Seating) -> float | None:
    """This function will compute anew, from a run's multipliers, what no choice can exceed as things stand now.

    The readers that were fixed for the run and still stand are taken as fixed. None when cases, members or fields are no
    longer those of the run, or pairs were forbidden at random.
    """
    kept = run.result or {}
    if "multipliers" not in kept or run.forbid_percent or kept["members"] != [one.pk for one in seating.members]:
        return None
    y = _multipliers(kept["multipliers"])
    call = seating.call
    if y.field.shape != call.required.shape or y.group.shape != call.groups_wanted.shape:
        return None
    stands = set(seating.pairs())
    pinned = [pair for pair in (tuple(one) for one in kept["pinned"]) if pair in stands]
    return upper_bound(residual(call, pinned), y) + float(sum(call.scores[pair] for pair in pinned))


def _multipliers(kept: dict[str, Any]) -> Multipliers:
    cases = len(kept["cover"])
    return Multipliers(
        np.array(kept["cover"]), np.array(kept["load"]), np.array(kept["field"]).reshape(cases, -1),
        np.array(kept["lead"]), np.array(kept["group"]).reshape(cases, -1),
        tuple((case, institution, value) for case, institution, value in kept["institution"]),
        tuple(((one[0], one[1]), (other[0], other[1]), value) for one, other, value in kept["mutual"]),
    )  # fmt: skip


def worth_now(seating: Seating) -> float:
    """This function will return what the assignment is worth as it stands, by the measure of the certificate."""
    return worth(seating.call, seating.pairs())


def counts_of(seating: Seating) -> tuple[int, int]:
    """This function will return how many readers are proposed and how many confirmed."""
    proposed = sum(one.state == PROPOSED for one in seating.standing)
    return proposed, len(seating.standing) - proposed
