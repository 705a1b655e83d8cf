"""Home: what waits for me, by date, across everything; what I have done today; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localdate
from django.utils.translation import gettext as _

from common.audit import done_by
from common.fiscal_year import date_text
from portal.access import clock, page
from portal.journal import readable
from programs.drawings import language
from programs.overviews import claims_to_assess
from programs.queries import project_label

DONE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits for the reader: the verb with its object, where to do it, by when, and who waits."""

    label: str
    about: str
    url: str
    due_on: date | None
    minutes: int | None = None
    waiting_for: str = ""
    is_sample: bool = False

    def days_left(self, today: date) -> int | None:
        """This function will return how many days are left; negative when it is late."""
        return (self.due_on - today).days if self.due_on else None


def claim_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the TRL claims that wait for this director's assessment."""
    for claim in claims_to_assess(user):
        yield Task(
            label=_("Assess the claim of TRL%(level)s") % {"level": claim.level.number},
            about=project_label(claim.project),
            url=reverse("project_trl", args=[claim.project.ref]),
            due_on=None,
            waiting_for=_("%(name)s is waiting for your assessment since %(day)s.")
            % {"name": claim.by_label, "day": date_text(claim.on, language())},
            is_sample=claim.project.is_sample,
        )


#: Each app's open matters; a new kind of work adds one line.
SOURCES: tuple[Callable[[Any, date], Iterator[Task]], ...] = (claim_tasks,)


def tasks_of(user: Any, today: date) -> list[Task]:
    """This function will return everything that waits for this user, soonest first, undated last."""
    tasks = [task for source in SOURCES for task in source(user, today)]
    return sorted(tasks, key=lambda task: (task.due_on is None, task.due_on or today, task.label, task.about))


@page(permission="home.view")
def home_page(request: HttpRequest) -> HttpResponseBase:
    """This function will show what waits for the reader and what the reader has done today."""
    today = localdate(clock(request))
    midnight = datetime.combine(today, time.min, get_current_timezone())
    tasks = tasks_of(request.user, today)
    return render(
        request,
        "portal/home/page.html",
        {
            "tasks": [(task, task.days_left(today)) for task in tasks],
            "done": readable(done_by(request.user, midnight)[:DONE_ROWS]),
            "today": today,
            "is_sample": any(task.is_sample for task in tasks),
        },
    )
