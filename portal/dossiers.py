"""The dossier of a gate review: written in sections that save themselves, handed in, returned, sealed; files, addenda."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import files
from common.errors import NotAllowed, Refused
from common.files import FIELD
from evaluations.actions import dossiers as actions
from evaluations.models import DossierSection, GateReview, RoundDocument
from evaluations.queries.dossiers import addenda_of, documents_of, dossier_content, dossier_of, sections_of
from evaluations.rules.dossiers import dossier_actions, dossier_missing
from portal.access import clock, not_found, page
from portal.acts import Act, ask_once
from portal.forms.fields import TextField
from portal.forms.plans import Refusable
from portal.gate_reviews import WAITING, find_review, state_label
from portal.lists import as_download
from portal.rounds import subject_name
from portal.texts import SavedText, TextState, save_text
from programs.content_drawings import milestone_rows

BOTH = ("GET", "HEAD", "POST")
NOT_NOW = gettext_lazy("This step is not open to you in the dossier's present state. Its page says who acts next.")
NOT_READER = gettext_lazy("The dossier is not open to you. It opens as the review goes on.")


class FileForm(Refusable):
    """A file for one of the documents asked for."""

    document = forms.ChoiceField(label=gettext_lazy("Document asked for"))
    file = forms.FileField(
        label=gettext_lazy("File"), help_text=gettext_lazy("PDF, Office documents or pictures, under 200 MB.")
    )

    def __init__(self, documents: list[RoundDocument], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._documents = {str(one.pk): one for one in documents}
        choose: Any = self.fields["document"]
        choose.choices = [(key, one.name) for key, one in self._documents.items()]

    def clean_document(self) -> RoundDocument:
        """This function will return the document itself."""
        return self._documents[self.cleaned_data["document"]]


class WordsForm(Refusable):
    """What is said with an act."""

    def __init__(self, name: str, label: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields[name] = TextField(label=label, longest=4000)


def _may(act: str) -> Any:
    return lambda user, review: f"dossier.{act}" in dossier_actions(user, review)


def dossier_url(review: GateReview) -> str:
    """This function will return the address of the review's dossier."""
    return reverse("dossier", args=[review.ref])


def _state(section: DossierSection) -> TextState:
    return TextState(section.text, section.revision, section.saved_at, section.saved_by)


def _text(review: GateReview, section: DossierSection) -> SavedText:
    return SavedText(
        url=reverse("dossier_section", args=[review.ref, section.code]),
        key=f"{review.ref}-{section.code}",
        label=section.name,
        limit=section.longest,
        state=_state(section),
        rows=10,
    )


