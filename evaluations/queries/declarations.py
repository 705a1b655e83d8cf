"""Reads of declarations: what a member has to declare on, who has declared what, admissions, certificates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils.timezone import localdate

from accounts.queries import in_force
from evaluations.models import Admission, Case, ConflictCertificate, ConflictOfInterest, Declaration, PanelMember, Round
from evaluations.queries.rounds import rounds_visible_to
from evaluations.rules.admissions import admissions_visible
from evaluations.rules.declarations import (
    cases_declarable,
    cases_overseen,
    cases_undeclared,
    declarations_visible,
    fingerprint_now,
    reads_words,
    rounds_with_declarations,
    taking_part,
)
from evaluations.rules.rounds import rounds_evaluated_by, rounds_kept_by
from evaluations.rules.score_sheets import is_evaluator
from evaluations.states import ACCEPTED, APPROVED, CASE_LIVE, CONFIRMED
from programs.models import HQMember, Participation, ProjectMember, ProjectRecusal
from programs.queries import lead_institutions
from programs.rules.scope import scope_of

SUBJECT = ("gate_review__project", "gate_review__area", "gate_review__program")
MISSING, STALE, EXCLUDED, ADMITTED = "missing", "stale", "excluded", "admitted"


def declarations_visible_to(user: object) -> QuerySet[Declaration]:
    """This function will return the declarations that this user may read, the newest first."""
    return (
        Declaration.objects.filter(declarations_visible(user))
        .select_related("member__person", "case__panel__round", "conflict")
        .order_by("-declared_at", "-pk")
    )


def rounds_of_declarations(user: object) -> QuerySet[Round]:
    """This function will return the rounds this user may see, each with what the user is in it, in one query.

    `serves`: a member under pledge; `overseen`: knows who has declared; `searched`: runs the search for conflicts.
    """
    columns = {
        "serves": rounds_evaluated_by(user, ACCEPTED),
        "overseen": rounds_with_declarations(user),
        "searched": Q(program__in=scope_of(user).party) | rounds_kept_by(user),
    }
    wrapped = {name: ExpressionWrapper(one, BooleanField()) for name, one in columns.items()}
    return rounds_visible_to(user).annotate(**wrapped)


# The facts ------------------------------------------------------------------------------------------------------------


def facts_of(cases: Iterable[Case]) -> dict[int, dict[str, Any]]:
    """This function will return the facts of each case as they are declared upon, in three queries for all of them.

    {"title", "lead", "institutions": [name], "members": [{"name", "orcid", "hq"}]}, names in Japanese as on record.
    """
    rows = list(cases)
    projects = {row.gate_review.project_id for row in rows if row.gate_review.project_id}
    facts: dict[int, dict[str, Any]] = {pk: {"lead": "", "institutions": [], "members": []} for pk in projects}
    places = Participation.objects.filter(taking_part(), project__in=projects).select_related("organization")
    for place in places.order_by("pk") if projects else ():
        one = facts[place.project_id]
        if place.role == Participation.Role.LEAD:
            one["lead"] = place.organization.name_ja
        one["institutions"].append(place.organization.name_ja)
    model: Any
    for model, link in ((ProjectMember, "project_id"), (HQMember, "headquarters__project_id")):
        members = model.objects.filter(in_force(localdate()), **{f"{link.removesuffix('_id')}__in": projects})
        people = members.order_by("pk").values_list(link, "person__name_ja", "person__orcid") if projects else ()
        for project, name, orcid in people:
            facts[project]["members"].append({"name": name, "orcid": orcid, "hq": model is HQMember})
    return {row.pk: {"title": title_of(row), **facts.get(row.gate_review.project_id or 0, _bare())} for row in rows}


def _bare() -> dict[str, Any]:
    return {"lead": "", "institutions": [], "members": []}


def title_of(case: Case) -> str:
    """This function will return the title a case is declared upon, in Japanese as on record."""
    review = case.gate_review
    if review.project is not None:
        return review.project.title_ja or review.project.ref
    return str((review.area or review.program).name_ja)  # type: ignore[union-attr]


def changed_facts(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, bool]]:
    """This function will list what joined (True) or left (False) the facts since they were declared upon."""
    found: list[tuple[str, bool]] = []
    if before.get("title") != now.get("title"):
        found += [(before.get("title", ""), False), (now.get("title", ""), True)]
    for name in ("institutions", "members"):
        old, new = _plain(before.get(name, [])), _plain(now.get(name, []))
        found += [(one, False) for one in old if one not in new] + [(one, True) for one in new if one not in old]
    return found


def _plain(rows: Iterable[Any]) -> list[str]:
    return [row if isinstance(row, str) else f"{row['name']} {row['orcid']}".strip() for row in rows]


# The member's form ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class CaseAsked:
    """One case on which a member declares: its facts, their fingerprint, and the live declaration, fresh or stale."""

    case: Case
    facts: dict[str, Any]
    fingerprint: str
    live: Declaration | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the member has declared on the facts as they are."""
        return self.live is not None and self.live.fingerprint == self.fingerprint

    @property
    def changes(self) -> list[tuple[str, bool]]:
        """What has changed since the last declaration."""
        return changed_facts(self.live.facts, self.facts) if self.live is not None and not self.is_fresh else []


