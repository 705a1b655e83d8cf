"""What a decision would make of a project's plan and money, before it is taken: the difference, or the conflicts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from common.errors import Blocker
from programs import planning
from programs.models import Named, PlanRead, PlanVersion, Project, read_plans
from programs.plan_words import Difference, difference_in_words
from programs.queries.money import money_years
from programs.rules.plans import field_of, limits_of, message_of, plan_blockers, plan_in_force
from programs.states import CONFIRMED, IN_APPROVAL

#: A version that the director has confirmed can be ordered.
APPROVABLE = (CONFIRMED, IN_APPROVAL)


@dataclass(frozen=True, slots=True)
class RevisionYear:
    """One fiscal year in yen: planned before and after, and what is allocated to the project today."""

    fiscal_year: int
    before_yen: int
    after_yen: int
    allocated_yen: int

    @property
    def moved_yen(self) -> int:
        return self.after_yen - self.before_yen


@dataclass(frozen=True, slots=True)
class Revision:
    """A project's plan before and after a decision, in words and in yen by year; `blockers` where it does not fit."""

    project: Project
    before: PlanRead | None
    after: PlanRead | None
    difference: Difference | None
    years: tuple[RevisionYear, ...]
    partners_added: tuple[str, ...] = ()
    partners_removed: tuple[str, ...] = ()
    blockers: tuple[Blocker, ...] = ()

    @property
    def released_yen(self) -> int:
        """What no longer is planned, over all years."""
        return sum(-one.moved_yen for one in self.years if one.moved_yen < 0)

    @property
    def added_yen(self) -> int:
        return sum(one.moved_yen for one in self.years if one.moved_yen > 0)


def preview_revision(
    project: Project, *, version: PlanVersion | None = None, ends_on: date | None = None, today: date
) -> Revision:
    """This function will work out what a version of the plan, or an end on a day, makes of the plan in force.

    Without either, the plan goes on as it stands. Nothing is written.
    """
    base = plan_in_force(project.pk, date.max)
    reads = read_plans([one.pk for one in (base, version) if one is not None])
    before = reads[base.pk] if base is not None else None
    after, blockers = before, []
    if version is not None:
        after, blockers = reads[version.pk], plan_blockers(version, today, reads[version.pk])
    elif ends_on is not None and before is not None and base is not None:
        plan = planning.ended(before.plan, ends_on)
        after = PlanRead(plan, before.organizations, before.people, before.categories)
        wrong = [one for one in planning.conflicts(plan, limits_of(base, today)) if one.part is planning.Frame]
        blockers = [Blocker(field_of(one.part, one.key), one.code, message_of(one, after)) for one in wrong]
        if plan.frame.ends_on > before.plan.frame.ends_on or ends_on > before.plan.frame.ends_on:
            blockers.append(
                Blocker("ends_on", "after_the_end", _("The plan ends before this day. Choose an earlier one."))
            )
    empty = PlanRead(planning.Plan({}))
    added, removed = _partners(before or empty, after or empty)
    if ends_on is not None and ends_on < today:
        message = _("The project cannot end on a day that is past: what was spent is not released. Choose a later one.")
        blockers.append(Blocker("ends_on", "past", message))
    return Revision(
        project, before, after,
        difference_in_words(before, after) if before is not None and after is not None else None,
        _years(project, before, after), added, removed, tuple(blockers),
    )  # fmt: skip


def _years(project: Project, before: PlanRead | None, after: PlanRead | None) -> tuple[RevisionYear, ...]:
    old = planning.money_by_year(before.plan) if before else {}
    new = planning.money_by_year(after.plan) if after else {}
    allocated = {one.fiscal_year: one.money.allocated_yen for one in money_years(project)}
    return tuple(
        RevisionYear(year, old.get(year, 0), new.get(year, 0), allocated.get(year) or 0)
        for year in sorted({*old, *new, *allocated})
    )


def _partners(before: PlanRead, after: PlanRead) -> tuple[tuple[str, ...], tuple[str, ...]]:
    old, new = _with_a_part(before), _with_a_part(after)
    return _names(new.values(), old), _names(old.values(), new)


def _with_a_part(read: PlanRead) -> dict[str, Named]:
    refs = {getattr(item, "organization", "") for item in read.plan.items.values()}
    return {ref: one for ref, one in read.organizations.items() if ref in refs}


def _names(found: Iterable[Named], without: dict[str, Named]) -> tuple[str, ...]:
    return tuple(sorted(one.name for one in found if one.ref not in without))


def changes_to_order(project: Project) -> list[PlanVersion]:
    """This function will return the versions that a decision on the project can order: its own or, to merge it, another's.

    Confirmed by the director, with a change request; of running projects of the same program.
    """
    rows = PlanVersion.objects.filter(
        state__in=APPROVABLE, change_request__isnull=False, project__program=project.program_id,
        project__state="running",
    ).select_related("project__area", "change_request")  # fmt: skip
    return sorted(rows, key=lambda one: (one.project_id != project.pk, one.project.ref))
