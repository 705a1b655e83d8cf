"""Who declares conflicts on which cases, upon which facts, and to whom a case's documents are open (conflicts first)."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import MD5, Cast, Coalesce, Concat
from django.utils.timezone import localdate

from accounts.queries import grants_of, in_force
from common.models import JournalEntry
from common.subselects import daily
from evaluations.models import Case, ConflictOfInterest, Declaration, Panel, PanelMember, Round
from evaluations.rules.rounds import (
    admitted_cases,
    not_excluded,
    panels_chaired,
    rounds_evaluated_by,
    rounds_kept_by,
    rounds_of_member,
)
from evaluations.states import ACCEPTED, CASE_LIVE, CONCLUDED, DECLARED, OPEN, ROUND_RUNNING
from programs.models import HQMember, Participation, ProjectMember
from programs.rules import NOTHING
from programs.rules.scope import scope_of

PROJECT = "gate_review__project"
#: What officers, directors and auditors do before they read a round's declarations: they give a reason, once.
READ_WITH_REASON = "read_declarations"


# The facts that are declared upon -------------------------------------------------------------------------------------


def taking_part() -> Q:
    """This function will return the condition for the institutions that take part today."""
    today = localdate()
    return (Q(starts_on__isnull=True) | Q(starts_on__lte=today)) & (Q(ends_on__isnull=True) | Q(ends_on__gte=today))


def fingerprint_now(to_review: str) -> Any:
    """This function will return the expression for the fingerprint of a case's facts as they stand today.

    Title, institutions with their roles, and the members of team and HQ with their ORCIDs; of an area or a program its
    name. `to_review` leads from the row to the gate review.
    """
    project = OuterRef(f"{to_review}__project_id")
    people = (Cast("person_id", CharField()), Value(":"), F("person__orcid"))
    places = (Cast("organization_id", CharField()), Value(":"), F("role"))
    parts = (
        _joined(Participation.objects.filter(taking_part(), project_id=project), "project_id", places),
        _joined(ProjectMember.objects.filter(in_force(localdate()), project_id=project), "project_id", people),
        _joined(
            HQMember.objects.filter(in_force(localdate()), headquarters__project_id=project),
            "headquarters__project_id", people,
        ),
    )  # fmt: skip
    names = [
        Coalesce(F(f"{to_review}__{name}"), Value(""))
        for name in ("project__title_ja", "project__title_en", "area__name_ja", "program__name_ja")
    ]
    pieces: list[Any] = []
    for one in (*names, *parts):
        pieces += [one, Value("|")]
    return MD5(Concat(*pieces, output_field=CharField()))


def _joined(rows: QuerySet[Any], group: str, parts: tuple[Any, ...]) -> Any:
    each = Concat(*parts, output_field=CharField())
    whole = rows.order_by().values(group).annotate(whole=StringAgg(each, Value(","), order_by=each)).values("whole")
    return Coalesce(Subquery(whole), Value(""), output_field=CharField())


# To whom documents are open -------------------------------------------------------------------------------------------


def documents_open_to(user: object, *states: str, to_score: bool = False) -> Q:
    """This function will return the condition for the cases whose documents are open to this member of a panel.

    The member serves under pledge; the case is open (or in one of `states`); the member has declared on the case as it
    is now, no conflict is unsettled, and none excludes, except where he or she was admitted. On a concluded case the
    facts of that time count. `to_score`: only where the member may score as well.
    """
    me = grants_of(user).person_id
    return NOTHING if me is None else Q(pk__in=cases_open_to(me, *(states or (OPEN,)), to_score=to_score))


@daily
def cases_open_to(me: int, *states: str, to_score: bool = False) -> QuerySet[Any, Any]:
    """This function will return the cases of `documents_open_to`, as a leaf."""
    declared = _live(me).filter(Q(answer="none") | Q(conflict__isnull=False), case_id=OuterRef("pk"))
    fresh = declared.alias(now=fingerprint_now("case__gate_review")).filter(fingerprint=F("now"))
    return Case.objects.filter(
        Q(panel__round__in=rounds_of_member(me, ACCEPTED), state__in=states)
        & (Q(Exists(fresh)) | Q(Exists(declared), state=CONCLUDED))
        & ~Q(Exists(_unsettled(me)))
        & not_barred(me, to_score=to_score)
    ).values("pk")


def _live(person_id: int) -> QuerySet[Declaration]:
    return Declaration.objects.filter(
        member__person_id=person_id, member__state=ACCEPTED, replaced_at__isnull=True
    ).order_by()


def _unsettled(person_id: int) -> QuerySet[ConflictOfInterest]:
    """What was declared, reported or detected and waits for a person: in doubt the documents stay closed."""
    return ConflictOfInterest.objects.filter(
        person_id=person_id, project_id=OuterRef("gate_review__project_id"), state=DECLARED
    )


def not_barred(person_id: int, *, to_score: bool = False) -> Q:
    """This function will return the condition for the cases from which no conflict bars this member of their panel."""
    return not_excluded(person_id, PROJECT) | Q(pk__in=admitted_cases(person_id, to_score=to_score))


def cases_declarable(user: object) -> Q:
    """This function will return the condition for the cases on which the user has to declare: live, of a running round."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    rounds = Round.objects.filter(rounds_evaluated_by(user, ACCEPTED), state__in=ROUND_RUNNING)
    return Q(panel__round__in=rounds, state__in=CASE_LIVE) & not_barred(me)


