"""Every read of this app leaves here, already restricted to what the reader may see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.queries import grants_of
from evaluations.models import Admission, ConflictOfInterest, GateReview, PanelMember, Round
from evaluations.queries.rounds import rounds_visible_to
from evaluations.rules.conflicts import conflicts_visible
from evaluations.states import DECLARED
from programs.queries import lead_institutions
from programs.rules.scope import scope_of

#: So many conflicts wait at home at most.
AWAITING = 20


def conflicts_visible_to(user: object) -> QuerySet[ConflictOfInterest]:
    """This function will return the conflicts this user may see, newest first."""
    return (
        ConflictOfInterest.objects.filter(conflicts_visible(user))
        .select_related("person", "project__program", "declared_by__person", "settled_by__person")
        .prefetch_related(lead_institutions("project__participations"))
        .order_by("-declared_at", "-pk")
    )


def conflicts_overseen_by(user: object, query: str = "") -> QuerySet[ConflictOfInterest]:
    """This function will return the conflicts of projects from which the reader is not excluded, searched by words."""
    rows = conflicts_visible_to(user).exclude(project__in=scope_of(user).recused)
    if query:
        names = Q(person__name_ja__icontains=query) | Q(person__name_en__icontains=query) | Q(ref__iexact=query)
        rows = rows.filter(names | Q(project__title_ja__icontains=query) | Q(project__ref__icontains=query))
    return rows


def conflicts_of_reader(user: object) -> list[ConflictOfInterest]:
    """This function will return the reader's own conflicts that exclude today; nothing of the projects is shown."""
    recused = scope_of(user).recused
    if not recused:
        return []
    me = grants_of(user).person_id
    return list(ConflictOfInterest.objects.filter(person=me, project__in=recused).order_by("-declared_at", "-pk"))


def is_closed_to(user: object, conflict: ConflictOfInterest) -> bool:
    """This function will tell whether the reader is excluded from the project that a conflict is about."""
    return conflict.project_id in scope_of(user).recused


def in_round(ref: str) -> Q:
    """This function will return the condition for the conflicts between a round's panel and its cases."""
    members = PanelMember.objects.filter(panel__round__ref=ref).values("person_id")
    projects = GateReview.objects.filter(round__ref=ref, project__isnull=False).values("project_id")
    return Q(person__in=members, project__in=projects)


def conflict_rounds(user: object) -> list[Round]:
    """This function will return the rounds by which the reader can narrow the list of conflicts, newest first."""
    return list(rounds_visible_to(user).exclude(state="drafting")[:50])


def conflicts_awaiting(user: object) -> list[ConflictOfInterest]:
    """This function will return the conflicts that this person can settle, oldest first."""
    if not scope_of(user).party:
        return []
    me = grants_of(user).person_id
    rows = conflicts_overseen_by(user).filter(state=DECLARED, project__program__in=scope_of(user).party)
    own = Q(person_id=me) | Q(declared_by=getattr(user, "pk", None))
    return list(rows.exclude(own).order_by("declared_at", "pk")[:AWAITING])


def admissions_for(conflict: ConflictOfInterest) -> list[Admission]:
    """This function will return the admissions of a conflict, newest first."""
    rows = Admission.objects.filter(conflict=conflict)
    return list(rows.select_related("case__panel__round", "proposed_by__person", "approved_by__person").order_by("-pk"))
