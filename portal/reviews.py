"""The evaluator's desk: my cases with their days, and each case with its dossier on the left and the sheet on the right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused, StaleEdit
from evaluations import scoring
from evaluations.actions.score_sheets import save_sheet, submission_blockers, submit_sheet
from evaluations.models import Assignment
from evaluations.queries.case_dossiers import CaseDossier, case_dossier
from evaluations.queries.panels import appointments_listed
from evaluations.queries.score_sheets import (
    LONGEST_COMMENT,
    SheetRead,
    assignments_visible_to,
    done_of,
    neighbours,
    progress_visible_to,
    read_sheet,
    scored_items,
)
from evaluations.rules.assignments import has_handed_in
from evaluations.rules.score_sheets import may_see_desk, may_write, must_hand_in, window
from evaluations.sheet_workbook import OVERALL
from evaluations.states import OPEN
from portal.access import BadQuery, clock, page
from portal.acts import Act, ask_once
from portal.rounds import subject_name
from programs.content_drawings import (
    benchmark_pictures,
    day_of,
    milestone_rows,
    money_picture,
    roadmap_picture,
    trl_picture,
    trl_rows,
)

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("The sheet cannot be handed in now. The page of the case says until when it could be.")
NOT_APPLICABLE = "-"

#: What a warning about a grade and its comment says; it never keeps a sheet from being handed in.
WARNINGS: dict[str, Any] = {
    "not_applicable_unexplained": gettext_lazy("Say in a word why it is not applicable."),
    "extreme_without_comment": gettext_lazy("The best or worst grade has no comment."),
    "extreme_comment_short": gettext_lazy("The best or worst grade has a comment of only %(figure)s characters."),
    "below_threshold_without_comment": gettext_lazy("The grade is below the threshold and has no comment."),
    "same_comment": gettext_lazy("The same comment stands under another criterion with another grade."),
}


def find_review(user: Any, ref: str) -> Any:
    """This function will return the reader's own assignment on this case, if its documents are open to him or her."""
    return assignments_visible_to(user).filter(case__ref=ref)


# The desk -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One case on the desk."""

    assignment: Assignment
    name: str
    done: int
    items: int
    window: str

    @property
    def state(self) -> str:
        """What the reader has to do or has done, as a state for its pill."""
        sheet = getattr(self.assignment, "sheet", None)
        return sheet.state if sheet else "awaited"


@page(
    permission="review.list", may=lambda user, _none: may_see_desk(user),
    why=gettext_lazy("The desk is for the panels' members and the evaluation secretariat."),
)  # fmt: skip
def reviews_page(request: HttpRequest) -> HttpResponseBase:
    """This function will list the reader's cases with days and progress, and the panels' progress to who watches it."""
    assignments = list(assignments_visible_to(request.user))
    done = done_of(assignments)
    items = scored_items({one.case.panel.round for one in assignments})
    at = clock(request)
    rows = [
        DeskRow(
            one, subject_name(one.case.gate_review), done.get(one.pk, 0), items.get(one.case.panel.round_id, 0),
            window(one.case.panel.round, at),
        )
        for one in assignments
    ]  # fmt: skip
    appointments = appointments_listed(request.user)
    watched = [(one, subject_name(one.case.gate_review)) for one in progress_visible_to(request.user)]
    context = {
        "open": [row for row in rows if row.window != "over" and row.assignment.case.state == "open"],
        "past": [row for row in rows if row.window == "over" or row.assignment.case.state != "open"],
        "watched": watched,
        "appointments": appointments,
        "is_sample": any(row.assignment.case.is_sample for row in rows)
        or any(one.case.is_sample for one, _ in watched)
        or any(one.panel.is_sample for one in appointments),
    }
    return render(request, "portal/reviews/list.html", context)


