"""Who may see and do what with a plan version, and what stands in the way of its submission.

The team reads its drafts; everybody else reads a version from its submission on, the contracting agency from the PD's
confirmation on, machines what is approved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Sum
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.queries import Grants, grants_of
from common.errors import Blocker
from common.fiscal_year import date_text
from common.fiscal_year import label as year_label
from common.money import yen
from programs import planning
from programs.models import (
    ChangeRequest,
    FundEdge,
    Named,
    Participation,
    PlanEffort,
    PlanGate,
    PlanRead,
    PlanVersion,
    Project,
    ProjectMember,
    read_plans,
)
from programs.rules import (
    NOTHING,
    OFFICE_ROLES,
    not_recused,
    projects_led_by,
    projects_of_headquarters,
    projects_of_member,
    projects_of_organizations,
    projects_supported_by,
    projects_visible,
)
from programs.rules.scope import scope_of
from programs.states import (
    APPROVED,
    CHECKED,
    CONFIRMED,
    IN_APPROVAL,
    PLAN_MOVES,
    PLAN_OPEN,
    PLAN_WRITABLE,
    REFUSED,
    SUBMITTED,
)

#: In these states a plan has left the team's hands.
HANDED_IN = (SUBMITTED, CHECKED, CONFIRMED, IN_APPROVAL, APPROVED, REFUSED)
#: In these states the contracting agency reads it.
FOR_CONTRACT = (CONFIRMED, IN_APPROVAL, APPROVED)
PRINCIPAL = ProjectMember.Role.PRINCIPAL_INVESTIGATOR
READING = {"plan.view", "plan.export"}


def _of(condition: Q) -> Q:
    return Q(project__in=Project.objects.filter(condition))


def plans_visible(user: object) -> Q:
    """This function will return the condition for the plan versions that this user or client may read."""
    grants = grants_of(user)
    seen = _of(projects_visible(user))
    if grants.client_organization_id is not None:
        return seen & Q(state=APPROVED)
    if grants.person_id is None:
        return NOTHING
    me = grants.person_id
    readable = _of(_own_team(me, grants)) | (
        Q(state__in=HANDED_IN)
        & (_of(projects_supported_by(user) | projects_led_by(user)) | Q(project__program__in=scope_of(user).ministry))
    )
    if grants.has("auditor"):
        readable |= Q(state__in=HANDED_IN)
    if scope_of(user).agency:
        readable |= Q(state__in=FOR_CONTRACT, project__program__in=scope_of(user).agency)
    return seen & readable


def _own_team(me: int, grants: Grants) -> Q:
    own = projects_of_member(me) | projects_of_headquarters(me)
    if offices := grants.organizations(*OFFICE_ROLES):
        own |= projects_of_organizations(offices)
    return own


# Acts -----------------------------------------------------------------------------------------------------------------


def plan_openable(user: object, project: Project) -> bool:
    """This function will tell whether the user may open the project's next plan version now."""
    me = grants_of(user).person_id
    if me is None or project.state not in ("planned", "running"):
        return False
    whole = projects_of_member(me, PRINCIPAL) | projects_of_headquarters(me)
    may = Project.objects.filter(projects_visible(user), whole, pk=project.pk).exists()
    return may and not PlanVersion.objects.filter(project=project, state__in=PLAN_OPEN).exists()


@dataclass(frozen=True, slots=True)
class PlanRights:
    """What somebody may do with a version now (`plan.edit`, ...), and whose part of it they may write."""

    actions: frozenset[str] = frozenset()
    parts: frozenset[int] = frozenset()


