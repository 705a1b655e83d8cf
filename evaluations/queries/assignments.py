"""Reads of who reads what: the panel's cases and members as the pure core takes them, and what a change would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, prefetch_related_objects
from django.utils.timezone import localdate

from evaluations.affinity import Profile, affinities
from evaluations.assignment_bound import Call, Pair, Shortfall, case_worth, load_worth, make_call, scores_of, shortfalls
from evaluations.models import (
    Admission,
    Assignment,
    AssignmentRun,
    Case,
    ConflictOfInterest,
    Declaration,
    Expertise,
    Panel,
    PanelMember,
)
from evaluations.rules.assignments import (
    assignments_declinable,
    assignments_overseen,
    cases_assigned_by,
    cases_overseen,
    members_serving,
    panels_overseen,
    readers_barred,
    runs_overseen,
)
from evaluations.rules.declarations import fingerprint_now
from evaluations.rules.score_sheets import is_evaluator
from evaluations.states import APPROVED, CASE_LIVE, CONFIRMED, DECLARED, DECLINED, PROPOSED
from programs.models import HQMember, ProjectMember, ProjectRecusal
from programs.queries import lead_institutions, project_label
from programs.rules.scope import scope_of

STANDING = (PROPOSED, CONFIRMED)
#: Why a member cannot read a case.
CONFLICT, TEAM, UNDECLARED = "conflict", "team", "undeclared"
#: Why nobody at all can be added to a case: it has its readers.
WHOLE = "whole"
ADMITTED = "admitted"


def panels_visible_to(user: object) -> QuerySet[Panel]:
    """This function will return the panels whose assignment the user may look at."""
    return Panel.objects.filter(panels_overseen(user)).select_related("round__program")


def assignments_overseen_by(user: object) -> QuerySet[Assignment]:
    """This function will return the assignments that the user may know as one who oversees them."""
    return (
        Assignment.objects.filter(assignments_overseen(user))
        .select_related("member__person", "case__panel__round", "case__gate_review__project", "sheet")
        .order_by("case_id", "pk")
    )


def runs_visible_to(user: object) -> QuerySet[AssignmentRun]:
    """This function will return the runs that the user may see, newest first."""
    return AssignmentRun.objects.filter(runs_overseen(user)).select_related("panel", "asked_by").order_by("-pk")


def latest_run(user: object, panel: Panel) -> tuple[AssignmentRun, set[int]] | None:
    """This function will return the panel's newest run that the user may see, and the ids of its cases."""
    run = runs_visible_to(user).filter(panel=panel).annotate(case_ids=ArrayAgg("cases")).first()
    return None if run is None else (run, set(run.case_ids))


def hides_cases(user: object, panel: Panel) -> bool:
    """This function will tell whether the panel has a case with which the user is in conflict."""
    recused = scope_of(user).recused
    return bool(recused) and Case.objects.filter(panel=panel, gate_review__project__in=recused).exists()


def cases_overseen_by(user: object, panel: Panel) -> list[Case]:
    """This function will return the panel's live cases whose readers the user may know, by number."""
    return _whole(Case.objects.filter(cases_overseen(user), panel=panel))


def cases_with_readers(user: object) -> QuerySet[Case]:
    """This function will return the live cases whose readers the user may know."""
    return Case.objects.filter(cases_overseen(user), state__in=CASE_LIVE).select_related(
        "panel__round__program", "gate_review__project__area", "gate_review__area", "gate_review__program"
    )


def assignments_to_decline(user: object) -> QuerySet[Assignment]:
    """This function will return the user's own confirmed assignments of cases that are not over."""
    rows = Assignment.objects.filter(assignments_declinable(user))
    return rows.select_related("case__panel__round", "case__gate_review__project", "member", "sheet").order_by("pk")


def cases_to_assign(user: object, panel: Panel) -> list[Case]:
    """This function will return the panel's cases whose readers the user settles now, by number."""
    return _whole(Case.objects.filter(cases_assigned_by(user), panel=panel))


