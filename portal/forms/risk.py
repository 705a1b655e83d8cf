"""Forms of what a project keeps beside its plan: a risk, a collaboration, a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization, Person
from common.countries import countries
from common.text import clean_line
from portal.forms.fields import DayField, LineField, TextField, read_yen
from portal.forms.plans import Refusable
from programs.drawings import language
from programs.models import Collaboration, DataSet, Risk

GRADES = [(str(n), str(n)) for n in range(1, 6)]


class YenField(forms.CharField):
    """An amount as people write it; nothing is nothing on record."""

    def prepare_value(self, value: Any) -> Any:
        """This function will show an amount with its groups."""
        return f"{value:,}" if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        """This function will return whole yen; None for nothing."""
        text = clean_line(super().clean(value) or "")
        return read_yen(text) if text else None


class TextForm(Refusable):
    """What is said with an act."""

    text = TextField(label=gettext_lazy("Text"), longest=2000)

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields["text"].label = label


class RiskForm(Refusable):
    """A risk or an issue."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Risk.Kind.choices)
    title = LineField(label=gettext_lazy("Title"))
    description = TextField(label=gettext_lazy("Description"), required=False)
    likelihood = forms.ChoiceField(
        label=gettext_lazy("Likelihood (1 to 5)"),
        choices=GRADES,
        help_text=gettext_lazy("1: hardly; 3: about even; 5: almost certain or already there."),
    )
    effect = forms.ChoiceField(
        label=gettext_lazy("Effect (1 to 5)"),
        choices=GRADES,
        help_text=gettext_lazy("1: hardly felt; 3: a milestone slips; 5: the project's goal is in question."),
    )
    owner = forms.ChoiceField(label=gettext_lazy("Owner"))
    measure = TextField(label=gettext_lazy("Measure"))
    due_on = DayField(label=gettext_lazy("To be done by"))

    def __init__(self, owners: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._owners = {str(one.pk): one for one in owners}
        choose: Any = self.fields["owner"]
        choose.choices = [("", _("Choose a person")), *((key, one.name) for key, one in self._owners.items())]

    def clean_owner(self) -> Person | None:
        """This function will return the person itself."""
        return self._owners.get(self.cleaned_data["owner"])

    def clean_likelihood(self) -> int:
        """This function will return the grade."""
        return int(self.cleaned_data["likelihood"])

    def clean_effect(self) -> int:
        """This function will return the grade."""
        return int(self.cleaned_data["effect"])


class CollaborationForm(Refusable):
    """A collaboration."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Collaboration.Kind.choices)
    partner = LineField(label=gettext_lazy("Partner"))
    sector = forms.ChoiceField(label=gettext_lazy("Sector"), choices=Collaboration.Sector.choices)
    country = forms.ChoiceField(label=gettext_lazy("Country"))
    subject = TextField(label=gettext_lazy("What is done together"), longest=2000)
    starts_on = DayField(label=gettext_lazy("From"))
    ends_on = DayField(label=gettext_lazy("Until"), required=False)
    contribution_yen = YenField(label=gettext_lazy("Own contribution of the partner (yen)"), required=False)
    contribution = LineField(
        label=gettext_lazy("Own contribution in words"),
        required=False,
        longest=300,
        help_text=gettext_lazy("People, equipment or materials that the partner brings."),
    )
    agreement = forms.ChoiceField(label=gettext_lazy("Agreement"), choices=Collaboration.Agreement.choices)
    agreed_on = DayField(label=gettext_lazy("Signed on"), required=False)
    export_control = forms.ChoiceField(
        label=gettext_lazy("Export-control check"),
        choices=Collaboration.ExportControl.choices,
        help_text=gettext_lazy("Ask the institution's export-control office before anything is provided abroad."),
    )
    export_checked_on = DayField(label=gettext_lazy("Checked on"), required=False)
    export_checked_by = LineField(label=gettext_lazy("Checked by"), required=False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choose: Any = self.fields["country"]
        choose.choices = list(countries(language()).items())


class DataSetForm(Refusable):
    """A data set."""

    name = LineField(label=gettext_lazy("Name"))
    description = TextField(label=gettext_lazy("Description"), required=False)
    organization = forms.ChoiceField(label=gettext_lazy("Institution that keeps it"))
    sharing = forms.ChoiceField(label=gettext_lazy("Sharing"), choices=DataSet.Sharing.choices)
    embargo_until = DayField(label=gettext_lazy("Embargo until"), required=False)
    reason = LineField(label=gettext_lazy("Why it is not open"), required=False, longest=300)
    licence = LineField(
        label=gettext_lazy("Licence"), required=False, longest=100, help_text=gettext_lazy("For example CC BY 4.0.")
    )
    location = LineField(
        label=gettext_lazy("Repository or place"),
        required=False,
        longest=300,
        help_text=gettext_lazy("Name of the repository or its address; for closed data the place where they are kept."),
    )

    def __init__(self, organizations: Sequence[Organization], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._organizations = {str(one.pk): one for one in organizations}
        choose: Any = self.fields["organization"]
        choose.choices = [(key, one.name) for key, one in self._organizations.items()]

    def clean_organization(self) -> Organization:
        """This function will return the institution itself."""
        chosen = self._organizations.get(self.cleaned_data["organization"])
        if chosen is None:
            raise ValidationError(_("Choose an institution of the project."))
        return chosen


class PolicyForm(Refusable):
    """How data are kept and shared."""

    policy = TextField(
        label=gettext_lazy("How data are kept and shared"), longest=8000, required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )  # fmt: skip