def plan_rights(user: object, version: PlanVersion) -> PlanRights:
    """This function will read what the user may do with the version now, by role and state, in two queries."""
    visible = PlanVersion.objects.filter(plans_visible(user), pk=version.pk)
    grants = grants_of(user)
    if grants.person_id is None:
        return PlanRights(frozenset(READING)) if visible.exists() else PlanRights()
    held = _held(visible, user, grants.person_id)
    if held is None:
        return PlanRights()
    may = {
        "edit": held["writes"],
        "submit": held["leads"],
        "withdraw": held["leads"],
        "check": held["checks"],
        "confirm": held["directs"],
        "propose_approval": held["contracts"],
        "approve": held["contracts"] and version.approval_drafted_by_id != getattr(user, "pk", None),
        "refuse": held["contracts"] and version.state in (CONFIRMED, IN_APPROVAL),
    }
    step = {SUBMITTED: "check", CHECKED: "confirm", CONFIRMED: "propose_approval", IN_APPROVAL: "approve"}
    may["return"] = may.get(step.get(version.state, ""), False)
    allowed = READING | {
        f"plan.{act}" for act, is_so in may.items() if is_so and (act == "edit" or _starts(version, act))
    }
    if version.state not in PLAN_WRITABLE:
        return PlanRights(frozenset(allowed - {"plan.edit"}))
    parts = _own_parts(version, grants.person_id, grants)
    return PlanRights(frozenset(allowed | ({"plan.edit_part"} if parts else set())), parts)


def _held(visible: QuerySet[PlanVersion], user: object, me: int) -> dict[str, bool] | None:
    roles = {
        "writes": projects_of_member(me, PRINCIPAL) | projects_of_headquarters(me),
        "leads": projects_of_member(me, PRINCIPAL),
        "checks": projects_supported_by(user),
        "directs": projects_led_by(user),
        "contracts": _contracting(user),
    }
    columns = {name: ExpressionWrapper(_of(role), BooleanField()) for name, role in roles.items()}
    found = visible.order_by().values_list(*columns.values()).first()
    return None if found is None else dict(zip(roles, found, strict=True))


def plan_actions(user: object, version: PlanVersion) -> set[str]:
    """This function will return what the user may do with the version now: `plan.edit`, ..."""
    return set(plan_rights(user, version).actions)


def _starts(version: PlanVersion, act: str) -> bool:
    return version.state in PLAN_MOVES[act].sources


def _contracting(user: object) -> Q:
    """Projects for which the user acts as the contracting party: the program's ministry staff or its agency's."""
    return Q(program__in=scope_of(user).party)


def _own_parts(version: PlanVersion, me: int, grants: Grants) -> frozenset[int]:
    members = ProjectMember.objects.filter(
        person_id=me,
        project_id=version.project_id,
        project__in=Project.objects.filter(projects_of_member(me)),
    )
    taking_part = Participation.objects.filter(
        Q(organization__in=members.values("organization")) | Q(organization__in=grants.organizations(*OFFICE_ROLES)),
        project_id=version.project_id,
        ends_on__isnull=True,
    )
    return frozenset(taking_part.values_list("organization_id", flat=True))


def parts_of(user: object, version: PlanVersion) -> set[int]:
    """This function will return the institutions whose part of the version the user may write: co-investigators, offices."""
    return set(plan_rights(user, version).parts)


def plans_to_act_on(user: object) -> Q:
    """This function will return the condition for the versions for which this person is the one who acts next."""
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    me = grants.person_id
    waiting = (
        Q(state__in=PLAN_WRITABLE) & _of(projects_of_member(me) | projects_of_headquarters(me))
        | Q(state=SUBMITTED) & _of(projects_supported_by(user))
        | Q(state=CHECKED) & _of(projects_led_by(user))
        | Q(state=CONFIRMED) & _of(_contracting(user))
        | Q(state=IN_APPROVAL) & ~Q(approval_drafted_by__person=me) & _of(_contracting(user))
    )
    return waiting & _of(not_recused(me))


def part_writable(rights: PlanRights, organization_id: int | None) -> bool:
    """This function will tell whether these rights cover the items of this institution (None: the team's own)."""
    return "plan.edit" in rights.actions or (organization_id is not None and organization_id in rights.parts)


# What does not fit ----------------------------------------------------------------------------------------------------


