"""All sheets of a case side by side, to whom may read them; a sheet returned with a reason; the reason for reading."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evaluations.actions import score_sheets as actions
from evaluations.models import Case, ScoreSheet
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.score_sheets import CaseSheets, case_sheets, sheets_listed_to
from evaluations.rules.score_sheets import may_list_sheets, may_return, must_give_reason
from portal.access import clock, page
from portal.acts import Act, ask_once
from portal.forms.round import ReasonForm
from portal.rounds import subject_name

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy(
    "Sheets are shown to the case's readers once their own is in, to the chair and to who runs the round."
)
NOT_NOW = gettext_lazy("A sheet that is in is returned by the chair or the secretariat, until the scores close.")


def find_case(user: Any, ref: str) -> Any:
    """This function will return the case with this reference, if the reader may know it."""
    return cases_visible_to(user).filter(ref=ref).select_related("panel__round__rubric")


def _trail(case: Case) -> list[tuple[str, str]]:
    return [(reverse("case_sheets", args=[case.ref]), subject_name(case.gate_review))]


@page(permission="sheet.list", find=find_case, may=may_list_sheets, why=NOT_YOURS)
def case_sheets_page(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will show who has handed in, and what may be read: first and final scores, spread, comments."""
    found: CaseSheets = case_sheets(request.user, case)
    at = clock(request)
    context = {
        "case": case,
        "round": case.panel.round,
        "name": subject_name(case.gate_review),
        "found": found,
        "returnable": found.shown and may_return(request.user, case, at),
        "asks_reason": must_give_reason(request.user, case.panel.round),
        "is_sample": case.is_sample,
    }
    return render(request, "portal/reviews/sheets.html", context)


@page(
    permission="sheet.reason",
    find=find_case,
    methods=BOTH,
    may=lambda user, case: must_give_reason(user, case.panel.round),
)
def sheets_reason(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will ask why somebody reads the sheets of the round, once a round."""
    home = reverse("case_sheets", args=[case.ref])
    act = Act(
        heading=_("Why do you read the score sheets of this round?"), button=_("Give the reason"),
        done=_("The reason is on record. It holds for all cases of the round."), home=home, trail=_trail(case),
        effects=[
            _("Your name, the time and the reason stand in the journal."),
            _("The sheets open to you when the round has reached the step from which you may read them."),
        ],
    )  # fmt: skip
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, case.panel.round, actions.give_reading_reason, act, form=form)


def find_sheet(user: Any, ref: str) -> Any:
    """This function will return the sheet with this reference, if the reader may know that it exists."""
    return sheets_listed_to(user).filter(ref=ref)


@page(
    permission="sheet.return", find=find_sheet, methods=BOTH, why=NOT_NOW,
    may=lambda user, sheet: may_return(user, sheet.assignment.case, None),
)  # fmt: skip
def sheet_return(request: HttpRequest, sheet: ScoreSheet) -> HttpResponseBase:
    """This function will ask why, then send a sheet back to its reader."""
    case = sheet.assignment.case
    act = Act(
        heading=_("Return the sheet of %(name)s?") % {"name": sheet.assignment.member.person.name},
        button=_("Return the sheet"), done=_("The sheet was returned with your reason."),
        home=reverse("case_sheets", args=[case.ref]), trail=_trail(case), is_danger=True,
        effects=[
            _("The reader sees the reason and hands the sheet in again."),
            _("You cannot change what it says; the scores stand until the reader changes them."),
        ],
    )  # fmt: skip
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, sheet, actions.return_sheet, act, form=form)
