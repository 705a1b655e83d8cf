"""Who may see and do what with allocations, and what stands in the way of one.

Whoever splits a node's money is not who approves it. Somebody in conflict with a project that gets money from an
allocation sees nothing of the allocation: with one line hidden, the sums would give it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from common.fiscal_year import label as year_label
from common.money import yen
from programs.models import Allocation, FundEdge, FundNode, Program, Project, ProjectRecusal, ResearchArea
from programs.rules import (
    NOTHING,
    OFFICE_ROLES,
    projects_of_headquarters,
    projects_of_member,
    projects_of_organizations,
)
from programs.rules.scope import Scope, programs_run_by, scope_of
from programs.states import ALLOCATION_MOVES, ALLOCATION_WRITABLE, APPROVED, PROPOSED, REFUSED, REPLACED

#: In these states an allocation has left its writer's hands.
HANDED_IN = (PROPOSED, APPROVED, REPLACED, REFUSED)
COUNTED = (APPROVED, REPLACED)


def _within(prefix: str, programs: Iterable[int], areas: Iterable[int] = ()) -> Q:
    """Nodes of these programs and areas, whichever way a node belongs to one."""
    whole, parts = sorted(programs), sorted(areas)
    found = NOTHING
    if whole:
        names = ("program", "area__program", "project__program")
        for name in names:
            found |= Q(**{f"{prefix}{name}__in": whole})
    if parts:
        found |= Q(**{f"{prefix}area__in": parts}) | Q(**{f"{prefix}project__area__in": parts})
    return found


def _split_over(projects: Iterable[int]) -> Exists:
    return Exists(FundEdge.objects.filter(allocation=OuterRef("pk"), target__project__in=sorted(projects)))


def allocations_visible(user: object) -> Q:
    """This function will return the condition for the allocations that this user or client may see.

    A project's own allocation is seen with the project once it counts; drafts by those who write them.
    """
    grants = grants_of(user)
    if grants.client_organization_id is not None:
        run = programs_run_by([grants.client_organization_id]).values("pk")
        names = ("program", "area__program", "project__program")
        return Q(state__in=COUNTED) & reduce(or_, (Q(**{f"source__{name}__in": run}) for name in names))
    if grants.person_id is None:
        return NOTHING
    me, scope = grants.person_id, scope_of(user)
    reads = _within("source__", scope.programs, scope.directed | scope.supported)
    if grants.has("auditor"):
        reads |= Q(pk__isnull=False)
    handed_in = Q(state__in=HANDED_IN) | _written("source__", scope)
    team = projects_of_member(me) | projects_of_headquarters(me)
    if offices := grants.organizations(*OFFICE_ROLES):
        team |= projects_of_organizations(offices)
    own = Q(source__project__in=Project.objects.filter(team), state__in=COUNTED)
    seen = (reads & handed_in) | own
    if not scope.recused:
        return seen
    return (
        seen
        & ~Q(_split_over(scope.recused))
        & (Q(source__project__isnull=True) | ~Q(source__project__in=scope.recused))
    )


def _split(prefix: str, scope: Scope) -> Q:
    """An area's money by its PD, a program's by its ministry staff, a fund's by its agency, a project's by its PD."""
    found = NOTHING
    if scope.directed:
        found |= Q(**{f"{prefix}kind": "area", f"{prefix}area__in": sorted(scope.directed)})
        found |= Q(**{f"{prefix}kind": "project", f"{prefix}project__area__in": sorted(scope.directed)})
    if programs := sorted(scope.ministry | scope.program_director):
        found |= Q(**{f"{prefix}kind": "program", f"{prefix}program__in": programs})
    if scope.program_director:
        found |= Q(**{f"{prefix}kind": "project", f"{prefix}project__program__in": sorted(scope.program_director)})
    if scope.agencies:
        found |= Q(**{f"{prefix}kind": "fund", f"{prefix}organization__in": sorted(scope.agencies)})
    return found


def _written(prefix: str, scope: Scope) -> Q:
    """What one splits, and as PO what one's PD splits."""
    found = _split(prefix, scope)
    if scope.supported:
        found |= Q(**{f"{prefix}kind": "area", f"{prefix}area__in": sorted(scope.supported)})
        found |= Q(**{f"{prefix}kind": "project", f"{prefix}project__area__in": sorted(scope.supported)})
    if scope.program_officer:
        found |= Q(**{f"{prefix}kind": "project", f"{prefix}project__program__in": sorted(scope.program_officer)})
    return found


def may_see_allocations(user: object) -> bool:
    """This function will tell whether the list of allocations is for this user: staff, PD, PO, agency, auditor."""
    grants, scope = grants_of(user), scope_of(user)
    if grants.person_id is None:
        return False
    offices = scope.programs or scope.directed or scope.supported
    return grants.has("auditor") or grants.has("agency_staff") or bool(offices)


# Acts -----------------------------------------------------------------------------------------------------------------


def may_split(user: object, node: FundNode) -> bool:
    """This function will tell whether the user may open an allocation of this node's money."""
    if not FundNode.objects.filter(_split("", scope_of(user)), pk=node.pk).exists():
        return False
    me = grants_of(user).person_id
    return me is not None and not _hidden_below(me, node)


def splits_owner(user: object, owner: Program | ResearchArea) -> bool:
    """This function will tell whether the user splits the money of this program or area itself."""
    me, scope = grants_of(user).person_id, scope_of(user)
    if me is None:
        return False
    if isinstance(owner, ResearchArea):
        return owner.pk in scope.directed and not _hidden_below(me, FundNode(kind="area", area=owner))
    splits = owner.pk in scope.ministry | scope.program_director
    return splits and not _hidden_below(me, FundNode(kind="program", program=owner))


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
    scope = scope_of(user)
    rights = (_split("source__", scope), _written("source__", scope), _within("source__", scope.party))
    found = seen.values_list(*(ExpressionWrapper(right, BooleanField()) for right in rights)).first()
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


def allocations_to_act_on(user: object) -> Q:
    """This function will return the condition for the allocations for which this person acts next."""
    me, scope = grants_of(user).person_id, scope_of(user)
    if me is None:
        return NOTHING
    return Q(state__in=ALLOCATION_WRITABLE) & _split("source__", scope) | (
        Q(state=PROPOSED) & _within("source__", scope.party) & ~Q(proposed_by__person=me)
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
