"""The form of a look-up: the reason that goes into the journal, and a seal on what the form was filled in from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.loading import readable


def values_of(row: models.Model) -> dict[str, Any]:
    """This function will return a row's own columns as plain values; a related row as its key."""
    fields = [f for f in row._meta.concrete_fields if not f.primary_key and not f.generated]
    return {f.name: readable(getattr(row, f.attname)) for f in fields}


def told(row: models.Model, name: str, value: Any) -> Any:
    """This function will return a column's value as the journal keeps it: a related row by its reference."""
    field: Any = row._meta.get_field(name)
    if not field.is_relation or value is None:
        return readable(value)
    return readable(field.remote_field.model._base_manager.get(pk=value))


def seal_of(row: models.Model) -> str:
    """This function will return a short hash of a row's values: two people with one form do not overwrite each other."""
    return hashlib.sha256(json.dumps(values_of(row), sort_keys=True, default=str).encode()).hexdigest()[:24]


class RecordedForm(forms.ModelForm):
    """Asks for the reason; refuses when the row has changed since the form was opened."""

    reason = forms.CharField(
        label=gettext_lazy("Reason for the journal"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    #: Set for the second try, after the action refused: the form is shown again with what it said.
    refusal: Exception | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = values_of(self.instance) if self.instance.pk else {}
        if self.instance.pk:
            self.initial["seen"] = seal_of(self.instance)

    def clean(self) -> dict[str, Any]:
        """This function will refuse a form that is out of date, and repeat what the action said."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk and cleaned.get("seen") != seal_of(self.instance):
            raise ValidationError(
                _("Somebody else changed this record since you opened it. Open it again, then make your change.")
            )
        if isinstance(self.refusal, Refused):
            for blocker in self.refusal.blockers:
                self.add_error(blocker.field if blocker.field in self.fields else None, str(blocker.message))
        elif isinstance(self.refusal, ValidationError):
            self.add_error(None, ValidationError(self.refusal.messages))
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        constraints = self._meta.model._meta.constraints
        nameless = {str(c.default_violation_error_message) % {"name": c.name} for c in constraints}
        super()._update_errors(_in_words(errors, nameless))  # type: ignore[misc]


def _in_words(error: ValidationError, nameless: set[str]) -> ValidationError:
    """A constraint without words of its own would show its name in the database."""
    found = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    words = _("These values do not fit together. Check the dates and numbers, then save again.")
    return ValidationError(
        {
            field: [ValidationError(words) if one.message in nameless else one for one in problems]
            for field, problems in found.items()
        }
    )