def cases_of(run: AssignmentRun) -> list[Case]:
    """This function will return the cases of a run that are still live, by number."""
    return _whole(Case.objects.filter(pk__in=run.cases.values("pk")))


def _whole(rows: QuerySet[Case]) -> list[Case]:
    found = list(
        rows.filter(state__in=CASE_LIVE)
        .select_related("panel__round", "gate_review__project__area", "gate_review__area", "gate_review__program")
        .annotate(now_fingerprint=fingerprint_now("gate_review"))
        .prefetch_related("expertises")
        .order_by("number")
    )
    projects = [one.gate_review.project for one in found if one.gate_review.project is not None]
    # Projects without a title are named by their institution: read for all of them at once.
    prefetch_related_objects([one for one in projects if not one.title_ja], lead_institutions())
    return found


# The panel as the pure core takes it ----------------------------------------------------------------------------------


@dataclass
class Seating:
    """Cases and serving members of a panel, in order, with what the rules say of them and who reads what now.

    `why`: why a pair is closed; `owed`: pairs of confirmed readers who owe a declaration on changed facts: they stand;
    `limits`: how many cases each member may read; the call's are less what he or she reads among the other cases.
    """

    panel: Panel
    cases: list[Case]
    members: list[PanelMember]
    fields: list[Expertise]
    call: Call
    why: dict[Pair, str]
    standing: list[Assignment]
    declined: list[Assignment] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    owed: set[Pair] = field(default_factory=set)

    @cached_property
    def case_at(self) -> dict[int, int]:
        """Where a case stands, by its id."""
        return {one.pk: at for at, one in enumerate(self.cases)}

    @cached_property
    def member_at(self) -> dict[int, int]:
        """Where a member stands, by his or her id."""
        return {one.pk: at for at, one in enumerate(self.members)}

    def pair_of(self, one: Assignment) -> Pair | None:
        """This method will return an assignment's pair; None for a reader who does not serve any more."""
        case, member = self.case_at.get(one.case_id), self.member_at.get(one.member_id)
        return None if case is None or member is None else (case, member)

    def pairs(self, rows: Iterable[Assignment] | None = None) -> list[Pair]:
        """This method will return the pairs of these assignments (else of all that stand) that the rules allow."""
        found = [self.pair_of(one) for one in (self.standing if rows is None else rows)]
        return sorted(pair for pair in found if pair is not None and self.call.allowed[pair])

    def roles(self, rows: Iterable[Assignment]) -> dict[Pair, str]:
        """This method will return the pairs of these assignments that the rules allow, each with its role."""
        found = {self.pair_of(one): str(one.role) for one in rows}
        return {pair: role for pair, role in found.items() if pair is not None and self.call.allowed[pair]}

    @cached_property
    def loads(self) -> list[int]:
        """How many of these cases each member reads as it stands."""
        counted = [0] * len(self.members)
        for one in self.standing:
            if (at := self.member_at.get(one.member_id)) is not None:
                counted[at] += 1
        return counted

    @cached_property
    def short(self) -> list[Shortfall]:
        """What is missing as it stands."""
        return shortfalls(self.call, self.pairs())

    @property
    def fingerprint(self) -> list[list[int | str | bool]]:
        """What a run or a confirmation stands on: every assignment with its state, and every closed pair."""
        rows: list[list[int | str | bool]] = [[one.pk, one.state, one.is_pinned, one.role] for one in self.standing]
        closed: list[list[int | str | bool]] = [
            [self.cases[case].pk, self.members[member].pk] for case, member in sorted(self.why)
        ]
        return sorted(rows, key=lambda row: int(row[0])) + closed + [[one.pk] for one in self.members]


