"""Directors, officers and deputies of an area over time: proposed by one officer, approved by another, ended early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from portal.access import clock, not_found, page
from portal.forms.director import DeputyForm, EndForm, ReasonForm, TermForm
from portal.forms.plans import Refusable
from programs import queries
from programs.actions import directors as actions
from programs.models import ResearchArea
from programs.queries.directors import AreaTerms, TermRow, term_of_area, term_row, terms_of_area
from programs.rules.directors import may_appoint

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("Only ministry staff of the program appoint its directors.")


def find_area(user: Any, ref: str) -> Any:
    """This function will return the area with this reference, if the reader may see it."""
    return queries.areas_visible_to(user).filter(ref=ref).select_related("program")


def _forms(terms: AreaTerms, request: HttpRequest) -> dict[str, Refusable]:
    act = request.POST.get("act", "")

    def data(name: str) -> Any:
        return request.POST if name == act else None

    forms: dict[str, Refusable] = {
        "director": TermForm(data=data("director"), prefix="director"),
        "officer": TermForm(data=data("officer"), prefix="officer"),
    }
    if terms.to_stand_in_for:
        forms["deputy"] = DeputyForm(terms.to_stand_in_for, data=data("deputy"), prefix="deputy")
    return forms


@page(permission="area.view", find=find_area, methods=BOTH)
def area_people(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will show who directs, supports and stands in over time; the program's staff propose terms."""
    may = may_appoint(request.user, area)
    if request.method == "POST" and not may:
        raise NotAllowed(NOT_YOURS)
    terms = terms_of_area(area, localdate(clock(request)), appoints=may)
    forms = _forms(terms, request) if may else {}
    bound = forms.get(request.POST.get("act", ""))
    if bound is not None and bound.is_valid() and _proposed(request, area, bound):
        messages.success(request, _("The term is proposed. It counts once a second officer has approved it."))
        return redirect("area_people", ref=area.ref)
    context = {
        "area": area,
        "terms": terms,
        "forms": forms,
        "may": may,
        "handed_over": _handed_over(terms, request.user, may),
        "is_sample": area.is_sample,
    }
    return render(request, "portal/directors/page.html", context, status=422 if bound is not None else 200)


def _handed_over(terms: AreaTerms, user: Any, may: bool) -> set[str]:
    """The terms to whose hand-over the page links: all for the staff, else one's own and those one follows."""
    rows = [row for row in terms if row.standing != "proposed"]
    if may:
        return {row.key for row in rows}
    mine = [row for row in rows if row.term.person_id == user.person_id]
    own = {row.key for row in mine}
    followed = {
        row.key
        for row in rows
        for one in mine
        if one.standing != "ended" and one.kind == row.kind and one.term.starts_on > row.term.starts_on
    }
    return own | followed


def _proposed(request: HttpRequest, area: ResearchArea, form: Refusable) -> bool:
    """One call to the action; what it refuses stands beside the field."""
    typed, how = dict(form.cleaned_data), {"by": request.user, "at": clock(request)}
    try:
        if isinstance(form, DeputyForm):
            actions.propose_deputy(typed.pop("role"), typed.pop("person"), **typed, **how)
        else:
            propose = actions.propose_director if form.prefix == "director" else actions.propose_officer
            propose(area, typed.pop("person"), **typed, **how)
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return False
    return True


# Acts on one term -----------------------------------------------------------------------------------------------------


@page(permission="area.appoint_director", find=find_area, why=NOT_YOURS, methods=("POST",))
def term_approve(request: HttpRequest, area: ResearchArea, kind: str, pk: int) -> HttpResponseBase:
    """This function will approve a proposed term as the second person."""
    term = term_of_area(area, kind, pk)
    if term is None:
        return not_found(request)
    try:
        actions.approve_term(term, by=request.user, at=clock(request))  # type: ignore[arg-type, type-var]
    except NotAllowed:
        raise
    except Refused as refusal:
        for blocker in refusal.blockers:
            messages.error(request, blocker.message)
    else:
        messages.success(request, _("The term is approved and counts from its first day on."))
    return redirect("area_people", ref=area.ref)


def _act(
    request: HttpRequest, area: ResearchArea, row: TermRow, form: Refusable, act: Callable[..., Any], words: dict[str, Any]
) -> HttpResponseBase:  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            act(row.term, **form.cleaned_data, by=request.user, at=clock(request))
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, words["done"])
            return redirect("area_people", ref=area.ref)
    return _ask(request, area, row, form, words)


def _ask(
    request: HttpRequest, area: ResearchArea, row: TermRow, form: Refusable, words: dict[str, Any]
) -> HttpResponse:
    context = {"area": area, "row": row, "form": form, **words, "is_sample": area.is_sample}
    return render(request, "portal/directors/act.html", context, status=422 if form.errors else 200)


@page(permission="area.appoint_director", find=find_area, why=NOT_YOURS, methods=BOTH)
def term_end(request: HttpRequest, area: ResearchArea, kind: str, pk: int) -> HttpResponseBase:
    """This function will end a term early with its reason."""
    term = term_of_area(area, kind, pk)
    if term is None:
        return not_found(request)
    row = term_row(kind, term, localdate(clock(request)))
    words = {
        "heading": _("End this term?"),
        "button": _("End the term"),
        "done": _("The term ends on the day you entered."),
        "effects": [
            _("The rights of the role end with the last day."),
            _("Deputies for this role end with it."),
            _("A longer term is a new one: propose it from the day after."),
        ],
    }
    return _act(request, area, row, EndForm(data=request.POST or None), actions.end_term, words)


@page(permission="area.appoint_director", find=find_area, why=NOT_YOURS, methods=BOTH)
def term_take_back(request: HttpRequest, area: ResearchArea, kind: str, pk: int) -> HttpResponseBase:
    """This function will take back a term that was never approved or has not begun."""
    term = term_of_area(area, kind, pk)
    if term is None:
        return not_found(request)
    row = term_row(kind, term, localdate(clock(request)))
    words = {
        "heading": _("Take this term back?"),
        "button": _("Take the term back"),
        "done": _("The term was taken back. The journal keeps it."),
        "effects": [_("The term never counts; the days are free for somebody else.")],
    }
    return _act(request, area, row, ReasonForm(data=request.POST or None), actions.take_back_term, words)
