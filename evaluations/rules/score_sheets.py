"""Who may write and read score sheets (評価票), and when. One's own until the close; others' only once one's own is in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from common.models import JournalEntry
from common.subselects import daily
from evaluations.models import Assignment, Case, Round, RubricItem, ScoreSheet
from evaluations.rules.declarations import cases_open_to, documents_open_to
from evaluations.rules.rounds import not_excluded, panels_chaired, rounds_evaluated_by, rounds_kept_by
from evaluations.scoring import Problem
from evaluations.states import ACCEPTED, CLOSED, CONCLUDED, CONFIRMED, FINAL_CLOSED, FIRST_CLOSED, OPEN, SUBMITTED
from programs.rules import NOTHING
from programs.rules.scope import scope_of

#: The windows in which a sheet can be written.
FIRST, WAITING, FINAL, OVER = "first", "waiting", "final", "over"
AFTER_FIRST = (FIRST_CLOSED, FINAL_CLOSED, CLOSED)
AFTER_FINAL = (FINAL_CLOSED, CLOSED)
#: What ministry staff, the secretariat and auditors do before they read: they give a reason, once a round.
READ_WITH_REASON = "read_score_sheets"

ROUND = "assignment__case__panel__round"
PROJECT = "assignment__case__gate_review__project"


def window(one: Round, at: datetime) -> str:
    """This function will say what time it is for a round's sheets, by the clock and not only by the timetable's work.

    "first" until the first close; "waiting" from then to the hearing; "final" until the final close; then "over".
    """
    if one.state not in (OPEN, FIRST_CLOSED) or one.first_close_at is None or one.final_close_at is None:
        return OVER
    if one.state == OPEN and at < one.first_close_at:
        return FIRST
    if at >= one.final_close_at:
        return OVER
    return WAITING if one.hearing_on and localdate(at) < one.hearing_on else FINAL


# Own sheets -----------------------------------------------------------------------------------------------------------


def assignments_own(user: object, *case_states: str) -> Q:
    """This function will return the condition for the confirmed assignments of a reader whose documents are open.

    The reader serves under pledge today, has declared, and no conflict keeps him or her from scoring.
    """
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    mine = Q(member__person_id=me, member__state=ACCEPTED, member__is_scoring=True, state=CONFIRMED)
    cases = documents_open_to(user, *(case_states or (OPEN, CONCLUDED)), to_score=True)
    return mine & Q(case__in=Case.objects.filter(cases))


def may_write(assignment: Assignment, sheet: ScoreSheet | None, at: datetime) -> bool:
    """This function will tell whether the reader of an assignment can write on the sheet now.

    Until the first close; from the hearing to the final close only a sheet that was handed in by the first close.
    """
    if assignment.case.state != "open":
        return False
    now = window(assignment.case.panel.round, at)
    return now == FIRST or (now == FINAL and sheet is not None and sheet.submitted_at is not None)


def must_hand_in(assignment: Assignment, sheet: ScoreSheet | None) -> bool:
    """This function will tell whether the sheet still has to be handed in, its time not being looked at."""
    return assignment.case.state == "open" and (sheet is None or sheet.state != SUBMITTED)


def sheet_actions(user: object, assignment: Assignment, sheet: ScoreSheet | None, at: datetime) -> set[str]:
    """This function will return what the user may do with a sheet now: names such as `sheet.edit`."""
    allowed = set()
    if Assignment.objects.filter(assignments_own(user), pk=assignment.pk).exists():
        allowed.add("sheet.view")
        if may_write(assignment, sheet, at):
            allowed.add("sheet.edit")
            if sheet is None or sheet.state != SUBMITTED:
                allowed.add("sheet.submit")
    if sheet is not None and _may_return(user, sheet, at):
        allowed.add("sheet.return")
    return allowed


def _may_return(user: object, sheet: ScoreSheet, at: datetime) -> bool:
    return sheet.state == SUBMITTED and may_return(user, sheet.assignment.case, at)


def may_return(user: object, case: Case, at: datetime | None) -> bool:
    """This function will tell whether the user may return sheets of this case: its chair or secretariat, before the close.

    Without `at` the time is not looked at.
    """
    if case.state != "open" or (at is not None and window(case.panel.round, at) == OVER):
        return False
    return Assignment.objects.filter(assignments_watched(user), case=case).exists()


def may_list_sheets(user: object, case: Case) -> bool:
    """This function will tell whether the user may know who has handed in a sheet of this case."""
    return ScoreSheet.objects.filter(sheets_listed(user), assignment__case=case).exists() or (
        Assignment.objects.filter(assignments_watched(user), case=case).exists()
    )


def hides_names(user: object, case: Case) -> bool:
    """This function will tell whether the readers stay nameless to this user: to the director of the project or program."""
    scope = scope_of(user)
    one, project = case.panel.round, case.gate_review.project
    directs = one.program_id in scope.program_director or (project is not None and project.area_id in scope.directed)
    return directs and not (one.program_id in scope.party or grants_of(user).has("auditor"))


# Others' sheets -------------------------------------------------------------------------------------------------------


def sheets_chaired(user: object) -> Q:
    """This function will return the condition for the sheets of the panels on which the user is chair or vice chair."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(assignment__case__panel__in=panels_chaired(me)) & not_excluded(me, PROJECT)


