"""Evaluation rounds: the list, one round with its calendar and what it lacks, writing on it, and its acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.errors import NotAllowed, Refused, StaleEdit
from common.fiscal_year import date_text, fiscal_year_of
from common.fiscal_year import label as year_label
from evaluations.actions import rounds as actions
from evaluations.actions.cases import invalidate_round
from evaluations.calendar import STEPS, days_off
from evaluations.models import GateReview, Round
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.panels import appointments_of, panels_visible_to
from evaluations.queries.rounds import (
    area_choices,
    gate_choices,
    gate_reviews_visible_to,
    programs_for_rounds,
    rounds_visible_to,
    secretariat_people,
)
from evaluations.rules.conflicts import may_see_conflicts
from evaluations.rules.panels import may_be_invited
from evaluations.rules.rounds import (
    contracts_missed,
    first_day_in_force,
    may_make_round,
    may_see_rounds,
    opening_blockers,
    round_actions,
    round_days,
)
from evaluations.rules.scenarios import weighs
from evaluations.rules.score_sheets import AFTER_FIRST
from portal.access import BadQuery, clock, page
from portal.acts import Act, ask_once
from portal.forms.round import (
    AnchorForm,
    CalendarForm,
    CloneForm,
    ReasonForm,
    RoundForm,
    RowsForm,
    SecretaryForm,
)
from portal.journal import readable
from portal.lists import Column, Filter, ListSpec, export, read_list
from portal.risks import seen_revision
from programs.drawings import language
from programs.models import Program
from programs.queries import project_label


def tone_of(one: Round) -> str:
    """This function will name the state whose tone a round's pill has: an open round runs, nothing is wrong with it."""
    return "running" if one.state == Round.State.OPEN else one.state


BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("A round is made by the ministry's staff of its program and run by its secretariat.")
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the round.")
DOCUMENT_ROWS = 200

ROUNDS = ListSpec(
    name="rounds",
    rows=lambda user, query: rounds_visible_to(user).filter(
        Q(ref__icontains=query) | Q(name_ja__icontains=query) | Q(name_en__icontains=query) if query else Q()
    ),
    columns=(
        Column(
            "name", gettext_lazy("Round"), lambda one: one.name, order="name_ja", is_fixed=True,
            link=lambda one: reverse("round", args=[one.ref]),
        ),
        Column("ref", gettext_lazy("Reference"), lambda one: one.ref, order="ref"),
        Column("kind", gettext_lazy("Kind"), lambda one: str(one.get_kind_display()), order="kind"),
        Column("program", gettext_lazy("Program"), lambda one: one.program.name, order="program__name_ja"),
        Column(
            "year", gettext_lazy("Fiscal year"), lambda one: year_label(one.fiscal_year, language()),
            order="fiscal_year",
        ),
        Column("decision", gettext_lazy("Decision on the gate"), lambda one: one.decision_due_on, order="decision_due_on"),
        Column(
            "state", gettext_lazy("State"), lambda one: str(one.get_state_display()), order="state",
            pill=lambda one: tone_of(one),
        ),
    ),
    filters=(
        Filter(
            "state", gettext_lazy("State"), lambda state: Q(state=state),
            lambda user: [(state, str(label)) for state, label in Round.State.choices],
        ),
        Filter(
            "kind", gettext_lazy("Kind"), lambda kind: Q(kind=kind),
            lambda user: [(kind, str(label)) for kind, label in Round.Kind.choices],
        ),
    ),
    first_sort="-year",
)  # fmt: skip


@page(
    permission="round.list", params=ROUNDS.params, may=lambda user, _none: may_see_rounds(user),
    why=gettext_lazy("Evaluation rounds are for officers, directors, the secretariat, panels and auditors."),
)  # fmt: skip
def rounds_page(request: HttpRequest) -> HttpResponseBase:
    """This function will list the rounds that the reader may see, or hand the same view out as a file."""
    view = read_list(request, ROUNDS)
    if download := export(view):
        return download
    context = {
        "list": view,
        "programs": list(programs_for_rounds(request.user)),
        "shows_conflicts": may_see_conflicts(request.user),
        "is_sample": any(one.is_sample for one in view.items),
    }
    return render(request, "portal/rounds/list.html", context)


