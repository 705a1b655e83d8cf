"""Reads of the comments for the project (開示用コメント)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.queries import grants_of
from evaluations.models import Case, DisclosedComment, Disclosure, GateReview, RubricItem
from evaluations.queries.findings import cases_discussed_by
from evaluations.rules.disclosures import disclosure_actions, disclosures_visible
from evaluations.rules.score_sheets import AFTER_FINAL
from programs.models import Project
from programs.rules import OFFICE_ROLES, projects_of_member, projects_of_organizations

#: The comment on the whole has this key.
WHOLE = "whole"


def disclosures_visible_to(user: object) -> QuerySet[Disclosure]:
    """This function will return the comments for projects that this user may read."""
    return (
        Disclosure.objects.filter(disclosures_visible(user))
        .select_related("case__gate_review", "case__panel__round", "edited_by__person", "released_by__person")
        .prefetch_related("comments__item")
        .order_by("pk")
    )


def disclosure_of(case: Case) -> Disclosure | None:
    """This function will return the comments for the project of a case, if any were begun."""
    rows = Disclosure.objects.filter(case=case).select_related("edited_by__person", "released_by__person")
    return rows.prefetch_related("comments__item").first()


@dataclass(frozen=True, slots=True)
class CommentRow:
    """What is said to the project on one criterion, or on the whole (no criterion)."""

    key: str
    item: RubricItem | None
    text: str


def comment_rows(case: Case, disclosure: Disclosure | None) -> list[CommentRow]:
    """This function will return a row for the whole and one for each criterion of the round, written or not."""
    there: dict[int | None, DisclosedComment] = (
        {one.item_id: one for one in disclosure.comments.all()} if disclosure else {}
    )
    items = list(case.panel.round.rubric.items.all()) if case.panel.round.rubric else []
    rows = [CommentRow(WHOLE, None, there[None].text if None in there else "")]
    return rows + [CommentRow(one.code, one, there[one.pk].text if one.pk in there else "") for one in items]


def disclosures_awaiting(user: object) -> list[Disclosure]:
    """This function will return the comments that this user can release: written by others, the scores closed."""
    cases = cases_discussed_by(user).filter(
        disclosure__isnull=False, disclosure__released_at__isnull=True, panel__round__state__in=AFTER_FINAL
    )
    rows = cases.select_related("disclosure").order_by("panel__round__decision_due_on", "pk")
    found = []
    for case in rows:
        case.disclosure.case = case
        if "disclosure.release" in disclosure_actions(user, case, case.disclosure):
            found.append(case.disclosure)
    return found


def is_of_project(user: object, review: GateReview) -> bool:
    """This function will tell whether the review is of the user's own project, as a member or by the institution."""
    grants = grants_of(user)
    if grants.person_id is None or review.project_id is None:
        return False
    team = projects_of_member(grants.person_id)
    if offices := grants.organizations(*OFFICE_ROLES):
        team |= projects_of_organizations(offices)
    return Project.objects.filter(team, pk=review.project_id).exists()
