"""One page for every act that is asked about once: what it will do, its form, what stands in the way, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from common.errors import Blocker, NotAllowed, NotReady, Refused
from portal.access import clock
from portal.forms.plans import Refusable


@dataclass(frozen=True, slots=True)
class Act:
    """How an act is asked about. `trail`: address and name of the pages above; `home`: where it leads back to.

    `warnings`: what the act would let pass, in a box of its own above what it does.
    """

    heading: str
    button: str
    done: str
    effects: Sequence[str]
    home: str
    trail: Sequence[tuple[str, str]] = ()
    is_danger: bool = False
    blockers: Sequence[Blocker] = field(default_factory=tuple)
    warnings: Sequence[str] = ()


def ask_once(
    request: HttpRequest,
    subject: Any,
    action: Callable[..., Any],
    act: Act,
    *,
    form: Refusable | None = None,
    to: Callable[[Any], str] | None = None,
) -> HttpResponseBase:
    """This function will ask, then do it; what is refused stands on the same page, beside its field.

    `to` makes the address to go to from what the action returned; else it is `act.home`.
    """
    blockers, error = list(act.blockers), ""
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            done = action(subject, **(form.cleaned_data if form else {}), by=request.user, at=clock(request))
        except NotAllowed:
            raise
        except NotReady as refusal:
            blockers = refusal.blockers
        except Refused as refusal:
            error = "" if form and refusal.field in form.fields else str(refusal.message)
            if form:
                form.refuse(refusal)
        else:
            messages.success(request, act.done)
            return redirect(to(done) if to else act.home)
    context = {
        "act": act,
        "form": form,
        "blockers": blockers,
        "error": error if not form else "",
        "is_sample": bool(getattr(subject, "is_sample", False)),
    }
    return render(request, "portal/act.html", context, status=422 if request.method == "POST" else 200)
