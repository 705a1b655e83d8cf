"""Forms for what only one kind of project has: education programs with their parts, challenge goals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from portal.forms.fields import DayField, LineField, NumberField, TextField, YearField
from programs.models import AdoptingInstitution, ChallengeGoal, LearnerCount, TrainingModule, TrainingProgram


class KeptForm(forms.Form):
    """A form whose fields are the table's own; `instance` is what is changed."""

    table: type

    def __init__(self, *, instance: Any = None, **kwargs: Any) -> None:
        if instance is not None:
            kwargs["initial"] = {name: self.shown(instance, name) for name in self.base_fields}
        super().__init__(**kwargs)

    def shown(self, instance: Any, name: str) -> Any:
        """This function will return what a field shows of a record."""
        value = getattr(instance, f"{name}_id", getattr(instance, name))
        return [one.pk for one in value.all()] if hasattr(value, "all") else value

    def values(self) -> dict[str, Any]:
        """This function will return the fields of the table."""
        return self.cleaned_data

    def refuse(self, refusal: Refused) -> None:
        """This function will show what the action refused beside the field it is about."""
        for blocker in refusal.blockers:
            self.add_error(blocker.field if blocker.field in self.fields else None, str(blocker.message))


class CountField(NumberField):
    """A whole number, 0 or more."""

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        """This function will return the number."""
        number = super().clean(str(value or "").rstrip("人 "))
        if number is None:
            return None
        if number != int(number) or number < 0:
            raise ValidationError(_("Enter a whole number, 0 or more."), code="whole")
        return int(number)


class _Choosing(KeptForm):
    """Choices among records, given as name > {key: record}."""

    def __init__(self, choices: dict[str, Sequence[Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._records = {name: {str(one.pk): one for one in rows} for name, rows in choices.items()}
        for name, rows in self._records.items():
            if name in self.fields:
                empty = [] if isinstance(self.fields[name], forms.MultipleChoiceField) else [("", _("Choose"))]
                shown = [*empty, *((key, self.called(one)) for key, one in rows.items())]
                self.fields[name].choices = shown  # type: ignore[attr-defined]

    def called(self, record: Any) -> str:
        """This function will name a choice."""
        return str(getattr(record, "name", record))

    def values(self) -> dict[str, Any]:
        """This function will return the fields with the records that were chosen."""
        found = dict(self.cleaned_data)
        for name, rows in self._records.items():
            if isinstance(found.get(name), list):
                found[name] = [rows[key] for key in found[name]]
            elif name in found:
                found[name] = rows.get(found[name])
        return found


class TrainingForm(KeptForm):
    """An education program."""

    table = TrainingProgram
    name_ja = LineField(label=gettext_lazy("Name of the program"), longest=200)
    name_en = LineField(label=gettext_lazy("In English"), longest=200, required=False)
    aim = TextField(label=gettext_lazy("Aim"), required=False, longest=2000)


def _training() -> forms.ChoiceField:
    return forms.ChoiceField(label=gettext_lazy("Education program"))


class ModuleForm(_Choosing):
    """A module."""

    table = TrainingModule
    training = _training()
    name_ja = LineField(label=gettext_lazy("Name of the module"), longest=200)
    name_en = LineField(label=gettext_lazy("In English"), longest=200, required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=TrainingModule.Kind.choices)
    level = forms.ChoiceField(label=gettext_lazy("Level"), choices=TrainingModule.Level.choices)
    hours = NumberField(label=gettext_lazy("Hours"), help_text=gettext_lazy("For example 15 or 1.5."))


class LearnersForm(_Choosing):
    """Learners of a fiscal year: numbers only."""

    table = LearnerCount
    training = _training()
    fiscal_year = YearField(label=gettext_lazy("Fiscal year"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind of learners"), choices=LearnerCount.Kind.choices)
    number = CountField(label=gettext_lazy("Learners"))


class AdopterForm(_Choosing):
    """An institution that adopted a program."""

    table = AdoptingInstitution
    training = _training()
    organization = forms.ChoiceField(label=gettext_lazy("Institution"), required=False)
    name = LineField(
        label=gettext_lazy("Name of the institution"),
        longest=200,
        required=False,
        help_text=gettext_lazy("Only for an institution that is not in the list."),
    )
    modules = forms.MultipleChoiceField(
        label=gettext_lazy("Modules"), required=False, help_text=gettext_lazy("None chosen: the whole program.")
    )
    since_fiscal_year = YearField(label=gettext_lazy("Since fiscal year"))

    def called(self, record: Any) -> str:
        """This function will name modules with their program."""
        return f"{record.training.name}: {record.name}" if isinstance(record, TrainingModule) else str(record.name)


class GoalForm(KeptForm):
    """A challenge goal."""

    table = ChallengeGoal
    text = TextField(label=gettext_lazy("Goal"), longest=2000)
    due_on = DayField(label=gettext_lazy("To be reached by"))
    achieved_on = DayField(label=gettext_lazy("Achieved on"), required=False)
    shown_by = TextField(
        label=gettext_lazy("Shown by"),
        required=False,
        longest=2000,
        help_text=gettext_lazy("Required when it is achieved: paper, record, demonstration."),
    )
