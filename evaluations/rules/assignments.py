"""Who may look at and settle who reads what. The chair or the vice chair settles it; staff where both are in conflict."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localdate

from accounts.queries import grants_of, in_force
from evaluations.models import Admission, Assignment, AssignmentRun, Case, Panel, PanelMember, Round
from evaluations.rules.rounds import not_excluded, rounds_evaluated_by, rounds_kept_by
from evaluations.states import ACCEPTED, APPROVED, CASE_LIVE, CONFIRMED, OPEN
from programs.models import ProjectRecusal
from programs.rules import EVERYTHING, NOTHING
from programs.rules.scope import scope_of

PROJECT = "gate_review__project"
HEADS = (PanelMember.Role.CHAIR, PanelMember.Role.VICE_CHAIR)


def members_serving(on: date) -> Q:
    """This function will return the condition for the members who serve under pledge on that day."""
    return in_force(on) & Q(approved_by__isnull=False, state=ACCEPTED)


def _headed(user: object, person_id: int) -> QuerySet[Panel]:
    heads = PanelMember.objects.filter(members_serving(localdate()), person_id=person_id, role__in=HEADS)
    return Panel.objects.filter(
        pk__in=heads.values("panel_id"), round__in=Round.objects.filter(rounds_evaluated_by(user, ACCEPTED))
    )


def panels_overseen(user: object) -> Q:
    """This function will return the condition for the panels whose assignment the user may look at at all.

    Its chair and vice chair, the secretariat of the round, the ministry's staff of the program, and auditors. Who reads
    what is nobody else's to know; which cases they see there is `cases_overseen`.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    if grants.has("auditor"):
        return EVERYTHING
    return (
        Q(round__program__in=scope_of(user).ministry)
        | Q(round__in=Round.objects.filter(rounds_kept_by(user)))
        | Q(pk__in=_headed(user, grants.person_id))
    )


def cases_overseen(user: object) -> Q:
    """This function will return the condition for the cases whose readers the user may know; a conflict beats every role."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(panel__in=Panel.objects.filter(panels_overseen(user))) & not_excluded(me, PROJECT)


def assignments_overseen(user: object) -> Q:
    """This function will return the condition for the assignments that the user may know as one who oversees them."""
    return Q(case__in=Case.objects.filter(cases_overseen(user)))


def runs_overseen(user: object) -> Q:
    """This function will return the condition for the runs that the user may see.

    A run over a case with which the user is in conflict is not shown at all: its figures would tell of that case.
    """
    if grants_of(user).person_id is None:
        return NOTHING
    hidden = AssignmentRun.cases.through.objects.filter(case__gate_review__project__in=scope_of(user).recused)
    return Q(panel__in=Panel.objects.filter(panels_overseen(user))) & ~Q(pk__in=hidden.values("assignmentrun_id"))


def cases_assigned_by(user: object) -> Q:
    """This function will return the condition for the cases whose readers the user settles now.

    The chair and the vice chair of the panel, each without those with which they are in conflict; the ministry's staff
    where no chair or vice chair without a conflict serves. The round is open and the case not over.
    """
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    heads = Q(panel__in=_headed(user, me))
    stands_in = Q(panel__round__program__in=scope_of(user).ministry) & ~Q(Exists(_heads_without_conflict()))
    return Q(panel__round__state=OPEN, state__in=CASE_LIVE) & (heads | stands_in) & not_excluded(me, PROJECT)


def _heads_without_conflict() -> QuerySet[PanelMember]:
    today = localdate()
    recused = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today), starts_on__lte=today, person_id=OuterRef("person_id"),
        project_id=OuterRef(OuterRef("gate_review__project_id")),
    )  # fmt: skip
    heads = PanelMember.objects.filter(members_serving(today), role__in=HEADS, panel_id=OuterRef("panel_id"))
    return heads.filter(~Q(Exists(recused)))


def readers_barred() -> Q:
    """This function will return the condition for confirmed readers who cannot read any more, no sheet being in.

    A conflict excludes them and no admission lets them score all the same, or they do not serve on the panel now.
    """
    today = localdate()
    recused = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today), starts_on__lte=today,
        person_id=OuterRef("member__person_id"), project_id=OuterRef("case__gate_review__project_id"),
    )  # fmt: skip
    admitted = Admission.objects.filter(
        state=APPROVED, may_score=True, member_id=OuterRef("member_id"), case_id=OuterRef("case_id")
    )
    serving = PanelMember.objects.filter(members_serving(today), is_scoring=True)
    return (
        Q(state=CONFIRMED)
        & (Q(sheet__isnull=True) | Q(sheet__submitted_at__isnull=True))
        & (Q(Exists(recused)) & ~Q(Exists(admitted)) | ~Q(member__in=serving))
    )


def may_assign(user: object, panel: Panel) -> bool:
    """This function will tell whether the user settles the readers of any case of the panel now."""
    return Case.objects.filter(cases_assigned_by(user), panel=panel).exists()


def may_assign_case(user: object, case: Case) -> bool:
    """This function will tell whether the user settles the readers of this case now."""
    return Case.objects.filter(cases_assigned_by(user), pk=case.pk).exists()


def assignments_declinable(user: object) -> Q:
    """This function will return the condition for the user's own confirmed assignments of cases that are not over.

    Whoever cannot open the documents for want of a declaration can still decline.
    """
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    rounds = Round.objects.filter(rounds_evaluated_by(user, ACCEPTED))
    own = Q(member__person_id=me, member__state=ACCEPTED, state=CONFIRMED)
    return (
        own
        & Q(case__panel__round__in=rounds, case__state__in=CASE_LIVE)
        & not_excluded(me, "case__gate_review__project")
    )


def may_decline(user: object, assignment: Assignment) -> bool:
    """This function will tell whether the user can still decline to read the case: the own one, until a sheet is in."""
    if assignment.state != CONFIRMED or assignment.case.panel.round.state != OPEN:
        return False
    own = Assignment.objects.filter(assignments_declinable(user), pk=assignment.pk)
    return own.exists() and not has_handed_in(assignment)


def has_handed_in(assignment: Assignment) -> bool:
    """This function will tell whether the reader has ever handed a sheet in."""
    sheet = getattr(assignment, "sheet", None)
    return sheet is not None and sheet.submitted_at is not None
