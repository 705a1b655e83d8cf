"""Forms of conflicts: what a member says on one case, how a conflict is settled, who is admitted, a file of papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evaluations.models import Case, ConflictOfInterest, Declaration
from portal.forms.fields import DayField, TextField
from portal.forms.plans import Refusable


class CaseAnswerForm(Refusable):
    """What a member says on one case. Nothing is chosen beforehand, and what is not answered is not recorded."""

    fingerprint = forms.CharField(widget=forms.HiddenInput, max_length=32)
    answer = forms.ChoiceField(
        label=gettext_lazy("Your declaration on this case"), choices=Declaration.Answer.choices,
        widget=forms.RadioSelect, required=False,
    )  # fmt: skip
    kind = forms.ChoiceField(label=gettext_lazy("Kind of the conflict"), required=False)
    text = TextField(label=gettext_lazy("What the conflict is"), required=False, longest=2000)
    starts_on = DayField(label=gettext_lazy("From"), required=False)
    ends_on = DayField(label=gettext_lazy("Until"), required=False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        kind: Any = self.fields["kind"]
        letters = zip("abcdef", ConflictOfInterest.Kind.choices, strict=True)
        kind.choices = [
            ("", _("Choose a kind")),
            *((value, f"{letter}. {label}") for letter, (value, label) in letters),
        ]
        self.fields["text"].widget.attrs["rows"] = 2

    @property
    def is_answered(self) -> bool:
        """Whether anything was said on the case, be it only half."""
        return any(self.cleaned_data.get(name) for name in ("answer", "kind", "text", "starts_on", "ends_on"))


class ConfirmForm(Refusable):
    """How a conflict was confirmed."""

    reason = TextField(label=gettext_lazy("Reason"), required=False, longest=2000)


class EndForm(Refusable):
    """When and why a conflict ended."""

    ends_on = DayField(label=gettext_lazy("Last day of the conflict"))
    reason = TextField(label=gettext_lazy("Reason"), longest=2000)


class AdmissionForm(Refusable):
    """To which case somebody is admitted in spite of a conflict, and why."""

    case = forms.ChoiceField(label=gettext_lazy("Case"))
    reason = TextField(
        label=gettext_lazy("Reason"), longest=2000,
        help_text=gettext_lazy("It is published with the roster and the finding."),
    )  # fmt: skip
    may_score = forms.BooleanField(label=gettext_lazy("The member may score as well"), required=False)

    def __init__(self, cases: Sequence[Case], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._cases = {str(one.pk): one for one in cases}
        choose: Any = self.fields["case"]
        choose.choices = [
            (key, f"{one.panel.round.name} {_('No.')} {one.number} ({one.ref})") for key, one in self._cases.items()
        ]

    def clean_case(self) -> Case | None:
        """This function will return the case itself."""
        return self._cases.get(self.cleaned_data["case"])


class PapersForm(Refusable):
    """A file of joint publications."""

    file = forms.FileField(label=gettext_lazy("CSV file"), help_text=gettext_lazy("At most 20 MB, in UTF-8."))
