"""Who reads the discussion of a case and its finding, who writes, sends and gives it, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import Affiliation
from accounts.queries import grants_of, in_force
from common.errors import Blocker
from common.fiscal_year import date_text
from evaluations.models import (
    Assignment,
    Case,
    DirectorOpinion,
    FactCheck,
    FactCorrection,
    Finding,
    MinorityOpinion,
    PanelMember,
    Round,
    RubricGrade,
)
from evaluations.rules.cases import PROJECT, cases_judged_by
from evaluations.rules.rounds import CHAIRS, not_excluded, panels_chaired, rounds_kept_by
from evaluations.rules.score_sheets import AFTER_FINAL, AFTER_FIRST, not_reading, reasons_given
from evaluations.states import (
    ACCEPTED,
    CHECKING,
    CONCLUDED,
    CONFIRMED,
    DRAFTING,
    GIVEN,
    INVALIDATED,
    OPEN,
    RECOMMENDED,
    SEALED,
)
from evaluations.states import SUBMITTED as HANDED_IN
from programs.drawings import language
from programs.models import Participation, ProjectRecusal
from programs.rules import NOTHING
from programs.rules.scope import scope_of


def cases_chaired(user: object) -> Q:
    """This function will return the condition for the cases of panels that the user chairs, also as vice chair."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(panel__in=panels_chaired(me)) & cases_judged_by(user, OPEN, CONCLUDED)


def cases_kept(user: object) -> Q:
    """This function will return the condition for the cases of the rounds whose secretariat the user is."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    return Q(panel__round__in=Round.objects.filter(rounds_kept_by(user))) & not_excluded(me, PROJECT)


def cases_discussed(user: object) -> Q:
    """This function will return the condition for the cases whose discussion and finding this user may read.

    Secretariat, chair, agency, PD and PO from the first close; the panel from the final close; staff from then on once
    they gave a reason, auditors with a reason. Nobody who still has to score the case, nobody in conflict with it; the
    team and its institutions never, machines never.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    me, scope = grants.person_id, scope_of(user)
    first, final = Q(panel__round__state__in=AFTER_FIRST), Q(panel__round__state__in=AFTER_FINAL)
    told = Q(panel__round__in=reasons_given(user).values("subject_id"))
    areas = scope.directed | scope.supported
    heads = (
        Q(gate_review__project__area__in=areas)
        | Q(gate_review__area__in=areas)
        | Q(panel__round__program__in=scope.program_director | scope.program_officer)
    )
    offices = (cases_kept(user) | heads | Q(panel__round__program__in=scope.agency)) & first | Q(
        panel__round__program__in=scope.ministry
    ) & final & told
    if grants.has("auditor"):
        offices |= told & first
    # Of the panel even somebody admitted in spite of a conflict; offices never.
    panel = cases_chaired(user) & first | cases_judged_by(user, OPEN, CONCLUDED) & final
    seen = panel | offices & not_excluded(me, PROJECT)
    return seen & ~Q(state=INVALIDATED) & not_reading(me, "pk")


def findings_visible(user: object) -> Q:
    """This function will return the condition for the findings that this user may read, drafts included."""
    return Q(case__in=Case.objects.filter(cases_discussed(user)))


def director_opinions_visible(user: object) -> Q:
    """This function will return the condition for the program directors' opinions that this user may read."""
    return Q(case__in=Case.objects.filter(cases_discussed(user)))


def minority_opinions_visible(user: object) -> Q:
    """This function will return the condition for the minority opinions that this user may read, nameless or not."""
    return Q(case__in=Case.objects.filter(cases_discussed(user)))


# Who gives ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Giver:
    """A chair or vice chair of the panel, and what keeps the person from giving this finding."""

    person_id: int
    is_chair: bool
    is_excluded: bool
    is_of_institution: bool

    @property
    def is_barred(self) -> bool:
        """Whether the person may never give this finding."""
        return self.is_excluded or self.is_of_institution


def givers_of(case: Case) -> list[Giver]:
    """This function will return chair and vice chairs, the chair first, with what keeps each from giving the finding."""
    project, today = case.gate_review.project_id, localdate()
    on = Q(ends_on__isnull=True) | Q(ends_on__gte=today)
    taking_part = Participation.objects.filter(project=project)
    works_there = Affiliation.objects.filter(
        on, person_id=OuterRef("person_id"), starts_on__lte=today,
        organization_id__in=taking_part.values("organization_id"),
    )  # fmt: skip
    excluded = ProjectRecusal.objects.filter(on, project=project, person_id=OuterRef("person_id"), starts_on__lte=today)
    rows = PanelMember.objects.filter(
        in_force(today), panel=case.panel_id, approved_by__isnull=False, state=ACCEPTED, role__in=CHAIRS
    ).annotate(
        works_there=Exists(works_there), excluded=Exists(excluded),
        sent_from_there=Exists(taking_part.filter(organization_id=OuterRef("organization_id"))),
    )  # fmt: skip
    return [
        Giver(person_id, role == PanelMember.Role.CHAIR, excluded, works_there or sent_from_there)
        for person_id, role, excluded, works_there, sent_from_there in rows.order_by("role", "pk").values_list(
            "person_id", "role", "excluded", "works_there", "sent_from_there"
        )
    ]


