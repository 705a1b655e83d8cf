"""What is published of gates (`/public/gates/`): finding, grade, outcome, public conditions and roster, with JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _

from evaluations.models import GateDecision, Round
from evaluations.queries.decisions import published_admissions, published_decisions, published_gates
from evaluations.queries.panels import roster_of, rounds_with_public_roster
from portal.access import clock, not_found, page
from portal.rosters import office_of, roster_as_data

ROWS = 200


def as_published(decision: GateDecision) -> dict[str, Any]:
    """This function will return what everybody may read of a released decision, from its frozen content alone."""
    content: dict[str, Any] = decision.content
    finding = content["finding"]
    assert decision.released_at is not None
    return {
        "ref": content["review"]["ref"],
        "decision": content["ref"],
        "state": decision.state,
        "in_the_place_of": content["corrects"] or None,
        "round": content["review"]["round_ja"],
        "kind": content["review"]["kind"],
        "fiscal_year": content["review"]["fiscal_year"],
        "project": {"ref": content["project"]["ref"], "name": content["project"]["label"]},
        "outcome": content["outcome"],
        "reason": content["reason_ja"],
        "decided_on": content["decided_on"],
        "effective_on": content["effective_on"],
        "ends_on": content["ends_on"],
        "merged_into": content["merged_into"] or None,
        "released_at": localtime(decision.released_at).isoformat(timespec="seconds"),
        "finding": {name: finding[name] for name in ("overall", "strengths", "remarks", "grade")},
        "conditions": [
            {"text": one["text"], "due_on": one["due_on"]} for one in content["conditions"] if one["is_public"]
        ],
        "is_sample": content["is_sample"],
        "content_hash": decision.content_hash,
    }


def _shown(decision: GateDecision) -> dict[str, Any]:
    """The same with the days read and the codes in words, for the page."""
    told = as_published(decision)
    return {
        **told,
        "outcome": GateDecision.Outcome(told["outcome"]).label,
        "kind": Round.Kind(told["kind"]).label,
        **{name: parse_date(told[name] or "") for name in ("decided_on", "effective_on", "ends_on")},
        "released_at": decision.released_at,
        "conditions": [{**one, "due_on": parse_date(one["due_on"])} for one in told["conditions"]],
        "row": decision,
    }


@page(permission="publication.list", is_public=True)
def public_gates(request: HttpRequest) -> HttpResponseBase:
    """This function will list the published decisions, newest first."""
    rows = [_shown(one) for one in published_gates()[:ROWS]]
    context = {"decisions": rows, "is_sample": any(one["is_sample"] for one in rows)}
    return render(request, "portal/publications/list.html", context)


@page(permission="publication.view", is_public=True)
def public_gate(request: HttpRequest, ref: str) -> HttpResponseBase:
    """This function will show the published decision of a gate review; before the release there is no such page."""
    found = published_decisions(ref)
    if not found:
        return not_found(request)
    newest, *former = [_shown(one) for one in found]
    named = _round_with_roster(request, found[0])
    return render(
        request,
        "portal/publications/gate.html",
        {
            "one": newest,
            "title": _("Result of the %(kind)s") % {"kind": newest["kind"]},
            "former": former,
            "round": named,
            "members": [(member, office_of(named, member)) for member in roster_of(named)] if named else [],
            "admitted": published_admissions(found[0]),
            "is_sample": newest["is_sample"],
        },
    )


@page(permission="publication.view", is_public=True)
def public_gate_json(request: HttpRequest, ref: str) -> HttpResponseBase:
    """This function will hand out the same as JSON: the decision that stands, and the former ones."""
    found = published_decisions(ref)
    if not found:
        return not_found(request)
    named = _round_with_roster(request, found[0])
    newest, *former = [as_published(one) for one in found]
    content = {
        **newest, "roster": roster_as_data(named) if named else None, "admitted": published_admissions(found[0]),
        "former": former,
    }  # fmt: skip
    return JsonResponse(content, json_dumps_params={"ensure_ascii": False})


def _round_with_roster(request: HttpRequest, decision: GateDecision) -> Round | None:
    """The decision's round, once its roster is public: it has a day of its own."""
    return rounds_with_public_roster(localdate(clock(request))).filter(pk=decision.gate_review.round_id).first()
