"""The documents of this app: the dossier from its sealed content."""

from __future__ import annotations

from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.fiscal_year import datetime_text
from common.fiscal_year import label as year_label
from common.pdf import render_pdf
from evaluations.models import Dossier, Round
from programs.content_drawings import (
    LANGUAGE,
    benchmark_pictures,
    day_of,
    milestone_rows,
    money_picture,
    roadmap_picture,
    trl_picture,
    trl_rows,
)
from programs.models import Deliverable, Participation, PlanGate, Project, ProjectMember, Risk, TrlAssessment


def dossier_file_name(dossier: Dossier) -> str:
    """This function will name the PDF: the case number and the day of sealing."""
    assert dossier.sealed_at is not None
    return f"{dossier.gate_review.ref}_{dossier.sealed_at:%Y%m%d}.pdf"


def dossier_pdf(dossier: Dossier) -> bytes:
    """This function will typeset a sealed dossier from its content alone: the same content gives the same bytes."""
    content: dict[str, Any] = dossier.content
    with override(LANGUAGE):
        facts = content["gate_review"]
        on = day_of(content["sealed_at"][:10])
        kind = str(Round.Kind(facts["kind"]).label)
        title = _("Dossier for the %(kind)s") % {"kind": kind}
        context = {
            "content": content,
            "kind": kind,
            "title_ja": title,
            "year": year_label(facts["fiscal_year"], LANGUAGE),
            "sealed_at": datetime_text(parse_datetime(content["sealed_at"]), LANGUAGE),  # type: ignore[arg-type]
            "chapters": _chapters(content),
            "sections": [{**one, "paragraphs": _paragraphs(one["text"])} for one in content["sections"]],
            "versions": [
                _days(one, "effective_on", "decided_on", "starts_on", "ends_on") for one in content["plan"]["versions"]
            ],
            "plan_gates": [_gate(one) for one in content["plan"]["gates"]],
            "trl": trl_rows(content),
            "trl_kinds": [str(one.label) for one in TrlAssessment.Kind],
            "trl_chart": trl_picture(content),
            "milestones": milestone_rows(content),
            "roadmap": roadmap_picture(content, on),
            "money_chart": money_picture(content, facts["fiscal_year"]),
            "benchmarks": benchmark_pictures(content),
            "reports": [_report(one) for one in content["reports"]],
            "risks": [{**_days(one, "due_on"), "kind": str(Risk.Kind(one["kind"]).label)} for one in content["risks"]],
            "institutions": [
                {**one, "role": str(Participation.Role(one["role"]).label)} for one in content["institutions"]
            ],
            "members": [{**one, "role": str(ProjectMember.Role(one["role"]).label)} for one in content["members"]],
            "project_kind": str(Project.Kind(content["project"]["kind"]).label),
            "is_sample": content["is_sample"],
        }
        return render_pdf(
            "pdf/gate_dossier.html",
            context,
            title=f"{title} {content['project']['label']}",
            language=LANGUAGE,
            fingerprint=dossier.content_hash,
            case_number=facts["ref"],
        )


def _chapters(content: dict[str, Any]) -> list[str]:
    return [
        *(one["name_ja"] for one in content["sections"]),
        _("Plan and the criteria of the gate"), _("Technology readiness (figures)"), _("Milestones"), _("Money"),
        _("Outputs and reports"), _("Benchmarks"), _("Risks"), _("Institutions and people"), _("Files"),
    ]  # fmt: skip


def _paragraphs(text: str) -> list[str]:
    return [part for part in text.split("\n") if part.strip()]


def _days(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**row, **{name: parse_date(row[name] or "") for name in names}}


def _gate(row: dict[str, Any]) -> dict[str, Any]:
    words = f"{PlanGate.Direction(row['direction']).label}" if row["direction"] else ""
    measure = " ".join(part for part in (row["threshold"], row["unit"], words) if part)
    return {**_days(row, "held_on"), "measure": measure}


def _report(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **_days(row, "delivered_on"), "kind": str(Deliverable.Kind(row["kind"]).label),
        "year": year_label(row["fiscal_year"], LANGUAGE),
    }  # fmt: skip
