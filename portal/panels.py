"""A panel (評価委員会): its members and what is missing; members proposed, approved and ended; expertise; the roster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.errors import NotAllowed, Refused
from common.fiscal_year import date_text
from evaluations.actions import panels as actions
from evaluations.documents import appointment_letter_pdf, member_file_name, pledge_pdf
from evaluations.models import Case, Panel, PanelMember
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.panels import (
    CANDIDATES,
    affiliations_of,
    candidates,
    expertises_of,
    live_cases,
    members_of,
    members_visible_to,
    panels_visible_to,
    pledge_of,
)
from evaluations.rules.panels import (
    is_released,
    may_ask_expertise,
    member_actions,
    panel_actions,
    panel_blockers,
    roster_actions,
)
from portal.access import clock, not_found, page
from portal.acts import Act, ask_once
from portal.forms.panel import ExpertiseForm, MemberForm, PledgeForm, RosterForm, SearchForm
from portal.forms.round import ReasonForm, RowsForm
from portal.journal import Line, readable
from portal.lists import as_download, csv_rows
from portal.rounds import subject_name
from programs.drawings import language

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the panel.")
PROPOSED = gettext_lazy("waits for approval")
HISTORY_ROWS = 20
#: What of a member can be downloaded: its name in the address > the document.
DOCUMENTS = {"letter": appointment_letter_pdf, "pledge": pledge_pdf}


def find_panel(user: Any, ref: str) -> Any:
    """This function will return the panel with this reference, if the reader may open its page."""
    return panels_visible_to(user).filter(ref=ref)


def find_member(user: Any, ref: str, member: str) -> Any:
    """This function will return the member of the panel, if the reader may know who it is."""
    return members_visible_to(user).filter(panel__ref=ref, ref=member)


def find_case(user: Any, ref: str) -> Any:
    """This function will return the case with this reference, if the reader may know it."""
    return cases_visible_to(user).filter(ref=ref)


def _may(act: str) -> Any:
    return lambda user, panel: f"panel.{act}" in panel_actions(user, panel)


def _may_with_member(act: str) -> Any:
    return lambda user, one: f"member.{act}" in member_actions(user, one, panel_actions(user, one.panel))


def _home(panel: Panel) -> str:
    return reverse("panel", args=[panel.ref])


def _trail(panel: Panel) -> list[tuple[str, str]]:
    one = panel.round
    return [
        (reverse("rounds"), _("Evaluation rounds")), (reverse("round", args=[one.ref]), one.name),
        (_home(panel), _("Panel")),
    ]  # fmt: skip


# The page -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One membership as its reader may know it: without a name, institution and reasons for whoever reads no names."""

    ref: str
    name: str
    office: str
    sector: str
    expertises: list[str]
    scores: bool
    state: str
    state_label: str
    starts_on: date
    ends_on: date | None
    institution: str = ""
    position: str = ""
    cases_max: int | None = None
    proposed_by: str = ""
    reason: str = ""
    acts: frozenset[str] = field(default_factory=frozenset)


def _row(one: PanelMember, number: int, named: bool, acts: set[str]) -> MemberRow:
    waits = one.state == PanelMember.State.INVITED and one.approved_by_id is None
    row = MemberRow(
        ref=one.ref if named else "", name=_("Member %(number)s") % {"number": number}, office=str(one.get_role_display()),
        sector=str(one.get_sector_display()), expertises=[each.name for each in one.expertises.all()],
        scores=one.is_scoring, state="proposed" if waits else one.state,
        state_label=str(PROPOSED if waits else one.get_state_display()), starts_on=one.starts_on, ends_on=one.ends_on,
    )  # fmt: skip
    if not named:
        return row
    return replace(
        row, name=one.person.name, institution=one.organization.name if one.organization else "",
        position=one.position, cases_max=one.cases_max, reason=one.end_reason, acts=frozenset(acts),
        proposed_by=str(one.granted_by) if waits and one.granted_by else "",
    )  # fmt: skip


