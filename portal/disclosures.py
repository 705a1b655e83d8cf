"""Comments for the project (開示用コメント): written beside the sheets, released by a second person, read by the team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused, StaleEdit
from evaluations.actions.disclosures import LONGEST_COMMENT, release_disclosure, save_disclosure
from evaluations.models import Case, Disclosure, GateReview
from evaluations.queries.disclosures import (
    WHOLE,
    CommentRow,
    comment_rows,
    disclosure_of,
    disclosures_visible_to,
    is_of_project,
)
from evaluations.queries.score_sheets import case_sheets
from evaluations.rules.disclosures import disclosure_actions, release_blockers
from evaluations.rules.score_sheets import must_give_reason
from portal.access import clock, page
from portal.acts import Act, ask_once
from portal.fact_checks import find_review
from portal.findings import NOT_OPEN, find_case, frame_of, trail_of
from portal.plan_items import seen_revision
from portal.rounds import subject_name

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy(
    "The comments are released by the chair, another secretary or the ministry's staff, once the scores are closed; "
    "never by somebody who wrote one."
)


def _acts(user: Any, case: Case) -> set[str]:
    kept = getattr(case, "_disclosure_acts", None)
    if kept is None:
        case._disclosure = disclosure_of(case)  # type: ignore[attr-defined]
        kept = disclosure_actions(user, case, case._disclosure)  # type: ignore[attr-defined]
        case._disclosure_acts = kept  # type: ignore[attr-defined]
    return kept  # type: ignore[no-any-return]


def _may(act: str) -> Any:
    return lambda user, case: act in _acts(user, case)


@dataclass(slots=True)
class RowShown:
    """One comment as its writer sees it: what is typed, what else was saved meanwhile, and what the sheets say."""

    row: CommentRow
    text: str
    raw: list[tuple[str, str]]
    other: str = ""
    error: str = ""


@page(permission="disclosure.view", find=find_case, may=_may("disclosure.view"), why=NOT_OPEN, methods=BOTH)
def case_comments(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will show the comments for the project beside the sheets' own, and save what is typed."""
    disclosure: Disclosure | None = case._disclosure  # type: ignore[attr-defined]
    rows, status, over = comment_rows(case, disclosure), 200, ""
    typed = {row.key: row.text for row in rows}
    others: dict[str, str] = {}
    errors: dict[str, str] = {}
    if request.method == "POST":
        if "disclosure.edit" not in _acts(request.user, case):
            raise NotAllowed(str(NOT_NOW))
        typed = {row.key: request.POST.get(f"comment-{row.key}", "") for row in rows}
        try:
            save_disclosure(case, texts=typed, revision=seen_revision(request), by=request.user, at=clock(request))  # type: ignore[arg-type]
        except StaleEdit as stale:
            status, over = 409, stale.current.revision
            others = {row.key: row.text for row in rows}
        except NotAllowed:
            raise
        except Refused as refusal:
            status, errors = 422, {one.field: str(one.message) for one in refusal.blockers}
        else:
            messages.success(request, _("The comments are saved."))
            return redirect("case_comments", ref=case.ref)
    raw = _raw(request.user, case) if "disclosure.edit" in _acts(request.user, case) else {}
    context = {
        **frame_of(case),
        "disclosure": disclosure,
        "allowed": {act.removeprefix("disclosure.") for act in _acts(request.user, case)},
        "rows": [
            RowShown(
                row, typed[row.key], raw.get(row.key, []),
                others[row.key] if others and others[row.key] != typed[row.key] else "", errors.get(row.key, ""),
            )
            for row in rows
        ],
        "revision": request.POST.get("revision") or (disclosure.revision if disclosure else 0),
        "over": over,
        "limit": LONGEST_COMMENT,
        "asks_reason": not raw and must_give_reason(request.user, case.panel.round),
    }  # fmt: skip
    return render(request, "portal/findings/comments.html", context, status=status)


def _raw(user: Any, case: Case) -> dict[str, list[tuple[str, str]]]:
    """What the sheets say that this reader may read, by criterion; shown beside, never taken over by itself."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in case_sheets(user, case).shown:
        for key, answer in row.answers.items():
            if answer.comment:
                found.setdefault(key, []).append((row.name, answer.comment))
        if row.sheet and row.sheet.comment:
            found.setdefault(WHOLE, []).append((row.name, row.sheet.comment))
    return found


@page(permission="disclosure.release", find=find_case, may=_may("disclosure.release"), why=NOT_NOW, methods=BOTH)
def comments_release(request: HttpRequest, case: Case) -> HttpResponseBase:
    """This function will ask a second person once, then release the comments to the project."""
    home = reverse("case_comments", args=[case.ref])
    act = Act(
        heading=_("Release the comments to the project?"), button=_("Release the comments"),
        done=_("The project can read the comments."), home=home, is_danger=True,
        trail=[*trail_of(case), (home, _("Comments for the project"))],
        blockers=release_blockers(case._disclosure),  # type: ignore[attr-defined]
        effects=[
            _("The project's members and the offices of its institutions read them at once."),
            _("Nobody can change them any more. Make sure that nothing in them tells who evaluated."),
        ],
    )  # fmt: skip
    return ask_once(request, case, release_disclosure, act)


@page(
    permission="disclosure.read", find=find_review,
    may=lambda user, review: is_of_project(user, review),
    why=gettext_lazy("This page is the project's. The comments are on the page of the case."),
)  # fmt: skip
def review_comments(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will show the released comments to the project: these, and nothing else of the sheets."""
    found = disclosures_visible_to(request.user).filter(case__gate_review=review, released_at__isnull=False)
    context = {
        "review": review,
        "name": subject_name(review),
        "disclosures": [
            (one, [row for row in comment_rows(one.case, one) if row.text]) for one in found.order_by("-released_at")
        ],
        "is_sample": review.is_sample,
    }
    return render(request, "portal/gates/comments.html", context)