def cases_asked(user: object, one: Round, member: PanelMember) -> list[CaseAsked]:
    """This function will return the cases of a round on which this member declares, by number."""
    rows = list(
        Case.objects.filter(cases_declarable(user), panel__round=one)
        .select_related(*SUBJECT)
        .prefetch_related(lead_institutions("gate_review__project__participations"))
        .annotate(now_fingerprint=fingerprint_now("gate_review"))
        .order_by("number", "pk")
    )
    live = {
        each.case_id: each
        for each in Declaration.objects.filter(member=member, replaced_at__isnull=True).select_related("conflict")
    }
    facts = facts_of(rows)
    return [CaseAsked(row, facts[row.pk], row.now_fingerprint, live.get(row.pk)) for row in rows]  # type: ignore[attr-defined]


def declarations_awaiting(user: object) -> list[tuple[Round, int]]:
    """This function will return the rounds in which the user still has to declare, and on how many cases."""
    if not is_evaluator(user):
        return []
    found: dict[int, tuple[Round, int]] = {}
    for case in Case.objects.filter(cases_undeclared(user)).select_related("panel__round").order_by("panel_id", "pk"):
        one = case.panel.round
        found[one.pk] = (one, found.get(one.pk, (one, 0))[1] + 1)
    return list(found.values())


# Who has declared -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Cell:
    """Where one member stands with one case: none, conflict, stale, missing, excluded or admitted; since when."""

    state: str
    since: datetime | None = None
    declaration: Declaration | None = None


@dataclass(slots=True)
class MemberRow:
    """One member with a cell for each case, in the order of the cases."""

    member: PanelMember
    cells: list[Cell] = field(default_factory=list)
    certificate: ConflictCertificate | None = None

    @property
    def owed(self) -> int:
        """How many cases still lack a declaration on the facts as they are."""
        return sum(cell.state in (MISSING, STALE) for cell in self.cells)


@dataclass(slots=True)
class Matrix:
    """Members x cases, as far as the reader oversees them; `reads_words`: what was declared, not only that it was."""

    cases: list[Case]
    rows: list[MemberRow]
    reads_words: bool

    @property
    def owed(self) -> int:
        """How many declarations are missing."""
        return sum(row.owed for row in self.rows)


def matrix(user: object, one: Round) -> Matrix:
    """This function will return who has declared what on which live case, in a constant number of queries."""
    cases = list(
        Case.objects.filter(cases_overseen(user), panel__round=one, state__in=CASE_LIVE)
        .select_related(*SUBJECT)
        .prefetch_related(lead_institutions("gate_review__project__participations"))
        .annotate(now_fingerprint=fingerprint_now("gate_review"))
        .order_by("number", "pk")
    )
    words = reads_words(user, one)
    if not cases:
        return Matrix([], [], words)
    members = list(
        PanelMember.objects.filter(panel__round=one, state=ACCEPTED)
        .select_related("person", "certificate")
        .order_by("role", "pk")
    )
    live = {
        (each.member_id, each.case_id): each
        for each in Declaration.objects.filter(case__in=cases, replaced_at__isnull=True).select_related("conflict")
    }
    excluded = _excluded(members, cases)
    admitted = _admitted(cases)
    rows = []
    for member in members:
        row = MemberRow(member, certificate=getattr(member, "certificate", None))
        for case in cases:
            pair = (member.person_id, case.gate_review.project_id)
            row.cells.append(
                _cell(live.get((member.pk, case.pk)), case, pair in excluded, (member.pk, case.pk) in admitted)
            )
        rows.append(row)
    return Matrix(cases, rows, words)


