"""The form for a level claimed or assessed: dates and digits as people type them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.fiscal_year import parse_date
from common.text import clean, clean_line
from programs.models import TrlLevel

LONGEST_EVIDENCE = 2000


class TrlForm(forms.Form):
    """Level, day and evidence. The levels come from the scale in force."""

    level = forms.ChoiceField(label=gettext_lazy("TRL level"))
    on = forms.CharField(
        label=gettext_lazy("Date"),
        max_length=40,
        help_text=gettext_lazy("For example 2026-06-12 or 令和8年6月12日."),
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        widget=forms.Textarea,
        help_text=gettext_lazy("What was shown, where it is recorded (report, paper, demonstration)."),
    )

    def __init__(self, levels: Sequence[TrlLevel], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._levels = {str(level.number): level for level in levels}
        self.fields["level"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a level")),
            *((key, f"TRL{key} {level.name}") for key, level in self._levels.items()),
        ]

    def clean_level(self) -> TrlLevel:
        """This function will return the level itself."""
        return self._levels[self.cleaned_data["level"]]

    def clean_on(self) -> date:
        """This function will read the day as people write it."""
        return parse_date(clean_line(self.cleaned_data["on"]))

    def clean_evidence(self) -> str:
        """This function will return the text as it is kept."""
        text = clean(self.cleaned_data["evidence"]).strip()
        if not text:
            raise ValidationError(_("Enter the evidence."), code="required")
        if len(text) > LONGEST_EVIDENCE:
            raise ValidationError(
                _("Shorten the evidence to %(limit)s characters; it has %(count)s.")
                % {"limit": LONGEST_EVIDENCE, "count": len(text)},
                code="too_long",
            )
        return text

    def refuse(self, refusal: Refused) -> None:
        """This function will show what the action refused beside the field it is about."""
        for blocker in refusal.blockers:
            self.add_error(blocker.field if blocker.field in self.fields else None, str(blocker.message))
