"""A long text that saves itself while it is written: one field, two people at once, with and without script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from common.errors import NotAllowed, Refused, StaleEdit
from portal.access import BadQuery

__all__ = ["SavedText", "TextState", "save_text"]


@dataclass(frozen=True, slots=True)
class TextState:
    """A text as it is kept: its revision, and who saved it when."""

    text: str
    revision: int
    saved_at: datetime | None
    saved_by: Any


@dataclass(slots=True)
class SavedText:
    """A text as the page shows it to its writer. `key` names the draft kept in the browser."""

    url: str
    key: str
    label: str
    limit: int
    state: TextState
    text: str = ""
    help: str = ""
    rows: int = 14
    error: str = ""
    conflict: TextState | None = None

    def __post_init__(self) -> None:
        self.text = self.text or self.state.text


def save_text(
    request: HttpRequest,
    shown: SavedText,
    save: Callable[[str, int], TextState],
    read: Callable[[Any], TextState],
    page_of: Callable[[SavedText, int], HttpResponseBase],
    back_to: str,
) -> HttpResponseBase:
    """This function will save what was typed; in part of the page with htmx, else with a reload.

    `read` puts the row of a `StaleEdit` into words; `page_of` draws the whole page around what was refused.
    """
    shown.text, status, saved = request.POST.get("text", ""), 200, False
    try:
        shown.state = save(shown.text, _revision(request))
        saved = True
    except StaleEdit as stale:
        shown.conflict, shown.error, status = read(stale.current), str(stale.message), 409
    except NotAllowed:
        raise
    except Refused as refusal:
        shown.error, status = str(refusal.message), 422
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "ui/save_line.html", {"one": shown}, status=status)
    if saved:
        messages.success(request, _("The text was saved."))
        return HttpResponseRedirect(back_to)
    return page_of(shown, status)


def _revision(request: HttpRequest) -> int:
    # The button "save mine" of a conflict names the revision it was shown.
    value = request.POST.get("over") or request.POST.get("revision", "")
    if not value.isdecimal() or len(value) > 9:
        raise BadQuery(_("The form is incomplete. Open the page again; your text is offered to you there."))
    return int(value)