def _rows(user: Any, panel: Panel, allowed: set[str]) -> tuple[list[PanelMember], list[MemberRow]]:
    """The memberships with names, and how each may be shown. Without names: only who serves, by office."""
    found = members_of(panel, user)
    members = [one for one in found if one.is_named or one.state == PanelMember.State.ACCEPTED]  # type: ignore[attr-defined]
    rows = [
        _row(one, number, one.is_named, member_actions(user, one, allowed))  # type: ignore[attr-defined]
        for number, one in enumerate(members, 1)
    ]
    return members, rows


@page(permission="panel.view", find=find_panel)
def panel_page(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will show a panel: members, what is missing, fields of expertise, cases, the roster's release."""
    today = localdate(clock(request))
    acts = panel_actions(request.user, panel)
    members, rows = _rows(request.user, panel, acts)
    release = getattr(panel, "roster_release", None)
    is_public = release is not None and is_released(release, today)
    context = {
        "panel": panel,
        "round": panel.round,
        "allowed": {act.removeprefix("panel.") for act in acts},
        "present": [row for row in rows if row.state in ("proposed", "invited", "accepted")],
        "past": [row for row in rows if row.state in ("declined", "ended")],
        "reads_names": any(row.ref for row in rows),
        "blockers": panel_blockers(panel.round, today),
        "expertises": expertises_of(panel),
        "cases": [(case, subject_name(case.gate_review)) for case in live_cases(request.user, panel)],
        "release": release,
        "is_released": is_public,
        "roster_acts": {act.removeprefix("roster.") for act in roster_actions(request.user, release, acts, is_public)},
        "entries": _history(panel, members) if "panel.letters" in acts else [],
        "is_sample": panel.is_sample,
        "me": getattr(request.user, "pk", None),
    }
    return render(request, "portal/panels/page.html", context)


def _history(panel: Panel, members: list[PanelMember]) -> list[Line]:
    """The journal names members by reference; on this page, for whoever reads names, by name."""
    names = {one.ref: one.person.name for one in members}
    lines = readable(history_of(panel, *members)[:HISTORY_ROWS])
    return [
        replace(one, what=f"{one.what} ({names[one.about]})", changes=[]) if one.about in names else one
        for one in lines
    ]


@page(permission="panel.letters", find=find_panel, may=_may("letters"), why=NOT_NOW)
def panel_members_csv(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will hand out the members as a table."""
    _members, rows = _rows(request.user, panel, set())
    head = (
        _("Reference"), _("Name"), _("Institution"), _("Position"), _("Office"), _("Sector"), _("Fields of expertise"),
        _("Takes part in scoring"), _("Cases at most"), _("From"), _("Until"), _("State"),
    )  # fmt: skip
    lines = (
        [
            row.ref, row.name, row.institution, row.position, row.office, row.sector, "、".join(row.expertises),
            _("yes") if row.scores else _("no"), row.cases_max, row.starts_on, row.ends_on, row.state_label,
        ]
        for row in rows
    )  # fmt: skip
    response = StreamingHttpResponse(csv_rows(head, lines), content_type="text/csv; charset=utf-8")
    return as_download(response, f"{panel.ref}.csv")


# Members --------------------------------------------------------------------------------------------------------------


@page(permission="panel.propose", find=find_panel, may=_may("propose"), why=NOT_NOW, methods=BOTH, params=("q",))
def member_new(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will search people and take the proposal of a member."""
    today = localdate(clock(request))
    search = SearchForm(data={"q": request.GET.get("q", "")})
    words = search.cleaned_data["q"] if search.is_valid() else ""
    people = candidates(panel.round, panel, words, today)
    data = request.POST if request.method == "POST" else None
    initial = {"role": "member", "is_scoring": True, "sector": "academia", "starts_on": today}
    form = MemberForm(people, affiliations_of(people, today), expertises_of(panel), data=data, initial=initial)
    if data is not None and form.is_valid() and _proposed(request, panel, form):
        messages.success(request, _("The member is proposed. The invitation goes out once another officer approves."))
        return redirect("panel", ref=panel.ref)
    context = {
        "panel": panel, "form": form, "search": search, "words": words, "trail": _trail(panel),
        "is_cut": len(people) == CANDIDATES, "limit": CANDIDATES, "is_sample": panel.is_sample,
    }  # fmt: skip
    return render(request, "portal/panels/member_new.html", context, status=200 if data is None else 422)


def _proposed(request: HttpRequest, panel: Panel, form: MemberForm) -> bool:
    try:
        actions.propose_member(panel, form.cleaned_data["person"], form.seat, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return False
    return True


@page(
    permission="member.approve", find=find_member, key=("ref", "member"), may=_may_with_member("approve"), why=NOT_NOW,
    methods=("POST",),
)  # fmt: skip
def member_approve(request: HttpRequest, member: PanelMember) -> HttpResponseBase:
    """This function will approve a member whom a colleague proposed; the invitation goes out."""
    return _post(
        request, member.panel, actions.approve_member, member, _("The member is approved and invited by mail.")
    )


def _post(request: HttpRequest, panel: Panel, action: Any, subject: Any, done: str) -> HttpResponse:
    try:
        action(subject, by=request.user, at=clock(request))
    except NotAllowed:
        raise
    except Refused as refusal:
        for blocker in refusal.blockers:
            messages.error(request, blocker.message)
    else:
        messages.success(request, done)
    return redirect("panel", ref=panel.ref)


@page(
    permission="member.end", find=find_member, key=("ref", "member"), may=_may_with_member("end"), why=NOT_NOW,
    methods=BOTH,
)  # fmt: skip
def member_end(request: HttpRequest, member: PanelMember) -> HttpResponseBase:
    """This function will ask why, then end a proposal, an invitation or an appointment."""
    act = Act(
        heading=_("End the membership of %(name)s?") % {"name": member.person.name}, button=_("End the membership"),
        done=_("The membership is ended."), home=_home(member.panel), trail=_trail(member.panel), is_danger=True,
        effects=[
            _("Access to the cases of the round ends at once."),
            _("What the member has handed in stays. The place on the panel is free."),
        ],
    )  # fmt: skip
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, member, actions.end_membership, act, form=form)


@page(
    permission="member.letters", find=find_member, key=("ref", "member"), may=_may_with_member("letters"), why=NOT_NOW
)
def member_document(request: HttpRequest, member: PanelMember, kind: str) -> HttpResponseBase:
    """This function will hand out the letter of appointment or the pledge of a member."""
    return document_of(request, member, kind)


def document_of(request: HttpRequest, member: PanelMember, kind: str) -> HttpResponseBase:
    """This function will typeset one of a member's documents as a download."""
    if kind not in DOCUMENTS:
        return not_found(request)
    response = HttpResponse(DOCUMENTS[kind](member), content_type="application/pdf")
    return as_download(response, member_file_name(member, kind))


# Expertise and pledge -------------------------------------------------------------------------------------------------


@page(permission="panel.edit", find=find_panel, may=_may("edit"), why=NOT_NOW, methods=BOTH)
def panel_edit(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will take the panel's fields of expertise and the words of its pledge."""
    saved = expertises_of(panel)
    data = request.POST if request.method == "POST" else None
    columns = {"name_ja": _("Name (ja)"), "name_en": _("Name (en)")}
    rows = RowsForm("field", columns, [{"name_ja": one.name_ja, "name_en": one.name_en} for one in saved], data=data)
    keys = _keys(data, [str(one.pk) for one in saved], len(rows.rows))
    form = PledgeForm(data=data, initial={"pledge": panel.pledge_text})
    if data is not None and form.is_valid() and _saved(request, panel, rows, keys, form):
        messages.success(request, _("The fields of expertise and the pledge are saved."))
        return redirect("panel", ref=panel.ref)
    context = {
        "panel": panel, "form": form, "table": rows, "columns": list(columns.values()), "trail": _trail(panel),
        "rows": [{"cells": cells, "key": key} for cells, key in zip(rows.rows, keys, strict=True)],
        "common": pledge_of(panel), "is_sample": panel.is_sample,
    }  # fmt: skip
    return render(request, "portal/panels/edit.html", context, status=200 if data is None else 422)


def _keys(data: Mapping[str, str] | None, saved: list[str], count: int) -> list[str]:
    if data is None:
        return [*saved, *[""] * (count - len(saved))]
    typed = [data.get(f"field-{number}-key", "") for number in range(count)]
    return [key if key.isascii() and key.isdecimal() and len(key) < 18 else "" for key in typed]


def _saved(request: HttpRequest, panel: Panel, rows: RowsForm, keys: list[str], form: PledgeForm) -> bool:
    rows.read()
    if not rows.is_good:
        return False
    typed = [
        actions.Field(int(key) if key else None, cells[0].value, cells[1].value)
        for cells, key in zip(rows.rows, keys, strict=True)
    ]
    try:
        actions.save_panel(
            panel, fields=typed, pledge=form.cleaned_data["pledge"], by=request.user, at=clock(request)  # type: ignore[arg-type]
        )  # fmt: skip
    except NotAllowed:
        raise
    except Refused as refusal:
        rows.problem = " ".join(blocker.message for blocker in refusal.blockers)
        return False
    return True


@page(permission="case.ask_expertise", find=find_case, may=may_ask_expertise, why=NOT_NOW, methods=BOTH)
def case_expertise(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will take which of the panel's fields of expertise a case asks for."""
    panel, name = case.panel, subject_name(case.gate_review)
    data = request.POST if request.method == "POST" else None
    form = ExpertiseForm(
        expertises_of(panel), data=data, initial={"expertises": [str(one.pk) for one in case.expertises.all()]}
    )
    if data is not None and form.is_valid():
        try:
            actions.ask_expertise(case, **form.cleaned_data, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("What the case asks for is saved."))
            return redirect("panel", ref=panel.ref)
    context = {
        "panel": panel,
        "case": case,
        "name": name,
        "form": form,
        "trail": _trail(panel),
        "is_sample": case.is_sample,
    }
    return render(request, "portal/panels/case.html", context, status=200 if data is None else 422)


# The roster -----------------------------------------------------------------------------------------------------------


def _may_roster(act: str) -> Any:
    def may(user: Any, panel: Panel) -> bool:
        release = getattr(panel, "roster_release", None)
        is_public = release is not None and is_released(release, localdate())
        return f"roster.{act}" in roster_actions(user, release, panel_actions(user, panel), is_public)

    return may


@page(permission="panel.release_roster", find=find_panel, may=_may_roster("propose"), why=NOT_NOW, methods=BOTH)
def roster_propose(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will take the day from which the panel's names are public, as a proposal."""
    earliest = panel.round.roster_release_on
    effects = [
        _("Names, institutions and offices of the panel become public; never who read which case."),
        _("It counts once another officer has approved the day."),
    ]
    if earliest:
        effects.append(_("By the calendar of the round: %(day)s or later.") % {"day": date_text(earliest, language())})
    act = Act(
        heading=_("From which day is the roster public?"), button=_("Propose the day"),
        done=_("Proposed. Another officer approves it."), effects=effects, home=_home(panel), trail=_trail(panel),
    )  # fmt: skip
    form = RosterForm(data=request.POST if request.method == "POST" else None, initial={"release_on": earliest})
    return ask_once(request, panel, actions.propose_roster_release, act, form=form)


@page(permission="panel.release_roster", find=find_panel, may=_may_roster("approve"), why=NOT_NOW, methods=("POST",))
def roster_approve(request: HttpRequest, panel: Panel) -> HttpResponseBase:
    """This function will approve the day that a colleague proposed."""
    return _post(request, panel, actions.approve_roster_release, panel, _("The day of the roster is approved."))
