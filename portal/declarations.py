"""Declarations of a round: the member's own form, who has declared what, the search for conflicts, the certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from evaluations.actions import declarations as actions
from evaluations.actions.conflict_detection import find_conflicts
from evaluations.actions.declarations import Answer
from evaluations.models import PanelMember, Round
from evaluations.queries.declarations import (
    CaseAsked,
    Matrix,
    admissions_of,
    cases_asked,
    certificate_cases,
    matrix,
    rounds_of_declarations,
)
from evaluations.rules.declarations import may_chase, may_give_reason, membership_of
from evaluations.states import ROUND_RUNNING
from portal.access import clock, page
from portal.acts import Act, ask_once
from portal.forms.declaration import CaseAnswerForm
from portal.forms.round import ReasonForm
from portal.rounds import find_round, subject_name

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy(
    "Declarations are for the panel's members, the secretariat, the chair, the ministry and the agency."
)
NOT_SIGNED = gettext_lazy("Only members of the panel sign the certificate.")
#: Where a member stands with a case.
STATES = {
    "none": gettext_lazy("no conflict"),
    "conflict": gettext_lazy("conflict declared"),
    "declared": gettext_lazy("declaration is there"),
    "missing": gettext_lazy("missing"),
    "stale": gettext_lazy("to be renewed"),
    "excluded": gettext_lazy("excluded"),
    "admitted": gettext_lazy("admitted"),
}
WAS = {
    "none": gettext_lazy("took part without a conflict"),
    "admitted": gettext_lazy("took part as admitted"),
    "left": gettext_lazy("left the room"),
}


@dataclass(slots=True)
class CaseShown:
    """One case of the form: name, facts, the live declaration, and the fields."""

    asked: CaseAsked
    name: str
    form: CaseAnswerForm

    @property
    def state(self) -> str:
        """Where the member stands with it."""
        live = self.asked.live
        if live is None:
            return "missing"
        return str(live.answer) if self.asked.is_fresh else "stale"

    @property
    def state_words(self) -> str:
        """The same in words."""
        return str(STATES[self.state])


def find_declared(user: Any, ref: str) -> Any:
    """This function will return the round with this reference, with what the reader is in it."""
    return rounds_of_declarations(user).filter(ref=ref)


@page(
    permission="declaration.list", find=find_declared, why=NOT_YOURS, methods=BOTH,
    may=lambda user, one: one.serves or one.overseen or may_give_reason(user, one),
)  # fmt: skip
def declarations_page(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will show a member the cases to declare on, and whoever only oversees the round who has declared."""
    member = membership_of(request.user, one)
    if request.method == "POST":
        if member is None:
            raise NotAllowed(_("Only members of the panel who have given the pledge declare conflicts."))
        return _declare(request, one, member)
    return _show(request, one, member, _cases(request, one, member)) if member else _members(request, one)