# One case -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ItemShown:
    """One criterion as the sheet shows it: what is typed, what stood at the first close, what is wrong or odd."""

    item: Any
    answer: scoring.Answer
    first: scoring.Answer | None = None
    error: str = ""
    conflict: scoring.Answer | None = None

    @property
    def is_changed(self) -> bool:
        """Whether it was revised since the first close."""
        return self.first is not None and self.first != self.answer


@dataclass(slots=True)
class SheetShown:
    """The sheet as the page shows it to its reader."""

    read: SheetRead
    answers: dict[str, scoring.Answer]
    is_editable: bool
    errors: dict[str, str] = field(default_factory=dict)
    error: str = ""
    conflict: SheetRead | None = None
    #: The version that what is seen stands on; after a conflict still the old one: nothing is overwritten unasked.
    revision: int = 0

    @property
    def items(self) -> list[ItemShown]:
        """The criteria in their order."""
        other = self.conflict.answers if self.conflict else {}
        return [
            ItemShown(
                item, self.answers.get(item.code, scoring.Answer(item.code)), self.read.first.get(item.code),
                self.errors.get(item.code, ""), other.get(item.code) if self._differs(item.code) else None,
            )
            for item in self.read.items
        ]  # fmt: skip

    def _differs(self, key: str) -> bool:
        if self.conflict is None:
            return False
        empty = scoring.Answer(key)
        return self.conflict.all_answers.get(key, empty) != self.answers.get(key, empty)

    @property
    def whole(self) -> ItemShown:
        """The comment on the whole."""
        first = None
        if self.read.sheet and self.read.sheet.frozen_at:
            first = scoring.Answer(OVERALL, comment=self.read.sheet.first_comment)
        other = self.conflict.all_answers.get(OVERALL) if self._differs(OVERALL) and self.conflict else None
        return ItemShown(None, self.answers[OVERALL], first, self.errors.get(OVERALL, ""), other)

    @property
    def warnings(self) -> list[tuple[str, str, str]]:
        """Where grade and comment do not go together: code and name of the criterion, and why."""
        names = {item.code: item.name for item in self.read.items}
        return [
            (one.item, names[one.item], str(WARNINGS[one.code]) % {"figure": one.figure})
            for one in scoring.disagreements(self.read.rubric, self.read.as_sheet)
        ]

    @property
    def grade(self) -> str:
        """The overall grade by the legend."""
        return scoring.grade_of(self.read.rubric, self.read.total)


@page(permission="review.view", find=find_review, methods=BOTH)
def review_page(request: HttpRequest, assignment: Assignment) -> HttpResponseBase:
    """This function will show a case with its sheet, and save what is typed; in part of the page with htmx."""
    read = read_sheet(assignment)
    shown = SheetShown(
        read, read.all_answers, may_write(assignment, read.sheet, clock(request)), revision=read.revision
    )
    if request.method != "POST":
        return _show(request, shown)
    shown.answers, status = _typed(request, read), 200
    try:
        sheet = save_sheet(
            assignment, answers=shown.answers, revision=_revision(request), by=request.user, at=clock(request)  # type: ignore[arg-type]
        )  # fmt: skip
        assignment.sheet = sheet
        shown.read = read_sheet(assignment)
        shown.revision = shown.read.revision
    except StaleEdit as stale:
        shown.conflict, shown.error, status = stale.current, str(stale.message), 409
        shown.revision = _revision(request)
    except NotAllowed as refusal:
        if not request.htmx:  # type: ignore[attr-defined]
            raise
        # A sheet that saves itself when its time is over says so beside the text, which stays on the page.
        shown.error, status = str(refusal.message), 422
    except Refused as refusal:
        shown.error, status = str(refusal.message), 422
        shown.errors = {one.field: str(one.message) for one in refusal.blockers}
    if status == 200 and request.POST.get("next") == "submit":
        return _to(request, reverse("review_submit", args=[assignment.case.ref]))
    if request.htmx:  # type: ignore[attr-defined]
        return render(
            request, "portal/reviews/save_line.html", {"shown": shown, "case": assignment.case}, status=status
        )
    if status == 200:
        messages.success(request, _("The sheet was saved."))
        return HttpResponseRedirect(reverse("review", args=[assignment.case.ref]))
    return _show(request, shown, status)


