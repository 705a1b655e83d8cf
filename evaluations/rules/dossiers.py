"""Who may write, hand in, seal and read dossiers, and precisely what one still lacks: of whom, since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import JSONObject
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from common.states import can_move
from common.text import count_characters
from evaluations.models import Case, Condition, Dossier, GateReview, Round
from evaluations.rules.cases import cases_judged_by
from evaluations.rules.rounds import gate_reviews_visible, not_excluded, rounds_evaluated_by, rounds_kept_by
from evaluations.scoring import Spread
from evaluations.states import (
    CALLED,
    CONCLUDED,
    DECIDED,
    DECISION_STANDS,
    FINAL_CLOSED,
    GATE_REVIEW_MOVES,
    NOT_MET,
    OPEN,
    PREPARING,
    RECOMMENDED,
    RELEASED,
    SEALED,
    SUBMITTED,
)
from programs.models import Project, ProjectMember
from programs.rules import (
    EVERYTHING,
    NOTHING,
    OFFICE_ROLES,
    projects_led_by,
    projects_of_headquarters,
    projects_of_member,
    projects_of_organizations,
    projects_supported_by,
)
from programs.rules.scope import scope_of

HANDED_IN = (SUBMITTED, SEALED, RECOMMENDED, DECIDED, RELEASED)
IN_HAND = (CALLED, SUBMITTED, SEALED)
CLOSED_TO_CHANGE = (SEALED, RECOMMENDED, DECIDED, RELEASED)
PRINCIPAL = ProjectMember.Role.PRINCIPAL_INVESTIGATOR


def _of(projects: Q) -> Q:
    return Q(gate_review__project__in=Project.objects.filter(projects))


def dossiers_readable(user: object) -> Q:
    """This function will return the condition for the dossiers whose content this user may read.

    The team always; PO, PD, staff, offices and auditors once it is handed in; agency people once it is sealed; the
    panel once the case's documents are open to them, and after it is concluded; the secretariat never reads content
    here, it chases by the board. Machines none. A conflict beats every role.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None or grants.person_id is None:
        return NOTHING
    me, scope = grants.person_id, scope_of(user)
    handed_in = Q(gate_review__state__in=HANDED_IN)
    readable = (
        _of(projects_of_member(me) | projects_of_headquarters(me))
        | handed_in & _of(projects_supported_by(user) | projects_led_by(user))
        | handed_in & Q(gate_review__round__program__in=scope.ministry)
        | Q(gate_review__state__in=CLOSED_TO_CHANGE, gate_review__round__program__in=scope.agency)
    )
    if grants.has("auditor"):
        readable |= handed_in
    if offices := grants.organizations(*OFFICE_ROLES):
        readable |= handed_in & _of(projects_of_organizations(offices))
    judged = Case.objects.filter(cases_judged_by(user, OPEN, CONCLUDED), gate_review=OuterRef("gate_review"))
    return (readable & not_excluded(me, "gate_review__project")) | Q(Exists(judged))


def dossier_actions(user: object, review: GateReview) -> set[str]:
    """This function will return what the user may do with the review's dossier now: `dossier.write`, ..."""
    held = _held(user, review)
    if held is None:
        return set()
    allowed = {"gate_review.view"}
    if held["reads"]:
        allowed.add("dossier.read")
    if held["progress"]:
        allowed.add("gate_review.progress")
    writes, confirms = held["writes"], held["confirms"] and not held["writes"]
    if writes and review.state == CALLED:
        allowed.add("dossier.write")
    if held["leads"] and can_move(review, "submit", GATE_REVIEW_MOVES):
        allowed.add("dossier.submit")
    if confirms and review.state == SUBMITTED:
        allowed |= {"dossier.seal", "dossier.return"}
    if (writes or confirms) and review.state in (SEALED, RECOMMENDED):
        allowed.add("dossier.add_addendum")
    return allowed


