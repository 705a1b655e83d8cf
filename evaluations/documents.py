"""The documents of this app: dossier, papers of a meeting, letter and file of a decision, a panel member's letters."""

from __future__ import annotations

from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.queries import organizations_of
from common.canonical import content_hash
from common.fiscal_year import date_text, datetime_text
from common.fiscal_year import label as year_label
from common.pdf import render_pdf
from evaluations.models import Condition, Dossier, Finding, GateDecision, Meeting, PanelMember, Round, WindDownItem
from evaluations.queries.case_dossiers import last_gate_read
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
            "last_gate": last_gate_read(content.get("last_gate")),
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


# Decisions ------------------------------------------------------------------------------------------------------------


def decision_letter_name(decision: GateDecision) -> str:
    """This function will name the letter: the decision and its day."""
    return f"{decision.ref}_{decision.decided_on:%Y%m%d}_letter.pdf"


def decision_file_name(decision: GateDecision) -> str:
    """This function will name the decision file: the decision and its day."""
    return f"{decision.ref}_{decision.decided_on:%Y%m%d}_file.pdf"


def decision_letter_pdf(decision: GateDecision) -> bytes:
    """This function will typeset the letter to the project (決定通知書) from the decision's content alone."""
    return _decision_pdf(decision, is_letter=True)


def decision_file_pdf(decision: GateDecision) -> bytes:
    """This function will typeset the decision file (決裁): 起案文, 新旧対照表, money by year, attachments with hashes."""
    return _decision_pdf(decision, is_letter=False)


def _decision_pdf(decision: GateDecision, *, is_letter: bool) -> bytes:
    content: dict[str, Any] = decision.content
    with override(LANGUAGE):
        name = _("Decision letter") if is_letter else _("Decision file")
        context = {
            "content": content,
            "name": name,
            "kind": str(Round.Kind(content["review"]["kind"]).label),
            "year": year_label(content["review"]["fiscal_year"], LANGUAGE),
            "outcome": str(GateDecision.Outcome(content["outcome"]).label),
            "recommendation": str(Finding.Recommendation(content["finding"]["recommendation"]).label),
            "days": {one: parse_date(content[one] or "") for one in ("decided_on", "effective_on", "ends_on")},
            "reasons": _paragraphs(content["reason"]),
            "finding": {part: _paragraphs(content["finding"][part]) for part in ("overall", "strengths", "remarks")},
            "conditions": [_owed(one) for one in content["conditions"]],
            "wind_down": [
                {**_owed(one), "kind": str(WindDownItem.Kind(one["kind"]).label)} for one in content["wind_down"]
            ],
            "revisions": [_revised(one) for one in content["revisions"]],
            "is_sample": content["is_sample"],
        }
        return render_pdf(
            "pdf/decision_letter.html" if is_letter else "pdf/decision_file.html",
            context,
            title=f"{name} {content['project']['label']}",
            language=LANGUAGE,
            fingerprint=decision.content_hash,
            case_number=content["ref"],
        )


def _owed(row: dict[str, Any]) -> dict[str, Any]:
    return {**_days(row, "due_on"), "owner": str(Condition.Owner(row["owner"]).label)}


def _revised(row: dict[str, Any]) -> dict[str, Any]:
    years = [
        {**one, "year": year_label(one["fiscal_year"], LANGUAGE), "moved_yen": one["after_yen"] - one["before_yen"]}
        for one in row["years"]
    ]
    sums = {name: sum(one[name] for one in years) for name in ("before_yen", "after_yen", "moved_yen")}
    return {**row, "years": years, "sums": sums}


def meeting_papers_file_name(meeting: Meeting) -> str:
    """This function will name the papers: the meeting's number and its day."""
    return f"{meeting.ref}_{meeting.held_on:%Y%m%d}.pdf"


def meeting_papers_pdf(content: dict[str, Any]) -> bytes:
    """This function will typeset the papers that `queries.meetings.meeting_papers` compiled for one member."""
    with override(LANGUAGE):
        facts = content["meeting"]
        title = _("Papers of the meeting")
        context = {
            "content": content,
            "title_ja": title,
            "kind": str(Meeting.Kind(facts["kind"]).label),
            "held_on": date_text(day_of(facts["held_on"]), LANGUAGE),
            "is_sample": content["is_sample"],
        }
        return render_pdf(
            "pdf/meeting_papers.html",
            context,
            title=f"{title} {facts['round_ja']}",
            language=LANGUAGE,
            fingerprint=content_hash(content),
            case_number=facts["ref"],
        )


def _chapters(content: dict[str, Any]) -> list[str]:
    return [
        *(one["name_ja"] for one in content["sections"]),
        _("Answers to the last gate"),
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


# Panels ---------------------------------------------------------------------------------------------------------------


def member_file_name(member: PanelMember, kind: str) -> str:
    """This function will name the PDF: what it is (letter or pledge) and the number of the appointment, nobody's name."""
    return f"{kind}_{member.ref}.pdf"


def appointment_letter_pdf(member: PanelMember) -> bytes:
    """This function will typeset the letter of appointment (委嘱状) of a member under pledge."""
    assert member.pledged_at is not None
    assert member.approved_by is not None
    with override(LANGUAGE):
        issuer = organizations_of(member.approved_by.person_id, localdate(member.pledged_at)).order_by("pk").first()
        facts = _member_facts(member) | {
            "issuer": issuer.name if issuer else "",
            "office": str(member.get_role_display()),
            "scores": member.is_scoring,
            "starts_on": date_text(member.starts_on, LANGUAGE),
            "ends_on": date_text(member.ends_on, LANGUAGE) if member.ends_on else "",
        }
        return _member_pdf(member, "pdf/appointment_letter.html", _("Letter of appointment"), facts)


def pledge_pdf(member: PanelMember) -> bytes:
    """This function will typeset the pledge (誓約書) in the words in which it was given."""
    assert member.pledged_at is not None
    with override(LANGUAGE):
        facts = _member_facts(member) | {
            "pledge": member.pledge_text, "at": datetime_text(member.pledged_at, LANGUAGE)
        }  # fmt: skip
        return _member_pdf(member, "pdf/member_pledge.html", _("Pledge"), facts)


def _member_facts(member: PanelMember) -> dict[str, Any]:
    one = member.panel.round
    return {
        "ref": member.ref, "round": one.name, "round_ref": one.ref, "program": one.program.name,
        "kind": str(one.get_kind_display()), "year": year_label(one.fiscal_year, LANGUAGE),
        "area": one.area.name if one.area else "", "name": member.person.name_ja,
        "institution": member.organization.name if member.organization else "", "position": member.position,
        "given_on": date_text(localdate(member.pledged_at), LANGUAGE),
    }  # fmt: skip


def _member_pdf(member: PanelMember, template: str, title: str, facts: dict[str, Any]) -> bytes:
    paragraphs = _paragraphs(facts.get("pledge", ""))
    return render_pdf(
        template, {**facts, "paragraphs": paragraphs, "is_sample": member.panel.is_sample}, title=title,
        language=LANGUAGE, fingerprint=content_hash(facts), case_number=member.ref,
    )  # fmt: skip
