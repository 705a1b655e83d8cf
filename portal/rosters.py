"""The public roster of a round's panel (評価委員名簿), as a page and as JSON; never who read which case."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import override

from evaluations.models import PanelMember, Round
from evaluations.queries.panels import roster_of, rounds_with_public_roster
from portal.access import page


def find_public_round(user: Any, ref: str) -> QuerySet[Round]:
    """This function will return the round with this reference, once its roster is public: for everybody the same."""
    return rounds_with_public_roster(localdate()).filter(ref=ref)


def office_of(one: Round, member: PanelMember) -> str:
    """This function will name the office; a director in the chair is named as such."""
    office = str(member.get_role_display())
    is_director = one.chair_source == Round.ChairSource.PROGRAM_DIRECTOR and member.role == PanelMember.Role.CHAIR
    return _("%(office)s (program director in charge)") % {"office": office} if is_director else office


@page(permission="publication.view", find=find_public_round, is_public=True)
def public_round(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will show who evaluated in a round: names, institutions and offices."""
    members = [(member, office_of(one, member)) for member in roster_of(one)]
    context = {
        "round": one, "members": members, "release": one.panel.roster_release, "is_sample": one.is_sample,
    }  # fmt: skip
    return render(request, "portal/public/round.html", context)


@page(permission="publication.view", find=find_public_round, is_public=True)
def public_round_json(request: HttpRequest, one: Round) -> HttpResponseBase:
    """This function will hand the same roster to machines."""
    content = {
        "ref": one.ref, "name": _pair(one), "kind": one.kind, "fiscal_year": one.fiscal_year,
        "program": {"ref": one.program.ref, "name": _pair(one.program)},
        "area": {"ref": one.area.ref, "name": _pair(one.area)} if one.area else None,
        "roster_released_on": one.panel.roster_release.published_on.isoformat(), "is_sample": one.is_sample,
        "roster": roster_as_data(one),
    }  # fmt: skip
    return JsonResponse(content, json_dumps_params={"ensure_ascii": False, "indent": 1})


def roster_as_data(one: Round) -> list[dict[str, Any]]:
    """This function will return who is named on a round's roster, as machines read it."""
    return [_member(one, member) for member in roster_of(one)]


def _pair(named: Any) -> dict[str, str]:
    return {"ja": named.name_ja, "en": named.name_en}


def _member(one: Round, member: PanelMember) -> dict[str, Any]:
    offices = {}
    for code in ("ja", "en"):
        with override(code):
            offices[code] = office_of(one, member)
    return {
        "name": _pair(member.person), "institution": _pair(member.organization) if member.organization else None,
        "position": member.position, "role": member.role, "office": offices,
    }  # fmt: skip