def cases_undeclared(user: object) -> Q:
    """This function will return the condition for the cases that still lack the user's declaration on today's facts."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return cases_declarable(user) & ~Q(pk__in=_declared_afresh(me))


@daily
def _declared_afresh(person_id: int) -> QuerySet[Any, Any]:
    live = _live(person_id).alias(now=fingerprint_now("case__gate_review"))
    return live.filter(fingerprint=F("now")).values("case_id")


def membership_of(user: object, one: Round) -> PanelMember | None:
    """This function will return the user's membership of the round's panel, if he or she serves under pledge today."""
    me = grants_of(user).person_id
    if me is None:
        return None
    rounds = Round.objects.filter(rounds_evaluated_by(user, ACCEPTED), pk=one.pk)
    held = PanelMember.objects.filter(panel__round__in=rounds, person_id=me, state=ACCEPTED)
    return held.select_related("person", "certificate").first()


# Who reads declarations -----------------------------------------------------------------------------------------------


def rounds_with_declarations(user: object) -> Q:
    """This function will return the condition for the rounds of which the user knows who has declared (trust.md 2).

    The ministry (that, not what), the agency, the secretariat, the chair; directors, officers and auditors once they
    have given a reason.
    """
    grants, scope = grants_of(user), scope_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    return Q(program__in=scope.party) | rounds_kept_by(user) | rounds_chaired_by(user) | Q(pk__in=_told(user))


def rounds_chaired_by(user: object) -> Q:
    """This function will return the condition for the rounds whose panel the user chairs, or stands in for the chair."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(pk__in=Panel.objects.filter(pk__in=panels_chaired(me)).values("round_id"))


def _told(user: object) -> QuerySet[Any]:
    """The rounds of which a director, an officer or an auditor has given a reason to read the declarations."""
    return JournalEntry.objects.filter(
        action=READ_WITH_REASON, actor_kind="person", actor_id=str(getattr(user, "pk", "")),
        subject_type=Round._meta.label_lower,
    ).values("subject_id")  # fmt: skip


def oversees(user: object, one: Round) -> bool:
    """This function will tell whether the user knows who has declared in this round."""
    return Round.objects.filter(rounds_with_declarations(user), pk=one.pk).exists()


def may_give_reason(user: object, one: Round) -> bool:
    """This function will tell whether the user may read the round's declarations after giving a reason, and has not."""
    scope = scope_of(user)
    heads = one.program_id in scope.program_director | scope.program_officer or bool(_areas_of(user, one))
    if not (heads or grants_of(user).has("auditor")):
        return False
    return not oversees(user, one)


def _areas_of(user: object, one: Round) -> bool:
    scope = scope_of(user)
    areas = scope.directed | scope.supported
    return bool(areas) and Case.objects.filter(panel__round=one, gate_review__project__area__in=areas).exists()


def cases_overseen(user: object) -> Q:
    """This function will return the condition for the cases whose declarations the user oversees, conflicts left out.

    A director or officer oversees only the own areas' and programs' cases.
    """
    grants, scope = grants_of(user), scope_of(user)
    me = grants.person_id
    if grants.client_organization_id is not None or me is None:
        return NOTHING
    whole = Round.objects.filter(Q(program__in=scope.party) | rounds_kept_by(user) | rounds_chaired_by(user))
    told = Q(panel__round__in=_told(user))
    own = Q(gate_review__project__area__in=scope.directed | scope.supported) | Q(
        panel__round__program__in=scope.program_director | scope.program_officer
    )
    seen = Q(panel__round__in=whole) | (told & own)
    if grants.has("auditor"):
        seen |= told
    return seen & not_excluded(me, PROJECT)


def declarations_visible(user: object) -> Q:
    """This function will return the condition for the declarations that the user may read, words included.

    The own ones; secretariat, chair and agency; directors, officers and auditors with a reason. The ministry's staff
    know that there is one (`cases_overseen`), and settle the conflict that came of it. A conflict beats every role.
    """
    grants = grants_of(user)
    me = grants.person_id
    if grants.client_organization_id is not None or me is None:
        return NOTHING
    own = Q(member__person_id=me, case__in=Case.objects.filter(not_barred(me)))
    overseen = Q(case__in=Case.objects.filter(cases_overseen(user)))
    if only_metadata := _only_metadata(user):
        overseen &= ~Q(case__panel__round__program__in=only_metadata) | Q(case__panel__round__in=_read_in(user))
    return own | overseen


def _only_metadata(user: object) -> frozenset[int]:
    scope = scope_of(user)
    return scope.ministry - scope.agency


def _read_in(user: object) -> QuerySet[Round]:
    """Rounds in which an office of the ministry's staff other than the ministry's lets them read."""
    return Round.objects.filter(rounds_kept_by(user) | rounds_chaired_by(user) | Q(pk__in=_told(user)))


def reads_words(user: object, one: Round) -> bool:
    """This function will tell whether the user reads what was declared in the round, or only that it was."""
    if one.program_id not in _only_metadata(user):
        return True
    return _read_in(user).filter(pk=one.pk).exists()


def may_chase(user: object, one: Round) -> bool:
    """This function will tell whether the user runs the detection of conflicts: ministry, agency, secretariat."""
    return (
        one.program_id in scope_of(user).party or Round.objects.filter(rounds_kept_by(user), pk=one.pk).exists()
    ) and one.state in ROUND_RUNNING