def plan_in_force(project_id: int, on: date) -> PlanVersion | None:
    """This function will return the version that is in force on this day."""
    approved = PlanVersion.objects.filter(project_id=project_id, state=APPROVED, effective_on__lte=on)
    return approved.order_by("-effective_on").first()


def limits_of(version: PlanVersion, today: date) -> planning.Limits:
    """This function will read what a version has to fit: money, partners, efforts elsewhere, gates that stand."""
    edges = FundEdge.objects.filter(
        target__kind="project", target__project=version.project_id, kind="allocation", status="in_force"
    )
    ceilings = dict(edges.order_by().values_list("fiscal_year").annotate(yen=Sum("amount_yen")))
    partners = Participation.objects.filter(project=version.project_id, ends_on__isnull=True)
    people = PlanEffort.objects.filter(version=version).values("person")
    elsewhere: defaultdict[tuple[str, int], int] = defaultdict(int)
    for person, year, percent in (
        PlanEffort.objects.filter(person__in=people, version__in=_newest_elsewhere(version))
        .values_list("person__ref", "fiscal_year")
        .annotate(percent=Sum("effort_percent"))
    ):
        elsewhere[person, year] += percent
    return planning.Limits(
        ceilings=ceilings,
        partners=frozenset(partners.values_list("organization__ref", flat=True)),
        effort_elsewhere=dict(elsewhere),
        fixed=_standing_gates(version.project_id, today),
        today=today,
    )


def _newest_elsewhere(version: PlanVersion) -> QuerySet[PlanVersion]:
    # What is approved counts, also before it is in force: else two plans from next April would share one person.
    approved = PlanVersion.objects.filter(state=APPROVED).exclude(project=version.project_id)
    return approved.order_by("project_id", "-effective_on").distinct("project_id")


def _standing_gates(project_id: int, today: date) -> tuple[planning.Gate, ...]:
    standing = PlanVersion.objects.filter(project_id=project_id, state=APPROVED, effective_on__lte=today)
    newest = standing.order_by("-effective_on").values("pk")[:1]
    return tuple(
        planning.Gate(
            gate.key, gate.title, gate.held_on, gate.phase_starts_on, gate.criteria, gate.threshold, gate.unit,
            gate.direction, gate.evidence_asked,
        )
        for gate in PlanGate.objects.filter(version__in=newest)
    )  # fmt: skip


def plan_blockers(version: PlanVersion, today: date, read: PlanRead | None = None) -> list[Blocker]:
    """This function will list everything that stands in the way of a submission, in the order a plan is read.

    `read` is the version as it has been read already.
    """
    read = read or read_plans([version.pk])[version.pk]
    blockers = [*_missing(version, read.plan)]
    for conflict in planning.conflicts(read.plan, limits_of(version, today)):
        field = field_of(conflict.part, conflict.key)
        blockers.append(Blocker(field, conflict.code, message_of(conflict, read)))
    return blockers


def field_of(part: type[planning.Item], key: str) -> str:
    """This function will name an item on pages and in answers: `milestone-M1`."""
    return f"{part.__name__.lower()}-{key}"


def _missing(version: PlanVersion, plan: planning.Plan) -> list[Blocker]:
    found = []
    request = getattr(version, "change_request", None)
    if not version.summary.strip():
        found.append(Blocker(field_of(planning.Frame, "plan"), "summary", _("Write the summary of the plan.")))
    if request is not None and request.kind == ChangeRequest.Kind.STOP:
        found += _stop_without_an_end(version, plan)
    else:
        found += _nothing_planned(plan)
    if request is not None and not request.reason.strip():
        found.append(Blocker("reason", "required", _("Write the reason for the change.")))
    return found


def _nothing_planned(plan: planning.Plan) -> Iterable[Blocker]:
    for part, message in (
        (planning.WorkPackage, _("Enter at least one work package.")),
        (planning.Milestone, _("Enter at least one milestone.")),
        (planning.BudgetCell, _("Enter the budget by year, institution and cost category.")),
    ):
        if not plan.each(part):
            yield Blocker(field_of(part, ""), "required", message)


