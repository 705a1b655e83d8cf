"""Reads of the comments for the project (開示用コメント)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.queries import grants_of
from evaluations.models import Case, DisclosedComment, Disclosure, GateReview, RubricItem
from evaluations.queries.findings import cases_discussed_by
from evaluations.rules.disclosures import disclosures_visible
from evaluations.rules.findings import cases_chaired, cases_kept
from evaluations.rules.score_sheets import AFTER_FINAL
from programs.models import Project
from programs.rules import OFFICE_ROLES, projects_of_member, projects_of_organizations
from programs.rules.scope import scope_of

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
    return rows.prefetch_related("comments").first()


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


def disclosures_awaiting(user: object) -> QuerySet[Disclosure]:
    """This function will return the comments that this user can release: written by others, the scores closed."""
    me = getattr(user, "pk", None)
    offices = Q(panel__round__program__in=scope_of(user).party)
    cases = cases_discussed_by(user).filter(
        cases_kept(user) | cases_chaired(user) | offices, panel__round__state__in=AFTER_FINAL
    )
    return (
        disclosures_visible_to(user)
        .filter(case__in=cases.order_by(), released_at__isnull=True)
        .exclude(Q(edited_by=me) | Q(comments__writer_ids__contains=[me]))
        .select_related("case__gate_review__project__area", "case__gate_review__area", "case__gate_review__program")
        .prefetch_related(None)
        .order_by("case__panel__round__decision_due_on", "pk")
    )


def is_of_project(user: object, review: GateReview) -> bool:
    """This function will tell whether the review is of the user's own project, as a member or by the institution."""
    grants = grants_of(user)
    if grants.person_id is None or review.project_id is None:
        return False
    team = projects_of_member(grants.person_id)
    if offices := grants.organizations(*OFFICE_ROLES):
        team |= projects_of_organizations(offices)
    return Project.objects.filter(team, pk=review.project_id).exists()
