"""Who may see and do what with reports, and what stands in the way of a submission.

Everybody who may see the project sees that a report exists, its state and its date; who reads the text depends on the
state: the team always, the PO from the submission, the PD from the PO's check, others as trust.md says.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils.translation import gettext as _

from accounts.queries import Grants, grants_of
from common.errors import Blocker
from common.text import count_characters
from programs.models import Project, ProjectMember
from programs.rules import (
    NOTHING,
    OFFICE_ROLES,
    projects_led_by,
    projects_of_headquarters,
    projects_of_member,
    projects_of_organizations,
    projects_supported_by,
    projects_visible,
)
from programs.rules.scope import scope_of
from reporting.models import ProgressReport, ReportSection
from reporting.states import ACCEPTED, CHECKED, DRAFTING, RETURNED, SUBMITTED

SUMMARY_LIMIT = 800
TEXT_LIMIT = 20_000
WRITABLE = (DRAFTING, RETURNED)
#: In these states a text has left the team's hands.
HANDED_IN = (SUBMITTED, CHECKED, ACCEPTED)


def limit_of(section: ReportSection) -> int:
    """This function will return how many characters the section may have (domain: summary 800)."""
    return SUMMARY_LIMIT if section.key == ReportSection.Key.SUMMARY else TEXT_LIMIT


def _of(condition: Q) -> Q:
    return Q(project__in=Project.objects.filter(condition))


def reports_visible(user: object) -> Q:
    """This function will return the condition for the reports whose existence, state and date the reader may see.

    An agency's people and clients see accepted reports only.
    """
    grants = grants_of(user)
    visible = _of(projects_visible(user))
    if grants.client_organization_id is not None:
        return visible & Q(state=ACCEPTED)
    if grants.person_id is None:
        return NOTHING
    agencies = grants.organizations("agency_staff")
    if not agencies:
        return visible
    by_agency = Q(project__program__in=scope_of(user).agency)
    return visible & (Q(state=ACCEPTED) | ~by_agency | _of(_own(user, grants.person_id, grants)))


def _own(user: object, person_id: int, grants: Grants) -> Q:
    """Projects in which the person works or for which it answers: member, HQ, PO, PD, staff."""
    own = (
        projects_of_member(person_id)
        | projects_of_headquarters(person_id)
        | projects_led_by(user)
        | projects_supported_by(user)
        | Q(program__in=scope_of(user).ministry)
    )
    if offices := grants.organizations(*OFFICE_ROLES):
        own |= projects_of_organizations(offices)
    return own


def texts_readable(user: object) -> Q:
    """This function will return the condition for the reports whose text the reader may read."""
    grants = grants_of(user)
    seen = reports_visible(user)
    if grants.client_organization_id is not None:
        return seen
    if grants.person_id is None:
        return NOTHING
    me = grants.person_id
    readable = (
        _of(projects_of_member(me) | projects_of_headquarters(me))
        | (Q(state__in=HANDED_IN) & _of(projects_supported_by(user)))
        | (Q(state__in=(CHECKED, ACCEPTED)) & _of(projects_led_by(user)))
        | (Q(state__in=HANDED_IN) & Q(project__program__in=scope_of(user).ministry))
    )
    if grants.has("auditor"):
        readable |= Q(state__in=HANDED_IN)
    if offices := grants.organizations(*OFFICE_ROLES):
        readable |= Q(state__in=HANDED_IN) & _of(projects_of_organizations(offices))
    if scope_of(user).agency:
        readable |= Q(state=ACCEPTED, project__program__in=scope_of(user).agency)
    return seen & readable


def reminders_wanted(user: object) -> Q:
    """This function will return the condition for the reports of which this person may still be reminded.

    The person must see the report, and it must wait for the person: for all who answer for it while the team writes,
    then for the PO, then for the PD.
    """
    grants = grants_of(user)
    if grants.person_id is None:
        return NOTHING
    waits = (
        Q(state__in=WRITABLE)
        | (Q(state=SUBMITTED) & _of(projects_supported_by(user)))
        | (Q(state=CHECKED) & _of(projects_led_by(user)))
    )
    return reports_visible(user) & waits


def actions_allowed(user: object, report: ProgressReport) -> set[str]:
    """This function will return what the user may do with the report now, by role and state."""
    held = _held(user, report)
    if held is None:
        return set()
    allowed = {"report.view"}
    if held["reads"]:
        allowed |= {"report.read_text", "report.export"}
    if report.state in WRITABLE:
        if held["writes"]:
            allowed.add("report.edit")
        if held["leads"]:
            allowed.add("report.submit")
    is_submitter = report.submitted_by_id == getattr(user, "pk", None)
    if report.state == SUBMITTED and not is_submitter and held["supports"]:
        allowed |= {"report.check", "report.return"}
    if report.state == CHECKED and not is_submitter and held["directs"]:
        allowed |= {"report.accept", "report.return"}
    return allowed


def _held(user: object, report: ProgressReport) -> dict[str, bool] | None:
    """What the user is to the report, in one query; None when it is not visible."""
    me = grants_of(user).person_id
    conditions = {"reads": texts_readable(user)}
    if me is not None:
        conditions |= {
            "writes": _of(projects_of_member(me) | projects_of_headquarters(me)),
            "leads": _of(projects_of_member(me, ProjectMember.Role.PRINCIPAL_INVESTIGATOR)),
            "supports": _of(projects_supported_by(user)),
            "directs": _of(projects_led_by(user)),
        }
    columns = [ExpressionWrapper(condition, BooleanField()) for condition in conditions.values()]
    found = ProgressReport.objects.filter(reports_visible(user), pk=report.pk).values_list(*columns).first()
    if found is None:
        return None
    held = dict(zip(conditions, map(bool, found), strict=True))
    return {name: held.get(name, False) for name in ("reads", "writes", "leads", "supports", "directs")}


def sections_editable(user: object, report: ProgressReport) -> Q:
    """This function will return the condition for the sections of this report that the user may write now.

    The PI and the HQ write the team's sections and collect the partners'; a co-investigator writes the part of the
    own institution.
    """
    grants = grants_of(user)
    if grants.person_id is None or report.state not in WRITABLE:
        return NOTHING
    if not Project.objects.filter(projects_visible(user), pk=report.project_id).exists():
        return NOTHING
    me = grants.person_id
    whole = projects_of_member(me, ProjectMember.Role.PRINCIPAL_INVESTIGATOR) | projects_of_headquarters(me)
    if Project.objects.filter(whole, pk=report.project_id).exists():
        return Q(report=report)
    own = ProjectMember.objects.filter(
        person_id=me, project_id=report.project_id, project__in=Project.objects.filter(projects_of_member(me))
    )
    return Q(report=report, key=ReportSection.Key.PARTNER, organization__in=own.values("organization_id"))


def section_editable(user: object, section: ReportSection) -> bool:
    """This function will tell whether the user may write this section now."""
    condition = sections_editable(user, section.report)
    return ReportSection.objects.filter(condition, pk=section.pk).exists()


def report_blockers(report: ProgressReport, sections: Iterable[ReportSection] | None = None) -> list[Blocker]:
    """This function will list everything that stands in the way of a submission, with who owes it.

    `sections` are the report's in their order, if they were read already.
    """
    blockers = []
    if sections is None:
        sections = report.sections.select_related("organization").order_by("position")
    for section in sections:
        name = section.organization.name if section.organization else ""
        used = count_characters(section.text)
        if not section.text.strip():
            message = (
                _("%(institution)s has not written its part yet.") % {"institution": name}
                if name
                else _("“%(section)s” is empty. Write it.") % {"section": section.get_key_display()}
            )
            blockers.append(Blocker(f"section-{section.pk}", "empty", message))
        elif used > limit_of(section):
            blockers.append(Blocker(f"section-{section.pk}", "too_long", too_long(section, used)))
    return blockers


def too_long(section: ReportSection, used: int) -> str:
    """This function will say by how much the text is too long."""
    limit = limit_of(section)
    return _("“%(section)s” has %(used)s characters; %(limit)s are allowed. Shorten it by %(over)s.") % {
        "section": section.get_key_display(),
        "used": f"{used:,}",
        "limit": f"{limit:,}",
        "over": f"{used - limit:,}",
    }
