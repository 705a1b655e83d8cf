"""Conflicts of interest: the list, one conflict with its evidence, its settling, admissions, and the papers' import."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.audit import history_of
from common.errors import NotAllowed, Refused
from common.files import opened, store, stored_file
from evaluations.actions import admissions as admitting
from evaluations.actions import conflicts as actions
from evaluations.actions.coauthorships import COLUMNS, CoauthorshipImport, import_coauthorships
from evaluations.models import Admission, ConflictOfInterest
from evaluations.queries.conflicts import (
    admissions_for,
    conflict_rounds,
    conflicts_of_reader,
    conflicts_overseen_by,
    conflicts_visible_to,
    in_round,
    is_closed_to,
)
from evaluations.queries.declarations import admissions_visible_to
from evaluations.rules.admissions import admission_actions, admittable, may_propose
from evaluations.rules.conflicts import conflict_actions, may_import_coauthorships, may_see_conflicts
from portal.access import clock, page
from portal.acts import Act, ask_once
from portal.forms.declaration import AdmissionForm, ConfirmForm, EndForm, PapersForm
from portal.forms.round import ReasonForm
from portal.journal import readable
from portal.lists import Column, Filter, ListSpec, as_download, csv_rows, export, read_list
from programs.queries import project_label

BOTH = ("GET", "HEAD", "POST")
NOT_YOURS = gettext_lazy("Conflicts of interest are for who settles, runs, chairs and audits, and for evaluators.")
NOT_NOW = gettext_lazy("This step is not open to you in the present state of the conflict.")
NO_IMPORT = gettext_lazy("Joint publications are imported by the ministry, the agency and the secretariat.")
SALT = "coauthorships"
#: A dry run can be carried out for so long, in seconds.
GOOD_FOR = 3600

CONFLICTS = ListSpec(
    name="conflicts",
    rows=conflicts_overseen_by,
    columns=(
        Column(
            "ref", gettext_lazy("Conflict"), lambda one: one.ref, order="ref", is_fixed=True,
            link=lambda one: reverse("conflict", args=[one.ref]),
        ),
        Column("person", gettext_lazy("Person"), lambda one: one.person.name, order="person__name_ja"),
        Column("project", gettext_lazy("Project"), lambda one: project_label(one.project), order="project__ref"),
        Column("kind", gettext_lazy("Kind"), lambda one: str(one.get_kind_display()), order="kind"),
        Column("found", gettext_lazy("Found how"), lambda one: str(one.get_found_display()), order="found"),
        Column("declared", gettext_lazy("Recorded on"), lambda one: localdate(one.declared_at), order="declared_at"),
        Column(
            "state", gettext_lazy("State"), lambda one: str(one.get_state_display()), order="state",
            pill=lambda one: one.state,
        ),
    ),
    filters=(
        Filter(
            "state", gettext_lazy("State"), lambda state: Q(state=state),
            lambda user: [(state, str(label)) for state, label in ConflictOfInterest.State.choices],
        ),
        Filter(
            "kind", gettext_lazy("Kind"), lambda kind: Q(kind=kind),
            lambda user: [(kind, str(label)) for kind, label in ConflictOfInterest.Kind.choices],
        ),
        Filter(
            "round", gettext_lazy("Evaluation round"), in_round,
            lambda user: [(one.ref, one.name) for one in conflict_rounds(user)],
        ),
    ),
    first_sort="-declared",
)  # fmt: skip


@page(
    permission="conflict.list", params=CONFLICTS.params, may=lambda user, _none: may_see_conflicts(user), why=NOT_YOURS
)
def conflicts_page(request: HttpRequest) -> HttpResponseBase:
    """This function will list the conflicts that the reader may see, or hand the same view out as a file."""
    view = read_list(request, CONFLICTS)
    if download := export(view):
        return download
    context = {
        "list": view,
        "own": conflicts_of_reader(request.user),
        "may_import": may_import_coauthorships(request.user),
        "is_sample": any(one.project.is_sample for one in view.items),
    }
    return render(request, "portal/conflicts/list.html", context)


def find_conflict(user: Any, ref: str) -> Any:
    """This function will return the conflict with this reference, if the reader may see it."""
    return conflicts_visible_to(user).filter(ref=ref)


@page(permission="conflict.view", find=find_conflict)
def conflict_page(request: HttpRequest, conflict: ConflictOfInterest) -> HttpResponseBase:
    """This function will show a conflict with its evidence; to whom it excludes, only that it does."""
    closed = is_closed_to(request.user, conflict)
    allowed = {act.removeprefix("conflict.") for act in conflict_actions(request.user, conflict)}
    admissions = [] if closed else admissions_for(conflict)
    context = {
        "conflict": conflict,
        "closed": closed,
        "project": "" if closed else project_label(conflict.project),
        "lines": [] if closed else conflict.evidence.split("\n"),
        "allowed": allowed,
        "may_admit": not closed and may_propose(request.user, conflict) and bool(admittable(conflict)),
        "admissions": [(one, _admission_acts(request, one)) for one in admissions],
        "entries": []
        if conflict.person_id == getattr(request.user, "person_id", None)
        else readable(history_of(conflict)),
        "is_sample": conflict.project.is_sample,
    }
    return render(request, "portal/conflicts/page.html", context)


def _admission_acts(request: HttpRequest, one: Admission) -> set[str]:
    return {act.removeprefix("admission.") for act in admission_actions(request.user, one)}


def _trail(conflict: ConflictOfInterest) -> list[tuple[str, str]]:
    return [
        (reverse("conflicts"), _("Conflicts of interest")),
        (reverse("conflict", args=[conflict.ref]), conflict.ref),
    ]


def _act(conflict: ConflictOfInterest, **words: Any) -> Act:
    return Act(home=reverse("conflict", args=[conflict.ref]), trail=_trail(conflict), **words)


def _may(act: str) -> Any:
    return lambda user, conflict: f"conflict.{act}" in conflict_actions(user, conflict)


def _data(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


@page(permission="conflict.confirm", find=find_conflict, may=_may("confirm"), why=NOT_NOW, methods=BOTH)
def conflict_confirm(request: HttpRequest, conflict: ConflictOfInterest) -> HttpResponseBase:
    """This function will ask, then confirm a conflict."""
    names = {"name": conflict.person.name, "project": project_label(conflict.project)}
    act = _act(
        conflict, heading=_("Confirm the conflict of %(name)s?") % names, button=_("Confirm the conflict"),
        done=_("The conflict is confirmed and excludes."),
        effects=[_("%(name)s sees nothing of “%(project)s” any more, in any role.") % names], is_danger=True,
    )  # fmt: skip
    return ask_once(request, conflict, actions.confirm_conflict, act, form=ConfirmForm(data=_data(request)))


@page(permission="conflict.dismiss", find=find_conflict, may=_may("dismiss"), why=NOT_NOW, methods=BOTH)
def conflict_dismiss(request: HttpRequest, conflict: ConflictOfInterest) -> HttpResponseBase:
    """This function will ask why, then dismiss a conflict."""
    act = _act(
        conflict, heading=_("Dismiss the conflict of %(name)s?") % {"name": conflict.person.name},
        button=_("Dismiss the conflict"), done=_("The conflict is dismissed."),
        effects=[_("It excludes nobody. The reason stays on record; a search finds it again only with new evidence.")],
    )  # fmt: skip
    return ask_once(request, conflict, actions.dismiss_conflict, act, form=ReasonForm(data=_data(request)))


@page(permission="conflict.end", find=find_conflict, may=_may("end"), why=NOT_NOW, methods=BOTH)
def conflict_end(request: HttpRequest, conflict: ConflictOfInterest) -> HttpResponseBase:
    """This function will ask when and why, then end a confirmed conflict."""
    act = _act(
        conflict, heading=_("End the conflict of %(name)s?") % {"name": conflict.person.name},
        button=_("End the conflict"), done=_("The conflict is ended."),
        effects=[_("The exclusion ends with the last day; from the day after, the person's roles hold again.")],
    )  # fmt: skip
    return ask_once(request, conflict, actions.end_conflict, act, form=EndForm(data=_data(request)))


# Admissions -----------------------------------------------------------------------------------------------------------


@page(permission="admission.propose", find=find_conflict, may=may_propose, why=NOT_NOW, methods=BOTH)
def conflict_admit(request: HttpRequest, conflict: ConflictOfInterest) -> HttpResponseBase:
    """This function will ask for case and reason, then propose to admit the person all the same."""
    act = _act(
        conflict, heading=_("Admit %(name)s in spite of the conflict?") % {"name": conflict.person.name},
        button=_("Propose the admission"), done=_("The admission is proposed. It counts once a colleague approves it."),
        effects=[
            _("A second person approves it; until then nothing opens."),
            _("The member reads the documents of this case and may speak; he or she scores only if you say so."),
            _("Name and reason are published with the roster and the finding."),
        ],
    )  # fmt: skip
    form = AdmissionForm([case for _member, case in admittable(conflict)], data=_data(request))
    return ask_once(request, conflict, admitting.propose_admission, act, form=form)


def find_admission(user: Any, ref: str) -> Any:
    """This function will return the admission with this reference, if the reader may see it."""
    return admissions_visible_to(user).filter(ref=ref)


def _may_admit(act: str) -> Any:
    return lambda user, one: f"admission.{act}" in admission_actions(user, one)


@page(permission="admission.approve", find=find_admission, may=_may_admit("approve"), why=NOT_NOW, methods=BOTH)
def admission_approve(request: HttpRequest, one: Admission) -> HttpResponseBase:
    """This function will ask, then approve an admission."""
    act = _act(
        one.conflict, heading=_("Approve the admission of %(name)s?") % {"name": one.member.person.name},
        button=_("Approve the admission"), done=_("The admission is approved."),
        effects=[
            _("The documents of the case %(ref)s open to the member.") % {"ref": one.case.ref},
            _("The member may score as well.") if one.may_score else _("The member may speak, but not score."),
            _("Published reason: %(reason)s") % {"reason": one.reason},
        ],
    )  # fmt: skip
    return ask_once(request, one, admitting.approve_admission, act)


@page(permission="admission.end", find=find_admission, may=_may_admit("end"), why=NOT_NOW, methods=BOTH)
def admission_end(request: HttpRequest, one: Admission) -> HttpResponseBase:
    """This function will ask why, then end an admission."""
    act = _act(
        one.conflict, heading=_("End the admission of %(name)s?") % {"name": one.member.person.name},
        button=_("End the admission"), done=_("The admission is ended."), is_danger=True,
        effects=[_("The case %(ref)s is closed to the member from now on.") % {"ref": one.case.ref}],
    )  # fmt: skip
    return ask_once(request, one, admitting.end_admission, act, form=ReasonForm(data=_data(request)))


# Joint publications ---------------------------------------------------------------------------------------------------


@page(
    permission="coauthorship.import", may=lambda user, _none: may_import_coauthorships(user), why=NO_IMPORT,
    methods=BOTH, params=("template",),
)  # fmt: skip
def coauthorships_page(request: HttpRequest) -> HttpResponseBase:
    """This function will check a CSV file of joint publications, show what it would add, and add it on confirmation."""
    if request.GET.get("template"):
        lines = StreamingHttpResponse(csv_rows(list(COLUMNS), iter(())), content_type="text/csv; charset=utf-8")
        return as_download(lines, "coauthorships.csv")
    if request.method != "POST":
        return _papers(request, PapersForm())
    if token := request.POST.get("checked"):
        return _confirmed(request, token)
    form = PapersForm(request.POST, request.FILES)
    if form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            found = import_coauthorships(upload.read(), by=request.user, at=clock(request), dry_run=True)  # type: ignore[arg-type]
            upload.seek(0)
            kept = store(upload, upload.name, at=clock(request), is_sample=request.user.is_sample)  # type: ignore[union-attr]
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            token = signing.dumps([kept.pk, request.user.pk], salt=SALT)
            return _papers(request, form, found, kept.name, token)
    return _papers(request, form, status=422)


def _papers(
    request: HttpRequest, form: PapersForm, found: CoauthorshipImport | None = None, name: str = "", token: str = "",
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {"form": form, "found": found, "name": name, "token": token, "columns": list(COLUMNS)}
    return render(request, "portal/conflicts/coauthorships.html", context, status=status)


def _confirmed(request: HttpRequest, token: str) -> HttpResponseBase:
    try:
        kept, user = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        kept = user = None
    if kept is None or user != request.user.pk:
        messages.error(request, _("The check is too old. Choose the file again."))
        return redirect("coauthorships")
    with opened(stored_file(kept)) as file:
        found = import_coauthorships(file.read(), by=request.user, at=clock(request))  # type: ignore[arg-type]
    told = {"created": f"{found.created:,}", "duplicates": f"{found.duplicates:,}"}
    messages.success(
        request, _("%(created)s joint publications are recorded; %(duplicates)s were there already.") % told
    )
    return redirect("coauthorships")