def seating_of(panel: Panel, cases: Sequence[Case]) -> Seating:
    """This function will read everything that the assignment of these cases depends on."""
    today = localdate()
    members = list(
        PanelMember.objects.filter(members_serving(today), panel=panel, is_scoring=True)
        .select_related("person", "organization")
        .prefetch_related("expertises")
        .order_by("pk")
    )
    fields = sorted({one for case in cases for one in case.expertises.all()}, key=lambda one: (one.position, one.pk))
    rows = list(
        Assignment.objects.filter(case__panel=panel, case__state__in=CASE_LIVE, state__in=(*STANDING, DECLINED))
        .select_related("member__person", "sheet")
        .order_by("case_id", "pk")
    )
    at = {one.pk: place for place, one in enumerate(members)}
    case_at = {one.pk: place for place, one in enumerate(cases)}
    declined = {
        (case_at[one.case_id], at[one.member_id]): DECLINED
        for one in rows
        if one.state == DECLINED and one.case_id in case_at and one.member_id in at
    }
    why = declined | _closed(cases, members)
    read = {(case_at.get(one.case_id), at.get(one.member_id)) for one in rows if one.state == CONFIRMED}
    owed = {pair for pair, code in why.items() if code == UNDECLARED and pair in read}
    why = {pair: code for pair, code in why.items() if pair not in owed}
    elsewhere = [0] * len(members)
    for one in rows:
        if one.case_id not in case_at and one.state != DECLINED and one.member_id in at:
            elsewhere[at[one.member_id]] += 1
    ours = [one for one in rows if one.case_id in case_at]
    return Seating(
        panel, list(cases), members, fields, _call(panel, cases, members, fields, why, elsewhere), why,
        [one for one in ours if one.state != DECLINED], [one for one in ours if one.state == DECLINED],
        [limit_of(panel, one) for one in members], owed,
    )  # fmt: skip


def limit_of(panel: Panel, member: PanelMember) -> int:
    """This function will return how many cases a member may read at most."""
    most = panel.round.cases_per_reader_max
    return most if member.cases_max is None else min(most, member.cases_max)


def _closed(cases: Sequence[Case], members: Sequence[PanelMember]) -> dict[Pair, str]:
    """The pairs that nobody may choose: recusals, conflicts declared or confirmed, people of the project, no declaration.

    Who was admitted with the right to score counts as without a conflict.
    """
    people = {one.person_id: at for at, one in enumerate(members)}
    case_at = {one.pk: at for at, one in enumerate(cases)}
    projects: dict[int, list[int]] = {}
    for at, case in enumerate(cases):
        projects.setdefault(case.gate_review.project_id or 0, []).append(at)
    parts = [
        rows.order_by().annotate(why=code, who=F(person), about=F(path)).values_list("who", "about", "why")
        for code, rows, person, path in _sources(list(projects), list(case_at), members)
    ]
    found: dict[Pair, str] = {}
    declared, admitted = set(), set()
    for person, about, code in parts[0].union(*parts[1:]):
        if code in (CONFLICT, TEAM):
            found.update({(place, people[person]): code for place in projects[about]})
        elif code == ADMITTED:
            admitted.add((case_at[about], people[person]))
        elif code == cases[case_at[about]].now_fingerprint:  # type: ignore[attr-defined]
            declared.add((case_at[about], people[person]))
    every = {(case, member) for case in range(len(cases)) for member in range(len(members))}
    closed = dict.fromkeys(every - declared, UNDECLARED) | found
    return {pair: code for pair, code in closed.items() if pair not in admitted}


def _sources(
    projects: list[int], cases: list[int], members: Sequence[PanelMember]
) -> list[tuple[Any, QuerySet[Any], str, str]]:
    """What opens and closes pairs, for one query: code, rows, and the paths to the person and to project or case."""
    today, people = localdate(), [one.person_id for one in members]
    held = Q(ends_on__isnull=True) | Q(ends_on__gte=today)
    begun = held & Q(starts_on__lte=today, person_id__in=people)
    conflicts = ConflictOfInterest.objects.filter(
        held, person_id__in=people, project__in=projects, state__in=(DECLARED, CONFIRMED)
    )
    here = {"member__in": [one.pk for one in members], "case__in": cases}
    declared = Declaration.objects.filter(
        Q(answer="none") | Q(conflict__isnull=False), replaced_at__isnull=True, **here
    )
    admitted = Admission.objects.filter(state=APPROVED, may_score=True, **here)
    team = HQMember.objects.filter(begun, headquarters__project__in=projects)

    def code(value: str) -> Any:
        return Value(value, output_field=CharField())

    return [
        (code(CONFLICT), ProjectRecusal.objects.filter(begun, project__in=projects), "person_id", "project_id"),
        (code(CONFLICT), conflicts, "person_id", "project_id"),
        (code(TEAM), ProjectMember.objects.filter(begun, project__in=projects), "person_id", "project_id"),
        (code(TEAM), team, "person_id", "headquarters__project_id"),
        (code(ADMITTED), admitted, "member__person_id", "case_id"),
        (F("fingerprint"), declared, "member__person_id", "case_id"),
    ]


