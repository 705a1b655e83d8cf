"""The finding on a case: its draft, the fact check, the opinions beside it, and the acts of secretariat and chair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.errors import NotAllowed, Refused, StaleEdit
from evaluations.actions import findings as actions
from evaluations.actions.fact_checks import resume_finding, send_fact_check, settle_correction
from evaluations.models import Case, DirectorOpinion, FactCorrection, Finding
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.findings import (
    OpinionRead,
    correction_of,
    director_opinions_of,
    fact_checks_of,
    finding_of,
    grades_of,
    minority_opinions_of,
    proposed_grade,
)
from evaluations.rules.findings import finding_actions, giving_blockers, sending_blockers
from evaluations.rules.score_sheets import must_give_reason
from portal.access import clock, not_found, page
from portal.acts import Act, ask_once
from portal.forms.hearing import DueForm, FindingForm, MinorityForm, SeenForm, SettleForm
from portal.forms.round import ReasonForm
from portal.journal import readable
from portal.plan_items import seen_revision
from portal.rounds import subject_name
from portal.texts import SavedText, TextState, save_text

BOTH = ("GET", "HEAD", "POST")
NOT_OPEN = gettext_lazy(
    "The discussion of this case is open to secretariat and chair from the first close of the scores, to the panel and "
    "the ministry's staff from the final close."
)
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the finding. Its page says who acts next.")
#: Who acts next in which state.
WAITING = {
    "": gettext_lazy("Nothing is written yet. The secretariat drafts the finding."),
    "drafting": gettext_lazy("The secretariat drafts it; the chair answers for it and gives it."),
    "checking": gettext_lazy("The project checks the facts."),
    "given": gettext_lazy("It is given. The ministry decides next."),
}


def find_case(user: Any, ref: str) -> Any:
    """This function will return the case with this reference, if the reader may know it."""
    return cases_visible_to(user).filter(ref=ref).select_related("panel__round__rubric")


def finding_acts(user: Any, case: Case) -> set[str]:
    """This function will return what the reader may do with the finding; worked out once a request."""
    kept = getattr(case, "_finding_acts", None)
    if kept is None:
        case._finding = finding_of(case)  # type: ignore[attr-defined]
        kept = case._finding_acts = finding_actions(user, case, case._finding)  # type: ignore[attr-defined]
    return kept  # type: ignore[no-any-return]


def may(act: str) -> Any:
    """This function will make the predicate of a page that needs this act."""
    return lambda user, case: act in finding_acts(user, case)


def finding_url(case: Case) -> str:
    """This function will return the address of a case's finding."""
    return reverse("finding", args=[case.ref])


def trail_of(case: Case) -> list[tuple[str, str]]:
    """This function will name the pages above the acts on a case."""
    one = case.panel.round
    return [
        (reverse("rounds"), _("Evaluation rounds")), (reverse("round", args=[one.ref]), one.name),
        (finding_url(case), subject_name(case.gate_review)),
    ]  # fmt: skip


def frame_of(case: Case) -> dict[str, Any]:
    """This function will return what every page of a case's discussion shows."""
    return {
        "case": case, "round": case.panel.round, "name": subject_name(case.gate_review), "is_sample": case.is_sample,
        "trail": trail_of(case),
    }  # fmt: skip


# The page -------------------------------------------------------------------------------------------------------------


def _opens(user: Any, case: Case) -> bool:
    return "finding.view" in finding_acts(user, case) or must_give_reason(user, case.panel.round)


