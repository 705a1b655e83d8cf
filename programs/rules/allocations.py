"""Who may see and do what with allocations, and what stands in the way of one.

Whoever splits a node's money is not who approves it. Somebody in conflict with a project that gets money from an
allocation sees nothing of the allocation: with one line hidden, the sums would give it away.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.queries import Grants, grants_of
from common.errors import Blocker
from common.fiscal_year import label as year_label
from common.money import yen
from programs.models import Allocation, FundEdge, FundNode, Program, Project, ProjectRecusal, ResearchArea
from programs.rules import (
    NOTHING,
    areas_directed_by,
    areas_supported_by,
    not_recused,
    programs_run_by,
    programs_staffed_by,
    projects_led_by,
    projects_supported_by,
    projects_visible,
)
from programs.states import ALLOCATION_MOVES, ALLOCATION_WRITABLE, APPROVED, PROPOSED, REFUSED, REPLACED

#: In these states an allocation has left its writer's hands.
HANDED_IN = (PROPOSED, APPROVED, REPLACED, REFUSED)
COUNTED = (APPROVED, REPLACED)


def _programs(prefix: str, condition: Q) -> Q:
    """Nodes of programs, whichever way a node belongs to one."""
    programs = Program.objects.filter(condition)
    return (
        Q(**{f"{prefix}program__in": programs})
        | Q(**{f"{prefix}area__program__in": programs})
        | Q(**{f"{prefix}project__program__in": programs})
    )


def _recused(me: int) -> Exists:
    today = timezone.localdate()
    recused = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today), person_id=me, starts_on__lte=today
    )
    edges = FundEdge.objects.filter(allocation=OuterRef("pk"), target__project__in=recused.values("project"))
    return Exists(edges)


def allocations_visible(user: object) -> Q:
    """This function will return the condition for the allocations that this user or client may see.

    A project's own allocation is seen with the project once it counts; drafts by those who write them.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None:
        client = Q(pk__in=programs_run_by([grants.client_organization_id]).values("pk"))
        return Q(state__in=COUNTED) & _programs("source__", client)
    if grants.person_id is None:
        return NOTHING
    me = grants.person_id
    reads = (
        _programs("source__", Q(pk__in=programs_staffed_by(me, "ministry_staff").values("pk")))
        | Q(source__area__in=areas_directed_by(me))
        | Q(source__area__in=areas_supported_by(me))
        | _programs("source__", Q(pk__in=programs_staffed_by(me, "program_director", "program_officer").values("pk")))
        | Q(source__project__in=Project.objects.filter(projects_led_by(me) | projects_supported_by(me)))
    )
    if grants.has("auditor"):
        reads |= Q(pk__isnull=False)
    if agencies := grants.organizations("agency_staff"):
        reads |= _programs("source__", Q(pk__in=programs_run_by(agencies).values("pk")))
    own = Q(source__project__in=Project.objects.filter(projects_visible(user)), state__in=COUNTED)
    handed_in = Q(state__in=HANDED_IN) | Q(source__in=FundNode.objects.filter(nodes_written_by(user)))
    not_hidden = Q(source__project__isnull=True) | Q(source__project__in=Project.objects.filter(not_recused(me)))
    return ((reads & handed_in) | own) & ~Q(_recused(me)) & not_hidden


def may_see_allocations(user: object) -> bool:
    """This function will tell whether the list of allocations is for this user: staff, PD, PO, agency, auditor."""
    grants = grants_of(user)
    me = grants.person_id
    if me is None:
        return False
    held = Program.objects.filter(
        Q(pk__in=programs_staffed_by(me, "ministry_staff", "program_director", "program_officer").values("pk"))
        | Q(pk__in=areas_directed_by(me).values("program"))
        | Q(pk__in=areas_supported_by(me).values("program"))
    )
    return grants.has("auditor") or grants.has("agency_staff") or held.exists()


# Acts -----------------------------------------------------------------------------------------------------------------


def nodes_split_by(user: object) -> Q:
    """This function will return the condition for the nodes whose money this person splits.

    An area's by its PD, a program's by its ministry staff, a fund's by its agency, a project's by its PD.
    """
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    me = grants.person_id
    split = (
        Q(kind="area", area__in=areas_directed_by(me))
        | Q(kind="program", program__in=programs_staffed_by(me, "ministry_staff", "program_director"))
        | Q(kind="project", project__in=Project.objects.filter(projects_led_by(me) & not_recused(me)))
    )
    if agencies := grants.organizations("agency_staff"):
        split |= Q(kind="fund", organization__in=agencies)
    return split


def nodes_written_by(user: object) -> Q:
    """This function will return the condition for the nodes whose drafts this person writes: their PO's as well."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    helped = Q(kind="area", area__in=areas_supported_by(me)) | Q(
        kind="project", project__in=Project.objects.filter(projects_supported_by(me) & not_recused(me))
    )
    return nodes_split_by(user) | helped


def may_split(user: object, node: FundNode) -> bool:
    """This function will tell whether the user may open an allocation of this node's money."""
    if not FundNode.objects.filter(nodes_split_by(user), pk=node.pk).exists():
        return False
    me = grants_of(user).person_id
    return me is not None and not _hidden_below(me, node)


