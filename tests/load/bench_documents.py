"""PDF: the report through the application beside the bare renderer on the same HTML."""

from __future__ import annotations

from io import StringIO
from statistics import median
from unittest import mock

from django.core.management import call_command
from weasyprint import HTML

from common import pdf
from reporting.documents import report_pdf
from reporting.models import ReportVersion
from tests.load.measure import Row, at_most, seconds

BUDGET, TURNS = 1.3, 5


def run(scale: int) -> list[Row]:
    """This function will render one report of about six pages in turn through the application and bare."""
    version = _version()
    html, styles = _as_rendered(version)
    sheets = [pdf._style_sheet(pdf._source(name)) for name in styles]
    ours, bare = [], []
    for turn in range(TURNS + 1):
        one = seconds(lambda: report_pdf(version))
        other = seconds(lambda: HTML(string=html).write_pdf(stylesheets=sheets, pdf_variant="pdf/a-3a"))
        if turn:  # the first warms both up
            ours.append(one)
            bare.append(other)
    return [at_most("PDF of a report beside the bare renderer", median(ours), "s", BUDGET, limit=median(bare))]


def _version() -> ReportVersion:
    found = ReportVersion.objects.select_related("report").order_by("pk").first()
    if found is None:
        call_command("play_cycle", "--out", "var/bench-out", stdout=StringIO())
        found = ReportVersion.objects.select_related("report").order_by("pk").first()
    assert found is not None
    return found


def _as_rendered(version: ReportVersion) -> tuple[str, list[str]]:
    """The HTML that the application typesets for this version, taken from the template engine itself."""
    taken: dict[str, str] = {}
    render = pdf.render_to_string

    def keep(name: str, context: dict[str, object]) -> str:
        taken["html"] = render(name, context)
        return taken["html"]

    with mock.patch.object(pdf, "render_to_string", keep):
        report_pdf(version)
    return taken["html"], [pdf.PRINT_STYLES, pdf.SAMPLE_STYLES]
