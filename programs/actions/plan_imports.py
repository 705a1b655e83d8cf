"""A plan's budget and milestones from a workbook: first what it would change, row by row; then all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from common import files
from common.audit import record
from common.errors import NotAllowed, Refused
from common.fiscal_year import date_text
from common.fiscal_year import label as year_label
from common.money import yen
from common.workbooks import MOST_BYTES, XLSX, CellError, in_both
from programs import plan_workbook as layout
from programs.actions.plans import save_item, save_money
from programs.models import CostCategory, PlanBudget, PlanMilestone, PlanVersion, PlanYear
from programs.plan_workbook import MilestoneRead, MoneyRead, WorkbookRead, read_workbook
from programs.queries.plans import fiscal_years, participants
from programs.rules.plans import PlanRights, part_writable, plan_rights


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of what an import would change: where it stands in the file, what it is about, before and after."""

    place: str
    about: str
    before: str
    after: str


@dataclass(slots=True)
class PlanImport:
    """What a workbook would change in a version. `steps` can be kept as text and carried out later."""

    rows: list[RowChange] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    steps: dict[str, Any] = field(default_factory=lambda: {"cells": [], "totals": [], "milestones": []})

    def refuse(self, place: str, message: object) -> None:
        """This function will note what is wrong with a cell."""
        self.errors.append(CellError(place, str(message)))


def preview_plan_import(version: PlanVersion, content: IO[bytes], name: str, *, by: User) -> PlanImport:
    """This function will say what a workbook would change; nothing is written.

    What the file does not mention stays. Raises `NotAllowed`, or `Refused` for a file that is no workbook.
    """
    rights = plan_rights(by, version)
    if not rights.actions & {"plan.edit", "plan.edit_part"}:
        raise NotAllowed(_("The plan is not open to you for writing now. Its page says who acts next."))
    checked = files.check(content, name)
    if checked.content_type != XLSX or checked.size > MOST_BYTES:
        raise Refused(
            _("Choose a workbook (XLSX) of at most 5 MB, best the one saved from here."), "no_workbook", files.FIELD
        )
    content.seek(0)
    read = read_workbook(content, fiscal_years(version))
    found = PlanImport(errors=read.errors)
    _Comparison(version, rights, found).of(read)
    return found