def sheets_kept(user: object) -> Q:
    """This function will return the condition for the sheets of the rounds whose secretariat the user is."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(**{f"{ROUND}__in": Round.objects.filter(rounds_kept_by(user))}) & not_excluded(me, PROJECT)


def assignments_watched(user: object) -> Q:
    """This function will return the condition for the assignments whose progress the user watches as chair or secretary."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    kept = Q(case__panel__round__in=Round.objects.filter(rounds_kept_by(user)))
    return (kept | Q(case__panel__in=panels_chaired(me))) & not_excluded(me, "case__gate_review__project")


def is_evaluator(user: object) -> bool:
    """This function will tell whether the user evaluates at all, by role; asks nothing of the database."""
    grants = grants_of(user)
    return grants.has("evaluator") or grants.has("panel_chair")


def may_see_desk(user: object) -> bool:
    """This function will tell whether the desk of reviews is this user's: evaluators, chairs and secretariats."""
    if is_evaluator(user) or grants_of(user).has("secretariat"):
        return True
    return (
        grants_of(user).person_id is not None
        and Round.objects.filter(rounds_evaluated_by(user, ACCEPTED) | rounds_kept_by(user)).exists()
    )


def sheets_listed(user: object) -> Q:
    """This function will return the condition for the sheets whose existence and state the user may know."""
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    me = grants.person_id
    if grants.has("auditor"):
        return not_excluded(me, PROJECT)
    scope = scope_of(user)
    offices = Q(**{f"{ROUND}__program__in": scope.programs}) | Q(
        assignment__case__gate_review__project__area__in=scope.directed | scope.supported
    )
    return (
        _own(user) | sheets_chaired(user) | sheets_kept(user) | (offices & not_excluded(me, PROJECT)) | _fellows(user)
    )


