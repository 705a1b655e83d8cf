"""Technology readiness: a project's tab with its claims and assessments, and the board of an area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import files
from common.errors import NotAllowed, Refused
from portal.access import BadQuery, clock, page
from portal.forms.trl import AssessmentForm, ClaimForm
from portal.lists import OWN_PARAMS, Column, Filter, ListSpec, as_download, export, read_list
from portal.projects import find_project, show_tab
from programs import queries
from programs.actions.trl import assess_trl, claim_trl
from programs.drawings import trl_chart
from programs.models import Project, ResearchArea, TrlAssessment, TrlCriterion, TrlEvidence, TrlLevel
from programs.overviews import ProjectSheet, gates_of
from programs.queries import project_label
from programs.queries.trl import (
    delivered,
    evidence_visible_to,
    latest_assessed,
    latest_claim,
    levels_in_full,
    projects_on_board,
    trl_records,
)
from programs.rules import actions_allowed
from programs.rules.trl import criteria_judged, criteria_of

METHODS = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("The project claims its level, and its program director assesses it.")

# A project ------------------------------------------------------------------------------------------------------------


@page(permission="project.view", find=find_project, params=("level",), methods=METHODS)
def project_trl(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show every level on record; the project claims, the director assesses."""
    levels = levels_in_full()
    allowed = actions_allowed(request.user, project)
    act = request.POST.get("act", "")
    if request.method == "POST" and f"project.{act}" not in allowed:
        raise NotAllowed(NOT_YOURS)
    records = trl_records(project)
    forms: dict[str, Any] = {}
    claiming, claim = None, None
    if "project.claim_trl" in allowed and levels:
        assessed = latest_assessed(records, levels[0].scale_id)
        claiming = _claiming(request, levels, assessed)
        forms["claim_trl"] = _claim_form(request, project, criteria_of(levels, assessed, claiming.number))
    if "project.assess_trl" in allowed and (claim := latest_claim(records)):
        forms["assess_trl"] = _assessment_form(request, claim, levels)
    written = forms.get(act) if request.method == "POST" else None
    if written is not None and written.is_valid() and _write(request, project, written, claiming):
        messages.success(request, _("The level is on record."))
        return redirect("project_trl", ref=project.ref)
    sheet = ProjectSheet(project, records, list(project.milestones.all()), gates_of(project))
    context = {
        "allowed": allowed,
        "forms": forms,
        "claiming": claiming,
        "claim": claim,
        "is_answered": any(one.claim_id == claim.pk for one in records) if claim else False,
        "history": records[::-1],
        "levels": levels,
        "trl_chart": trl_chart(sheet, levels),
    }
    return show_tab(request, project, "project_trl", context, status=422 if written is not None else 200)


def _claiming(request: HttpRequest, levels: Sequence[TrlLevel], assessed: int) -> TrlLevel:
    """The level to be claimed: the one asked for, else the next above the last assessed one."""
    wanted = request.POST.get("level") or request.GET.get("level")
    by_number = {str(one.number): one for one in levels}
    if wanted is None:
        return by_number.get(str(assessed + 1), levels[-1])
    if wanted not in by_number:
        raise BadQuery(_("The scale has no level “%(level)s”.") % {"level": wanted[:10]})
    return by_number[wanted]


def _claim_form(request: HttpRequest, project: Project, criteria: Sequence[TrlCriterion]) -> ClaimForm:
    typed: dict[str, Any] = {}
    if request.POST.get("act") == "claim_trl":
        typed = {"data": request.POST, "files": request.FILES}
    return ClaimForm(criteria, delivered(project), prefix="claim_trl", **typed)


def _assessment_form(request: HttpRequest, claim: TrlAssessment, levels: Sequence[TrlLevel]) -> AssessmentForm:
    data = request.POST if request.POST.get("act") == "assess_trl" else None
    own = [level for level in levels if level.scale_id == claim.level.scale_id]
    return AssessmentForm(criteria_judged(claim), claim, own, prefix="assess_trl", data=data)