def _call(
    panel: Panel, cases: Sequence[Case], members: Sequence[PanelMember], fields: Sequence[Expertise],
    why: dict[Pair, str], elsewhere: Sequence[int],
) -> Call:  # fmt: skip
    one = panel.round
    has = [{field.pk for field in member.expertises.all()} for member in members]
    asked = [{field.pk for field in case.expertises.all()} for case in cases]
    affinity = affinities(
        [Profile(frozenset(keys), case_text(case)) for case, keys in zip(cases, asked, strict=True)],
        [Profile(frozenset(keys), member_text(member)) for member, keys in zip(members, has, strict=True)],
    )
    allowed = np.ones((len(cases), len(members)), bool)
    for pair in why:
        allowed[pair] = False
    most = np.array(
        [max(0, limit_of(panel, member) - already) for member, already in zip(members, elsewhere, strict=True)],
        np.int64,
    )
    least = np.minimum(np.maximum(one.cases_per_reader_min - np.asarray(elsewhere, np.int64), 0), most)
    keys = [field.pk for field in fields]
    required = _flags([[key in wanted for key in keys] for wanted in asked], len(keys))
    call = make_call(
        scores_of(affinity), allowed, readers=one.readers_per_case, load_min=least, load_max=most,
        fields=_flags([[key in known for key in keys] for known in has], len(keys)), required=required,
        leads=_flags([[bool(wanted & known) for known in has] for wanted in asked], len(members)),
        groups=_sectors(members), institutions=_institutions(members),
        applicants=[pair for pair, code in why.items() if code == TEAM],
    )  # fmt: skip
    return replace(call, leads_wanted=np.asarray(required.any(axis=1)))


def _flags(rows: list[list[bool]], width: int) -> np.ndarray:
    return np.array(rows, bool).reshape(len(rows), width)


def sectors_of(members: Sequence[PanelMember]) -> list[str]:
    """This function will return the sectors that a case should have one reader of: those that some, not all, are of."""
    counted = {value: sum(one.sector == value for one in members) for value in PanelMember.Sector.values}
    named = (PanelMember.Sector.ACADEMIA.value, PanelMember.Sector.INDUSTRY.value)
    return [value for value in named if 0 < counted[value] < len(members)]


def _sectors(members: Sequence[PanelMember]) -> np.ndarray:
    named = sectors_of(members)
    return _flags([[one.sector == value for value in named] for one in members], len(named))


def _institutions(members: Sequence[PanelMember]) -> np.ndarray:
    numbers: dict[int, int] = {}
    for one in members:
        if one.organization_id is not None:
            numbers.setdefault(one.organization_id, len(numbers))
    return np.array([numbers.get(one.organization_id or 0, -1) for one in members], np.int64)


def case_text(case: Case) -> str:
    """This function will return what a case is about, in words: title and theme of the project, else the name."""
    review = case.gate_review
    if review.project is not None:
        return "\n".join((review.project.title_ja, review.project.title_en, review.project.theme_ja))
    named = review.area or review.program
    return str(named.name) if named is not None else ""


def member_text(member: PanelMember) -> str:
    """This function will return what a member knows, in words: the names of his or her fields of expertise."""
    return "\n".join(f"{one.name_ja}\n{one.name_en}" for one in member.expertises.all())