def find_round(user: Any, ref: str) -> Any:
    """This function will return the round with this reference, if the reader may see it."""
    return rounds_visible_to(user).filter(ref=ref)


def _may(act: str) -> Any:
    return lambda user, one: f"round.{act}" in round_actions(user, one)


def _trail(one: Round) -> list[tuple[str, str]]:
    return [(reverse("rounds"), _("Evaluation rounds")), (reverse("round", args=[one.ref]), one.name)]


@page(permission="round.view", find=find_round)
def round_page(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will show a round: where it stands, its calendar, what is asked for, who runs it, its subjects."""
    allowed = {act.removeprefix("round.") for act in round_actions(request.user, one)}
    today = localdate(clock(request))
    days = round_days(one)
    reviews = list(_reviews(request.user, one))
    context = {
        "round": one,
        "weighs": weighs(request.user, one, reviews),
        "state": tone_of(one),
        "allowed": allowed,
        "blockers": opening_blockers(one, clock(request)) if "open" in allowed else [],
        "steps": [_step(one, step, days, today) for step in STEPS],
        "days_off": bool(days_off(days)),
        "in_force_on": first_day_in_force(one),
        "contracts_missed": contracts_missed(one),
        "documents": list(one.documents.all()),
        "secretaries": list(one.secretaries.select_related("person", "granted_by__person", "approved_by__person")),
        "items": list(one.rubric.items.all()) if one.rubric else [],
        "reviews": [(review, subject_name(review)) for review in reviews],
        "cases": [(case, subject_name(case.gate_review)) for case in _cases(request.user, one)],
        "panel": panels_visible_to(request.user).filter(round=one).first(),
        "appointment": appointments_of(request.user).filter(panel__round=one).first()
        if may_be_invited(request.user)
        else None,
        "panel_ref": one.panel.ref if one.state in AFTER_FIRST else "",
        "entries": readable(history_of(one)) if "edit" in allowed or "clone" in allowed else [],
        "is_sample": one.is_sample,
        "me": getattr(request.user, "pk", None),
    }
    return render(request, "portal/rounds/page.html", context)


def _reviews(user: Any, one: Round) -> Any:
    return gate_reviews_visible_to(user).filter(round=one).order_by("project__ref", "pk")[:200]


def _cases(user: Any, one: Round) -> Any:
    return cases_visible_to(user).filter(panel__round=one)[:200]


def subject_name(review: GateReview) -> str:
    """This function will name what a gate review is about."""
    if review.project is not None:
        return project_label(review.project)
    return str((review.area or review.program).name)  # type: ignore[union-attr]


def _step(one: Round, step: str, days: Mapping[str, Any], today: Any) -> dict[str, Any]:
    return {
        "label": str(Round._meta.get_field(step).verbose_name),  # type: ignore[union-attr]
        "value": getattr(one, step),
        "is_instant": step.endswith("_at"),
        "is_past": step in days and days[step] < today,
        "is_off": step in days_off(days, [step]),
    }


# Writing --------------------------------------------------------------------------------------------------------------


def _round_form(request: HttpRequest, program: Program, initial: Mapping[str, Any]) -> RoundForm:
    year = fiscal_year_of(localdate(clock(request)))
    years = sorted({*range(year - 1, year + 5), *([initial["fiscal_year"]] if "fiscal_year" in initial else [])})
    return RoundForm(
        area_choices(program), gate_choices(program), years,
        data=request.POST if request.method == "POST" else None, initial=dict(initial),
    )  # fmt: skip


def find_program(user: Any, ref: str) -> Any:
    """This function will return the program with this reference, if the user makes its rounds."""
    return programs_for_rounds(user).filter(ref=ref)


@page(
    permission="round.make", find=find_program, methods=BOTH,
    may=lambda user, program: may_make_round(user, program.pk), why=NOT_YOURS,
)  # fmt: skip
def round_new(request: HttpRequest, program: Program) -> HttpResponseBase:
    """This function will take a new round of a program; its calendar is computed and can be changed afterwards."""
    today = localdate(clock(request))
    initial = {
        "kind": Round.Kind.STAGE_GATE, "fiscal_year": fiscal_year_of(today), "readers_per_case": 3,
        "cases_per_reader_min": 0, "cases_per_reader_max": 8, "quorum": 3, "objection_days": 14,
    }  # fmt: skip
    form = _round_form(request, program, initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.make_round(program, values=form.cleaned_data, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The round is made. Look at its calendar, then write its rubric."))
            return redirect("round", ref=made.ref)
    context = {
        "form": form, "heading": _("Make an evaluation round"), "program": program, "button": _("Make the round"),
        "trail": [(reverse("rounds"), _("Evaluation rounds"))], "back": reverse("rounds"),
        "is_sample": program.is_sample, "revision": None,
        "purpose": program.name,
    }  # fmt: skip
    return render(request, "portal/rounds/form.html", context, status=422 if request.method == "POST" else 200)


@page(permission="round.edit", find=find_round, may=_may("edit"), why=NOT_NOW, methods=BOTH)
def round_edit(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will take what a round in preparation is."""
    initial = {name: getattr(one, name) for name in actions.FIELDS}
    initial |= {"area": str(one.area_id or ""), "gate": str(one.gate_id or "")}
    form = _round_form(request, one.program, initial)
    return _write(request, one, form, actions.save_round, _("Change the round"), _("Save"))


@page(permission="round.edit", find=find_round, may=_may("edit"), why=NOT_NOW, methods=BOTH, params=("anchor", "day"))
def round_calendar(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will take the days of a round; they can be computed from the contracts or the decision first."""
    is_running = one.state != Round.State.DRAFTING
    initial: dict[str, Any] = {step: getattr(one, step) for step in STEPS}
    anchor = AnchorForm(data=request.GET if "day" in request.GET else None)
    computed = False
    if anchor.is_bound and anchor.is_valid():
        key = "decision_on" if anchor.cleaned_data["anchor"] == "decision" else "contracts_on"
        initial |= actions.proposed_days(**{key: anchor.cleaned_data["day"]})
        computed = True
    data = request.POST if request.method == "POST" else None
    form = CalendarForm(with_reason=is_running, data=data, initial=initial)

    def save(row: Round, *, values: Mapping[str, Any], **rest: Any) -> Any:
        return actions.save_calendar(row, values=values, reason=values.get("reason", ""), **rest)

    more = {"anchor": None if is_running else anchor, "computed": computed}
    return _write(request, one, form, save, _("Calendar of the round"), _("Save the calendar"), more)


def _write(
    request: HttpRequest, one: Round, form: Any, action: Any, heading: str, button: str, more: Mapping[str, Any] = {}
) -> HttpResponseBase:
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                action(
                    one, values=form.cleaned_data, revision=seen_revision(request), by=request.user, at=clock(request)
                )
            except NotAllowed:
                raise
            except StaleEdit as stale:
                form.refuse(stale)
                status = 409
            except Refused as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("It is saved."))
                return redirect("round", ref=one.ref)
    context = {
        "form": form, "heading": heading, "button": button, "trail": _trail(one), "is_sample": one.is_sample,
        "back": reverse("round", args=[one.ref]), "revision": one.revision, "purpose": one.name, **more,
    }  # fmt: skip
    return render(request, "portal/rounds/form.html", context, status=status)


@page(permission="round.edit", find=find_round, may=_may("edit"), why=NOT_NOW, methods=BOTH)
def round_documents(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will take the list of documents that a round asks of every subject."""
    saved = [
        {"name_ja": each.name_ja, "name_en": each.name_en, "note": each.note, "is_required": each.is_required}
        for each in one.documents.all()
    ]
    columns = {"name_ja": _("Name (ja)"), "name_en": _("Name (en)"), "note": _("Note")}
    data = request.POST if request.method == "POST" else None
    rows = RowsForm("document", columns, saved, data=data, longest=DOCUMENT_ROWS)
    optional = _optional(data, saved, len(rows.rows))
    if data is not None:
        found = [{**each, "is_required": f"optional-{n}" not in data} for n, each in enumerate(_all_rows(rows)) if each]
        if rows.is_good:
            try:
                actions.save_documents(one, documents=found, by=request.user, at=clock(request))  # type: ignore[arg-type]
            except NotAllowed:
                raise
            except Refused as refusal:
                rows.problem = str(refusal.message)
            else:
                messages.success(request, _("The list of documents is saved."))
                return redirect("round", ref=one.ref)
    context = {
        "rows": [{"cells": row, "is_optional": mark} for row, mark in zip(rows.rows, optional, strict=True)],
        "table": rows, "columns": list(columns.values()),
        "trail": _trail(one), "round": one, "is_sample": one.is_sample,
    }  # fmt: skip
    return render(request, "portal/rounds/documents.html", context, status=422 if data is not None else 200)


def _optional(data: Mapping[str, str] | None, saved: list[dict[str, Any]], count: int) -> list[bool]:
    if data is not None:
        return [f"optional-{n}" in data for n in range(count)]
    return [n < len(saved) and not saved[n]["is_required"] for n in range(count)]


def _all_rows(rows: RowsForm) -> list[dict[str, Any]]:
    """Every row in its place, the blank ones as nothing, so that a mark beside a row stays with it."""
    found = []
    for row in rows.rows:
        typed = {column: rows._read(column, cell) for column, cell in zip(rows.columns, row, strict=True)}
        blank = not any(cell.value.strip() for cell in row)
        if blank:
            for cell in row:
                cell.error = ""
        found.append({} if blank else typed)
    return found


# Acts -----------------------------------------------------------------------------------------------------------------


@page(permission="round.appoint", find=find_round, may=_may("appoint"), why=NOT_NOW, methods=BOTH)
def round_secretary(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will propose a person for the secretariat of the round."""
    form = SecretaryForm(
        secretariat_people(one, localdate(clock(request))), data=request.POST if request.method == "POST" else None
    )
    act = Act(
        heading=_("Who joins the evaluation secretariat?"), button=_("Propose the person"),
        done=_("Proposed. It counts once another officer approves it."),
        effects=[_("The secretariat prepares papers and chases; it never scores, recommends or decides.")],
        home=reverse("round", args=[one.ref]), trail=_trail(one),
    )  # fmt: skip
    return ask_once(request, one, actions.appoint_secretary, act, form=form)


@page(permission="round.appoint", find=find_round, may=_may("appoint"), why=NOT_NOW, methods=("POST",))
def round_secretary_approve(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will approve an appointment that a colleague proposed."""
    wanted = request.POST.get("secretary", "")
    if not wanted.isascii() or not wanted.isdecimal() or len(wanted) > 18:
        raise BadQuery(_("The form is incomplete. Open the page again."))
    secretary = one.secretaries.filter(pk=int(wanted)).first()
    if secretary is None:
        raise BadQuery(_("The form is incomplete. Open the page again."))
    try:
        actions.approve_secretary(secretary, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("The appointment is approved."))
    return redirect("round", ref=one.ref)


def _ask(request: HttpRequest, one: Round, action: Any, form: Any = None, to: Any = None, **words: Any) -> Any:
    act = Act(home=reverse("round", args=[one.ref]), trail=_trail(one), **words)
    return ask_once(request, one, action, act, form=form, to=to)


@page(permission="round.open", find=find_round, may=_may("open"), why=NOT_NOW, methods=BOTH)
def round_open(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will ask, then open the round."""
    late, by_day = first_day_in_force(one), contracts_missed(one)
    warned = []
    if late and by_day:
        words = {"day": date_text(late, language()), "contracts": date_text(by_day, language())}
        warned = [_("Decisions are in force on %(day)s at the earliest, after the contracts of %(contracts)s.") % words]
    return _ask(
        request, one, actions.open_round, heading=_("Open the round?"), button=_("Open the round"),
        done=_("The round is open. Call for the dossiers next."), blockers=opening_blockers(one, clock(request)),
        effects=[
            _("Name and documents stand from now on, the rubric from the first score."),
            _("The calendar can still be changed, with a reason."),
            _("Dossiers can be called for and members of the panel can be invited."),
            *warned,
        ],
    )  # fmt: skip


def _close(request: HttpRequest, one: Round, final: bool) -> Any:
    def action(row: Round, **rest: Any) -> Round:
        return actions.close_scores(row, final=final, **rest)

    words = (
        (_("Close the scores for good?"), _("Close the scores"), _("The scores are closed."))
        if final
        else (_("Close the first scores?"), _("Close the first scores"), _("The first scores are closed."))
    )
    return _ask(
        request, one, action, heading=words[0], button=words[1], done=words[2], is_danger=True,
        effects=[_("Nobody can change these scores afterwards. The timetable does this by itself at the closing time.")],
    )  # fmt: skip


@page(permission="round.close_first", find=find_round, may=_may("close_first"), why=NOT_NOW, methods=BOTH)
def round_close_first(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will close the first scores by hand, after their time."""
    return _close(request, one, final=False)  # type: ignore[no-any-return]


@page(permission="round.close_final", find=find_round, may=_may("close_final"), why=NOT_NOW, methods=BOTH)
def round_close_final(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will close the final scores by hand, after their time."""
    return _close(request, one, final=True)  # type: ignore[no-any-return]


@page(permission="round.close", find=find_round, may=_may("close"), why=NOT_NOW, methods=BOTH)
def round_close(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will close a round whose reviews are all released."""
    return _ask(
        request, one, actions.close_round, heading=_("Close the round?"), button=_("Close the round"),
        done=_("The round is closed."), is_danger=True,
        effects=[_("Members and secretariat lose their access 30 days later.")],
    )  # fmt: skip


@page(permission="round.clone", find=find_round, may=_may("clone"), why=NOT_NOW, methods=BOTH)
def round_clone(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will make a new round like this one."""
    first = actions.first_clone_year(one)
    years = range(first, first + 7)
    form = CloneForm(years, data=request.POST if request.method == "POST" else None)
    return _ask(  # type: ignore[no-any-return]
        request, one, actions.clone_round, form=form, to=lambda made: reverse("round", args=[made.ref]),
        heading=_("Make a round like this one?"), button=_("Make the round"), done=_("The new round is made."),
        effects=[
            _("Rubric (as a new version), documents and the spacing of the days come along."),
            _("Panel, secretariat and cases do not."),
        ],
    )  # fmt: skip


@page(permission="round.invalidate", find=find_round, may=_may("invalidate"), why=NOT_NOW, methods=BOTH)
def round_invalidate(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will ask why, then declare a round invalid."""
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return _ask(  # type: ignore[no-any-return]
        request, one, invalidate_round, form=form, heading=_("Declare the round invalid?"),
        button=_("Declare it invalid"), done=_("The round is invalid. Clone it to start anew."), is_danger=True,
        effects=[
            _("All of its cases and reviews become invalid; what was scored stays frozen and hidden."),
            _("A clone of the round starts anew with the same rubric and documents."),
        ],
    )  # fmt: skip
