"""Forms of a panel: who is proposed for which seat, the answer to an invitation, expertise of a case, the roster's day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Affiliation, Organization, Person
from evaluations.actions.panels import Seat
from evaluations.models import Expertise, PanelMember
from portal.forms.fields import DayField, LineField, TextField
from portal.forms.plans import Refusable

ENTER = gettext_lazy("Choose a person of the list. Search again if nobody is there.")


class SearchForm(Refusable):
    """Words with which people are searched."""

    q = forms.CharField(
        label=gettext_lazy("Search people"), required=False, max_length=100,
        help_text=gettext_lazy("Part of a name or an institution, a mail address, or a reference (PSN-...)."),
    )  # fmt: skip


class Radios(forms.RadioSelect):
    """One of several, where the summary of errors leads to the first."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """This function will return the address of a choice, without a number that of the first."""
        return super().id_for_label(id_, index or "0")


class Checks(forms.CheckboxSelectMultiple):
    """Some of several, where the summary of errors leads to the first."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """This function will return the address of a choice, without a number that of the first."""
        return super().id_for_label(id_, index or "0")


class ExpertiseField(forms.MultipleChoiceField):
    """Some of a panel's fields of expertise."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=gettext_lazy("Fields of expertise"), required=False, widget=Checks, **kwargs)

    def offer(self, fields: Sequence[Expertise]) -> None:
        """This method will offer these fields."""
        self.known = {str(one.pk): one for one in fields}
        self.choices = [(key, one.name) for key, one in self.known.items()]

    def clean(self, value: Any) -> list[Expertise]:
        """This function will return the fields themselves."""
        return [self.known[key] for key in super().clean(value)]


class MemberForm(Refusable):
    """A member who is proposed: who, in which office, with which expertise, from when until when."""

    person = forms.ChoiceField(
        label=gettext_lazy("Person"), widget=Radios,
        error_messages={"required": ENTER, "invalid_choice": ENTER},
    )  # fmt: skip
    role = forms.ChoiceField(label=gettext_lazy("Office"), choices=PanelMember.Role.choices)
    is_scoring = forms.BooleanField(
        label=gettext_lazy("Takes part in scoring"),
        required=False,
        help_text=gettext_lazy("A director in the chair does not score."),
    )
    sector = forms.ChoiceField(label=gettext_lazy("Sector"), choices=PanelMember.Sector.choices)
    organization = forms.ChoiceField(
        label=gettext_lazy("Institution"), required=False, help_text=gettext_lazy("As the roster will name it.")
    )
    position = LineField(
        label=gettext_lazy("Position"), required=False, longest=100, help_text=gettext_lazy("Empty: as on record.")
    )
    expertises = ExpertiseField()
    cases_max = forms.IntegerField(
        label=gettext_lazy("Cases at most"), required=False, min_value=1, max_value=999,
        help_text=gettext_lazy("Empty: as the round says."),
    )  # fmt: skip
    starts_on = DayField(label=gettext_lazy("First day"))
    ends_on = DayField(label=gettext_lazy("Last day"))

    def __init__(
        self, people: Sequence[Person], places: Mapping[int, Affiliation], fields: Sequence[Expertise], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._people = {str(one.pk): one for one in people}
        self._organizations: dict[str, Organization] = {
            str(one.organization_id): one.organization for one in places.values()
        }
        shown: Any = self.fields
        shown["person"].choices = [(key, _person(one, places.get(one.pk))) for key, one in self._people.items()]
        shown["organization"].choices = [
            ("", _("Where the person works on record")), *((key, one.name) for key, one in self._organizations.items())
        ]  # fmt: skip
        shown["expertises"].offer(fields)

    def clean_person(self) -> Person:
        """This function will return the person itself."""
        return self._people[self.cleaned_data["person"]]

    def clean_organization(self) -> Organization | None:
        """This function will return the institution itself; None for the one on record."""
        return self._organizations.get(self.cleaned_data["organization"])

    @property
    def seat(self) -> Seat:
        """What the person is proposed for."""
        return Seat(**{name: value for name, value in self.cleaned_data.items() if name != "person"})


def _person(one: Person, place: Affiliation | None) -> str:
    return f"{one.name} ({place.organization.name})" if place else one.name


class AcceptForm(Refusable):
    """The pledge, as it was shown, and the tick under it."""

    shown = forms.CharField(widget=forms.HiddenInput, strip=False)
    pledge = forms.BooleanField(label=gettext_lazy("I give this pledge."), required=False)


class ExpertiseForm(Refusable):
    """What a case asks for."""

    expertises = ExpertiseField()

    def __init__(self, fields: Sequence[Expertise], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        shown: Any = self.fields
        shown["expertises"].offer(fields)


class PledgeForm(Refusable):
    """A panel's own words of the pledge."""

    pledge = TextField(
        label=gettext_lazy("Pledge of this panel"), required=False, longest=4000,
        help_text=gettext_lazy("Empty: the common text. Whoever has given the pledge already stays bound by those words."),
    )  # fmt: skip


class RosterForm(Refusable):
    """From which day the names are public."""

    release_on = DayField(label=gettext_lazy("Roster published from"))
