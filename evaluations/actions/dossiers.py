"""Dossiers: called for, written in sections, handed in, returned, sealed with a hash, typeset; addenda afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common import files
from common.actors import SYSTEM
from common.audit import record
from common.background import run_later
from common.canonical import content_hash
from common.errors import NotAllowed, NotReady, Refused, StaleEdit
from common.models import StoredFile
from common.states import locked, move
from common.text import clean, count_characters
from evaluations.actions.cases import add_case
from evaluations.actions.conflict_detection import detect_conflicts
from evaluations.documents import dossier_file_name, dossier_pdf
from evaluations.models import Addendum, Dossier, DossierDocument, DossierSection, GateReview, Round, RoundDocument
from evaluations.queries.dossiers import dossier_content, dossier_of
from evaluations.rules.dossiers import dossier_actions, dossier_missing
from evaluations.rules.rounds import first_locked_year, gate_callable, round_actions
from evaluations.states import CALLED, GATE_REVIEW_MOVES, INVALIDATED, OPEN
from programs.actions.phase_locks import lock_phase
from programs.models import Project

TEMPLATE = Path(__file__).resolve().parent.parent / "data" / "dossier_sections.json"
MOST_FILES = 20
#: A text may be saved beyond its limit, so that nothing is lost while it is being shortened; handing in may not.
LONGEST_DRAFT = 20_000


@cache
def template_sections() -> tuple[dict[str, Any], ...]:
    """This function will return the sections of a self-assessment as they are proposed."""
    return tuple(json.loads(TEMPLATE.read_text())["sections"])


@transaction.atomic
def call_gate_reviews(one: Round, projects: Iterable[Project], *, by: User, at: datetime) -> list[GateReview]:
    """This function will call for the dossiers of these projects: a review, an empty dossier and a case for each.

    Raises `NotAllowed`, or `Refused` for a round that is not open and a project that is called already or not its own.
    """
    row = locked(Round, one.pk)
    if "round.edit" not in round_actions(by, row):
        raise NotAllowed(_("Dossiers are called for by the ministry's staff and the round's secretariat."))
    if row.state != OPEN or row.subject != Round.Subject.PROJECT:
        raise Refused(_("Open the round first. Dossiers are called for while first scores are awaited."), "not_open")
    wanted = list(projects)
    able = set(
        Project.objects.filter(gate_callable(by, row), pk__in=[each.pk for each in wanted]).values_list("pk", flat=True)
    )
    called = GateReview.objects.filter(round=row).exclude(state=INVALIDATED).values_list("project_id", flat=True)
    for project in wanted:
        if project.pk not in able:
            message = _("%(project)s is not a running project of this round that you may call.")
            raise Refused(message % {"project": project.ref}, "foreign_project", "projects")
        if project.pk in set(called):
            raise Refused(_("%(project)s is called already.") % {"project": project.ref}, "twice", "projects")
    made = [_called(row, project, by, at) for project in wanted]
    detect_conflicts(row, at=at)
    return made


def _called(row: Round, project: Project, by: User, at: datetime) -> GateReview:
    review = GateReview.objects.create(round=row, project=project, is_sample=row.is_sample, called_at=at, called_by=by)
    dossier = Dossier.objects.create(gate_review=review)
    DossierSection.objects.bulk_create(
        DossierSection(dossier=dossier, position=place, **section)
        for place, section in enumerate(template_sections(), 1)
    )
    case = add_case(review)
    if (first := first_locked_year(row)) is not None:
        lock_phase(project, source_ref=review.ref, from_fiscal_year=first, by=by, at=at)
    record("call_gate_review", review, by=by, at=at, after={"project": project.ref, "case": case.ref})
    return review


@transaction.atomic
def save_section(review: GateReview, code: str, *, text: str, revision: int, by: User, at: datetime) -> DossierSection:
    """This function will save one section if nobody saved it since `revision`.

    Raises `StaleEdit` with both texts, `NotAllowed`, `Refused` for a text far beyond its limit.
    """
    _locked_for(review, "dossier.write", by)
    section = DossierSection.objects.select_for_update().get(dossier__gate_review=review, code=code)
    typed = clean(text).strip()
    if count_characters(typed) > LONGEST_DRAFT:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        words = {"limit": LONGEST_DRAFT, "count": count_characters(typed)}
        raise Refused(message % words, "too_long", "text")
    if typed == section.text:
        return section
    if revision != section.revision:
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=section, submitted=typed)
    section.text, section.saved_by, section.saved_at = typed, by, at
    section.revision += 1
    section.save(update_fields=["text", "saved_by", "saved_at", "revision"])
    after = {"section": code, "characters": count_characters(typed)}
    record("save_dossier_section", review, by=by, at=at, after=after)
    return section


@transaction.atomic
def add_document(
    review: GateReview, document: RoundDocument, content: IO[bytes], name: str, *, by: User, at: datetime
) -> DossierDocument:
    """This function will keep a file for one of the documents asked for. Raises `NotAllowed` and `Refused`."""
    row = _locked_for(review, "dossier.write", by)
    if document.round_id != row.round_id:
        raise Refused(_("This document is not asked for in this round."), "foreign", files.FIELD)
    if dossier_of(row).documents.count() >= MOST_FILES:
        message = _("There are %(count)s files already. Take one out first.") % {"count": MOST_FILES}
        raise Refused(message, "too_many", files.FIELD)
    stored = files.store(content, name, at=at, is_sample=row.is_sample)
    made = DossierDocument.objects.create(
        dossier=dossier_of(row), document=document, file=stored, added_by=by, added_at=at
    )
    after = {"document": document.name_ja, "file": stored.name, "hash": stored.sha256}
    record("add_dossier_file", row, by=by, at=at, after=after)
    return made


@transaction.atomic
def remove_document(review: GateReview, file_id: int, *, by: User, at: datetime) -> None:
    """This function will take a file out; one that is gone already is no matter."""
    row = _locked_for(review, "dossier.write", by)
    there = dossier_of(row).documents.filter(pk=file_id).select_related("file").first()
    if there is not None:
        before = {"file": there.file.name, "hash": there.file.sha256}
        there.delete()
        record("remove_dossier_file", row, by=by, at=at, before=before)


@transaction.atomic
def submit_dossier(review: GateReview, *, by: User, at: datetime) -> GateReview:
    """This function will hand the dossier in to the program officer. `NotReady` names everything that is missing."""
    row = _locked_for(review, "dossier.submit", by)
    if missing := dossier_missing(row):
        raise NotReady(_("The dossier cannot be handed in yet."), [one.blocker() for one in missing])
    dossier = dossier_of(row)
    dossier.submitted_by, dossier.submitted_at, dossier.returned_note = by, at, ""
    dossier.save(update_fields=["submitted_by", "submitted_at", "returned_note"])
    return _moved(row, "submit", "submit_dossier", by, at)


@transaction.atomic
def return_dossier(review: GateReview, *, reason: str, by: User, at: datetime) -> GateReview:
    """This function will hand the dossier back to the team with what to change."""
    row = _locked_for(review, "dossier.return", by)
    said = clean(reason).strip()
    if not said:
        raise Refused(_("Write what the team should change."), "required", "reason")
    dossier = dossier_of(row)
    dossier.returned_note = said
    dossier.save(update_fields=["returned_note"])
    return _moved(row, "return", "return_dossier", by, at, reason=said)


@transaction.atomic
def seal_dossier(review: GateReview, *, by: User, at: datetime) -> GateReview:
    """This function will confirm and seal the dossier: compiled, hashed, never changed again; its PDF follows.

    By the program officer, who is not of the team and did not hand it in (the database refuses that too).
    """
    row = _locked_for(review, "dossier.seal", by)
    dossier = dossier_of(row)
    if dossier.submitted_by_id == by.pk:
        raise NotAllowed(_("Whoever handed the dossier in does not confirm it. Ask a colleague."), "second_person")
    content = dossier_content(row, by=by, at=at)
    dossier.sealed_by, dossier.sealed_at = by, at
    dossier.content, dossier.content_hash = content, content_hash(content)
    dossier.save(update_fields=["sealed_by", "sealed_at", "content", "content_hash"])
    run_later("evaluations.render_dossier", dossier_id=dossier.pk)
    return _moved(row, "seal", "seal_dossier", by, at, after={"hash": dossier.content_hash})


@transaction.atomic
def add_addendum(review: GateReview, *, text: str, by: User, at: datetime) -> Addendum:
    """This function will put a later fact beside the sealed dossier, dated."""
    row = _locked_for(review, "dossier.add_addendum", by)
    said = clean(text).strip()
    if not said:
        raise Refused(_("Write what has happened since."), "required", "text")
    made = Addendum.objects.create(dossier=dossier_of(row), text=said, by=by, at=at)
    record("add_addendum", row, by=by, at=at, after={"characters": count_characters(said)})
    return made


def attach_dossier_pdf(dossier_id: int, *, at: datetime) -> StoredFile:
    """This function will typeset a sealed dossier and keep its PDF; a second call returns the one that is there."""
    dossier = Dossier.objects.select_related("gate_review", "pdf").get(pk=dossier_id)
    if dossier.pdf is not None:
        return dossier.pdf
    made = dossier_pdf(dossier)
    with transaction.atomic():
        row = locked(Dossier, dossier.pk)
        if row.pdf is None:
            row.pdf = files.store(made, dossier_file_name(dossier), at=at, is_sample=dossier.gate_review.is_sample)
            row.save(update_fields=["pdf"])
            after = {"sha256": row.pdf.sha256}
            record("attach_dossier_pdf", dossier.gate_review, by=SYSTEM, at=at, after=after)
        return row.pdf


def _moved(
    row: GateReview,
    step: str,
    act: str,
    by: User,
    at: datetime,
    *,
    reason: str = "",
    after: dict[str, Any] | None = None,
) -> GateReview:
    before = move(row, step, GATE_REVIEW_MOVES)
    record(act, row, by=by, at=at, before={"state": before}, after={"state": row.state, **(after or {})}, reason=reason)
    return row


def _locked_for(review: GateReview, permission: str, by: User) -> GateReview:
    row = locked(GateReview, review.pk)
    if permission not in dossier_actions(by, row):
        step = permission.removeprefix("dossier.")
        if step in GATE_REVIEW_MOVES and row.state not in GATE_REVIEW_MOVES[step].sources:
            move(row, step, GATE_REVIEW_MOVES)  # says that the state does not allow it
        if permission == "dossier.write" and row.state != CALLED:
            raise NotAllowed(
                _("The dossier is handed in. It can be written again once the program officer returns it.")
            )
        raise NotAllowed(_("This step is not open to you in the present state of the review."))
    return row
