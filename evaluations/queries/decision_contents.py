"""What a decision is frozen with: its words, what it does to plan and money, and what it rests on, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import override

from accounts.models import User
from evaluations.models import Condition, Finding, GateDecision, WindDownItem
from evaluations.queries.decisions import DecisionPreview, finding_of
from evaluations.rules.decisions import reason_called
from programs.models import ChangeAttachment, Project
from programs.plan_words import Difference, ItemChange
from programs.queries import project_label
from programs.queries.revisions import Revision

SHAPE = 1


def decision_content(
    draft: GateDecision, preview: DecisionPreview, *, number: str, decided_on: date, by: User, at: datetime
) -> dict[str, Any]:
    """This function will compile a decision as it is frozen: what, why, from when, and what it does to plan and money.

    Dates are ISO 8601 in Japan time, money is integer yen, names and words are Japanese. Letter, decision file and the
    published page are drawn from this alone.
    """
    finding = finding_of(draft.case)
    assert finding is not None, "a decision is taken on a finding that was given"
    with override("ja"):
        return {
            "shape": SHAPE,
            "ref": draft.ref,
            "number": number,
            "decided_on": decided_on.isoformat(),
            "decided_at": localtime(at).isoformat(),
            "drafted_by": _name(draft.drafted_by),
            "decided_by": _name(by),
            "corrects": draft.corrects.ref if draft.corrects else "",
            "is_sample": draft.is_sample,
            **_subject(draft),
            "finding": _finding(finding),
            **_said(draft),
            "conditions": [_condition(one) for one in draft.conditions.all()],
            "wind_down": [_step(one) for one in draft.wind_down.all()],
            "revisions": [_revision(one) for one in preview.all],
            "attachments": _attachments(draft),
        }


def _subject(draft: GateDecision) -> dict[str, Any]:
    review = draft.gate_review
    assert review.project is not None
    return {
        "review": {
            "ref": review.ref, "case": draft.case.ref, "round_ja": review.round.name_ja, "kind": review.round.kind,
            "fiscal_year": review.round.fiscal_year, "objection_days": review.round.objection_days,
            "gate_ja": review.round.gate.name_ja if review.round.gate else "",
        },
        "project": {
            "ref": review.project.ref, "label": project_label(review.project), "title_ja": review.project.title_ja,
            "lead_ja": _lead(review.project),
        },
    }  # fmt: skip


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "overall": finding.overall,
        "strengths": finding.strengths,
        "remarks": finding.remarks,
        "grade": finding.grade.name_ja if finding.grade else "",
        "recommendation": finding.recommendation,
    }


def _said(draft: GateDecision) -> dict[str, Any]:
    reason = reason_called(draft.reason_code)
    return {
        "outcome": draft.outcome,
        "reason_ja": reason.name_ja if reason else "",
        "reason": draft.reason,
        "effective_on": draft.effective_on.isoformat(),
        "ends_on": draft.ends_on.isoformat() if draft.ends_on else None,
        "merged_into": project_label(draft.plan_change.project) if draft.merges and draft.plan_change else "",
        "bridging_yen": draft.bridging_yen,
    }


def _name(user: User) -> str:
    return user.person.name_ja if user.person else ""


def _lead(project: Project) -> str:
    lead = project.participations.filter(role="lead", ends_on__isnull=True).select_related("organization").first()
    return lead.organization.name_ja if lead else ""


def _condition(one: Condition) -> dict[str, Any]:
    return {
        "number": one.number, "text": one.text, "owner": one.owner, "due_on": one.due_on.isoformat(),
        "is_public": one.is_public,
    }  # fmt: skip


def _step(one: WindDownItem) -> dict[str, Any]:
    return {
        "number": one.number, "kind": one.kind, "text": one.text, "owner": one.owner,
        "due_on": one.due_on.isoformat(), "released_yen": one.released_yen,
    }  # fmt: skip


def _revision(one: Revision) -> dict[str, Any]:
    return {
        "project": one.project.ref,
        "label": project_label(one.project),
        "released_yen": one.released_yen,
        "added_yen": one.added_yen,
        "years": [
            {
                "fiscal_year": year.fiscal_year, "before_yen": year.before_yen, "after_yen": year.after_yen,
                "allocated_yen": year.allocated_yen,
            }
            for year in one.years
        ],
        "partners_added": list(one.partners_added),
        "partners_removed": list(one.partners_removed),
        "rows": list(_rows(one.difference)) if one.difference else [],
    }  # fmt: skip


def _rows(difference: Difference) -> Iterable[dict[str, str]]:
    """The 新旧対照表: one row a field that differs, a whole item where it is new or gone."""
    for part in difference.parts:
        for item in part.items:
            yield from ({"part": part.label, "item": item.name, **one} for one in _item_rows(item))


def _item_rows(item: ItemChange) -> Iterable[dict[str, str]]:
    if item.kind != "changed":
        said = " ・ ".join(
            f"{words.label}: {_text(words.after if item.kind == 'added' else words.before)}" for words in item.words
        )
        yield {
            "field": item.kind_label,
            "before": "" if item.kind == "added" else said,
            "after": said if item.kind == "added" else "",
        }
        return
    for words in item.words:
        yield {"field": str(words.label), "before": _text(words.before), "after": _text(words.after)}


def _text(pieces: Iterable[Any]) -> str:
    return "".join(piece.text for piece in pieces)


def _attachments(draft: GateDecision) -> list[dict[str, str]]:
    """What the decision rests on, each with its hash: dossier, its files, the finding's case, the change of the plan."""
    dossier, found = draft.gate_review.dossier, []
    found.append({"name": f"評価資料一式 {draft.gate_review.ref}", "sha256": dossier.content_hash})
    if dossier.pdf is not None:
        found.append({"name": dossier.pdf.name, "sha256": dossier.pdf.sha256})
    for one in dossier.documents.select_related("file"):
        found.append({"name": one.file.name, "sha256": one.file.sha256})
    if (version := draft.plan_change) is not None:
        name = f"業務計画書 {version.ref} 第{version.number}版"
        found.append({"name": name, "sha256": version.content_hash})
        files = ChangeAttachment.objects.filter(request__version=version).select_related("file")
        found += [{"name": one.file.name, "sha256": one.file.sha256} for one in files]
    return found
