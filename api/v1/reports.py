"""Progress reports (進捗報告): the accepted ones, as they were frozen."""

from __future__ import annotations

from api.filters import ChoiceFilter, FlagFilter, RefFilter, YearFilter
from api.sql_json import Choice, Day, Facts, First, Flag, Instant, Integer, Part, SqlSerializer, Text
from api.v1.parts import BY_REF, SAMPLE
from api.views import NounDetail, NounList
from reporting.models import ProgressReport
from reporting.models.schedule import ReportKind
from reporting.queries import reports_visible_to


class VersionPart(Part):
    """The frozen version that was accepted."""

    number = Integer()
    content_hash = Text(help_text="SHA-256 of the content as canonical JSON, as printed in the PDF's footer")
    frozen_at = Instant()


class VersionContentPart(VersionPart):
    """The frozen version that was accepted, with its content."""

    content = Facts(help_text="Texts, institutions, people, TRL, milestones and money as they stood")


class ReportOut(SqlSerializer):
    """An accepted progress report (進捗報告). Drafts and returned reports are never shown to clients."""

    ref = Text(help_text="Reference, never changes")
    program = Text(source="project.program.ref")
    project = Text(source="project.ref")
    kind = Choice(choices=ReportKind.choices)
    fiscal_year = Integer(help_text="The fiscal year reported on")
    state = Text(help_text="accepted")
    due_on = Day()
    submitted_at = Instant()
    accepted_at = Instant()
    version = First(ProgressReport, source="versions", child=VersionPart(), order_by=["-number"])
    is_sample = Flag(help_text=SAMPLE)


class ReportInFullOut(ReportOut):
    """An accepted progress report (進捗報告) with its content."""

    version = First(ProgressReport, source="versions", child=VersionContentPart(), order_by=["-number"])


class ReportList(NounList):
    scopes = {"GET": "reports:read"}
    output = ReportOut
    visible = reports_visible_to
    orders = BY_REF
    filters = {
        "program": RefFilter("project__program__ref", "Reports of this program's projects"),
        "project": RefFilter("project__ref", "Reports of this project"),
        "kind": ChoiceFilter("kind", "Kind of report", ReportKind),
        "fiscal_year": YearFilter("fiscal_year", "The fiscal year reported on"),
        "is_sample": FlagFilter("is_sample", SAMPLE),
    }


class ReportDetail(NounDetail):
    scopes = {"GET": "reports:read"}
    output = ReportInFullOut
    visible = reports_visible_to
