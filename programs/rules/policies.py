"""Who reads, writes and puts in force the implementation policy of an area, and what stands in the way.

A policy in force is seen with its area. A draft is the director's, the deputies' and the officers'; from its submission
the program's ministry staff and auditors read it as well.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.queries import grants_of
from common.errors import Blocker
from common.fiscal_year import date_text
from common.text import count_characters
from programs.models import PolicyVersion, ResearchArea
from programs.rules import NOTHING, areas_visible
from programs.rules.scope import scope_of
from programs.states import DRAFTING, IN_FORCE, POLICY_MOVES, POLICY_WRITABLE, SUBMITTED

LONGEST_POLICY = 20_000
#: What has been in the ministry's hands.
_HANDED_IN = ~Q(state=DRAFTING)


def _of(areas: Q) -> Q:
    return Q(area__in=ResearchArea.objects.filter(areas))


def _directed(user: object) -> Q:
    scope = scope_of(user)
    return Q(pk__in=scope.directed) | Q(program__in=scope.program_director)


def _supported(user: object) -> Q:
    scope = scope_of(user)
    return Q(pk__in=scope.supported) | Q(program__in=scope.program_officer)


def _staffed(user: object) -> Q:
    return Q(program__in=scope_of(user).ministry)


def policies_visible(user: object) -> Q:
    """This function will return the condition for the policy versions that this user or client may read."""
    grants = grants_of(user)
    seen = _of(areas_visible(user))
    if grants.client_organization_id is not None:
        return seen & Q(state=IN_FORCE)
    if grants.person_id is None:
        return NOTHING
    readable = Q(state=IN_FORCE) | _of(_directed(user) | _supported(user)) | _HANDED_IN & _of(_staffed(user))
    if grants.has("auditor"):
        readable |= _HANDED_IN
    return seen & readable


def may_open_policy(user: object, area: ResearchArea) -> bool:
    """This function will tell whether the user may begin the area's next version now."""
    me = grants_of(user).person_id
    if me is None or PolicyVersion.objects.filter(area=area, state__in=(*POLICY_WRITABLE, SUBMITTED)).exists():
        return False
    return ResearchArea.objects.filter(_directed(user), areas_visible(user), pk=area.pk).exists()


def policy_actions(user: object, version: PolicyVersion) -> set[str]:
    """This function will return what the user may do with the version now: `policy.edit`, ..."""
    me = grants_of(user).person_id
    found = PolicyVersion.objects.filter(policies_visible(user), pk=version.pk)
    if me is None or not found.exists():
        return {"policy.view"} if found.exists() else set()
    allowed = {"policy.view"}
    if found.filter(_of(_directed(user))).exists():
        allowed |= {f"policy.{act}" for act in ("submit", "withdraw") if _starts(version, act)}
        if version.state in POLICY_WRITABLE:
            allowed.add("policy.edit")
    is_own = version.submitted_by_id == getattr(user, "pk", None)
    if version.state == SUBMITTED and not is_own and found.filter(_of(_staffed(user))).exists():
        allowed |= {"policy.put_in_force", "policy.return"}
    return allowed


def _starts(version: PolicyVersion, act: str) -> bool:
    return version.state in POLICY_MOVES[act].sources


def policies_to_act_on(user: object) -> Q:
    """This function will return the condition for the versions that wait for this person."""
    me = grants_of(user).person_id
    if me is None:
        return NOTHING
    write = Q(state__in=POLICY_WRITABLE) & _of(_directed(user))
    decide = Q(state=SUBMITTED) & ~Q(submitted_by__person=me) & _of(_staffed(user))
    return write | decide


def submission_blockers(version: PolicyVersion) -> list[Blocker]:
    """This function will list what stands in the way of handing the version to the ministry."""
    found = []
    if not version.text.strip():
        found.append(Blocker("text", "required", _("Write the policy.")))
    elif (used := count_characters(version.text)) > LONGEST_POLICY:
        message = _("Shorten this to %(limit)s characters; it has %(count)s.")
        found.append(Blocker("text", "too_long", message % {"limit": LONGEST_POLICY, "count": used}))
    if version.base is not None and version.base.text == version.text:
        message = _("Nothing differs from version %(number)s.") % {"number": version.base.number}
        found.append(Blocker("text", "unchanged", message))
    return found


def effect_blockers(version: PolicyVersion, effective_on: date) -> list[Blocker]:
    """This function will list what stands in the way of putting the version in force from this day."""
    standing = PolicyVersion.objects.filter(area=version.area_id, state=IN_FORCE).order_by("-effective_on").first()
    if standing is not None and standing.effective_on is not None and effective_on <= standing.effective_on:
        message = _("Version %(number)s is in force from %(day)s. Enter a later day.") % {
            "number": standing.number, "day": date_text(standing.effective_on, get_language() or "ja"),
        }  # fmt: skip
        return [Blocker("effective_on", "before_the_last", message)]
    return []
