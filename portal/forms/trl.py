"""The forms for a level: what a claim shows for each criterion, and what an assessment finds of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from portal.forms.fields import DayField, TextField
from programs.models import Deliverable, TrlAssessment, TrlCriterion, TrlLevel
from programs.rules.trl import LONGEST_TEXT, Evidence, Judgement

#: A criterion with the fields about it.
Block = tuple[TrlCriterion, list[BoundField]]


class _LevelForm(forms.Form):
    """What a claim and an assessment share: the day, and fields for each criterion, named by its key."""

    on = DayField(label=gettext_lazy("Date"))

    def __init__(self, criteria: Sequence[TrlCriterion], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.criteria = criteria
        for criterion in criteria:
            for name, field in self.fields_about(criterion).items():
                self.fields[f"{name}_{criterion.pk}"] = field

    def fields_about(self, criterion: TrlCriterion) -> dict[str, forms.Field]:
        """This function will return the fields for one criterion by what they hold."""
        raise NotImplementedError

    def blocks(self) -> Iterator[Block]:
        """This function will yield each criterion with its fields."""
        for criterion in self.criteria:
            yield criterion, [self[name] for name in self.fields if name.endswith(f"_{criterion.pk}")]

    def plain(self) -> list[BoundField]:
        """This function will return the fields that are about no criterion."""
        about = {field.name for _criterion, fields in self.blocks() for field in fields}
        return [self[name] for name in self.fields if name not in about]

    def refuse(self, refusal: Refused) -> None:
        """This function will show what the action refused beside the field it is about."""
        for blocker in refusal.blockers:
            self.add_error(blocker.field if blocker.field in self.fields else None, str(blocker.message))


class ClaimForm(_LevelForm):
    """A claim of one level. What is missing for a criterion the action says."""

    def __init__(self, criteria: Sequence[TrlCriterion], delivered: Sequence[Deliverable], **kwargs: Any) -> None:
        self._delivered = {str(one.pk): one for one in delivered}
        super().__init__(criteria, **kwargs)

    def fields_about(self, criterion: TrlCriterion) -> dict[str, forms.Field]:
        """This function will ask for words, a deliverable, a file; at least one is needed."""
        fields: dict[str, forms.Field] = {
            "text": TextField(
                label=_("Evidence"),
                required=False,
                longest=LONGEST_TEXT,
                help_text=_("What was shown, where it is recorded (report, paper, demonstration)."),
            )
        }
        if self._delivered:
            choices = [("", _("none")), *((key, str(one)) for key, one in self._delivered.items())]
            fields["deliverable"] = forms.ChoiceField(label=_("Deliverable"), required=False, choices=choices)
        fields["file"] = forms.FileField(label=_("File"), required=False)
        return fields

    def evidence(self) -> dict[int, Evidence]:
        """This function will return what was offered, by criterion."""
        return {criterion.pk: self._of(criterion.pk) for criterion in self.criteria}

    def _of(self, key: int) -> Evidence:
        typed = self.cleaned_data
        chosen = typed.get(f"file_{key}")
        return Evidence(
            typed.get(f"text_{key}", ""),
            self._delivered.get(typed.get(f"deliverable_{key}", "")),
            chosen.file if chosen else None,
            chosen.name if chosen else "",
        )


class AssessmentForm(_LevelForm):
    """The assessment of a claim: a level not above it, and a judgement of each criterion."""

    level = forms.TypedChoiceField(label=gettext_lazy("TRL level"), coerce=int)
    evidence = TextField(
        label=gettext_lazy("What the assessment rests on"),
        longest=LONGEST_TEXT,
        help_text=gettext_lazy("Site visit, measured data, documents read."),
    )
    field_order = ("level", "on", "evidence")

    def __init__(
        self, criteria: Sequence[TrlCriterion], claim: TrlAssessment, levels: Sequence[TrlLevel], **kwargs: Any
    ) -> None:
        super().__init__(criteria, **kwargs)
        self._levels = {one.number: one for one in levels if one.number <= claim.level.number}
        shown = [(str(number), f"TRL{number} {one.name}") for number, one in sorted(self._levels.items(), reverse=True)]
        self.fields["level"].choices = shown  # type: ignore[attr-defined]

    def fields_about(self, criterion: TrlCriterion) -> dict[str, forms.Field]:
        """This function will ask whether the criterion is met, and if not why."""
        return {
            "met": forms.ChoiceField(
                label=_("Judgement"),
                required=False,
                choices=[("", _("Choose")), ("yes", _("met")), ("no", _("not met"))],
            ),
            "reason": TextField(
                label=_("Reason"), required=False, longest=LONGEST_TEXT, help_text=_("Required when it is not met.")
            ),
        }

    def clean_level(self) -> TrlLevel:
        """This function will return the level itself."""
        return self._levels[self.cleaned_data["level"]]

    def judgements(self) -> dict[int, Judgement]:
        """This function will return what was judged, by criterion."""
        typed, said = self.cleaned_data, {"yes": True, "no": False}
        return {
            one.pk: Judgement(said.get(typed.get(f"met_{one.pk}", "")), typed.get(f"reason_{one.pk}", ""))
            for one in self.criteria
        }
