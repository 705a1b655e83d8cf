"""Forms for benchmarks: what is measured, and a value of a day with its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from portal.forms.fields import DayField, LineField, NumberField
from programs.models import Benchmark, BenchmarkValue


class _Refusable(forms.Form):
    def refuse(self, refusal: Refused) -> None:
        """This function will show what the action refused beside the field it is about."""
        for blocker in refusal.blockers:
            self.add_error(blocker.field if blocker.field in self.fields else None, str(blocker.message))


class BenchmarkForm(_Refusable):
    """What is measured, in which unit, and which way is better."""

    name_ja = LineField(label=gettext_lazy("What is measured"), longest=200)
    name_en = LineField(label=gettext_lazy("In English"), longest=200, required=False)
    unit = LineField(label=gettext_lazy("Unit"), longest=40, required=False)
    direction = forms.ChoiceField(label=gettext_lazy("Direction"), choices=Benchmark.Direction.choices)


class BenchmarkValueForm(_Refusable):
    """A value; a correction names the value it replaces."""

    holder = forms.ChoiceField(label=gettext_lazy("Whose value"), choices=BenchmarkValue.Holder.choices)
    holder_name = LineField(
        label=gettext_lazy("Reached by"),
        longest=200,
        required=False,
        help_text=gettext_lazy("Required for the world's best: the institution or company."),
    )
    value = NumberField(label=gettext_lazy("Value"))
    on = DayField(label=gettext_lazy("Date"))
    source = LineField(
        label=gettext_lazy("Source"), longest=300, help_text=gettext_lazy("Paper with DOI, report, measurement record.")
    )
    corrects = forms.ChoiceField(
        label=gettext_lazy("Corrects"),
        required=False,
        help_text=gettext_lazy("Choose a value that this one replaces; the old one stays on record."),
    )

    def __init__(self, values: Sequence[BenchmarkValue], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._values = {str(one.pk): one for one in values if not hasattr(one, "corrected_by")}
        self.fields["corrects"].choices = [  # type: ignore[attr-defined]
            ("", _("nothing")),
            *(
                (key, f"{one.get_holder_display()} {one.on.isoformat()} {one.value.normalize():f}")
                for key, one in self._values.items()
            ),
        ]

    def clean_corrects(self) -> BenchmarkValue | None:
        """This function will return the value itself."""
        return self._values.get(self.cleaned_data["corrects"])
