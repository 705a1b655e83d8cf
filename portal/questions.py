"""Written questions before the hearing: the panel's side by case, the project's side by gate review."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from evaluations.actions import questions as actions
from evaluations.models import Answer, Case, GateReview
from evaluations.queries.questions import TeamQuestion, case_questions, is_questioned_team, team_questions
from evaluations.rules.questions import is_late, may_answer, question_actions
from portal.access import clock, not_found, page
from portal.acts import Act, ask_once
from portal.fact_checks import find_review
from portal.findings import find_case, frame_of
from portal.forms.hearing import QuestionForm
from portal.rounds import subject_name
from portal.texts import SavedText, TextState, save_text

BOTH = ("GET", "HEAD", "POST")
NOT_ASKER = gettext_lazy("Questions are asked by the panel's members while the case is under review.")
NOT_SECRETARY = gettext_lazy("The round's secretariat sends the questions on while the case is under review.")
NOT_TEAM = gettext_lazy("Written questions are answered by the project's principal investigator and its HQ.")


# The panel's side -----------------------------------------------------------------------------------------------------


@page(permission="question.view", find=find_case)
def case_questions_page(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will show the questions of a case with the answers that are given, as far as the reader may know."""
    return _show(request, case, QuestionForm())


def _show(
    request: HttpRequest, case: Case, form: QuestionForm, *, errors: dict[str, str] | None = None, error: str = "",
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    allowed = question_actions(request.user, case)
    found = case_questions(request.user, case, clock(request))
    one = case.panel.round
    waiting = [each for each in found if each.question.sent_at is None and not each.question.left_out_reason]
    context = {
        **frame_of(case),
        "sent": [each for each in found if each.question.sent_at],
        "left_out": [each for each in found if each.question.left_out_reason],
        "waiting": [
            (
                each,
                request.POST.get(f"text-{each.question.pk}", each.question.text),
                f"out-{each.question.pk}" in request.POST,
                request.POST.get(f"why-{each.question.pk}", ""),
                (errors or {}).get(f"text-{each.question.pk}") or (errors or {}).get(f"why-{each.question.pk}", ""),
            )
            for each in waiting
        ],
        "may_send": "question.send" in allowed,
        "form": form if "question.ask" in allowed and not is_late(one.questions_due_on, clock(request)) else None,
        "may_ask": "question.ask" in allowed,
        "error": error,
        "answers_over": is_late(one.answers_due_on, clock(request)),
    }  # fmt: skip
    return render(request, "portal/questions/case.html", context, status=status)


@page(
    permission="question.ask", find=find_case, why=NOT_ASKER, methods=("POST",),
    may=lambda user, case: "question.ask" in question_actions(user, case),
)  # fmt: skip
def question_ask(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will keep a member's question."""
    form = QuestionForm(data=request.POST)
    if form.is_valid():
        try:
            actions.ask_question(case, text=form.cleaned_data["text"], by=request.user, at=clock(request))  # type: ignore[arg-type]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
            return _show(request, case, form, error=str(refusal.message), status=422)
        messages.success(request, _("Your question is kept. The secretariat sends it on without your name."))
        return redirect("case_questions", ref=case.ref)
    return _show(request, case, form, status=422)


@page(
    permission="question.send", find=find_case, why=NOT_SECRETARY, methods=("POST",),
    may=lambda user, case: "question.send" in question_actions(user, case),
)  # fmt: skip
def questions_send(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will send the waiting questions to the team in one bundle, without names; marked ones are left out."""
    texts, left_out = {}, {}
    for each in case_questions(request.user, case, clock(request)):
        pk = each.question.pk
        if f"out-{pk}" in request.POST:
            left_out[pk] = request.POST.get(f"why-{pk}", "")
        elif f"text-{pk}" in request.POST:
            texts[pk] = request.POST[f"text-{pk}"]
    try:
        sent = actions.send_questions(case, texts=texts, left_out=left_out, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotAllowed:
        raise
    except Refused as refusal:
        errors = {one.field: str(one.message) for one in refusal.blockers if one.field}
        return _show(request, case, QuestionForm(), errors=errors, error=str(refusal.message), status=422)
    messages.success(request, _("%(count)s questions are with the project's team.") % {"count": len(sent)})
    return redirect("case_questions", ref=case.ref)


# The project's side ---------------------------------------------------------------------------------------------------


@page(permission="question.answer", find=find_review, may=is_questioned_team, why=NOT_TEAM)
def review_questions(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will show the team the questions that were sent to it, each with its answer to write."""
    return _show_team(request, review)


def _answer_state(answer: Answer | None) -> TextState:
    if answer is None:
        return TextState("", 0, None, "")
    return TextState(answer.text, answer.revision, answer.saved_at, answer.saved_by)


def _text(review: GateReview, question: TeamQuestion) -> SavedText:
    return SavedText(
        url=reverse("question_answer", args=[review.ref, question.pk]), key=f"question-{question.pk}",
        label=_("Answer to question %(number)s") % {"number": question.position}, limit=actions.LONGEST_ANSWER,
        state=_answer_state(question.answer), rows=6,
    )  # fmt: skip


def _show_team(
    request: HttpRequest, review: GateReview, text: SavedText | None = None, status: int = 200
) -> HttpResponse:
    late = is_late(review.round.answers_due_on, clock(request))
    writes = may_answer(request.user, review) and not late
    rows = []
    for one in team_questions(request.user, review):
        is_open = writes and not (one.answer and one.answer.handed_in_at)
        own = text if text is not None and text.key == f"question-{one.pk}" else _text(review, one)
        rows.append((one, own if is_open else None))
    context = {
        "review": review,
        "name": subject_name(review),
        "rows": rows,
        "is_late": late,
        "may_hand_in": any(own for _one, own in rows),
        "is_sample": review.is_sample,
    }
    return render(request, "portal/questions/review.html", context, status=status)


@page(permission="question.answer", find=find_review, may=may_answer, why=NOT_TEAM, methods=("POST",))
def question_answer(request: HttpRequest, review: GateReview, question: int) -> HttpResponseBase:
    """This function will save one answer; in part of the page with htmx, else with a reload."""
    found = next((one for one in team_questions(request.user, review) if one.pk == question), None)
    if found is None:
        return not_found(request)

    def save(text: str, revision: int) -> TextState:
        how: dict[str, Any] = {"by": request.user, "at": clock(request)}
        return _answer_state(actions.save_answer(review, question, text=text, revision=revision, **how))

    url = reverse("review_questions", args=[review.ref])
    return save_text(
        request, _text(review, found), save, _answer_state, lambda one, status: _show_team(request, review, one, status),
        back_to=f"{url}#question-{question}",
    )  # fmt: skip


@page(permission="question.answer", find=find_review, may=may_answer, why=NOT_TEAM, methods=BOTH)
def answers_hand_in(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will ask once, then hand the answers in."""
    home = reverse("review_questions", args=[review.ref])
    act = Act(
        heading=_("Hand the answers in?"), button=_("Hand the answers in"),
        done=_("The answers are handed in. The panel reads them."), home=home,
        trail=[
            (reverse("gates"), _("Gate reviews")), (reverse("gate_review", args=[review.ref]), subject_name(review)),
            (home, _("Written questions")),
        ],
        effects=[_("The panel reads the answers at once. They can no longer be changed.")],
    )  # fmt: skip
    return ask_once(request, review, actions.hand_in_answers, act)