def _held(user: object, review: GateReview) -> dict[str, bool] | None:
    """What the user holds over the review, in one query; None when it is not visible."""
    me = grants_of(user).person_id
    columns: dict[str, Q | Exists] = {
        "reads": Exists(Dossier.objects.filter(dossiers_readable(user), gate_review=OuterRef("pk"))),
        "progress": progress_visible(user),
    }
    if me is not None:
        leads = projects_of_member(me, PRINCIPAL)
        for name, projects in (
            ("writes", leads | projects_of_headquarters(me)), ("leads", leads), ("confirms", projects_supported_by(user)),
        ):  # fmt: skip
            columns[name] = Q(project__in=Project.objects.filter(projects))
    wrapped = {name: ExpressionWrapper(one, BooleanField()) for name, one in columns.items()}
    seen = GateReview.objects.filter(gate_reviews_visible(user), pk=review.pk).order_by()
    found = (
        seen.annotate(**{f"holds_{name}": one for name, one in wrapped.items()})
        .values_list(*(f"holds_{name}" for name in wrapped))
        .first()
    )
    if found is None:
        return None
    return dict.fromkeys(("writes", "leads", "confirms"), False) | dict(zip(wrapped, found, strict=True))


def progress_visible(user: object) -> Q:
    """This function will return the condition for the reviews of which the user may know what precedes the release.

    That something is recommended or decided is known to officials, the secretariat, the panel and auditors; never to
    the team or its institutions.
    """
    grants, scope = grants_of(user), scope_of(user)
    if grants.person_id is None:
        return NOTHING
    if grants.has("auditor"):
        return EVERYTHING
    areas = scope.directed | scope.supported
    rounds = Round.objects.filter(rounds_kept_by(user) | rounds_evaluated_by(user))
    return Q(round__program__in=scope.programs) | Q(project__area__in=areas) | Q(area__in=areas) | Q(round__in=rounds)


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a gate review still lacks: what, who owes it, since when, and by when it is due."""

    field: str
    code: str
    message: str
    owed_by: str
    since: date
    due_on: date | None

    def blocker(self) -> Blocker:
        """This function will return it as what stands in the way."""
        return Blocker(self.field, self.code, self.message)


def conditions_asked() -> ArraySubquery:
    """This function will return, for gate reviews, the conditions of earlier gates that wait for the team's report."""
    rows = Condition.objects.filter(
        ~Q(decision__gate_review=OuterRef("pk")),
        decision__gate_review__project=OuterRef("project"),
        decision__state__in=DECISION_STANDS,
        state__in=(OPEN, NOT_MET),
        owner__in=(Condition.Owner.TEAM, Condition.Owner.OFFICE),
    )
    return ArraySubquery(rows.order_by("due_on", "pk").values(json=JSONObject(ref="ref", text="text", owner="owner")))


def _unanswered(review: GateReview) -> list[dict[str, str]]:
    found = getattr(review, "conditions_asked", None)
    if found is None:
        rows = GateReview.objects.filter(pk=review.pk).order_by().annotate(conditions_asked=conditions_asked())
        found = rows.values_list("conditions_asked", flat=True)[0]
    return list(found)