@page(permission="dossier.read", find=find_review, may=_may("read"), why=NOT_READER)
def dossier_page(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will show the dossier: to write while it is called for, else as it was handed in or sealed."""
    return _show(request, review)


def _show(
    request: HttpRequest, review: GateReview, *, text: SavedText | None = None, form: FileForm | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    allowed = {act.partition(".")[2] for act in dossier_actions(request.user, review) if act.startswith("dossier.")}
    dossier, sections = dossier_of(review), sections_of(review.dossier)
    shown = []
    for one in sections:
        own = text if text is not None and text.key.endswith(f"-{one.code}") else _text(review, one)
        shown.append((one, own if "write" in allowed else None))
    state = review.seen_state  # type: ignore[attr-defined]
    at = clock(request)
    context = {
        "review": review,
        "dossier": dossier,
        "name": subject_name(review),
        "state": state,
        "state_label": state_label(review),
        "waiting_for": WAITING[state],
        "allowed": allowed,
        "sections": shown,
        "documents": documents_of(dossier),
        "form": form or (FileForm(list(review.round.documents.all())) if "write" in allowed else None),
        "missing": dossier_missing(review) if "write" in allowed else [],
        "compiled": dossier.content,
        "milestones": milestone_rows(dossier.content) if (dossier.content or {}).get("milestones") else [],
        "addenda": addenda_of(dossier),
        "is_sample": review.is_sample,
        "today": localdate(at),
    }
    return render(request, "portal/gates/dossier.html", context, status=status)


@page(permission="dossier.read", find=find_review, may=_may("read"), why=NOT_READER)
def dossier_compiled(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will show what the system would put into the dossier if it were sealed now."""
    content = dossier_content(review, by=None, at=clock(request))
    context = {
        "review": review,
        "name": subject_name(review),
        "compiled": content,
        "milestones": milestone_rows(content),
        "is_sample": review.is_sample,
    }
    return render(request, "portal/gates/compiled_page.html", context)


@page(permission="dossier.write", find=find_review, may=_may("write"), why=NOT_NOW, methods=("POST",))
def dossier_section(request: HttpRequest, review: GateReview, code: str) -> HttpResponseBase:
    """This function will save one section; in part of the page with htmx, else with a reload."""
    section = next((one for one in sections_of(review.dossier) if one.code == code), None)
    if section is None:
        return not_found(request)

    def save(text: str, revision: int) -> TextState:
        how: dict[str, Any] = {"by": request.user, "at": clock(request)}
        return _state(actions.save_section(review, code, text=text, revision=revision, **how))

    return save_text(
        request, _text(review, section), save, _state, lambda one, status: _show(request, review, text=one, status=status),
        back_to=f"{dossier_url(review)}#section-{code}",
    )  # fmt: skip


@page(permission="dossier.write", find=find_review, may=_may("write"), why=NOT_NOW, methods=("POST",))
def dossier_attach(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will put a file to the dossier."""
    form = FileForm(list(review.round.documents.all()), data=request.POST, files=request.FILES)
    if form.is_valid():
        chosen = form.cleaned_data[FIELD]
        try:
            actions.add_document(
                review,
                form.cleaned_data["document"],
                chosen.file,
                chosen.name,
                by=request.user,
                at=clock(request),  # type: ignore[arg-type]
            )
        except NotAllowed:
            raise
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The file was added."))
            return HttpResponseRedirect(f"{dossier_url(review)}#files")
    return _show(request, review, form=form, status=422)


@page(permission="dossier.write", find=find_review, may=_may("write"), why=NOT_NOW, methods=("POST",))
def dossier_detach(request: HttpRequest, review: GateReview, file: int) -> HttpResponseBase:
    """This function will take a file out of the dossier."""
    actions.remove_document(review, file, by=request.user, at=clock(request))  # type: ignore[arg-type]
    messages.success(request, _("The file was taken out."))
    return HttpResponseRedirect(f"{dossier_url(review)}#files")


@page(permission="dossier.read", find=find_review, may=_may("read"), why=NOT_READER)
def dossier_file(request: HttpRequest, review: GateReview, file: int) -> HttpResponseBase:
    """This function will hand out a file of the dossier."""
    found = next((one.file for one in documents_of(review.dossier) if one.pk == file), None)
    if found is None:
        return not_found(request)
    return as_download(FileResponse(files.opened(found), content_type=found.content_type), found.name)


@page(permission="dossier.read", find=find_review, may=_may("read"), why=NOT_READER)
def dossier_document(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will hand out the PDF of the sealed dossier once it is typeset."""
    found = dossier_of(review).pdf
    if found is None:
        return not_found(request)
    return as_download(FileResponse(files.opened(found), content_type=found.content_type), found.name)


# Acts -----------------------------------------------------------------------------------------------------------------


def _ask(request: HttpRequest, review: GateReview, action: Any, form: Any = None, **words: Any) -> HttpResponseBase:
    home = dossier_url(review)
    trail = [
        (reverse("gates"), _("Gate reviews")), (reverse("gate_review", args=[review.ref]), subject_name(review)),
        (home, _("Dossier")),
    ]  # fmt: skip
    return ask_once(request, review, action, Act(home=home, trail=trail, **words), form=form)


@page(permission="dossier.submit", find=find_review, may=_may("submit"), why=NOT_NOW, methods=BOTH)
def dossier_submit(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will ask, then hand the dossier in."""
    return _ask(
        request, review, actions.submit_dossier, heading=_("Hand the dossier in?"), button=_("Hand the dossier in"),
        done=_("The dossier is handed in. The program officer confirms it next."),
        blockers=[one.blocker() for one in dossier_missing(review)],
        effects=[
            _("The team can no longer write it, unless the program officer returns it."),
            _("The program officer, the program director and the ministry's staff can read it."),
        ],
    )  # fmt: skip


@page(permission="dossier.return", find=find_review, may=_may("return"), why=NOT_NOW, methods=BOTH)
def dossier_return(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will take what the team should change, then return the dossier."""
    data = request.POST if request.method == "POST" else None
    return _ask(
        request, review, actions.return_dossier, WordsForm("reason", _("What the team should change"), data=data),
        heading=_("Return the dossier to the team?"), button=_("Return the dossier"),
        done=_("The dossier is returned to the team."),
        effects=[_("The team can write it again and hand it in anew.")],
    )  # fmt: skip


@page(permission="dossier.seal", find=find_review, may=_may("seal"), why=NOT_NOW, methods=BOTH)
def dossier_seal(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will ask, then confirm and seal the dossier."""
    return _ask(
        request, review, actions.seal_dossier, heading=_("Confirm and seal the dossier?"),
        button=_("Seal the dossier"), done=_("The dossier is sealed. Its PDF is being made."), is_danger=True,
        effects=[
            _("What the team wrote and what the system knows today is frozen with a hash. Nobody can change it."),
            _("Later facts can only be added as dated addenda."),
        ],
    )  # fmt: skip


@page(permission="dossier.add_addendum", find=find_review, may=_may("add_addendum"), why=NOT_NOW, methods=BOTH)
def dossier_addendum(request: HttpRequest, review: GateReview) -> HttpResponseBase:
    """This function will take a later fact beside the sealed dossier."""
    data = request.POST if request.method == "POST" else None
    return _ask(
        request, review, actions.add_addendum, WordsForm("text", _("What has happened since"), data=data),
        heading=_("Add a later fact?"), button=_("Put it on record"), done=_("It is on record."),
        effects=[_("It stands beside the sealed dossier with today's date and cannot be taken back.")],
    )  # fmt: skip
