"""The budget of a plan that is open: one institution at a time, years down, cost categories across, sums live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.models import Organization
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from portal.access import BadQuery, clock, not_found, page
from portal.forms.fields import read_yen
from portal.plan_items import BOTH, NOT_NOW
from portal.plans import NUMBERS, find_plan, may, plan_head, plan_url
from programs.actions import plans
from programs.models import PlanVersion
from programs.queries import plans as queries
from programs.queries.plans import MoneyTable
from programs.rules.plans import PlanRights, plan_rights


@dataclass(slots=True)
class Cell:
    """One amount to write: what is saved, what was typed, what the writer saw, and what is wrong with it."""

    name: str
    key: str
    address: tuple[int, int, int] | int
    label: str
    saved_yen: int
    revision: int
    typed: str = ""
    seen: str = ""
    yen: int = 0
    error: str = ""
    now: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the writer typed another amount than was shown."""
        return self.yen != _seen_yen(self.seen)


@dataclass(slots=True)
class YearRow:
    """One fiscal year: the institution's cells, what the others have, and the total as stated."""

    year: int
    cells: list[Cell]
    others_yen: int
    stated_yen: int
    total: Cell | None

    @property
    def own_yen(self) -> int:
        return sum(cell.yen for cell in self.cells)

    @property
    def sum_yen(self) -> int:
        return self.own_yen + self.others_yen

    @property
    def agrees(self) -> bool:
        """Whether the total, as typed or as stated, is what the parts add up to."""
        return self.sum_yen == (self.total.yen if self.total else self.stated_yen)


def _seen_yen(seen: str) -> int:
    return int(seen.partition(":")[2] or 0)


@page(
    permission="plan.edit", find=find_plan, key=NUMBERS, may=may("plan.edit", "plan.edit_part"), why=NOT_NOW,
    methods=BOTH, params=("institution",),
)  # fmt: skip
def plan_money(request: HttpRequest, version: PlanVersion) -> HttpResponseBase:
    """This function will show one institution's budget to write, and save all of it or nothing."""
    rights = plan_rights(request.user, version)
    whole = "plan.edit" in rights.actions
    mine = [one for one in queries.participants(version.project) if whole or one.pk in rights.parts]
    asked = request.GET.get("institution") or (mine[0].ref if mine else "")
    chosen = next((one for one in mine if one.ref == asked), None)
    if chosen is None:
        return not_found(request)
    rows = _rows(version, chosen, rights)
    if request.method != "POST":
        return _show(request, version, mine, chosen, rows)
    if not _read(request, rows):
        return _show(request, version, mine, chosen, rows, status=422)
    return _save(request, version, mine, chosen, rows)


def _rows(version: PlanVersion, chosen: Organization, rights: PlanRights) -> list[YearRow]:
    table = queries.money_table(version, [chosen])
    own = [row for row in table.rows if row.organization == chosen]
    rows = []
    for index, year in enumerate(table.years):
        cells = [_cell(chosen, row, index, year) for row in own]
        mine = sum(cell.saved_yen for cell in cells)
        stated = table.stated[index]
        rows.append(
            YearRow(
                year,
                cells,
                table.sums[index] - mine,
                stated.total_yen if stated else 0,
                _total(table, index) if "plan.edit" in rights.actions else None,
            )
        )
    return rows


def _cell(chosen: Organization, row: queries.MoneyRow, index: int, year: int) -> Cell:
    saved = row.cells[index]
    yen, revision = (saved.amount_yen, saved.revision + 1) if saved else (0, 0)
    return Cell(
        name=f"cell-{year}-{row.category.ref}",
        key=f"{year}/{chosen.ref}/{row.category.ref}",
        address=(year, chosen.pk, row.category.pk),
        label=row.category.name,
        saved_yen=yen,
        revision=revision,
        typed=f"{yen:,}" if yen else "",
        seen=f"{revision}:{yen}",
        yen=yen,
    )


