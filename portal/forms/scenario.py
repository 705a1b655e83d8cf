"""Forms of scenarios: a new one, what one sets for each project, money moved by hand, and the prices of a proposal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.fiscal_year import label as year_label
from evaluations import portfolio
from evaluations.models import ScenarioOutcome
from evaluations.queries.scenarios import Moved, ScenarioRead
from portal.forms.fields import LineField, NumberField, read_yen
from portal.forms.plans import Refusable
from portal.forms.round import Typed
from programs.drawings import language

SPARE_MOVES = 2


class NewScenarioForm(Refusable):
    """What a scenario is called and from when it takes effect."""

    name = LineField(label=gettext_lazy("Name of the scenario"))
    from_year = forms.TypedChoiceField(label=gettext_lazy("Takes effect from"), coerce=int)

    def __init__(self, years: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choose: Any = self.fields["from_year"]
        choose.choices = [(year, year_label(year, language())) for year in years]


class NameForm(Refusable):
    """What a copy is called."""

    name = LineField(label=gettext_lazy("Name of the copy"))


@dataclass(slots=True)
class ProjectRow:
    """One project of the form: what is chosen for it, as typed, and what somebody saved in another window."""

    ref: str
    label: str
    project: portfolio.Project
    kind: Typed
    share: Typed
    years: list[tuple[int, Typed, int]]
    priority: str = "3"
    is_fixed: bool = False
    now: str = ""

    @property
    def is_by_year(self) -> bool:
        """Whether yen by year were typed."""
        return any(cell.value.strip() for _year, cell, _planned in self.years)


@dataclass(slots=True)
class MoveRow:
    """One amount to move, as typed."""

    source: Typed
    source_year: Typed
    target: Typed
    target_year: Typed
    yen: Typed
    reason: Typed

    @property
    def cells(self) -> list[Typed]:
        return [self.source, self.source_year, self.target, self.target_year, self.yen, self.reason]

    @property
    def is_blank(self) -> bool:
        """Whether nothing was chosen or typed; the years have a first choice always."""
        return not any(cell.value.strip() for cell in (self.source, self.target, self.yen, self.reason))


def outcome_choices() -> list[tuple[str, str]]:
    """This function will return the outcomes a scenario knows, in words."""
    return [(value, str(label)) for value, label in ScenarioOutcome.Outcome.choices]


def words_of(outcome: portfolio.Outcome) -> str:
    """This function will say an outcome in words: modify (80%)."""
    said = dict(outcome_choices()).get(outcome.kind, outcome.kind)
    if outcome.share_percent is not None:
        return f"{said} ({outcome.share_percent}%)"
    return f"{said} ({_('yen by year')})" if outcome.yen_by_year is not None else said


class ScenarioForm:
    """The whole form: reads what is typed without losing any of it, and puts refusals beside their fields."""

    def __init__(self, read: ScenarioRead, labels: Mapping[str, str], data: Mapping[str, str] | None = None) -> None:
        self.read, self.data = read, data
        saved = read.scenario
        self.name = self._typed("name", _("Name of the scenario"), saved.name)
        self.note = self._typed("note", _("Note"), saved.note)
        self.revision = saved.revision
        self.rows = [self._row(ref, labels[ref], project) for ref, project in read.by_key.items()]
        self.source_years = sorted({year for one in read.projects for year in one.base})
        last = max(self.source_years, default=saved.from_year)
        self.target_years = list(range(saved.from_year, max(last, saved.from_year) + 2))
        self.moves = self._moves()
        self.problem = ""

    def _typed(self, name: str, label: str, saved: str) -> Typed:
        return Typed(name, label, saved if self.data is None else self.data.get(name, ""))

    def _row(self, ref: str, label: str, project: portfolio.Project) -> ProjectRow:
        saved = self.read.outcomes.get(ref, portfolio.Outcome())
        share = "" if saved.share_percent is None else str(saved.share_percent)
        by_year, base = saved.yen_by_year or {}, project.base
        years = [
            (
                year,
                self._typed(
                    f"yen-{ref}-{year}", year_label(year, language()), f"{by_year[year]:,}" if year in by_year else ""
                ),
                base.get(year, 0),
            )
            for year in portfolio.offered_years(project)
        ]
        row = ProjectRow(
            ref, label, project, self._typed(f"outcome-{ref}", _("Outcome"), saved.kind),
            self._typed(f"share-{ref}", _("Share of the plan (%)"), share), years,
        )  # fmt: skip
        if self.data is not None:
            typed = self.data.get(f"priority-{ref}", "3")
            row.priority = typed if typed in ("1", "2", "3", "4", "5") else "3"
            row.is_fixed = f"fixed-{ref}" in self.data
        return row

    def _moves(self) -> list[MoveRow]:
        count = len(self.read.moves) + SPARE_MOVES
        if self.data is not None:
            count = sum(1 for name in self.data if name.startswith("move-") and name.endswith("-yen"))
        return [self._move(n, self.read.moves[n] if n < len(self.read.moves) else None) for n in range(min(count, 200))]

    def _move(self, n: int, saved: Moved | None) -> MoveRow:
        move = saved.move if saved else None
        values = {
            "source": (_("From project"), move.source if move else ""),
            "source_year": (_("Released in"), str(move.source_year) if move else ""),
            "target": (_("To project"), move.target if move else ""),
            "target_year": (_("Given in"), str(move.target_year) if move else ""),
            "yen": (_("Amount (yen)"), f"{move.yen:,}" if move else ""),
            "reason": (_("Reason"), saved.reason if saved else ""),
        }
        return MoveRow(
            *(self._typed(f"move-{n}-{key}", f"{label} {n + 1}", value) for key, (label, value) in values.items())
        )

    @property
    def source_choices(self) -> list[tuple[str, str]]:
        """The years that release money."""
        return [(str(year), year_label(year, language())) for year in self.source_years]

    @property
    def target_choices(self) -> list[tuple[str, str]]:
        """The years in which money can be given."""
        return [(str(year), year_label(year, language())) for year in self.target_years]

    # Reading ----------------------------------------------------------------------------------------------------------

    def outcomes(self) -> dict[str, portfolio.Outcome]:
        """This method will read what is set for each project; what isn't understood is marked and counts as continue."""
        return {row.ref: self._outcome(row) for row in self.rows}

    def _outcome(self, row: ProjectRow) -> portfolio.Outcome:
        if row.kind.value != portfolio.MODIFY:
            return portfolio.Outcome(row.kind.value)
        share = self._share(row.share)
        by_year = {year: self._yen(cell) for year, cell, _planned in row.years if cell.value.strip()}
        if row.share.error or any(cell.error for _year, cell, _planned in row.years):
            return portfolio.Outcome()
        return portfolio.Outcome(portfolio.MODIFY, share, by_year or None)

    def _share(self, cell: Typed) -> int | None:
        try:
            number: Decimal | None = NumberField(required=False).clean(cell.value.rstrip("%％ "))
        except ValidationError:
            number = Decimal("0.5")
        if number is None:
            return None
        if number != int(number) or not 0 < number <= portfolio.LARGEST_SHARE:
            cell.error = _("Enter a share from 1 to %(most)s percent.") % {"most": portfolio.LARGEST_SHARE}
            return None
        return int(number)

    def _yen(self, cell: Typed) -> int:
        try:
            return read_yen(cell.value)
        except ValidationError as problem:
            cell.error = problem.messages[0]
            return 0

    def moved(self) -> list[Moved]:
        """This method will read the amounts to move; a row without anything is left out."""
        found = []
        for row in self.filled:
            years = [int(cell.value) if cell.value.isdecimal() and len(cell.value) == 4 else 0 for cell in
                     (row.source_year, row.target_year)]  # fmt: skip
            move = portfolio.Move(row.source.value, years[0], row.target.value, years[1], self._yen(row.yen))
            found.append(Moved(move, row.reason.value))
        return found

    @property
    def filled(self) -> list[MoveRow]:
        return [row for row in self.moves if not row.is_blank]

    # What is wrong ----------------------------------------------------------------------------------------------------

    @property
    def cells(self) -> Iterator[Typed]:
        """Every cell of the form."""
        yield from (self.name, self.note)
        for row in self.rows:
            yield from (row.kind, row.share, *(cell for _year, cell, _planned in row.years))
        for move in self.moves:
            yield from move.cells

    @property
    def errors(self) -> list[tuple[Typed, str]]:
        """The cells with something wrong and the project they belong to, for the summary on top."""
        owner = {
            id(cell): row.label for row in self.rows for cell in (row.kind, row.share, *(c for _y, c, _p in row.years))
        }
        return [(cell, owner.get(id(cell), "")) for cell in self.cells if cell.error]

    def refuse(self, refusal: Refused) -> None:
        """This method will put each reason beside its field, else on top."""
        by_name = {cell.name: cell for cell in self.cells}
        for n, row in enumerate(self.filled):
            # The action counts the rows that are filled in.
            by_name |= {f"move-{n}-{cell.name.rpartition('-')[2]}": cell for cell in row.cells}
        for blocker in refusal.blockers:
            if blocker.field in by_name:
                by_name[blocker.field].error = str(blocker.message)
            else:
                self.problem = str(blocker.message)

    def show_both(self, current: ScenarioRead) -> None:
        """This method will name beside each project what was saved in another window; saving again is on top of it."""
        self.revision = current.scenario.revision
        mine = self.outcomes()
        for row in self.rows:
            theirs = current.outcomes.get(row.ref, portfolio.Outcome())
            if theirs != mine[row.ref]:
                row.now = words_of(theirs)

    def take_over(self, chosen: Mapping[str, portfolio.Outcome]) -> None:
        """This method will fill a proposal into the form; nothing is saved by it."""
        for row in self.rows:
            outcome = chosen.get(row.ref)
            if outcome is None:
                continue
            row.kind.value = outcome.kind
            row.share.value = "" if outcome.share_percent is None else str(outcome.share_percent)
            for year, cell, _planned in row.years:
                by_year = outcome.yen_by_year
                cell.value = f"{by_year[year]:,}" if by_year is not None and year in by_year else ""