def sheets_visible(user: object) -> Q:
    """This function will return the condition for the sheets whose scores and comments the user may read (trust.md 2).

    The own; fellow readers' from the first close, once the own is in; the chair's panel from the first close, a case
    that the chair reads too only once the own sheet is in. The secretariat and the agency from the first close; staff,
    officers and directors from the final close; staff, secretariat and auditors after they gave a reason.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    me = grants.person_id
    scope = scope_of(user)
    first, final = Q(**{f"{ROUND}__state__in": AFTER_FIRST}), Q(**{f"{ROUND}__state__in": AFTER_FINAL})
    told = Q(**{f"{ROUND}__in": reasons_given(user).values("subject_id")})
    areas = Q(assignment__case__gate_review__project__area__in=scope.directed | scope.supported)
    heads = areas | Q(**{f"{ROUND}__program__in": scope.program_director | scope.program_officer})
    judged = Q(assignment__case__in=cases_open_to(me, OPEN, CONCLUDED))
    others = (
        (sheets_chaired(user) & judged & first)
        | (sheets_kept(user) & first & told)
        | (Q(**{f"{ROUND}__program__in": scope.agency}) & first)
        | (Q(**{f"{ROUND}__program__in": scope.ministry}) & final & told)
        | (heads & final)
    )
    if grants.has("auditor"):
        others |= told
    in_hand = Q(submitted_at__isnull=False)
    return _own(user) | _fellows(user) | (others & in_hand & not_excluded(me, PROJECT) & not_reading(me))


def _own(user: object) -> Q:
    return Q(assignment__in=Assignment.objects.filter(assignments_own(user)))


def _sheets_of(person_id: int) -> Q:
    return Q(assignment__member__person_id=person_id, assignment__state=CONFIRMED)


def _fellows(user: object) -> Q:
    """The other sheets of the cases on which the user's own is in, once the first scores are closed."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    mine = ScoreSheet.objects.filter(_own(user), submitted_at__isnull=False)
    return Q(
        submitted_at__isnull=False,
        assignment__case__in=mine.values("assignment__case_id"),
        **{f"{ROUND}__state__in": AFTER_FIRST},
    )


def not_reading(person_id: int, to_case: str = "assignment__case_id") -> Q:
    """This function will return the condition: no case that this person still has to score. The own sheet comes first."""
    return ~Q(**{f"{to_case}__in": _still_to_score(person_id)})


@daily
def _still_to_score(person_id: int) -> QuerySet[Any, Any]:
    waiting = Assignment.objects.filter(
        Q(sheet__isnull=True) | Q(sheet__submitted_at__isnull=True),
        case__panel__round__state__in=(OPEN, FIRST_CLOSED), member__person_id=person_id, state=CONFIRMED,
    )  # fmt: skip
    return waiting.values("case_id")


def reasons_given(user: object) -> QuerySet[JournalEntry]:
    """This function will return the journal's rows by which this user gave a reason to read a round's sheets."""
    return JournalEntry.objects.filter(
        action=READ_WITH_REASON, actor_kind="person", actor_id=str(getattr(user, "pk", "")),
        subject_type=Round._meta.label_lower,
    )  # fmt: skip


def must_give_reason(user: object, one: Round) -> bool:
    """This function will tell whether the user reads this round's sheets only after giving a reason, and has not yet."""
    bound = (
        grants_of(user).has("auditor")
        or one.program_id in scope_of(user).ministry
        or Round.objects.filter(rounds_kept_by(user), pk=one.pk).exists()
    )
    return bound and not reasons_given(user).filter(subject_id=one.pk).exists()


# What is wrong --------------------------------------------------------------------------------------------------------


def sheet_blockers(problems: list[Problem], items: dict[str, RubricItem]) -> list[Blocker]:
    """This function will put what keeps a sheet from being handed in into words, each at its criterion."""
    words = {
        "missing": _("Choose a grade for “%(item)s”, or “not applicable”."),
        "off_scale": _("Choose a grade of the scale for “%(item)s”."),
        "text_only": _("“%(item)s” asks for a comment only."),
        "grade_and_not_applicable": _("Choose either a grade or “not applicable” for “%(item)s”."),
        "not_applicable_not_allowed": _("“%(item)s” has to be scored: “not applicable” is not open to it."),
        "comment_missing": _("Write a comment on “%(item)s”."),
        "unknown_item": _("This criterion is not in the rubric. Open the page again."),
    }
    return [
        Blocker(one.item, one.code, words[one.code] % {"item": items[one.item].name if one.item in items else one.item})
        for one in problems
    ]