class _Comparison:
    """The file beside the version as it stands."""

    def __init__(self, version: PlanVersion, rights: PlanRights, found: PlanImport) -> None:
        self.version, self.rights, self.found = version, rights, found
        self.organizations = participants(version.project)
        self.categories = list(CostCategory.objects.all())
        budget = PlanBudget.objects.filter(version=version)
        self.cells = {(one.fiscal_year, one.organization_id, one.category_id): one for one in budget}
        self.totals = {one.fiscal_year: one for one in PlanYear.objects.filter(version=version)}
        milestones = PlanMilestone.objects.filter(version=version).select_related("organization")
        self.milestones = {one.key: one for one in milestones}
        self.language = "en" if (get_language() or "ja").startswith("en") else "ja"
        self.seen: dict[object, str] = {}

    def of(self, read: WorkbookRead) -> None:
        """This function will put down every row that differs, and every cell that cannot be."""
        for amount in read.money:
            self._amount(amount)
        for milestone in read.milestones:
            self._milestone(milestone)

    def _named(self, rows: Any, text: str) -> Any:
        wanted = text.casefold()
        return next(
            (one for one in rows if wanted in (one.ref.casefold(), one.name_ja.casefold(), one.name_en.casefold())),
            None,
        )

    def _once(self, key: object, place: str) -> bool:
        if key in self.seen:
            self.found.refuse(
                place, _("The same is already in %(place)s. Keep one of the two.") % {"place": self.seen[key]}
            )
            return False
        self.seen[key] = place
        return True

    def _may(self, organization_id: int | None, place: str) -> bool:
        if part_writable(self.rights, organization_id):
            return True
        self.found.refuse(place, _("This is another institution's part of the plan. Put the old value back."))
        return False

    def _amount(self, one: MoneyRead) -> None:
        year = year_label(one.fiscal_year, self.language)
        if not one.organization:
            total = self.totals.get(one.fiscal_year)
            before, revision = (total.total_yen, total.revision + 1) if total else (0, 0)
            if self._once(one.fiscal_year, one.place) and before != one.yen and self._may(None, one.place):
                self.found.steps["totals"].append([one.fiscal_year, one.yen, revision])
                self._row(one.place, f"{year} {layout.TOTAL}", yen(before, self.language), yen(one.yen, self.language))
            return
        organization = self._named(self.organizations, one.organization)
        category = self._named(self.categories, one.category)
        if organization is None or category is None:
            name = one.organization if organization is None else one.category
            row = one.place[len(one.place.rstrip("0123456789")) :]
            if ("unknown", row) not in self.seen:
                self.seen["unknown", row] = one.place
                message = _("“%(name)s” is no institution of the project and no cost category. Choose one of the list.")
                self.found.refuse(one.place, message % {"name": name})
            return
        address = (one.fiscal_year, organization.pk, category.pk)
        saved = self.cells.get(address)
        before, revision = (saved.amount_yen, saved.revision + 1) if saved else (0, 0)
        if self._once(address, one.place) and before != one.yen and self._may(organization.pk, one.place):
            self.found.steps["cells"].append([*address, one.yen, revision])
            about = f"{year} {organization.name} {category.name}"
            self._row(one.place, about, yen(before, self.language), yen(one.yen, self.language))

    def _milestone(self, one: MilestoneRead) -> None:
        values = dict(one.values)
        owner = values.pop("organization")
        organization = None
        if owner and owner.casefold() not in in_both(layout.TEAM):
            organization = self._named(self.organizations, owner)
            if organization is None:
                message = _("“%(name)s” is no institution of the project. Choose one of the list.")
                self.found.refuse(one.place, message % {"name": owner})
                return
        saved = self.milestones.get(one.key)
        if one.key and saved is None:
            message = _("There is no milestone %(key)s in this version. Leave the number empty for a new one.")
            self.found.refuse(one.place, message % {"key": one.key})
            return
        if one.key and not self._once(("milestone", one.key), one.place):
            return
        if self._is_sound(one, values):
            self._compare(one, saved, values, organization)

    def _is_sound(self, one: MilestoneRead, values: dict[str, Any]) -> bool:
        """Whether the table would take the row; else each field is named by its cell."""
        try:
            row = PlanMilestone(version=self.version, key=one.key or "new", **values)
            row.clean_fields(exclude=["version"])
            row.clean()
        except ValidationError as problem:
            for name, texts in problem.message_dict.items():
                self.found.refuse(one.places.get(name, one.place), texts[0])
            return False
        return True

    def _compare(self, one: MilestoneRead, saved: Any, values: dict[str, Any], organization: Any) -> None:
        after = values | {"organization_id": organization.pk if organization else None}
        differing = [name for name in after if saved is None or getattr(saved, name) != after[name]]
        if not differing:
            return
        if saved is not None and not self._may(saved.organization_id, one.place):
            return
        if not self._may(after["organization_id"], one.place):
            return
        self.found.steps["milestones"].append(
            {"key": one.key, "revision": saved.revision if saved else 0, "place": one.place, "values": _as_text(after)}
        )
        texts = [self._words(saved, differing) if saved else "-", self._words(after, differing, is_new=not saved)]
        self._row(one.place, f"{one.key} {values['title']}".strip(), *texts)

    def _words(self, source: Any, names: list[str], *, is_new: bool = False) -> str:
        """Each field with its name; of a new row only what is filled in."""
        get = source.get if isinstance(source, Mapping) else lambda name: getattr(source, name)
        texts = {name: self._plain(name, get(name)) for name in names}
        return "、".join(
            f"{layout.MILESTONE_COLUMNS[name.removesuffix('_id')]}: {text or '-'}"
            for name, text in texts.items()
            if text or not is_new
        )

    def _plain(self, name: str, value: Any) -> str:
        if name == "organization_id":
            owner = next((one.name for one in self.organizations if one.pk == value), str(layout.TEAM))
            return owner
        if isinstance(value, date):
            return date_text(value, self.language)
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        if name == "direction":
            return str(layout.DIRECTIONS.get(value, value))
        return str(value or "")

    def _row(self, place: str, about: str, before: str, after: str) -> None:
        self.found.rows.append(RowChange(place, about, before, after))


def _as_text(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, date | Decimal) else value for name, value in values.items()}


@transaction.atomic
def import_plan(version: PlanVersion, steps: Mapping[str, Any], *, by: User, at: datetime) -> int:
    """This function will carry out the steps of a preview, all of them or none; returns how many rows changed.

    Raises `StaleEdit` when somebody saved one of them since the preview, `NotAllowed`, `NotReady` with what is wrong.
    """
    revisions = {}
    organizations = {one.pk: one.ref for one in participants(version.project)}
    categories = {one.pk: one.ref for one in CostCategory.objects.all()}
    cells, totals = {}, {}
    for year, organization, category, amount, revision in steps["cells"]:
        cells[year, organization, category] = amount
        revisions[f"{year}/{organizations[organization]}/{categories[category]}"] = revision
    for year, amount, revision in steps["totals"]:
        totals[year] = amount
        revisions[str(year)] = revision
    changed = save_money(version, cells=cells, totals=totals, revisions=revisions, by=by, at=at)
    for step in steps["milestones"]:
        save_item(
            version, PlanMilestone, values=_values(step["values"]), key=step["key"], revision=step["revision"],
            by=by, at=at,
        )  # fmt: skip
        changed += 1
    record("import_plan", version.project, by=by, at=at, after={"plan": version.ref, "changed": changed})
    return changed


def _values(kept: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(kept)
    values["planned_on"] = date.fromisoformat(values["planned_on"])
    values["threshold"] = None if values["threshold"] is None else Decimal(values["threshold"])
    return values
