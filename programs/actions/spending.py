"""Statements of spending: an institution's office or accountant states, a correction is the next statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady
from common.states import locked
from common.text import clean
from programs.models import CostCategory, Project, SpendingLine, SpendingStatement
from programs.queries.contracts import granted
from programs.rules.contracts import Stated, funding_rule, parts_stated_by, statement_blockers

#: Of one cost category: yen spent and yen carried over, by the category's id.
Lines = Mapping[int, tuple[int, int]]


@transaction.atomic
def state_spending(
    project: Project,
    organization: Organization,
    *,
    fiscal_year: int,
    as_of: date,
    lines: Lines,
    note: str = "",
    by: User,
    at: datetime,
) -> SpendingStatement:
    """This function will add a statement of what an institution spent from the start of the fiscal year to `as_of`.

    The newest statement counts; those before it stay on record. Raises `NotAllowed`, or `NotReady` with what is wrong.
    """
    project = locked(Project, project.pk)
    if organization.pk not in parts_stated_by(by, project):
        raise NotAllowed(_("The institution's office and accountant state its spending."))
    said = clean(note).strip()
    if blockers := _blockers(project, organization, fiscal_year, as_of, lines, said, localdate(at)):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    before = SpendingStatement.objects.filter(project=project, organization=organization, fiscal_year=fiscal_year)
    statement = SpendingStatement.objects.create(
        project=project, organization=organization, fiscal_year=fiscal_year, as_of=as_of, note=said, submitted_by=by,
        submitted_at=at, is_sample=project.is_sample,
        number=(before.aggregate(last=Max("number"))["last"] or 0) + 1,
    )  # fmt: skip
    SpendingLine.objects.bulk_create(
        SpendingLine(statement=statement, category_id=category, spent_yen=spent, carried_over_yen=carried)
        for category, (spent, carried) in lines.items()
        if spent or carried
    )
    after = {
        "organization": organization.name_ja,
        "fiscal_year": fiscal_year,
        "on": as_of.isoformat(),
        "spent_yen": sum(spent for spent, _carried in lines.values()),
        "carried_over_yen": sum(carried for _spent, carried in lines.values()),
    }
    record("state_spending", project, by=by, at=at, after=after)
    return statement


def _blockers(
    project: Project, organization: Organization, fiscal_year: int, as_of: date, lines: Lines, note: str, today: date
) -> list[Blocker]:
    categories = {one.pk: one for one in CostCategory.objects.all()}
    found = [
        Blocker("amounts", "unknown", _("Choose a cost category of the list."))
        for key in lines
        if key not in categories
    ]
    if any(amount < 0 for pair in lines.values() for amount in pair):
        found.append(Blocker("amounts", "negative", _("Enter 0 or more.")))
    if not any(amount for pair in lines.values() for amount in pair) and not note:
        message = _("Nothing is entered. Enter amounts, or say in the note that nothing was spent.")
        found.append(Blocker("note", "required", message))
    if found:
        return found
    had = granted(project, organization, fiscal_year)
    stated = [
        Stated(
            one.name, one.is_direct, had.by_category.get(one.pk, 0) + had.carried_in.get(one.pk, 0),
            *lines.get(one.pk, (0, 0)),
        )
        for one in categories.values()
    ]  # fmt: skip
    return statement_blockers(
        stated, as_of=as_of, fiscal_year=fiscal_year,
        rule=funding_rule(project.program, fiscal_year), note=note, today=today,
    )  # fmt: skip