def cases_to_give(user: object) -> Q:
    """This function will return the condition for the cases whose finding falls to the user: as the chair, or as vice
    chair where no chair is free of conflict. Where the chair works is looked at when it is given.
    """
    me, today = grants_of(user).person_id, localdate()
    if me is None:
        return NOTHING
    project = OuterRef(OuterRef(PROJECT))
    excluded = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today), person_id=OuterRef("person_id"), project_id=project,
        starts_on__lte=today,
    )  # fmt: skip
    inside = Participation.objects.filter(organization_id=OuterRef("organization_id"), project_id=project)
    chairs = PanelMember.objects.filter(
        ~Exists(excluded), ~Exists(inside), in_force(today), approved_by__isnull=False, state=ACCEPTED,
        role=PanelMember.Role.CHAIR, panel=OuterRef("panel"),
    )  # fmt: skip
    return cases_chaired(user) & (Exists(chairs.filter(person_id=me)) | ~Q(Exists(chairs)))


def may_give(user: object, givers: list[Giver]) -> bool:
    """This function will tell whether it falls to the user to give the finding.

    To the chair; to a vice chair where there is no chair, or the chair is in conflict or of an institution of the
    project.
    """
    me = grants_of(user).person_id
    mine = next((one for one in givers if one.person_id == me), None)
    if mine is None or mine.is_barred:
        return False
    return mine.is_chair or all(one.is_barred for one in givers if one.is_chair)


def why_not_giver(user: object, case: Case) -> str:
    """This function will say why it does not fall to this user to give the finding."""
    givers = givers_of(case)
    mine = next((one for one in givers if one.person_id == grants_of(user).person_id), None)
    if mine is not None and mine.is_of_institution:
        return _("Your institution takes part in the project. The vice chair gives this finding.")
    if mine is not None and not mine.is_chair:
        return _("The chair gives the finding; a vice chair only where the chair cannot.")
    return _("The finding is given by the chair, once the scores are closed, and while no decision is made.")


# Acts -----------------------------------------------------------------------------------------------------------------


def finding_actions(user: object, case: Case, finding: Finding | None) -> set[str]:
    """This function will return what the user may do with the finding of a case now: names such as `finding.edit`."""
    held = held_over(user, case)
    if not held["discusses"]:
        return set()
    allowed, one = {"finding.view"}, case.panel.round
    is_live = case.state == OPEN and case.gate_review.state in (SEALED, RECOMMENDED)
    if not is_live:
        return allowed
    state, is_over = finding.state if finding else DRAFTING, one.state in AFTER_FINAL
    writes = held["keeps"] or held["chairs"] or one.program_id in scope_of(user).agency
    if case.gate_review.state == SEALED and writes:
        allowed |= {"finding.edit", "finding.settle"} if state == DRAFTING else {"finding.resume"}
        if state == DRAFTING and is_over and finding and case.gate_review.project_id:
            allowed.add("finding.send")
        if state == GIVEN:
            allowed.discard("finding.resume")
    if held["chairs"] and is_over and finding:
        allowed |= _acts_of_chair(user, case, state)
    if _directs(user, case):
        allowed.add("opinion.write")
    if is_over and held["reads"]:
        allowed.add("minority_opinion.write")
    return allowed


def held_over(user: object, case: Case) -> dict[str, bool]:
    """This function will tell, in one query, whether the user discusses, keeps, chairs or reads the case."""
    readers = Assignment.objects.filter(
        member__person_id=grants_of(user).person_id, member__state=ACCEPTED, state=CONFIRMED, case=OuterRef("pk"),
        sheet__submitted_at__isnull=False,
    )  # fmt: skip
    columns: dict[str, Q | Exists] = {
        "discusses": cases_discussed(user), "keeps": cases_kept(user), "chairs": cases_chaired(user),
        "reads": Exists(readers) & cases_judged_by(user),
    }  # fmt: skip
    wrapped = {f"is_{name}": ExpressionWrapper(one, BooleanField()) for name, one in columns.items()}
    found = Case.objects.filter(pk=case.pk).order_by().annotate(**wrapped).values_list(*wrapped).first()
    return dict(zip(columns, found or (False,) * len(columns), strict=True))


def _acts_of_chair(user: object, case: Case, state: str) -> set[str]:
    givers, allowed = givers_of(case), set()
    if may_give(user, givers):
        if state in (DRAFTING, CHECKING) and case.gate_review.state == SEALED:
            allowed.add("finding.give")
        if state == GIVEN and case.gate_review.state == RECOMMENDED:
            allowed.add("finding.take_back")
    me = grants_of(user).person_id
    is_vice = any(one.person_id == me and not one.is_chair and not one.is_barred for one in givers)
    if is_vice and needs_countersign(case) and state in (DRAFTING, CHECKING):
        allowed.add("finding.countersign")
    return allowed


