"""The gate board (`/gates/`), one gate review, and the call for dossiers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.errors import NotAllowed, Refused
from common.money import million
from evaluations.actions.dossiers import call_gate_reviews
from evaluations.models import Finding, GateDecision, GateReview, Round
from evaluations.queries.boards import progress_of
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.decisions import reviews_with_decision
from evaluations.queries.dossiers import addenda_of, board, documents_of, round_choices
from evaluations.queries.questions import is_questioned_team
from evaluations.queries.rounds import projects_to_call
from evaluations.rules.dossiers import Progress, dossier_actions, readiness, review_missing
from evaluations.rules.rounds import round_actions
from portal.access import clock, page
from portal.forms.plans import Refusable
from portal.journal import readable
from portal.lists import Column, Filter, ListSpec, export, read_list
from portal.rounds import NOT_NOW, find_round, subject_name
from programs.models import Project
from programs.queries import project_label

BOTH = ("GET", "HEAD", "POST")
#: Who acts next in which state.
WAITING = {
    "called": gettext_lazy("The project's team is writing the dossier."),
    "submitted": gettext_lazy("The program officer's confirmation is awaited."),
    "sealed": gettext_lazy("The dossier is sealed. The panel reviews it."),
    "recommended": gettext_lazy("The ministry's decision is awaited."),
    "decided": gettext_lazy("It is decided and not released yet."),
    "released": gettext_lazy("The decision is released."),
    "invalidated": gettext_lazy("This review is invalid."),
}


def state_label(review: GateReview) -> str:
    """This function will name the state as the reader of the board may know it."""
    return str(GateReview.State(review.seen_state).label)  # type: ignore[attr-defined]


def _ready(review: GateReview) -> str:
    there, whole = readiness(review)
    return f"{there}/{whole}"


def _fill(user: Any, reviews: list[GateReview]) -> None:
    known = progress_of(user, reviews)
    for review in reviews:
        review.progress = known[review.pk]  # type: ignore[attr-defined]


def _progress(review: GateReview) -> Progress:
    return review.progress  # type: ignore[attr-defined, no-any-return]


def _conflicts(review: GateReview) -> str:
    one = _progress(review)
    if one.unsettled:
        return _("%(count)s, %(open)s open") % {"count": one.conflicts + one.unsettled, "open": one.unsettled}
    return str(one.conflicts or "")


def _sheets(review: GateReview) -> str:
    one = _progress(review)
    return f"{one.sheets_in}/{one.readers}" if one.readers and one.sheets_in is not None else ""


def _spread(review: GateReview) -> str:
    spread = _progress(review).spread
    return f"{spread.mean} ({spread.lowest}-{spread.highest})" if spread else ""


def _recommendation(review: GateReview) -> str:
    one = _progress(review)
    words = str(Finding.Recommendation(one.recommendation).label) if one.recommendation else ""
    return " ".join(part for part in (one.grade, words) if part)


def _decision(review: GateReview) -> str:
    outcome = _progress(review).outcome
    return str(GateDecision.Outcome(outcome).label) if outcome else ""


def _at_stake(review: GateReview) -> str:
    yen = _progress(review).at_stake_yen
    return million(yen) if yen is not None else ""


BOARD = ListSpec(
    name="gates",
    rows=lambda user, query: board(user).filter(
        Q(ref__icontains=query) | Q(project__title_ja__icontains=query) | Q(project__ref__icontains=query)
        if query
        else Q()
    ),
    columns=(
        Column(
            "subject", gettext_lazy("Subject"), lambda one: subject_name(one), is_fixed=True,
            link=lambda one: reverse("gate_review", args=[one.ref]),
        ),
        Column(
            "state", gettext_lazy("State"), lambda one: state_label(one), order="seen_state",
            pill=lambda one: one.seen_state,
        ),
        Column("ready", gettext_lazy("Readiness"), _ready, bar=readiness),
        Column("conflicts", gettext_lazy("Conflicts"), _conflicts),
        Column("sheets", gettext_lazy("Score sheets in"), _sheets),
        Column("spread", gettext_lazy("Mean (lowest-highest)"), _spread),
        Column(
            "recommendation", gettext_lazy("Recommendation"), _recommendation,
            pill=lambda one: _progress(one).recommendation,
        ),
        Column("decision", gettext_lazy("Decision"), _decision, pill=lambda one: _progress(one).outcome),
        Column("money", gettext_lazy("Money at stake (million yen)"), _at_stake, is_number=True),
        Column("round", gettext_lazy("Round"), lambda one: one.round.name, order="round__name_ja", is_shown=False),
        Column(
            "due", gettext_lazy("Dossier due"), lambda one: one.round.dossier_due_on, order="round__dossier_due_on",
            is_shown=False,
        ),
        Column("ref", gettext_lazy("Reference"), lambda one: one.ref, order="ref", is_shown=False),
    ),
    fill=_fill,
    filters=(
        Filter(
            "round", gettext_lazy("Round"), lambda ref: Q(round__ref=ref),
            lambda user: [(one.ref, one.name) for one in round_choices(user)],
        ),
        Filter(
            "state", gettext_lazy("State"), lambda state: Q(seen_state=state),
            lambda user: [(state, str(label)) for state, label in GateReview.State.choices],
        ),
    ),
    first_sort="-due",
)  # fmt: skip


@page(permission="gate_review.list", params=BOARD.params)
def gates_page(request: HttpRequest) -> HttpResponseBase:
    """This function will show the gate board: each review with what is there, what is missing, and who owes it."""
    view = read_list(request, BOARD)
    if download := export(view):
        return download
    today = localdate(clock(request))
    rows = []
    for review in view.items:
        there, whole = readiness(review)
        missing = review_missing(review, review.seen_state, _progress(review))
        late = any(one.due_on is not None and one.due_on < today for one in missing)
        rows.append((review, subject_name(review), there, whole, missing, late))
    context = {
        "list": view,
        "rows": [row for row in rows if row[4]],
        "is_sample": any(one.is_sample for one in view.items),
        "today": today,
    }
    return render(request, "portal/gates/board.html", context)


def find_review(user: Any, ref: str) -> Any:
    """This function will return the gate review with this reference, if the reader may see it."""
    return board(user).filter(ref=ref)


@page(permission="gate_review.view", find=find_review)
def gate_review_page(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will show a review: what it is, where it stands, what is missing, what can be done, its history."""
    allowed = dossier_actions(request.user, review)
    state = review.seen_state  # type: ignore[attr-defined]
    there, whole = readiness(review)
    progress = progress_of(request.user, [review])[review.pk]
    context = {
        "review": review,
        "name": subject_name(review),
        "state": state,
        "state_label": state_label(review),
        "waiting_for": WAITING[state],
        "missing": review_missing(review, state, progress),
        "there": there,
        "whole": whole,
        "allowed": {act.partition(".")[2] for act in allowed if act.startswith("dossier.")},
        "documents": documents_of(review.dossier) if "dossier.read" in allowed else [],
        "addenda": addenda_of(review.dossier) if "dossier.read" in allowed else [],
        "entries": readable(history_of(review)) if "gate_review.progress" in allowed else [],
        "has_decision": reviews_with_decision(request.user).filter(pk=review.pk).exists(),
        "discussion": _discussion(request.user, review),
        "is_sample": review.is_sample,
        "today": localdate(clock(request)),
    }
    return render(request, "portal/gates/page.html", context)


