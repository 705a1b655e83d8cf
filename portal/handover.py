"""Hand-over (人事異動引継ぎ): all open matters of a role-holder on one page, as far as the reader may see each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.timezone import localdate
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models import Person
from evaluations.models import Assignment
from evaluations.queries.score_sheets import assignments_visible_to
from portal.access import BadQuery, clock, not_found, page
from portal.handover_matters import Matter, matters_of
from portal.home import tasks_of
from portal.lists import as_download, csv_rows
from portal.tasks import Task
from programs.models import (
    Advice,
    Allocation,
    Benchmark,
    Contract,
    DataManagementPlan,
    PlanVersion,
    PolicyVersion,
    Project,
    Risk,
    SiteVisit,
    TrlAssessment,
)
from programs.queries import claims_visible_to
from programs.queries.allocations import allocations_visible_to
from programs.queries.benchmarks import benchmarks_visible_to
from programs.queries.contracts import contracts_visible_to
from programs.queries.handover import person_with_ref, projects_in_hand, terms_held
from programs.queries.plans import plans_visible_to
from programs.queries.policies import policies_visible_to
from programs.queries.risks import data_plans_visible_to, risks_visible_to
from programs.queries.visits import advice_visible_to, visits_visible_to
from programs.rules.handover import HeldTerm, paths_of, terms_readable
from reporting.models import ProgressReport
from reporting.queries import reports_visible_to

ROLES = {
    "director": gettext_lazy("program director (PD)"),
    "officer": gettext_lazy("program officer (PO)"),
    "deputy": gettext_lazy("deputy"),
    "hq": gettext_lazy("HQ member"),
    "ministry_staff": gettext_lazy("ministry staff"),
    "program_director": gettext_lazy("program director (PD)"),
    "program_officer": gettext_lazy("program officer (PO)"),
    "principal_investigator": gettext_lazy("principal investigator"),
    "co_investigator": gettext_lazy("co-investigator"),
}
#: Whose records are shown to somebody else: only what the reader may see. What is not listed here stays hidden.
VISIBLE: dict[type, Callable[[Any], QuerySet[Any]]] = {
    ProgressReport: reports_visible_to,
    PlanVersion: plans_visible_to,
    Benchmark: benchmarks_visible_to,
    Advice: advice_visible_to,
    SiteVisit: visits_visible_to,
    PolicyVersion: policies_visible_to,
    TrlAssessment: claims_visible_to,
    Allocation: allocations_visible_to,
    Contract: contracts_visible_to,
    Risk: risks_visible_to,
    DataManagementPlan: data_plans_visible_to,
    Assignment: assignments_visible_to,
}


@dataclass(frozen=True, slots=True)
class RoleShown:
    """A term on the page."""

    term: HeldTerm
    label: str
    where: str
    standing: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """Everything on the page."""

    person: Person
    roles: list[RoleShown]
    tasks: list[Task]
    matters: list[Matter]


@page(permission="handover.view", params=("person", "role", "format"))
def handover_page(request: HttpRequest) -> HttpResponseBase:
    """This function will show, print or hand out as CSV what is open with a person; without one, with the reader."""
    me: Any = request.user
    ref = request.GET.get("person", "")
    person = person_with_ref(ref) if ref else me.person
    if person is None:
        return not_found(request)
    today = localdate(clock(request))
    held = terms_held({person.pk, me.person_id} - {None})
    readable = terms_readable(me, person.pk, held[person.pk], held.get(me.person_id, []), today)
    if not readable and person.pk != me.person_id:
        return not_found(request)
    role = request.GET.get("role", "")
    chosen = [term for term in readable if term.key == role] if role else readable
    if role and not chosen:
        return not_found(request)
    shown = _hand_over(me, person, chosen, today, is_whole=not role)
    if "format" in request.GET:
        return _csv(request, shown)
    return render(
        request,
        "portal/handover/page.html",
        {
            "shown": shown,
            "choices": [_role_shown(term, today) for term in readable],
            "role": role,
            "today": today,
            "is_own": person.pk == me.person_id,
            "is_sample": person.is_sample,
        },
    )


def _hand_over(me: Any, person: Person, terms: list[HeldTerm], today: date, *, is_whole: bool) -> HandOver:
    is_own = person.pk == me.person_id
    projects = projects_in_hand(me, person.pk, terms)
    user = me if is_own else getattr(person, "user", None)
    tasks = tasks_of(user, today) if user is not None else []
    if not is_own:
        tasks = _seen(me, tasks)
    if not (is_own and is_whole):
        tasks = _within(tasks, projects, terms)
    known = {(type(task.subject), task.subject.pk) for task in tasks if task.subject is not None}
    matters = matters_of(me, person.pk, terms, projects, today, all_own=is_whole)
    return HandOver(
        person,
        [_role_shown(term, today) for term in terms],
        tasks,
        sorted(
            (matter for key, matter in matters if key not in known),
            key=lambda one: (one.due_on is None, one.due_on or today, one.what, one.about),
        ),
    )


def _seen(me: Any, tasks: list[Task]) -> list[Task]:
    """The tasks whose records the reader may see as well; a kind without a rule is hidden."""
    wanted: dict[type, set[int]] = {}
    for task in tasks:
        if type(task.subject) in VISIBLE:
            wanted.setdefault(type(task.subject), set()).add(task.subject.pk)
    seen = {
        kind: set(VISIBLE[kind](me).filter(pk__in=keys).order_by().values_list("pk", flat=True))
        for kind, keys in wanted.items()
    }
    return [task for task in tasks if getattr(task.subject, "pk", None) in seen.get(type(task.subject), set())]


def _within(tasks: list[Task], projects: QuerySet[Project], terms: list[HeldTerm]) -> list[Task]:
    """The tasks about the projects and areas of these terms."""
    ids = {task.subject.project_id for task in tasks if getattr(task.subject, "project_id", None)}
    inside = set(projects.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    areas = {area for task in tasks if (area := _area_of(task.subject)) is not None}
    paths = paths_of(areas)

    def belongs(subject: Any) -> bool:
        if getattr(subject, "project_id", None):
            return subject.project_id in inside
        area = _area_of(subject)
        return area is not None and any(term.covers(area, paths[area.program_id]) for term in terms)

    return [task for task in tasks if belongs(task.subject)]


def _area_of(subject: Any) -> Any:
    """The area a record is about; an allocation's is that of the money it splits."""
    return subject.source.area if isinstance(subject, Allocation) else getattr(subject, "area", None)