def needs_countersign(case: Case) -> bool:
    """This function will tell whether a vice chair countersigns the finding: where a program director is in the chair."""
    return bool(case.panel.round.chair_source == Round.ChairSource.PROGRAM_DIRECTOR)


def _directs(user: object, case: Case) -> bool:
    scope, project = scope_of(user), case.gate_review.project
    area = project.area_id if project else case.gate_review.area_id
    return area in scope.directed or case.panel.round.program_id in scope.program_director


# What stands in the way -----------------------------------------------------------------------------------------------


def needs_fact_check(case: Case) -> bool:
    """This function will tell whether the project checks the draft for facts before the finding is given."""
    return case.gate_review.project_id is not None and case.panel.round.fact_check_due_on is not None


def sheets_in(case: Case) -> int:
    """This function will count the sheets of a case that are in, of confirmed readers."""
    return Assignment.objects.filter(case=case, state=CONFIRMED, sheet__state=HANDED_IN).count()


def sending_blockers(finding: Finding | None) -> list[Blocker]:
    """This function will list what stands in the way of sending a draft to the project."""
    if finding is None or not finding.overall:
        return [Blocker("overall", "empty", _("Write the overall finding."))]
    return []


def giving_blockers(finding: Finding, proposed: RubricGrade | None, at: datetime) -> list[Blocker]:
    """This function will list what stands in the way of giving a finding; `proposed` is the grade by the legend."""
    case = finding.case
    found = sending_blockers(finding)
    if not finding.recommendation:
        found.append(Blocker("recommendation", "missing", _("Choose what the panel recommends.")))
    if finding.grade_id is None and case.panel.round.rubric and case.panel.round.rubric.grades.exists():
        found.append(Blocker("grade", "missing", _("Choose the overall grade.")))
    elif proposed is not None and finding.grade_id != proposed.pk and not finding.grade_reason:
        message = _("By the legend the grade would be %(grade)s. Write why the panel gives another one.")
        found.append(Blocker("grade_reason", "missing", message % {"grade": proposed.code}))
    there, quorum = sheets_in(case), case.panel.round.quorum
    if there < quorum:
        message = _("%(there)s sheets are in, %(quorum)s are needed (quorum).")
        found.append(Blocker("quorum", "below_quorum", message % {"there": there, "quorum": quorum}))
    if needs_countersign(case) and finding.countersigned_revision != finding.revision:
        message = _("A program director is in the chair: the vice chair has to countersign this version first.")
        found.append(Blocker("countersign", "not_countersigned", message))
    return found + _fact_blockers(finding, at)


def _fact_blockers(finding: Finding, at: datetime) -> list[Blocker]:
    last = FactCheck.objects.filter(finding=finding).order_by("-pk").first()
    if last is None:
        if not needs_fact_check(finding.case):
            return []
        return [Blocker("fact_check", "not_sent", _("Send the draft to the project for the check of facts first."))]
    if last.closed_at is None and not is_over(last, at):
        message = _("The project can still answer on the facts until %(day)s.")
        return [Blocker("fact_check", "awaited", message % {"day": date_text(last.due_on, language())})]
    left = FactCorrection.objects.filter(fact_check__finding=finding, outcome="").count()
    if left:
        message = _("Mark each of the project's corrections as taken over or not; %(count)s are left.")
        return [Blocker("fact_check", "not_settled", message % {"count": left})]
    return []


def is_over(check: FactCheck, at: datetime) -> bool:
    """This function will tell whether the day for the answer has passed; the whole of the day counts."""
    return localdate(at) > check.due_on


# Opinions -------------------------------------------------------------------------------------------------------------


def may_name(opinion: MinorityOpinion, user: object, *, is_panel: bool) -> bool:
    """This function will tell whether the name stands beside a minority opinion: to the panel, if its author wants it."""
    return opinion.member.person_id == grants_of(user).person_id or (is_panel and opinion.is_named)


def is_own(opinion: DirectorOpinion, user: object) -> bool:
    """This function will tell whether the opinion is the user's own."""
    return opinion.author_id == getattr(user, "pk", None)


# Ranking --------------------------------------------------------------------------------------------------------------


def cases_ranked(user: object) -> Q:
    """This function will return the condition for the cases whose totals and rank this user may read.

    As the discussion, but directors and officers from the final close only, as with the sheets, and the secretariat
    once it gave a reason.
    """
    told = Q(panel__round__in=reasons_given(user).values("subject_id"))
    final, agency = Q(panel__round__state__in=AFTER_FINAL), Q(panel__round__program__in=scope_of(user).agency)
    return cases_discussed(user) & (final & ~cases_kept(user) | cases_chaired(user) | agency | told)


def panels_ranked(user: object) -> Q:
    """This function will return the condition for the panels of which the user reads the ranking of some case."""
    return Q(cases__in=Case.objects.filter(cases_ranked(user)))
