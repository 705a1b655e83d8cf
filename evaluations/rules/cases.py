"""Who may see cases (審査案件) and read their documents. A conflict beats every role, the chair's and staff's too."""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from common.states import can_move
from evaluations.models import Case, Round
from evaluations.rules.declarations import documents_open_to
from evaluations.rules.panels import panel_blockers
from evaluations.rules.rounds import admitted_cases, not_excluded, rounds_evaluated_by, rounds_kept_by
from evaluations.states import ACCEPTED, CASE_MOVES, ROUND_RUNNING, SEALED
from programs.rules import NOTHING
from programs.rules.scope import scope_of

PROJECT = "gate_review__project"


def cases_listed(user: object) -> Q:
    """This function will return the condition for the cases whose title and members this user may know.

    Ministry and agency, secretariat, PD and PO, auditors and the panel (titles and members come before the
    declaration of conflicts, documents after it). Teams see their gate review, never a case; machines see none.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    me = grants.person_id
    if grants.has("auditor"):
        return not_excluded(me, PROJECT)
    scope = scope_of(user)
    rounds = Round.objects.filter(rounds_kept_by(user) | rounds_evaluated_by(user))
    areas = scope.directed | scope.supported
    seen = (
        Q(panel__round__program__in=scope.programs)
        | Q(panel__round__in=rounds)
        | Q(gate_review__project__area__in=areas)
        | Q(gate_review__area__in=areas)
    )
    serves = Round.objects.filter(rounds_evaluated_by(user, ACCEPTED))
    admitted = Q(panel__round__in=serves, pk__in=admitted_cases(me))
    return (seen & not_excluded(me, PROJECT)) | admitted


def cases_judged_by(user: object, *states: str) -> Q:
    """This function will return the condition for the cases whose documents the user reads as a member of the panel."""
    return documents_open_to(user, *states)


def case_actions(user: object, case: Case) -> set[str]:
    """This function will return what the user may do with the case now: names such as `case.open_documents`.

    The secretariat and the ministry's staff open documents; only staff declare a review invalid.
    """
    if not Case.objects.filter(cases_listed(user), pk=case.pk).exists():
        return set()
    allowed = {"case.view"}
    one = case.panel.round
    staffs = one.program_id in scope_of(user).ministry
    keeps = Round.objects.filter(rounds_kept_by(user), pk=one.pk).exists()
    if (staffs or keeps) and can_move(case, "open_documents", CASE_MOVES):
        allowed.add("case.open_documents")
    if staffs and can_move(case, "invalidate", CASE_MOVES):
        allowed.add("case.invalidate")
    return allowed


def case_blockers(case: Case, on: date | None = None) -> list[Blocker]:
    """This function will list what stands in the way of opening a case's documents on this day (today)."""
    found = []
    if case.gate_review.state != SEALED:
        found.append(Blocker("dossier", "not_sealed", _("Wait until the program officer has sealed the dossier.")))
    if case.panel.round.state not in ROUND_RUNNING:
        found.append(Blocker("round", "not_open", _("Open the round first.")))
    return found + panel_blockers(case.panel.round, on)