@page(permission="finding.view", find=find_case, may=_opens, why=NOT_OPEN)
def finding_page(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will show the finding: where it stands, its words, the fact check, the opinions, what happened."""
    return _show(request, case)


def _show(request: HttpRequest, case: Case, opinion: SavedText | None = None, status: int = 200) -> HttpResponse:
    allowed = finding_acts(request.user, case)
    if "finding.view" not in allowed:
        context = {**frame_of(case), "asks_reason": True}
        return render(request, "portal/findings/closed.html", context)
    finding: Finding | None = case._finding  # type: ignore[attr-defined]
    directors = director_opinions_of(request.user, case)
    context = {
        **frame_of(case),
        "finding": finding,
        "state": finding.state if finding else "",
        "waiting_for": WAITING[finding.state if finding else ""],
        "allowed": {act.removeprefix("finding.") for act in allowed},
        "checks": fact_checks_of(finding) if finding else [],
        "directors": [one for one in directors if not one.is_own or "opinion.write" not in allowed],
        "opinion": (opinion or _opinion_text(case, directors)) if "opinion.write" in allowed else None,
        "minority": minority_opinions_of(request.user, case),
        "entries": readable(history_of(finding)) if finding else [],
        "today": localdate(clock(request)),
    }
    return render(request, "portal/findings/page.html", context, status=status)


# Writing --------------------------------------------------------------------------------------------------------------


@page(permission="finding.edit", find=find_case, may=may("finding.edit"), why=NOT_NOW, methods=BOTH)
def finding_edit(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will take the draft; somebody else's later version is shown beside what was typed."""
    finding: Finding | None = case._finding  # type: ignore[attr-defined]
    initial = {name: getattr(finding, name) for name in actions.FIELDS} if finding else {}
    initial["grade"] = str(finding.grade_id or "") if finding else ""
    data = request.POST if request.method == "POST" else None
    form = FindingForm(grades_of(case), proposed_grade(case), data=data, initial=initial)
    stale, status = None, 422 if data is not None else 200
    if data is not None and form.is_valid():
        try:
            actions.save_finding(
                case, values=form.cleaned_data, revision=seen_revision(request), by=request.user, at=clock(request)  # type: ignore[arg-type]
            )  # fmt: skip
        except StaleEdit as refusal:
            stale, status = refusal, 409
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The draft is saved."))
            return redirect(finding_url(case))
    context = {
        **frame_of(case), "form": form, "heading": _("Write the finding"), "button": _("Save the draft"),
        "back": finding_url(case), **_versions(request, form, finding, stale),
        "sheets_url": reverse("case_sheets", args=[case.ref]),
    }  # fmt: skip
    return render(request, "portal/findings/form.html", context, status=status)


def _versions(request: HttpRequest, form: Any, row: Any, stale: StaleEdit | None) -> dict[str, Any]:
    """The revision that a save stands on; where it was overtaken, both versions of each field that differs."""
    seen = request.POST.get("revision") or (row.revision if row is not None else 0)
    if stale is None:
        return {"revision": seen, "over": "", "stale": []}
    both = [
        (form.fields[name].label, getattr(stale.current, name) or "-", value or "-")
        for name, value in _typed_of(stale).items()
        if getattr(stale.current, name) != value
    ]
    return {"revision": seen, "over": stale.current.revision, "stale": both}


def _typed_of(stale: StaleEdit) -> Mapping[str, Any]:
    return stale.submitted if isinstance(stale.submitted, dict) else {"text": stale.submitted}


# Acts -----------------------------------------------------------------------------------------------------------------


def _ask(request: HttpRequest, case: Case, action: Any, form: Any = None, **words: Any) -> HttpResponseBase:
    return ask_once(request, case, action, Act(home=finding_url(case), trail=trail_of(case), **words), form=form)


def _seen(request: HttpRequest, finding: Finding) -> SeenForm:
    data = request.POST if request.method == "POST" else None
    return SeenForm(data=data, initial={"revision": finding.revision})


def _chairs(user: Any, case: Case) -> bool:
    acts = finding_acts(user, case)
    return "finding.give" in acts


@page(permission="finding.give", find=find_case, may=_chairs, why=NOT_NOW, methods=BOTH)
def finding_give(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will ask the chair once, then give the finding; the review counts as recommended from then on."""
    finding: Finding = case._finding  # type: ignore[attr-defined]
    finding.case = case
    grade = finding.grade.code if finding.grade else "-"
    return _ask(
        request, case, actions.give_finding, _seen(request, finding), heading=_("Give the finding?"),
        button=_("Give the finding"), done=_("The finding is given. The ministry's staff decide next."),
        blockers=giving_blockers(finding, proposed_grade(case), clock(request)),
        effects=[
            _("You answer for it in the panel's name: grade %(grade)s, recommendation “%(recommendation)s”.")
            % {"grade": grade, "recommendation": finding.get_recommendation_display()},
            _("Nobody can change it any more, unless you take it back before the decision."),
        ],
    )  # fmt: skip


@page(permission="finding.take_back", find=find_case, may=may("finding.take_back"), why=NOT_NOW, methods=BOTH)
def finding_take_back(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will ask why, then take the finding back while nothing is decided."""
    form = ReasonForm(data=request.POST if request.method == "POST" else None)
    return _ask(
        request, case, actions.take_back_finding, form, heading=_("Take the finding back?"),
        button=_("Take the finding back"), done=_("The finding is a draft again."), is_danger=True,
        effects=[_("The recommendation is taken back; the finding is drafted and given anew.")],
    )  # fmt: skip


@page(permission="finding.countersign", find=find_case, may=may("finding.countersign"), why=NOT_NOW, methods=BOTH)
def finding_countersign(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will ask the vice chair once, then countersign the version that stands."""
    finding: Finding = case._finding  # type: ignore[attr-defined]
    return _ask(
        request, case, actions.countersign_finding, _seen(request, finding), heading=_("Countersign this version?"),
        button=_("Countersign"), done=_("This version is countersigned."),
        effects=[_("A program director is in the chair. Every later change has to be countersigned again.")],
    )  # fmt: skip


@page(permission="finding.send", find=find_case, may=may("finding.send"), why=NOT_NOW, methods=BOTH)
def finding_send(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will take the day, then show the factual parts to the project."""
    data = request.POST if request.method == "POST" else None
    form = DueForm(data=data, initial={"due_on": case.panel.round.fact_check_due_on})
    return _ask(
        request, case, send_fact_check, form, heading=_("Show the draft to the project for its facts?"),
        button=_("Send the draft"), done=_("The project can answer on the facts."),
        blockers=sending_blockers(case._finding),  # type: ignore[attr-defined]
        effects=[
            _("Overall finding, strengths and remarks are shown to the project's investigator and HQ."),
            _("Grade, recommendation, conditions and everything about the panel stay hidden from them."),
            _("The draft is not written until the answer has come or the day has passed."),
        ],
    )  # fmt: skip


@page(permission="finding.resume", find=find_case, may=may("finding.resume"), why=NOT_NOW, methods=BOTH)
def finding_resume(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will take the draft up again after the day for the project's answer."""
    return _ask(
        request, case, resume_finding, heading=_("Take the draft up again?"), button=_("Take the draft up again"),
        done=_("The draft can be written again."),
        effects=[_("The day for the project's answer has passed. It can no longer answer.")],
    )  # fmt: skip


@page(permission="finding.settle", find=find_case, may=may("finding.settle"), why=NOT_NOW, methods=BOTH)
def correction_settle(request: HttpRequest, case: Case, correction: int) -> HttpResponseBase:
    """This function will take whether a correction of the project is taken over, with the reason."""
    found = correction_of(case, correction)
    if found is None:
        return not_found(request)
    form = SettleForm(
        data=request.POST if request.method == "POST" else None,
        initial={"outcome": found.outcome or FactCorrection.Outcome.TAKEN, "reason": found.reason},
    )

    def settle(_case: Case, **rest: Any) -> Any:
        return settle_correction(found, **rest)

    return _ask(
        request, case, settle, form, heading=_("Is this correction taken over?"), button=_("Put it on record"),
        done=_("It is on record."),
        effects=[
            _("The project wrote on “%(part)s”: %(text)s") % {"part": found.get_part_display(), "text": found.text},
            _("What is taken over has to be written into the draft as well."),
        ],
    )  # fmt: skip


# Opinions -------------------------------------------------------------------------------------------------------------


def _opinion_text(case: Case, directors: list[OpinionRead]) -> SavedText:
    mine = next((one.opinion for one in directors if one.is_own), None)
    return SavedText(
        url=reverse("director_opinion", args=[case.ref]), key=f"opinion-{case.ref}",
        label=_("Your opinion as program director"), limit=actions.LONGEST_OPINION, state=_opinion_state(mine), rows=8,
        help=_("It stands beside the panel's finding and is never part of it. The text saves itself while you write."),
    )  # fmt: skip


def _opinion_state(opinion: Any) -> TextState:
    if opinion is None:
        return TextState("", 0, None, "")
    return TextState(opinion.text, opinion.revision, opinion.saved_at, getattr(opinion, "author", ""))


@page(permission="opinion.write", find=find_case, may=may("opinion.write"), why=NOT_NOW, methods=("POST",))
def director_opinion(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will save the program director's opinion; in part of the page with htmx, else with a reload."""

    def save(text: str, revision: int) -> TextState:
        made: DirectorOpinion = actions.save_director_opinion(
            case, text=text, revision=revision, by=request.user, at=clock(request)  # type: ignore[arg-type]
        )  # fmt: skip
        return _opinion_state(made)

    shown = _opinion_text(case, director_opinions_of(request.user, case))
    return save_text(
        request, shown, save, _opinion_state, lambda one, status: _show(request, case, one, status),
        back_to=f"{finding_url(case)}#opinions",
    )  # fmt: skip


@page(
    permission="minority_opinion.write", find=find_case, may=may("minority_opinion.write"), why=NOT_NOW, methods=BOTH
)  # fmt: skip
def minority_opinion(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will take a reader's minority opinion, named to the panel only if wanted."""
    own = next((one.opinion for one in minority_opinions_of(request.user, case) if one.is_own), None)
    data = request.POST if request.method == "POST" else None
    initial = {"text": own.text, "is_named": getattr(own, "is_named", False)} if own else {}
    form = MinorityForm(data=data, initial=initial)
    stale, status = None, 422 if data is not None else 200
    if data is not None and form.is_valid():
        try:
            actions.save_minority_opinion(
                case, **form.cleaned_data, revision=seen_revision(request), by=request.user, at=clock(request)  # type: ignore[arg-type]
            )  # fmt: skip
        except StaleEdit as refusal:
            stale, status = refusal, 409
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Your minority opinion is saved."))
            return HttpResponseRedirect(f"{finding_url(case)}#opinions")
    context = {
        **frame_of(case), "form": form, "heading": _("Write a minority opinion"), "button": _("Save the opinion"),
        "back": finding_url(case), **_versions(request, form, own, stale),
    }  # fmt: skip
    return render(request, "portal/findings/form.html", context, status=status)