def _role_shown(term: HeldTerm, today: date) -> RoleShown:
    standing = "ended" if term.ends_on and term.ends_on < today else "in_force" if term.starts_on <= today else "ahead"
    english = term.name_en if get_language() == "en" else ""
    return RoleShown(term, str(ROLES[term.role]), english.strip() or term.name_ja, standing)


def _csv(request: HttpRequest, shown: HandOver) -> HttpResponseBase:
    if request.GET["format"] != "csv":
        raise BadQuery(_("Choose CSV."))
    head = [_("Part"), _("Matter"), _("About"), _("To be done by"), _("Waits for"), _("Address")]

    def address(url: str) -> str:
        return request.build_absolute_uri(url)

    def rows() -> Iterator[list[Any]]:
        for role in shown.roles:
            days = f"{role.term.starts_on.isoformat()} - {role.term.ends_on.isoformat() if role.term.ends_on else ''}"
            yield [_("Role"), role.label, role.where, days, "", ""]
        for task in shown.tasks:
            due = task.due_on.isoformat() if task.due_on else ""
            yield [_("Waits for this person"), task.label, task.about, due, shown.person.name, address(task.url)]
        for one in shown.matters:
            due = one.due_on.isoformat() if one.due_on else ""
            yield [_("Under way"), one.what, one.about, due, one.waits_for, address(one.url)]

    response = StreamingHttpResponse(csv_rows(head, rows()), content_type="text/csv; charset=utf-8")
    return as_download(response, f"handover-{shown.person.ref}.csv")