def splits_owner(user: object, owner: Program | ResearchArea) -> bool:
    """This function will tell whether the user splits the money of this program or area itself."""
    me = grants_of(user).person_id
    if me is None:
        return False
    if isinstance(owner, ResearchArea):
        node, may = FundNode(kind="area", area=owner), areas_directed_by(me).filter(pk=owner.pk)
        return may.exists() and not _hidden_below(me, node)
    node = FundNode(kind="program", program=owner)
    staff = programs_staffed_by(me, "ministry_staff", "program_director").filter(pk=owner.pk)
    return staff.exists() and not _hidden_below(me, node)


def _hidden_below(me: int, node: FundNode) -> bool:
    today = timezone.localdate()
    recusals = ProjectRecusal.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today), person_id=me, starts_on__lte=today
    )
    if node.kind == FundNode.Kind.AREA:
        return recusals.filter(project__area=node.area_id).exists()
    if node.kind == FundNode.Kind.PROJECT:
        return recusals.filter(project=node.project_id).exists()
    # A program with areas splits its money over them: totals, which hide nothing.
    has_areas = ResearchArea.objects.filter(program=node.program_id).exists()
    return not has_areas and recusals.filter(project__program=node.program_id).exists()


def allocation_actions(user: object, allocation: Allocation) -> set[str]:
    """This function will return what the user may do with the allocation now: `allocation.edit`, ... In one query."""
    grants = grants_of(user)
    seen = Allocation.objects.filter(allocations_visible(user), pk=allocation.pk).order_by()
    if grants.person_id is None:
        return {"allocation.view", "allocation.export"} if seen.exists() else set()
    rights = (nodes_split_by(user), nodes_written_by(user), _decided_by(grants.person_id, grants))
    columns = [ExpressionWrapper(Q(source__in=FundNode.objects.filter(right)), BooleanField()) for right in rights]
    found = seen.values_list(*columns).first()
    if found is None:
        return set()
    splits, writes, decides = found
    allowed = {"allocation.view", "allocation.export"}
    if writes and allocation.state in ALLOCATION_WRITABLE:
        allowed.add("allocation.edit")
    if splits:
        allowed |= _starting(allocation, "propose", "withdraw")
    if decides and allocation.proposed_by_id != getattr(user, "pk", None):
        allowed |= _starting(allocation, "approve", "return", "refuse")
    return allowed


def _starting(allocation: Allocation, *acts: str) -> set[str]:
    return {f"allocation.{act}" for act in acts if allocation.state in ALLOCATION_MOVES[act].sources}


def _decided_by(me: int, grants: Grants) -> Q:
    party = _programs("", Q(pk__in=programs_staffed_by(me, "ministry_staff").values("pk")))
    if agencies := grants.organizations("agency_staff"):
        party |= _programs("", Q(pk__in=programs_run_by(agencies).values("pk")))
    return party


def allocations_to_act_on(user: object) -> Q:
    """This function will return the condition for the allocations for which this person acts next."""
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    split = FundNode.objects.filter(nodes_split_by(user))
    decided = FundNode.objects.filter(_decided_by(grants.person_id, grants))
    return Q(state__in=ALLOCATION_WRITABLE, source__in=split) | (
        Q(state=PROPOSED, source__in=decided) & ~Q(proposed_by__person=grants.person_id)
    )


# What is in the way ---------------------------------------------------------------------------------------------------


def allocation_blockers(
    allocation: Allocation,
    *,
    available_yen: int,
    amounts: Mapping[str, int],
    passed_on: Mapping[str, int],
) -> list[Blocker]:
    """This function will list what stands in the way of proposing or approving.

    `available_yen` is what the source has for the year; `amounts` yen by what gets them, `passed_on` what each of these
    has passed on already (contracts, splits); all by name as people read it.
    """
    found = []
    total = sum(amounts.values())
    if not total:
        found.append(Blocker("amounts", "required", _("Enter at least one amount.")))
    if not allocation.reason.strip():
        if total > available_yen:
            message = _(
                "%(year)s: %(total)s are split, %(available)s are there: %(over)s too much. Reduce it, or enter the reason."
            )
            figures = {
                "year": year_label(allocation.fiscal_year, _language()),
                "total": yen(total, _language()),
                "available": yen(available_yen, _language()),
                "over": yen(total - available_yen, _language()),
            }
            found.append(Blocker("reason", "above_the_source", message % figures))
        for name, out in passed_on.items():
            if out > amounts.get(name, 0):
                message = _(
                    "%(name)s has passed on %(out)s already and would get %(amount)s. Give it more, or enter the reason."
                )
                figures = {"name": name, "out": yen(out, _language()), "amount": yen(amounts.get(name, 0), _language())}
                found.append(Blocker("reason", "below_what_is_passed_on", message % figures))
    return found


def _language() -> str:
    return "en" if (get_language() or "ja").startswith("en") else "ja"
