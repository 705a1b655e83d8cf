"""Reads of dossiers and of the gate board, and the content that a dossier is sealed with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.utils.timezone import localdate, localtime

from accounts.models import User
from accounts.queries import grants_of
from evaluations.models import Addendum, Dossier, DossierDocument, DossierSection, GateReview, Round
from evaluations.queries.decisions import last_decision
from evaluations.queries.rounds import gate_reviews_visible_to
from evaluations.rules.dossiers import conditions_asked, dossiers_readable, progress_visible
from evaluations.states import CALLED, DECIDED, INVALIDATED, RECOMMENDED, RELEASED, SEALED, SUBMITTED
from programs.contents import project_content
from programs.models import Deliverable, PlanGate, PlanVersion, Project, ProjectMember, Risk
from programs.queries import lead_institutions
from programs.rules import projects_of_headquarters, projects_of_member, projects_supported_by
from programs.rules.scope import scope_of
from programs.states import APPROVED

SHAPE = 1


def dossiers_visible_to(user: object) -> QuerySet[Dossier]:
    """This function will return the dossiers whose content this user may read."""
    return Dossier.objects.filter(dossiers_readable(user)).select_related("gate_review__round").order_by("pk")


def board(user: object) -> QuerySet[GateReview]:
    """This function will return the gate reviews of the board, each with everything its readiness is counted from.

    `seen_state` is the state as this reader may know it: until the release a team's review stands sealed.
    """
    hidden = ~progress_visible(user) & Q(state__in=(RECOMMENDED, DECIDED))
    return (
        gate_reviews_visible_to(user)
        .select_related("round__program", "round__gate", "project__area", "area", "program", "dossier")
        .annotate(
            seen_state=Case(When(hidden, then=Value(SEALED)), default=F("state"), output_field=CharField()),
            conditions_asked=conditions_asked(),
        )
        .prefetch_related(
            lead_institutions("project__participations"),
            "dossier__sections",
            "dossier__documents",
            "round__documents",
        )
    )


def reviews_in_hand(user: object, projects: QuerySet[Project]) -> list[GateReview]:
    """This function will return the gate reviews of these projects that run, each with its state as the reader knows it."""
    rows = board(user).filter(project__in=projects).exclude(state__in=(RELEASED, INVALIDATED))
    rows = rows.prefetch_related(None).prefetch_related(lead_institutions("project__participations"))
    return list(rows.order_by("round__dossier_due_on", "pk"))


def dossiers_awaiting(user: object) -> QuerySet[GateReview]:
    """This function will return the reviews whose dossier this person writes or confirms next, soonest due first."""
    me, scope = grants_of(user).person_id, scope_of(user)
    # Most people at home neither write nor confirm a dossier: for them nothing is asked.
    if me is None or not (scope.teams or scope.supported or scope.program_officer):
        return GateReview.objects.none()
    writes = projects_of_member(me, ProjectMember.Role.PRINCIPAL_INVESTIGATOR) | projects_of_headquarters(me)
    waits = Q(state=CALLED, project__in=Project.objects.filter(writes)) | Q(
        state=SUBMITTED, project__in=Project.objects.filter(projects_supported_by(user) & ~writes)
    )
    rows = gate_reviews_visible_to(user).filter(waits).select_related("round", "project__area")
    return rows.order_by("round__dossier_due_on", "pk")


def dossier_of(review: GateReview) -> Dossier:
    """This function will return the dossier of a review; every review of a project has one."""
    return Dossier.objects.get(gate_review=review)


def sections_of(dossier: Dossier) -> list[DossierSection]:
    """This function will return the sections of the self-assessment in their order."""
    return list(DossierSection.objects.filter(dossier=dossier).select_related("saved_by__person"))


def documents_of(dossier: Dossier) -> list[DossierDocument]:
    """This function will return the files of a dossier in the order in which they are asked for."""
    rows = DossierDocument.objects.filter(dossier=dossier)
    return list(rows.select_related("document", "file", "added_by__person"))


def addenda_of(dossier: Dossier) -> list[Addendum]:
    """This function will return what was added after sealing, oldest first."""
    return list(dossier.addenda.select_related("by__person"))


def round_choices(user: object) -> list[Round]:
    """This function will return the rounds of the gate reviews that this user may see, newest first."""
    rounds = gate_reviews_visible_to(user).order_by().values("round")
    return list(Round.objects.filter(pk__in=rounds).order_by("-made_at", "-pk"))


# The content ----------------------------------------------------------------------------------------------------------


def dossier_content(review: GateReview, *, by: User | None, at: datetime) -> dict[str, Any]:
    """This function will compile a dossier: the self-assessment, its files by hash, and what the system knows.

    Dates are ISO 8601 in Japan time, money is integer yen, names are in Japanese as on record. Sealing freezes this,
    and the PDF is drawn from it alone.
    """
    dossier = dossier_of(review)
    assert review.project_id is not None, "the dossier of an area or a program has no project to compile from"
    return {
        "shape": SHAPE,
        "gate_review": {
            "ref": review.ref,
            "round_ja": review.round.name_ja,
            "kind": review.round.kind,
            "fiscal_year": review.round.fiscal_year,
            "gate_ja": review.round.gate.name_ja if review.round.gate else "",
        },
        "sealed_at": localtime(at).isoformat(),
        "sealed_by": by.person.name_ja if by and by.person else "",
        "is_sample": review.is_sample,
        **project_content(review.project_id, localdate(at)),
        "plan": _plan(review.project_id),
        "reports": _reports(review.project_id),
        "risks": _risks(review.project_id),
        "last_gate": _last_gate(review),
        "sections": [{"code": one.code, "name_ja": one.name_ja, "text": one.text} for one in dossier.sections.all()],
        "documents": [
            {"name_ja": one.document.name_ja, "file": one.file.name, "sha256": one.file.sha256}
            for one in documents_of(dossier)
        ],
    }


def _plan(project_id: int) -> dict[str, Any]:
    """The versions that were approved, and the gates of the last one with the criteria fixed before their phase."""
    versions = list(PlanVersion.objects.filter(project=project_id, state=APPROVED).order_by("number"))
    gates = PlanGate.objects.filter(version=versions[-1]).order_by("held_on", "key") if versions else []
    return {
        "versions": [
            {
                "number": one.number, "effective_on": _iso(one.effective_on), "decided_on": _iso(one.decided_on),
                "decision_number": one.decision_number, "starts_on": _iso(one.starts_on), "ends_on": _iso(one.ends_on),
            }
            for one in versions
        ],
        "summary": versions[-1].summary if versions else "",
        "gates": [
            {
                "title": one.title, "held_on": _iso(one.held_on), "criteria": one.criteria,
                "threshold": f"{one.threshold.normalize():f}" if one.threshold is not None else "", "unit": one.unit,
                "direction": one.direction, "evidence_asked": one.evidence_asked,
            }
            for one in gates
        ],
    }  # fmt: skip


def _last_gate(review: GateReview) -> dict[str, Any] | None:
    """The remarks and conditions of the last gate that was decided, each condition with what was answered."""
    assert review.project_id is not None
    last = last_decision(review.project_id, review)
    if last is None:
        return None
    finding = last.content["finding"]
    return {
        "ref": last.gate_review.ref, "round_ja": last.gate_review.round.name_ja, "decided_on": _iso(last.decided_on),
        "outcome": last.outcome, "grade": finding["grade"], "remarks": finding["remarks"],
        "conditions": [
            {
                "text": one.text, "owner": one.owner, "due_on": _iso(one.due_on), "state": one.state,
                "report": one.report, "found": one.settled_note,
            }
            for one in last.conditions.order_by("number")
        ],
    }  # fmt: skip


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _reports(project_id: int) -> list[dict[str, Any]]:
    rows = Deliverable.objects.filter(project=project_id, state=Deliverable.State.DELIVERED)
    return [
        {
            "kind": one.kind, "fiscal_year": one.fiscal_year, "ref": one.source_ref,
            "delivered_on": _iso(localdate(one.delivered_at)) if one.delivered_at else None,
            "content_hash": one.content_hash,
        }
        for one in rows.order_by("fiscal_year", "kind", "pk")
    ]  # fmt: skip


def _risks(project_id: int) -> list[dict[str, Any]]:
    rows = Risk.objects.filter(project=project_id).exclude(state=Risk.State.CLOSED).select_related("owner")
    return [
        {
            "kind": one.kind, "title": one.title, "score": one.score, "measure": one.measure,
            "owner_ja": one.owner.name_ja, "due_on": _iso(one.due_on), "state": one.state,
        }
        for one in rows.order_by("-score", "due_on", "pk")
    ]  # fmt: skip
