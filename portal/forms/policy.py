"""The form that puts an implementation policy in force."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from portal.forms.fields import DayField
from portal.forms.plans import Refusable


class EffectForm(Refusable):
    """From which day the policy is in force."""

    effective_on = DayField(label=gettext_lazy("In force from"))
