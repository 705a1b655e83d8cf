"""One case of an assignment: its readers and who else could read it, each change with its effect; a reader who declines."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from evaluations.actions import assignments as actions
from evaluations.models import Assignment, Case
from evaluations.queries.assignment_tables import candidates, case_lines, removals
from evaluations.queries.assignments import (
    WHOLE,
    Seating,
    assignments_to_decline,
    cases_overseen_by,
    cases_with_readers,
    seating_of,
)
from evaluations.rules.assignments import may_assign_case, may_decline
from portal.access import BadQuery, clock, page
from portal.acts import Act, ask_once
from portal.assignment_words import told_of
from portal.assignments import NOT_YOURS, trail
from portal.forms.round import ReasonForm
from portal.rounds import subject_name

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("A case can be declined by its reader, while the round is open and no sheet is handed in.")
MOST_CANDIDATES = 60


def find_case(user: Any, ref: str, case: str) -> Any:
    """This function will return a case of the panel whose readers the user may know."""
    return cases_with_readers(user).filter(panel__ref=ref, ref=case)


@page(permission="assignment.view", find=find_case, key=("ref", "case"), methods=BOTH)
def assignment_case(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will show a case's readers and who else could read it, and change them by hand."""
    seating = seating_of(case.panel, cases_overseen_by(request.user, case.panel))
    error = ""
    if request.method == "POST":
        try:
            done = _change(request, case, seating)
        except NotAllowed:
            raise
        except Refused as refusal:
            error = str(refusal.message)
        else:
            messages.success(request, done)
            return HttpResponseRedirect(request.path)
    found = [(one, told_of(one.effect)) for one in candidates(seating, case) if one.why_not != "reads"]
    context = {
        "panel": case.panel,
        "trail": trail(case.panel),
        "case": case,
        "name": subject_name(case.gate_review),
        "line": case_lines(seating)[seating.case_at[case.pk]],
        "free": [row for row in found if row[0].why_not in ("", WHOLE)][:MOST_CANDIDATES],
        "closed": [row for row in found if row[0].why_not not in ("", WHOLE)],
        "is_whole": any(row[0].why_not == WHOLE for row in found),
        "removals": {key: told_of(one) for key, one in removals(seating, case).items()},
        "roles": Assignment.Role.choices,
        "closed_words": actions.reasons(),
        "may_assign": may_assign_case(request.user, case),
        "error": error,
        "is_sample": case.is_sample,
    }
    return render(request, "portal/assignments/case.html", context, status=422 if error else 200)


def _change(request: HttpRequest, case: Case, seating: Seating) -> str:
    """Do what one of the page's buttons asks for, and say what it did."""
    if not may_assign_case(request.user, case):
        raise NotAllowed(NOT_YOURS)
    act, who = request.POST.get("act", ""), {"by": request.user, "at": clock(request)}
    if act == "add":
        member = next((one for one in seating.members if one.ref == request.POST.get("member")), None)
        if member is None:
            raise Refused(_("Choose a member who serves on this panel."), "not_serving", "member")
        effect = next(one.effect for one in candidates(seating, case) if one.member == member)
        actions.add_reader(case, member=member, role=request.POST.get("role", ""), **who)  # type: ignore[arg-type]
        return _("%(name)s was added: %(effect)s.") % {"name": member.person.name, "effect": "、".join(told_of(effect))}
    row = next((o for o in seating.standing if o.case_id == case.pk and o.ref == request.POST.get("reader")), None)
    if row is None:
        raise Refused(_("This person does not read the case any more. Open the page again."), "over")
    row.case = case
    if act in ("pin", "unpin"):
        actions.pin_reader(row, is_pinned=act == "pin", **who)  # type: ignore[arg-type]
        return _("The reader stays in the next proposal.") if act == "pin" else _("The next proposal may choose anew.")
    if act == "role":
        actions.set_role(row, role=request.POST.get("role", ""), **who)  # type: ignore[arg-type]
        return _("The role was changed.")
    if act == "remove":
        told = told_of(removals(seating, case)[row.pk]) if row.member_id in seating.member_at else []
        actions.remove_reader(row, reason=request.POST.get("reason", ""), **who)  # type: ignore[arg-type]
        return _("%(name)s was taken off: %(effect)s.") % {"name": row.member.person.name, "effect": "、".join(told)}
    raise BadQuery(_("The form is incomplete. Open the page again."))


# The reader -----------------------------------------------------------------------------------------------------------


def find_own(user: Any, ref: str) -> Any:
    """This function will return the reader's own assignment on this case."""
    return assignments_to_decline(user).filter(case__ref=ref)


@page(permission="review.decline", find=find_own, may=may_decline, why=NOT_NOW, methods=BOTH)
def review_decline(request: HttpRequest, assignment: Assignment) -> HttpResponseBase:
    """This function will ask why, then let a reader decline a case."""
    case = assignment.case
    name = subject_name(case.gate_review)
    home = reverse("reviews")
    act = Act(
        heading=_("Decline to read “%(name)s”?") % {"name": name}, button=_("Decline the case"),
        done=_("You declined the case. The chair finds somebody else."), home=home,
        trail=[(home, _("My reviews"))], is_danger=True,
        effects=[
            _("The case leaves your desk; what you wrote on its sheet is kept but does not count."),
            _("The chair sees your reason and has a replacement proposed. It is not published."),
            _("If you have a conflict of interest with the case, declare it as well."),
        ],
    )  # fmt: skip
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, assignment, actions.decline_assignment, act, form=form)
