"""Progress reports: the list, one report with its sections, and the acts that carry it from draft to acceptance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import files
from common.audit import history_of
from common.errors import NotReady, Refused, StaleEdit
from common.fiscal_year import label as year_label
from portal.access import BadQuery, clock, not_found, page
from portal.journal import readable
from portal.lists import Column, Filter, ListSpec, as_download, export, read_list
from programs.drawings import language
from programs.overviews import program_choices
from programs.queries import project_label
from reporting import queries
from reporting.actions import reports as actions
from reporting.models import ProgressReport, ReportSection
from reporting.models.schedule import ReportKind
from reporting.rules import actions_allowed, limit_of, report_blockers, sections_editable
from reporting.states import ACCEPTED, CHECKED, DRAFTING, RETURNED, SUBMITTED

HISTORY_ROWS = 200


def find_report(user: Any, ref: str) -> Any:
    """This function will return the report with this reference, if the reader may see that it exists."""
    return queries.reports_in_full(user).filter(ref=ref)


def _may(permission: str) -> Callable[[Any, Any], bool]:
    return lambda user, report: permission in actions_allowed(user, report)


# The list -------------------------------------------------------------------------------------------------------------

REPORTS = ListSpec(
    name="reports",
    rows=queries.reports_listed,
    first_sort="-due",
    columns=(
        Column(
            "project", gettext_lazy("Project"), lambda report: project_label(report.project), order="project__ref",
            is_fixed=True, link=lambda report: reverse("report", args=[report.ref]),
        ),
        Column("ref", gettext_lazy("Reference"), lambda report: report.ref, is_shown=False),
        Column("kind", gettext_lazy("Kind"), lambda report: str(report.get_kind_display()), order="kind"),
        Column(
            "year", gettext_lazy("Fiscal year"), lambda report: year_label(report.fiscal_year, language()),
            order="fiscal_year",
        ),
        Column(
            "state", gettext_lazy("State"), lambda report: str(report.get_state_display()), order="state",
            pill=lambda report: report.state,
        ),
        Column("due", gettext_lazy("Due"), lambda report: report.due_on, order="due_on"),
    ),
    filters=(
        Filter(
            "state", gettext_lazy("State"), lambda state: Q(state=state),
            lambda user: [(state, str(label)) for state, label in ProgressReport.State.choices],
        ),
        Filter(
            "kind", gettext_lazy("Kind"), lambda kind: Q(kind=kind),
            lambda user: [(kind, str(label)) for kind, label in ReportKind.choices],
        ),
        Filter("program", gettext_lazy("Program"), lambda ref: Q(project__program__ref=ref), program_choices),
    ),
)  # fmt: skip


@page(permission="report.list", params=REPORTS.params)
def reports_page(request: HttpRequest) -> HttpResponseBase:
    """This function will list the reports whose existence the reader may see, or hand the same view out as a file."""
    view = read_list(request, REPORTS)
    if download := export(view):
        return download
    sample = any(report.is_sample for report in view.items)
    return render(request, "portal/reports/list.html", {"list": view, "is_sample": sample})


# One report -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class SectionShown:
    """A section as the page shows it: who may write it, what is typed, what is wrong."""

    section: ReportSection
    is_editable: bool
    text: str
    limit: int
    error: str = ""
    conflict: ReportSection | None = None
    saved: bool = False
    comments: list[Any] = field(default_factory=list)


def _shown_sections(request: HttpRequest, report: ProgressReport) -> list[SectionShown]:
    rows = queries.sections_of(report)
    writable = set(report.sections.filter(sections_editable(request.user, report)).values_list("pk", flat=True))
    return [
        SectionShown(row, row.pk in writable, row.text, limit_of(row), comments=list(row.comments.all()))
        for row in rows
    ]


def _waiting_for(report: ProgressReport) -> str:
    return {
        DRAFTING: _("Waiting for the team to write and the principal investigator to submit."),
        RETURNED: _("Waiting for the team to revise and submit again."),
        SUBMITTED: _("Waiting for the program officer's check."),
        CHECKED: _("Waiting for the program director's acceptance."),
        ACCEPTED: _("Nothing is open: the report is accepted."),
    }[report.state]


def report_steps(report: ProgressReport) -> list[dict[str, Any]]:
    """This function will draw the report's way as steps with people and times."""
    order = [DRAFTING, SUBMITTED, CHECKED, ACCEPTED]
    here = 0 if report.state == RETURNED else order.index(report.state)
    notes: dict[int, Any] = {1: report.submitted_by, 2: report.checked_by, 3: report.accepted_by}
    labels = [
        _("Write (team)"),
        _("Submit (principal investigator)"),
        _("Check (PO)"),
        _("Accept (PD)"),
    ]
    # A submitted report stands at the check, a checked one at the acceptance.
    at_step = {0: 0, 1: 2, 2: 3, 3: 4}[here]
    return [
        {
            "label": label,
            "state": "done" if index < at_step else "here" if index == at_step else "next",
            "note": str(notes[index]) if index < at_step and notes.get(index) else "",
        }
        for index, label in enumerate(labels)
    ]


