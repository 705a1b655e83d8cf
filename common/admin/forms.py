"""The form of a look-up: the reason that goes into the journal, and a seal on what the form was filled in from."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.fiscal_year import parse_date
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


class DayField(forms.DateField):
    """A day as people write it: also 令和8年6月12日, R8.6.12 and full-width digits."""

    def to_python(self, value: Any) -> date | None:
        """This function will read the day. Raises ValidationError that says how to write it."""
        return parse_date(value) if isinstance(value, str) and value.strip() else super().to_python(value)


class RecordedForm(forms.ModelForm):
    """Asks for the reason; refuses when the row has changed since the form was opened."""

    reason = forms.CharField(
        label=gettext_lazy("Reason for the journal"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    #: Constraint > the field at which its refusal is told, and in which words; blank words: those of the constraint.
    constraint_words: dict[str, tuple[str, Any]] = {}
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
        super()._update_errors(self._in_words(errors))  # type: ignore[misc]

    def _in_words(self, errors: ValidationError) -> ValidationError:
        # A constraint without words of its own would show its name in the database, and at the top of the form.
        said = {
            str(constraint.violation_error_message) % {"name": constraint.name}: constraint
            for constraint in self._meta.model._meta.constraints
        }
        found = errors.error_dict if hasattr(errors, "error_dict") else {NON_FIELD_ERRORS: errors.error_list}
        placed: dict[str, list[ValidationError]] = {}
        for field, problems in found.items():
            for problem in problems:
                constraint = said.get(str(problem.message))
                place, words = self._told_at(constraint) if constraint else ("", "")
                there = place if place in self.fields else field
                placed.setdefault(there, []).append(ValidationError(words) if words else problem)
        return ValidationError(placed)

    def _told_at(self, constraint: models.BaseConstraint) -> tuple[str, str]:
        field, words = self.constraint_words.get(constraint.name, ("", ""))
        if not words and constraint.violation_error_message == constraint.default_violation_error_message:
            words = _("These values do not fit together. Check the dates and numbers, then save again.")
        return field, str(words)
