"""Forms of the assignment: how a proposal is computed, what was seen before it is confirmed, and a file."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from evaluations.actions.assignment_runs import MOST_PERCENT
from portal.forms.plans import Refusable


class RunForm(Refusable):
    """How a proposal is computed."""

    seed = forms.IntegerField(
        label=gettext_lazy("Seed"), initial=1, min_value=0, max_value=2_147_483_647,
        help_text=gettext_lazy("The same seed gives the same proposal. Another one breaks ties differently."),
    )  # fmt: skip
    forbid_percent = forms.IntegerField(
        label=gettext_lazy("Pairs forbidden at random, in percent"), initial=0, min_value=0, max_value=MOST_PERCENT,
        help_text=gettext_lazy("Against agreements among readers, in panels of 300 members and more. Otherwise 0."),
    )  # fmt: skip


class SeenForm(Refusable):
    """Which proposal the confirmation was shown."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)


class SheetForm(Refusable):
    """A file with cases, members and roles."""

    file = forms.FileField(label=gettext_lazy("Assignment (CSV)"), help_text=gettext_lazy("UTF-8, at most 5 MB."))
