"""Forms for observations: one by hand, many as a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from common.errors import Refused
from common.fiscal_year import parse_date
from common.numbers import parse_number
from common.text import clean_line
from portal.forms.fields import YearField
from programs.models import IndicatorObservation


class ObservationForm(forms.Form):
    """One value of a period. A correction names the observation it replaces; nothing is overwritten."""

    organization = forms.ChoiceField(label=gettext_lazy("Institution"), required=False)
    fiscal_year = YearField(label=gettext_lazy("Fiscal year"))
    observed_on = forms.CharField(
        label=gettext_lazy("Observed on"),
        max_length=40,
        help_text=gettext_lazy("For example 2026-06-12 or 令和8年6月12日."),
    )
    value = forms.CharField(label=gettext_lazy("Value"), max_length=30)
    source = forms.CharField(
        label=gettext_lazy("Source"), max_length=200, help_text=gettext_lazy("Where the figure comes from.")
    )
    corrects = forms.ChoiceField(
        label=gettext_lazy("Corrects"),
        required=False,
        help_text=gettext_lazy("Choose a value that this one replaces; the old one stays on record."),
    )

    def __init__(
        self, organizations: Sequence[Organization], own: Sequence[IndicatorObservation], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.fields["organization"].choices = [  # type: ignore[attr-defined]
            ("", _("the whole (no institution)")),
            *((one.ref, one.name) for one in organizations),
        ]
        self.fields["corrects"].choices = [  # type: ignore[attr-defined]
            ("", _("nothing")),
            *(
                (one.external_id, f"{one.observed_on.isoformat()} {one.value.normalize():f} {one.source}")
                for one in own
            ),
        ]

    def clean_observed_on(self) -> date:
        """This function will read the day as people write it."""
        return parse_date(clean_line(self.cleaned_data["observed_on"]))

    def clean_value(self) -> str:
        """This function will return the number as plain text."""
        return parse_number(clean_line(self.cleaned_data["value"]))

    def row(self, indicator_ref: str) -> dict[str, Any]:
        """This function will return what the action takes."""
        typed = self.cleaned_data
        return {
            "indicator": indicator_ref,
            "organization": typed["organization"] or None,
            "fiscal_year": typed["fiscal_year"],
            "observed_on": typed["observed_on"].isoformat(),
            "value": typed["value"],
            "source": clean_line(typed["source"]),
            "corrects": typed["corrects"] or None,
        }


class SheetForm(forms.Form):
    """A CSV file; it is checked first and written on confirmation."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy("Up to 20 MB. Take the template, fill it in and save it as CSV."),
    )

    def refuse(self, refusal: Refused) -> None:
        """This function will show what the action refused beside the file."""
        for blocker in refusal.blockers:
            self.add_error("file", str(blocker.message))
