"""Forms of a plan: the frame, one item of each kind, the next version, and the acts that carry a version on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization, Person
from common.errors import Refused
from common.fiscal_year import label as year_label
from portal.forms.fields import DayField, LineField, NumberField, PercentField, TextField
from programs.drawings import language
from programs.models import (
    ChangeRequest,
    PlanDeliverable,
    PlanEffort,
    PlanGate,
    PlanItem,
    PlanMilestone,
    PlanWorkPackage,
    StageGate,
)
from programs.models.plan import Measured

LONGEST_SUMMARY = 8000


@dataclass(frozen=True, slots=True)
class Choices:
    """What the selects of an item's form offer. `is_whole`: the writer may write the team's own items as well."""

    organizations: Sequence[Organization] = ()
    people: Sequence[Person] = ()
    years: Sequence[int] = ()
    gates: Sequence[StageGate] = ()
    is_whole: bool = True


class Refusable(forms.Form):
    """A form that shows what the action refused beside the field it is about."""

    def refuse(self, refusal: Refused) -> None:
        """This function will put each of the refusal's reasons beside its field, else on top."""
        for blocker in refusal.blockers:
            self.add_error(blocker.field if blocker.field in self.fields else None, str(blocker.message))


class ItemForm(Refusable):
    """An item of a plan; `values()` are the fields of its table."""

    #: Fields that name the item: they are chosen once, when it is new.
    naming: tuple[str, ...] = ()

    def __init__(self, choices: Choices, *, is_new: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices
        if not is_new:
            for name in self.naming:
                del self.fields[name]
        if "organization" in self.fields:
            self._offer_organizations()

    def _offer_organizations(self) -> None:
        select: Any = self.fields["organization"]
        offered = [(str(one.pk), one.name) for one in self.choices.organizations]
        if self.choices.is_whole and not select.required:
            offered.insert(0, ("", _("the whole team")))
        elif len(offered) > 1:
            offered.insert(0, ("", _("Choose an institution")))
            select.required = True
        select.choices = offered

    def clean_organization(self) -> Organization | None:
        """This function will return the institution itself."""
        chosen = self.cleaned_data["organization"]
        return next((one for one in self.choices.organizations if str(one.pk) == chosen), None)

    def values(self) -> dict[str, Any]:
        """This function will return what the action is to write."""
        return dict(self.cleaned_data)


def _organization() -> forms.ChoiceField:
    return forms.ChoiceField(label=gettext_lazy("Institution"), required=False)


class WorkPackageForm(ItemForm):
    """A work package."""

    title = LineField(label=gettext_lazy("Title"))
    organization = _organization()
    starts_on = DayField(label=gettext_lazy("From"))
    ends_on = DayField(label=gettext_lazy("Until"))
    goal = TextField(label=gettext_lazy("Goal"), required=False)

    def clean(self) -> dict[str, Any] | None:
        """This function will refuse a work package that ends before it starts."""
        first, last = self.cleaned_data.get("starts_on"), self.cleaned_data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day cannot be before the first."))
        return self.cleaned_data


class MeasuredForm(ItemForm):
    """A threshold with its unit and direction, and the evidence asked for."""

    threshold = NumberField(
        label=gettext_lazy("Threshold"),
        required=False,
        help_text=gettext_lazy("A number where one can be given; else say in the criterion why not."),
    )
    unit = LineField(label=gettext_lazy("Unit"), required=False, longest=40)
    direction = forms.ChoiceField(label=gettext_lazy("Direction"), required=False)
    evidence_asked = TextField(label=gettext_lazy("Evidence asked for"), required=False)

    def __init__(self, choices: Choices, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        directions: Any = self.fields["direction"]
        directions.choices = [("", _("none")), *Measured.Direction.choices]


class MilestoneForm(MeasuredForm):
    """A milestone."""

    title = LineField(label=gettext_lazy("Title"))
    organization = _organization()
    planned_on = DayField(label=gettext_lazy("Planned for"))
    criterion = TextField(label=gettext_lazy("Criterion"), required=False, longest=2000)
    trl_level = forms.TypedChoiceField(
        label=gettext_lazy("TRL planned"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", gettext_lazy("none")), *((str(number), f"TRL{number}") for number in range(1, 10))],
        help_text=gettext_lazy("The level of the TRL scale to be reached with it; it stands on the TRL staircase."),
    )
    field_order = ("title", "organization", "planned_on", "trl_level", "criterion")


class DeliverableForm(ItemForm):
    """A deliverable."""

    title = LineField(label=gettext_lazy("Title"))
    organization = _organization()
    due_on = DayField(label=gettext_lazy("Due on"))


class GateForm(MeasuredForm):
    """A gate of the project."""

    title = LineField(label=gettext_lazy("Title"))
    gate = forms.ChoiceField(
        label=gettext_lazy("Stage gate of the program"),
        required=False,
        help_text=gettext_lazy("Choose it when this is the project's part of a gate of the whole program."),
    )
    held_on = DayField(label=gettext_lazy("Date"))
    phase_starts_on = DayField(
        label=gettext_lazy("The phase before it starts on"),
        help_text=gettext_lazy("From this day on the criteria can no longer be changed."),
    )
    criteria = TextField(label=gettext_lazy("Criteria"), required=False)
    field_order = ("title", "gate", "held_on", "phase_starts_on", "criteria")

    def __init__(self, choices: Choices, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        gates: Any = self.fields["gate"]
        gates.choices = [("", _("none")), *((str(one.pk), one.name) for one in choices.gates)]

    def clean_gate(self) -> StageGate | None:
        """This function will return the gate itself."""
        return next((one for one in self.choices.gates if str(one.pk) == self.cleaned_data["gate"]), None)


class EffortForm(ItemForm):
    """A person's effort in one fiscal year."""

    naming = ("person", "organization", "fiscal_year")
    person = forms.ChoiceField(label=gettext_lazy("Person"))
    organization = forms.ChoiceField(label=gettext_lazy("Institution"))
    fiscal_year = forms.ChoiceField(label=gettext_lazy("Fiscal year"))
    effort_percent = PercentField(label=gettext_lazy("Effort (%)"))
    role = LineField(label=gettext_lazy("Role"), required=False, longest=100)

    def __init__(self, choices: Choices, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        if "person" in self.fields:
            people: Any = self.fields["person"]
            years: Any = self.fields["fiscal_year"]
            people.choices = [("", _("Choose a person")), *((str(one.pk), one.name) for one in choices.people)]
            years.choices = [(str(year), year_label(year, language())) for year in choices.years]

    def clean_person(self) -> Person:
        """This function will return the person itself."""
        return next(one for one in self.choices.people if str(one.pk) == self.cleaned_data["person"])

    def clean_fiscal_year(self) -> int:
        """This function will return the year as a number."""
        return int(self.cleaned_data["fiscal_year"])


#: The kinds of items with a form of their own, by the word in their address; the order is that of the page.
ITEM_FORMS: Mapping[str, tuple[type[PlanItem], type[ItemForm]]] = {
    "workpackage": (PlanWorkPackage, WorkPackageForm),
    "milestone": (PlanMilestone, MilestoneForm),
    "deliverable": (PlanDeliverable, DeliverableForm),
    "gate": (PlanGate, GateForm),
    "effort": (PlanEffort, EffortForm),
}


class FrameForm(Refusable):
    """The period and the summary."""

    starts_on = DayField(label=gettext_lazy("From"))
    ends_on = DayField(label=gettext_lazy("Until"))
    summary = TextField(label=gettext_lazy("Summary"), required=False, longest=LONGEST_SUMMARY)


class ReasonForm(Refusable):
    """Why the change is asked for."""

    reason = TextField(label=gettext_lazy("Reason for the change"), required=False)
    wanted_from = DayField(label=gettext_lazy("Wanted from"), required=False)


class OpenForm(Refusable):
    """The next version: what kind of change it asks for, and why."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of change"), widget=forms.RadioSelect)
    reason = TextField(
        label=gettext_lazy("Reason for the change"),
        required=False,
        help_text=gettext_lazy("It can be completed until the change is submitted."),
    )
    wanted_from = DayField(label=gettext_lazy("Wanted from"), required=False)
    ends_on = DayField(
        label=gettext_lazy("Last day of the project (for a stop)"),
        required=False,
        help_text=gettext_lazy(
            "What lies after it is left out of the new version; the preview shows the dates and the yen."
        ),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        kinds: Any = self.fields["kind"]
        kinds.choices = ChangeRequest.Kind.choices


class AttachmentForm(Refusable):
    """A file for the change request."""

    file = forms.FileField(
        label=gettext_lazy("File"), help_text=gettext_lazy("PDF, Office documents or pictures, under 200 MB.")
    )


class WorkbookForm(Refusable):
    """A workbook with budget and milestones."""

    file = forms.FileField(label=gettext_lazy("Workbook (XLSX)"), help_text=gettext_lazy("At most 5 MB."))


class DecisionNumberForm(Refusable):
    """The number under which the approval is drafted."""

    decision_number = LineField(label=gettext_lazy("Number of the decision"), longest=60)


class ApprovalForm(Refusable):
    """The days of an approval."""

    decided_on = DayField(label=gettext_lazy("Date of the decision"))
    effective_on = DayField(label=gettext_lazy("In force from"))


class CommentForm(Refusable):
    """What to change, about the whole or one item."""

    item_key = forms.ChoiceField(label=gettext_lazy("About"), required=False)
    comment = TextField(label=gettext_lazy("Comment"))

    def __init__(self, items: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        about: Any = self.fields["item_key"]
        about.choices = [("", _("the whole plan")), *items]


class RefusalForm(Refusable):
    """Why a version is refused."""

    reason = TextField(label=gettext_lazy("Reason"))
