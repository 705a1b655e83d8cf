"""Forms about money: opening an allocation, a contract's head, decisions, and tables of amounts to type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from common.fiscal_year import label as year_label
from portal.forms.fields import DayField, LineField, TextField, read_yen
from portal.forms.plans import Refusable
from programs.drawings import language
from programs.models import Contract


@dataclass(slots=True)
class Amount:
    """One amount to write: what is saved, what was typed, and what is wrong with it."""

    name: str
    label: str
    saved_yen: int
    typed: str = ""
    yen: int = 0
    error: str = ""

    @staticmethod
    def of(name: str, label: str, yen: int) -> Amount:
        """This function will make an amount as it is saved."""
        return Amount(name, label, yen, f"{yen:,}" if yen else "", yen)

    def put(self, yen: int) -> None:
        """This function will show another amount, not saved yet."""
        self.typed, self.yen = f"{yen:,}" if yen else "", yen

    def read(self, data: Mapping[str, str]) -> None:
        """This function will read what was typed; a field that is not there stays as it is saved."""
        if self.name not in data:
            return
        self.typed = data[self.name]
        try:
            self.yen = read_yen(self.typed)
            if self.yen < 0:
                self.error = _("Enter 0 or more.")
        except ValidationError as problem:
            self.error = problem.messages[0]


def read_amounts(amounts: Iterable[Amount], data: Mapping[str, str]) -> bool:
    """This function will read all of them; false when one is not understood."""
    found = list(amounts)
    for amount in found:
        amount.read(data)
    return not any(amount.error for amount in found)


class OpenAllocationForm(Refusable):
    """Of which money, and for which fiscal year."""

    source = forms.ChoiceField(label=gettext_lazy("Money of"))
    fiscal_year = forms.ChoiceField(label=gettext_lazy("Fiscal year"))

    def __init__(self, sources: Sequence[tuple[str, str]], years: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choose: Any = self.fields["source"]
        year: Any = self.fields["fiscal_year"]
        choose.choices = sources
        if len(sources) == 1:
            choose.widget = forms.HiddenInput()
            choose.initial = sources[0][0]
        year.choices = [(str(one), year_label(one, language())) for one in years]
        year.initial = str(years[len(years) // 2])


class OpenFundForm(Refusable):
    """The agency whose fund is opened."""

    agency = forms.ChoiceField(label=gettext_lazy("Funding agency"))

    def __init__(self, agencies: Sequence[Organization], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choose: Any = self.fields["agency"]
        self._agencies = {one.ref: one for one in agencies}
        choose.choices = [(one.ref, one.name) for one in agencies]

    def clean_agency(self) -> Organization:
        """This function will return the agency itself."""
        return self._agencies[self.cleaned_data["agency"]]


class AllocationTextForm(Refusable):
    """What stands beside the amounts of an allocation."""

    reason = TextField(
        label=gettext_lazy("Reason for going above what is there"),
        required=False,
        longest=1000,
        help_text=gettext_lazy("Only where more is given than there is, or less than was passed on already."),
    )
    note = TextField(label=gettext_lazy("Note"), required=False, longest=2000)


class ApproveAllocationForm(Refusable):
    """The decision's number and day."""

    decision_number = LineField(label=gettext_lazy("Number of the decision"), longest=60)
    decided_on = DayField(label=gettext_lazy("Date of the decision"))


class CommentForm(Refusable):
    """Why something goes back."""

    comment = TextField(label=gettext_lazy("What should be changed, or why not"), longest=2000)


class ConcludeForm(Refusable):
    """The day of conclusion."""

    decided_on = DayField(label=gettext_lazy("Date of conclusion"))


class ContractForm(Refusable):
    """The head of a contract. With `institutions` the contract is new and names whom it is made with."""

    prime = forms.ChoiceField(
        label=gettext_lazy("Kind of contract"),
        required=False,
        help_text=gettext_lazy("A subcontract stands under the contract out of which it is paid."),
    )
    organization = forms.ChoiceField(label=gettext_lazy("Institution"))
    party = forms.ChoiceField(label=gettext_lazy("Contracting party"), required=False)
    number = LineField(label=gettext_lazy("Contract number"), longest=60, required=False)
    instrument = forms.ChoiceField(label=gettext_lazy("Instrument"), choices=Contract.Instrument.choices)
    term = forms.ChoiceField(label=gettext_lazy("Term"), choices=Contract.Term.choices)
    starts_on = DayField(label=gettext_lazy("From"))
    ends_on = DayField(label=gettext_lazy("Until"))
    tax_included = forms.ChoiceField(
        label=gettext_lazy("Consumption tax"),
        required=False,
        choices=[
            ("", gettext_lazy("unknown")),
            ("yes", gettext_lazy("tax included")),
            ("no", gettext_lazy("tax excluded")),
        ],
    )
    reason = TextField(
        label=gettext_lazy("Reason for going above what is there"),
        required=False,
        longest=1000,
        help_text=gettext_lazy("Only where more is contracted than was allocated."),
    )
    note = TextField(label=gettext_lazy("Note"), required=False, longest=2000)

    def __init__(
        self,
        *,
        institutions: Sequence[Organization] | None = None,
        primes: Sequence[Contract] = (),
        agencies: Sequence[Organization] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if institutions is None:
            for name in ("prime", "organization", "party"):
                del self.fields[name]
            return
        self._institutions = {str(one.pk): one for one in institutions}
        self._primes = {one.ref: one for one in primes}
        self._agencies = {one.ref: one for one in agencies}
        self._offer("organization", [(key, one.name) for key, one in self._institutions.items()])
        names = [(one.ref, f"{_('subcontract under')} {one.number} {one.organization.name}") for one in primes]
        self._offer("prime", [("", _("contract of the project")), *names])
        self._offer("party", [("", _("the ministry")), *((one.ref, one.name) for one in agencies)])
        if not primes:
            del self.fields["prime"]

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def clean_organization(self) -> Organization:
        """This function will return the institution itself."""
        return self._institutions[self.cleaned_data["organization"]]

    def clean_prime(self) -> Contract | None:
        """This function will return the contract above, if there is one."""
        return self._primes.get(self.cleaned_data["prime"])

    def clean_party(self) -> Organization | None:
        """This function will return the agency; none for the ministry."""
        return self._agencies.get(self.cleaned_data["party"])

    def clean_tax_included(self) -> bool | None:
        """This function will return the flag: true, false, unknown."""
        return {"yes": True, "no": False}.get(self.cleaned_data["tax_included"])

    def clean(self) -> dict[str, Any] | None:
        """This function will refuse a contract that ends before it starts."""
        first, last = self.cleaned_data.get("starts_on"), self.cleaned_data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day cannot be before the first."))
        return self.cleaned_data

    @property
    def head(self) -> dict[str, Any]:
        """What the action takes as the contract's head."""
        return {key: value for key, value in self.cleaned_data.items() if key not in ("prime", "organization", "party")}


class SpendingForm(Refusable):
    """Up to which day the books are closed, and what is to be said."""

    as_of = DayField(label=gettext_lazy("As of"))
    note = TextField(
        label=gettext_lazy("Note"),
        required=False,
        longest=2000,
        help_text=gettext_lazy(
            "For amounts above what was granted, or moved between categories: why, and who approved."
        ),
    )