def _cell(live: Declaration | None, case: Case, is_excluded: bool, is_admitted: bool) -> Cell:
    since = live.declared_at if live else None
    if is_excluded and not is_admitted:
        return Cell(EXCLUDED, since, live)
    if live is None:
        return Cell(MISSING)
    if live.fingerprint != case.now_fingerprint:  # type: ignore[attr-defined]
        return Cell(STALE, since, live)
    return Cell(ADMITTED if is_admitted else live.answer, since, live)


def _excluded(members: Iterable[PanelMember], cases: Iterable[Case]) -> set[tuple[int, int]]:
    """Who is excluded today from which project."""
    rows = ProjectRecusal.objects.filter(
        person__in=[one.person_id for one in members], project__in=[one.gate_review.project_id for one in cases],
        starts_on__lte=localdate(),
    ).exclude(ends_on__lt=localdate())  # fmt: skip
    return set(rows.values_list("person_id", "project_id"))


def _admitted(cases: Iterable[Case]) -> set[tuple[int, int]]:
    rows = Admission.objects.filter(case__in=[one.pk for one in cases], state=APPROVED)
    return set(rows.values_list("member_id", "case_id"))


# Admissions and certificates ------------------------------------------------------------------------------------------


def admissions_visible_to(user: object) -> QuerySet[Admission]:
    """This function will return the admissions this user may see, newest first."""
    return (
        Admission.objects.filter(admissions_visible(user))
        .select_related(
            "conflict__project__program", "conflict__person", "member__person", "case__panel__round",
            *(f"case__{name}" for name in SUBJECT), "proposed_by__person", "approved_by__person",
        )
        .order_by("-proposed_at", "-pk")
    )  # fmt: skip


def admissions_of(one: Round, user: object = None) -> list[Admission]:
    """This function will return the approved admissions of a round, for its roster and findings: who, case, reason.

    With a user only those that this user may see before they are published.
    """
    rows = Admission.objects.filter(case__panel__round=one, state=APPROVED)
    if user is not None:
        rows = rows.filter(admissions_visible(user))
    return list(
        rows.select_related("member__person", "conflict", *(f"case__{name}" for name in SUBJECT)).order_by(
            "case__number", "pk"
        )
    )


def certificate_cases(member: PanelMember) -> list[dict[str, Any]]:
    """This function will return what a member certifies: each case, and whether with no conflict or out of the room.

    Of a case from which the member is excluded only the own conflict is named, since the case is closed to him or her.
    """
    cases = list(
        Case.objects.filter(panel=member.panel_id)
        .exclude(state="invalidated")
        .select_related(*SUBJECT)
        .order_by("number")
    )
    excluded = _excluded([member], cases)
    admitted = {case for _member, case in _admitted(cases) if _member == member.pk}
    kept = [
        case for case in cases
        if (member.person_id, case.gate_review.project_id) not in excluded or case.pk in admitted
    ]  # fmt: skip
    own = ConflictOfInterest.objects.filter(
        person=member.person_id, state=CONFIRMED, project__in=[one.gate_review.project_id for one in cases]
    )
    attended: list[dict[str, Any]] = [
        {"ref": case.ref, "title_ja": title_of(case), "was": "admitted" if case.pk in admitted else "none"}
        for case in kept
    ]
    admitted_projects = {case.gate_review.project_id for case in kept}
    left = [
        {"ref": one.ref, "title_ja": "", "was": "left"}
        for one in own.order_by("pk")
        if one.project_id not in admitted_projects
    ]
    return attended + left