class YenField(forms.CharField):
    """An amount as people write it, 0 or more; nothing is 0."""

    def clean(self, value: Any) -> int:
        """This function will return the yen."""
        yen = read_yen(str(value or ""))
        if yen < 0:
            raise ValidationError(_("Enter 0 or more."), code="negative")
        return yen


def _percent(label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=0, max_value=100)


class ProposalForm(Refusable):
    """The prices by which the system proposes, and the money of each year."""

    change_yen = YenField(
        label=gettext_lazy("Price of a changed decision (yen)"),
        help_text=gettext_lazy("The higher it is, the fewer decisions change."),
    )
    share_percent = forms.IntegerField(label=gettext_lazy("Smaller share offered (%)"), min_value=1, max_value=99)
    worth_of_share = _percent(gettext_lazy("What the smaller share is worth (%)"))
    worth_of_delay = _percent(gettext_lazy("What a year later is worth (%)"))
    floor_percent = _percent(
        gettext_lazy("Each area keeps at least (%)"),
        gettext_lazy("Of its planned money over all years; 0 is no floor."),
    )
    may_carry = forms.BooleanField(label=gettext_lazy("Money may be carried over to the next year"), required=False)

    STANDARD: Mapping[str, Any] = {
        "change_yen": "50,000,000", "share_percent": 80, "worth_of_share": 85, "worth_of_delay": 90, "floor_percent": 0,
        "may_carry": True,
    }  # fmt: skip

    def __init__(self, planned: Mapping[int, int], **kwargs: Any) -> None:
        super().__init__(
            **kwargs, initial={**self.STANDARD, **{f"budget-{y}": f"{yen:,}" for y, yen in planned.items()}}
        )
        for year in planned:
            name = year_label(year, language())
            self.fields[f"budget-{year}"] = YenField(
                label=_("Money of %(year)s (yen)") % {"year": name}, required=False
            )

    def rules(self, planned_by_area: Mapping[str, int], moved: Mapping[int, int]) -> portfolio.Rules:
        """This method will return what the proposal keeps to; money moved by hand is given already."""
        budgets = {
            int(name.removeprefix("budget-")): yen - moved.get(int(name.removeprefix("budget-")), 0)
            for name, yen in self.cleaned_data.items()
            if name.startswith("budget-")
        }
        percent = self.cleaned_data["floor_percent"]
        floors = {area: yen * percent // 100 for area, yen in planned_by_area.items()}
        return portfolio.Rules(budgets, self.cleaned_data["change_yen"], self.cleaned_data["may_carry"], floors)

    @property
    def weights(self) -> portfolio.Weights:
        given = self.cleaned_data
        return portfolio.Weights(given["share_percent"], given["worth_of_share"], given["worth_of_delay"])
