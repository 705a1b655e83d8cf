"""Who writes the comments for the project (開示用コメント), who releases them, and who of the project reads them."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from evaluations.models import Case, DisclosedComment, Disclosure
from evaluations.rules.findings import cases_discussed, held_over
from evaluations.rules.rounds import not_excluded
from evaluations.rules.score_sheets import AFTER_FINAL
from evaluations.states import INVALIDATED
from programs.models import Project
from programs.rules import NOTHING, OFFICE_ROLES, projects_of_member, projects_of_organizations
from programs.rules.scope import scope_of

_PROJECT = "case__gate_review__project"


def disclosures_visible(user: object) -> Q:
    """This function will return the condition for the comments that this user may read.

    Whoever reads the discussion, also unreleased ones. Of the project its members and the institutions' offices, once
    they are released: nothing else of the sheets ever reaches them.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    team = projects_of_member(grants.person_id)
    if offices := grants.organizations(*OFFICE_ROLES):
        team |= projects_of_organizations(offices)
    released = Q(released_at__isnull=False, **{f"{_PROJECT}__in": Project.objects.filter(team)})
    theirs = released & ~Q(case__state=INVALIDATED) & not_excluded(grants.person_id, _PROJECT)
    return Q(case__in=Case.objects.filter(cases_discussed(user))) | theirs


def disclosure_actions(user: object, case: Case, disclosure: Disclosure | None) -> set[str]:
    """This function will return what the user may do with the comments for the project now: `disclosure.edit`, ...

    The secretariat (or the agency) writes them; the chair, another secretary or the ministry's staff release them once
    the scores are closed, never somebody who wrote one.
    """
    held = held_over(user, case)
    if not held["discusses"]:
        return set()
    allowed, one, scope = {"disclosure.view"}, case.panel.round, scope_of(user)
    if (disclosure and disclosure.released_at) or case.gate_review.project_id is None:
        return allowed
    writes = held["keeps"] or one.program_id in scope.agency
    if writes:
        allowed.add("disclosure.edit")
    releases = writes or held["chairs"] or one.program_id in scope.ministry
    if disclosure and releases and one.state in AFTER_FINAL and not has_written(user, disclosure):
        allowed.add("disclosure.release")
    return allowed


def has_written(user: object, disclosure: Disclosure) -> bool:
    """This function will tell whether the user wrote any of the comments."""
    me = getattr(user, "pk", None)
    if disclosure.edited_by_id == me:
        return True
    return DisclosedComment.objects.filter(disclosure=disclosure, writer_ids__contains=[me]).exists()


def release_blockers(disclosure: Disclosure) -> list[Blocker]:
    """This function will list what stands in the way of releasing the comments."""
    if not DisclosedComment.objects.filter(disclosure=disclosure).exclude(text="").exists():
        return [Blocker("whole", "empty", _("Write at least one comment."))]
    return []
