"""Site visits of a project: the list with all advice, and one visit with its memo and the advice given there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from portal.access import BadQuery, clock, page
from portal.forms.director import ReasonForm
from portal.forms.plans import Refusable
from portal.forms.visit import AdviceForm, VisitForm
from portal.lists import as_download, csv_rows
from portal.projects import find_project, show_tab
from portal.texts import SavedText, TextState, save_text
from programs.actions import visits as actions
from programs.actions.advice import give_advice
from programs.models import Project, SiteVisit
from programs.queries import project_label
from programs.queries.visits import (
    advice_of_project,
    advice_of_visit,
    people_around,
    visits_of_project,
    visits_visible_to,
)
from programs.rules.visits import LONGEST_MEMO, may_visit

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("Visits and advice are kept by the program director, the officers and the ministry's staff.")


def find_visit(user: Any, ref: str) -> Any:
    """This function will return the visit with this reference, if the reader may see its project."""
    return visits_visible_to(user).filter(ref=ref)


def keeps(user: Any, visit: SiteVisit) -> bool:
    """This function will tell whether the user keeps this visit."""
    return may_visit(user, visit.project)


def done_by_form(form: Refusable, act: Callable[[], Any]) -> bool:
    """This function will call the action; what it refuses stands beside the field."""
    try:
        act()
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return False
    return True


# All of a project -----------------------------------------------------------------------------------------------------


@page(permission="project.view", find=find_project, params=("format",), methods=BOTH)
def project_visits(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show a project's visits and advice; who keeps them enters others; all advice as CSV."""
    may = may_visit(request.user, project)
    if request.method == "POST" and not may:
        raise NotAllowed(NOT_YOURS)
    if "format" in request.GET:
        return _csv(request, project)
    today, act = localdate(clock(request)), request.POST.get("act", "")
    forms: dict[str, Refusable] = {}
    if may:
        forms = {
            "visit": VisitForm(request.POST if act == "visit" else None, prefix="visit"),
            "advice": AdviceForm(
                people_around(project, today), data=request.POST if act == "advice" else None, prefix="advice"
            ),
        }
    bound = forms.get(act)
    if bound is not None and bound.is_valid() and (answer := _entered(request, project, act, bound)):
        return answer
    context = {
        "visits": visits_of_project(request.user, project),
        "advice": advice_of_project(request.user, project),
        "today": today,
        "forms": forms,
    }
    response = show_tab(request, project, "project_visits", context, template="portal/visits/list.html")
    if bound is not None:
        response.status_code = 422
    return response


def _entered(request: HttpRequest, project: Project, act: str, form: Refusable) -> HttpResponseBase | None:
    how: dict[str, Any] = {"by": request.user, "at": clock(request)}
    made: list[SiteVisit] = []
    if act == "visit":
        if done_by_form(form, lambda: made.append(actions.open_visit(project, **form.cleaned_data, **how))):
            messages.success(request, _("The visit is on record."))
            return redirect("visit", ref=made[0].ref)
    elif done_by_form(form, lambda: give_advice(project, **form.cleaned_data, **how)):
        messages.success(request, _("The advice is on record and waits for its owner."))
        return redirect("project_visits", ref=project.ref)
    return None


def _csv(request: HttpRequest, project: Project) -> HttpResponseBase:
    if request.GET["format"] != "csv":
        raise BadQuery(_("Choose CSV."))
    head = [
        _("Reference"), _("Advice"), _("Who follows it up"), _("To be done by"), _("State"), _("Given by"), _("Day of the visit"),
        _("What was done"), _("Note"),
    ]  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        for one in advice_of_project(request.user, project):
            yield [
                one.ref, one.text, one.owner.name, one.due_on.isoformat(), str(one.get_state_display()),
                str(one.given_by), one.visit.on.isoformat() if one.visit else "", one.answer, one.closing,
            ]  # fmt: skip

    response = StreamingHttpResponse(csv_rows(head, rows()), content_type="text/csv; charset=utf-8")
    return as_download(response, f"advice-{project.ref}.csv")


# One visit ------------------------------------------------------------------------------------------------------------


def memo_state(visit: SiteVisit) -> TextState:
    """This function will return the memo as it is kept."""
    return TextState(visit.memo, visit.revision, visit.saved_at, visit.saved_by)


def _memo(visit: SiteVisit) -> SavedText:
    return SavedText(
        url=reverse("visit_memo", args=[visit.ref]),
        key=visit.ref,
        label=_("Memo"),
        limit=LONGEST_MEMO,
        state=memo_state(visit),
        help=_("It saves itself while you write. The team reads it once you share it."),
    )


