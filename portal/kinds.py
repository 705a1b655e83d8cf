"""Pages of one kind of project: education programs of human resources projects, challenge goals of basic ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed, Refused
from portal.access import BadQuery, clock, page
from portal.forms.kinds import AdopterForm, GoalForm, KeptForm, LearnersForm, ModuleForm, TrainingForm
from portal.lists import csv_rows
from portal.projects import find_project, show_tab
from programs.actions.kinds import remove_of_kind, save_of_kind
from programs.models import Project
from programs.overviews import linked_projects
from programs.queries.kinds import TrainingSheet, goals_of, institutions_for, training_sheets
from programs.rules.kinds import BASIC, EDUCATION, may_keep_kind

METHODS = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("This is written by the project's team: its investigators.")
Records = dict[str, Sequence[Any]]

#: The parts of the education page: its form, and what stands above it when adding and when changing.
EDUCATION_PARTS: dict[str, tuple[type[Any], Any, Any]] = {
    "training": (TrainingForm, gettext_lazy("Add an education program"), gettext_lazy("Change the education program")),
    "module": (ModuleForm, gettext_lazy("Add a module"), gettext_lazy("Change the module")),
    "learners": (LearnersForm, gettext_lazy("Record learners"), gettext_lazy("Change the number of learners")),
    "adopter": (
        AdopterForm, gettext_lazy("Add an adopting institution"), gettext_lazy("Change the adopting institution"),
    ),
}  # fmt: skip
GOAL_PARTS: dict[str, tuple[type[Any], Any, Any]] = {
    "goal": (GoalForm, gettext_lazy("Add a challenge goal"), gettext_lazy("Change the challenge goal"))
}


def find_of_kind(kind: str) -> Any:
    """This function will return the finder of a visible project of this kind; another kind has no such page."""
    return lambda user, ref: find_project(user, ref).filter(kind=kind)


# Writing --------------------------------------------------------------------------------------------------------------


class Desk:
    """The forms of one page: which one is being written, and which record it changes."""

    def __init__(
        self,
        request: HttpRequest,
        project: Project,
        parts: dict[str, tuple[type[Any], Any, Any]],
        records: Records,
        extra: dict[str, Any],
    ) -> None:
        self.request, self.project, self.parts, self.records, self.extra = request, project, parts, records, extra
        self.part, self.pk = self._named(request.POST.get("on") or request.GET.get("edit") or "")

    def _named(self, text: str) -> tuple[str, int | None]:
        """`module` for a new one, `module-12` for the one to be changed."""
        part, _dash, key = text.partition("-")
        if not text:
            return "", None
        if part not in self.parts or (key and not (key.isascii() and key.isdigit() and len(key) < 16)):
            raise BadQuery(_("The page has nothing called “%(name)s” to change.") % {"name": text[:40]})
        return part, int(key) if key else None

    def form(self, part: str) -> KeptForm:
        """This function will return the form of a part, filled with what was typed or is to be changed."""
        here = part == self.part
        instance = next((one for one in self.records[part] if here and one.pk == self.pk), None)
        if here and self.pk is not None and instance is None:
            raise Refused(_("Somebody removed this in the meantime. Open the page again."), "gone")
        kwargs: dict[str, Any] = {"prefix": part, "instance": instance}
        if here and self.request.method == "POST":
            kwargs["data"] = self.request.POST
        form_class = self.parts[part][0]
        return form_class(**kwargs) if form_class in (TrainingForm, GoalForm) else form_class(self.extra, **kwargs)  # type: ignore[no-any-return]

    def shown(self) -> list[dict[str, Any]]:
        """This function will return the forms as the page draws them."""
        found = []
        for part, (_form, add, change) in self.parts.items():
            if part in ("module", "learners", "adopter") and not self.records["training"]:
                continue
            key = self.pk if part == self.part else None
            if self.pk is not None and key is None:
                continue
            on = part if key is None else f"{part}-{key}"
            title, form = (
                change if key else add,
                self.written if part == self.part and self.written else self.form(part),
            )
            found.append({"part": part, "on": on, "title": title, "form": form, "is_change": key is not None})
        return found

    written: KeptForm | None = None

    def write(self) -> bool:
        """This function will save or remove what was posted; what is refused stands beside the field."""
        how: dict[str, Any] = {"by": self.request.user, "at": clock(self.request)}
        if not self.part:
            raise BadQuery(_("The page has nothing called “%(name)s” to change.") % {"name": ""})
        table = self.parts[self.part][0].table
        if self.request.POST.get("act") == "remove" and self.pk is not None:
            remove_of_kind(self.project, table, pk=self.pk, **how)
            messages.success(self.request, _("It was taken out."))
            return True
        self.written = self.form(self.part)
        if not self.written.is_valid():
            return False
        try:
            save_of_kind(self.project, table, values=self.written.values(), pk=self.pk, **how)
        except NotAllowed:
            raise
        except Refused as refusal:
            self.written.refuse(refusal)
            return False
        messages.success(self.request, _("Saved."))
        return True


# Human resources ------------------------------------------------------------------------------------------------------


@page(permission="project.view", find=find_of_kind(EDUCATION), params=("edit", "format"), methods=METHODS)
def project_education(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show education programs, modules, learners and who adopted them; the team writes here."""
    may = may_keep_kind(request.user, project)
    if request.method == "POST" and not may:
        raise NotAllowed(NOT_YOURS)
    sheets = training_sheets(project)
    if request.GET.get("format"):
        return _education_csv(request.GET["format"], project, sheets)
    desk = Desk(request, project, EDUCATION_PARTS, *_of_education(project, sheets)) if may else None
    if desk is not None and request.method == "POST" and desk.write():
        return redirect("project_education", ref=project.ref)
    context = {"sheets": sheets, "may": may, "desk": desk.shown() if desk else []}
    status = 422 if request.method == "POST" else 200
    return show_tab(request, project, "project_education", context, status=status)