def _write(request: HttpRequest, project: Project, form: Any, level: TrlLevel | None) -> bool:
    """One call to the action; what it refuses stands beside the field."""
    how: dict[str, Any] = {"by": request.user, "at": clock(request), "on": form.cleaned_data["on"]}
    try:
        if isinstance(form, ClaimForm):
            claim_trl(project, level=level, evidence=form.evidence(), **how)  # type: ignore[arg-type]
        else:
            typed = form.cleaned_data
            assess_trl(project, level=typed["level"], evidence=typed["evidence"], judgements=form.judgements(), **how)
    except NotAllowed:
        raise
    except Refused as refusal:
        form.refuse(refusal)
        return False
    return True


def find_evidence(user: Any, ref: str, evidence: int) -> Any:
    """This function will return the evidence with a file, if the reader may see its project."""
    return evidence_visible_to(user).filter(claim__project__ref=ref, pk=evidence, file__isnull=False)


@page(permission="project.view", find=find_evidence, key=("ref", "evidence"))
def trl_file(request: HttpRequest, evidence: TrlEvidence) -> HttpResponseBase:
    """This function will hand out the file that a claim shows for a criterion."""
    assert evidence.file is not None
    response = FileResponse(files.opened(evidence.file), content_type=evidence.file.content_type)
    return as_download(response, evidence.file.name)


# The board of an area -------------------------------------------------------------------------------------------------


def _level(name: str) -> Any:
    return lambda project: getattr(project, name) or None


def _stands(project: Any) -> str:
    """Where the assessed level stands against what the plan expects by today."""
    if project.target_trl and project.assessed >= project.target_trl:
        return _("target reached")
    if not project.assessed:
        return _("not assessed yet")
    return _("behind the plan") if project.assessed < project.planned else _("on the plan")


BEHIND = Q(assessed__lt=F("planned"))
WAITING = Q(claimed__gt=F("assessed"))
REACHED = Q(target_trl__isnull=False, assessed__gte=F("target_trl"))
_STANDINGS: dict[str, tuple[Any, Q]] = {
    "behind": (gettext_lazy("behind the plan"), BEHIND & ~REACHED),
    "waiting": (gettext_lazy("claimed above the assessed level"), WAITING),
    "reached": (gettext_lazy("target reached"), REACHED),
}


BOARD_COLUMNS = (
    Column(
        "name", gettext_lazy("Project"), project_label, order="ref", is_fixed=True,
        link=lambda project: reverse("project_trl", args=[project.ref]),
    ),
    Column("ref", gettext_lazy("Reference"), lambda project: project.ref, is_shown=False),
    Column("kind", gettext_lazy("Kind"), lambda project: str(project.get_kind_display()), order="kind"),
    Column("planned", gettext_lazy("Planned by today"), _level("planned"), order="planned", is_number=True),
    Column("claimed", gettext_lazy("Claimed"), _level("claimed"), order="claimed", is_number=True),
    Column("assessed", gettext_lazy("Assessed"), _level("assessed"), order="assessed", is_number=True),
    Column(
        "target", gettext_lazy("Target"), _level("target_trl"), order=Coalesce("target_trl", Value(0)), is_number=True
    ),
    Column("stands", gettext_lazy("Where it stands"), _stands),
)  # fmt: skip
BOARD_FILTERS = (
    Filter(
        "kind", gettext_lazy("Kind"), lambda kind: Q(kind=kind),
        lambda user: [(kind, str(label)) for kind, label in Project.Kind.choices],
    ),
    Filter(
        "stands", gettext_lazy("Where it stands"), lambda key: _STANDINGS[key][1],
        lambda user: [(key, str(label)) for key, (label, _condition) in _STANDINGS.items()],
    ),
)  # fmt: skip


@page(
    permission="area.view",
    find=lambda user, ref: queries.areas_visible_to(user).filter(ref=ref).select_related("program"),
    params=(*OWN_PARAMS, "kind", "stands"),
)
def area_trl(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will show all projects of an area on the scale at once, or hand the same view out as a file."""
    today = localdate(clock(request))
    spec = ListSpec(
        name=f"trl-{area.ref}",
        rows=lambda user, query: projects_on_board(user, area, today, query),
        columns=BOARD_COLUMNS,
        filters=BOARD_FILTERS,
    )
    view = read_list(request, spec)
    if download := export(view):
        return download
    return render(request, "portal/areas/trl.html", {"area": area, "list": view, "is_sample": area.is_sample})