def _discussion(user: Any, review: GateReview) -> list[tuple[str, Any]]:
    """The pages around the hearing: the team's own, or the case's for whoever knows the case."""
    if review.state in ("called", "submitted"):
        return []
    if is_questioned_team(user, review):
        pages = (("review_questions", _("Written questions")), ("fact_check", _("Fact check")))
        own = [*pages, ("review_comments", _("Comments of the panel"))]
        return [(reverse(name, args=[review.ref]), label) for name, label in own]
    case = cases_visible_to(user).filter(gate_review=review).order_by("-number").first()
    if case is None:
        return []
    shown = (("case_questions", _("Written questions")), ("finding", _("Finding")))
    return [(reverse(name, args=[case.ref]), label) for name, label in shown]


# The call -------------------------------------------------------------------------------------------------------------


class CallForm(Refusable):
    """Which projects are called."""

    projects = forms.MultipleChoiceField(
        label=gettext_lazy("Projects"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one project.")},
    )  # fmt: skip

    def __init__(self, projects: list[Project], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._projects = {str(one.pk): one for one in projects}
        choose: Any = self.fields["projects"]
        choose.choices = [(key, project_label(one)) for key, one in self._projects.items()]

    def clean_projects(self) -> list[Project]:
        """This function will return the projects themselves."""
        return [self._projects[key] for key in self.cleaned_data["projects"]]


def _may_call(user: Any, one: Round) -> bool:
    return "round.edit" in round_actions(user, one) and one.state == Round.State.OPEN


@page(permission="round.call", find=find_round, may=_may_call, why=NOT_NOW, methods=BOTH)
def round_call(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will take which projects are called for a dossier in this round."""
    projects = projects_to_call(request.user, one)
    form = CallForm(projects, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = call_gate_reviews(one, form.cleaned_data["projects"], by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("%(count)s dossiers are called for.") % {"count": len(made)})
            return redirect("round", ref=one.ref)
    context = {"form": form, "round": one, "projects": projects, "is_sample": one.is_sample}
    return render(request, "portal/gates/call.html", context, status=422 if request.method == "POST" else 200)
