"""What waits for somebody, as the home page and the hand-over name it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from programs.models import Project


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits for the reader: the verb with its object, where to do it, by when, and who waits."""

    label: str
    #: What it is about, or what is said behind the project's name.
    about: str
    url: str
    due_on: date | None
    minutes: int | None = None
    waiting_for: str = ""
    is_sample: bool = False
    #: The record it is about; a hand-over shows it to others only if they may see that record.
    subject: Any = None
    #: The project it is about; it is named once all tasks are known.
    project: Project | None = None

    def days_left(self, today: date) -> int | None:
        """This function will return how many days are left; negative when it is late."""
        return (self.due_on - today).days if self.due_on else None
