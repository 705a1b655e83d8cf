"""Forms of evaluation rounds: what a round is, its calendar, its documents, people, criteria and legend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Person
from common.fiscal_year import label as year_label
from common.text import clean_line
from evaluations.calendar import STEPS
from evaluations.models import Round
from portal.forms.fields import DayField, InstantField, LineField, NumberField, TextField
from portal.forms.plans import Refusable
from programs.drawings import language
from programs.models import ResearchArea, StageGate


def _count(label: Any, help_text: Any = "", *, least: int = 0) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=least, max_value=999)


class RoundForm(Refusable):
    """What a round is."""

    name_ja = LineField(label=gettext_lazy("Name (ja)"))
    name_en = LineField(label=gettext_lazy("Name (en)"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind of evaluation"), choices=Round.Kind.choices)
    subject = forms.ChoiceField(label=gettext_lazy("What is evaluated"), choices=Round.Subject.choices)
    fiscal_year = forms.TypedChoiceField(label=gettext_lazy("Fiscal year"), coerce=int)
    gate = forms.ChoiceField(label=gettext_lazy("Stage gate"), required=False)
    area = forms.ChoiceField(label=gettext_lazy("Research area"), required=False)
    chair_source = forms.ChoiceField(
        label=gettext_lazy("Who takes the chair"), choices=Round.ChairSource.choices,
        help_text=gettext_lazy("A program director in the chair does not score, and a vice chair countersigns."),
    )  # fmt: skip
    readers_per_case = _count(gettext_lazy("Readers per case"), least=1)
    cases_per_reader_min = _count(gettext_lazy("Cases per reader, at least"))
    cases_per_reader_max = _count(gettext_lazy("Cases per reader, at most"), least=1)
    quorum = _count(gettext_lazy("Quorum of the panel"), least=1)
    objection_days = _count(gettext_lazy("Days for objections"))

    def __init__(
        self, areas: Sequence[ResearchArea], gates: Sequence[StageGate], years: Sequence[int], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._areas = {str(one.pk): one for one in areas}
        self._gates = {str(one.pk): one for one in gates}
        fields: Any = self.fields
        fields["area"].choices = [("", _("All areas")), *((key, one.name) for key, one in self._areas.items())]
        fields["gate"].choices = [("", _("No gate")), *((key, one.name) for key, one in self._gates.items())]
        fields["fiscal_year"].choices = [(year, year_label(year, language())) for year in years]

    def clean_area(self) -> ResearchArea | None:
        """This function will return the area itself; None for all."""
        return self._areas.get(self.cleaned_data["area"])

    def clean_gate(self) -> StageGate | None:
        """This function will return the gate itself; None for none."""
        return self._gates.get(self.cleaned_data["gate"])


class CalendarForm(Refusable):
    """The days of a round; a running round asks for the reason."""

    def __init__(self, *, with_reason: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for step in STEPS:
            kind = InstantField if step.endswith("_at") else DayField
            name = Round._meta.get_field(step).verbose_name  # type: ignore[union-attr]
            self.fields[step] = kind(label=str(name).capitalize(), required=False)
            if kind is DayField:
                self.fields[step].help_text = ""
        if with_reason:
            self.fields["reason"] = TextField(label=_("Reason for the change"), longest=1000)


class AnchorForm(Refusable):
    """From which day a calendar is computed."""

    anchor = forms.ChoiceField(
        label=gettext_lazy("Compute from"),
        choices=[
            ("contracts", gettext_lazy("the day of the contracts")), ("decision", gettext_lazy("the day of the decision")),
        ],
    )  # fmt: skip
    day = DayField(label=gettext_lazy("Day"))


class CloneForm(Refusable):
    """For which year a round is repeated."""

    fiscal_year = forms.TypedChoiceField(label=gettext_lazy("Fiscal year of the new round"), coerce=int)

    def __init__(self, years: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choose: Any = self.fields["fiscal_year"]
        choose.choices = [(year, year_label(year, language())) for year in years]


class ReasonForm(Refusable):
    """Why something is done that cannot be undone."""

    reason = TextField(label=gettext_lazy("Reason"), longest=2000)


class SecretaryForm(Refusable):
    """Who joins the secretariat of a round."""

    person = forms.ChoiceField(label=gettext_lazy("Person"))

    def __init__(self, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._people = {str(one.pk): one for one in people}
        choose: Any = self.fields["person"]
        choose.choices = [("", _("Choose a person")), *((key, one.name) for key, one in self._people.items())]

    def clean_person(self) -> Person | None:
        """This function will return the person itself."""
        return self._people.get(self.cleaned_data["person"])


class CriterionForm(Refusable):
    """One criterion of a rubric, without its scale."""

    code = forms.SlugField(
        label=gettext_lazy("Code"), max_length=24, help_text=gettext_lazy("Short, in Latin letters: goal, plan, team.")
    )
    position = _count(gettext_lazy("Place in the order"))
    name_ja = LineField(label=gettext_lazy("Name (ja)"))
    name_en = LineField(label=gettext_lazy("Name (en)"), required=False)
    guidance = TextField(label=gettext_lazy("What to look at"), required=False, longest=2000)
    is_text_only = forms.BooleanField(label=gettext_lazy("Text only, no score"), required=False)
    weight_percent = NumberField(label=gettext_lazy("Weight (%)"), required=False)
    threshold = NumberField(
        label=gettext_lazy("Threshold (points)"), required=False,
        help_text=gettext_lazy("A case whose mean is below it fails on this criterion. Empty: no threshold."),
    )  # fmt: skip
    may_be_not_applicable = forms.BooleanField(label=gettext_lazy("May be “not applicable”"), required=False)
    is_comment_required = forms.BooleanField(label=gettext_lazy("Comment required"), required=False)


# Tables of rows that are typed ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Typed:
    """One cell of a row that is typed: its name, what stands in it, and what is wrong with it."""

    name: str
    label: str
    value: str
    error: str = ""


class RowsForm:
    """A table of rows to type; a row without its first cell is left out. Numbers are read where `numbers` says so."""

    def __init__(
        self, prefix: str, columns: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, numbers: Sequence[str] = (),
        spare: int = 3, data: Mapping[str, str] | None = None, longest: int = 200,
    ) -> None:  # fmt: skip
        self.prefix, self.columns, self.numbers, self.data, self.longest = prefix, columns, numbers, data, longest
        count = len(rows) + spare
        if data is not None:
            count = max(count, sum(1 for name in data if name.endswith(f"-{next(iter(columns))}")))
        blank: dict[str, Any] = {}
        self.rows = [self._row(n, rows[n] if n < len(rows) else blank) for n in range(count)]
        self.problem = ""

    def _row(self, number: int, saved: Mapping[str, Any]) -> list[Typed]:
        row = []
        for column, label in self.columns.items():
            name = f"{self.prefix}-{number}-{column}"
            value = saved.get(column)
            text = NumberField().prepare_value(value) if isinstance(value, Decimal) else str(value or "")
            if self.data is not None:
                text = self.data.get(name, "")
            row.append(Typed(name, f"{label} {number + 1}", text))
        return row

    @property
    def as_rows(self) -> list[dict[str, Any]]:
        """The rows as the template draws them."""
        return [{"cells": row} for row in self.rows]

    @property
    def has_errors(self) -> bool:
        """Whether any cell has something wrong."""
        return any(True for _cell in self.errors)

    @property
    def errors(self) -> Iterator[Typed]:
        """The cells with something wrong, for the summary on top."""
        return (cell for row in self.rows for cell in row if cell.error)

    def read(self) -> list[dict[str, Any]]:
        """This function will return the rows that are filled in; `errors` tells what is not understood."""
        found = []
        for row in self.rows:
            if any(clean_line(cell.value) for cell in row):
                found.append({column: self._read(column, cell) for column, cell in zip(self.columns, row, strict=True)})
        return found

    def _read(self, column: str, cell: Typed) -> Any:
        try:
            if column in self.numbers:
                return NumberField(required=False).clean(cell.value)
            return LineField(required=column == next(iter(self.columns)), longest=self.longest).clean(cell.value)
        except ValidationError as problem:
            cell.error = problem.messages[0]
        return None

    @property
    def is_good(self) -> bool:
        """Whether everything was understood; call `read` first."""
        return not self.problem and not self.has_errors
