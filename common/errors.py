"""Refusals: what an action answers when it will not do what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing that stands in the way; the page's "still missing" box, the API's 409 and the refusal print the same."""

    field: str
    code: str
    message: str


class Refused(Exception):
    """The action was refused; `message` says what to do, in the reader's language."""

    def __init__(self, message: str, code: str = "refused", field: str = "") -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code
        self.field = field

    @property
    def blockers(self) -> list[Blocker]:
        return [Blocker(self.field, self.code, str(self.message))]


class NotAllowed(Refused):
    """The subject is visible, but this person may not do this with it."""

    def __init__(self, message: str, code: str = "not_allowed", field: str = "") -> None:
        super().__init__(message, code, field)


class NotReady(Refused):
    """Something is still missing; `blockers` lists all of it at once."""

    def __init__(self, message: str, blockers: Sequence[Blocker]) -> None:
        super().__init__(message, "not_ready")
        self._blockers = list(blockers)

    @property
    def blockers(self) -> list[Blocker]:
        return self._blockers


class IllegalMove(Refused):
    """The state does not allow this step."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "illegal_move")


class StaleEdit(Refused):
    """Somebody else saved in between; both texts are kept and shown side by side."""

    def __init__(self, message: str, *, current: Any, submitted: Any, field: str = "") -> None:
        super().__init__(message, "stale_edit", field)
        self.current = current
        self.submitted = submitted
