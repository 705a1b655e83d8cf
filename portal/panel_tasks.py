"""What waits on panels: invitations for the invited, proposals and rosters for the second officer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from evaluations.queries.panels import invitations_awaiting, members_awaiting, rosters_awaiting
from evaluations.rules.panels import may_be_invited
from portal.tasks import Task
from programs.rules.scope import scope_of


def panel_tasks(user: Any, today: date) -> Iterator[Task]:
    """This function will yield the invitations to answer, and what a second officer approves, once a panel."""
    for member in invitations_awaiting(user, today) if may_be_invited(user) else []:
        one = member.panel.round
        yield Task(
            label=_("Answer the invitation to the panel of “%(round)s”") % {"round": one.name},
            about="",
            url=reverse("invitation", args=[member.panel.ref]),
            due_on=one.declarations_due_on,
            minutes=10,
            waiting_for=_("The evaluation secretariat is waiting for your answer."),
            is_sample=member.panel.is_sample,
            subject=member,
        )
    if not scope_of(user).ministry:
        return
    for panel in {member.panel_id: member.panel for member in members_awaiting(user)}.values():
        yield Task(
            label=_("Approve the members proposed for the panel of “%(round)s”") % {"round": panel.round.name},
            about="",
            url=reverse("panel", args=[panel.ref]),
            due_on=panel.round.declarations_due_on,
            minutes=5,
            waiting_for=_("Your colleague is waiting for a second officer."),
            is_sample=panel.is_sample,
            subject=panel,
        )
    for release in rosters_awaiting(user):
        yield Task(
            label=_("Approve the day of the roster of “%(round)s”") % {"round": release.panel.round.name},
            about="",
            url=reverse("panel", args=[release.panel.ref]) + "#roster",
            due_on=release.release_on,
            minutes=5,
            waiting_for=_("Your colleague is waiting for a second officer."),
            is_sample=release.panel.is_sample,
            subject=release,
        )
