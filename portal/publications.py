"""What is published of gates (`/public/gates/`): finding, grade, outcome and public conditions, with JSON beside it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from evaluations.models import GateDecision, Round
from evaluations.queries.decisions import published_decisions, published_gates
from portal.access import not_found, page

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
    return render(
        request,
        "portal/publications/gate.html",
        {
            "one": newest,
            "title": _("Result of the %(kind)s") % {"kind": newest["kind"]},
            "former": former,
            "is_sample": newest["is_sample"],
        },
    )


@page(permission="publication.view", is_public=True)
def public_gate_json(request: HttpRequest, ref: str) -> HttpResponseBase:
    """This function will hand out the same as JSON: the decision that stands, and the former ones."""
    found = [as_published(one) for one in published_decisions(ref)]
    if not found:
        return not_found(request)
    return JsonResponse({**found[0], "former": found[1:]}, json_dumps_params={"ensure_ascii": False})