def _show(
    request: HttpRequest, report: ProgressReport, sections: list[SectionShown] | None = None, status: int = 200
) -> HttpResponse:
    allowed = actions_allowed(request.user, report)
    reads = "report.read_text" in allowed
    shown = (sections or _shown_sections(request, report)) if reads else []
    may_write = bool(allowed & {"report.edit", "report.submit"})
    context = {
        "report": report,
        "label": project_label(report.project),
        "allowed": {name.removeprefix("report.") for name in allowed},
        "reads": reads,
        "sections": shown,
        "steps": report_steps(report),
        "waiting_for": _waiting_for(report),
        "blockers": report_blockers(report, [one.section for one in shown]) if may_write else [],
        "general_comments": queries.general_comments_of(report) if reads else [],
        "versions": queries.versions_of(report) if reads else [],
        "days_left": (report.due_on - localdate(clock(request))).days if report.state != ACCEPTED else None,
        "is_sample": report.is_sample,
    }
    return render(request, "portal/reports/page.html", context, status=status)


@page(permission="report.view", find=find_report)
def report_page(request: HttpRequest, report: ProgressReport) -> HttpResponseBase:
    """This function will show where a report stands, what is missing, its sections, comments and versions."""
    return _show(request, report)


@page(permission="report.edit", find=find_report, may=_may("report.edit"), methods=("POST",))
def report_section(request: HttpRequest, report: ProgressReport, section: int) -> HttpResponseBase:
    """This function will save one section; in part of the page with htmx, else with a reload."""
    sections = _shown_sections(request, report)
    shown = next((one for one in sections if one.section.pk == section), None)
    if shown is None:
        return not_found(request)
    shown.text = request.POST.get("text", "")
    status = 200
    try:
        shown.section = actions.save_section(
            shown.section,
            text=shown.text,
            version=_version(request),
            by=request.user,  # type: ignore[arg-type]
            at=clock(request),
        )
        shown.saved = True
    except StaleEdit as stale:
        shown.conflict, shown.error, status = stale.current, str(stale.message), 409
    except Refused as refusal:
        shown.error, status = str(refusal.message), 422
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "portal/reports/save_line.html", {"one": shown, "report": report}, status=status)
    if shown.saved:
        messages.success(request, _("The section was saved."))
        return HttpResponseRedirect(f"{reverse('report', args=[report.ref])}#section-{section}")
    return _show(request, report, sections, status)


def _version(request: HttpRequest) -> int:
    # The button "save mine" of a conflict names the version it was shown.
    value = request.POST.get("over") or request.POST.get("version", "")
    if not value.isdecimal() or len(value) > 9:
        raise BadQuery(_("The form is incomplete. Open the report again; your text is offered to you there."))
    return int(value)


# Acts -----------------------------------------------------------------------------------------------------------------


def _acted(request: HttpRequest, report: ProgressReport, done: str) -> HttpResponseBase:
    messages.success(request, done)
    return HttpResponseRedirect(reverse("report", args=[report.ref]))


def _confirmation(request: HttpRequest, report: ProgressReport, act: str, effects: list[str]) -> HttpResponse:
    context = {
        "report": report,
        "label": project_label(report.project),
        "act": act,
        "effects": effects,
        "blockers": report_blockers(report) if act == "submit" else [],
        "cancel_url": reverse("report", args=[report.ref]),
        "is_sample": report.is_sample,
    }
    return render(request, f"portal/reports/{act}.html", context)


_NOT_NOW = gettext_lazy(
    "This step is not open to you in the report's present state. The report's page says who acts next."
)


