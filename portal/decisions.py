"""The decision on a gate review: preview before and after, draft, decide, release; letter, file; objections."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import files
from common.audit import history_of
from common.errors import NotAllowed, Refused
from common.money import yen
from evaluations.actions import decisions as actions
from evaluations.actions import objections as objection_actions
from evaluations.actions.releases import release_decisions
from evaluations.models import Condition, GateDecision, GateReview, Round
from evaluations.queries.decisions import (
    case_to_decide,
    decision_to_correct,
    decisions_of,
    decisions_of_round,
    draft_of,
    finding_of,
    missing_for,
    objections_visible_to,
    preview_of,
    reviews_with_decision,
)
from evaluations.rules.decisions import (
    condition_actions,
    decision_actions,
    objection_until,
    owners_held,
    reason_called,
    review_blockers,
)
from evaluations.states import DECIDED, DECISION_STANDS
from portal.access import clock, not_found, page
from portal.acts import Act, ask_once
from portal.forms.decision import (
    AnswerForm,
    DraftForm,
    ReasonsForm,
    ReleaseForm,
    Rows,
    SignForm,
    condition_rows,
    wind_down_rows,
)
from portal.journal import readable
from portal.lists import as_download
from portal.risks import seen_revision
from portal.rounds import find_round, subject_name
from programs.drawings import language, revision_charts
from programs.queries import projects_visible_to
from programs.queries.revisions import changes_to_order
from programs.rules.scope import scope_of

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This step is not open to you in the decision's present state. Its page says who acts next.")
STAFF = Condition.Owner.STAFF.value
NO_DRAFT = gettext_lazy("Decisions are drafted by the ministry's staff of the program, once the panel recommends.")


def find_decided(user: Any, ref: str) -> Any:
    """This function will return the gate review with this reference, if the reader may read of its decision."""
    return reviews_with_decision(user).filter(ref=ref)


def _may(act: str) -> Any:
    return lambda user, review: f"decision.{act}" in decision_actions(user, review)


def decision_url(review: GateReview) -> str:
    """This function will return the address of the review's decision."""
    return reverse("decision", args=[review.ref])


def _trail(review: GateReview) -> list[tuple[str, str]]:
    return [
        (reverse("gates"), _("Gate reviews")), (reverse("gate_review", args=[review.ref]), subject_name(review)),
        (decision_url(review), _("Decision on the gate")),
    ]  # fmt: skip


