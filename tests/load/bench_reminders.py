"""Reminders: 10,000 due at once are queued, none lost, none twice."""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from common.models import OutgoingMail
from programs.models import Program, Project, ProjectMember
from reporting.actions.reminders import queue_due_reminders
from reporting.models import ProgressReport, ReminderRule
from reporting.sample_cast import cast_users
from tests.load.measure import Row, at_most, seconds

BUDGET_SECONDS = 60.0


def run(scale: int) -> list[Row]:
    """This function will make `scale` reports due in three days with one team member each, and queue the round twice."""
    users = cast_users()
    program = Program.objects.get(ref="bench")
    projects = list(Project.objects.filter(program=program).order_by("ref").values_list("pk", flat=True)[:scale])
    ProgressReport.objects.filter(project_id__in=projects).update(due_on=date(2026, 6, 12))
    organization = Project.objects.get(pk=projects[0]).participations.get().organization
    ProjectMember.objects.bulk_create(
        [
            ProjectMember(
                project_id=pk, person=users["pi1"].person, role="co_investigator", organization=organization,
                starts_on=date(2020, 4, 1), granted_by=users["staff1"], approved_by=users["staff2"],
            )
            for pk in projects
        ],
        batch_size=2000,
    )  # fmt: skip
    ReminderRule.objects.get_or_create(
        program=program, event="report_due", audience="team", defaults={"offsets": [-3], "shift": "none"}
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    at = timezone.make_aware(datetime(2026, 6, 9, 7, 0))
    before = OutgoingMail.objects.count()
    took = seconds(lambda: queue_due_reminders(at=at))
    made = OutgoingMail.objects.filter(key__contains=":-3:", queued_at=at).count()
    queue_due_reminders(at=at)
    twice = OutgoingMail.objects.count() - before - made
    lost = scale - OutgoingMail.objects.filter(key__endswith=f":-3:{users['pi1'].pk}", queued_at=at).count()
    return [
        at_most(f"reminders, {made:,} due: time to queue", took, "s", BUDGET_SECONDS),
        at_most(f"reminders, {made:,} due: lost", max(lost, 0), "", 0),
        at_most(f"reminders, {made:,} due: queued twice by a second run", max(twice, 0), "", 0),
    ]