def case_name(case: Case) -> str:
    """This function will name what a case is about."""
    review = case.gate_review
    named = review.area or review.program
    return project_label(review.project) if review.project is not None else str(named.name if named else case.ref)


# What a change does ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """What one change by hand does: to the worth, to the member's load, to the fields covered and to what is missing."""

    worth: float
    load: int
    load_after: int
    load_most: int
    gained: tuple[Expertise, ...]
    lost: tuple[Expertise, ...]
    missing_after: int


def effect_of(seating: Seating, case: int, member: int, *, adds: bool) -> Effect:
    """This function will say what adding a member to a case, or taking him or her off it, would do."""
    call = seating.call
    now = [r for p, r in seating.pairs() if p == case]
    after = sorted({*now, member}) if adds else [r for r in now if r != member]
    load = seating.loads[member]
    changed = load + (1 if adds else -1)
    worth = case_worth(call, case, after) - case_worth(call, case, now)
    worth += load_worth(call, member, changed) - load_worth(call, member, load)
    before, then = _covered(call, case, now), _covered(call, case, after)
    return Effect(
        round(worth, 4), load, changed, seating.limits[member],
        tuple(seating.fields[at] for at in sorted(then - before)),
        tuple(seating.fields[at] for at in sorted(before - then)), max(0, int(call.readers[case]) - len(after)),
    )  # fmt: skip


def _covered(call: Call, case: int, readers: Sequence[int]) -> set[int]:
    return {int(at) for at in np.flatnonzero(call.required[case]) if any(call.fields[one, at] for one in readers)}


def why_not(seating: Seating, case: int, member: int) -> str:
    """This function will say why a member cannot be added to a case: a code, or "" if he or she can."""
    call = seating.call
    if (case, member) in seating.why:
        return seating.why[case, member]
    readers = [r for p, r in seating.pairs() if p == case]
    if member in readers:
        return "reads"
    institution = int(call.institutions[member])
    if institution >= 0 and any(int(call.institutions[one]) == institution for one in readers):
        return "institution"
    if reads_mutually(call, set(seating.pairs()), case, member):
        return "mutual"
    if seating.loads[member] >= int(call.load_max[member]):
        return "full"
    return WHOLE if len(readers) >= int(call.readers[case]) else ""


def reads_mutually(call: Call, pairs: set[Pair], case: int, member: int) -> bool:
    """This function will tell whether a member of another case's team would read a case one of whose team reads theirs."""
    owners = [one for own, one in call.applicants if own == case]
    return any(
        (own, owner) in pairs for own, one in call.applicants if one == member and own != case for owner in owners
    )


# What waits for the chair ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Waiting:
    """What waits at a panel for whom settles its readers: cases without any, readers to confirm, places to fill again.

    A place is to be filled again where a reader declined, came into conflict or serves no more (`declined`).
    """

    panel: Panel
    unread: int = 0
    proposed: int = 0
    declined: int = 0


def assignments_awaiting(user: object, today: date) -> list[Waiting]:
    """This function will return the panels where the user settles the readers and something waits.

    Cases without a reader count once the declarations are due.
    """
    if not (is_evaluator(user) or scope_of(user).ministry):
        return []
    rows = Case.objects.filter(cases_assigned_by(user)).annotate(
        barred=Exists(Assignment.objects.filter(readers_barred(), case=OuterRef("pk"))),
        standing=Count("assignments", filter=Q(assignments__state__in=STANDING)),
        proposed=Count("assignments", filter=Q(assignments__state=PROPOSED)),
        declined=Count("assignments", filter=Q(assignments__state=DECLINED)),
    )
    found: dict[int, Waiting] = {}
    for case in rows.select_related("panel__round").order_by("panel_id"):
        one, due = case.panel.round, case.panel.round.declarations_due_on
        waiting = found.setdefault(case.panel_id, Waiting(case.panel))
        waiting.unread += not case.standing and (due is None or due <= today)
        waiting.proposed += case.proposed
        waiting.declined += case.barred or (bool(case.declined) and case.standing < one.readers_per_case)
    return [one for one in found.values() if one.unread or one.proposed or one.declined]
