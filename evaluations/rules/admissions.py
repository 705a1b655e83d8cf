"""Who is admitted to a case in spite of a conflict, and who may propose and approve it. Two people, one case."""

from __future__ import annotations

from django.db.models import Q

from accounts.queries import grants_of
from common.states import can_move
from evaluations.models import Admission, Case, ConflictOfInterest, PanelMember, Round
from evaluations.rules.rounds import not_excluded, rounds_evaluated_by, rounds_kept_by
from evaluations.states import ACCEPTED, ADMISSION_MOVES, APPROVED, CASE_LIVE, CONFIRMED
from programs.models import Project
from programs.rules import EVERYTHING, NOTHING, not_recused
from programs.rules.scope import scope_of


def admissions_visible(user: object) -> Q:
    """This function will return the condition for the admissions that this user may see before they are published.

    The ministry and the agency of the program, auditors, and the secretariat and the panel of the round; whoever is in
    conflict with the project only the own one, once it is approved. Machines none.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    me = grants.person_id
    rounds = Round.objects.filter(rounds_kept_by(user) | rounds_evaluated_by(user, ACCEPTED))
    seen = Q(case__panel__round__program__in=scope_of(user).party) | Q(case__panel__round__in=rounds)
    if grants.has("auditor"):
        seen = EVERYTHING
    own = Q(member__person_id=me, state=APPROVED)
    return (seen & not_excluded(me, "case__gate_review__project")) | own


def admittable(conflict: ConflictOfInterest) -> list[tuple[PanelMember, Case]]:
    """This function will return the memberships and cases for which this confirmed conflict could be admitted."""
    if conflict.state != CONFIRMED:
        return []
    cases = Case.objects.filter(state__in=CASE_LIVE, gate_review__project=conflict.project_id)
    taken = Admission.objects.filter(conflict=conflict, state__in=("proposed", APPROVED)).values("case_id")
    members = PanelMember.objects.filter(state=ACCEPTED, person=conflict.person_id)
    found = {member.panel_id: member for member in members.select_related("person")}
    rows = cases.exclude(pk__in=taken).filter(panel__in=list(found)).select_related("panel__round")
    return [(found[case.panel_id], case) for case in rows]


def may_propose(user: object, conflict: ConflictOfInterest) -> bool:
    """This function will tell whether the user may propose to admit the person: who settles the project's conflicts."""
    return _decides(user, conflict)


def admission_actions(user: object, admission: Admission) -> set[str]:
    """This function will return what the user may do with an admission: names such as `admission.approve`."""
    if not Admission.objects.filter(admissions_visible(user), pk=admission.pk).exists():
        return set()
    allowed = {"admission.view"}
    if _decides(user, admission.conflict):
        allowed |= {f"admission.{step}" for step in ADMISSION_MOVES if can_move(admission, step, ADMISSION_MOVES)}
    if admission.proposed_by_id == getattr(user, "pk", None):
        allowed.discard("admission.approve")
    return allowed


def _decides(user: object, conflict: ConflictOfInterest) -> bool:
    me = grants_of(user).person_id
    if me is None or me == conflict.person_id:
        return False
    projects = Project.objects.filter(not_recused(me), program__in=scope_of(user).party)
    return projects.filter(pk=conflict.project_id).exists()
