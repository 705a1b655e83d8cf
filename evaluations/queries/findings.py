"""Reads of findings: the draft with its proposed grade, opinions beside it, fact checks, and what waits for whom."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import BooleanField, ExpressionWrapper, Prefetch, Q, QuerySet

from accounts.queries import grants_of
from evaluations import scoring
from evaluations.models import (
    Case,
    DirectorOpinion,
    FactCheck,
    FactCorrection,
    Finding,
    MinorityOpinion,
    RubricGrade,
)
from evaluations.queries.cases import cases_visible_to
from evaluations.queries.score_sheets import answers_of, as_sheet, confirmed_of, items_of, rubric_of, scores_of
from evaluations.rules.cases import cases_judged_by
from evaluations.rules.fact_checks import fact_checks_visible
from evaluations.rules.findings import (
    cases_discussed,
    cases_kept,
    cases_to_give,
    director_opinions_visible,
    findings_visible,
    is_own,
    may_name,
    minority_opinions_visible,
)
from evaluations.rules.score_sheets import AFTER_FINAL
from evaluations.states import CHECKING, CONCLUDED, OPEN, SEALED, SUBMITTED


def findings_visible_to(user: object) -> QuerySet[Finding]:
    """This function will return the findings that this user may read, drafts included."""
    return (
        Finding.objects.filter(findings_visible(user))
        .select_related("case__panel__round", "case__gate_review__project", "grade")
        .order_by("case__panel_id", "case__number")
    )


def cases_discussed_by(user: object) -> QuerySet[Case]:
    """This function will return the cases whose discussion and finding this user may read."""
    return cases_visible_to(user).filter(cases_discussed(user)).select_related("panel__round__rubric")


def finding_of(case: Case) -> Finding | None:
    """This function will return the finding on a case, if one was begun."""
    rows = Finding.objects.filter(case=case).select_related(
        "grade", "proposed_grade", "edited_by__person", "recommended_by__person", "countersigned_by__person"
    )
    return rows.first()


def grades_of(case: Case) -> list[RubricGrade]:
    """This function will return the legend of the round's rubric."""
    return list(case.panel.round.rubric.grades.all()) if case.panel.round.rubric else []


def proposed_grade(case: Case) -> RubricGrade | None:
    """This function will return the grade that the legend gives to the sheets that are in; None where it gives none."""
    rubric_row = case.panel.round.rubric
    sheets = [one.sheet for one in confirmed_of([case]) if getattr(one, "sheet", None) and one.sheet.state == SUBMITTED]
    if rubric_row is None or not sheets:
        return None
    kept = scores_of(sheets)
    rubric = rubric_of(rubric_row, items_of(rubric_row))
    found = scoring.case_score(
        rubric, case.ref, [as_sheet(case, str(one.pk), answers_of(kept.get(one.pk, []))) for one in sheets]
    )
    return next((one for one in rubric_row.grades.all() if one.code == found.grade), None)


# Opinions -------------------------------------------------------------------------------------------------------------


def director_opinions_visible_to(user: object) -> QuerySet[DirectorOpinion]:
    """This function will return the program directors' opinions that this user may read."""
    return DirectorOpinion.objects.filter(director_opinions_visible(user)).select_related("author__person")


def minority_opinions_visible_to(user: object) -> QuerySet[MinorityOpinion]:
    """This function will return the minority opinions that this user may read; `opinions_of` says which with a name."""
    return MinorityOpinion.objects.filter(minority_opinions_visible(user)).select_related("member__person")


@dataclass(frozen=True, slots=True)
class OpinionRead:
    """One opinion as its reader sees it: whose it is ("" for nameless), and whether it is the reader's own."""

    name: str
    text: str
    is_own: bool
    opinion: DirectorOpinion | MinorityOpinion


def director_opinions_of(user: object, case: Case) -> list[OpinionRead]:
    """This function will return the program directors' opinions on a case; empty ones only to their author."""
    return [
        OpinionRead(str(one.author), one.text, is_own(one, user), one)
        for one in director_opinions_visible_to(user).filter(case=case)
        if one.text or is_own(one, user)
    ]


def minority_opinions_of(user: object, case: Case) -> list[OpinionRead]:
    """This function will return the minority opinions on a case, with names only as their authors allow."""
    is_panel = _is_of_panel(user, case)
    me = grants_of(user).person_id
    return [
        OpinionRead(
            one.member.person.name if may_name(one, user, is_panel=is_panel) else "", one.text,
            one.member.person_id == me, one,
        )
        for one in minority_opinions_visible_to(user).filter(case=case)
        if one.text or one.member.person_id == me
    ]  # fmt: skip


def _is_of_panel(user: object, case: Case) -> bool:
    return Case.objects.filter(cases_judged_by(user, OPEN, CONCLUDED) | cases_kept(user), pk=case.pk).exists()


# Fact checks ----------------------------------------------------------------------------------------------------------


def fact_checks_visible_to(user: object) -> QuerySet[FactCheck]:
    """This function will return the fact checks that are shown to the user as the project's, the newest first."""
    return (
        FactCheck.objects.filter(fact_checks_visible(user))
        .select_related("finding__case__gate_review__project__area", "finding__case__panel__round")
        .prefetch_related("corrections")
        .order_by("-pk")
    )


def fact_checks_of(finding: Finding) -> list[FactCheck]:
    """This function will return the fact checks of a finding, oldest first, with the project's corrections."""
    corrections = Prefetch("corrections", FactCorrection.objects.select_related("settled_by__person"))
    rows = FactCheck.objects.filter(finding=finding).select_related("sent_by__person", "answered_by__person")
    return list(rows.prefetch_related(corrections).order_by("pk"))


def correction_of(case: Case, pk: int) -> FactCorrection | None:
    """This function will return one correction that the project made on this case's finding."""
    rows = FactCorrection.objects.select_related("fact_check__finding__case")
    return rows.filter(fact_check__finding__case=case, pk=pk).first()


# What waits -----------------------------------------------------------------------------------------------------------


def findings_awaiting(user: object) -> QuerySet[Case]:
    """This function will return the cases whose finding waits: for the secretariat to write, the chair to give it.

    `falls_to_me` tells whether the user is the one who gives it.
    """
    rows = cases_discussed_by(user).annotate(
        falls_to_me=ExpressionWrapper(cases_to_give(user), BooleanField()),
        is_kept=ExpressionWrapper(cases_kept(user), BooleanField()),
    )
    rows = rows.filter(
        Q(is_kept=True) | Q(falls_to_me=True),
        state=OPEN,
        gate_review__state=SEALED,
        panel__round__state__in=AFTER_FINAL,
    )
    rows = rows.exclude(finding__state=CHECKING).select_related("gate_review__project__area")
    return rows.order_by("panel__round__finding_due_on", "pk")


def fact_checks_awaiting(user: object) -> QuerySet[FactCheck]:
    """This function will return the fact checks that this team still answers."""
    me = grants_of(user).person_id
    if me is None:
        return FactCheck.objects.none()
    return fact_checks_visible_to(user).filter(closed_at__isnull=True, finding__state=CHECKING).order_by("due_on")
