"""Forms of decisions: the draft with its rows of conditions and of the wind-down, signing, objecting, answering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.fiscal_year import date_text
from evaluations.models import Condition, GateDecision, WindDownItem
from evaluations.rules.decisions import decision_reasons
from portal.forms.fields import DayField, LineField, TextField, read_yen
from portal.forms.plans import Refusable
from programs.drawings import language
from programs.models import PlanVersion, Project
from programs.queries import project_label

SPARE_CONDITIONS = 3


class YenField(forms.CharField):
    """An amount as people write it: 3,000万円, 30,000,000; nothing is none."""

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        """This function will return the yen."""
        text = super().clean(value)
        amount = read_yen(text) if text else None
        if amount is not None and amount < 0:
            raise ValidationError(_("Enter 0 yen or more, or leave it empty."))
        return amount


class DraftForm(Refusable):
    """What is decided: outcome, reason, days, the change of the plan."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), choices=GateDecision.Outcome.choices, widget=forms.RadioSelect
    )
    reason_code = forms.ChoiceField(label=gettext_lazy("Reason, to choose from"))
    reason = TextField(label=gettext_lazy("Reason in words"), longest=4000)
    effective_on = DayField(label=gettext_lazy("Holds from"))
    plan_change = forms.ChoiceField(
        label=gettext_lazy("Change of the plan (“modify”)"),
        required=False,
        help_text=gettext_lazy(
            "Requests that the program director has confirmed. Another project's merges this one into it."
        ),
    )
    ends_on = DayField(
        label=gettext_lazy("Last day of the project (“stop”, merging)"),
        required=False,
        help_text=gettext_lazy("The money planned for the fiscal years after it is released."),
    )
    bridging_yen = YenField(
        label=gettext_lazy("Bridging allocation, at most (yen; “defer”)"), required=False, max_length=30,
        help_text=gettext_lazy("What may flow in the first locked year until the re-examination is decided."),
    )  # fmt: skip

    def __init__(self, project: Project, changes: Iterable[PlanVersion], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._changes = {str(one.pk): one for one in changes}
        names = [(key, _change_name(one, project)) for key, one in self._changes.items()]
        choose: Any = self.fields["plan_change"]
        choose.choices = [("", _("none")), *names]
        outcomes = {value: str(label) for value, label in GateDecision.Outcome.choices}
        reasons: Any = self.fields["reason_code"]
        reasons.choices = [
            ("", _("Choose a reason")),
            *(
                (one.code, f"{one.name} ({'・'.join(outcomes[each] for each in one.outcomes)})")
                for one in decision_reasons()
            ),
        ]

    def clean_plan_change(self) -> PlanVersion | None:
        """This function will return the version itself."""
        return self._changes.get(self.cleaned_data["plan_change"])


def _change_name(version: PlanVersion, project: Project) -> str:
    words = {"number": version.number, "ref": version.ref, "project": project_label(version.project)}
    if version.project_id == project.pk:
        return _("version %(number)s of this project's plan (%(ref)s)") % words
    return _("merge into “%(project)s”, version %(number)s (%(ref)s)") % words


class RowForm(Refusable):
    """One thing that the decision asks for; a row without text is left out."""

    text = TextField(label=gettext_lazy("What"), required=False, longest=1000, widget=forms.Textarea(attrs={"rows": 2}))
    owner = forms.ChoiceField(label=gettext_lazy("Who owes it"), choices=Condition.Owner.choices)
    due_on = DayField(label=gettext_lazy("To be done by"), required=False, help_text="")

    def clean(self) -> dict[str, Any]:
        """This function will ask for the day where there is a text; a row without one counts as empty."""
        found = super().clean() or {}
        if not found.get("text") and "text" not in self.errors:
            self.errors.clear()
            return {}
        if found.get("text") and not found.get("due_on") and "due_on" not in self.errors:
            self.add_error("due_on", _("Enter the day by which it is to be done."))
        return found


class ConditionForm(RowForm):
    """One condition."""

    is_public = forms.BooleanField(label=gettext_lazy("Published with the decision"), required=False, initial=True)


class WindDownForm(RowForm):
    """One step of the wind-down."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=WindDownItem.Kind.choices)
    released_yen = YenField(label=gettext_lazy("Released (yen)"), required=False, max_length=30)

    field_order = ("kind", "text", "owner", "due_on", "released_yen")


class Rows:
    """The rows of one kind beneath a draft, each a form of its own with the names of its fields numbered."""

    def __init__(
        self,
        kind: type[RowForm],
        saved: list[dict[str, Any]],
        *,
        prefix: str,
        spare: int,
        data: Mapping[str, str] | None,
    ) -> None:
        count = len(saved) + spare
        if data is not None:
            count = max(count, sum(1 for name in data if name.startswith(f"{prefix}-") and name.endswith("-text")))
        self.forms = [
            kind(data=data, prefix=f"{prefix}-{n}", initial=saved[n] if n < len(saved) else {}) for n in range(count)
        ]

    def is_valid(self) -> bool:
        """This function will check every row."""
        return not [form for form in self.forms if not form.is_valid()]

    def read(self) -> list[dict[str, Any]]:
        """This function will return the rows that have a text."""
        return [form.cleaned_data for form in self.forms if form.cleaned_data.get("text")]

    @property
    def errors(self) -> list[tuple[str, str]]:
        """The address of each field with something wrong, and what."""
        return [
            (field.id_for_label, f"{field.label} {n}: {error}")
            for n, form in enumerate(self.forms, 1)
            for field in form
            for error in field.errors
        ]


def condition_rows(draft: GateDecision | None, asked: str, data: Mapping[str, str] | None) -> Rows:
    """This function will make the rows of conditions: the draft's, else what the panel asked for, a line each."""
    names = ("text", "owner", "due_on", "is_public")
    if draft is not None:
        saved = [{name: getattr(one, name) for name in names} for one in draft.conditions.all()]
    else:
        saved = [{"text": line.strip()} for line in asked.splitlines() if line.strip()]
    return Rows(ConditionForm, saved, prefix="condition", spare=SPARE_CONDITIONS, data=data)


def wind_down_rows(draft: GateDecision | None, data: Mapping[str, str] | None) -> Rows:
    """This function will make the rows of the wind-down: the draft's, else one of each kind."""
    names = ("kind", "text", "owner", "due_on", "released_yen")
    saved = [{name: getattr(one, name) for name in names} for one in draft.wind_down.all()] if draft else []
    if not saved:
        saved = [{"kind": kind} for kind in WindDownItem.Kind.values]
    return Rows(WindDownForm, saved, prefix="step", spare=1, data=data)


class SignForm(Refusable):
    """Under which number and on which day a decision is taken."""

    number = LineField(label=gettext_lazy("Number of the decision (決裁番号)"), longest=60)
    decided_on = DayField(label=gettext_lazy("Date of the decision (決裁日)"))
    #: The version of the draft that the page shows the effect of.
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class ReasonsForm(Refusable):
    """The reasons of an objection."""

    reasons = TextField(label=gettext_lazy("Reasons"), longest=8000)


class AnswerForm(Refusable):
    """How an objection is answered."""

    accepts = forms.TypedChoiceField(
        label=gettext_lazy("Answer"), widget=forms.RadioSelect, coerce=lambda value: value == "yes",
        choices=[("yes", gettext_lazy("accepted: the project is reviewed anew")), ("no", gettext_lazy("refused"))],
    )  # fmt: skip
    reason = TextField(label=gettext_lazy("Reasons of the answer"), longest=8000)


class ReportForm(Refusable):
    """What was done for a condition."""

    report = TextField(label=gettext_lazy("What has been done"), longest=4000)


class FoundForm(Refusable):
    """Whether a condition is met."""

    is_met = forms.TypedChoiceField(
        label=gettext_lazy("Result"), widget=forms.RadioSelect, coerce=lambda value: value == "yes",
        choices=[("yes", gettext_lazy("met")), ("no", gettext_lazy("not met"))],
    )  # fmt: skip
    note = TextField(label=gettext_lazy("What is still missing"), longest=2000, required=False)


class NoteForm(Refusable):
    """How a step was done."""

    note = TextField(label=gettext_lazy("How it was done"), longest=2000, required=False)


class ReleaseForm(Refusable):
    """Which decisions are released together."""

    decisions = forms.MultipleChoiceField(
        label=gettext_lazy("Decisions"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one decision.")},
    )  # fmt: skip

    def __init__(self, decisions: Iterable[GateDecision], names: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._decisions = {str(one.pk): one for one in decisions}
        choose: Any = self.fields["decisions"]
        choose.choices = [
            (key, f"{names[one.pk]}: {one.get_outcome_display()} ({date_text(one.effective_on, language())})")
            for key, one in self._decisions.items()
        ]

    def clean_decisions(self) -> list[GateDecision]:
        """This function will return the decisions themselves."""
        found = [self._decisions.get(key) for key in self.cleaned_data["decisions"]]
        if None in found:
            raise ValidationError(_("Choose from the list."))
        return [one for one in found if one is not None]
