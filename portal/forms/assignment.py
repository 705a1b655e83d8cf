"""Forms of the assignment: how a proposal is computed, what was seen before it is confirmed, and a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common.errors import Refused, StaleEdit
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
    though_thin = forms.BooleanField(
        label=gettext_lazy("Confirm although readers are missing"),
        error_messages={"required": gettext_lazy("Tick this, or cancel and have more readers added.")},
    )

    def __init__(self, *, is_thin: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_thin:
            del self.fields["though_thin"]

    def refuse(self, refusal: Refused) -> None:
        """This function will say what changed; the page shows it as it is now, and that is what is confirmed next."""
        super().refuse(refusal)
        if isinstance(refusal, StaleEdit):
            self.data = {**self.data.dict(), "seen": refusal.current}


class SheetForm(Refusable):
    """A file with cases, members and roles."""

    file = forms.FileField(label=gettext_lazy("Assignment (CSV)"), help_text=gettext_lazy("UTF-8, at most 5 MB."))
