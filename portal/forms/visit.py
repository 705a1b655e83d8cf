"""Forms for site visits and advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Person
from portal.forms.fields import DayField, LineField, TextField
from portal.forms.plans import Refusable
from programs.models import SiteVisit
from programs.rules.visits import LONGEST_ADVICE


class VisitForm(Refusable):
    """When, where, and who took part."""

    on = DayField(label=gettext_lazy("Day of the visit"))
    place = LineField(label=gettext_lazy("Place"), longest=200)
    participants = TextField(
        label=gettext_lazy("Who took part"),
        longest=1000,
        required=False,
        help_text=gettext_lazy("One person a line. May stay empty for a visit that lies ahead."),
    )

    @classmethod
    def of(cls, visit: SiteVisit, data: Any = None) -> VisitForm:
        """This function will make the form of a visit that is on record."""
        return cls(data, initial={"on": visit.on, "place": visit.place, "participants": visit.participants})


class OwnedForm(Refusable):
    """A form that names who follows advice up, among the people around the project."""

    def __init__(self, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._people = {str(person.pk): person for person in people}
        choices = [("", _("Choose a person")), *((key, person.name) for key, person in self._people.items())]
        self.fields["owner"].choices = choices  # type: ignore[attr-defined]

    def clean_owner(self) -> Person:
        """This function will return the person."""
        return self._people[self.cleaned_data["owner"]]


class AdviceForm(OwnedForm):
    """Advice, who follows it up, and until when."""

    text = TextField(label=gettext_lazy("Advice"), longest=LONGEST_ADVICE)
    owner = forms.ChoiceField(label=gettext_lazy("Who follows it up"))
    due_on = DayField(label=gettext_lazy("To be done by"))


class AnswerForm(Refusable):
    """What was done about the advice."""

    answer = TextField(label=gettext_lazy("What was done"), longest=LONGEST_ADVICE)


class ClosingForm(Refusable):
    """A note on closing; required where nobody answered."""

    closing = TextField(
        label=gettext_lazy("Note"),
        longest=LONGEST_ADVICE,
        required=False,
        help_text=gettext_lazy("Required where nobody has answered: what was done, or why nothing has to be done."),
    )


class ReopenForm(Refusable):
    """What is still missing."""

    reason = TextField(label=gettext_lazy("What is still missing"), longest=500)


class PassOnForm(OwnedForm):
    """Another owner or another day."""

    owner = forms.ChoiceField(label=gettext_lazy("Who follows it up"))
    due_on = DayField(label=gettext_lazy("To be done by"))
    reason = TextField(label=gettext_lazy("Reason"), longest=500)