@page(permission="declaration.members", find=find_declared, why=NOT_YOURS, may=lambda user, one: one.overseen)
def declarations_members(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will show who oversees a round which member has declared what on which case."""
    return _members(request, one)


def _cases(request: HttpRequest, one: Round, member: PanelMember) -> list[CaseShown]:
    data = request.POST if request.method == "POST" else None
    shown = []
    for asked in cases_asked(request.user, one, member):
        form = CaseAnswerForm(data=data, prefix=asked.case.ref, initial={"fingerprint": asked.fingerprint})
        shown.append(CaseShown(asked, subject_name(asked.case.gate_review), form))
    return shown


def _declare(request: HttpRequest, one: Round, member: PanelMember) -> HttpResponseBase:
    shown = _cases(request, one, member)
    answers = {
        case.asked.case.ref: _answer(case.form) for case in shown if case.form.is_valid() and case.form.is_answered
    }
    error = ""
    if all(case.form.is_valid() for case in shown):
        try:
            made = actions.declare(one, answers=answers, by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            error = _put(refusal, shown)
        else:
            messages.success(request, _("%(count)s declarations are recorded.") % {"count": len(made)})
            return redirect("declarations", ref=one.ref)
    return _show(request, one, member, shown, error or _("Nothing was recorded. Correct what is marked."), status=422)


def _answer(form: CaseAnswerForm) -> Answer:
    return Answer(**{name: form.cleaned_data[name] for name in form.fields})


def _put(refusal: Refused, shown: list[CaseShown]) -> str:
    """Each reason beside its field; what has no field is returned for the top of the page."""
    forms = {case.asked.case.ref: case.form for case in shown}
    for blocker in refusal.blockers:
        ref, _dash, field = blocker.field.rpartition("-")
        if ref not in forms or field not in forms[ref].fields:
            return str(blocker.message)
        forms[ref].add_error(field, str(blocker.message))
        if blocker.code == "facts_changed":
            # The next attempt is made upon the facts that the page shows now.
            forms[ref].data = {**forms[ref].data.dict(), f"{ref}-fingerprint": forms[ref].initial["fingerprint"]}  # type: ignore[union-attr]
    return ""


def _show(
    request: HttpRequest, one: Round, member: PanelMember, shown: list[CaseShown], error: str = "", status: int = 200
) -> HttpResponse:
    certificate = getattr(member, "certificate", None)
    context = {
        "round": one,
        "cases": shown,
        "owed": sum(case.state in ("missing", "stale") for case in shown),
        "error": error,
        "certificate": certificate,
        "certified": _lines(certificate.cases) if certificate else [],
        "may_sign": certificate is None and actions.certificate_blocker(one, clock(request)) is None,
        "admissions": _admissions(request, one),
        "is_sample": one.is_sample,
    }
    return render(request, "portal/declarations/page.html", context, status=status)


def _members(request: HttpRequest, one: Any) -> HttpResponse:
    table = matrix(request.user, one) if one.overseen else Matrix([], [], False)
    context = {
        "round": one,
        "matrix": _matrix_shown(table),
        "owed": table.owed,
        "heads": [(case, subject_name(case.gate_review)) for case in table.cases],
        "certificates": _certificates(table),
        "may_chase": one.searched and one.state in ROUND_RUNNING,
        "asks_reason": not one.overseen,
        "admissions": _admissions(request, one),
        "is_sample": one.is_sample,
    }
    return render(request, "portal/declarations/members.html", context)


def _admissions(request: HttpRequest, one: Round) -> list[tuple[Any, str]]:
    return [(each, subject_name(each.case.gate_review)) for each in admissions_of(one, request.user)]


def _matrix_shown(table: Matrix) -> list[dict[str, Any]]:
    rows = []
    for row in table.rows:
        cells = []
        for cell in row.cells:
            # The ministry's staff know that there is a declaration, not what it says.
            state = "declared" if cell.state in ("none", "conflict") and not table.reads_words else cell.state
            words = cell.declaration if table.reads_words and cell.state in ("conflict", "admitted") else None
            cells.append({"state": state, "tone": "none" if state == "declared" else state, "words": STATES[state],
                          "since": cell.since, "declaration": words})  # fmt: skip
        rows.append({"member": row.member, "cells": cells, "owed": row.owed, "certificate": row.certificate})
    return rows


def _certificates(table: Matrix) -> list[dict[str, Any]]:
    seen = {case.ref for case in table.cases}
    return [
        {"row": row.certificate, "member": row.member, "lines": _lines(row.certificate.cases, seen)}
        for row in table.rows
        if row.certificate is not None
    ]


def _lines(cases: list[dict[str, Any]], seen: set[str] | None = None) -> list[tuple[str, Any]]:
    """The lines of a certificate; of cases that the reader oversees, and of conflicts by their reference."""
    return [
        (f"{one['title_ja']} ({one['ref']})" if one["title_ja"] else one["ref"], WAS[one["was"]])
        for one in cases
        if seen is None or not one["title_ja"] or one["ref"] in seen
    ]


def _trail(one: Round) -> list[tuple[str, str]]:
    return [
        (reverse("rounds"), _("Evaluation rounds")), (reverse("round", args=[one.ref]), one.name),
        (reverse("declarations", args=[one.ref]), _("Declarations of conflicts")),
    ]  # fmt: skip


def _act(one: Round, **words: Any) -> Act:
    return Act(home=reverse("declarations", args=[one.ref]), trail=_trail(one), **words)


@page(permission="declaration.reason", find=find_round, may=may_give_reason, why=NOT_YOURS, methods=BOTH)
def declarations_reason(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will ask why somebody reads the declarations of the round, once a round."""
    act = _act(
        one, heading=_("Why do you read the declarations of this round?"), button=_("Give the reason"),
        done=_("The reason is on record. It holds for the whole round."),
        effects=[_("Your name, the time and the reason stand in the journal.")],
    )  # fmt: skip
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return ask_once(request, one, actions.give_reason, act, form=form)


@page(permission="conflict.search", find=find_round, may=may_chase, why=NOT_YOURS, methods=BOTH)
def conflicts_search(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will search what is on record for conflicts between the panel and the cases."""
    act = _act(
        one, heading=_("Search for conflicts?"), button=_("Search"), done=_("The search is done."),
        effects=[
            _("Institutions, projects and joint publications on record are compared with the panel."),
            _("Each hit waits for a person who confirms or dismisses it; until then that case is closed to the member."),
            _("What was dismissed comes back only with evidence that is new."),
        ],
    )  # fmt: skip

    def search(row: Round, **how: Any) -> Any:
        count = find_conflicts(row, **how)
        messages.info(request, _("%(count)s hits are new.") % {"count": count})
        return row

    return ask_once(request, one, search, act)


@page(
    permission="certificate.sign", find=find_round, methods=BOTH, why=NOT_SIGNED,
    may=lambda user, one: membership_of(user, one) is not None,
)  # fmt: skip
def certificate_sign(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will show what a member certifies, then take the signature."""
    member = membership_of(request.user, one)
    assert member is not None  # the page's lock has asked
    statement = _("I took part only in what is listed here, and left the room where I had a conflict of interest.")
    lines = [f"{name}: {was}" for name, was in _lines(certificate_cases(member))]
    blocker = actions.certificate_blocker(one, clock(request))
    act = _act(
        one, heading=_("Sign the certificate on conflicts?"), button=_("Sign the certificate"),
        done=_("The certificate is signed."), effects=[statement, *lines], blockers=[blocker] if blocker else (),
    )  # fmt: skip

    def sign(row: Round, **how: Any) -> Any:
        return actions.sign_certificate(row, statement=statement, **how)

    return ask_once(request, one, sign, act)