@page(
    permission="report.submit",
    find=find_report,
    may=_may("report.submit"),
    why=_NOT_NOW,
    methods=("GET", "HEAD", "POST"),
)
def report_submit(request: HttpRequest, report: ProgressReport) -> HttpResponseBase:
    """This function will ask once, then submit."""
    if request.method != "POST":
        effects = [
            _("The text and figures are frozen as version %(number)s with a content hash.")
            % {"number": len(queries.versions_of(report)) + 1},
            _("Nobody can write in it until it is returned."),
            _("The program officer is told by mail."),
        ]
        return _confirmation(request, report, "submit", effects)
    try:
        version = actions.submit_report(report, by=request.user, at=clock(request))  # type: ignore[arg-type]
    except NotReady:
        return _confirmation(request, report, "submit", [])
    return _acted(request, report, _("The report was submitted as version %(number)s.") % {"number": version.number})


@page(
    permission="report.check", find=find_report, may=_may("report.check"), why=_NOT_NOW, methods=("GET", "HEAD", "POST")
)
def report_check(request: HttpRequest, report: ProgressReport) -> HttpResponseBase:
    """This function will record the PO's check."""
    if request.method != "POST":
        effects = [
            _("The program director reads the report from now on and is told by mail."),
            _("To send it back to the team, return it instead."),
        ]
        return _confirmation(request, report, "check", effects)
    actions.check_report(report, by=request.user, at=clock(request))  # type: ignore[arg-type]
    return _acted(request, report, _("The check was recorded. The program director is told."))


@page(
    permission="report.accept",
    find=find_report,
    may=_may("report.accept"),
    why=_NOT_NOW,
    methods=("GET", "HEAD", "POST"),
)
def report_accept(request: HttpRequest, report: ProgressReport) -> HttpResponseBase:
    """This function will ask once, then accept for good."""
    if request.method != "POST":
        effects = [
            _("The report is accepted for good; it cannot be returned or changed afterwards."),
            _("The deliverable of this fiscal year counts as delivered."),
            _("The team is told by mail."),
        ]
        return _confirmation(request, report, "accept", effects)
    actions.accept_report(report, by=request.user, at=clock(request))  # type: ignore[arg-type]
    return _acted(request, report, _("The report was accepted."))


@page(
    permission="report.return",
    find=find_report,
    may=_may("report.return"),
    why=_NOT_NOW,
    methods=("GET", "HEAD", "POST"),
)
def report_return(request: HttpRequest, report: ProgressReport) -> HttpResponseBase:
    """This function will take comments per section and return the report to the team."""
    sections = queries.sections_of(report)
    typed = {one.pk: request.POST.get(f"comment-{one.pk}", "") for one in sections}
    general, error, status = request.POST.get("general", ""), "", 200
    if request.method == "POST":
        try:
            actions.return_report(
                report,
                comments=typed,
                general=general,
                by=request.user,  # type: ignore[arg-type]
                at=clock(request),
            )
            return _acted(request, report, _("The report was returned to the team with your comments."))
        except Refused as refusal:
            error, status = str(refusal.message), 422
    context = {
        "report": report,
        "label": project_label(report.project),
        "rows": [(one, typed[one.pk]) for one in sections],
        "general": general,
        "error": error,
        "cancel_url": reverse("report", args=[report.ref]),
        "is_sample": report.is_sample,
    }
    return render(request, "portal/reports/return.html", context, status=status)


# Documents and history ------------------------------------------------------------------------------------------------


@page(permission="report.export", find=find_report, may=_may("report.export"))
def report_pdf(request: HttpRequest, report: ProgressReport, number: int) -> HttpResponseBase:
    """This function will hand out a version's PDF, or say that it is being made."""
    version = queries.version_of(report, number)
    if version is None:
        return not_found(request)
    if version.pdf is None:
        messages.info(
            request, _("The PDF of version %(number)s is being made. Try again in a moment.") % {"number": number}
        )
        return HttpResponseRedirect(reverse("report", args=[report.ref]))
    response = FileResponse(files.opened(version.pdf), content_type=version.pdf.content_type)
    response["Content-Security-Policy"] = "sandbox"
    return as_download(response, version.pdf.name)


@page(permission="report.history", find=find_report, may=_may("report.read_text"))
def report_history(request: HttpRequest, report: ProgressReport) -> HttpResponseBase:
    """This function will show what happened to the report."""
    entries = readable(history_of(report)[:HISTORY_ROWS])
    context = {"report": report, "label": project_label(report.project), "entries": entries, "limit": HISTORY_ROWS,
               "is_sample": report.is_sample}  # fmt: skip
    return render(request, "portal/reports/history.html", context)