def _total(table: MoneyTable, index: int) -> Cell:
    saved, year = table.stated[index], table.years[index]
    yen, revision = (saved.total_yen, saved.revision + 1) if saved else (0, 0)
    return Cell(
        name=f"total-{year}", key=str(year), address=year, label=_("total of the year"), saved_yen=yen,
        revision=revision, typed=f"{yen:,}" if yen else "", seen=f"{revision}:{yen}", yen=yen,
    )  # fmt: skip


def _cells(rows: list[YearRow]) -> list[Cell]:
    return [cell for row in rows for cell in (*row.cells, *([row.total] if row.total else []))]


def _read(request: HttpRequest, rows: list[YearRow]) -> bool:
    """Read what was typed into the cells; false when an amount is not understood."""
    for cell in _cells(rows):
        if cell.name not in request.POST:
            continue
        cell.typed, cell.seen = request.POST[cell.name], request.POST.get(f"seen-{cell.name}", "")
        revision, _colon, yen = cell.seen.partition(":")
        if not (revision.isdecimal() and yen.isdecimal() and len(cell.seen) < 40):
            raise BadQuery(_("The form is incomplete. Open the plan again."))
        try:
            cell.yen = read_yen(cell.typed)
            if cell.yen < 0:
                cell.error = _("Enter 0 or more.")
        except ValidationError as problem:
            cell.error = problem.messages[0]
    return not any(cell.error for cell in _cells(rows))


def _save(
    request: HttpRequest, version: PlanVersion, mine: list[Organization], chosen: Organization, rows: list[YearRow]
) -> HttpResponseBase:
    # Only what the writer changed is written, so that two people in one grid meet only where they typed the same cell.
    changed = [cell for cell in _cells(rows) if cell.is_changed]
    try:
        count = plans.save_money(
            version,
            cells={cell.address: cell.yen for cell in changed if isinstance(cell.address, tuple)},
            totals={cell.address: cell.yen for cell in changed if isinstance(cell.address, int)},
            revisions={cell.key: int(cell.seen.partition(":")[0]) for cell in changed},
            by=request.user,  # type: ignore[arg-type]
            at=clock(request),
        )
    except StaleEdit as stale:
        return _show(request, version, mine, chosen, _both(rows), status=409, error=str(stale.message))
    except NotAllowed:
        raise
    except Refused as refusal:
        message = refusal.blockers[0].message if isinstance(refusal, NotReady) else str(refusal.message)
        return _show(request, version, mine, chosen, rows, status=422, error=message)
    done = _("Saved: %(count)s amounts changed.") % {"count": count} if count else _("Nothing was changed.")
    messages.success(request, done)
    return HttpResponseRedirect(f"{request.path}?institution={chosen.ref}")


def _both(rows: list[YearRow]) -> list[YearRow]:
    """Name what somebody else saved beside what was typed; saving again puts the typed amount in its place."""
    for cell in _cells(rows):
        if cell.seen != f"{cell.revision}:{cell.saved_yen}":
            if cell.is_changed and cell.yen != cell.saved_yen:
                cell.now = f"{cell.saved_yen:,}"
            elif not cell.is_changed:
                cell.typed, cell.yen = f"{cell.saved_yen:,}" if cell.saved_yen else "", cell.saved_yen
            cell.seen = f"{cell.revision}:{cell.saved_yen}"
    return rows


def _show(
    request: HttpRequest, version: PlanVersion, mine: list[Organization], chosen: Organization, rows: list[YearRow],
    *, status: int = 200, error: str = "",
) -> HttpResponse:  # fmt: skip
    context: dict[str, Any] = {
        **plan_head(version),
        "institutions": mine,
        "chosen": chosen,
        "rows": rows,
        "categories": [cell.label for cell in rows[0].cells] if rows else [],
        "errors": [(row.year, cell) for row in rows for cell in (*row.cells, *([row.total] if row.total else [])) if cell.error],
        "error": error,
        "writes_totals": bool(rows and rows[0].total),
        "back": f"{plan_url(version)}#budgetcell-",
    }  # fmt: skip
    return render(request, "portal/plans/money_form.html", context, status=status)
