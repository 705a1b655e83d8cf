"""Forms of the discussion of a case: the draft finding, the fact check, opinions, comments for the project, questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evaluations.actions.fact_checks import LONGEST_CORRECTION
from evaluations.actions.findings import LONGEST_OPINION, LONGEST_PART
from evaluations.actions.questions import LONGEST_QUESTION
from evaluations.models import FactCorrection, Finding, RubricGrade
from portal.forms.fields import DayField, TextField
from portal.forms.plans import Refusable


def _long(label: Any, rows: int = 8, **kwargs: Any) -> TextField:
    widget = forms.Textarea(attrs={"rows": rows})
    return TextField(label=label, required=False, longest=LONGEST_PART, widget=widget, **kwargs)


class FindingForm(Refusable):
    """The draft of a finding; grade and recommendation are two answers."""

    overall = _long(gettext_lazy("Overall finding"))
    strengths = _long(gettext_lazy("What is rated highly"), 5)
    remarks = _long(gettext_lazy("Remarks and what to improve"), 5)
    conditions = _long(
        gettext_lazy("Conditions asked for"), 4,
        help_text=gettext_lazy("One condition a line. They are tracked once the decision takes them over."),
    )  # fmt: skip
    grade = forms.ChoiceField(label=gettext_lazy("Overall grade"), required=False)
    grade_reason = _long(
        gettext_lazy("Why another grade than the legend proposes"), 3,
        help_text=gettext_lazy("Only needed where the grade differs from the proposed one."),
    )  # fmt: skip
    recommendation = forms.ChoiceField(
        label=gettext_lazy("Recommendation"), required=False, widget=forms.RadioSelect,
        help_text=gettext_lazy("What the panel recommends to the ministry; it is not the grade."),
    )  # fmt: skip

    def __init__(self, grades: Sequence[RubricGrade], proposed: RubricGrade | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._grades = {str(one.pk): one for one in grades}
        fields: Any = self.fields
        fields["grade"].choices = [("", _("Not chosen yet")), *((key, one.code) for key, one in self._grades.items())]
        if proposed is not None:
            fields["grade"].help_text = _("By the legend the sheets give %(grade)s.") % {"grade": proposed.code}
        fields["recommendation"].choices = [("", _("not chosen yet")), *Finding.Recommendation.choices]

    def clean_grade(self) -> RubricGrade | None:
        """This function will return the grade itself; None for none."""
        return self._grades.get(self.cleaned_data["grade"])


class SeenForm(Refusable):
    """Which version the person has read."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class DueForm(Refusable):
    """Until when the project answers."""

    due_on = DayField(label=gettext_lazy("Answer due"))


class SettleForm(Refusable):
    """Whether a correction is taken over, and why."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), choices=FactCorrection.Outcome.choices, widget=forms.RadioSelect
    )
    reason = TextField(label=gettext_lazy("Reason"), longest=2000)


class MinorityForm(Refusable):
    """A minority opinion, and whether the panel may read whose it is."""

    text = TextField(
        label=gettext_lazy("Minority opinion"), longest=LONGEST_OPINION, required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )  # fmt: skip
    is_named = forms.BooleanField(
        label=gettext_lazy("Name me to the panel"), required=False,
        help_text=gettext_lazy("Nobody outside the panel and its secretariat ever reads your name."),
    )  # fmt: skip


class AnswerForm(Refusable):
    """The project's answer on the facts: corrections by part, or that there are none."""

    def __init__(self, parts: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for part in parts:
            label = _("Corrections on “%(part)s”") % {"part": FactCorrection.Part(part).label}
            self.fields[part] = TextField(label=label, required=False, longest=LONGEST_CORRECTION)
        self.fields["has_no_errors"] = forms.BooleanField(label=_("There are no factual errors"), required=False)


class QuestionForm(Refusable):
    """A question to the project."""

    text = TextField(
        label=gettext_lazy("Your question"), longest=LONGEST_QUESTION,
        help_text=gettext_lazy("The secretariat sends it on without your name. Write nothing that gives you away."),
    )  # fmt: skip
