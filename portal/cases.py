"""Cases: their documents are opened, and a case can be declared invalid and reviewed anew."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evaluations.actions import cases as actions
from evaluations.models import Case
from evaluations.queries.cases import cases_visible_to
from evaluations.rules.cases import case_actions, case_blockers
from portal.access import page
from portal.acts import Act, ask_once
from portal.forms.round import ReasonForm
from portal.rounds import subject_name

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the case.")


def find_case(user: Any, ref: str) -> Any:
    """This function will return the case with this reference, if the reader may know it."""
    return cases_visible_to(user).filter(ref=ref)


def _may(act: str) -> Any:
    return lambda user, case: f"case.{act}" in case_actions(user, case)


def _act(case: Case, **words: Any) -> Act:
    one = case.panel.round
    home = reverse("round", args=[one.ref])
    return Act(home=home, trail=[(reverse("rounds"), _("Evaluation rounds")), (home, one.name)], **words)


@page(permission="case.open_documents", find=find_case, may=_may("open_documents"), why=NOT_NOW, methods=BOTH)
def case_open(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will ask, then open the documents of a case."""
    act = _act(
        case, heading=_("Open the documents of “%(name)s”?") % {"name": subject_name(case.gate_review)},
        button=_("Open the documents"), done=_("The documents are open to everybody without a conflict."),
        effects=[_("Members who have declared no conflict read the sealed dossier and score it.")],
        blockers=case_blockers(case),
    )  # fmt: skip
    return ask_once(request, case, actions.open_documents, act)


@page(permission="case.invalidate", find=find_case, may=_may("invalidate"), why=NOT_NOW, methods=BOTH)
def case_invalidate(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will ask why, then declare a case invalid and review its subject anew."""
    act = _act(
        case, heading=_("Review “%(name)s” anew?") % {"name": subject_name(case.gate_review)},
        button=_("Declare the case invalid"), done=_("The case is invalid. A new one is before the panel."),
        effects=[
            _("What was scored in this case stays frozen and hidden."),
            _("A new case starts with declarations and assignment; a recommendation is taken back."),
        ],
        is_danger=True,
    )  # fmt: skip
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, case, actions.invalidate_case, act, form=form)
