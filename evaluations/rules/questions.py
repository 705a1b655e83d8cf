"""Written questions (事前質問): who asks, who sends them on, who of the team answers, who reads which, and until when."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q
from django.utils.timezone import localdate

from accounts.queries import grants_of
from evaluations.models import Answer, Case, GateReview, Question
from evaluations.rules.cases import cases_judged_by
from evaluations.rules.findings import cases_chaired, cases_kept
from evaluations.rules.rounds import not_excluded
from evaluations.states import CONCLUDED, INVALIDATED, OPEN
from programs.models import Project, ProjectMember
from programs.rules import NOTHING, projects_of_headquarters, projects_of_member
from programs.rules.scope import scope_of

PRINCIPAL = ProjectMember.Role.PRINCIPAL_INVESTIGATOR
_PROJECT = "case__gate_review__project"


def questions_visible(user: object) -> Q:
    """This function will return the condition for the questions that this user may read.

    The own; all of them for secretariat, chair and auditor; those that were sent for the panel, officers, directors,
    ministry, agency and the project's team. Institutions' offices and machines none.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    me, scope = grants.person_id, scope_of(user)
    judged = Q(case__in=Case.objects.filter(cases_judged_by(user, OPEN, CONCLUDED)))
    chaired = Q(case__in=Case.objects.filter(cases_chaired(user)))
    kept = Q(case__in=Case.objects.filter(cases_kept(user)))
    areas = scope.directed | scope.supported
    team = Project.objects.filter(projects_of_member(me) | projects_of_headquarters(me))
    offices = (
        Q(case__panel__round__program__in=scope.programs)
        | Q(**{f"{_PROJECT}__area__in": areas})
        | Q(case__gate_review__area__in=areas)
        | Q(**{f"{_PROJECT}__in": team})
    )
    sent = Q(sent_at__isnull=False)
    # Of the panel even somebody admitted in spite of a conflict; the team and offices never.
    panel = judged & (sent | Q(member__person_id=me)) | chaired
    others = Q(pk__isnull=False) if grants.has("auditor") else kept | offices & sent
    return (panel | others & not_excluded(me, _PROJECT)) & ~Q(case__state=INVALIDATED)


def names_askers(user: object, case: Case) -> bool:
    """This function will tell whether the user sees who asked: secretariat, chair and auditor."""
    if grants_of(user).has("auditor"):
        return True
    return Case.objects.filter(cases_kept(user) | cases_chaired(user), pk=case.pk).exists()


def question_actions(user: object, case: Case) -> set[str]:
    """This function will return what the user may do with a case's questions: `question.ask`, `question.send`.

    The days are not looked at: whoever comes late is told so.
    """
    allowed: set[str] = set()
    if case.state != OPEN:
        return allowed
    if Case.objects.filter(cases_judged_by(user), pk=case.pk).exists():
        allowed.add("question.ask")
    if Case.objects.filter(cases_kept(user), pk=case.pk).exists():
        allowed.add("question.send")
    return allowed


def reviews_questioned(user: object) -> Q:
    """This function will return the condition for the gate reviews whose questions concern the user's own project."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    team = Project.objects.filter(projects_of_member(me) | projects_of_headquarters(me))
    sent = Question.objects.filter(sent_at__isnull=False).exclude(case__state=INVALIDATED)
    return Q(project__in=team, cases__in=sent.values("case_id")) & not_excluded(me)


def reviews_answered_by(user: object) -> Q:
    """This function will return the condition for the reviews whose answers the user writes: PI and HQ of the project."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    team = projects_of_member(me, PRINCIPAL) | projects_of_headquarters(me)
    return Q(project__in=Project.objects.filter(team)) & not_excluded(me)


def may_answer(user: object, review: GateReview) -> bool:
    """This function will tell whether the user writes the team's answers in this review."""
    return GateReview.objects.filter(reviews_answered_by(user), pk=review.pk).exists()


def is_late(due_on: date | None, at: datetime) -> bool:
    """This function will tell whether it is too late; the whole of the day counts, and without a day it always is."""
    return due_on is None or localdate(at) > due_on


def is_given(answer: Answer | None, due_on: date | None, at: datetime) -> bool:
    """This function will tell whether the panel reads an answer: handed in, or written when its time was over."""
    if answer is None or not answer.text:
        return False
    return answer.handed_in_at is not None or is_late(due_on, at)