def dossier_missing(review: GateReview) -> list[Missing]:
    """This function will list what a dossier being written lacks: sections, documents, answers to the last gate.

    Give it a review with `dossier__sections`, `dossier__documents` and the round's documents at hand, and with
    `conditions_asked` where there are many.
    """
    if review.state != CALLED:
        return []
    since, due = localdate(review.called_at), review.round.dossier_due_on
    owed = _("the project's team")
    dossier = review.dossier
    found = []
    for section in dossier.sections.all():
        count = count_characters(section.text)
        if not section.text.strip():
            message = _("Write “%(name)s”.") % {"name": section.name}
            found.append(Missing(f"section-{section.code}", "empty", message, owed, since, due))
        elif count > section.longest:
            message = _("Shorten “%(name)s” to %(limit)s characters; it has %(count)s.")
            text = message % {"name": section.name, "limit": section.longest, "count": count}
            found.append(Missing(f"section-{section.code}", "too_long", text, owed, since, due))
    there = {one.document_id for one in dossier.documents.all()}
    for document in review.round.documents.all():
        if document.is_required and document.pk not in there:
            message = _("Add “%(name)s”.") % {"name": document.name}
            found.append(Missing(f"document-{document.pk}", "missing", message, owed, since, due))
    for asked in _unanswered(review):
        message = _("Report on the condition of the last gate: “%(text)s”.") % {"text": asked["text"][:60]}
        owner = str(Condition.Owner(asked["owner"]).label)
        found.append(Missing(f"condition-{asked['ref']}", "unanswered", message, owner, since, due))
    return found


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a review is, as far as its reader may know it: a count is None where it is not the reader's matter.

    `declarations_owed`: of members under pledge who are not excluded, on the facts as they are today.
    """

    conflicts: int = 0
    unsettled: int = 0
    unsettled_since: datetime | None = None
    case_state: str = ""
    opened_at: datetime | None = None
    declarations_owed: int | None = None
    readers: int | None = None
    sheets_in: int | None = None
    spread: Spread | None = None
    recommendation: str = ""
    grade: str = ""
    recommended_at: datetime | None = None
    outcome: str = ""
    decision_state: str = ""
    decided_at: datetime | None = None
    at_stake_yen: int | None = None


def review_missing(review: GateReview, seen_state: str, progress: Progress) -> list[Missing]:
    """This function will list all that a review waits for: parts of the dossier, then the panel's and officials' steps.

    `seen_state`: the state as the reader may know it. Give it a review with `dossier` and `round` at hand.
    """
    found = dossier_missing(review)
    if seen_state == SUBMITTED and review.dossier.submitted_at is not None:
        since, owed = localdate(review.dossier.submitted_at), _("program officer")
        found.append(
            Missing("dossier", "unconfirmed", _("Confirm or return the dossier."), owed, since, review.round.seals_on)
        )
    return found + _of_the_panel(review, progress) + _of_officials(review, seen_state, progress)


def _of_the_panel(review: GateReview, progress: Progress) -> list[Missing]:
    """What members, chair and secretariat owe, where the reader oversees the case."""
    one, found = review.round, []
    if progress.declarations_owed:
        message = _("Declare on conflicts of interest: %(count)s declarations.") % {"count": progress.declarations_owed}
        owed, since = _("members of the panel"), localdate(review.called_at)
        found.append(Missing("declarations", "undeclared", message, owed, since, one.declarations_due_on))
    if review.state != SEALED or progress.readers is None or progress.sheets_in is None:
        return found
    sealed_on = localdate(review.dossier.sealed_at or review.called_at)
    if progress.readers < one.readers_per_case:
        message = _("Settle who reads it: %(there)s of %(asked)s readers.")
        counts = {"there": progress.readers, "asked": one.readers_per_case}
        found.append(Missing("readers", "too_few", message % counts, _("the chair"), sealed_on, one.seals_on))
    if progress.case_state == PREPARING:
        message = _("Open the documents to the panel.")
        found.append(Missing("documents", "closed", message, _("the secretariat"), sealed_on, one.seals_on))
    elif (left := progress.readers - progress.sheets_in) > 0 and one.state == OPEN and progress.opened_at:
        message = _("Hand in the score sheets: %(count)s sheets.") % {"count": left}
        due = localdate(one.first_close_at) if one.first_close_at else None
        owed = _("readers of the panel")
        found.append(Missing("sheets", "not_in", message, owed, localdate(progress.opened_at), due))
    if one.state == FINAL_CLOSED and one.final_closed_at is not None:
        since = localdate(one.final_closed_at)
        found.append(Missing("finding", "not_given", _("Give the finding."), _("the chair"), since, one.finding_due_on))
    return found


def _of_officials(review: GateReview, seen_state: str, progress: Progress) -> list[Missing]:
    found, staff, due = [], _("the ministry's staff"), review.round.decision_due_on
    if progress.unsettled and progress.unsettled_since is not None and review.state in IN_HAND:
        message = _("Confirm or dismiss conflicts of interest: %(count)s.") % {"count": progress.unsettled}
        since, by = localdate(progress.unsettled_since), review.round.seals_on
        found.append(Missing("conflicts", "unsettled", message, staff, since, by))
    if seen_state == RECOMMENDED and progress.recommended_at is not None:
        since = localdate(progress.recommended_at)
        found.append(Missing("decision", "not_taken", _("Take the decision."), staff, since, due))
    if seen_state == DECIDED and progress.decided_at is not None:
        since = localdate(progress.decided_at)
        found.append(Missing("decision", "not_released", _("Release the decision."), staff, since, due))
    return found


def readiness(review: GateReview) -> tuple[int, int]:
    """This function will return how many of a dossier's parts are there, and of how many."""
    sections = list(review.dossier.sections.all())
    required = [one for one in review.round.documents.all() if one.is_required]
    missing = dossier_missing(review)
    whole = len(sections) + len(required) + sum(one.code == "unanswered" for one in missing)
    return whole - len(missing), whole
