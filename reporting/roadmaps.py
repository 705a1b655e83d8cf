"""Roadmaps: a Gantt of periods, milestones, gates and reports of projects, the same on the page and in the PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.timezone import localdate

from common.charts import Chart, GanttRow, Mark, gantt
from common.fiscal_year import label as year_label
from programs.drawings import language
from programs.models import Project
from programs.queries import project_label
from programs.queries.roadmaps import Road, roads_of
from reporting.models import ProgressReport
from reporting.queries import reports_of_projects

#: So many projects fit one page of a document.
ROWS_A_SHEET = 11


@dataclass(frozen=True, slots=True)
class Roadmap:
    """The rows of these projects on one day."""

    rows: list[GanttRow]
    today: date

    @property
    def chart(self) -> Chart:
        """All rows in one picture."""
        return gantt(self.rows, self.today, language())

    @property
    def sheets(self) -> list[Chart]:
        """The same in pictures that fit a page each, over the same years."""
        days = [day for row in self.rows for day in row.days]
        starts = range(0, len(self.rows), ROWS_A_SHEET)
        return [gantt(self.rows[at : at + ROWS_A_SHEET], self.today, language(), days) for at in starts]


def roadmap_of(user: object, projects: Sequence[Project], today: date) -> Roadmap:
    """This function will read the road of these projects, which the reader may see, with what of it the reader may see."""
    reports: dict[int, list[ProgressReport]] = {}
    for report in reports_of_projects(user, projects):
        reports.setdefault(report.project_id, []).append(report)
    return Roadmap([_row(road, reports.get(road.project.pk, [])) for road in roads_of(projects, today)], today)


def _row(road: Road, reports: Sequence[ProgressReport]) -> GanttRow:
    marks = [Mark("milestone", one.title, one.planned_on, one.baseline_on, one.reached_on) for one in road.milestones]
    marks += [Mark("gate", one.title, one.held_on) for one in road.gates]
    marks += [
        Mark(
            "report",
            f"{year_label(one.fiscal_year, language())} {one.get_kind_display()}",
            one.due_on,
            None,
            localdate(one.accepted_at) if one.accepted_at else None,
        )
        for one in reports
    ]
    return GanttRow(project_label(road.project), road.starts_on, road.ends_on, marks)