def _show(
    request: HttpRequest, visit: SiteVisit, *, memo: SavedText | None = None, form: AdviceForm | None = None, status: int = 200
) -> HttpResponse:  # fmt: skip
    today = localdate(clock(request))
    may = keeps(request.user, visit) and not visit.is_cancelled
    if may and form is None:
        form = AdviceForm(people_around(visit.project, today))
    writes = may and not visit.is_shared
    context = {
        "visit": visit,
        "project": visit.project,
        "label": project_label(visit.project),
        "advice": advice_of_visit(request.user, visit),
        "today": today,
        "may": may,
        "is_ahead": visit.on > today,
        "memo": (memo or _memo(visit)) if writes and visit.on <= today else None,
        "form": form if may else None,
        "is_sample": visit.is_sample,
    }
    return render(request, "portal/visits/page.html", context, status=status)


@page(permission="visit.view", find=find_visit, methods=BOTH)
def visit_page(request: HttpRequest, visit: SiteVisit) -> HttpResponseBase:
    """This function will show a visit, its memo and the advice given there; who keeps it adds advice."""
    if request.method != "POST":
        return _show(request, visit)
    if not keeps(request.user, visit):
        raise NotAllowed(NOT_YOURS)
    form = AdviceForm(people_around(visit.project, localdate(clock(request))), data=request.POST)
    how: dict[str, Any] = {"by": request.user, "at": clock(request)}
    if form.is_valid() and done_by_form(
        form, lambda: give_advice(visit.project, visit=visit, **form.cleaned_data, **how)
    ):
        messages.success(request, _("The advice is on record and waits for its owner."))
        return redirect("visit", ref=visit.ref)
    return _show(request, visit, form=form, status=422)


@page(permission="visit.edit", find=find_visit, may=keeps, why=NOT_YOURS, methods=("POST",))
def visit_memo(request: HttpRequest, visit: SiteVisit) -> HttpResponseBase:
    """This function will save the memo; in part of the page with htmx, else with a reload."""

    def save(text: str, revision: int) -> TextState:
        how: dict[str, Any] = {"by": request.user, "at": clock(request)}
        return memo_state(actions.save_memo(visit, text=text, revision=revision, **how))

    return save_text(
        request, _memo(visit), save, memo_state,
        lambda shown, status: _show(request, visit, memo=shown, status=status),
        back_to=f"{reverse('visit', args=[visit.ref])}#memo",
    )  # fmt: skip


# Acts -----------------------------------------------------------------------------------------------------------------


def _act(
    request: HttpRequest, visit: SiteVisit, form: Refusable, act: Callable[..., Any], words: dict[str, Any]
) -> HttpResponseBase:
    how: dict[str, Any] = {"by": request.user, "at": clock(request)}
    if (
        request.method == "POST"
        and form.is_valid()
        and done_by_form(form, lambda: act(visit, **form.cleaned_data, **how))
    ):
        messages.success(request, words["done"])
        return redirect("visit", ref=visit.ref)
    context = {
        "visit": visit, "project": visit.project, "label": project_label(visit.project), "form": form, **words,
        "is_sample": visit.is_sample,
    }  # fmt: skip
    return render(request, "portal/visits/act.html", context, status=422 if form.errors else 200)


def _given(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


@page(permission="visit.edit", find=find_visit, may=keeps, why=NOT_YOURS, methods=BOTH)
def visit_change(request: HttpRequest, visit: SiteVisit) -> HttpResponseBase:
    """This function will correct day, place and participants."""
    words = {
        "heading": _("Correct this visit"),
        "button": _("Save the visit"),
        "done": _("The visit was corrected."),
        "effects": [],
    }
    return _act(request, visit, VisitForm.of(visit, _given(request)), actions.change_visit, words)


@page(permission="visit.share", find=find_visit, may=keeps, why=NOT_YOURS, methods=BOTH)
def visit_share(request: HttpRequest, visit: SiteVisit) -> HttpResponseBase:
    """This function will ask once, then share the memo with the team."""
    words = {
        "heading": _("Share this memo with the team?"),
        "button": _("Share the memo"),
        "done": _("The memo is shared with the team."),
        "effects": [
            _("Everybody who may see the project reads the memo from now on."),
            _("The memo, the day, the place and the participants can never be changed after that."),
        ],
    }
    return _act(request, visit, Refusable(data=_given(request)), actions.share_memo, words)


@page(permission="visit.cancel", find=find_visit, may=keeps, why=NOT_YOURS, methods=BOTH)
def visit_cancel(request: HttpRequest, visit: SiteVisit) -> HttpResponseBase:
    """This function will cancel a visit that has no memo."""
    words = {
        "heading": _("Cancel this visit?"),
        "button": _("Cancel the visit"),
        "done": _("The visit was cancelled."),
        "effects": [_("It stays on record as cancelled, with your reason.")],
    }
    return _act(request, visit, ReasonForm(data=_given(request)), actions.cancel_visit, words)
