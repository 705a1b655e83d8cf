"""Reads of meetings: the agenda as its reader may know it, who is out of the room, and the papers for one member."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from accounts.queries import in_force
from evaluations.models import Admission, Case, Dossier, Meeting, MeetingItem, Panel, PanelMember, RoundSecretary
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.panel_results import panel_results
from evaluations.rules.meetings import ends_at, items_visible, meetings_visible
from evaluations.rules.rounds import admissions_in_force
from evaluations.states import ACCEPTED, INVALIDATED
from programs.models import AreaDirector, AreaOfficer, ProgramStaff, ProjectRecusal
from programs.queries import lead_institutions, project_label

SHAPE = 1


def meetings_visible_to(user: object) -> QuerySet[Meeting]:
    """This function will return the meetings that this user may see, the earliest first."""
    return Meeting.objects.filter(meetings_visible(user)).select_related("round").order_by("held_on", "pk")


def meeting_items_visible_to(user: object) -> QuerySet[MeetingItem]:
    """This function will return the items of meetings whose title this user may read."""
    return (
        MeetingItem.objects.filter(items_visible(user))
        .select_related(
            "noted_by__person", "case__gate_review__project__area", "case__gate_review__area",
            "case__gate_review__program",
        )
        .prefetch_related(lead_institutions("case__gate_review__project__participations"))
        .order_by("meeting__held_on", "meeting_id", "position")
    )  # fmt: skip


@dataclass(slots=True)
class AgendaLine:
    """One line of the agenda: the item itself, or only that there is one; who leaves the room for it."""

    position: int
    is_running: bool
    is_over: bool
    item: MeetingItem | None = None
    name: str = ""
    ends_at: Any = None
    out: list[str] = field(default_factory=list)


def agenda_of(user: object, meeting: Meeting, *, with_people: bool = False) -> list[AgendaLine]:
    """This function will return the agenda as this user may know it; `with_people` also who is out of the room."""
    known = {one.pk: one for one in meeting_items_visible_to(user).filter(meeting=meeting)}
    out = people_out(meeting, [one.case for one in known.values() if one.case]) if with_people else {}
    lines = []
    rows = MeetingItem.objects.filter(meeting=meeting).order_by("position")
    for pk, position, began_at, ended_at in rows.values_list("pk", "position", "began_at", "ended_at"):
        line = AgendaLine(position, began_at is not None and ended_at is None, ended_at is not None)
        if item := known.get(pk):
            line.item, line.name, line.ends_at = item, name_of(item), ends_at(item)
            line.out = out.get(item.case_id, []) if item.case_id else []
        lines.append(line)
    return lines


def name_of(item: MeetingItem) -> str:
    """This function will name an item: its title, or what its case is about."""
    if item.case is None:
        return item.title
    review = item.case.gate_review
    return project_label(review.project) if review.project else str((review.area or review.program).name)  # type: ignore[union-attr]


def people_out(meeting: Meeting, cases: list[Case]) -> dict[int, list[str]]:
    """This function will return who is out of the room for each case: of the panel, the secretariat and the offices.

    Everybody whom a confirmed conflict excludes from the project on the meeting's day; not who was admitted to the case.
    """
    projects = {one.gate_review.project_id for one in cases}
    on = meeting.held_on
    rows = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on), _in_the_room(meeting, cases), project__in=projects,
        starts_on__lte=on,
    )  # fmt: skip
    names: dict[int, dict[int, str]] = {}
    for row in rows.select_related("person").order_by("person__name_ja", "person_id"):
        names.setdefault(row.project_id, {})[row.person_id] = row.person.name
    people = {person for each in names.values() for person in each}
    asked = Admission.objects.filter(member__person_id__in=people, case__in=cases).order_by()
    admitted = {
        person: set(admissions_in_force(person).values_list("case_id", flat=True))
        for person in set(asked.values_list("member__person_id", flat=True))
    }
    return {
        one.pk: [
            name
            for person, name in names.get(one.gate_review.project_id or 0, {}).items()
            if one.pk not in admitted.get(person, ())
        ]
        for one in cases
    }


def _in_the_room(meeting: Meeting, cases: list[Case]) -> Q:
    on, path = meeting.held_on, meeting.round.program.path
    areas = {one.gate_review.project.area_id for one in cases if one.gate_review.project}
    above = [path[: place + 1] for place, sign in enumerate(path) if sign == "/"]
    held = (
        PanelMember.objects.filter(in_force(on), panel__round=meeting.round_id, state=ACCEPTED),
        RoundSecretary.objects.filter(in_force(on), round=meeting.round_id),
        ProgramStaff.objects.filter(in_force(on), program__path__in=above),
        AreaDirector.objects.filter(in_force(on), area__in=areas),
        AreaOfficer.objects.filter(in_force(on), area__in=areas),
    )
    first, *others = (rows.order_by().values("person_id") for rows in held)
    return Q(person_id__in=first.union(*others))


def cases_of_round(user: object, meeting: Meeting) -> list[Case]:
    """This function will return the cases of the round that this user may put on the agenda."""
    rows = cases_visible_to(user).filter(panel__round=meeting.round_id).exclude(state=INVALIDATED)
    return list(rows.prefetch_related(lead_institutions("gate_review__project__participations")))


# Papers ---------------------------------------------------------------------------------------------------------------


def meeting_papers(user: object, meeting: Meeting, reader: str) -> dict[str, Any]:
    """This function will compile the papers of a meeting for one member, with that member's rights.

    Agenda, list of documents (資料1-1, ...) and the table of results, one numbering for all copies: of a case in
    conflict with the member there is a line that says so, and nothing of it else.
    """
    lines = agenda_of(user, meeting)
    panel = Panel.objects.select_related("round__rubric").get(round=meeting.round_id)
    results = {row.case.pk: row for row in panel_results(user, panel).rows}
    dossiers = _hashes([one.item.case.gate_review_id for one in lines if one.item and one.item.case])
    number, documents, scores = 0, [], []
    items = {one.position: one for one in lines}
    cases = set(
        MeetingItem.objects.filter(meeting=meeting, case__isnull=False).values_list("position", flat=True)
    )  # fmt: skip
    for position in sorted(cases):
        number, line = number + 1, items[position]
        case = line.item.case if line.item else None
        paper = {"number": f"1-{number}", "is_excluded": case is None}
        if case is not None:
            paper |= {"name_ja": line.name, "ref": case.gate_review.ref, "hash": dossiers.get(case.gate_review_id, "")}
            if row := results.get(case.pk):
                scores.append({"number": f"1-{number}", "name_ja": line.name} | _score(row))
        documents.append(paper)
    return {
        "shape": SHAPE,
        "meeting": {
            "ref": meeting.ref, "kind": meeting.kind, "held_on": meeting.held_on.isoformat(), "place": meeting.place,
            "round_ja": meeting.round.name_ja,
        },
        "reader": reader,
        "agenda": [_agenda_line(one) for one in lines],
        "documents": documents,
        "scores": scores,
        "is_sample": meeting.is_sample,
    }  # fmt: skip


def _hashes(reviews: list[int]) -> dict[int, str]:

    return dict(Dossier.objects.filter(gate_review__in=reviews).values_list("gate_review_id", "content_hash"))


def _agenda_line(line: AgendaLine) -> dict[str, Any]:
    if line.item is None:
        return {"position": line.position, "is_excluded": True}
    return {
        "position": line.position, "is_excluded": False, "starts_at": f"{line.item.starts_at:%H:%M}",
        "ends_at": f"{line.ends_at:%H:%M}", "name_ja": line.name,
    }  # fmt: skip


def _score(row: Any) -> dict[str, Any]:
    first = row.first.total if row.first else None
    total = row.final.total if row.final else None
    return {
        "sheets": f"{row.handed_in} / {row.readers}", "first": str(first.mean) if first else "-",
        "final": str(total.mean) if total else "-",
        "spread": f"{total.lowest} - {total.highest}" if total else "-",
        "grade": (row.final.grade if row.final else "") or "-",
        "rank": f"{row.standing.rank} ({row.standing.ninety[0]} - {row.standing.ninety[1]})" if row.standing else "-",
    }  # fmt: skip