def _of_education(project: Project, sheets: list[TrainingSheet]) -> tuple[Records, dict[str, Any]]:
    trainings = [sheet.training for sheet in sheets]
    modules = [module for sheet in sheets for module in sheet.modules]
    records: Records = {
        "training": trainings,
        "module": modules,
        "learners": [count for sheet in sheets for year in sheet.years for count in year.counts],
        "adopter": [adopter for sheet in sheets for adopter in sheet.adopters],
    }
    organizations = institutions_for(project) if trainings else []
    return records, {"training": trainings, "modules": modules, "organization": organizations}


def _education_csv(part: str, project: Project, sheets: list[TrainingSheet]) -> HttpResponseBase:
    """Modules, learners or institutions of all the project's programs."""
    program = _("Education program")
    tables: dict[str, tuple[list[str], list[list[Any]]]] = {
        "modules": (
            [program, _("Module"), _("Kind"), _("Level"), _("Hours")],
            [
                [one.training.name, each.name, str(each.get_kind_display()), str(each.get_level_display()),
                 f"{each.hours.normalize():f}"]
                for one in sheets for each in one.modules
            ],
        ),
        "learners": (
            [program, _("Fiscal year"), _("Kind of learners"), _("Learners")],
            [
                [one.training.name, each.fiscal_year, str(each.get_kind_display()), each.number]
                for one in sheets for year in one.years for each in year.counts
            ],
        ),
        "adopters": (
            [program, _("Institution"), _("Modules"), _("Since fiscal year")],
            [
                [one.training.name, each.called, "、".join(module.name for module in each.modules.all()),
                 each.since_fiscal_year]
                for one in sheets for each in one.adopters
            ],
        ),
    }  # fmt: skip
    if part not in tables:
        raise BadQuery(_("Choose modules, learners or adopters."))
    return _csv(f"{part}-{project.ref}", *tables[part])


def _csv(name: str, head: list[str], rows: list[list[Any]]) -> HttpResponseBase:
    def lines() -> Iterator[list[Any]]:
        yield from rows

    response = StreamingHttpResponse(csv_rows(head, lines()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.csv") or ""
    return response


# Challenge goals ------------------------------------------------------------------------------------------------------


@page(permission="project.view", find=find_of_kind(BASIC), params=("edit", "format"), methods=METHODS)
def project_goals(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show a basic project's challenge goals and what they complement; the team writes here."""
    may = may_keep_kind(request.user, project)
    if request.method == "POST" and not may:
        raise NotAllowed(NOT_YOURS)
    goals = goals_of(project)
    if "format" in request.GET:
        return _goals_csv(request.GET["format"], project, goals)
    linked = linked_projects(request.user, project)
    desk = Desk(request, project, GOAL_PARTS, {"goal": goals}, {}) if may else None
    if desk is not None and request.method == "POST" and desk.write():
        return redirect("project_goals", ref=project.ref)
    context = {
        "goals": goals,
        "linked": linked,
        "may": may,
        "desk": desk.shown() if desk else [],
        "today": localdate(clock(request)),
    }
    status = 422 if request.method == "POST" else 200
    return show_tab(request, project, "project_goals", context, status=status)


def _goals_csv(wanted: str, project: Project, goals: list[Any]) -> HttpResponseBase:
    if wanted != "csv":
        raise BadQuery(_("Choose CSV."))
    head = [_("Number"), _("Goal"), _("To be reached by"), _("Achieved on"), _("Shown by")]
    rows = [
        [
            one.number, one.text, one.due_on.isoformat(), one.achieved_on.isoformat() if one.achieved_on else "",
            one.shown_by,
        ]
        for one in goals
    ]  # fmt: skip
    return _csv(f"goals-{project.ref}", head, rows)