@page(permission="decision.view", find=find_decided)
def decision_page(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will show the decision: what is drafted with its effect, what is decided, what it asks for."""
    user, today = request.user, localdate(clock(request))
    allowed = {act.partition(".")[2] for act in decision_actions(user, review)}
    rows = decisions_of(user, review)
    draft = next((one for one in rows if one.state == GateDecision.State.DRAFTED), None)
    preview = preview_of(draft, today) if draft is not None and "preview" in allowed else None
    taken = [one for one in rows if one.content is not None]
    finding = finding_of(case_to_decide(review)) if "preview" in allowed and not taken else None
    standing = next((one for one in taken if one.state in DECISION_STANDS), None)
    held = owners_held(user, review) if taken else set()
    context = {
        "review": review,
        "name": subject_name(review),
        "allowed": allowed,
        "draft": draft,
        "draft_reason": reason_called(draft.reason_code) if draft else None,
        "preview": preview,
        "pictures": [(one, *revision_charts(one, today)) for one in preview.all] if preview is not None else [],
        "missing": missing_for(draft, preview) if draft is not None and preview is not None else [],
        "not_yet": review_blockers(review, finding, None)
        if draft is None and "preview" in allowed and not taken
        else [],
        "finding": finding,
        "taken": [(one, _asked(user, one, held)) for one in taken],
        "standing": standing,
        "objection_until": objection_until(standing) if standing is not None else None,
        "objections": list(objections_visible_to(user).filter(decision__gate_review=review)) if taken else [],
        "entries": readable(history_of(*rows)) if "preview" in allowed and rows else [],
        "is_sample": review.is_sample,
        "today": today,
    }
    return render(request, "portal/decisions/page.html", context)


def _asked(user: Any, one: GateDecision, held: set[str]) -> dict[str, Any]:
    """What a decision asks for, with what the reader may do about each."""
    conditions = list(one.conditions.all())
    for condition in conditions:
        condition.decision = one
    return {
        "conditions": [(each, condition_actions(user, each, held)) for each in conditions],
        "steps": [
            (each, each.done_at is None and one.state in DECISION_STANDS and bool(held & {each.owner, STAFF}))
            for each in one.wind_down.all()
        ],
    }


# The draft ------------------------------------------------------------------------------------------------------------


@page(permission="decision.draft", find=find_decided, may=_may("draft"), why=NO_DRAFT, methods=BOTH)
def decision_draft(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will take the draft of a decision; what it lacks is named on the decision's page."""
    draft, finding = draft_of(review), finding_of(case_to_decide(review))
    data = request.POST if request.method == "POST" else None
    changes = _changes(request.user, review, draft)
    form = DraftForm(review.project, changes, data=data, initial=_initial(draft, finding))
    asked = condition_rows(draft, finding.conditions if finding else "", data)
    steps = wind_down_rows(draft, data)
    status = 200
    if data is not None:
        status = 422
        if all([form.is_valid(), asked.is_valid(), steps.is_valid()]):
            try:
                _save(request, review, form, asked, steps)
            except NotAllowed:
                raise
            except Refused as refusal:
                form.refuse(refusal)
                status = 409 if refusal.code == "stale_edit" else 422
            else:
                messages.success(request, _("The draft is saved. Look at what it does."))
                return redirect(decision_url(review))
    context = {
        "form": form, "conditions": asked, "steps": steps, "draft": draft, "finding": finding, "review": review,
        "name": subject_name(review), "trail": _trail(review), "revision": draft.revision if draft else 0,
        "corrects": decision_to_correct(review), "is_sample": review.is_sample, "errors": asked.errors + steps.errors,
    }  # fmt: skip
    return render(request, "portal/decisions/draft.html", context, status=status)


def _changes(user: Any, review: GateReview, draft: GateDecision | None) -> list[Any]:
    """The changes of the plan to choose from, of projects with which the officer has no conflict."""
    assert review.project is not None
    found = changes_to_order(review.project)
    seen = set(projects_visible_to(user).filter(pk__in={one.project_id for one in found}).values_list("pk", flat=True))
    kept = [one for one in found if one.project_id in seen]
    chosen = draft.plan_change if draft is not None else None
    if chosen is None and (former := decision_to_correct(review)) is not None:
        chosen = former.plan_change
    return kept if chosen is None or chosen in kept else [chosen, *kept]


def _initial(draft: GateDecision | None, finding: Any) -> dict[str, Any]:
    if draft is None:
        return {"outcome": finding.recommendation if finding else ""}
    names = ("outcome", "reason_code", "reason", "effective_on", "ends_on", "bridging_yen")
    return {name: getattr(draft, name) for name in names} | {"plan_change": str(draft.plan_change_id or "")}


def _save(request: HttpRequest, review: GateReview, form: DraftForm, asked: Rows, steps: Rows) -> None:
    actions.draft_decision(
        review, values=form.cleaned_data, conditions=asked.read(), wind_down=steps.read(),
        revision=seen_revision(request), by=request.user, at=clock(request),  # type: ignore[arg-type]
    )  # fmt: skip


def _ask(request: HttpRequest, review: GateReview, action: Any, form: Any = None, **words: Any) -> HttpResponseBase:
    return ask_once(request, review, action, Act(home=decision_url(review), trail=_trail(review), **words), form=form)


@page(permission="decision.withdraw", find=find_decided, may=_may("withdraw"), why=NOT_NOW, methods=BOTH)
def decision_withdraw(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will ask, then take the draft back."""
    return _ask(
        request, review, actions.withdraw_draft, heading=_("Take the draft back?"), button=_("Take the draft back"),
        done=_("The draft is taken back."), effects=[_("The draft is closed for good. A new one can be written.")],
    )  # fmt: skip


# Deciding and releasing -----------------------------------------------------------------------------------------------


@page(permission="decision.decide", find=find_decided, may=_may("decide"), why=NOT_NOW, methods=BOTH)
def decision_decide(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will show once more what the decision does, then take it under its number."""
    today = localdate(clock(request))
    draft = draft_of(review)
    assert draft is not None
    preview = preview_of(draft, today)
    data = request.POST if request.method == "POST" else None
    sign = {"decided_on": today, "revision": draft.revision}
    return _ask(
        request, review, actions.decide, SignForm(data=data, initial=sign),
        heading=_("Take this decision?"), button=_("Decide"), is_danger=True,
        done=_("It is decided. A second officer releases it."), blockers=missing_for(draft, preview),
        effects=_effects(draft, preview),
    )  # fmt: skip


def _effects(draft: GateDecision, preview: Any) -> list[str]:
    lines = [_("Outcome: %(outcome)s.") % {"outcome": draft.get_outcome_display()}]
    for each in preview.all:
        label = subject_name(draft.gate_review) if each is preview.revision else str(each.project.title_ja)
        words = {
            "project": label,
            "released": yen(each.released_yen, language()),
            "added": yen(each.added_yen, language()),
        }
        lines.append(_("%(project)s: %(released)s released, %(added)s added in the plan.") % words)
    if draft.ends_the_project:
        lines.append(_("The project ends. Its plan is cut short in a version of its own."))
    if draft.outcome == GateDecision.Outcome.DEFER:
        lines.append(_("The project goes before the panel again as a new case."))
    count = draft.conditions.count()
    if count:
        lines.append(_("Conditions to be met: %(count)s.") % {"count": count})
    return [
        *lines,
        _("The decision is frozen with a hash. It is corrected only by a new decision."),
        _("It shows to nobody outside, and takes effect, with its release by a second officer."),
    ]


@page(permission="decision.release", find=find_decided, may=_may("release"), why=NOT_NOW, methods=BOTH)
def decision_release(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will ask, then release the decision on all channels at one instant."""
    decided = next(one for one in decisions_of(request.user, review) if one.state == DECIDED)

    def release(_review: GateReview, **how: Any) -> Any:
        return release_decisions([decided], **how)

    return _ask(
        request, review, release, heading=_("Release this decision?"), button=_("Release"), is_danger=True,
        done=_("The decision is released."), effects=release_effects([review]),
    )  # fmt: skip


def release_effects(reviews: list[GateReview]) -> list[str]:
    """This function will say what a release of these reviews' decisions does."""
    days = max(one.round.objection_days for one in reviews) if reviews else 0
    return [
        _("Team, HQ, institutions, agency, panel, the API and the public page show it from the same instant."),
        _("Plan and project change as decided. The team gets a mail with a link."),
        _("The money of the next phase is unlocked after %(days)s days without an objection.") % {"days": days}
        if days
        else _("The money of the next phase is unlocked at once: this round knows no objections."),
    ]


def _may_see_list(user: Any, one: Round) -> bool:
    return bool(decisions_of_round(user, one)) or one.program_id in scope_of(user).ministry


@page(permission="decision.list", find=find_round, may=_may_see_list, why=NOT_NOW, methods=BOTH)
def round_decisions(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will list a round's decisions and release the chosen ones together."""
    rows = decisions_of_round(request.user, one)
    names = {each.pk: subject_name(each.gate_review) for each in rows}
    me = getattr(request.user, "pk", None)
    staffs = one.program_id in scope_of(request.user).ministry
    ready = [each for each in rows if staffs and each.state == DECIDED and each.decided_by_id != me]
    data = request.POST if request.method == "POST" else None
    form = (
        ReleaseForm(ready, names, data=data, initial={"decisions": [str(each.pk) for each in ready]}) if ready else None
    )
    if data is not None:
        if form is None:
            raise NotAllowed(NOT_NOW)
        if form.is_valid():
            try:
                made = release_decisions(form.cleaned_data["decisions"], by=request.user, at=clock(request))  # type: ignore[arg-type]
            except NotAllowed:
                raise
            except Refused as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("%(count)s decisions are released.") % {"count": len(made)})
                return redirect("round_decisions", ref=one.ref)
    context = {
        "round": one, "rows": [(each, names[each.pk]) for each in rows], "form": form, "is_sample": one.is_sample,
        "effects": release_effects([each.gate_review for each in ready]),
    }  # fmt: skip
    return render(request, "portal/decisions/round.html", context, status=422 if data is not None else 200)


# Papers ---------------------------------------------------------------------------------------------------------------


def _paper(request: HttpRequest, review: GateReview, decision: str, field: str) -> HttpResponseBase:
    found = next((one for one in decisions_of(request.user, review) if one.ref == decision), None)
    stored = getattr(found, field) if found is not None else None
    if stored is None:
        return not_found(request)
    return as_download(FileResponse(files.opened(stored), content_type=stored.content_type), stored.name)


@page(permission="decision.read", find=find_decided, may=_may("read"), why=NOT_NOW)
def decision_letter(request: HttpRequest, review: GateReview, decision: str) -> HttpResponseBase:
    """This function will hand out the decision letter, once the decision is released and its letter typeset."""
    return _paper(request, review, decision, "letter")


@page(permission="decision.preview", find=find_decided, may=_may("preview"), why=NOT_NOW)
def decision_file(request: HttpRequest, review: GateReview, decision: str) -> HttpResponseBase:
    """This function will hand out the decision file (決裁) to the ministry's staff."""
    return _paper(request, review, decision, "file")


# Objections -----------------------------------------------------------------------------------------------------------


@page(permission="decision.object", find=find_decided, may=_may("object"), why=NOT_NOW, methods=BOTH)
def decision_object(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will take the team's objection with its reasons."""
    data = request.POST if request.method == "POST" else None
    return _ask(
        request, review, objection_actions.file_objection, ReasonsForm(data=data),
        heading=_("File an objection?"), button=_("File the objection"), done=_("The objection is filed."),
        effects=[
            _("The ministry's staff answer it with reasons. Until then the decision does not come into force."),
            _("It can be filed once and is not taken back."),
        ],
    )  # fmt: skip


@page(
    permission="decision.settle_objection", find=find_decided, may=_may("settle_objection"), why=NOT_NOW, methods=BOTH
)
def decision_answer(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will take the answer to an objection."""
    data = request.POST if request.method == "POST" else None
    return _ask(
        request, review, objection_actions.settle_objection, AnswerForm(data=data),
        heading=_("Answer the objection?"), button=_("Answer"), done=_("The objection is answered."),
        effects=[
            _("Accepted: the review goes before the panel as a new case; the decision stands until a new one is taken."),
            _("Refused: the decision comes into force once its window is over."),
            _("The team reads the reasons."),
        ],
    )  # fmt: skip
