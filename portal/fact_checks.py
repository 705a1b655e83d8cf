"""The project's fact check: the parts of the draft as they were sent, and the team's answer on the facts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from evaluations.actions.fact_checks import PARTS, answer_fact_check
from evaluations.models import FactCheck, FactCorrection, GateReview
from evaluations.queries.findings import fact_checks_visible_to
from evaluations.queries.rounds import gate_reviews_visible_to
from evaluations.rules.fact_checks import may_answer
from evaluations.rules.questions import may_answer as is_of_team
from portal.access import clock, page
from portal.forms.hearing import AnswerForm
from portal.rounds import subject_name

BOTH = ("GET", "HEAD", "POST")
NOT_TEAM = gettext_lazy("The facts of a draft are checked by the project's principal investigator and its HQ.")


def find_review(user: Any, ref: str) -> Any:
    """This function will return the gate review with this reference, if the reader may see it."""
    return gate_reviews_visible_to(user).filter(ref=ref)


@page(permission="fact_check.answer", find=find_review, may=is_of_team, why=NOT_TEAM, methods=BOTH)
def fact_check_page(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will show what was sent to the team, and take its answer until the end of the day."""
    checks = list(fact_checks_visible_to(request.user).filter(finding__case__gate_review=review))
    check = checks[0] if checks else None
    at = clock(request)
    is_open = check is not None and may_answer(request.user, check, at)
    form, status = None, 200
    if check is not None and (is_open or request.method == "POST"):
        form = AnswerForm(_parts(check), data=request.POST if request.method == "POST" else None)
    if request.method == "POST":
        status = 422
        if check is not None and form is not None and form.is_valid():
            typed = dict(form.cleaned_data)
            try:
                answer_fact_check(
                    check, has_no_errors=typed.pop("has_no_errors"), corrections=typed, by=request.user, at=at  # type: ignore[arg-type]
                )  # fmt: skip
            except NotAllowed:
                raise
            except Refused as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("The answer is on record. The secretariat goes through it."))
                return redirect("fact_check", ref=review.ref)
    context = {
        "review": review,
        "name": subject_name(review),
        "check": check,
        "parts": [(FactCorrection.Part(part).label, getattr(check, part)) for part in _parts(check)] if check else [],
        "earlier": checks[1:],
        "form": form,
        "is_open": is_open,
        "is_released": review.state == GateReview.State.RELEASED,
        "today": localdate(at),
        "is_sample": review.is_sample,
    }
    return render(request, "portal/gates/fact_check.html", context, status=status)


def _parts(check: FactCheck) -> list[str]:
    """The parts that have words; on an empty part there is nothing to correct."""
    return [part for part in PARTS if getattr(check, part)]
