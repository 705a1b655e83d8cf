"""Who may keep people and grant roles, and what stands in the way of a grant."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.grants import grants_of
from accounts.models import Tenure
from common.actors import SystemActor
from common.errors import Blocker


def may_manage_people(actor: object) -> bool:
    """This function will tell whether the actor may enter people and propose or approve roles.

    Ministry staff may, and the operator's commands; a machine of an agency never.
    """
    return isinstance(actor, SystemActor) or grants_of(actor).has("ministry_staff")


def may_enter_admin(user: object) -> bool:
    """This function will tell whether the admin is open to the user today: to ministry staff and to auditors."""
    grants = grants_of(user)
    return grants.has("ministry_staff") or grants.has("auditor")


def approval_blockers(tenure: Tenure, actor: object) -> list[Blocker]:
    """This function will return what keeps the actor from approving the role: it takes a second person.

    Whoever proposed it is the first person, and nobody approves a role of their own.
    """
    found = []
    if tenure.approved_by_id is not None:
        found.append(Blocker("approved_by", "already_approved", _("This role has already been approved.")))
    if tenure.granted_by_id is None or tenure.granted_by_id == getattr(actor, "pk", None):
        found.append(
            Blocker(
                "approved_by", "second_person", _("A role needs a second person. Ask a colleague to approve this one.")
            )
        )
    if grants_of(actor).person_id == tenure.person_id:
        found.append(
            Blocker(
                "approved_by", "own_role", _("Nobody approves their own role. Ask a colleague to approve this one.")
            )
        )
    return found
