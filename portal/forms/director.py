"""Forms for terms of directors, officers and deputies: who, from when, until when; and the reason for an early end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Person
from accounts.queries import people_called
from portal.forms.fields import DayField, LineField, TextField
from portal.forms.plans import Refusable
from programs.models import AreaDirector, AreaOfficer
from programs.queries.directors import TermRow


class PersonField(LineField):
    """Somebody who is on record, by reference, mail address or whole name."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", gettext_lazy("Whole name, mail address of the sign-in, or reference (PSN-...)."))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Person:  # type: ignore[override]
        """This function will return the person, if exactly one is meant."""
        found = people_called(super().clean(value))
        if not found:
            message = _(
                "Nobody with this name, address or reference is on record. Enter the person in the admin first."
            )
            raise ValidationError(message, code="unknown")
        if len(found) > 1:
            message = _("Several people have this name. Enter the mail address or the reference.")
            raise ValidationError(message, code="several")
        return found[0]


class TermForm(Refusable):
    """A term of a director or an officer."""

    person = PersonField(label=gettext_lazy("Person"))
    starts_on = DayField(label=gettext_lazy("First day"))
    ends_on = DayField(
        label=gettext_lazy("Last day"), required=False, help_text=gettext_lazy("Empty: until the term is ended.")
    )


class DeputyForm(Refusable):
    """A deputy: for whom, who, from when, until when."""

    role = forms.ChoiceField(label=gettext_lazy("Stands in for"))
    person = PersonField(label=gettext_lazy("Deputy"))
    starts_on = DayField(label=gettext_lazy("First day"))
    ends_on = DayField(label=gettext_lazy("Last day"))

    def __init__(self, terms: Sequence[TermRow], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._terms = {row.key: row.term for row in terms}
        offered = {"director": _("PD %(name)s"), "officer": _("PO %(name)s")}
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (row.key, offered[row.kind] % {"name": row.term.person.name}) for row in terms
        ]

    def clean_role(self) -> AreaDirector | AreaOfficer:
        """This function will return the term itself."""
        return self._terms[self.cleaned_data["role"]]  # type: ignore[return-value]


class EndForm(Refusable):
    """The last day of a term, and why it ends."""

    ends_on = DayField(label=gettext_lazy("Last day"))
    reason = TextField(label=gettext_lazy("Reason"), longest=500)


class ReasonForm(Refusable):
    """Why something is taken back, returned or cancelled."""

    reason = TextField(label=gettext_lazy("Reason"), longest=500)