def _stop_without_an_end(version: PlanVersion, plan: planning.Plan) -> Iterable[Blocker]:
    assert version.base is not None
    if plan.frame.ends_on >= version.base.ends_on:
        message = _("A stop ends the plan before %(day)s. Enter the last day under period and summary.")
        day = date_text(version.base.ends_on, _language())
        yield Blocker(field_of(planning.Frame, "plan"), "stop_without_an_end", message % {"day": day})


def message_of(conflict: planning.Conflict, read: PlanRead) -> str:
    """This function will say a conflict in words: what does not fit, by how much, and what to do."""
    item = read.plan.items.get((conflict.part, conflict.key))
    name = getattr(item, "title", "") or conflict.key
    words: dict[str, object] = {"item": f"{conflict.key} {name}" if name != conflict.key else name}
    for key, value in conflict.figures.items():
        if isinstance(value, date):
            words[key] = date_text(value, _language())
        elif key == "year":
            words[key] = year_label(int(str(value)), _language())
        elif key in ("stated", "parts", "ceiling", "total"):
            words[key] = yen(int(str(value)), _language())
        elif key == "organization":
            words[key] = _named(read.organizations, str(value))
        else:
            words[key] = value
    if conflict.part is planning.Effort and isinstance(item, planning.Effort):
        words["person"] = _named(read.people, item.person)
        words["item"] = words["person"]
    elif isinstance(item, planning.BudgetCell):
        category = _named(read.categories, item.category)
        words["item"] = f"{_named(read.organizations, item.organization)} {category}"
    return str(_messages()[conflict.code]) % words


def _language() -> str:
    return get_language() or "ja"


def _named(names: Mapping[str, Named], ref: str) -> str:
    return names[ref].name if ref in names else ref


def _messages() -> dict[str, str]:
    return {
        "ends_before_it_starts": _("“%(item)s” ends before it starts. Correct one of the two dates."),
        "outside_the_period": _("“%(item)s” lies outside the period of the plan. Move it or change the period."),
        "before_the_start": _("“%(item)s” is on %(on)s, before the plan starts (%(start)s). Choose a later day."),
        "after_the_end": _("“%(item)s” is on %(on)s, after the plan ends (%(end)s). Choose an earlier day."),
        "phase_after_its_gate": _("The phase before the gate “%(item)s” has to start before the gate."),
        "gate_without_criteria": _("The gate “%(item)s” has no criteria. Enter a threshold or the criteria in words."),
        "gate_without_evidence": _("The gate “%(item)s” asks for no evidence. Say what the project has to show."),
        "criteria_are_fixed": _(
            "The criteria of the gate “%(item)s” and the start of its phase have stood since %(since)s. Put them back."
        ),
        "gate_taken_out": _(
            "The gate “%(item)s %(gate)s” cannot be left out: its phase started on %(since)s. Put it back."
        ),
        "partner_without_part": _(
            "%(organization)s has no part in the project (no contract). Take it out, or have its participation entered first."
        ),
        "negative_amount": _("“%(item)s” is negative. Enter 0 or more."),
        "year_outside_the_plan": _(
            "%(year)s lies outside the period of the plan. Move the money or change the period."
        ),
        "parts_differ_from_the_year": _(
            "%(year)s: the total is %(stated)s, the parts add up to %(parts)s. Correct one of the two."
        ),
        "above_the_ceiling": _("%(year)s: %(total)s are planned, the ceiling is %(ceiling)s. Reduce the plan."),
        "effort_above_100": _(
            "%(person)s has %(whole)s%% effort over all projects in %(year)s (%(here)s%% of it here). Reduce it to 100%%."
        ),
        "effort_outside_the_plan": _(
            "%(person)s has effort in %(year)s, outside the period of the plan. Take it out or change the period."
        ),
        "changed_meanwhile": _("“%(item)s” was changed in the meantime. Look at the difference again."),
    }
