"""Who may see a panel (評価委員会) and whose names, what may be done with it, and when it is large enough.

Evaluator identity is a field right of its own: the ministry, the agency, the secretariat, the chair and officers read
names; directors read the panel without them; teams never, whatever else they are, until the roster is released.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.queries import grants_of, in_force
from common.errors import Blocker
from common.states import can_move
from evaluations.models import Case, GateReview, Panel, PanelMember, RosterRelease, Round
from evaluations.rules.rounds import not_over, panels_chaired, rounds_directed_by, rounds_kept_by
from evaluations.states import (
    ACCEPTED,
    CASE_LIVE,
    CLOSED,
    DRAFTING,
    ENDED,
    INVALIDATED,
    INVITED,
    MEMBER_MOVES,
    ROUND_RUNNING,
)
from programs.models import Project
from programs.rules import (
    EVERYTHING,
    NOTHING,
    OFFICE_ROLES,
    projects_of_headquarters,
    projects_of_member,
    projects_of_organizations,
)
from programs.rules.scope import scope_of

#: A panel is put together while its round is prepared and runs.
CHANGEABLE = (DRAFTING, *ROUND_RUNNING)


# Who sees what --------------------------------------------------------------------------------------------------------


def panels_visible(user: object) -> Q:
    """This function will return the condition for the panels whose page this user may open.

    Ministry and agency, secretariat, PD and PO, chair and vice chair, auditors. A member who is not in the chair has
    the own appointment; teams and machines see none.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    if grants.has("auditor"):
        return EVERYTHING
    offices = Q(program__in=scope_of(user).party) | rounds_kept_by(user) | rounds_directed_by(user)
    return Q(round__in=Round.objects.filter(offices)) | Q(pk__in=panels_chaired(grants.person_id))


def members_named(user: object) -> Q:
    """This function will return the condition for the members whose name, institution and letters this user may read.

    With two roles somebody reads what both allow: whoever is in a team of the round reads no name but the own, nor
    does a director of it who is not in the chair.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    scope = scope_of(user)
    supported = Q(program__in=scope.program_officer) | _over(scope.supported)
    offices = EVERYTHING if grants.has("auditor") else Q(program__in=scope.party) | rounds_kept_by(user) | supported
    headed = Q(program__in=scope.program_director) | _over(scope.directed)
    named = Q(panel__round__in=Round.objects.filter(offices).exclude(headed)) | Q(
        panel__in=panels_chaired(grants.person_id)
    )
    teams = GateReview.objects.filter(project__in=_projects_of_teams(user)).values("round_id")
    return (named & ~Q(panel__round__in=teams)) | appointments_own(user)


def appointments_own(user: object) -> Q:
    """This function will return the condition for the user's own invitations and appointments, once approved."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(person_id=me, approved_by__isnull=False) & not_over("panel__round__")


def _over(areas: frozenset[int]) -> Q:
    reviews = GateReview.objects.filter(Q(project__area__in=areas) | Q(area__in=areas))
    return Q(area__in=areas) | Q(pk__in=reviews.values("round_id"))


def _projects_of_teams(user: object) -> QuerySet[Project]:
    grants = grants_of(user)
    if grants.person_id is None:
        return Project.objects.none()
    team = projects_of_member(grants.person_id) | projects_of_headquarters(grants.person_id)
    if offices := grants.organizations(*OFFICE_ROLES):
        team |= projects_of_organizations(offices)
    return Project.objects.filter(team)


# What may be done -----------------------------------------------------------------------------------------------------


def panel_actions(user: object, panel: Panel) -> set[str]:
    """This function will return what the user may do with the panel now: names such as `panel.propose`.

    Staff of the program and the secretariat put it together, staff alone approve; the letters are theirs too.
    """
    scope = scope_of(user)
    headed = Q(program__in=scope.program_director) | _over(scope.directed)
    found = (
        Panel.objects.filter(panels_visible(user), pk=panel.pk)
        .annotate(
            is_kept=Exists(Round.objects.filter(rounds_kept_by(user), pk=OuterRef("round_id"))),
            is_headed=Exists(Round.objects.filter(headed, pk=OuterRef("round_id"))),
            is_team=Exists(
                GateReview.objects.filter(round_id=OuterRef("round_id"), project__in=_projects_of_teams(user))
            ),
        )
        .values_list("is_kept", "is_headed", "is_team")
        .first()
    )
    if found is None:
        return set()
    allowed = {"panel.view"}
    (keeps, is_headed, is_team), one = found, panel.round
    staffs = one.program_id in scope.ministry
    if not (staffs or keeps) or is_headed or is_team:
        return allowed
    allowed.add("panel.letters")
    if one.state in CHANGEABLE:
        allowed |= {"panel.propose", "panel.edit", "panel.end"}
    if staffs and one.state in CHANGEABLE:
        allowed.add("panel.approve")
    if staffs and one.state in (*ROUND_RUNNING, CLOSED):
        allowed.add("panel.release_roster")
    return allowed