def _to(request: HttpRequest, url: str) -> HttpResponse:
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(url)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = url
    return response


def _typed(request: HttpRequest, read: SheetRead) -> dict[str, scoring.Answer]:
    answers = {OVERALL: scoring.Answer(OVERALL, comment=request.POST.get("whole", ""))}
    for item in read.items:
        grade, comment = request.POST.get(f"grade-{item.code}", ""), request.POST.get(f"comment-{item.code}", "")
        is_out = grade == NOT_APPLICABLE
        answers[item.code] = scoring.Answer(item.code, "" if is_out else grade, is_out, comment.replace("\r\n", "\n"))
    return answers


def _revision(request: HttpRequest) -> int:
    # The button "save mine" of a conflict names the revision it was shown.
    value = request.POST.get("over") or request.POST.get("revision", "")
    if not (value.isascii() and value.isdecimal()) or len(value) > 9:
        raise BadQuery(_("The form is incomplete. Open the page again; your text is offered to you there."))
    return int(value)


def _show(request: HttpRequest, shown: SheetShown, status: int = 200) -> HttpResponse:
    assignment = shown.read.assignment
    case = assignment.case
    before, after = neighbours(request.user, assignment)
    context = {
        "case": case,
        "round": case.panel.round,
        "name": subject_name(case.gate_review),
        "shown": shown,
        "sheet": shown.read.sheet,
        "window": window(case.panel.round, clock(request)),
        "must_hand_in": must_hand_in(assignment, shown.read.sheet),
        "may_decline": case.panel.round.state == OPEN and not has_handed_in(assignment),
        **_dossier(case_dossier(case)),
        "before": before,
        "after": after,
        "limit": LONGEST_COMMENT,
        "is_sample": case.is_sample,
    }
    return render(request, "portal/reviews/page.html", context, status=status)


def _dossier(found: CaseDossier) -> dict[str, Any]:
    """The dossier for the page: frozen facts with their pictures."""
    content = found.content
    if "project" not in content:
        return {"found": found}
    on = day_of(content["sealed_at"][:10])
    return {
        "found": found,
        "facts": content,
        "lead": "、".join(one["name_ja"] for one in content["institutions"] if one["role"] == "lead"),
        "trl": trl_rows(content),
        "milestones": milestone_rows(content),
        "pictures": [one for one in (trl_picture(content), roadmap_picture(content, on)) if one],
        "money_picture": money_picture(content, content["gate_review"]["fiscal_year"]),
        "benchmarks": benchmark_pictures(content),
    }


@page(
    permission="review.submit", find=find_review, methods=BOTH, why=NOT_NOW,
    may=lambda user, one: must_hand_in(one, getattr(one, "sheet", None)),
)  # fmt: skip
def review_submit(request: HttpRequest, assignment: Assignment) -> HttpResponseBase:
    """This function will ask once, then hand the sheet in."""
    case = assignment.case
    home = reverse("review", args=[case.ref])
    read = read_sheet(assignment)
    shown = SheetShown(read, read.all_answers, True)
    act = Act(
        heading=_("Hand in the sheet of “%(name)s”?") % {"name": subject_name(case.gate_review)},
        button=_("Hand in the sheet"), done=_("The sheet is in."), home=home,
        trail=[(reverse("reviews"), _("My reviews")), (home, subject_name(case.gate_review))],
        effects=[
            _("What you change until the first close counts at once; afterwards the first scores are kept."),
            _("You see the others' sheets once the first scores are closed."),
            *(_("Look again: “%(item)s”. %(why)s") % {"item": name, "why": why} for _code, name, why in shown.warnings),
        ],
        blockers=submission_blockers(read),
    )  # fmt: skip
    return ask_once(request, assignment, submit_sheet, act)