def member_actions(user: object, member: PanelMember, panel_acts: set[str]) -> set[str]:
    """This function will return what the user may do with one membership, given what they may do with the panel."""
    allowed = set()
    is_second = member.granted_by_id != getattr(user, "pk", None) and member.person_id != grants_of(user).person_id
    if "panel.approve" in panel_acts and member.approved_by_id is None and member.state == INVITED and is_second:
        allowed.add("member.approve")
    if "panel.end" in panel_acts and can_move(member, "end", MEMBER_MOVES):
        allowed.add("member.end")
    if "panel.letters" in panel_acts and member.pledged_at is not None:
        allowed.add("member.letters")
    return allowed


def invitation_actions(user: object, member: PanelMember, on: date) -> set[str]:
    """This function will return what the invited person may do with an invitation: accept or decline it in time."""
    if not PanelMember.objects.filter(appointments_own(user), pk=member.pk).exists():
        return set()
    allowed = {"invitation.view"}
    in_time = member.ends_on is None or member.ends_on >= on
    if member.state == INVITED and in_time and member.panel.round.state in CHANGEABLE:
        allowed |= {"invitation.accept", "invitation.decline"}
    if member.pledged_at is not None:
        allowed.add("invitation.letters")
    return allowed


def may_be_invited(user: object) -> bool:
    """This function will tell whether invitations can wait for the user at all: evaluators, chairs and directors."""
    grants, scope = grants_of(user), scope_of(user)
    return grants.has("evaluator") or grants.has("panel_chair") or bool(scope.directed or scope.program_director)


def may_ask_expertise(user: object, case: Case) -> bool:
    """This function will tell whether the user says which fields of expertise a case asks for: staff and secretariat."""
    return case.state in CASE_LIVE and "panel.edit" in panel_actions(user, case.panel)


def roster_actions(user: object, release: RosterRelease | None, panel_acts: set[str], is_public: bool) -> set[str]:
    """This function will return what the user may do with the release of the roster: propose a day, or approve it."""
    if "panel.release_roster" not in panel_acts or is_public:
        return set()
    allowed = {"roster.propose"}
    if release is not None and release.approved_by_id is None and release.proposed_by_id != getattr(user, "pk", None):
        allowed.add("roster.approve")
    return allowed


# What stands in the way -----------------------------------------------------------------------------------------------


def serving(on: date) -> Q:
    """This function will return the condition for the members who serve on this day: appointed, under pledge, in term."""
    return in_force(on) & Q(state=ACCEPTED)


def panel_blockers(one: Round, on: date | None = None) -> list[Blocker]:
    """This function will name a panel with fewer scoring members under pledge than the round's quorum."""
    there = PanelMember.objects.filter(serving(on or localdate()), panel__round=one, is_scoring=True).count()
    if there >= one.quorum:
        return []
    message = _("The panel has %(there)s of %(quorum)s scoring members that the round needs. Appoint more members.")
    return [Blocker("panel", "below_quorum", message % {"there": there, "quorum": one.quorum})]


# The roster -----------------------------------------------------------------------------------------------------------


def rosters_public(on: date) -> Q:
    """This function will return the condition for the rounds whose roster is public on this day.

    Approved by a second officer, on or after the round's own day for it, also when that day was moved since.
    """
    return Q(
        panel__roster_release__approved_by__isnull=False,
        panel__roster_release__release_on__lte=on,
        panel__roster_release__release_on__gte=F("roster_release_on"),
    ) & ~Q(state__in=(DRAFTING, INVALIDATED))


def is_released(release: RosterRelease, on: date) -> bool:
    """This function will tell whether the names are public on this day."""
    return Round.objects.filter(rosters_public(on), pk=release.panel.round_id).exists()


def on_roster() -> Q:
    """This function will return the condition for the members whom a roster names: all who served under pledge."""
    return Q(state__in=(ACCEPTED, ENDED), pledged_at__isnull=False)
